// Keys, EIP-712, transactions, tree, calls, logs and text forms: published
// cases, and what viem makes of the same random values.
import { readFileSync } from 'node:fs';
import {
	concat, encodeAbiParameters, encodeEventTopics, encodeFunctionData,
	getContractAddress, hashTypedData, hexToBytes, keccak256, numberToHex,
	parseTransaction, recoverAddress, serializeTransaction, toHex,
} from 'viem';
import { privateKeyToAccount, sign } from 'viem/accounts';
import { Tree, depthFor, zero } from '../country/tree.mjs';

const REFUSED = 'refused';
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

const compiled = (name) => JSON.parse(readFileSync(new URL(
	`../../abi/contracts/out/${name}.json`, import.meta.url))).abi;

const word = (value) => numberToHex(BigInt(value), { size: 32 });
const parts = (signature) => ({
	r: BigInt(signature.slice(0, 66)),
	s: BigInt('0x' + signature.slice(66, 130)),
	v: BigInt('0x' + signature.slice(130)),
});
const joined = ({ r, s, v }) =>
	concat([word(r), word(s), numberToHex(v, { size: 1 })]);

// A secret that a key can have.
const secret = (t) => word(1n + BigInt(t.hex(t.bytes(32))) % (ORDER - 1n));
const u64 = (t) => t.bits(64);
const u53 = (t) => t.bits(53);
const hash = (t) => t.hex(t.bytes(32));
const address = (t) => t.hex(t.bytes(20));

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
const types = [
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

function value(type, t) {
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

// One byte of a good transaction changed: what we still read, viem reads alike.
async function* hostileTransactions(t) {
	for (const c of transactions(t)) {
		if (c.name !== 'unsigned')
			continue;
		for (let i = 0; i < 5; i++) {
			const data = hexToBytes(c.expect);
			data[t.below(data.length)] ^= 1 << t.below(8);
			const changed = toHex(data);
			let again = REFUSED;
			try {
				const tx = parseTransaction(changed);
				again = serializeTransaction({ ...tx, type: 'eip1559' });
			} catch {
				// refused there too
			}
			if (again !== changed)
				yield { name: 'hostile', command: ['tx.read', changed], expect: REFUSED };
		}
	}
}

// A tree's life: grows, changes, shrinks.
function* trees(t) {
	for (let i = 0; i < 12; i++) {
		const from = i % 3 === 0 ? 8 : 0;
		const tree = new Tree();
		const command = ['tree', String(from)];
		const roots = [];
		let size = 0;
		for (let step = 0; step < 25; step++) {
			const next = t.below(3) ? size + t.below(400) : t.below(size + 1);
			const dropped = [];
			for (let k = next; k < size; k++)
				dropped.push([k, zero(0)]);
			tree.update(dropped, depthFor(size));
			size = next;
			const known = () => toHex(tree.root(depthFor(size)));
			if (from === 0) {
				command.push('size', String(size));
				roots.push(known());
			}
			const leaves = new Map();
			for (let k = t.below(40); k > 0 && size > 0; k--)
				leaves.set(t.below(size), t.bytes(32));
			const sorted = [...leaves].sort((a, b) => a[0] - b[0]);
			tree.update(sorted, depthFor(size));
			if (from === 0) {
				command.push('set', String(sorted.length),
					...sorted.flatMap(([at, leaf]) => [String(at), toHex(leaf)]));
				roots.push(known());
				continue;
			}
			// above buckets: the sizes only after their bottom is right
			const buckets = Math.ceil(size / 256);
			command.push('size', String(size), 'set', String(buckets));
			for (let b = 0; b < buckets; b++)
				command.push(String(b), toHex(tree.node(8, b)));
			roots.push(undefined, known());
		}
		yield { name: 'tree', command, expect: roots.join(' '), from };
	}
}

const diffOf = (t, n) => {
	const out = [];
	let index = t.below(1000);
	for (let i = 0; i < n; i++, index += 1 + t.below(9))
		out.push(numberToHex(index, { size: 5 }), '0x01', address(t), address(t), t.hex(t.bytes(12)));
	return n ? concat(out) : '0x';
};

const STEP = 64 * 58;

function* calls(t) {
	const rollup = compiled('SovereignRollup');
	const judge = compiled('BadBatch').find((e) => e.name === 'judge').inputs;
	for (let i = 0; i < 60; i++) {
		const n = [0, 1, 63, 64, 65, 130][i % 6];
		const diff = diffOf(t, n);
		const chunks = [];
		for (let at = 0; at < n * 58; at += STEP)
			chunks.push('0x' + diff.slice(2).slice(2 * at, 2 * (at + STEP)));
		const roots = chunks.map(() => hash(t));
		const steps = chunks.map((c, k) => keccak256(encodeAbiParameters(
			[{ type: 'bytes32' }, { type: 'bytes32' }], [keccak256(c), roots[k]])));
		const diffHash = keccak256(steps.length ? concat(steps) : '0x');
		const batch = { number: u64(t), prevRoot: hash(t), root: hash(t), leafCount: u64(t),
			inboxThrough: u64(t), inboxAcc: hash(t), diffHash };
		const batchWords = Object.values(batch).map(String);
		const rootWords = [String(roots.length), ...roots];
		yield { name: 'diff hash', command: ['diff.hash', diff, ...rootWords], expect: diffHash };
		const signatures = t.hex(t.bytes(65 * t.below(4)));
		yield {
			name: 'commit',
			command: ['commit', ...batchWords, ...rootWords, diff, signatures],
			expect: encodeFunctionData({ abi: rollup, functionName: 'commit', args: [batch, roots, diff, signatures] }),
		};
		const before = { committedAt: u64(t), leafCount: u64(t), inboxThrough: u64(t), withdrawHead: u64(t) };
		const beforeWords = Object.values(before).map(String);
		yield {
			name: 'batch hash',
			command: ['batch.hash', ...batchWords, ...beforeWords],
			expect: keccak256(encodeAbiParameters(
				[...Array(11)].map(() => ({ type: 'bytes32' })),
				[...Object.values(batch), ...Object.values(before)].map((v) => (typeof v === 'bigint' ? word(v) : v)))),
		};
		if (!n)
			continue;
		const step = t.below(chunks.length);
		const oldRecords = t.hex(t.bytes(53 * ((chunks[step].length - 2) / 2 / 58)));
		const siblings = Array.from({ length: t.below(50) }, () => hash(t));
		const rootBefore = hash(t);
		yield {
			name: 'bad step',
			command: ['bad_step', ...batchWords, ...beforeWords, String(step), diff, ...rootWords,
				rootBefore, oldRecords, String(siblings.length), ...siblings],
			expect: encodeAbiParameters(judge, [{
				batch, before, step: BigInt(step), steps,
				rootBefore: step ? roots[step - 1] : rootBefore,
				chunkHashBefore: step ? keccak256(chunks[step - 1]) : word(0),
				rootAfter: roots[step], chunk: chunks[step], oldRecords, siblings,
			}]),
		};
	}
}

// "walk known ascending; if known[i] ^ 1 is known[i+1], they pair and nothing
// is consumed, else the next of siblings is the other child"
function* multiproofs(t) {
	for (let i = 0; i < 60; i++) {
		const depth = 8 + t.below(20);
		const set = new Set();
		for (let k = 1 + t.below(64); k > 0; k--)
			set.add(t.below(2 ** (t.below(2) ? depth : 8)));
		let known = [...set].sort((a, b) => a - b);
		const command = ['multiproof', String(depth), ...known.map(String)];
		const expect = [];
		for (let level = 0; level < depth; level++) {
			const parents = [];
			for (let k = 0; k < known.length; k++) {
				parents.push(Math.floor(known[k] / 2));
				const other = known[k] % 2 ? known[k] - 1 : known[k] + 1;
				if (known[k + 1] === other)
					k++;
				else
					expect.push(`${level}:${other}`);
			}
			known = parents;
		}
		yield { name: 'multiproof', command, expect: expect.join(' ') };
	}
}

function eventValue(input, t) {
	if (input.type === 'tuple')
		return Object.fromEntries(input.components.map((c) => [c.name, eventValue(c, t)]));
	if (input.type === 'bytes32[]')
		return Array.from({ length: t.below(33) }, () => hash(t));
	if (input.type === 'bytes')
		return t.hex(t.bytes(t.below(200)));
	if (input.type === 'bool')
		return t.below(2) === 1;
	const v = value(input.type, t);
	return typeof v === 'bigint' && Number(input.type.slice(4)) <= 48 ? Number(v) : v;
}

const flat = (v) =>
	Array.isArray(v) ? v.flatMap(flat) : v !== null && typeof v === 'object' ? Object.values(v).flatMap(flat) : [String(v)];

const decoded = ['Promoted', 'Opened', 'Resumed', 'Amended', 'Enacted', 'Committed',
	'WithdrawalRequested', 'WithdrawalExecuted', 'WithdrawalPaid', 'InboxQueued',
	'Rewound', 'Exited', 'Settled'];

// Every event of the compiled contracts, in the layout that they have.
function* logs(t) {
	const events = ['EscapeHatch', 'SovereignRollup'].flatMap(compiled).filter((e) => e.type === 'event');
	for (const name of decoded)
		if (!events.some((e) => e.name === name))
			throw new Error(`the contracts have no event ${name}`);
	for (let i = 0; i < 10; i++) {
		for (const event of events) {
			const args = Object.fromEntries(event.inputs.map((input) => [input.name, eventValue(input, t)]));
			if (event.name === 'Committed')
				args.batch.number = args.number;
			const topics = encodeEventTopics({ abi: [event], eventName: event.name, args });
			const rest = event.inputs.filter((input) => !input.indexed);
			const data = rest.length ? encodeAbiParameters(rest, rest.map((input) => args[input.name])) : '0x';
			yield {
				name: event.name,
				command: ['log', data, ...topics],
				expect: decoded.includes(event.name) ? [event.name, ...flat(args)].join(' ') : REFUSED,
			};
		}
	}
}

const text = (name, body) => `${name}1:` + Buffer.from(hexToBytes(
	concat([body, keccak256(body).slice(0, 10)]))).toString('base64url');

async function* bundles(t) {
	const actions = ['promote', 'open', 'resume', 'amend'];
	for (let i = 0; i < 40; i++) {
		const vote = { action: 1 + t.below(4), epoch: u53(t), progress: u53(t), subject: hash(t), expiry: u53(t) };
		const chainId = u53(t);
		const hatch = address(t);
		const digest = hashTypedData({
			domain: { name: 'EscapeHatch', version: '1', chainId, verifyingContract: hatch },
			types: { Vote: types[0].fields }, primaryType: 'Vote', message: vote,
		});
		const all = [];
		for (let k = 1 + t.below(5); k > 0; k--) {
			const privateKey = secret(t);
			all.push({
				signer: privateKeyToAccount(privateKey).address.toLowerCase(),
				signature: await sign({ hash: digest, privateKey, to: 'hex' }),
			});
		}
		const given = all.map((s) => s.signature);
		all.sort((a, b) => (a.signer < b.signer ? -1 : 1));
		const form = text('egress-ballot', concat([
			numberToHex(chainId, { size: 8 }), hatch, numberToHex(vote.action, { size: 1 }),
			numberToHex(vote.epoch, { size: 8 }), numberToHex(vote.progress, { size: 8 }), vote.subject,
			numberToHex(vote.expiry, { size: 8 }), numberToHex(all.length, { size: 1 }),
			...all.map((s) => s.signature)]));
		yield {
			name: 'bundle',
			command: ['bundle.text', ...[chainId, hatch, ...Object.values(vote)].map(String), ...given],
			expect: form,
		};
		yield {
			name: 'bundle',
			command: ['bundle.read', form],
			expect: JSON.stringify({
				chain_id: Number(chainId), hatch, action: actions[vote.action - 1],
				epoch: Number(vote.epoch), progress: Number(vote.progress), subject: vote.subject,
				expiry: Number(vote.expiry), signatures: all.map((s) => s.signature), signers: all.map((s) => s.signer),
			}),
		};
	}
}

function* packs(t) {
	for (let i = 0; i < 10; i++) {
		const count = 1 + t.below(600);
		const depth = depthFor(count);
		const records = Array.from({ length: count }, () =>
			concat(['0x01', address(t), address(t), t.hex(t.bytes(12))]));
		const tree = new Tree();
		tree.update(records.map((r, at) => [at, hexToBytes(keccak256(r))]), depth);
		const pack = { chain_id: Number(u53(t)), hatch: address(t), rollup: address(t), batch: Number(u53(t)),
			block: Number(u53(t)), block_hash: hash(t), root: toHex(tree.root(depth)), leaf_count: count, leaves: [] };
		for (let k = 1 + t.below(16); k > 0; k--) {
			const index = t.below(count);
			pack.leaves.push({ index, record: records[index], proof: tree.proof(index, depth).map((n) => toHex(n)) });
		}
		const body = (p) => concat([
			numberToHex(p.chain_id, { size: 8 }), p.hatch, p.rollup, numberToHex(p.batch, { size: 8 }),
			numberToHex(p.block, { size: 8 }), p.block_hash, p.root, numberToHex(p.leaf_count, { size: 5 }),
			numberToHex(p.leaves.length, { size: 1 }),
			...p.leaves.flatMap((l) => [numberToHex(l.index, { size: 5 }), l.record, ...l.proof])]);
		yield { name: 'pack', command: ['pack.read', text('egress-pack', body(pack))], expect: JSON.stringify(pack) };
		yield { name: 'pack', command: ['pack.read', JSON.stringify(pack)], expect: JSON.stringify(pack) };
		pack.leaves[0].proof[t.below(depth)] = hash(t);
		yield { name: 'wrong', command: ['pack.read', text('egress-pack', body(pack))], expect: REFUSED };
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
	yield* trees(t);
	yield* calls(t);
	yield* multiproofs(t);
	yield* logs(t);
	yield* bundles(t);
	yield* packs(t);
}
