// Command lines, small JSON servers and log lines of the country's processes.
import { createServer } from 'node:http';

const MAX_BODY = 4 << 20;
const ASK_MS = 10000;

// ['--name', 'a', '--lie'] -> {name: 'a', lie: true}; camelCase of the option.
// known: {option: default}; a boolean default makes it a switch; undefined
// makes it required.
export function parseArgs(argv, known) {
	const options = { ...known };
	for (let i = 0; i < argv.length; i++) {
		const name = argv[i].replace(/^--/, '').replace(/-(\w)/g,
			(_, letter) => letter.toUpperCase());
		if (!argv[i].startsWith('--') || !(name in known))
			fail(`unknown option ${argv[i]}`);
		if (typeof known[name] === 'boolean')
			options[name] = true;
		else if (i + 1 < argv.length)
			options[name] = argv[++i];
		else
			fail(`--${name} needs a value`);
	}
	for (const [name, value] of Object.entries(options))
		if (value === undefined)
			fail(`--${name} is missing`);
	return options;
}

function fail(text) {
	process.stderr.write(`${text}\n`);
	process.exit(2);
}

export const seconds_ms = (text) => {
	const match = /^([0-9.]+)(ms|s|m)?$/.exec(text);
	if (!match)
		fail(`not a time: ${text}`);
	return Number(match[1]) * { ms: 1, s: 1000, m: 60000 }[match[2] ?? 's'];
};

export function log(name, text) {
	const at = new Date().toISOString().slice(11, 23);
	process.stdout.write(`${at} ${name}: ${text}\n`);
}

export const json = (value) => JSON.stringify(value, (_, inner) =>
	typeof inner === 'bigint' ? inner.toString() : inner);

// routes: {'GET /status': async (body) => value | {status, body}}
export function serve(listen, routes) {
	const server = createServer(async (request, response) => {
		const reply = (status, value) => {
			const text = json(value) + '\n';
			response.writeHead(status, { 'content-type': 'application/json',
				'content-length': Buffer.byteLength(text) });
			response.end(text);
		};
		try {
			const route = routes[`${request.method} ${request.url.split('?')[0]}`];
			if (!route)
				return reply(404, error('not_found', `no ${request.method} ${request.url}`));
			const answer = await route(await readJson(request));
			reply(answer?.status ?? 200, answer?.status ? answer.body : answer);
		} catch (problem) {
			reply(problem instanceof SyntaxError ? 400 : 500,
				error('bad_json', problem.message));
		}
	});
	server.keepAliveTimeout = 30000;
	const at = listen.lastIndexOf(':');
	return new Promise((done, failed) => {
		server.once('error', failed);
		server.listen(Number(listen.slice(at + 1)), listen.slice(0, at),
			() => done(server));
	});
}

export const error = (code, message) => ({ error: { code, message } });

async function readJson(request) {
	const parts = [];
	let size = 0;
	for await (const part of request) {
		size += part.length;
		if (size > MAX_BODY)
			throw new SyntaxError('body too large');
		parts.push(part);
	}
	return size ? JSON.parse(Buffer.concat(parts).toString('utf8')) : undefined;
}

// {status, body} of a JSON request: a POST when there is something to say.
export async function ask(url, body) {
	const signal = AbortSignal.timeout(ASK_MS);
	const options = body === undefined ? { signal } : { signal, method: 'POST',
		headers: { 'content-type': 'application/json' }, body: json(body) };
	try {
		const response = await fetch(url, options);
		return { status: response.status, body: await response.json() };
	} catch (problem) {
		throw new Error(`${url}: ${problem.cause?.code ?? problem.message}`);
	}
}
