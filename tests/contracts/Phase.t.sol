// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Base.sol";

/// Phases, who takes over, when the hatch opens and when it closes again.
contract PhaseTest is Base {
	uint8 constant LIVE = 0;
	uint8 constant LATE = 1;
	uint8 constant PROMOTED = 2;
	uint8 constant OPENED = 3;
	uint8 constant SETTLING = 4;

	function phaseAt(uint256 when, uint8 wanted) internal {
		vm.warp(when);
		same(hatch.phase(), wanted, string.concat("phase at ", vm.toString(when)));
	}

	function zero(uint64 value) internal pure {
		same(value, 0, "applies");
	}

	// ---- LIVE, LATE, PROMOTED

	function test_no_clock_before_the_first_batch() public {
		phaseAt(block.timestamp + 365 days, LIVE);
		vm.expectRevert(TooEarly.selector);
		hatch.openAfterDeadline();
		Deadlines memory d = hatch.deadlines();
		same(keccak256(abi.encode(d)), keccak256(new bytes(192)), "no deadline");
	}

	function test_late_after_the_sla_window() public {
		populate(1);
		uint256 t = block.timestamp;
		same(hatch.deadlines().lateAt, t + SLA, "lateAt");
		same(hatch.deadlines().openableAt, t + HARD, "openableAt");
		zero(hatch.deadlines().failoverUntil);
		zero(hatch.deadlines().exitsFrom);
		zero(hatch.deadlines().resumeFrom);
		zero(hatch.deadlines().enactFrom);
		phaseAt(t, LIVE);
		phaseAt(t + SLA - 1, LIVE);
		phaseAt(t + SLA, LIVE);
		phaseAt(t + SLA + 1, LATE);
	}

	function test_a_batch_ends_late() public {
		populate(1);
		goLate();
		commit();
		phaseAt(block.timestamp, LIVE);
	}

	function test_promoted_for_the_failover_window() public {
		populate(1);
		goLate();
		uint256 t = block.timestamp;
		promote(standbyA);
		same(hatch.deadlines().failoverUntil, t + FAILOVER, "failoverUntil");
		phaseAt(t, PROMOTED);
		phaseAt(t + FAILOVER - 1, PROMOTED);
		phaseAt(t + FAILOVER, PROMOTED);
		phaseAt(t + FAILOVER + 1, LATE);
	}

	function test_a_promotion_is_forgotten_by_the_next_batch() public {
		populate(1);
		goLate();
		promote(standbyA);
		// in the very block of the promotion
		commit();
		zero(hatch.deadlines().failoverUntil);
		uint256 t = block.timestamp;
		phaseAt(t, LIVE);
		phaseAt(t + SLA + 1, LATE);
	}

	/// Even when the failover window outlasts the SLA.
	function test_a_promotion_in_the_block_of_a_batch_is_forgotten() public {
		Terms memory w = terms0();
		w.slaWindow = 50;
		w.failoverWindow = 200;
		deploy(w, thresholds0());
		populate(1);
		vm.warp(block.timestamp + 51);
		promote(standbyA);
		commit();
		phaseAt(block.timestamp + 51, LATE);
	}

	// ---- promote

	function test_promote_needs_late() public {
		populate(1);
		vm.warp(block.timestamp + SLA);
		uint64 e = soon();
		bytes memory bundle = promoteBundle(standbyA, e, 5);
		vm.expectRevert(WrongPhase.selector);
		hatch.promote(standbyA, e, bundle);
		vm.warp(block.timestamp + 1);
		hatch.promote(standbyA, e, bundle);
		// PROMOTED is not LATE
		bundle = promoteBundle(standbyB, soon(), 5);
		vm.expectRevert(WrongPhase.selector);
		hatch.promote(standbyB, soon(), bundle);
	}

	function test_promote_swaps_places_and_fences_the_old_one() public {
		populate(1);
		goLate();
		vm.expectEmit(true, true, true, true, address(hatch));
		emit IEscapeHatch.Promoted(1, sequencer, standbyB, 1);
		promote(standbyB);
		same(rollup.sequencer(), standbyB, "active");
		address[] memory list = hatch.standbys();
		same(list.length, 2, "two");
		same(list[0], standbyA, "first");
		same(list[1], sequencer, "the old one took the place");
		Plan memory p = plan();
		p.signatures = signBatch(p.b, 3, sequencer);
		vm.expectRevert(NotSequencer.selector);
		vm.prank(sequencer, sequencer);
		rollup.commit(p.b, p.roots, p.diff, p.signatures);
		p.signatures = signBatch(p.b, 3, standbyB);
		land(p);
		same(count(), 2, "the new one's batch");
	}

	function tryPromote(address one, bytes4 why) internal {
		uint64 e = soon();
		bytes memory bundle = promoteBundle(one, e, 5);
		vm.expectRevert(why);
		hatch.promote(one, e, bundle);
	}

	function test_promote_refuses_strangers_and_the_active_one() public {
		populate(1);
		goLate();
		tryPromote(citizen(1), NotStandby.selector);
		tryPromote(sequencer, AlreadyActive.selector);
	}

	function test_once_per_standby_between_two_commits() public {
		populate(1);
		goLate();
		promote(standbyA);
		vm.warp(block.timestamp + FAILOVER + 1);
		promote(standbyB);
		vm.warp(block.timestamp + FAILOVER + 1);
		tryPromote(standbyA, AlreadyPromoted.selector);
		// the first one was not promoted, it was there
		promote(sequencer);
		commit();
		goLate();
		promote(standbyA);
		same(rollup.sequencer(), standbyA, "again after a commit");
	}

	// ---- handOver

	function test_hand_over_touches_no_clock_and_no_epoch() public {
		populate(1);
		uint64 t = lastAt();
		vm.warp(t + 10);
		vm.expectEmit(true, true, true, true, address(hatch));
		emit IEscapeHatch.Promoted(0, sequencer, standbyA, 1);
		vm.prank(sequencer);
		hatch.handOver(standbyA);
		same(rollup.sequencer(), standbyA, "active");
		same(hatch.standbys()[0], sequencer, "place");
		same(lastAt(), t, "clock");
		same(hatch.epoch(), 0, "epoch");
		zero(hatch.deadlines().failoverUntil);
		vm.prank(standbyA);
		hatch.handOver(sequencer);
		same(rollup.sequencer(), sequencer, "back");
	}

	function test_hand_over_by_the_active_one_to_a_standby() public {
		vm.expectRevert(NotActive.selector);
		hatch.handOver(standbyA);
		vm.prank(standbyA);
		vm.expectRevert(NotActive.selector);
		hatch.handOver(standbyB);
		vm.prank(sequencer);
		vm.expectRevert(NotStandby.selector);
		hatch.handOver(citizen(1));
		vm.prank(sequencer);
		vm.expectRevert(AlreadyActive.selector);
		hatch.handOver(sequencer);
	}

	function test_no_hand_over_when_open_or_settling() public {
		openWithExit();
		vm.prank(sequencer);
		vm.expectRevert(WrongPhase.selector);
		hatch.handOver(standbyA);
		vm.warp(hatch.deadlines().resumeFrom + 1);
		resume(sequencer);
		vm.prank(sequencer);
		vm.expectRevert(WrongPhase.selector);
		hatch.handOver(standbyA);
	}

	// ---- opening

	function openWithExit() internal {
		populate(2);
		rollup.fundBond{value: 1 ether}();
		openBySilence();
		vm.warp(block.timestamp + 1);
		rollup.exit(0, book.record(0), proof(0));
	}

	function tryOpen(bytes4 why) internal {
		uint64 e = soon();
		bytes memory bundle = openBundle(e, 5);
		vm.expectRevert(why);
		hatch.open("", e, bundle);
	}

	function test_open_by_vote_when_late() public {
		populate(1);
		vm.warp(lastAt() + SLA);
		tryOpen(WrongPhase.selector);
		vm.warp(lastAt() + SLA + 1);
		bytes32 root = rollup.stateRoot();
		vm.expectEmit(true, true, true, true, address(hatch));
		emit IEscapeHatch.Opened(1, 1, root, 1);
		openByVote();
		phaseAt(block.timestamp, OPENED);
		tryOpen(WrongPhase.selector);
		Deadlines memory d = hatch.deadlines();
		same(d.exitsFrom, lastAt() + FINALITY, "exitsFrom");
		same(d.resumeFrom, block.timestamp + INCLUSION, "resumeFrom");
		zero(d.lateAt);
		zero(d.openableAt);
		zero(d.failoverUntil);
	}

	function test_open_by_vote_when_promoted() public {
		populate(1);
		goLate();
		promote(standbyA);
		openByVote();
		phaseAt(block.timestamp, OPENED);
	}

	function test_anyone_opens_after_the_hard_deadline() public {
		populate(1);
		vm.warp(lastAt() + HARD - 1);
		vm.expectRevert(TooEarly.selector);
		hatch.openAfterDeadline();
		vm.warp(lastAt() + HARD);
		vm.expectRevert(TooEarly.selector);
		hatch.openAfterDeadline();
		vm.warp(lastAt() + HARD + 1);
		bytes32 root = rollup.stateRoot();
		vm.expectEmit(true, true, true, true, address(hatch));
		emit IEscapeHatch.Opened(1, 2, root, 1);
		vm.prank(citizen(9));
		hatch.openAfterDeadline();
		phaseAt(block.timestamp, OPENED);
		vm.expectRevert(WrongPhase.selector);
		hatch.openAfterDeadline();
	}

	function test_anyone_opens_for_a_request_long_overdue() public {
		populate(1);
		vm.deal(citizen(0), 1 ether);
		vm.prank(citizen(0));
		rollup.requestWithdrawal{value: 1 ether}(0, 1, citizen(0));
		uint256 due = block.timestamp + INCLUSION;
		vm.warp(due - 1);
		same(rollup.overdue(), 0, "not yet");
		vm.warp(due);
		same(rollup.overdue(), 0, "not yet");
		commit();
		vm.warp(due + 1);
		same(rollup.overdue(), due, "overdue");
		same(hatch.deadlines().openableAt, lastAt() + HARD, "silence comes first");
		vm.warp(due + HARD);
		vm.expectRevert(TooEarly.selector);
		hatch.openAfterDeadline();
		vm.warp(due + HARD + 1);
		hatch.openAfterDeadline();
		same(rollup.state(), 1, "open");
	}

	function test_overdue_request_of_a_chain_that_never_began() public {
		rollup.deposit{value: 5}(address(0), 5, treasury);
		uint256 due = block.timestamp + INCLUSION;
		vm.warp(due + 1);
		same(hatch.phase(), LIVE, "silence has no clock");
		same(hatch.deadlines().openableAt, due + HARD, "openableAt");
		vm.warp(due + HARD);
		vm.expectRevert(TooEarly.selector);
		hatch.openAfterDeadline();
		vm.warp(due + HARD + 1);
		bytes32 root = rollup.stateRoot();
		vm.expectEmit(true, true, true, true, address(hatch));
		emit IEscapeHatch.Opened(1, 3, root, 0);
		hatch.openAfterDeadline();
		rollup.refundDeposit(0, address(this), address(0), 5, treasury);
		same(treasury.balance, 5, "refunded");
	}

	/// The sequencer covers 1,024 a batch and keeps the clock of silence at rest:
	/// what it leaves out opens the hatch all the same.
	function test_overdue_inbox_opens_under_a_live_sequencer() public {
		populate(1);
		uint256 t = block.timestamp;
		for (uint256 i = 0; i < 1030; i++) rollup.requestTransaction("x");
		vm.warp(t + INCLUSION + HARD);
		Plan memory p = plan();
		p.b.inboxThrough = 1025;
		p.b.inboxAcc = accAt(1025);
		p.signatures = signBatch(p.b, 3, sequencer);
		land(p);
		same(rollup.overdue(), t + INCLUSION, "since");
		same(hatch.deadlines().openableAt, t + INCLUSION + HARD, "openableAt");
		vm.expectRevert(TooEarly.selector);
		hatch.openAfterDeadline();
		vm.warp(block.timestamp + 1);
		vm.expectEmit(true, false, false, true, address(hatch));
		emit IEscapeHatch.Opened(1, 3, rollup.stateRoot(), 2);
		hatch.openAfterDeadline();
	}

	/// The oldest of both queues counts.
	function test_overdue_takes_the_older_queue() public {
		populate(1);
		uint256 t = block.timestamp;
		rollup.requestTransaction("x");
		vm.warp(t + 1);
		rollup.requestWithdrawal{value: 1 ether}(0, 1, citizen(0));
		vm.warp(t + INCLUSION);
		same(rollup.overdue(), 0, "none");
		vm.warp(t + INCLUSION + 1);
		same(rollup.overdue(), t + INCLUSION, "inbox");
		vm.warp(t + INCLUSION + 50);
		same(rollup.overdue(), t + INCLUSION, "still the inbox");
	}

	function test_overdue_withdrawal_older_than_the_inbox() public {
		populate(1);
		uint256 t = block.timestamp;
		rollup.requestWithdrawal{value: 1 ether}(0, 1, citizen(0));
		vm.warp(t + 9);
		rollup.requestTransaction("x");
		vm.warp(t + INCLUSION + 50);
		same(rollup.overdue(), t + INCLUSION, "withdrawal");
	}

	// ---- resume

	function tryResume(address one, bytes4 why) internal {
		bytes memory bundle = resumeBundle(one, later(), 4);
		uint64 e = later();
		vm.expectRevert(why);
		hatch.resume(one, e, bundle);
	}

	function test_resume_needs_open_and_a_bond() public {
		populate(1);
		tryResume(standbyA, WrongPhase.selector);
		openBySilence();
		vm.warp(hatch.deadlines().resumeFrom + 1);
		tryResume(standbyA, NoBond.selector);
		rollup.fundBond{value: 1}();
		tryResume(address(0), ZeroAddress.selector);
		resume(standbyA);
		same(rollup.sequencer(), standbyA, "active");
	}

	/// Exits must have been open for the inclusion window, whichever began later.
	function test_resume_window_counts_from_exits() public {
		populate(1);
		rollup.fundBond{value: 1}();
		// a vote can open before the last batch is final
		Terms memory w = terms0();
		w.finality = 200;
		w.notice = 1000;
		deploy(w, thresholds0());
		book.truncate(0);
		populate(1);
		rollup.fundBond{value: 1}();
		goLate();
		openByVote();
		same(hatch.deadlines().resumeFrom, lastAt() + 200 + INCLUSION, "from the exits");
		vm.warp(lastAt() + 200 + INCLUSION);
		tryResume(standbyA, TooEarly.selector);
		vm.warp(block.timestamp + 1);
		resume(standbyA);
	}

	function test_resume_window_counts_from_the_opening() public {
		populate(1);
		rollup.fundBond{value: 1}();
		openBySilence();
		uint256 t = block.timestamp;
		vm.warp(t + INCLUSION - 1);
		tryResume(standbyA, TooEarly.selector);
		vm.warp(t + INCLUSION);
		tryResume(standbyA, TooEarly.selector);
		vm.warp(t + INCLUSION + 1);
		bytes32 root = rollup.stateRoot();
		vm.expectEmit(true, true, true, true, address(hatch));
		emit IEscapeHatch.Resumed(2, standbyA, root);
		resume(standbyA);
		// nothing was exited: nothing to settle
		phaseAt(block.timestamp, LIVE);
		same(lastAt(), block.timestamp, "clock");
		same(hatch.standbys()[0], standbyA, "the list stays");
		// standbyA is active and in the list; when B is promoted the list stays distinct
		goLate();
		promote(standbyB);
		address[] memory list = hatch.standbys();
		same(list.length, 1, "one");
		same(list[0], standbyA, "A");
	}

	function test_list_keeps_its_order_when_one_leaves() public {
		populate(1);
		rollup.fundBond{value: 1}();
		openBySilence();
		vm.warp(hatch.deadlines().resumeFrom + 1);
		resume(standbyB);
		goLate();
		promote(standbyA);
		address[] memory list = hatch.standbys();
		same(list.length, 1, "one");
		same(list[0], standbyB, "B");
	}

	function test_settling_then_silence_opens_again() public {
		openWithExit();
		vm.warp(hatch.deadlines().resumeFrom + 1);
		resume(standbyA);
		phaseAt(block.timestamp, SETTLING);
		Deadlines memory d = hatch.deadlines();
		same(d.openableAt, lastAt() + HARD, "openableAt");
		zero(d.lateAt);
		zero(d.exitsFrom);
		tryOpen(WrongPhase.selector);
		tryResume(standbyA, WrongPhase.selector);
		tryPromote(standbyA, WrongPhase.selector);
		vm.warp(lastAt() + HARD);
		vm.expectRevert(TooEarly.selector);
		hatch.openAfterDeadline();
		vm.warp(lastAt() + HARD + 1);
		hatch.openAfterDeadline();
		phaseAt(block.timestamp, OPENED);
		(bytes memory record, bytes32[] memory path) = (book.record(0), proof(0));
		vm.expectRevert(AlreadyExited.selector);
		rollup.exit(0, record, path);
		rollup.exit(1, book.record(1), proof(1));
	}

	function test_no_promotion_when_open() public {
		populate(1);
		openBySilence();
		tryPromote(standbyA, WrongPhase.selector);
	}

	// ---- the rollup obeys its hatch alone

	function test_only_the_hatch_commands_the_rollup() public {
		vm.expectRevert(NotHatch.selector);
		rollup.promote(standbyA);
		vm.expectRevert(NotHatch.selector);
		rollup.open("");
		vm.expectRevert(NotHatch.selector);
		rollup.rewind("");
		vm.expectRevert(NotHatch.selector);
		rollup.resume(standbyA);
		vm.expectRevert(NotHatch.selector);
		rollup.configure("");
	}

	/// The rollup keeps its own states even if a hatch were wrong.
	function test_the_rollup_keeps_its_states() public {
		vm.prank(address(hatch));
		vm.expectRevert(WrongState.selector);
		rollup.resume(standbyA);
		populate(1);
		openBySilence();
		vm.prank(address(hatch));
		vm.expectRevert(WrongState.selector);
		rollup.open("");
	}

	/// I5: while LIVE no vote of all guardians moves anything.
	function testFuzz_live_is_left_alone(uint256 age) public {
		populate(1);
		rollup.fundBond{value: 1}();
		vm.warp(lastAt() + age % (SLA + 1));
		tryPromote(standbyA, WrongPhase.selector);
		tryOpen(WrongPhase.selector);
		tryResume(standbyA, WrongPhase.selector);
		vm.expectRevert(TooEarly.selector);
		hatch.openAfterDeadline();
		same(rollup.sequencer(), sequencer, "sequencer");
		same(hatch.epoch(), 0, "epoch");
	}
}
