// Deploys BadBatch, EscapeHatch and SovereignRollup: for the country's own test.
// (The drill deploys with the product's command line.)
import { encodeDeployData, getContractAddress } from 'viem';
import { Sender } from './rpc.mjs';
import { contract } from './wire.mjs';

export const SHORT_TERMS = { slaWindow: 8, failoverWindow: 8, inclusionWindow: 6,
	hardDeadline: 20, notice: 36, finality: 8, round: 2 };

// country: {terms, thresholds, guardians, standbys, sequencer, validators, t, minBounty}
// Returns {badBatch, hatch, rollup}, lower-case addresses.
export async function deploy(rpc, key, country) {
	const sender = new Sender(rpc, key);
	const first = Number(await rpc.call('eth_getTransactionCount',
		sender.address, 'pending'));
	const predict = (k) => getContractAddress({ from: sender.account.address,
		nonce: BigInt(first + k) }).toLowerCase();
	const [badBatch, hatch, rollup] = [0, 1, 2].map(predict);
	await create(sender, 'BadBatch', []);
	await create(sender, 'EscapeHatch', [rollup, country.terms, country.thresholds,
		country.guardians, country.standbys]);
	await create(sender, 'SovereignRollup', [hatch, badBatch, country.sequencer,
		country.validators, country.t, country.minBounty]);
	return { badBatch, hatch, rollup };
}

async function create(sender, name, args) {
	const { abi, bytecode } = contract(name);
	await sender.run({ to: undefined,
		data: encodeDeployData({ abi, bytecode, args }) });
}
