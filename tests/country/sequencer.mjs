// A government sequencer, primary or standby.  Rebuilds its ledger from L1 and
// keeps nothing else, so SIGKILL costs it nothing.  Posts a batch each interval
// while L1 names it as the active one; follows otherwise, ready to take over.
//   node sequencer.mjs --name primary --key HEX --rpc URL --rollup 0x --hatch 0x
//        --validators URL --listen 127.0.0.1:PORT --citizens FILE [--interval 2s]
//        [--transfers 8] [--ignore-forced] [--stubborn] [--lie-root]
// GET /status   GET /ready
// POST /control {ignoreForced, stubborn, pause, lie, lieKind, transfers,
//        handOver: address}
import { keccak256 } from 'viem';
import { Follower, RUNNING } from './follow.mjs';
import { Draft, DEPOSIT, finish, inboxAcc, pay, readTransfer, register,
	seal } from './batch.mjs';
import { BALANCE, STEP, hex, kindOf, ownerOf, unhex } from './bytes.mjs';
import { loadCountry, registrations } from './citizens.mjs';
import { ask, error, log, parseArgs, seconds_ms, serve } from './http.mjs';
import { Rpc, Sender, sleep } from './rpc.mjs';
import { encodeCall, refusal } from './wire.mjs';

const POLL_MS = 500;
const STALE_MS = 4000;
const COVER = 1024;
// Gas: never estimated (a node tries a batch a dozen times for that), since the
// call was simulated just before; what is not used costs nothing.
const ACT_GAS = 1_000_000n;
const gasFor = (data) => ACT_GAS + 50n * BigInt(data.length);
const LIE_ENTRIES = 2 * STEP + 8; // three steps; the second one lies

const READY_TYPES = { Ready: [{ name: 'standby', type: 'address' },
	{ name: 'batch', type: 'uint64' }, { name: 'root', type: 'bytes32' },
	{ name: 'at', type: 'uint64' }] };

class Sequencer {
	constructor(options) {
		this.options = options;
		this.name = options.name;
		this.rpc = new Rpc(options.rpc);
		this.sender = new Sender(this.rpc, options.key);
		this.follower = new Follower(this.rpc, options);
		const country = loadCountry(options.citizens);
		this.treasury = country.treasury.address;
		this.people = registrations(country);
		this.interval_ms = seconds_ms(options.interval);
		this.flags = { ignoreForced: options.ignoreForced, pause: false,
			stubborn: options.stubborn, lie: options.lieRoot, lieKind: 'root',
			transfers: Number(options.transfers) };
		this.postedAt = 0;
		this.lastSync = 0;
		this.posted = 0;
		this.lied = 0;
		this.lastError = null;
		this.lastRefusal = null;
		this.orders = []; // hand-overs asked for: {standby, done}
	}

	get address() {
		return this.sender.address;
	}

	get active() {
		const { facts } = this.follower;
		return facts?.sequencer === this.address && facts.state === RUNNING;
	}

	say(text) {
		log(this.name, text);
	}

	async turn() {
		await this.follower.sync();
		this.lastSync = Date.now();
		if (this.flags.pause)
			return;
		if (this.orders.length)
			await this.handOver(this.orders.shift());
		const due = Date.now() >= this.postedAt + this.interval_ms ||
			(this.active && this.waiting().length > 0);
		if (!this.active) {
			if (this.flags.stubborn && due)
				await this.insist();
			return;
		}
		if (!this.follower.synced && !this.flags.lie)
			throw new Error(`L1 stands on ${this.follower.facts.root}, its data give ` +
				this.follower.ledger.root());
		if (!this.flags.ignoreForced)
			await this.serveWithdrawals();
		if (due)
			await this.post();
	}

	// Executes what citizens forced, in order, before it is overdue.
	async serveWithdrawals() {
		const { follower } = this;
		for (let id = follower.facts.withdrawHead; id < follower.facts.withdrawTail;
			id = follower.facts.withdrawHead) {
			const asked = follower.withdrawals.get(id);
			const record = asked && follower.ledger.records[asked.index];
			const data = encodeCall('SovereignRollup', 'executeWithdrawal', record ?
				[id, hex(record), follower.ledger.proof(asked.index)] : [id, '0x', []]);
			const problem = await follower.wouldFail(this.address, follower.rollup, data);
			if (problem) {
				this.lastRefusal = `withdrawal ${id}: ${refusal(problem)}`;
				return;
			}
			await this.sender.run({ to: follower.rollup, data, gas: ACT_GAS });
			this.say(`executed forced withdrawal ${id} of leaf ${asked?.index}`);
			await follower.sync();
			if (follower.facts.withdrawHead === id)
				return;
		}
	}

	async post() {
		const proposal = this.flags.lie ? await this.lie() : await this.draft();
		const data = await this.sign(proposal);
		const problem = await this.follower.wouldFail(this.address,
			this.follower.rollup, data);
		if (problem) {
			this.lastRefusal = `batch ${proposal.batch.number}: ${refusal(problem)}`;
			throw new Error(this.lastRefusal);
		}
		this.postedAt = Date.now();
		await this.sender.run({ to: this.follower.rollup, data, gas: gasFor(data) });
		this.posted++;
		this.lastRefusal = null;
		this.say(`batch ${proposal.batch.number} of ${proposal.size} entries, ` +
			`root ${proposal.batch.root.slice(0, 10)}`);
		await this.follower.sync();
	}

	// The next honest batch.
	async draft() {
		const { follower } = this;
		const { facts, ledger } = follower;
		const base = await this.base();
		const draft = new Draft(ledger);
		base.inboxThrough = await this.cover(draft, facts.inboxThrough);
		base.inboxAcc = inboxAcc(follower, base.inboxThrough);
		register(draft, this.waiting(), this.treasury);
		pay(draft, this.purses(), this.flags.transfers, this.busy());
		const entries = draft.entries();
		return { size: entries.length, ...seal(ledger, entries, draft.leafCount, base) };
	}

	async base() {
		const { facts } = this.follower;
		return { number: facts.count + 1, prevRoot: facts.root,
			inboxThrough: facts.inboxThrough,
			inboxAcc: inboxAcc(this.follower, facts.inboxThrough) };
	}

	// Carries out the inbox; returns the first id not covered.
	async cover(draft, from) {
		let through = from;
		for (const { id, item, voided } of await this.follower.pendingInbox(COVER)) {
			if (!item || draft.room < 2)
				break;
			through = id + 1;
			if (voided)
				continue;
			if (item.kind === DEPOSIT) {
				draft.credit(item.owner, item.asset, item.amount);
				continue;
			}
			const forced = await readTransfer(item.data, this.follower.ledger,
				await this.chain(), this.follower.rollup);
			if (!forced || !draft.move(forced.from, forced.to, forced.amount))
				this.say(`forced transaction ${id} does nothing`);
		}
		return through;
	}

	// Registrations that L1 does not hold yet.
	waiting() {
		const { ledger } = this.follower;
		if (this.waitingAt !== ledger.leafCount) {
			this.waitingAt = ledger.leafCount;
			this.waitingList = this.people.filter(([citizen, record]) =>
				!ledger.leavesOf(citizen.address).some((index) =>
					kindOf(ledger.records[index]) === kindOf(record)));
		}
		return this.waitingList;
	}

	// Leaves that take part in payments: citizens' balances, not the treasury's.
	purses() {
		const { records } = this.follower.ledger;
		if (this.pursesOf !== records.length) {
			this.pursesOf = records.length;
			this.purseList = [];
			for (let i = 0; i < records.length; i++)
				if (kindOf(records[i]) === BALANCE && ownerOf(records[i]) !== this.treasury)
					this.purseList.push(i);
		}
		return this.purseList;
	}

	busy() {
		return new Set([...this.follower.withdrawals.values()].map(({ index }) => index));
	}

	// A batch whose second step leads to a root that its data does not give, or
	// (lieKind "reown") one that gives another person's leaf to the sequencer, or
	// makes it no record at all: "empty", "kind" (there is no 3), "nobody".
	async lie() {
		const { ledger } = this.follower;
		const draft = new Draft(ledger);
		pay(draft, this.purses(), LIE_ENTRIES, new Set());
		for (let i = 0; i < ledger.leafCount && draft.changed.size < LIE_ENTRIES; i++)
			draft.changed.set(i, draft.record(i));
		const reown = this.flags.lieKind !== 'root';
		const entries = draft.entries().map(([index, record], i) =>
			[index, reown && i === STEP ? this.stolen(record) : record]);
		const { batch, roots, diff } = seal(ledger, entries, draft.leafCount,
			{ ...await this.base(), force: true });
		for (let i = Math.min(1, roots.length - 1); i < roots.length && !reown; i++)
			roots[i] = keccak256(roots[i]);
		this.lied++;
		return { size: entries.length, ...finish(batch, roots, unhex(diff)) };
	}

	stolen(record) {
		const mine = Uint8Array.from(record);
		switch (this.flags.lieKind) {
		case 'empty': return mine.fill(0);
		case 'kind': mine[0] = 3; break;
		case 'nobody': mine.fill(0, 1, 21); break;
		default: mine.set(unhex(this.address), 1);
		}
		return mine;
	}

	// The call data of commit, with the validators' signatures, signers ascending.
	async sign({ batch, roots, diff }, tolerant = false) {
		const { status, body } = await ask(`${this.options.validators}/sign`,
			{ batch, roots, diff, sequencer: this.address });
		if (status !== 200 && !tolerant)
			throw new Error(`validators: ${body.error?.message}`);
		const signatures = '0x' + (body.signatures ?? [])
			.sort((a, b) => a.validator < b.validator ? -1 : 1)
			.map(({ signature }) => signature.slice(2)).join('');
		return encodeCall('SovereignRollup', 'commit', [batch, roots, diff, signatures]);
	}

	// An old primary that returns and does not know: it sends its batch, signed by
	// the validators and fit in every way but one, and lets L1 answer on the record.
	async insist() {
		this.postedAt = Date.now();
		const { follower } = this;
		const data = await this.sign(await this.draft(), true);
		const problem = await follower.wouldFail(this.address, follower.rollup, data);
		const hash = await this.sender.send({ to: follower.rollup, data, gas: gasFor(data) });
		const receipt = await this.sender.receipt(hash);
		if (receipt.status === '0x1')
			throw new Error('L1 took the batch of a sequencer that is not active');
		this.lastRefusal = `L1 refused the batch: ${problem ? refusal(problem) : 'reverted'}`;
		this.refusedTx = hash;
		this.say(`${this.lastRefusal} (${hash})`);
	}

	async handOver({ standby, done }) {
		const { follower } = this;
		try {
			const data = encodeCall('EscapeHatch', 'handOver', [standby]);
			const problem = await follower.wouldFail(this.address, follower.hatch, data);
			if (problem)
				throw new Error(refusal(problem));
			const receipt = await this.sender.run({ to: follower.hatch, data, gas: ACT_GAS });
			this.say(`handed over to ${standby}`);
			await follower.sync();
			done({ tx: receipt.transactionHash, block: Number(receipt.blockNumber) });
		} catch (problem) {
			this.lastRefusal = `handOver: ${problem.message}`;
			this.say(this.lastRefusal);
			done({ status: 409, body: error('refused', problem.message) });
		}
	}

	async chain() {
		this.chainId ??= Number(await this.rpc.call('eth_chainId'));
		return this.chainId;
	}

	// Why this sequencer could not take over now; empty when it could.
	async unready() {
		if (Date.now() - this.lastSync > STALE_MS)
			return 'L1 is out of reach';
		if (!this.follower.synced)
			return 'ledger is not in step with L1';
		if (this.follower.diverged !== undefined)
			return `batch ${this.follower.diverged} does not give its root`;
		if (!(this.dryRunAt > Date.now() - 30000)) {
			await this.draft();
			this.dryRunAt = Date.now();
		}
		return '';
	}

	async ready() {
		const why = await this.unready().catch((problem) => problem.message);
		if (why)
			return { status: 503, body: { ready: false, why, ...error('not_ready', why) } };
		const { ledger, time, hatch } = this.follower;
		const message = { standby: this.address, batch: ledger.batch,
			root: ledger.root(), at: time };
		const signature = await this.sender.account.signTypedData({
			domain: { name: 'Egress', version: '1', chainId: await this.chain(),
				verifyingContract: hatch },
			types: READY_TYPES, primaryType: 'Ready', message });
		return { status: 200, body: { ready: true, why: '', ...message, signature } };
	}

	async status() {
		const { ledger, facts, synced, at, diverged } = this.follower;
		const why = await this.unready().catch((problem) => problem.message);
		return { name: this.name, address: this.address, active: this.active, synced,
			ready: !why, why, batch: ledger.batch, root: ledger.root(),
			leafCount: ledger.leafCount, registered: this.purses().length,
			citizensWaiting: this.waiting().length,
			block: at, count: facts?.count ?? null, sequencer: facts?.sequencer ?? null,
			phase: facts?.phase ?? null, diverged: diverged ?? null,
			posted: this.posted, lied: this.lied, ...this.flags,
			lastError: this.lastError, lastRefusal: this.lastRefusal,
			refusedTx: this.refusedTx ?? null };
	}

	async control(body) {
		for (const [name, value] of Object.entries(body ?? {})) {
			if (name === 'handOver')
				continue;
			if (typeof this.flags[name] !== typeof value)
				return { status: 400, body: error('bad_field', `${name}: ${value}`) };
			this.flags[name] = value;
		}
		if (body?.pause)
			await this.turning?.catch(() => undefined); // what it was posting has landed
		if (body?.handOver)
			return new Promise((done) => this.orders.push({ standby: body.handOver, done }));
		return this.status();
	}

	async run() {
		for (;;) {
			try {
				this.turning = this.turn();
				await this.turning;
				this.lastError = null;
			} catch (problem) {
				if (problem.message !== this.lastError)
					this.say(problem.message);
				this.lastError = problem.message;
			}
			await sleep(POLL_MS);
		}
	}
}

const options = parseArgs(process.argv.slice(2), { name: undefined, key: undefined,
	rpc: undefined, rollup: undefined, hatch: undefined, validators: undefined,
	listen: undefined, citizens: undefined, interval: '2s', transfers: '8',
	ignoreForced: false, stubborn: false, lieRoot: false });
const sequencer = new Sequencer(options);
const server = await serve(options.listen, {
	'GET /status': () => sequencer.status(),
	'GET /ready': () => sequencer.ready(),
	'POST /control': (body) => sequencer.control(body),
});
sequencer.say(`${sequencer.address} listening on 127.0.0.1:${server.address().port}`);
await sequencer.run();
