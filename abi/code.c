#include "abi/code.h"

/* From *at up to `end` as compiled; steps over it. */
static bool same_until(const struct contract_code *c, struct slice code,
		       size_t *at, size_t end)
{
	size_t from = *at;
	*at = end;
	return !memcmp(code.p + from, c->bytes + from, end - from);
}

bool code_is(const struct contract_code *c, struct slice code,
	     struct code_immutables *ret)
{
	struct code_immutables found = {0};
	bool seen[CONTRACT_IMMUTABLES_MAX] = {false};
	size_t at = 0;
	bool same = code.len == c->size;
	for (size_t i = 0; i < c->n_words && same; i++) {
		const struct contract_word *w = &c->words[i];
		struct hash32 *word = &found.words[w->immutable], here;
		same = same_until(c, code, &at, w->at);
		memcpy(here.b, code.p + at, sizeof(here.b));
		at += sizeof(here.b);
		if (!seen[w->immutable])
			*word = here;
		same &= hash_eq(*word, here);
		seen[w->immutable] = true;
	}
	if (!same || !same_until(c, code, &at, c->size))
		return false;
	*ret = found;
	return true;
}

bool code_address(struct hash32 word, struct address *ret)
{
	static const uint8_t zeros[12];
	memcpy(ret->b, word.b + sizeof(zeros), sizeof(ret->b));
	return !memcmp(word.b, zeros, sizeof(zeros));
}
