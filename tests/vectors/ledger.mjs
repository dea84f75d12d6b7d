// The tree, the ledger's calls, the contracts' logs and the text forms, against
// viem and the tree of tests/country.
import { readFileSync } from 'node:fs';
import {
	concat, encodeAbiParameters, encodeEventTopics, encodeFunctionData,
	hashTypedData, hexToBytes, keccak256, numberToHex, toHex,
} from 'viem';
import { privateKeyToAccount, sign } from 'viem/accounts';
import { Tree, depthFor, zero } from '../country/tree.mjs';
import { address, hash, secret, types, u53, u64, value, word } from './signing.mjs';

const REFUSED = 'refused';

const compiled = (name) => JSON.parse(readFileSync(new URL(
	`../../abi/contracts/out/${name}.json`, import.meta.url))).abi;

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
			command.push('size', String(size));
			if (from === 0) {
				command.push('set', '0');
				roots.push(known());
			}
			const leaves = new Map();
			for (let k = t.below(40); k > 0 && size > 0; k--)
				leaves.set(t.below(size), t.bytes(32));
			const sorted = [...leaves].sort((a, b) => a[0] - b[0]);
			tree.update(sorted, depthFor(size));
			const bottom = from === 0 ? sorted :
				Array.from({ length: Math.ceil(size / 256) }, (_, at) => [at, tree.node(8, at)]);
			command.push('set', String(bottom.length), ...bottom.flatMap(([at, node]) => [String(at), toHex(node)]));
			roots.push(known());
		}
		yield { name: `tree from ${from}`, command, expect: roots.join(' ') };
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
	if (input.type === 'address[]')
		return Array.from({ length: t.below(5) }, () => address(t));
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
	yield* trees(t);
	yield* calls(t);
	yield* multiproofs(t);
	yield* logs(t);
	yield* bundles(t);
	yield* packs(t);
}
