// Certificates for a test: an authority of its own, one that is good for
// localhost, and one bad in each way.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const HERE = 'DNS:localhost,IP:127.0.0.1';

// Returns {ca (a path), good: {key, cert}, bad: {NAME: {key, cert}}}.
export function makeCertificates(folder) {
	mkdirSync(folder, { recursive: true });
	const openssl = (...args) => {
		const { status, stderr, error } = spawnSync('openssl', args,
			{ cwd: folder, encoding: 'utf8' });
		if (error || status !== 0)
			throw error ?? new Error(`openssl ${args[0]}: ${stderr}`);
	};
	const make = (name, subject, ...more) => openssl('req', '-x509', '-newkey', 'ec',
		'-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${subject}`,
		'-keyout', `${name}.key`, '-out', `${name}.pem`, ...more);
	make('authority', 'authority of a test');
	// [subjectAltName, from, until]; `ca` is the one command that takes dates
	const sign = (name, altName, from, until) => {
		openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
			'-subj', '/CN=localhost', '-keyout', `${name}.key`, '-out', `${name}.csr`);
		writeFileSync(join(folder, `${name}.index`), '');
		writeFileSync(join(folder, `${name}.cnf`), `[ca]
default_ca = here
[here]
database = ${name}.index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = leaf
[any]
commonName = supplied
[leaf]
subjectAltName = ${altName}
`);
		openssl('ca', '-batch', '-notext', '-config', `${name}.cnf`, '-cert', 'authority.pem',
			'-keyfile', 'authority.key', '-in', `${name}.csr`, '-out', `${name}.pem`,
			'-startdate', from, '-enddate', until);
	};
	const [past, long, future] = ['20200101000000Z', '20200201000000Z', '20490101000000Z'];
	sign('good', HERE, past, future);
	sign('expired', HERE, past, long);
	sign('wrong-host', 'DNS:elsewhere.invalid', past, future);
	make('self-signed', 'localhost', '-addext', `subjectAltName=${HERE}`);
	const read = (name) => ({ key: readFileSync(join(folder, `${name}.key`)),
		cert: readFileSync(join(folder, `${name}.pem`)) });
	return { ca: join(folder, 'authority.pem'), good: read('good'), bad:
		Object.fromEntries(['self-signed', 'expired', 'wrong-host'].map((name) =>
			[name, read(name)])) };
}
