// The ledger without an L1.  Prints "country-unit: N passed, N failed".
import { Draft, pay, seal } from './batch.mjs';
import { multiproof } from './badstep.mjs';
import { NATIVE, balanceRecord, concat, credentialRecord, hex, keccak,
	unhex } from './bytes.mjs';
import { Ledger } from './ledger.mjs';
import { lift, verify, zero } from './tree.mjs';
import { decodeDiff, encodeDiff } from './wire.mjs';

let passed = 0;
let failed = 0;

function expect(good, text) {
	if (good)
		return passed++;
	failed++;
	process.stdout.write(`FAIL ${text}\n`);
}

const throws = (act) => {
	try {
		act();
		return false;
	} catch {
		return true;
	}
};

const owner = (i) => '0x' + (i + 1).toString(16).padStart(40, '0');
const leaves = (from, to) => Array.from({ length: to - from }, (_, i) =>
	[from + i, balanceRecord(owner(from + i), NATIVE, BigInt(from + i))]);

// The root the slow way, from nothing but the definition.
function naive(records, depth) {
	let level = Array.from({ length: 2 ** depth }, (_, i) =>
		records[i] ? keccak(records[i]) : new Uint8Array(32));
	while (level.length > 1)
		level = level.filter((_, i) => i % 2 === 0).map((left, i) =>
			keccak(concat(left, level[2 * i + 1])));
	return hex(level[0]);
}

const ledger = new Ledger();
const genesis = ledger.root();
expect(genesis === hex(zero(8)), 'genesis is z8');
ledger.applyBatch({ number: 1, leafCount: 200, inboxThrough: 1 }, leaves(0, 200));
const first = ledger.root();
expect(first === naive(ledger.records, 8), 'root of 200 leaves');

const growth = [[5, balanceRecord(owner(5), NATIVE, 77n)], ...leaves(200, 2000)];
const roots = ledger.applyBatch({ number: 2, leafCount: 2000, inboxThrough: 3 }, growth);
expect(roots.length === 29 && roots.at(-1) === ledger.root(), 'a root after each step');
expect(ledger.root() === naive(ledger.records, 11), 'root of 2,000 leaves');
expect(roots[0] === naive([...leaves(0, 200).map(([i, record]) => i === 5 ? growth[0][1] :
	record), ...leaves(200, 263).map(([, record]) => record)], 11), 'root after step 0');
expect(hex(lift(unhex(first), 8, 11)) === naive(leaves(0, 200).map(([, r]) => r), 11), 'lift');
expect(ledger.sum(NATIVE) === 1999n * 1000n + 72n, 'sum of balances');
for (const index of [0, 5, 199, 200, 1024, 1999])
	expect(verify(unhex(ledger.root()), index, ledger.hashes[index],
		ledger.proof(index).map((node) => unhex(node))), `proof of leaf ${index}`);
expect(!verify(unhex(ledger.root()), 6 + 2 ** 11, ledger.hashes[6],
	ledger.proof(6).map((node) => unhex(node))), 'no proof beyond the width');

const { records, proof } = ledger.bucket(7);
expect((records.length - 2) / 2 === 208 * 53 && proof.length === 3, 'last bucket');
const base = ledger.root();
ledger.debit(5, 7n);
expect(ledger.balance(5) === 70n && ledger.root() === naive(ledger.records, 11), 'debit');
ledger.settle(0, 0b100001n);
expect(ledger.balance(5) === 0n && ledger.root() === naive(ledger.records, 11), 'settle');
ledger.undo();
ledger.undo();
expect(ledger.root() === base && ledger.balance(5) === 77n, 'undo');

expect(throws(() => ledger.applyBatch({ number: 3, leafCount: 2001 },
	[[2001, leaves(1, 2)[0][1]]])), 'a gap is refused');
expect(throws(() => ledger.applyBatch({ number: 3, leafCount: 2000 },
	[[5, leaves(4, 5)[0][1]]])), 're-owning is refused');
expect(throws(() => ledger.applyBatch({ number: 3, leafCount: 2000 },
	[[5, credentialRecord(owner(5), base)]])), 'another kind is refused');
expect(ledger.root() === base && ledger.journal.length === 2, 'and nothing was done');

const draft = new Draft(ledger);
draft.credit(owner(5), NATIVE, 3n);
draft.credit('0x' + 'ee'.repeat(20), NATIVE, 4n);
draft.credit('0x' + 'ee'.repeat(20), NATIVE, 5n);
expect(draft.leafCount === 2001 && !draft.move(5, 7, 81n) && draft.move(5, 7, 80n) &&
	!draft.move(7, 7, 1n), 'credits and moves');
const made = pay(draft, [1000, 1100, 1200, 1500], 50, new Set([1500]), seeded());
const sealed = seal(ledger, draft.entries(), draft.leafCount, { number: 3,
	prevRoot: base, inboxThrough: 3, inboxAcc: base });
expect(made > 0 && ledger.root() === base, 'sealing leaves the ledger as it was');
ledger.applyBatch(sealed.batch, decodeDiff(unhex(sealed.diff)));
expect(ledger.root() === sealed.batch.root && ledger.root() === naive(ledger.records, 11) &&
	ledger.sum(NATIVE) === 1999n * 1000n + 72n + 12n, 'and its data give its root');
expect(ledger.balance(1500) >= 1500n, 'a busy leaf is not debited');
expect(hex(encodeDiff(decodeDiff(unhex(sealed.diff)))) === sealed.diff, 'diff both ways');
expect(multiproof(ledger.tree, [0, 1, 2, 3], 11).length === 9 &&
	multiproof(ledger.tree, [0, 3], 11).length === 11, 'multiproof shares siblings');
ledger.rewind(2);
expect(ledger.root() === first && ledger.batch === 1 && ledger.leafCount === 200 &&
	ledger.inboxThrough === 1, 'rewind drops the batch and all later ones');
ledger.rewind(1);
expect(ledger.root() === genesis && ledger.sum(NATIVE) === 0n &&
	ledger.leavesOf(owner(5)).length === 0, 'back to genesis');

function seeded() {
	let state = 7;
	return () => {
		state = (state * 1103515245 + 12345) % 2 ** 31;
		return state / 2 ** 31;
	};
}

process.stdout.write(`country-unit: ${passed} passed, ${failed} failed\n`);
process.exit(failed ? 1 : 0);
