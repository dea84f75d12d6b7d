// The command line against a real L1 (anvil, one of three endpoints lying),
// a real country, a real watcher and a real relayer.
//   node cli_test.mjs [--build build/main] [--keep-log]
// Prints "cli: N passed, N failed".
import { readFileSync, rmSync, writeFileSync, mkdtempSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { recoverAddress, recoverTypedDataAddress } from 'viem';
import { balanceRecord, be, concat, hex, keccak, unbe, unhex, NATIVE }
	from '../country/bytes.mjs';
import { account, citizenKey } from '../country/citizens.mjs';
import { ask, parseArgs, serve } from '../country/http.mjs';
import { Tree } from '../country/tree.mjs';
import { typed } from '../country/wire.mjs';
import { L1 } from '../drill/l1.mjs';
import { addressOf } from '../drill/keys.mjs';
import { Nation, TERMS } from '../drill/nation.mjs';
import { Processes, ROOT, freePort, run, runAsync, until } from '../harness.mjs';

const options = parseArgs(process.argv.slice(2),
	{ build: join('build', 'main'), keepLog: false });
const build = resolve(ROOT, options.build);
const folder = mkdtempSync(join(tmpdir(), 'cli-'));
const processes = new Processes(folder);
const EGRESS = join(build, 'cli', 'egress');
const SIGNER = join(build, 'signer', 'egress-signer');
const DAY = 86400;
let passed = 0;
let failed = 0;

function expect(good, text, found) {
	if (good)
		return passed++;
	failed++;
	process.stdout.write(`FAIL ${text}${found === undefined ? '' :
		`: ${typeof found === 'string' ? found : JSON.stringify(found)}`}\n`);
}

const same = (a, b, text) => expect(a === b, text, `${a} is not ${b}`);
const egress = (...args) => run(EGRESS, args);
const lastLine = (text) => text.trim().split('\n').pop();

// One clear line on stderr, nothing on stdout, and the exit status.
function refuses(args, words, text, status = 1) {
	const got = egress(...args);
	const lines = got.stderr.trim().split('\n')
		.filter((line) => !/^egress: warning|egress-signer error/.test(line));
	expect(got.status === status && got.stdout === '', `${text}: exit ${status}`, got);
	expect(status === 2 || lines.length === 1, `${text}: one line`, got.stderr);
	for (const word of words)
		expect(got.stderr.includes(word), `${text}: says "${word}"`, got.stderr);
	return got;
}

function file(name, text, mode = 0o600) {
	const path = join(folder, name);
	writeFileSync(path, text);
	chmodSync(path, mode);
	return path;
}

// ---- the command line itself ------------------------------------------------

function words() {
	same(egress().status, 2, 'without a command: exit 2');
	same(egress('dance').status, 2, 'an unknown command: exit 2');
	same(egress('--version').stdout.trim().split(' ')[0], 'egress', '--version');
	const { status, stdout } = egress('help');
	expect(status === 0 && stdout.includes('withdraw'), 'help lists the commands');
	for (const command of ['deploy', 'status', 'pack', 'verify', 'withdraw', 'exit',
		'track', 'evidence', 'config'])
		expect(egress(command, '--help').stdout.includes('Usage:'), `${command} --help`);
	for (const verb of ['sign', 'list', 'import', 'export'])
		expect(egress('ballot', verb, '--help').stdout.includes('Usage:'),
			`ballot ${verb} --help`);
	refuses(['ballot'], ['sign|list|import|export'], 'ballot without a verb', 2);
	refuses(['status', '--nonsense'], ['--nonsense'], 'an unknown option', 2);
	refuses(['status'], ['--watcher', '--rpc'], 'status of nobody', 2);
	refuses(['status', '--rpc', 'ftp://x', '--hatch', NATIVE], ['ftp://x', 'http://'],
		'an endpoint that is no URL', 2);
	refuses(['withdraw', '--index', '1'], ['--amount'], 'half a withdrawal', 2);
	refuses(['withdraw', '--index', '-1', '--amount', '1', '--recipient', NATIVE],
		['--index', '2^53'], 'a negative index', 2);
	refuses(['withdraw', '--index', '1', '--amount', '1e18', '--recipient',
		'0x' + '11'.repeat(20)], ['--amount', '2^96'], 'an amount in floats', 2);
	refuses(['exit', '--index', '1', '--recipient',
		'0xD8dA6BF26964aF9D7eEd9e03E53415D37aA96046'],
	['--recipient', 'checksum'], 'an address with a wrong checksum', 2);
	help();
	contradictions();
}

// Each command shows the options that it uses, and an example.
function help() {
	const { status, stdout } = egress('ballot', '--help');
	expect(status === 0 && ['sign', 'list', 'import', 'export'].every((verb) =>
		new RegExp(`^ +${verb} +\\w`, 'm').test(stdout)), 'ballot --help', stdout);
	const shown = { deploy: '--rpc', status: '--watcher', pack: '--watcher',
		verify: '--rpc', withdraw: '--relayer', exit: '--as=', track: '--relayer' };
	const hidden = { deploy: '--watcher', pack: '--rpc', verify: '--watcher',
		withdraw: '--watcher', exit: '--watcher', track: '--hatch', status: '--relayer' };
	for (const [command, option] of Object.entries(shown)) {
		const text = egress(command, '--help').stdout;
		expect(text.includes(option), `${command} --help shows ${option}`, text);
		expect(!text.includes(hidden[command]),
			`${command} --help hides ${hidden[command]}`, text);
		expect(text.includes(`Example: egress ${command}`), `${command} --help: example`, text);
	}
	for (const args of [['help'], ['pack', '--help'], ['ballot', '--help']]) {
		const got = run('/bin/sh', ['-c', '"$0" "$@" > /dev/full', EGRESS, ...args]);
		expect(got.status === 1 && got.stderr.includes('No space left'),
			`${args.join(' ')} that cannot be written`, got);
	}
}

// What was asked wrongly is told as such, before anything is done.
function contradictions() {
	const url = 'http://127.0.0.1:9';
	const at = ['--rpc', url, '--hatch', '0x' + '11'.repeat(20)];
	const wish = ['--index', '1', '--recipient', '0x' + '11'.repeat(20)];
	const id = '0x' + '56'.repeat(32);
	const key = ['--key', join(folder, 'none')];
	const wrong = [
		[['status', '--watcher', url, ...at], '--watcher and --rpc'],
		[['status', '--rpc', url], '--hatch'],
		[['status', '--watcher', url, '--timeout', '0'], '--timeout'],
		[['status', '--watcher', url, '--timeout', '3601'], '--timeout'],
		[['pack', NATIVE], '--watcher'],
		[['pack', NATIVE, '--watcher', url, '--json', '--text'], '--text and --json'],
		[['verify', 'x', '--rpc', url], '--hatch'],
		[['track', id], '--relayer'],
		[['track', id, '--relayer', 'ftp://x'], 'ftp://x'],
		[['ballot', 'list'], '--watcher'],
		[['ballot', 'import', 'x'], '--watcher'],
		[['exit', ...wish, ...key], '--rpc'],
		[['exit', ...wish, ...at], 'no key'],
		[['exit', ...wish, ...at, ...key, '--signer', 'x'], '--key and --signer'],
		[['exit', ...wish, ...at, '--signer', 'x'], '--as'],
		[['withdraw', '--raw', '0xzz', ...at], '--raw'],
		[['withdraw', '--raw', '0x12', ...at, ...key], '--raw'],
		[['withdraw', '--raw', '0x12', ...at, '--index', '1'], '--raw'],
		[['deploy', '--rpc', url, ...key], '--terms'],
		[['deploy', '--terms', 'x', ...key], '--rpc'],
		[['deploy', '--terms', 'x', '--rpc', url], '--key'],
		[['deploy', '--terms', 'x', '--dry-run', '--rpc', url], '--dry-run'],
		[['deploy', '--terms', 'x', '--dry-run', ...key], '--dry-run'],
		[['ballot', 'sign', '--action', 'open', '--offline', ...at, '--chain-id', '1',
			'--epoch', '0', '--progress', '0', '--round', '2', ...key], '--offline and --rpc'],
	];
	for (const [args, word] of wrong)
		refuses(args, [word], args.join(' '), 2);
	const begun = Date.now();
	refuses(['ballot', 'sign', '--action', 'open', '--offline', ...at.slice(2), '--chain-id',
		'1', '--epoch', '0', '--progress', '0', '--round', '2', '--signer',
		join(folder, 'none.sock'), '--as', NATIVE], ['none.sock', 'egress-signer running'],
	'a socket that is not there');
	expect(Date.now() - begun < 3000, 'and at once', Date.now() - begun);
}

// ---- packs, offline -----------------------------------------------------------

function makePack(leaves = 300) {
	const tree = new Tree();
	const owner = account(citizenKey('cli-test', 1)).address.toLowerCase();
	const records = Array.from({ length: leaves }, (_, i) =>
		balanceRecord(i === 7 ? owner : '0x' + '22'.repeat(20), NATIVE, BigInt(i + 1)));
	tree.update(records.map((record, i) => [i, keccak(record)]), 9);
	const root = hex(tree.root(9));
	return { owner, root, pack: { chain_id: 31337, hatch: '0x' + 'aa'.repeat(20),
		rollup: '0x' + 'bb'.repeat(20), batch: 3, block: 9, block_hash: '0x' + 'cc'.repeat(32),
		root, leaf_count: leaves, leaves: [{ index: 7, record: hex(records[7]),
			proof: tree.proof(7, 9).map(hex) }] } };
}

// formats.md PACK, written down a second time.
function packBytes({ chain_id, hatch, rollup, batch, block, block_hash, root, leaf_count,
	leaves }) {
	const body = concat(be(chain_id, 8), unhex(hatch), unhex(rollup), be(batch, 8),
		be(block, 8), unhex(block_hash), unhex(root), be(leaf_count, 5), be(leaves.length, 1),
		...leaves.flatMap(({ index, record, proof }) =>
			[be(index, 5), unhex(record), ...proof.map(unhex)]));
	return concat(body, keccak(body).subarray(0, 4));
}

function packs() {
	const { pack, owner, root } = makePack();
	const bytes = packBytes(pack);
	const forms = { json: JSON.stringify(pack), binary: bytes,
		text: 'egress-pack1:' + Buffer.from(bytes).toString('base64url') };
	for (const [form, content] of Object.entries(forms)) {
		const { status, stdout, stderr } =
			egress('verify', file(`good.${form}`, content), '--root', root);
		expect(status === 0 && stdout.includes(owner) && stdout.includes('8 wei') &&
			stdout.startsWith('true:'), `a good pack as ${form}`, stdout + stderr);
	}
	const told = JSON.parse(egress('verify', file('good.json', forms.json),
		'--root', root, '--json').stdout);
	expect(!('current' in told) && told.leaves[0].owner === owner && told.leaves[0].amount === '8',
		'verify --json', told);
	same(run(EGRESS, ['verify', '-', '--root', root], { input: forms.text + '\n\n' }).status,
		0, 'from standard input, with a mail\'s white space');
	badPacks(forms, pack, root);
}

function badPacks(forms, pack, root) {
	const other = '0x' + '99'.repeat(32);
	refuses(['verify', file('p', forms.json), '--root', other], ['not to --root', root],
		'another root');
	const richer = structuredClone(pack);
	richer.leaves[0].record = richer.leaves[0].record.slice(0, -2) + '09';
	refuses(['verify', file('richer', JSON.stringify(richer)), '--root', root],
		['richer', 'does not verify', '7'], 'a record with one more wei');
	const moved = structuredClone(pack);
	moved.leaves[0].index = 6;
	refuses(['verify', file('moved', JSON.stringify(moved)), '--root', root],
		['does not verify'], 'a leaf at another index');
	const cut = structuredClone(pack);
	cut.leaves[0].proof.pop();
	refuses(['verify', file('cut', JSON.stringify(cut)), '--root', root], ['not a pack'],
		'a proof that is too short');
	const at = forms.text.length >> 1;
	refuses(['verify', file('typo', forms.text.slice(0, at) +
		(forms.text[at] === 'x' ? 'y' : 'x') + forms.text.slice(at + 1)), '--root', root],
	['typo', 'not a pack'], 'a typing error');
	refuses(['verify', file('empty', ''), '--root', root], ['not a pack'], 'an empty file');
	refuses(['verify', join(folder, 'nowhere'), '--root', root], ['nowhere', 'No such file'],
		'a file that is not there');
	refuses(['verify', folder, '--root', root], ['directory', 'give the file'], 'a folder');
	const twice = structuredClone(pack);
	twice.leaves.push(twice.leaves[0]);
	refuses(['verify', file('twice', JSON.stringify(twice)), '--root', root],
		['leaf 7', 'twice'], 'a leaf that stands there twice');
	refuses(['verify', file('p', forms.json), '--root', root, '--chain-id', '5'],
		['chain 31337', 'not of 5'], 'offline, another chain');
	refuses(['verify', file('p', forms.json), '--root', root, '--hatch', other.slice(0, 42)],
		['another hatch'], 'offline, another hatch');
	refuses(['verify', file('p2', forms.json)], ['--root'], 'against nothing', 2);
}

// ---- deploying --------------------------------------------------------------------

const UNSAFE = { 'sla_window: 8s': ['sla_window: 0s', 'terms.sla_window'],
	'failover_window: 8s': ['failover_window: 0s', 'terms.failover_window'],
	'inclusion_window: 6s': ['inclusion_window: 31d', '30 days'],
	'hard_deadline: 20s': ['hard_deadline: 16s', 'sla_window + failover_window = 16 s'],
	'finality: 8s': ['finality: 20s', 'below hard_deadline = 20 s'],
	'notice: 36s': ['notice: 33s', 'finality = 34 s'],
	'round: 2s': ['round: 3s', 'failover_window = 8 s'],
	'promote: 3': ['promote: 0', 'thresholds.promote'],
	'open: 4': ['open: 2', 'promote = 3'],
	'resume: 4': ['resume: 6', 'only 5 guardians'],
	'validators_needed: 3': ['validators_needed: 2', 'more than half'],
	'bond: 20 ether': ['bond: lots', 'bond'],
	'min_bounty: 100000 gwei': ['min_bonty: 1 gwei', 'min_bonty'] };

async function unsafeTerms(nation) {
	const good = readFileSync(nation.termsFile(), 'utf8');
	const key = nation.keyFile('deployer');
	const nonce = () => nation.l1.rpc.call('eth_getTransactionCount',
		nation.address('deployer'), 'latest');
	const before = await nonce();
	for (const [line, [bad, word]] of Object.entries(UNSAFE)) {
		expect(good.includes(line), `the terms hold "${line}"`);
		refuses(['deploy', '--terms', file('unsafe.yaml', good.replace(line, bad)),
			'--rpc', nation.rpcs(), '--key', key], ['unsafe.yaml:', word], `terms with ${bad}`);
	}
	const terms = nation.termsFile();
	refuses(['deploy', '--terms', terms, '--rpc', nation.rpcs(), '--key',
		join(folder, 'no-key')], ['no-key', 'No such file'], 'a key file that is missing');
	refuses(['deploy', '--terms', terms, '--rpc', nation.rpcs()], ['--key', '--signer'],
		'no key at all', 2);
	refuses(['deploy', '--terms', terms, '--rpc', nation.rpcs(), '--key',
		file('broken.key', 'hello\n')], ['broken.key'], 'a key file with no key in it');
	refuses(['deploy', '--terms', terms, '--key', key], ['--rpc'], 'no L1', 2);
	refuses(['deploy', '--terms', join(folder, 'nowhere.yaml'), '--rpc', nation.rpcs(),
		'--key', key], ['nowhere.yaml'], 'a terms file that is missing');
	refuses(['deploy', '--terms', terms, '--rpc', nation.rpcs(), '--key', key,
		'--chain-id', '1'], ['31337', 'not 1'], 'the wrong chain');
	const poor = file('poor.key', '0x' + '42'.repeat(32) + '\n');
	refuses(['deploy', '--terms', terms, '--rpc', nation.rpcs(), '--key', poor],
		['has 0 wei', 'the bond takes', 'nothing was sent'], 'an account without money');
	same(await nonce(), before, 'nothing was sent by any of them');
	const dry = egress('deploy', '--terms', terms, '--dry-run');
	expect(dry.status === 0 && dry.stderr.includes('under 24 h'), '--dry-run warns', dry);
}

async function deployed(nation) {
	const out = await nation.deploy();
	const told = JSON.parse(lastLine(out));
	same(told.chain_id, nation.l1.chainId, 'the JSON line names the chain');
	same(String(await nation.read('EscapeHatch', 'rollup')).toLowerCase(), told.rollup,
		'the hatch knows its rollup');
	same(String(await nation.read('SovereignRollup', 'hatch')).toLowerCase(), told.hatch,
		'the rollup knows its hatch');
	const terms = await nation.read('EscapeHatch', 'terms');
	expect(Number(terms.hardDeadline) === TERMS.hard_deadline &&
		Number(terms.round) === TERMS.round, 'the terms are the file\'s');
	const [guardians] = await nation.read('EscapeHatch', 'guardians');
	same(guardians.join().toLowerCase(),
		nation.guardians.map((g) => nation.address(g)).join(), 'and so are the guardians');
	const [, needed] = await nation.read('SovereignRollup', 'validators');
	same(Number(needed), 3, 'and the validators');
	const bond = await nation.l1.balances([told.rollup]);
	same(bond.get(told.rollup), 20n * 10n ** 18n, 'and the bond is there');
	const again = egress('deploy', '--terms', nation.termsFile(), '--rpc', nation.rpcs(),
		'--key', nation.keyFile('deployer'));
	expect(again.status === 0 && /SovereignRollup 0x[0-9a-f]{40}/.test(again.stdout) &&
		again.stdout.includes('20 ETH') && again.stdout.includes('as the terms file says') &&
		!again.stdout.includes(told.hatch), 'a second one, told to a human', again);
}

// ---- what L1 says -----------------------------------------------------------------

async function looking(nation) {
	const at = ['--rpc', nation.rpcs(), '--hatch', nation.hatch];
	const text = await until('finalized', () => {
		const got = egress('status', ...at);
		return got.status === 0 && got.stdout;
	});
	expect(text.startsWith('LIVE') && text.includes(nation.address('primary')) &&
		text.includes('serves you'), 'status from L1 alone', text);
	const told = JSON.parse(egress('status', ...at, '--json').stdout);
	expect(told.phase === 'LIVE' && told.hatch === nation.hatch &&
		told.chain_id === 31337 && told.progress.count === 0, 'as JSON', told);
	refuses(['status', '--rpc', nation.rpcs(), '--hatch', nation.rollup],
		[nation.rollup], 'a contract that is not a hatch');
	refuses(['status', '--rpc', nation.rpcs(), '--hatch', '0x' + '12'.repeat(20)],
		['0x1212', 'no contract'], 'an address without a contract');
	refuses(['status', ...at, '--chain-id', '5'], ['not 5'], 'the wrong chain');
	refuses(['status', '--rpc', `http://127.0.0.1:${await freePort()}`, '--hatch',
		nation.hatch, '--timeout', '1'], ['127.0.0.1'], 'an L1 that is not there');
	const dead = `http://127.0.0.1:${await freePort()}`;
	const lost = `http://127.0.0.1:${await freePort()}`;
	const [one, other] = nation.l1.honest().map(({ url }) => url);
	refuses(['status', '--rpc', [one, dead, lost].join(), '--hatch',
		nation.hatch, '--timeout', '1'], ['2 must agree'], 'one endpoint of three');
	const two = egress('status', '--rpc', [one, other, dead].join(), '--hatch', nation.hatch);
	same(two.status, 0, 'two endpoints of three');
	refuses(['status', '--rpc', [one, dead, `${one}/`].join(), '--hatch', nation.hatch],
		['stands there twice'], 'one endpoint as two of three', 2);
	refuses(['status', '--watcher', dead], [dead, 'is it running'], 'a watcher that is not there');
}

// ---- ballots -------------------------------------------------------------------------

const VOTE = { Vote: [{ name: 'action', type: 'uint8' }, { name: 'epoch', type: 'uint64' },
	{ name: 'progress', type: 'uint64' }, { name: 'subject', type: 'bytes32' },
	{ name: 'expiry', type: 'uint64' }] };

// formats.md BALLOT, read a second time.
function readBallot(line) {
	const raw = Buffer.from(line.replace('egress-ballot1:', ''), 'base64url');
	const body = raw.subarray(0, -4);
	expect(Buffer.from(keccak(body)).subarray(0, 4).equals(raw.subarray(-4)),
		'a ballot\'s check', line);
	let at = 0;
	const take = (n) => body.subarray(at, at += n);
	const number = (n) => Number(unbe(take(n)));
	const ballot = { chainId: number(8), hatch: hex(take(20)), action: number(1),
		epoch: number(8), progress: number(8), subject: hex(take(32)), expiry: number(8) };
	expect(number(1) === 1 && body.length - at === 65, 'one signature');
	return { ...ballot, signature: hex(take(65)) };
}

const signer = ({ chainId, hatch, signature, ...message }) => recoverTypedDataAddress({
	domain: { name: 'EscapeHatch', version: '1', chainId, verifyingContract: hatch },
	types: VOTE, primaryType: 'Vote', message, signature });

async function ballots(nation) {
	const at = ['--rpc', nation.rpcs(), '--hatch', nation.hatch];
	const key = nation.keyFile('guardian1');
	const promote = ['ballot', 'sign', '--action', 'promote', '--standby',
		nation.address('standby1'), ...at, '--key', key];
	const needed = refuses(promote, ['no ballot ledger', 'run once: ', '/egress-signer --key', '--init'],
		'a guardian without a ballot ledger');
	same(needed.stderr.split('no ballot ledger').length, 2, 'told once');
	refuses([...promote, '--as', NATIVE], [nation.address('guardian1'), 'not of --as'],
		'a key that is not of --as');
	refuses(['ballot', 'sign', '--action', 'open', ...at, '--key',
		file('other.key', readFileSync(key))], ['no ballot ledger'], 'another file');
	refuses(['ballot', 'sign', '--action', 'open', ...at, '--key',
		file('open.key', readFileSync(key), 0o604)], ['others can read it: chmod 600'],
	'a key that others read');
	run(SIGNER, ['--key', key, '--chain', '31337', '--hatch', nation.hatch, '--init']);
	const { status, stdout, stderr } = egress(...promote);
	const lines = stdout.trim().split('\n');
	expect(status === 0 && lines.length === 2, 'two ballots, a round apart', stdout + stderr);
	const read = lines.map(readBallot);
	const now = (await nation.l1.block()).time;
	for (const ballot of read) {
		same((await signer(ballot)).toLowerCase(), nation.address('guardian1'),
			'the guardian\'s own signature, says viem');
		expect(ballot.action === 1 && ballot.progress === 0 && ballot.epoch === 0 &&
			ballot.subject.endsWith(nation.address('standby1').slice(2)) &&
			ballot.expiry % TERMS.round === 0 && ballot.expiry > now - TERMS.round,
		'its fields', ballot);
		const digest = await nation.read('EscapeHatch', 'digest', [ballot.action,
			ballot.epoch, ballot.progress, ballot.subject, ballot.expiry]);
		same((await recoverAddress({ hash: digest, signature: ballot.signature }))
			.toLowerCase(), nation.address('guardian1'), 'and the contract\'s digest agrees');
	}
	same(read[1].expiry - read[0].expiry, TERMS.round, 'their lives overlap');
	refuses([...promote, '--expiry', String((Math.floor(now / TERMS.round) + 10) * TERMS.round)],
		['would not count it yet'], 'a choice that would bar every other for long');
	refuses(promote.map((word) => word === nation.address('standby1') ?
		nation.address('standby2') : word), ['refuses'], 'another choice at once');
	await slowBallots(nation, at, key);
}

async function slowBallots(nation, at, key) {
	const now = (await nation.l1.block()).time;
	const resume = ['ballot', 'sign', '--action', 'resume', '--sequencer',
		nation.address('operator'), '--key', key];
	const ballot = readBallot(lastLine(egress(...resume, ...at).stdout));
	expect(ballot.action === 3 && ballot.progress === 0 &&
		ballot.expiry % (7 * DAY) === 0 && ballot.expiry > now + 14 * DAY - 10 &&
		ballot.expiry < now + 21 * DAY + 10, 'resume lives to the end of a week', ballot);
	refuses([...resume, ...at, '--expiry', String(now + 31 * DAY)], ['30 days'],
		'resume in a month');
	refuses([...resume, ...at, '--expiry', '7'], ['past'], 'a ballot that is void');
	refuses(['ballot', 'sign', '--action', 'open', '--key', nation.keyFile('citizen'), ...at],
		['no guardian'], 'somebody who is no guardian');
	refuses(['ballot', 'sign', '--action', 'promote', '--standby', nation.address('citizen'),
		'--key', key, ...at], ['--standby'], 'a standby who is none');
	refuses(['ballot', 'sign', '--action', 'amend', '--key', key, ...at], ['--subject'],
		'amend of nothing', 2);
	const offline = egress(...resume, '--offline', '--chain-id', '31337', '--hatch',
		nation.hatch, '--epoch', '0', '--round', String(TERMS.round),
		'--expiry', String(ballot.expiry), '--json');
	expect(JSON.parse(offline.stdout || '{}').signatures?.[0] === ballot.signature,
		'offline gives the same signature', offline);
}

// ---- with a country, a watcher and a relayer --------------------------------------------

async function start(nation) {
	await nation.fundTreasury();
	await nation.start();
	await nation.ready();
}

async function ofTheWatcher(nation) {
	const watcher = ['--watcher', nation.http.get('observer')];
	const text = egress('status', ...watcher).stdout;
	expect(text.startsWith('LIVE') && text.includes('standbys') &&
		text.includes('serves you'), 'status from a watcher', text);
	expect(JSON.parse(egress('status', ...watcher, '--json').stdout).phase === 'LIVE',
		'as JSON');
	refuses(['status', ...watcher, '--hatch', '0x' + '12'.repeat(20)], ['another hatch'],
		'a watcher of another hatch');
	refuses(['status', ...watcher, '--chain-id', '5'], ['not of 5'],
		'a watcher of another chain');
	const { address } = nation.country.citizens[4];
	await until('the citizens\' batch is final', () =>
		egress('pack', address, ...watcher).status === 0);
	for (const form of [['--text'], []]) {
		const got = egress('pack', address, ...watcher, ...form);
		expect(got.status === 0, `a pack ${form} is fetched`, got);
		const path = file(`pack${form}`, got.stdout);
		const checked = egress('verify', path, '--rpc', nation.rpcs(), '--hatch', nation.hatch);
		expect(checked.status === 0 && checked.stdout.includes(address.toLowerCase()) &&
			checked.stdout.includes('as L1 says'), `a pack ${form}, against L1`,
		checked.stdout + checked.stderr);
		refuses(['verify', path, '--rpc', nation.rpcs(), '--hatch', nation.rollup],
			[nation.rollup], 'against a contract that is not a hatch');
	}
	const lost = run('/bin/sh', ['-c', '"$0" "$@" > /dev/full', EGRESS, 'pack', address,
		...watcher]);
	expect(lost.status === 1 && lost.stderr.includes('cannot write: No space left'),
		'a pack that is lost is a failure', lost);
	const old = await until('L1 moves on', () => {
		const got = egress('verify', join(folder, 'pack'), '--rpc', nation.rpcs(),
			'--hatch', nation.hatch);
		return (got.status || got.stdout.includes('moved on')) && got;
	});
	expect(old.status === 0 && old.stdout.startsWith('true:'),
		'a pack of the batch before was true, and says so', old);
	refuses(['pack', '0x' + '34'.repeat(20), ...watcher], ['no leaf'],
		'a pack of somebody unknown');
	await forgedPack(nation, address, watcher);
	await controlCharacters(watcher);
}

// A watcher cannot play with the reader's terminal.
async function controlCharacters(watcher) {
	const status = JSON.parse(egress('status', ...watcher, '--json').stdout);
	status.why = 'red \u001b[31m, \u009b2J, bell \u0007';
	const port = await freePort();
	const server = await serve(`127.0.0.1:${port}`, { 'GET /v1/status': () => status,
		'GET /v1/ballots': () => ({ status: 400, body: { error: { code: 'x',
			message: 'two\nlines \u001b[0m' } } }) });
	const to = ['--watcher', `http://127.0.0.1:${port}`];
	const shown = await runAsync(EGRESS, ['status', ...to]);
	expect(shown.status === 0 && shown.stdout.includes('bell') &&
		!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(shown.stdout),
	'no control characters from a watcher', shown);
	const refused = await runAsync(EGRESS, ['ballot', 'list', ...to]);
	expect(refused.status === 1 && refused.stderr.trim().split('\n').length === 1 &&
		refused.stderr.includes('two lines') && !refused.stderr.includes('\u001b'),
	'nor in its refusals', refused);
	server.close();
}

// A watcher that lies about one record is found out before the pack is kept.
async function forgedPack(nation, address, watcher) {
	const pack = JSON.parse(egress('pack', address, ...watcher).stdout);
	const forged = structuredClone(pack);
	forged.leaves[0].record = forged.leaves[0].record.slice(0, -2) + 'ff';
	const { root } = makePack();
	const rootless = { ...makePack().pack, chain_id: pack.chain_id, hatch: pack.hatch,
		rollup: pack.rollup, batch: 10 ** 6, block: pack.block, block_hash: pack.block_hash };
	const altered = (change, words, text) => {
		const begun = Date.now();
		refuses(['verify', file('altered', JSON.stringify({ ...pack, ...change })), '--rpc',
			nation.rpcs(), '--hatch', nation.hatch], words, text);
		expect(Date.now() - begun < 8000, `${text}: told soon`, Date.now() - begun);
	};
	altered({ batch: pack.batch + 1 }, ['says batch'], 'a batch of the future');
	altered({ batch: pack.batch - 1 }, ['says batch'], 'a batch of the past');
	altered({ block: pack.block - 1 }, ['says block', 'altered'], 'another block');
	altered({ block: pack.block + 10 ** 6 }, ['cannot be true yet'], 'a block to come');
	altered({ block_hash: '0x' + 'cc'.repeat(32) }, ['0xcccc', 'no block'], 'an invented block');
	altered({ leaf_count: pack.leaf_count + 1 }, ['leaves'], 'another number of leaves');
	const told = file('rootless', JSON.stringify(rootless));
	refuses(['verify', told, '--rpc', nation.rpcs(), '--hatch', nation.hatch],
		[root, 'not true'], 'a pack of an invented ledger');
	rootless.batch = 0;
	refuses(['verify', file('stale', JSON.stringify(rootless)), '--rpc', nation.rpcs(),
		'--hatch', nation.hatch], ['batch 0', 'fetch a new one'], 'a pack of long ago');
	rootless.chain_id = 5;
	refuses(['verify', file('elsewhere', JSON.stringify(rootless)), '--rpc', nation.rpcs(),
		'--hatch', nation.hatch], ['chain 5'], 'a pack of another chain');
	const port = await freePort();
	const lying = await serve(`127.0.0.1:${port}`,
		{ [`GET /v1/pack/${address.toLowerCase()}`]: () => forged });
	const got = await runAsync(EGRESS,
		['pack', address, '--watcher', `http://127.0.0.1:${port}`]);
	expect(got.status === 1 && got.stdout === '' && got.stderr.includes('does not verify'),
		'a forged pack is not kept', got);
	lying.close();
}

async function ofTheRelayer(nation) {
	const citizen = nation.country.citizens[3];
	const key = file('citizen.key', citizen.key + '\n');
	await nation.follower.sync();
	const { ledger } = nation.follower;
	const index = ledger.balanceLeaf(citizen.address, NATIVE);
	const recipient = addressOf('cli-test/new home');
	const at = ['--rpc', nation.rpcs(), '--hatch', nation.hatch];
	const wish = ['--index', String(index), '--recipient', recipient, '--key', key, ...at];
	const byHand = JSON.parse(egress('withdraw', '--amount', '5', ...wish).stdout);
	const { signature, kind, ...message } = byHand;
	same((await recoverTypedDataAddress({ ...typed(nation.l1.chainId, nation.rollup,
		'Withdraw', message), signature })).toLowerCase(), citizen.address.toLowerCase(),
	`a ${kind} to be carried by hand is the citizen's, says viem`);
	refuses(['withdraw', '--amount', '5', ...wish.map((w, i) => i === 1 ? '999999' : w)],
		['999999', 'leaves'], 'a leaf beyond the ledger');
	await wrongAsks(nation, at, wish);
	const relayer = ['--relayer', nation.http.get('relayer1')];
	const exit = egress('exit', ...wish, ...relayer, '--json');
	expect(exit.status === 0 && exit.stderr.includes('not open yet'), 'a wish is taken', exit);
	const { body: { exits } } = await ask(`${relayer[1]}/v1/exits`);
	expect(exits.some((e) => e.index === index && e.recipient === recipient),
		'and published', exits);
	refuses(['track', '0x' + '56'.repeat(32), ...relayer], ['does not know'],
		'a request nobody made');
	await misreading(wish);
	await paid(nation, wish, relayer, recipient);
}

async function wrongAsks(nation, at, wish) {
	const { progress } = JSON.parse(egress('status', ...at, '--json').stdout);
	expect(progress.count > 0, 'batches have landed', progress);
	refuses(['exit', ...wish, '--count', '0'], ['--count 0', 'never hold'],
		'a wish of long ago');
	refuses(['track', '0x' + '56'.repeat(32), '--relayer', nation.http.get('observer')],
		['is this a relayer'], 'a watcher is no relayer');
	refuses(['pack', NATIVE, '--watcher', nation.http.get('relayer1')],
		['is this a watcher'], 'a relayer is no watcher');
}

// A relayer that answers for another request, or not at all as agreed.
async function misreading(wish) {
	const answers = [{ request: '0x' + '77'.repeat(32), accepted_at: 1, deadline: 2,
		relayer: '0x' + '88'.repeat(20) }, { request: 7 },
	{ status: 400, body: { error: { code: 'bad_field', field: 'amount',
		message: 'too small', hint: 'ask for more' } } }];
	const port = await freePort();
	const server = await serve(`127.0.0.1:${port}`,
		{ 'POST /v1/requests': () => answers.shift() });
	for (const word of ['0x7777', 'field request', 'amount: too small: ask for more']) {
		const got = await runAsync(EGRESS, ['withdraw', '--amount', '5', ...wish,
			'--relayer', `http://127.0.0.1:${port}`]);
		expect(got.status === 1 && got.stdout === '' && got.stderr.includes(word),
			`a relayer that misreads: ${word}`, got);
	}
	server.close();
}

async function paid(nation, wish, relayer, recipient) {
	const got = egress('withdraw', '--amount', '12345', ...wish, ...relayer, '--json');
	const { request, deadline } = JSON.parse(lastLine(got.stdout) || '{}');
	expect(got.status === 0 && /^0x[0-9a-f]{64}$/.test(request) && deadline > 0,
		'a forced withdrawal is taken', got);
	const first = egress('track', request, ...relayer);
	expect(first.status === 0 && first.stdout.includes('request'), 'and tracked', first);
	const end = await nation.egress(['track', request, ...relayer, '--wait']);
	expect(end.includes('paid') && end.includes('final'), 'until it is paid', end);
	same((await nation.l1.balances([recipient])).get(recipient), 12345n, 'to the wei');
}

// A ballot goes from a file to a watcher and comes out of it again.
async function exchange(nation) {
	const watcher = ['--watcher', nation.http.get('observer')];
	const signed = egress('ballot', 'sign', '--action', 'resume', '--sequencer',
		nation.address('operator'), '--rpc', nation.rpcs(), '--hatch', nation.hatch,
		'--key', nation.keyFile('guardian1')).stdout;
	const path = file('resume.txt', signed);
	const first = egress('ballot', 'import', path, ...watcher);
	expect(first.stdout.includes('handed over'), 'a ballot is handed over', first);
	const listed = await until('it is listed', () => {
		const { stdout } = egress('ballot', 'list', ...watcher);
		return stdout.includes(nation.address('guardian1')) && stdout;
	}, 5000).catch((problem) => problem.message);
	expect(listed.startsWith('resume'), 'and listed', listed);
	const again = egress('ballot', 'import', path, ...watcher);
	expect(again.stdout.includes('known already'), 'twice is once', again);
	same(egress('ballot', 'export', ...watcher, '--action', 'resume').stdout.trim(),
		signed.trim(), 'and exported as it was');
	same(egress('ballot', 'export', ...watcher, '--action', 'open').stdout, '',
		'others are not');
	refuses(['ballot', 'import', file('half.txt', signed.slice(0, 90)), ...watcher],
		['half.txt:1'], 'half a ballot');
	refuses(['ballot', 'import', file('many.txt', '\n'.repeat(4096) + signed), ...watcher],
		['more than 4096 lines'], 'a file that is too long');
	refuses(['ballot', 'import', file('none.txt', '\n'), ...watcher], ['no ballot'],
		'no ballot');
}

async function configs(nation) {
	const good = join(nation.folder, 'observer.yaml' + nation.suffix);
	const watcher = egress('config', 'check', good, '--kind', 'watcher');
	same(watcher.status, 0, `a watcher's configuration: ${watcher.stderr}`);
	for (const name of ['relayer1.yaml', 'relayer1-signer.yaml']) {
		const got = egress('config', 'check', join(nation.folder, name));
		same(got.status, 0, `${name} is right: ${got.stderr}`);
	}
	const text = readFileSync(good, 'utf8');
	refuses(['config', 'check', file('watcher.yaml', text.replace('poll: ', 'pole: '))],
		['watcher.yaml:', 'pole'], 'a field that does not exist');
	const wrong = egress('config', 'check', file('watcher2.yaml',
		text.replace(/id: \d+/, 'id: 1')));
	expect(wrong.status === 1 && wrong.stderr.includes('chain'), 'the wrong chain', wrong);
	const named = egress('config', 'check', file('x.yaml', text));
	same(named.status, 0, `its fields tell whose it is: ${named.stderr}`);
	refuses(['config', 'check', file('y.yaml', 'chain: {id: 1}\n')], ['--kind'], 'whose is it');
	refuses(['config', 'check', file('z.yaml', 'terms:\nstandbys: []\nthresholds: {}\n')],
		['egress deploy', '--dry-run'], 'a terms file');
	refuses(['config', 'check', join(folder, 'nope.yaml')], ['nope.yaml', 'No such file'],
		'a file that is not there');
	refuses(['config', 'check', join(folder, 'watcher-none.yaml')], ['No such file'],
		'a file that is not there');
}

async function main() {
	words();
	packs();
	const l1 = new L1();
	await l1.start(processes);
	const nation = new Nation({ l1, processes, build, folder: join(folder, 'run'),
		people: { guardians: 5, watching: false, relayers: 1,
			standbys: ['standby1', 'standby2'], citizens: 20 }, say: () => {} });
	await l1.give([nation.address('deployer')]);
	await unsafeTerms(nation);
	await deployed(nation);
	await looking(nation);
	await ballots(nation);
	await start(nation);
	await ofTheWatcher(nation);
	await configs(nation);
	await exchange(nation);
	await ofTheRelayer(nation);
}

try {
	await main();
} catch (error) {
	expect(false, `the test runs to its end: ${error.stack}`);
}
await processes.stopAll();
process.stdout.write(`cli: ${passed} passed, ${failed} failed\n`);
if (failed || options.keepLog)
	process.stdout.write(`logs in ${folder}\n`);
else
	rmSync(folder, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
