// Bytes, numbers, hashes, RLP: @ethersproject/testcases, viem, @ethereumjs/rlp.
import { RLP } from '@ethereumjs/rlp';
import { fromRlp, getAddress, keccak256, toRlp } from 'viem';

const REFUSED = 'refused';

function* hashes({ testcases, bytes, hex }) {
	for (const c of testcases('hashes'))
		yield { name: 'hashes', command: ['keccak', c.data], expect: c.keccak256 };
	for (let len = 0; len < 420; len++) {
		const data = hex(bytes(len));
		yield { name: `keccak of ${len}`, command: ['keccak', data], expect: keccak256(data) };
	}
	for (let i = 0; i < 50; i++) {
		const pair = [hex(bytes(32)), hex(bytes(32))];
		yield { name: 'pair', command: ['keccak.pair', ...pair],
			expect: keccak256(pair[0] + pair[1].slice(2)) };
	}
}

function* addresses({ testcases }) {
	const flip = (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase());
	for (const { name, checksumAddress: text } of testcases('accounts')) {
		const lower = text.toLowerCase();
		yield { name, command: ['address', text], expect: lower };
		yield { name, command: ['address', lower], expect: lower };
		yield { name, command: ['address', '0x' + lower.slice(2).toUpperCase()], expect: lower };
		const letters = [...text.slice(2)].filter((c) => /[a-f]/i.test(c)).length;
		if (letters < 3)
			continue;
		const at = 2 + [...text.slice(2)].findIndex((c) => /[a-f]/i.test(c));
		const wrong = text.slice(0, at) + flip(text[at]) + text.slice(at + 1);
		const digits = wrong.slice(2);
		if (digits !== digits.toLowerCase() && digits !== digits.toUpperCase() &&
			getAddress(lower) !== wrong)
			yield { name, command: ['address', wrong], expect: REFUSED };
	}
}

function* texts({ bytes, hex }) {
	for (let len = 0; len < 200; len++) {
		const data = bytes(len);
		const text = Buffer.from(data).toString('base64url');
		yield { name: 'base64url', command: ['base64url', hex(data)], expect: text };
		yield { name: 'base64url', command: ['unbase64url', text], expect: hex(data) };
		yield { name: 'hex', command: ['hex', hex(data)], expect: hex(data) };
		yield { name: 'odd hex', command: ['hex', hex(data) + '0'], expect: REFUSED };
	}
}

function* numbers({ bits }) {
	const top = 1n << 256n;
	const fits = (n) => (n >= 0n && n < top ? String(n) : REFUSED);
	for (let i = 0; i < 1000; i++) {
		const [a, b, c] = [bits(256), bits(256), bits(64)];
		const ask = (op, x, y, expect) =>
			({ name: `u256 ${op}`, command: ['u256', op, String(x), String(y)], expect });
		yield ask('+', a, b, fits(a + b));
		yield ask('-', a, b, fits(a - b));
		yield ask('*', a, c, fits(a * c));
		yield ask('/', a, c, c ? `${a % c} ${a / c}` : REFUSED);
		yield ask('?', a, b, a < b ? '-1' : a > b ? '1' : '0');
		yield ask('+', top - 1n - a, a, String(top - 1n));
		yield ask('+', top - a, a, REFUSED);
	}
}

const show = (item) => (Array.isArray(item) ? `[${item.map(show).join(',')}]` : item);

function* rlp({ testcases, bits, bytes, below, hex }) {
	for (const c of testcases('rlp-coder')) {
		const text = show(c.decoded);
		yield { name: c.name, command: ['rlp.encode', text], expect: c.encoded };
		yield { name: c.name, command: ['rlp.decode', c.encoded], expect: text };
		yield { name: `${c.name}, cut`, command: ['rlp.decode', c.encoded.slice(0, -2)], expect: REFUSED };
		yield { name: `${c.name}, more`, command: ['rlp.decode', c.encoded + '00'], expect: REFUSED };
	}
	for (let i = 0; i < 500; i++) {
		const n = bits(256);
		const text = n === 0n ? '' : n.toString(16);
		const encoded = toRlp(`0x${text.length % 2 ? '0' : ''}${text}`);
		yield { name: 'number', command: ['rlp.number', String(n)], expect: encoded };
		yield { name: 'number', command: ['rlp.to_number', encoded], expect: String(n) };
	}
	const random = (depth) => {
		if (depth === 0 || below(3) === 0)
			return hex(bytes(below(below(8) ? 12 : 400)));
		return Array.from({ length: below(6) }, () => random(depth - 1));
	};
	for (let i = 0; i < 500; i++) {
		const item = random(4);
		const encoded = toRlp(item);
		yield { name: 'random', command: ['rlp.encode', show(item)], expect: encoded };
		yield { name: 'random', command: ['rlp.decode', encoded], expect: show(fromRlp(encoded, 'hex')) };
	}
}

// Bytes that nobody encoded: our verdict against a strict decoder's.
function* hostileRlp({ below, bytes, hex }) {
	const first = [0x00, 0x7f, 0x80, 0x81, 0x82, 0xb7, 0xb8, 0xb9, 0xba, 0xbf,
		0xc0, 0xc1, 0xc2, 0xc3, 0xc8, 0xf7, 0xf8, 0xf9, 0xff];
	const toText = (item) => (Array.isArray(item) ? item.map(toText) : hex(item));
	for (let i = 0; i < 4000; i++) {
		const data = bytes(1 + below(10));
		for (let j = 0; j < data.length; j++)
			if (below(2))
				data[j] = first[below(first.length)];
		let expect = REFUSED;
		try {
			const item = RLP.decode(data);
			// what does not encode to itself was not canonical
			if (hex(RLP.encode(item)) === hex(data))
				expect = show(toText(item));
		} catch {
			// refused there too
		}
		yield { name: 'hostile', command: ['rlp.decode', hex(data)], expect };
	}
}

export function* cases(tools) {
	yield* hashes(tools);
	yield* addresses(tools);
	yield* texts(tools);
	yield* numbers(tools);
	yield* rlp(tools);
	yield* hostileRlp(tools);
}
