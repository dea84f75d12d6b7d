// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Base.sol";

/// Amendments: the whole new configuration, with notice, by those it binds.
contract AmendTest is Base {
	function setUp() public override {
		super.setUp();
		populate(1);
	}

	function config() internal view returns (bytes memory) {
		return abi.encode(addresses(validatorKeys), uint8(4), uint96(7));
	}

	function same0() internal view returns (Amendment memory a) {
		a.terms = terms0();
		a.thresholds = thresholds0();
		a.guardians = addresses(guardianKeys);
		a.standbys = standbys0();
		a.rollupConfig = config();
	}

	function hashOf(Amendment memory a) internal view returns (bytes32) {
		return voteDigest(AMEND, 0, keccak256(abi.encode(a)), later());
	}

	function amend(Amendment memory a) internal {
		hatch.amend(a, later(), sigs(guardianKeys, 0, 5, hashOf(a)), "");
	}

	function amend(Amendment memory a, bytes memory joining, bytes memory why) internal {
		uint64 e = later();
		bytes memory bundle = sigs(guardianKeys, 0, 5, hashOf(a));
		if (why.length != 0) vm.expectRevert(why);
		hatch.amend(a, e, bundle, joining);
	}

	function refused(Amendment memory a, bytes4 why) internal {
		amend(a, "", abi.encodeWithSelector(why));
	}

	/// Time passes with commits, so that the chain is LIVE at that time.
	function liveAt(uint256 when) internal {
		vm.warp(when);
		commit();
	}

	function test_amendment_waits_its_notice_and_applies() public {
		Amendment memory a = same0();
		a.terms.slaWindow = 50;
		a.thresholds = Thresholds(2, 3, 3, 4);
		a.standbys = new address[](1);
		a.standbys[0] = citizen(5);
		a.sequencer = citizen(6);
		bytes32 subject = keccak256(abi.encode(a));
		uint64 from = uint64(block.timestamp) + NOTICE;
		vm.expectEmit(true, true, true, true, address(hatch));
		emit IEscapeHatch.Amended(1, subject, from, abi.encode(a));
		amend(a);
		(bytes32 pending, uint64 enactFrom) = hatch.pending();
		same(pending, subject, "pending");
		same(enactFrom, from, "enactFrom");
		same(hatch.deadlines().enactFrom, from, "deadline");
		same(hatch.terms().slaWindow, SLA, "not yet");
		liveAt(from - 1);
		vm.expectRevert(TooEarly.selector);
		hatch.enact(a);
		liveAt(from);
		vm.expectEmit(true, true, true, true, address(hatch));
		emit IEscapeHatch.Promoted(2, sequencer, citizen(6), 3);
		vm.expectEmit(true, true, true, true, address(hatch));
		emit IEscapeHatch.Enacted(2, subject);
		vm.prank(citizen(1));
		hatch.enact(a);
		same(keccak256(abi.encode(hatch.terms())), keccak256(abi.encode(a.terms)), "terms");
		(address[] memory voters, Thresholds memory n) = hatch.guardians();
		same(keccak256(abi.encode(voters)), keccak256(abi.encode(a.guardians)), "guardians");
		same(keccak256(abi.encode(n)), keccak256(abi.encode(a.thresholds)), "thresholds");
		same(keccak256(abi.encode(hatch.standbys())), keccak256(abi.encode(a.standbys)), "standbys");
		same(rollup.sequencer(), citizen(6), "sequencer");
		(, uint8 t) = rollup.validators();
		same(t, 4, "t");
		vm.fee(0);
		same(rollup.bounty(), 7, "minBounty");
		(pending, enactFrom) = hatch.pending();
		same(pending, 0, "gone");
		same(enactFrom, 0, "gone");
		vm.expectRevert(WrongAmendment.selector);
		hatch.enact(a);
	}

	/// The rollup follows an amended inclusion window at once.
	function test_inclusion_window_reaches_the_rollup() public {
		Amendment memory a = same0();
		a.terms.inclusionWindow = 70;
		amend(a);
		liveAt(block.timestamp + NOTICE);
		hatch.enact(a);
		uint256 t = block.timestamp;
		rollup.requestTransaction("x");
		vm.warp(t + 70);
		same(rollup.overdue(), 0, "not yet");
		vm.warp(t + 71);
		same(rollup.overdue(), t + 70, "overdue");
	}

	function test_sequencer_zero_changes_nothing() public {
		Amendment memory a = same0();
		amend(a);
		liveAt(block.timestamp + NOTICE);
		hatch.enact(a);
		same(rollup.sequencer(), sequencer, "sequencer");
	}

	function test_enactable_until_twice_the_notice() public {
		Amendment memory a = same0();
		amend(a);
		(, uint64 from) = hatch.pending();
		liveAt(from + NOTICE + 1);
		vm.expectRevert(TooLate.selector);
		hatch.enact(a);
		vm.warp(from + NOTICE);
		hatch.enact(a);
	}

	function test_only_what_was_announced_is_enacted() public {
		Amendment memory a = same0();
		amend(a);
		liveAt(block.timestamp + NOTICE);
		a.terms.slaWindow = 1;
		vm.expectRevert(WrongAmendment.selector);
		hatch.enact(a);
	}

	function test_threshold() public {
		Amendment memory a = same0();
		uint64 e = later();
		bytes memory four = sigs(guardianKeys, 0, 4, hashOf(a));
		vm.expectRevert(abi.encodeWithSelector(TooFewVotes.selector, 4, 5));
		hatch.amend(a, e, four, "");
	}

	function test_life_of_the_ballot() public {
		Amendment memory a = same0();
		uint64 e = uint64(block.timestamp + 30 days + 1);
		bytes memory bundle = sigs(guardianKeys, 0, 5, voteDigest(AMEND, 0, keccak256(abi.encode(a)), e));
		vm.expectRevert(BallotTooEarly.selector);
		hatch.amend(a, e, bundle, "");
		e = uint64(block.timestamp - 1);
		bundle = sigs(guardianKeys, 0, 5, voteDigest(AMEND, 0, keccak256(abi.encode(a)), e));
		vm.expectRevert(BallotExpired.selector);
		hatch.amend(a, e, bundle, "");
	}

	function test_checks_terms_and_lists() public {
		Amendment memory a = same0();
		a.terms.finality = FINALITY - 1;
		amend(a, "", abi.encodeWithSelector(BadTerms.selector, 5));
		a = same0();
		a.terms.slaWindow = 0;
		amend(a, "", abi.encodeWithSelector(BadTerms.selector, 0));
		a = same0();
		a.thresholds.promote = 0;
		refused(a, BadThresholds.selector);
		a = same0();
		a.guardians[1] = a.guardians[0];
		refused(a, BadList.selector);
		a = same0();
		a.standbys[1] = address(0);
		refused(a, BadList.selector);
	}

	/// Whoever is in time under the old windows is not long overdue under the new ones.
	function test_windows_do_not_jump() public {
		Terms memory w = terms0();
		w.inclusionWindow = 500;
		w.notice = 2000;
		deploy(w, thresholds0());
		book.truncate(0);
		populate(1);
		Amendment memory a = same0();
		// a request can be as old as this while LIVE: in time for a commit, and then the silence
		a.terms.inclusionWindow = 500 + SLA - HARD - 1;
		refused(a, TooAbrupt.selector);
		a.terms.inclusionWindow = 500 + SLA - HARD;
		amend(a, "", "");
	}

	/// The oldest request that a LIVE chain may have does not open the hatch under the new terms.
	function test_the_oldest_request_in_time_opens_nothing() public {
		Amendment memory a = shorter();
		amend(a);
		(, uint64 from) = hatch.pending();
		liveAt(from - 500);
		rollup.requestWithdrawal{value: 1 ether}(0, 1, treasury);
		liveAt(from);
		vm.warp(from + SLA);
		same(hatch.phase(), PHASE_LIVE, "LIVE");
		hatch.enact(a);
		same(rollup.overdue(), from - 200, "overdue under the new terms");
		vm.expectRevert(TooEarly.selector);
		hatch.openAfterDeadline();
		vm.warp(block.timestamp + 1);
		hatch.openAfterDeadline();
	}

	/// Old windows of 500 for a request, and 300 instead: as abrupt as it may be.
	function shorter() internal returns (Amendment memory a) {
		Terms memory w = terms0();
		w.inclusionWindow = 500;
		w.notice = 2000;
		deploy(w, thresholds0());
		book.truncate(0);
		populate(1);
		a = same0();
		a.terms.inclusionWindow = 500 + SLA - HARD;
	}

	/// What waits behind 1,024 others may be older than any window of a LIVE chain.
	function test_a_backlog_delays_an_amendment_that_would_open_the_hatch() public {
		Amendment memory a = shorter();
		amend(a);
		(, uint64 from) = hatch.pending();
		liveAt(from - 601);
		for (uint256 i = 0; i <= COVER; i++) rollup.requestTransaction("x");
		vm.warp(from);
		Plan memory p = plan();
		p.b.inboxThrough--;
		p.b.inboxAcc = accAt(p.b.inboxThrough);
		p.signatures = signBatch(p.b, 3, sequencer);
		land(p);
		same(hatch.phase(), PHASE_LIVE, "LIVE");
		yes(hatch.deadlines().openableAt > block.timestamp, "nobody may open it");
		bytes32 before = keccak256(abi.encode(hatch.terms()));
		vm.expectRevert(TooAbrupt.selector);
		hatch.enact(a);
		same(keccak256(abi.encode(hatch.terms())), before, "terms");
		(bytes32 pending,) = hatch.pending();
		same(pending, keccak256(abi.encode(a)), "still pending");
		commit();
		hatch.enact(a);
		same(hatch.terms().inclusionWindow, 300, "served, and enacted");
	}

	/// Before the first batch a chain is LIVE however old its requests are.
	function test_a_request_before_the_first_batch_does_too() public {
		Amendment memory a = shorter();
		deploy(Terms(SLA, FAILOVER, 500, HARD, 2000, FINALITY, ROUND), thresholds0());
		amend(a);
		(, uint64 from) = hatch.pending();
		vm.warp(from - 600);
		rollup.requestTransaction("x");
		vm.warp(from + 1);
		same(hatch.phase(), PHASE_LIVE, "LIVE");
		vm.expectRevert(TooAbrupt.selector);
		hatch.enact(a);
		vm.warp(from);
		hatch.enact(a);
		vm.expectRevert(TooEarly.selector);
		hatch.openAfterDeadline();
	}

	/// Once open it cannot be opened: whoever is overdue then leaves anyway.
	function test_in_open_nothing_is_too_abrupt() public {
		Amendment memory a = shorter();
		openBySilence();
		amend(a);
		vm.warp(block.timestamp + 2000);
		hatch.enact(a);
		same(hatch.terms().inclusionWindow, 300, "enacted");
	}

	function test_deadline_does_not_fall_below_the_old_sla() public {
		Terms memory w = terms0();
		w.slaWindow = 200;
		deploy(w, thresholds0());
		book.truncate(0);
		populate(1);
		Amendment memory a = same0();
		a.terms.slaWindow = 50;
		a.terms.inclusionWindow = 70;
		a.terms.hardDeadline = 199;
		refused(a, TooAbrupt.selector);
		a.terms.hardDeadline = 200;
		amend(a, "", "");
	}

	// ---- who joins signs

	function withJoiners() internal view returns (Amendment memory a, uint256[] memory keys) {
		a = same0();
		keys = sortedKeys(0x8000, 2);
		a.guardians = new address[](5);
		a.guardians[0] = vm.addr(keys[1]);
		a.guardians[1] = vm.addr(guardianKeys[4]);
		a.guardians[2] = vm.addr(keys[0]);
		a.guardians[3] = vm.addr(guardianKeys[0]);
		a.guardians[4] = vm.addr(guardianKeys[1]);
	}

	function test_every_added_guardian_signs_and_nobody_else() public {
		(Amendment memory a, uint256[] memory keys) = withJoiners();
		bytes32 hash = hashOf(a);
		bytes memory why = abi.encodeWithSelector(WrongJoining.selector);
		amend(a, "", why);
		amend(a, sig(keys[0], hash), why);
		amend(a, sig(keys[1], hash), why);
		amend(a, bytes.concat(sig(keys[1], hash), sig(keys[0], hash)), abi.encodeWithSelector(NotAscending.selector));
		uint256 stranger = 0x9000;
		while (vm.addr(stranger) < vm.addr(keys[1])) stranger++;
		amend(a, bytes.concat(sigs(keys, 0, 2, hash), sig(stranger, hash)), why);
		// as many as are added, but one of them is another
		amend(a, bytes.concat(sig(keys[0], hash), sig(stranger, hash)), why);
		amend(a, sigs(keys, 0, 2, hash), "");
		(bytes32 pending,) = hatch.pending();
		same(pending, keccak256(abi.encode(a)), "pending");
	}

	function test_who_stays_does_not_join() public {
		Amendment memory a = same0();
		bytes32 hash = hashOf(a);
		amend(a, sig(guardianKeys[0], hash), abi.encodeWithSelector(WrongJoining.selector));
	}

	// ---- when

	function test_not_when_late_promoted_or_settling() public {
		rollup.fundBond{value: 1}();
		Amendment memory a = same0();
		vm.warp(lastAt() + SLA + 1);
		refused(a, WrongPhase.selector);
		promote(standbyA);
		refused(a, WrongPhase.selector);
		vm.warp(lastAt() + HARD + 1);
		hatch.openAfterDeadline();
		uint256 snapshot = vm.snapshotState();
		amend(a);
		vm.revertToState(snapshot);
		vm.warp(block.timestamp + 1);
		rollup.exit(0, book.record(0), proof(0));
		vm.warp(hatch.deadlines().resumeFrom + 1);
		resume(standbyA);
		refused(a, WrongPhase.selector);
	}

	function test_not_enacted_while_late() public {
		Amendment memory a = same0();
		amend(a);
		vm.warp(block.timestamp + NOTICE);
		vm.expectRevert(WrongPhase.selector);
		hatch.enact(a);
		commit();
		hatch.enact(a);
	}

	function test_amended_and_enacted_while_open() public {
		vm.warp(lastAt() + HARD + 1);
		hatch.openAfterDeadline();
		Amendment memory a = same0();
		amend(a);
		vm.warp(block.timestamp + NOTICE);
		hatch.enact(a);
		same(rollup.state(), 1, "still open");
	}

	function test_a_new_amendment_replaces_the_pending_one() public {
		Amendment memory a = same0();
		amend(a);
		liveAt(block.timestamp + NOTICE);
		Amendment memory b = same0();
		b.terms.slaWindow = 90;
		amend(b);
		vm.expectRevert(WrongAmendment.selector);
		hatch.enact(a);
		vm.expectRevert(TooEarly.selector);
		hatch.enact(b);
	}

	function pendingGone() internal view {
		(bytes32 pending, uint64 from) = hatch.pending();
		same(pending, 0, "pending");
		same(from, 0, "enactFrom");
	}

	function test_other_actions_delete_it() public {
		amend(same0());
		uint256 snapshot = vm.snapshotState();
		goLate();
		promote(standbyA);
		pendingGone();
		vm.revertToState(snapshot);
		goLate();
		openByVote();
		pendingGone();
		vm.revertToState(snapshot);
		openBySilence();
		pendingGone();
		amend(same0());
		rollup.fundBond{value: 1}();
		vm.warp(hatch.deadlines().resumeFrom + 1);
		resume(standbyA);
		pendingGone();
	}

	function test_hand_over_does_not_delete_it() public {
		amend(same0());
		vm.prank(sequencer);
		hatch.handOver(standbyA);
		(bytes32 pending,) = hatch.pending();
		no(pending == 0, "deleted");
	}

	// ---- what the rollup takes

	function enactConfig(bytes memory rollupConfig, bytes memory why) internal {
		uint256 snapshot = vm.snapshotState();
		Amendment memory a = same0();
		a.rollupConfig = rollupConfig;
		amend(a);
		liveAt(block.timestamp + NOTICE);
		if (why.length != 0) vm.expectRevert(why);
		hatch.enact(a);
		vm.revertToState(snapshot);
	}

	function test_bad_configuration_is_not_enacted() public {
		bytes memory why = abi.encodeWithSelector(BadConfig.selector);
		enactConfig(abi.encode(addresses(validatorKeys), uint8(2), uint96(1)), why);
		enactConfig(abi.encode(addresses(validatorKeys), uint8(5), uint96(1)), why);
		enactConfig(abi.encode(new address[](0), uint8(0), uint96(1)), why);
		enactConfig(abi.encode(addresses(validatorKeys), uint8(3), uint96(0)), why);
		enactConfig(abi.encode(addresses(validatorKeys), uint8(3), uint96(1)), "");
		enactConfig(config(), "");
	}

	/// I1: no amendment prices a forced withdrawal out of a citizen's reach.
	function test_bounty_is_bounded() public {
		bytes memory why = abi.encodeWithSelector(BadConfig.selector);
		enactConfig(abi.encode(addresses(validatorKeys), uint8(3), type(uint96).max), why);
		enactConfig(abi.encode(addresses(validatorKeys), uint8(3), uint96(0.1 ether) + 1), why);
		enactConfig(abi.encode(addresses(validatorKeys), uint8(3), uint96(0.1 ether) + 1, treasury, uint96(0)), why);
		enactConfig(abi.encode(addresses(validatorKeys), uint8(3), uint96(0.1 ether)), "");
	}

	function withBond(address to, uint96 amount) internal view returns (bytes memory) {
		return abi.encode(addresses(validatorKeys), uint8(3), uint96(1), to, amount);
	}

	function test_bond_leaves_by_amendment_only() public {
		rollup.fundBond{value: 100}();
		Amendment memory a = same0();
		a.rollupConfig = withBond(citizen(8), 60);
		amend(a);
		liveAt(block.timestamp + NOTICE);
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.BondChanged(40);
		hatch.enact(a);
		same(citizen(8).balance, 60, "paid");
	}

	function test_bond_withdrawal_is_bounded() public {
		rollup.fundBond{value: 100}();
		bytes memory why = abi.encodeWithSelector(BadConfig.selector);
		enactConfig(withBond(citizen(8), 101), why);
		enactConfig(withBond(address(0), 1), why);
		enactConfig(withBond(citizen(8), 100), "");
		enactConfig(withBond(address(rollup), 100), abi.encodeWithSelector(TransferFailed.selector));
	}

	function test_bond_does_not_leave_while_citizens_do() public {
		rollup.fundBond{value: 100}();
		openBySilence();
		Amendment memory a = same0();
		a.rollupConfig = withBond(citizen(8), 60);
		amend(a);
		vm.warp(block.timestamp + NOTICE);
		vm.expectRevert(WrongState.selector);
		hatch.enact(a);
	}
}
