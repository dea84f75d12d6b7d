// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

// Named limits.  The C side takes them from out/Constants.json, never from a copy.

// diff entries a step; one step's fraud proof is < 80 KB at depth 40
uint256 constant STEP = 64;
// 58 * 2048 B < 128 KiB, the largest transaction nodes gossip
uint256 constant MAX_ENTRIES = 2048;
// bytes of one diff entry: index(5) record(53)
uint256 constant ENTRY = 58;
uint256 constant RECORD = 53;
// leaves of a bucket, one bit each in a word
uint256 constant BUCKET = 256;
// inbox items a batch need not exceed, however many are overdue
uint256 constant COVER = 1024;
// guardians, validators, standbys (each list)
uint256 constant MAX_KEYS = 32;
uint256 constant MAX_FORCED_BYTES = 32768;
// gas a payee is given, and what must be left before its call: the call's own
// cost (cold, new account), 64/63 of the gift, and the IOU if it fails
uint256 constant PAY_GAS_NATIVE = 20_000;
uint256 constant PAY_GAS_TOKEN = 100_000;
uint256 constant RESERVE_NATIVE = 90_000;
uint256 constant RESERVE_TOKEN = 140_000;
// longest life of a RESUME or AMEND ballot
uint64 constant SLOW_BALLOT = 30 days;
// a ballot of PROMOTE or OPEN lives this many rounds
uint256 constant BALLOT_ROUNDS = 3;
uint256 constant MAX_INCLUSION = 30 days;
uint256 constant MAX_DEADLINE = 90 days;
// what a forced withdrawal costs whoever executes it
uint256 constant BOUNTY_GAS = 150_000;
// the most that the terms may demand beside: no amendment prices a citizen out of the queue
uint256 constant MAX_BOUNTY = 100_000_000 gwei;
// the bond's refund: intrinsic gas, gas a calldata byte (below what any honest one costs),
// most gas a leaf, most tip
uint256 constant REFUND_BASE = 21_000;
uint256 constant REFUND_BYTE = 8;
uint256 constant REFUND_LEAF = 40_000;
uint256 constant REFUND_TIP = 3 gwei;

// actions of a ballot
uint8 constant PROMOTE = 1;
uint8 constant OPEN = 2;
uint8 constant RESUME = 3;
uint8 constant AMEND = 4;
// causes of an opening
uint8 constant CAUSE_VOTE = 1;
uint8 constant CAUSE_SILENCE = 2;
uint8 constant CAUSE_OVERDUE = 3;
uint8 constant CAUSE_BAD_BATCH = 4;
// phases
uint8 constant PHASE_LIVE = 0;
uint8 constant PHASE_LATE = 1;
uint8 constant PHASE_PROMOTED = 2;
uint8 constant PHASE_OPEN = 3;
uint8 constant PHASE_SETTLING = 4;
// states of a rollup
uint8 constant STATE_RUNNING = 0;
uint8 constant STATE_OPEN = 1;
uint8 constant STATE_SETTLING = 2;
// fates of a withdrawal
uint8 constant FATE_QUEUED = 0;
uint8 constant FATE_EXECUTED = 1;
uint8 constant FATE_PAID = 2;
uint8 constant FATE_VOID = 3;
uint8 constant FATE_CANCELLED = 4;
uint8 constant FATE_UNSERVED = 5;
// fates of an inbox item
uint8 constant ITEM_QUEUED = 0;
uint8 constant ITEM_COVERED = 1;
uint8 constant ITEM_REFUNDABLE = 2;
uint8 constant ITEM_REFUNDED = 3;
// kinds of an inbox item, and of a record
uint8 constant ITEM_DEPOSIT = 1;
uint8 constant ITEM_TRANSACTION = 2;
uint8 constant KIND_BALANCE = 1;
uint8 constant KIND_CREDENTIAL = 2;
