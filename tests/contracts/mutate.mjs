// The test of the tests: drops each require and each modifier, shifts each comparison and
// swaps each && and ||, one at a time, and expects a contract test to notice.
//
//   mutate.mjs [--all | --continue | --sample N | --only ID|FILE,…] [--seed S] [--list] [--jobs N]
//              [--minutes M] [--report FILE]
//
// Without --all a sample of 120, drawn by the seed.  --continue takes those that no run has tried
// since contracts or tests changed (build/mutants/state.json), until the minutes are over, and
// counts the whole round; when all have been tried the next round begins.  Mutants that change
// nothing that can be seen stand with the reason in equivalent.json; a survivor that is not there
// is a failure.  Writes build/mutants/, and to FILE {"tried", "survived", "errors", "of"}.
// Exit 0 if every mutant tried was killed or is equivalent.
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
// no change at all
const CONTROL = { id: 'control', file: 'control', from: 0, to: 0, fresh: '' };
const CONTROL_TARGET = [['EscapeHatch', 'SovereignRollup', 'BadBatch'], null];

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

const NEVER = 'it never ends';

// The test that failed, or null.  A second look at what may be the machine's fault.
async function judged(dir, match) {
	try {
		const by = await forge(dir, match);
		if (by !== NEVER) return by;
	} catch {
		// as below
	}
	return forge(dir, match);
}

function forge(dir, match) {
	// gas and size are no verdict on a mutant
	const args = ['test', '--fail-fast', '--no-match-contract', 'GasTest', '--threads', '1'];
	args.push('--no-match-test', 'test_runtime_code_fits');
	if (match) args.push('--match-path', `tests/contracts/{${match.split('|').join(',')}}.t.sol`);
	const env = {
		...process.env,
		FOUNDRY_CONFIG: 'tests/contracts/foundry.toml',
		FOUNDRY_FUZZ_RUNS: '24',
		FOUNDRY_INVARIANT_RUNS: '6',
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
		let late = false;
		const timer = setTimeout(() => {
			late = true;
			child.kill('SIGKILL');
		}, 240000);
		child.on('close', (status, signal) => {
			clearTimeout(timer);
			if (signal && late) return resolve(NEVER);
			if (signal) return reject(new Error(`forge died of ${signal}`));
			const failed = /\[FAIL[\s\S]*?\] (\w+)\(/.exec(text) ?? /\[FAIL/.exec(text);
			if (status !== 0 && !failed) return reject(new Error(`forge: ${text.slice(-800)}`));
			resolve(status === 0 ? null : (failed[1] ?? failed[0]));
		});
	});
}

async function attempt(m, solc, config, files, slot) {
	const text = files[m.file] ?? '';
	const changed = { ...files };
	if (text) changed[m.file] = text.slice(0, m.from) + m.fresh + text.slice(m.to);
	const [names, likely] = targets[m.file] ?? CONTROL_TARGET;
	const codes = compile(solc, config, changed, names);
	if (codes.error) return { verdict: 'invalid', by: codes.error };
	const relative = `build/mutants/${process.pid}-${slot}`;
	mkdirSync(join(top, relative), { recursive: true });
	for (const file of readdirSync(join(contracts, 'out'))) {
		const json = JSON.parse(readFileSync(join(contracts, 'out', file), 'utf8'));
		if (codes[json.contract]) json.bytecode = codes[json.contract];
		writeFileSync(join(top, relative, file), JSON.stringify(json));
	}
	const by = (likely && (await judged(relative, likely))) ?? (await judged(relative, null));
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

const STATE = join(top, 'build/mutants/state.json');

// The verdicts of this round, if contracts and tests are still what they were.
function round() {
	const hash = createHash('sha256');
	for (const dir of [contracts, here]) {
		for (const name of readdirSync(dir).sort())
			if (/\.(sol|toml|json)$/.test(name)) hash.update(name).update(readFileSync(join(dir, name)));
	}
	const key = hash.digest('hex');
	let old;
	try {
		old = JSON.parse(readFileSync(STATE, 'utf8'));
	} catch {
		// none, or cut off: a new round
	}
	return old?.key === key ? old : { key, control: false, verdicts: {} };
}

const show = (m) => `${m.id} ${m.file}:${m.row} ${m.kind} '${m.old}'${m.fresh ? ` → '${m.fresh}'` : ''}`;

// Deals the list out until it is empty or the time is up; take(result) false ends it at once.
async function dealOut(list, until, take) {
	const jobs = Number(option('--jobs', 2));
	const deal = (worker, done) => {
		const m = Date.now() < until ? list.shift() : undefined;
		if (m) worker.postMessage(m);
		else worker.terminate().then(done);
	};
	await Promise.all(
		Array.from({ length: jobs }, (_, slot) => new Promise((done) => {
			const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { slot } });
			worker.on('message', (r) => {
				if (!take(r)) list.length = 0;
				deal(worker, done);
			});
			deal(worker, done);
		})),
	);
	for (let slot = 0; slot < jobs; slot++)
		rmSync(join(top, `build/mutants/${process.pid}-${slot}`), { recursive: true, force: true });
}

// Which are to be tried, and what of the round counts already.
function chosen(list, equivalent, state, results) {
	const has = (name) => process.argv.includes(name);
	// shuffled even when all are tried: who stops early has seen some of everything
	shuffle(list, option('--seed', 1));
	if (!has('--only') && !has('--continue') && !has('--all'))
		list = list.slice(0, Number(option('--sample', 120)));
	const candidates = list.filter((m) => !equivalent[m.id]);
	results.equivalent = list.length - candidates.length;
	if (!has('--continue')) return { of: candidates.length, untried: candidates };
	const settled = (m) => ['killed', 'invalid'].includes(state.verdicts[m.id]);
	if (candidates.every(settled)) state.verdicts = {};
	const untried = candidates.filter((m) => !settled(m));
	for (const m of candidates) if (settled(m)) results[state.verdicts[m.id]]++;
	console.log(`${candidates.length - untried.length} of ${candidates.length} were tried before in this round`);
	return { of: candidates.length, untried };
}

async function main() {
	const equivalent = JSON.parse(readFileSync(join(here, 'equivalent.json'), 'utf8'));
	let list = mutants();
	const known = new Set(list.map((m) => m.id));
	const stale = Object.keys(equivalent).filter((id) => !known.has(id));
	const only = option('--only');
	if (only) list = list.filter((m) => only.split(',').some((o) => o === m.id || o === m.file));
	if (process.argv.includes('--list')) {
		for (const m of list) console.log(show(m) + (equivalent[m.id] ? ` (equivalent: ${equivalent[m.id]})` : ''));
		console.log(`${list.length} mutants`);
		return 0;
	}
	const until = Date.now() + Number(option('--minutes', 42)) * 60000;
	for (const id of stale) console.log(`equivalent.json: ${id} names no mutant any more`);
	const results = { killed: 0, equivalent: 0, survived: 0, invalid: 0, error: 0 };
	const state = round();
	const { of, untried } = chosen(list, equivalent, state, results);
	const log = [];
	mkdirSync(join(top, 'build/mutants'), { recursive: true });
	// what is not mutated must pass, or everything would count as killed
	if (!state.control) untried.unshift(CONTROL);
	await dealOut(untried, until, (r) => {
		if (r.m.file === CONTROL.file) {
			state.control = r.verdict === 'survived';
			if (!state.control) {
				console.log(`the contracts fail without a change: ${r.verdict} by ${r.by}`);
				results.error++;
			}
		} else {
			results[r.verdict]++;
			log.push({ ...r.m, verdict: r.verdict, by: r.by });
			state.verdicts[r.m.id] = r.verdict;
			console.log(`${r.verdict.padEnd(8)} ${show(r.m)}${r.by ? `  by ${r.by}` : ''}`);
		}
		writeFileSync(STATE, JSON.stringify(state, null, '\t') + '\n');
		return r.m.file !== CONTROL.file || state.control;
	});
	writeFileSync(join(top, 'build/mutants/result.json'), JSON.stringify(log, null, '\t') + '\n');
	if (untried.length) console.log(`${untried.length} not tried: time is up; --continue goes on there`);
	const tried = results.killed + results.survived;
	const report = { tried, survived: results.survived, errors: results.error, of };
	if (option('--report')) writeFileSync(option('--report'), JSON.stringify(report) + '\n');
	console.log(`mutants: ${results.killed} killed, ${results.equivalent} equivalent, ${results.survived} survived`);
	const few = !only && tried < 40;
	return results.survived || results.error || stale.length || few ? 1 : 0;
}

if (isMainThread) process.exitCode = await main();
else await work();
