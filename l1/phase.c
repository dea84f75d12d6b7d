#include "l1/phase.h"

const char *phase_name(enum phase phase)
{
	switch (phase) {
	case PHASE_LIVE:
		return "LIVE";
	case PHASE_LATE:
		return "LATE";
	case PHASE_PROMOTED:
		return "PROMOTED";
	case PHASE_OPEN:
		return "OPEN";
	case PHASE_SETTLING:
		return "SETTLING";
	case PHASE_UNKNOWN:
		break;
	}
	return "UNKNOWN";
}

/* EscapeHatch._facts() */
enum phase phase_of(const struct hatch_facts *f, uint64_t now)
{
	if (f->state == ROLLUP_OPEN)
		return PHASE_OPEN;
	if (f->state == ROLLUP_SETTLING)
		return PHASE_SETTLING;
	/* no clock runs before the first batch */
	if (!f->last_at || now <= f->last_at + f->terms.sla_window)
		return PHASE_LIVE;
	if (f->promoted_at > f->last_at &&
	    now <= f->promoted_at + f->terms.failover_window)
		return PHASE_PROMOTED;
	return PHASE_LATE;
}

/* EscapeHatch._resumeFrom() */
static uint64_t resume_from(const struct hatch_facts *f)
{
	uint64_t exits = f->last_at + f->terms.finality;
	uint64_t from = f->opened_at > exits ? f->opened_at : exits;
	return from + f->terms.inclusion_window;
}

/* EscapeHatch.deadlines() */
struct phase_deadlines phase_deadlines(const struct hatch_facts *f)
{
	struct phase_deadlines d = {.enact_from = f->enact_from};
	if (f->state == ROLLUP_OPEN) {
		d.exits_from = f->last_at + f->terms.finality;
		d.resume_from = resume_from(f);
		return d;
	}
	if (f->last_at)
		d.openable_at = f->last_at + f->terms.hard_deadline;
	if (f->overdue && (!f->last_at || f->overdue < f->last_at))
		d.openable_at = f->overdue + f->terms.hard_deadline;
	if (f->state == ROLLUP_SETTLING || !f->last_at)
		return d;
	d.late_at = f->last_at + f->terms.sla_window;
	if (f->promoted_at > f->last_at)
		d.failover_until = f->promoted_at + f->terms.failover_window;
	return d;
}

/* EscapeHatch.openAfterDeadline() */
bool phase_openable(const struct hatch_facts *f, uint64_t now)
{
	uint64_t hard = f->terms.hard_deadline;
	if (f->state == ROLLUP_OPEN)
		return false;
	if (f->last_at && now > f->last_at + hard)
		return true;
	return f->overdue && now > f->overdue + hard;
}

bool phase_exits_open(const struct hatch_facts *f, uint64_t now)
{
	return f->state == ROLLUP_OPEN && now > f->last_at + f->terms.finality;
}
