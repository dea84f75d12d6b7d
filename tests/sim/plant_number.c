/* A planted bug: blocks agree when their numbers do, whatever their hashes. */
#include "l1/heads.h"

bool planted_heads_agree(const struct voice *voices, size_t n, uint64_t quorum,
			 struct rpc_block *ret);

bool planted_heads_agree(const struct voice *voices, size_t n, uint64_t quorum,
			 struct rpc_block *ret)
{
	const struct rpc_block *best = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct sightings *s = voices[i].sightings;

		for (size_t j = 0; voices[i].weight && j < s->n; j++) {
			const struct rpc_block *b = &s->seen[j];
			uint64_t weight = 0;

			for (size_t k = 0; k < n; k++)
				if (voices[k].sightings->n &&
				    voices[k].sightings->top >= b->ref.number)
					weight += voices[k].weight;
			if (weight >= quorum &&
			    (!best || b->ref.number > best->ref.number))
				best = b;
		}
	}
	if (best)
		*ret = *best;
	return best != NULL;
}
