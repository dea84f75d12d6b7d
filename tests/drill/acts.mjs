// The six acts.  Each takes the stage it needs, plays, and notes what held.
import { audit } from '../country/audit.mjs';
import { BALANCE, NATIVE, amountOf, kindOf } from '../country/bytes.mjs';
import { ask } from '../country/http.mjs';
import { sleep } from '../country/rpc.mjs';
import { until } from '../harness.mjs';
import { addressOf } from './keys.mjs';
import { TERMS, THRESHOLDS } from './nation.mjs';

const LIVE = 0;
const CAUSE_SILENCE = 2;
const CAUSE_BAD_BATCH = 4;
const PAID = 2; // fate of a withdrawal
const WISHING = 5; // the citizen who wants to be paid elsewhere
const FORCING = 3; // the citizen whom the sequencer ignores

// Watches a nation's status from one watcher; tells when the phase changes.
async function awaitPhase(nation, name, patience_ms = 40000) {
	await until(`the observer shows ${name}`, async () =>
		(await nation.status()).phase === name, patience_ms);
	await nation.show();
}

async function batchesAfter(nation, count, more, patience_ms = 30000) {
	await until(`${more} batches after ${count}`, async () =>
		(await nation.facts()).count >= count + more, patience_ms);
}

// Seconds between batches that landed since a block: the longest.
async function longestGap(nation, fromBlock) {
	const landed = await nation.events(['Committed'], fromBlock);
	const times = landed.map(({ args }) => Number(args.before.committedAt));
	return Math.max(0, ...times.slice(1).map((time, i) => time - times[i]));
}

export async function act1({ nation, narrator }) {
	const from = (await nation.l1.block()).number;
	let { count } = await nation.facts();
	await batchesAfter(nation, count, 2);
	await awaitPhase(nation, 'LIVE');
	const status = await nation.status();
	narrator.promise('citizens_are_served',
		status.leaf_count > nation.people.citizens, `${status.leaf_count} leaves`);
	await packIsGood(nation, narrator);

	narrator.note('planned maintenance: the primary hands over to standby1');
	await nation.control('primary', { handOver: nation.address('standby1') });
	count = (await nation.facts()).count;
	await batchesAfter(nation, count, 2);
	const taken = (await nation.facts()).sequencer;
	narrator.note('maintenance done: standby1 hands back');
	await nation.control('standby1', { handOver: nation.address('primary') });
	count = (await nation.facts()).count;
	await batchesAfter(nation, count, 2);
	const { sequencer } = await nation.facts();
	const gap = await longestGap(nation, from);
	narrator.promise('handover_without_a_missed_batch',
		taken === nation.address('standby1') &&
		sequencer === nation.address('primary') && gap <= TERMS.sla_window,
		`longest silence ${gap} s of ${TERMS.sla_window}`);
	await liarIsNamed(nation, narrator);
}

// A citizen takes an exit pack and checks it against L1.
async function packIsGood(nation, narrator) {
	const citizen = nation.country.citizens[FORCING];
	const pack = await nation.egress(['pack', citizen.address,
		'--watcher', nation.http.get('observer'), '--text']);
	const file = nation.file('pack.txt', pack);
	const said = await nation.egress(['verify', file, '--hatch', nation.hatch,
		'--rpc', nation.rpcs()]);
	narrator.say(said);
	const bad = nation.file('bad-pack.txt', pack.slice(0, 60) +
		(pack[60] === 'A' ? 'B' : 'A') + pack.slice(61));
	const { status } = await nation.tryEgress(['verify', bad,
		'--hatch', nation.hatch, '--rpc', nation.rpcs()]);
	narrator.promise('a_citizen_can_check_a_proof', status !== 0,
		'a true pack is accepted, a changed one refused');
}

async function liarIsNamed(nation, narrator) {
	await until('the liar is named', () => nation.witness.liar, 20000)
		.catch((problem) => narrator.say(problem.message));
	const { l1 } = await nation.status();
	narrator.promise('the_lying_endpoint_is_named_and_changes_nothing',
		l1.healthy && nation.witness.liar !== undefined,
		`endpoint c is lying: ${nation.witness.liar}`);
}

export async function act2({ nation, narrator, kills }) {
	const { l1 } = nation;
	await awaitPhase(nation, 'LIVE');
	const from = (await l1.block()).number;
	await nation.processes.stop(nation.name('primary'));
	narrator.note('SIGKILL: the primary sequencer is dead', from);
	const last = Number((await nation.read('SovereignRollup', 'progress'))[1]);
	await awaitPhase(nation, 'LATE', 25000);
	narrator.note('LATE: seen by everybody, declared by nobody');
	if (kills) {
		await nation.killAndRestart('guardian2', 500);
		await nation.killAndRestart('guardian3-signer', 500);
	}
	const [promoted] = await until('a standby is promoted', async () => {
		const found = await nation.events(['Promoted'], from);
		return found.length && found;
	}, 30000);
	const late = await l1.blockAfter(last + TERMS.sla_window);
	narrator.figures.late_to_promoted_blocks = promoted.block - late;
	narrator.note(`standby ${promoted.args.to} promoted by ballots`, promoted.block);
	const { count } = await nation.facts();
	await batchesAfter(nation, count, 1);
	narrator.promise('a_standby_takes_over',
		promoted.args.to.toLowerCase() === nation.address('standby1'),
		`${promoted.block - late} blocks after LATE`);
	await awaitPhase(nation, 'LIVE');
	await oldPrimaryReturns(nation, narrator);
	const signers = nation.witness.signersOf('promote', nation.address('standby1'));
	narrator.promise('ballots_are_public', signers.size >= THRESHOLDS.promote,
		`${signers.size} guardians' ballots were seen at the observer`);
}

async function oldPrimaryReturns(nation, narrator) {
	await nation.startSequencer('primary', ['--stubborn']);
	const { lastRefusal, refusedTx } = await until('the old primary is refused',
		async () => {
			const status = await nation.sequencer('primary');
			return status.refusedTx && status;
		}, 20000);
	const receipt = await nation.l1.rpc.call('eth_getTransactionReceipt', refusedTx);
	narrator.promise('the_old_primary_is_refused', receipt.status === '0x0',
		lastRefusal);
	await nation.control('primary', { stubborn: false });
	const { count } = await nation.facts();
	await batchesAfter(nation, count, 1);
}

async function activeSequencer(nation) {
	const { sequencer } = await nation.facts();
	return ['primary', ...nation.people.standbys]
		.find((who) => nation.address(who) === sequencer);
}

export async function act3({ nation, narrator }) {
	const who = await activeSequencer(nation);
	await awaitPhase(nation, 'LIVE');
	await nation.control(who, { ignoreForced: true });
	const citizen = nation.country.citizens[FORCING];
	const { ledger } = nation.follower;
	const index = ledger.balanceLeaf(citizen.address, NATIVE);
	const amount = ledger.balance(index) / 2n;
	const recipient = addressOf('a new home');
	narrator.note(`${who} ignores citizen ${citizen.address}, who asks for ${amount} wei`);
	const from = (await nation.l1.block()).number;
	const out = await nation.egress(['withdraw', '--index', String(index),
		'--amount', String(amount), '--recipient', recipient,
		'--key', nation.file('citizen.key', citizen.key + '\n', 0o600),
		'--relayer', nation.http.get('relayer1'),
		'--hatch', nation.hatch, '--rpc', nation.rpcs(), '--json']);
	const { request } = JSON.parse(out.trim().split('\n').pop());
	await track(nation, request);
	const [requested] = await until('the request is on L1', async () => {
		const found = await nation.events(['WithdrawalRequested'], from);
		return found.length && found;
	}, 20000);
	narrator.note('the request is on L1', requested.block);
	const { id, due } = requested.args;
	const [executed] = await until('a relayer executes it', async () => {
		const found = await nation.events(['WithdrawalExecuted'], from);
		return found.length && found;
	}, 30000);
	narrator.note('overdue, and executed by a relayer on L1 alone', executed.block);
	await track(nation, request);
	const [paid] = await until('it is paid', async () => {
		const found = await nation.events(['WithdrawalPaid'], from);
		return found.length && found;
	}, 40000);
	const overdue = await nation.l1.blockAfter(Number(due));
	narrator.figures.overdue_to_paid_blocks = paid.block - overdue;
	narrator.note('paid', paid.block);
	const balance = (await nation.l1.balances([recipient])).get(recipient);
	const relayers = nation.relayers.map((r) => nation.address(r));
	narrator.promise('a_forced_withdrawal_is_paid_without_the_sequencer',
		balance === amount && Number(await fate(nation, id)) === PAID &&
		relayers.includes(executed.args.executor.toLowerCase()),
		`${balance} wei`);
	await until('track tells the outcome', async () =>
		/is final: .*paid/.test(await nation.egress(['track', request, '--relayer',
			nation.http.get('relayer1')])), 20000);
	await track(nation, request);
	await nation.control(who, { ignoreForced: false });
	const { count } = await nation.facts();
	await batchesAfter(nation, count, 1);
}

const fate = async (nation, id) =>
	(await nation.read('SovereignRollup', 'withdrawal', [id]))[1];

async function track(nation, request) {
	nation.say(await nation.egress(['track', request,
		'--relayer', nation.http.get('relayer1')]));
}

export async function act4({ nation, narrator, kills }) {
	const { l1 } = nation;
	await awaitPhase(nation, 'LIVE');
	for (const who of ['primary', ...nation.people.standbys])
		await nation.processes.stop(nation.name(who));
	const from = (await l1.block()).number;
	narrator.note('every sequencer is dead, and too many guardians refuse', from);
	await l1.untilBlock(from + 2); // a batch may still have been on its way
	const { lastAt } = await nation.facts();
	const wishes = await publishWish(nation, narrator);
	await awaitPhase(nation, 'LATE', 25000);
	const opened = await awaitOpened(nation, from, 60000);
	const openable = await l1.blockAfter(lastAt + TERMS.hard_deadline);
	narrator.figures.deadline_to_open_blocks = opened.block - openable;
	narrator.note('hardDeadline has passed: the hatch opened by itself', opened.block);
	const voted = await nation.events(['Promoted'], from);
	narrator.promise('the_hatch_opens_without_a_vote',
		Number(opened.args.cause) === CAUSE_SILENCE && !voted.length,
		`${opened.block - openable} blocks after hardDeadline`);
	await awaitPhase(nation, 'OPEN', 10000);
	const killing = kills ? killWhenPaying(nation, 'relayer1') : undefined;
	await everybodyIsOut(nation, narrator, opened, wishes);
	await killing;
}

async function awaitOpened(nation, from, patience_ms) {
	const [opened] = await until('the hatch opens', async () => {
		const found = await nation.events(['Opened'], from);
		return found.length && found;
	}, patience_ms);
	return opened;
}

// One citizen wants another address: a wish published, carried before its bucket.
async function publishWish(nation, narrator) {
	const citizen = nation.country.citizens[WISHING];
	const index = nation.follower.ledger.balanceLeaf(citizen.address, NATIVE);
	const recipient = addressOf('abroad');
	await nation.egress(['exit', '--index', String(index), '--recipient', recipient,
		'--key', nation.file('wishing.key', citizen.key + '\n', 0o600),
		'--relayer', nation.http.get('relayer2') ?? nation.http.get('relayer1'),
		'--hatch', nation.hatch, '--rpc', nation.rpcs()]);
	narrator.note(`citizen ${citizen.address} asks to be paid at ${recipient}`);
	return { [index]: recipient };
}

async function killWhenPaying(nation, who) {
	await until('the evacuation has begun', async () =>
		(await nation.events(['Exited'])).length > 0, 60000, 50);
	await nation.killAndRestart(who, 500);
}

// Waits until L1 has paid every leaf, then has every balance audited.
async function everybodyIsOut(nation, narrator, opened, redirected) {
	const { figures } = narrator;
	await nation.follower.sync();
	const { ledger } = nation.follower;
	const root = await nation.read('SovereignRollup', 'stateRoot');
	narrator.promise('the_open_root_is_the_ledger_of_the_data',
		ledger.root() === root, root);
	const { address: treasury } = nation.country.treasury;
	nation.before = Object.fromEntries(
		await nation.l1.balances([treasury], opened.block));
	nation.redirected = redirected;
	const leaves = ledger.records.filter((record) =>
		kindOf(record) === BALANCE && amountOf(record) > 0n).length;
	const started = Date.now();
	let told = 0;
	await until('everybody is paid', async () => {
		const exits = await nation.events(['Exited'], opened.block);
		const paid = exits.reduce((sum, { args }) => sum + bits(args.mask), 0);
		if (Date.now() - told > 3000) {
			told = Date.now();
			narrator.say(`${paid} of ${leaves} balances paid`);
		}
		return paid >= leaves;
	}, 120000, 500);
	figures.evacuation_seconds = Math.round((Date.now() - started) / 100) / 10;
	const gas = await evacuationGas(nation, opened.block);
	figures.gas_per_citizen = Math.round(Number(gas.used) / gas.leaves);
	await sleep(1500); // a second payment would show by now
	const found = await moneyIsRight(nation, narrator);
	figures.evacuated += found.evacuated;
	narrator.note(`${found.evacuated} balances are out, ` +
		`${figures.gas_per_citizen} gas each`);
	for (const who of nation.relayers)
		narrator.say(`${who}: ${JSON.stringify((await nation.status(who)).evacuation)}`);
}

// Every citizen's money on L1 against the ledger, to the wei, from L1's data
// and by the country's own code.
export async function moneyIsRight(nation, narrator) {
	const found = await audit(nation.l1.rpc,
		{ rollup: nation.rollup, hatch: nation.hatch },
		{ before: nation.before, redirected: nation.redirected });
	found.wrong.slice(0, 5).forEach(({ address, due, got }) =>
		narrator.say(`${address} is due ${due} wei and got ${got}`));
	const { figures } = narrator;
	figures.lost_wei += found.lost_wei;
	figures.paid_twice += found.paid_twice + found.paid_too_much;
	narrator.promise('everybody_is_paid_to_the_wei',
		found.lost_wei === 0n && found.evacuated === found.leaves,
		`${found.lost_wei} wei missing`);
	narrator.promise('nobody_is_paid_twice',
		found.paid_twice === 0 && found.paid_too_much === 0);
	return found;
}

async function evacuationGas(nation, from) {
	const exits = await nation.events(['Exited'], from);
	const hashes = [...new Set(exits.map(({ tx }) => tx))];
	const receipts = await nation.l1.rpc.all(hashes.map((hash) =>
		['eth_getTransactionReceipt', [hash]]));
	return { used: receipts.reduce((sum, r) => sum + BigInt(r.gasUsed), 0n),
		leaves: exits.reduce((sum, { args }) => sum + bits(args.mask), 0) };
}

const bits = (mask) => mask.toString(2).replaceAll('0', '').length;

export async function act5({ nation, narrator }) {
	const from = (await nation.l1.block()).number;
	const operator = nation.address('operator');
	narrator.note(`a new operator, ${operator}, is to take over`);
	const { resumeFrom } = await nation.read('EscapeHatch', 'deadlines');
	await until('citizens had inclusionWindow to leave by themselves', async () =>
		(await nation.l1.block()).time > Number(resumeFrom), 40000);
	for (const guardian of nation.voters.slice(0, THRESHOLDS.resume)) {
		const ballot = await nation.egress(['ballot', 'sign', '--action', 'resume',
			'--sequencer', operator, '--signer', nation.socket(guardian),
			'--as', nation.address(guardian),
			'--hatch', nation.hatch, '--rpc', nation.rpcs()]);
		const file = nation.file(`${guardian}-resume.txt`, ballot);
		await nation.egress(['ballot', 'import', file,
			'--watcher', nation.http.get('observer')]);
		narrator.say(`${guardian} signs: ${ballot.trim().slice(0, 60)}…`);
	}
	const [resumed] = await until('the guardians resume', async () => {
		const found = await nation.events(['Resumed'], from);
		return found.length && found;
	}, 30000);
	narrator.note('resumed: exits are closed and are being written into the root',
		resumed.block);
	await until('everything is settled', async () =>
		Number(await nation.read('SovereignRollup', 'state')) === 0, 60000);
	const settled = await nation.events(['Settled'], from);
	narrator.note(`settled in ${settled.length} buckets`);
	await nation.startSequencer('operator');
	const { count } = await nation.facts();
	await batchesAfter(nation, count, 1);
	await awaitPhase(nation, 'LIVE', 20000);
	const facts = await nation.facts();
	narrator.promise('service_resumes_under_a_new_operator',
		facts.sequencer === operator && facts.phase === LIVE);
	const { ledger } = nation.follower;
	const left = [...nation.country.citizens].filter(({ address }) => {
		const index = ledger.balanceLeaf(address, NATIVE);
		return index !== undefined && ledger.balance(index) > 0n;
	}).length;
	narrator.promise('whoever_left_has_nothing_left_inside',
		settled.length > 0 && left === 0, `${left} balances`);
}

export async function act6({ nation, narrator }) {
	await awaitPhase(nation, 'LIVE');
	await nation.control('primary', { pause: true });
	const { count, root } = await nation.facts();
	narrator.say(`last honest batch ${count}, root ${root.slice(0, 18)}…`);
	await ask(`${nation.http.get('validators')}/control`, { lie: true });
	await nation.control('primary', { lie: true, pause: false });
	const from = (await nation.l1.block()).number - 1;
	const bad = await until('the bad batch lands', async () =>
		(await nation.events(['Committed'], from))
			.find(({ args }) => Number(args.number) === count + 1), 20000);
	narrator.note('sequencer and all validators commit a root that its data does not give',
		bad.block);
	const opened = await awaitOpened(nation, from, 30000);
	await nation.processes.stop(nation.name('primary'));
	narrator.figures.bad_batch_to_open_blocks = opened.block - bad.block;
	narrator.note('an observer proved it: the hatch is open at the batch before',
		opened.block);
	narrator.promise('a_bad_batch_is_proven_bad',
		Number(opened.args.cause) === CAUSE_BAD_BATCH && opened.args.root === root,
		`${opened.block - bad.block} blocks after it landed`);
	await awaitPhase(nation, 'OPEN', 10000);
	await everybodyIsOut(nation, narrator, opened, {});
}
