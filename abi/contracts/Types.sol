// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Seconds of L1 time; one slot.
struct Terms {
	uint32 slaWindow;
	uint32 failoverWindow;
	uint32 inclusionWindow;
	uint32 hardDeadline;
	uint32 notice;
	uint32 finality;
	uint32 round;
}

/// Guardians needed for each action.
struct Thresholds {
	uint8 promote;
	uint8 open;
	uint8 resume;
	uint8 amend;
}

/// The whole new configuration, not a delta; sequencer 0 = unchanged.
struct Amendment {
	Terms terms;
	Thresholds thresholds;
	address[] guardians;
	address[] standbys;
	address sequencer;
	bytes rollupConfig;
}

/// Unix seconds; 0 = does not apply.
struct Deadlines {
	uint64 lateAt;
	uint64 failoverUntil;
	uint64 openableAt;
	uint64 exitsFrom;
	uint64 resumeFrom;
	uint64 enactFrom;
}

struct Batch {
	uint64 number;
	bytes32 prevRoot;
	bytes32 root;
	uint64 leafCount;
	uint64 inboxThrough;
	bytes32 inboxAcc;
	bytes32 diffHash;
}

/// The state a batch was built on, and when it was committed.
struct Before {
	uint64 committedAt;
	uint64 leafCount;
	uint64 inboxThrough;
	uint64 withdrawHead;
}

/// Proof that one step of a batch is bad: see README.md for each field.
struct BadStep {
	Batch batch;
	Before before;
	uint256 step;
	bytes32[] steps;
	bytes32 rootBefore;
	bytes32 chunkHashBefore;
	bytes32 rootAfter;
	bytes chunk;
	bytes oldRecords;
	bytes32[] siblings;
}

/// Queued: stamp = requested at.  Executed: stamp = executed at, amount = what
/// pay() pays, payer = its asset, bounty = 0.  Paid: recipient = 0, amount = 0.
struct Withdrawal {
	address owner;
	uint40 index;
	uint40 stamp;
	uint16 opening;
	address recipient;
	uint96 amount;
	address payer;
	uint96 bounty;
}

/// acc = keccak256(abi.encode(previous acc, id, queuedAt, itemHash)); the acc
/// before id 0 is 0.  Refunded: queuedAt = 0.
struct InboxItem {
	bytes32 acc;
	uint64 queuedAt;
	uint64 opening;
}

/// Ids >= these, queued in that life, are void.
struct Opening {
	uint64 inboxFrom;
	uint64 unservedFrom;
	uint64 cancelledFrom;
}
