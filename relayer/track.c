/* What became of the transactions that were sent.
 *
 * A null receipt is no failure: the same bytes go out again.  Final is what
 * is in a block at or below the one acted on, read again then; a reorg before
 * that moves it back. */
#include "abi/hex.h"
#include "relayer/flight.h"
#include "sys/log.h"

static void status_came(void *ctx, enum err err, const char *why,
			const struct tx_status *status)
{
	struct flight *f = ctx;

	(void)why;
	f->asking--;
	f->status_asked = false;
	if (f->stage != FLIGHT_SENT && f->stage != FLIGHT_MINED)
		return;
	if (err) { /* providers a block apart: asked again at the next head */
		return;
	}
	f->status = *status;
	f->has_status = true;
}

static void ask_status(struct submit *s, struct flight *f, size_t version,
		       uint64_t key)
{
	if (f->status_asked || f->has_status || f->status_key == key)
		return;
	if (tx_status_read(s->l1, f->hashes[version], status_came, f))
		return; /* busy: next turn */
	f->asking++;
	f->status_asked = true;
	f->status_version = version;
	f->status_key = key;
	f->status_acted = s->acted.number;
}

/* In a block, as far as we know: is that block final, or has the account
 * fallen back behind it?  Then a reorg took it, and all nonces behind it wait
 * until it is sent again. */
static bool mined_is_due(const struct submit *s, const struct flight *f)
{
	return s->acted.number >= f->mined.block ||
	       (s->account_known && f->nonce >= s->account.nonce);
}

void track_start(struct submit *s, const struct turn *t)
{
	uint64_t head = t->view->head.number;

	for (size_t i = 0; i < FLIGHTS_ALL; i++) {
		struct flight *f = &s->flights[i];
		if (f->stage == FLIGHT_MINED && mined_is_due(s, f))
			ask_status(s, f, f->mined_version, head);
		if (f->stage != FLIGHT_SENT || !s->account_known || !head)
			continue;
		if (f->nonce >= s->account.nonce)
			f->passed_at = 0; /* not used after all */
		else
			ask_status(s, f,
				   f->status_version < f->n_hashes
					   ? f->status_version
					   : f->n_hashes - 1,
				   head);
	}
}

static enum err tell(struct submit *s, struct turn *t, const struct flight *f,
		     enum task_event event)
{
	struct task_news news = flight_news(f, event);

	return s->news(s->news_ctx, t, &news);
}

static uint64_t lowest_left(const struct submit *s, const struct flight *gone)
{
	uint64_t lowest = UINT64_MAX;

	for (size_t i = 0; i < FLIGHTS_ALL; i++) {
		const struct flight *f = &s->flights[i];
		if (f != gone && flight_has_nonce(f) && f->nonce < lowest)
			lowest = f->nonce;
	}
	return lowest == UINT64_MAX ? gone->nonce + 1 : lowest;
}

static enum err end(struct submit *s, struct turn *t, struct flight *f,
		    enum task_event event)
{
	uint64_t below = lowest_left(s, f);
	enum err err = tell(s, t, f, event);

	if (!err)
		err = nonces_forget(t->txn, s->nonces, below);
	if (below > s->final_below)
		s->final_below = below;
	flight_free(f);
	t->again = true; /* others may act on it now */
	return err;
}

/* Counts what it cost, once: when it is final. */
static enum err count_cost(struct submit *s, struct turn *t,
			   const struct flight *f)
{
	uint64_t life = t->facts ? t->facts->openings : 0;
	struct u256 cost;

	if (!u256_mul64(u256_from(f->mined.gas_used), f->mined.effective_price,
			&cost))
		return ERR_TOO_LARGE;
	if (f->mined.fate == TX_SUCCESS &&
	    !u256_add(cost, flight_value(f, &f->fee), &cost))
		return ERR_TOO_LARGE;
	enum err err = spent_add(t->txn, s->nonces, SPENT_HOUR,
				 t->head_time / 3600, cost);
	if (!err)
		err = spent_add(t->txn, s->nonces, SPENT_LIFE, life, cost);
	if (!err && f->task.purpose == PURPOSE_EVACUATE)
		err = spent_add(t->txn, s->nonces, SPENT_EVACUATION, life,
				cost);
	return err;
}

static bool in_block(const struct tx_status *status)
{
	return status->fate == TX_SUCCESS || status->fate == TX_REVERTED;
}

static enum err write_waiting(struct submit *s, struct turn *t,
			      struct flight *f)
{
	if (in_block(&f->status)) {
		f->mined = f->status;
		f->mined_version = f->status_version;
		f->status_key = 0;
		/* Whatever replacement was asked for comes too late. */
		f->replace = REPLACE_NONE;
		flight_set_stage(f, FLIGHT_MINED);
		log_info("mined", "nonce", log_u64(f->nonce).s, "tx",
			 hash_text(f->hashes[f->mined_version]).s, "fate",
			 f->mined.fate == TX_SUCCESS ? "success" : "reverted",
			 "block", log_u64(f->mined.block).s, "gas",
			 log_u64(f->mined.gas_used).s);
		return tell(s, t, f, TASK_MINED);
	}
	if (f->nonce >= s->account.nonce)
		return OK;
	/* The nonce is used: by an earlier version, or by somebody else. */
	if (f->status_version) {
		f->status_version--;
		f->status_key = 0; /* at once */
		return OK;
	}
	f->status_version = f->n_hashes - 1;
	if (!f->passed_at)
		f->passed_at = t->view->head.number;
	if (s->acted.number < f->passed_at)
		return OK;
	log_warn("nonce was used by another transaction", "nonce",
		 log_u64(f->nonce).s, "ours", hash_text(*flight_hash(f)).s);
	return end(s, t, f, TASK_LOST);
}

static enum err write_mined(struct submit *s, struct turn *t, struct flight *f)
{
	if (!in_block(&f->status)) {
		log_warn("its block is gone, sending it again", "nonce",
			 log_u64(f->nonce).s);
		flight_set_stage(f, FLIGHT_SENT);
		f->sent_ms = 0;
		f->passed_at = f->first_head = 0; /* it waits anew */
		f->status_key = 0;
		f->status_version = f->n_hashes - 1;
		return tell(s, t, f, TASK_BACK);
	}
	bool same = hash_eq(f->status.block_hash, f->mined.block_hash);
	if (!same) { /* a reorg took it along */
		enum err err = tell(s, t, f, TASK_BACK);
		f->mined = f->status;
		f->status_key = 0;
		return err ? err : tell(s, t, f, TASK_MINED);
	}
	f->mined = f->status;
	/* Final only if it was asked for when the block was final already. */
	if (f->status_acted < f->mined.block)
		return OK;
	enum err err = count_cost(s, t, f);
	return err ? err : end(s, t, f, TASK_FINAL);
}

enum err track_write(struct submit *s, struct turn *t, struct flight *f)
{
	if (!f->has_status)
		return OK;
	f->has_status = false;
	return f->stage == FLIGHT_MINED ? write_mined(s, t, f)
					: write_waiting(s, t, f);
}
