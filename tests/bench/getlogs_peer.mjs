// How long one of the peers takes for eth_getLogs: node getlogs_peer.mjs NAME.
// A line "URL TIMES" asks it that often, over one connection; the answer is a
// line {"ms": [...], "n"}, and for "URL TIMES digest" also "digest", the hash of
// every field of every log.
import { createInterface } from 'node:readline';
import { createPublicClient, hexToBytes, http, keccak256 } from 'viem';

const FROM = 21000000;
const TO = 21000249;
const HEAD_BYTES = 20 + 1 + 4 + 3 * 8 + 2 * 32;

async function viem(url) {
	const client = createPublicClient({ transport: http(url) });
	return () => client.getLogs({ fromBlock: BigInt(FROM), toBlock: BigInt(TO) });
}

async function ethers(url) {
	const { providers } = (await import('ethers')).ethers;
	/* Static: does not ask for the chain id before every call */
	const provider = new providers.StaticJsonRpcProvider(url, 1);
	return () => provider.getLogs({ fromBlock: FROM, toBlock: TO });
}

/* The same bytes as logs_bench.c's. */
function digest(logs) {
	const parts = logs.map((log) => {
		const head = Buffer.alloc(HEAD_BYTES);
		const data = hexToBytes(log.data);
		head.set(hexToBytes(log.address), 0);
		head.writeUInt8(log.topics.length, 20);
		head.writeUInt32BE(data.length, 21);
		head.writeBigUInt64BE(BigInt(log.blockNumber), 25);
		head.writeBigUInt64BE(BigInt(log.transactionIndex), 33);
		head.writeBigUInt64BE(BigInt(log.logIndex), 41);
		head.set(hexToBytes(log.blockHash), 49);
		head.set(hexToBytes(log.transactionHash), 81);
		return Buffer.concat([head, ...log.topics.map(hexToBytes), data]);
	});
	return keccak256(Buffer.concat(parts));
}

const make = { viem, ethers }[process.argv[2]];
const asking = new Map();
for await (const line of createInterface({ input: process.stdin })) {
	const [url, times, facts] = line.split(' ');
	if (!asking.has(url))
		asking.set(url, await make(url));
	const ms = [];
	let logs;
	for (let i = 0; i < Number(times); i++) {
		const start = performance.now();
		logs = await asking.get(url)();
		ms.push(performance.now() - start);
	}
	process.stdout.write(JSON.stringify({ ms, n: logs.length,
		...(facts && { digest: digest(logs) }) }) + '\n');
}
