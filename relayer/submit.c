#include "relayer/submit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi/hex.h"
#include "abi/keccak.h"
#include "relayer/flight.h"
#include "sys/clock.h"
#include "sys/log.h"

struct submit *submit_new(struct l1 *l1, struct signer_client *signer,
			  const struct relayer_config *config,
			  const struct nonces *nonces, submit_news *news,
			  void *ctx)
{
	struct submit *s = calloc(1, sizeof(*s));

	if (!s)
		fatal("out of memory", "submit");
	s->l1 = l1;
	s->signer = signer;
	s->config = config;
	s->nonces = nonces;
	s->policy = relayer_fee_policy(config);
	s->news = news;
	s->news_ctx = ctx;
	return s;
}

void submit_free(struct submit *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < FLIGHTS_ALL; i++)
		if (s->flights[i].stage != FLIGHT_FREE)
			flight_free(&s->flights[i]);
	free(s);
}

static struct u256 most(const struct flight *f)
{
	struct u256 all;

	if (!flight_cost(f, &f->fee, &all))
		return (struct u256){{UINT64_MAX, UINT64_MAX, UINT64_MAX, 0}};
	return all;
}

/* ---- a start: what was stored ------------------------------------------- */

/* Its transactions can only be watched and replaced with its own key. */
static enum err other_account(const struct submit *s, struct address sender,
			      uint64_t nonce, struct err_text *error)
{
	err_text_set(error,
		     "account: transactions of %s are on their way still, from "
		     "nonce %llu on, and the config says %s: set it back until "
		     "in_flight of /v1/status is 0",
		     address_text(sender).s, (unsigned long long)nonce,
		     address_text(s->config->account).s);
	return ERR_CONFLICT;
}

static enum err load_one(struct submit *s, struct store_txn *txn,
			 const struct sent_tx *stored, struct err_text *error)
{
	struct flight *f = flight_place(s);
	struct signature signature;
	struct address sender;
	struct tx tx;

	if (!f || tx_decode_signed(stored->raw, &tx, &signature, &sender))
		return ERR_UNSAFE;
	if (!address_eq(sender, s->config->account))
		return other_account(s, sender, stored->nonce, error);
	f->task = (struct task){.key = stored->task,
				.purpose = stored->purpose,
				.to = tx.to,
				.value = tx.value};
	buf_init(&f->task.data, TX_DATA_MAX);
	buf_add_slice(&f->task.data, tx.data);
	buf_add_slice(&f->raw, stored->raw);
	f->gas = tx.gas;
	f->nonce = tx.nonce;
	f->fee = (struct fee){u256_u64(tx.max_fee), u256_u64(tx.max_tip)};
	f->cost = most(f);
	enum err err =
		nonces_older(txn, s->nonces, f->nonce, f->hashes, &f->n_hashes);
	flight_add_hash(f, stored->hash);
	f->status_version = f->n_hashes - 1;
	f->maybe_held = true;
	flight_set_stage(f, FLIGHT_SENT);
	return err;
}

enum err submit_load(struct submit *s, struct store_txn *txn,
		     struct err_text *error)
{
	struct sent_tx *list = calloc(FLIGHTS_ALL, sizeof(*list));
	size_t n;

	if (!list)
		fatal("out of memory", "submit");
	enum err err = requests_tx_list(txn, s->nonces->requests, 0, list,
					FLIGHTS_ALL, &n);

	for (size_t i = 0; i < n && !err; i++)
		err = load_one(s, txn, &list[i], error);
	if (!err && n)
		log_notice("transactions taken up again", "count", log_u64(n).s,
			   "from_nonce", log_u64(list[0].nonce).s);
	free(list);
	return err;
}

/* ---- wanting ------------------------------------------------------------ */

static struct refusal *find_refusal(const struct submit *s, struct hash32 key)
{
	for (size_t i = 0; i < REFUSALS_MAX; i++)
		if (s->refusals[i].times && hash_eq(s->refusals[i].key, key))
			return (struct refusal *)&s->refusals[i];
	return NULL;
}

static void note_refusal(struct submit *s, const struct flight *f,
			 uint64_t now_ms, uint64_t first_ms)
{
	struct hash32 data = keccak256(f->task.data.p, f->task.data.len);
	struct refusal *r = find_refusal(s, f->task.key);
	uint64_t wait_ms = first_ms;

	if (!r) {
		r = &s->refusals[s->next_refusal++ % REFUSALS_MAX];
		*r = (struct refusal){.key = f->task.key};
	}
	for (unsigned i = 0; i < r->times && wait_ms < REFUSED_LAST_MS; i++)
		wait_ms *= 2;
	if (wait_ms > REFUSED_LAST_MS)
		wait_ms = REFUSED_LAST_MS;
	r->times++;
	r->data = data;
	r->until_ms = now_ms + wait_ms;
}

bool submit_flying(const struct submit *s, struct hash32 key)
{
	return flight_find((struct submit *)s, key) != NULL;
}

bool submit_waits(const struct submit *s, uint64_t now_ms, struct hash32 key)
{
	const struct refusal *r = find_refusal(s, key);

	return submit_flying(s, key) ||
	       (r && now_ms < r->until_ms && r->times > 1);
}

enum want submit_want(struct submit *s, const struct turn *t, struct task *task)
{
	const struct refusal *r = find_refusal(s, task->key);
	enum want want = WANT_TAKEN;
	struct flight *f = NULL;

	assert(!task->data.failed);
	if (submit_flying(s, task->key))
		want = WANT_FLYING;
	else if (r && t->now_ms < r->until_ms &&
		 hash_eq(r->data, keccak256(task->data.p, task->data.len)))
		want = WANT_HELD;
	else if (!flight_may_start(s, task) || !(f = flight_place(s)))
		want = WANT_FULL;
	if (want != WANT_TAKEN) {
		buf_done(&task->data);
		return want;
	}
	f->task = *task;
	task->data = (struct buf){0};
	f->since_ms = t->now_ms;
	f->gas = task->gas;
	flight_set_stage(f, f->gas ? FLIGHT_READY : FLIGHT_WANTED);
	return want;
}

bool submit_reverted(const struct submit *s, struct hash32 key)
{
	const struct flight *f = flight_find((struct submit *)s, key);

	return f && f->stage == FLIGHT_MINED && f->mined.fate == TX_REVERTED;
}

void submit_forget(struct submit *s, struct hash32 key)
{
	struct flight *f = flight_find(s, key);

	/* An estimate under way finds the place free, and it stays so. */
	if (f && (f->stage == FLIGHT_WANTED || f->stage == FLIGHT_READY))
		flight_free(f);
}

size_t submit_count(const struct submit *s, enum ask_purpose purpose)
{
	size_t n = 0;

	for (size_t i = 0; i < FLIGHTS_ALL; i++)
		n += s->flights[i].stage != FLIGHT_FREE &&
		     s->flights[i].task.purpose == purpose;
	return n;
}

size_t submit_pending(const struct submit *s, enum ask_purpose purpose)
{
	size_t n = 0;

	for (size_t i = 0; i < FLIGHTS_ALL; i++)
		n += s->flights[i].stage != FLIGHT_FREE &&
		     s->flights[i].stage != FLIGHT_MINED &&
		     s->flights[i].task.purpose == purpose;
	return n;
}

const struct account_state *submit_account(const struct submit *s)
{
	return s->account_known ? &s->account : NULL;
}

const char *submit_trouble(const struct submit *s)
{
	return *s->barred ? s->barred : s->held;
}

/* ---- what came back: stored and told ------------------------------------ */

static enum err store_version(struct submit *s, struct turn *t,
			      struct flight *f)
{
	struct sent_tx stored = {
		.nonce = f->nonce,
		.purpose = (uint8_t)f->task.purpose,
		.task = f->task.key,
		.sent_at_ms = clock_unix_ms(),
		.max_fee = u256_from(f->fee.max_fee),
		.max_tip = u256_from(f->fee.tip),
		.gas = f->gas,
	};
	struct tx tx = submit_tx(s, f, &f->fee);

	buf_clear(&f->raw);
	tx_encode_signed(&tx, &f->signature, &f->raw);
	if (f->raw.failed)
		return ERR_TOO_LARGE;
	stored.raw = buf_slice(&f->raw);
	stored.hash = tx_hash(stored.raw);
	f->sent_ms = 0;
	f->accepted = false;
	f->raise = false;
	f->rejected = 0;
	f->cost = most(f);
	flight_add_hash(f, stored.hash);
	f->status_version = f->n_hashes - 1;
	enum err err = nonces_put(t->txn, s->nonces, &stored);
	if (err)
		return err;
	struct task_news news = flight_news(f, TASK_SIGNED);
	return s->news(s->news_ctx, t, &news);
}

static enum err write_refused(struct submit *s, struct turn *t,
			      struct flight *f)
{
	struct task_news news = flight_news(
		f, f->refused_by_signer ? TASK_UNSIGNED : TASK_REFUSED);
	note_refusal(s, f, t->now_ms,
		     f->refused_by_signer ? UNSIGNED_MS : REFUSED_FIRST_MS);
	enum err err = s->news(s->news_ctx, t, &news);
	flight_free(f);
	return err;
}

static enum err write_sent(struct submit *s, struct turn *t, struct flight *f)
{
	enum err err = OK;

	if (f->replace == REPLACE_SIGNED) {
		f->replace = REPLACE_NONE;
		f->fee = f->next_fee;
		err = store_version(s, t, f);
	}
	if (!err && f->accepted && !f->told_sent) {
		struct task_news news = flight_news(f, TASK_SENT);
		f->told_sent = true;
		err = s->news(s->news_ctx, t, &news);
	}
	return err ? err : track_write(s, t, f);
}

/* Whoever wanted it is told, and wants it again if it is still right. */
static enum err drop_if_stale(struct submit *s, struct turn *t,
			      struct flight *f)
{
	if (f->asking || t->now_ms <= f->since_ms + FLIGHT_STALE_MS)
		return OK;
	snprintf(f->why, sizeof(f->why), "not sent: %.120s",
		 *s->held ? s->held : "no answer");
	struct task_news news = flight_news(f, TASK_DROPPED);
	enum err err = s->news(s->news_ctx, t, &news);
	flight_free(f);
	return err;
}

/* Every node refuses these bytes and none ever took any: nothing can come of
 * them, and what comes behind must not wait for this nonce. */
static enum err give_up(struct submit *s, struct turn *t, struct flight *f)
{
	struct task_news news = flight_news(f, TASK_DROPPED);

	log_warn("every node refuses it: its nonce is free again", "nonce",
		 log_u64(f->nonce).s, "why", f->why);
	note_refusal(s, f, t->now_ms, REFUSED_FIRST_MS);
	enum err err = nonces_release(t->txn, s->nonces, f->nonce);
	if (!err)
		err = s->news(s->news_ctx, t, &news);
	flight_free(f);
	return err;
}

static enum err write_one(struct submit *s, struct turn *t, struct flight *f)
{
	switch (f->stage) {
	case FLIGHT_FREE:
	case FLIGHT_SIGNING:
		return OK;
	case FLIGHT_WANTED:
	case FLIGHT_READY:
		return drop_if_stale(s, t, f);
	case FLIGHT_REFUSED:
		return write_refused(s, t, f);
	case FLIGHT_SIGNED:
		flight_set_stage(f, FLIGHT_SENT);
		return store_version(s, t, f);
	case FLIGHT_SENT:
		if (f->rejected >= REJECTED_TRIES && !f->maybe_held &&
		    !f->asking && f->replace == REPLACE_NONE)
			return give_up(s, t, f);
		return write_sent(s, t, f);
	case FLIGHT_MINED:
		return track_write(s, t, f);
	}
	return OK;
}

enum err submit_write(struct submit *s, struct turn *t)
{
	enum err err = OK;

	if (t->facts)
		s->acted = t->facts->block;
	for (size_t i = 0; i < FLIGHTS_ALL && !err; i++)
		err = write_one(s, t, &s->flights[i]);
	return err;
}
