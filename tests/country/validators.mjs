// The country's validators: one process that holds four keys (3 of 4 sign on L1)
// over one ledger, rebuilt from L1.  Each key signs a batch only when it follows
// from that ledger; who may commit it is L1's business, so any asker is served.
//   node validators.mjs --keys HEX,HEX,… --rpc URL --rollup 0x --hatch 0x
//        --listen 127.0.0.1:PORT [--lie]
// POST /sign {batch, roots, diff, sequencer} → {signatures: [{validator, signature}]}
// GET /status     POST /control {lie}
import { privateKeyToAccount } from 'viem/accounts';
import { Follower } from './follow.mjs';
import { check } from './batch.mjs';
import { error, log, parseArgs, serve } from './http.mjs';
import { Rpc, sleep } from './rpc.mjs';
import { typed } from './wire.mjs';

const POLL_MS = 500;
const COVER = 1024;

class Validators {
	constructor(options) {
		this.rpc = new Rpc(options.rpc);
		this.follower = new Follower(this.rpc, options);
		this.accounts = options.keys.split(',').map((key) => privateKeyToAccount(key));
		this.lie = options.lie;
		this.signed = 0;
		this.refused = 0;
		this.lastError = null;
	}

	async sign({ batch, roots, diff, sequencer }) {
		if (!this.lie) {
			await this.follower.sync();
			try {
				await this.judge({ batch, roots, diff });
			} catch (problem) {
				this.refused++;
				log('validators', `batch ${batch.number} refused: ${problem.message}`);
				return { status: 409, body: error('refused', problem.message) };
			}
		}
		const chainId = await this.chain();
		const message = typed(chainId, this.follower.rollup, 'Batch',
			{ ...batch, sequencer });
		this.signed++;
		return { signatures: await Promise.all(this.accounts.map(async (account) => ({
			validator: account.address.toLowerCase(),
			signature: await account.signTypedData(message) }))) };
	}

	async judge(proposal) {
		const items = await this.follower.pendingInbox(COVER);
		check(this.follower, proposal, new Set(items.filter(({ voided }) => voided)
			.map(({ id }) => id)));
	}

	async chain() {
		this.chainId ??= Number(await this.rpc.call('eth_chainId'));
		return this.chainId;
	}

	status() {
		const { ledger, facts, synced, diverged } = this.follower;
		return { name: 'validators', lie: this.lie, synced, diverged: diverged ?? null,
			validators: this.accounts.map(({ address }) => address.toLowerCase()),
			batch: ledger.batch, root: ledger.root(), block: this.follower.at,
			count: facts?.count, signed: this.signed, refused: this.refused,
			lastError: this.lastError };
	}

	async follow() {
		for (;;) {
			try {
				await this.follower.sync();
				this.lastError = null;
			} catch (problem) {
				this.lastError = problem.message;
				log('validators', `L1: ${problem.message}`);
			}
			await sleep(POLL_MS);
		}
	}
}

const options = parseArgs(process.argv.slice(2), { keys: undefined, rpc: undefined,
	rollup: undefined, hatch: undefined, listen: undefined, lie: false });
const validators = new Validators(options);
const server = await serve(options.listen, {
	'GET /status': () => validators.status(),
	'POST /sign': (body) => validators.sign(body),
	'POST /control': (body) => {
		validators.lie = body.lie ?? validators.lie;
		return validators.status();
	},
});
log('validators', `listening on 127.0.0.1:${server.address().port}`);
await validators.follow();
