// Providers that lie, and configurations that name the wrong ones: watcher and
// relayer before three endpoints of a real L1 (anvil).
//   node providers_test.mjs [--build build/main] [--keep-log]
// Prints "providers: N passed, N failed".
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringToBytes } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { hex, keccak } from '../country/bytes.mjs';
import { SHORT_TERMS, deploy } from '../country/deploy.mjs';
import { ask, parseArgs } from '../country/http.mjs';
import { Rpc } from '../country/rpc.mjs';
import { Processes, ROOT, freePort, runAsync, startAnvil, until } from '../harness.mjs';

const NAMES = ['a', 'b', 'c'];
const POLL_MS = 250;
const WAIT_MS = 30000;
const key = (name) => hex(keccak(stringToBytes(`providers-test/${name}`)));
const addressOf = (name) => privateKeyToAccount(key(name)).address.toLowerCase();

const options = parseArgs(process.argv.slice(2),
	{ build: join('build', 'main'), keepLog: false });
const folder = mkdtempSync(join(tmpdir(), 'providers-'));
const processes = new Processes(folder);
const PROGRAMS = { watcher: join(ROOT, options.build, 'watcher', 'egress-watcher'),
	relayer: join(ROOT, options.build, 'relayer', 'egress-relayer') };
const EGRESS = join(ROOT, options.build, 'cli', 'egress');
let passed = 0;
let failed = 0;

function expect(good, text, found) {
	if (good)
		return passed++;
	failed++;
	process.stdout.write(`FAIL ${text}${found === undefined ? '' :
		`: ${typeof found === 'string' ? found : JSON.stringify(found)}`}\n`);
}

async function get(url) {
	const response = await fetch(url, { signal: AbortSignal.timeout(3000) });
	const text = await response.text();
	return { status: response.status, text,
		body: /^[[{]/.test(text) ? JSON.parse(text) : undefined };
}

const log = (name) => readFileSync(join(folder, `${name}.log`), 'utf8');
const lines = (name, words) => log(name).split('\n')
	.filter((line) => words.every((word) => line.includes(word)));

class World {
	async begin() {
		this.l1 = await startAnvil(processes);
		this.rpc = new Rpc(this.l1);
		await this.rpc.call('anvil_setBalance', addressOf('deployer'),
			'0x' + (10n ** 22n).toString(16));
		this.chainId = Number(await this.rpc.call('eth_chainId'));
		this.at = await deploy(this.rpc, key('deployer'), { terms: SHORT_TERMS,
			thresholds: { promote: 1, open: 1, resume: 1, amend: 1 },
			guardians: [addressOf('g0')], standbys: [addressOf('standby')],
			sequencer: addressOf('primary'), validators: [addressOf('v0')], t: 1,
			minBounty: 1n });
		this.urls = {};
		for (const name of NAMES) {
			const port = await freePort();
			this.urls[name] = `http://127.0.0.1:${port}`;
			processes.node(`l1-${name}`, 'integration/l1-endpoint.mjs', ['--name', name,
				'--upstream', this.l1, '--listen', `127.0.0.1:${port}`]);
			await until(`endpoint ${name}`, () => ask(`${this.urls[name]}/__status`));
		}
		this.ports = { watcher: await freePort(), relayer: await freePort() };
	}

	fault(name, fault) {
		return ask(`${this.urls[name]}/__fault`, { fault });
	}

	providers(change = {}) {
		return NAMES.map((name) => `{name: ${name}, url: '${change[name] ?? this.urls[name]}', ` +
			'rate: 1000/s}').join(', ');
	}

	// change: {id, hatch, list, quorum, chain, poll, listen, more, a, b, c}
	config(program, tag, change = {}) {
		const path = join(folder, `${program}-${tag}.yaml`);
		const own = program === 'watcher' ? '' : `
account: '${addressOf('payer')}'
signer: ${join(folder, 'no-signer')}
watchers: ['http://127.0.0.1:${this.ports.watcher}']`;
		writeFileSync(path, `chain:
  id: ${change.id ?? this.chainId}
  hatch: '${change.hatch ?? this.at.hatch}'
${change.chain ?? ''}
providers:
  ${change.quorum ? `quorum: ${change.quorum}` : ''}
  list: [${change.list ?? this.providers(change)}]
poll: ${change.poll ?? `${POLL_MS}ms`}
store: {path: 'store-${program}-${tag}'}
${change.listen ? `http: {listen: '127.0.0.1:${this.ports[program]}'}` : ''}
${change.more ?? ''}
${own}
`);
		return path;
	}

	// The third provider's URL holds a password and a key.
	start(program) {
		const secret = `${this.urls.c.replace('http://', 'http://user:pass-9@')}/v3/key-0123456789abcdef`;
		processes.start(program, PROGRAMS[program],
			['--config', this.config(program, 'main', { listen: true, c: secret })]);
	}

	url(path) {
		return `http://127.0.0.1:${this.ports.watcher}${path}`;
	}

	async provider(name) {
		const { body } = await get(this.url('/v1/status'));
		return body.l1.providers.find((provider) => provider.name === name);
	}
}

// ---- evidence ---------------------------------------------------------------

async function starts(world) {
	world.start('watcher');
	world.start('relayer');
	await until('the watcher sees L1', async () =>
		(await get(world.url('/v1/status'))).body.l1.healthy, WAIT_MS);
	await until('the relayer sees L1', () => lines('relayer', ['L1 is in sight']).length, WAIT_MS);
	const { body } = await get(world.url('/v1/evidence'));
	expect(body.evidence.length === 0 && body.before === undefined, 'no evidence at first', body);
}

async function keepsEvidence(world) {
	await world.fault('b', 'lie-head');
	await until('both expel b', () => ['watcher', 'relayer'].every((name) =>
		lines(name, ['alert=provider_lied', 'provider=b', 'evidence=1']).length), WAIT_MS);
	const { body } = await get(world.url('/v1/evidence'));
	const [first] = body.evidence;
	expect(first.id === 1 && first.provider === 'b', 'the list has it', body);
	expect(lines('watcher', [`kind=${first.kind}`, 'provider=b']).length === 1,
		'the log names the same kind', log('watcher'));
	const one = (await get(world.url('/v1/evidence/1'))).body;
	expect(/^eth_/.test(one.method) && one.said.text.length > 2 && one.against !== '' &&
		one.stands.text !== one.said.text, 'one record whole', one);
	expect(one.l1_time > 0 && one.until > one.at && /^0x[0-9a-f]{64}$/.test(one.block.hash ?? ''),
		'when, how long, which block', one);
	const told = await world.provider('b');
	expect(told.state === 'lying' && told.expelled.evidence === 1 &&
		told.expelled.kind === first.kind && told.expulsions === 1, 'status tells it', told);
	const { alerts } = (await get(world.url('/v1/status'))).body;
	expect(alerts.some(({ id, text }) => id === 'PROVIDER_LIED' && /^b: /.test(text)),
		'an alert stands', alerts);
	const metrics = (await get(world.url('/metrics'))).text;
	expect(/^egress_provider_lying{provider="b"} 1$/m.test(metrics) &&
		/^egress_provider_expulsions_total{provider="b"} 1$/m.test(metrics) &&
		/^egress_provider_lying{provider="a"} 0$/m.test(metrics), 'metrics tell it', metrics);
	expect((await get(world.url('/v1/evidence/9'))).status === 404 &&
		(await get(world.url('/v1/evidence/x'))).status === 400 &&
		(await get(world.url('/v1/evidence?before=x'))).status === 400, 'what is not there');
	expect((await get(world.url('/v1/evidence?before=1'))).body.evidence.length === 0,
		'none is older');
	await world.fault('b', 'honest');
	await showsEvidence(world, one);
}

async function showsEvidence(world, one) {
	const egress = (...args) => runAsync(EGRESS, ['evidence', ...args,
		'--watcher', world.url('')]);
	const list = await egress();
	expect(list.status === 0 && new RegExp(`^1 .* b  ${one.kind}: `, 'm').test(list.stdout),
		'egress evidence lists it', list);
	const whole = await egress('1');
	expect(whole.status === 0 && whole.stdout.includes(one.method) &&
		whole.stdout.replace(/\s+/g, '').includes(one.said.text.replace(/\s+/g, '').slice(0, 60)),
		'egress evidence ID shows its words', whole);
	const json = await egress('1', '--json');
	expect(JSON.parse(json.stdout).said.text === one.said.text, 'egress evidence --json', json);
	const none = await egress('77');
	expect(none.status === 1 && /no such evidence/.test(none.stderr), 'none of that id', none);
}

// What contradicts nothing is counted and named, and the process lives on.
async function countsFailures(world) {
	await world.fault('c', 'garbage');
	const seen = await until('c answers HTML', async () => {
		const provider = await world.provider('c');
		return provider.failures.html > 1 && provider;
	}, WAIT_MS);
	expect(seen.state === 'down' && /HTML/.test(seen.why), 'HTML is named', seen);
	await world.fault('c', 'truncated');
	await until('c answers cut JSON', async () => (await world.provider('c')).failures.not_json,
		WAIT_MS);
	expect(/^egress_provider_failures_total{provider="c",kind="html"} [1-9]/m.test(
		(await get(world.url('/metrics'))).text), 'counted by kind');
	await world.fault('c', 'honest');
	await until('c is back', async () => (await world.provider('c')).state === 'good', WAIT_MS);
	expect(processes.alive('watcher') && processes.alive('relayer'), 'nobody ended');
	expect(lines('watcher', ['alert=provider_lied', 'provider=c']).length === 0, 'and c is no liar');
}

// ---- what bad input gets ------------------------------------------------------

function web(status, headers, text) {
	const server = createServer((request, response) => {
		request.resume();
		request.on('end', () => {
			response.writeHead(status, headers);
			response.end(text);
		});
	});
	server.unref();
	return new Promise((done) => server.listen(0, '127.0.0.1', () =>
		done(`http://127.0.0.1:${server.address().port}`)));
}

const AT = (field, line) => new RegExp(`yaml:${line ?? '\\d+'}:\\d+: ${field}: `);

// [change, status of --check, words in what it says…]
async function badInput(world) {
	const html = await web(200, { 'content-type': 'text/html' }, '<!DOCTYPE html><html></html>');
	const [no, key, moved] = [await web(404, {}, ''), await web(401, {}, ''),
		await web(301, { location: world.l1 }, '')];
	const nothing = `http://127.0.0.1:${await freePort()}`;
	const tls = world.urls.a.replace('http:', 'https:');
	const alone = (url) => ({ list: `{name: a, url: '${url}'}` });
	const url = AT('providers.list\\[\\d\\].url');
	return [
		// one of three: named, and the others carry on
		[{ a: html }, 0, url, /a: it answers HTML, not JSON-RPC: check its URL/, /: good$/],
		[{ a: no }, 0, url, /a: HTTP status 404: .*check the URL's path/, /: good$/],
		[{ a: key }, 0, url, /a: HTTP status 401: .*headers_file/],
		[{ a: moved }, 0, url, /a: HTTP status 301: redirects are not followed/],
		[{ a: nothing }, 0, url, /a: .*does it run, is the port right\?/],
		[{ a: tls }, 0, url, /a: .*it speaks no TLS: write http:\/\//],
		[{ a: 'http://no-such-host.invalid' }, 0, url, /a: Could not resolve host.*check the URL's name/],
		// all of them
		[alone(html), 1, AT('providers.list'), /one provider alone: nobody can contradict/, url, /HTML/],
		[{ a: nothing, b: `${nothing}/b` }, 1, /1 of 3 L1 endpoints answer/, url],
		[{ id: 5 }, 1, AT('chain.id', 2), /3 of 3|2 of 3/, /its chain id is \d+, not 5/, /correct it, or their URLs/],
		[{ chain: `  genesis: '0x${'11'.repeat(32)}'` }, 1, AT('chain.genesis', 4), /its genesis block is 0x/],
		[{}, 0, /chain.genesis: not given, .*add genesis: '0x[0-9a-f]{64}'/],
		// the contract
		[{ hatch: addressOf('nobody') }, 1, AT('chain.hatch', 3), /no contract at/],
		[{ hatch: world.at.rollup }, 1, AT('chain.hatch', 3), /but a rollup: its hatch is 0x/],
		[{ hatch: world.at.badBatch }, 1, AT('chain.hatch', 3), /the code at 0x[0-9a-f]{40} is not EscapeHatch's of this version .*is that the hatch's address/],
		// what the file alone tells
		[{ quorum: 4 }, 1, AT('providers.quorum', 6), /can never be reached, .* 3: lower it/],
		[{ quorum: 1 }, 0, AT('providers.quorum', 6), /two quorums of 1 can disagree/],
		[{ chain: '  act_on: confirmations\n  confirmations: 0' }, 1, AT('chain.confirmations', 5),
			/"0" is outside 1 … 1000: say how many blocks deep/],
		[{ chain: '  act_on: confirmations' }, 1, AT('chain.act_on', 4), /add confirmations: N/],
		[{ c: world.urls.a.replace('//', '//user:pass-9@') }, 1, AT('providers.list\\[2\\].url'),
			/the same as list\[0\]'s/],
	];
}

const WINDOWS = [
	[{ more: 'sla: 2h' }, 1, AT('sla', 11), /sla: 2h is longer than the contract's slaWindow of 8s: citizens would wait unseen: lower it or remove it/],
	[{ more: 'sla: 5s' }, 0, /: good$/],
	[{ poll: '8s' }, 1, AT('poll', 8), /8s is not shorter than the contract's slaWindow of 8s.*every 2s or more often/],
	[{ poll: '3s' }, 0, AT('poll', 8), /3s is more than a quarter/, /: good$/],
	[{ more: `guardian: '${addressOf('g0')}'\nsigner: none\nvote: {open: auto, hold_off: 12s}` }, 1,
		AT('vote.hold_off', 13), /anybody may open the hatch already \(hardDeadline 20s\)/],
];

let tags = 0;
const everyWord = (words, text) => words.filter((word) =>
	!text.trim().split('\n').some((line) => word.test(line))).map(String);

async function checks(world, program, [change, status, ...words]) {
	const path = world.config(program, `bad-${tags++}`, change);
	const got = await runAsync(PROGRAMS[program], ['--check', '--config', path]);
	const text = got.stderr + got.stdout;
	const name = `${program} --check on ${JSON.stringify(change)}`;
	// This relayer's account is empty, so nothing is good in the end.
	const expected = program === 'relayer' ? 1 : status;
	const missing = everyWord(words.filter((word) => program === 'watcher' ||
		!String(word).includes('good')), text);
	expect(got.status === expected && missing.length === 0, name, { status: got.status, missing, text });
	expect(!text.includes('pass-9'), `${name}: no password`, text);
}

async function namesBadInput(world) {
	const table = await badInput(world);
	await world.fault('c', 'wrong-chain');
	await checks(world, 'watcher', [{}, 0, AT('providers.list\\[2\\].url'),
		/c: its chain id is 1337, not/, /: good$/]);
	await world.fault('c', 'honest');
	for (let i = 0; i < table.length; i += 6)
		await Promise.all(table.slice(i, i + 6).flatMap((row) =>
			['watcher', 'relayer'].map((program) => checks(world, program, row))));
	await Promise.all(WINDOWS.map((row) => checks(world, 'watcher', row)));
	const { stderr } = await runAsync(EGRESS, ['config', 'check',
		world.config('watcher', 'cli', { more: 'sla: 2h' })],
	{ env: { ...process.env, PATH: `${join(ROOT, options.build, 'watcher')}:${process.env.PATH}` } });
	expect(/sla: 2h is longer/.test(stderr), 'egress config check says the same', stderr);
}

// The key of a plan comes from a file of its own, which others may not read.
async function sendsHeaders(world) {
	const seen = [];
	const plan = createServer(async (request, response) => {
		const parts = [];
		for await (const part of request)
			parts.push(part);
		seen.push(request.headers['x-key']);
		const good = request.headers['x-key'] === 's3cret';
		response.writeHead(good ? 200 : 401);
		response.end(good ? await (await fetch(world.l1, { method: 'POST', body: Buffer.concat(parts),
			headers: { 'content-type': 'application/json' } })).text() : 'who are you?');
	});
	await new Promise((done) => plan.listen(0, '127.0.0.1', done));
	const file = join(folder, 'headers');
	writeFileSync(file, 'X-Key: s3cret\n', { mode: 0o644 });
	const list = `{name: plan, url: 'http://127.0.0.1:${plan.address().port}', headers_file: headers}`;
	const open = await runAsync(PROGRAMS.watcher, ['--check', '--config',
		world.config('watcher', 'headers', { list })]);
	expect(open.status === 0 && seen.length > 0 && seen.every((found) => found === 's3cret'),
		'the headers of headers_file are sent', open);
	expect(AT('providers.list\\[0\\].headers_file').test(open.stderr) && /others may read it: chmod o=/.test(open.stderr) &&
		!open.stderr.includes('s3cret'), 'a file that others may read is warned of, not shown', open);
	writeFileSync(file, 'no header at all s3cret\n');
	const bad = await runAsync(PROGRAMS.watcher, ['--check', '--config',
		world.config('watcher', 'headers', { list })]);
	expect(bad.status === 1 && /headers:1: not a header: write "Name: value"/.test(bad.stderr) &&
		!bad.stderr.includes('s3cret'), 'what is no header is refused by its line', bad);
	plan.close();
	plan.closeAllConnections();
}

// What can never work ends a start; an outage is waited for.
async function startsOrWaits(world) {
	const start = (change) => runAsync(PROGRAMS.watcher,
		['--config', world.config('watcher', `start-${tags++}`, change)], { timeout: 60000 });
	for (const [change, words] of [[{ id: 5 }, AT('chain.id', 2)],
		[{ more: 'sla: 2h' }, AT('sla', 11)], [{ poll: '8s' }, AT('poll', 8)],
		[{ hatch: world.at.rollup }, AT('chain.hatch', 3)]]) {
		const got = await start(change);
		expect(got.status === 1 && words.test(got.stderr.trim().split('\n').pop()),
			`a start on ${JSON.stringify(change)} ends`, got);
	}
	for (const name of NAMES)
		await world.fault(name, 'down');
	for (const program of ['watcher', 'relayer']) {
		const name = `${program}-waiting`;
		processes.start(name, PROGRAMS[program],
			['--config', world.config(program, 'waiting')]);
		await until(`${name} says why`, () => lines(name, ['L1 is out of sight',
			'0 of 3 L1 endpoints answer']).length, WAIT_MS);
	}
	for (const name of NAMES)
		await world.fault(name, 'honest');
	for (const program of ['watcher', 'relayer']) {
		await until(`${program}: L1 is back`, () =>
			lines(`${program}-waiting`, ['L1 is in sight']).length, WAIT_MS);
		expect(processes.alive(`${program}-waiting`), `${program} started before its providers`);
		await processes.stop(`${program}-waiting`);
	}
}

async function hidesSecrets(world) {
	const texts = [log('watcher'), log('relayer'), (await get(world.url('/v1/status'))).text,
		(await get(world.url('/metrics'))).text, (await get(world.url('/v1/evidence/1'))).text];
	expect(texts.every((text) => !/pass-9|key-0123/.test(text)), 'no password, no key is shown',
		texts.find((text) => /pass-9|key-0123/.test(text)));
}

// ---- its end -------------------------------------------------------------------

async function comesBack(world) {
	await until('b is used again', () => ['watcher', 'relayer'].every((name) =>
		lines(name, ['provider back', 'provider=b']).length), 2 * WAIT_MS);
	expect(lines('watcher', ['alert=provider_lied', 'provider=b']).length === 1,
		'one line an expulsion', log('watcher'));
	await processes.stop('watcher');
	processes.restart('watcher');
	const { body } = await until('the evidence outlives a SIGKILL',
		() => get(world.url('/v1/evidence/1')));
	expect(body.provider === 'b', 'the same record', body);
}

const world = new World();
const shown = [];
const began = Date.now();
try {
	await world.begin();
	for (const act of [starts, keepsEvidence, countsFailures, namesBadInput,
		sendsHeaders, startsOrWaits, hidesSecrets, comesBack]) {
		await act(world);
		shown.push(`${act.name} ${Math.round((Date.now() - began) / 1000)} s`);
	}
} catch (problem) {
	expect(false, problem.stack);
}
await processes.stopAll();
if (options.keepLog || failed)
	process.stdout.write(`logs in ${folder}\n`);
else
	rmSync(folder, { recursive: true });
process.stdout.write(`${shown.join(', ')}\n`);
process.stdout.write(`providers: ${passed} passed, ${failed} failed\n`);
process.exit(failed || !passed ? 1 : 0);
