// The country against a real L1 (anvil): every promise it makes to the drill.
//   node selftest.mjs [--citizens 300] [--lie-kind root|reown] [--keep-log]
// Prints "country: N passed, N failed"
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concat, pad, stringToBytes } from 'viem';
import { privateKeyToAccount, sign } from 'viem/accounts';
import { audit } from './audit.mjs';
import { proveBadStep } from './badstep.mjs';
import { NATIVE, hex, keccak, unhex } from './bytes.mjs';
import { loadCountry, signWithdraw } from './citizens.mjs';
import { SHORT_TERMS, deploy } from './deploy.mjs';
import { Follower } from './follow.mjs';
import { ask, parseArgs } from './http.mjs';
import { Processes, freePort, startAnvil, until } from '../harness.mjs';
import { Rpc, Sender, quantity } from './rpc.mjs';
import { fund } from './treasury.mjs';
import { verify } from './tree.mjs';
import { decodeCall, decodeEvent, encodeCall, refusal } from './wire.mjs';

const RESUME = 3;   // the ballot
const SETTLING = 2; // the state
const key = (name) => hex(keccak(stringToBytes(`selftest/${name}`)));
const addressOf = (name) => privateKeyToAccount(key(name)).address.toLowerCase();

const options = parseArgs(process.argv.slice(2),
	{ citizens: '300', lieKind: 'root', keepLog: false });
const folder = mkdtempSync(join(tmpdir(), 'country-'));
const processes = new Processes(folder);
let passed = 0;
let failed = 0;

function expect(good, text) {
	if (good)
		passed++;
	else
		failed++;
	process.stdout.write(`${good ? 'ok  ' : 'FAIL'} ${text}\n`);
}

// Sends, and has a block made at once.
class Anyone extends Sender {
	async send(transaction) {
		const hash = await super.send(transaction);
		await this.rpc.call('evm_mine');
		return hash;
	}
}

class World {
	async begin() {
		const ports = await Promise.all([...'vps'].map(freePort));
		[this.validators, this.primary, this.standby] =
			ports.map((port) => `http://127.0.0.1:${port}`);
		this.l1 = await startAnvil(processes);
		this.rpc = new Rpc(this.l1);
		for (const name of ['deployer', 'treasury', 'primary', 'standby', 'anyone'])
			await this.rpc.call('anvil_setBalance', addressOf(name),
				'0x' + (10n ** 22n).toString(16));
		this.country = loadCountry(join(folder, 'citizens.json'), 'selftest',
			Number(options.citizens));
		this.at = await deploy(this.rpc, key('deployer'), { terms: SHORT_TERMS,
			thresholds: { promote: 2, open: 2, resume: 2, amend: 2 },
			guardians: ['g0', 'g1', 'g2'].map(addressOf),
			standbys: [addressOf('standby')], sequencer: addressOf('primary'),
			validators: ['v0', 'v1', 'v2', 'v3'].map(addressOf), t: 3, minBounty: 1n });
		this.chainId = Number(await this.rpc.call('eth_chainId'));
		this.anyone = new Anyone(this.rpc, key('anyone'));
		processes.node('validators', 'country/validators.mjs', ['--keys',
			['v0', 'v1', 'v2', 'v3'].map(key).join(','), ...this.common(ports[0])]);
		this.sequencer('primary', ports[1]);
		this.sequencer('standby', ports[2]);
		await fund({ rpc: this.rpc, rollup: this.at.rollup, key: key('treasury'),
			country: this.country, bond: 10n ** 18n, reserve: 10n ** 18n });
	}

	common(port) {
		return ['--rpc', this.l1, '--rollup', this.at.rollup, '--hatch', this.at.hatch,
			'--listen', `127.0.0.1:${port}`];
	}

	sequencer(name, port, ...more) {
		processes.node(name, 'country/sequencer.mjs', ['--name', name,
			'--key', key(name), '--validators', this.validators, '--citizens',
			join(folder, 'citizens.json'), '--interval', '1s', ...this.common(port), ...more]);
	}

	async status(name) {
		return (await ask(`${this[name]}/status`)).body;
	}

	control(name, body) {
		return ask(`${this[name]}/control`, body);
	}

	// The ledger, rebuilt from the first block by somebody who saw nothing before.
	async fresh() {
		const follower = new Follower(this.rpc, this.at);
		await follower.sync();
		return follower;
	}

	async request(citizen, index, amount) {
		const message = { index, amount, recipient: citizen.recipient, salt: BigInt(index),
			expiry: 2n ** 40n };
		const signature = await signWithdraw(citizen.key, this.chainId, this.at.rollup, message);
		const [bounty] = await (await this.fresh()).read([['SovereignRollup', 'bounty']]);
		await this.anyone.run({ to: this.at.rollup, value: bounty * 2n,
			data: encodeCall('SovereignRollup', 'requestWithdrawalFor', [index, amount,
				citizen.recipient, message.salt, message.expiry, signature]) });
	}

	// Lets L1 time go by at once.
	async pass(seconds) {
		await this.rpc.call('evm_increaseTime', seconds);
		const { time } = await this.fresh();
		await until('time', async () => (await this.fresh()).time >= time + seconds - 1);
	}

	async resume(name) {
		const follower = await this.fresh();
		const expiry = BigInt(follower.time + 1000);
		const [epoch] = await follower.read([['EscapeHatch', 'epoch']]);
		const [digest] = await follower.read([['EscapeHatch', 'digest',
			[RESUME, epoch, 0n, pad(addressOf(name)), expiry]]]);
		const signers = ['g0', 'g1'].sort((a, b) => addressOf(a) < addressOf(b) ? -1 : 1);
		const bundle = await Promise.all(signers.map((guardian) =>
			sign({ hash: digest, privateKey: key(guardian), to: 'hex' })));
		await this.anyone.run({ to: this.at.hatch, data: encodeCall('EscapeHatch', 'resume',
			[addressOf(name), expiry, concat(bundle)]) });
	}

	balance(address) {
		return this.rpc.call('eth_getBalance', address, 'latest').then(BigInt);
	}

	async events(wanted) {
		const logs = await this.rpc.call('eth_getLogs',
			{ fromBlock: '0x0', address: this.at.rollup });
		return logs.map((log) => ({ log, ...decodeEvent('SovereignRollup', log) }))
			.filter(({ eventName }) => eventName === wanted);
	}
}

async function batchesLand(world) {
	await until('registration', async () => {
		const { body } = await ask(`${world.primary}/status`);
		return body.citizensWaiting === 0 && body.count >= 4;
	}, 20000);
	const follower = await world.fresh();
	expect(follower.synced && follower.diverged === undefined,
		'the root on L1 is that of the ledger rebuilt from L1');
	const [vault] = await follower.read([['SovereignRollup', 'vault', [NATIVE]]]);
	expect(vault === BigInt(world.country.total) + 10n ** 18n &&
		vault === follower.ledger.sum(NATIVE), 'the vault holds the sum of all balances');
	const person = world.country.citizens[7];
	const leaves = follower.ledger.leavesOf(person.address);
	expect(leaves.length === 2 && verify(unhex(follower.ledger.root()), leaves[1],
		follower.ledger.hashes[leaves[1]], follower.ledger.proof(leaves[1]).map((n) => unhex(n))),
		'a citizen has a balance and a credential, provable');
	const [known, forged] = await follower.read([leaves[1], leaves[0]].map((index) =>
		['SovereignRollup', 'verifyCredential', [index, hex(follower.ledger.records[leaves[1]]),
			follower.ledger.proof(leaves[1])]]));
	expect(known === true && forged === false, 'L1 verifies the credential, at its index only');
}

async function forcedIsServed(world) {
	const follower = await world.fresh();
	const citizen = { ...world.country.citizens[3],
		recipient: '0x00000000000000000000000000000000000000a1' };
	const index = follower.ledger.balanceLeaf(citizen.address, NATIVE);
	const amount = 10n ** 14n;
	await world.request(citizen, index, amount);
	await until('execution', async () => (await world.fresh()).facts.withdrawHead === 1n);
	const after = await world.fresh();
	const [asked] = await world.events('WithdrawalRequested');
	const [done] = await world.events('WithdrawalExecuted');
	const at = await world.rpc.call('eth_getBlockByNumber', done.log.blockNumber, false);
	expect(Number(at.timestamp) <= Number(asked.args.due),
		'the sequencer executes it before it is overdue');
	const { count } = after.facts;
	await until('next batch', async () => (await world.fresh()).facts.count > count);
	expect((await world.fresh()).synced, 'batches go on over the root that L1 computed');
	world.owing = 10n ** 14n; // the second withdrawal is executed, not yet paid
	world.toPay = { id: 0n, recipient: citizen.recipient, amount };
}

async function handsOver(world) {
	const wrong = await world.control('primary', { handOver: addressOf('anyone') });
	expect(wrong.status === 409, 'a hand-over to a stranger is refused');
	const { status, body } = await world.control('primary', { handOver: addressOf('standby') });
	expect(status === 200, 'the primary hands over');
	const [[count]] = await (await world.fresh()).read([['SovereignRollup', 'progress']],
		quantity(body.block));
	await until('standby posts', async () => (await world.status('standby')).posted > 0);
	const follower = await world.fresh();
	expect(follower.facts.sequencer === addressOf('standby') && follower.synced &&
		follower.facts.count > Number(count), 'the standby posts the next batches');
	expect(follower.facts.standbys[0] === addressOf('primary'), 'the primary stands by');
}

async function killedAndBack(world) {
	await processes.stop('primary');
	const port = new URL(world.primary).port;
	world.sequencer('primary', port, '--stubborn');
	const status = await until('resync', async () => {
		const found = await world.status('primary');
		return found.lastRefusal && found;
	});
	const follower = await world.fresh();
	expect(status.synced && Math.abs(status.batch - follower.ledger.batch) <= 2,
		'after SIGKILL it is in step again, from L1 alone');
	expect(/NotSequencer/.test(status.lastRefusal), `stubborn: ${status.lastRefusal}`);
	const receipt = await world.rpc.call('eth_getTransactionReceipt', status.refusedTx);
	expect(receipt.status === '0x0', 'the refusal stands on L1');
	await world.control('primary', { stubborn: false });
	const { body } = await until('ready', async () => {
		const found = await ask(`${world.primary}/ready`);
		return found.status === 200 && found;
	});
	expect(body.ready && body.signature.length === 132, 'it proves itself ready');
}

async function ignoresForced(world) {
	await world.control('standby', { ignoreForced: true });
	const citizen = { ...world.country.citizens[5],
		recipient: '0x00000000000000000000000000000000000000a2' };
	const index = (await world.fresh()).ledger.balanceLeaf(citizen.address, NATIVE);
	await world.request(citizen, index, 10n ** 14n);
	await world.pass(SHORT_TERMS.inclusionWindow - 1);
	const status = await until('refusal', async () => {
		const found = await world.status('standby');
		return /WithdrawalOverdue/.test(found.lastRefusal) && found;
	});
	expect(true, `ignoring: ${status.lastRefusal}`);
	const { ledger } = await world.fresh();
	await world.anyone.run({ to: world.at.rollup, data: encodeCall('SovereignRollup',
		'executeWithdrawal', [1n, hex(ledger.records[index]), ledger.proof(index)]) });
	const { posted } = await world.status('standby');
	await until('batches', async () => (await world.status('standby')).posted > posted);
	expect((await world.fresh()).synced, 'anyone executes it, and batches land again');
	await world.anyone.run({ to: world.at.rollup,
		data: encodeCall('SovereignRollup', 'pay', [world.toPay.id]) });
	expect(await world.balance(world.toPay.recipient) === world.toPay.amount,
		'the first one is paid after finality');
}

async function liesAndIsCaught(world) {
	await world.control('standby', { lie: true, lieKind: options.lieKind });
	await until('a lie is told', async () => (await world.status('standby')).lied > 1);
	expect((await world.fresh()).diverged === undefined, 'honest validators do not sign a lie');
	await world.control('validators', { lie: true });
	const bad = await until('the lie', async () => {
		const follower = await world.fresh();
		return follower.diverged !== undefined && follower;
	});
	await until('another on top', async () =>
		(await world.fresh()).facts.count > bad.diverged);
	await world.control('standby', { pause: true });
	const committed = await findCommit(world, bad.diverged);
	const late = await world.fresh();
	late.ledger.rewind(bad.diverged);
	const proof = proveBadStep(late.ledger, committed);
	expect(proof !== undefined && late.ledger.root() === committed.batch.prevRoot,
		`batch ${bad.diverged} lands, and its data prove it bad (${options.lieKind})`);
	await world.anyone.run({ to: world.at.hatch,
		data: encodeCall('EscapeHatch', 'openOnBadBatch', [proof]) });
	const after = await world.fresh();
	expect(after.facts.state === 1 && after.synced && after.facts.root === late.ledger.root(),
		'the proof opens the hatch at the batch before, and the later one falls too');
}

async function evacuatesAndResumes(world) {
	await world.control('validators', { lie: false });
	await world.pass(SHORT_TERMS.finality + SHORT_TERMS.inclusionWindow + 2);
	const { ledger } = await world.fresh();
	const buckets = Array.from({ length: Math.ceil(ledger.leafCount / 256) }, (_, number) =>
		({ number: BigInt(number), ...ledger.bucket(number) }));
	const early = await audit(world.rpc, world.at);
	expect(early.evacuated === 0 && early.lost_wei === ledger.sum(NATIVE),
		'the audit misses everything that is not yet paid');
	for (const { number, records, proof } of buckets)
		await world.anyone.run({ to: world.at.rollup, data: encodeCall('SovereignRollup',
			'exitBucket', [number, 2n ** 256n - 1n, records, proof]) })
			.catch((problem) => expect(/NothingToExit/.test(refusal(problem)), problem.message));
	const found = await audit(world.rpc, world.at);
	expect(found.evacuated === found.leaves && found.leaves > 0 && found.lost_wei === 0n &&
		found.paid_twice === 0 && found.paid_too_much === 0,
		`${found.evacuated} leaves evacuated to their owners, to the wei`);
	await world.resume('primary');
	await settleAll(world);
	const { count } = (await world.fresh()).facts;
	await until('a batch', async () => (await world.fresh()).facts.count > count);
	const after = await world.fresh();
	const [vault] = await after.read([['SovereignRollup', 'vault', [NATIVE]]]);
	expect(after.synced && after.ledger.sum(NATIVE) === 0n && vault === world.owing,
		'settled, a new operator goes on');
	expect((await audit(world.rpc, world.at)).lost_wei === 0n, 'the audit still holds');
}

// Each settled bucket changes the root, so each proof is made anew.
async function settleAll(world) {
	for (let number = 0; ; number++) {
		const { ledger, facts } = await world.fresh();
		if (facts.state !== SETTLING || number * 256 >= ledger.leafCount)
			return;
		const { records, proof } = ledger.bucket(number);
		const [bits] = await (await world.fresh()).read([
			['SovereignRollup', 'exited', [BigInt(number)]]]);
		if (bits)
			await world.anyone.run({ to: world.at.rollup, data: encodeCall('SovereignRollup',
				'settleBucket', [BigInt(number), records, proof]) });
	}
}

async function findCommit(world, number) {
	const logs = await world.rpc.call('eth_getLogs', { fromBlock: '0x0',
		address: world.at.rollup });
	for (const log of logs) {
		const event = decodeEvent('SovereignRollup', log);
		if (event?.eventName !== 'Committed' || Number(event.args.number) !== number)
			continue;
		const { input } = await world.rpc.call('eth_getTransactionByHash', log.transactionHash);
		return { ...event.args, diff: unhex(decodeCall('SovereignRollup', input).args[2]) };
	}
}

const world = new World();
const began = Date.now();
try {
	await world.begin();
	for (const act of [batchesLand, forcedIsServed, handsOver, killedAndBack,
		ignoresForced, liesAndIsCaught,
		evacuatesAndResumes])
		await act(world);
} catch (problem) {
	expect(false, problem.stack);
}
await processes.stopAll();
if (options.keepLog || failed)
	process.stdout.write(`logs in ${folder}\n`);
else
	rmSync(folder, { recursive: true });
process.stdout.write(`${Math.round((Date.now() - began) / 1000)} s\n`);
process.stdout.write(`country: ${passed} passed, ${failed} failed\n`);
process.exit(failed || !passed ? 1 : 0);
