// Deterministic citizens from a seed: key, address, balance, credential.
// As a program it writes the citizens file that the sequencers register from:
//   node citizens.mjs --out FILE [--citizens 2000] [--seed country]
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stringToBytes } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { NATIVE, balanceRecord, be, concat, credentialRecord, hex, keccak,
	unbe } from './bytes.mjs';
import { parseArgs } from './http.mjs';
import { typed } from './wire.mjs';

const VERSION = 1;
const UNIT = 10n ** 12n;

const derive = (seed, what, i) =>
	keccak(concat(stringToBytes(`${seed}/${what}/`), be(i, 8)));

export const citizenKey = (seed, i) => hex(derive(seed, 'key', i));
export const account = (key) => privateKeyToAccount(key);

// One citizen in 10 holds no credential, one in 25 no balance; all others both.
function citizen(seed, i) {
	const key = citizenKey(seed, i);
	const amount = 10n ** 15n + unbe(derive(seed, 'amount', i).subarray(0, 2)) * UNIT;
	return {
		address: privateKeyToAccount(key).address.toLowerCase(), key,
		balance: i % 25 === 23 ? null : amount.toString(),
		credential: i % 10 === 9 ? null : hex(derive(seed, 'credential', i)),
	};
}

// {version, seed, treasury, total, citizens}; total backs every balance, in wei.
export function makeCountry(seed, count) {
	const citizens = [];
	for (let i = 0; i < count; i++)
		citizens.push(citizen(seed, i));
	const total = citizens.reduce((sum, { balance }) =>
		sum + BigInt(balance ?? 0), 0n);
	const key = hex(derive(seed, 'treasury', 0));
	return { version: VERSION, seed, total: total.toString(),
		treasury: { key, address: privateKeyToAccount(key).address.toLowerCase() },
		citizens };
}

// Reads the file when it holds these citizens, makes and writes it otherwise.
export function loadCountry(file, seed, count) {
	if (existsSync(file)) {
		const country = JSON.parse(readFileSync(file, 'utf8'));
		if (country.version === VERSION && (!seed || country.seed === seed) &&
			(!count || country.citizens.length === count))
			return country;
	}
	if (!seed)
		throw new Error(`${file}: not a citizens file of this version`);
	const country = makeCountry(seed, count);
	writeFileSync(`${file}.tmp`, JSON.stringify(country) + '\n');
	renameSync(`${file}.tmp`, file);
	return country;
}

// The order of registration: [[citizen, record]].  The first half enters with
// all its balances before its credentials, so that whole buckets hold one
// asset; the second half person by person, so that buckets are mixed.
export function registrations({ citizens }) {
	const money = (c) => c.balance === null ? [] :
		[[c, balanceRecord(c.address, NATIVE, c.balance)]];
	const paper = (c) => c.credential === null ? [] :
		[[c, credentialRecord(c.address, c.credential)]];
	const half = citizens.slice(0, citizens.length >> 1);
	const rest = citizens.slice(citizens.length >> 1);
	return [...half.flatMap(money), ...half.flatMap(paper),
		...rest.flatMap((c) => [...money(c), ...paper(c)])];
}

// message: {index, amount, recipient, salt, expiry}
export const signWithdraw = (key, chainId, rollup, message) =>
	account(key).signTypedData(typed(chainId, rollup, 'Withdraw', message));

// message: {index, recipient, count}
export const signExitTo = (key, chainId, rollup, message) =>
	account(key).signTypedData(typed(chainId, rollup, 'ExitTo', message));

// message: {asset, recipient, salt, expiry}
export const signClaimTo = (key, chainId, rollup, message) =>
	account(key).signTypedData(typed(chainId, rollup, 'ClaimTo', message));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const options = parseArgs(process.argv.slice(2),
		{ out: undefined, citizens: '2000', seed: 'country' });
	const country = loadCountry(options.out, options.seed, Number(options.citizens));
	process.stdout.write(`${options.out}: ${country.citizens.length} citizens, ` +
		`${country.total} wei, treasury ${country.treasury.address}\n`);
}
