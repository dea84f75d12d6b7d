// What the country says to L1, byte for byte: the diff of a batch and its
// signatures, and the messages citizens sign.  Written from the protocol, not
// from our C code, so that two encoders meet.
import { readFileSync } from 'node:fs';
import { decodeErrorResult, decodeEventLog, decodeFunctionData, decodeFunctionResult,
	encodeFunctionData, hashTypedData } from 'viem';
import { ENTRY, MAX_ENTRIES, STEP, be, concat, hex, keccak, unbe,
	unhex } from './bytes.mjs';

const OUT = new URL('../../abi/contracts/out/', import.meta.url);
const loaded = new Map();

// {abi, bytecode, ...} of a compiled contract.
export function contract(name) {
	if (!loaded.has(name))
		loaded.set(name, JSON.parse(readFileSync(new URL(`${name}.json`, OUT), 'utf8')));
	return loaded.get(name);
}

export const encodeCall = (name, functionName, args = []) =>
	encodeFunctionData({ abi: contract(name).abi, functionName, args });

export const decodeCall = (name, data) =>
	decodeFunctionData({ abi: contract(name).abi, data });

export const decodeResult = (name, functionName, data) =>
	decodeFunctionResult({ abi: contract(name).abi, functionName, data });

// {eventName, args}, or undefined for an event that is not the contract's.
export function decodeEvent(name, log) {
	try {
		return decodeEventLog({ abi: contract(name).abi, data: log.data,
			topics: log.topics });
	} catch {
		return undefined;
	}
}

// The name of the custom error in a failed call, or the node's own words.
export function refusal(error, names = ['SovereignRollup', 'EscapeHatch']) {
	for (const name of error.data ? names : []) {
		try {
			const { errorName, args } =
				decodeErrorResult({ abi: contract(name).abi, data: error.data });
			return args?.length ? `${errorName}(${args.join(', ')})` : errorName;
		} catch {
			// the next contract may know it
		}
	}
	return error.message;
}

// ---- the diff -----------------------------------------------------------

// entries: [[index, record]] ascending, at most 2,048
export function encodeDiff(entries) {
	if (entries.length > MAX_ENTRIES)
		throw new Error(`${entries.length} entries in a batch`);
	return concat(...entries.flatMap(([index, record]) => [be(index, 5), record]));
}

export function decodeDiff(diff) {
	if (diff.length % ENTRY || diff.length / ENTRY > MAX_ENTRIES)
		throw new Error(`diff of ${diff.length} bytes`);
	const entries = [];
	for (let at = 0; at < diff.length; at += ENTRY)
		entries.push([Number(unbe(diff.subarray(at, at + 5))),
			diff.slice(at + 5, at + ENTRY)]);
	return entries;
}

// The bytes of each step: 64 entries, the last may hold fewer.
export function chunks(diff) {
	const out = [];
	for (let at = 0; at < diff.length; at += STEP * ENTRY)
		out.push(diff.subarray(at, at + STEP * ENTRY));
	return out;
}

// steps[k] binds a chunk to the root after it.
export const stepHashes = (roots, diff) => chunks(diff).map((chunk, k) =>
	keccak(concat(keccak(chunk), unhex(roots[k]))));

export const diffHash = (roots, diff) => hex(keccak(concat(...stepHashes(roots, diff))));

// ---- EIP-712 ------------------------------------------------------------

const uint = (size, name) => ({ name, type: `uint${size}` });
const bytes32 = (name) => ({ name, type: 'bytes32' });
const address = (name) => ({ name, type: 'address' });

export const TYPES = {
	Batch: [uint(64, 'number'), bytes32('prevRoot'), bytes32('root'),
		uint(64, 'leafCount'), uint(64, 'inboxThrough'), bytes32('inboxAcc'),
		bytes32('diffHash'), address('sequencer')],
	Withdraw: [uint(40, 'index'), uint(96, 'amount'), address('recipient'),
		uint(256, 'salt'), uint(64, 'expiry')],
	ExitTo: [uint(40, 'index'), address('recipient'), uint(64, 'count')],
	ClaimTo: [address('asset'), address('recipient'), uint(256, 'salt'),
		uint(64, 'expiry')],
	// the country's own, opaque to L1: a transfer forced through the inbox
	Transfer: [uint(40, 'from'), uint(40, 'to'), uint(96, 'amount'),
		uint(256, 'salt')],
};

export const domain = (chainId, rollup) =>
	({ name: 'SovereignRollup', version: '1', chainId: Number(chainId),
		verifyingContract: rollup });

export const typed = (chainId, rollup, primaryType, message) => ({
	domain: domain(chainId, rollup), types: { [primaryType]: TYPES[primaryType] },
	primaryType, message });

export const batchDigest = (chainId, rollup, batch, sequencer) =>
	hashTypedData(typed(chainId, rollup, 'Batch', { ...batch, sequencer }));
