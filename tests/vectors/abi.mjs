// ABI words: what the Solidity compiler of the published cases and viem wrote.
import { decodeAbiParameters, encodeAbiParameters, parseAbiParameters } from 'viem';

const REFUSED = 'refused';
const WORD = (1n << 256n) - 1n;
const wordHex = (n) => '0x' + (n & WORD).toString(16).padStart(64, '0');

// "tuple(uint8,bytes)[2]" → {base, parts?, dims: ['2']}
function split(type) {
	const match = /^(.*?)((?:\[\d*\])*)$/.exec(type);
	const dims = [...match[2].matchAll(/\[(\d*)\]/g)].map((m) => m[1]);
	const base = match[1];
	return { base, dims, parts: base.startsWith('tuple(') ? list(base.slice(6, -1)) : null };
}

function list(text) {
	const parts = [''];
	let depth = 0;
	for (const c of text) {
		depth += (c === '(') - (c === ')');
		if (c === ',' && depth === 0)
			parts.push('');
		else
			parts[parts.length - 1] += c;
	}
	return parts;
}

const inner = (type) => type.slice(0, type.lastIndexOf('['));
const last = (type) => split(type).dims.at(-1);

function isDynamic(type) {
	const { base, dims, parts } = split(type);
	if (dims.includes('') || base === 'bytes' || base === 'string')
		return true;
	return parts ? parts.some(isDynamic) : false;
}

// abi/words reads T[] of static T; T[0] no compiler makes.
function covered(type) {
	const { dims, parts } = split(type);
	if (dims.length)
		return covered(inner(type)) && last(type) !== '0' &&
			Number(last(type) || 1) <= 64 && !(last(type) === '' && isDynamic(inner(type)));
	return !parts || parts.every(covered);
}

const plain = (value) => (value !== null && typeof value === 'object' && 'value' in value ? value.value : value);

// The C program's tokens of one value.
function tokens(type, given) {
	const value = plain(given);
	const { base, dims, parts } = split(type);
	if (dims.length) {
		const all = value.flatMap((v) => tokens(inner(type), v));
		return last(type) === '' ? [String(value.length), ...all] : all;
	}
	if (parts)
		return parts.flatMap((part, i) => tokens(part, value[i]));
	if (base === 'string')
		return ['0x' + Buffer.from(value, 'utf8').toString('hex')];
	if (base === 'address' || base === 'bytes')
		return [value.toLowerCase()];
	if (base === 'bool')
		return [String(value)];
	if (base.startsWith('bytes'))
		return [value.toLowerCase().padEnd(66, '0')];
	return [base.startsWith('uint') ? String(BigInt(value)) : wordHex(BigInt(value))];
}

function* both(name, types, values, encoded) {
	const type = `(${types.join(',')})`;
	const words = types.flatMap((t, i) => tokens(t, values[i]));
	yield { name, command: ['abi.encode', type, ...words], expect: encoded };
	yield { name, command: ['abi.decode', type, encoded], expect: words.join(' ') };
}

function* published({ testcases, note }) {
	for (const file of ['contract-interface', 'contract-interface-abi2']) {
		const all = testcases(file);
		let used = 0;
		for (const c of all) {
			const types = JSON.parse(c.types);
			if (!types.every(covered))
				continue;
			used++;
			yield* both(`${file} ${c.name}`, types, JSON.parse(c.normalizedValues ?? c.values), c.result);
		}
		note(`${file}: ${used} of ${all.length} cases are of types that abi/words knows`);
	}
}

// What this project's contracts take and answer, and shapes beside them.
const shapes = [
	['uint64', 'bytes', 'address', 'bool', 'bytes32[]', 'uint256'],
	['tuple(uint64,bytes32,bytes32,uint64,uint64,bytes32,bytes32)', 'bytes32[]', 'bytes', 'bytes'],
	['uint40', 'bytes', 'bytes32[]'],
	['address[]', 'uint8', 'uint96'],
	['tuple(uint8,tuple(uint8,bytes),address[])', 'bytes'],
	['uint8[3]', 'bytes[2]', 'bool[]', 'tuple(uint40,address)[]'],
	['uint8', 'uint16', 'uint32', 'uint40', 'uint48', 'uint64', 'uint96', 'uint128', 'uint256'],
];

function randomValue(type, t) {
	const { base, dims, parts } = split(type);
	if (dims.length)
		return Array.from({ length: last(type) === '' ? t.below(5) : Number(last(type)) },
			() => randomValue(inner(type), t));
	if (parts)
		return parts.map((part) => randomValue(part, t));
	if (base === 'bytes')
		return t.hex(t.bytes(t.below(100)));
	if (base === 'address')
		return t.hex(t.bytes(20));
	if (base === 'bool')
		return t.below(2) === 1;
	if (base === 'bytes32')
		return t.hex(t.bytes(32));
	return t.bits(Number(base.slice(4)));
}

// viem knows tuples by component; numbers up to 48 bits are not bigints there.
const viemType = (type) => type.replaceAll('tuple(', '(');
function viemValue(type, value) {
	const { base, dims, parts } = split(type);
	if (dims.length)
		return value.map((v) => viemValue(inner(type), v));
	if (parts)
		return parts.map((part, i) => viemValue(part, value[i]));
	return base.startsWith('uint') && Number(base.slice(4)) <= 48 ? Number(value) : value;
}

const viemParameters = (types) => parseAbiParameters(types.map(viemType).join(','));

function* random(t) {
	for (let i = 0; i < 700; i++) {
		const types = shapes[i % shapes.length];
		const values = types.map((type) => randomValue(type, t));
		const encoded = encodeAbiParameters(viemParameters(types),
			types.map((type, j) => viemValue(type, values[j])));
		yield* both('random', types, values, encoded);
		const cutWords = encoded.slice(0, -64);
		yield { name: 'cut', command: ['abi.decode', `(${types.join(',')})`, cutWords], expect: REFUSED };
	}
}

// One byte of a good encoding changed.  What we still read must be what viem
// reads, and must encode to the same bytes or be refused.
function* hostile(t) {
	for (let i = 0; i < 3000; i++) {
		const types = shapes[i % shapes.length];
		const parameters = viemParameters(types);
		const good = encodeAbiParameters(parameters,
			types.map((type) => viemValue(type, randomValue(type, t))));
		const data = Buffer.from(good.slice(2), 'hex');
		const at = t.below(3) ? 32 * t.below(data.length / 32) + 31 : t.below(data.length);
		data[at] = t.below(3) ? data[at] ^ (1 << t.below(8)) : t.below(256);
		const hex = t.hex(data);
		let expect = REFUSED;
		try {
			const values = decodeAbiParameters(parameters, hex);
			if (encodeAbiParameters(parameters, values) === hex)
				expect = types.flatMap((type, j) => tokens(type, values[j])).join(' ');
			else
				continue; // a second spelling: unit tests say which are refused
		} catch {
			// refused there too
		}
		yield { name: 'hostile', command: ['abi.decode', `(${types.join(',')})`, hex], expect };
	}
}

export function* cases(tools) {
	yield* published(tools);
	yield* random(tools);
	yield* hostile(tools);
}
