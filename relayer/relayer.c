#include "relayer/relayer.h"

#include <stdio.h>
#include <stdlib.h>

#include "abi/hex.h"
#include "l1/tell.h"
#include "relayer/carry.h"
#include "relayer/evacuate.h"
#include "relayer/execute.h"
#include "relayer/limits.h"
#include "relayer/settle.h"
#include "relayer/status.h"
#include "relayer/wishes.h"
#include "sys/log.h"

struct relayer {
	const struct relayer_config *config;
	struct http_client *http;
	struct signer_client *signer;
	struct parts parts;
	struct book *book;
	struct board *board;
	struct intake *intake;
	struct carry *carry;
	struct execute *execute;
	struct wishes *wishes;
	struct evacuate *evacuate;
	struct settle *settle;
	/* L1's facts at the block acted on */
	struct hatch_facts facts;
	bool known, moved, asked, at_head;
	uint64_t retry_ms;
	char facts_why[HATCH_WHY_MAX];
	char verdict[sizeof(struct err_text)];
	struct hash32 head; /* seen last */
	bool fill_said;
	struct tell tell;
	uint64_t reaped_ms;
	enum phase phase;
};

static enum err on_news(void *ctx, struct turn *t, const struct task_news *news)
{
	struct relayer *r = ctx;

	if (news->event == TASK_REFUSED)
		log_info("task would fail now", "task", hash_text(news->key).s,
			 "why", news->why);
	else if (news->event == TASK_UNSIGNED)
		log_error("the signer refuses", "task", hash_text(news->key).s,
			  "why", news->why);
	carry_news(r->carry, t, news);
	execute_news(r->execute, news);
	wishes_news(r->wishes, news);
	evacuate_news(r->evacuate, t, news);
	settle_news(r->settle, t, news);
	return book_news(r->book, t, news);
}

static enum err open_store(struct relayer *r, struct err_text *error)
{
	struct store_txn *txn;
	enum err err = store_begin(r->parts.store, true, &txn);

	if (err)
		goto out;
	err = requests_open(txn, &r->parts.requests);
	if (!err)
		err = nonces_open(txn, &r->parts.requests, &r->parts.nonces);
	if (!err)
		err = evidence_open(txn, r->config->shared.store.map_size,
				    &r->parts.evidence);
	if (!err)
		err = submit_load(r->parts.submit, txn, error);
	if (!err)
		err = book_load(r->book, txn);
	if (err)
		store_abort(txn);
	else
		err = store_commit(txn);
out:
	if (err == ERR_FULL)
		err_text_set(error,
			     "store %s is full: raise store.map_size in the "
			     "config, or free its disk",
			     r->config->shared.store.path);
	else if (err && err != ERR_CONFLICT) /* that one is told already */
		err_text_set(error,
			     "store %s: %s: restore it from a copy, or "
			     "move it away to begin anew",
			     r->config->shared.store.path, err_name(err));
	return err;
}

static _Noreturn void store_fails(enum err err, const char *where)
{
	fatal(err == ERR_FULL ? "the store is full: raise store.map_size in "
				"the config, or free its disk"
			      : err_name(err),
	      where);
}

enum err relayer_new(const struct relayer_config *config,
		     struct http_client *http, struct l1 *l1,
		     struct signer_client *signer, struct store *store,
		     struct relayer **ret, struct err_text *error)
{
	struct relayer *r = calloc(1, sizeof(*r));

	if (!r)
		fatal("out of memory", "relayer");
	r->config = config;
	r->http = http;
	r->signer = signer;
	r->phase = PHASE_UNKNOWN;
	r->parts = (struct parts){.config = config, .l1 = l1, .store = store};
	r->parts.peers = peers_new(http, "watcher", &config->shared.peers);
	r->parts.events = events_new(l1);
	r->parts.witness = witness_new(l1);
	r->parts.submit =
		submit_new(l1, signer, config, &r->parts.nonces, on_news, r);
	r->book = book_new(&r->parts);
	r->board = board_new();
	r->intake = intake_new(&r->parts, r->board);
	r->carry = carry_new(&r->parts);
	r->execute = execute_new(&r->parts);
	r->wishes = wishes_new(&r->parts, http, r->book);
	r->evacuate = evacuate_new(&r->parts, r->wishes);
	r->settle = settle_new(&r->parts);
	enum err err = open_store(r, error);
	if (err) {
		relayer_free(r);
		return err;
	}
	*ret = r;
	return OK;
}

void relayer_free(struct relayer *r)
{
	if (!r)
		return;
	settle_free(r->settle);
	evacuate_free(r->evacuate);
	wishes_free(r->wishes);
	execute_free(r->execute);
	carry_free(r->carry);
	intake_free(r->intake);
	board_free(r->board);
	book_free(r->book);
	submit_free(r->parts.submit);
	witness_free(r->parts.witness);
	events_free(r->parts.events);
	peers_free(r->parts.peers);
	free(r);
}

int relayer_fd(const struct relayer *r)
{
	return board_fd(r->board);
}

struct intake *relayer_intake(const struct relayer *r)
{
	return r->intake;
}

const char *relayer_verdict(const struct relayer *r)
{
	return r->verdict;
}

void relayer_close(struct relayer *r)
{
	intake_close(r->intake);
}

/* ---- facts -------------------------------------------------------------- */

static void no_hatch(struct relayer *r, const char *why)
{
	struct err_text text;

	settings_complain(&r->config->shared, "chain.hatch", &text, "%s", why);
	memcpy(r->verdict, text.text, sizeof(r->verdict));
}

static void facts_came(void *ctx, enum err err, const char *why,
		       const struct hatch_facts *facts)
{
	struct relayer *r = ctx;
	bool at_head = r->at_head;

	r->asked = r->at_head = false;
	snprintf(r->facts_why, sizeof(r->facts_why), "%s", err ? why : "");
	if (err == ERR_INVALID && !r->known) {
		/* It may have been deployed a moment ago: is it at the head? */
		r->at_head = !at_head;
		if (at_head)
			no_hatch(r, why);
	}
	if (err || at_head)
		return;
	r->facts = *facts;
	r->known = true;
	l1_set_sla(r->parts.l1, facts->terms.sla_window);
	r->moved = true;
}

static void ask_facts(struct relayer *r, const struct l1_view *view,
		      uint64_t now_ms)
{
	const struct block_ref *at = r->at_head ? &view->head : &view->acted;

	if (!view->healthy || r->asked ||
	    (r->known && hash_eq(r->facts.block.hash, at->hash)) ||
	    (!r->at_head && !r->moved && now_ms < r->retry_ms))
		return;
	r->retry_ms = now_ms;
	if (*r->facts_why)
		r->retry_ms += FACTS_RETRY_MS;
	if (!hatch_read(r->parts.l1, r->config->shared.chain.hatch, at,
			facts_came, r))
		r->asked = true;
}

/* Too many providers are on another chain: nothing here can ever be right. */
static void judge_chain(struct relayer *r)
{
	struct err_text why;

	if (l1_is_hopeless(r->parts.l1, &why))
		memcpy(r->verdict, why.text, sizeof(r->verdict));
}

/* ---- the turn ----------------------------------------------------------- */

static struct turn look(struct relayer *r, uint64_t now_ms)
{
	const struct l1_view *view = l1_view(r->parts.l1);
	struct turn t = {.now_ms = now_ms,
			 .view = view,
			 .facts = r->known ? &r->facts : NULL,
			 .facts_moved = r->moved,
			 .head_moved = !hash_eq(r->head, view->head.hash),
			 .head_time = view->head.time,
			 .phase = PHASE_UNKNOWN};

	r->moved = false;
	r->head = view->head.hash;
	if (turn_sees(&t))
		t.phase = phase_of(t.facts, t.head_time);
	if (t.phase != r->phase) {
		log_notice("phase", "was", phase_name(r->phase), "is",
			   phase_name(t.phase));
		r->phase = t.phase;
	}
	return t;
}

static enum err decide(struct relayer *r, struct turn *t)
{
	struct evidence_into into = {.txn = t->txn,
				     .store = r->parts.store,
				     .evidence = &r->parts.evidence};
	enum err err = tell_kept(r->parts.l1, evidence_keep, &into);

	if (!err)
		err = submit_write(r->parts.submit, t);
	if (err)
		return err;
	/* What everybody waits for takes its places first. */
	carry_turn(r->carry, t);
	execute_turn(r->execute, t);
	book_measure(r->book);
	err = intake_turn(r->intake, r->book, t);
	if (!err)
		err = book_turn(r->book, t);
	if (err)
		return err;
	witness_turn(r->parts.witness, t,
		     book_wishes_wait(r->book, t) ||
			     book_payments_due(r->book, t));
	wishes_turn(r->wishes, t);
	err = evacuate_turn(r->evacuate, t);
	if (err)
		return err;
	settle_turn(r->settle, t);
	return submit_sign(r->parts.submit, t);
}

static void publish(struct relayer *r, struct turn *t)
{
	struct status_view view = {
		.config = r->config,
		.turn = t,
		.account = submit_account(r->parts.submit),
		.held = submit_trouble(r->parts.submit),
		.signer = signer_client_trouble(r->signer),
		.facts_why = r->facts_why,
		.room = book_room(r->book),
		.open = book_open(r->book),
		.bundles = carry_bundles(r->carry),
		.withdrawals = execute_open(r->execute),
		.evacuation = evacuate_progress(r->evacuate),
		.peers = peers_count(r->parts.peers),
		.peers_usable = peers_usable(r->parts.peers, t->now_ms),
	};

	view.in_flight = submit_count(r->parts.submit, PURPOSE_CARRY) +
			 submit_count(r->parts.submit, PURPOSE_EXECUTE) +
			 submit_count(r->parts.submit, PURPOSE_EVACUATE) +
			 submit_count(r->parts.submit, PURPOSE_OPEN);
	if (!t->facts || spent_get(t->txn, &r->parts.nonces, SPENT_EVACUATION,
				   t->facts->openings, &view.spent))
		view.spent = u256_from(0);
	status_publish(&view, r->board);
}

static void keep_house(struct relayer *r, uint64_t now_ms)
{
	unsigned percent = room_percent(book_room(r->book));
	bool filling = percent >= STORE_WARN_PERCENT;

	if (filling && !r->fill_said)
		log_warn("the store is filling up: raise store.map_size",
			 "percent", log_u64(percent).s);
	r->fill_said = filling;
	if (now_ms - r->reaped_ms < STORE_REAP_MS)
		return;
	r->reaped_ms = now_ms;
	store_reap_readers(r->parts.store);
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_turn(struct relayer *r, const struct turn *t,
			  uint64_t l1_next)
{
	uint64_t next =
		earliest(l1_next, t->now_ms + r->config->shared.poll_ms);

	if (t->again || r->moved)
		return t->now_ms;
	next = earliest(next, submit_next(r->parts.submit, t->now_ms));
	next = earliest(next, intake_next(r->intake));
	next = earliest(next, carry_next(r->carry));
	next = earliest(next, execute_next(r->execute));
	next = earliest(next, witness_next(r->parts.witness));
	next = earliest(next, wishes_next(r->wishes));
	next = earliest(next, evacuate_next(r->evacuate));
	return earliest(next, settle_next(r->settle));
}

uint64_t relayer_step(struct relayer *r, uint64_t now_ms)
{
	http_client_turn(r->http);
	uint64_t next = l1_turn(r->parts.l1, now_ms);
	signer_client_turn(r->signer, now_ms);
	judge_chain(r);
	ask_facts(r, l1_view(r->parts.l1), now_ms);

	struct turn t = look(r, now_ms);
	enum err err = store_begin(r->parts.store, true, &t.txn);
	if (err)
		store_fails(err, "the store does not begin");
	err = decide(r, &t);
	if (err) {
		store_abort(t.txn);
		store_fails(err, "relayer store");
	}
	publish(r, &t);
	err = store_commit(t.txn);
	if (err)
		store_fails(err, "the store does not commit");
	tell_providers(&r->tell, r->parts.l1, "", now_ms);
	keep_house(r, now_ms);
	intake_answer(r->intake);
	submit_start(r->parts.submit, &t);
	next = earliest(next, signer_client_turn(r->signer, now_ms));
	return next_turn(r, &t, next);
}
