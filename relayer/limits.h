/* Every limit of the relayer, with its reason. */
#ifndef EGRESS_RELAYER_LIMITS_H
#define EGRESS_RELAYER_LIMITS_H

/* ---- transactions ------------------------------------------------------- */
/* In flight at once: more would only wait in the nodes' pools, where one
 * account's transactions are commonly cut at 16 executable + 64 queued. */
#define FLIGHTS_MAX 32
/* Of these, kept for openings and bundles; and for executions and payments. */
#define FLIGHTS_URGENT	4
#define FLIGHTS_EXECUTE 4
/* With those in a block that is not final yet: 64 blocks of 8 each. */
#define FLIGHTS_ALL 512
/* Estimates asked for at once: one costs a node up to 20 runs. */
#define ESTIMATES_MAX  4
#define ESTIMATE_TRIES 3
/* Versions of one nonce (replacements): 12.5 % each, so × 2.5 at the end. */
#define FLIGHT_HASHES_MAX 8
/* EIP-7825: a transaction over 16,777,216 gas is invalid; a margin below. */
#define TX_GAS_MAX 16000000
/* On top of an estimate: state moves between the estimate and the block. */
#define GAS_MARGIN_PERCENT 20
#define GAS_MARGIN_FLAT	   20000
/* Nodes refuse a transaction that could cost more than 1 ETH in fees (geth's
 * --rpc.txfeecap); wei, a bit below. */
#define TX_FEE_MAX 990000000000000000u
/* A withdrawal's bounty is the base fee's worth of its gas, and paid in full:
 * its transaction offers this much above the base fee, and brings the bounty
 * for all of it.  Three full blocks in a row; then it is replaced. */
#define BOUNTY_HEADROOM_PERCENT 50
/* Refused by all that answered so often and never taken by any: its nonce is
 * free again. */
#define REJECTED_TRIES 5
/* The same signed bytes go out again after this long without a block. */
#define REBROADCAST_MS 4000
/* A transaction that waited this many blocks is replaced at a higher fee. */
#define REPLACE_BLOCKS 6
/* Wait after the first refusal of one task; doubled each time. */
#define REFUSED_FIRST_MS 400
#define REFUSED_LAST_MS	 15000
#define REFUSALS_MAX	 128
/* After the signer said no: its policy does not change by itself. */
#define UNSIGNED_MS 15000
/* What could not be signed for so long is decided again from new facts. */
#define FLIGHT_STALE_MS 20000
#define ACCOUNT_MS	5000 /* balance and nonce are read at least this often */
#define FACTS_RETRY_MS	500
#define CHECK_MS	15000 /* --check: how long L1 and the signer may take */

/* ---- watchers ----------------------------------------------------------- */
#define PEER_ASKS_MAX	64
#define PEER_TIMEOUT_MS 4000
/* A bad-batch proof is < 80 KB, 160 KB in hex; a ballot list of 32 guardians
 * stays below 128 KiB. */
#define PEER_REPLY_MAX (1u << 20)
#define PEER_BLAME_MS  30000 /* one that answered wrong is passed over */
#define PEER_DOWN_MS   1500  /* one that did not answer */
#define PROOF_RETRY_MS 200   /* it was a block apart: ask again after this */

/* ---- requests ----------------------------------------------------------- */
#define INTAKE_QUEUE_MAX  1024
#define REQUESTS_OPEN_MAX 1000000
/* How long an answer waits for the proof that its signer owns the leaf. */
#define OWNER_WAIT_MS 1500
/* "in L1's queue by": at most this long after acceptance, in seconds. */
#define REQUEST_PROMISE_S 3600
/* Published at once; and kept of each other relayer. */
#define EXITS_LISTED_MAX 4096
/* A wish may name a count this far ahead of the block acted on: whoever signs
 * sees the newest block, and in between the ledger moves on. */
#define WISH_COUNT_AHEAD 1024
/* Of the places for requests, one in so many is for those whose signer could
 * not be compared with the leaf's owner: anybody can make those. */
#define UNPROVEN_SHARE 4
/* Exits to another address that are remembered while wishes wait. */
#define WITNESSED_MAX 4096
/* A wish whose leaf is out waits so long to learn to whom it was paid, and a
 * withdrawal that is over, how. */
#define WITNESS_WAIT_MS 60000
/* Payments are looked for from so long on before one can be: the block acted on
 * jumps by minutes.  Seconds. */
#define WITNESS_BEFORE_S 3600
/* Another relayer's wish that L1 refuses so often is nobody's. */
#define WISH_TRIES 3
/* How long the relayer that was given a wish may take to carry it. */
#define FOREIGN_WISH_MS 6000
/* Entries of L1's queue that are read at once to find a request that another
 * brought there; and when it is not found, how long until the next pass. */
#define SEEK_PAGE     64
#define SEEK_RETRY_MS 60000
/* Requests whose fate on L1 is read at once. */
#define FATES_MAX 64

/* ---- room for new requests ---------------------------------------------- */
/* Of the map; beyond that new requests get 503.  The rest is for what nobody
 * counts one by one: evacuating and settling keep up to FLIGHTS_ALL
 * transactions, each change of a record copies its page, and what is freed is
 * free again only two commits later. */
#define STORE_FULL_PERCENT 75
/* From here on the log says so: as the watcher's. */
#define STORE_WARN_PERCENT 50
#define STORE_REAP_MS	   60000 /* dead readers of the store */
#define STORE_PAGE	   4096
/* A request: its record, and a place in each of two lists.  The work on it:
 * its signed transaction, and these three changed while copies of them are not
 * free yet. */
#define REQUEST_PAGES 2
#define WORK_PAGES    3
/* What L1 takes for the least that a request can be: storage of one entry of
 * the inbox. */
#define REQUEST_GAS_LEAST 60000

/* ---- carrying ----------------------------------------------------------- */
#define BUNDLES_MAX 128
/* A bundle is sent only if it lives as long as a block may take: seconds, and
 * not more than a round. */
#define BUNDLE_MARGIN_S	   12
#define BALLOTS_PER_SIGNER 10 /* a flood of one guardian's ballots */
#define QUIET_BALLOTS_MS   3000
#define QUIET_BAD_BATCH_MS 1000

/* ---- withdrawals -------------------------------------------------------- */
/* Ids looked at behind the queue's head for unpaid ones at the first start. */
#define WITHDRAWALS_BEHIND   4096
#define WITHDRAWALS_OPEN_MAX 256
/* A payment that L1 refuses so often leaves its place to others. */
#define PAY_TRIES 8

/* ---- evacuation and settling -------------------------------------------- */
/* Buckets worked on at once; and not more than a quarter of all, for in one
 * block nobody sees what the others do. */
#define EVACUATE_WORKS 8
#define EVACUATE_SHARE 4
/* A bucket that L1 refuses so often is tried again after all the others. */
#define BUCKET_TRIES   3
#define EVACUATE_READS 64 /* exited() words in one call */
/* Buckets settled in one chain of transactions, each on the root that the
 * one before leaves. */
#define SETTLE_CHAIN 24
/* Hashing 256 leaves twice, the tree above, two storage writes. */
#define SETTLE_GAS 700000
/* Relayers of one hatch start this many ms apart, by their addresses, so that
 * they seldom send the same thing in the same block. */
#define STAGGER_STEP_MS 300
#define STAGGER_STEPS	3
/* The same in blocks, for settling: there everything collides. */
#define SETTLE_STAGGER_BLOCKS 1

#endif
