/* The linker sends calls of these here (--wrap), so that a planted bug can
 * take their place. */
#include "l1/heads.h"
#include "tests/sim/world.h"

bool __real_heads_agree(const struct voice *voices, size_t n, uint64_t quorum,
			struct rpc_block *ret);
bool __wrap_heads_agree(const struct voice *voices, size_t n, uint64_t quorum,
			struct rpc_block *ret);
bool planted_heads_agree(const struct voice *voices, size_t n, uint64_t quorum,
			 struct rpc_block *ret);

bool __wrap_heads_agree(const struct voice *voices, size_t n, uint64_t quorum,
			struct rpc_block *ret)
{
	if (world->plant == PLANT_NUMBER)
		return planted_heads_agree(voices, n, quorum, ret);
	return __real_heads_agree(voices, n, quorum, ret);
}
