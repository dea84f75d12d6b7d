/* One endpoint: what it said, how well it answers, whether it may be asked. */
#ifndef EGRESS_L1_PROVIDER_H
#define EGRESS_L1_PROVIDER_H

#include "http/client.h"
#include "l1/accuse.h"
#include "l1/depth.h"
#include "l1/limits.h"
#include "l1/span.h"
#include "sys/settings.h"

struct provider {
	const struct settings_provider *settings; /* borrowed */
	struct http_client *http;
	char *header_text;
	const char *headers[L1_HEADERS_MAX + 1];
	/* identity */
	bool pinned;	  /* right chain, right genesis */
	bool wrong_chain; /* for ever: never used again */
	uint64_t chain_id;
	struct hash32 genesis;
	/* health */
	char why[160];
	unsigned failures, lies, doubts;
	uint64_t faults[FAULT_KINDS]; /* since the start, by kind */
	uint64_t forgive_at_ms;	      /* one of the lies, if it agrees then */
	uint64_t backoff_until_ms, lying_until_ms;
	uint64_t latency_ms;
	struct {
		const char *method; /* static */
		uint64_t until_ms;
	} lacks[L1_LACKS_MAX];
	struct span span; /* of logs by range */
	int64_t tokens;	  /* thousandths of a request */
	uint64_t tokens_at_ms;
	uint64_t poll_at_ms; /* its next poll is due; UINT64_MAX: none is */
	/* What it said.  DEPTH_LATEST has what it shows by number too, and
	 * DEPTH_CONFIRMED has but the top. */
	struct sightings said[DEPTHS];
	uint64_t said_at_ms; /* its head, last; 0: never */
	/* what it showed last where the block acted on is; zero: nothing */
	struct block_ref at_acted;
	struct block_ref unhashed; /* a block that did not hash; zero: none */
	char newer[160]; /* the field that nobody here can hash, or "" */
	/* It contradicts a quorum since, about what is final, and about the
	 * block acted on, which had that number then; 0: does not. */
	uint64_t contradicts_at_ms, elsewhere_at_ms, elsewhere_from;
	/* the agreed head, when it told its own */
	struct {
		uint64_t blocks, seconds;
	} behind;
	struct spoken_ring spoken;
	/* expulsions: the last one, and where they are written down; NULL:
	 * nowhere */
	struct {
		uint64_t times;
		uint64_t since, until; /* unix seconds; 0: never */
		uint64_t l1_time;      /* since, of the agreed head */
		enum lie_kind kind;
		uint64_t evidence; /* its number in the store; 0: not kept */
		enum provider_news {
			NEWS_NONE,
			NEWS_UNKEPT,   /* its record was not taken yet */
			NEWS_EXPELLED, /* to be told */
			NEWS_OUT,      /* told, and not back yet */
			NEWS_BACK,     /* to be told */
		} news;
	} expelled;
	struct accuse_queue *records;
};

/* ERR_IO: its headers_file, why in error. */
MUST_CHECK enum err provider_init(struct provider *p,
				  const struct settings_provider *settings,
				  struct http_client *http,
				  struct err_text *error);
void provider_done(struct provider *p);

/* Pinned, not lying, not backing off: its word counts. */
bool provider_usable(const struct provider *p, uint64_t now_ms);
/* Nobody has heard of it yet: within a moment it is usable, or down. */
bool provider_is_new(const struct provider *p);
/* Not even its old word counts. */
bool provider_lying(const struct provider *p, uint64_t now_ms);
/* When its rate allows the next request: now_ms or later. */
uint64_t provider_rate_at(struct provider *p, uint64_t now_ms);
/* The same for what is no poll: one that is due comes first, for without its
 * head a provider has no voice, however much it is asked. */
uint64_t provider_ask_at(struct provider *p, uint64_t now_ms);

/* One request, counted against the rate.  timeout_ms is cut to the
 * provider's own. */
MUST_CHECK enum err provider_post(struct provider *p, struct slice body,
				  size_t reply_max, uint64_t timeout_ms,
				  uint64_t now_ms, http_done *done, void *ctx);
/* Judges and parses a reply; on failure backs off.  ERR_IO. */
MUST_CHECK enum err provider_take(struct provider *p,
				  const struct http_reply *http, size_t n,
				  uint64_t now_ms, struct rpc_reply *ret);
/* As provider_take() into memo->reply, which stays the memo's. */
MUST_CHECK enum err provider_take_again(struct provider *p,
					const struct http_reply *http, size_t n,
					uint64_t now_ms, struct rpc_memo *memo);
/* For replies that are parsed elsewhere: nothing arrived, or a status that is
 * no answer; and a good one. */
void provider_broke(struct provider *p, const struct http_reply *http,
		    uint64_t now_ms);
void provider_answered(struct provider *p, uint64_t elapsed_ms,
		       uint64_t now_ms);
/* Another is asked in its place: it is not the quickest, however quick its
 * polls are. */
void provider_dawdles(struct provider *p);
void provider_failed(struct provider *p, uint64_t now_ms, enum fault fault,
		     const char *why);
/* Expelled, told, and now used again: that is news. */
void provider_back(struct provider *p, uint64_t now_ms);
/* It contradicts what is certain: expelled for a while, and what it said is
 * written down.  Nothing when it is expelled already. */
void provider_lied(struct provider *p, uint64_t now_ms,
		   const struct accusation *what, const char *format, ...)
	PRINTF_LIKE(4, 5);
/* A block that it showed, as it wrote it. */
void provider_said(struct provider *p, const struct rpc_block *block,
		   const json_node *node);
/* It said what a quorum said; firm: in something that ignorance cannot say. */
void provider_agreed(struct provider *p, uint64_t now_ms, bool firm);
/* It said that it has no such method, or tag (static text). */
void provider_lacks(struct provider *p, const char *method, uint64_t now_ms);
/* It has it after all. */
void provider_has(struct provider *p, const char *method);
/* It said so a short while ago; method NULL: never. */
bool provider_lacking(const struct provider *p, const char *method,
		      uint64_t now_ms);
/* It knows less of what->method than a quorum; often in a row that is a lie. */
void provider_doubted(struct provider *p, uint64_t now_ms,
		      const struct accusation *what);

#endif
