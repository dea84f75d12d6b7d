// Published vectors and random values against the C program abi_vectors.
//
//   node tests/vectors/run.mjs build/tests/vectors/abi_vectors
//
// Each module beside this one exports `cases(tools)`, which yields
// {name, command: [word…], expect} — the line that must come back.
// Random values follow from SEED, printed with any failure.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const modules = ['foundation.mjs', 'abi.mjs', 'signing.mjs', 'ledger.mjs',
	'trie.mjs', 'blocks.mjs'];
const seed = Number(process.env.SEED ?? 1);

// mulberry32: small, seeded, good enough to choose test values.
function generator(state) {
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return (t ^ (t >>> 14)) >>> 0;
	};
}

function tools() {
	const next = generator(seed);
	const below = (n) => next() % n;
	const bytes = (n) => Uint8Array.from({ length: n }, () => next() & 255);
	const hex = (b) => '0x' + Buffer.from(b).toString('hex');
	return {
		below,
		bytes,
		hex,
		// as many bits as asked at most, every length alike often
		bits: (n) => {
			const size = below(n + 1);
			return size === 0 ? 0n : BigInt(hex(bytes(32))) >> BigInt(256 - size);
		},
		testcases: (name) =>
			JSON.parse(gunzipSync(readFileSync(new URL(
				`../node_modules/@ethersproject/testcases/testcases/${name}.json.gz`,
				import.meta.url)))),
		note: (text) => console.log(text),
	};
}

async function collect() {
	const all = [];
	for (const file of modules) {
		const url = new URL(file, import.meta.url);
		const { cases } = await import(url);
		const before = all.length;
		for await (const c of cases(tools()))
			all.push({ ...c, file });
		if (all.length === before)
			throw new Error(`${file} holds no case`);
	}
	return all;
}

function ask(program, all) {
	const lines = all.map((c) => c.command.map((w) => (w === '' ? '-' : w)).join(' '));
	const child = spawnSync(program, {
		input: lines.join('\n') + '\n',
		maxBuffer: 1 << 29,
		encoding: 'utf8',
	});
	if (child.status !== 0)
		throw new Error(`${program} ended with ${child.status ?? child.signal}: ${child.stderr}`);
	const answers = child.stdout.split('\n').slice(0, -1);
	if (answers.length !== all.length)
		throw new Error(`${all.length} commands, ${answers.length} answers`);
	return answers;
}

const cut = (text) => (text.length > 300 ? text.slice(0, 300) + '…' : text);

const program = process.argv[2];
if (!program) {
	console.error('usage: run.mjs PROGRAM');
	process.exit(2);
}
const all = await collect();
const answers = ask(program, all);
const failed = all.filter((c, i) => c.expect !== (c.got = answers[i]));
for (const c of failed.slice(0, 20))
	console.log(`${c.file}: ${c.name}\n  ${cut(c.command.join(' '))}\n` +
		`  expected ${cut(c.expect)}\n  got      ${cut(c.got)}`);
if (failed.length)
	console.log(`SEED=${seed}`);
console.log(`vectors: ${all.length - failed.length} passed, ${failed.length} failed`);
process.exit(failed.length ? 1 : 0);
