// What anybody can see from outside while the drill plays: every ballot that
// any watcher shows, and whom the observer calls a liar.
import { ask } from '../country/http.mjs';
import { sleep } from '../country/rpc.mjs';
import { TERMS } from './nation.mjs';

const LOOK_MS = 200;

export class Witness {
	constructor(nation) {
		this.nation = nation;
		this.liar = undefined;     // why endpoint c was called lying
		this.ballots = new Map();  // signer/epoch/progress -> choice -> ballot
		this.atObserver = [];      // {signer, action, subject}
		this.running = this.run();
	}

	async run() {
		while (!this.ended) {
			await Promise.all([...this.nation.voters, 'observer'].map((who) =>
				this.look(who).catch(() => undefined))); // it may be dead just now
			await sleep(LOOK_MS);
		}
	}

	async look(who) {
		const url = this.nation.http.get(who);
		const { body } = await ask(`${url}/v1/ballots`);
		for (const ballot of body.ballots ?? [])
			for (const signer of ballot.signers)
				this.note(who, signer, ballot);
		if (who !== 'observer' || this.liar)
			return;
		const { l1 } = (await ask(`${url}/v1/status`)).body;
		this.liar = l1.providers.find(({ name, state }) =>
			name === 'c' && state === 'lying')?.why;
	}

	note(who, signer, { action, epoch, progress, subject, expiry }) {
		const key = `${signer}/${epoch}/${progress}`;
		const choices = this.ballots.get(key) ?? new Map();
		this.ballots.set(key, choices);
		choices.set(`${action}/${subject}/${expiry}`, { action, subject, expiry });
		if (who === 'observer')
			this.atObserver.push({ signer, action, subject });
	}

	// Guardians whose ballots for it were seen at the observer, which has no key.
	signersOf(action, standby) {
		return new Set(this.atObserver.filter((seen) => seen.action === action &&
			seen.subject.endsWith(standby.slice(2))).map(({ signer }) => signer));
	}

	// Pairs of choices by one guardian with overlapping lives, over all ballots seen.
	equivocations() {
		let found = 0;
		for (const choices of this.ballots.values()) {
			const all = [...choices.values()];
			found += all.filter((one, i) => all.slice(0, i).some((other) =>
				(other.action !== one.action || other.subject !== one.subject) &&
				Math.abs(other.expiry - one.expiry) < 3 * TERMS.round)).length;
		}
		return found;
	}

	async end() {
		this.ended = true;
		await this.running;
	}
}
