/* sim [--seeds N] [--from S] [--seed S] [--verbose] [--plant BUG]
 *
 * Runs seeds S … S + N − 1 and prints the ones in which a promise was broken.
 * With --plant the product has a bug; then the program succeeds when it is
 * found. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/world.h"

struct world *world;
struct keyring *sim_keys;
struct address sim_guardians[SIM_GUARDIANS], sim_relayers[SIM_RELAYERS];
static char folder[40];

struct options {
	uint64_t from, n;
	bool verbose, times;
	enum sim_plant plant;
};

/* ---- keys: the same in every seed ---- */

static void sort_guardians(void)
{
	for (unsigned i = 1; i < SIM_GUARDIANS; i++)
		for (unsigned j = i; j > 0; j--) {
			struct address a = sim_guardians[j];

			if (address_cmp(sim_guardians[j - 1], a) < 0)
				break;
			sim_guardians[j] = sim_guardians[j - 1];
			sim_guardians[j - 1] = a;
		}
}

static bool make_keys(void)
{
	struct err_text error = {""};

	sim_keys = keyring_new();
	for (unsigned i = 0; sim_keys && i < SIM_KEYS; i++) {
		char path[64];
		FILE *f;

		snprintf(path, sizeof(path), "%s/key", folder);
		f = fopen(path, "we");
		if (!f)
			return false;
		fprintf(f, "0x%064x\n", i + 1);
		if (fclose(f) || chmod(path, 0600) ||
		    keyring_add_plain(sim_keys, path, NULL, &error)) {
			fprintf(stderr, "sim: %s\n", error.text);
			return false;
		}
		(void)unlink(path);
		if (i < SIM_GUARDIANS)
			sim_guardians[i] = keyring_address(sim_keys, i);
		else
			sim_relayers[i - SIM_GUARDIANS] =
				keyring_address(sim_keys, i);
	}
	sort_guardians();
	return sim_keys;
}

/* ---- folders ---- */

static int remove_one(const char *path, const struct stat *st, int kind,
		      struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void remove_all(const char *path)
{
	(void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- one seed ---- */

static void set_up(void)
{
	for (unsigned i = 0; i < SIM_NODES; i++)
		snprintf(world->nodes[i].dir, sizeof(world->nodes[i].dir),
			 "%s/n%u", folder, i);
	for (unsigned i = 0; i < SIM_GUARDIANS; i++)
		snprintf(world->signers[i].dir, sizeof(world->signers[i].dir),
			 "%s/s%u", folder, i);
	for (unsigned i = 0; i < SIM_RELAYERS; i++)
		snprintf(world->relayers[i].dir, sizeof(world->relayers[i].dir),
			 "%s/r%u", folder, i);
	events_plan();
}

static void tear_down(void)
{
	for (unsigned i = 0; i < SIM_NODES; i++) {
		watcher_free(world->nodes[i].w);
		remove_all(world->nodes[i].dir);
	}
	for (unsigned i = 0; i < SIM_GUARDIANS; i++) {
		sim_signer_stop(&world->signers[i]);
		remove_all(world->signers[i].dir);
	}
	for (unsigned i = 0; i < SIM_RELAYERS; i++) {
		relay_free(world->relayers[i].r);
		remove_all(world->relayers[i].dir);
	}
	chain_done(&world->chain);
}

static void step_nodes(void)
{
	unsigned first = (unsigned)rng_below(&world->rng, world->n_nodes);

	for (unsigned i = 0; i < world->n_nodes && !world->failed; i++) {
		struct sim_node *n =
			&world->nodes[(first + i) % world->n_nodes];

		if (!n->w || n->paused_ms > world->now_ms)
			continue;
		if (n->next_ms <= world->now_ms || net_due(n->w->http) ||
		    sim_signer_due(n->w->signer) <= world->now_ms)
			node_step(n);
	}
	for (unsigned i = 0; i < world->n_relayers && !world->failed; i++)
		if (world->relayers[i].r)
			relayer_turn(&world->relayers[i]);
}

/* What breaks is the promise that the bug breaks. */
static bool is_finding(enum sim_plant plant)
{
	if (plant == PLANT_SIGN)
		return strstr(world->why, "I7") != NULL;
	return strstr(world->why, "believes") ||
	       strstr(world->why, "acts on") ||
	       strstr(world->why, "false ballot");
}

static void run_seed(uint64_t seed, const struct options *o)
{
	*world = (struct world){.seed = seed,
				.rng = {seed},
				.verbose = o->verbose,
				.plant = o->plant};
	set_up();
	while (!world->failed &&
	       (world->now_ms < world->end_ms || check_unfinished())) {
		world->now_ms += SIM_TICK_MS;
		events_tick();
		step_nodes();
		check_progress();
	}
	if (!world->failed)
		check_end();
	tear_down();
}

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the command line ---- */

static uint64_t number(const char *text)
{
	char *end;
	uint64_t n = text ? strtoull(text, &end, 10) : 0;

	if (!text || !*text || *end) {
		fprintf(stderr, "sim: a number is wanted\n");
		exit(2);
	}
	return n;
}

static enum sim_plant plant_named(const char *name)
{
	if (name && !strcmp(name, "believe-first"))
		return PLANT_FIRST;
	if (name && !strcmp(name, "by-number"))
		return PLANT_NUMBER;
	if (name && !strcmp(name, "sign-before-commit"))
		return PLANT_SIGN;
	fprintf(stderr, "sim: --plant believe-first, by-number or "
			"sign-before-commit\n");
	exit(2);
}

static struct options read_options(char **argv)
{
	struct options o = {.from = 1, .n = 500};

	for (argv++; *argv; argv++) {
		if (!strcmp(*argv, "--verbose"))
			o.verbose = true;
		else if (!strcmp(*argv, "--times"))
			o.times = true;
		else if (!strcmp(*argv, "--seeds"))
			o.n = number(*++argv);
		else if (!strcmp(*argv, "--from"))
			o.from = number(*++argv);
		else if (!strcmp(*argv, "--plant"))
			o.plant = plant_named(*++argv);
		else if (!strcmp(*argv, "--seed"))
			o.from = number(*++argv), o.n = 1;
		else
			exit((fprintf(stderr, "sim: %s?\n", *argv), 2));
		if (!*argv)
			break;
	}
	return o;
}

/* In memory where there is such a folder. */
static bool make_folder(void)
{
	static const char *const places[] = {"/dev/shm", "/tmp"};

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		snprintf(folder, sizeof(folder), "%s/egress-sim.XXXXXX",
			 places[i]);
		if (mkdtemp(folder))
			return true;
	}
	return false;
}

/* Histories in which nothing happens prove nothing. */
#define SEEDS_THAT_SHOW_ALL 100

static bool nothing_happened(const unsigned *sums, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!sums[i])
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct options o = read_options(argv);
	uint64_t failed = 0, passed = 0;
	unsigned sums[6] = {0};
	bool found = false;

	(void)argc;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	world = calloc(1, sizeof(*world));
	if (!world || !make_folder() || !make_keys()) {
		fprintf(stderr, "sim: no folder in /dev/shm or /tmp, or no "
				"keys\n");
		return 2;
	}
	for (uint64_t i = 0; i < o.n; i++) {
		double start = now_s();

		run_seed(o.from + i, &o);
		passed += !world->failed;
		failed += world->failed;
		if (world->failed)
			printf("seed %llu: %s\n",
			       (unsigned long long)world->seed, world->why);
		if (o.times)
			printf("%.1f ms\n", (now_s() - start) * 1000);
		sums[0] += world->promotions;
		sums[1] += world->openings;
		sums[2] += world->reorgs;
		sums[3] += world->crashes;
		sums[4] += (unsigned)world->n_signed;
		sums[5] += world->deadlines;
		found |= world->failed && is_finding(o.plant);
		if (found && o.plant)
			break;
	}
	remove_all(folder);
	keyring_free(sim_keys);
	free(world);
	printf("sim: %u promotions, %u openings, %u at the deadline, %u "
	       "reorgs, %u crashes, %u "
	       "ballots\n",
	       sums[0], sums[1], sums[5], sums[2], sums[3], sums[4]);
	if (!o.plant && o.n >= SEEDS_THAT_SHOW_ALL &&
	    nothing_happened(sums, ARRAY_LEN(sums))) {
		printf("sim: something never happened in %llu seeds\n",
		       (unsigned long long)o.n);
		failed++;
	}
	if (o.plant) /* the bug was planted to be found */
		passed = found, failed = !found;
	printf("sim: %llu passed, %llu failed\n", (unsigned long long)passed,
	       (unsigned long long)failed);
	return failed > 0;
}
