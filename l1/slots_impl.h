/* A read of storage words as other reads begin with it. */
#ifndef EGRESS_L1_SLOTS_IMPL_H
#define EGRESS_L1_SLOTS_IMPL_H

#include "l1/l1_impl.h"
#include "l1/slots.h"

struct slots_op;
/* All words came (OK), or not.  It ends the op, or starts it anew. */
typedef void slots_came(struct slots_op *s, enum err err, const char *why);

/* Its op's done must be slots_free. */
struct slots_op {
	struct l1_op op;
	slots_came *came;
	struct address at;
	struct hash32 block;
	size_t n, from; /* from: the first that has not come */
	struct hash32 *slots, *words;
};

/* Takes the slots' copy; came is called from l1_turn().  Again when it came. */
MUST_CHECK enum err slots_start(struct slots_op *s, const struct hash32 *slots,
				size_t n, slots_came *came);
void slots_free(struct l1_op *op);

#endif
