// R4: what providers do wrong on the wire is survived.  Views of L1 with three
// providers each, and guardians (real watchers and signers); one provider of
// each, any of the three, has a fault again and again, while a rollup posts and
// while it stalls.
//   node fault_test.mjs [--build build/main] [--report FILE] [--keep-log]
//        [--long [--each 1000] [--at-once 100]]
// --long: so many faults of each kind, one kind after the other; without it all
// kinds at once, a few of each.  Prints "faults: N passed, N failed".
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ask, parseArgs } from '../country/http.mjs';
import { Rpc, sleep } from '../country/rpc.mjs';
import { decodeResult, encodeCall } from '../country/wire.mjs';
import { Processes, ROOT, freePort, until } from '../harness.mjs';
import { makeCertificates } from './certificates.mjs';
import { Endpoint } from './endpoint.mjs';
import { Views, providerLines, residentOf } from './fault-views.mjs';
import { Stage } from './stage.mjs';

const CERTIFICATES = ['self-signed', 'expired', 'wrong-host'];
// R4's faults; settings: of the nth round.
const KINDS = [
	['timeout', 'hang'], ['reset', 'reset'], ['429', 'http-429'],
	['-32005', 'limit-exceeded'], ['-32602', 'invalid-params'], ['HTML', 'html'],
	['cut JSON', 'truncated'], ['wrong id', 'wrong-id'], ['1 GiB body', 'gigabyte'],
	['gzip bomb', 'gzip-bomb'], ['1 byte/s', 'drip'], ['redirect', 'redirect'],
	['bad certificate', 'bad-certificate'],
].map(([name, fault]) => ({ name, fault }));
// Of those not over TLS, what leaves nothing to be believed: who refuses one call
// of a batch still tells the rest.
const MUTE = [...KINDS.keys()].filter((i) =>
	!['invalid-params', 'bad-certificate'].includes(KINDS[i].fault));
const TLS = KINDS.findIndex(({ fault }) => fault === 'bad-certificate');

const TIMEOUT_MS = 300;
const RECOVER_MS = 60000; // a back-off is 8 s at most, and the machine may be slow
const GUARDIANS = ['g0', 'g1', 'g2'];
// A third of a provider's timeout: where we ourselves take longer, or undisturbed
// views, a round says nothing of delays.
const SLOW_MS = 100;
// 32 MiB, and what both kernels hold of a stream (tcp_wmem, tcp_rmem)
const TAKEN_MAX = (32 + 16) << 20;
// each view may have had one answer of 2 MiB at once, and malloc keeps it
const GROWTH_VIEW_MIB = 2;
const GROWTH_WATCHER_MIB = 8;

const options = parseArgs(process.argv.slice(2),
	{ build: 'build/main', long: false, each: '1000', atOnce: '100', report: '', keepLog: false });
const POLL_MS = options.long ? 1000 : 500;
const ON_MS = options.long ? 3000 : 2500; // a fault lasts so long: several polls
const OFF_MS = options.long ? 2000 : 1500;
// A few of these processes may be left waiting where others are not.
const LATE_SHARE = options.long ? 0 : 0.25;
const EACH = options.long ? Number(options.each) : 1;
const DISTURBED = options.long ? Number(options.atOnce) : 2 * KINDS.length;
const CONTROLS = options.long ? 8 : 4;
const ROUNDS = options.long ? Math.ceil(EACH / DISTURBED) : 3;
const ROUNDS_MAX = 2 * ROUNDS;

const folder = mkdtempSync(join(tmpdir(), 'faults-'));
const processes = new Processes(folder);
const rows = KINDS.map(({ name }) => ({ name, tried: 0, failed: 0 }));
const delayed = { name: 'delay of at most two polls', tried: 0, failed: 0 };
let passed = 0;
let failed = 0;

function expect(good, text) {
	if (good)
		passed++;
	else
		failed++;
	process.stdout.write(`${good ? 'ok  ' : 'FAIL'} ${text}\n`);
}

// ---- the stage ---------------------------------------------------------------

const stage = new Stage({ seed: 'fault-test', folder, processes, build: options.build,
	guardians: GUARDIANS });
await stage.begin();
await stage.fund();
const certificates = makeCertificates(join(folder, 'certificates'));
// The honest: the node itself, and an endpoint that is a process of its own.
const second = `http://127.0.0.1:${await freePort()}`;
processes.node('b', 'integration/l1-endpoint.mjs',
	['--upstream', stage.l1, '--listen', new URL(second).host, '--name', 'b']);
await until('the second endpoint', () => new Rpc(second).call('eth_chainId'));
const urls = [stage.l1, second];
const setSecond = (fault) => ask(`${second}/__fault`, { fault });
let lured = 0; // requests where a redirect leads to
const lure = createServer((request, response) => {
	lured++;
	response.end('{}');
});
await new Promise((done) => lure.listen(0, '127.0.0.1', done));
const to = `http://127.0.0.1:${lure.address().port}/`;

const settings = (kind, n) => ({ fault: KINDS[kind].fault, to,
	certificate: CERTIFICATES[n % CERTIFICATES.length] });

// Real watchers, each with a signer of its own.
const guardians = [];
async function startGuardian(name, place, https) {
	const endpoint = new Endpoint({ name: `p-${name}`, upstream: stage.l1,
		certificates: https ? certificates : undefined });
	const url = await endpoint.listen();
	const port = await freePort();
	const path = join(folder, `${name}.yaml`);
	stage.signer(name);
	writeFileSync(path, `
chain: {id: ${stage.chainId}, hatch: '${stage.at.hatch}'}
${providerLines([...urls, url], place, TIMEOUT_MS)}
poll: ${POLL_MS}ms
http: {listen: '127.0.0.1:${port}'}
store: {path: 'store-${name}'}
guardian: '${stage.address(name)}'
signer: ${stage.socket(name)}
vote: {promote: auto, open: auto, hold_off: 0s}
`);
	processes.start(name, stage.program('egress-watcher'), ['--config', path],
		{ env: { ...process.env, SSL_CERT_FILE: certificates.ca } });
	guardians.push({ name, endpoint, https, url: `http://127.0.0.1:${port}` });
}

const statusOf = async ({ url }) => (await fetch(`${url}/v1/status`,
	{ signal: AbortSignal.timeout(3000) })).json();

async function progress() {
	const data = await stage.rpc.call('eth_call', { to: stage.at.rollup,
		data: encodeCall('SovereignRollup', 'progress') }, 'latest');
	return Number(decodeResult('SovereignRollup', 'progress', data)[0]);
}

// ---- rounds --------------------------------------------------------------------

let unfit = 0; // rounds
const measured = []; // delays, of timed rounds
const stalls = []; // the progress at which the rollup stood still

async function stall() {
	await stage.control('primary', { pause: true });
	stalls.push(await progress());
}

async function resume() {
	await stage.control('primary', { pause: false });
}

const loop = monitorEventLoopDelay({ resolution: 10 });
loop.enable();

const isFit = (views) => !views.unfit() && loop.max / 1e6 < SLOW_MS;

// kindOf(i): what the ith disturbed view meets.  One round: on, then off.
async function round(views, n, kindOf) {
	loop.reset();
	for (let i = 0; i < DISTURBED; i++)
		views.disturb(i, settings(kindOf(i), i + n));
	for (const [i, guardian] of guardians.entries())
		if (!guardian.https === (kindOf(i) !== TLS))
			guardian.endpoint.set(settings(kindOf(i), i + n));
	await sleep(ON_MS);
	const met = [];
	for (let i = 0; i < DISTURBED; i++) {
		const { served, taken, trusted } = views.endpoint(i);
		met.push({ served, taken, trusted });
		views.disturb(i, { fault: 'honest' });
	}
	guardians.forEach(({ endpoint }) => endpoint.set({ fault: 'honest' }));
	await sleep(OFF_MS);
	const fit = isFit(views);
	unfit += !fit;
	const starved = views.starved();
	const problems = await views.judge();
	if (fit)
		measured.push(...views.delays.filter(({ view }) => !starved.has(view)));
	for (const [i, { served, taken, trusted }] of met.entries()) {
		const row = rows[kindOf(i)];
		const mine = problems.filter(({ view }) => view === i || view < 0);
		const wrong = mine.filter(({ late }) => !late).map(({ text }) => text);
		const late = mine.find((one) => one.late);
		if (taken > TAKEN_MAX)
			wrong.push(`${taken} bytes of an answer were taken`);
		if (trusted)
			wrong.push('a request in spite of a bad certificate');
		count(row, served > 0, wrong[0], `view ${i}, round ${n}`);
		if (fit && !starved.has(i))
			count(delayed, served > 0, late?.text, `${row.name}, view ${i}, round ${n}`);
		row.taken = Math.max(row.taken ?? 0, taken);
	}
}

function count(row, met, problem, where) {
	row.tried += met;
	row.failed += problem !== undefined;
	if (problem)
		process.stdout.write(`${row.name}: ${where}: ${problem}\n`);
}

// "" when each provider that had a fault serves again.
const unservedOf = (views) => views.each((line) =>
	line.view < CONTROLS || views.isServed(line), RECOVER_MS);

const least = (kinds) => Math.min(...kinds.map((kind) => rows[kind].tried));

// Live for the first half of the rounds, stalled for the second.
async function rounds(views, kinds, kindOf) {
	for (let n = 0; n < ROUNDS_MAX && (n < ROUNDS || least(kinds) < EACH); n++) {
		if (n === Math.floor(ROUNDS / 2) - 1)
			await stall();
		await round(views, n, kindOf);
	}
	const names = kinds.length > 1 ? 'all kinds' : KINDS[kinds[0]].name;
	const sees = ({ phase, act }) => phase === 'LATE' && act === 'promote';
	const unseen = await views.each(sees, RECOVER_MS);
	expect(!unseen, `${names}: every view sees the stall ${unseen}`);
	const unserved = await unservedOf(views);
	expect(!unserved, `${names}: every provider is used again ${unserved}`);
	expect(views.alive() && processes.dead().length === 0, `${names}: nobody has died`);
}

const signedBy = ({ name }) => readFileSync(join(folder, `${name}.log`), 'utf8').split('\n')
	.filter((line) => /ballot signed/.test(line))
	.map((line) => Number(/progress="?(\d+)/.exec(line)?.[1]));

// Two of three: nobody votes on the word of one.
async function twoOfThree(views) {
	// undisturbed views need not
	const everybody = async (test) => {
		const left = await views.each((line) => line.view < CONTROLS || test(line), RECOVER_MS);
		for (const one of guardians)
			await until(one.name, async () => test(await statusOf(one)), RECOVER_MS);
		return left;
	};
	const since = (then) => Math.round(performance.now() - then);
	await views.judge();
	let then = performance.now();
	await setSecond('hang');
	for (let i = 0; i < DISTURBED; i++)
		views.disturb(i, settings(views.secure(CONTROLS + i) ? TLS : MUTE[i % MUTE.length], 0));
	guardians.forEach((one) => one.endpoint.set(settings(one.https ? TLS : 0, 0)));
	const sighted = await everybody(({ phase }) => phase === 'UNKNOWN');
	expect(!sighted, `two of three faulty: UNKNOWN to all (after ${since(then)} ms) ${sighted}`);
	const signed = () => guardians.map((one) => signedBy(one).length).join();
	await sleep(POLL_MS); // what was asked of a signer before has come back
	const before = signed();
	await sleep(2 * POLL_MS);
	const voters = views.last.slice(CONTROLS).filter(({ act }) => act !== 'abstain');
	expect(signed() === before && voters.length === 0, 'two of three faulty: nobody votes ' +
		`${voters.length ? JSON.stringify(voters[0]) : ''}`);
	then = performance.now();
	await setSecond('honest');
	guardians.forEach((one) => one.endpoint.set({ fault: 'honest' }));
	for (let i = 0; i < DISTURBED; i++)
		views.disturb(i, { fault: 'honest' });
	const blind = await everybody(({ phase }) => phase === 'LATE');
	expect(!blind, 'two of three heal: all see the stall again ' +
		`(after ${(since(then) / POLL_MS).toFixed(1)} polls) ${blind}`);
	const problems = (await views.judge()).filter(({ late }) => !late);
	expect(problems.length === 0, `two of three faulty: no wrong word ${problems[0]?.text ?? ''}`);
}

// What never answers again is left, though it was never closed.
async function deadConnections(views) {
	const indices = [...Array(DISTURBED).keys()];
	for (const i of indices)
		views.disturb(i, { fault: 'dead-connection' });
	await until('timeouts', () => indices.every((i) => views.endpoint(i).served > 0), RECOVER_MS);
	await sleep(2 * TIMEOUT_MS); // until they are known for what they are
	const unserved = await unservedOf(views);
	expect(!unserved, `a connection that is dead is not used again ${unserved}`);
	for (const i of indices)
		views.disturb(i, { fault: 'honest' });
}

function printDelays() {
	if (!measured.length)
		return;
	const of = (name) => measured.map((one) => one[name]).sort((a, b) => a - b);
	const [ms, polls] = [of('ms'), of('polls')];
	const at = (list, share) => list[Math.floor(share * (list.length - 1))];
	const counts = polls.reduce((to, n) => ({ ...to, [n]: (to[n] ?? 0) + 1 }), {});
	process.stdout.write(`${unfit} rounds not timed: undisturbed views were late too\n` +
		`delay behind undisturbed views, ${ms.length} blocks: median ` +
		`${at(ms, 0.5)}, 95 % ${at(ms, 0.95)}, 99 % ${at(ms, 0.99)}, most ${at(ms, 1)} ms; ` +
		`polls: ${JSON.stringify(counts)}\n`);
}

// Ballots were signed at each stall by each guardian, and at no other time.
function ballots() {
	for (const one of guardians) {
		const [{ name }, signed] = [one, signedBy(one)];
		const wrong = signed.filter((at) => !stalls.includes(at));
		const missed = stalls.filter((at) => !signed.includes(at));
		expect(wrong.length === 0 && missed.length === 0 && signed.length > 0,
			`${name}: ${signed.length} ballots signed in ${stalls.length} stalls, ` +
			`${wrong.length} at another time, ${missed.length} stalls without one`);
	}
}

async function campaign(kinds, kindOf, secure) {
	const views = new Views({ stage, honest: urls, controls: CONTROLS, disturbed: DISTURBED,
		poll_ms: POLL_MS, timeout_ms: TIMEOUT_MS, secure, certificates });
	await views.start(join(ROOT, options.build, 'tests/integration/fault_views'));
	try {
		const blind = await views.each((line) => !line.blind && views.isServed(line),
			3 * RECOVER_MS);
		if (blind)
			throw new Error(`a first sight: ${blind}`);
		views.lines.length = 0;
		const before = views.resident();
		for (const group of kinds) {
			const began = Date.now();
			await rounds(views, group, kindOf(group));
			if (group === kinds[0])
				await deadConnections(views);
			if (group === kinds.at(-1))
				await twoOfThree(views);
			await resume();
			const lost = await views.each(({ phase }) => phase === 'LIVE', RECOVER_MS);
			const problems = (await views.judge()).filter(({ late }) => !late);
			expect(!lost && problems.length === 0, `and LIVE again ${lost}${problems[0]?.text ?? ''}`);
			process.stdout.write(`${group.map((k) => KINDS[k].name).join(', ')}: ` +
				`${Math.round((Date.now() - began) / 1000)} s, ` +
				`${views.resident().toFixed(1)} MiB resident\n`);
		}
		const grown = views.resident() - before;
		const most = GROWTH_VIEW_MIB * (CONTROLS + DISTURBED);
		expect(grown <= most, `${views.controls + views.disturbed} views have grown by ` +
			`${grown.toFixed(1)} MiB from ${before.toFixed(1)}, ${most} allowed`);
		const { code } = await views.end();
		expect(code === 0, 'the views end well');
	} finally {
		views.kill();
	}
}

const began = Date.now();
try {
	for (const [i, name] of GUARDIANS.entries())
		await startGuardian(name, i, i === 2);
	await until('guardians see L1', async () => (await Promise.all(guardians.map(statusOf)))
		.every(({ phase, l1 }) => phase === 'LIVE' && l1.healthy), 30000);
	const pid = ({ name }) => processes.children.get(name).pid;
	const before = guardians.map((one) => residentOf(pid(one)));
	if (options.long) {
		await campaign(KINDS.map((_, i) => [i]).slice(0, TLS), ([kind]) => () => kind,
			() => false);
		await campaign([[TLS]], ([kind]) => () => kind, () => true);
	} else {
		const kindOf = (i) => i % KINDS.length;
		await campaign([KINDS.map((_, i) => i)], () => kindOf,
			(i) => i >= CONTROLS && kindOf(i - CONTROLS) === TLS);
	}
	guardians.forEach((one, i) => {
		const grown = residentOf(pid(one)) - before[i];
		expect(grown <= GROWTH_WATCHER_MIB, `${one.name} has grown by ${grown.toFixed(1)} MiB ` +
			`from ${before[i].toFixed(1)}, ${GROWTH_WATCHER_MIB} allowed`);
	});
	expect(lured === 0, `nobody followed a redirect: ${lured} did`);
	ballots();
} catch (problem) {
	expect(false, problem.stack);
}
printDelays();
for (const { name, tried, failed: bad, taken } of rows) {
	process.stdout.write(`R4 ${name}: ${tried} tried, ${bad} failed` +
		`${taken ? `, at most ${(taken / 1048576).toFixed(1)} MiB taken` : ''}\n`);
	expect(tried >= EACH && bad === 0, `${name} is survived`);
}
expect(delayed.failed <= LATE_SHARE * delayed.tried, `${delayed.name}: ${delayed.tried} tried, ${delayed.failed} failed`);
if (options.report)
	writeFileSync(options.report, JSON.stringify([...rows, delayed,
		{ name: 'what else the run promises', tried: passed + failed, failed }]) + '\n');
await processes.stopAll();
if (options.keepLog || failed)
	process.stdout.write(`logs in ${folder}\n`);
else
	rmSync(folder, { recursive: true });
process.stdout.write(`${Math.round((Date.now() - began) / 1000)} s\n`);
process.stdout.write(`faults: ${passed} passed, ${failed} failed\n`);
process.exit(failed || !passed ? 1 : 0);
