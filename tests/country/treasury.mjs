// Funds the operator's bond, and deposits the coin that backs every balance.
//   node treasury.mjs --rpc URL --rollup 0x --key HEX --citizens FILE
//        [--bond 1000000000000000000] [--reserve 1000000000000000000]
// The deposit goes to the treasury's own leaf; the first batches distribute it.
import { fileURLToPath } from 'node:url';
import { NATIVE } from './bytes.mjs';
import { loadCountry } from './citizens.mjs';
import { parseArgs } from './http.mjs';
import { Rpc, Sender } from './rpc.mjs';
import { encodeCall } from './wire.mjs';

// Amounts in wei; reserve is what the treasury keeps.  Returns what it deposited.
export async function fund({ rpc, rollup, key, country, bond, reserve }) {
	const sender = new Sender(rpc, key);
	const amount = BigInt(country.total) + BigInt(reserve);
	if (BigInt(bond) > 0n)
		await sender.run({ to: rollup, value: BigInt(bond),
			data: encodeCall('SovereignRollup', 'fundBond') });
	await sender.run({ to: rollup, value: amount,
		data: encodeCall('SovereignRollup', 'deposit',
			[NATIVE, amount, country.treasury.address]) });
	return amount;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const options = parseArgs(process.argv.slice(2), { rpc: undefined,
		rollup: undefined, key: undefined, citizens: undefined,
		bond: '1000000000000000000', reserve: '1000000000000000000' });
	const amount = await fund({ ...options, rpc: new Rpc(options.rpc),
		country: loadCountry(options.citizens) });
	process.stdout.write(`bond ${options.bond} wei, deposit ${amount} wei\n`);
}
