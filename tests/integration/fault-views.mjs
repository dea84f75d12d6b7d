// Many views of L1, each with three providers of which one may be made faulty,
// and what L1 itself says against which their every word is held.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { quantity, sleep } from '../country/rpc.mjs';
import { decodeResult, encodeCall } from '../country/wire.mjs';
import { ROOT } from '../harness.mjs';
import { Endpoint } from './endpoint.mjs';

const PHASES = ['LIVE', 'LATE', 'PROMOTED', 'OPEN', 'SETTLING'];
const LATE_POLLS = 2; // R4: a delay of two polls at most
const LOOK_MS = 50;
const SLOW_MS = 100; // a third of a provider's timeout

// L1's own words by block number, each asked once.
export class Truth {
	constructor({ rpc, at }) {
		Object.assign(this, { rpc, at, blocks: new Map() });
	}

	of(number) {
		if (!this.blocks.has(number))
			this.blocks.set(number, this.ask(number));
		return this.blocks.get(number);
	}

	async ask(number) {
		const at = quantity(number);
		const view = (name, to, call) => ['eth_call', [{ to, data: encodeCall(name, call) }, at]];
		const [block, phase, progress, root] = await this.rpc.all([
			['eth_getBlockByNumber', [at, false]],
			view('EscapeHatch', this.at.hatch, 'phase'),
			view('SovereignRollup', this.at.rollup, 'progress'),
			view('SovereignRollup', this.at.rollup, 'stateRoot')]);
		const [count, lastAt] = decodeResult('SovereignRollup', 'progress', progress).map(Number);
		return { hash: block.hash, phase: PHASES[decodeResult('EscapeHatch', 'phase', phase)],
			count, last_at: lastAt, root: decodeResult('SovereignRollup', 'stateRoot', root) };
	}
}

// The providers of a view or of a watcher, the one that may fail in any place.
export function providerLines(urls, place, timeout_ms) {
	const [a, b, p] = urls;
	const list = [['a', a], ['b', b]];
	list.splice(place % 3, 0, ['p', p]); // see isStarved()
	return 'providers:\n  list:\n' + list.map(([name, url]) =>
		`    - {name: ${name}, url: "${url}", rate: 200/s, timeout: ${timeout_ms}ms}\n`).join('');
}

export class Views {
	// stage; honest: two endpoints' URLs; secure: which views' provider speaks
	// TLS, with these certificates.
	constructor({ stage, honest, controls, disturbed, poll_ms, timeout_ms, secure, certificates }) {
		Object.assign(this, { stage, honest, controls, disturbed, poll_ms, timeout_ms, secure,
			certificates });
		this.truth = new Truth(stage);
		this.last = []; // of each view, what it said last
		this.lines = []; // not judged yet
		this.starving = new Set();
		this.delays = []; // of what was judged last: {view, ms, polls} a block
	}

	async start(program) {
		const n = this.controls + this.disturbed;
		this.endpoints = [];
		const paths = [];
		for (let i = 0; i < n; i++) {
			const endpoint = new Endpoint({ name: `p${i}`, upstream: this.stage.l1,
				certificates: this.secure(i) ? this.certificates : undefined });
			const url = await endpoint.listen();
			this.endpoints.push(endpoint);
			paths.push(join(this.stage.folder, `view${i}.yaml`));
			writeFileSync(paths[i], `chain: {id: ${this.stage.chainId}, ` +
				`hatch: '${this.stage.at.hatch}'}\n` +
				providerLines([...this.honest, url], i, this.timeout_ms) +
				`poll: ${this.poll_ms}ms\nstore: {path: unused}\n`);
		}
		this.child = spawn(program, [String(this.controls), ...paths], { cwd: ROOT,
			stdio: ['pipe', 'pipe', 'inherit'],
			env: { ...process.env, SSL_CERT_FILE: this.certificates.ca } });
		this.child.stdin.on('error', () => undefined);
		this.exited = once(this.child, 'exit').then(([code, signal]) => {
			this.ended = { code, signal };
		});
		createInterface({ input: this.child.stdout }).on('line', (line) =>
			this.take(JSON.parse(line)));
	}

	take(line) {
		if (line.ended)
			return;
		this.last[line.view] = line;
		this.lines.push(line);
	}

	alive() {
		return !this.ended;
	}

	// Waits until it has held of each view, at whatever moment.  Returns "", or
	// of whom it has not.
	async each(test, patience_ms) {
		const waiting = new Set(Array(this.controls + this.disturbed).keys());
		const end = performance.now() + patience_ms;
		for (;;) {
			for (const line of this.last.filter((one) => one && test(one)))
				waiting.delete(line.view);
			const [first] = waiting;
			if (first === undefined)
				return '';
			if (performance.now() > end)
				return `${waiting.size} do not: ${JSON.stringify(this.last[first])}`;
			await sleep(LOOK_MS);
		}
	}

	// The provider that may fail serves.
	isServed({ view, states }) {
		return /good|slow/.test(states.split(',')[view % 3]);
	}

	disturb(i, fault) {
		this.endpoints[this.controls + i].set(fault);
	}

	endpoint(i) {
		return this.endpoints[this.controls + i];
	}

	// The machine was too slow, since the last judgement, for undisturbed views.
	unfit() {
		return this.lines.some(({ view, blind, states, overslept_ms }) =>
			view < this.controls && (blind || /down/.test(states) || overslept_ms > SLOW_MS));
	}

	// An honest provider did not answer it in time though it did not sleep: the
	// machine's fault, and no measure of delays.
	isStarved(line) {
		const states = line.states.split(',')
			.filter((state, i) => i !== line.view % 3);
		return states.includes('down') && line.overslept_ms <= SLOW_MS;
	}

	// Of the lines since the last time, and what stood before them.
	starved() {
		const found = new Set(this.starving);
		this.starving = new Set();
		for (const line of this.lines.filter((one) => this.isStarved(one)))
			found.add(line.view - this.controls);
		for (const line of this.last.filter((one) => one && this.isStarved(one)))
			this.starving.add(line.view - this.controls);
		return found;
	}

	// What was said since the last time, against L1: [{view, text, late}]; late:
	// true, but not in time.
	async judge() {
		const problems = [];
		const lines = this.lines.splice(0);
		this.delays = lines.filter((line) => line.late_polls !== undefined)
			.map((line) => ({ view: line.view - this.controls, ms: line.late_ms,
				polls: line.late_polls }));
		for (const line of lines) {
			const wrong = await this.wrong(line);
			const late = wrong ? undefined : this.late(line);
			if (wrong ?? late)
				problems.push({ view: line.view - this.controls, text: wrong ?? late,
					late: !wrong });
		}
		if (!this.alive())
			problems.push({ view: -1, text: `it ended: ${JSON.stringify(this.ended)}`,
				late: false });
		return problems;
	}

	late({ blind, states, number, late_polls: polls, late_ms: ms }) {
		if (blind)
			return `blind: ${blind} (${states})`;
		return polls > LATE_POLLS ? `block ${number} after ${polls} polls (${ms} ms)` : undefined;
	}

	async wrong(line) {
		const { number, act, blind, phase } = line;
		if (blind)
			return act === 'abstain' ? undefined : `${act} though blind: ${blind}`;
		const truth = await this.truth.of(number);
		for (const name of ['hash', 'count', 'last_at', 'root'])
			if (line[name] !== truth[name])
				return `${name} of block ${number} is ${line[name]}, L1 says ${truth[name]}`;
		const due = truth.phase === 'LATE' ? 'promote' : 'abstain';
		if (phase !== truth.phase)
			return `${phase} at block ${number}, L1 says ${truth.phase}`;
		if (act !== due)
			return `${act} at block ${number}, which is ${truth.phase}`;
		if (act === 'promote' && line.standby !== this.stage.address('standby'))
			return `promotes ${line.standby}`;
		return undefined;
	}

	// Resident memory, MiB.
	resident() {
		return residentOf(this.child.pid);
	}

	async end() {
		this.child.stdin.end();
		await this.exited;
		this.endpoints.forEach((endpoint) => endpoint.close());
		return this.ended;
	}

	kill() {
		this.child?.kill('SIGKILL');
	}
}

export const residentOf = (pid) =>
	Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
