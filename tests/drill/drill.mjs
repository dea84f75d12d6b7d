// The main job, end to end, on an embedded L1: six acts, told live.
//   node drill.mjs [--citizens N] [--act N] [--kill SEED] [--keep] [--quiet]
//        [--build DIR] [--folder NAME]
// Exit status 0 only if every promise held. Writes build/drill.json; logs in
// build/drill/NAME.log (of --folder, if given).
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from
	'node:fs';
import { join, resolve } from 'node:path';
import { keccak, unbe } from '../country/bytes.mjs';
import { json, parseArgs } from '../country/http.mjs';
import { sleep } from '../country/rpc.mjs';
import { Processes, ROOT, until } from '../harness.mjs';
import { act1, act2, act3, act4, act5, act6 } from './acts.mjs';
import { L1 } from './l1.mjs';
import { Nation } from './nation.mjs';
import { Narrator } from './narrate.mjs';
import { Witness } from './witness.mjs';

const SECOND_NATION = 256; // citizens at most: its point is the proof
const KILL_WITHIN_MS = 20000;

const TITLES = { 1: 'normal service, and a planned hand-over',
	2: 'the primary is killed', 3: 'the sequencer ignores a citizen',
	4: 'everything dies and nobody votes', 5: 'a new operator',
	6: 'sequencer and validators lie' };
const ACTS = { 1: act1, 2: act2, 3: act3, 4: act4, 5: act5, 6: act6 };

// One drill at a time in one tree: another's logs and stores are not swept away.
function claim(folder) {
	const file = `${folder}.pid`;
	const held = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
	if (held && held !== process.pid && existsSync(`/proc/${held}/cmdline`) &&
		readFileSync(`/proc/${held}/cmdline`, 'utf8').includes('drill.mjs')) {
		process.stderr.write(`drill: another one is running here (pid ${held}): ` +
			'wait for it, stop it, or give --folder NAME\n');
		process.exit(1);
	}
	mkdirSync(join(ROOT, 'build'), { recursive: true });
	writeFileSync(file, String(process.pid));
}

class Drill {
	constructor(options) {
		this.options = options;
		this.citizens = Number(options.citizens);
		this.only = Number(options.act);
		this.narrator = new Narrator(options.quiet);
		this.narrator.figures = { citizens: this.citizens, evacuated: 0,
			lost_wei: 0n, paid_twice: 0, late_to_promoted_blocks: null,
			overdue_to_paid_blocks: null, deadline_to_open_blocks: null,
			bad_batch_to_open_blocks: null, evacuation_seconds: null,
			gas_per_citizen: null, equivocations: 0, restarts_survived: 0 };
		this.folder = join(ROOT, 'build', options.folder);
		claim(this.folder);
		rmSync(this.folder, { recursive: true, force: true });
		this.processes = new Processes(this.folder);
		this.l1 = new L1();
		this.nations = [];
	}

	plays(act) {
		return !this.only || this.only === act;
	}

	nation(people, suffix = '') {
		const nation = new Nation({ l1: this.l1, processes: this.processes,
			build: resolve(ROOT, this.options.build), people, suffix,
			folder: join(this.folder, 'run'), say: (text) => this.narrator.say(text) });
		this.nations.push(nation);
		return nation;
	}

	async raise(nation) {
		this.narrator.say((await nation.deploy()).trim());
		await nation.fundTreasury();
		await nation.start();
		await nation.ready();
		this.narrator.note(`${nation.people.citizens} citizens are served, ` +
			`${nation.ours().length} of our daemons are up`);
	}

	async firstNation() {
		const nation = this.nation({ guardians: 5, watching: true, relayers: 2,
			standbys: ['standby1', 'standby2'], citizens: this.citizens });
		await this.raise(nation);
		nation.witness = new Witness(nation);
		for (const act of [1, 2, 3])
			if (this.plays(act))
				await this.play(act, nation);
		// Act 5 begins where act 4 ends.
		if (this.plays(4) || this.plays(5)) {
			await this.play(4, nation);
			if (this.plays(5))
				await this.play(5, nation);
		}
		return nation;
	}

	async secondNation() {
		const nation = this.nation({ guardians: 5, watching: false, relayers: 1,
			standbys: ['standby1'],
			citizens: Math.min(this.citizens, SECOND_NATION) }, '-2');
		await this.raise(nation);
		await this.play(6, nation);
	}

	async play(act, nation) {
		this.narrator.title(act, TITLES[act]);
		const seeded = this.options.kill !== '';
		const assassin = seeded ? this.assassinate(act, nation) : undefined;
		await ACTS[act]({ nation, narrator: this.narrator, kills: !seeded });
		await assassin;
		await this.everyoneIsBack(nation);
	}

	// --kill SEED: which of our processes, and when, follow from the seed.
	async assassinate(act, nation) {
		const dice = keccak(new TextEncoder().encode(`${this.options.kill}/${act}`));
		const victims = nation.ours();
		const victim = victims[Number(unbe(dice.subarray(0, 4))) % victims.length];
		const moment = Number(unbe(dice.subarray(4, 8))) % KILL_WITHIN_MS;
		await sleep(moment);
		await nation.killAndRestart(victim, Number(unbe(dice.subarray(8, 9))) * 6);
	}

	// Whatever was killed stands again and is ready; nothing else has died.
	async everyoneIsBack(nation) {
		for (const who of nation.restarted) {
			if (!who.endsWith('-signer'))
				await until(`${who} is ready after its restart`,
					() => nation.isReady(who), 30000);
			this.narrator.figures.restarts_survived++;
		}
		nation.restarted.clear();
		const dead = this.processes.dead();
		dead.forEach(([name, { code, signal }]) =>
			this.narrator.say(`${name} ended by itself: ${signal ?? `exit ${code}`}, ` +
				`see build/${this.options.folder}/${name}.log`));
		this.narrator.promise('no_daemon_dies_by_itself', dead.length === 0);
	}

	async run() {
		await this.l1.start(this.processes);
		this.narrator.say(`L1 up: chain ${this.l1.chainId}, endpoints ` +
			this.l1.endpoints.map(({ name, fault }) => `${name} (${fault})`).join(', '));
		if (this.only !== 6) {
			const nation = await this.firstNation();
			await this.hearWitness(nation);
			if (!this.only)
				await this.rest(nation);
		}
		if (this.plays(6))
			await this.secondNation();
	}

	// Acts 2 and 5 have ballots; without any there is nothing to promise.
	async hearWitness({ witness }) {
		await witness.end();
		const found = witness.equivocations();
		this.narrator.figures.equivocations = found;
		if (this.plays(2) || this.plays(5))
			this.narrator.promise('no_guardian_equivocates',
				found === 0 && witness.ballots.size > 0,
				`${witness.ballots.size} guardians' choices seen`);
	}

	// The first nation goes to sleep: act 6 has the machine to itself.
	async rest(nation) {
		if (this.options.keep)
			return;
		for (const who of [...nation.ours(), 'validators', 'operator'])
			await this.processes.stop(nation.name(who), 'SIGTERM');
	}

	write(problem) {
		const { promises, figures } = this.narrator;
		const out = { ...figures, lost_wei: figures.lost_wei.toString(), promises };
		if (problem)
			out.problem = problem.message;
		mkdirSync(join(ROOT, 'build'), { recursive: true });
		writeFileSync(`${this.folder}.json`,
			JSON.stringify(JSON.parse(json(out)), null, 2) + '\n');
		return out;
	}

	async finish(problem) {
		const out = this.write(problem);
		if (problem)
			this.narrator.promise('the_drill_ends', false, problem.message);
		this.narrator.printTimeline();
		const held = Object.values(this.narrator.promises);
		const good = !problem && held.length > 0 && held.every(Boolean);
		process.stdout.write(`${out.evacuated} people out, ${out.lost_wei} wei lost, ` +
			`${out.paid_twice} paid twice (build/${this.options.folder}.json)\n` +
			`promises: ${held.filter(Boolean).length} passed, ` +
			`${held.filter((h) => !h).length} failed\n`);
		if (this.options.keep)
			await this.keep();
		else
			await this.processes.stopAll();
		this.nations.forEach((nation) => nation.done());
		rmSync(`${this.folder}.pid`, { force: true });
		return good;
	}

	// Commands that work as they stand, for one citizen.
	invite(nation) {
		const egress = nation.bin('egress').slice(ROOT.length);
		const { address, key } = nation.country.citizens[0];
		const file = nation.file('you.key', key + '\n', 0o600);
		const l1 = `--rpc ${nation.rpcs()} --hatch ${nation.hatch}`;
		const [watcher, relayer] = [nation.http.get('observer'),
			nation.http.get(nation.relayers[0])];
		process.stdout.write(`you are citizen ${address}, your key is in ${file}\n` +
			`  ${egress} status --watcher ${watcher}\n` +
			`  ${egress} pack ${address} --watcher ${watcher} > my.pack\n` +
			`  ${egress} verify my.pack ${l1}\n` +
			`  ${egress} withdraw --index INDEX --amount WEI --recipient ${address} ` +
			`--key ${file} --relayer ${relayer} ${l1}\n`);
	}

	async keep() {
		process.stdout.write('left running; stop with ctrl-c\n');
		process.stdout.write(`  L1 ${this.l1.url}\n`);
		for (const nation of this.nations) {
			process.stdout.write(`  hatch ${nation.hatch} rollup ${nation.rollup}\n`);
			for (const [who, url] of nation.http)
				process.stdout.write(`  ${nation.name(who)} ${url}\n`);
			this.invite(nation);
		}
		await new Promise((done) => process.once('SIGINT', done));
		await this.processes.stopAll();
	}
}

function parseOptions() {
	const options = parseArgs(process.argv.slice(2), { citizens: '2000', act: '0',
		kill: '', keep: false, quiet: false, build: join('build', 'main'), folder: 'drill' });
	const whole = (name, low, high) => {
		const value = Number(options[name]);
		if (!Number.isInteger(value) || value < low || value > high) {
			process.stderr.write(`drill: --${name} ${options[name]}: ` +
				`give a whole number from ${low} to ${high}\n`);
			process.exit(2);
		}
	};
	whole('citizens', 10, 20000);
	whole('act', 0, 6);
	return options;
}

const drill = new Drill(parseOptions());
let problem;
try {
	await drill.run();
} catch (error) {
	problem = error;
	drill.narrator.say(`the drill stops: ${error.message}`);
}
process.exit(await drill.finish(problem) ? 0 : 1);
