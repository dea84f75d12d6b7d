// Providers that lie, and configurations that name the wrong ones: watcher and
// relayer before three endpoints of a real L1 (anvil).
//   node providers_test.mjs [--build build/main] [--keep-log]
// Prints "providers: N passed, N failed".
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringToBytes } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { hex, keccak } from '../country/bytes.mjs';
import { SHORT_TERMS, deploy } from '../country/deploy.mjs';
import { ask, parseArgs } from '../country/http.mjs';
import { Rpc } from '../country/rpc.mjs';
import { Processes, ROOT, TESTS, freePort, runAsync, startAnvil, until } from '../harness.mjs';

const NAMES = ['a', 'b', 'c'];
const POLL_MS = 250;
const WAIT_MS = 30000;
const key = (name) => hex(keccak(stringToBytes(`providers-test/${name}`)));
const addressOf = (name) => privateKeyToAccount(key(name)).address.toLowerCase();

const options = parseArgs(process.argv.slice(2),
	{ build: join('build', 'main'), keepLog: false });
const folder = mkdtempSync(join(tmpdir(), 'providers-'));
const processes = new Processes(folder);
const PROGRAMS = { watcher: join(ROOT, options.build, 'watcher', 'egress-watcher'),
	relayer: join(ROOT, options.build, 'relayer', 'egress-relayer') };
let passed = 0;
let failed = 0;

function expect(good, text, found) {
	if (good)
		return passed++;
	failed++;
	process.stdout.write(`FAIL ${text}${found === undefined ? '' :
		`: ${typeof found === 'string' ? found : JSON.stringify(found)}`}\n`);
}

async function get(url) {
	const response = await fetch(url, { signal: AbortSignal.timeout(3000) });
	const text = await response.text();
	return { status: response.status, text,
		body: /^[[{]/.test(text) ? JSON.parse(text) : undefined };
}

const log = (name) => readFileSync(join(folder, `${name}.log`), 'utf8');
const lines = (name, words) => log(name).split('\n')
	.filter((line) => words.every((word) => line.includes(word)));

class World {
	async begin() {
		this.l1 = await startAnvil(processes);
		this.rpc = new Rpc(this.l1);
		await this.rpc.call('anvil_setBalance', addressOf('deployer'),
			'0x' + (10n ** 22n).toString(16));
		this.chainId = Number(await this.rpc.call('eth_chainId'));
		this.at = await deploy(this.rpc, key('deployer'), { terms: SHORT_TERMS,
			thresholds: { promote: 1, open: 1, resume: 1, amend: 1 },
			guardians: [addressOf('g0')], standbys: [addressOf('standby')],
			sequencer: addressOf('primary'), validators: [addressOf('v0')], t: 1,
			minBounty: 1n });
		this.urls = {};
		for (const name of NAMES) {
			const port = await freePort();
			this.urls[name] = `http://127.0.0.1:${port}`;
			processes.node(`l1-${name}`, 'integration/l1-endpoint.mjs', ['--name', name,
				'--upstream', this.l1, '--listen', `127.0.0.1:${port}`]);
			await until(`endpoint ${name}`, () => ask(`${this.urls[name]}/__status`));
		}
		this.ports = { watcher: await freePort(), relayer: await freePort() };
	}

	fault(name, fault) {
		return ask(`${this.urls[name]}/__fault`, { fault });
	}

	providers(change = {}) {
		return NAMES.map((name) => `{name: ${name}, url: '${change[name] ?? this.urls[name]}', ` +
			'rate: 1000/s}').join(', ');
	}

	// change: {id, genesis, hatch, list, quorum, chain, more, a, b, c}
	config(program, tag, change = {}) {
		const path = join(folder, `${program}-${tag}.yaml`);
		const own = program === 'watcher' ? '' : `
account: '${addressOf('payer')}'
signer: ${join(folder, 'no-signer')}
watchers: ['http://127.0.0.1:${this.ports.watcher}']`;
		writeFileSync(path, `chain:
  id: ${change.id ?? this.chainId}
  hatch: '${change.hatch ?? this.at.hatch}'
${change.chain ?? ''}
providers:
  ${change.quorum ? `quorum: ${change.quorum}` : ''}
  list: [${change.list ?? this.providers(change)}]
poll: ${POLL_MS}ms
store: {path: 'store-${program}-${tag}'}
${change.listen ? `http: {listen: '127.0.0.1:${this.ports[program]}'}` : ''}
${change.more ?? ''}
${own}
`);
		return path;
	}

	start(program) {
		processes.start(program, PROGRAMS[program],
			['--config', this.config(program, 'main', { listen: true })]);
	}

	url(path) {
		return `http://127.0.0.1:${this.ports.watcher}${path}`;
	}

	async provider(name) {
		const { body } = await get(this.url('/v1/status'));
		return body.l1.providers.find((provider) => provider.name === name);
	}
}

// ---- evidence ---------------------------------------------------------------

async function starts(world) {
	world.start('watcher');
	world.start('relayer');
	await until('the watcher sees L1', async () =>
		(await get(world.url('/v1/status'))).body.l1.healthy, WAIT_MS);
	await until('the relayer sees L1', () => lines('relayer', ['L1 is in sight']).length, WAIT_MS);
	const { body } = await get(world.url('/v1/evidence'));
	expect(body.evidence.length === 0 && body.before === undefined, 'no evidence at first', body);
}

async function keepsEvidence(world) {
	await world.fault('b', 'lie-head');
	await until('both expel b', () => ['watcher', 'relayer'].every((name) =>
		lines(name, ['alert=provider_lied', 'provider=b', 'evidence=1']).length), WAIT_MS);
	const { body } = await get(world.url('/v1/evidence'));
	const [first] = body.evidence;
	expect(first.id === 1 && first.provider === 'b', 'the list has it', body);
	expect(lines('watcher', [`kind=${first.kind}`, 'provider=b']).length === 1,
		'the log names the same kind', log('watcher'));
	const one = (await get(world.url('/v1/evidence/1'))).body;
	expect(/^eth_/.test(one.method) && one.said.text.length > 2 && one.against !== '' &&
		one.stands.text !== one.said.text, 'one record whole', one);
	expect(one.l1_time > 0 && one.until > one.at && /^0x[0-9a-f]{64}$/.test(one.block.hash ?? ''),
		'when, how long, which block', one);
	const told = await world.provider('b');
	expect(told.state === 'lying' && told.expelled.evidence === 1 &&
		told.expelled.kind === first.kind && told.expulsions === 1, 'status tells it', told);
	const { alerts } = (await get(world.url('/v1/status'))).body;
	expect(alerts.some(({ id, text }) => id === 'PROVIDER_LIED' && /^b: /.test(text)),
		'an alert stands', alerts);
	const metrics = (await get(world.url('/metrics'))).text;
	expect(/^egress_provider_lying{provider="b"} 1$/m.test(metrics) &&
		/^egress_provider_expulsions_total{provider="b"} 1$/m.test(metrics) &&
		/^egress_provider_lying{provider="a"} 0$/m.test(metrics), 'metrics tell it', metrics);
	expect((await get(world.url('/v1/evidence/9'))).status === 404 &&
		(await get(world.url('/v1/evidence/x'))).status === 400 &&
		(await get(world.url('/v1/evidence?before=x'))).status === 400, 'what is not there');
	expect((await get(world.url('/v1/evidence?before=1'))).body.evidence.length === 0,
		'none is older');
	await world.fault('b', 'honest');
}

// What contradicts nothing is counted and named, and the process lives on.
async function countsFailures(world) {
	await world.fault('c', 'garbage');
	const seen = await until('c answers HTML', async () => {
		const provider = await world.provider('c');
		return provider.failures.html > 1 && provider;
	}, WAIT_MS);
	expect(seen.state === 'down' && /HTML/.test(seen.why), 'HTML is named', seen);
	await world.fault('c', 'truncated');
	await until('c answers cut JSON', async () => (await world.provider('c')).failures.not_json);
	expect(/^egress_provider_failures_total{provider="c",kind="html"} [1-9]/m.test(
		(await get(world.url('/metrics'))).text), 'counted by kind');
	await world.fault('c', 'honest');
	await until('c is back', async () => (await world.provider('c')).state === 'good');
	expect(processes.alive('watcher') && processes.alive('relayer'), 'nobody ended');
	expect(lines('watcher', ['alert=provider_lied', 'provider=c']).length === 0, 'and c is no liar');
}

// ---- its end -------------------------------------------------------------------

async function comesBack(world) {
	await until('b is used again', () => ['watcher', 'relayer'].every((name) =>
		lines(name, ['provider back', 'provider=b']).length), 2 * WAIT_MS);
	expect(lines('watcher', ['alert=provider_lied', 'provider=b']).length === 1,
		'one line an expulsion', log('watcher'));
	await processes.stop('watcher');
	processes.restart('watcher');
	const { body } = await until('the evidence outlives a SIGKILL',
		() => get(world.url('/v1/evidence/1')));
	expect(body.provider === 'b', 'the same record', body);
}

const world = new World();
const shown = [];
const began = Date.now();
try {
	await world.begin();
	for (const act of [starts, keepsEvidence, countsFailures, comesBack]) {
		await act(world);
		shown.push(`${act.name} ${Math.round((Date.now() - began) / 1000)} s`);
	}
} catch (problem) {
	expect(false, problem.stack);
}
await processes.stopAll();
if (options.keepLog || failed)
	process.stdout.write(`logs in ${folder}\n`);
else
	rmSync(folder, { recursive: true });
process.stdout.write(`${shown.join(', ')}\n`);
process.stdout.write(`providers: ${passed} passed, ${failed} failed\n`);
process.exit(failed || !passed ? 1 : 0);
