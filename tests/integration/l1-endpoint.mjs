// A small L1 endpoint in front of a real node, that can fail and lie.
//   node l1-endpoint.mjs --upstream URL --listen 127.0.0.1:PORT [--name a]
//        [--fault honest|lie-head|lie-ahead|frozen|lag|down|…]
// POST /          JSON-RPC, single calls and batches
// POST /__fault   {"fault": "lag", "blocks": 5}     takes effect at once
// GET  /__status  {"name", "fault", "requests", "faults"}
// An honest endpoint passes bytes through unread; l1-faults.mjs holds the rest.
import { Agent, createServer, request as httpRequest } from 'node:http';
import { parseArgs } from '../country/http.mjs';
import { FAULTS } from './l1-faults.mjs';

const MAX_BODY = 16 << 20;

class Endpoint {
	constructor({ name, upstream, fault }) {
		this.name = name;
		this.upstream = new URL(upstream);
		this.agent = new Agent({ keepAlive: true, maxSockets: 16 });
		this.requests = 0;
		this.set({ fault });
	}

	// Throws on an unknown fault.  A fault starts with an empty memory.
	set({ fault, ...settings }) {
		if (!Object.hasOwn(FAULTS, fault))
			throw new Error(`unknown fault ${fault}: ${Object.keys(FAULTS).join(' ')}`);
		this.fault = fault;
		this.settings = settings;
		this.memory = {};
	}

	status() {
		return { name: this.name, fault: this.fault, requests: this.requests,
			faults: Object.keys(FAULTS) };
	}

	// Bytes to the node and its answer back.
	pass(body) {
		return new Promise((done, failed) => {
			const out = httpRequest(this.upstream, { method: 'POST', agent: this.agent,
				headers: { 'content-type': 'application/json',
					'content-length': body.length } }, (answer) => {
				const parts = [];
				answer.on('data', (part) => parts.push(part));
				answer.on('end', () => done({ status: answer.statusCode,
					text: Buffer.concat(parts) }));
				answer.on('error', failed);
			});
			out.on('error', failed);
			out.end(body);
		});
	}

	// Answers of the node, in the order of the calls.
	async forward(calls) {
		const numbered = calls.map((call, i) => ({ ...call, id: i }));
		const { text } = await this.pass(Buffer.from(JSON.stringify(numbered)));
		const byId = new Map(JSON.parse(text).map((answer) => [answer.id, answer]));
		return calls.map(({ id }, i) => ({ ...byId.get(i), id }));
	}

	async head() {
		const [{ result }] = await this.forward([{ jsonrpc: '2.0', id: 0,
			method: 'eth_blockNumber', params: [] }]);
		return Number(result);
	}

	async answer(body) {
		this.requests++;
		if (this.fault === 'honest')
			return this.pass(body);
		let asked;
		try {
			asked = JSON.parse(body);
		} catch {
			return { status: 200, text: JSON.stringify({ jsonrpc: '2.0', id: null,
				error: { code: -32700, message: 'parse error' } }) };
		}
		const answers = await FAULTS[this.fault](this,
			Array.isArray(asked) ? asked : [asked]);
		if (!Array.isArray(answers))
			return answers;
		return { status: 200,
			text: JSON.stringify(Array.isArray(asked) ? answers : answers[0]) };
	}
}

async function readBody(request) {
	const parts = [];
	let size = 0;
	for await (const part of request) {
		size += part.length;
		if (size > MAX_BODY)
			throw new Error('body too large');
		parts.push(part);
	}
	return Buffer.concat(parts);
}

const options = parseArgs(process.argv.slice(2), { upstream: undefined,
	listen: undefined, name: 'l1', fault: 'honest' });
const endpoint = new Endpoint(options);
const server = createServer(async (request, response) => {
	const reply = (status, text) => {
		response.writeHead(status, { 'content-type': 'application/json',
			'content-length': Buffer.byteLength(text) });
		response.end(text);
	};
	try {
		const body = await readBody(request);
		if (request.url === '/__status')
			return reply(200, JSON.stringify(endpoint.status()) + '\n');
		if (request.url === '/__fault') {
			endpoint.set(JSON.parse(body));
			process.stdout.write(`${endpoint.name}: fault ${endpoint.fault}\n`);
			return reply(200, JSON.stringify(endpoint.status()) + '\n');
		}
		const answer = await endpoint.answer(body);
		if (answer.destroy)
			return request.socket.destroy();
		if (!answer.hang)
			reply(answer.status, answer.text);
	} catch (problem) {
		if (!response.headersSent)
			reply(request.url === '/__fault' ? 400 : 502,
				JSON.stringify({ error: { message: problem.message } }) + '\n');
	}
});
server.keepAliveTimeout = 60000;
const at = options.listen.lastIndexOf(':');
server.listen(Number(options.listen.slice(at + 1)), options.listen.slice(0, at), () =>
	process.stdout.write(`${endpoint.name}: listening on 127.0.0.1:` +
		`${server.address().port}, fault ${endpoint.fault}\n`));
