/* Everything of one seed: the chain, the providers, the nodes, the faults.
 * One thread; `world` is the one that runs. */
#ifndef EGRESS_SIM_WORLD_H
#define EGRESS_SIM_WORLD_H

#include <setjmp.h>

#include "signer/signer.h"
#include "store/store_test.h"
#include "tests/sim/provider.h"
#include "tests/sim/relay.h"
#include "watcher/watcher_inside.h"

#define SIM_PROVIDERS 3
#define SIM_KEYS      (SIM_GUARDIANS + SIM_RELAYERS)
#define SIM_NODES     (SIM_GUARDIANS + 1) /* the last one observes */
#define SIM_FRESH     SIM_NODES		  /* starts when all is over */
#define SIM_VOTES     4096
#define SIM_START_MS  UINT64_C(1000000)
#define SIM_TICK_MS   1000
#define SIM_POLL_MS   4000
#define SIM_DEEPEST   64 /* blocks that a reorg replaces */
#define SIM_NEVER     UINT64_MAX
#define SIM_WILD      1000 /* an epoch that nobody really votes in */

enum sim_plant { PLANT_NONE, PLANT_FIRST, PLANT_NUMBER, PLANT_SIGN };

/* Which faults there are. */
enum sim_plan {
	PLAN_ALL,
	PLAN_LIE,   /* one provider lies in every seed, all kinds in turn */
	PLAN_REORG, /* deep and often, whatever the nodes are reading */
};

/* What a node is reading when L1 is reorganised. */
enum sim_stage {
	STAGE_HEAD,
	STAGE_FACTS,
	STAGE_LOGS,
	STAGE_INPUTS,
	STAGE_CATCH_UP,
	STAGE_VOTE,
	STAGE_ANY, /* whatever it does */
};
#define SIM_STAGES (STAGE_ANY + 1)

enum sim_crash { CRASH_NONE, CRASH_BEFORE, CRASH_AFTER, CRASH_FULL };

struct sim_store { /* what becomes of the next commits */
	enum sim_crash crash;
	unsigned in; /* commits until then */
	bool failed; /* a commit was answered with an error */
};

struct sim_signer {
	struct store *store; /* NULL: down */
	struct signer signer;
	struct sim_store fate;
	uint64_t up_ms;
	char dir[64];
};

struct sim_node {
	unsigned at;
	bool guardian;
	struct watcher_config config;
	struct settings_provider providers[SIM_PROVIDERS];
	char *peers[SIM_NODES];
	struct watcher_standby standbys[SIM_SEQUENCERS];
	char names[SIM_NODES + SIM_SEQUENCERS + SIM_PROVIDERS][32];
	char dir[64];
	struct watcher *w; /* NULL: down */
	struct sim_store fate;
	uint64_t next_ms, up_ms, since_ms, paused_ms;
	/* since when endpoints have shown it the stall, or 0; and it said so */
	uint64_t shown_ms;
	bool said;
	struct hash32 facts_at;
};

struct sim_relayer {
	struct settings shared;
	struct settings_provider providers[SIM_PROVIDERS];
	char *peers[SIM_NODES];
	char names[SIM_NODES + SIM_PROVIDERS][32];
	char dir[64], signer[4];
	struct sim_relay *r; /* NULL: down */
	struct sim_store fate;
	uint64_t next_ms, up_ms;
};

struct sim_signed { /* a ballot that exists */
	unsigned guardian;
	struct vote vote;
};

struct sim_faults { /* percent, or 0 */
	unsigned drop, delay, crash, pause, reorg, skip_block, signer_crash;
	unsigned lose_answer, withhold;
	bool liar, down_provider, full_disk;
};

/* What happened, for the summary: a history in which nothing does proves
 * nothing. */
enum sim_count {
	COUNT_PROMOTIONS,
	COUNT_OPENINGS,
	COUNT_DEADLINES,
	COUNT_REORGS,
	COUNT_CRASHES,
	COUNT_BALLOTS,
	COUNT_PROVED, /* facts by proof */
	COUNT_AGREED, /* facts by a quorum's word */
	COUNT_SEEN,   /* stalls seen in time, by a node */
	COUNT_FRESH,  /* nodes held against one that saw the final chain only */
	/* ---- PLAN_REORG chooses these ---- */
	COUNT_UNPROMOTED, /* reorgs of promotions that were acted on */
	COUNT_STAGES,	  /* reorgs by stage: SIM_STAGES of them */
};
#define SIM_COUNTS (COUNT_STAGES + SIM_STAGES)

struct world {
	uint64_t seed;
	struct rng rng;
	uint64_t now_ms;
	bool verbose, failed;
	enum sim_plant plant;
	enum sim_plan plan;
	enum sim_stage stage; /* PLAN_REORG */
	char why[256];
	jmp_buf dead;	     /* fatal() in the node that steps */
	bool stepping;	     /* there is one */
	struct sim_node *on; /* it, unless it is a relayer */
	struct sim_chain chain;
	struct sim_provider providers[SIM_PROVIDERS];
	size_t n_nodes;
	struct sim_node nodes[SIM_NODES + 1];
	struct sim_signer signers[SIM_GUARDIANS];
	size_t n_relayers; /* 0: somebody else carries bundles */
	struct sim_relayer relayers[SIM_RELAYERS];
	struct sim_mempool pool;
	struct sim_faults faults;
	uint64_t block_ms, next_block_ms, quiet_ms, end_ms;
	/* sequencers */
	uint64_t stop_ms[SIM_SEQUENCERS], next_batch_ms, batch_ms;
	bool alive[SIM_SEQUENCERS], ready[SIM_SEQUENCERS];
	size_t n_signed;
	struct sim_signed votes[SIM_VOTES];
	uint64_t promoted; /* the block of the last promotion, or 0 */
	uint64_t undone;   /* the most blocks acted on that L1 undid at once */
	bool compares;	   /* with a fresh node, at the end */
	bool by_hand;	   /* no guardian votes by itself */
	uint64_t late_ms;  /* quiet and late since */
	unsigned counts[SIM_COUNTS], lies[SIM_LIES];
	uint64_t
		latest_ms; /* from a stall shown to a stall seen, the longest */
};

extern struct world *world;
extern struct keyring *sim_keys; /* all guardians' */
extern struct address sim_guardians[SIM_GUARDIANS], sim_accounts[SIM_ACCOUNTS];

uint64_t sim_unix_s(uint64_t mono_ms);

/* The first broken promise of this seed. */
void sim_break(const char *format, ...) PRINTF_LIKE(1, 2);
void sim_say(const char *format, ...) PRINTF_LIKE(1, 2);

/* ---- run.c ---- */
struct sim_options {
	uint64_t from, n;
	unsigned jobs;
	bool verbose;
	enum sim_plant plant;
	enum sim_plan plan;
};
struct sim_result {
	uint64_t passed, failed;
	bool found; /* the planted bug */
	uint64_t counts[SIM_COUNTS], lies[SIM_LIES], latest_ms;
	double median_ms, mean_ms; /* of CPU, a seed */
};
/* Prints the seeds in which a promise was broken.  false: no memory, folder
 * or keys. */
bool sim_run(const struct sim_options *o, struct sim_result *ret);

/* ---- node.c, signer.c: NULL hooks mean a healthy disk ---- */
void node_init(struct sim_node *n, unsigned at);
void node_start(struct sim_node *n);
void node_stop(struct sim_node *n);
/* Steps it, if it has anything to do. */
void node_turn(struct sim_node *n);
enum err sim_hook(void *ctx, enum store_moment moment);
void sim_signer_start(struct sim_signer *s);
void sim_signer_stop(struct sim_signer *s);
void sim_signer_wild(unsigned guardian);

void relayer_init(struct sim_relayer *r, unsigned at);
void relayer_start(struct sim_relayer *r);
void relayer_stop(struct sim_relayer *r);
void relayer_turn(struct sim_relayer *r);

/* ---- net.c ---- */
bool net_due(const struct http_client *c);
/* It waits for an endpoint's answer of that stage. */
bool net_asks(const struct http_client *c, enum sim_stage stage);
uint64_t sim_signer_due(const struct signer_client *c);

/* ---- plan.c ---- */
void plan_seed(void);
/* Counts those that were told since they were chosen. */
void plan_count_lies(void);
/* Another lie from now on. */
void plan_lie(struct sim_provider *p);

/* ---- events.c: what happens at a tick, to L1 and to the nodes ---- */
void events_tick(void);

unsigned events_mine(unsigned parent, uint64_t time,
		     const struct sim_want *wants, size_t n);

/* ---- reorg.c ---- */
void reorg_tick(void);
/* Before a block is mined. */
void reorg_before(void);

/* ---- fresh.c ---- */
/* At the end: all nodes are what one is that saw only the final chain. */
void fresh_compare(void);

/* ---- seen.c ---- */
/* At every tick, after the nodes' turns. */
void seen_tick(void);
/* After a node's turn. */
void seen_node(struct sim_node *n);

/* ---- check.c ---- */
void check_signed(unsigned guardian, const struct vote *vote);
void check_node(struct sim_node *n);
/* Late, or about to be: the seed goes on. */
bool check_unfinished(void);
void check_progress(void); /* no stall is missed while all is quiet */
void check_end(void);

/* ---- plant_*.c: the product with a bug in it ---- */
void planted_signer_answer(struct signer *signer, unsigned may,
			   struct slice ask, struct ask_answer *ret);

#endif
