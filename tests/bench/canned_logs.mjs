// Replies of eth_getLogs as nodes write them: the same 10,000 logs in several
// hands.  SHAPES: name → () => Buffer.
import { getAddress } from 'viem';

export const LOGS = 10000;
const CONTRACTS = 6;
const FIRST_BLOCK = 21000000;
const LOGS_OF_BLOCK = 40;
const LOGS_OF_TX = 3;
const WORDS_MAX = 7; /* of a log's data: the compact reply is 7 MB */

/* xorshift32: the same logs in every run */
let state = 0x9e3779b9;
function random(below) {
	state ^= state << 13;
	state ^= state >>> 17;
	state ^= state << 5;
	return (state >>> 0) % below;
}

function hex(bytes) {
	let text = '0x';
	for (let i = 0; i < bytes; i++)
		text += random(256).toString(16).padStart(2, '0');
	return text;
}

const quantity = (n) => '0x' + n.toString(16);

function make() {
	const contracts = Array.from({ length: CONTRACTS }, () => hex(20));
	const events = Array.from({ length: CONTRACTS }, () => hex(32));
	const logs = [];
	let hash, tx;
	for (let i = 0; i < LOGS; i++) {
		const index = i % LOGS_OF_BLOCK;
		if (index === 0)
			hash = hex(32);
		if (index % LOGS_OF_TX === 0)
			tx = hex(32);
		const kind = random(CONTRACTS);
		logs.push({
			address: contracts[kind],
			topics: [events[kind], ...Array.from({ length: random(4) }, () =>
				random(2) ? hex(32) : '0x' + '0'.repeat(24) + hex(20).slice(2))],
			data: hex(32 * random(WORDS_MAX) + (random(10) ? 0 : random(32))),
			blockNumber: quantity(FIRST_BLOCK + Math.floor(i / LOGS_OF_BLOCK)),
			transactionHash: tx,
			transactionIndex: quantity(Math.floor(index / LOGS_OF_TX)),
			blockHash: hash,
			logIndex: quantity(index),
			removed: false,
		});
	}
	return logs;
}

const logs = make();
const reply = (result) => ({ jsonrpc: '2.0', id: 1, result });
const upper = (text) => '0x' + text.slice(2).toUpperCase();

export const SHAPES = {
	/* geth, reth */
	compact: () => JSON.stringify(reply(logs)),
	/* checksummed addresses, another order, fields of its own */
	checksummed: () => JSON.stringify({ id: 1, jsonrpc: '2.0',
		result: logs.map((log) => ({
			address: getAddress(log.address), blockHash: log.blockHash,
			blockNumber: log.blockNumber, data: log.data, logIndex: log.logIndex,
			removed: false, topics: log.topics, transactionHash: log.transactionHash,
			transactionIndex: log.transactionIndex, transactionLogIndex: '0x0',
			type: 'mined', blockTimestamp: '0x67000000' })) }),
	/* behind a gateway that prints for people: the id last, upper case, spaces */
	spaced: () => JSON.stringify({
		result: logs.map((log) => ({
			removed: false, logIndex: log.logIndex,
			transactionIndex: log.transactionIndex,
			transactionHash: upper(log.transactionHash),
			blockHash: upper(log.blockHash), blockNumber: log.blockNumber,
			data: upper(log.data), topics: log.topics.map(upper),
			address: log.address })),
		id: 1, jsonrpc: '2.0' }, null, 1),
};
