// A small JSON-RPC client: one HTTP request a batch, and transactions signed
// here.  Errors of the node are thrown with its text and revert data.
import { privateKeyToAccount } from 'viem/accounts';

const TIMEOUT_MS = 5000;
const RECEIPT_MS = 20000;
const POLL_MS = 250;

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
export const quantity = (value) => '0x' + BigInt(value).toString(16);

export class RpcError extends Error {
	constructor(error) {
		super(error.message ?? 'error without a message');
		this.code = error.code;
		this.data = typeof error.data === 'string' ? error.data : undefined;
	}
}

export class Rpc {
	constructor(url) {
		this.url = url;
		this.id = 0;
	}

	// calls: [[method, params]]; an element that failed is an RpcError.
	async batch(calls) {
		const asked = calls.map(([method, params]) =>
			({ jsonrpc: '2.0', id: ++this.id, method, params }));
		const answers = new Map();
		for (const answer of await this.post(JSON.stringify(asked)))
			answers.set(answer.id, answer);
		return asked.map(({ id, method }) => {
			const answer = answers.get(id);
			if (!answer)
				throw new Error(`${method}: no answer`);
			return answer.error ? new RpcError(answer.error) : answer.result;
		});
	}

	async post(body) {
		try {
			const response = await fetch(this.url, { method: 'POST', body,
				headers: { 'content-type': 'application/json' },
				signal: AbortSignal.timeout(TIMEOUT_MS) });
			return await response.json();
		} catch (problem) {
			throw new Error(`${this.url}: ${problem.cause?.code ?? problem.message}`);
		}
	}

	// As batch, but throws the first failure.
	async all(calls) {
		const results = await this.batch(calls);
		for (const result of results)
			if (result instanceof RpcError)
				throw result;
		return results;
	}

	async call(method, ...params) {
		return (await this.all([[method, params]]))[0];
	}
}

// An account that sends: one nonce at a time, gas asked of nobody but L1.
export class Sender {
	constructor(rpc, key) {
		this.rpc = rpc;
		this.account = privateKeyToAccount(key);
		this.address = this.account.address.toLowerCase();
	}

	// {to, data, value, gas}; returns the transaction's hash.
	// `gas` given: sent even when it is certain to revert.
	async send({ to, data = '0x', value = 0n, gas }) {
		const call = { from: this.address, to, data, value: quantity(value) };
		const asked = [['eth_chainId', []],
			['eth_getTransactionCount', [this.address, 'pending']],
			['eth_getBlockByNumber', ['latest', false]]];
		if (!gas)
			asked.push(['eth_estimateGas', [call]]);
		const [chainId, nonce, block, estimate] = await this.rpc.all(asked);
		const tip = 1_000_000_000n;
		const raw = await this.account.signTransaction({
			type: 'eip1559', chainId: Number(chainId), nonce: Number(nonce),
			to, data, value,
			gas: gas ?? BigInt(estimate) * 5n / 4n,
			maxFeePerGas: 2n * BigInt(block.baseFeePerGas ?? 0) + tip,
			maxPriorityFeePerGas: tip,
		});
		return this.rpc.call('eth_sendRawTransaction', raw);
	}

	async receipt(hash, patience_ms = RECEIPT_MS) {
		const until = Date.now() + patience_ms;
		for (;;) {
			const receipt = await this.rpc.call('eth_getTransactionReceipt', hash);
			if (receipt)
				return receipt;
			if (Date.now() > until)
				throw new Error(`${hash} was not mined in ${patience_ms} ms`);
			await sleep(POLL_MS);
		}
	}

	// Sends, waits, and throws when it reverted.
	async run(transaction) {
		const receipt = await this.receipt(await this.send(transaction));
		if (receipt.status !== '0x1')
			throw new Error(`${receipt.transactionHash} reverted`);
		return receipt;
	}
}
