// The faulty L1 endpoint in front of a real node.
// Prints "l1-endpoint: N passed, N failed".
import { once } from 'node:events';
import { join } from 'node:path';
import { ANVIL, TESTS, endWithUs, startListening } from '../harness.mjs';
import { headerHash } from './l1-faults.mjs';

const children = [];
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
let passed = 0;
let failed = 0;

function expect(good, text) {
	if (good)
		return passed++;
	failed++;
	process.stdout.write(`FAIL ${text}\n`);
}

endWithUs(() => children.forEach((child) => child.kill('SIGKILL')));

const start = (program, args) => startListening(children, program, args);

const post = (url, body) => fetch(url, { method: 'POST',
	body: typeof body === 'string' ? body : JSON.stringify(body),
	headers: { 'content-type': 'application/json' }, signal: AbortSignal.timeout(1500) });

async function ask(url, ...calls) {
	const response = await post(url, calls.map(([method, ...params], id) =>
		({ jsonrpc: '2.0', id, method, params })));
	const answers = await response.json();
	expect(answers.every(({ id }, i) => id === i), 'answers carry the ids of the calls');
	return answers.map(({ result }) => result);
}

const node = await start(ANVIL, ['--port', '0', '--block-time', '1',
	'--slots-in-an-epoch', '1']);
const url = await start(process.execPath, [join(TESTS, 'integration', 'l1-endpoint.mjs'), '--upstream', node,
	'--listen', '127.0.0.1:0', '--name', 'a']);
const fault = (name, more) => post(`${url}/__fault`, { fault: name, ...more });
const head = ['eth_getBlockByNumber', 'latest', false];

async function honest() {
	const [mine, theirs] = [(await ask(url, head))[0], (await ask(node, head))[0]];
	expect(Number(theirs.number) - Number(mine.number) <= 1 &&
		headerHash(mine) === mine.hash, 'honest: the head of the node');
	const single = await (await post(url, { jsonrpc: '2.0', id: 'x',
		method: 'eth_chainId', params: [] })).json();
	expect(single.id === 'x' && single.result === '0x7a69', 'honest: a single call');
}

async function lies(name, told) {
	await fault(name);
	await ask(url, head);
	await sleep(3200);
	const [block, number] = await ask(url, head, ['eth_blockNumber']);
	const [real] = await ask(node, ['eth_getBlockByNumber', block.number, false]);
	expect(block.hash !== real.hash && number === block.number, `${name}: another chain`);
	expect(headerHash(block) === block.hash, `${name}: its hash fits its header`);
	expect(told(Number(block.timestamp) - Number(real.timestamp)), `${name}: another time`);
	const [parent, byHash, balance] = await ask(url,
		['eth_getBlockByNumber', '0x' + (block.number - 1).toString(16), false],
		['eth_getBlockByHash', block.hash, false],
		['eth_getBalance', '0x' + '00'.repeat(20), { blockHash: block.hash }]);
	expect(parent.hash === block.parentHash, `${name}: parents fit`);
	expect(byHash.hash === block.hash && byHash.timestamp === block.timestamp,
		`${name}: found by its hash`);
	expect(/^0x/.test(balance), `${name}: state at its hash`);
}

async function oldHeads() {
	await fault('lag', { blocks: 3 });
	const [[lagging], [latest]] = [await ask(url, head), await ask(node, head)];
	const behind = Number(latest.number) - Number(lagging.number);
	expect(behind >= 3 && behind <= 4, `lag: ${behind} blocks behind`);
	const [above] = await ask(url, ['eth_getBlockByHash', latest.hash, false]);
	expect(above === null, 'lag: knows nothing above its head');
	await fault('frozen');
	const [[first], [finalized]] = [await ask(url, head),
		await ask(url, ['eth_getBlockByNumber', 'finalized', false])];
	await sleep(2200);
	expect((await ask(url, head))[0].hash === first.hash, 'frozen: the head stands still');
	expect(Number(finalized.number) === Number(first.number) - 2, 'frozen: finalized too');
	await fault('drift');
	const [before] = await ask(url, head);
	await sleep(4000);
	const moved = Number((await ask(url, head))[0].number) - Number(before.number);
	expect(moved >= 1 && moved <= 3, `drift: ${moved} blocks in 4 s`);
}

async function connections() {
	const call = { jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] };
	const outcome = async (name) => {
		await fault(name);
		return post(url, call).then(async (response) => {
			const text = await response.text();
			try {
				return JSON.parse(text);
			} catch {
				return response.status === 200 ? 'not JSON' : response.status;
			}
		}, (problem) => problem.name);
	};
	expect(await outcome('down') === 'TypeError', 'down');
	expect(await outcome('hang') === 'TimeoutError', 'hang');
	expect(await outcome('garbage') === 'not JSON', 'garbage');
	expect(await outcome('truncated') === 'not JSON', 'truncated');
	expect(await outcome('http-500') === 500, 'http-500');
	expect((await outcome('rate-limit')).error.code === -32005, 'rate-limit');
	expect((await outcome('wrong-chain')).result === '0x539', 'wrong-chain');
	expect((await fault('nonsense')).status === 400, 'an unknown fault is refused');
	expect((await outcome('honest')).result === '0x7a69', 'honest again');
}

try {
	await honest();
	await lies('lie-head', (shift) => shift <= -1 && shift >= -5);
	await lies('lie-ahead', (shift) => shift === 60);
	await oldHeads();
	await connections();
} catch (problem) {
	expect(false, problem.stack);
}
for (const child of children) {
	child.kill('SIGKILL');
	await once(child, 'exit');
}
process.stdout.write(`l1-endpoint: ${passed} passed, ${failed} failed\n`);
process.exit(failed || !passed ? 1 : 0);
