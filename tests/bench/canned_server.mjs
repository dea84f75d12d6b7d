// The same bytes to everybody: POST /SHAPE answers eth_getLogs with the canned
// reply of that shape, and eth_chainId with 1.  Says where it listens.
import { createServer } from 'node:http';
import { SHAPES } from './canned_logs.mjs';

const bodies = new Map(Object.entries(SHAPES)
	.map(([name, make]) => ['/' + name, Buffer.from(make())]));
const chain = (id) => Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result: '0x1' }));

const server = createServer((request, response) => {
	const parts = [];
	request.on('data', (part) => parts.push(part));
	request.on('end', () => {
		const asked = JSON.parse(Buffer.concat(parts).toString());
		const body = asked.method === 'eth_chainId' ? chain(asked.id) :
			bodies.get(request.url);
		response.writeHead(body ? 200 : 404, { 'content-type': 'application/json',
			'content-length': body?.length ?? 0 });
		response.end(body);
	});
});
server.keepAliveTimeout = 600000;
server.listen(0, '127.0.0.1', () =>
	process.stdout.write(`127.0.0.1:${server.address().port}\n`));
