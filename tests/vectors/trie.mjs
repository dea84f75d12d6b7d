// Tries: published roots, and what @ethereumjs/trie makes of random ones, with
// proofs of what is there and of what is not.
import { Trie } from '@ethereumjs/trie';
import { concat, hexToBytes, keccak256, numberToHex, toRlp } from 'viem';

const REFUSED = 'refused';
const ABSENT = 'absent';
const EMPTY_ROOT = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';
const TRIES = 1500;
const STORAGES = 300;
const HASH_LEN = 32;

const text = (s) => '0x' + Buffer.from(s).toString('hex');
const pairs = (entries) => entries.flatMap(([k, v]) => [k, v]);

// github.com/ethereum/tests, TrieTests/trieanyorder.json
function* published() {
	const cases = {
		dogs: ['0x8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fea4cd6e7c3a1168d3',
			{ doe: 'reindeer', dog: 'puppy', dogglesworth: 'cat' }],
		puppy: ['0x5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84',
			{ do: 'verb', dog: 'puppy', doge: 'coin', horse: 'stallion' }],
		foo: ['0x17beaa1648bafa633cda809c90c04af50fc8aed3cb40d16efbddee6fdf63c4c3',
			{ foo: 'bar', food: 'bass' }],
		smallValues: ['0x3f67c7a47520f79faa29255d2d3c084a7a6df0453116ed7232ff10277a8be68b',
			{ be: 'e', dog: 'puppy', bed: 'd' }],
	};
	for (const [name, [root, entries]] of Object.entries(cases)) {
		const args = pairs(Object.entries(entries).map(([k, v]) => [text(k), text(v)]));
		yield { name, command: ['trie.root', ...args], expect: root };
		yield { name: `${name}, doubled`, command: ['trie.root', ...args, ...args.slice(0, 2)], expect: REFUSED };
	}
	yield { name: 'nothing', command: ['trie.root'], expect: EMPTY_ROOT };
	yield { name: 'an empty value', command: ['trie.root', '0x01', '0x'], expect: REFUSED };
	yield { name: 'a long key', command: ['trie.root', '0x' + '11'.repeat(33), '0x01'], expect: REFUSED };
	for (const proof of [[], ['0x80']])
		yield { name: 'in nothing', command: ['trie.prove', EMPTY_ROOT, '0x01', ...proof], expect: ABSENT };
	yield { name: 'in nothing', command: ['trie.prove', EMPTY_ROOT, '0x01', '0x81'], expect: REFUSED };
	yield { name: 'by nothing', command: ['trie.prove', '0x' + '11'.repeat(32), '0x01'], expect: REFUSED };
	// the root of another trie that holds the empty string's encoding
	yield { name: 'an empty node as root', command: ['trie.prove', keccak256('0x8080'), '0x01', '0x8080'], expect: REFUSED };
}

// Few nibbles and few lengths: shared prefixes, keys inside keys and nodes
// inside nodes are as frequent as they are rare among hashes.
function keyOf(t, secure) {
	if (secure)
		return keccak256(t.hex(t.bytes(4)));
	const key = t.bytes(1 + t.below(t.below(6) ? 4 : 32));
	if (t.below(2))
		key.forEach((b, i) => key[i] = b & 0x13);
	return t.hex(key);
}

async function randomTrie(t) {
	const secure = t.below(4) === 0;
	const entries = new Map();
	const n = 1 + t.below(t.below(8) ? 12 : 60);
	for (let i = 0; i < n; i++)
		entries.set(keyOf(t, secure), t.hex(t.bytes(1 + t.below(t.below(2) ? 4 : 70))));
	const trie = await Trie.create({ useKeyHashing: false });
	for (const [k, v] of entries)
		await trie.put(hexToBytes(k), hexToBytes(v));
	return { trie, entries, secure, root: t.hex(trie.root()) };
}

// Every way in which one proof can be spoilt, one of each.
function* spoilt(t, nodes) {
	const at = t.below(nodes.length);
	const changed = (f) => nodes.map((node, i) => i === at ? f(node) : node);
	const byte = 2 + 2 * t.below(nodes[at].length / 2 - 1);
	const flip = (node) => node.slice(0, byte) +
		(parseInt(node.slice(byte, byte + 2), 16) ^ 1 << t.below(8)).toString(16).padStart(2, '0') +
		node.slice(byte + 2);
	yield ['flipped', changed(flip)];
	yield ['cut', changed((node) => node.slice(0, byte))];
	yield ['lengthened', changed((node) => node + '00')];
	yield ['repeated', [...nodes.slice(0, at + 1), ...nodes.slice(at)]];
	yield ['one to spare', [...nodes, t.hex(t.bytes(1 + t.below(40)))]];
	yield ['its root to spare', [...nodes, nodes[0]]];
	if (nodes.length > 1) {
		yield ['reversed', [...nodes].reverse()];
		yield ['without its root', nodes.slice(1)];
	}
	if (nodes.length > 1 && nodes.at(-1).length >= 2 + 2 * HASH_LEN)
		yield ['without its end', nodes.slice(0, -1)];
}

async function* proofs(t, { trie, entries, secure, root }) {
	const keys = [...entries.keys()];
	const asked = [];
	for (let i = 0; i < 4; i++)
		asked.push(keys[t.below(keys.length)], keyOf(t, secure));
	asked.push(keys[0] + '00', keys[0].slice(0, -2), keys[0].slice(0, -1) + '5');
	for (const key of asked) {
		if (key.length > 2 + 2 * HASH_LEN || key.length < 4)
			continue;
		const all = (await trie.createProof(hexToBytes(key))).map((node) => t.hex(node));
		// EIP-1186 nodes differ: some repeat what stands inside its parent
		const hashed = all.filter((node, i) => i === 0 || node.length >= 2 + 2 * HASH_LEN);
		const expect = entries.get(key) ?? ABSENT;
		yield { name: `proof of ${expect}`, command: ['trie.prove', root, key, ...all], expect };
		yield { name: 'without inner nodes', command: ['trie.prove', root, key, ...hashed], expect };
		for (const [name, nodes] of spoilt(t, all))
			yield { name: `proof ${name}`, command: ['trie.prove', root, key, ...nodes], expect: REFUSED };
	}
}

async function* random(t) {
	let asked = 0;
	for (let i = 0; i < TRIES; i++) {
		const one = await randomTrie(t);
		const args = pairs([...one.entries]);
		yield { name: `trie ${i}`, command: ['trie.root', ...args], expect: one.root };
		yield { name: `trie ${i} backwards`, command: ['trie.root', ...pairs([...one.entries].reverse())], expect: one.root };
		if (i % 3 === 0)
			for await (const c of proofs(t, one)) {
				asked++;
				yield c;
			}
	}
	t.note(`tries: ${TRIES} random ones, ${asked} proofs in them, good and spoilt`);
}

// A contract's storage: words of 1 to 32 bytes, few of them alone in their trie,
// asked for where they are and where nothing is.
async function* storage(t) {
	let asked = 0;
	for (let i = 0; i < STORAGES; i++) {
		const trie = await Trie.create({ useKeyHashing: true });
		const held = new Map();
		const n = t.below(t.below(4) ? 20 : 3);
		for (let k = 0; k < n; k++) {
			const value = t.bytes(1 + t.below(32));
			value[0] ||= 1;
			const slot = numberToHex(t.below(4) ? t.below(30) : BigInt(t.hex(t.bytes(32))), { size: 32 });
			held.set(slot, BigInt(t.hex(value)));
			await trie.put(hexToBytes(slot), toRlp(t.hex(value), 'bytes'));
		}
		const root = t.hex(trie.root());
		const slots = [...held.keys()].slice(0, 3).concat([0, 1, 2].map(() =>
			numberToHex(t.below(2) ? t.below(60) : BigInt(t.hex(t.bytes(32))), { size: 32 })));
		for (const slot of slots) {
			const nodes = (await trie.createProof(hexToBytes(slot))).map((node) => t.hex(node));
			const expect = String(held.get(slot) ?? 0n);
			const command = (all, key = slot) => ['trie.slot', root, key, ...all];
			yield { name: `slot ${expect}`, command: command(nodes), expect };
			for (const [name, all] of nodes.length ? spoilt(t, nodes) : [])
				yield { name: `slot's proof ${name}`, command: command(all), expect: REFUSED };
			// a proof for another slot proves nothing but, perhaps, its absence
			for (const [other, value] of held) {
				if (other === slot)
					continue;
				const own = (await trie.createProof(hexToBytes(other))).map((node) => t.hex(node));
				if (JSON.stringify(own) !== JSON.stringify(nodes))
					yield { name: `slot's proof for that of ${value}`, command: command(nodes, other), expect: REFUSED };
				break;
			}
			asked++;
		}
	}
	t.note(`storage: ${STORAGES} random ones, ${asked} slots proved, good and spoilt`);
}

async function* lists(t) {
	for (const n of [0, 1, 2, 16, 17, 127, 128, 129, 130, 255, 256, 257, 300]) {
		const items = Array.from({ length: n }, () => t.hex(t.bytes(1 + t.below(90))));
		const trie = await Trie.create();
		for (let i = 0; i < n; i++)
			await trie.put(toRlp(i ? new Uint8Array(i < 256 ? [i] : [i >> 8, i & 255]) : '0x', 'bytes'),
				hexToBytes(items[i]));
		yield { name: `list of ${n}`, command: ['trie.list', ...items], expect: t.hex(trie.root()) };
	}
}

// Tries that nobody builds: their hashes are right, their form is not.
function* malformed(t) {
	const long = '0x' + '77'.repeat(40);
	const leaf = (path) => toRlp([path, long]);
	const rooted = (node, key, ...rest) => ['trie.prove', keccak256(node), key, node, ...rest];
	const good = leaf('0x201234');
	yield { name: 'one leaf', command: rooted(good, '0x1234'), expect: long };
	yield { name: 'another key', command: rooted(good, '0x1235'), expect: ABSENT };
	for (const [name, path] of Object.entries({ 'a flag too many': '0x601234', 'two flags too many': '0xf234', 'stray nibble': '0x211234', 'no flags': '0x' }))
		yield { name, command: rooted(leaf(path), '0x1234'), expect: REFUSED };
	yield { name: 'an empty leaf', command: rooted(toRlp(['0x201234', '0x']), '0x1234'), expect: REFUSED };
	yield { name: 'three items', command: rooted(toRlp(['0x201234', long, long]), '0x1234'), expect: REFUSED };
	yield { name: 'a list as value', command: rooted(toRlp(['0x201234', [long]]), '0x1234'), expect: REFUSED };
	yield { name: 'behind the list', command: rooted(concat([good, '0x00']), '0x1234'), expect: REFUSED };
	const branch = (change) => {
		const items = Array(17).fill('0x');
		change(items);
		return toRlp(items);
	};
	const two = branch((b) => {
		b[1] = keccak256(leaf('0x32' + '34'));
		b[2] = keccak256(long);
	});
	yield { name: 'a branch', command: rooted(two, '0x1234', leaf('0x3234')), expect: long };
	yield { name: 'its empty child', command: rooted(two, '0x3234'), expect: ABSENT };
	yield { name: 'no key', command: rooted(two, '0x'), expect: ABSENT };
	yield { name: 'without the child', command: rooted(two, '0x1234'), expect: REFUSED };
	yield { name: 'a branch of one', command: rooted(branch((b) => b[1] = keccak256(long)), '0x3234'), expect: REFUSED };
	yield { name: 'a short hash', command: rooted(branch((b) => { b[1] = '0x11'; b[2] = keccak256(long); }), '0x3234'), expect: REFUSED };
	yield { name: 'a long child inside', command: rooted(branch((b) => { b[1] = ['0x3234', long]; b[2] = keccak256(long); }), '0x1234'), expect: REFUSED };
	const inside = branch((b) => { b[1] = ['0x3234', '0x09']; b[2] = keccak256(long); });
	yield { name: 'a child inside', command: rooted(inside, '0x1234'), expect: '0x09' };
	yield { name: 'repeated behind', command: rooted(inside, '0x1234', toRlp(['0x3234', '0x09'])), expect: '0x09' };
	yield { name: 'another one behind', command: rooted(inside, '0x1234', toRlp(['0x3234', '0x08'])), expect: REFUSED };
	// a node under 32 bytes by its hash, though it must stand inside
	const short = toRlp(['0x3234', '0x09']);
	const hashed = branch((b) => { b[1] = keccak256(short); b[2] = keccak256(long); });
	yield { name: 'a short child by hash', command: rooted(hashed, '0x1234', short), expect: REFUSED };
	// paths
	const extension = (path, child) => toRlp([path, keccak256(child)]);
	const shared = extension('0x11', two);
	yield { name: 'an extension', command: rooted(shared, '0x1334', two), expect: ABSENT };
	yield { name: 'beside an extension', command: rooted(shared, '0x2334'), expect: ABSENT };
	yield { name: 'beside it, one to spare', command: rooted(shared, '0x2334', two), expect: REFUSED };
	yield { name: 'an extension of nothing', command: rooted(extension('0x00', two), '0x3334', two), expect: REFUSED };
	yield { name: 'two paths in a row', command: rooted(extension('0x11', leaf('0x3234')), '0x1234', leaf('0x3234')), expect: REFUSED };
	const endless = Array.from({ length: 70 }, () => long);
	yield { name: 'seventy nodes', command: rooted(good, '0x1234', ...endless), expect: REFUSED };
	yield { name: 'a key too long', command: rooted(good, '0x' + '12'.repeat(33)), expect: REFUSED };
	yield { name: 'a path too long', command: rooted(leaf('0x20' + '12'.repeat(33)), '0x1234'), expect: REFUSED };
}

export async function* cases(t) {
	yield* published();
	yield* malformed(t);
	yield* lists(t);
	yield* storage(t);
	yield* random(t);
}
