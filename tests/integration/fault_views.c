/* Many views of L1 in one process, each as a watcher has it: providers, the
 * hatch's facts, the verdict of a guardian that votes by itself.
 *   fault_views CONTROLS CONFIG…
 * A thread a config.  The first CONTROLS are undisturbed; the others are
 * measured against them.  Each change of a view is a line of JSON; ends with
 * its stdin. */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "abi/hex.h"
#include "abi/json.h"
#include "l1/l1_impl.h"
#include "sys/clock.h"
#include "watcher/sight.h"
#include "watcher/verdict.h"

#define VIEWS_MAX  256
#define BLOCKS	   4096 /* an hour of them */
#define POLLS	   64
#define LINE_BYTES 4096
/* The provider of this name may have a fault: its polls count for nothing. */
#define FAULTY "p"

/* When the controls' majority had the facts of a block. */
struct seen {
	uint64_t number, at_ms;
	unsigned controls;
};

struct all {
	unsigned controls, n;
	pthread_mutex_t lock; /* of blocks */
	struct seen blocks[BLOCKS];
	int stop; /* a pipe's end */
};

struct polled { /* one provider's polls, the newest last */
	uint64_t next_ms;
	size_t n;
	uint64_t at_ms[POLLS];
};

struct view {
	struct all *all;
	unsigned i;
	const char *path;
	struct settings settings;
	struct config *config;
	struct l1 *l1;
	struct http_client *http;
	struct sight sight;
	struct polled polled[QUORUM_PROVIDERS_MAX];
	uint64_t overslept_ms; /* at most, since it said something */
	/* said last */
	struct hash32 block;
	uint64_t number;
	struct verdict verdict;
	char blind[200], states[160];
};

static const struct config_field fields[] = {
	SETTINGS_FIELDS(0, "peers"),
	{NULL},
};

static _Noreturn void die(const char *path, const char *what)
{
	(void)fprintf(stderr, "fault_views: %s: %s\n", path, what);
	exit(1);
}

/* ---- delay --------------------------------------------------------------- */

static void control_saw(struct all *all, uint64_t from, uint64_t to,
			uint64_t now)
{
	pthread_mutex_lock(&all->lock);
	for (uint64_t n = from; n <= to; n++) {
		struct seen *s = &all->blocks[n % BLOCKS];
		if (s->number != n)
			*s = (struct seen){.number = n};
		if (++s->controls == (all->controls + 1) / 2)
			s->at_ms = now;
	}
	pthread_mutex_unlock(&all->lock);
}

/* UINT64_MAX: not yet. */
static uint64_t controls_had(struct all *all, uint64_t number)
{
	pthread_mutex_lock(&all->lock);
	const struct seen *s = &all->blocks[number % BLOCKS];
	uint64_t at = s->number == number && s->at_ms ? s->at_ms : UINT64_MAX;
	pthread_mutex_unlock(&all->lock);
	return at;
}

static void count_polls(struct view *v, uint64_t now)
{
	for (size_t i = 0; i < v->l1->n; i++) {
		struct polled *p = &v->polled[i];
		if (p->next_ms == v->l1->polls[i].next_ms)
			continue;
		p->next_ms = v->l1->polls[i].next_ms;
		p->at_ms[p->n++ % POLLS] = now;
	}
}

/* Of the one that was polled most. */
static unsigned polls_since(const struct view *v, uint64_t at_ms)
{
	unsigned most = 0;
	for (size_t i = 0; i < v->l1->n; i++) {
		unsigned n = 0;
		if (!strcmp(v->l1->view.providers[i].name, FAULTY))
			continue;
		for (size_t k = 0; k < POLLS; k++)
			n += v->polled[i].at_ms[k] > at_ms;
		most = n > most ? n : most;
	}
	return most;
}

/* Its facts moved past what it had; the block after that is the late one. */
static void put_delay(struct view *v, struct json_writer *w, uint64_t number,
		      uint64_t now)
{
	if (v->number && number > v->number && v->i < v->all->controls)
		control_saw(v->all, v->number + 1, number, now);
	if (!v->number || number <= v->number || v->i < v->all->controls)
		return;
	uint64_t had = controls_had(v->all, v->number + 1);
	json_put_u64(w, "late_ms", had < now ? now - had : 0);
	json_put_u64(w, "late_polls", had < now ? polls_since(v, had) : 0);
}

/* ---- what it sees -------------------------------------------------------- */

static struct verdict decide(struct view *v, const char *blind)
{
	struct verdict_input in = {.facts = v->sight.known ? &v->sight.facts
							   : NULL,
				   .l1_healthy = !*blind,
				   .l1_why = blind,
				   .policy = {.promote = true, .open = true}};
	for (size_t i = 0; in.facts && i < in.facts->n_standbys; i++)
		in.standby[i] = STANDBY_READY;
	return verdict_of(&in);
}

static void put_facts(struct json_writer *w, const struct hatch_facts *f)
{
	json_put_u64(w, "number", f->block.number);
	json_put_hash(w, "hash", f->block.hash);
	json_put_u64(w, "count", f->count);
	json_put_u64(w, "last_at", f->last_at);
	json_put_hash(w, "root", f->root);
	json_put_address(w, "sequencer", f->sequencer);
	json_put_bool(w, "proved", f->proved);
}

static void say(struct view *v, const struct verdict *verdict,
		const char *blind, const char *states, uint64_t now)
{
	struct buf line;
	buf_init(&line, LINE_BYTES);
	struct json_writer w = json_writer(&line);
	json_begin(&w, NULL);
	json_put_u64(&w, "view", v->i);
	json_put_u64(&w, "ms", now);
	json_put_string(&w, "phase", phase_name(verdict->phase));
	json_put_string(&w, "act", verdict_act_name(verdict->act));
	json_put_address(&w, "standby", verdict->standby);
	json_put_string(&w, "blind", blind);
	json_put_string(&w, "states", states);
	json_begin_array(&w, "whys");
	for (size_t i = 0; i < v->l1->n; i++)
		json_put_string(&w, NULL, l1_view(v->l1)->providers[i].why);
	json_end_array(&w);
	json_put_u64(&w, "overslept_ms", v->overslept_ms);
	v->overslept_ms = 0;
	if (v->sight.known) {
		put_facts(&w, &v->sight.facts);
		put_delay(v, &w, v->sight.facts.block.number, now);
		v->number = v->sight.facts.block.number;
		v->block = v->sight.facts.block.hash;
	}
	json_end(&w);
	(void)printf("%s\n", buf_cstr(&line));
	buf_done(&line);
	v->verdict = *verdict;
	(void)snprintf(v->blind, sizeof(v->blind), "%s", blind);
	(void)snprintf(v->states, sizeof(v->states), "%s", states);
}

static void look(struct view *v, uint64_t now)
{
	char states[sizeof(v->states)] = "";
	const struct l1_view *view = l1_view(v->l1);
	const char *blind = sight_blind(&v->sight, now);
	struct verdict verdict = decide(v, blind);
	for (size_t i = 0; i < view->n; i++) {
		size_t used = strlen(states);
		(void)snprintf(states + used, sizeof(states) - used, "%s%s",
			       i ? "," : "", view->providers[i].state);
	}
	bool same = verdict.act == v->verdict.act &&
		    verdict.phase == v->verdict.phase &&
		    !strcmp(blind, v->blind) && !strcmp(states, v->states) &&
		    (!v->sight.known ||
		     hash_eq(v->sight.facts.block.hash, v->block));
	if (!same)
		say(v, &verdict, blind, states, now);
}

/* One turn; returns when it wants the next. */
static uint64_t turn(struct view *v, uint64_t now)
{
	uint64_t next = l1_turn(v->l1, now);
	uint64_t at = sight_turn(&v->sight, now);
	count_polls(v, now);
	look(v, now);
	return at < next ? at : next;
}

static void *run(void *arg)
{
	struct view *v = arg;
	uint64_t due = UINT64_MAX;
	struct err_text error;
	struct settings_warnings warnings;
	struct pollfd stop = {.fd = v->all->stop, .events = POLLIN};
	v->settings = settings_defaults();
	v->http = http_client_new();
	if (!v->http ||
	    config_read(v->path, fields, &v->settings, &v->config, &error) ||
	    settings_check(v->config, &v->settings, &warnings, &error) ||
	    l1_new(&v->settings, v->http, &v->l1, &error))
		die(v->path, error.text);
	/* each at its own moment, as watchers of different people are */
	(void)poll(&stop, 1, (int)(v->settings.poll_ms * v->i / v->all->n));
	sight_init(&v->sight, v->l1, &v->settings);
	while (!stop.revents) {
		uint64_t next = turn(v, clock_mono_ms());
		uint64_t now = clock_mono_ms();
		if (now > due && now - due > v->overslept_ms)
			v->overslept_ms = now - due;
		due = next > now ? next : now;
		http_client_wait(v->http, &stop, 1, due - now);
	}
	sight_done(&v->sight);
	l1_free(v->l1);
	http_client_free(v->http);
	config_free(v->config);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct all all = {.lock = PTHREAD_MUTEX_INITIALIZER};
	static struct view views[VIEWS_MAX];
	pthread_t threads[VIEWS_MAX];
	char byte;
	int ends[2], n = argc - 2;
	if (n < 1 || n > VIEWS_MAX || pipe(ends))
		die(argv[0], "usage: fault_views CONTROLS CONFIG...");
	setvbuf(stdout, NULL, _IOLBF, LINE_BYTES);
	all.controls = (unsigned)strtoul(argv[1], NULL, 10);
	all.n = (unsigned)n;
	all.stop = ends[0];
	for (int i = 0; i < n; i++) {
		views[i].all = &all;
		views[i].i = (unsigned)i;
		views[i].path = argv[i + 2];
		if (pthread_create(&threads[i], NULL, run, &views[i]))
			die(argv[0], "no more threads");
	}
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	close(ends[1]);
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	(void)printf("{\"ended\":%d}\n", n);
	return 0;
}
