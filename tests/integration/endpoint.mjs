// A small L1 endpoint in front of a real node, that can fail and lie.
// An honest endpoint passes bytes through unread; l1-faults.mjs and
// wire-faults.mjs hold the rest.
import { Agent, createServer, request as httpRequest } from 'node:http';
import { createSecureServer } from 'node:http2';
import { FAULTS } from './l1-faults.mjs';

const MAX_BODY = 16 << 20;

export class Endpoint {
	// certificates: of certificates.mjs; given, it speaks TLS, and HTTP/2 to who
	// wants it.
	constructor({ name, upstream, fault = 'honest', certificates, ...settings }) {
		this.name = name;
		this.upstream = new URL(upstream);
		this.agent = new Agent({ keepAlive: true, maxSockets: 16 });
		this.certificates = certificates;
		this.requests = 0;
		this.sockets = new Set();
		this.set({ fault, ...settings });
	}

	// Throws on an unknown fault.  A fault starts with an empty memory.
	set({ fault, ...settings }) {
		if (!Object.hasOwn(FAULTS, fault))
			throw new Error(`unknown fault ${fault}: ${Object.keys(FAULTS).join(' ')}`);
		this.fault = fault;
		this.settings = settings;
		this.memory = {};
		this.served = 0; // connections or requests that met the fault
		this.taken = 0; // bytes of the largest answer that were taken from us
		this.trusted = 0; // requests in spite of a bad certificate
		FAULTS[fault].begins?.(this);
		if (this.certificates)
			this.present(fault);
	}

	// Another certificate is seen by new connections only.
	present(fault) {
		const { good, bad } = this.certificates;
		const of = fault === 'bad-certificate' ?
			bad[this.settings.certificate ?? 'self-signed'] : good;
		if (of === this.presented)
			return;
		this.presented = of;
		this.server?.setSecureContext(of);
		for (const socket of this.sockets)
			socket.destroy();
	}

	status() {
		return { name: this.name, fault: this.fault, requests: this.requests,
			served: this.served, taken: this.taken, faults: Object.keys(FAULTS) };
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

	// {status, text, headers}, or undefined when the fault has answered itself.
	async answer(body, response) {
		this.requests++;
		if (this.fault === 'honest')
			return this.pass(body);
		this.served++;
		let asked;
		try {
			asked = JSON.parse(body);
		} catch {
			return { status: 200, text: JSON.stringify({ jsonrpc: '2.0', id: null,
				error: { code: -32700, message: 'parse error' } }) };
		}
		const answers = await FAULTS[this.fault](this,
			Array.isArray(asked) ? asked : [asked], response);
		if (!Array.isArray(answers))
			return answers;
		return { status: 200,
			text: JSON.stringify(Array.isArray(asked) ? answers : answers[0]) };
	}

	control(body) {
		this.set(JSON.parse(body));
		process.stdout.write(`${this.name}: fault ${this.fault}\n`);
		return this.status();
	}

	async handle(request, response) {
		const reply = (status, text, headers) => {
			response.writeHead(status, { 'content-type': 'application/json',
				'content-length': Buffer.byteLength(text), ...headers });
			response.end(text);
		};
		try {
			const body = await readBody(request);
			if (request.url === '/__status')
				return reply(200, JSON.stringify(this.status()) + '\n');
			if (request.url === '/__fault')
				return reply(200, JSON.stringify(this.control(body)) + '\n');
			const answer = await this.answer(body, response);
			if (answer)
				reply(answer.status, answer.text, answer.headers);
		} catch (problem) {
			if (!response.headersSent && !response.destroyed)
				reply(request.url === '/__fault' ? 400 : 502,
					JSON.stringify({ error: { message: problem.message } }) + '\n');
		}
	}

	connected(socket) {
		this.sockets.add(socket);
		socket.once('close', () => this.sockets.delete(socket));
		socket.on('error', () => undefined); // reset by either side
		FAULTS[this.fault].connects?.(this, socket);
	}

	// Resolves to its URL.
	listen(port = 0, host = '127.0.0.1') {
		const handle = (request, response) => this.handle(request, response);
		this.server = this.certificates ?
			createSecureServer({ ...this.presented, allowHTTP1: true }, handle) :
			createServer(handle);
		this.server.keepAliveTimeout = 60000;
		this.server.on('connection', (socket) => this.connected(socket));
		return new Promise((done, failed) => {
			this.server.once('error', failed);
			this.server.listen(port, host, () => done(this.certificates ?
				`https://localhost:${this.server.address().port}` :
				`http://127.0.0.1:${this.server.address().port}`));
		});
	}

	close() {
		this.server.close();
		for (const socket of this.sockets)
			socket.destroy();
		this.agent.destroy();
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
