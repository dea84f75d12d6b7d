/* The operator's windows (sla, poll, vote.hold_off, the depth acted on) against
 * the contract's.  Pure.
 *
 * traps.md: "Refuse to start on an unsafe SLA: compare the configured windows
 * with the contract's". */
#ifndef EGRESS_WATCHER_WINDOWS_H
#define EGRESS_WATCHER_WINDOWS_H

#include "l1/hatch.h"
#include "watcher/config.h"

/* What is looser than the contract allows: ERR_REFUSED, the field, why and what
 * to change in error. */
MUST_CHECK enum err windows_judge(const struct watcher_config *c,
				  const struct hatch_terms *terms,
				  struct err_text *error);
/* The same whenever the terms may have changed.  At a start a loose window is
 * WINDOWS_REFUSED; an amendment while we run must not stop us, for then the
 * contract's window counts: WINDOWS_UNSAFE, and the reason stands in unsafe
 * until it is mended. */
struct windows { /* zero at first */
	bool judged;
	struct hatch_terms by;	/* judged last */
	struct err_text unsafe; /* "" or which of ours is loose */
};
enum windows_news {
	WINDOWS_SAME, /* judged already */
	WINDOWS_SAFE,
	WINDOWS_REFUSED,
	WINDOWS_UNSAFE,
};
enum windows_news windows_update(struct windows *w,
				 const struct watcher_config *c,
				 const struct hatch_terms *terms);
/* What is allowed and unwise. lag: seconds between L1's head and the block
 * acted on. */
void windows_warn(const struct watcher_config *c,
		  const struct hatch_terms *terms, uint64_t lag,
		  struct settings_warnings *ret);
/* Silence after which it is quiet: the tighter of ours and the contract's,
 * seconds. */
uint64_t windows_quiet_after(const struct watcher_config *c,
			     const struct hatch_terms *terms);
/* As of facts->block: no batch for longer than that, and nothing has been done
 * about it yet (LIVE, LATE). */
bool windows_quiet(const struct watcher_config *c,
		   const struct hatch_facts *facts);

#endif
