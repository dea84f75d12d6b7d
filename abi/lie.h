/* What a provider said and what stands against it: the record that is kept when
 * one is expelled, in bytes for the store and as JSON for people.  Pure. */
#ifndef EGRESS_ABI_LIE_H
#define EGRESS_ABI_LIE_H

#include "abi/json.h"

/* Its words: a block's header fields are 2 KB, a proof 10; of more the
 * beginning tells enough. */
#define LIE_SAID_MAX 16384
/* What was asked, and what a quorum answers to it. */
#define LIE_ASKED_MAX  4096
#define LIE_STANDS_MAX 4096
#define LIE_TEXT_MAX   256
#define LIE_MAX	       (LIE_SAID_MAX + LIE_ASKED_MAX + LIE_STANDS_MAX + 2048)

enum lie_kind {			       /* on disk: append only */
		LIE_OTHER_BLOCK = 1,   /* another hash than the agreed one */
		LIE_FORGED_HEADER = 2, /* the agreed hash over other contents */
		LIE_FALSE_PROOF = 3,   /* what another's proof refutes */
		LIE_OTHER_ANSWER = 4,  /* about a block known by its hash */
		LIE_OMISSION = 5, /* again and again less than a quorum knows */
		LIE_OTHER_FINALIZED =
			6, /* it took back a block that was final */
};

struct lie_words { /* JSON text, whole or its beginning */
	struct slice text;
	bool cut;
};

struct lie { /* borrows */
	enum lie_kind kind;
	uint64_t at, until; /* expelled: unix seconds of this machine */
	uint64_t l1_time;   /* of the agreed head then; 0: none yet */
	uint64_t number;    /* of the block concerned; 0: not known */
	struct hash32 hash; /* its agreed hash; zero: none */
	struct slice provider, why, method; /* method: asked of it */
	struct slice against; /* names of those who said or proved otherwise */
	struct lie_words asked, said, stands;
};

const char *lie_kind_name(enum lie_kind kind);
/* Appends the record; texts above their limits are cut. */
void lie_encode(const struct lie *lie, struct buf *to);
/* ret borrows from bytes. ERR_INVALID: not such a record. */
MUST_CHECK enum err lie_decode(struct slice bytes, struct lie *ret);
/* {"id","at","until","l1_time","provider","kind","block","why"} and, whole,
 * {"method","asked","said","against","stands"} with it. */
void lie_json(const struct lie *lie, uint64_t id, bool whole,
	      struct json_writer *w);

#endif
