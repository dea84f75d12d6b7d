// One relayer's transactions against an L1 that misbehaves: reorgs, fee
// spikes, a nonce used by somebody else, an empty purse, and SIGKILL at any
// moment.  Forced transactions are used: L1 numbers each one it takes.
//   node relayer_send_test.mjs [--build build] [--seed N] [--keep-log]
// Prints "relayer sending: N passed, N failed"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { stringToBytes } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { hex, keccak } from '../country/bytes.mjs';
import { SHORT_TERMS, deploy } from '../country/deploy.mjs';
import { ask, json, parseArgs } from '../country/http.mjs';
import { Rpc, Sender, sleep } from '../country/rpc.mjs';
import { decodeEvent } from '../country/wire.mjs';
import { Processes, ROOT, freePort, startAnvil, until } from '../harness.mjs';

const key = (name) => hex(keccak(stringToBytes(`relayer-send-test/${name}`)));
const addressOf = (name) => privateKeyToAccount(key(name)).address.toLowerCase();
const GWEI = 10n ** 9n;
const RICH = '0x' + (10n ** 21n).toString(16);
const STORM = 16; // requests

const options = parseArgs(process.argv.slice(2),
	{ build: 'build', seed: '1', keepLog: false });
const folder = mkdtempSync(join(tmpdir(), 'relayer-send-'));
const processes = new Processes(folder);
const program = (name) =>
	join(ROOT, options.build, name.replace('egress-', ''), name);
let passed = 0;
let failed = 0;
let seed = Number(options.seed);

function expect(good, text) {
	if (good)
		passed++;
	else
		failed++;
	process.stdout.write(`${good ? 'ok  ' : 'FAIL'} ${text}\n`);
}

// 0 … n − 1, the same for the same seed
function random(n) {
	seed = (seed * 1103515245 + 12345) % 2 ** 31;
	return Math.floor(seed / 2 ** 31 * n);
}

class World {
	async begin() {
		this.l1 = await startAnvil(processes);
		this.rpc = new Rpc(this.l1);
		for (const name of ['deployer', 'relayer'])
			await this.rpc.call('anvil_setBalance', addressOf(name), RICH);
		this.chainId = Number(await this.rpc.call('eth_chainId'));
		this.at = await deploy(this.rpc, key('deployer'), {
			terms: { ...SHORT_TERMS, inclusionWindow: 3000, hardDeadline: 3000, notice: 9000 },
			thresholds: { promote: 1, open: 1, resume: 1, amend: 1 },
			guardians: [addressOf('g')], standbys: [addressOf('s')],
			sequencer: addressOf('p'), validators: ['v', 'w', 'x'].map(addressOf), t: 2,
			minBounty: 10n ** 12n });
		await this.rpc.call('anvil_mine', '0x3'); // the contracts stay below a reorg
		this.port = await freePort();
		const home = join(folder, 'signer');
		mkdirSync(home);
		writeFileSync(join(home, 'key'), key('relayer') + '\n', { mode: 0o600 });
		writeFileSync(join(home, 'signer.yaml'), `
listen: socket
clients: [{user: ${userInfo().username}, may: [transaction]}]
keys: [{address: '${addressOf('relayer')}', plain: key}]
policy: {chain: ${this.chainId}, hatch: '${this.at.hatch}', rollup: '${this.at.rollup}',
         value: 1 ether, fee: 500 gwei}
`);
		processes.start('signer', program('egress-signer'),
			['--config', join(home, 'signer.yaml')]);
		this.watcher = await freePort(); // nobody is there
		this.configure('{path: store}');
		processes.start('relayer', program('egress-relayer'),
			['--config', join(folder, 'relayer.yaml')]);
		await this.sees();
	}

	configure(store) {
		writeFileSync(join(folder, 'relayer.yaml'), `
chain: {id: ${this.chainId}, hatch: '${this.at.hatch}'}
providers: {list: [{name: anvil, url: '${this.l1}', rate: 1000/s}]}
poll: 250ms
http: {listen: '127.0.0.1:${this.port}'}
store: ${store}
account: '${addressOf('relayer')}'
signer: signer/socket
watchers: ['http://127.0.0.1:${this.watcher}']
fees: {max_fee: 200 gwei, max_tip: 2 gwei}
`);
	}

	async sees() {
		await until('the relayer listens', () => this.status());
		await until('it sees L1', async () => (await this.status()).phase === 'LIVE');
	}

	url(path) {
		return `http://127.0.0.1:${this.port}${path}`;
	}

	async status() {
		return (await ask(this.url('/v1/status'))).body;
	}

	// Accepted: the id of a forced transaction of these bytes.
	async accept(raw) {
		const { status, body } = await ask(this.url('/v1/requests'),
			{ kind: 'transaction', raw });
		if (status !== 202)
			throw new Error(json(body));
		return body.request;
	}

	send(raw) {
		return ask(this.url('/v1/requests'), { kind: 'transaction', raw });
	}

	async ready() {
		const { status, body } = await ask(this.url('/readyz'));
		return `${status} ${body.error?.message ?? ''}`;
	}

	async track(id) {
		return (await ask(this.url(`/v1/requests/${id}`))).body;
	}

	async reaches(id, state, patience_ms = 20000) {
		return until(`${id} ${state}`, async () => {
			const found = await this.track(id);
			return found.state === state && found;
		}, patience_ms, 50);
	}

	// What L1 took, in order.
	async inbox() {
		const logs = await this.rpc.call('eth_getLogs',
			{ fromBlock: '0x0', address: this.at.rollup });
		return logs.map((log) => decodeEvent('SovereignRollup', log))
			.filter((event) => event?.eventName === 'InboxQueued')
			.map(({ args }) => args.data);
	}

	async nonce() {
		return Number(await this.rpc.call('eth_getTransactionCount',
			addressOf('relayer'), 'latest'));
	}

	mining(on) {
		return this.rpc.call('evm_setIntervalMining', on ? 1 : 0);
	}
}

async function survivesReorg(world) {
	await world.mining(false);
	const id = await world.accept('0xaa01');
	await world.reaches(id, 'sent');
	await world.rpc.call('evm_mine');
	const first = await world.reaches(id, 'included');
	await world.rpc.call('anvil_reorg', 1, []);
	expect((await world.inbox()).length === 0, 'a reorg takes the request off L1');
	await world.mining(true);
	const back = await until('back', async () => {
		const now = await world.track(id);
		return now.state === 'final' && now;
	});
	expect(back.tx === first.tx && json(await world.inbox()) === json(['0xaa01']),
		'the same bytes go out again, and it is on L1 once');
}

async function replacesWhenFeesRise(world) {
	await world.mining(false);
	const before = await world.nonce();
	const id = await world.accept('0xaa02');
	const first = await world.reaches(id, 'sent');
	await world.rpc.call('anvil_setNextBlockBaseFeePerGas',
		'0x' + (40n * GWEI).toString(16));
	await world.rpc.call('evm_mine');
	await world.mining(true);
	const end = await world.reaches(id, 'final', 40000);
	expect(end.tx !== first.tx && await world.nonce() === before + 1,
		'priced out, it is replaced: same nonce, another fee');
	expect((await world.inbox()).filter((data) => data === '0xaa02').length === 1,
		'and L1 took it once');
	const { max, tip, data } = await fees(world, end.tx);
	expect(max <= 200n * GWEI && tip <= 3n * GWEI && data.includes('aa02'),
		`within the caps: ${max / GWEI} gwei, tip ${tip / GWEI}`);
}

async function fees(world, hash) {
	const tx = await world.rpc.call('eth_getTransactionByHash', hash);
	return { max: BigInt(tx.maxFeePerGas), tip: BigInt(tx.maxPriorityFeePerGas),
		data: tx.input };
}

async function setBalance(world, wei) {
	await world.rpc.call('anvil_setBalance', addressOf('relayer'), '0x' + wei.toString(16));
	await until('it sees that', async () =>
		(await world.status()).balance === wei.toString());
}

// The operator used the account by hand: our nonce is gone.
async function survivesForeignNonce(world) {
	await world.mining(false);
	const id = await world.accept('0xaa03');
	await world.reaches(id, 'sent');
	const waiting = await world.track(id);
	await world.rpc.call('anvil_dropTransaction', waiting.tx);
	const foreign = new Sender(world.rpc, key('relayer'));
	const nonce = await world.nonce();
	const raw = await foreign.account.signTransaction({ type: 'eip1559',
		chainId: world.chainId, nonce, to: addressOf('g'), value: 1n, gas: 21000n,
		maxFeePerGas: 150n * GWEI, maxPriorityFeePerGas: 10n * GWEI });
	await world.rpc.call('eth_sendRawTransaction', raw);
	await world.rpc.call('evm_mine');
	await world.mining(true);
	const end = await world.reaches(id, 'final', 30000);
	expect(end.tx !== waiting.tx, 'a nonce used by somebody else: it is sent anew');
	expect((await world.inbox()).filter((data) => data === '0xaa03').length === 1,
		'and L1 took it once');
}

async function waitsForMoney(world) {
	const { baseFeePerGas } = await world.rpc.call('eth_getBlockByNumber', 'latest', false);
	// The gas alone, but not for what may come before the block.
	await setBalance(world, 80000n * (BigInt(baseFeePerGas) + 2n * GWEI));
	const id = await world.accept('0xaa04');
	const why = await until('held', async () => (await world.status()).held);
	expect(/balance/.test(why) && (await world.track(id)).state === 'queued' &&
		(await fetch(world.url('/readyz'))).status === 503, `too small a purse: ${why}`);
	await setBalance(world, 1n);
	const { status, body } = await world.send('0xaa05');
	const again = await world.send('0xaa04');
	expect(status === 503 && body.error.code === 'no_funds' && again.status === 202,
		`an empty purse: ${body.error?.message}; what was accepted stays so`);
	await world.rpc.call('anvil_setBalance', addressOf('relayer'), RICH);
	await world.reaches(id, 'final', 30000);
	expect((await world.status()).held === '', 'it goes on when it is filled');
}

// The signer's process stands still.
async function tellsOfHungSigner(world) {
	processes.children.get('signer').kill('SIGSTOP');
	const id = await world.accept('0xaa06');
	const why = await until('told', async () => (await world.status()).signer, 8000);
	const ready = await world.ready();
	const other = await world.accept('0xaa07'); // durable all the same
	expect(/^503 signer: no answer/.test(ready), `a hung signer: ${why}; ${ready}`);
	processes.children.get('signer').kill('SIGCONT');
	await world.reaches(id, 'final', 30000);
	await world.reaches(other, 'final', 30000);
	expect((await world.status()).signer === '', 'it goes on when it wakes up');
}

// Requests come in while the relayer is killed again and again.
async function survivesStorm(world) {
	const ids = [];
	let kills = 0;
	const killer = (async () => {
		for (kills = 0; kills < 8; kills++) {
			await sleep(100 + random(900));
			await processes.stop('relayer', 'SIGKILL');
			processes.restart('relayer');
		}
	})();
	for (let i = 0; i < STORM; i++) {
		const raw = '0xbb' + i.toString(16).padStart(4, '0');
		ids.push(await until('accepted', () => world.accept(raw), 20000, 50));
		await sleep(random(400));
	}
	await killer;
	for (const id of ids)
		await world.reaches(id, 'final', 40000);
	const taken = (await world.inbox()).filter((data) => data.startsWith('0xbb'));
	expect(taken.length === STORM && new Set(taken).size === STORM,
		`${kills} times SIGKILL: ${STORM} accepted, ${taken.length} on L1, each once`);
	const pending = Number(await world.rpc.call('eth_getTransactionCount',
		addressOf('relayer'), 'pending'));
	expect(pending === await world.nonce(), 'no nonce is left behind');
}

// Strangers fill a small store: what was accepted is carried to its end.
async function refusesWhenFull(world) {
	await processes.stop('relayer', 'SIGTERM');
	world.configure('{path: small, map_size: 1 MiB}');
	processes.restart('relayer');
	await world.sees();
	await world.mining(false);
	const large = (i) => '0xcc' + i.toString(16).padStart(2, '0').repeat(32700);
	const ids = [];
	let refused = {};
	for (let i = 0; i < 40 && refused.status !== 503; i++) {
		refused = await world.send(large(i));
		if (refused.status === 202)
			ids.push(refused.body.request);
	}
	expect(ids.length > 2 && refused.body.error?.code === 'disk_full',
		`a map of 1 MiB: ${ids.length} of 32 KiB accepted, then ${refused.body.error?.code}`);
	// What is freed makes room again for a while: small ones fill it.
	let small = 0;
	const [store, why] = await until('full', async () => {
		while (small < 4000 && (await world.send(
			`0xcd${(small++).toString(16).padStart(4, '0')}`)).status === 202)
			;
		const found = [(await world.status()).store, await world.ready()];
		return found[0].full && /map_size/.test(found[1]) && found;
	}, 60000, 50);
	expect(store.percent < 100, `status and readyz say so: ${json(store)}, ${why}`);
	expect((await world.send(large(0))).status === 202, 'what is known keeps its answer');
	await world.mining(true);
	await sleep(1000);
	await processes.stop('relayer', 'SIGKILL');
	processes.restart('relayer');
	for (const id of ids)
		await world.reaches(id, 'final', 60000);
	await until('the queue is empty', async () => (await world.status()).queue === 0, 60000);
	expect(true, `all ${ids.length} are final, over a restart`);
	expect((await world.send('0xcf')).status === 202, 'then there is room again');
}

const world = new World();
const began = Date.now();
try {
	await world.begin();
	for (const act of [survivesReorg, replacesWhenFeesRise, survivesForeignNonce,
		waitsForMoney, tellsOfHungSigner, survivesStorm, refusesWhenFull])
		await act(world);
} catch (problem) {
	expect(false, problem.stack);
}
await processes.stopAll();
if (options.keepLog || failed)
	process.stdout.write(`logs in ${folder}\n`);
else
	rmSync(folder, { recursive: true });
process.stdout.write(`${Math.round((Date.now() - began) / 1000)} s\n`);
process.stdout.write(`relayer sending: ${passed} passed, ${failed} failed\n`);
process.exit(failed || !passed ? 1 : 0);
