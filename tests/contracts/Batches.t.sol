// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Base.sol";

/// Calls commit from within a transaction.
contract Middleman {
	function commit(ISovereignRollup rollup, Batch calldata b, bytes32[] calldata roots, bytes calldata diff, bytes calldata signatures)
		external
	{
		rollup.commit(b, roots, diff, signatures);
	}
}

/// commit: everything that L1 can see of a batch.
contract BatchesTest is Base {
	/// Signs again after a change, so that only the change is wrong.
	function resign(Plan memory p) internal view {
		p.signatures = signBatch(p.b, 3, rollup.sequencer());
	}

	/// Recomputes what hangs on diff and roots.
	function rehash(Plan memory p) internal view {
		p.b.diffHash = keccak256(abi.encodePacked(stepHashes(p.diff, p.roots)));
		resign(p);
	}

	function test_first_batch_lands_and_root_is_the_books() public {
		same(rollup.stateRoot(), book.rootAt(8), "genesis is the empty tree");
		same(count(), 0, "no batch yet");
		same(lastAt(), 0, "no clock before the first batch");
		populate(3);
		same(rollup.stateRoot(), book.root(), "root");
		same(count(), 1, "count");
		same(lastAt(), block.timestamp, "lastAt");
		same(rollup.depth(), 8, "depth");
	}

	function test_commit_stores_hash_and_emits() public {
		populate(2);
		vm.warp(block.timestamp + 7);
		put(1, coin(1, 5));
		put(2, coin(2, 6));
		Plan memory p = plan();
		Before memory before = Before(uint64(block.timestamp), 2, 1, 0);
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.Committed(2, sequencer, p.b, before, p.roots);
		land(p);
		same(rollup.batchHash(2), keccak256(abi.encode(p.b, before)), "batchHash");
		same(rollup.stateRoot(), book.root(), "root");
		same(lastAt(), block.timestamp, "lastAt");
	}

	function test_empty_batch_is_progress() public {
		populate(1);
		vm.warp(block.timestamp + 5);
		bytes32 root = rollup.stateRoot();
		Plan memory p = commit();
		same(p.b.diffHash, keccak256(""), "diffHash of nothing");
		same(rollup.stateRoot(), root, "root stays");
		same(count(), 2, "count");
		same(lastAt(), block.timestamp, "clock");
	}

	function test_full_batch_and_growth_of_depth() public {
		for (uint256 i = 0; i < 200; i++) put(i, coin(i, i));
		commit();
		same(rollup.depth(), 8, "depth 8");
		for (uint256 i = 100; i < 520; i++) put(i, coin(i, i + 1));
		commit();
		same(rollup.depth(), 10, "depth 10");
		same(rollup.stateRoot(), book.root(), "root");
	}

	function test_depth_at_each_power() public {
		uint64[6] memory leaves = [uint64(256), 257, 512, 513, 1 << 26, (1 << 26) + 1];
		uint8[6] memory depths = [8, 9, 9, 10, 26, 27];
		for (uint256 i = 0; i < 6; i++) {
			vm.store(address(rollup), bytes32(uint256(1)), bytes32(uint256(leaves[i]) << 128));
			same(rollup.depth(), depths[i], "depth");
		}
		vm.store(address(rollup), bytes32(uint256(1)), bytes32(uint256(1 << 40) << 128));
		same(rollup.depth(), 40, "the deepest");
	}

	function test_largest_batch_lands_and_one_more_does_not() public {
		for (uint256 i = 0; i < 2048; i++) {
			put(i, balance(address(uint160(i + 1)), address(0), i));
		}
		Plan memory p = plan();
		uint256 snapshot = vm.snapshotState();
		land(p);
		same(rollup.stateRoot(), p.b.root, "2,048 entries");
		vm.revertToState(snapshot);
		p.diff = bytes.concat(p.diff, abi.encodePacked(uint40(2048), coin(1, 1)));
		p.b.leafCount = 2049;
		bytes32[] memory roots = new bytes32[](33);
		for (uint256 i = 0; i < 32; i++) roots[i] = p.roots[i];
		roots[32] = p.b.root;
		p.roots = roots;
		rehash(p);
		land(p, WrongLength.selector);
	}

	function test_refuses_other_callers() public {
		put(0, coin(0, 1));
		Plan memory p = plan();
		p.signatures = signBatch(p.b, 3, standbyA);
		vm.expectRevert(NotSequencer.selector);
		vm.prank(standbyA, standbyA);
		rollup.commit(p.b, p.roots, p.diff, p.signatures);
	}

	function test_refuses_a_call_from_within() public {
		put(0, coin(0, 1));
		Plan memory p = plan();
		vm.expectRevert(NotTopLevel.selector);
		vm.prank(sequencer, treasury);
		rollup.commit(p.b, p.roots, p.diff, p.signatures);
	}

	function test_refuses_an_account_with_code() public {
		put(0, coin(0, 1));
		Plan memory p = plan();
		// EIP-7702: a delegated account is 23 bytes of code
		vm.etch(sequencer, abi.encodePacked(hex"ef0100", address(new Middleman())));
		land(p, NotTopLevel.selector);
	}

	function test_refuses_wrong_number() public {
		populate(1);
		Plan memory p = plan();
		p.b.number = 1;
		resign(p);
		land(p, WrongNumber.selector);
		p.b.number = 3;
		resign(p);
		land(p, WrongNumber.selector);
	}

	function test_refuses_wrong_prev_root() public {
		populate(1);
		put(0, coin(0, 1));
		Plan memory p = plan();
		p.b.prevRoot = bytes32(uint256(p.b.prevRoot) ^ 1);
		resign(p);
		land(p, WrongPrevRoot.selector);
	}

	function test_refuses_wrong_lengths() public {
		populate(1);
		put(0, coin(0, 1));
		Plan memory p = plan();
		bytes memory diff = p.diff;
		p.diff = bytes.concat(diff, hex"00");
		land(p, WrongLength.selector);
		p.diff = slice(diff, 0, 57);
		land(p, WrongLength.selector);
		p.diff = diff;
		land(p);
	}

	function test_refuses_wrong_roots() public {
		populate(1);
		for (uint256 i = 0; i < 65; i++) put(i, coin(i, 1));
		Plan memory p = plan();
		bytes32[] memory roots = p.roots;
		same(roots.length, 2, "two steps");
		p.roots = new bytes32[](1);
		p.roots[0] = p.b.root;
		land(p, WrongRoots.selector);
		p.roots = new bytes32[](3);
		(p.roots[0], p.roots[1], p.roots[2]) = (roots[0], roots[1], roots[1]);
		land(p, WrongRoots.selector);
		p.roots = new bytes32[](2);
		(p.roots[0], p.roots[1]) = (roots[0], roots[0]);
		land(p, WrongRoots.selector);
		p.roots = roots;
		land(p);
	}

	function test_refuses_a_zero_root() public {
		populate(1);
		put(0, coin(0, 1));
		Plan memory p = plan();
		p.b.root = 0;
		p.roots[0] = 0;
		rehash(p);
		land(p, WrongRoots.selector);
	}

	function test_refuses_another_root_without_entries() public {
		populate(1);
		Plan memory p = plan();
		p.b.root = bytes32(uint256(1));
		resign(p);
		land(p, WrongRoots.selector);
	}

	function test_refuses_descending_and_equal_indices() public {
		populate(3);
		put(1, coin(1, 1));
		put(1, coin(1, 2));
		Plan memory p = plan();
		land(p, NotAscending.selector);
		put(2, coin(2, 1));
		put(1, coin(1, 2));
		p = plan();
		land(p, NotAscending.selector);
	}

	function test_refuses_unordered_updates_at_every_place() public {
		populate(12);
		for (uint256 i = 0; i < 11; i++) {
			for (uint256 j = 0; j < 12; j++) put(j, coin(j, j));
			Plan memory p = plan();
			// entry i + 1 gets the index of entry i
			p.diff[(i + 1) * 58 + 4] = bytes1(uint8(i));
			rehash(p);
			land(p, NotAscending.selector);
			// and even if all its other bits are set
			bytes memory kept = slice(p.diff, 0, p.diff.length);
			for (uint256 j = 5; j < 58; j++) p.diff[(i + 1) * 58 + j] = 0xff;
			rehash(p);
			land(p, NotAscending.selector);
			p.diff = kept;
			p.diff[(i + 1) * 58 + 4] = bytes1(uint8(i + 1));
			rehash(p);
			uint256 snapshot = vm.snapshotState();
			land(p);
			vm.revertToState(snapshot);
		}
	}

	function test_refuses_an_update_beyond_the_old_leaves() public {
		populate(3);
		put(1, coin(1, 1));
		put(3, coin(3, 1));
		Plan memory p = plan();
		p.b.leafCount = 3;
		rehash(p);
		land(p, WrongLeafCount.selector);
		p.b.leafCount = 5;
		rehash(p);
		land(p, WrongLeafCount.selector);
		p.b.leafCount = 6;
		rehash(p);
		land(p, WrongLeafCount.selector);
		p.b.leafCount = 4;
		rehash(p);
		land(p);
	}

	function test_new_leaves_are_consecutive() public {
		populate(3);
		put(3, coin(3, 1));
		put(4, coin(4, 1));
		put(5, coin(5, 1));
		Plan memory p = plan();
		p.diff[58 + 4] = bytes1(uint8(3));
		rehash(p);
		land(p, WrongLeafCount.selector);
		p.diff[58 + 4] = bytes1(uint8(5));
		rehash(p);
		land(p, WrongLeafCount.selector);
		p.diff[58 + 4] = bytes1(uint8(4));
		rehash(p);
		land(p);
	}

	function test_refuses_gaps_and_wrong_leaf_count() public {
		populate(2);
		put(2, coin(2, 1));
		Plan memory p = plan();
		// index 3 where 2 is the next
		p.diff = bytes.concat(abi.encodePacked(uint40(3)), slice(p.diff, 5, 53));
		p.b.leafCount = 4;
		rehash(p);
		land(p, WrongLeafCount.selector);
		p.diff = bytes.concat(abi.encodePacked(uint40(2)), slice(p.diff, 5, 53));
		rehash(p);
		land(p, WrongLeafCount.selector);
		p.b.leafCount = 2;
		rehash(p);
		land(p, WrongLeafCount.selector);
		p.b.leafCount = 3;
		rehash(p);
		land(p);
	}

	function test_refuses_bad_records() public {
		populate(1);
		bytes[3] memory bad = [
			abi.encodePacked(uint8(0), citizen(0), bytes32(uint256(1))),
			abi.encodePacked(uint8(3), citizen(0), bytes32(uint256(1))),
			abi.encodePacked(uint8(1), address(0), bytes32(uint256(1)))
		];
		for (uint256 i = 0; i < 3; i++) {
			put(1, bad[i]);
			land(plan(), BadRecord.selector);
		}
		put(1, credential(citizen(0), 0));
		land(plan());
	}

	function test_refuses_wrong_diff_hash() public {
		populate(1);
		put(0, coin(0, 1));
		Plan memory p = plan();
		p.b.diffHash = bytes32(uint256(p.b.diffHash) ^ 1);
		resign(p);
		land(p, WrongDiffHash.selector);
		p.b.diffHash = bytes32(uint256(p.b.diffHash) ^ 1);
		p.diff[57] = bytes1(uint8(p.diff[57]) ^ 1);
		resign(p);
		land(p, WrongDiffHash.selector);
	}

	/// Each intermediate root is bound, or a proof could not name it.
	function test_binds_intermediate_roots() public {
		for (uint256 i = 0; i < 65; i++) put(i, coin(i, 1));
		Plan memory p = plan();
		p.roots[0] = bytes32(uint256(p.roots[0]) ^ 1);
		land(p, WrongDiffHash.selector);
	}

	// ---- the inbox

	function test_inbox_through_stays_within_the_inbox() public {
		populate(1);
		rollup.requestTransaction("one");
		rollup.requestTransaction("two");
		Plan memory p = plan();
		p.b.inboxThrough = 4;
		resign(p);
		land(p, WrongInbox.selector);
		p.b.inboxThrough = 0;
		p.b.inboxAcc = 0;
		resign(p);
		land(p, WrongInbox.selector);
		p.b.inboxThrough = 2;
		resign(p);
		land(p, WrongInboxAcc.selector);
		p.b.inboxAcc = accAt(2);
		resign(p);
		land(p);
		(,, uint64 through, uint64 tail) = rollup.queues();
		same(through, 2, "covered");
		same(tail, 3, "queued");
	}

	function test_zero_items_have_acc_zero() public {
		Plan memory p = plan();
		p.b.inboxAcc = bytes32(uint256(1));
		resign(p);
		land(p, WrongInboxAcc.selector);
		p.b.inboxAcc = 0;
		resign(p);
		land(p);
	}

	function atAge(uint256 age) internal returns (Plan memory p) {
		populate(1);
		rollup.requestTransaction("one");
		vm.warp(block.timestamp + age);
		p = plan();
		p.b.inboxThrough = 1;
		p.b.inboxAcc = accAt(1);
		resign(p);
	}

	function test_inbox_item_may_wait_until_its_window() public {
		land(atAge(INCLUSION - 1));
	}

	function test_inbox_item_may_wait_exactly_its_window() public {
		land(atAge(INCLUSION));
	}

	function test_overdue_inbox_item_must_be_covered() public {
		land(atAge(INCLUSION + 1), InboxOverdue.selector);
	}

	function fill(uint256 n) internal returns (Plan memory p) {
		populate(1);
		for (uint256 i = 0; i < n; i++) rollup.requestTransaction("x");
		vm.warp(block.timestamp + INCLUSION + 1);
		p = plan();
	}

	function test_batch_need_not_cover_more_than_1024() public {
		Plan memory p = fill(1030);
		p.b.inboxThrough = 1 + 1024;
		p.b.inboxAcc = accAt(p.b.inboxThrough);
		resign(p);
		land(p);
	}

	function test_batch_must_cover_1024_overdue_items() public {
		Plan memory p = fill(1030);
		p.b.inboxThrough = 1 + 1023;
		p.b.inboxAcc = accAt(p.b.inboxThrough);
		resign(p);
		land(p, InboxOverdue.selector);
	}

	function withdrawalAt(uint256 age) internal returns (Plan memory p) {
		populate(1);
		vm.prank(sequencer);
		rollup.requestWithdrawal{value: 1 ether}(0, 1, citizen(0));
		vm.warp(block.timestamp + age);
		p = plan();
	}

	function test_commit_at_the_end_of_a_withdrawals_window() public {
		land(withdrawalAt(INCLUSION));
	}

	function test_commit_refused_while_a_withdrawal_is_overdue() public {
		land(withdrawalAt(INCLUSION + 1), WithdrawalOverdue.selector);
	}

	// ---- validators

	function test_needs_t_signatures() public {
		Plan memory p = plan();
		p.signatures = signBatch(p.b, 2, sequencer);
		land(p, TooFewSignatures.selector);
		p.signatures = signBatch(p.b, 3, sequencer);
		uint256 snapshot = vm.snapshotState();
		land(p);
		vm.revertToState(snapshot);
		p.signatures = signBatch(p.b, 4, sequencer);
		land(p);
	}

	function test_signatures_are_by_distinct_validators() public {
		Plan memory p = plan();
		bytes32 hash = batchDigest(p.b, sequencer);
		bytes memory two = sigs(validatorKeys, 0, 2, hash);
		p.signatures = bytes.concat(two, sig(validatorKeys[1], hash));
		land(p, NotAscending.selector);
		p.signatures = bytes.concat(sig(validatorKeys[1], hash), sig(validatorKeys[0], hash), sig(validatorKeys[2], hash));
		land(p, NotAscending.selector);
		uint256 stranger = 0x9000;
		while (vm.addr(stranger) < vm.addr(validatorKeys[1])) stranger++;
		p.signatures = bytes.concat(two, sig(stranger, hash));
		land(p, NotValidator.selector);
		p.signatures = bytes.concat(sigs(validatorKeys, 0, 3, hash), hex"00");
		land(p, BadSignature.selector);
	}

	function test_signatures_name_the_sequencer() public {
		Plan memory p = plan();
		p.signatures = signBatch(p.b, 3, standbyA);
		// they recover to strangers, in whatever order
		vm.expectRevert();
		vm.prank(sequencer, sequencer);
		rollup.commit(p.b, p.roots, p.diff, p.signatures);
	}

	// ---- states

	function test_refused_when_open_and_when_settling() public {
		populate(2);
		openBySilence();
		Plan memory p = plan();
		land(p, WrongState.selector);
		vm.warp(block.timestamp + 1);
		rollup.exit(0, book.record(0), proof(0));
		rollup.fundBond{value: 1}();
		vm.warp(block.timestamp + INCLUSION);
		resume(sequencer);
		p.signatures = signBatch(p.b, 3, sequencer);
		land(p, WrongState.selector);
	}

	function testFuzz_any_diff_gives_the_books_root(uint256 seed, uint8 n) public {
		populate(5);
		uint256 leaves = 5;
		for (uint256 i = 0; i < leaves; i++) {
			if (uint256(keccak256(abi.encode(seed, i))) & 1 == 0) put(i, coin(i, seed >> 170));
		}
		for (uint256 i = 0; i < n; i++) put(leaves + i, coin(leaves + i, uint256(seed >> 180) + i));
		commit();
		same(rollup.stateRoot(), book.root(), "root");
		same(rollup.depth(), book.depth(), "depth");
	}
}
