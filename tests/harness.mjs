// What every test that runs real processes needs: free ports, children that
// are stopped by their own pid, an L1, and waiting with patience.
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { existsSync, mkdirSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Rpc, sleep } from './country/rpc.mjs';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const TESTS = join(ROOT, 'tests');
export const ANVIL = join(TESTS,
	'node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil');
const POLL_MS = 200;
const STOP_MS = 5000;

// Below the range that the kernel hands to outgoing connections: between our
// asking and a daemon's listening, nobody else is given it.
const PORT_FIRST = 12000;
const PORT_LAST = 32000;
const given = new Set();

export async function freePort() {
	for (;;) {
		const port = PORT_FIRST +
			Math.floor(Math.random() * (PORT_LAST - PORT_FIRST));
		if (given.has(port))
			continue;
		const server = createServer();
		const free = await new Promise((done) => {
			server.once('error', () => done(false));
			server.listen(port, '127.0.0.1', () => done(true));
		});
		if (!free)
			continue;
		await new Promise((done) => server.close(done));
		given.add(port);
		return port;
	}
}

// Asks until the answer is truthy; a throw counts as not yet.
export async function until(what, test, patience_ms = 15000, every_ms = POLL_MS) {
	const end = Date.now() + patience_ms;
	let problem = '';
	for (;;) {
		try {
			const found = await test();
			if (found)
				return found;
			problem = '';
		} catch (error) {
			problem = ` (${error.message})`;
		}
		if (Date.now() > end)
			throw new Error(`${what}: not within ${patience_ms / 1000} s${problem}`);
		await sleep(every_ms);
	}
}

// However this process ends, nothing that it started stays.  Whoever listens
// for SIGINT itself decides on it.
export function endWithUs(killAll) {
	process.once('exit', killAll);
	process.once('SIGTERM', () => process.exit(1));
	process.once('SIGINT', () => process.listenerCount('SIGINT') || process.exit(1));
}

// Children by name; each one's output goes to FOLDER/NAME.log.
export class Processes {
	constructor(folder) {
		this.folder = folder;
		this.children = new Map();
		this.recipes = new Map();
		mkdirSync(folder, { recursive: true });
		endWithUs(() => this.killAll());
	}

	start(name, program, args, options = {}) {
		if (!existsSync(program) && program.includes('/'))
			throw new Error(`${program} is missing: is it built?`);
		const out = openSync(join(this.folder, `${name}.log`), 'a');
		const child = spawn(program, args,
			{ cwd: ROOT, ...options, stdio: ['ignore', out, out] });
		child.exited = new Promise((done) => child.once('exit', (code, signal) => {
			child.ended = { code, signal };
			done(child.ended);
		}));
		this.children.set(name, child);
		this.recipes.set(name, [program, args, options]);
		return child;
	}

	node(name, script, args) {
		return this.start(name, process.execPath, [join(TESTS, script), ...args]);
	}

	// As it was started the first time.
	restart(name) {
		const [program, args, options] = this.recipes.get(name);
		return this.start(name, program, args, options);
	}

	alive(name) {
		const child = this.children.get(name);
		return child !== undefined && !child.ended;
	}

	// Those that ended without having been told to: [[name, {code, signal}]]
	dead() {
		return [...this.children].filter(([, child]) => child.ended)
			.map(([name, child]) => [name, child.ended]);
	}

	async stop(name, signal = 'SIGKILL') {
		const child = this.children.get(name);
		this.children.delete(name);
		if (!child || child.ended)
			return child?.ended;
		child.kill(signal);
		const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
		const ended = await child.exited;
		clearTimeout(timer);
		return ended;
	}

	async stopAll() {
		await Promise.all([...this.children.keys()].reverse()
			.map((name) => this.stop(name, 'SIGTERM')));
	}

	// Without waiting: for an exit that cannot.
	killAll() {
		for (const child of this.children.values())
			if (!child.ended)
				child.kill('SIGKILL');
	}
}

// A fresh L1: blocks every second, `finalized` two behind. Returns its URL.
export async function startAnvil(processes, name = 'anvil', args = []) {
	const port = await freePort();
	processes.start(name, ANVIL, ['--port', String(port), '--block-time', '1',
		'--slots-in-an-epoch', '1', '--silent', ...args]);
	const url = `http://127.0.0.1:${port}`;
	await until('anvil answers', () => new Rpc(url).call('eth_chainId'));
	return url;
}

// Starts a program that says "127.0.0.1:PORT" when it listens; its URL.
export function startListening(children, program, args) {
	const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
	children.push(child);
	return new Promise((done, ended) => {
		let text = '';
		child.stdout.on('data', (part) => {
			text = (text + part).slice(-10000);
			const found = /127\.0\.0\.1:(\d+)/.exec(text);
			if (found)
				done(`http://127.0.0.1:${found[1]}`);
		});
		child.once('exit', () => ended(new Error(`${program} ended: ${text}`)));
	});
}

// Runs a program to its end: {status, stdout, stderr}.
export function run(program, args, options = {}) {
	const { status, stdout, stderr, error } = spawnSync(program, args,
		{ cwd: ROOT, encoding: 'utf8', maxBuffer: 64 << 20, ...options });
	if (error)
		throw error;
	return { status, stdout, stderr };
}

// As run(), without stopping this process's other work.
export function runAsync(program, args, options = {}) {
	return new Promise((done, failed) => {
		const child = spawn(program, args, { cwd: ROOT, ...options,
			stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
		let stdout = '';
		let stderr = '';
		child.stdout.on('data', (part) => stdout += part);
		child.stderr.on('data', (part) => stderr += part);
		child.once('error', failed);
		child.once('close', (status) => done({ status, stdout, stderr }));
		if (options.input !== undefined)
			child.stdin.end(options.input);
	});
}
