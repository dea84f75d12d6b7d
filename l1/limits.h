/* Every limit of l1/, with its reason. */
#ifndef EGRESS_L1_LIMITS_H
#define EGRESS_L1_LIMITS_H

#define L1_ASKS_MAX 64 /* in flight: a turn starts a handful */
/* Answered asks whose last providers are still listened to, to find out who
 * contradicts: a provider that hangs must not keep more. */
#define L1_LINGER_MAX 32

/* A batch of answers: 32 blocks with their blooms are 50 KB, the logs of one
 * block a few MB. */
#define L1_REPLY_MAX  (32u << 20)
#define L1_REPLY_DEEP 32
/* A transaction's calldata: what EIP-7825's cap of 2^24 gas buys at the floor
 * of 10 gas a byte, 1.6 MiB.  Builders take more than nodes gossip. */
#define L1_INPUT_MAX	(2u << 20)
#define L1_LOG_DATA_MAX (1u << 20) /* of one log that is followed */
/* Of one reply: providers cut at 10,000 or 20,000; 17 MB decoded. */
#define L1_PAGE_LOGS_MAX 65536
/* Answers to one call; logs and inputs have their own.  A block of 150M gas
 * names 7000 transactions, 0.5 MB. */
#define L1_BLOCK_REPLY_MAX (1u << 20)
/* 80 slots at a dozen nodes of 532 bytes each, as hex. */
#define L1_PROOF_REPLY_MAX (1u << 20)
/* EIP-170 says 24,576; some chains allow several times that. */
#define L1_CODE_MAX	   (128u << 10)
#define L1_SMALL_REPLY_MAX (128u << 10)

/* What a provider said of the last blocks.  A poll adds its head, the block
 * that is deep enough, the one acted on and what two others named: ten polls at
 * the least, and more than that of a chain whose blocks are slower. */
#define L1_SIGHTINGS 64
/* What it told by number counts for so many replies more: the other providers'
 * polls fall in between. */
#define L1_TOLD_REPLIES 2

/* A failed provider is asked again after 250 ms × 2^failures, at most this
 * (also when its Retry-After says more): an endpoint that comes back is used
 * again within seconds. */
#define L1_BACKOFF_FIRST_MS 250
#define L1_BACKOFF_MAX_MS   8000

/* Who contradicted a quorum about a block is asked for proofs alone for this
 * long, twice as long each time. */
#define L1_LYING_FIRST_MS 30000
#define L1_LYING_MAX_MS	  900000
/* An old lie is forgotten after this long of agreeing. */
#define L1_FORGIVE_MS 600000
/* Who knows less than a quorum (no logs, a revert without its data) may lag;
 * who does so this often in a row lies. */
#define L1_DOUBTS_MAX 3

/* Records of expulsions that nobody has taken yet: one a provider, and they are
 * taken every turn. */
#define L1_RECORDS_MAX 16
/* The headers that a provider showed last, as it wrote them: several polls of
 * two blocks and what it was asked for besides. 2 KB each. */
#define L1_SPOKEN_MAX	   32
#define L1_HEADER_TEXT_MAX 4096

/* A poll's reply that is kept to see that the next is the same: two blocks of
 * a thousand transactions' hashes.  A longer one is read each time. */
#define L1_MEMO_MAX (160u << 10)

/* One after the other until one proves it; four that do not answer. */
#define L1_PROOF_MS 4000
/* Receipts one by one, where nobody has a block's in one call: eight batches,
 * and four times what the fullest blocks weigh; a block of more is left to a
 * quorum's lists of logs.  So many blocks at once: a provider 200 ms away is
 * kept busy, and each is held until its last receipt is there. */
#define L1_RECEIPTS_SINGLY_MAX	     1024
#define L1_RECEIPTS_SINGLY_BYTES_MAX (8u << 20)
#define L1_SINGLY_MAX		     8
/* Transactions whose receipts were proved, so that nobody fetches their blocks
 * again: every one that a relayer has in flight. */
#define L1_FATES_MAX 512
/* A provider that has no such method is asked for it again after this. */
#define L1_LACKS_MS 600000
/* eth_getProof, eth_getBlockReceipts, receipts at all, ranges, the tags safe
 * and finalized */
#define L1_LACKS_MAX 6

/* Local clock: the head that a quorum agrees on has not moved.  Five blocks of
 * 12 s; a missed slot or two are nothing. */
#define L1_HEAD_STALE_MS 60000
/* A head that moves is as old as a slot or two, and a poll. */
#define L1_CLOCK_OFF_S 120
/* Finality comes every 6.4 min where it comes in epochs; four of them. */
#define L1_ACTED_STALE_MS 1800000
/* Providers that contradict each other at the acted depth are given this long
 * to be outvoted. */
#define L1_DISPUTE_MS 3000
/* A reorganisation deeper than `confirmations` reaches honest nodes within
 * seconds of each other, and their answers a poll later: who still shows
 * another branch after this long, and after a quorum acted on so many blocks
 * more of its own, shows one that honest nodes have left. */
#define L1_REORG_MS	30000
#define L1_REORG_BLOCKS 3

/* A provider that fails for so long is told of. */
#define L1_TELL_MS 30000

/* A provider's words count as what it says now for so long, or for so many
 * polls: one lost answer makes nobody blind. */
#define L1_HEARD_MS    6000
#define L1_HEARD_POLLS 3

/* A provider is called slow when its answer is so many blocks, and so many
 * seconds by their timestamps, behind what was agreed on before: five blocks of
 * 12 s are a minute, on BSC they are one poll. */
#define L1_SLOW_BLOCKS 5
#define L1_SLOW_S      5
#define L1_SLOW_MS     1500

/* Blocks a poll asks for by number because others named them: one for each. */
#define L1_FILL_MAX 15
/* A tag that nothing rests on is asked for this often: a slot of Ethereum. */
#define L1_TAG_MS 12000

/* The second provider is asked too when the first has not answered. */
#define L1_HEDGE_MS 1000

/* One ask for the facts, for logs, for an account. */
#define L1_ASK_MS 6000

/* ---- deep catch-up: logs by range ---- */

/* More blocks behind than this, ranges are asked for; and none nearer than that
 * to the block acted on, where each block is proved: two epochs of finality and
 * twice that. */
#define L1_DEEP_BEHIND 256
#define L1_DEEP_NEAR   128
/* Blocks a range: what every plan but the smallest serves, to begin with; and
 * the widest that the larger ones do. */
#define L1_SPAN_FIRST 2000
#define L1_SPAN_MAX   10000
/* Served so often in a row, a wider range is tried again that was refused; and
 * after a crowd of logs ranges double again instead of growing by an eighth. */
#define L1_SPAN_FORGET 64
#define L1_SPAN_SLOW   16
/* Shorter is not worth an ask: 32 headers come in one. */
#define L1_RANGE_MIN 8
/* Asked for at once, delivered in order: a provider 200 ms away is kept busy.
 */
#define L1_RANGES_AHEAD 8
/* One list; 10,000 logs are 7 MB.  More is too much. */
#define L1_RANGE_REPLY_MAX (8u << 20)
/* Decoded and waiting for their turn, or to come if they are like the last one:
 * 15,000 logs.  Over it no further range is begun. */
#define L1_RANGES_HELD_MAX (4u << 20)
/* "Query duration must not exceed 10 seconds" (Infura). */
#define L1_RANGE_MS 12000
/* What a queued block needs could not be had so often in a row: L1 may have
 * taken it back, and its transactions with it. */
#define L1_ITEM_TRIES 4
/* Too few answers so often, and these blocks are read one by one: 32, and twice
 * as many each time that ranges fail again. */
#define L1_RANGE_TRIES	  3
#define L1_BY_BLOCK_FIRST 32
#define L1_BY_BLOCK_MAX	  4096
/* Headers in one ask, of blocks that hold logs. */
#define L1_RANGE_HEADERS 64
/* A range without logs is committed as a block of its own after so many: a
 * restart reads at most these again. */
#define L1_DEEP_MARK 1000

#define L1_HEADERS_MAX	    16 /* of a headers_file */
#define L1_HEADERS_FILE_MAX 8192

#endif
