// The L1 that P10 is watched on, made once a run: a nation whose sequencer posts
// a batch a minute, on blocks of 12 s that are as full of others' transactions
// and logs as a busy mainnet's, so that headers are long and blooms hide little.
import { join } from 'node:path';
import { privateKeyToAccount } from 'viem/accounts';
import { NATIVE, ZERO32, hex, keccak } from '../country/bytes.mjs';
import { Draft, DEPOSIT, inboxAcc, pay, register, seal } from '../country/batch.mjs';
import { loadCountry, registrations } from '../country/citizens.mjs';
import { deploy } from '../country/deploy.mjs';
import { Follower } from '../country/follow.mjs';
import { Rpc, Sender, quantity } from '../country/rpc.mjs';
import { fund } from '../country/treasury.mjs';
import { encodeCall, typed } from '../country/wire.mjs';
import { ANVIL, freePort, until } from '../harness.mjs';

export const BLOCK_S = 12;
export const BATCH_BLOCKS = 5;
const CITIZENS = 200;
const TRANSFERS = 8; /* a batch */
const CALLS = 120;   /* a block of others, LOGS each */
const LOGS = 4;
const SENDS = 60;    /* a block, without logs */
const RECIPIENTS = 50; /* few: anvil hashes all accounts anew for each block */
const GAS_LIMIT = 60_000_000;

// Long enough that watchers act on `finalized` of their own choice.
const TERMS = { slaWindow: 7200, failoverWindow: 7200, inclusionWindow: 7200,
	hardDeadline: 86400, notice: 172800, finality: 1536, round: 600 };

// n = calldata[0], seed = calldata[32]: n times
// LOG3(Transfer, keccak(n, seed), keccak(n, seed) + 1) with 32 bytes.
const TRANSFER = 'ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
const CROWD = '5f355b8015604557805f5260203560205260405f20806001017f' + TRANSFER +
	'60205fa3600190036002565b00';

const key = (name) => hex(keccak(Buffer.from(`p10/${name}`)));
const addressOf = (name) => privateKeyToAccount(key(name)).address.toLowerCase();

class Nation {
	constructor(rpc, folder) {
		this.rpc = rpc;
		this.country = loadCountry(join(folder, 'citizens.json'), 'p10', CITIZENS);
		this.people = registrations(this.country);
		this.validators = ['v0', 'v1', 'v2', 'v3'].map((name) =>
			privateKeyToAccount(key(name))).sort((a, b) =>
			a.address.toLowerCase() < b.address.toLowerCase() ? -1 : 1);
		this.primary = new Sender(rpc, key('primary'));
	}

	async found() {
		for (const name of ['deployer', 'treasury', 'primary'])
			await this.rpc.call('anvil_setBalance', addressOf(name), quantity(10n ** 22n));
		this.chainId = Number(await this.rpc.call('eth_chainId'));
		this.at = await deploy(this.rpc, key('deployer'), { terms: TERMS,
			thresholds: { promote: 2, open: 3, resume: 3, amend: 3 },
			guardians: ['g0', 'g1', 'g2'].map(addressOf), standbys: [addressOf('standby')],
			sequencer: addressOf('primary'), t: 3, minBounty: 1n,
			validators: this.validators.map(({ address }) => address) });
		await fund({ rpc: this.rpc, rollup: this.at.rollup, key: key('treasury'),
			country: this.country, bond: 10n ** 18n, reserve: 10n ** 18n });
		this.follower = new Follower(this.rpc, this.at);
	}

	async propose() {
		const { follower } = this;
		await follower.sync();
		const { facts, ledger } = follower;
		const draft = new Draft(ledger);
		let through = facts.inboxThrough;
		for (const { id, item } of await follower.pendingInbox(10)) {
			if (item.kind === DEPOSIT)
				draft.credit(item.owner, item.asset, item.amount);
			through = id + 1;
		}
		register(draft, this.people.filter(([citizen]) =>
			!ledger.leavesOf(citizen.address).length), this.country.treasury.address);
		const purses = this.people.map(([citizen]) =>
			ledger.balanceLeaf(citizen.address, NATIVE)).filter((leaf) => leaf !== undefined);
		pay(draft, purses, TRANSFERS, new Set());
		return seal(ledger, draft.entries(), draft.leafCount, { number: facts.count + 1,
			prevRoot: facts.root, inboxThrough: through,
			inboxAcc: through ? inboxAcc(follower, through) : ZERO32 });
	}

	async commit() {
		const { batch, roots, diff } = await this.propose();
		const message = typed(this.chainId, this.at.rollup, 'Batch',
			{ ...batch, sequencer: this.primary.address });
		const signatures = await Promise.all(this.validators.slice(0, 3).map((account) =>
			account.signTypedData(message)));
		return this.primary.send({ to: this.at.rollup, gas: 8_000_000n,
			data: encodeCall('SovereignRollup', 'commit', [batch, roots, diff,
				'0x' + signatures.map((text) => text.slice(2)).join('')]) });
	}
}

class Crowd {
	constructor(rpc) {
		this.rpc = rpc;
		this.seed = 0n;
		this.recipients = Array.from({ length: RECIPIENTS }, (_, i) => addressOf(`anyone ${i}`));
	}

	async found() {
		this.accounts = await this.rpc.call('eth_accounts');
		for (const account of this.accounts)
			await this.rpc.call('anvil_setBalance', account, quantity(10n ** 24n));
		const size = (CROWD.length / 2).toString(16).padStart(2, '0');
		const hash = await this.rpc.call('eth_sendTransaction', { from: this.accounts[0],
			data: `0x60${size}600a5f3960${size}5ff3${CROWD}`, gas: quantity(1_000_000) });
		this.at = (await this.rpc.call('eth_getTransactionReceipt', hash)).contractAddress;
		this.nonces = this.accounts.map((_, i) => Number(i === 0));
	}

	word(value) {
		return BigInt(value).toString(16).padStart(64, '0');
	}

	/* All is given, so that anvil only signs. */
	async fill() {
		const calls = [];
		for (let i = 0; i < CALLS + SENDS; i++) {
			const k = i % this.accounts.length;
			const from = this.accounts[k];
			const all = { from, nonce: quantity(this.nonces[k]++), maxFeePerGas: quantity(10n ** 11n),
				maxPriorityFeePerGas: quantity(10n ** 9n) };
			calls.push(['eth_sendTransaction', [i < CALLS ?
				{ ...all, to: this.at, gas: quantity(60_000),
					data: `0x${this.word(LOGS)}${this.word(++this.seed)}` } :
				{ ...all, to: this.recipients[i % RECIPIENTS],
					gas: quantity(21_000), value: '0x1' }]]);
		}
		await this.rpc.all(calls);
	}
}

// Blocks up to `last`; {url, chainId, hatch, rollup, last}.  Anvil stays: it is
// asked for what was not asked before.
export async function makeChain(processes, folder, last) {
	const port = await freePort();
	const url = `http://127.0.0.1:${port}`;
	const rpc = new Rpc(url);
	processes.start('anvil', ANVIL, ['--port', String(port), '--silent',
		'--gas-limit', String(GAS_LIMIT), '--order', 'fifo', '--accounts', '20',
		'--timestamp', String(Math.floor(Date.now() / 1000) - (last + 20) * BLOCK_S)]);
	await until('anvil answers', () => rpc.call('eth_chainId'));
	await rpc.call('anvil_setBlockTimestampInterval', BLOCK_S);
	const nation = new Nation(rpc, folder);
	const crowd = new Crowd(rpc);
	await nation.found();
	await crowd.found();
	await rpc.call('evm_setAutomine', false);
	for (let at = Number(await rpc.call('eth_blockNumber')); at < last; at++) {
		const batch = at % BATCH_BLOCKS === 0 ? await nation.commit() : undefined;
		await crowd.fill();
		await rpc.call('evm_mine');
		if (batch && (await nation.primary.receipt(batch)).status !== '0x1')
			throw new Error(`block ${at + 1}: the batch was refused`);
	}
	return { url, chainId: nation.chainId, ...nation.at, last };
}
