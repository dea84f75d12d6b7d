/* Many endpoints, one answer or a named disagreement.
 *
 * An ask is a JSON-RPC batch that goes to every usable provider at once and
 * ends at quorum or at its deadline: one slow provider never delays it. */
#ifndef EGRESS_L1_QUORUM_H
#define EGRESS_L1_QUORUM_H

#include "abi/proved.h"
#include "http/client.h"

#define QUORUM_PROVIDERS_MAX 16
#define QUORUM_CALLS_MAX     128 /* in one batch */
#define QUORUM_TEXT_MAX	     256

struct rpc_call {
	const char *method;  /* static */
	struct slice params; /* JSON array text, copied */
	/* NULL-terminated and static, or NULL: only these fields of the result
	 * (of each element, when it is an array) must agree. */
	const char *const *fields;
	/* The answer follows from the parameters alone (a block's hash): null
	 * is ignorance, and who contradicts the quorum lies. */
	bool pinned;
	/* QUORUM_LOW, QUORUM_HIGH: quantities that count; most 0: no bound. */
	uint64_t least, most;
};

enum quorum_rule {
	/* The same result (canonical JSON) from providers of weight ≥ quorum.
	 */
	QUORUM_AGREE,
	/* quorum_prove(): the first one whose words are proved. */
	QUORUM_PROVED,
	/* A quantity that moves (a fee, an estimate), from all: what weight ≥
	 * quorum are near to, else within a moment the lower or the higher
	 * median of all.  A revert only when weight ≥ quorum reverts, and its
	 * data only when weight ≥ quorum tells the same. */
	QUORUM_LOW,
	QUORUM_HIGH,
	/* To all, for broadcasting: the first success ("already known" is one,
	 * with a NULL result), or the last failure: ERR_REFUSED when nobody
	 * else can have taken it, ERR_CONFLICT when a silent one may have. */
	QUORUM_BROADCAST,
};

struct quorum_result {
	/* OK; ERR_REFUSED: agreed on a JSON-RPC error (code, text, data;
	 * reverts that differ have no data); ERR_CONFLICT: they contradict each
	 * other; ERR_IO: too few answered.
	 */
	enum err err;
	const json_node *result; /* OK: borrowed during the callback; a JSON
				  * null is a node too (json_is_null) */
	int code;
	char text[QUORUM_TEXT_MAX]; /* why, naming providers, unless OK */
	struct slice data;	    /* of a revert: decoded bytes, or empty */
};

typedef void quorum_done(void *ctx, const struct quorum_result *results,
			 size_t n);

struct quorum;
struct provider;

/* Borrows the providers; quorum: the weight that must agree. */
struct quorum *quorum_new(struct provider *providers, size_t n,
			  uint64_t quorum);
/* Drops every ask without calling back. */
void quorum_free(struct quorum *q);
/* Sends what may be sent, calls back. Returns its next deadline in
 * clock_mono_ms(), or UINT64_MAX. */
uint64_t quorum_turn(struct quorum *q, uint64_t now_mono_ms);

/* deadline_ms from now. done is called from l1_turn(), once. ERR_BUSY: too
 * many asks in flight; ERR_TOO_LARGE: n > QUORUM_CALLS_MAX. */
MUST_CHECK enum err quorum_ask(struct quorum *q, const struct rpc_call *calls,
			       size_t n, enum quorum_rule rule,
			       uint64_t deadline_ms, quorum_done *done,
			       void *ctx);
void quorum_cancel(struct quorum *q, void *ctx);

/* Holds one provider's results of all the calls against what is known, and
 * keeps what they prove.  Called from l1_turn(), for one provider at a time. */
typedef enum proved quorum_verify(void *ctx, const json_node *const *results,
				  size_t n, struct err_text *error);
/* One provider after the other, the quickest first, until one's words are
 * PROVED: one honest provider is enough.  Who was PROVED_FALSE before it lied;
 * when nobody proves it, nobody is accused, for then the fault may be ours.
 * ERR_IO for every call: nobody did; text says why, naming providers.
 * lacks: the method that a provider may be without, static; who said that it
 * has none is not asked for a while.  NULL: none. */
MUST_CHECK enum err quorum_prove(struct quorum *q, const struct rpc_call *calls,
				 size_t n, const char *lacks,
				 quorum_verify *verify, uint64_t deadline_ms,
				 quorum_done *done, void *ctx);

/* The same of one provider alone, by its place: its words of this ask complete
 * those of others before. */
MUST_CHECK enum err quorum_prove_by(struct quorum *q, size_t provider,
				    const struct rpc_call *calls, size_t n,
				    const char *lacks, quorum_verify *verify,
				    uint64_t deadline_ms, quorum_done *done,
				    void *ctx);

#endif
