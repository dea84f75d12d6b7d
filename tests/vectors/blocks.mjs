// Blocks: real ones of public chains, and anvil's in every fork's form, full of
// every type of transaction.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Trie } from '@ethereumjs/trie';
import { bytesToHex, concat, getContractAddress, hexToBytes, keccak256, numberToHex, pad, serializeTransaction, toRlp } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { Rpc, RpcError } from '../country/rpc.mjs';
import { Processes, startAnvil } from '../harness.mjs';

const REFUSED = 'refused';
const MNEMONIC = 'test test test test test test test test test test test junk';
const CHAIN = 31337;
const FORKS = { berlin: 0, london: 1, shanghai: 2, cancun: 3, prague: 4, osaka: 4 };
const BLOCKS = 4; // of every fork
const TXS = 24; // in each; over 16 to have branches in branches

const word = (n) => pad(numberToHex(BigInt(n)), { size: 32 });
const compact = (value) => JSON.stringify(value);
const lower = (value) => value.toLowerCase();
const form = (block, n) => `form ${n} number ${BigInt(block.number)} time ${BigInt(block.timestamp)}` +
	` parent ${block.parentHash} state ${block.stateRoot} fee ${BigInt(block.baseFeePerGas ?? 0)}`;

// ---- headers

const FIELDS = ['parentHash', 'sha3Uncles', 'miner', 'stateRoot', 'transactionsRoot', 'receiptsRoot',
	'logsBloom', 'difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'extraData', 'mixHash',
	'nonce', 'baseFeePerGas', 'withdrawalsRoot', 'blobGasUsed', 'excessBlobGas',
	'parentBeaconBlockRoot', 'requestsHash'];
const NUMBERS = new Set(['difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'baseFeePerGas',
	'blobGasUsed', 'excessBlobGas']);

function rlpOf(block) {
	return toRlp(FIELDS.filter((f) => block[f] !== undefined).map((f) => {
		if (!NUMBERS.has(f))
			return block[f];
		return BigInt(block[f]) ? numberToHex(BigInt(block[f])).replace(/^0x(.(..)*)$/, '0x0$1') : '0x';
	}));
}

// A hex digit of it is another one.
function touched(t, value) {
	const at = 2 + t.below(value.length - 2);
	const digit = (parseInt(value[at], 16) ^ 1 + t.below(15)).toString(16);
	const other = value.slice(0, at) + digit + value.slice(at + 1);
	return /^0x0./.test(other) && value.length < 40 ? value.slice(0, -1) +
		(parseInt(value.at(-1), 16) ^ 1).toString(16) : other;
}

function* header(t, name, { transactions: all, ...block }, expect) {
	// what is not hashed is not looked at, however long
	yield { name: `${name}: with all in it`, command: ['block.header', block.hash, compact({ ...block, transactions: all })], expect: form(block, expect) };
	const check = (what, change, verdict) => ({
		name: `${name}: ${what}`,
		command: ['block.header', block.hash, compact({ ...block, ...change })],
		expect: verdict,
	});
	yield check('as it is', {}, form(block, expect));
	yield check('what it calls its own hash', { hash: word(7) }, form(block, expect));
	for (const field of FIELDS.filter((f) => block[f] !== undefined)) {
		if (block[field] !== '0x')
			yield check(`another ${field}`, { [field]: touched(t, block[field]) }, 'false');
		yield check(`a bad ${field}`, { [field]: 17 }, 'shape');
	}
	for (const field of FIELDS.slice(0, 15))
		yield check(`no ${field}`, { [field]: undefined }, 'shape');
	yield check('a field of a later fork', { blockAccessListHash: word(1) }, form(block, expect));
	yield check('it, and other words', { blockAccessListHash: word(1), gasUsed: '0x1' }, 'unknown');
	if (block.requestsHash) {
		yield check('without the last field', { requestsHash: undefined }, 'false');
		yield check('without one before it', { withdrawalsRoot: undefined }, 'shape');
	}
	yield {
		name: `${name}: another hash`,
		command: ['block.header', touched(t, block.hash), compact(block)],
		expect: 'false',
	};
	const rlp = rlpOf(block);
	yield { name: `${name}: its RLP`, command: ['block.rlp', rlp], expect: `form ${expect} ${block.hash}` };
	for (let i = 0; i < 12; i++)
		yield { name: `${name}: cut`, command: ['block.rlp', rlp.slice(0, 2 + 2 * t.below(rlp.length / 2 - 1))], expect: REFUSED };
	yield { name: `${name}: longer`, command: ['block.rlp', rlp + '00'], expect: REFUSED };
}

// ---- transactions and receipts

// A few places in a list, the first and the last among them.
const some = (t, list) => new Set([0, list.length - 1, t.below(list.length), t.below(list.length)]);

const txText = (tx) => [Number(tx.type ?? 0), tx.hash, lower(tx.from), tx.to ? lower(tx.to) : 'create',
	Number(tx.nonce), tx.input, BigInt(tx.value), ...tx.blobVersionedHashes ?? []].join(':');

function* transactions(t, name, block, txs) {
	const root = block.transactionsRoot;
	const check = (what, list, expect) =>
		({ name: `${name}: ${what}`, command: ['block.txs', root, compact(list)], expect });
	const text = [txs.length, ...txs.map(txText)].join(' ');
	yield check('transactions', txs, text);
	yield check('by hash alone', txs.map((tx) => tx.hash), txs.length ? 'shape' : '0');
	if (!txs.length)
		return;
	yield check('v for yParity', txs.map((tx) => ({ ...tx, yParity: undefined })), text);
	yield check('one less', txs.slice(1), 'false');
	yield check('one more', [...txs, txs[0]], 'false');
	for (const i of some(t, txs)) {
		const other = (change) => txs.map((tx, j) => i === j ? { ...tx, ...change(tx) } : tx);
		yield check(`${i} of another value`, other((tx) => ({ value: numberToHex(BigInt(tx.value) + 1n) })), 'false');
		yield check(`${i} of another input`, other((tx) => ({ input: tx.input + '00' })), 'false');
		yield check(`${i} to another`, other(() => ({ to: '0x' + '12'.repeat(20) })), 'false');
		yield check(`${i} of another s`, other((tx) => ({ s: touched(t, tx.s) })), 'false');
		yield check(`${i} without gas`, other(() => ({ gas: undefined })), 'shape');
		yield check(`${i} of a later type`, other(() => ({ type: '0x5' })), 'unknown');
	}
	if (txs.length > 1)
		yield check('two exchanged', [txs[1], txs[0], ...txs.slice(2)], 'false');
}

const receiptText = (r) => [Number(r.type ?? 0), Number(r.status), Number(r.cumulativeGasUsed),
	...r.logs.map((l) => [lower(l.address), ...l.topics, l.data].join(','))].join(':');

function* receipts(t, name, block, list) {
	const root = block.receiptsRoot;
	const check = (what, all, expect) =>
		({ name: `${name}: ${what}`, command: ['block.receipts', root, compact(all)], expect });
	const text = [list.length, ...list.map(receiptText)].join(' ');
	yield check('receipts', list, text);
	if (!list.length)
		return;
	yield check('blooms computed', list.map((r) => ({ ...r, logsBloom: undefined })), text);
	yield check('one less', list.slice(1), 'false');
	for (const i of some(t, list)) {
		const other = (change) => list.map((r, j) => i === j ? { ...r, ...change(r) } : r);
		yield check(`${i} turned`, other((r) => ({ status: r.status === '0x1' ? '0x0' : '0x1' })), 'false');
		yield check(`${i} of another bloom`, other((r) => ({ logsBloom: touched(t, r.logsBloom) })), 'false');
		yield check(`${i} of a later type`, other(() => ({ type: '0x9' })), 'unknown');
		yield check(`${i} of status 2`, other(() => ({ status: '0x2' })), 'shape');
		yield check(`${i} without logs`, other(() => ({ logs: undefined })), 'shape');
		if (!list[i].logs.length) {
			const log = { address: '0x' + '11'.repeat(20), topics: [], data: '0x' };
			yield check(`${i} with a log`, other(() => ({ logs: [log] })), 'false');
			continue;
		}
		// what traps.md tells of: logs that are left out
		yield check(`${i} of fewer logs`, other((r) => ({ logs: r.logs.slice(1) })), 'false');
		yield check(`${i} of other data`, other((r) => ({ logs: r.logs.map((l) => ({ ...l, data: l.data + '00' })) })), 'false');
		yield check(`${i} of other topics`, other((r) => ({ logs: r.logs.map((l) => ({ ...l, topics: [word(9)] })) })), 'false');
		yield check(`${i} of 5 topics`, other((r) => ({ logs: r.logs.map((l) => ({ ...l, topics: Array(5).fill(word(9)) })) })), 'shape');
	}
}

// ---- published

function* published(t) {
	const all = JSON.parse(readFileSync(new URL('blocks.json', import.meta.url)));
	for (const { what, form: expect, block } of all) {
		if (expect === null) {
			yield { name: what, command: ['block.header', block.hash, compact(block)], expect: 'unknown' };
			continue;
		}
		yield* header(t, what, block, expect);
		if (block.transactions)
			yield* transactions(t, what, block, block.transactions);
	}
	t.note(`blocks: ${all.length} of public chains`);
}

// ---- anvil

// Stores word 1 under word 0 of its calldata, then LOG0 … LOG4 with all of it.
const NOISY = '0x60203560003555366000600037' +
	[0, 1, 2, 3, 4].map((n) => Array.from({ length: n }, (_, i) => `60${n}${i + 1}`).reverse().join('') +
		`366000a${n}`).join('') + '00';
const creation = (code) => {
	const length = (code.length - 2) / 2;
	return `0x60${length.toString(16).padStart(2, '0')}80600b6000396000f3${code.slice(2)}`;
};
const FAILING = '0xfe';

// A blob of zeros: its commitment and proofs are the point at infinity, and no
// library is needed to know that.
const INFINITY = '0xc0' + '00'.repeat(47);
const BLOB = '0x' + '00'.repeat(131072);
const VERSIONED = '0x01' + createHash('sha256').update(Buffer.from(INFINITY.slice(2), 'hex')).digest('hex').slice(2);

const accessList = (t) => Array.from({ length: t.below(3) }, () => ({
	address: t.hex(t.bytes(20)),
	storageKeys: Array.from({ length: t.below(3) }, () => t.hex(t.bytes(32))),
}));

class Chain {
	constructor(t, rpc, fork) {
		Object.assign(this, { t, rpc, fork, nonces: new Map(), slots: [] });
		const account = (_, i) => mnemonicToAccount(MNEMONIC, { addressIndex: i });
		this.accounts = Array.from({ length: 10 }, account);
		// an authorization takes a nonce of its own: they send nothing
		this.authorities = this.accounts.splice(8);
	}

	nonce(account) {
		const nonce = this.nonces.get(account.address) ?? 0;
		this.nonces.set(account.address, nonce + 1);
		return nonce;
	}

	types() {
		const types = ['legacy', 'eip2930'];
		if (FORKS[this.fork] >= 1)
			types.push('eip1559');
		if (FORKS[this.fork] >= 3 && this.fork !== 'prague')
			types.push('eip4844');
		if (FORKS[this.fork] >= 4)
			types.push('eip7702');
		return types;
	}

	fees(type) {
		return type === 'legacy' || type === 'eip2930' ? { gasPrice: 5000000000n } :
			{ maxFeePerGas: 6000000000n, maxPriorityFeePerGas: BigInt(this.t.below(3)) };
	}

	// Where it goes: a payment, a call that logs, a creation, a failing one.
	target(create) {
		const { t } = this;
		const kind = t.below(create ? 5 : 3);
		if (kind === 0)
			return { to: t.hex(t.bytes(20)), value: BigInt(t.below(1000)) };
		if (kind === 3)
			return { data: creation(NOISY) };
		if (kind === 4)
			return { data: FAILING, value: 1n };
		const slot = word(t.below(40));
		this.slots.push(slot);
		return { to: this.noisy, data: concat([slot, word(t.bits(256)), t.hex(t.bytes(t.below(90)))]) };
	}

	async raw(type, target) {
		const account = this.accounts[this.t.below(this.accounts.length)];
		const tx = { type, nonce: this.nonce(account), gas: 400000n, ...this.fees(type), ...target };
		if (type !== 'legacy' || this.t.below(2))
			tx.chainId = CHAIN;
		if (type !== 'legacy')
			tx.accessList = accessList(this.t);
		if (type === 'eip4844')
			Object.assign(tx, { maxFeePerBlobGas: 1000000000n, blobVersionedHashes: [VERSIONED],
				sidecars: this.sidecars() });
		if (type === 'eip7702')
			tx.authorizationList = await this.authorizations();
		return account.signTransaction(tx, { serializer: serializeTransaction });
	}

	sidecars() {
		return [{ blob: BLOB, commitment: INFINITY, proof: INFINITY }];
	}

	authorizations() {
		return Promise.all(Array.from({ length: 1 + this.t.below(2) }, (_, i) =>
			this.authorities[i].signAuthorization({ contractAddress: this.noisy,
				chainId: this.t.below(2) ? CHAIN : 0, nonce: this.t.below(3) })));
	}

	// anvil's first look at a blob takes seconds, and may take us past a
	// deadline; it has the transaction all the same.
	async send(raw, again = 6) {
		try {
			await this.rpc.call('eth_sendRawTransaction', raw);
		} catch (error) {
			if (error instanceof RpcError && /already/.test(error.message))
				return;
			if (error instanceof RpcError || !again)
				throw error;
			await this.send(raw, again - 1);
		}
	}

	async mine() {
		await this.rpc.call('evm_mine');
		const block = await this.rpc.call('eth_getBlockByNumber', 'latest', true);
		return { block, list: await this.rpc.call('eth_getBlockReceipts', block.number) };
	}

	async open() {
		await this.rpc.all([['evm_setAutomine', [false]], ['evm_setIntervalMining', [0]]]);
		const account = this.accounts[0];
		this.noisy = lower(getContractAddress({ from: account.address, nonce: BigInt(this.nonce(account)) }));
		const raw = await account.signTransaction({ type: 'legacy', nonce: 0, gas: 1000000n,
			gasPrice: 5000000000n, chainId: CHAIN, data: creation(NOISY) });
		await this.send(raw);
		return this.mine();
	}

	// A block of every type; how many of each were taken.
	async fill(taken, n) {
		const types = this.types();
		for (let i = 0; i < n; i++) {
			const type = types[i % types.length];
			const target = this.target(type !== 'eip4844' && type !== 'eip7702');
			const raw = await this.raw(type, target);
			await this.send(raw);
			taken[type] = (taken[type] ?? 0) + 1;
		}
		return this.mine();
	}
}

const witnessText = (proof) => [BigInt(proof.nonce) || BigInt(proof.balance) ||
	proof.codeHash !== keccak256('0x') ? 'there' : 'absent', Number(proof.nonce), BigInt(proof.balance),
	proof.storageHash, proof.codeHash, ...proof.storageProof.map((s) => BigInt(s.value))].join(' ');

// The account, with slots that hold something and slots that do not.
async function* witnesses(t, chain, block) {
	const slots = [...new Set([...chain.slots.slice(-4), word(1000 + t.below(50)), t.hex(t.bytes(32))])];
	const nobody = t.hex(t.bytes(20));
	for (const address of [chain.noisy, lower(chain.accounts[0].address), nobody]) {
		const proof = await chain.rpc.call('eth_getProof', address, slots, { blockHash: block.hash });
		const [held] = await chain.rpc.all([['eth_getStorageAt', [address, slots[0], { blockHash: block.hash }]]]);
		if (BigInt(proof.storageProof[0].value) !== BigInt(held))
			throw new Error('anvil proves another value than it holds');
		const check = (what, change, expect, root = block.stateRoot, asked = slots, who = address) => ({
			name: `${chain.fork} eth_getProof: ${what}`,
			command: ['block.witness', root, who, compact({ ...proof, ...change }), ...asked],
			expect,
		});
		const text = witnessText(proof);
		yield check('as it is', {}, text);
		yield check('its words are not read', { balance: '0x1', nonce: '0x9', storageHash: word(1), codeHash: word(2) }, text);
		yield check('another root', {}, 'false', word(5));
		if (address !== nobody) // whose proof may be that of another's absence
			yield check('another account', {}, 'false', block.stateRoot, slots, '0x' + '99'.repeat(20));
		yield check('one slot less', {}, 'shape', block.stateRoot, slots.slice(1));
		yield check('without proofs', { accountProof: undefined }, 'shape');
		yield check('without nodes', { accountProof: [] }, 'false');
		yield check('a node to spare', { accountProof: [...proof.accountProof, '0x80'] }, 'false');
		yield check('too many nodes', { accountProof: Array(66).fill('0x80') }, 'shape');
		yield check('not hex', { accountProof: ['0xzz'] }, 'shape');
		yield check('a node touched', { accountProof: proof.accountProof.map((n, i) => i ? n : touched(t, n)) }, 'false');
		const [first, last] = [proof.storageProof[0], proof.storageProof.at(-1)];
		if (BigInt(first.value) === 0n || compact(first.proof) === compact(last.proof))
			continue;
		const storage = (f) => ({ storageProof: proof.storageProof.map((s, i) => i ? s : { ...s, proof: f(s.proof) }) });
		yield check('a slot without nodes', storage(() => []), 'false');
		yield check('a slot cut short', storage((p) => p.slice(0, -1)), 'false');
		yield check('a slot touched', storage((p) => p.map((n, i) => i === p.length - 1 ? touched(t, n) : n)), 'false');
		yield check('a slot\'s proof for another', { storageProof: [...proof.storageProof].reverse() }, 'false');
	}
}

// What viem makes of a transaction object, without its blobs.
function serialized(tx) {
	const names = ['legacy', 'eip2930', 'eip1559', 'eip4844', 'eip7702'];
	const type = names[Number(tx.type)];
	const unprotected = type === 'legacy' && BigInt(tx.v) < 35n;
	const number = (field) => tx[field] === undefined ? {} : { [field]: BigInt(tx[field]) };
	const fees = type === 'legacy' || type === 'eip2930' ? number('gasPrice') :
		{ ...number('maxFeePerGas'), ...number('maxPriorityFeePerGas'), ...number('maxFeePerBlobGas') };
	return serializeTransaction({
		type, chainId: unprotected ? undefined : CHAIN, nonce: Number(tx.nonce), gas: BigInt(tx.gas),
		to: tx.to, value: BigInt(tx.value), data: tx.input, accessList: tx.accessList,
		blobVersionedHashes: tx.blobVersionedHashes,
		authorizationList: tx.authorizationList?.map((a) => ({ ...a,
			chainId: Number(a.chainId), nonce: Number(a.nonce), yParity: Number(a.yParity) })),
		...fees,
	}, type === 'legacy' ? { r: tx.r, s: tx.s, v: BigInt(tx.v) } : { r: tx.r, s: tx.s, yParity: Number(tx.yParity) });
}

async function transactionsRoot(txs) {
	const trie = await Trie.create();
	for (const [i, tx] of txs.entries()) {
		const raw = serialized(tx);
		if (keccak256(raw) !== tx.hash)
			throw new Error(`${tx.hash}: viem makes another transaction of it`);
		await trie.put(toRlp(i ? numberToHex(i, { size: 1 }) : '0x', 'bytes'), hexToBytes(raw));
	}
	return bytesToHex(trie.root());
}

async function* ofFork(t, processes, fork, taken) {
	const url = await startAnvil(processes, `anvil-${fork}`, ['--hardfork', fork]);
	const chain = new Chain(t, new Rpc(url), fork);
	const genesis = await chain.rpc.call('eth_getBlockByNumber', '0x0', true);
	const blocks = [{ block: genesis, list: [] }, await chain.open()];
	for (let i = 0; i < BLOCKS; i++) {
		const one = await chain.fill(taken, i ? TXS : 1);
		yield* witnesses(t, chain, one.block);
		blocks.push(one);
	}
	for (const { block, list } of blocks) {
		const name = `anvil ${fork} ${Number(block.number)}`;
		const txs = block.transactions.map(({ blobs, commitments, proofs, ...tx }) => tx);
		const root = await transactionsRoot(txs);
		if (block !== genesis)
			yield* header(t, name, { ...block, transactions: txs }, FORKS[fork]);
		// anvil alone puts the blobs into the trie; on any chain it is the
		// transaction without them
		if (txs.every((tx) => tx.type !== '0x3') !== (root === block.transactionsRoot))
			throw new Error(`${name}: anvil's transactionsRoot is of another kind`);
		yield* transactions(t, name, { ...block, transactionsRoot: root }, txs);
		yield* receipts(t, name, block, list);
	}
	await processes.stop(`anvil-${fork}`);
}

async function* anvil(t) {
	const folder = mkdtempSync(join(tmpdir(), 'egress-vectors-'));
	const processes = new Processes(folder);
	const taken = {};
	try {
		for (const fork of Object.keys(FORKS))
			yield* ofFork(t, processes, fork, taken);
	} finally {
		await processes.stopAll();
		rmSync(folder, { recursive: true, force: true });
	}
	t.note('anvil: ' + Object.entries(taken).map(([type, n]) => `${n} of ${type}`).join(', '));
	for (const type of ['legacy', 'eip2930', 'eip1559', 'eip4844', 'eip7702'])
		if (!taken[type])
			throw new Error(`no ${type} transaction was mined`);
}

export async function* cases(t) {
	yield* published(t);
	yield* anvil(t);
}
