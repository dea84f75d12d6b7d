/* The contracts' deployed code as a chain holds it. */
#ifndef EGRESS_TESTS_DEPLOYED_H
#define EGRESS_TESTS_DEPLOYED_H

#include "abi/buf.h"
#include "abi/code.h"

/* Appends the code with its immutables filled in. */
static inline void put_deployed(const struct contract_code *c,
				const struct code_immutables *immutables,
				struct buf *to)
{
	size_t at = 0;

	for (size_t i = 0; i < c->n_words; i++) {
		const struct contract_word *w = &c->words[i];

		buf_add(to, c->bytes + at, w->at - at);
		buf_add(to, immutables->words[w->immutable].b,
			sizeof(struct hash32));
		at = w->at + sizeof(struct hash32);
	}
	buf_add(to, c->bytes + at, c->size - at);
}

static inline struct hash32 address_word(struct address a)
{
	struct hash32 word = {{0}};

	memcpy(word.b + 12, a.b, sizeof(a.b));
	return word;
}

#endif
