// P10: an hour of steady watching.  Ours with three providers that must agree,
// and viem's monitor with one and with three, at the same time on the same chain,
// at L1's own pace: what is done between blocks counts in full, and nobody is
// kept warm by a hurry.  Epochs are short there, so that each window holds its
// share of finality, and more reads of the facts than an hour has.  The same
// sped up, where an epoch has its 32 blocks, is told beside it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Processes, ROOT, TESTS, freePort, until } from '../harness.mjs';
import { sleep } from '../country/rpc.mjs';
import { BATCH_BLOCKS, BLOCK_S, makeChain } from './p10_chain.mjs';
import { cpu_ms, memory, sleeps } from './p10_process.mjs';
import { median } from './interleave.mjs';

const POLL_S = 2;
const FIRST = 100;   /* head at the start: two epochs are final */
const FASTER = 20;
const WARM_UP = 32;  /* blocks, until compiled and grown */
const WINDOW = 64;   /* blocks: two epochs of finality */
const EPOCH = 4;     /* blocks, at the real pace; so is a window */
const WINDOWS = 3;
const REAL_WARM_S = 24;
const CANNING_MS = 300_000;
const SPARE = 16;    /* blocks after the last that anybody asks for */
const HOUR = 3600 / BLOCK_S; /* blocks */

const CPU_BAR = 0.25;
const ANONYMOUS_MB = 12;
const RESIDENT_MB = 24;

class Replay {
	async start(processes, folder, chain) {
		const log = join(folder, 'l1.log');
		processes.node('l1', 'bench/p10_l1.mjs', ['--upstream', chain.url,
			'--head', String(FIRST), '--last', String(chain.last), '--clients', 'ours:3,viem:1,viem3:3']);
		const line = await until('the replay listens', () =>
			readFileSync(log, 'utf8').split('\n')[0], CANNING_MS);
		const { control, clients } = JSON.parse(line);
		this.control = `http://127.0.0.1:${control}`;
		this.urls = Object.fromEntries(Object.entries(clients).map(([name, ports]) =>
			[name, ports.map((port) => `http://127.0.0.1:${port}`)]));
	}

	async state() {
		return (await fetch(this.control)).json();
	}

	async pace(block_ms, epoch) {
		await fetch(this.control, { method: 'POST', body: JSON.stringify({ block_ms, epoch }) });
	}

	async reach(head) {
		await until(`block ${head}`, async () => (await this.state()).head >= head,
			3600_000, 50);
	}
}

class Watchers {
	constructor(processes, folder, chain, replay) {
		Object.assign(this, { processes, folder, chain, replay });
	}

	// name: of these instances; poll_ms: of each of them
	async start(name, poll_ms) {
		const { chain, replay } = this;
		this.name = name;
		this.port = await freePort();
		const file = (text) => join(this.folder, `${name}.${text}`);
		const list = replay.urls.ours.map((url, i) => `{name: l1-${i}, url: '${url}', rate: 1000/s}`);
		writeFileSync(file('yaml'), `
chain: {id: ${chain.chainId}, hatch: '${chain.hatch}'}
providers: {list: [${list.join(', ')}]}
poll: ${poll_ms}ms
http: {listen: '127.0.0.1:${this.port}'}
store: {path: '${name}-store'}
`);
		const start = (who, ...command) =>
			this.processes.start(`${name}-${who}`, ...command).pid;
		const viem = (who) => start(who, process.execPath, [join(TESTS, 'bench/p10_viem.mjs'),
			'--urls', replay.urls[who].join(','), '--poll-ms', String(poll_ms),
			'--hatch', chain.hatch, '--rollup', chain.rollup]);
		this.pids = { ours: start('ours', join(ROOT, 'build/main/watcher/egress-watcher'),
			['--config', file('yaml')]), viem: viem('viem'), viem3: viem('viem3') };
		await until('our watcher is ready', () => this.ready());
	}

	async ready() {
		return (await fetch(`http://127.0.0.1:${this.port}/readyz`)).status === 200;
	}

	async sample() {
		const { counts } = await this.replay.state();
		return Object.fromEntries(Object.entries(this.pids).map(([who, pid]) =>
			[who, { cpu: cpu_ms(pid), sleeps: sleeps(pid), ...counts[who], ...memory(pid) }]));
	}

	// What `act` cost each, times `times`; memory as it is at its end.
	async measure(times, act) {
		const before = await this.sample();
		await act();
		const after = await this.sample();
		return Object.fromEntries(Object.entries(after).map(([who, now]) =>
			[who, Object.fromEntries(Object.entries(now).map(([what, value]) =>
				[what, what === 'resident' || what === 'anonymous' ? value :
					(value - before[who][what]) * times]))]));
	}

	// L1 stands still: all of them must have followed it to the same facts.
	async agree(epoch) {
		await this.replay.pace(0, epoch);
		await until('all have followed', () => this.haveFollowed());
	}

	async haveFollowed() {
		const status = await (await fetch(`http://127.0.0.1:${this.port}/v1/status`)).json();
		const { head } = await this.replay.state();
		if (!await this.ready() || status.phase !== 'LIVE' || head !== status.l1.head.number ||
			status.behind > 0 || status.progress.count !== status.batch)
			throw new Error(`our watcher stands at block ${status.l1.head.number} of ${head}, ${status.behind} behind, ${status.phase}`);
		for (const who of ['viem', 'viem3']) {
			const lines = readFileSync(join(this.folder, `${this.name}-${who}.log`), 'utf8')
				.trim().split('\n').map((line) => JSON.parse(line));
			const { block, batches, phase } = lines.at(-1);
			const due = (lines.at(-1).block - lines[0].block) / BATCH_BLOCKS;
			if (phase !== 0 || head !== block || Math.abs(batches - due) > 1)
				throw new Error(`${who} stands at block ${block} of ${head}, ${batches} batches`);
		}
		return true;
	}

	async stop() {
		for (const who of Object.keys(this.pids))
			await this.processes.stop(`${this.name}-${who}`, 'SIGTERM');
	}
}

async function spedUp(watchers, replay) {
	const head = FIRST + WARM_UP;
	await watchers.start('fast', POLL_S * 1000 / FASTER);
	await replay.pace(BLOCK_S * 1000 / FASTER);
	await replay.reach(head);
	const window = await watchers.measure(HOUR / WINDOW, () => replay.reach(head + WINDOW));
	await watchers.agree();
	await watchers.stop();
	return window;
}

async function atRealPace(watchers, replay) {
	const windows = [];
	await watchers.start('real', POLL_S * 1000);
	await replay.pace(BLOCK_S * 1000, EPOCH);
	await sleep(REAL_WARM_S * 1000);
	for (let i = 0; i < WINDOWS; i++)
		windows.push(await watchers.measure(HOUR / EPOCH,
			() => sleep(EPOCH * BLOCK_S * 1000)));
	await watchers.agree(EPOCH);
	await watchers.stop();
	return windows;
}

// Medians of each figure: {who: {cpu, …}}
function medians(windows) {
	return Object.fromEntries(Object.keys(windows[0]).map((who) =>
		[who, Object.fromEntries(Object.keys(windows[0][who]).map((what) =>
			[what, median(windows.map((window) => window[who][what]))]))]));
}

const PEERS = { viem: 'viem, one provider', viem3: 'viem, fallback over three' };

function cpuRows(name, windows) {
	const of = medians(windows);
	return Object.entries(PEERS).map(([who, peer_name]) => ({ name, ours: of.ours.cpu / 1000,
		peer: of[who].cpu / 1000, peer_name, unit: 's CPU/h',
		ratio: median(windows.map((window) => window.ours.cpu / window[who].cpu)),
		bar: CPU_BAR, at_most: true }));
}

function memoryRows(windows) {
	const most = (who, what) => Math.max(...windows.map((window) => window[who][what]));
	return [['anonymous', ANONYMOUS_MB], ['resident', RESIDENT_MB]].map(([what, bar]) => ({
		name: `${what} memory`, ours: most('ours', what), peer: most('viem', what),
		peer_name: PEERS.viem, unit: 'MB', ratio: most('ours', what), bar, at_most: true }));
}

// Without a bar: to the reader.
function tell(title, of) {
	process.stdout.write(`${title}, an hour of L1:\n`);
	for (const [who, now] of Object.entries(of))
		process.stdout.write(`  ${who.padEnd(6)} ${(now.cpu / 1000).toFixed(2)} s CPU  ` +
			`${now.requests.toFixed()} requests  ${now.calls.toFixed()} calls  ` +
			`${(now.in / 1e6).toFixed(1)} MB in  ${(now.out / 1e6).toFixed(2)} MB out  ` +
			`${now.sleeps.toFixed()} sleeps  ${now.anonymous.toFixed(1)} MB anonymous  ` +
			`${now.resident.toFixed(1)} MB resident\n`);
}

// Rows of what it costs to watch that chain.
export async function watch(processes, folder, chain) {
	const replay = new Replay();
	await replay.start(processes, folder, chain);
	const watchers = new Watchers(processes, folder, chain, replay);
	const fast = await spedUp(watchers, replay);
	tell(`${FASTER} times as fast`, fast);
	const windows = await atRealPace(watchers, replay);
	tell('at L1\'s pace', medians(windows));
	return [...cpuRows('an hour of L1', windows), ...memoryRows([fast, ...windows])];
}

export async function run() {
	const folder = mkdtempSync(join(tmpdir(), 'p10-'));
	const processes = new Processes(folder);
	const last = FIRST + WARM_UP + WINDOW + WINDOWS * EPOCH +
		Math.ceil(REAL_WARM_S / BLOCK_S) + SPARE;
	try {
		return await watch(processes, folder, await makeChain(processes, folder, last));
	} finally {
		await processes.stopAll();
		rmSync(folder, { recursive: true, force: true });
	}
}
