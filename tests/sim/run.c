/* Many seeds, in several processes when there are many. */
#include <errno.h>
#include <ftw.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/world.h"

#define JOBS_MAX 64
#define DIED	 1e9f /* ms of a seed that took its process with it */

struct world *world;
struct keyring *sim_keys;
struct address sim_guardians[SIM_GUARDIANS], sim_accounts[SIM_ACCOUNTS];
static char base[32], folder[40];

/* What all processes see. */
static struct board {
	bool found;
	bool stop; /* somebody's patience is over: what was done counts */
	struct {
		uint64_t next; /* seed, counted from the first */
		uint64_t passed, failed;
		uint64_t counts[SIM_COUNTS], lies[SIM_LIES], latest_ms;
	} job[JOBS_MAX];
	float ms[]; /* of each seed */
} * board;

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
		char path[80];
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
	}
	for (unsigned i = 0; i < SIM_ACCOUNTS; i++) {
		struct key_secret secret = {{0}};

		secret.b[31] = (uint8_t)(SIM_KEY_FIRST + i);
		if (key_address(&secret, &sim_accounts[i]))
			return false;
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
	for (unsigned i = 0; i <= SIM_FRESH; i++)
		snprintf(world->nodes[i].dir, sizeof(world->nodes[i].dir),
			 "%s/n%u", folder, i);
	for (unsigned i = 0; i < SIM_GUARDIANS; i++)
		snprintf(world->signers[i].dir, sizeof(world->signers[i].dir),
			 "%s/s%u", folder, i);
	for (unsigned i = 0; i < SIM_RELAYERS; i++)
		snprintf(world->relayers[i].dir, sizeof(world->relayers[i].dir),
			 "%s/r%u", folder, i);
	plan_seed();
}

static void tear_down(void)
{
	for (unsigned i = 0; i <= SIM_FRESH; i++) {
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
	mempool_done(&world->pool);
}

static void step_nodes(void)
{
	unsigned first = (unsigned)rng_below(&world->rng, world->n_nodes);

	for (unsigned i = 0; i < world->n_nodes && !world->failed; i++) {
		node_turn(&world->nodes[(first + i) % world->n_nodes]);
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

static void run_seed(uint64_t seed, const struct sim_options *o)
{
	*world = (struct world){.seed = seed,
				.rng = {seed},
				.verbose = o->verbose,
				.plant = o->plant,
				.plan = o->plan,
				.stage = STAGE_ANY};
	set_up();
	while (!world->failed &&
	       (world->now_ms < world->end_ms || check_unfinished())) {
		world->now_ms += SIM_TICK_MS;
		events_tick();
		step_nodes();
		seen_tick();
		check_progress();
	}
	if (!world->failed)
		check_end();
	if (!world->failed && world->compares)
		fresh_compare();
	plan_count_lies();
	tear_down();
}

/* In memory where there is such a folder. */
static bool make_base(void)
{
	static const char *const places[] = {"/dev/shm", "/tmp"};

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		snprintf(base, sizeof(base), "%s/egress-sim.XXXXXX", places[i]);
		if (mkdtemp(base))
			return true;
	}
	return false;
}

/* ---- many seeds ---- */

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run_one(unsigned j, uint64_t i, const struct sim_options *o)
{
	double start = now_s();

	run_seed(o->from + i, o);
	board->ms[i] = (float)((now_s() - start) * 1000);
	board->job[j].passed += !world->failed;
	board->job[j].failed += world->failed;
	if (world->failed)
		printf("seed %llu: %s\n", (unsigned long long)world->seed,
		       world->why);
	for (unsigned k = 0; k < SIM_COUNTS; k++)
		board->job[j].counts[k] += world->counts[k];
	for (unsigned k = 0; k < SIM_LIES; k++)
		board->job[j].lies[k] += world->lies[k];
	if (world->latest_ms > board->job[j].latest_ms)
		board->job[j].latest_ms = world->latest_ms;
	if (world->failed && o->plant && is_finding(o->plant))
		board->found = true;
}

/* Every jobs-th seed.  false: no folder, or no keys. */
static bool run_job(unsigned j, const struct sim_options *o)
{
	snprintf(folder, sizeof(folder), "%s/j%u", base, j);
	if ((mkdir(folder, 0700) && errno != EEXIST) || !make_keys())
		return false;
	while (board->job[j].next < o->n && !board->found && !board->stop) {
		uint64_t i = board->job[j].next;

		board->job[j].next += o->jobs;
		board->ms[i] = DIED;
		run_one(j, i, o);
	}
	keyring_free(sim_keys);
	return true;
}

static pid_t start_job(unsigned j, const struct sim_options *o)
{
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (!pid) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(!run_job(j, o));
	}
	return pid;
}

/* A seed that ends its process has failed; another goes on with the next. */
static bool run_jobs(const struct sim_options *o)
{
	pid_t child[JOBS_MAX];
	unsigned running = o->jobs;
	bool fine = true;

	for (unsigned j = 0; j < o->jobs; j++)
		child[j] = start_job(j, o);
	while (running) {
		int status = 0;
		pid_t pid = wait(&status);
		unsigned j = 0;

		while (j < o->jobs && child[j] != pid)
			j++;
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0 || j == o->jobs)
			return false;
		if (WIFSIGNALED(status)) {
			printf("seed %llu: signal %d ended it\n",
			       (unsigned long long)(o->from +
						    board->job[j].next -
						    o->jobs),
			       WTERMSIG(status));
			board->job[j].failed++;
			child[j] = start_job(j, o);
			continue;
		}
		fine &= WEXITSTATUS(status) == 0;
		running--;
	}
	return fine;
}

static int by_value(const void *a, const void *b)
{
	const float *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void sum_up(const struct sim_options *o, struct sim_result *ret)
{
	double sum = 0;
	uint64_t n = 0;

	*ret = (struct sim_result){.found = board->found};
	for (unsigned j = 0; j < o->jobs; j++) {
		ret->passed += board->job[j].passed;
		ret->failed += board->job[j].failed;
		for (unsigned k = 0; k < SIM_COUNTS; k++)
			ret->counts[k] += board->job[j].counts[k];
		for (unsigned k = 0; k < SIM_LIES; k++)
			ret->lies[k] += board->job[j].lies[k];
		if (board->job[j].latest_ms > ret->latest_ms)
			ret->latest_ms = board->job[j].latest_ms;
	}
	qsort(board->ms, o->n, sizeof(board->ms[0]), by_value);
	for (uint64_t i = 0; i < o->n; i++)
		if (board->ms[i] > 0 && board->ms[i] < DIED) {
			sum += (double)board->ms[i];
			n++;
		}
	if (!n)
		return;
	ret->mean_ms = sum / (double)n;
	ret->median_ms = (double)board->ms[o->n - n / 2 - 1];
}

static void stop(int signal)
{
	(void)signal;
	board->stop = true;
}

bool sim_run(const struct sim_options *o, struct sim_result *ret)
{
	size_t size = sizeof(struct board) + o->n * sizeof(float);
	struct sigaction on_term = {.sa_handler = stop};
	bool fine;

	board = mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	world = calloc(1, sizeof(*world));
	if (board == MAP_FAILED || !world || !o->jobs || o->jobs > JOBS_MAX ||
	    !make_base())
		return false;
	(void)sigaction(SIGTERM, &on_term, NULL);
	/* memory comes and goes all the time, and is there to stay */
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
	for (unsigned j = 0; j < o->jobs; j++)
		board->job[j].next = j;
	fine = o->jobs > 1 ? run_jobs(o) : run_job(0, o);
	sum_up(o, ret);
	remove_all(base);
	free(world);
	(void)munmap(board, size);
	return fine;
}
