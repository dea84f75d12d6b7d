// Watchers against a real L1 (anvil) and a real country: an observer, three
// guardians with their signers.
//   node watcher_test.mjs [--build build] [--lie-kind root|reown|empty|kind|nobody] [--keep-log]
// Prints "watcher: N passed, N failed"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concat, pad, toHex } from 'viem';
import { sign } from 'viem/accounts';
import { NATIVE, hex, keccak, unhex } from '../country/bytes.mjs';
import { signWithdraw } from '../country/citizens.mjs';
import { SHORT_TERMS } from '../country/deploy.mjs';
import { Follower } from '../country/follow.mjs';
import { ask, parseArgs } from '../country/http.mjs';
import { sleep } from '../country/rpc.mjs';
import { verify } from '../country/tree.mjs';
import { encodeCall } from '../country/wire.mjs';
import { Processes, freePort, run, runAsync, until } from '../harness.mjs';
import { Stage } from './stage.mjs';

const key = (name) => world.key(name);
const addressOf = (name) => world.address(name);
const program = (name) => world.program(name);
const GUARDIANS = ['g0', 'g1', 'g2'];
const RESUME = 3;
const POLL_MS = 250;
const FINALITY_LAG = 3; // seconds: two blocks, and one being made

const options = parseArgs(process.argv.slice(2),
	{ build: 'build', lieKind: 'root', keepLog: false });
const folder = mkdtempSync(join(tmpdir(), 'watcher-'));
const processes = new Processes(folder);
let passed = 0;
let failed = 0;

function expect(good, text) {
	if (good)
		passed++;
	else
		failed++;
	process.stdout.write(`${good ? 'ok  ' : 'FAIL'} ${text}\n`);
}

async function get(url, headers = {}) {
	const response = await fetch(url, { headers, signal: AbortSignal.timeout(3000) });
	const text = await response.text();
	let body;
	try {
		body = JSON.parse(text);
	} catch {
		body = undefined;
	}
	return { status: response.status, text, body };
}

async function post(url, text) {
	const response = await fetch(url, { method: 'POST', body: text,
		signal: AbortSignal.timeout(3000) });
	return { status: response.status, body: await response.json() };
}

class World extends Stage {
	constructor() {
		super({ seed: 'watcher-test', folder, processes, build: options.build,
			guardians: GUARDIANS });
	}

	async begin() {
		await super.begin();
		this.ports = {};
		for (const name of ['observer', ...GUARDIANS])
			this.ports[name] = await freePort();
		for (const name of GUARDIANS)
			this.signer(name);
		for (const name of ['observer', ...GUARDIANS])
			this.watcher(name);
		await this.fund();
	}

	config(name, change = {}) {
		const peers = ['observer', ...GUARDIANS].filter((other) => other !== name)
			.map((other) => `http://127.0.0.1:${this.ports[other]}`);
		const guardian = name === 'observer' ? '' :
			`guardian: '${change.guardian ?? addressOf(name)}'
signer: ${this.socket(name)}
vote: {promote: auto, open: auto, hold_off: 0s}`;
		const path = join(folder, `${name}${change.tag ?? ''}.yaml`);
		writeFileSync(path, `
chain: {id: ${change.chainId ?? this.chainId}, hatch: '${change.hatch ?? this.at.hatch}'}
providers: {list: [{name: anvil, url: '${change.l1 ?? this.l1}', rate: 1000/s}]}
poll: ${POLL_MS}ms
http: {listen: '127.0.0.1:${this.ports[name]}'}
store: {path: 'store-${name}'}
peers: [${peers.join(', ')}]
standbys: [{address: '${addressOf('standby')}', probe: '${this.standby}/ready'},
           {address: '${addressOf('primary')}', probe: '${this.primary}/ready'}]
${guardian}
`);
		return path;
	}

	watcher(name) {
		processes.start(name, program('egress-watcher'), ['--config', this.config(name)]);
	}

	url(name, path) {
		return `http://127.0.0.1:${this.ports[name]}${path}`;
	}

	async get(name, path, headers) {
		return get(this.url(name, path), headers);
	}

	async status(name = 'observer') {
		return (await this.get(name, '/v1/status')).body;
	}

	async fresh() {
		const follower = new Follower(this.rpc, this.at);
		await follower.sync();
		return follower;
	}

	// stateRoot() as L1 says it at that block.
	stateRoot(block_hash) {
		return this.rpc.call('eth_call', { to: this.at.rollup,
			data: encodeCall('SovereignRollup', 'stateRoot', []) },
		{ blockHash: block_hash });
	}
}

async function startsLive(world) {
	const { batch } = await until('registration', async () => {
		const { body } = await ask(`${world.primary}/status`);
		return body.citizensWaiting === 0 && body.count >= 2 && body;
	}, 20000);
	// The sequencer sees the newest block, the observer the finalized one.
	const status = await until('LIVE, with everybody registered', async () => {
		const found = await world.status();
		return found.phase === 'LIVE' && found.batch >= batch && found;
	}, 15000);
	expect(status.l1.healthy && status.alerts.length === 0, `LIVE: ${status.why}`);
	expect(status.active === addressOf('primary') &&
		status.standbys[0].address === addressOf('standby'), 'who is active, who stands by');
	await until('readiness', async () => (await world.status()).standbys[0].ready);
	expect((await world.get('observer', '/healthz')).status === 200 &&
		(await world.get('observer', '/readyz')).status === 200, 'healthy and ready');
	const { text } = await world.get('observer', '/metrics');
	expect(/^egress_phase 0$/m.test(text), 'metrics say it too');
}

// A PACK against L1: its root is L1's at its block, its leaves lead there.
async function holds(world, pack) {
	const root = await world.stateRoot(pack.block_hash);
	return root === pack.root && pack.leaves.length > 0 && pack.leaves.every((leaf) =>
		verify(unhex(root), leaf.index, keccak(unhex(leaf.record)), leaf.proof.map((n) => unhex(n))));
}

async function servesProofs(world) {
	const person = world.country.citizens[7];
	const { ledger } = await world.fresh();
	const leaves = ledger.leavesOf(person.address);
	const proof = await world.get('observer', `/v1/proof/${leaves[0]}`);
	expect(proof.status === 200 && await holds(world, proof.body) &&
		proof.body.rollup === world.at.rollup, 'a proof leads to the root on L1');
	const account = await world.get('observer', `/v1/account/${person.address}`);
	expect(account.body.leaves.map(({ index }) => index).join() === leaves.join() &&
		account.body.next === null, 'an account lists its leaves');
	const pack = await world.get('observer', `/v1/pack/${person.address}`);
	expect(pack.body.leaves.length === 2 && await holds(world, pack.body), 'a pack proves them all');
	const text = await world.get('observer', `/v1/pack/${person.address}`,
		{ accept: 'text/plain' });
	expect(text.text.startsWith('egress-pack1:'), 'a pack as one line of text');
	const credential = await world.get('observer', `/v1/credential/${leaves[1]}`);
	expect(credential.body.kind === 2 && await holds(world, credential.body), 'a credential proves itself');
	expect((await world.get('observer', `/v1/credential/${leaves[0]}`)).status === 404,
		'a balance is no credential');
	await bucketHolds(world);
	expect((await world.get('observer', '/v1/proof/99999')).status === 404 &&
		(await world.get('observer', '/v1/proof/-1')).status === 400 &&
		(await world.get('observer', '/v1/pack/0x12')).status === 400 &&
		(await world.get('observer', `/v1/pack/${addressOf('nobody')}`)).status === 404 &&
		(await world.get('observer', '/v1/bad-batch')).status === 404,
	'what is not there is 404, what is not asked properly 400');
}

async function bucketHolds(world) {
	const { body } = await world.get('observer', '/v1/bucket/0');
	const records = unhex(body.records);
	let level = [];
	for (let i = 0; i < 256; i++)
		level.push(i * 53 < records.length ? keccak(records.subarray(i * 53, i * 53 + 53)) :
			new Uint8Array(32));
	while (level.length > 1)
		level = level.filter((_, i) => i % 2 === 0).map((left, i) =>
			keccak(unhex(concat([hex(left), hex(level[2 * i + 1])]))));
	expect(verify(unhex(body.root), 0, level[0], body.proof.map((n) => unhex(n))),
		'a bucket gives the root');
}

async function survivesSigkill(world) {
	const before = (await world.status()).batch;
	await processes.stop('observer', 'SIGKILL');
	processes.restart('observer');
	const first = await until('an answer', () => world.get('observer', '/v1/proof/0'));
	expect(first.status === 200 && first.body.batch >= before,
		`after SIGKILL its first proof is of batch ${first.body?.batch}, it had ${before}`);
	await until('goes on', async () => {
		const status = await world.status();
		return status.phase === 'LIVE' && status.batch > before + 1;
	});
	expect((await world.get('observer', '/readyz')).status === 200, 'and it goes on');
}

async function followsForced(world) {
	const citizen = world.country.citizens[3];
	const index = (await world.fresh()).ledger.balanceLeaf(citizen.address, NATIVE);
	const message = { index, amount: 10n ** 14n, salt: 5n, expiry: 2n ** 40n,
		recipient: '0x00000000000000000000000000000000000000a1' };
	const signature = await signWithdraw(citizen.key, world.chainId, world.at.rollup, message);
	await world.anyone.run({ to: world.at.rollup, value: 10n ** 15n,
		data: encodeCall('SovereignRollup', 'requestWithdrawalFor', [index, message.amount,
			message.recipient, message.salt, message.expiry, signature]) });
	await until('execution', async () => (await world.fresh()).facts.withdrawHead === 1n);
	const { count } = (await world.fresh()).facts;
	const status = await until('batches after it', async () => {
		const found = await world.status();
		return found.progress.count > Number(count) + 1 && found.root === found.l1_root && found;
	});
	expect(status.alerts.length === 0, 'it follows what L1 itself wrote');
}

async function refusesBadBallots(world) {
	const { epoch, progress, as_of: asOf } = await world.status();
	const expiry = Math.ceil((asOf.time + 4) / 2) * 2;
	const ballot = async (signer, change) => {
		const vote = { epoch, progress: progress.count + 50, subject: pad(addressOf('standby')), expiry, ...change };
		const digest = await world.rpc.call('eth_call', { to: world.at.hatch,
			data: encodeCall('EscapeHatch', 'digest', [1, BigInt(vote.epoch),
				BigInt(vote.progress), vote.subject, BigInt(vote.expiry)]) }, 'latest');
		return JSON.stringify({ chain_id: world.chainId, hatch: world.at.hatch,
			action: 'promote', ...vote, signatures: [await sign({ hash: digest,
				privateKey: key(signer), to: 'hex' })] });
	};
	const send = async (text) => post(world.url('observer', '/v1/ballots'), text);
	const code = ({ status, body }) => `${status} ${body.error?.code ?? body.known}`;
	const good = await ballot('g0', {});
	const answers = {
		stranger: code(await send(await ballot('anyone', {}))),
		epoch: code(await send(await ballot('g0', { epoch: epoch + 1 }))),
		round: code(await send(await ballot('g0', { expiry: expiry + 1 }))),
		progress: code(await send(await ballot('g0', { progress: 0 }))),
		json: code(await send('{"chain_id":')),
		chain: code(await send(good.replace(/"chain_id":\d+/, '"chain_id":5'))),
		good: code(await send(good)),
		again: code(await send(good)),
	};
	expect(JSON.stringify(Object.values(answers)) === JSON.stringify(['400 bad_signature',
		'422 certain_to_fail', '400 bad_field', '422 certain_to_fail', '400 bad_json',
		'400 wrong_chain', '200 false', '200 true']), `posted ballots: ${JSON.stringify(answers)}`);
	const { body } = await world.get('observer', '/v1/ballots');
	expect(body.ballots.some((b) => b.signers[0] === addressOf('g0')), 'the good one is listed');
}

async function votesWhenLate(world) {
	await processes.stop('primary', 'SIGKILL');
	const { slaWindow } = SHORT_TERMS;
	const wrong = [];
	const late = await until('LATE', async () => {
		const found = await world.status();
		const silent = found.as_of.time - found.progress.at;
		if (found.phase !== (silent > slaWindow ? 'LATE' : 'LIVE'))
			wrong.push(`${found.phase} after ${silent} s`);
		return found.phase === 'LATE' && found;
	}, 20000, 50);
	expect(wrong.length === 0, 'LATE is shown from the first block on that is more than ' +
		`${slaWindow} s after the last batch, and from none before it: ${wrong.join(', ')}`);
	expect(late.alerts.some(({ id }) => id === 'LATE'), 'with an alert');
	const bundle = await until('ballots', async () => {
		const { body } = await world.get('observer', '/v1/ballots');
		return body.ballots.filter((b) => b.action === 'promote' && b.signers.length === 3 &&
			b.progress === late.progress.count).sort((a, b) => b.expiry - a.expiry)[0];
	}, 8000, 50);
	expect(bundle.subject === pad(addressOf('standby')) && bundle.expiry % 2 === 0,
		'three guardians\' ballots meet in one bundle at an observer without a key');
	const { votes } = await world.status();
	expect(votes.some((v) => v.action === 'promote' && v.signed.length === 3 && v.needed === 2),
		'status says who has signed');
	await world.anyone.run({ to: world.at.hatch, data: encodeCall('EscapeHatch', 'promote',
		[addressOf('standby'), BigInt(bundle.expiry), concat(bundle.signatures)]) });
	await until('PROMOTED', async () => (await world.status()).phase === 'PROMOTED', 8000, 50)
		.catch(() => undefined); // a fast standby may have posted already
	const back = await until('LIVE again', async () => {
		const found = await world.status();
		return found.phase === 'LIVE' && found.epoch === 1 && found;
	}, 15000);
	expect(back.active === addressOf('standby') && back.alerts.length === 0 &&
		back.votes.length === 0, 'L1 takes the bundle; the standby posts, the alert is gone');
}

async function survivesL1Outage(world) {
	const child = processes.children.get('anvil');
	child.kill('SIGSTOP');
	const nobody = `/v1/pack/0x${'42'.repeat(20)}`;
	const known = await world.get('observer', nobody);
	const { alerts, phase, why, blind } = await until('UNKNOWN', async () => {
		const found = await world.status();
		found.blind = await world.get('observer', nobody);
		return found.phase === 'UNKNOWN' && found;
	}, 20000).finally(() => child.kill('SIGCONT'));
	expect(known.status === 404 && blind.status === 503,
		'it says "no such leaf" only while it sees L1');
	expect(phase === 'UNKNOWN' && alerts.some(({ id }) => id === 'UNKNOWN'),
		`without L1 it says UNKNOWN: ${why}`);
	await until('LIVE', async () => (await world.status()).phase === 'LIVE', 20000);
	expect((await world.get('observer', '/readyz')).status === 200, 'and comes back by itself');
}

async function provesBad(world) {
	await world.control('standby', { lie: true, lieKind: options.lieKind });
	await world.control('validators', { lie: true });
	const { body } = await until('the proof', async () => {
		const found = await world.get('observer', '/v1/bad-batch');
		return found.status === 200 && found;
	}, 20000, 50);
	const status = await world.status();
	expect(status.alerts.some(({ id }) => id === 'BAD_BATCH') && status.batch < body.batch,
		`batch ${body.batch} is proven bad: ${status.alerts.map(({ text }) => text)}`);
	const proof = await world.get('observer', '/v1/proof/0');
	expect(await holds(world, proof.body), 'the last good root is served on');
	await processes.stop('observer', 'SIGKILL');
	processes.restart('observer');
	const again = await until('the proof again', async () => {
		const found = await world.get('observer', '/v1/bad-batch');
		return found.status === 200 && found;
	});
	expect(again.body.proof === body.proof, 'the proof survives SIGKILL');
	await world.control('standby', { pause: true });
	await world.anyone.run({ to: world.at.hatch,
		data: encodeCall('EscapeHatch', 'openOnBadBatch', [body.proof]) });
	const open = await until('OPEN', async () => {
		const found = await world.status();
		/* the ledger's root is the good one before it follows the rewinding, too */
		return found.phase === 'OPEN' && found.root === found.l1_root &&
			!found.alerts.some(({ id }) => id === 'BAD_BATCH') && found;
	});
	expect(open.batch === body.batch - 1,
		'L1 takes the proof; the ledger stands at the batch before');
	expect((await world.get('observer', '/v1/bad-batch')).status === 404, 'and there is nothing more to prove');
}

// Ballots by hand, each posted to another watcher, in the two forms.
async function resumesByHand(world, epoch, expiry) {
	const vote = { chain_id: world.chainId, hatch: world.at.hatch, action: 'resume', epoch,
		progress: 0, subject: pad(addressOf('primary')), expiry };
	const digest = await world.rpc.call('eth_call', { to: world.at.hatch,
		data: encodeCall('EscapeHatch', 'digest', [RESUME, BigInt(epoch), 0n, vote.subject,
			BigInt(expiry)]) }, 'latest');
	for (const [i, name] of GUARDIANS.entries()) {
		const signature = await sign({ hash: digest, privateKey: key(name), to: 'hex' });
		const to = world.url(['observer', 'g0', 'g1'][i], '/v1/ballots');
		const { status } = await post(to, i ? ballotText(vote, RESUME, signature) :
			JSON.stringify({ ...vote, signatures: [signature] }));
		if (status !== 200)
			expect(false, `${name}'s ballot is answered ${status}`);
	}
	const bundle = await until('all three', async () => {
		const { body } = await world.get('g2', '/v1/ballots');
		return body.ballots.find((b) => b.action === 'resume' && b.signers.length === 3);
	});
	expect(true, 'ballots posted to three watchers meet at a fourth');
	await world.anyone.run({ to: world.at.hatch, data: encodeCall('EscapeHatch', 'resume',
		[addressOf('primary'), BigInt(bundle.expiry), concat(bundle.signatures)]) });
}

// BALLOT's text form, as formats.md states it.
function ballotText(vote, action, signature) {
	const bytes = concat([toHex(vote.chain_id, { size: 8 }), vote.hatch, toHex(action, { size: 1 }),
		toHex(vote.epoch, { size: 8 }), toHex(vote.progress, { size: 8 }), vote.subject,
		toHex(vote.expiry, { size: 8 }), '0x01', signature]);
	const check = hex(keccak(unhex(bytes))).slice(0, 10);
	return `egress-ballot1:${Buffer.from(unhex(concat([bytes, check]))).toString('base64url')}`;
}

async function settles(world) {
	await world.rpc.call('evm_increaseTime',
		SHORT_TERMS.finality + SHORT_TERMS.inclusionWindow + 2);
	const open = await until('exits', async () => {
		const found = await world.status();
		return /exits run$/.test(found.why) && found;
	});
	await sleep(1000 * FINALITY_LAG);
	const { body } = await world.get('observer', '/v1/bucket/0');
	await world.anyone.run({ to: world.at.rollup, data: encodeCall('SovereignRollup', 'exitBucket',
		[0n, 2n ** 256n - 1n, body.records, body.proof]) });
	const owner = world.country.citizens[0].address;
	expect(BigInt(await world.rpc.call('eth_getBalance', owner, 'latest')) > 0n,
		'a bucket that the watcher serves evacuates its citizens');
	await resumesByHand(world, open.epoch, open.as_of.time + 86400);
	await until('SETTLING', async () => (await world.status()).phase === 'SETTLING');
	const bucket = await world.get('observer', '/v1/bucket/0');
	await world.anyone.run({ to: world.at.rollup, data: encodeCall('SovereignRollup', 'settleBucket',
		[0n, bucket.body.records, bucket.body.proof]) });
	const after = await until('LIVE', async () => {
		const found = await world.status();
		return found.phase === 'LIVE' && found.root === found.l1_root && found;
	});
	expect(after.root !== open.root && after.alerts.length === 0 && after.active === addressOf('primary'),
		'settled: the ledger follows what L1 wrote');
}

async function checksConfig(world) {
	const check = (path) => run(program('egress-watcher'), ['--check', '--config', path]);
	const cases = [
		['observer', {}, 0, /good/],
		['g1', {}, 0, /good/],
		['observer', { chainId: 5 }, 1, /chain/],
		['observer', { hatch: world.at.rollup }, 1, /not a hatch/],
		['observer', { hatch: addressOf('nobody') }, 1, /no contract/],
		['g1', { guardian: addressOf('nobody') }, 1, /not among/],
		['g1', { guardian: addressOf('g2') }, 1, /no key/],
	];
	for (const [name, change, status, text] of cases) {
		const found = check(world.config(name, { ...change, tag: '-check' }));
		const words = (found.stderr + found.stdout).trim().split('\n').pop();
		expect(found.status === status && text.test(words), `--check: ${words.slice(0, 150)}`);
	}
	const path = world.config('observer', { tag: '-bad' });
	writeFileSync(path, readFileSync(path, 'utf8').replace(/poll: .*/, 'poll: soon'));
	const found = check(path);
	expect(found.status === 1 && /:\d+:\d+: poll: /.test(found.stderr), `--check: ${found.stderr.trim().slice(-150)}`);
	writeFileSync(path, readFileSync(path, 'utf8').replace(/poll: .*/, 'poll: 1s')
		.replace(/store: {(.*)}/, 'store: {$1, map_size: 1 MiB}'));
	const small = check(path);
	expect(small.status === 1 && /store\.map_size: .*16 MiB/.test(small.stderr),
		`--check: ${small.stderr.trim().slice(-150)}`);
	await startsWrong(world);
}

// A start, not a check: it ends by itself.
async function startsWrong(world) {
	for (const [change, text] of [[{ hatch: world.at.rollup }, /not a hatch/],
		[{ chainId: 5 }, /another chain/]]) {
		const config = world.config('observer', { tag: '-wrong', ...change });
		writeFileSync(config, readFileSync(config, 'utf8')
			.replace(/store: .*/, `store: {path: 'wrong-${Object.keys(change)[0]}'}`)
			.replace(/http: .*/, ''));
		const { status, stderr } = await runAsync(program('egress-watcher'), ['--config', config],
			{ timeout: 20000 });
		const words = stderr.trim().split('\n').pop();
		expect(status === 1 && text.test(words), `a start on it: ${words.slice(0, 150)}`);
	}
}

async function stopsCleanly() {
	for (const name of ['observer', ...GUARDIANS]) {
		const signal = name === 'observer' ? 'SIGHUP' : 'SIGTERM';
		const { code } = await processes.stop(name, signal);
		if (code !== 0)
			expect(false, `${name} ends with ${code} on ${signal}`);
	}
	expect(true, 'SIGTERM, or SIGHUP, ends all of them cleanly');
}

const world = new World();
const began = Date.now();
const shown = [];
try {
	await world.begin();
	for (const act of [startsLive, servesProofs, checksConfig, survivesSigkill, survivesL1Outage,
		followsForced,		refusesBadBallots, votesWhenLate, provesBad, settles, stopsCleanly]) {
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
await sleep(0);
process.stdout.write(`${shown.join(', ')}\n`);
process.stdout.write(`watcher: ${passed} passed, ${failed} failed\n`);
process.exit(failed || !passed ? 1 : 0);
