#include "l1/depth.h"

const char *depth_tag(enum depth depth)
{
	switch (depth) {
	case DEPTH_LATEST:
		return "latest";
	case DEPTH_SAFE:
		return "safe";
	case DEPTH_FINALIZED:
		return "finalized";
	case DEPTH_CONFIRMED:
	case DEPTHS:
		break;
	}
	return "confirmed";
}

uint64_t finality_update(struct finality *f, const struct block_ref *head,
			 const struct block_ref *finalized)
{
	bool moved = f->number && finalized->number > f->number;
	if (moved)
		f->peak_s = f->lag_s;
	f->number = finalized->number;
	f->lag_s =
		head->time > finalized->time ? head->time - finalized->time : 0;
	return f->lag_s > f->peak_s ? f->lag_s : f->peak_s;
}

enum depth depth_choose(enum depth now, uint64_t finality_s, uint64_t sla_s)
{
	uint64_t quarter = sla_s / 4;
	if (!sla_s)
		return now;
	if (now != DEPTH_SAFE)
		return finality_s > quarter ? DEPTH_SAFE : DEPTH_FINALIZED;
	return finality_s > quarter - quarter / 8 ? DEPTH_SAFE
						  : DEPTH_FINALIZED;
}
