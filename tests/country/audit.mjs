// Was everybody paid, to the wei, and nobody twice?  Asks L1 alone.
//   node audit.mjs --rpc URL --rollup 0x --hatch 0x [--before FILE] [--redirected FILE]
// Prints one JSON line; exit status 1 when somebody lost or got too much.
// FILEs are JSON: before {address: wei held on L1 at the start, default 0},
// redirected {leaf index: recipient that its owner signed for}.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BALANCE, NATIVE, amountOf, assetOf, kindOf, ownerOf } from './bytes.mjs';
import { Follower } from './follow.mjs';
import { json, parseArgs } from './http.mjs';
import { Rpc } from './rpc.mjs';
import { decodeResult, encodeCall } from './wire.mjs';

const AT_ONCE = 500;

// Watches one follower go from the first block to the head, and notes, of the
// last opening: who held what under the frozen root, and which leaves were paid.
// Of earlier openings, only what was paid is due: the rest was handed on.
class Notes {
	constructor(redirected) {
		this.recipient = (index, owner) => redirected[index] ?? owner;
		this.due = new Map(); // address -> wei that must have arrived
		this.leaves = [];     // of the last opening: [{index, owner, amount}]
		this.paid = new Map(); // index -> times its exit was paid
		this.credited = 0;
		this.open = false;
	}

	see(eventName, args, ledger) {
		switch (eventName) {
		case 'Opened':
			this.freeze(ledger);
			for (const { index, owner, amount } of this.leaves)
				if (this.paid.has(index))
					this.owe(this.recipient(index, owner), amount);
			this.leaves = [];
			this.paid.clear();
			this.open = true;
			this.taken = false;
			return;
		case 'Exited':
			this.freeze(ledger);
			this.credited += popcount(args.creditedMask);
			for (let i = 0; i < 256; i++)
				if ((args.mask >> BigInt(i)) & 1n)
					this.note(Number(args.bucket) * 256 + i);
			return;
		case 'Settled':
		case 'Committed':
			this.freeze(ledger);
			this.open = false;
			return;
		case 'WithdrawalPaid':
			if (args.asset === NATIVE)
				this.owe(args.to, args.amount);
			return;
		case 'DepositRefunded':
			if (args.asset === NATIVE)
				this.owe(args.to, args.amount);
			return;
		}
	}

	// The ledger as the opening left it: once, before anything changes it.
	freeze(ledger) {
		if (!this.open || this.taken)
			return;
		this.taken = true;
		this.leaves = ledger.records.flatMap((record, index) =>
			kindOf(record) === BALANCE && assetOf(record) === NATIVE && amountOf(record) > 0n ?
				[{ index, owner: ownerOf(record), amount: amountOf(record) }] : []);
	}

	note(index) {
		this.paid.set(index, (this.paid.get(index) ?? 0) + 1);
	}

	owe(address, amount) {
		const to = address.toLowerCase();
		this.due.set(to, (this.due.get(to) ?? 0n) + amount);
	}
}

function popcount(mask) {
	let count = 0;
	for (let rest = mask; rest > 0n; rest &= rest - 1n)
		count++;
	return count;
}

// What an address has of it now: coin on L1, and what the contract owes it.
async function held(rpc, rollup, addresses) {
	const out = new Map();
	for (let at = 0; at < addresses.length; at += AT_ONCE) {
		const some = addresses.slice(at, at + AT_ONCE);
		const answers = await rpc.all(some.flatMap((address) => [
			['eth_getBalance', [address, 'latest']],
			['eth_call', [{ to: rollup,
				data: encodeCall('SovereignRollup', 'owed', [address, NATIVE]) }, 'latest']]]));
		some.forEach((address, i) => out.set(address, BigInt(answers[2 * i]) +
			decodeResult('SovereignRollup', 'owed', answers[2 * i + 1])));
	}
	return out;
}

// before: {address: wei}; redirected: {index: address}.
export async function audit(rpc, at, { before = {}, redirected = {} } = {}) {
	const notes = new Notes(redirected);
	const follower = new Follower(rpc, at);
	follower.witness = (name, args) => notes.see(name, args, follower.ledger);
	await follower.sync();
	notes.freeze(follower.ledger);
	for (const { index, owner, amount } of notes.leaves)
		notes.owe(notes.recipient(index, owner), amount);
	const had = new Map(Object.entries(before).map(([address, wei]) =>
		[address.toLowerCase(), BigInt(wei)]));
	const have = await held(rpc, follower.rollup, [...notes.due.keys()]);
	const wrong = [];
	for (const [address, due] of notes.due) {
		const got = have.get(address) - (had.get(address) ?? 0n);
		if (got !== due)
			wrong.push({ address, due, got });
	}
	const short = wrong.filter(({ due, got }) => got < due);
	const twice = [...notes.paid.values()].filter((times) => times > 1).length;
	return {
		leaves: notes.leaves.length,
		citizens: new Set(notes.leaves.map(({ owner }) => owner)).size,
		evacuated: notes.leaves.filter(({ index }) => notes.paid.has(index)).length,
		credited: notes.credited,
		due_wei: notes.leaves.reduce((sum, { amount }) => sum + amount, 0n),
		lost_wei: short.reduce((sum, { due, got }) => sum + due - got, 0n),
		paid_twice: twice, paid_too_much: wrong.length - short.length,
		root: follower.facts.root, root_fits: follower.synced, wrong: wrong.slice(0, 20),
	};
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const options = parseArgs(process.argv.slice(2), { rpc: undefined,
		rollup: undefined, hatch: undefined, before: '', redirected: '' });
	const read = (file) => file ? JSON.parse(readFileSync(file, 'utf8')) : {};
	const found = await audit(new Rpc(options.rpc), options,
		{ before: read(options.before), redirected: read(options.redirected) });
	process.stdout.write(json(found) + '\n');
	process.exit(found.wrong.length || found.paid_twice ? 1 : 0);
}
