// What watchers are tested against: a real L1 (anvil), a hatch and a rollup on
// it, a sequencer that posts each second, its validators and a standby; and
// signers with one guardian's key each.
import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { stringToBytes } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { hex, keccak } from '../country/bytes.mjs';
import { loadCountry } from '../country/citizens.mjs';
import { SHORT_TERMS, deploy } from '../country/deploy.mjs';
import { ask } from '../country/http.mjs';
import { Rpc, Sender } from '../country/rpc.mjs';
import { fund } from '../country/treasury.mjs';
import { ROOT, freePort, run, startAnvil } from '../harness.mjs';

const CITIZENS = 200;
const VALIDATORS = ['v0', 'v1', 'v2', 'v3'];

export class Stage {
	constructor({ seed, folder, processes, build, guardians }) {
		Object.assign(this, { seed, folder, processes, build, guardians });
	}

	key(name) {
		return hex(keccak(stringToBytes(`${this.seed}/${name}`)));
	}

	address(name) {
		return privateKeyToAccount(this.key(name)).address.toLowerCase();
	}

	program(name) {
		return join(ROOT, this.build, name === 'egress-signer' ? 'signer' : 'watcher', name);
	}

	async begin() {
		this.l1 = await startAnvil(this.processes);
		this.rpc = new Rpc(this.l1);
		for (const name of ['deployer', 'treasury', 'primary', 'standby', 'anyone'])
			await this.rpc.call('anvil_setBalance', this.address(name),
				'0x' + (10n ** 22n).toString(16));
		this.chainId = Number(await this.rpc.call('eth_chainId'));
		this.anyone = new Sender(this.rpc, this.key('anyone'));
		this.country = loadCountry(join(this.folder, 'citizens.json'), this.seed, CITIZENS);
		this.at = await deploy(this.rpc, this.key('deployer'), { terms: SHORT_TERMS,
			thresholds: { promote: 2, open: 3, resume: 3, amend: 3 },
			guardians: this.guardians.map((name) => this.address(name)),
			standbys: [this.address('standby')], sequencer: this.address('primary'),
			validators: VALIDATORS.map((name) => this.address(name)), t: 3, minBounty: 1n });
		await this.startCountry();
	}

	async startCountry() {
		const common = (port) => ['--rpc', this.l1, '--rollup', this.at.rollup,
			'--hatch', this.at.hatch, '--listen', `127.0.0.1:${port}`];
		const ports = [await freePort(), await freePort(), await freePort()];
		[this.validators, this.primary, this.standby] =
			ports.map((port) => `http://127.0.0.1:${port}`);
		this.processes.node('validators', 'country/validators.mjs', ['--keys',
			VALIDATORS.map((name) => this.key(name)).join(','), ...common(ports[0])]);
		for (const [i, name] of ['primary', 'standby'].entries())
			this.processes.node(name, 'country/sequencer.mjs', ['--name', name, '--key',
				this.key(name), '--validators', this.validators, '--citizens',
				join(this.folder, 'citizens.json'), '--interval', '1s', ...common(ports[i + 1])]);
	}

	fund() {
		return fund({ rpc: this.rpc, rollup: this.at.rollup, key: this.key('treasury'),
			country: this.country, bond: 10n ** 18n, reserve: 10n ** 18n });
	}

	// The country's own words: control('primary', {pause: true}).
	control(name, body) {
		return ask(`${this[name]}/control`, body);
	}

	socket(name) {
		return join(this.folder, `signer-${name}`, 'socket');
	}

	signer(name) {
		const home = join(this.folder, `signer-${name}`);
		mkdirSync(home);
		writeFileSync(join(home, 'key'), this.key(name) + '\n', { mode: 0o600 });
		writeFileSync(join(home, 'signer.yaml'), `
listen: ${this.socket(name)}
clients: [{user: ${userInfo().username}, may: [ballot, statement]}]
keys: [{address: '${this.address(name)}', plain: key}]
store: {path: store}
policy: {chain: ${this.chainId}, hatch: '${this.at.hatch}', rollup: '${this.at.rollup}',
         actions: [promote, open], standbys: ['${this.address('standby')}', '${this.address('primary')}'],
         round: ${SHORT_TERMS.round}}
`);
		const made = run(this.program('egress-signer'),
			['--config', join(home, 'signer.yaml'), '--init']);
		if (made.status !== 0)
			throw new Error(`signer --init: ${made.stderr}`);
		this.processes.start(`signer-${name}`, this.program('egress-signer'),
			['--config', join(home, 'signer.yaml')]);
	}
}
