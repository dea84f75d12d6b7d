/* sim [--seeds N] [--from S] [--seed S] [-v] [--jobs J] [--all | --lie |
 * --reorg]
 *     [--plant BUG]
 *
 * Runs seeds S … S + N − 1 in J processes and prints the ones in which a
 * promise was broken.  --lie and --reorg choose other faults than --all.  With
 * --plant the product has a bug; then the program succeeds when it is found. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/world.h"

/* Histories in which nothing happens prove nothing. */
#define SEEDS_THAT_SHOW_ALL 100
#define SEEDS_THAT_LIE_ALL  500

static const char *const count_names[SIM_COUNTS] = {
	[COUNT_PROMOTIONS] = "promotions",
	[COUNT_OPENINGS] = "openings",
	[COUNT_DEADLINES] = "openings at the deadline",
	[COUNT_REORGS] = "reorgs",
	[COUNT_UNPROMOTED] = "promotions undone",
	[COUNT_CRASHES] = "crashes",
	[COUNT_BALLOTS] = "ballots",
	[COUNT_PROVED] = "facts by proof",
	[COUNT_AGREED] = "facts by a quorum",
	[COUNT_SEEN] = "stalls seen in time",
	[COUNT_FRESH] = "nodes held against a fresh one",
	[COUNT_STAGES + STAGE_HEAD] = "reorgs while heads were read",
	[COUNT_STAGES + STAGE_FACTS] = "facts",
	[COUNT_STAGES + STAGE_LOGS] = "logs",
	[COUNT_STAGES + STAGE_INPUTS] = "inputs",
	[COUNT_STAGES + STAGE_CATCH_UP] = "while catching up",
	[COUNT_STAGES + STAGE_VOTE] = "while voting",
	[COUNT_STAGES + STAGE_ANY] = "at any time",
};

static const struct plant {
	const char *name;
	enum sim_plant plant;
} plants[] = {
	{"believe-first", PLANT_FIRST},
	{"by-number", PLANT_NUMBER},
	{"sign-before-commit", PLANT_SIGN},
};

static void usage(const char *what)
{
	fprintf(stderr, "sim: %s?\n", what ? what : "");
	exit(2);
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t n = text ? strtoull(text, &end, 10) : 0;

	if (!text || !*text || *end)
		usage(text);
	return n;
}

static enum sim_plant plant_named(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_LEN(plants); i++)
		if (!strcmp(name, plants[i].name))
			return plants[i].plant;
	usage(name);
	return PLANT_NONE;
}

static struct sim_options read_options(char **argv)
{
	struct sim_options o = {.from = 1, .n = 500, .jobs = 1};

	for (argv++; *argv; argv++) {
		if (!strcmp(*argv, "-v"))
			o.verbose = true;
		else if (!strcmp(*argv, "--all"))
			o.plan = PLAN_ALL;
		else if (!strcmp(*argv, "--lie"))
			o.plan = PLAN_LIE;
		else if (!strcmp(*argv, "--reorg"))
			o.plan = PLAN_REORG;
		else if (!strcmp(*argv, "--seeds"))
			o.n = number(*++argv);
		else if (!strcmp(*argv, "--from"))
			o.from = number(*++argv);
		else if (!strcmp(*argv, "--jobs"))
			o.jobs = (unsigned)number(*++argv);
		else if (!strcmp(*argv, "--plant"))
			o.plant = plant_named(*++argv);
		else if (!strcmp(*argv, "--seed"))
			o.from = number(*++argv), o.n = 1;
		else
			usage(*argv);
	}
	return o;
}

/* Returns how many of them never happened. */
static unsigned print_counts(const struct sim_result *r, enum sim_plan plan)
{
	unsigned none = 0;

	for (unsigned i = 0; i < SIM_COUNTS; i++) {
		if (i >= COUNT_UNPROMOTED && plan != PLAN_REORG)
			break;
		printf("%s%llu %s",
		       i ? ", " : "sim: ", (unsigned long long)r->counts[i],
		       count_names[i]);
		none += !r->counts[i];
	}
	printf("\n");
	return none;
}

static unsigned print_lies(const struct sim_result *r)
{
	unsigned none = 0;

	for (unsigned i = LIE_NONE + 1; i < SIM_LIES; i++) {
		printf("%s%llu × %s", i > 1 ? ", " : "sim: lies: ",
		       (unsigned long long)r->lies[i], sim_lie_names[i]);
		none += !r->lies[i];
	}
	printf("\n");
	return none;
}

int main(int argc, char **argv)
{
	struct sim_options o = read_options(argv);
	struct sim_result r;
	unsigned missing;

	(void)argc;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (!sim_run(&o, &r)) {
		fprintf(stderr, "sim: no folder in /dev/shm or /tmp, no "
				"memory, or no keys\n");
		return 2;
	}
	missing = print_counts(&r, o.plan);
	if (!o.plant && o.n >= SEEDS_THAT_SHOW_ALL && missing) {
		printf("sim: something never happened in %llu seeds\n",
		       (unsigned long long)o.n);
		r.failed++;
	}
	missing = print_lies(&r);
	if (!o.plant && o.plan != PLAN_REORG && o.n >= SEEDS_THAT_LIE_ALL &&
	    missing) {
		printf("sim: a lie was never told in %llu seeds\n",
		       (unsigned long long)o.n);
		r.failed++;
	}
	printf("sim: a stall is seen %.1f s after two endpoints show it, or "
	       "sooner\n",
	       (double)r.latest_ms / 1000);
	printf("sim: a seed takes %.1f ms of CPU in the median, %.1f in the "
	       "mean\n",
	       r.median_ms, r.mean_ms);
	if (o.plant) /* the bug was planted to be found */
		r.passed = r.found, r.failed = !r.found;
	printf("sim: %llu passed, %llu failed\n", (unsigned long long)r.passed,
	       (unsigned long long)r.failed);
	return r.failed > 0;
}
