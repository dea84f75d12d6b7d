/* A provider of the view, as watcher and relayer show it. */
#include "l1/l1.h"

static void put_faults(const struct l1_provider_view *p, struct json_writer *w)
{
	json_begin(w, "failures");
	for (size_t i = 0; i < FAULT_KINDS; i++)
		if (p->faults[i])
			json_put_u64(w, fault_name((enum fault)i),
				     p->faults[i]);
	json_end(w);
}

void l1_provider_json(const struct l1_provider_view *p, struct json_writer *w)
{
	json_begin(w, NULL);
	json_put_string(w, "name", p->name);
	json_put_string(w, "state", p->state);
	json_put_string(w, "why", p->why);
	json_put_u64(w, "head", p->head);
	json_put_u64(w, "latency_ms", p->latency_ms);
	put_faults(p, w);
	json_put_u64(w, "expulsions", p->expulsions);
	if (p->expelled_at) {
		json_begin(w, "expelled");
		json_put_u64(w, "since", p->expelled_at);
		json_put_u64(w, "until", p->expelled_until);
		json_put_string(w, "kind", p->expelled_for);
		if (p->evidence)
			json_put_u64(w, "evidence", p->evidence);
		json_end(w);
	}
	json_end(w);
}
