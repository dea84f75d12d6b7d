// Two relayers against a real L1 (anvil), a real country and a real watcher.
//   node relayer_test.mjs [--build build] [--citizens 400] [--keep-log]
// Prints "relayer: N passed, N failed"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { pad, stringToBytes } from 'viem';
import { privateKeyToAccount, sign } from 'viem/accounts';
import { audit } from '../country/audit.mjs';
import { NATIVE, hex, keccak } from '../country/bytes.mjs';
import { loadCountry, signExitTo, signWithdraw } from '../country/citizens.mjs';
import { SHORT_TERMS, deploy } from '../country/deploy.mjs';
import { Follower } from '../country/follow.mjs';
import { ask, json, parseArgs } from '../country/http.mjs';
import { Rpc } from '../country/rpc.mjs';
import { fund } from '../country/treasury.mjs';
import { decodeEvent } from '../country/wire.mjs';
import { Processes, ROOT, freePort, runAsync, startAnvil, until } from '../harness.mjs';

const key = (name) => hex(keccak(stringToBytes(`relayer-test/${name}`)));
const addressOf = (name) => privateKeyToAccount(key(name)).address.toLowerCase();
const GUARDIANS = ['g0', 'g1', 'g2'];
const RELAYERS = ['r1', 'r2'];
const RESUME = 3;
const ENDPOINTS = ['a', 'b', 'liar']; // what the relayers see of L1
const OPEN = 1;
const SETTLING = 2;
const PAYEES = ['a1', 'a2', 'a3', 'a4'].map((end) => '0x' + '0'.repeat(38) + end);

const options = parseArgs(process.argv.slice(2),
	{ build: 'build', citizens: '400', keepLog: false });
const folder = mkdtempSync(join(tmpdir(), 'relayer-'));
const processes = new Processes(folder);
const program = (name) =>
	join(ROOT, options.build, name.replace('egress-', ''), name);
let passed = 0;
let failed = 0;

function expect(good, text) {
	if (good)
		passed++;
	else
		failed++;
	process.stdout.write(`${good ? 'ok  ' : 'FAIL'} ${text}\n`);
}

async function post(url, text) {
	const response = await fetch(url, { method: 'POST', body: text,
		signal: AbortSignal.timeout(4000) });
	return { status: response.status, body: await response.json() };
}

class World {
	async begin() {
		this.l1 = await startAnvil(processes);
		this.rpc = new Rpc(this.l1);
		for (const name of ['deployer', 'treasury', 'primary', 'standby', ...RELAYERS])
			await this.rpc.call('anvil_setBalance', addressOf(name),
				'0x' + (10n ** 22n).toString(16));
		this.chainId = Number(await this.rpc.call('eth_chainId'));
		this.country = loadCountry(join(folder, 'citizens.json'), 'relayer-test',
			Number(options.citizens));
		this.at = await deploy(this.rpc, key('deployer'), { terms: SHORT_TERMS,
			thresholds: { promote: 2, open: 2, resume: 2, amend: 2 },
			guardians: GUARDIANS.map(addressOf), standbys: [addressOf('standby')],
			sequencer: addressOf('primary'),
			validators: ['v0', 'v1', 'v2', 'v3'].map(addressOf), t: 3, minBounty: 1n });
		this.ports = {};
		for (const name of ['validators', 'primary', 'watcher', ...RELAYERS, ...ENDPOINTS])
			this.ports[name] = await freePort();
		for (const name of ENDPOINTS)
			processes.node(name, 'integration/l1-endpoint.mjs', ['--upstream', this.l1,
				'--listen', `127.0.0.1:${this.ports[name]}`, '--name', name,
				'--fault', name === 'liar' ? 'lie-head' : 'honest']);
		this.startCountry();
		processes.start('watcher', program('egress-watcher'),
			['--config', this.watcherConfig()]);
		for (const name of RELAYERS) {
			this.startSigner(name);
			processes.start(name, program('egress-relayer'), ['--config', this.config(name)]);
		}
		await fund({ rpc: this.rpc, rollup: this.at.rollup, key: key('treasury'),
			country: this.country, bond: 10n ** 18n, reserve: 10n ** 18n });
	}

	url(name, path = '') {
		return `http://127.0.0.1:${this.ports[name]}${path}`;
	}

	startCountry() {
		const common = (name) => ['--rpc', this.l1, '--rollup', this.at.rollup,
			'--hatch', this.at.hatch, '--listen', `127.0.0.1:${this.ports[name]}`];
		processes.node('validators', 'country/validators.mjs', ['--keys',
			['v0', 'v1', 'v2', 'v3'].map(key).join(','), ...common('validators')]);
		processes.node('primary', 'country/sequencer.mjs', ['--name', 'primary',
			'--key', key('primary'), '--validators', this.url('validators'),
			'--citizens', join(folder, 'citizens.json'), '--interval', '1s',
			...common('primary')]);
	}

	write(name, text) {
		const path = join(folder, name);
		writeFileSync(path, text);
		return path;
	}

	shared(name, change = {}) {
		return `
chain: {id: ${change.chainId ?? this.chainId}, hatch: '${change.hatch ?? this.at.hatch}'}
providers: {list: [${(name === 'watcher' ? ['anvil'] : ENDPOINTS).map((at) =>
	`{name: ${at}, url: '${at === 'anvil' ? this.l1 : this.url(at)}', rate: 1000/s}`)}]}
poll: 250ms
log: {level: debug}
http: {listen: '127.0.0.1:${this.ports[name]}'}
store: {path: 'store-${name}'}
`;
	}

	watcherConfig() {
		return this.write('watcher.yaml', this.shared('watcher'));
	}

	config(name, change = {}) {
		return this.write(`${name}${change.tag ?? ''}.yaml`, this.shared(name, change) + `
account: '${change.account ?? addressOf(name)}'
signer: signer-${name}/socket
watchers: ['${this.url('watcher')}']
relayers: [${RELAYERS.filter((other) => other !== name).map((other) =>
	`'${this.url(other)}'`)}]
fees: {max_fee: 300 gwei, max_tip: 5 gwei, per_hour: 50 ether}
${change.more ?? 'evacuate: {enabled: true, budget: 50 ether}'}
`);
	}

	startSigner(name) {
		mkdirSync(join(folder, `signer-${name}`));
		chmodSync(this.write(`signer-${name}/key`, key(name) + '\n'), 0o600);
		const config = this.write(`signer-${name}/signer.yaml`, `
listen: socket
clients: [{user: ${userInfo().username}, may: [transaction]}]
keys: [{address: '${addressOf(name)}', plain: key}]
policy: {chain: ${this.chainId}, hatch: '${this.at.hatch}', rollup: '${this.at.rollup}',
         value: 1 ether, fee: 500 gwei}
`);
		processes.start(`signer-${name}`, program('egress-signer'), ['--config', config]);
	}

	async fresh() {
		const follower = new Follower(this.rpc, this.at);
		await follower.sync();
		return follower;
	}

	async status(name) {
		return (await ask(this.url(name, '/v1/status'))).body;
	}

	control(name, body) {
		return ask(this.url(name, '/control'), body);
	}

	send(relayer, body) {
		return post(this.url(relayer, '/v1/requests'),
			typeof body === 'string' ? body : json(body));
	}

	async track(relayer, id) {
		return (await ask(this.url(relayer, `/v1/requests/${id}`))).body;
	}

	// A citizen's forced withdrawal, signed with viem.
	async withdrawal(index, owner, change = {}) {
		const message = { index, amount: 10n ** 14n, recipient: PAYEES[0],
			salt: BigInt(index), expiry: 2n ** 40n, ...change };
		const signature = await signWithdraw(owner.key, this.chainId, this.at.rollup, message);
		return { kind: 'withdrawal', ...message, amount: message.amount.toString(),
			salt: pad('0x' + message.salt.toString(16)), expiry: Number(message.expiry),
			signature };
	}

	async leaf(citizen) {
		return (await this.fresh()).ledger.balanceLeaf(citizen.address, NATIVE);
	}

	balance(address) {
		return this.rpc.call('eth_getBalance', address, 'latest').then(BigInt);
	}

	async events(wanted) {
		const logs = await this.rpc.call('eth_getLogs',
			{ fromBlock: '0x0', address: this.at.rollup });
		return logs.map((log) => decodeEvent('SovereignRollup', log))
			.filter((event) => event?.eventName === wanted).map(({ args }) => args);
	}

	async kill(name) {
		await processes.stop(name, 'SIGKILL');
		processes.restart(name);
	}
}

async function begins(world) {
	const { batch } = await until('registration', async () => {
		const { body } = await ask(world.url('primary', '/status'));
		return body.citizensWaiting === 0 && body.count >= 4 && body;
	}, 20000);
	// The sequencer sees the newest block, the others the finalized one.
	await until('everybody is registered in the finalized block', async () =>
		(await world.status('watcher')).batch >= batch);
	for (const name of RELAYERS)
		await until(`${name} ready`, async () =>
			(await fetch(world.url(name, '/readyz'))).status === 200);
	const status = await world.status('r1');
	expect(status.phase === 'LIVE' && status.account === addressOf('r1') &&
		status.balance === (10n ** 22n).toString() && status.queue === 0,
	'two relayers are ready, and say so');
}

async function checksConfig(world) {
	const check = async (change) => {
		const { status, stdout, stderr } = await runAsync(program('egress-relayer'),
			['--check', '--config', world.config('r1', { tag: '-check', ...change })]);
		return `${status} ${stdout}${stderr}`;
	};
	const found = await Promise.all([{},
		{ tag: '-a', chainId: 5 }, { tag: '-b', hatch: world.at.rollup },
		{ tag: '-c', account: addressOf('nobody') }, { tag: '-d', more: 'evacuat: {}' }]
		.map(check));
	const wanted = [/^0 [^]*good/, /^1 [^]*chain/, /^1 [^]*hatch/, /^1 [^]*account/,
		/^1 [^]*r1-d\.yaml:\d+:\d+: evacuat/];
	found.forEach((text, i) => expect(wanted[i].test(text),
		`--check: ${text.trim().split('\n').pop().slice(0, 150)}`));
}

async function refusesNonsense(world) {
	const citizen = world.country.citizens[3];
	const index = await world.leaf(citizen);
	const good = await world.withdrawal(index, citizen);
	const code = async (body) => {
		const answer = await world.send('r1', body);
		return `${answer.status} ${answer.body.error?.code}`;
	};
	const found = {
		json: await code('{"kind":'),
		field: await code({ ...good, colour: 'red' }),
		missing: await code({ ...good, salt: undefined }),
		zero: await code(await world.withdrawal(index, citizen, { amount: 0n })),
		expired: await code(await world.withdrawal(index, citizen, { expiry: 1000n })),
		beyond: await code(await world.withdrawal(99999, citizen)),
		broken: await code({ ...good, signature: good.signature.slice(0, -2) + '05' }),
		stranger: await code(await world.withdrawal(index, world.country.citizens[4])),
		exit: await code({ kind: 'exit', index, recipient: PAYEES[1], count: 0,
			signature: good.signature }),
		empty: await code({ kind: 'transaction', raw: '0x' }),
		hatch: await code(await world.withdrawal(index, citizen, { recipient: world.at.hatch })),
	};
	expect(JSON.stringify(Object.values(found)) === JSON.stringify(['400 bad_json',
		'400 bad_field', '400 bad_field', '422 certain_to_fail', '422 certain_to_fail',
		'422 certain_to_fail', '400 bad_signature', '400 bad_signature',
		'422 certain_to_fail', '422 certain_to_fail', '422 certain_to_fail']), `refused: ${JSON.stringify(found)}`);
	expect((await world.status('r1')).queue === 0 &&
		(await ask(world.url('r1', '/v1/requests/0x12'))).status === 400 &&
		(await ask(world.url('r1', `/v1/requests/${pad('0x1')}`))).status === 404,
	'nothing of it is kept');
}

// The sequencer serves the first; the second is ignored by it, its relayer is
// killed at once, and L1 alone pays it.
async function servesForced(world) {
	const served = world.country.citizens[3];
	const request = await world.withdrawal(await world.leaf(served), served);
	const { status, body: receipt } = await world.send('r1', request);
	expect(status === 202 && receipt.relayer === addressOf('r1') &&
		receipt.deadline > receipt.accepted_at, 'a request is accepted with a deadline');
	const again = await world.send('r1', request);
	expect(again.status === 202 && json(again.body) === json(receipt),
		'the same request gets the same receipt');
	await until('included', async () =>
		(await world.track('r1', receipt.request)).state === 'included', 12000);
	await until('executed by the sequencer', async () =>
		(await world.events('WithdrawalExecuted')).length === 1);
	await world.control('primary', { ignoreForced: true });

	const ignored = world.country.citizens[5];
	const asked = await world.send('r1', await world.withdrawal(
		await world.leaf(ignored), ignored, { recipient: PAYEES[1] }));
	// More than there is, to a contract that takes nothing.
	const unpaid = world.country.citizens[7];
	const owed = await world.send('r2', await world.withdrawal(await world.leaf(unpaid),
		unpaid, { amount: 2n ** 96n - 1n, recipient: world.at.badBatch }));
	const transfer = await world.send('r2', { kind: 'transaction', raw: '0x1234' });
	await world.kill('r1');
	expect(asked.status === 202 && owed.status === 202 && transfer.status === 202,
		'three more are accepted; the relayer is killed at once');
	const end = await until('paid', async () => {
		const found = await world.track('r1', asked.body.request);
		return found.state === 'final' && found;
	}, 35000);
	expect(/^100000000000000 wei paid to 0x0*a2 /.test(end.outcome) && end.tx.length === 66 && end.confirmations > 0,
		`after SIGKILL: ${end.outcome}`);
	expect(await world.balance(PAYEES[1]) === 10n ** 14n, 'L1 paid it, without the sequencer');
	const asks = await world.events('WithdrawalRequested');
	expect(asks.length === 3, 'each was asked for on L1 exactly once');
	const executed = await world.events('WithdrawalExecuted');
	expect(RELAYERS.map(addressOf).includes(executed[1].executor.toLowerCase()),
		'a relayer executed the one that was ignored');
	const first = await until('the first paid', async () => {
		const found = await world.track('r1', receipt.request);
		return found.state === 'final' && found;
	});
	expect(/ wei paid to 0x0*a1 /.test(first.outcome) && await world.balance(PAYEES[0]) === 10n ** 14n,
		'the one that the sequencer executed is paid too');
	const claim = await until('the credited one ends', async () => {
		const found = await world.track('r2', owed.body.request);
		return found.state === 'final' && found;
	}, 35000);
	expect(new RegExp(`^\\d+ wei credited to ${world.at.badBatch} on L1, to be claimed .*; ` +
		'79228162514264337593543950335 were asked for').test(claim.outcome), claim.outcome);
	const forced = await world.track('r2', transfer.body.request);
	expect(forced.state === 'final' && /inbox item/.test(forced.outcome),
		`the forced transaction is final: ${forced.outcome}`);
	await world.control('primary', { ignoreForced: false });
}

async function opensAndEvacuates(world) {
	await processes.stop('primary', 'SIGKILL');
	const { number } = await world.rpc.call('eth_getBlockByNumber', 'latest', false);
	await until('what was on its way has landed', async () =>
		Number(await world.rpc.call('eth_blockNumber')) >= Number(number) + 2);
	const { facts } = await world.fresh();
	const wisher = world.country.citizens[9];
	const index = await world.leaf(wisher);
	const wish = { index, recipient: PAYEES[2], count: BigInt(facts.count) };
	const signature = await signExitTo(wisher.key, world.chainId, world.at.rollup, wish);
	const accepted = await world.send('r2', { kind: 'exit', index,
		recipient: PAYEES[2], count: Number(facts.count), signature });
	const { body } = await ask(world.url('r2', '/v1/exits'));
	expect(accepted.status === 202 && body.exits.length === 1 &&
		body.exits[0].signature === signature, 'a wish to exit elsewhere is kept and published');
	const late = world.country.citizens[12]; // known to one relayer alone, and late

	const opened = await until('OPEN', async () => {
		const now = await world.fresh();
		return now.facts.state === OPEN && now;
	}, 40000);
	const silence = opened.time - Number(facts.lastAt);
	expect(silence <= SHORT_TERMS.hardDeadline + 6,
		`nobody votes: the hatch is open ${silence} s after the last batch (deadline 20)`);
	const began = Date.now();
	await until('the first exits', async () => (await world.events('Exited')).length > 0);
	await world.kill('r2');
	const found = await until('everybody out', async () => {
		const now = await audit(world.rpc, world.at, { redirected: { [index]: PAYEES[2] } });
		return now.evacuated === now.leaves && now.leaves > 0 && now;
	}, 40000, 500);
	expect(found.lost_wei === 0n && found.paid_twice === 0 && found.credited === 0,
		`${found.evacuated} leaves out in ${Math.round((Date.now() - began) / 1000)} s, ` +
		`${found.lost_wei} wei lost, ${found.paid_twice} paid twice`);
	const end = await until('the wish ends', async () => {
		const state = await world.track('r2', accepted.body.request);
		return (state.state === 'final' || state.state === 'failed') && state;
	});
	expect(end.state === 'final' && found.wrong.length === 0,
		`the wish, known to one relayer and kept by both: ${end.outcome} ` +
		`${found.wrong.length ? json(found.wrong) : ''}`);
	const status = await until('final', async () => {
		const now = await world.status('r2');
		return now.evacuation.final && now;
	});
	expect(status.evacuation.done === status.evacuation.buckets,
		`status: ${JSON.stringify(status.evacuation)}`);
	const tooLate = { index: await world.leaf(late), recipient: PAYEES[3],
		count: BigInt(facts.count) };
	const answer = await world.send('r1', { kind: 'exit', ...tooLate, count: Number(facts.count),
		signature: await signExitTo(late.key, world.chainId, world.at.rollup, tooLate) });
	const fate = await until('the late wish fails', async () => {
		const state = await world.track('r1', answer.body.request);
		return state.state === 'failed' && state;
	});
	expect(/paid out already/.test(fate.outcome), `a late wish: ${fate.outcome}`);
}

// Two guardians sign by hand; nobody but a relayer carries it.
async function resumesAndSettles(world) {
	const follower = await world.fresh();
	const [epoch] = await follower.read([['EscapeHatch', 'epoch']]);
	const expiry = follower.time + 1000;
	const vote = [RESUME, epoch, 0n, pad(addressOf('primary')), BigInt(expiry)];
	const [digest] = await follower.read([['EscapeHatch', 'digest', vote]]);
	for (const guardian of ['g0', 'g1']) {
		const answer = await post(world.url('watcher', '/v1/ballots'), json({
			chain_id: world.chainId, hatch: world.at.hatch, action: 'resume',
			epoch: Number(epoch), progress: 0, subject: vote[3], expiry,
			signatures: [await sign({ hash: digest, privateKey: key(guardian), to: 'hex' })] }));
		if (answer.status !== 200)
			throw new Error(`ballot: ${json(answer.body)}`);
	}
	await until('SETTLING', async () => (await world.fresh()).facts.state === SETTLING, 20000);
	expect(true, 'a bundle signed by hand is carried: resumed');
	const began = Date.now();
	const done = await until('RUNNING', async () => {
		const now = await world.fresh();
		return now.facts.state === 0 && now;
	}, 25000);
	expect(done.synced && done.ledger.sum(NATIVE) === 0n,
		`settled in ${Math.round((Date.now() - began) / 1000)} s: the root has no exited balance left`);
	processes.restart('primary');
	const { count } = done.facts;
	await until('a batch', async () => (await world.fresh()).facts.count > count);
	const found = await audit(world.rpc, world.at,
		{ redirected: { [await world.leaf(world.country.citizens[9])]: PAYEES[2] } });
	expect(found.wrong.length === 0 && found.root_fits,
		'a batch of the new operator lands, and everybody holds what is his');
}

async function carriesBadBatch(world) {
	await world.control('validators', { lie: true });
	await world.control('primary', { lie: true });
	const opened = await until('OPEN', async () => {
		const [last] = (await world.rpc.call('eth_getLogs',
			{ fromBlock: '0x0', address: world.at.hatch }))
			.map((log) => decodeEvent('EscapeHatch', log))
			.filter((event) => event?.eventName === 'Opened' && event.args.cause === 4);
		return last;
	}, 20000);
	expect(opened.args.cause === 4, 'a bad batch, proven by the watcher, opens the hatch');
}

async function endsClean(world) {
	const sent = async (name, tag) => Number(await world.rpc.call('eth_getTransactionCount',
		addressOf(name), tag));
	for (const name of RELAYERS) {
		await until(`${name}: no transaction is stuck`, async () =>
			await sent(name, 'pending') === await sent(name, 'latest'));
		expect(true, `${name}: no transaction is stuck`);
		const ended = await processes.stop(name, 'SIGTERM');
		expect(ended?.code === 0, `${name} stops when it is told to`);
	}
}

const world = new World();
const began = Date.now();
try {
	await world.begin();
	for (const act of [begins, checksConfig, refusesNonsense, servesForced,
		opensAndEvacuates, resumesAndSettles, carriesBadBatch, endsClean])
		await act(world);
} catch (problem) {
	expect(false, problem.stack);
}
await processes.stopAll();
if (options.keepLog || failed)
	process.stdout.write(`logs in ${folder}\n`);
else
	rmSync(folder, { recursive: true });
process.stdout.write(`${Math.round((Date.now() - began) / 1000)} s\n`);
process.stdout.write(`relayer: ${passed} passed, ${failed} failed\n`);
process.exit(failed || !passed ? 1 : 0);
