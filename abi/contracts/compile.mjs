// Compiles the contracts and writes out/*.json, or with --check recompiles and compares.
// Owns out/; never reads the network, the clock or the machine's paths.
import { readFileSync, writeFileSync, readdirSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(here, '../../tests/package.json'));
const LIMIT = 24576; // EIP-170

function sources() {
	const out = {};
	for (const name of readdirSync(here).filter((n) => n.endsWith('.sol')).sort())
		out[name] = readFileSync(join(here, name), 'utf8');
	return out;
}

function compile(config, files) {
	const solc = require('solc');
	if (!solc.version().startsWith(config.solc + '+'))
		throw new Error(`solc is ${solc.version()}, compiler.json wants ${config.solc}`);
	const wanted = ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object',
		'evm.deployedBytecode.immutableReferences', 'storageLayout'];
	const input = {
		language: 'Solidity',
		sources: Object.fromEntries(Object.entries(files).map(([n, content]) => [n, { content }])),
		settings: { ...config.settings, outputSelection: { '*': { '*': wanted, '': ['ast'] } } },
	};
	const out = JSON.parse(solc.compile(JSON.stringify(input)));
	const errors = (out.errors ?? []).filter((e) => e.severity !== 'info');
	for (const e of errors) process.stderr.write(e.formattedMessage);
	if (errors.length) throw new Error(`${errors.length} errors or warnings`);
	return out;
}

const signature = (e) => `${e.name}(${e.inputs.map(typeName).join(',')})`;
function typeName(t) {
	if (!t.type.startsWith('tuple')) return t.type;
	return `(${t.components.map(typeName).join(',')})${t.type.slice(5)}`;
}

// EIP-712 types: every keccak256("Name(type field,…)") of the sources a contract imports.
function typeHashes(files, root, keccak) {
	const seen = new Set();
	const found = {};
	const visit = (name) => {
		if (seen.has(name)) return;
		seen.add(name);
		const text = files[name];
		for (const m of text.matchAll(/keccak256\(\s*((?:"[^"]*"\s*)+)\)/g)) {
			const value = m[1].match(/"[^"]*"/g).map((s) => s.slice(1, -1)).join('');
			const type = /^(\w+)\(\w+ \w+.*\)$/.exec(value);
			if (type) found[type[1]] = keccak(value);
		}
		for (const m of text.matchAll(/from "\.\/(\w+\.sol)"|import "\.\/(\w+\.sol)"/g)) visit(m[1] ?? m[2]);
	};
	visit(root);
	return found;
}

// Storage layout without the compiler's node ids, which change with any edit.
function layout(raw) {
	const strip = (id) => id.replace(/(t_(?:struct|contract|enum|userDefinedValueType)\(\w+\))\d+/g, '$1');
	const member = (m) => ({ label: m.label, slot: m.slot, offset: m.offset, type: strip(m.type) });
	const types = {};
	for (const [id, type] of Object.entries(raw.types ?? {})) {
		const clean = {};
		for (const key of ['encoding', 'label', 'numberOfBytes']) clean[key] = type[key];
		for (const key of ['key', 'value', 'base']) if (type[key]) clean[key] = strip(type[key]);
		if (type.members) clean.members = type.members.map(member);
		types[strip(id)] = clean;
	}
	return { storage: raw.storage.map(member), types };
}

// Names of the immutables by the compiler's node ids.
function immutableNames(sources) {
	const names = {};
	const visit = (node) => {
		if (node === null || typeof node !== 'object') return;
		if (node.nodeType === 'VariableDeclaration' && node.mutability === 'immutable') names[node.id] = node.name;
		Object.values(node).forEach(visit);
	};
	Object.values(sources).forEach(({ ast }) => visit(ast));
	return names;
}

// Where each immutable's word stands in the deployed code: byte offsets, ascending.
function immutables(references, names) {
	const out = {};
	for (const [id, places] of Object.entries(references ?? {})) {
		if (!names[id] || out[names[id]]) throw new Error(`immutable ${id}: no name of its own`);
		if (places.some(({ length }) => length !== 32)) throw new Error(`${names[id]}: not of 32 bytes`);
		out[names[id]] = places.map(({ start }) => start).sort((a, b) => a - b);
	}
	return out;
}

function constants(ast) {
	const units = { seconds: 1n, minutes: 60n, hours: 3600n, days: 86400n, wei: 1n, gwei: 10n ** 9n };
	const out = {};
	for (const node of ast.nodes) {
		if (node.nodeType !== 'VariableDeclaration' || !node.constant) continue;
		const { value, subdenomination } = node.value;
		const factor = subdenomination ? units[subdenomination] : 1n;
		if (value === undefined || factor === undefined) throw new Error(`${node.name}: not a plain number`);
		out[node.name] = (BigInt(value.replaceAll('_', '')) * factor).toString();
	}
	return out;
}

function sorted(value) {
	if (Array.isArray(value)) return value.map(sorted);
	if (value === null || typeof value !== 'object') return value;
	return Object.fromEntries(Object.keys(value).sort().map((k) => [k, sorted(value[k])]));
}

function artefacts() {
	const { keccak256, toHex } = require('viem');
	const keccak = (text) => keccak256(toHex(text));
	const config = JSON.parse(readFileSync(join(here, 'compiler.json'), 'utf8'));
	const files = sources();
	const out = compile(config, files);
	const names = immutableNames(out.sources);
	const result = { Constants: { constants: constants(out.sources['Constants.sol'].ast) } };
	for (const name of [...config.contracts, ...config.interfaces]) {
		const c = out.contracts[`${name}.sol`][name];
		const of = (type) => c.abi.filter((e) => e.type === type);
		result[name] = {
			contract: name,
			compiler: config.solc,
			abi: c.abi,
			bytecode: '0x' + c.evm.bytecode.object,
			deployedBytecode: '0x' + c.evm.deployedBytecode.object,
			immutables: immutables(c.evm.deployedBytecode.immutableReferences, names),
			storageLayout: layout(c.storageLayout),
			selectors: Object.fromEntries(of('function').map((e) => [signature(e), keccak(signature(e)).slice(0, 10)])),
			errors: Object.fromEntries(of('error').map((e) => [signature(e), keccak(signature(e)).slice(0, 10)])),
			topics: Object.fromEntries(of('event').map((e) => [e.name, keccak(signature(e))])),
			typeHashes: typeHashes(files, `${name}.sol`, keccak),
		};
	}
	return result;
}

function main() {
	const check = process.argv.includes('--check');
	let failed = 0;
	const say = (line) => process.stdout.write(line + '\n');
	const all = artefacts();
	mkdirSync(join(here, 'out'), { recursive: true });
	for (const [name, value] of Object.entries(all)) {
		const size = ((value.deployedBytecode ?? '0x').length - 2) / 2;
		if (size > LIMIT) {
			say(`${name}: runtime code is ${size} bytes, the limit is ${LIMIT}`);
			failed++;
		}
		const text = JSON.stringify(sorted(value), null, '\t') + '\n';
		const path = join(here, 'out', `${name}.json`);
		let old = '';
		try {
			old = readFileSync(path, 'utf8');
		} catch {
			// absent: differs from anything
		}
		if (!check) {
			writeFileSync(path, text);
			say(`${name}: ${size} bytes`);
		} else if (old !== text) {
			say(`out/${name}.json differs from the source: run node abi/contracts/compile.mjs`);
			failed++;
		}
	}
	if (check) {
		for (const file of readdirSync(join(here, 'out'))) {
			if (all[file.replace(/\.json$/, '')]) continue;
			say(`out/${file} belongs to no contract: remove it`);
			failed++;
		}
	}
	if (check && !failed) say('contracts: out/ matches the source');
	process.exitCode = failed ? 1 : 0;
}

main();
