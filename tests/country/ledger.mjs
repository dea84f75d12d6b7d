// The country's ledger: records, their tree, and a journal that undoes.
// Pure: fed by whoever follows L1 (follow.mjs) or tries a batch out; never asks.
import { RECORD, STEP, BALANCE, amountOf, assetOf, concat, hex, kindOf,
	keccak, mayReplace, ownerOf, withAmount } from './bytes.mjs';
import { Tree, depthFor } from './tree.mjs';

export class Ledger {
	constructor() {
		this.records = [];      // index -> record
		this.hashes = [];       // index -> leaf
		this.byOwner = new Map();
		this.sums = new Map();  // asset -> sum of balances
		this.tree = new Tree();
		this.batch = 0;         // number of the last batch applied
		this.inboxThrough = 0;
		this.journal = [];      // newest last: {kind, batch, leafCount, inboxThrough, olds}
	}

	get leafCount() {
		return this.records.length;
	}

	get depth() {
		return depthFor(this.leafCount);
	}

	root() {
		return hex(this.tree.root(this.depth));
	}

	// Leaves of an owner, in index order.
	leavesOf(owner) {
		return this.byOwner.get(owner.toLowerCase()) ?? [];
	}

	balanceLeaf(owner, asset) {
		return this.leavesOf(owner).find((index) =>
			kindOf(this.records[index]) === BALANCE &&
			assetOf(this.records[index]) === asset.toLowerCase());
	}

	balance(index) {
		return amountOf(this.records[index]);
	}

	sum(asset) {
		return this.sums.get(asset.toLowerCase()) ?? 0n;
	}

	// Applies a batch in steps; returns the root after each, as hex.
	// batch: {number, leafCount, inboxThrough}; entries: [[index, record]].
	// Throws, with the ledger as it was, when an entry breaks the record rules;
	// a batch that L1 has taken is applied all the same (onL1), so that it can be
	// dropped again.
	applyBatch(batch, entries, onL1 = false) {
		if (!onL1)
			this.checkEntries(batch, entries);
		const change = this.open('batch', Number(batch.number));
		const depth = depthFor(Number(batch.leafCount));
		const roots = [];
		for (let at = 0; at < entries.length; at += STEP) {
			this.write(change, entries.slice(at, at + STEP), depth);
			roots.push(hex(this.tree.root(depth)));
		}
		this.batch = Number(batch.number);
		this.inboxThrough = Number(batch.inboxThrough);
		return roots;
	}

	checkEntries(batch, entries) {
		let next = this.leafCount;
		let last = -1;
		for (const [index, record] of entries) {
			if (index <= last)
				throw new Error(`entry ${index} after ${last}`);
			last = index;
			if (index > next)
				throw new Error(`entry ${index} leaves a gap at ${next}`);
			if (index === next)
				next++;
			else if (!mayReplace(this.records[index], record))
				throw new Error(`entry ${index} re-owns a leaf`);
		}
		if (next !== Number(batch.leafCount))
			throw new Error(`leafCount ${batch.leafCount}, entries give ${next}`);
	}

	// What L1 itself did: debits a forced withdrawal.
	debit(index, amount) {
		const change = this.open('withdrawal', this.batch);
		const record = this.records[index];
		this.write(change, [[index, withAmount(record, amountOf(record) - amount)]],
			this.depth);
	}

	// What L1 itself did: writes amount 0 into the exited leaves of a bucket.
	settle(bucket, mask) {
		const change = this.open('settle', this.batch);
		const entries = [];
		for (let i = 0; i < 256; i++) {
			const record = this.records[bucket * 256 + i];
			if ((mask >> BigInt(i)) & 1n && record && kindOf(record) === BALANCE)
				entries.push([bucket * 256 + i, withAmount(record, 0n)]);
		}
		this.write(change, entries, this.depth);
	}

	// Drops batch `number` and everything applied since.
	rewind(number) {
		const at = this.journal.findIndex((change) =>
			change.kind === 'batch' && change.batch === number);
		if (at < 0)
			throw new Error(`no batch ${number} to drop`);
		while (this.journal.length > at)
			this.undo();
	}

	undo() {
		const change = this.journal.pop();
		const leaves = [];
		for (const [index, record, hash] of change.olds.reverse()) {
			this.account(index, this.records[index], record);
			if (record) {
				this.records[index] = record;
				this.hashes[index] = hash;
				leaves.push([index, hash]);
			} else {
				this.records.length = index;
				this.hashes.length = index;
				leaves.push([index, new Uint8Array(32)]);
			}
		}
		this.tree.update(leaves, this.depth);
		this.batch = change.previous;
		this.inboxThrough = change.inboxThrough;
	}

	proof(index) {
		return this.tree.proof(index, this.depth).map((node) => hex(node));
	}

	// {records: 53 bytes each, what is missing at the end is empty; proof}
	bucket(number) {
		const records = this.records.slice(number * 256, number * 256 + 256);
		return {
			records: hex(records.length ? concat(...records) : new Uint8Array(0)),
			proof: this.tree.proof(number, this.depth, 8).map((node) => hex(node)),
		};
	}

	open(kind, batch) {
		const change = { kind, batch, previous: this.batch,
			inboxThrough: this.inboxThrough, olds: [] };
		this.journal.push(change);
		return change;
	}

	write(change, entries, depth) {
		const leaves = [];
		for (const [index, record] of entries) {
			if (record.length !== RECORD)
				throw new Error(`record of ${record.length} bytes`);
			const old = this.records[index];
			const hash = keccak(record);
			change.olds.push([index, old, this.hashes[index]]);
			this.account(index, old, record);
			this.records[index] = record;
			this.hashes[index] = hash;
			leaves.push([index, hash]);
		}
		this.tree.update(leaves, depth);
	}

	account(index, old, next) {
		if (old && kindOf(old) === BALANCE)
			this.add(assetOf(old), -amountOf(old));
		if (next && kindOf(next) === BALANCE)
			this.add(assetOf(next), amountOf(next));
		const from = old && ownerOf(old);
		const to = next && ownerOf(next);
		if (from === to)
			return;
		if (from)
			this.byOwner.set(from, this.leavesOf(from).filter((i) => i !== index));
		if (to)
			this.byOwner.set(to, [...this.leavesOf(to), index].sort((a, b) => a - b));
	}

	add(asset, amount) {
		this.sums.set(asset, (this.sums.get(asset) ?? 0n) + amount);
	}
}
