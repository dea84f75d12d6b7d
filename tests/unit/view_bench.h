/* An L1 whose providers say what the test wants, by a clock that it moves.
 * Included by one .c file a program. */
#ifndef EGRESS_TESTS_VIEW_BENCH_H
#define EGRESS_TESTS_VIEW_BENCH_H

#include "unit.h"

#include "abi/hex.h"
#include "abi/keccak.h"
#include "fake_http.h"
#include "headers.h"
#include "l1/l1.h"
#include "l1/limits.h"
#include "sys/settings.h"

#define N_MAX	   5
#define BLOCKS	   16384
#define BRANCHES   8
#define AHEAD_S	   3600 /* a lie about a time */
#define CHAIN_ID   56
#define POLL_MS	   1000
#define NO_FORK	   UINT64_MAX
#define FIRST_HEAD 100

static const char *const urls[N_MAX] = {"http://a", "http://b", "http://c",
					"http://d", "http://e"};
static struct settings_provider providers[N_MAX];
static struct settings settings;
static struct l1 *l1;
static size_t n;
static uint64_t genesis_s, block_ms, base_fee, step_ms;
static bool newer;	   /* the chain's headers have an unknown field */
static void (*tick)(void); /* before each turn; or NULL */

/* What each of them says. */
static struct claim {
	bool silent, html;
	uint64_t head, safe, final, chain_id;
	unsigned chain; /* of blocks ≥ fork */
	uint64_t fork;
	uint8_t genesis;
	uint64_t ahead;		  /* what it adds to every block's time */
	bool lacks, lacks_latest; /* the tags */
	bool lacks_safe;
	bool excuse; /* other words, and a field that nobody can hash */
} claims[N_MAX];

/* ---- blocks whose hashes are true ---------------------------------------- */

static struct branch {
	unsigned chain;
	uint64_t fork, known;
	struct hash32 hashes[BLOCKS];
} branches[BRANCHES];

static inline struct hash32 genesis_of(const struct claim *c)
{
	struct hash32 h = {{c->genesis}};
	return h;
}

static inline struct header header_at(const struct claim *c, uint64_t number);

static inline struct branch *branch_of(const struct claim *c)
{
	unsigned chain = c->chain;
	uint64_t fork = c->chain ? c->fork : NO_FORK;
	size_t i = 0;
	while (i < BRANCHES && branches[i].known &&
	       (branches[i].chain != chain || branches[i].fork != fork))
		i++;
	assert_true(i < BRANCHES);
	struct branch *b = &branches[i];
	if (!b->known) {
		b->chain = chain;
		b->fork = fork;
		b->hashes[0] = genesis_of(c);
		b->known = 1;
	}
	return b;
}

static inline struct hash32 hash_of(const struct claim *c, uint64_t number)
{
	if (!number)
		return genesis_of(c);
	struct branch *b = branch_of(c);
	assert_true(number < BLOCKS);
	for (; b->known <= number; b->known++) {
		struct header h = header_at(c, b->known);
		b->hashes[b->known] = header_hash(&h);
		if (newer) /* and of a field that nobody here knows */
			b->hashes[b->known].b[0] ^= 0xff;
	}
	return b->hashes[number];
}

static inline struct header header_at(const struct claim *c, uint64_t number)
{
	static const uint8_t marks[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
	unsigned chain = number >= c->fork ? c->chain : 0;
	struct branch *b = branch_of(c);
	return a_header(number,
			number > 1 ? b->hashes[number - 1] : genesis_of(c),
			genesis_s + number * block_ms / 1000, base_fee,
			slice_of(&marks[chain], 1));
}

static inline void put_block(struct json_writer *w, const struct claim *c,
			     uint64_t number)
{
	if (number > c->head) {
		json_put_null(w, "result");
		return;
	}
	struct hash32 hash = hash_of(c, number);
	struct header h = header_at(c, number);
	h.time += c->ahead;
	h.gas_used += c->excuse;
	json_begin(w, "result");
	put_header(w, &h, hash);
	if (newer || c->excuse)
		json_put_quantity(w, "fooRoot", 1);
	json_end(w);
}

static inline void put_tag(struct json_writer *w, const struct claim *c,
			   uint64_t number, bool lacks)
{
	if (!lacks) {
		put_block(w, c, number);
		return;
	}
	json_begin(w, "error");
	json_put_string(w, "message", "finalized block not found");
	json_end(w);
}

static inline void put_answer(struct json_writer *w, const struct claim *c,
			      const char *call, size_t id)
{
	const char *params = strstr(call, "\"params\":[") + 10;
	json_begin(w, NULL);
	json_put_u64(w, "id", id);
	if (strstr(call, "eth_chainId"))
		json_put_quantity(w, "result", c->chain_id);
	else if (!strncmp(params, "\"latest", 7))
		put_block(w, c, c->lacks_latest ? UINT64_MAX : c->head);
	else if (!strncmp(params, "\"finalized", 10))
		put_tag(w, c, c->final, c->lacks);
	else if (!strncmp(params, "\"safe", 5))
		put_tag(w, c, c->safe, c->lacks || c->lacks_safe);
	else
		put_block(w, c, strtoull(params + 1, NULL, 16));
	json_end(w);
}

static inline void answer(size_t i)
{
	struct fake_transfer *t = fake_find(urls[i]);
	struct buf b;
	size_t id = 0;
	if (!t)
		return;
	if (claims[i].silent) {
		assert_true(fake_reply(urls[i], 0, NULL));
		return;
	}
	if (claims[i].html) {
		assert_true(fake_reply(urls[i], 200,
				       "<html><body>Welcome</body></html>"));
		return;
	}
	buf_init(&b, 1u << 18);
	struct json_writer w = json_writer(&b);
	json_begin_array(&w, NULL);
	char *text = strdup(buf_cstr(&t->body)), *call = text;
	while ((call = strstr(call, "{\"jsonrpc\""))) {
		char *end = strstr(call + 1, "{\"jsonrpc\"");
		if (end)
			*end = '\0';
		put_answer(&w, &claims[i], call, id++);
		if (end)
			*end = '{';
		call++;
	}
	json_end_array(&w);
	assert_true(fake_reply(urls[i], 200, buf_cstr(&b)));
	buf_done(&b);
	free(text);
}

static inline void turn(void)
{
	if (tick)
		tick();
	(void)l1_turn(l1, fake_now);
	for (size_t i = 0; i < n; i++)
		answer(i);
	(void)l1_turn(l1, fake_now);
}

/* Time passes, and everybody is polled and answers. */
static inline const struct l1_view *pass(uint64_t ms)
{
	uint64_t until = fake_now + ms;
	do {
		fake_now +=
			until - fake_now > step_ms ? step_ms : until - fake_now;
		turn();
	} while (fake_now < until);
	return l1_view(l1);
}

static inline void all_at(uint64_t head, uint64_t final)
{
	for (size_t i = 0; i < n; i++) {
		claims[i].head = head;
		claims[i].safe = final + (head - final) / 2;
		claims[i].final = final;
	}
}

/* Anew, with so many providers. */
static inline void begin(size_t count, uint64_t quorum)
{
	struct err_text error;
	l1_free(l1);
	n = count;
	settings.providers.quorum = quorum;
	settings.providers.list = (struct config_list){providers, n};
	assert_int_equal(l1_new(&settings, http_client_new(), &l1, &error), OK);
}

static inline int set_up(void **state)
{
	static char names[N_MAX][2] = {"a", "b", "c", "d", "e"};
	(void)state;
	settings = settings_defaults();
	settings.chain.id = CHAIN_ID;
	settings.poll_ms = POLL_MS;
	for (size_t i = 0; i < N_MAX; i++) {
		providers[i] =
			(struct settings_provider){.name = names[i],
						   .url = (char *)urls[i],
						   .weight = 1,
						   .rate = 100,
						   .timeout_ms = 3000};
		claims[i] = (struct claim){
			.chain_id = CHAIN_ID, .fork = NO_FORK, .genesis = 9};
	}
	for (size_t i = 0; i < BRANCHES; i++)
		branches[i].known = 0;
	genesis_s = 5000;
	block_ms = 1000;
	step_ms = 500;
	base_fee = 7;
	newer = false;
	tick = NULL;
	begin(3, 2);
	all_at(FIRST_HEAD, 90);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	l1_free(l1);
	l1 = NULL;
	http_client_free(NULL);
	return 0;
}

static inline void fork_at(size_t i, unsigned chain, uint64_t fork)
{
	claims[i].chain = chain;
	claims[i].fork = fork;
}

static inline void assert_nobody_blamed(void)
{
	for (size_t i = 0; i < n; i++)
		assert_string_not_equal(l1_view(l1)->providers[i].state,
					"lying");
}

static inline void count_confirmations(uint64_t confirmations)
{
	settings.chain.act_on = ACT_ON_CONFIRMATIONS;
	settings.chain.confirmations = confirmations;
	begin(n, 2);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

#endif
