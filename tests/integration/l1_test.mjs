// l1/ against a real L1 (anvil) behind three endpoints that fail and lie.
//   node l1_test.mjs PATH-OF-l1_probe
// Prints "l1: N passed, N failed".
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { concat, pad, stringToBytes } from 'viem';
import { privateKeyToAccount, sign } from 'viem/accounts';
import { hex, keccak } from '../country/bytes.mjs';
import { SHORT_TERMS, deploy } from '../country/deploy.mjs';
import { Rpc, Sender, quantity } from '../country/rpc.mjs';
import { batchDigest, contract, decodeEvent, decodeResult,
	encodeCall } from '../country/wire.mjs';
import { ANVIL, TESTS, endWithUs, startListening } from '../harness.mjs';

const PROBE = process.argv[2];
const PHASES = ['LIVE', 'LATE', 'PROMOTED', 'OPEN', 'SETTLING'];
const CHAIN = 31337;
const ETHER = 10n ** 18n;
const key = (name) => hex(keccak(stringToBytes(`l1_test/${name}`)));
const addressOf = (name) => privateKeyToAccount(key(name)).address.toLowerCase();
const folder = mkdtempSync(join(tmpdir(), 'l1-test-'));
const children = [];
let passed = 0;
let failed = 0;

function expect(good, text, found) {
	if (good)
		return passed++;
	failed++;
	process.stdout.write(`FAIL ${text}${found === undefined ? '' :
		`: ${JSON.stringify(found)}`}\n`);
}

const same = (a, b, text) => expect(JSON.stringify(a) === JSON.stringify(b), text, [a, b]);

endWithUs(() => children.forEach((child) => child.kill('SIGKILL')));

const start = (program, args) => startListening(children, program, args);

class Probe {
	constructor(urls, { chain = CHAIN, more = '', quorum = 2 } = {}) {
		const path = join(folder, `probe${children.length}.yaml`);
		writeFileSync(path, `chain: {id: ${chain}, hatch: "0x${'11'.repeat(20)}"${more}}\n` +
			`providers:\n  quorum: ${quorum}\n  list:\n` +
			urls.map((url, i) => `    - {name: ${'abc'[i]}, url: "${url}", ` +
				'rate: 500/s, timeout: 1500ms}\n').join('') +
			'poll: 200ms\nstore: {path: unused}\n');
		this.child = spawn(PROBE, [path], { stdio: ['pipe', 'pipe', 'inherit'] });
		children.push(this.child);
		this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
	}

	async ask(...words) {
		this.child.stdin.write(words.join(' ') + '\n');
		const { value, done } = await this.lines.next();
		if (done)
			throw new Error(`the probe ended at ${words[0]}`);
		return JSON.parse(value);
	}

	// Polls until the test holds; the last answer.
	async until(test, patience_ms, ...words) {
		const end = Date.now() + patience_ms;
		for (;;) {
			const answer = await this.ask(...words);
			if (test(answer) || Date.now() > end)
				return answer;
		}
	}

	async state(name) {
		const { providers } = await this.ask('view');
		return providers.find((one) => one.name === name);
	}

	async end() {
		this.child.stdin.end();
		const [code] = await once(this.child, 'exit');
		expect(code === 0, 'the probe ends well', code);
	}
}

// ---- the stage ------------------------------------------------------------

const node = await start(ANVIL, ['--port', '0', '--block-time', '1',
	'--slots-in-an-epoch', '1']);
const rpc = new Rpc(node);
const endpoints = await Promise.all(['a', 'b', 'c'].map((name) =>
	start(process.execPath, [join(TESTS, 'integration', 'l1-endpoint.mjs'), '--upstream', node,
		'--listen', '127.0.0.1:0', '--name', name])));
const fault = (i, name, more) => fetch(`${endpoints[i]}/__fault`, { method: 'POST',
	body: JSON.stringify({ fault: name, ...more }) });

const country = { terms: SHORT_TERMS,
	thresholds: { promote: 3, open: 4, resume: 4, amend: 4 },
	guardians: [0, 1, 2, 3, 4].map((i) => addressOf(`guardian${i}`)),
	standbys: [addressOf('standby0'), addressOf('standby1')],
	sequencer: addressOf('sequencer'),
	validators: [0, 1, 2, 3].map((i) => addressOf(`validator${i}`)).sort(),
	t: 3, minBounty: 1n };

async function call(name, to, functionName, blockTag, args = []) {
	const data = await rpc.call('eth_call',
		{ to, data: encodeCall(name, functionName, args) }, blockTag);
	return decodeResult(name, functionName, data);
}

let mark = Date.now();
function timed(name) {
	if (process.env.TIMES)
		process.stdout.write(`${name} ${Date.now() - mark} ms\n`);
	mark = Date.now();
}

// ---- the tests ------------------------------------------------------------

async function views(probe) {
	const view = await probe.ask('healthy', 5000);
	expect(view.healthy, 'healthy with three honest providers', view);
	same(view.depth, 'finalized', 'acts on finalized');
	const [real, final] = await rpc.all([
		['eth_getBlockByNumber', [quantity(view.head.number), false]],
		['eth_getBlockByNumber', [quantity(view.acted.number), false]]]);
	same(view.head.hash, real.hash, 'the head is the chain\'s');
	same([view.acted.hash, view.acted.parent, view.acted.time],
		[final.hash, final.parentHash, Number(final.timestamp)],
		'the acted block is the chain\'s');
	expect(view.acted.number < view.head.number, 'acted is behind the head');
	expect(view.base_fee > 0, 'a base fee');
	expect(view.providers.every(({ state }) => state === 'good'), 'all good',
		view.providers);
}

async function facts(probe, { hatch, rollup }) {
	const got = await probe.ask('facts', hatch);
	same([got.err, got.proved], ['', true], 'facts are read, and proved');
	same((await probe.ask('view')).proofs, 'proved', 'says so');
	const at = quantity(got.block.number);
	const terms = await call('EscapeHatch', hatch, 'terms', at);
	const [guardians, thresholds] = await call('EscapeHatch', hatch, 'guardians', at);
	const standbys = await call('EscapeHatch', hatch, 'standbys', at);
	const deadlines = await call('EscapeHatch', hatch, 'deadlines', at);
	const [count, lastAt] = await call('SovereignRollup', rollup, 'progress', at);
	const queues = await call('SovereignRollup', rollup, 'queues', at);
	const number = (values) => values.map(Number);
	const lower = (list) => list.map((one) => one.toLowerCase());
	same(got.rollup, rollup, 'the rollup is found through the hatch');
	same(got.terms, number([terms.slaWindow, terms.failoverWindow, terms.inclusionWindow,
		terms.hardDeadline, terms.notice, terms.finality, terms.round]), 'terms');
	same(got.thresholds, number([thresholds.promote, thresholds.open, thresholds.resume,
		thresholds.amend]), 'thresholds');
	same([got.guardians, got.standbys], [lower(guardians), lower(standbys)], 'lists');
	same(got.deadlines, number([deadlines.lateAt, deadlines.failoverUntil,
		deadlines.openableAt, deadlines.exitsFrom, deadlines.resumeFrom,
		deadlines.enactFrom]), 'deadlines');
	same([got.count, got.last_at], number([count, lastAt]), 'progress');
	same([got.withdraw_head, got.withdraw_tail, got.inbox_through, got.inbox_tail],
		number(queues), 'queues');
	same(got.root, await call('SovereignRollup', rollup, 'stateRoot', at), 'root');
	same(got.sequencer, country.sequencer, 'sequencer');
	same(got.overdue, Number(await call('SovereignRollup', rollup, 'overdue', at)),
		'overdue');
	same(got.epoch, Number(await call('EscapeHatch', hatch, 'epoch', at)), 'epoch');
	same(got.phase, PHASES[await call('EscapeHatch', hatch, 'phase', at)], 'phase');
	same(got.state, await call('SovereignRollup', rollup, 'state', at), 'state');
	return got;
}

async function accounts(probe, { rollup }) {
	const sender = new Sender(rpc, key('payer'));
	const got = await probe.ask('account', sender.address);
	same([got.err, got.nonce, got.balance, got.proved], ['', 0, String(5n * ETHER), true],
		'an account');
	const data = encodeCall('SovereignRollup', 'fundBond');
	const gas = await probe.ask('estimate', sender.address, rollup,
		encodeCall('SovereignRollup', 'deposit', ['0x' + '00'.repeat(20), 0n,
			sender.address]));
	same(gas.err, 'refused', 'an estimate that reverts is refused');
	expect(/^[A-Z]\w+$/.test(gas.why), 'and names the error', gas.why);
	const fine = ['estimate', sender.address, rollup,
		encodeCall('SovereignRollup', 'requestTransaction', ['0x1234'])];
	const honest = await probe.ask(...fine);
	expect(honest.gas > 21000, 'an estimate', honest);
	for (const i of [0, 1, 2]) {
		await fault(i, 'lie-revert');
		same((await probe.ask(...fine)).gas, honest.gas, 'one liar reverts nothing');
		await fault(i, 'honest');
	}
	const sign = (nonce, more) => sender.account.signTransaction({ type: 'eip1559',
		chainId: CHAIN, nonce, to: rollup, data, value: 7n, gas: 100000n,
		maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 10n ** 9n, ...more });
	const raw = await sign(0);
	const hash = keccakHex(raw);
	same((await probe.ask('status', hash)).fate, 'unseen', 'not sent: unseen');
	same((await probe.ask('send', raw)).verdict, 'accepted', 'sent');
	same((await probe.ask('send', raw)).verdict, 'accepted', 'sent again: known');
	const mined = await probe.until(({ fate }) => fate === 'success', 6000,
		'status', hash);
	const receipt = await rpc.call('eth_getTransactionReceipt', hash);
	const outcome = ({ fate, block_hash, gas_used, price, proved }) =>
		[fate, block_hash, gas_used, price, proved];
	const honestly = ['success', receipt.blockHash, Number(receipt.gasUsed),
		Number(receipt.effectiveGasPrice), true];
	same(outcome(mined), honestly, 'its receipt, proved');
	for (const i of [0, 1])
		await fault(i, 'lie-status');
	const doubted = new Probe(endpoints);
	await doubted.ask('healthy', 5000);
	same(outcome(await doubted.ask('status', hash)), honestly, 'two of three change no receipt');
	await doubted.end();
	for (const i of [0, 1, 2])
		await fault(i, 'no-receipts');
	const singly = new Probe(endpoints);
	await singly.ask('healthy', 5000);
	same(outcome(await singly.ask('status', hash)), honestly, 'receipts one by one prove it too');
	await singly.end();
	for (const i of [0, 1, 2])
		await fault(i, 'lie-status', { receipts: false });
	const told = new Probe(endpoints);
	await told.ask('healthy', 5000);
	const word = await told.ask('status', hash);
	same([word.fate, word.proved], ['reverted', false], 'a quorum of liars is no proof');
	await told.end();
	for (const i of [0, 1, 2])
		await fault(i, 'honest');
	await probe.ask('wait', 1500);
	const low = await probe.ask('send', await sign(0, { value: 8n }));
	same(low.verdict, 'nonce_low', `nonce too low (${low.why})`);
	const poor = await probe.ask('send', await sign(1, { value: 50n * ETHER }));
	same(poor.verdict, 'no_funds', `insufficient funds (${poor.why})`);
	await rpc.call('evm_setIntervalMining', 0);
	same((await probe.ask('send', await sign(1))).verdict, 'accepted', 'one waits');
	same((await probe.ask('status', keccakHex(await sign(1)))).fate, 'pending', 'pending');
	const under = await probe.ask('send', await sign(1, { value: 9n }));
	same(under.verdict, 'underpriced', `replacement underpriced (${under.why})`);
	await rpc.call('evm_setIntervalMining', 1);
}

const keccakHex = (raw) => hex(keccak(Buffer.from(raw.slice(2), 'hex')));

async function follows(probe, { hatch, rollup }, from) {
	const sender = new Sender(rpc, key('payer'));
	await probe.ask('wait', 1500);
	const data = encodeCall('SovereignRollup', 'requestTransaction', ['0x1234']);
	const receipt = await sender.run({ to: rollup, data });
	const last = await followTo(probe, { hatch, rollup }, from, receipt, data, /^proved$/);
	// two liars of three hide no log and change none
	const misled = new Probe(endpoints);
	await misled.ask('healthy', 5000);
	for (const i of [0, 1])
		await fault(i, 'lie-logs', { blooms: false });
	await followTo(misled, { hatch, rollup }, from, receipt, data, /^proved$/);
	await misled.end();
	for (const i of [0, 1, 2])
		await fault(i, 'no-proof', { receipts: false });
	const weaker = new Probe(endpoints);
	await weaker.ask('healthy', 5000);
	await followTo(weaker, { hatch, rollup }, from, receipt, data,
		/^by quorum: a: lacks eth_getBlockReceipts/);
	await weaker.end();
	for (const i of [0, 1, 2])
		await fault(i, 'honest');
	return last;
}

// Creations of the test's own contracts: what they made is worked out.
async function creations(from, to) {
	const probe = new Probe(endpoints);
	await probe.ask('healthy', 5000);
	let seen = 0;
	for (let n = from; n <= to; n++) {
		const { transactions } = await rpc.call('eth_getBlockByNumber', quantity(n), true);
		for (const { hash } of transactions.filter((tx) => !tx.to)) {
			const receipt = await rpc.call('eth_getTransactionReceipt', hash);
			const got = await probe.ask('status', hash);
			same([got.err, got.why, got.proved, got.created], ['', '', true, receipt.contractAddress],
				'what a creation made');
			seen++;
		}
	}
	same(seen, 3, 'creations');
	await probe.end();
}

// Receipts one by one where nobody has them in one call, in a block of several
// batches of them; two liars of three change nothing and are named.
async function singly({ hatch, rollup }) {
	const sender = new Sender(rpc, key('payer'));
	const data = encodeCall('SovereignRollup', 'fundBond');
	const start = Number(await rpc.call('eth_blockNumber')) + 1;
	await rpc.call('evm_setIntervalMining', 0);
	const nonce = Number(await rpc.call('eth_getTransactionCount', sender.address, 'pending'));
	const sign = (i, tx) => sender.account.signTransaction({ type: 'eip1559', chainId: CHAIN,
		nonce: nonce + i, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n, gas: 21000n, ...tx });
	const raws = [];
	for (let i = 0; i < 300; i++)
		raws.push(await sign(i, { to: sender.address }));
	raws.push(await sign(300, { to: rollup, data, value: 7n, gas: 300000n }));
	await rpc.all(raws.map((raw) => ['eth_sendRawTransaction', [raw]]));
	await rpc.call('evm_mine');
	await rpc.call('evm_setIntervalMining', 1);
	const receipt = await rpc.call('eth_getTransactionReceipt', keccakHex(raws.at(-1)));
	same(Number(receipt.transactionIndex), 300, 'a block of three batches');
	let named = 0;
	// whoever is quickest is asked first: at last a liar is
	for (let n = 0; n < 2 || (n < 20 && !named); n++) {
		const lie = n > 0;
		for (const i of [0, 1, 2])
			await fault(i, 'no-receipts', { lie: lie && i !== 2 });
		const probe = new Probe(endpoints);
		await probe.until(({ acted }) => acted.number >= Number(receipt.blockNumber), 6000, 'wait', 200);
		await followLast(probe, { hatch, rollup }, start, receipt);
		const { providers } = await probe.ask('view');
		const liars = providers.filter(({ state }) => state === 'lying');
		expect(liars.every(({ name, why }) => lie && name !== 'c' &&
			/its receipts of block \d+ are not those of the block/.test(why)), 'only liars are named', providers);
		named += liars.length;
		await probe.end();
	}
	expect(named, 'a liar about single receipts is named');
	for (const i of [0, 1, 2])
		await fault(i, 'honest');
}

async function followLast(probe, { hatch, rollup }, start, receipt) {
	await probe.ask('follow', start, hatch, rollup, contract('SovereignRollup').topics.InboxQueued);
	for (;;) {
		const step = await probe.ask('step');
		if (step.move !== 'forward' || step.block.number > Number(receipt.blockNumber))
			return expect(false, 'the block is followed', step);
		if (step.block.number < Number(receipt.blockNumber))
			continue;
		same(step.proofs, 'proved', 'receipts one by one prove it');
		return same(step.logs.map(({ address, topics, data, tx }) => [address, topics, data, tx]),
			receipt.logs.map((log) => [log.address, log.topics, log.data, log.transactionHash]),
			'the block\'s logs of ours');
	}
}

async function followTo(probe, { hatch, rollup }, from, receipt, data, proofs) {
	const { topics } = contract('SovereignRollup');
	await probe.ask('follow', from, hatch, rollup, topics.InboxQueued);
	let last;
	let logs = [];
	for (;;) {
		const step = await probe.ask('step');
		if (step.move !== 'forward') {
			expect(false, 'follows without a pause', step);
			break;
		}
		expect(!last || (step.block.parent === last.hash &&
			step.block.number === last.number + 1), 'one block after the other', step);
		last = step.block;
		if (step.logs.length)
			expect(proofs.test(step.proofs), `its logs are ${proofs}`, step.proofs);
		logs = logs.concat(step.logs.map((log) => ({ ...log, block: step.block.number })));
		if (last.number >= Number(receipt.blockNumber))
			break;
	}
	const real = await rpc.call('eth_getLogs', { address: [hatch, rollup],
		fromBlock: quantity(from), toBlock: quantity(last.number) });
	same(logs.map(({ address, topics: list, data: bytes, tx }) => [address, list, bytes, tx]),
		real.map((log) => [log.address, log.topics, log.data, log.transactionHash]),
		'every log, in order');
	expect(real.length >= 3, 'there were some', real.length);
	const queued = logs.find((log) => log.topics[0] === topics.InboxQueued);
	same(queued?.input, data, 'with the input of the transaction asked for');
	expect(logs.filter(({ input }) => input !== '0x').length === 1, 'and no other input');
	return last;
}

// The phase at every boundary: ours and the contract's, at the same blocks.
class Clock {
	async mine(time) {
		if (time)
			await rpc.call('evm_setNextBlockTimestamp', time);
		await rpc.call('evm_mine');
		return Number((await rpc.call('eth_getBlockByNumber', 'latest', false)).timestamp);
	}

	// Sends, mines at `time`, and wants success.
	async run(sender, tx, time) {
		const hash = await sender.send({ ...tx, gas: 3000000n });
		const at = await this.mine(time);
		const { status } = await rpc.call('eth_getTransactionReceipt', hash);
		same(status, '0x1', 'a transaction of the test itself');
		return at;
	}
}

async function commitEmpty(clock, rollup) {
	const [log] = await rpc.call('eth_getLogs', { address: rollup, fromBlock: '0x0',
		topics: [contract('SovereignRollup').topics.InboxQueued] });
	const { args } = decodeEvent('SovereignRollup', log);
	const root = await call('SovereignRollup', rollup, 'stateRoot', 'latest');
	const batch = { number: 1n, prevRoot: root, root, leafCount: 0n, inboxThrough: 1n,
		inboxAcc: args.acc, diffHash: hex(keccak(new Uint8Array())) };
	const hash = batchDigest(CHAIN, rollup, batch, country.sequencer);
	const signers = [0, 1, 2].map((i) => key(`validator${i}`)).sort((a, b) =>
		privateKeyToAccount(a).address.toLowerCase() <
		privateKeyToAccount(b).address.toLowerCase() ? -1 : 1);
	const signatures = await Promise.all(signers.map((privateKey) =>
		sign({ hash, privateKey, to: 'hex' })));
	return clock.run(new Sender(rpc, key('sequencer')), { to: rollup,
		data: encodeCall('SovereignRollup', 'commit',
			[batch, [], '0x', concat(signatures)]) });
}

async function promote(clock, hatch, now) {
	const standby = country.standbys[0];
	const expiry = BigInt(now + 2 + now % 2);
	const digest = await call('EscapeHatch', hatch, 'digest', 'latest',
		[1, 0n, 1n, pad(standby), expiry]);
	const signers = [0, 1, 2].map((i) => `guardian${i}`).sort((a, b) =>
		addressOf(a) < addressOf(b) ? -1 : 1);
	const bundle = await Promise.all(signers.map((name) =>
		sign({ hash: digest, privateKey: key(name), to: 'hex' })));
	return clock.run(new Sender(rpc, key('payer')), { to: hatch,
		data: encodeCall('EscapeHatch', 'promote', [standby, expiry, concat(bundle)]) },
	now + 1);
}

async function comparePhase(probe, hatch, block, rollup) {
	const at = block.number;
	const got = await probe.ask('facts', hatch, Number(at), block.hash,
		Number(block.timestamp));
	const d = await call('EscapeHatch', hatch, 'deadlines', at);
	const where = `at ${Number(block.timestamp)}`;
	same(got.phase, PHASES[await call('EscapeHatch', hatch, 'phase', at)], `phase ${where}`);
	same(got.deadlines, [d.lateAt, d.failoverUntil, d.openableAt, d.exitsFrom,
		d.resumeFrom, d.enactFrom].map(Number), `deadlines ${where}`);
	same(got.overdue, Number(await call('SovereignRollup', rollup, 'overdue', at)),
		`overdue ${where}`);
	const opens = await rpc.call('eth_call', { to: hatch,
		data: encodeCall('EscapeHatch', 'openAfterDeadline') }, at).then(() => true, () => false);
	same(got.openable, opens, `openable ${where}`);
	return got;
}

async function phases(probe, { hatch, rollup }) {
	const clock = new Clock();
	const payer = new Sender(rpc, key('payer'));
	await rpc.call('evm_setIntervalMining', 0);
	const from = Number(await rpc.call('eth_blockNumber'));
	const lastAt = await commitEmpty(clock, rollup);
	for (const by of [7, 8, 9])
		await clock.mine(lastAt + by);
	const promotedAt = await promote(clock, hatch, lastAt + 9);
	for (const by of [7, 8, 9])
		await clock.mine(promotedAt + by);
	for (const by of [20, 21])
		await clock.mine(lastAt + by);
	await clock.run(payer, { to: hatch, data: encodeCall('EscapeHatch',
		'openAfterDeadline') });
	const to = Number(await rpc.call('eth_blockNumber'));
	const seen = [];
	for (let n = from; n <= to; n++) {
		const block = await rpc.call('eth_getBlockByNumber', quantity(n), false);
		const got = await comparePhase(probe, hatch, block, rollup);
		seen.push(`${got.phase}${got.openable ? '!' : ''}${got.exits ? '+' : ''}`);
	}
	same(seen, ['LIVE', 'LIVE', 'LIVE', 'LIVE', 'LATE', 'PROMOTED', 'PROMOTED',
		'PROMOTED', 'LATE', 'LATE', 'LATE!', 'OPEN+'], 'every boundary is exceeded strictly');
	await rpc.call('evm_setIntervalMining', 1);
}

async function liar(probe) {
	await fault(2, 'lie-head');
	const view = await probe.until(({ providers }) => providers[2].state === 'lying', 9000,
		'wait', 300);
	same(view.providers[2].state, 'lying', 'a liar about the head is named');
	expect(/block \d+/.test(view.providers[2].why), 'with evidence', view.providers[2]);
	expect(view.healthy, 'two honest ones are enough', view.why);
	const real = await rpc.call('eth_getBlockByNumber', quantity(view.head.number), false);
	same(view.head.hash, real.hash, 'the head stays true');
	await fault(2, 'honest');
}

// True hashes and another time: whoever speaks first, nobody is misled.
async function forger() {
	for (const i of [0, 2]) {
		await fault(i, 'lie-time');
		const probe = new Probe(endpoints);
		let view = await probe.ask('healthy', 6000);
		expect(view.healthy, 'two honest ones are enough', view);
		view = await probe.until(({ providers }) => providers[i].state === 'lying', 4000,
			'wait', 200);
		same(view.providers[i].state, 'lying', 'a forger of times is named at once');
		for (const block of [view.head, view.acted]) {
			const real = await rpc.call('eth_getBlockByNumber', quantity(block.number),
				false);
			same([block.hash, block.time], [real.hash, Number(real.timestamp)],
				'the time stays true');
		}
		await probe.end();
		await fault(i, 'honest');
	}
}

// Two of three alike: a watcher that abstains, and none that believes them.
async function twoForgers() {
	for (const i of [0, 1])
		await fault(i, 'lie-time');
	const probe = new Probe(endpoints);
	for (let n = 0; n < 8; n++) {
		const view = await probe.ask('wait', 250);
		for (const block of [view.head, view.acted].filter(({ number }) => number)) {
			const real = await rpc.call('eth_getBlockByNumber', quantity(block.number),
				false);
			same([block.hash, block.time], [real.hash, Number(real.timestamp)],
				'two forgers move no time');
		}
	}
	const states = ({ providers }) => providers.map(({ state }) => state).join();
	const named = await probe.until((view) => states(view) === 'lying,lying,good', 6000, 'wait', 200);
	same(states(named), 'lying,lying,good', 'both are named');
	for (const i of [0, 1])
		await fault(i, 'honest');
	await probe.end();
}

async function downAndLag(probe) {
	await fault(1, 'down');
	let view = await probe.until(({ healthy, why }) => !healthy && /b: /.test(why), 9000,
		'wait', 200);
	expect(!view.healthy, 'one liar, one down: no quorum', view);
	expect(/b: /.test(view.why) && /c: /.test(view.why), 'names both', view.why);
	await fault(1, 'lag', { blocks: 4 });
	view = await probe.ask('healthy', 12000);
	expect(view.healthy, 'a laggard and an honest one agree', view);
	await probe.ask('wait', 3000);
	view = await probe.ask('view');
	const a = view.providers.find(({ name }) => name === 'a');
	expect(a.head - view.head.number >= 3 && a.head - view.head.number <= 6,
		'as far as the laggard sees', view);
	await fault(1, 'honest');
	const got = await probe.until(({ head, providers }) =>
		providers[0].head - head.number <= 1, 4000, 'wait', 200);
	expect(got.providers[0].head - got.head.number <= 1, 'and catches up', got);
}

async function contents(deployed) {
	for (const [name, state] of [['slow', 'slow'], ['omit-logs', 'good'],
		['lie-state', 'good'], ['old-state-error', 'good'], ['garbage', 'down'],
		['http-500', 'down'], ['null-blocks', 'down'], ['rate-limit', 'down'], ['truncated', 'down'],
		['hang', 'down']]) {
		await fault(2, name);
		const probe = new Probe(endpoints);
		const view = await probe.ask('healthy', 5000);
		expect(view.healthy, `${name}: healthy`, view);
		const began = Date.now();
		const got = await probe.ask('facts', deployed.hatch);
		same([got.err, got.count], ['', 0], `${name}: facts`);
		expect(Date.now() - began < 1200, `${name}: no waiting for it`,
			Date.now() - began);
		const after = await probe.until(({ providers }) => providers[2].state === state,
			name === 'slow' || name === 'hang' ? 4500 : 1500, 'wait', 100);
		same(after.providers[2].state, name === 'slow' ? after.providers[2].state : state,
			`${name}: shown`);
		await probe.end();
	}
	await fault(2, 'honest');
}

// One honest provider's proof is enough: two liars change no fact, and are named.
async function proofs({ hatch }) {
	const blocks = (got) => ({ ...got, block: 0, deadlines: 0 });
	for (const lie of ['lie-state', 'lie-proof']) {
		const probe = new Probe(endpoints);
		await probe.ask('healthy', 5000);
		const honest = await probe.ask('facts', hatch);
		same([honest.err, honest.proved], ['', true], `${lie}: honest before`);
		for (const i of [0, 1])
			await fault(i, lie);
		let seen;
		const lies = ({ providers }) => providers.some(({ state }) => state === 'lying');
		// whoever is quickest is asked first: at last a liar is
		for (let i = 0; i < 3 || (i < 40 && lie === 'lie-proof' && !lies(seen)); i++) {
			const got = await probe.ask('facts', hatch);
			same(blocks(got), blocks(honest), `${lie}: two of three change nothing`);
			seen = await probe.ask('wait', 200);
		}
		const { providers, proofs: how } = seen;
		same(how, 'proved', `${lie}: proved`);
		same(providers[2].state, 'good', `${lie}: the honest one is good`);
		if (lie === 'lie-proof')
			expect(providers.some(({ state, why }) => state === 'lying' &&
				/eth_getProof: the proof of slot/.test(why)), 'liars are named', providers);
		for (const i of [0, 1])
			await fault(i, 'honest');
		await probe.end();
	}
	for (const i of [0, 1, 2])
		await fault(i, 'no-proof');
	const probe = new Probe(endpoints);
	await probe.ask('healthy', 5000);
	const got = await probe.ask('facts', hatch);
	same([got.err, got.proved], ['', false], 'without proofs: by quorum');
	const { proofs: how } = await probe.ask('view');
	expect(/^by quorum: a: lacks eth_getProof; b: lacks/.test(how), 'and says so', how);
	for (const i of [0, 1, 2])
		await fault(i, 'honest');
	await probe.end();
}

async function wrongPlaces({ hatch }) {
	await fault(0, 'wrong-chain');
	const probe = new Probe(endpoints);
	let view = await probe.ask('healthy', 5000);
	expect(view.healthy, 'one of another chain is left out', view);
	view = await probe.until(({ providers }) => providers[0].state !== 'new', 2000,
		'wait', 50);
	same(view.providers[0].state, 'wrong_chain', 'and named');
	expect(/1337, not 31337/.test(view.providers[0].why), 'with its id',
		view.providers[0].why);
	await fault(0, 'honest');
	const nobody = await probe.ask('facts', '0x' + '22'.repeat(20));
	same(nobody.err, 'invalid', 'no contract');
	expect(/no contract at 0x2222/.test(nobody.why), 'says so', nobody.why);
	const known = await probe.ask('facts', hatch);
	same([known.err, known.proved], ['', true], 'the hatch is known');
	const early = await rpc.call('eth_getBlockByNumber', '0x1', false);
	same(await rpc.call('eth_getCode', hatch, '0x1'), '0x', 'not in block 1');
	const before = await probe.ask('facts', hatch, 1, early.hash, Number(early.timestamp));
	same(before.err, 'invalid', 'a block before its deployment proves that there is none');
	expect(/no contract at 0x/i.test(before.why), 'says so', before.why);
	for (const i of [1, 2])
		await fault(i, 'no-proof');
	const told = await probe.ask('facts', hatch, 1, early.hash, Number(early.timestamp));
	for (const i of [1, 2])
		await fault(i, 'honest');
	same(told.err, 'invalid', 'without proofs a quorum says it');
	expect(/no contract at 0x/i.test(told.why), 'and says so', told.why);
	await probe.end();
	const lost = new Probe(endpoints, { chain: 56 });
	view = await lost.ask('healthy', 1500);
	expect(!view.healthy && /31337, not 56/.test(view.why), 'a wrong chain.id', view.why);
	await lost.end();
	const genesis = new Probe(endpoints, { more: `, genesis: "0x${'33'.repeat(32)}"` });
	view = await genesis.ask('healthy', 1500);
	expect(!view.healthy && /genesis/.test(view.why), 'a wrong genesis', view.why);
	await genesis.end();
}

// An account's nonce and balance: one honest proof is enough, else a quorum.
async function purses() {
	const sender = new Sender(rpc, key('payer'));
	const nobody = '0x' + '55'.repeat(20);
	const probe = new Probe(endpoints);
	await probe.ask('healthy', 5000);
	const honest = await probe.ask('account', sender.address);
	expect(honest.proved && honest.nonce > 0, 'an account is proved', honest);
	const none = await probe.ask('account', nobody);
	same([none.proved, none.nonce, none.balance], [true, 0, '0'], 'that there is none is proved too');
	const words = ({ err, nonce, balance }) => [err, nonce, balance];
	for (const i of [0, 1, 2])
		await fault(i, 'lie-account', { words: true });
	same(words(await probe.ask('account', sender.address)), words(honest), 'what stands beside a proof is not read');
	for (const i of [0, 1])
		await fault(i, 'lie-account');
	await fault(2, 'honest');
	let seen;
	for (let i = 0; i < 40 && !seen?.providers.some(({ state }) => state === 'lying'); i++) {
		const got = await probe.ask('account', sender.address);
		same([...words(got), got.proved], [...words(honest), true], 'two of three change no account');
		seen = await probe.ask('wait', 200);
	}
	expect(seen.providers.some(({ state, why }) => state === 'lying' &&
		/eth_getProof: the proof of account/.test(why)), 'a liar about an account is named', seen.providers);
	await probe.end();
	for (const i of [0, 1])
		await fault(i, 'no-proof');
	await fault(2, 'lie-state', { proofs: false });
	const weaker = new Probe(endpoints);
	await weaker.ask('healthy', 5000);
	const told = await weaker.ask('account', sender.address);
	same([...words(told), told.proved], [...words(honest), false], 'without proofs: by quorum');
	const { proofs: how } = await weaker.ask('view');
	expect(/^by quorum: a: lacks eth_getProof/.test(how), 'and says so', how);
	const named = await weaker.until(({ providers }) => providers[2].state === 'lying', 3000, 'wait', 100);
	same(named.providers[2].state, 'lying', 'by quorum: a liar about an account is named');
	for (const i of [0, 1, 2])
		await fault(i, 'honest');
	await weaker.end();
}

// The withdrawal queue from its storage, against the contract's own view.
async function queues() {
	const payer = new Sender(rpc, key('payer'));
	await rpc.call('anvil_setBalance', addressOf('deployer2'), quantity(5n * ETHER));
	const { hatch, rollup } = await deploy(rpc, key('deployer2'), country);
	const request = (index, amount) => payer.run({ to: rollup, value: 10n ** 16n,
		data: encodeCall('SovereignRollup', 'requestWithdrawal', [index, amount, payer.address]) });
	await request(7, 1000n);
	await request(8, 5n);
	await request(9, 6n);
	const ids = [0, 1, 2];
	const agree = async (probe, fates, what) => {
		const { head } = await probe.ask('wait', 1500);
		const got = await probe.ask('withdrawals', rollup, ...ids, 3);
		same([got.err, got.entries.length], ['', 4], `${what}: the queue is read`);
		for (const id of ids) {
			const [w, fate] = await call('SovereignRollup', rollup, 'withdrawal', quantity(head.number), [BigInt(id)]);
			const e = got.entries[id];
			same([e.owner, e.index, e.stamp, e.opening, e.recipient, BigInt(e.amount), e.payer,
				BigInt(e.bounty), e.fate].map(String), [w.owner.toLowerCase(), w.index, w.stamp, w.opening,
				w.recipient.toLowerCase(), w.amount, w.payer.toLowerCase(), w.bounty, fate].map(String),
			`${what}: entry ${id}`);
			same(e.fate, fates[id], `${what}: fate of ${id}`);
		}
		same(got.entries[3].there, false, `${what}: no such id`);
		return got;
	};
	const probe = new Probe(endpoints);
	await probe.ask('healthy', 5000);
	const honest = await agree(probe, [0, 0, 0], 'queued');
	for (const i of [0, 1])
		await fault(i, 'lie-proof');
	same(await probe.ask('withdrawals', rollup, ...ids, 3), honest, 'two of three change no entry');
	for (const i of [0, 1, 2])
		await fault(i, 'no-proof');
	const weaker = new Probe(endpoints);
	await weaker.ask('healthy', 5000);
	await fault(1, 'lie-state', { proofs: false });
	same(await weaker.ask('withdrawals', rollup, ...ids, 3), honest, 'by quorum: one of three changes none');
	await weaker.end();
	for (const i of [0, 1, 2])
		await fault(i, 'honest');
	await probe.end();
	// late now: leaf 7 is beyond the tree, so its request is void
	const { timestamp } = await rpc.call('eth_getBlockByNumber', 'latest', false);
	await rpc.call('evm_setNextBlockTimestamp', Number(timestamp) + country.terms.inclusionWindow + 2);
	await payer.run({ to: rollup, data: encodeCall('SovereignRollup', 'executeWithdrawal', [0n, '0x', []]) });
	const last = new Probe(endpoints);
	await last.ask('healthy', 5000);
	await agree(last, [3, 0, 0], 'executed');
	await rpc.call('evm_setNextBlockTimestamp', Number(timestamp) + country.terms.inclusionWindow +
		country.terms.hardDeadline + 9);
	await payer.run({ to: hatch, data: encodeCall('EscapeHatch', 'openAfterDeadline') });
	await agree(last, [3, 5, 5], 'opened');
	await last.end();
}

// Which contracts these are: their code, by one provider's proof.
async function identity({ hatch, rollup, badBatch }) {
	const refused = async (probe, at, pattern, what) => {
		const got = await probe.ask('facts', at);
		same(got.err, 'invalid', what);
		expect(pattern.test(got.why), `${what}: says so`, got.why);
	};
	const all = (name, more) => Promise.all([0, 1, 2].map((i) => fault(i, name, more)));
	const code = await rpc.call('eth_getCode', hatch, 'latest');
	const [touched, twin, other] = ['77', '88', '99'].map((byte) => '0x' + byte.repeat(20));
	await rpc.call('anvil_setCode', touched, code.replace(/..$/, (last) => last === '00' ? '01' : '00'));
	await rpc.call('anvil_setCode', twin, code);
	await rpc.call('anvil_setCode', other, await rpc.call('eth_getCode', rollup, 'latest'));
	const placed = Number(await rpc.call('eth_blockNumber')) + 1;
	let probe = new Probe(endpoints);
	await probe.until(({ acted }) => acted.number >= placed, 6000, 'wait', 200);
	const notHatch = (at) => new RegExp(`^the code at ${at} is not EscapeHatch's of this version ` +
		'\\(hash 0x[0-9a-f]{64}\\): is that the hatch\'s address, and is this egress of the same release\\?$');
	await refused(probe, badBatch, notHatch(badBatch), 'another contract');
	await refused(probe, touched, notHatch(touched), 'one byte is another');
	await refused(probe, rollup, new RegExp(`^not a hatch at ${rollup} but a rollup: its hatch is ${hatch}$`),
		'the rollup');
	await refused(probe, twin, new RegExp(`^the rollup ${rollup} obeys another hatch than ${twin}$`),
		'a hatch whose rollup obeys another');
	await probe.end();
	for (const lie of ['other-code', 'cut-code']) {
		for (const i of [0, 1])
			await fault(i, lie);
		probe = new Probe(endpoints);
		await probe.ask('healthy', 5000);
		const got = await probe.ask('facts', hatch);
		same([got.err, got.proved, got.rollup], ['', true, rollup], `${lie}: two of three change nothing`);
		const { providers } = await probe.ask('view');
		const liars = providers.filter(({ state }) => state === 'lying');
		expect(liars.every(({ name, why }) => name !== 'c' && /eth_getCode: its hash is/.test(why)),
			`${lie}: liars are named`, providers);
		await probe.end();
	}
	// without proofs a quorum's word on the code must do
	await all('no-proof');
	await fault(2, 'other-code', { proofs: false });
	probe = new Probe(endpoints);
	await probe.ask('healthy', 5000);
	const told = await probe.ask('facts', hatch);
	same([told.err, told.proved, told.rollup], ['', false, rollup], 'by quorum: the code is known');
	const named = await probe.until(({ providers }) => providers[2].state === 'lying', 3000, 'wait', 100);
	same(named.providers[2].state, 'lying', 'by quorum: a liar is named');
	await refused(probe, badBatch, notHatch(badBatch), 'by quorum: another contract');
	await all('honest');
	await probe.end();
	// code like ours that names another rollup, told by a quorum that cannot prove
	// it just now: the first proof refutes it, and they look again
	await all('swapped-code', { proofs: 'lost', from: rollup.slice(2), to: other.slice(2) });
	probe = new Probe(endpoints);
	await probe.ask('healthy', 5000);
	const misled = await probe.ask('facts', hatch);
	same([misled.err, misled.proved, misled.rollup], ['', false, other], 'told of other code by a quorum');
	await fault(2, 'honest');
	const proved = await probe.ask('facts', hatch);
	same([proved.err, proved.proved, proved.rollup], ['', true, rollup], 'the first proof refutes it');
	await all('honest');
	await probe.end();
}

async function confirmations() {
	const probe = new Probe(endpoints, { more: ', act_on: confirmations, confirmations: 3' });
	const view = await probe.ask('healthy', 6000);
	same([view.healthy, view.depth], [true, '3 confirmations'], 'three confirmations');
	expect(view.head.number - view.acted.number >= 3 &&
		view.head.number - view.acted.number <= 5, 'that deep', view);
	await probe.end();
}

async function reorg(probe, { hatch, rollup }) {
	const { topics } = contract('SovereignRollup');
	const { acted } = await probe.ask('view');
	await probe.ask('follow', acted.number, hatch, rollup, topics.InboxQueued);
	const first = await probe.ask('step');
	same(first.move, 'forward', 'follows');
	await rpc.call('anvil_reorg', 12, []);
	const view = await probe.until(({ acted: now }) => now.number > acted.number + 3, 9000,
		'wait', 200);
	const real = await rpc.call('eth_getBlockByNumber', quantity(view.acted.number), false);
	same(view.acted.hash, real.hash, 'the acted block is of the new chain');
	let step;
	for (let i = 0; i < 8 && step?.move !== 'back'; i++)
		step = await probe.ask('step');
	same(step.move, 'back', 'a block that is no more is to be undone');
	const next = await probe.ask('step');
	const now = await rpc.call('eth_getBlockByNumber', quantity(next.block.number), false);
	same([next.move, next.block.hash], ['forward', now.hash], 'and the new one follows');
}

try {
	for (const name of ['deployer', 'payer', 'sequencer'])
		await rpc.call('anvil_setBalance', addressOf(name), quantity(5n * ETHER));
	const from = Number(await rpc.call('eth_blockNumber'));
	const deployed = await deploy(rpc, key('deployer'), country);
	const began = Number(await rpc.call('eth_blockNumber'));
	const probe = new Probe(endpoints);
	await probe.until(({ acted }) => acted.number >= began, 6000, 'wait', 200);
	await views(probe);
	timed('views');
	await facts(probe, deployed);
	timed('facts');
	await accounts(probe, deployed);
	timed('accounts');
	await follows(probe, deployed, from + 1);
	timed('follows');
	await contents(deployed);
	timed('contents');
	await proofs(deployed);
	timed('proofs');
	await wrongPlaces(deployed);
	timed('wrongPlaces');
	await confirmations();
	timed('confirmations');
	await phases(probe, deployed);
	timed('phases');
	await probe.end();
	// one to whom nobody has lied yet
	const trusting = new Probe(endpoints);
	await trusting.ask('healthy', 5000);
	await liar(trusting);
	timed('liar');
	await downAndLag(trusting);
	timed('downAndLag');
	await trusting.end();
	await forger();
	timed('forger');
	await twoForgers();
	timed('twoForgers');
	const late = new Probe(endpoints,
		{ more: ', act_on: confirmations, confirmations: 3' });
	await late.ask('healthy', 5000);
	await reorg(late, deployed);
	timed('reorg');
	await late.end();
	await creations(from + 1, began);
	timed('creations');
	await singly(deployed);
	timed('singly');
	await identity(deployed);
	timed('identity');
	await purses();
	timed('purses');
	await queues(); // moves the chain's clock
	timed('queues');
} catch (problem) {
	expect(false, problem.stack);
} finally {
	for (const child of children)
		child.kill('SIGKILL');
	rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`l1: ${passed} passed, ${failed} failed\n`);
process.exit(failed || !passed ? 1 : 0);
