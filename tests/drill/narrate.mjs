// What the drill tells a reader while it happens, and the timeline at its end.

export class Narrator {
	constructor(quiet) {
		this.quiet = quiet;
		this.start = Date.now();
		this.timeline = [];
		this.promises = {};
		this.act = '';
	}

	seconds() {
		return ((Date.now() - this.start) / 1000).toFixed(1).padStart(6);
	}

	line(text = '') {
		if (!this.quiet)
			process.stdout.write(`${text}\n`);
	}

	title(number, text) {
		this.act = `act ${number}`;
		this.line();
		this.line(`=== Act ${number}: ${text}`);
		this.note(text);
	}

	// Told live; lines of a program's own output are indented.
	say(text) {
		for (const line of text.replace(/\n+$/, '').split('\n'))
			this.line(`${this.seconds()}  ${line}`);
	}

	// Told live and again in the timeline. block: of L1, if there is one.
	note(text, block) {
		this.timeline.push({ at: this.seconds(), act: this.act, text, block });
		this.say(`* ${text}${block ? ` (L1 block ${block})` : ''}`);
	}

	promise(name, held, detail = '') {
		this.promises[name] = Boolean(held) && this.promises[name] !== false;
		this.say(`${held ? 'held  ' : 'BROKEN'} ${name}${detail ? `: ${detail}` : ''}`);
		return held;
	}

	printTimeline() {
		this.line();
		this.line('=== Timeline (seconds since the start)');
		for (const { at, act, text, block } of this.timeline)
			this.line(`${at}  ${act.padEnd(6)} ${text}${block ? ` [block ${block}]` : ''}`);
		this.line();
		for (const [name, held] of Object.entries(this.promises))
			this.line(`${held ? 'held  ' : 'BROKEN'} ${name}`);
	}
}
