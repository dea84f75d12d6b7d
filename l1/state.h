/* One account, and slots of it, at a block's hash: what to ask one provider
 * for, and what its words prove. */
#ifndef EGRESS_L1_STATE_H
#define EGRESS_L1_STATE_H

#include "l1/l1_impl.h"

/* At most so many slots in one ask: the reply is bounded, and a quorum that
 * must do answers each in a call of its own. */
#define STATE_SLOTS_MAX 96
#define STATE_CALLS	2 /* the header, the proof */

/* Asks for it, with more calls of the caller's behind those.  ctx: of verify
 * and done, as of quorum_prove(). */
MUST_CHECK enum err state_ask(struct l1 *l1, struct hash32 block,
			      struct address at, const struct hash32 *slots,
			      size_t n, const struct rpc_call *more,
			      size_t n_more, quorum_verify *verify,
			      quorum_done *done, void *ctx);
/* Of results[0] and [1]; values: n. */
MUST_CHECK enum proved state_prove(const json_node *const *results,
				   struct hash32 block, struct address at,
				   const struct hash32 *slots, size_t n,
				   struct trie_account *ret_account,
				   struct u256 *ret_values,
				   struct err_text *error);
/* What came of it into the view: how state is known. */
void state_note(struct l1 *l1, const struct quorum_result *result);

#endif
