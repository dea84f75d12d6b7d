#include "l1/state.h"

#include <assert.h>
#include <stdio.h>

#include "abi/header.h"
#include "abi/witness.h"
#include "l1/rpc.h"

#define MORE_MAX	 1
#define PROOF_PARAMS_MAX (80 * STATE_SLOTS_MAX + 256)

enum err state_ask(struct l1 *l1, struct hash32 block, struct address at,
		   const struct hash32 *slots, size_t n,
		   const struct rpc_call *more, size_t n_more,
		   quorum_verify *verify, quorum_done *done, void *ctx)
{
	struct rpc_call calls[STATE_CALLS + MORE_MAX];
	CLEANUP(buf_done) struct buf header, proof;
	assert(n <= STATE_SLOTS_MAX && n_more <= MORE_MAX);
	buf_init(&header, 128);
	buf_init(&proof, PROOF_PARAMS_MAX);
	rpc_params_hash(&header, block, false);
	rpc_params_proof(&proof, at, slots, n, block);
	calls[0] = (struct rpc_call){.method = "eth_getBlockByHash",
				     .params = buf_slice(&header),
				     .pinned = true};
	calls[1] = (struct rpc_call){.method = "eth_getProof",
				     .params = buf_slice(&proof),
				     .pinned = true};
	for (size_t i = 0; i < n_more; i++)
		calls[STATE_CALLS + i] = more[i];
	return quorum_prove(l1->quorum, calls, STATE_CALLS + n_more,
			    "eth_getProof", verify, L1_PROOF_MS, done, ctx);
}

enum proved state_prove(const json_node *const *results, struct hash32 block,
			struct address at, const struct hash32 *slots, size_t n,
			struct trie_account *ret_account,
			struct u256 *ret_values, struct err_text *error)
{
	struct header header;
	enum proved proved = header_prove(results[0], block, &header, error);
	if (proved != PROVED)
		return proved;
	return witness_prove(results[1], header.state_root, at, slots, n,
			     ret_account, ret_values, error);
}

void state_note(struct l1 *l1, const struct quorum_result *result)
{
	struct l1_view *v = &l1->view;
	if (result->err)
		(void)snprintf(v->proofs, sizeof(v->proofs),
			       "by quorum: %.180s", result->text);
	else
		(void)snprintf(v->proofs, sizeof(v->proofs), "proved");
}
