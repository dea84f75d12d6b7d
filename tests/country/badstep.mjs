// Proves a batch bad: the argument of openOnBadBatch, made from public data.
// The product does this in C; here it is written a second time, from the page.
import { encodeAbiParameters } from 'viem';
import { RECORD, ZERO32, concat, hex, keccak, mayReplace } from './bytes.mjs';
import { depthFor } from './tree.mjs';
import { chunks, contract, decodeDiff, stepHashes } from './wire.mjs';

// Siblings of all `indices` (ascending), level by level, each listed once.
export function multiproof(tree, indices, depth) {
	const siblings = [];
	let known = indices;
	for (let level = 0; level < depth; level++) {
		const above = [];
		for (let i = 0; i < known.length; i++) {
			above.push(Math.floor(known[i] / 2));
			if (known[i] % 2 === 0 && known[i + 1] === known[i] + 1)
				i++;
			else
				siblings.push(hex(tree.node(level, known[i] % 2 ? known[i] - 1 : known[i] + 1)));
		}
		known = above;
	}
	return siblings;
}

// ledger: as it stood before the batch; it is as before afterwards.
// committed: {batch, before, roots, diff (bytes)}.
// Returns the proof, or undefined when every step is good.
export function proveBadStep(ledger, { batch, before, roots, diff }) {
	const depth = depthFor(Number(batch.leafCount));
	const change = ledger.open('trial', ledger.batch);
	ledger.tree.reserve(depth);
	const parts = chunks(diff);
	let found;
	for (let k = 0; k < parts.length && !found; k++) {
		const entries = decodeDiff(parts[k]);
		const olds = entries.map(([index]) => ledger.records[index]);
		const siblings = multiproof(ledger.tree, entries.map(([index]) => index), depth);
		const reowned = entries.some(([, record], i) =>
			olds[i] && !mayReplace(olds[i], record));
		ledger.write(change, entries, depth);
		if (reowned || hex(ledger.tree.root(depth)) !== roots[k])
			found = { batch, before, step: BigInt(k),
				steps: stepHashes(roots, diff).map((step) => hex(step)),
				rootBefore: k ? roots[k - 1] : batch.prevRoot,
				chunkHashBefore: k ? hex(keccak(parts[k - 1])) : ZERO32,
				rootAfter: roots[k], chunk: hex(parts[k]),
				oldRecords: hex(concat(...olds.map((old) => old ?? new Uint8Array(RECORD)))),
				siblings };
	}
	ledger.undo();
	return found && encodeAbiParameters([badStepType()], [found]);
}

// The tuple's type, as the judge declares it.
function badStepType() {
	for (const item of contract('BadBatch').abi)
		for (const input of item.inputs ?? [])
			if (input.internalType === 'struct BadStep')
				return input;
	throw new Error('BadBatch declares no BadStep');
}
