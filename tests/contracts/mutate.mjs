// The test of the tests: drops each require and each modifier, shifts each comparison and
// swaps each && and ||, one at a time, and expects a contract test to notice.
//
//   mutate.mjs [--all] [--sample N] [--seed S] [--only ID|FILE,…] [--list] [--jobs N] [--minutes M]
//
// Without --all a sample of 120, drawn by the seed.  Mutants that change nothing that can be
// seen stand with the reason in equivalent.json; a survivor that is not there is a failure.
// Writes build/mutants/ only.  Exit 0 if every mutant tried was killed or is equivalent.
// Last line: mutants: N killed, N equivalent, N survived.
import { readFileSync, writeFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

const here = dirname(fileURLToPath(import.meta.url));
const top = join(here, '../..');
const contracts = join(top, 'abi/contracts');
const require = createRequire(join(here, '../package.json'));

// file: which contracts it is part of, and the tests most likely to notice
const targets = {
	'EscapeHatch.sol': [['EscapeHatch'], 'Phase|Ballots|Amend|Terms'],
	'RollupBase.sol': [['SovereignRollup'], 'Money|Queues|Inbox|Exits|Buckets|Terms|Phase'],
	'RollupBatches.sol': [['SovereignRollup'], 'Batches|Phase|BadBatch|Queues|Inbox'],
	'RollupQueues.sol': [['SovereignRollup'], 'Queues|Inbox|BadBatch|Exits'],
	'RollupExits.sol': [['SovereignRollup'], 'Exits|Buckets|Settle|Money'],
	'SovereignRollup.sol': [['SovereignRollup'], 'Terms|Amend|Phase'],
	'Payments.sol': [['SovereignRollup'], 'Exits|Buckets|Settle|Money'],
	'Tree.sol': [['SovereignRollup', 'BadBatch'], 'BadBatch|Exits|Buckets|Settle|Batches'],
	'Signatures.sol': [['EscapeHatch', 'SovereignRollup'], 'Ballots|Batches|Terms'],
	'BadBatch.sol': [['BadBatch'], 'BadBatch'],
};

// The index past the bracket that closes the one at open.
function close(text, open) {
	let depth = 0;
	for (let i = open; i < text.length; i++) {
		if (text[i] === '(') depth++;
		if (text[i] === ')' && --depth === 0) return i + 1;
	}
	throw new Error('unbalanced');
}

// Comments and strings as spaces, so that positions stay and nothing in them matches.
function code(text) {
	return text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|"[^"\n]*"|pragma[^\n]*/g, (m) => m.replace(/[^\n]/g, ' '));
}

function mutants() {
	const out = [];
	for (const file of Object.keys(targets)) {
		const text = readFileSync(join(contracts, file), 'utf8');
		const plain = code(text);
		const seen = {};
		const add = (kind, from, to, fresh) => {
			const before = text.lastIndexOf('\n', from) + 1;
			const end = text.indexOf('\n', from);
			const line = text.slice(before, end < 0 ? undefined : end).trim();
			const name = `${file}|${kind}|${fresh}|${line}`;
			seen[name] = (seen[name] ?? 0) + 1;
			const id = createHash('sha256').update(`${name}|${seen[name]}`).digest('hex').slice(0, 8);
			const row = text.slice(0, from).split('\n').length;
			const old = text.slice(from, to).replace(/\s+/g, ' ');
			out.push({ id, file, row, kind, line, old, fresh, from, to });
		};
		for (const m of plain.matchAll(/\brequire\s*\(/g)) {
			const end = close(plain, m.index + m[0].length - 1);
			if (plain[end] === ';') add('drop', m.index, end + 1, '');
		}
		for (const m of plain.matchAll(/\b(locked|onlyHatch)\b(?=[^(]*\{)/g)) {
			if (!/modifier\s+$/.test(plain.slice(0, m.index))) add('drop', m.index, m.index + m[0].length, '');
		}
		const shifts = { '<': '<=', '<=': '<', '>': '>=', '>=': '>', '==': '!=', '!=': '==' };
		for (const m of plain.matchAll(/(?<![<>=!|&+*/-])(<=|>=|==|!=|<|>)(?![<>=])/g))
			add('shift', m.index, m.index + m[0].length, shifts[m[0]]);
		for (const m of plain.matchAll(/&&|\|\|/g))
			add('swap', m.index, m.index + 2, m[0] === '&&' ? '||' : '&&');
		for (const m of plain.matchAll(/\b(lt|gt)\(/g)) {
			const end = close(plain, m.index + 2);
			const other = m[1] === 'lt' ? 'gt' : 'lt';
			add('shift', m.index, end, `iszero(${other}${text.slice(m.index + 2, end)})`);
		}
	}
	return out;
}

// ---- a worker compiles and runs

function compile(solc, config, files, names) {
	const select = {};
	for (const name of names) select[`${name}.sol`] = { [name]: ['evm.bytecode.object'] };
	const input = {
		language: 'Solidity',
		sources: Object.fromEntries(Object.entries(files).map(([n, content]) => [n, { content }])),
		settings: { ...config.settings, viaIR: false, outputSelection: select },
	};
	// the old pipeline is five times as fast, and gives up on the largest contract
	let out = JSON.parse(solc.compile(JSON.stringify(input)));
	const failed = () => (out.errors ?? []).find((e) => e.severity === 'error');
	if (/too deep/.test(failed()?.message ?? '')) {
		input.settings.viaIR = true;
		out = JSON.parse(solc.compile(JSON.stringify(input)));
	}
	if (failed()) return { error: failed().message };
	return Object.fromEntries(names.map((n) => [n, '0x' + out.contracts[`${n}.sol`][n].evm.bytecode.object]));
}

// True if a test failed.
function forge(dir, match) {
	// gas and size are no verdict on a mutant
	const args = ['test', '--fail-fast', '--no-match-contract', 'GasTest', '--threads', '1'];
	args.push('--no-match-test', 'test_runtime_code_fits');
	if (match) args.push('--match-path', `tests/contracts/{${match.split('|').join(',')}}.t.sol`);
	const env = {
		...process.env,
		FOUNDRY_CONFIG: 'tests/contracts/foundry.toml',
		FOUNDRY_FUZZ_RUNS: '24',
		FOUNDRY_INVARIANT_RUNS: '3',
		EGRESS_CONTRACTS_OUT: dir,
		NO_COLOR: '1',
	};
	const binary = join(here, '../node_modules/@foundry-rs/forge-linux-amd64/bin/forge');
	return new Promise((resolve, reject) => {
		const child = spawn(binary, args, { cwd: top, env, stdio: ['ignore', 'pipe', 'pipe'] });
		let text = '';
		child.stdout.on('data', (d) => (text += d));
		child.stderr.on('data', (d) => (text += d));
		// a mutant that loops for ever has been noticed
		const timer = setTimeout(() => child.kill('SIGKILL'), 240000);
		child.on('exit', (status, signal) => {
			clearTimeout(timer);
			if (signal) return resolve('it never ends');
			const failed = /\[FAIL[\s\S]*?\] (\w+)\(/.exec(text) ?? /\[FAIL/.exec(text);
			if (status !== 0 && !failed) return reject(new Error(`forge: ${text.slice(-800)}`));
			resolve(status === 0 ? null : (failed[1] ?? failed[0]));
		});
	});
}

async function attempt(m, solc, config, files, slot) {
	const text = files[m.file];
	const changed = { ...files, [m.file]: text.slice(0, m.from) + m.fresh + text.slice(m.to) };
	const [names, likely] = targets[m.file];
	const codes = compile(solc, config, changed, names);
	if (codes.error) return { verdict: 'invalid', by: codes.error };
	const relative = `build/mutants/${process.pid}-${slot}`;
	mkdirSync(join(top, relative), { recursive: true });
	for (const file of readdirSync(join(contracts, 'out'))) {
		const json = JSON.parse(readFileSync(join(contracts, 'out', file), 'utf8'));
		if (codes[json.contract]) json.bytecode = codes[json.contract];
		writeFileSync(join(top, relative, file), JSON.stringify(json));
	}
	const by = (await forge(relative, likely)) ?? (await forge(relative, null));
	return by ? { verdict: 'killed', by } : { verdict: 'survived' };
}

async function work() {
	const solc = require('solc');
	const config = JSON.parse(readFileSync(join(contracts, 'compiler.json'), 'utf8'));
	const files = {};
	for (const name of readdirSync(contracts).filter((n) => n.endsWith('.sol')))
		files[name] = readFileSync(join(contracts, name), 'utf8');
	parentPort.on('message', async (m) => {
		try {
			parentPort.postMessage({ m, ...(await attempt(m, solc, config, files, workerData.slot)) });
		} catch (e) {
			parentPort.postMessage({ m, verdict: 'error', by: e.message });
		}
	});
}

// ---- the main thread deals out

// A small generator of its own, so that a seed means the same for ever.
function shuffle(list, seed) {
	let state = BigInt(seed) * 6364136223846793005n + 1442695040888963407n;
	const next = (n) => {
		state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
		return Number((state >> 33n) % BigInt(n));
	};
	for (let i = list.length - 1; i > 0; i--) {
		const j = next(i + 1);
		[list[i], list[j]] = [list[j], list[i]];
	}
	return list;
}

function option(name, fallback) {
	const i = process.argv.indexOf(name);
	return i < 0 ? fallback : process.argv[i + 1];
}

async function main() {
	const equivalent = JSON.parse(readFileSync(join(here, 'equivalent.json'), 'utf8'));
	let list = mutants();
	const known = new Set(list.map((m) => m.id));
	const stale = Object.keys(equivalent).filter((id) => !known.has(id));
	const only = option('--only');
	const show = (m) => `${m.id} ${m.file}:${m.row} ${m.kind} '${m.old}'${m.fresh ? ` → '${m.fresh}'` : ''}`;
	if (only) list = list.filter((m) => only.split(',').some((o) => o === m.id || o === m.file));
	if (process.argv.includes('--list')) {
		for (const m of list) console.log(show(m) + (equivalent[m.id] ? ` (equivalent: ${equivalent[m.id]})` : ''));
		console.log(`${list.length} mutants`);
		return 0;
	}
	// shuffled even when all are tried: who stops early has seen some of everything
	shuffle(list, option('--seed', 1));
	if (!only && !process.argv.includes('--all')) list = list.slice(0, Number(option('--sample', 120)));
	const until = Date.now() + Number(option('--minutes', 42)) * 60000;
	const results = { killed: 0, equivalent: 0, survived: 0, invalid: 0, error: 0 };
	const log = [];
	for (const id of stale) console.log(`equivalent.json: ${id} names no mutant any more`);
	const untried = list.filter((m) => !equivalent[m.id]);
	results.equivalent = list.length - untried.length;
	const deal = (worker, done) => {
		const m = Date.now() < until ? untried.shift() : undefined;
		if (m) worker.postMessage(m);
		else worker.terminate().then(done);
	};
	const jobs = Number(option('--jobs', 2));
	await Promise.all(
		Array.from({ length: jobs }, (_, slot) => new Promise((done) => {
			const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { slot } });
			worker.on('message', (r) => {
				results[r.verdict]++;
				log.push({ ...r.m, verdict: r.verdict, by: r.by });
				console.log(`${r.verdict.padEnd(8)} ${show(r.m)}${r.by ? `  by ${r.by}` : ''}`);
				deal(worker, done);
			});
			deal(worker, done);
		})),
	);
	for (let slot = 0; slot < jobs; slot++)
		rmSync(join(top, `build/mutants/${process.pid}-${slot}`), { recursive: true, force: true });
	mkdirSync(join(top, 'build/mutants'), { recursive: true });
	writeFileSync(join(top, 'build/mutants/result.json'), JSON.stringify(log, null, '\t') + '\n');
	if (untried.length) console.log(`${untried.length} not tried: time is up`);
	const tried = results.killed + results.survived;
	console.log(`mutants: ${results.killed} killed, ${results.equivalent} equivalent, ${results.survived} survived`);
	const few = !only && tried < 40;
	return results.survived || results.error || stale.length || few ? 1 : 0;
}

if (isMainThread) process.exitCode = await main();
else await work();
