// What a process has used so far, by the kernel's account.
import { readFileSync, readdirSync } from 'node:fs';

// Milliseconds on a CPU, of all its threads, user and system.
export function cpu_ms(pid) {
	let ns = 0;
	for (const tid of readdirSync(`/proc/${pid}/task`))
		ns += Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]);
	return ns / 1e6;
}

// MB: {resident, anonymous}
export function memory(pid) {
	const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
	const mb = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)[1]) / 1024;
	return { resident: mb('Rss'), anonymous: mb('Anonymous') };
}

// Times that a thread of it was put to sleep by itself.
export function sleeps(pid) {
	let n = 0;
	for (const tid of readdirSync(`/proc/${pid}/task`))
		n += Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(
			readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8'))[1]);
	return n;
}
