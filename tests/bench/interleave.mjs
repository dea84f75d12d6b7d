// Ours and the peers in one run, in turns: the machine's noise meets all alike.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { endWithUs } from '../harness.mjs';

export function median(list) {
	const sorted = [...list].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// A program that answers a line with a line of JSON.
export class Worker {
	constructor(program, args) {
		this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
		this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
		endWithUs(() => this.child.kill('SIGKILL'));
	}

	async ask(line) {
		this.child.stdin.write(line + '\n');
		const { value, done } = await this.lines.next();
		if (done)
			throw new Error(`${this.child.spawnargs.join(' ')} ended`);
		return JSON.parse(value);
	}

	end() {
		this.child.stdin.end();
	}
}

// Rounds in which each worker is asked once, not always in the same order; the
// answers by the worker's name: {name: [answer, …]}.  line: name → what to ask.
export async function interleave(workers, line, rounds) {
	const answers = Object.fromEntries(Object.keys(workers).map((name) => [name, []]));
	const names = Object.keys(workers);
	for (let round = 0; round < rounds; round++) {
		for (const name of names)
			answers[name].push(await workers[name].ask(line(name)));
		names.push(names.shift());
	}
	return answers;
}
