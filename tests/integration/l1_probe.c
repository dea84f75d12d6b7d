/* l1/ behind a pipe: commands in, one line of JSON out for each.
 *   l1_probe CONFIG
 *   view | healthy MS | unhealthy MS | wait MS
 *   facts ADDRESS [NUMBER HASH TIME]       at the acted block, or at this one
 *   account ADDRESS | status TX | send RAW
 *   slots ADDRESS SLOT … | withdrawals ROLLUP ID …     at the head
 *   estimate FROM TO DATA | follow FROM ADDRESS ADDRESS TOPIC | step
 * CONFIG is read as the daemons read theirs. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/hex.h"
#include "l1/account.h"
#include "l1/follow.h"
#include "l1/phase.h"
#include "l1/withdrawals.h"
#include "sys/clock.h"

#define LINE_BYTES (1u << 19)
#define OUT_MAX	   (8u << 20)
#define COMMAND_MS 9000
#define WORDS_MAX  80

struct probe {
	struct l1 *l1;
	struct http_client *http;
	struct follow *follow;
	struct buf out;
	struct json_writer w;
	bool done;
};

static const struct config_field fields[] = {
	SETTINGS_FIELDS(0, "peers"),
	{NULL},
};

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "l1_probe: %s\n", what);
	exit(1);
}

static void put_outcome(struct probe *p, enum err err, const char *why)
{
	json_put_string(&p->w, "err", err ? err_name(err) : "");
	json_put_string(&p->w, "why", why);
	p->done = true;
}

static void put_block(struct probe *p, const char *key,
		      const struct block_ref *b)
{
	json_begin(&p->w, key);
	json_put_u64(&p->w, "number", b->number);
	json_put_hash(&p->w, "hash", b->hash);
	json_put_hash(&p->w, "parent", b->parent);
	json_put_u64(&p->w, "time", b->time);
	json_end(&p->w);
}

static void put_view(struct probe *p)
{
	const struct l1_view *v = l1_view(p->l1);
	json_put_bool(&p->w, "healthy", v->healthy);
	json_put_string(&p->w, "why", v->why);
	json_put_string(&p->w, "depth", v->depth);
	json_put_string(&p->w, "proofs", v->proofs);
	json_put_string(&p->w, "headers", v->headers);
	json_put_u64(&p->w, "base_fee", v->base_fee);
	put_block(p, "head", &v->head);
	put_block(p, "acted", &v->acted);
	json_begin_array(&p->w, "providers");
	for (size_t i = 0; i < v->n; i++) {
		json_begin(&p->w, NULL);
		json_put_string(&p->w, "name", v->providers[i].name);
		json_put_string(&p->w, "state", v->providers[i].state);
		json_put_string(&p->w, "why", v->providers[i].why);
		json_put_u64(&p->w, "head", v->providers[i].head);
		json_end(&p->w);
	}
	json_end_array(&p->w);
}

/* ---- answers ------------------------------------------------------------- */

static void put_list(struct probe *p, const char *key,
		     const struct address *list, size_t n)
{
	json_begin_array(&p->w, key);
	for (size_t i = 0; i < n; i++)
		json_put_address(&p->w, NULL, list[i]);
	json_end_array(&p->w);
}

static void put_deadlines(struct probe *p, const struct hatch_facts *f)
{
	const struct phase_deadlines d = phase_deadlines(f);
	const uint64_t values[] = {d.late_at,	  d.failover_until,
				   d.openable_at, d.exits_from,
				   d.resume_from, d.enact_from};
	json_begin_array(&p->w, "deadlines");
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		json_put_u64(&p->w, NULL, values[i]);
	json_end_array(&p->w);
}

static void put_terms(struct probe *p, const struct hatch_facts *f)
{
	const uint32_t terms[] = {f->terms.sla_window,
				  f->terms.failover_window,
				  f->terms.inclusion_window,
				  f->terms.hard_deadline,
				  f->terms.notice,
				  f->terms.finality,
				  f->terms.round};
	const uint8_t needed[] = {f->thresholds.promote, f->thresholds.open,
				  f->thresholds.resume, f->thresholds.amend};
	json_begin_array(&p->w, "terms");
	for (size_t i = 0; i < ARRAY_LEN(terms); i++)
		json_put_u64(&p->w, NULL, terms[i]);
	json_end_array(&p->w);
	json_begin_array(&p->w, "thresholds");
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		json_put_u64(&p->w, NULL, needed[i]);
	json_end_array(&p->w);
}

static void on_facts(void *ctx, enum err err, const char *why,
		     const struct hatch_facts *f)
{
	struct probe *p = ctx;
	put_outcome(p, err, why);
	if (err)
		return;
	put_block(p, "block", &f->block);
	json_put_bool(&p->w, "proved", f->proved);
	json_put_address(&p->w, "rollup", f->rollup);
	json_put_u64(&p->w, "epoch", f->epoch);
	json_put_u64(&p->w, "promoted_at", f->promoted_at);
	json_put_u64(&p->w, "opened_at", f->opened_at);
	put_terms(p, f);
	put_deadlines(p, f);
	put_list(p, "guardians", f->guardians, f->n_guardians);
	put_list(p, "standbys", f->standbys, f->n_standbys);
	json_put_hash(&p->w, "root", f->root);
	json_put_u64(&p->w, "count", f->count);
	json_put_u64(&p->w, "last_at", f->last_at);
	json_put_u64(&p->w, "leaf_count", f->leaf_count);
	json_put_u64(&p->w, "inbox_through", f->inbox_through);
	json_put_u64(&p->w, "inbox_tail", f->inbox_tail);
	json_put_u64(&p->w, "withdraw_head", f->withdraw_head);
	json_put_u64(&p->w, "withdraw_tail", f->withdraw_tail);
	json_put_u64(&p->w, "state", f->state);
	json_put_u64(&p->w, "openings", f->openings);
	json_put_u64(&p->w, "overdue", f->overdue);
	json_put_amount(&p->w, "bond", f->bond);
	json_put_address(&p->w, "sequencer", f->sequencer);
	json_put_string(&p->w, "phase", phase_name(phase_of(f, f->block.time)));
	json_put_bool(&p->w, "openable", phase_openable(f, f->block.time));
	json_put_bool(&p->w, "exits", phase_exits_open(f, f->block.time));
}

static void on_slots(void *ctx, enum err err, const char *why,
		     const struct hash32 *words, size_t n)
{
	struct probe *p = ctx;
	put_outcome(p, err, why);
	json_begin_array(&p->w, "words");
	for (size_t i = 0; i < n; i++)
		json_put_hash(&p->w, NULL, words[i]);
	json_end_array(&p->w);
}

static void on_withdrawals(void *ctx, enum err err, const char *why,
			   const struct l1_withdrawal *entries, size_t n)
{
	struct probe *p = ctx;
	put_outcome(p, err, why);
	json_begin_array(&p->w, "entries");
	for (size_t i = 0; i < n; i++) {
		const struct l1_withdrawal *w = &entries[i];
		json_begin(&p->w, NULL);
		json_put_bool(&p->w, "there", w->there);
		json_put_address(&p->w, "owner", w->owner);
		json_put_u64(&p->w, "index", w->index);
		json_put_u64(&p->w, "stamp", w->stamp);
		json_put_u64(&p->w, "opening", w->opening);
		json_put_address(&p->w, "recipient", w->recipient);
		json_put_amount(&p->w, "amount", w->amount);
		json_put_address(&p->w, "payer", w->payer);
		json_put_amount(&p->w, "bounty", w->bounty);
		json_put_u64(&p->w, "fate", w->fate);
		json_end(&p->w);
	}
	json_end_array(&p->w);
}

static void on_account(void *ctx, enum err err, const char *why,
		       const struct account_state *state)
{
	struct probe *p = ctx;
	put_outcome(p, err, why);
	if (err)
		return;
	json_put_u64(&p->w, "nonce", state->nonce);
	json_put_amount(&p->w, "balance", state->balance);
	json_put_bool(&p->w, "proved", state->proved);
	json_put_u64(&p->w, "base_fee", state->base_fee);
	json_put_u64(&p->w, "tip", state->tip);
}

static void on_status(void *ctx, enum err err, const char *why,
		      const struct tx_status *status)
{
	static const char *const fates[] = {"unseen", "pending", "success",
					    "reverted"};
	struct probe *p = ctx;
	put_outcome(p, err, why);
	if (err)
		return;
	json_put_string(&p->w, "fate", fates[status->fate]);
	json_put_bool(&p->w, "proved", status->proved);
	json_put_u64(&p->w, "price", status->effective_price);
	json_put_u64(&p->w, "block", status->block);
	json_put_hash(&p->w, "block_hash", status->block_hash);
	json_put_u64(&p->w, "gas_used", status->gas_used);
	json_put_address(&p->w, "created", status->created);
}

static void on_send(void *ctx, enum send_verdict verdict, const char *text)
{
	static const char *const names[] = {"accepted",	 "underpriced",
					    "nonce_low", "no_funds",
					    "rejected",	 "no_answer"};
	struct probe *p = ctx;
	put_outcome(p, OK, text);
	json_put_string(&p->w, "verdict", names[verdict]);
}

static void on_estimate(void *ctx, enum err err, const char *why, uint64_t gas)
{
	struct probe *p = ctx;
	put_outcome(p, err, why);
	json_put_u64(&p->w, "gas", gas);
}

/* ---- commands --------------------------------------------------------------
 */

static struct address word_address(const char *text)
{
	struct address a;
	if (address_parse(slice_str(text), &a))
		die("a command with a bad address");
	return a;
}

static struct hash32 word_hash(const char *text)
{
	struct hash32 h;
	if (hash_parse(slice_str(text), &h))
		die("a command with a bad hash");
	return h;
}

static void spin(struct probe *p, const bool *done, uint64_t ms, int health)
{
	uint64_t until = clock_mono_ms() + ms;
	for (;;) {
		uint64_t next = l1_turn(p->l1, clock_mono_ms());
		if (p->follow)
			(void)follow_turn(p->follow, clock_mono_ms());
		uint64_t now = clock_mono_ms();
		if (*done || now >= until || health == l1_view(p->l1)->healthy)
			return;
		next = next < until ? next : until;
		http_client_wait(p->http, NULL, 0, next > now ? next - now : 0);
	}
}

static void run_follow(struct probe *p, char **words)
{
	struct follow_config config = {
		.addresses = {word_address(words[2]), word_address(words[3])},
		.n_addresses = 2,
		.with_input = {word_hash(words[4])},
		.n_with_input = 1,
		.tip = {.number = strtoull(words[1], NULL, 10)}};
	follow_free(p->follow);
	p->follow = follow_new(p->l1, &config);
	p->done = true;
}

static void put_log(struct probe *p, const struct l1_log *log)
{
	json_begin(&p->w, NULL);
	json_put_address(&p->w, "address", log->address);
	json_begin_array(&p->w, "topics");
	for (size_t i = 0; i < log->n_topics; i++)
		json_put_hash(&p->w, NULL, log->topics[i]);
	json_end_array(&p->w);
	json_put_hex(&p->w, "data", log->data.p, log->data.len);
	json_put_hex(&p->w, "input", log->input.p, log->input.len);
	json_put_hash(&p->w, "tx", log->tx);
	json_end(&p->w);
}

#define STEP_WAITS 200 /* of 50 ms: blocks may be late on a busy machine */

/* One step forward; a step back forgets all, as a store of one block would. */
static void run_step(struct probe *p)
{
	bool never = false;
	struct follow_step step = follow_peek(p->follow);
	for (int i = 0; step.move == FOLLOW_NONE && i < STEP_WAITS; i++) {
		spin(p, &never, 50, -1);
		step = follow_peek(p->follow);
	}
	static const char *const moves[] = {"none", "forward", "back"};
	put_outcome(p, OK, follow_trouble(p->follow));
	json_put_string(&p->w, "move", moves[step.move]);
	json_put_string(&p->w, "proofs", follow_proofs(p->follow));
	json_put_u64(&p->w, "behind", follow_behind(p->follow));
	put_block(p, "block", &step.block);
	json_begin_array(&p->w, "logs");
	for (size_t i = 0; i < step.n_logs; i++)
		put_log(p, &step.logs[i]);
	json_end_array(&p->w);
	struct block_ref tip = step.block;
	if (step.move == FOLLOW_BACK)
		tip = (struct block_ref){.number = step.block.number};
	if (step.move != FOLLOW_NONE)
		follow_ack(p->follow, &tip);
}

static enum err start_estimate(struct probe *p, char **words, struct buf *data)
{
	if (hex_decode_buf(slice_str(words[3]), data))
		die("bad data");
	return tx_estimate(p->l1, word_address(words[1]), false,
			   word_address(words[2]), u256_from(0),
			   buf_slice(data), on_estimate, p);
}

static enum err start_slots(struct probe *p, char **words)
{
	struct hash32 slots[WORDS_MAX];
	size_t n = 0;
	for (; words[2 + n]; n++)
		slots[n] = word_hash(words[2 + n]);
	return l1_slots(p->l1, word_address(words[1]), slots, n,
			l1_view(p->l1)->head.hash, on_slots, p);
}

static enum err start_withdrawals(struct probe *p, char **words)
{
	uint64_t ids[WORDS_MAX];
	size_t n = 0;
	for (; words[2 + n]; n++)
		ids[n] = strtoull(words[2 + n], NULL, 10);
	return l1_withdrawals(p->l1, word_address(words[1]), ids, n,
			      l1_view(p->l1)->head.hash, on_withdrawals, p);
}

static enum err start(struct probe *p, char **words, struct buf *data)
{
	const char *name = words[0];
	if (!strcmp(name, "facts")) {
		struct block_ref at = l1_view(p->l1)->acted;
		if (words[2])
			at = (struct block_ref){
				.number = strtoull(words[2], NULL, 10),
				.hash = word_hash(words[3]),
				.time = strtoull(words[4], NULL, 10)};
		return hatch_read(p->l1, word_address(words[1]), &at, on_facts,
				  p);
	}
	if (!strcmp(name, "account"))
		return account_read(p->l1, word_address(words[1]), on_account,
				    p);
	if (!strcmp(name, "status"))
		return tx_status_read(p->l1, word_hash(words[1]), on_status, p);
	if (!strcmp(name, "send")) {
		if (hex_decode_buf(slice_str(words[1]), data))
			die("bad transaction");
		return tx_broadcast(p->l1, buf_slice(data), on_send, p);
	}
	if (!strcmp(name, "estimate"))
		return start_estimate(p, words, data);
	if (!strcmp(name, "slots"))
		return start_slots(p, words);
	if (!strcmp(name, "withdrawals"))
		return start_withdrawals(p, words);
	die("no such command");
}

static void run(struct probe *p, char **words, size_t n)
{
	const char *name = words[0];
	uint64_t ms = n > 1 ? strtoull(words[1], NULL, 10) : 0;
	struct buf data;
	buf_init(&data, LINE_BYTES);
	p->done = false;
	if (!strcmp(name, "view"))
		put_view(p);
	else if (!strcmp(name, "wait") || !strcmp(name, "healthy") ||
		 !strcmp(name, "unhealthy")) {
		spin(p, &p->done, ms,
		     *name == 'w' ? -1 : !strcmp(name, "healthy"));
		put_view(p);
	} else if (!strcmp(name, "follow") && n == 5)
		run_follow(p, words);
	else if (!strcmp(name, "step"))
		run_step(p);
	else if (start(p, words, &data))
		die("an ask that could not start");
	else {
		spin(p, &p->done, COMMAND_MS, -1);
		if (!p->done)
			die("no answer");
	}
	buf_done(&data);
}

static void serve(struct probe *p)
{
	static char line[LINE_BYTES];
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	for (;;) {
		char *words[WORDS_MAX + 1] = {NULL}, *at = line;
		size_t n = 0;
		uint64_t now = clock_mono_ms();
		uint64_t next = l1_turn(p->l1, now);
		http_client_wait(p->http, &in, 1, next - now);
		if (!in.revents)
			continue;
		if (!fgets(line, sizeof(line), stdin))
			return;
		line[strcspn(line, "\n")] = '\0';
		while (n < WORDS_MAX && (words[n] = strsep(&at, " ")))
			n++;
		buf_clear(&p->out);
		p->w = json_writer(&p->out);
		json_begin(&p->w, NULL);
		run(p, words, n);
		json_end(&p->w);
		(void)printf("%s\n", buf_cstr(&p->out));
		(void)fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	struct settings settings = settings_defaults();
	struct config *config;
	struct settings_warnings warnings;
	struct err_text error;
	struct probe p = {.http = http_client_new()};
	if (argc != 2 || !p.http)
		die("usage: l1_probe CONFIG");
	if (config_read(argv[1], fields, &settings, &config, &error) ||
	    settings_check(config, &settings, &warnings, &error) ||
	    l1_new(&settings, p.http, &p.l1, &error))
		die(error.text);
	setvbuf(stdin, NULL, _IONBF, 0);
	buf_init(&p.out, OUT_MAX);
	serve(&p);
	follow_free(p.follow);
	l1_free(p.l1);
	http_client_free(p.http);
	config_free(config);
	buf_done(&p.out);
	return 0;
}
