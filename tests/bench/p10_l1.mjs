// A chain canned and replayed: head advances a block every so often, and every
// port is one provider of it.  Counts what each client asks and gets.
//   node p10_l1.mjs --upstream URL --head N --last N --clients ours:3,viem:1
// Prints one line: {"control": port, "clients": {"ours": [port, …], …}}
// POST /pace {"block_ms", "epoch"?}   a block each block_ms from now on, 0: stands
//        still; final are the epochs of so many blocks, two behind
// GET  /state               {"head", "counts": {"ours": {requests, calls, in, out}}}
import { createServer } from 'node:http';
import { parseArgs } from '../country/http.mjs';
import { Rpc, quantity } from '../country/rpc.mjs';

const CACHE_MAX = 400 << 20; /* bytes */
const KEEP_MS = 75000;      /* nginx's keepalive_timeout */
const EPOCH = 32; /* blocks, unless told otherwise */
// Of what calls by tag name a block: the place in params.
const BLOCK_AT = { eth_call: 1, eth_getBalance: 1, eth_getCode: 1, eth_getStorageAt: 2,
	eth_getProof: 2, eth_getBlockByNumber: 0 };

class Chain {
	constructor(url, head) {
		this.rpc = new Rpc(url);
		this.head = head;
		this.epoch = EPOCH;
		this.cache = new Map(); // asked -> answer's text, or its promise
		this.size = 0;
	}

	// Two epochs behind, and only at an epoch's end, as on mainnet.
	tag(name) {
		const behind = { latest: 0, pending: 0, safe: this.epoch, finalized: 2 * this.epoch }[name];
		if (!behind)
			return behind === 0 ? this.head : Number(name === 'earliest' ? 0 : name);
		return Math.max(0, Math.floor((this.head - behind) / this.epoch) * this.epoch);
	}

	// By number, so that it may be kept; undefined: not there yet.
	settle(method, params) {
		const at = BLOCK_AT[method];
		if (at === undefined || (params[at] !== undefined && typeof params[at] !== 'string'))
			return params;
		const number = this.tag(params[at] ?? 'latest');
		return number > this.head ? undefined :
			params.map((param, i) => i === at ? quantity(number) : param);
	}

	// Blocks and receipts, canned before anybody asks.
	async can(last) {
		for (let number = 0; number <= last; number++) {
			const block = await this.rpc.call('eth_getBlockByNumber', quantity(number), false);
			this.keep('eth_getBlockByNumber', [quantity(number), false], block);
			this.keep('eth_getBlockByHash', [block.hash, false], block);
			const [whole, receipts] = await this.rpc.all([
				['eth_getBlockByHash', [block.hash, true]],
				['eth_getBlockReceipts', [block.hash]]]);
			this.keep('eth_getBlockByHash', [block.hash, true], whole);
			this.keep('eth_getBlockReceipts', [block.hash], receipts);
		}
	}

	keep(method, params, result) {
		const answer = `"result":${JSON.stringify(result)}`;
		this.cache.set(`${method} ${JSON.stringify(params)}`, answer);
		this.size += answer.length;
	}

	async ask(key, method, params) {
		let answer;
		try {
			answer = `"result":${JSON.stringify(await this.rpc.call(method, ...params))}`;
		} catch ({ code, message }) {
			this.cache.delete(key);
			return `"error":${JSON.stringify({ code: code ?? -32603, message })}`;
		}
		this.cache.set(key, answer);
		this.size += answer.length;
		for (const [old, text] of this.cache) {
			if (this.size <= CACHE_MAX)
				break;
			this.cache.delete(old);
			this.size -= typeof text === 'string' ? text.length : 0;
		}
		return answer;
	}

	// `"result":…` or `"error":…`; a string, when it is known.
	answer({ method, params }) {
		if (method === 'eth_blockNumber')
			return `"result":"${quantity(this.head)}"`;
		const settled = this.settle(method, params ?? []);
		if (!settled)
			return '"result":null';
		const key = `${method} ${JSON.stringify(settled)}`;
		if (!this.cache.has(key))
			this.cache.set(key, this.ask(key, method, settled));
		return this.cache.get(key);
	}
}

class Client {
	constructor(chain) {
		this.chain = chain;
		this.requests = this.calls = 0;
		this.sockets = new Set();
		this.closed = { in: 0, out: 0 };
	}

	async listen() {
		const server = createServer((request, response) => this.serve(request, response));
		server.keepAliveTimeout = KEEP_MS;
		server.on('connection', (socket) => {
			this.sockets.add(socket);
			socket.once('close', () => {
				this.sockets.delete(socket);
				this.closed.in += socket.bytesWritten;
				this.closed.out += socket.bytesRead;
			});
		});
		await new Promise((done) => server.listen(0, '127.0.0.1', done));
		return server.address().port;
	}

	async serve(request, response) {
		const parts = [];
		for await (const part of request)
			parts.push(part);
		const asked = JSON.parse(Buffer.concat(parts).toString());
		const list = Array.isArray(asked) ? asked : [asked];
		this.requests++;
		this.calls += list.length;
		const answers = await Promise.all(list.map(async (call) => {
			const answer = await this.chain.answer(call);
			return `{"jsonrpc":"2.0","id":${JSON.stringify(call.id)},${answer}}`;
		}));
		const body = Buffer.from(Array.isArray(asked) ? `[${answers.join(',')}]` : answers[0]);
		response.writeHead(200, { 'content-type': 'application/json',
			'content-length': body.length });
		response.end(body);
	}

	// Bytes as the client sees them.
	counts() {
		const sum = { requests: this.requests, calls: this.calls, ...this.closed };
		for (const socket of this.sockets) {
			sum.in += socket.bytesWritten;
			sum.out += socket.bytesRead;
		}
		return sum;
	}
}

const options = parseArgs(process.argv.slice(2),
	{ upstream: undefined, head: undefined, last: undefined, clients: undefined });
const chain = new Chain(options.upstream, Number(options.head));
await chain.can(Number(options.last));
const clients = new Map();
const ports = {};
for (const entry of options.clients.split(',')) {
	const [name, n] = entry.split(':');
	clients.set(name, new Client(chain));
	ports[name] = [];
	for (let i = 0; i < Number(n); i++)
		ports[name].push(await clients.get(name).listen());
}

let timer;
const control = createServer(async (request, response) => {
	let text = '';
	for await (const part of request)
		text += part;
	if (request.method === 'POST') {
		const { block_ms, epoch } = JSON.parse(text);
		chain.epoch = epoch ?? EPOCH;
		clearInterval(timer);
		timer = block_ms ? setInterval(() => chain.head++, block_ms) : undefined;
	}
	response.end(JSON.stringify({ head: chain.head, counts: Object.fromEntries(
		[...clients].map(([name, client]) => [name, client.counts()])) }));
});
control.listen(0, '127.0.0.1', () => process.stdout.write(
	JSON.stringify({ control: control.address().port, clients: ports }) + '\n'));
