// The bars of speed and size: node tests/bench/bench.mjs [ID …], all without one.
// Each ID is a module pN.mjs whose run() resolves to rows
//   {name, ours, peer, peer_name, unit, ratio, bar, at_most?}
// ratio is what is held to the bar: no less, or with at_most no more.  A row
// that could not be measured has a ratio that is no number: it does not hold.
// Merges into build/bench.json, all rows of an ID at once.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, TESTS } from '../harness.mjs';

const OUT = join(ROOT, 'build', 'bench.json');

const modules = new Map(readdirSync(join(TESTS, 'bench'))
	.map((file) => /^p(\d+)\.mjs$/.exec(file))
	.filter(Boolean)
	.sort((a, b) => a[1] - b[1])
	.map(([file, number]) => [`P${number}`, `./${file}`]));

function judged(id, { name, ours, peer, peer_name, unit, ratio, bar, at_most }) {
	const holds = Number.isFinite(ratio) && (at_most ? ratio <= bar : ratio >= bar);
	return { id, name, ours, peer, peer_name, unit, ratio, bar,
		...(at_most && { at_most }), holds };
}

/* What breaks off does not hold, and the others are run all the same. */
async function measure(id) {
	try {
		const { run } = await import(modules.get(id));
		const rows = await run();
		if (!rows.length)
			throw new Error('no rows');
		return rows.map((row) => judged(id, row));
	} catch (error) {
		process.stderr.write(`${id}: ${error.stack}\n`);
		return [judged(id, { name: `broke off: ${error.message}`, ours: null,
			peer: null, peer_name: '', unit: '', ratio: null, bar: 0 })];
	}
}

const short = (n) => typeof n === 'number' ? String(Number(n.toPrecision(3))) : '-';

function print(rows) {
	const table = [['id', 'what', 'ours', 'peer', '', 'unit', 'ratio', 'bar', ''],
		...rows.map((r) => [r.id, r.name, short(r.ours), short(r.peer), r.peer_name,
			r.unit, short(r.ratio), `${r.at_most ? '≤' : '≥'} ${r.bar}`,
			r.holds ? 'holds' : 'DOES NOT HOLD'])];
	const widths = table[0].map((_, i) => Math.max(...table.map((line) => line[i].length)));
	for (const line of table)
		process.stdout.write(line.map((cell, i) => cell.padEnd(widths[i])).join('  ')
			.trimEnd() + '\n');
}

const wanted = process.argv.slice(2).length ? process.argv.slice(2) : [...modules.keys()];
const unknown = wanted.filter((id) => !modules.has(id));
if (unknown.length) {
	process.stderr.write(`bench: no ${unknown.join(', ')}; known: ` +
		`${[...modules.keys()].join(' ')}\n`);
	process.exit(2);
}
mkdirSync(join(ROOT, 'build'), { recursive: true });
let rows = existsSync(OUT) ? JSON.parse(readFileSync(OUT, 'utf8')) : [];
const measured = [];
for (const id of wanted) {
	const news = await measure(id);
	measured.push(...news);
	rows = [...rows.filter((row) => row.id !== id), ...news];
	writeFileSync(OUT, JSON.stringify(rows, null, 2) + '\n');
}
print(measured);
process.exit(measured.every((row) => row.holds) ? 0 : 1);
