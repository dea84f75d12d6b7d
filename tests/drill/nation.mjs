// One deployment and everybody around it: the country's sequencers and
// validators (doubles of the outside world), and the product itself: signers,
// watchers, relayers and the command line.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEvent } from '../country/wire.mjs';
import { loadCountry } from '../country/citizens.mjs';
import { Follower } from '../country/follow.mjs';
import { ask } from '../country/http.mjs';
import { quantity, Rpc, sleep } from '../country/rpc.mjs';
import { fund } from '../country/treasury.mjs';
import { freePort, run, runAsync, until } from '../harness.mjs';
import { addressOf, keyOf } from './keys.mjs';

export const TERMS = { sla_window: 8, failover_window: 8, inclusion_window: 6,
	finality: 8, hard_deadline: 20, notice: 36, round: 2 }; // seconds
export const THRESHOLDS = { promote: 3, open: 4, resume: 4, amend: 4 };
const VALIDATORS = 4;
const VALIDATORS_NEEDED = 3;
const POLL = '300ms';
const BACK_MS = 15000; // after a SIGKILL: started again, and ready
const RETRY_MS = 500;
const BOND = 20n * 10n ** 18n;

const list = (items) => `[${items.join(', ')}]`;

export class Nation {
	// people: {guardians: n, relayers: n, standbys: [names], citizens: n}
	// names get `suffix`, so that two nations fit one folder.
	constructor({ l1, processes, build, folder, people, suffix = '', say }) {
		Object.assign(this, { l1, processes, build, folder, people, suffix, say });
		this.http = new Map(); // process name -> URL
		this.restarted = new Set();
		mkdirSync(folder, { recursive: true });
	}

	name(role) {
		return role + this.suffix;
	}

	bin(program) {
		return join(this.build, program === 'egress' ? 'cli' :
			program.replace('egress-', ''), program);
	}

	file(name, text, mode = 0o644) {
		const path = join(this.folder, name + this.suffix);
		writeFileSync(path, text);
		chmodSync(path, mode);
		return path;
	}

	keyFile(who) {
		return this.file(`${who}.key`, keyOf(this.name(who)) + '\n', 0o600);
	}

	address(who) {
		return addressOf(this.name(who));
	}

	numbered(role, n) {
		return Array.from({ length: n }, (_, i) => `${role}${i + 1}`);
	}

	get guardians() {
		return this.numbered('guardian', this.people.guardians);
	}

	get voters() {
		return this.people.watching ? this.guardians : [];
	}

	get relayers() {
		return this.numbered('relayer', this.people.relayers);
	}

	get validatorKeys() {
		return this.numbered('validator', VALIDATORS);
	}

	// ---- the command line -------------------------------------------------

	rpcs() {
		return this.l1.endpoints.map(({ url }) => url).join(',');
	}

	// While one of ours is down or coming back: asks again, as anybody would.
	async patiently(ask) {
		for (;;) {
			try {
				return await ask();
			} catch (problem) {
				if (Date.now() > (this.killedAt ?? 0) + BACK_MS)
					throw problem;
			}
			await sleep(RETRY_MS);
		}
	}

	// Runs `egress …`; throws with its own words when it fails.
	egress(args, options) {
		return this.patiently(async () => {
			const result = await this.tryEgress(args, options);
			if (result.status !== 0)
				throw new Error(`egress ${args.join(' ')}: exit ${result.status}: ` +
					(result.stderr.trim() || result.stdout.trim()));
			return result.stdout;
		});
	}

	tryEgress(args, options) {
		return runAsync(this.bin('egress'), args, options);
	}

	// ---- deployment ---------------------------------------------------------

	termsFile() {
		const seconds = Object.entries(TERMS).map(([k, v]) => `  ${k}: ${v}s`);
		const counts = Object.entries(THRESHOLDS).map(([k, v]) => `${k}: ${v}`);
		return this.file('terms.yaml', [
			'terms:', ...seconds,
			`thresholds: {${counts.join(', ')}}`,
			`guardians: ${list(this.guardians.map((g) => this.address(g)))}`,
			`standbys: ${list(this.people.standbys.map((s) => this.address(s)))}`,
			`sequencer: ${this.address('primary')}`,
			`validators: ${list(this.validatorKeys.map((v) => this.address(v)))}`,
			`validators_needed: ${VALIDATORS_NEEDED}`,
			'min_bounty: 100000 gwei',
			`bond: ${BOND / 10n ** 18n} ether`, ''].join('\n'));
	}

	async deploy() {
		await this.l1.give(['deployer', 'primary', ...this.people.standbys, 'operator',
			...this.relayers].map((who) => this.address(who)));
		const out = await this.egress(['deploy', '--terms', this.termsFile(),
			'--rpc', this.rpcs(), '--key', this.keyFile('deployer'), '--json']);
		const { hatch, rollup } = JSON.parse(out.trim().split('\n').pop());
		this.hatch = hatch;
		this.rollup = rollup;
		this.from = (await this.l1.block()).number;
		this.follower = new Follower(new Rpc(this.l1.url), { hatch, rollup });
		return out;
	}

	async fundTreasury() {
		this.citizensFile = join(this.folder, this.name('citizens'));
		this.country = loadCountry(this.citizensFile, this.name('drill'),
			this.people.citizens);
		await this.l1.give([this.country.treasury.address]);
		await fund({ rpc: this.l1.rpc, rollup: this.rollup,
			key: this.country.treasury.key, country: this.country,
			bond: 0n, reserve: 10n ** 18n });
	}

	// ---- the outside world -----------------------------------------------------

	async startValidators() {
		const port = await freePort();
		this.http.set('validators', `http://127.0.0.1:${port}`);
		this.processes.node(this.name('validators'), 'country/validators.mjs', [
			'--keys', this.validatorKeys.map((v) => keyOf(this.name(v))).join(','),
			'--rpc', this.l1.url, '--rollup', this.rollup, '--hatch', this.hatch,
			'--listen', `127.0.0.1:${port}`]);
		await until('validators answer',
			() => ask(`${this.http.get('validators')}/status`));
	}

	async sequencerPort(who) {
		if (!this.http.has(who))
			this.http.set(who, `http://127.0.0.1:${await freePort()}`);
		return this.http.get(who).replace('http://', '');
	}

	async startSequencer(who, more = []) {
		const listen = await this.sequencerPort(who);
		this.processes.node(this.name(who), 'country/sequencer.mjs', [
			'--name', this.name(who), '--key', keyOf(this.name(who)),
			'--rpc', this.l1.url, '--rollup', this.rollup, '--hatch', this.hatch,
			'--validators', this.http.get('validators'), '--listen', listen,
			'--citizens', this.citizensFile, '--interval', '2s', ...more]);
		await until(`${who} answers`, () => this.sequencer(who));
	}

	async sequencer(who) {
		return (await ask(`${this.http.get(who)}/status`)).body;
	}

	async control(who, body) {
		const { status, body: answer } =
			await ask(`${this.http.get(who)}/control`, body);
		if (status !== 200)
			throw new Error(`${who}: ${JSON.stringify(answer)}`);
		return answer;
	}

	// ---- the product ------------------------------------------------------------

	shared() {
		return [
			`chain: {id: ${this.l1.chainId}, hatch: ${this.hatch}, act_on: finalized}`,
			'providers:', '  quorum: 2', '  list:',
			...this.l1.endpoints.map(({ name, url }) =>
				`    - {name: ${name}, url: ${url}, rate: 200/s, timeout: 2s}`),
			`poll: ${POLL}`, 'log: {level: info}'];
	}

	// In a folder of its own: a socket's path has at most 107 characters.
	socket(who) {
		this.sockets ??= mkdtempSync(join(tmpdir(), 'egress-drill-'));
		return join(this.sockets, `${who}.sock`);
	}

	done() {
		if (this.sockets)
			rmSync(this.sockets, { recursive: true, force: true });
	}

	// A signer of its own for each guardian and each relayer.
	async startSigner(who, policy) {
		const name = `${who}-signer`;
		const config = this.file(`${name}.yaml`, [
			`listen: ${this.socket(who)}`,
			`clients: [{user: ${process.getuid()}, may: ${list(policy.may)}}]`,
			`keys: [{address: ${this.address(who)}, plain: ${this.keyFile(who)}}]`,
			...(policy.ballots ?
				[`store: {path: ${join(this.folder, name + this.suffix)}}`] : []),
			`policy: {chain: ${this.l1.chainId}, hatch: ${this.hatch}, ` +
				`rollup: ${this.rollup}, ${policy.text}}`, ''].join('\n'));
		if (policy.ballots) {
			const { status, stderr } = run(this.bin('egress-signer'),
				['--config', config, '--init']);
			if (status !== 0)
				throw new Error(`${name} --init: ${stderr}`);
		}
		this.processes.start(this.name(name), this.bin('egress-signer'),
			['--config', config]);
	}

	startGuardianSigner(who) {
		const standbys = list(['primary', ...this.people.standbys]
			.map((s) => this.address(s)));
		return this.startSigner(who, { ballots: true, may: ['ballot', 'statement'],
			text: 'actions: [promote, open, resume], ' +
				`standbys: ${list([...this.candidates()])}, round: ${TERMS.round}` });
	}

	// Everybody whom guardians may promote or resume under.
	candidates() {
		return new Set(['primary', ...this.people.standbys, 'operator']
			.map((s) => this.address(s)));
	}

	startRelayerSigner(who) {
		return this.startSigner(who, { may: ['transaction', 'statement'],
			text: 'value: 1 ether, fee: 500 gwei' });
	}

	probes() {
		return ['primary', ...this.people.standbys].map((who) =>
			`  - {address: ${this.address(who)}, probe: ${this.http.get(who)}/ready}`);
	}

	async startWatcher(who, { guardian, vote = {} } = {}) {
		const url = this.http.get(who);
		const others = [...this.voters, 'observer'].filter((w) => w !== who)
			.map((w) => this.http.get(w));
		const config = this.file(`${who}.yaml`, [...this.shared(),
			`http: {listen: ${url.replace('http://', '')}}`,
			`store: {path: ${join(this.folder, who + this.suffix)}, map_size: 256 MiB}`,
			...(guardian ? [`signer: ${this.socket(who)}`,
				`guardian: ${this.address(who)}`,
				`vote: {promote: ${vote.promote ?? 'auto'}, ` +
					`open: ${vote.open ?? 'auto'}, hold_off: 0s}`] : []),
			'standbys:', ...this.probes(),
			`peers: ${list(others)}`, ''].join('\n'));
		this.processes.start(this.name(who), this.bin('egress-watcher'),
			['--config', config]);
	}

	async startRelayer(who) {
		const config = this.file(`${who}.yaml`, [...this.shared(),
			`http: {listen: ${this.http.get(who).replace('http://', '')}}`,
			`store: {path: ${join(this.folder, who + this.suffix)}, map_size: 256 MiB}`,
			`account: ${this.address(who)}`, `signer: ${this.socket(who)}`,
			'fees: {max_fee: 300 gwei, max_tip: 5 gwei}',
			'evacuate: {enabled: true, budget: 50 ether}',
			`relayers: ${list(this.relayers.filter((r) => r !== who)
				.map((r) => this.http.get(r)))}`,
			`watchers: ${list([...this.voters, 'observer']
				.map((w) => this.http.get(w)))}`, ''].join('\n'));
		this.processes.start(this.name(who), this.bin('egress-relayer'),
			['--config', config]);
	}

	// Starts the country and then the product, and waits until all are well.
	async start() {
		await this.startValidators();
		for (const who of ['primary', ...this.people.standbys])
			await this.sequencerPort(who);
		for (const who of [...this.voters, 'observer', ...this.relayers])
			this.http.set(who, `http://127.0.0.1:${await freePort()}`);
		await Promise.all(['primary', ...this.people.standbys]
			.map((who) => this.startSequencer(who)));
		for (const who of this.voters)
			await this.startGuardianSigner(who);
		for (const who of this.relayers)
			await this.startRelayerSigner(who);
		// Only the first guardian would open by vote: too many refuse.
		for (const who of this.voters)
			await this.startWatcher(who, { guardian: true,
				vote: { promote: 'auto', open: who === 'guardian1' ? 'auto' : 'manual' } });
		await this.startWatcher('observer');
		for (const who of this.relayers)
			await this.startRelayer(who);
	}

	async ready(patience_ms = 60000) {
		await until('every citizen is registered', async () => {
			const { citizensWaiting, posted } = await this.sequencer('primary');
			return posted > 0 && citizensWaiting === 0;
		}, patience_ms);
		for (const who of [...this.voters, 'observer', ...this.relayers])
			await until(`${who} is ready`, () => this.isReady(who), patience_ms);
		const { count } = await this.facts();
		await until('the observer has seen them all', async () =>
			(await this.status()).batch >= count, patience_ms);
	}

	async isReady(who) {
		const { status, body } = await ask(`${this.http.get(who)}/readyz`);
		if (status !== 200)
			throw new Error(body.error?.message ?? `status ${status}`);
		return true;
	}

	status(who = 'observer') {
		return this.patiently(async () => {
			const { status, body } = await ask(`${this.http.get(who)}/v1/status`);
			if (status !== 200)
				throw new Error(`${who}: status ${status}`);
			return body;
		});
	}

	// What a citizen sees, as the command line prints it.
	async show() {
		const text = await this.egress(['status', '--watcher',
			this.http.get('observer')]);
		this.say(text);
		return text;
	}

	// ---- what L1 says -------------------------------------------------------------

	// Events of hatch and rollup: [{eventName, args, block, tx}]
	async events(names, fromBlock = this.from) {
		const logs = await this.l1.rpc.call('eth_getLogs', {
			fromBlock: quantity(fromBlock), toBlock: 'latest',
			address: [this.hatch, this.rollup] });
		return logs.map((log) => ({ block: Number(log.blockNumber),
			tx: log.transactionHash,
			...decodeEvent(log.address.toLowerCase() === this.rollup.toLowerCase() ?
				'SovereignRollup' : 'EscapeHatch', log) }))
			.filter(({ eventName }) => names.includes(eventName));
	}

	async read(name, functionName, args = [], block = 'latest') {
		return (await this.follower.read([[name, functionName, args]], block))[0];
	}

	async facts() {
		await this.follower.sync();
		return this.follower.facts;
	}

	// Kills it as the power would, and starts it again.
	async killAndRestart(who, pause_ms = 1000) {
		const name = this.name(who);
		this.killedAt = Date.now();
		await this.processes.stop(name, 'SIGKILL');
		this.say(`SIGKILL ${name}`);
		await new Promise((done) => setTimeout(done, pause_ms));
		this.processes.restart(name);
		this.restarted.add(who);
	}

	// Ours, by name: what --kill may pick.
	ours() {
		return [...this.voters, 'observer', ...this.relayers,
			...[...this.voters, ...this.relayers].map((who) => `${who}-signer`)];
	}
}
