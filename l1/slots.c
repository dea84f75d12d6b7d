#include <assert.h>
#include <stdlib.h>

#include "abi/typed.h"
#include "l1/rpc.h"
#include "l1/slots_impl.h"
#include "l1/state.h"

#define PARAMS_MAX 320

static const char busy[] = "too many L1 reads at once";

static enum err ask_next(struct slots_op *s);

static size_t n_next(const struct slots_op *s)
{
	size_t n = s->n - s->from;
	return n < STATE_SLOTS_MAX ? n : STATE_SLOTS_MAX;
}

/* n more words are there. */
static void take(struct slots_op *s, size_t n)
{
	s->from += n;
	if (s->from == s->n)
		s->came(s, OK, "");
	else if (ask_next(s))
		s->came(s, ERR_BUSY, busy);
}

static void on_told(void *ctx, const struct quorum_result *results, size_t n)
{
	struct slots_op *s = ctx;
	struct json_reader r = {0};
	for (size_t i = 0; i < n; i++) {
		if (results[i].err) {
			s->came(s, results[i].err, results[i].text);
			return;
		}
		s->words[s->from + i] = json_hash(&r, results[i].result, NULL);
	}
	if (r.failed)
		s->came(s, ERR_IO, "eth_getStorageAt returned no word");
	else
		take(s, n);
}

static enum err ask_told(struct slots_op *s)
{
	struct rpc_call calls[STATE_SLOTS_MAX];
	struct buf params[STATE_SLOTS_MAX];
	size_t n = n_next(s);
	assert(n > 0);
	for (size_t i = 0; i < n; i++) {
		buf_init(&params[i], PARAMS_MAX);
		rpc_params_slot(&params[i], s->at, s->slots[s->from + i],
				s->block);
		calls[i] = (struct rpc_call){.method = "eth_getStorageAt",
					     .params = buf_slice(&params[i]),
					     .pinned = true};
	}
	enum err err = quorum_ask(s->op.l1->quorum, calls, n, QUORUM_AGREE,
				  L1_ASK_MS, on_told, s);
	for (size_t i = 0; i < n; i++)
		buf_done(&params[i]);
	return err;
}

static enum proved verify(void *ctx, const json_node *const *results, size_t n,
			  struct err_text *error)
{
	struct slots_op *s = ctx;
	struct u256 values[STATE_SLOTS_MAX];
	struct trie_account account;
	(void)n;
	n = n_next(s);
	enum proved proved =
		state_prove(results, s->block, s->at, s->slots + s->from, n,
			    &account, values, error);
	for (size_t i = 0; i < n && proved == PROVED; i++)
		s->words[s->from + i] = typed_u256(values[i]);
	return proved;
}

static void on_proved(void *ctx, const struct quorum_result *results, size_t n)
{
	struct slots_op *s = ctx;
	(void)n;
	state_note(s->op.l1, &results[0]);
	if (!results[0].err)
		take(s, n_next(s));
	else if (ask_told(s))
		s->came(s, ERR_BUSY, busy);
}

static enum err ask_next(struct slots_op *s)
{
	return state_ask(s->op.l1, s->block, s->at, s->slots + s->from,
			 n_next(s), NULL, 0, verify, on_proved, s);
}

enum err slots_start(struct slots_op *s, const struct hash32 *slots, size_t n,
		     slots_came *came)
{
	assert(n > 0 && n <= L1_SLOTS_MAX);
	slots_free(&s->op);
	s->slots = calloc(n, sizeof(*s->slots));
	s->words = calloc(n, sizeof(*s->words));
	if (!s->slots || !s->words)
		abort();
	memcpy(s->slots, slots, n * sizeof(*slots));
	s->n = n;
	s->from = 0;
	s->came = came;
	return ask_next(s);
}

void slots_free(struct l1_op *op)
{
	struct slots_op *s = (struct slots_op *)op;
	free(s->slots);
	free(s->words);
	s->slots = s->words = NULL;
}

/* ---- words alone --------------------------------------------------------- */

struct words_read {
	struct slots_op slots;
	l1_slots_done *done;
};

static void words_came(struct slots_op *s, enum err err, const char *why)
{
	struct words_read *read = (struct words_read *)s;
	l1_slots_done *done = read->done;
	void *ctx = s->op.ctx;
	struct hash32 *words = s->words;
	size_t n = s->n;
	s->words = NULL; /* the callback may read anew */
	l1_op_end(&s->op);
	done(ctx, err, why, err ? NULL : words, err ? 0 : n);
	free(words);
}

enum err l1_slots(struct l1 *l1, struct address at, const struct hash32 *slots,
		  size_t n, struct hash32 block, l1_slots_done *done, void *ctx)
{
	if (n > L1_SLOTS_MAX)
		return ERR_TOO_LARGE;
	struct words_read *read = l1_op_new(l1, sizeof(*read), ctx, slots_free);
	read->done = done;
	read->slots.at = at;
	read->slots.block = block;
	enum err err = slots_start(&read->slots, slots, n, words_came);
	if (err)
		l1_op_end(&read->slots.op);
	return err;
}
