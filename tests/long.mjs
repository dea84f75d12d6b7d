// What needs longer than ./check: node tests/long.mjs [ID …], all without one.
// Each ID ≤ 45 minutes on 2 cores. Merges into build/check.json:
//   [{"id", "name", "tried", "failed", "holds"}, …]
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, TESTS } from './harness.mjs';

const OUT = join(ROOT, 'build', 'check.json');
const DRILLS = 20;
const KILLS = 50;
const ACTS = 6;

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

function mutants() {
	const report = join(ROOT, 'build', 'mutants.json');
	const status = node([join(TESTS, 'contracts', 'mutate.mjs'), '--report', report]);
	if (!existsSync(report))
		throw new Error(`mutate.mjs: exit ${status}, no report`);
	const { tried, survived } = JSON.parse(readFileSync(report, 'utf8'));
	return { tried, failed: survived };
}

function build(name, ...options) {
	const dir = join('build', name);
	if (!existsSync(join(ROOT, dir, 'build.ninja')))
		spawnSync('meson', ['setup', dir, ...options], { cwd: ROOT, stdio: 'inherit' });
	if (spawnSync('ninja', ['-C', dir], { cwd: ROOT }).status !== 0)
		throw new Error(`ninja -C ${dir} failed`);
	return dir;
}

const LONG = {
	R9: ['mutants of the contracts, all killed', mutants],
	drills: [`${DRILLS} drills in a row`, () =>
		repeat(DRILLS, () => drill('--citizens', '300'))],
	kills: [`${KILLS} acts with a SIGKILL at a seeded moment`, () =>
		repeat(KILLS, (i) => drill('--citizens', '300',
			'--act', String(i % ACTS + 1), '--kill', String(i)))],
	asan: ['one drill of the ASan+UBSan build', () => {
		const dir = build('asan', '-Db_sanitize=address,undefined',
			'-Db_lundef=false');
		return repeat(1, () => drill('--citizens', '300', '--build', dir));
	}],
};

const wanted = process.argv.slice(2).length ? process.argv.slice(2) :
	Object.keys(LONG);
const results = new Map((existsSync(OUT) ?
	JSON.parse(readFileSync(OUT, 'utf8')) : []).map((row) => [row.id, row]));
let failures = 0;
for (const id of wanted) {
	if (!LONG[id]) {
		process.stderr.write(`check --long: no ${id}; known: ` +
			`${Object.keys(LONG).join(' ')}\n`);
		process.exit(2);
	}
	const [name, test] = LONG[id];
	const { tried, failed } = test();
	const holds = tried > 0 && failed === 0;
	results.set(id, { id, name, tried, failed, holds });
	writeFileSync(OUT, JSON.stringify([...results.values()], null, 2) + '\n');
	process.stdout.write(`${id}: ${name}: ${tried - failed} passed, ${failed} failed\n`);
	failures += failed + (tried ? 0 : 1);
}
process.exit(failures ? 1 : 0);
