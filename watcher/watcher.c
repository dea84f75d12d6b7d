#include "watcher/watcher.h"

#include <assert.h>
#include <stdlib.h>

#include "sys/clock.h"
#include "watcher/watcher_inside.h"

static enum err open_tables(struct watcher *w, struct err_text *error)
{
	const struct settings *s = &w->config->shared;
	struct store_txn *txn;
	enum err err =
		replica_open(w->store, (unsigned)w->config->ledger.nodes_from,
			     s->chain.hatch, s->chain.from, &w->replica, error);
	if (err)
		return err;
	replica_retry(&w->replica);
	err = store_begin(w->store, true, &txn);
	if (err)
		return err;
	err = pool_open(txn, &w->pool);
	if (!err)
		err = evidence_open(txn, s->store.map_size, &w->evidence);
	if (!err)
		err = voter_open(txn, w->config->guardian, w->signer,
				 &w->voter);
	if (!err)
		return store_commit(txn);
	store_abort(txn);
	err_text_set(error, "store: its tables cannot be read: %s",
		     err_name(err));
	return err;
}

static enum err open_store(struct watcher *w, struct err_text *error)
{
	const struct settings *s = &w->config->shared;
	struct store_identity id = {.chain_id = s->chain.id,
				    .hatch = s->chain.hatch,
				    .program = "watcher"};
	enum err err = store_open(s->store.path, s->store.map_size, &id,
				  &w->store, error);

	if (!err)
		err = open_tables(w, error);
	if (err == ERR_FULL)
		err_text_set(error,
			     "store %s is full: raise store.map_size in the "
			     "config, or free its disk",
			     s->store.path);
	return err;
}

static enum err start_server(struct watcher *w, struct err_text *error)
{
	const struct settings_http *h = &w->config->shared.http;
	struct http_server_config c = {
		.host = h->listen.host,
		.port = h->listen.port,
		.threads = (unsigned)h->threads,
		.connections = (unsigned)h->connections,
		/* Behind a reverse proxy everybody has one address. */
		.per_address = (unsigned)h->connections,
	};

	w->api = (struct api){.chain_id = w->config->shared.chain.id,
			      .hatch = w->config->shared.chain.hatch,
			      .board = w->board,
			      .intake = w->intake,
			      .ledger = w->replica.ledger,
			      .store = w->store,
			      .evidence = &w->evidence};
	if (!h->listen_set)
		return OK;
	return http_server_start(&c, api_routes, &w->api, &w->server, error);
}

static enum err set_up(struct watcher *w, struct err_text *error)
{
	const struct settings *s = &w->config->shared;
	enum err err;

	err_text_set(error, "out of memory or descriptors");
	w->http = http_client_new();
	w->intake = intake_new();
	w->board = board_new();
	if (!w->http || !w->intake || !w->board)
		return ERR_FULL;
	if (w->config->signer) {
		w->signer = signer_client_new(w->config->signer);
		if (!w->signer) {
			err_text_set(error, "signer: the path is too long");
			return ERR_INVALID;
		}
	}
	err = open_store(w, error);
	if (!err)
		err = l1_new(s, w->http, &w->l1, error);
	if (err)
		return err;
	w->report.board = w->board;
	shown_init(&w->report.shown);
	sight_init(&w->sight, w->l1, s);
	standbys_init(&w->standbys, w->config, w->http);
	err = gossip_init(&w->gossip, s, w->http, &w->pool);
	return err ? err : start_server(w, error);
}

enum err watcher_new(const struct watcher_config *config, struct watcher **ret,
		     struct err_text *error)
{
	struct watcher *w = calloc(1, sizeof(*w));
	enum err err;

	if (!w) {
		err_text_set(error, "out of memory");
		return ERR_FULL;
	}
	w->config = config;
	w->verdict.phase = PHASE_UNKNOWN;
	err = set_up(w, error);
	if (err) {
		watcher_free(w);
		return err;
	}
	*ret = w;
	return OK;
}

static void answer_waiting(struct watcher *w)
{
	struct pool_refusal ending = {.code = "not_ready",
				      .field = "",
				      .message = "this watcher is stopping"};
	struct intake_item item;

	while (w->intake && intake_take(w->intake, &item))
		api_answer_ballot(item.call, &ending, false);
}

void watcher_free(struct watcher *w)
{
	if (!w)
		return;
	answer_waiting(w);
	http_server_stop(w->server);
	if (w->http) {
		gossip_done(&w->gossip);
		standbys_done(&w->standbys);
	}
	sight_done(&w->sight);
	follow_free(w->follow);
	l1_free(w->l1);
	signer_client_free(w->signer);
	http_client_free(w->http);
	replica_done(&w->replica);
	store_close(w->store);
	intake_free(w->intake);
	board_free(w->board);
	shown_done(&w->report.shown);
	free(w);
}

uint16_t watcher_port(const struct watcher *w)
{
	return w->server ? http_server_port(w->server) : 0;
}

const char *watcher_fatal(const struct watcher *w)
{
	return w->fatal[0] ? w->fatal : w->sight.fatal.text;
}

void watcher_wait(struct watcher *w, const struct pollfd *extra, size_t n,
		  uint64_t until_ms)
{
	struct pollfd fds[WATCHER_EXTRA_MAX + 2];
	uint64_t now = clock_mono_ms();
	size_t at = n;

	assert(n <= WATCHER_EXTRA_MAX);
	memcpy(fds, extra, n * sizeof(*extra));
	fds[at++] =
		(struct pollfd){.fd = intake_fd(w->intake), .events = POLLIN};
	if (w->signer) {
		fds[at] = signer_client_pollfd(w->signer);
		at += fds[at].fd >= 0;
	}
	if (until_ms > now)
		http_client_wait(w->http, fds, at, until_ms - now);
}
