// The peer of P10: a monitor as viem's users write one.  It polls for new blocks
// and at each asks for the rollup's batches in it, the hatch's phase, the clock,
// the queues and the finalized block, in as few requests as viem makes of that.
//   node p10_viem.mjs --urls URL,URL --poll-ms N --hatch 0x --rollup 0x
// Prints a line a block: {"block", "batches", "phase"}
import { createPublicClient, fallback, http } from 'viem';
import { contract } from '../country/wire.mjs';
import { parseArgs } from '../country/http.mjs';

const options = parseArgs(process.argv.slice(2), { urls: undefined, pollMs: undefined,
	hatch: undefined, rollup: undefined });
const transports = options.urls.split(',').map((url) => http(url, { batch: true }));
const client = createPublicClient({ pollingInterval: Number(options.pollMs),
	transport: transports.length > 1 ? fallback(transports) : transports[0] });
const rollup = { address: options.rollup, abi: contract('SovereignRollup').abi };
const hatch = { address: options.hatch, abi: contract('EscapeHatch').abi };
const Committed = rollup.abi.find(({ type, name }) => type === 'event' && name === 'Committed');
let batches = 0;

async function look(block) {
	const at = { blockNumber: block.number };
	const [logs, phase] = await Promise.all([
		client.getLogs({ address: rollup.address, event: Committed, blockHash: block.hash }),
		client.readContract({ ...hatch, functionName: 'phase', ...at }),
		client.readContract({ ...rollup, functionName: 'progress', ...at }),
		client.readContract({ ...rollup, functionName: 'queues', ...at }),
		client.getBlock({ blockTag: 'finalized' }),
	]);
	batches += logs.length;
	process.stdout.write(JSON.stringify({ block: Number(block.number), batches,
		phase: Number(phase) }) + '\n');
}

client.watchBlocks({ emitMissed: true, onBlock: (block) => look(block).catch((error) => {
	process.stderr.write(`${error.message}\n`);
}), onError: (error) => process.stderr.write(`${error.message}\n`) });
