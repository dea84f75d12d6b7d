// What needs longer than ./check: node tests/long.mjs [ID …], all without one.
// Each ID ≤ 45 minutes on 2 cores. Merges into build/check.json, a row for each
// of an ID's promises: [{"id", "name", "tried", "failed", "holds"}, …]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, TESTS } from './harness.mjs';

const OUT = join(ROOT, 'build', 'check.json');
const DRILLS = 20;
const KILLS = 50;
const ACTS = 6;
const CALLS = 1000000;
const MUTANTS_LEAST = 40;
const FAULTS_EACH = 1000;
/* what the calls leave of R9's 45 minutes; the next run goes on with the others */
const MINUTES = 43;
const MUTANTS_MINUTES_LEAST = 10;

function node(args) {
	return spawnSync(process.execPath, args,
		{ cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] }).status;
}

const drill = (...args) =>
	node([join(TESTS, 'drill', 'drill.mjs'), '--quiet', ...args]) === 0;

function repeat(times, one) {
	let failed = 0;
	for (let i = 0; i < times; i++)
		if (!one(i)) {
			failed++;
			process.stdout.write(`run ${i + 1} of ${times} failed\n`);
		}
	return { tried: times, failed };
}

let started = 0; /* of the ID that runs, ms */

/* What run prints last but one is how many calls there were. */
function calls() {
	const out = spawnSync(join(TESTS, 'contracts', 'run'), ['--long'],
		{ cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
	process.stdout.write(out.stdout);
	const tried = Number(/(\d+) calls by fuzz/.exec(out.stdout)?.[1] ?? 0);
	const failed = Number(/\d+ passed, (\d+) failed/.exec(out.stdout)?.[1] ?? 1);
	const short = tried < CALLS || out.status !== 0;
	return { tried, failed: failed || (short ? 1 : 0) };
}

function mutants() {
	const report = join(ROOT, 'build', 'mutants.json');
	const left = Math.floor(MINUTES - (Date.now() - started) / 60000);
	rmSync(report, { force: true });
	const status = node([join(TESTS, 'contracts', 'mutate.mjs'), '--continue',
		'--minutes', String(Math.max(left, MUTANTS_MINUTES_LEAST)),
		'--report', report]);
	if (!existsSync(report))
		throw new Error(`mutate.mjs: exit ${status}, no report`);
	const { tried, survived, errors, of } = JSON.parse(readFileSync(report, 'utf8'));
	process.stdout.write(`mutants: ${tried} of ${of} tried since ` +
		'contracts or tests changed\n');
	const failed = survived + errors;
	return { tried, failed: failed || (status !== 0 || tried < MUTANTS_LEAST ? 1 : 0) };
}

const FAULTS = ['timeout', 'reset', '429', '-32005', '-32602', 'HTML', 'cut JSON', 'wrong id',
	'1 GiB body', 'gzip bomb', '1 byte/s', 'redirect', 'bad certificate'];
let faulted; /* one run for every row of R4 */

function faults(name) {
	const report = join(ROOT, 'build', 'faults.json');
	if (!faulted) {
		rmSync(report, { force: true });
		node([join(TESTS, 'integration', 'fault_test.mjs'), '--long', '--report', report]);
		faulted = JSON.parse(readFileSync(report, 'utf8'));
	}
	const { tried, failed } = faulted.find((row) => row.name === name);
	const few = FAULTS.includes(name) && tried < FAULTS_EACH;
	return { tried, failed: failed || (few ? 1 : 0) };
}

function build(name, ...options) {
	const dir = join('build', name);
	if (!existsSync(join(ROOT, dir, 'build.ninja')))
		spawnSync('meson', ['setup', dir, ...options], { cwd: ROOT, stdio: 'inherit' });
	if (spawnSync('ninja', ['-C', dir], { cwd: ROOT }).status !== 0)
		throw new Error(`ninja -C ${dir} failed`);
	return dir;
}

const SIM = join(ROOT, 'build', 'main', 'tests', 'sim', 'sim');
const SIM_MINUTES = 44; /* then it tells how far it came */
const simulated = new Map();

/* Why seeds failed, and how many were tried; one run for all rows of an ID. */
function simulate(seeds, option) {
	if (simulated.has(option))
		return simulated.get(option);
	const { stdout } = spawnSync(SIM, ['--seeds', String(seeds), '--jobs', '2', option],
		{ cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'],
			maxBuffer: 64 << 20, timeout: SIM_MINUTES * 60000 });
	process.stdout.write(stdout);
	const whys = [...stdout.matchAll(/^seed \d+: (.*)$/gm)].map((m) => m[1]);
	const sum = /(\d+) passed, (\d+) failed\s*$/.exec(stdout);
	const passed = Number(sum?.[1] ?? 0);
	/* a lie that was never told, seeds that were not reached, no summary */
	const other = (sum ? Number(sum[2]) - whys.length : 1) +
		(passed + whys.length < seeds ? 1 : 0);
	simulated.set(option, { tried: passed + whys.length, whys, other });
	return simulated.get(option);
}

/* Each promise counts the seeds that broke it; the last takes all others. */
function simRows(seeds, option, promises) {
	const of = (why) => promises.findIndex(([, words]) => words.test(why));
	return promises.map(([name], i) => [name, () => {
		const { tried, whys, other } = simulate(seeds, option);
		const failed = whys.filter((why) => of(why) === i).length;
		return { tried, failed: failed + (i === promises.length - 1 ? other : 0) };
	}]);
}

/* ID: its promises, [name, () => ({tried, failed})] each. */
const LONG = {
	R3: simRows(10000, '--lie', [
		['false ballots', /believes|acts on|false ballot/],
		['missed stalls', /missed stall/],
		['stalls seen later than SLA + depth + 1 poll', /after two endpoints show/],
		['any other promise broken by a liar', /./],
	]),
	R5: simRows(10000, '--reorg', [
		['state after reorgs of 1 to 64 blocks is the final chain\'s', /./],
	]),
	R13: simRows(100000, '--all', [
		['simulated histories break no invariant', /./],
	]),
	R9: [['a million calls by fuzz and invariants', calls],
		['mutants of the contracts, all killed', mutants]],
	R4: [...FAULTS, 'delay of at most two polls', 'what else the run promises'].map((name) =>
		[name, () => faults(name)]),
	drills: [[`${DRILLS} drills in a row`, () =>
		repeat(DRILLS, () => drill('--citizens', '300'))]],
	kills: [[`${KILLS} acts with a SIGKILL at a seeded moment`, () =>
		repeat(KILLS, (i) => drill('--citizens', '300',
			'--act', String(i % ACTS + 1), '--kill', String(i)))]],
	asan: [['one drill of the ASan+UBSan build', () => {
		const dir = build('asan', '-Db_sanitize=address,undefined',
			'-Db_lundef=false');
		return repeat(1, () => drill('--citizens', '300', '--build', dir));
	}]],
};

/* What breaks off does not hold, and the others are run all the same. */
function outcome(id, name, test) {
	try {
		return test();
	} catch (e) {
		process.stdout.write(`${id}: ${name}: ${e.message}\n`);
		return { tried: 0, failed: 1 };
	}
}

const wanted = process.argv.slice(2).length ? process.argv.slice(2) :
	Object.keys(LONG);
const unknown = wanted.filter((id) => !LONG[id]);
if (unknown.length) {
	process.stderr.write(`check --long: no ${unknown.join(', ')}; known: ` +
		`${Object.keys(LONG).join(' ')}\n`);
	process.exit(2);
}
mkdirSync(join(ROOT, 'build'), { recursive: true });
let rows = existsSync(OUT) ? JSON.parse(readFileSync(OUT, 'utf8')) : [];
let failures = 0;
for (const id of wanted) {
	rows = rows.filter((row) => row.id !== id);
	started = Date.now();
	for (const [name, test] of LONG[id]) {
		const { tried, failed } = outcome(id, name, test);
		const holds = tried > 0 && failed === 0;
		rows.push({ id, name, tried, failed, holds });
		writeFileSync(OUT, JSON.stringify(rows, null, 2) + '\n');
		process.stdout.write(`${id}: ${name}: ` +
			`${Math.max(0, tried - failed)} passed, ${failed} failed\n`);
		failures += holds ? 0 : 1;
	}
}
process.exit(failures ? 1 : 0);
