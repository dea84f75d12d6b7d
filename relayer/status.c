#include "relayer/status.h"

#include <stdio.h>

#define STATUS_MAX 32768 /* 16 providers of 1 KB */

static void put_evacuation(struct json_writer *w, const struct status_view *v)
{
	json_begin(w, "evacuation");
	json_put_bool(w, "running", v->evacuation.running);
	json_put_u64(w, "buckets", v->evacuation.buckets);
	json_put_u64(w, "done", v->evacuation.finished);
	json_put_bool(w, "final", v->evacuation.done);
	json_put_amount(w, "spent", v->spent);
	json_put_amount(w, "refunded", v->evacuation.refunded);
	json_end(w);
}

static void put_status(struct json_writer *w, const struct status_view *v)
{
	const struct hatch_facts *facts = v->turn->facts;

	json_begin(w, NULL);
	json_put_string(w, "version", EGRESS_VERSION);
	json_put_u64(w, "chain_id", v->config->shared.chain.id);
	json_put_address(w, "hatch", v->config->shared.chain.hatch);
	if (facts)
		json_put_address(w, "rollup", facts->rollup);
	json_put_string(w, "phase", phase_name(v->turn->phase));
	json_put_address(w, "account", v->config->account);
	if (v->account)
		json_put_amount(w, "balance", v->account->balance);
	else
		json_put_null(w, "balance");
	json_put_u64(w, "queue", v->open);
	json_put_u64(w, "in_flight", v->in_flight);
	json_put_u64(w, "bundles", v->bundles);
	json_put_u64(w, "withdrawals", v->withdrawals);
	json_put_string(w, "held", v->held);
	json_put_string(w, "signer", v->signer);
	json_begin(w, "store");
	json_put_u64(w, "percent", room_percent(v->room));
	json_put_bool(w, "full", !room_for_any(v->room));
	json_end(w);
	json_begin(w, "watchers");
	json_put_u64(w, "known", v->peers);
	json_put_u64(w, "usable", v->peers_usable);
	json_end(w);
	put_evacuation(w, v);
	l1_view_json(v->turn->view, "", w);
	json_end(w);
}

static void reason(const struct status_view *v, char *to, size_t size)
{
	const struct l1_view *l1 = v->turn->view;

	if (!l1->healthy)
		snprintf(to, size, "L1: %.150s", l1->why);
	else if (!v->turn->facts)
		snprintf(to, size, "the hatch was not read yet: %.120s",
			 v->facts_why);
	else if (!v->account)
		snprintf(to, size, "the account was not read yet");
	else if (*v->signer)
		snprintf(to, size, "signer: %s", v->signer);
	else if (*v->held)
		snprintf(to, size, "%s", v->held);
	else if (!room_for_any(v->room))
		snprintf(to, size,
			 "the store is full, new requests are refused: raise "
			 "store.map_size");
	else if (!room_in_purse(v->account))
		snprintf(to, size,
			 "the account cannot pay for a request: fund it");
	else if (!v->peers_usable)
		snprintf(to, size, "no watcher answers");
	else
		*to = 0;
}

/* If nothing is committed any more; 0: no clock runs. */
static uint64_t exits_from(const struct hatch_facts *facts)
{
	struct phase_deadlines d = phase_deadlines(facts);

	return facts->state == ROLLUP_OPEN ? d.exits_from : d.openable_at;
}

void status_publish(const struct status_view *v, struct board *board)
{
	const struct hatch_facts *facts = v->turn->facts;
	struct board_facts known = {
		.known = facts != NULL,
		.chain_id = v->config->shared.chain.id,
		.hatch = v->config->shared.chain.hatch,
		.relayer = v->config->account,
		.evacuates = v->config->evacuate.enabled,
		.head = v->turn->view->head.number,
		.head_time = v->turn->head_time,
	};
	struct buf text;

	if (facts) {
		known.rollup = facts->rollup;
		known.state = facts->state;
		known.leaf_count = facts->leaf_count;
		known.count = facts->count;
		known.inclusion_window = facts->terms.inclusion_window;
		known.exits_from = exits_from(facts);
	}
	reason(v, known.not_ready, sizeof(known.not_ready));
	buf_init(&text, STATUS_MAX);
	struct json_writer w = json_writer(&text);
	put_status(&w, v);
	board_publish(board, &known, buf_slice(&text));
	buf_done(&text);
}
