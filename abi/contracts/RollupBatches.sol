// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Constants.sol";
import "./ISovereignRollup.sol";
import {BadStep, Batch, Before, Opening} from "./Types.sol";
import {IBadBatch} from "./IBadBatch.sol";
import {NotAscending, Signatures} from "./Signatures.sol";
import {RollupBase} from "./RollupBase.sol";
import {Tree} from "./Tree.sol";

/// Batches: what L1 can see of one, who may post it, and how bad ones fall.
abstract contract RollupBatches is RollupBase {
	bytes32 private constant BATCH_TYPEHASH = keccak256(
		"Batch(uint64 number,bytes32 prevRoot,bytes32 root,uint64 leafCount,uint64 inboxThrough,"
		"bytes32 inboxAcc,bytes32 diffHash,address sequencer)"
	);

	function commit(Batch calldata b, bytes32[] calldata roots, bytes calldata diff, bytes calldata signatures)
		external
		locked
	{
		require(msg.sender == sequencer_, NotSequencer());
		// a top-level call, so that the diff stands in the transaction's input;
		// an account with delegated code could call from within
		require(msg.sender == tx.origin && msg.sender.code.length == 0, NotTopLevel());
		require(state_ == STATE_RUNNING, WrongState());
		require(b.number == count + 1, WrongNumber());
		require(b.prevRoot == root, WrongPrevRoot());
		// the cheap checks first: a withdrawal that fell overdue meanwhile is no fault
		_checkQueues(b);
		_checkDiff(b, roots, diff);
		_checkValidators(b, signatures);
		Before memory before = Before(uint64(block.timestamp), leafCount, inboxThrough, withdrawHead);
		batchHash_[b.number] = keccak256(abi.encode(b, before));
		root = b.root;
		count = b.number;
		lastAt = uint64(block.timestamp);
		leafCount = b.leafCount;
		inboxThrough = b.inboxThrough;
		emit Committed(b.number, msg.sender, b, before, roots);
	}

	/// Lengths, order, gaps, kinds, leafCount, and the hash that binds chunks to roots.
	function _checkDiff(Batch calldata b, bytes32[] calldata roots, bytes calldata diff) private view {
		uint256 n = diff.length / ENTRY;
		require(diff.length == n * ENTRY && n <= MAX_ENTRIES, WrongLength());
		uint256 size = (n + STEP - 1) / STEP;
		require(roots.length == size, WrongRoots());
		require(b.root == (size == 0 ? b.prevRoot : roots[size - 1]) && b.root != 0, WrongRoots());
		_checkEntries(diff, n, b.leafCount);
		bytes32[] memory steps = new bytes32[](size);
		for (uint256 i = 0; i < size; i++) {
			uint256 from = i * STEP * ENTRY;
			uint256 to = from + STEP * ENTRY;
			if (to > diff.length) to = diff.length;
			steps[i] = Tree.pair(Tree.hash(diff[from:to]), roots[i]);
		}
		require(keccak256(abi.encodePacked(steps)) == b.diffHash, WrongDiffHash());
	}

	/// First the updates, ascending and below the old leafCount; then the new leaves, which
	/// leave no gap, are of a known kind and owned.  (An update that changes kind or owner
	/// is what a proof shows.)
	function _checkEntries(bytes calldata diff, uint256 n, uint256 grown) private view {
		uint256 leaves = leafCount;
		require(grown >= leaves && grown - leaves <= n, WrongLeafCount());
		uint256 updates = n - (grown - leaves);
		require(_ascends(diff, updates), NotAscending());
		unchecked {
			if (updates != 0) require(_head(diff, updates - 1) >> 216 < leaves, WrongLeafCount());
			for (uint256 i = updates; i < n; i++) {
				uint256 head = _head(diff, i);
				require(head >> 216 == leaves + i - updates, WrongLeafCount());
				uint256 kind = (head >> 208) & 0xff;
				require(kind == KIND_BALANCE || kind == KIND_CREDENTIAL, BadRecord());
				require(uint160(head >> 48) != 0, BadRecord());
			}
		}
	}

	/// index(5) kind(1) owner(20) of entry i, and six bytes more.
	function _head(bytes calldata diff, uint256 i) private pure returns (uint256 head) {
		assembly ("memory-safe") {
			head := calldataload(add(diff.offset, mul(i, ENTRY)))
		}
	}

	/// Whether the indices of the first n entries ascend strictly.  Four a round: this loop is
	/// what a batch costs beyond its calldata.
	function _ascends(bytes calldata diff, uint256 n) private pure returns (bool ok) {
		assembly ("memory-safe") {
			ok := 1
			if n {
				// an index is the top five bytes of an entry: above the last one's
				// with all other bits set
				let rest := sub(shl(216, 1), 1)
				let from := diff.offset
				let end := add(from, mul(n, ENTRY))
				let last := calldataload(from)
				from := add(from, ENTRY)
				let rounds := add(from, mul(div(sub(n, 1), 4), 232))
				for {} lt(from, rounds) { from := add(from, 232) } {
					let next := calldataload(from)
					ok := and(ok, gt(next, or(last, rest)))
					last := calldataload(add(from, 58))
					ok := and(ok, gt(last, or(next, rest)))
					next := calldataload(add(from, 116))
					ok := and(ok, gt(next, or(last, rest)))
					last := calldataload(add(from, 174))
					ok := and(ok, gt(last, or(next, rest)))
				}
				for {} lt(from, end) { from := add(from, ENTRY) } {
					let next := calldataload(from)
					ok := and(ok, gt(next, or(last, rest)))
					last := next
				}
			}
		}
	}

	/// Nothing that a citizen forced may be late when a batch lands.
	function _checkQueues(Batch calldata b) private view {
		uint256 window = inclusionWindow;
		uint64 through = b.inboxThrough;
		require(through >= inboxThrough && through <= inboxTail, WrongInbox());
		bytes32 acc = through == 0 ? bytes32(0) : inbox[through - 1].acc;
		require(b.inboxAcc == acc, WrongInboxAcc());
		if (withdrawHead < withdrawTail) {
			require(block.timestamp <= withdrawals[withdrawHead].stamp + window, WithdrawalOverdue());
		}
		if (through < inboxTail && through - inboxThrough < COVER) {
			require(block.timestamp <= inbox[through].queuedAt + window, InboxOverdue());
		}
	}

	function _checkValidators(Batch calldata b, bytes calldata signatures) private view {
		bytes32 hash = Signatures.digest(NAME, keccak256(abi.encode(BATCH_TYPEHASH, b, msg.sender)));
		address[] memory signers = Signatures.recoverAll(hash, signatures, MAX_KEYS);
		require(signers.length >= t, TooFewSignatures());
		address[] memory list = validators_;
		for (uint256 i = 0; i < signers.length; i++) {
			require(Signatures.find(list, signers[i]) < list.length, NotValidator());
		}
	}

	// ---- hatch only

	function promote(address sequencer__) external onlyHatch locked {
		sequencer_ = sequencer__;
	}

	function open(bytes calldata args) external onlyHatch locked {
		require(args.length == 0, WrongLength());
		require(state_ != STATE_OPEN, WrongState());
		_open();
	}

	/// Freezes the ledger at the root before a batch that is proven bad.
	function rewind(bytes calldata proof) external onlyHatch locked {
		require(state_ != STATE_SETTLING, WrongState());
		(Batch memory b, Before memory before) = _judge(proof);
		require(batchHash(b.number) == keccak256(abi.encode(b, before)), UnknownBatch());
		require(block.timestamp <= before.committedAt + finality, BatchFinal());
		if (state_ == STATE_RUNNING) _open();
		// no life outlives the finality of its batches before a resume, so this batch
		// and all that is undone with it belong to the life that has just ended
		uint64 life = openings - 1;
		openingOf[life].inboxFrom = before.inboxThrough;
		openingOf[life].cancelledFrom = before.withdrawHead;
		droppedIn[life] = Dropped(b.number, count);
		root = b.prevRoot;
		leafCount = before.leafCount;
		emit Rewound(b.number, b.prevRoot, before.leafCount, before.inboxThrough, before.withdrawHead);
	}

	function resume(address sequencer__) external onlyHatch locked {
		require(state_ == STATE_OPEN, WrongState());
		require(slaBond != 0, NoBond());
		sequencer_ = sequencer__;
		state_ = dirty == 0 ? STATE_RUNNING : STATE_SETTLING;
		lastAt = uint64(block.timestamp);
	}

	/// Empties both queues for good: numbers are never reused.
	function _open() private {
		if (state_ == STATE_RUNNING) {
			openingOf[openings] = Opening(inboxThrough, withdrawHead, withdrawHead);
			openings++;
			inboxThrough = inboxTail;
			withdrawHead = withdrawTail;
		}
		state_ = STATE_OPEN;
	}

	/// The proof's bytes are judge's argument as they stand.
	function _judge(bytes calldata proof) private view returns (Batch memory, Before memory) {
		(bool ok, bytes memory answer) = badBatch.staticcall(bytes.concat(IBadBatch.judge.selector, proof));
		if (!ok) {
			assembly ("memory-safe") {
				revert(add(answer, 0x20), mload(answer))
			}
		}
		return abi.decode(answer, (Batch, Before));
	}

	// ---- views

	function overdue() external view returns (uint64 since) {
		uint256 window = inclusionWindow;
		uint256 due = type(uint64).max;
		if (withdrawHead < withdrawTail) due = withdrawals[withdrawHead].stamp + window;
		if (inboxThrough < inboxTail) {
			uint256 other = inbox[inboxThrough].queuedAt + window;
			if (other < due) due = other;
		}
		return block.timestamp > due ? uint64(due) : 0;
	}

	function batchHash(uint64 number) public view returns (bytes32) {
		for (uint64 life = openings; life > 0; life--) {
			Dropped memory d = droppedIn[life - 1];
			if (number >= d.from && number <= d.through) return 0;
		}
		return batchHash_[number];
	}
}
