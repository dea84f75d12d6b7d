/* JSON-RPC 2.0 batches: bytes out, checked answers in.  Pure. */
#ifndef EGRESS_L1_RPC_H
#define EGRESS_L1_RPC_H

#include "abi/block.h"
#include "l1/fault.h"
#include "l1/quorum.h"

enum rpc_kind {
	RPC_RESULT,
	RPC_REVERT, /* the call itself reverts: as good as a result */
	RPC_FAILED, /* the node cannot or will not say */
};

struct rpc_answer {
	enum rpc_kind kind;
	const json_node *result;
	int code;
	char text[QUORUM_TEXT_MAX];
	struct buf data; /* of a revert */
};

struct rpc_reply { /* owns; zero is empty */
	struct json_doc *doc;
	size_t n;
	struct rpc_answer *answers;
	bool throttled;	  /* "rate limit", "too many requests" */
	enum fault fault; /* of rpc_parse() that failed */
};

/* Appends the batch's body. */
void rpc_body(struct buf *to, const struct rpc_call *calls, size_t n);
/* Exactly n answers, each id once, each with a result or an error.
 * ERR_INVALID: why in error (a node's own words for a refused batch). */
MUST_CHECK enum err rpc_parse(struct slice body, size_t n,
			      struct rpc_reply *ret, struct err_text *error);
void rpc_reply_done(struct rpc_reply *reply);
/* A reply that is kept with its bytes, for the next may be of the same. */
struct rpc_memo { /* owns; zero is empty */
	struct buf text;
	struct rpc_reply reply;
	bool again; /* the last bytes were those before */
};
/* As rpc_parse() into memo->reply; the same bytes are not read again.  Empty
 * after a failure but for reply.throttled and reply.fault. */
MUST_CHECK enum err rpc_parse_again(struct slice body, size_t n,
				    struct rpc_memo *memo,
				    struct err_text *error);
void rpc_memo_done(struct rpc_memo *memo);
/* What a batch's answers may weigh, by its methods. */
size_t rpc_reply_max(const struct rpc_call *calls, size_t n);
/* "already known" in the words of the nodes there are: it was accepted. */
bool rpc_is_known(const char *text);
/* The node has no such method. */
bool rpc_is_lacking(const char *text);
bool rpc_is_throttled(int code, const char *text);

/* What everybody reads of a block. */
struct rpc_block {
	struct block_ref ref;
	bool proved;	   /* its hash is that of all these words */
	bool newer;	   /* it has fields that nobody here can hash */
	uint64_t base_fee; /* 0: none */
};
/* fields of a block that must agree, for rpc_call.fields. */
extern const char *const rpc_block_fields[];
/* false: not of the shape, or null.  why: "", or why it is not proved. */
bool rpc_block_read(const json_node *node, struct rpc_block *ret,
		    struct err_text *why);
/* ["0x…",false] and ["latest",false] */
void rpc_params_block(struct buf *b, uint64_t number);
/* eth_getBlockByHash; whole: with the transactions. */
void rpc_params_hash(struct buf *b, struct hash32 hash, bool whole);
void rpc_params_receipts(struct buf *b, struct hash32 hash);
/* of a transaction, by its hash */
void rpc_params_tx(struct buf *b, struct hash32 tx);
/* eth_getCode and whatever else takes an address at a block */
void rpc_params_at(struct buf *b, struct address at, struct hash32 block);
/* eth_getStorageAt */
void rpc_params_slot(struct buf *b, struct address at, struct hash32 slot,
		     struct hash32 block);
/* eth_getProof */
void rpc_params_proof(struct buf *b, struct address at,
		      const struct hash32 *slots, size_t n,
		      struct hash32 block);
void rpc_params_tag(struct buf *b, const char *tag);

#endif
