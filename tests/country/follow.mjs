// Rebuilds the ledger from L1 alone: the diffs in the input of commit
// transactions, and what L1 itself changed.  Keeps nothing on disk; a process
// that was killed starts again from the first block.
// Trusts its one endpoint: this is the outside world, not the product.
import { Ledger } from './ledger.mjs';
import { decodeCall, decodeDiff, decodeEvent, decodeResult, encodeCall } from './wire.mjs';
import { unhex } from './bytes.mjs';
import { RpcError, quantity, sleep } from './rpc.mjs';

const MAX_RANGE = 2000;
const AGAIN_MS = 100;
const QUEUED = 0;
export const RUNNING = 0;

export class Follower {
	// names: {rollup, hatch} addresses
	constructor(rpc, { rollup, hatch }) {
		this.rpc = rpc;
		this.rollup = rollup.toLowerCase();
		this.hatch = hatch.toLowerCase();
		this.witness = undefined; // called with each event before it is applied
		this.reset();
	}

	reset() {
		this.ledger = new Ledger();
		this.at = -1;           // last block applied
		this.hash = undefined;  // and its hash
		this.time = 0;
		this.inbox = new Map(); // id -> {kind, asset, amount, owner, data, acc}
		this.withdrawals = new Map(); // id -> {index, amount, due}, requested and not executed
		this.diverged = undefined;    // number of the first batch that gave another root
		this.facts = undefined;
	}

	// Follows to the head.  True when something was applied.
	// One turn at a time: callers that come in between share the running one.
	sync() {
		this.running ??= this.advance().finally(() => {
			this.running = undefined;
		});
		return this.running;
	}

	async advance() {
		const asked = [['eth_getBlockByNumber', ['latest', false]]];
		if (this.hash)
			asked.push(['eth_getBlockByNumber', [quantity(this.at), false]]);
		const [head, mine] = await this.rpc.all(asked);
		const anew = this.hash && mine?.hash !== this.hash;
		if (head.hash === this.hash)
			return false;
		const to = Number(head.number);
		const read = [];
		for (let from = anew ? 0 : this.at + 1; from <= to; from += MAX_RANGE)
			read.push(...await this.readRange(from, Math.min(to, from + MAX_RANGE - 1)));
		const facts = await this.readFacts(quantity(to));
		// All at once: nobody sees a ledger of one block beside facts of another.
		if (anew)
			this.reset();
		for (const { eventName, args, input } of read)
			this.apply(eventName, args, input);
		Object.assign(this, { at: to, hash: head.hash, time: Number(head.timestamp), facts });
		// anvil answers for its newest block from the state that it is writing the
		// next one into: a moment later that block is the past, and exact.
		if (!this.synced && this.diverged === undefined) {
			await sleep(AGAIN_MS);
			this.facts = await this.readFacts(quantity(to));
		}
		return true;
	}

	// Events in L1 order; with a commit, its transaction's input.
	async readRange(from, to) {
		const logs = await this.rpc.call('eth_getLogs', { fromBlock: quantity(from),
			toBlock: quantity(to), address: [this.rollup, this.hatch] });
		const events = logs.map((log) => ({ log,
			...decodeEvent(log.address.toLowerCase() === this.rollup ?
				'SovereignRollup' : 'EscapeHatch', log) }));
		const commits = events.filter(({ eventName }) => eventName === 'Committed');
		const inputs = new Map();
		if (commits.length) {
			const found = await this.rpc.all(commits.map(({ log }) =>
				['eth_getTransactionByHash', [log.transactionHash]]));
			for (const transaction of found)
				inputs.set(transaction.hash, transaction.input);
		}
		return events.map(({ eventName, args, log }) =>
			({ eventName, args, input: inputs.get(log.transactionHash) }));
	}

	apply(eventName, args, input) {
		this.witness?.(eventName, args);
		switch (eventName) {
		case 'Committed':
			return this.applyCommit(args.batch, args.roots, input);
		case 'WithdrawalRequested':
			this.withdrawals.set(args.id, { index: Number(args.index),
				amount: args.amount, due: Number(args.due) });
			return;
		case 'WithdrawalExecuted':
			this.withdrawals.delete(args.id);
			if (args.debited)
				this.ledger.debit(Number(args.index), args.debited);
			return;
		case 'InboxQueued':
			this.inbox.set(args.id, args);
			return;
		case 'Rewound':
			this.ledger.rewind(Number(args.badBatch));
			if (this.diverged >= Number(args.badBatch))
				this.diverged = undefined;
			return;
		case 'Opened':
			this.withdrawals.clear();
			return;
		case 'Settled':
			this.ledger.settle(Number(args.bucket), args.mask);
			return;
		}
	}

	applyCommit(batch, roots, input) {
		const { args } = decodeCall('SovereignRollup', input);
		const entries = decodeDiff(unhex(args[2]));
		const lawful = this.lawful(batch, entries);
		const got = this.ledger.applyBatch(batch, entries, true);
		const good = lawful && got.length === roots.length &&
			got.every((root, i) => root === roots[i]) &&
			(got.length > 0 || batch.root === batch.prevRoot);
		if (!good)
			this.diverged ??= Number(batch.number);
	}

	lawful(batch, entries) {
		try {
			this.ledger.checkEntries(batch, entries);
			return true;
		} catch {
			return false;
		}
	}

	// What L1 says at that block.
	async readFacts(block) {
		const asked = [['SovereignRollup', 'stateRoot'], ['SovereignRollup', 'sequencer'],
			['SovereignRollup', 'state'], ['SovereignRollup', 'progress'],
			['SovereignRollup', 'queues'], ['EscapeHatch', 'phase'],
			['EscapeHatch', 'standbys']];
		const answers = await this.read(asked, block);
		const [root, sequencer, state, progress, queues, phase, standbys] = answers;
		return { root, sequencer: sequencer.toLowerCase(), state: Number(state),
			count: Number(progress[0]), lastAt: Number(progress[1]),
			withdrawHead: queues[0], withdrawTail: queues[1],
			inboxThrough: Number(queues[2]), inboxTail: Number(queues[3]),
			phase: Number(phase), standbys: standbys.map((s) => s.toLowerCase()) };
	}

	// calls: [[contract, function, args]]; their decoded results.
	async read(calls, block = 'latest') {
		const results = await this.rpc.all(calls.map(([name, functionName, args]) =>
			['eth_call', [{ to: name === 'EscapeHatch' ? this.hatch : this.rollup,
				data: encodeCall(name, functionName, args) }, block]]));
		return results.map((data, i) => decodeResult(calls[i][0], calls[i][1], data));
	}

	// Inbox items not yet covered, oldest first: [{id, item, voided}].
	async pendingInbox(most) {
		const ids = [];
		for (let id = this.facts.inboxThrough; id < this.facts.inboxTail &&
			ids.length < most; id++)
			ids.push(id);
		const answers = ids.length ? await this.read(ids.map((id) =>
			['SovereignRollup', 'inboxItem', [BigInt(id)]])) : [];
		return ids.map((id, i) => ({ id, item: this.inbox.get(BigInt(id)),
			voided: Number(answers[i][1]) !== QUEUED }));
	}

	// Would this call succeed at the head?  undefined, or the error.
	async wouldFail(from, to, data) {
		const [result] = await this.rpc.batch([['eth_call',
			[{ from, to, data, gas: quantity(16_000_000) }, 'latest']]]);
		return result instanceof RpcError ? result : undefined;
	}

	// In step with L1: our root is its root.
	get synced() {
		return this.facts !== undefined && this.ledger.root() === this.facts.root;
	}
}
