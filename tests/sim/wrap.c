/* The linker sends calls of these here (--wrap): a planted bug may take their
 * place, and what nobody reads is not written at every turn. */
#include "l1/heads.h"
#include "tests/sim/world.h"
#include "watcher/status.h"

#define METRICS_EVERY 16 /* turns */

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

void __real_status_metrics(const struct status_input *in, struct buf *to);
void __wrap_status_metrics(const struct status_input *in, struct buf *to);

void __wrap_status_metrics(const struct status_input *in, struct buf *to)
{
	static unsigned turns;

	if (turns++ % METRICS_EVERY == 0)
		__real_status_metrics(in, to);
}
