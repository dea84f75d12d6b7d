// Bytes, records and hashes of the ledger.  No I/O.
// Shapes are those of the protocol: a record is kind(1) owner(20) payload(32).
import { keccak256, bytesToHex, hexToBytes } from 'viem';

export const RECORD = 53;
export const ENTRY = 5 + RECORD;
export const STEP = 64;
export const MAX_ENTRIES = 2048;
export const BALANCE = 1;
export const CREDENTIAL = 2;
export const NATIVE = '0x0000000000000000000000000000000000000000';
export const ZERO32 = '0x' + '00'.repeat(32);

export const keccak = (bytes) => keccak256(bytes, 'bytes');
export const hex = bytesToHex;
export const unhex = (text) => hexToBytes(text);

// Big-endian bytes of a non-negative integer; throws when it does not fit.
export function be(value, size) {
	const out = new Uint8Array(size);
	let rest = BigInt(value);
	for (let i = size - 1; i >= 0; i--) {
		out[i] = Number(rest & 0xffn);
		rest >>= 8n;
	}
	if (rest !== 0n)
		throw new Error(`${value} does not fit ${size} bytes`);
	return out;
}

export function unbe(bytes) {
	let value = 0n;
	for (const byte of bytes)
		value = (value << 8n) | BigInt(byte);
	return value;
}

export function concat(...parts) {
	const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
	let at = 0;
	for (const part of parts) {
		out.set(part, at);
		at += part.length;
	}
	return out;
}

export function same(a, b) {
	if (a.length !== b.length)
		return false;
	for (let i = 0; i < a.length; i++)
		if (a[i] !== b[i])
			return false;
	return true;
}

export const balanceRecord = (owner, asset, amount) =>
	concat(be(BALANCE, 1), unhex(owner), unhex(asset), be(amount, 12));

export const credentialRecord = (owner, commitment) =>
	concat(be(CREDENTIAL, 1), unhex(owner), unhex(commitment));

export const kindOf = (record) => record[0];
export const ownerOf = (record) => hex(record.subarray(1, 21));
export const assetOf = (record) => hex(record.subarray(21, 41));
export const amountOf = (record) => unbe(record.subarray(41, 53));
export const commitmentOf = (record) => hex(record.subarray(21, 53));

export function withAmount(record, amount) {
	const out = Uint8Array.from(record);
	out.set(be(amount, 12), 41);
	return out;
}

// A record once written keeps kind, owner and (for a balance) asset for ever.
export function mayReplace(before, after) {
	const fixed = kindOf(before) === BALANCE ? 41 : 21;
	return same(before.subarray(0, fixed), after.subarray(0, fixed));
}
