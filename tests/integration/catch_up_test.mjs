// A fresh watcher a few thousand blocks behind a real L1 (anvil) with a real
// country, through three endpoints: one lists a hundred blocks at a time, one
// short lists only, one leaves logs out.
//   node catch_up_test.mjs [--build build] [--blocks 2500] [--keep-log]
// Prints "catchup: N passed, N failed"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringToBytes } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { hex, keccak } from '../country/bytes.mjs';
import { loadCountry } from '../country/citizens.mjs';
import { SHORT_TERMS, deploy } from '../country/deploy.mjs';
import { ask, parseArgs } from '../country/http.mjs';
import { Rpc, quantity, sleep } from '../country/rpc.mjs';
import { fund } from '../country/treasury.mjs';
import { encodeCall } from '../country/wire.mjs';
import { Processes, ROOT, freePort, startAnvil, until } from '../harness.mjs';

const key = (name) => hex(keccak(stringToBytes(`catch-up-test/${name}`)));
const addressOf = (name) => privateKeyToAccount(key(name)).address.toLowerCase();
const BATCHES = 25; // spread over the blocks
const MINE_AT_ONCE = 20;
const PATIENCE_MS = 120000;

const options = parseArgs(process.argv.slice(2),
	{ build: 'build', blocks: '2500', keepLog: false });
const folder = mkdtempSync(join(tmpdir(), 'catch-up-'));
const processes = new Processes(folder);
const WATCHER = join(ROOT, options.build, 'watcher', 'egress-watcher');
let passed = 0;
let failed = 0;

function expect(good, text) {
	if (good)
		passed++;
	else
		failed++;
	process.stdout.write(`${good ? 'ok  ' : 'FAIL'} ${text}\n`);
}

class World {
	async begin() {
		this.l1 = await startAnvil(processes);
		this.rpc = new Rpc(this.l1);
		for (const name of ['deployer', 'primary', 'treasury'])
			await this.rpc.call('anvil_setBalance', addressOf(name), quantity(10n ** 22n));
		const citizens = join(folder, 'citizens.json');
		const country = loadCountry(citizens, 'catch-up-test', 100);
		this.at = await deploy(this.rpc, key('deployer'), { terms: SHORT_TERMS,
			thresholds: { promote: 1, open: 1, resume: 1, amend: 1 },
			guardians: [addressOf('g0')], standbys: [addressOf('standby')],
			sequencer: addressOf('primary'),
			validators: ['v0', 'v1', 'v2', 'v3'].map(addressOf), t: 3, minBounty: 1n });
		await this.startCountry(citizens);
		await fund({ rpc: this.rpc, rollup: this.at.rollup, key: key('treasury'),
			country, bond: 10n ** 18n, reserve: 10n ** 18n });
		this.endpoints = [];
		for (const name of ['a', 'b', 'c'])
			this.endpoints.push(await this.endpoint(name));
	}

	async startCountry(citizens) {
		const ports = [await freePort(), await freePort()];
		const common = (port) => ['--rpc', this.l1, '--rollup', this.at.rollup,
			'--hatch', this.at.hatch, '--listen', `127.0.0.1:${port}`];
		processes.node('validators', 'country/validators.mjs', ['--keys',
			['v0', 'v1', 'v2', 'v3'].map(key).join(','), ...common(ports[0])]);
		processes.node('primary', 'country/sequencer.mjs', ['--name', 'primary', '--key',
			key('primary'), '--validators', `http://127.0.0.1:${ports[0]}`, '--citizens',
			citizens, '--interval', '1s', ...common(ports[1])]);
		this.primary = `http://127.0.0.1:${ports[1]}`;
	}

	async endpoint(name) {
		const port = await freePort();
		processes.node(`l1-${name}`, 'integration/l1-endpoint.mjs', ['--upstream', this.l1,
			'--listen', `127.0.0.1:${port}`, '--name', name]);
		const url = `http://127.0.0.1:${port}`;
		await until(`endpoint ${name}`, () => fetch(`${url}/__status`));
		return url;
	}

	async faults(...names) {
		for (const [i, fault] of names.entries())
			await ask(`${this.endpoints[i]}/__fault`, { fault });
	}

	// A node that is slow to answer mines all the same.
	async mine(blocks) {
		const head = async () => Number(await this.rpc.call('eth_blockNumber'));
		const end = await until('the head', head, PATIENCE_MS) + blocks;
		await until(`block ${end}`, async () => {
			await this.rpc.call('anvil_mine', quantity(MINE_AT_ONCE));
			return await head() >= end;
		}, PATIENCE_MS, 0);
	}

	// Batches with many empty blocks between them; then nothing more.
	async history() {
		const status = async () => (await ask(`${this.primary}/status`)).body;
		await until('registration', async () => {
			const found = await status();
			return found.citizensWaiting === 0 && found.count >= 2;
		}, PATIENCE_MS);
		for (let i = 0; i < BATCHES; i++) {
			const { count } = await status();
			await this.mine(Number(options.blocks) / BATCHES);
			await until('a batch', async () => (await status()).count > count,
				PATIENCE_MS, 50);
		}
		await processes.stop('primary', 'SIGKILL');
		await processes.stop('validators', 'SIGKILL');
		this.root = await this.rpc.call('eth_call', { to: this.at.rollup,
			data: encodeCall('SovereignRollup', 'stateRoot', []) }, 'latest');
	}

	async watcher(name) {
		const port = await freePort();
		const path = join(folder, `${name}.yaml`);
		writeFileSync(path, `
chain: {id: 31337, hatch: '${this.at.hatch}', from: 1}
providers: {quorum: 2, list: [${this.endpoints.map((url, i) =>
		`{name: ${'abc'[i]}, url: '${url}', rate: 1000/s}`).join(', ')}]}
poll: 250ms
http: {listen: '127.0.0.1:${port}'}
store: {path: 'store-${name}'}
`);
		processes.start(name, WATCHER, ['--config', path]);
		return `http://127.0.0.1:${port}`;
	}
}

const status = async (url) => (await ask(`${url}/v1/status`)).body;
const logOf = (name) => readFileSync(join(folder, `${name}.log`), 'utf8');

// Seconds until it has all; what the API said meanwhile.
async function caughtUp(world, name) {
	const began = Date.now();
	const url = await world.watcher(name);
	const paces = [];
	const states = new Set();
	const end = await until(`${name} has caught up`, async () => {
		const found = await status(url);
		for (const { name: who, state } of found.l1.providers)
			states.add(`${who} ${state}`);
		if (found.catch_up)
			paces.push({ behind: found.behind, ...found.catch_up });
		// the last batch is a block or two from being final
		return found.behind <= 8 && found.root === world.root && found;
	}, PATIENCE_MS, 50);
	return { url, end, paces, states, seconds: (Date.now() - began) / 1000 };
}

async function byRanges(world) {
	await world.faults('narrow-ranges', 'short-lists', 'omit-ranged-logs');
	const got = await caughtUp(world, 'ranges');
	expect(got.end.root === world.root, `by ranges: L1's root, ${got.end.batch} batches`);
	expect(!got.states.has('a lying') && !got.states.has('b lying'),
		'whoever only serves less is no liar');
	expect(got.states.has('c lying'), 'whoever leaves logs out again and again is');
	expect(!/read again|the ledger stops/.test(logOf('ranges')), 'nothing had to be read again');
	await processes.stop('ranges', 'SIGTERM');
	return got;
}

async function byBlocks(world) {
	await world.faults('no-ranges', 'no-ranges', 'no-ranges');
	const got = await caughtUp(world, 'blocks');
	expect(got.end.root === world.root, 'without ranges: L1\'s root too');
	// a pace is told once it was seen for two seconds
	expect((got.seconds < 10 || got.paces.length > 0) && got.paces.every(
		({ behind, rate, eta }) => behind > 8 && rate >= 0 && (eta === null || eta > 0)),
	`it told its pace, ${JSON.stringify(got.paces[0])}`);
	expect(got.seconds < 10 || /catching up .*blocks_a_second=\d+/.test(logOf('blocks')),
		'and the log has a line of it');
	await processes.stop('blocks', 'SIGTERM');
	return got;
}

// All say the same of a range, and leave out the same.
async function believesNoQuorumToTheEnd(world) {
	await world.faults('omit-ranged-logs', 'omit-ranged-logs', 'omit-ranged-logs');
	const { end } = await caughtUp(world, 'misled');
	expect(end.root === world.root && end.alerts.every(({ id }) => id !== 'UNVERIFIABLE'),
		'a quorum that leaves logs out: what comes later does not fit, and L1\'s root is found');
	expect(/it is read again/.test(logOf('misled')), 'by reading the blocks themselves');
	await processes.stop('misled', 'SIGTERM');
}

// Killed again and again on the way.
async function goesOn(world) {
	await world.faults('narrow-ranges', 'short-lists', 'omit-ranged-logs');
	const url = await world.watcher('killed');
	const kills = [];
	for (let i = 0; i < 6; i++) {
		await until('some of it', async () => (await status(url)).batch > 0 || i < 2, PATIENCE_MS, 20);
		await sleep(120 * i);
		await processes.stop('killed', 'SIGKILL');
		processes.restart('killed');
		kills.push(i);
	}
	const end = await until('the end', async () => {
		const found = await status(url);
		return found.behind <= 8 && found.root === world.root && found;
	}, PATIENCE_MS, 50);
	expect(end.root === world.root, `killed ${kills.length} times on the way: L1's root`);
	expect(!/the ledger stops|fatal/.test(logOf('killed')), 'and no trouble');
	await processes.stop('killed', 'SIGTERM');
}

const world = new World();
try {
	await world.begin();
	await world.history();
	const ranges = await byRanges(world);
	await goesOn(world);
	await believesNoQuorumToTheEnd(world);
	const blocks = await byBlocks(world);
	const head = Number(await world.rpc.call('eth_blockNumber'));
	process.stdout.write(`${head} blocks: by ranges ${ranges.seconds.toFixed(1)} s, ` +
		`block by block ${blocks.seconds.toFixed(1)} s\n`);
} catch (problem) {
	expect(false, problem.stack);
}
await processes.stopAll();
if (options.keepLog || failed)
	process.stdout.write(`logs in ${folder}\n`);
else
	rmSync(folder, { recursive: true });
process.stdout.write(`catchup: ${passed} passed, ${failed} failed\n`);
process.exit(failed || !passed ? 1 : 0);
