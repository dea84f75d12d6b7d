// The perfect binary Merkle tree of the ledger, updated in place.
// Owns the nodes; knows nothing of records.  Levels are flat arrays that only
// grow: what lies beyond the leaf count is empty, so the root of a smaller tree
// is the leftmost node of its level, and undoing a growth needs no copying.
import { keccak, same } from './bytes.mjs';

const zeros = [new Uint8Array(32)];

export const MIN_DEPTH = 8;

export function zero(level) {
	while (zeros.length <= level) {
		const below = zeros[zeros.length - 1];
		const pair = new Uint8Array(64);
		pair.set(below, 0);
		pair.set(below, 32);
		zeros.push(keccak(pair));
	}
	return zeros[level];
}

export function depthFor(leafCount) {
	let depth = MIN_DEPTH;
	while (2 ** depth < leafCount)
		depth++;
	return depth;
}

// The root of a tree of depth `from`, seen as the left edge of one of depth `to`.
export function lift(root, from, to) {
	let node = root;
	const pair = new Uint8Array(64);
	for (let level = from; level < to; level++) {
		pair.set(node, 0);
		pair.set(zero(level), 32);
		node = keccak(pair);
	}
	return node;
}

export class Tree {
	constructor() {
		this.capacity = MIN_DEPTH;
		this.levels = [];
		for (let level = 0; level <= MIN_DEPTH; level++)
			this.levels.push(filled(level, 2 ** (MIN_DEPTH - level)));
	}

	reserve(depth) {
		while (this.capacity < depth) {
			const top = this.capacity + 1;
			for (let level = 0; level < top; level++) {
				const old = this.levels[level];
				const grown = filled(level, old.length / 16);
				grown.set(old, 0);
				this.levels[level] = grown;
			}
			this.levels.push(filled(top, 1));
			this.capacity = top;
			this.rehash(top, 0);
		}
	}

	node(level, position) {
		return this.levels[level].subarray(position * 32, position * 32 + 32);
	}

	// leaves: [[index, hash]]; rehashes each touched node once.
	update(leaves, depth) {
		this.reserve(depth);
		let touched = new Set();
		for (const [index, hash] of leaves) {
			this.levels[0].set(hash, index * 32);
			touched.add(Math.floor(index / 2));
		}
		for (let level = 1; level <= this.capacity; level++) {
			const above = new Set();
			for (const position of touched) {
				this.rehash(level, position);
				above.add(Math.floor(position / 2));
			}
			touched = above;
		}
	}

	rehash(level, position) {
		const below = this.levels[level - 1];
		const at = position * 64;
		this.levels[level].set(keccak(below.subarray(at, at + 64)), position * 32);
	}

	root(depth) {
		this.reserve(depth);
		return Uint8Array.from(this.node(depth, 0));
	}

	// Siblings from `level` upward, leaf side first: depth - level nodes.
	proof(position, depth, level = 0) {
		const out = [];
		let at = position;
		for (let k = level; k < depth; k++) {
			out.push(Uint8Array.from(this.node(k, at % 2 ? at - 1 : at + 1)));
			at = Math.floor(at / 2);
		}
		return out;
	}
}

// Does this leaf hash, at this index, with these siblings give this root?
export function verify(root, index, hash, siblings) {
	if (index >= 2 ** siblings.length)
		return false;
	let node = hash;
	let at = index;
	const pair = new Uint8Array(64);
	for (const sibling of siblings) {
		pair.set(at % 2 ? sibling : node, 0);
		pair.set(at % 2 ? node : sibling, 32);
		node = keccak(pair);
		at = Math.floor(at / 2);
	}
	return same(node, root);
}

function filled(level, count) {
	const out = new Uint8Array(count * 32);
	const empty = zero(level);
	for (let i = 0; i < count; i++)
		out.set(empty, i * 32);
	return out;
}
