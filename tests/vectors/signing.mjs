// Keys, EIP-712 and transactions: published cases, and what viem makes of the
// same random values.
import {
	concat, fromRlp, getContractAddress, hashTypedData, hexToBytes, keccak256,
	numberToHex, recoverAddress, serializeTransaction, toHex, toRlp,
} from 'viem';
import { privateKeyToAccount, sign } from 'viem/accounts';

const REFUSED = 'refused';
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

export const word = (value) => numberToHex(BigInt(value), { size: 32 });
const parts = (signature) => ({
	r: BigInt(signature.slice(0, 66)),
	s: BigInt('0x' + signature.slice(66, 130)),
	v: BigInt('0x' + signature.slice(130)),
});
const joined = ({ r, s, v }) =>
	concat([word(r), word(s), numberToHex(v, { size: 1 })]);

// A secret that a key can have.
export const secret = (t) => word(1n + BigInt(t.hex(t.bytes(32))) % (ORDER - 1n));
export const u64 = (t) => t.bits(64);
export const u53 = (t) => t.bits(53);
export const hash = (t) => t.hex(t.bytes(32));
export const address = (t) => t.hex(t.bytes(20));

function* publishedKeys({ testcases }) {
	for (const file of ['wallets', 'accounts', 'transactions']) {
		for (const c of testcases(file)) {
			const owner = c.accountAddress ?? c.address;
			if (!c.privateKey || !owner)
				continue;
			yield {
				name: `${file} ${c.name}`,
				command: ['key.address', c.privateKey.toLowerCase()],
				expect: owner.toLowerCase(),
			};
		}
	}
}

function* publishedTransactions({ testcases, note }) {
	let used = 0;
	for (const c of testcases('typed-transactions')) {
		const { tx } = c;
		if (tx.type !== 2)
			continue;
		if (tx.accessList?.length) {
			yield { name: c.name, command: ['tx.read', c.unsigned], expect: REFUSED };
			yield { name: c.name, command: ['tx.sender', c.signed], expect: REFUSED };
			continue;
		}
		used++;
		const fields = [tx.chainId, tx.nonce, tx.maxPriorityFeePerGas, tx.maxFeePerGas, tx.gasLimit]
			.map((n) => String(BigInt(n ?? 0)));
		fields.push((tx.to ?? '').toLowerCase(), String(BigInt(tx.value ?? 0)), tx.data ?? '0x');
		const said = fields.map((f) => f || '-').join(' ');
		yield { name: c.name, command: ['tx.unsigned', ...fields], expect: c.unsigned };
		yield { name: c.name, command: ['tx.signed', c.key, ...fields], expect: c.signed };
		yield { name: c.name, command: ['tx.read', c.unsigned], expect: said };
		yield {
			name: c.name,
			command: ['tx.sender', c.signed],
			expect: `${c.address.toLowerCase()} ${keccak256(c.signed)} ${said}`,
		};
	}
	note(`typed-transactions: ${used} of EIP-1559 without an access list`);
}

async function* publishedDigests(t) {
	for (const c of t.testcases('eip712')) {
		const key = secret(t);
		yield {
			name: `eip712 ${c.name}`,
			command: ['key.sign', key, c.digest],
			expect: await sign({ hash: c.digest, privateKey: key, to: 'hex' }),
		};
	}
}

async function* keys(t) {
	for (let i = 0; i < 200; i++) {
		const key = secret(t);
		const digest = hash(t);
		const signature = await sign({ hash: digest, privateKey: key, to: 'hex' });
		const owner = privateKeyToAccount(key).address.toLowerCase();
		const { r, s, v } = parts(signature);
		yield { name: 'address', command: ['key.address', key], expect: owner };
		yield { name: 'sign', command: ['key.sign', key, digest], expect: signature };
		yield { name: 'recover', command: ['key.recover', digest, signature], expect: owner };
		yield {
			name: 'high s',
			command: ['key.recover', digest, joined({ r, s: ORDER - s, v: 55n - v })],
			expect: REFUSED,
		};
		const other = joined({ r, s, v: 55n - v });
		yield {
			name: 'other v',
			command: ['key.recover', digest, other],
			expect: (await recoverAddress({ hash: digest, signature: other })).toLowerCase(),
		};
	}
	for (const key of [word(0), word(ORDER), word(ORDER + 1n), word(2n ** 256n - 1n)])
		yield { name: 'no key', command: ['key.address', key], expect: REFUSED };
	yield { name: 'first key', command: ['key.address', word(1)], expect: '0x7e5f4552091a69125d5dfcb7b8c2659029395bdf' };
}

const domainNames = { A: 'EscapeHatch', B: 'SovereignRollup', C: 'Egress' };

// [letter, type number, name, fields]
export const types = [
	['A', 0, 'Vote', 'uint8 action,uint64 epoch,uint64 progress,bytes32 subject,uint64 expiry'],
	['B', 0, 'Batch', 'uint64 number,bytes32 prevRoot,bytes32 root,uint64 leafCount,uint64 inboxThrough,bytes32 inboxAcc,bytes32 diffHash,address sequencer'],
	['B', 1, 'Withdraw', 'uint40 index,uint96 amount,address recipient,uint256 salt,uint64 expiry'],
	['B', 2, 'ExitTo', 'uint40 index,address recipient,uint64 count'],
	['B', 3, 'ClaimTo', 'address asset,address recipient,uint256 salt,uint64 expiry'],
	['C', 1, 'Receipts', 'bytes32 root,uint64 acceptedAt'],
	['C', 2, 'Heartbeat', 'uint64 block,bytes32 blockHash,uint8 phase,uint64 batch,bytes32 stateRoot,uint64 at'],
	['C', 3, 'Ready', 'address standby,uint64 batch,bytes32 root,uint64 at'],
	['C', 4, 'Incident', 'bytes32 documentHash'],
].map(([letter, number, name, text]) => ({
	letter, number, name,
	fields: text.split(',').map((f) => ({ type: f.split(' ')[0], name: f.split(' ')[1] })),
}));

export function value(type, t) {
	if (type === 'bytes32')
		return hash(t);
	if (type === 'address')
		return address(t);
	return t.bits(Number(type.slice(4)));
}

const padded = (type, v) =>
	type === 'address' ? word(BigInt(v)) : type === 'bytes32' ? v : word(v);

function* digests(t) {
	for (let i = 0; i < 450; i++) {
		const type = types[i % types.length];
		const chainId = u64(t);
		const verifyingContract = address(t);
		const values = type.fields.map((f) => value(f.type, t));
		const message = Object.fromEntries(type.fields.map((f, j) => [f.name, values[j]]));
		const expect = hashTypedData({
			domain: { name: domainNames[type.letter], version: '1', chainId, verifyingContract },
			types: { [type.name]: type.fields },
			primaryType: type.name,
			message,
		});
		const plain = [String(chainId), verifyingContract, ...values.map(String)];
		if (type.name === 'Vote')
			yield { name: 'Vote', command: ['vote.digest', ...plain], expect };
		else if (type.name === 'Batch')
			yield { name: 'Batch', command: ['batch.digest', ...plain], expect };
		else
			yield {
				name: type.name,
				command: ['statement.digest', type.letter, String(type.number), String(chainId),
					verifyingContract, ...type.fields.map((f, j) => padded(f.type, values[j]))],
				expect,
			};
	}
}

function* transactions(t) {
	for (let i = 0; i < 300; i++) {
		const tx = {
			type: 'eip1559',
			chainId: 1 + t.below(2 ** 31),
			nonce: t.below(2 ** 31),
			maxPriorityFeePerGas: t.bits(100),
			maxFeePerGas: 0n,
			gas: u53(t),
			to: t.below(4) ? address(t) : undefined,
			value: t.bits(255),
			data: t.hex(t.bytes(t.below(4) ? t.below(80) : t.below(700))),
		};
		tx.maxFeePerGas = tx.maxPriorityFeePerGas + t.bits(100);
		const fields = [tx.chainId, tx.nonce, tx.maxPriorityFeePerGas, tx.maxFeePerGas, tx.gas]
			.map(String).concat(tx.to ?? '', String(tx.value), tx.data);
		const key = secret(t);
		yield { name: 'unsigned', command: ['tx.unsigned', ...fields], expect: serializeTransaction(tx) };
		const owner = privateKeyToAccount(key);
		yield { name: 'signed', command: ['tx.signed', key, ...fields], tx, owner };
		yield {
			name: 'create',
			command: ['tx.create', owner.address.toLowerCase(), String(tx.nonce)],
			expect: getContractAddress({ from: owner.address, nonce: BigInt(tx.nonce) }).toLowerCase(),
		};
	}
}

async function* signedTransactions(t) {
	for (const c of transactions(t)) {
		if (!c.owner) {
			yield c;
			continue;
		}
		const expect = await c.owner.signTransaction(c.tx);
		const said = c.command.slice(2).map((f) => f || '-').join(' ');
		yield { name: c.name, command: c.command, expect };
		yield {
			name: 'sender',
			command: ['tx.sender', expect],
			expect: `${c.owner.address.toLowerCase()} ${keccak256(expect)} ${said}`,
		};
	}
}

// What an unsigned transaction says, by viem's RLP alone.
function saidBy(bytes) {
	const list = fromRlp('0x' + bytes.slice(4));
	if (!bytes.startsWith('0x02') || list.length !== 9 || list.slice(0, 8).some(Array.isArray) ||
		concat(['0x02', toRlp(list)]) !== bytes)
		return REFUSED;
	const sizes = { 0: 8, 1: 8, 2: 32, 3: 32, 4: 8, 6: 32 };
	for (const [i, size] of Object.entries(sizes))
		if (list[i].startsWith('0x00') || list[i].length > 2 + 2 * size)
			return REFUSED;
	if (![2, 42].includes(list[5].length) || !Array.isArray(list[8]) || list[8].length)
		return REFUSED;
	return list.slice(0, 8).map((f, i) => (i in sizes ? String(f === '0x' ? 0 : BigInt(f)) :
		i === 5 && f === '0x' ? '-' : f)).join(' ');
}

// One bit of a good transaction changed.
async function* hostileTransactions(t) {
	for (const c of transactions(t)) {
		if (c.name !== 'unsigned')
			continue;
		for (let i = 0; i < 8; i++) {
			const data = hexToBytes(c.expect);
			const at = t.below(3) ? t.below(data.length) : t.below(16);
			data[at] ^= 1 << t.below(8);
			const changed = toHex(data);
			let expect = REFUSED;
			try {
				expect = saidBy(changed);
			} catch {
				// not RLP
			}
			yield { name: 'hostile', command: ['tx.read', changed], expect };
		}
	}
}

export async function* cases(t) {
	yield* publishedKeys(t);
	yield* publishedTransactions(t);
	yield* publishedDigests(t);
	yield* keys(t);
	yield* digests(t);
	yield* signedTransactions(t);
	yield* hostileTransactions(t);
}
