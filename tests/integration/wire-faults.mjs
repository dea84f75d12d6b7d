// What an endpoint can do wrong on the wire: one function a fault, in a table.
// A fault gets the endpoint, the calls of one HTTP request (always a list) and
// node's response; it returns the answers in that order, or {status, text,
// headers}, or nothing when it has dealt with the connection itself.  The
// nth request of a fault takes the nth of its variants, in turn.
//   connects(endpoint, socket)   before any request, of a new connection
//   begins(endpoint)             when the fault is set
import { once } from 'node:events';
import { constants, deflateRawSync, gzipSync } from 'node:zlib';

const GIGABYTE = 1 << 30;
const BLOCK = Buffer.alloc(256 << 10, '0');
const SLOW_MS = 2500;
const DRIP_MS = 1000;
const PROMPT_MS = 20; // a drip that never pauses for long
const HTML = '<html><head><title>502 Bad Gateway</title></head><body></body></html>';
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// The variant of this request.
const turn = (endpoint, variants) => variants[(endpoint.served - 1) % variants.length];

const error = (code, message) => ({ code, message });
const failing = (calls, problem) => calls.map(({ id }) => ({ jsonrpc: '2.0', id, error: problem }));
const refused = (problem) => ({ status: 200,
	text: JSON.stringify({ jsonrpc: '2.0', id: null, error: problem }) });

// Each call refused, the batch as one, and one call of a good batch.
async function refuse(endpoint, calls, messages) {
	const problem = turn(endpoint, messages);
	return turn(endpoint, [
		() => failing(calls, problem),
		() => refused(problem),
		async () => [...(await endpoint.forward(calls)).slice(0, -1),
			...failing(calls.slice(-1), problem)],
	])();
}

const answerText = async (endpoint, calls) => JSON.stringify(await endpoint.forward(calls));

function raw(response, head, ...parts) {
	const { socket } = response;
	socket.write(`HTTP/1.1 ${head.join('\r\n')}\r\n\r\n`);
	for (const part of parts)
		socket.write(part);
	return socket;
}

// Until `most` bytes are taken or the other side has gone; counts them.
async function pour(endpoint, socket, block, most) {
	let taken = 0;
	const closed = once(socket, 'close');
	while (taken < most && !socket.destroyed) {
		if (!socket.write(block))
			await Promise.race([closed, new Promise((done) => socket.once('drain', done))]);
		taken += block.length;
		endpoint.taken = Math.max(endpoint.taken, taken - socket.writableLength);
	}
	socket.destroy();
}

async function drip(endpoint, response, text) {
	const ms = endpoint.settings.ms ?? turn(endpoint, [DRIP_MS, PROMPT_MS]);
	for (let i = 0; i < text.length && !response.socket?.destroyed; i++) {
		response.socket.write(text[i]);
		await sleep(ms);
	}
	response.socket?.destroy();
}

const headers = (text) => ['200 OK', 'Content-Type: application/json',
	`Content-Length: ${Buffer.byteLength(text)}`];

// A deflate stream of a MiB of zeros that another can follow: full flushes.
function bomb() {
	const block = deflateRawSync(Buffer.alloc(1 << 20),
		{ level: 9, finishFlush: constants.Z_FULL_FLUSH });
	const magic = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3]);
	return Buffer.concat([magic, ...Array(1100).fill(block)]);
}

let packed; // made once

const encoded = (encoding, body) => (endpoint, calls, response) =>
	void raw(response, ['200 OK', `Content-Encoding: ${encoding}`,
		`Content-Length: ${body().length}`], body());

function bombs() {
	packed ??= { once: bomb() };
	packed.twice ??= gzipSync(packed.once);
	return packed;
}

const shifted = (change) => async (endpoint, calls) =>
	(await endpoint.forward(calls)).map((answer, i) => ({ ...answer, id: change(answer.id, i) }));

export const WIRE_FAULTS = {
	down: (endpoint, calls, response) => void response.socket.destroy(),
	hang: () => undefined,
	slow: async (endpoint, calls) => {
		await sleep(endpoint.settings.ms ?? SLOW_MS);
		return endpoint.forward(calls);
	},
	flaky: (endpoint, calls, response) => Math.random() < 0.5 ?
		void response.socket.destroy() : endpoint.forward(calls),
	// connections that stood when the fault began answer no more, new ones do
	'dead-connection': (endpoint, calls, response) =>
		endpoint.memory.dead.has(response.req.socket.remotePort) ? undefined :
			endpoint.forward(calls),
	// after the request, in the middle of the answer, at the connection
	reset: (endpoint, calls, response) => turn(endpoint, [
		() => response.socket?.resetAndDestroy(),
		async () => {
			const text = await answerText(endpoint, calls);
			if (!response.socket)
				return;
			raw(response, headers(text), text.slice(0, text.length / 2));
			await sleep(20);
			response.socket?.resetAndDestroy();
		},
	])(),

	// ---- what it says ---------------------------------------------------
	'http-500': () => ({ status: 500, text: 'internal error' }),
	'http-429': (endpoint) => ({ status: 429, text: 'Too Many Requests', headers:
		turn(endpoint, [{ 'retry-after': '1' }, {}, { 'retry-after': 'soon' },
			{ 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }]) }),
	'rate-limit': (endpoint, calls) => failing(calls, error(-32005, 'request rate exceeded')),
	'limit-exceeded': (endpoint, calls) => refuse(endpoint, calls, [
		error(-32005, 'limit exceeded'), error(-32005, 'project ID request rate exceeded'),
		error(-32005, 'daily request count exceeded, request rate limited'),
		error(-32005, 'query returned more than 10000 results')]),
	'invalid-params': (endpoint, calls) => refuse(endpoint, calls, [
		error(-32602, 'invalid argument 0: hex string without 0x prefix'),
		error(-32602, 'eth_getLogs is limited to a 10,000 range'),
		error(-32602, 'too many arguments, want at most 1')]),
	html: (endpoint) => turn(endpoint, [
		{ status: 200, text: HTML, headers: { 'content-type': 'text/html' } },
		{ status: 502, text: HTML, headers: { 'content-type': 'text/html' } },
		{ status: 200, text: HTML }]),
	garbage: () => ({ status: 200, text: HTML }),
	// a right length, a length that never comes, an end without one
	truncated: async (endpoint, calls, response) => {
		const text = await answerText(endpoint, calls);
		const half = text.slice(0, text.length / 2);
		return turn(endpoint, [
			() => ({ status: 200, text: half }),
			() => void raw(response, headers(text), half).end(),
			() => void raw(response, headers(text), half),
			() => void raw(response, ['200 OK', 'Transfer-Encoding: chunked'],
				half.length.toString(16) + '\r\n' + half + '\r\n').end(),
		])();
	},
	'wrong-id': (endpoint, calls) => turn(endpoint, [
		shifted((id) => id + 1), shifted(() => 0), shifted((id) => String(id)),
		shifted(() => null), shifted((id) => id + 0.5), shifted(() => undefined),
		async () => (await endpoint.forward(calls)).slice(1),
		async () => (await endpoint.forward(calls)).flatMap((one) => [one, one]),
	])(endpoint, calls),

	// ---- how much, and how slowly ----------------------------------------
	gigabyte: (endpoint, calls, response) => turn(endpoint, [
		() => pour(endpoint, raw(response, ['200 OK', `Content-Length: ${GIGABYTE}`]),
			BLOCK, GIGABYTE),
		() => pour(endpoint, raw(response, ['200 OK', 'Transfer-Encoding: chunked']),
			Buffer.concat([Buffer.from(BLOCK.length.toString(16) + '\r\n'), BLOCK,
				Buffer.from('\r\n')]), GIGABYTE),
		() => pour(endpoint, raw(response, ['200 OK', 'Connection: close']), BLOCK, GIGABYTE),
		() => pour(endpoint, raw(response, ['200 OK', `X-Long: ${'x'.repeat(1000)}`]
			.concat(Array(64).fill(`X-More: ${'x'.repeat(1000)}`))), BLOCK, GIGABYTE),
	])(),
	'gzip-bomb': (endpoint, calls, response) => turn(endpoint, [
		encoded('gzip', () => bombs().once), encoded('gzip, gzip', () => bombs().twice),
	])(endpoint, calls, response),
	drip: async (endpoint, calls, response) => {
		const text = await answerText(endpoint, calls);
		await drip(endpoint, response, turn(endpoint, [
			`HTTP/1.1 ${headers(text).join('\r\n')}\r\n\r\n${text}`,
			`HTTP/1.1 200 OK\r\n${'X-Slow: yes\r\n'.repeat(1000)}`]));
	},

	// ---- where it leads ---------------------------------------------------
	// settings.to: an endpoint that counts who comes
	redirect: async (endpoint, calls) => ({
		status: turn(endpoint, [301, 302, 303, 307, 308]),
		text: await answerText(endpoint, calls),
		headers: { location: turn(endpoint, [endpoint.settings.to ?? endpoint.upstream.href,
			'file:///etc/hostname', 'gopher://127.0.0.1:1/_x', '/elsewhere',
			'//localhost/', 'ftp://127.0.0.1/']) } }),
	// settings.certificate: which of the bad ones; see Endpoint.present()
	'bad-certificate': (endpoint, calls) => {
		endpoint.trusted++;
		return endpoint.forward(calls);
	},
};

WIRE_FAULTS.reset.connects = (endpoint, socket) => {
	if (++endpoint.served % 3 === 0)
		socket.resetAndDestroy();
};
WIRE_FAULTS['dead-connection'].begins = (endpoint) => {
	endpoint.memory.dead = new Set([...endpoint.sockets].map((socket) => socket.remotePort));
};
WIRE_FAULTS['gzip-bomb'].begins = bombs;
WIRE_FAULTS['bad-certificate'].connects = (endpoint) => endpoint.served++;
