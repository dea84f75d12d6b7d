// Makes a batch out of the ledger, and checks one.  Pure: no I/O, no clock.
// What a batch may do here: credit deposits it covers, register citizens from
// the treasury's leaf, carry out forced transfers, move money between citizens.
import { recoverTypedDataAddress, decodeAbiParameters, encodeAbiParameters } from 'viem';
import { BALANCE, MAX_ENTRIES, NATIVE, ZERO32, amountOf, assetOf, balanceRecord,
	hex, kindOf, ownerOf, unhex, withAmount } from './bytes.mjs';
import { decodeDiff, diffHash, encodeDiff, typed } from './wire.mjs';

export const DEPOSIT = 1;

// The entries of a batch in the making, over a ledger that it does not touch.
export class Draft {
	constructor(ledger) {
		this.ledger = ledger;
		this.changed = new Map();
		this.leafCount = ledger.leafCount;
		this.added = new Map(); // owner|asset -> index of a balance leaf added here
	}

	get room() {
		return MAX_ENTRIES - this.changed.size;
	}

	record(index) {
		return this.changed.get(index) ?? this.ledger.records[index];
	}

	append(record) {
		const index = this.leafCount++;
		this.changed.set(index, record);
		if (kindOf(record) === BALANCE)
			this.added.set(`${ownerOf(record)}|${assetOf(record)}`, index);
		return index;
	}

	balanceLeaf(owner, asset) {
		return this.ledger.balanceLeaf(owner, asset) ??
			this.added.get(`${owner}|${asset}`);
	}

	add(index, amount) {
		const record = this.record(index);
		this.changed.set(index, withAmount(record, amountOf(record) + amount));
	}

	credit(owner, asset, amount) {
		const index = this.balanceLeaf(owner.toLowerCase(), asset.toLowerCase());
		if (index === undefined)
			this.append(balanceRecord(owner, asset, amount));
		else
			this.add(index, amount);
	}

	// False, and nothing done, unless both are balances of one asset with enough.
	move(from, to, amount) {
		const [source, target] = [this.record(from), this.record(to)];
		if (from === to || !source || !target || kindOf(source) !== BALANCE ||
			kindOf(target) !== BALANCE || assetOf(source) !== assetOf(target) ||
			amountOf(source) < amount)
			return false;
		this.add(from, -amount);
		this.add(to, amount);
		return true;
	}

	entries() {
		return [...this.changed].sort(([a], [b]) => a - b);
	}
}

// Registers those who wait for a leaf, as far as room and the treasury's money go.
export function register(draft, waiting, treasury) {
	for (const [, record] of waiting) {
		if (draft.room < 2)
			return;
		if (kindOf(record) === BALANCE) {
			const purse = draft.balanceLeaf(treasury, NATIVE);
			if (purse === undefined || amountOf(draft.record(purse)) < amountOf(record))
				return;
			draft.add(purse, -amountOf(record));
		}
		draft.append(record);
	}
}

// Random payments between citizens; `busy` leaves (a withdrawal waits) are not
// debited.  Returns how many were made.
export function pay(draft, leaves, count, busy, random = Math.random) {
	let made = 0;
	const pick = () => leaves[Math.floor(random() * leaves.length)];
	for (let i = 0; i < count && leaves.length > 1 && draft.room >= 2; i++) {
		const [from, to] = [pick(), pick()];
		const most = amountOf(draft.record(from)) / 16n;
		const amount = most * BigInt(Math.floor(random() * 1000)) / 1000n;
		if (amount > 0n && !busy.has(from) && draft.move(from, to, amount))
			made++;
	}
	return made;
}

// ---- forced transfers: what citizens put into the inbox as a transaction -----

const FORCED = [{ type: 'uint40' }, { type: 'uint40' }, { type: 'uint96' },
	{ type: 'uint256' }, { type: 'bytes' }];

export async function encodeTransfer(account, chainId, rollup, message) {
	const signature = await account.signTypedData(
		typed(chainId, rollup, 'Transfer', message));
	return encodeAbiParameters(FORCED, [Number(message.from), Number(message.to),
		message.amount, message.salt, signature]);
}

// {from, to, amount} when the owner of leaf `from` signed it, else undefined.
export async function readTransfer(data, ledger, chainId, rollup) {
	try {
		const [from, to, amount, salt, signature] = decodeAbiParameters(FORCED, data);
		const signer = await recoverTypedDataAddress({ signature,
			...typed(chainId, rollup, 'Transfer', { from, to, amount, salt }) });
		return ownerOf(ledger.records[from]) === signer.toLowerCase() ?
			{ from, to, amount } : undefined;
	} catch {
		return undefined;
	}
}

// ---- sealing and checking ------------------------------------------------------

// base: {number, prevRoot, inboxThrough, inboxAcc}.  Returns {batch, roots, diff};
// the ledger is as before.
export function seal(ledger, entries, leafCount, base) {
	const diff = encodeDiff(entries);
	const batch = { number: BigInt(base.number), prevRoot: base.prevRoot,
		root: base.prevRoot, leafCount: BigInt(leafCount),
		inboxThrough: BigInt(base.inboxThrough), inboxAcc: base.inboxAcc };
	const roots = ledger.applyBatch(batch, entries, base.force);
	ledger.undo();
	return finish(batch, roots, diff);
}

// Binds the roots: what is signed follows from them.
export function finish(batch, roots, diff) {
	batch.root = roots.at(-1) ?? batch.prevRoot;
	batch.diffHash = diffHash(roots, diff);
	return { batch, roots, diff: hex(diff) };
}

// What an honest validator checks.  follower: in step with L1.  Throws the reason.
export function check(follower, { batch, roots, diff }, voided) {
	const { ledger, facts } = follower;
	const data = unhex(diff);
	const entries = decodeDiff(data);
	const must = (good, text) => {
		if (!good)
			throw new Error(text);
	};
	must(follower.diverged === undefined, 'L1 stands on a root its data does not give');
	must(BigInt(batch.number) === BigInt(facts.count + 1), 'not the next number');
	must(batch.prevRoot === ledger.root(), 'not built on our root');
	must(BigInt(batch.inboxThrough) >= BigInt(facts.inboxThrough) &&
		BigInt(batch.inboxThrough) <= BigInt(facts.inboxTail), 'inbox out of range');
	must(batch.inboxAcc === inboxAcc(follower, Number(batch.inboxThrough)),
		'not the inbox that L1 holds');
	must(batch.diffHash === diffHash(roots, data), 'diffHash');
	const before = ledger.sum(NATIVE);
	const got = ledger.applyBatch(batch, entries);
	const after = ledger.sum(NATIVE);
	ledger.undo();
	must(got.length === roots.length && got.every((root, i) => root === roots[i]),
		'its data does not give its roots');
	must(batch.root === (roots.at(-1) ?? batch.prevRoot), 'root is not the last root');
	let credited = 0n;
	for (let id = facts.inboxThrough; id < Number(batch.inboxThrough); id++) {
		const item = follower.inbox.get(BigInt(id));
		if (item.kind === DEPOSIT && item.asset.toLowerCase() === NATIVE && !voided.has(id))
			credited += item.amount;
	}
	must(after - before === credited,
		`makes ${after - before} wei out of ${credited} deposited`);
}

// The inbox's rolling hash before id `through`.
export function inboxAcc(follower, through) {
	return through === 0 ? ZERO32 :
		follower.inbox.get(BigInt(through - 1)).acc;
}
