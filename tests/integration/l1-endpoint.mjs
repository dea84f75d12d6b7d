// An Endpoint as a program of its own.
//   node l1-endpoint.mjs --upstream URL --listen 127.0.0.1:PORT [--name a]
//        [--fault honest|lie-head|lie-ahead|frozen|lag|down|…]
// POST /          JSON-RPC, single calls and batches
// POST /__fault   {"fault": "lag", "blocks": 5}     takes effect at once
// GET  /__status  {"name", "fault", "requests", "served", "taken", "faults"}
import { parseArgs } from '../country/http.mjs';
import { Endpoint } from './endpoint.mjs';

const options = parseArgs(process.argv.slice(2), { upstream: undefined,
	listen: undefined, name: 'l1', fault: 'honest' });
const endpoint = new Endpoint(options);
const at = options.listen.lastIndexOf(':');
await endpoint.listen(Number(options.listen.slice(at + 1)), options.listen.slice(0, at));
process.stdout.write(`${endpoint.name}: listening on 127.0.0.1:` +
	`${endpoint.server.address().port}, fault ${endpoint.fault}\n`);
