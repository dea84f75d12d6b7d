// P6: 10,000 logs over HTTP from a canned server to decoded, validated facts.
import { join } from 'node:path';
import { ROOT, TESTS, endWithUs, startListening } from '../harness.mjs';
import { LOGS, SHAPES } from './canned_logs.mjs';
import { Worker, interleave, median } from './interleave.mjs';

const ROUNDS = 9;
/* requests in a turn; ethers takes a second for one */
const TIMES = { ours: 7, transfer: 7, viem: 2, ethers: 1 };
const WARM_UP = 2; /* turns: the peers' code is compiled by then */
const FASTER = 5;
const TRANSFERS = 3;

const OURS = join(ROOT, 'build/main/tests/bench/logs_bench');
const peer = (name) => new Worker(process.execPath,
	[join(TESTS, 'bench/getlogs_peer.mjs'), name]);

// All who decode must come to the same facts.
async function agree(shape, url, workers) {
	const digests = new Set();
	for (const name of ['ours', 'viem', 'ethers']) {
		const { n, digest } = await workers[name].ask(`${url} 1 digest`);
		if (n !== LOGS)
			throw new Error(`${shape}: ${name} has ${n} logs of ${LOGS}`);
		digests.add(digest);
	}
	if (digests.size !== 1)
		throw new Error(`${shape}: ours, viem and ethers differ about the logs`);
}

async function rowsOf(shape, url, workers) {
	await agree(shape, url, workers);
	const line = (name) => `${url} ${TIMES[name]}`;
	await interleave(workers, line, WARM_UP);
	const answers = await interleave(workers, line, ROUNDS);
	const ms = Object.fromEntries(Object.entries(answers).map(([name, list]) =>
		[name, median(list.flatMap((answer) => answer.ms))]));
	const row = (peer_name, of) => ({ name: `${LOGS} logs, ${shape}`, ours: ms.ours,
		peer: ms[of], peer_name, unit: 'ms' });
	return [
		{ ...row('viem getLogs', 'viem'), ratio: ms.viem / ms.ours, bar: FASTER },
		{ ...row('ethers 5 getLogs', 'ethers'), ratio: ms.ethers / ms.ours, bar: FASTER },
		{ ...row('the transfer alone', 'transfer'), ratio: ms.ours / ms.transfer,
			bar: TRANSFERS, at_most: true },
	];
}

export async function run() {
	const children = [];
	const workers = {};
	endWithUs(() => children.forEach((child) => child.kill('SIGKILL')));
	try {
		const server = await startListening(children, process.execPath,
			[join(TESTS, 'bench/canned_server.mjs')]);
		workers.ours = new Worker(OURS, ['read']);
		workers.transfer = new Worker(OURS, ['transfer']);
		workers.viem = peer('viem');
		workers.ethers = peer('ethers');
		const rows = [];
		for (const shape of Object.keys(SHAPES))
			rows.push(...await rowsOf(shape, `${server}/${shape}`, workers));
		return rows;
	} finally {
		Object.values(workers).forEach((worker) => worker.end());
		children.forEach((child) => child.kill('SIGTERM'));
	}
}
