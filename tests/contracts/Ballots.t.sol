// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Base.sol";

/// Who may act by ballot, with which signatures, and for how long.
contract BallotsTest is Base {
	uint256 constant N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

	function setUp() public override {
		super.setUp();
		populate(1);
		goLate();
	}

	function tryPromote(bytes memory bundle, bytes4 why) internal {
		vm.expectRevert(why);
		hatch.promote(standbyA, soon(), bundle);
	}

	function few(uint256 given, uint256 needed) internal pure returns (bytes memory) {
		return abi.encodeWithSelector(TooFewVotes.selector, given, needed);
	}

	function hash() internal view returns (bytes32) {
		return voteDigest(PROMOTE, 1, asSubject(standbyA), soon());
	}

	// ---- bundles

	function test_promote_threshold() public {
		uint64 expiry = soon();
		bytes memory two = promoteBundle(standbyA, expiry, 2);
		vm.expectRevert(few(2, 3));
		hatch.promote(standbyA, expiry, two);
		hatch.promote(standbyA, expiry, promoteBundle(standbyA, expiry, 3));
		same(rollup.sequencer(), standbyA, "promoted");
	}

	function test_all_may_sign() public {
		hatch.promote(standbyA, soon(), promoteBundle(standbyA, soon(), 5));
		same(rollup.sequencer(), standbyA, "promoted");
	}

	function test_open_threshold() public {
		uint64 expiry = soon();
		bytes memory three = openBundle(expiry, 3);
		vm.expectRevert(few(3, 4));
		hatch.open("", expiry, three);
		hatch.open("", expiry, openBundle(expiry, 4));
		same(rollup.state(), 1, "open");
	}

	function test_resume_threshold() public {
		openByVote();
		rollup.fundBond{value: 1}();
		vm.warp(lastAt() + HARD + 100);
		bytes memory three = resumeBundle(standbyA, later(), 3);
		uint64 expiry = later();
		vm.expectRevert(few(3, 4));
		hatch.resume(standbyA, expiry, three);
		resume(standbyA);
		same(rollup.sequencer(), standbyA, "resumed");
	}

	function test_signers_ascend_and_none_counts_twice() public {
		bytes memory a = sig(guardianKeys[0], hash());
		bytes memory b = sig(guardianKeys[1], hash());
		bytes memory c = sig(guardianKeys[2], hash());
		tryPromote(bytes.concat(a, a, a), NotAscending.selector);
		tryPromote(bytes.concat(a, b, b), NotAscending.selector);
		tryPromote(bytes.concat(b, a, c), NotAscending.selector);
		hatch.promote(standbyA, soon(), bytes.concat(a, b, c));
	}

	function test_a_strangers_signature_refuses_the_bundle() public {
		uint256 stranger = 0x9000;
		while (vm.addr(stranger) < vm.addr(guardianKeys[2])) stranger++;
		bytes memory three = promoteBundle(standbyA, soon(), 3);
		tryPromote(bytes.concat(three, sig(stranger, hash())), NotGuardian.selector);
	}

	function test_lengths() public {
		bytes memory three = promoteBundle(standbyA, soon(), 3);
		tryPromote(bytes.concat(three, hex"00"), BadSignature.selector);
		tryPromote(slice(three, 0, 194), BadSignature.selector);
	}

	function test_at_most_32_signatures() public {
		uint256[] memory keys = sortedKeys(0xa000, 33);
		tryPromote(sigs(keys, 0, 32, hash()), NotGuardian.selector);
		tryPromote(sigs(keys, 0, 33, hash()), BadSignature.selector);
	}

	/// The largest board, unanimous.
	function test_thirty_two_guardians_may_all_sign() public {
		guardianKeys = sortedKeys(0xa000, 32);
		deploy(terms0(), Thresholds(32, 32, 32, 32));
		book.truncate(0);
		populate(1);
		goLate();
		hatch.promote(standbyA, soon(), promoteBundle(standbyA, soon(), 32));
		same(rollup.sequencer(), standbyA, "promoted");
	}

	function test_high_s_is_refused() public {
		(uint8 v, bytes32 r, bytes32 s) = vm.sign(guardianKeys[0], hash());
		bytes memory two = sigs(guardianKeys, 1, 2, hash());
		bytes memory high = abi.encodePacked(r, bytes32(N - uint256(s)), v == 27 ? uint8(28) : uint8(27));
		tryPromote(bytes.concat(high, two), BadSignature.selector);
		hatch.promote(standbyA, soon(), bytes.concat(abi.encodePacked(r, s, v), two));
	}

	/// The last low s: nobody's key gives it, so it must fail later, as a stranger.
	function test_half_n_is_low() public {
		(, bytes32 r,) = vm.sign(guardianKeys[0], hash());
		bytes32 half = bytes32(N / 2);
		tryPromote(abi.encodePacked(r, half, uint8(27)), NotGuardian.selector);
		tryPromote(abi.encodePacked(r, uint256(half) + 1, uint8(27)), BadSignature.selector);
	}

	function test_v_is_27_or_28() public {
		(uint8 v, bytes32 r, bytes32 s) = vm.sign(guardianKeys[0], hash());
		bytes memory two = sigs(guardianKeys, 1, 2, hash());
		uint8[5] memory wrong = [0, 1, 26, 29, 255];
		for (uint256 i = 0; i < 5; i++) {
			tryPromote(bytes.concat(abi.encodePacked(r, s, wrong[i]), two), BadSignature.selector);
		}
		hatch.promote(standbyA, soon(), bytes.concat(abi.encodePacked(r, s, v), two));
	}

	function test_what_recovers_nobody_is_refused() public {
		bytes memory none = abi.encodePacked(bytes32(0), bytes32(uint256(1)), uint8(27));
		tryPromote(bytes.concat(none, promoteBundle(standbyA, soon(), 3)), BadSignature.selector);
	}

	// ---- what is signed

	/// Each field of the vote, the chain and the contract matter.
	function test_each_field_is_signed() public {
		uint64 e = soon();
		bytes32[8] memory wrong = wrongDigests(asSubject(standbyA), e);
		for (uint256 i = 0; i < 8; i++) {
			for (uint256 j = 0; j < i; j++) no(wrong[i] == wrong[j], "same digest");
			bytes memory bundle = sigs(guardianKeys, 0, 5, wrong[i]);
			vm.expectRevert();
			hatch.promote(standbyA, e, bundle);
		}
		hatch.promote(standbyA, e, promoteBundle(standbyA, e, 3));
	}

	function wrongDigests(bytes32 subject, uint64 e) internal returns (bytes32[8] memory wrong) {
		wrong[0] = hatch.digest(OPEN, 0, 1, subject, e);
		wrong[1] = hatch.digest(PROMOTE, 1, 1, subject, e);
		wrong[2] = hatch.digest(PROMOTE, 0, 0, subject, e);
		wrong[3] = hatch.digest(PROMOTE, 0, 2, subject, e);
		wrong[4] = hatch.digest(PROMOTE, 0, 1, asSubject(standbyB), e);
		wrong[5] = hatch.digest(PROMOTE, 0, 1, subject, e + ROUND);
		vm.chainId(999);
		wrong[6] = hatch.digest(PROMOTE, 0, 1, subject, e);
		vm.chainId(31337);
		IEscapeHatch old = hatch;
		deploy(terms0(), thresholds0());
		wrong[7] = hatch.digest(PROMOTE, 0, 1, subject, e);
		hatch = old;
		rollup = ISovereignRollup(hatch.rollup());
	}

	function test_progress_voids_a_ballot() public {
		uint64 expiry = soon();
		bytes memory bundle = promoteBundle(standbyA, expiry, 5);
		commit();
		vm.warp(lastAt() + SLA + 1);
		uint64 fresh = soon();
		bytes32 old = hatch.digest(PROMOTE, 0, 1, asSubject(standbyA), fresh);
		bundle = sigs(guardianKeys, 0, 5, old);
		vm.expectRevert();
		hatch.promote(standbyA, fresh, bundle);
		hatch.promote(standbyA, fresh, promoteBundle(standbyA, fresh, 3));
	}

	function test_epoch_voids_a_ballot() public {
		uint64 expiry = soon();
		bytes memory bundle = openBundle(expiry, 5);
		promote(standbyA);
		same(hatch.epoch(), 1, "epoch");
		vm.expectRevert();
		hatch.open("", expiry, bundle);
		hatch.open("", expiry, openBundle(expiry, 4));
	}

	function test_open_args_are_signed() public {
		uint64 expiry = soon();
		bytes32 hash_ = voteDigest(OPEN, 1, keccak256("other"), expiry);
		bytes memory bundle = sigs(guardianKeys, 0, 5, hash_);
		vm.expectRevert();
		hatch.open("", expiry, bundle);
		// the sovereign rollup takes no arguments
		vm.expectRevert(WrongLength.selector);
		hatch.open("other", expiry, bundle);
	}

	// ---- life of a ballot

	/// A bundle for an expiry, tried at a time.
	function promoteAt(uint64 expiry, uint256 when, bytes4 why) internal {
		uint256 snapshot = vm.snapshotState();
		bytes memory bundle = promoteBundle(standbyA, expiry, 3);
		vm.warp(when);
		if (why != 0) vm.expectRevert(why);
		hatch.promote(standbyA, expiry, bundle);
		vm.revertToState(snapshot);
	}

	function test_quick_ballots_live_three_rounds() public {
		uint64 e = soon() + 3 * ROUND;
		promoteAt(e, e - 3 * ROUND, BallotTooEarly.selector);
		promoteAt(e, e - 3 * ROUND + 1, 0);
		promoteAt(e, e - 1, 0);
		promoteAt(e, e, 0);
		promoteAt(e, e + 1, BallotExpired.selector);
		promoteAt(e + 1, e, BallotOffRound.selector);
		promoteAt(e - 1, e - 2, BallotOffRound.selector);
	}

	function test_open_ballots_live_three_rounds() public {
		uint64 e = soon() + 3 * ROUND;
		bytes memory bundle = openBundle(e, 4);
		vm.warp(e - 3 * ROUND);
		vm.expectRevert(BallotTooEarly.selector);
		hatch.open("", e, bundle);
		vm.warp(e + 1);
		vm.expectRevert(BallotExpired.selector);
		hatch.open("", e, bundle);
		vm.warp(e);
		vm.expectRevert(BallotOffRound.selector);
		hatch.open("", e + 1, bundle);
		hatch.open("", e, bundle);
	}

	function test_resume_ballots_live_thirty_days() public {
		openByVote();
		rollup.fundBond{value: 1}();
		vm.warp(lastAt() + HARD + 100);
		uint64 e = uint64(block.timestamp + 30 days);
		bytes memory bundle = resumeBundle(standbyA, e, 4);
		bytes memory tooFar = resumeBundle(standbyA, e + 1, 4);
		vm.expectRevert(BallotTooEarly.selector);
		hatch.resume(standbyA, e + 1, tooFar);
		uint256 snapshot = vm.snapshotState();
		hatch.resume(standbyA, e, bundle);
		vm.revertToState(snapshot);
		vm.warp(e);
		snapshot = vm.snapshotState();
		hatch.resume(standbyA, e, bundle);
		vm.revertToState(snapshot);
		vm.warp(e + 1);
		vm.expectRevert(BallotExpired.selector);
		hatch.resume(standbyA, e, bundle);
	}

	// ---- approvals

	function approvePromote(uint256 i, uint64 expiry) internal {
		uint64 epoch = hatch.epoch();
		vm.prank(vm.addr(guardianKeys[i]));
		hatch.approve(PROMOTE, epoch, 1, asSubject(standbyA), expiry);
	}

	function test_approvals_count_as_signatures() public {
		uint64 e = soon();
		approvePromote(4, e);
		approvePromote(2, e);
		same(hatch.approvals(hash()), 0x14, "mask");
		uint256 snapshot = vm.snapshotState();
		hatch.promote(standbyA, e, sig(guardianKeys[0], hash()));
		vm.revertToState(snapshot);
		approvePromote(0, e);
		hatch.promote(standbyA, e, "");
		same(rollup.sequencer(), standbyA, "by approvals alone");
	}

	function test_approval_and_signature_of_one_count_once() public {
		uint64 e = soon();
		approvePromote(0, e);
		approvePromote(0, e);
		bytes memory two = promoteBundle(standbyA, e, 2);
		vm.expectRevert(few(2, 3));
		hatch.promote(standbyA, e, two);
	}

	function test_approve_emits() public {
		uint64 e = soon();
		vm.expectEmit(true, true, true, true, address(hatch));
		emit IEscapeHatch.Approved(
			vm.addr(guardianKeys[0]), hash(), PROMOTE, 0, 1, asSubject(standbyA), e
		);
		approvePromote(0, e);
	}

	function test_only_guardians_approve() public {
		vm.expectRevert(NotGuardian.selector);
		hatch.approve(PROMOTE, 0, 1, asSubject(standbyA), 0);
	}

	/// Positions may change with the epoch: an approval for a later one could be read as another's.
	function test_nobody_approves_for_another_epoch() public {
		vm.prank(vm.addr(guardianKeys[0]));
		vm.expectRevert(WrongEpoch.selector);
		hatch.approve(PROMOTE, 1, 1, asSubject(standbyA), 0);
		promote(standbyA);
		vm.prank(vm.addr(guardianKeys[0]));
		vm.expectRevert(WrongEpoch.selector);
		hatch.approve(PROMOTE, 0, 1, asSubject(standbyA), 0);
	}

	function test_only_the_four_actions_are_approved() public {
		address one = vm.addr(guardianKeys[0]);
		for (uint8 action = 1; action <= 4; action++) {
			vm.prank(one);
			hatch.approve(action, 0, 0, 0, 0);
		}
		vm.prank(one);
		vm.expectRevert(WrongAction.selector);
		hatch.approve(0, 0, 0, 0, 0);
		vm.prank(one);
		vm.expectRevert(WrongAction.selector);
		hatch.approve(5, 0, 0, 0, 0);
	}

	/// I4: any subset of signers acts if and only if it is large enough.
	function testFuzz_subsets(uint8 signing, uint8 approving) public {
		uint64 e = soon();
		bytes memory bundle;
		uint256 n = 0;
		for (uint256 i = 0; i < 5; i++) {
			if (signing >> i & 1 == 1) bundle = bytes.concat(bundle, sig(guardianKeys[i], hash()));
			if (approving >> i & 1 == 1) approvePromote(i, e);
			if ((signing | approving) >> i & 1 == 1) n++;
		}
		if (n < 3) vm.expectRevert(few(n, 3));
		hatch.promote(standbyA, e, bundle);
		same(rollup.sequencer(), n < 3 ? sequencer : standbyA, "sequencer");
	}

	/// R8: a bundle with any one bit changed never passes with exactly the threshold.
	function testFuzz_mutated_bundles_never_pass(uint256 where) public {
		bytes memory bundle = promoteBundle(standbyA, soon(), 3);
		where = where % (bundle.length * 8);
		bundle[where / 8] = bytes1(uint8(bundle[where / 8]) ^ uint8(1 << (where % 8)));
		uint64 e = soon();
		vm.expectRevert();
		hatch.promote(standbyA, e, bundle);
	}
}
