/* Every limit of the watcher, with its reason. */
#ifndef EGRESS_WATCHER_LIMITS_H
#define EGRESS_WATCHER_LIMITS_H

/* A sequencer may be named with a probe though it is not in the list now. */
#define STANDBYS_MAX 64

/* Blocks committed in one turn, and when it ends before them: a turn lasts
 * below a second, a commit costs one fsync, and a full batch is many steps. */
#define BLOCKS_A_TURN 32
#define TURN_MS	      300

/* Ballots of one signer that are kept: a guardian that floods fills its own
 * places only (an honest one has two alive at a time).  So many that live for
 * rounds, and as many that live for a month: neither pushes the other out. */
#define BALLOTS_A_LIFE	 5
#define BALLOTS_A_SIGNER (2 * BALLOTS_A_LIFE)
#define POOL_MAX	 (BALLOTS_A_SIGNER * 32 /* guardians */)

/* Posted ballots waiting for the worker; more are answered 503. */
#define INTAKE_MAX 64

/* A peer's list: POOL_MAX ballots in JSON are below 200 KiB. */
#define PEER_REPLY_MAX	 (512u << 10)
#define PEER_TIMEOUT_MS	 3000
#define PEER_CALM_MS	 5000 /* between pulls while all is well */
#define PEER_BUSY_MS	 1000 /* while OPEN, SETTLING or PROMOTED */
#define GOSSIP_BATCH_MAX 128  /* bundles taken from peers in one turn */

#define PROBE_REPLY_MAX	 4096
#define PROBE_TIMEOUT_MS 2000
#define PROBE_EVERY_MS	 2000 /* while all is well */
#define PROBE_LATE_MS	 500  /* when somebody is about to be chosen */
#define PROBE_FAILURES	 3    /* in a row: it is not there */
#define PROBE_STALE_MS	 8000 /* an answer older than this says nothing */

/* Facts that could not be read for so long: we do not know the phase. */
#define FACTS_STALE_MS 15000

/* Asks to the signer in flight: two expiries, twice. */
#define ASKS_MAX 4
/* Distinct choices of one (epoch, progress): every standby, and to open. */
#define CHOICES_MAX 64
/* A refused ballot is not asked for again before this. */
#define REFUSED_RETRY_MS 2000

/* A ledger that stands still for so long is not waited for before voting. */
#define FOLLOW_STUCK_MS 10000

/* A block that cannot be followed is read again so often, after such a pause,
 * before the ledger stops there. */
#define DOUBTS_MAX 3
#define DOUBT_MS   2000

/* Blocks after it that no range is believed for: twice as many each time, so
 * that providers that leave logs out again and again cost seconds, not days. */
#define DISTRUST_FIRST 64
#define DISTRUST_MAX   (1u << 20)

/* store.map_size, at least: 1,024 followed blocks, and a nation of 16,384
 * leaves that full batches change every few blocks, with what undoes them. */
#define WATCHER_MAP_MIN (16u << 20)

/* Pages that would tell of ages, latencies and counters only are written anew
 * after this: whoever watches those looks less often. */
#define SHOWN_MS 5000

/* More blocks behind than this is "catching up". */
#define BEHIND_MAX 8

/* Its pace is that of the last half minute; a line in the log says so at most
 * this often. */
#define PROGRESS_POINTS	 16
#define PROGRESS_STEP_MS 2000
#define PROGRESS_SAY_MS	 10000

/* Heads in a row that show no hatch where one was configured: it is not one. */
#define NO_HATCH_HEADS 3

/* The vault is compared with the ledger at most this often. */
#define VAULT_EVERY_MS 10000

/* Evidence in one answer: a kilobyte each. */
#define EVIDENCE_PAGE 20

/* --check: how long L1 and the signer have to answer. */
#define CHECK_L1_MS	15000
#define CHECK_SIGNER_MS 5000

#endif
