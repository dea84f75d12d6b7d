// What an L1 endpoint can say that is not so: one function a fault, in a table
// with those of the wire.  Functions are as wire-faults.mjs has them.
import { keccak256, numberToHex, toRlp } from 'viem';
import { WIRE_FAULTS } from './wire-faults.mjs';

const COUNTS = ['eth_getTransactionCount', 'eth_getBalance'];
const STATE = [...COUNTS, 'eth_getProof', 'eth_getStorageAt', 'eth_getCode'];
const AHEAD_S = 60n;
const LAG_BLOCKS = 8;
const HASH = /0x[0-9a-f]{64}(?![0-9a-f])/g;

export const FAULTS = {
	honest: (endpoint, calls) => endpoint.forward(calls),
	...WIRE_FAULTS,

	// ---- an old head, honestly or not ----------------------------------------
	lag: async (endpoint, calls) => {
		const head = await endpoint.head();
		return capped(endpoint, calls, head - (endpoint.settings.blocks ?? LAG_BLOCKS));
	},
	// the head stands still where it was when the fault began
	frozen: async (endpoint, calls) => {
		endpoint.memory.head ??= await endpoint.head();
		return capped(endpoint, calls, endpoint.memory.head);
	},
	// the chain at half speed: true blocks, a time that falls behind
	drift: async (endpoint, calls) => {
		const head = await endpoint.head();
		const from = endpoint.memory.head ??= head;
		return capped(endpoint, calls, from + Math.floor((head - from) / 2));
	},

	// ---- another chain above the block where the lie began ----------------------
	// Right numbers, forged hashes that fit their headers, parents that fit.
	// Claims an earlier time, so that a dead sequencer looks fine …
	'lie-head': (endpoint, calls) => forged(endpoint, calls,
		(block, fork) => fork.timestamp + (block.timestamp - fork.timestamp) / 2n),
	// … or a later one, so that a live sequencer looks dead.
	'lie-ahead': (endpoint, calls) => forged(endpoint, calls,
		(block) => block.timestamp + AHEAD_S),

	// True hashes, another time and base fee: no fork, only what nobody checks.
	'lie-time': async (endpoint, calls) => (await endpoint.forward(calls))
		.map((answer, i) => calls[i].method.startsWith('eth_getBlockBy') && answer.result ?
			{ ...answer, result: { ...answer.result,
				timestamp: numberToHex(BigInt(answer.result.timestamp) + AHEAD_S),
				baseFeePerGas: numberToHex(
					1000n * BigInt(answer.result.baseFeePerGas ?? 1)) } } : answer),
	// every transaction reverts, and costs nothing to estimate
	'lie-revert': async (endpoint, calls) => (await endpoint.forward(calls))
		.map((answer, i) => calls[i].method === 'eth_estimateGas' ? { jsonrpc: '2.0',
			id: answer.id, error: { code: 3, message: 'execution reverted', data: '0x' } } :
			answer),

	// ---- true heads, false contents ------------------------------------------
	'omit-logs': async (endpoint, calls) => (await endpoint.forward(calls))
		.map((answer, i) => calls[i].method === 'eth_getLogs' && answer.result ?
			{ ...answer, result: [] } : answer),
	// every word of storage that looks like a time or a count, one higher, and an
	// account's nonce and balance
	'lie-state': async (endpoint, calls) => {
		const answers = (await endpoint.forward(calls)).map((answer, i) =>
			calls[i].method === 'eth_getStorageAt' && answer.result ?
				{ ...answer, result: bump(answer.result) } :
				COUNTS.includes(calls[i].method) && answer.result ?
					{ ...answer, result: numberToHex(BigInt(answer.result) + 1n) } : answer);
		return endpoint.settings.proofs === false ?
			lacking(calls, answers, ['eth_getProof']) : answers;
	},
	// an account's proof with another leaf, and what it says beside it; with
	// settings.words true, these alone
	'lie-account': async (endpoint, calls) => (await endpoint.forward(calls))
		.map((answer, i) => calls[i].method === 'eth_getProof' && answer.result ?
			{ ...answer, result: { ...answer.result, nonce: '0x63', balance: '0x1',
				...endpoint.settings.words ? {} :
					{ accountProof: touchLast(answer.result.accountProof) } } } : answer),
	// a word of storage, and of its proof's leaf, one higher
	'lie-proof': async (endpoint, calls) => (await endpoint.forward(calls))
		.map((answer, i) => calls[i].method === 'eth_getProof' && answer.result ?
			{ ...answer, result: forgedProof(answer.result) } : answer),
	// the code of another contract, all of it but its end, or with settings.from
	// made settings.to
	'other-code': (endpoint, calls) => withCode(endpoint, calls, () => OTHER_CODE),
	'swapped-code': (endpoint, calls) => withCode(endpoint, calls, (code) =>
		code.replaceAll(endpoint.settings.from, endpoint.settings.to)),
	'cut-code': (endpoint, calls) => withCode(endpoint, calls, (code) => code.slice(0, -2)),
	// the same other logs and another calldata from all who tell this lie
	'lie-logs': async (endpoint, calls) => (await endpoint.forward(calls))
		.map((answer, i) => forgedLogs(calls[i].method, answer,
			endpoint.settings)),
	// a plan without proofs
	'no-proof': async (endpoint, calls) => lacking(calls, await endpoint.forward(calls),
		['eth_getProof', 'eth_getBlockReceipts',
			...endpoint.settings.receipts === false ? ['eth_getTransactionReceipt'] : []]),
	// receipts one by one alone; with settings.lie true, with other logs in them
	'no-receipts': async (endpoint, calls) => {
		const answers = lacking(calls, await endpoint.forward(calls), ['eth_getBlockReceipts']);
		return !endpoint.settings.lie ? answers : answers.map((answer, i) =>
			calls[i].method === 'eth_getTransactionReceipt' && answer.result ?
				{ ...answer, result: touchReceipt(answer.result) } : answer);
	},
	// every transaction failed, and cost more; settings.receipts false: and there
	// is no proof of the contrary
	'lie-status': async (endpoint, calls) => {
		const answers = (await endpoint.forward(calls)).map((answer, i) =>
			!answer.result ? answer :
				calls[i].method === 'eth_getTransactionReceipt' ?
					{ ...answer, result: failed(answer.result) } :
					calls[i].method === 'eth_getBlockReceipts' ?
						{ ...answer, result: answer.result.map(failed) } : answer);
		return endpoint.settings.receipts === false ?
			lacking(calls, answers, ['eth_getBlockReceipts']) : answers;
	},
	// ---- logs by range: what a plan allows, in two dialects, and lies --------
	'narrow-ranges': (endpoint, calls) => ranged(endpoint, calls, ({ from, to }) => {
		const most = endpoint.settings.blocks ?? 100;
		return to - from + 1 > most && { code: -32005, message:
			'query returned more than 10000 results. Try with this block range ' +
			`[${numberToHex(from)}, ${numberToHex(from + most - 1)}].` };
	}),
	'short-lists': (endpoint, calls) => ranged(endpoint, calls, ({ result }) =>
		result.length > (endpoint.settings.logs ?? 20) && { code: -32000,
			message: 'response size should not greater than 10000000 bytes' }),
	// every other log is left out of a range
	'omit-ranged-logs': (endpoint, calls) => ranged(endpoint, calls, () => false,
		(result) => result.filter((_, i) => i % 2 === 1)),
	'no-ranges': (endpoint, calls) => ranged(endpoint, calls, () =>
		({ code: -32601, message: 'Method not found' })),
	'wrong-chain': async (endpoint, calls) => (await endpoint.forward(calls))
		.map((answer, i) => ['eth_chainId', 'net_version'].includes(calls[i].method) ?
			{ ...answer, result: '0x539' } : answer),
	'null-blocks': async (endpoint, calls) => (await endpoint.forward(calls))
		.map((answer, i) => calls[i].method.startsWith('eth_getBlockBy') ?
			{ ...answer, result: null } : answer),
	'old-state-error': async (endpoint, calls) => (await endpoint.forward(calls))
		.map((answer, i) => STATE.includes(calls[i].method) ? { jsonrpc: '2.0',
			id: answer.id, error: { code: -32000, message: 'missing trie node' } } : answer),
};

const OTHER_CODE = '0x60006000fd';

// settings.proofs false: such a plan has no proofs either; 'lost': not now.
async function withCode(endpoint, calls, change) {
	const answers = (await endpoint.forward(calls)).map((answer, i) =>
		calls[i].method === 'eth_getCode' && answer.result?.length > 2 ?
			{ ...answer, result: change(answer.result) } : answer);
	if (endpoint.settings.proofs === false)
		return lacking(calls, answers, ['eth_getProof']);
	return endpoint.settings.proofs !== 'lost' ? answers : answers.map((answer, i) =>
		calls[i].method === 'eth_getProof' ? { jsonrpc: '2.0', id: answer.id,
			error: { code: -32000, message: 'missing trie node' } } : answer);
}

const lacking = (calls, answers, methods) => answers.map((answer, i) =>
	methods.includes(calls[i].method) ? { jsonrpc: '2.0', id: answer.id, error: { code: -32601,
		message: `the method ${calls[i].method} does not exist/is not available` } } : answer);

// refuse: what is asked for and found → a JSON-RPC error, or false.
async function ranged(endpoint, calls, refuse, change = (result) => result) {
	const answers = await endpoint.forward(calls);
	return answers.map((answer, i) => {
		const filter = calls[i].params?.[0];
		if (calls[i].method !== 'eth_getLogs' || !filter?.fromBlock || !answer.result)
			return answer;
		const error = refuse({ from: Number(filter.fromBlock), to: Number(filter.toBlock),
			result: answer.result });
		return error ? { jsonrpc: '2.0', id: answer.id, error } :
			{ ...answer, result: change(answer.result) };
	});
}

const failed = (receipt) => ({ ...receipt, status: '0x0',
	gasUsed: numberToHex(BigInt(receipt.gasUsed) + 1n) });
const touchReceipt = (receipt) => receipt.logs.length ? { ...receipt,
	logs: receipt.logs.map((log) => ({ ...log, data: log.data + '00'.repeat(32) })) } :
	{ ...receipt, cumulativeGasUsed: numberToHex(BigInt(receipt.cumulativeGasUsed) + 1n) };

// blooms: false, and its headers are true: one that does not hash gives a liar away
function forgedLogs(method, answer, { blooms = true }) {
	const forge = (log) => ({ ...log, data: log.data + 'ff'.repeat(32) });
	const { result } = answer;
	if (!result)
		return answer;
	if (method === 'eth_getLogs')
		return { ...answer, result: result.map(forge) };
	if (method === 'eth_getBlockReceipts')
		return { ...answer, result: result.map((receipt) =>
			({ ...receipt, logs: receipt.logs.map(forge) })) };
	if (method === 'eth_getTransactionByHash')
		return { ...answer, result: { ...result, input: result.input + 'ff' } };
	if (blooms && method.startsWith('eth_getBlockBy'))
		return { ...answer, result: { ...result, logsBloom: '0x' + '00'.repeat(256) } };
	return answer;
}

function forgedProof(reply) {
	const storageProof = reply.storageProof.map((slot) => slot.proof.length ? { ...slot,
		value: bump(slot.value), proof: touchLast(slot.proof) } : slot);
	return { ...reply, storageProof };
}

const touchLast = (proof) => [...proof.slice(0, -1),
	proof.at(-1).replace(/.$/, (last) => last === '0' ? '1' : '0')];

// A node whose head is `cap`: it knows nothing above.
async function capped(endpoint, calls, cap) {
	const top = Math.max(0, cap);
	const lower = (tag) => tag === 'latest' || tag === 'pending' ? numberToHex(top) :
		tag === 'safe' || tag === 'finalized' ? numberToHex(Math.max(0, top - 2)) : tag;
	const asked = calls.map((call) => ({ ...call,
		params: (call.params ?? []).map((param) => typeof param === 'string' ?
			lower(param) : call.method === 'eth_getLogs' && param?.blockHash === undefined ?
				{ ...param, toBlock: clip(lower(param.toBlock ?? 'latest'), top) } : param) }));
	const answers = await endpoint.forward(asked);
	return answers.map((answer, i) => {
		if (calls[i].method === 'eth_blockNumber')
			return { ...answer, result: numberToHex(top) };
		const at = Number(answer.result?.blockNumber ?? answer.result?.number ?? 0);
		return at > top ? { ...answer, result: null } : answer;
	});
}

const clip = (tag, top) => /^0x/.test(tag) && Number(tag) > top ? numberToHex(top) : tag;

// Serves a forged chain above the block where the fault began.
async function forged(endpoint, calls, time) {
	const head = await endpoint.head();
	const lie = endpoint.memory.lie ??= await startLie(endpoint, head);
	await extendLie(endpoint, lie, head, time);
	const swap = (value, map) => JSON.parse(JSON.stringify(value)
		.replace(HASH, (hash) => map.get(hash) ?? hash));
	const asked = calls.map((call) => ({ ...call, params: swap(call.params ?? [], lie.toReal)
		.map((param) => param === 'latest' || param === 'pending' ?
			numberToHex(head) : param) }));
	const answers = await endpoint.forward(asked);
	return answers.map((answer, i) => {
		if (calls[i].method === 'eth_blockNumber')
			return { ...answer, result: numberToHex(head) };
		const told = swap(answer, lie.toForged);
		const header = told.result?.parentHash && lie.headers.get(told.result.hash);
		if (header)
			Object.assign(told.result, { timestamp: header.timestamp });
		return told;
	});
}

async function startLie(endpoint, head) {
	const [{ result }] = await endpoint.forward([blockCall(head)]);
	return { fork: { number: head, hash: result.hash, timestamp: BigInt(result.timestamp) },
		last: { number: head, hash: result.hash },
		toReal: new Map(), toForged: new Map(), headers: new Map() };
}

async function extendLie(endpoint, lie, head, time) {
	const missing = [];
	for (let n = lie.last.number + 1; n <= head; n++)
		missing.push(blockCall(n));
	for (const { result } of missing.length ? await endpoint.forward(missing) : []) {
		if (Number(result.number) !== lie.last.number + 1)
			continue; // another request has been here meanwhile
		const block = { ...result, timestamp: BigInt(result.timestamp) };
		const header = { ...result, parentHash: lie.last.hash,
			timestamp: numberToHex(time(block, lie.fork)) };
		header.hash = headerHash(header);
		lie.toReal.set(header.hash, result.hash);
		lie.toForged.set(result.hash, header.hash);
		lie.headers.set(header.hash, header);
		lie.last = { number: Number(result.number), hash: header.hash };
	}
}

const blockCall = (number) => ({ jsonrpc: '2.0', id: 1, method: 'eth_getBlockByNumber',
	params: [numberToHex(number), false] });

const FIELDS = ['parentHash', 'sha3Uncles', 'miner', 'stateRoot', 'transactionsRoot',
	'receiptsRoot', 'logsBloom', '#difficulty', '#number', '#gasLimit', '#gasUsed',
	'#timestamp', 'extraData', 'mixHash', 'nonce', '#baseFeePerGas', 'withdrawalsRoot',
	'#blobGasUsed', '#excessBlobGas', 'parentBeaconBlockRoot', 'requestsHash'];

// The hash of a block as JSON-RPC shows it: fields a fork has not yet are absent
// at the end.
export function headerHash(block) {
	const values = [];
	for (const field of FIELDS) {
		const name = field.replace('#', '');
		if (block[name] === undefined || block[name] === null)
			break;
		values.push(field[0] !== '#' ? block[name] : BigInt(block[name]) === 0n ? '0x' :
			numberToHex(BigInt(block[name]), { size: Math.ceil(
				BigInt(block[name]).toString(16).length / 2) }));
	}
	return keccak256(toRlp(values));
}

function bump(data) {
	const words = data.slice(2).match(/.{64}/g) ?? [];
	return '0x' + words.map((word) => {
		const value = BigInt('0x' + word);
		return value > 0n && value < 2n ** 40n ?
			(value + 1n).toString(16).padStart(64, '0') : word;
	}).join('');
}
