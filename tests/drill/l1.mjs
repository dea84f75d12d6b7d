// The embedded L1: anvil, and in front of it three small endpoints, the only
// ones that the daemons know.  One of them lies about the head.
import { join } from 'node:path';
import { quantity, Rpc } from '../country/rpc.mjs';
import { ask } from '../country/http.mjs';
import { freePort, startAnvil, until } from '../harness.mjs';

export const ENDPOINTS = [['a', 'honest'], ['b', 'honest'], ['c', 'lie-head']];
const MORE_THAN_ENOUGH = 10n ** 24n; // wei

export class L1 {
	async start(processes) {
		this.url = await startAnvil(processes, 'anvil',
			['--gas-limit', '60000000', '--accounts', '1']);
		this.rpc = new Rpc(this.url);
		this.chainId = Number(await this.rpc.call('eth_chainId'));
		this.endpoints = [];
		for (const [name, fault] of ENDPOINTS) {
			const port = await freePort();
			processes.node(`l1-${name}`, join('integration', 'l1-endpoint.mjs'),
				['--upstream', this.url, '--listen', `127.0.0.1:${port}`,
					'--name', name, '--fault', fault]);
			this.endpoints.push({ name, fault, url: `http://127.0.0.1:${port}` });
		}
		for (const { name, url } of this.endpoints)
			await until(`endpoint ${name} answers`, () => ask(`${url}/__status`));
	}

	honest() {
		return this.endpoints.filter(({ fault }) => fault === 'honest');
	}

	async give(addresses, amount = MORE_THAN_ENOUGH) {
		await this.rpc.all(addresses.map((address) =>
			['anvil_setBalance', [address, quantity(amount)]]));
	}

	async block(tag = 'latest') {
		const block = await this.rpc.call('eth_getBlockByNumber', tag, false);
		return { number: Number(block.number), time: Number(block.timestamp),
			hash: block.hash };
	}

	untilBlock(number) {
		return until(`L1 block ${number}`, async () =>
			(await this.block()).number >= number);
	}

	// Balances at a block number, or now: Map(address -> wei).
	async balances(addresses, block = 'latest') {
		const at = typeof block === 'number' ? quantity(block) : block;
		const found = new Map();
		for (let i = 0; i < addresses.length; i += 500) {
			const some = addresses.slice(i, i + 500);
			const values = await this.rpc.all(some.map((address) =>
				['eth_getBalance', [address, at]]));
			some.forEach((address, k) => found.set(address, BigInt(values[k])));
		}
		return found;
	}

	// First block with a timestamp after `time`, by bisection.
	async blockAfter(time) {
		let low = 0;
		let high = (await this.block()).number;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((await this.block(quantity(middle))).time > time)
				high = middle;
			else
				low = middle + 1;
		}
		return low;
	}
}
