/* STATUS of formats.md, and the same numbers for Prometheus.  Pure: writes
 * what it is given. */
#ifndef EGRESS_WATCHER_STATUS_H
#define EGRESS_WATCHER_STATUS_H

#include "l1/l1.h"
#include "l1/phase.h"
#include "store/ledger.h"
#include "watcher/history.h"
#include "watcher/pool.h"
#include "watcher/progress.h"
#include "watcher/verdict.h"

#define ALERTS_MAX (8 + QUORUM_PROVIDERS_MAX)

struct status_alert {
	/* LATE QUIET UNKNOWN UNSAFE_WINDOW BAD_BATCH UNVERIFIABLE INSOLVENT
	 * PROVIDER_LIED */
	const char *id;
	uint64_t since; /* L1 time, or 0 */
	char text[200];
};

struct status_input {
	uint64_t chain_id;
	struct address hatch;
	const struct verdict *verdict;
	const struct hatch_facts *facts; /* NULL: not read yet */
	const struct l1_view *l1;
	const char *follow_proofs; /* how the ledger's logs are known, or "" */
	const struct ledger_mark *mark;
	const struct pool *pool;
	const char *trouble; /* of voting; "" */
	enum standby_state standby[HATCH_KEYS_MAX];
	const char *standby_why[HATCH_KEYS_MAX];
	uint64_t behind; /* blocks */
	bool quiet;	 /* no batch for longer than sla or slaWindow */
	struct progress_pace pace;
	size_t n_alerts;
	struct status_alert alerts[ALERTS_MAX];
};

void status_json(const struct status_input *in, struct buf *to);
void status_metrics(const struct status_input *in, struct buf *to);
/* {"batch":n,"step":k,"proof":"0x…"}; nothing when the ledger goes on. */
void status_bad_batch(const struct stop *stop, struct buf *to);

#endif
