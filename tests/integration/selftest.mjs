// The faulty L1 endpoint in front of a real node.
// Prints "l1-endpoint: N passed, N failed".
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { ANVIL, TESTS, endWithUs, startListening } from '../harness.mjs';
import { makeCertificates } from './certificates.mjs';
import { Endpoint } from './endpoint.mjs';
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

// The first `most` bytes of a raw answer, or all that came in `ms`.
function bytes(most, ms) {
	const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] });
	const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(
		`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
	return new Promise((done) => {
		const parts = [];
		let size = 0;
		const end = () => {
			socket.destroy();
			done(Buffer.concat(parts));
		};
		socket.on('data', (part) => {
			parts.push(part);
			if ((size += part.length) >= most)
				end();
		});
		socket.once('error', end);
		socket.once('close', end);
		setTimeout(end, ms).unref();
	});
}

const status = async () => (await fetch(`${url}/__status`)).json();

// Each variant of a fault, in turn: an error's name or code, or what it says.
async function variants(name, n, more) {
	const call = { jsonrpc: '2.0', id: 7, method: 'eth_chainId', params: [] };
	const seen = [];
	await fault(name, more);
	for (let i = 0; i < n; i++)
		seen.push(await fetch(url, { method: 'POST', body: JSON.stringify([call, { ...call, id: 8 }]),
			redirect: 'manual', signal: AbortSignal.timeout(1000) }).then(async (response) => {
			const text = await response.text();
			try {
				return { status: response.status, location: response.headers.get('location'),
					body: JSON.parse(text) };
			} catch {
				return { status: response.status, after: response.headers.get('retry-after'), text };
			}
		}).catch((problem) => problem.cause?.code ?? problem.name));
	return seen;
}

async function wire() {
	const resets = await variants('reset', 6);
	expect(resets.every((one) => one === 'ECONNRESET' || one === 'UND_ERR_SOCKET'),
		`reset: ${resets}`);
	const [first, second] = await variants('http-429', 2);
	expect(first.status === 429 && first.after === '1' && second.after === null, 'http-429');
	for (const [name, code] of [['limit-exceeded', -32005], ['invalid-params', -32602]]) {
		const [each, whole, one] = (await variants(name, 3)).map(({ body }) => body);
		expect(each.every(({ error }) => error.code === code) && whole.error.code === code &&
			one[0].result === '0x7a69' && one[1].error.code === code, name);
	}
	const [half, short, late, unchunked] = await variants('truncated', 4);
	expect(half.status === 200 && half.text.length > 0 && short === 'UND_ERR_SOCKET' &&
		late === 'TimeoutError' && unchunked === 'UND_ERR_SOCKET',
	`truncated: ${JSON.stringify([half, short, late, unchunked])}`);
	const ids = (await variants('wrong-id', 8)).map(({ body }) => body.map(({ id }) => id));
	expect(ids.length === 8 && ids.every((one) => JSON.stringify(one) !== '[7,8]'),
		`wrong-id: ${JSON.stringify(ids)}`);
	const moved = await variants('redirect', 6);
	expect(moved.map((one) => one.status).join() === '301,302,303,307,308,301' &&
		moved[1].location === 'file:///etc/hostname', 'redirect');
}

async function floods() {
	const MIB = 1 << 20;
	for (const variant of ['a length', 'chunks', 'neither', 'many headers']) {
		if (variant === 'a length')
			await fault('gigabyte');
		const before = (await status()).taken;
		expect((await bytes(8 * MIB, 5000)).length >= 8 * MIB, `gigabyte: ${variant}`);
		const { taken } = await status();
		expect(taken >= Math.max(before, 8 * MIB - (256 << 10)) && taken < 56 * MIB,
			`gigabyte: ${taken} bytes taken`);
	}
	await fault('gzip-bomb');
	const packed = await bytes(64 << 10, 5000);
	const inflate = createGunzip();
	let size = 0;
	inflate.on('data', (part) => size += part.length);
	inflate.on('error', () => undefined);
	await new Promise((done) => inflate.write(packed.subarray(packed.indexOf('\r\n\r\n') + 4), done));
	await sleep(200);
	expect(size > 500 * packed.length, `gzip-bomb: ${packed.length} bytes are ${size}`);
	expect(/Content-Length: 1\d{6}\r/.test(packed), 'gzip-bomb: so it is a GiB');
	await fault('drip');
	const [slow, prompt] = [await bytes(1000, 900), await bytes(1000, 900)];
	expect(slow.length === 1 && prompt.length > 5 && prompt.length < 60,
		`drip: ${slow.length} and ${prompt.length} bytes in 900 ms`);
}

async function certificates() {
	const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
	const made = makeCertificates(folder);
	const endpoint = new Endpoint({ name: 'tls', upstream: node, certificates: made });
	const secure = await endpoint.listen();
	const outcome = (certificate) => {
		endpoint.set(certificate ? { fault: 'bad-certificate', certificate } :
			{ fault: 'honest' });
		return new Promise((done) => {
			const out = request(secure, { method: 'POST', agent: false,
				ca: readFileSync(made.ca) }, (answer) => done(answer.statusCode));
			out.on('error', ({ code }) => done(code));
			out.end('[]');
		});
	};
	expect(await outcome() === 200, 'a good certificate');
	for (const [name, code] of [['self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
		['expired', 'CERT_HAS_EXPIRED'], ['wrong-host', 'ERR_TLS_CERT_ALTNAME_INVALID']]) {
		const found = await outcome(name);
		expect(found === code && endpoint.served === 1, `${name}: ${found}`);
	}
	endpoint.close();
	rmSync(folder, { recursive: true });
}

try {
	await honest();
	await wire();
	await floods();
	await certificates();
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
