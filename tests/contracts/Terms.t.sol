// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Base.sol";

/// What constructors refuse.
contract TermsTest is Base {
	function refused(bytes memory why) internal view {
		same(keccak256(reason), keccak256(why), "reason");
	}

	function tryTerms(Terms memory w) internal returns (bool) {
		return createHatch(address(1), w, thresholds0(), addresses(guardianKeys), standbys0()) != address(0);
	}

	function bad(Terms memory w, uint8 which) internal {
		no(tryTerms(w), "terms taken");
		refused(abi.encodeWithSelector(BadTerms.selector, which));
	}

	function good(Terms memory w) internal {
		yes(tryTerms(w), "terms refused");
	}

	function test_sla_window() public {
		Terms memory w = terms0();
		w.slaWindow = 0;
		bad(w, 0);
		w.slaWindow = 1;
		good(w);
	}

	function test_failover_window() public {
		Terms memory w = terms0();
		w.failoverWindow = 0;
		bad(w, 1);
	}

	function test_inclusion_window() public {
		Terms memory w = terms0();
		w.notice = type(uint32).max;
		w.inclusionWindow = 0;
		bad(w, 2);
		w.inclusionWindow = 1;
		good(w);
		w.inclusionWindow = 30 days;
		good(w);
		w.inclusionWindow = 30 days + 1;
		bad(w, 2);
	}

	function test_hard_deadline() public {
		Terms memory w = terms0();
		w.notice = type(uint32).max;
		w.hardDeadline = SLA + FAILOVER;
		bad(w, 3);
		w.hardDeadline = SLA + FAILOVER + 1;
		good(w);
		w.hardDeadline = 90 days;
		good(w);
		w.hardDeadline = 90 days + 1;
		bad(w, 3);
	}

	function test_windows_do_not_wrap() public {
		Terms memory w = terms0();
		w.slaWindow = type(uint32).max;
		w.failoverWindow = type(uint32).max;
		bad(w, 3);
	}

	function test_notice() public {
		Terms memory w = terms0();
		w.notice = HARD + INCLUSION + FINALITY - 1;
		bad(w, 4);
		w.notice = HARD + INCLUSION + FINALITY;
		good(w);
	}

	function test_finality() public {
		Terms memory w = terms0();
		w.finality = 0;
		bad(w, 5);
		w.finality = 1;
		good(w);
		w.finality = HARD;
		bad(w, 5);
		w.finality = HARD - 1;
		good(w);
	}

	function test_round() public {
		Terms memory w = terms0();
		w.round = 0;
		bad(w, 6);
		w.failoverWindow = 60;
		w.round = 20;
		good(w);
		w.round = 21;
		bad(w, 6);
	}

	function tryThresholds(uint8 a, uint8 b, uint8 c, uint8 d) internal returns (bool ok) {
		ok = createHatch(
			address(1), terms0(), Thresholds(a, b, c, d), addresses(guardianKeys), standbys0()
		) != address(0);
		if (!ok) refused(abi.encodeWithSelector(BadThresholds.selector));
	}

	function test_thresholds() public {
		no(tryThresholds(0, 1, 1, 1), "promote 0");
		no(tryThresholds(0, 0, 0, 0), "all 0");
		yes(tryThresholds(1, 1, 1, 1), "all 1");
		no(tryThresholds(2, 1, 2, 2), "open < promote");
		no(tryThresholds(2, 3, 2, 3), "resume < open");
		no(tryThresholds(2, 3, 3, 2), "amend < open");
		yes(tryThresholds(5, 5, 5, 5), "all n");
		no(tryThresholds(5, 5, 6, 5), "resume > n");
		no(tryThresholds(5, 5, 5, 6), "amend > n");
		no(tryThresholds(6, 6, 6, 6), "all > n");
	}

	function tryLists(address[] memory voters, address[] memory list) internal returns (bool ok) {
		ok = createHatch(address(1), terms0(), Thresholds(1, 1, 1, 1), voters, list) != address(0);
		if (!ok) refused(abi.encodeWithSelector(BadList.selector));
	}

	function some(uint256 n) internal pure returns (address[] memory list) {
		list = new address[](n);
		for (uint256 i = 0; i < n; i++) list[i] = address(uint160(i + 1));
	}

	function test_lists() public {
		no(tryLists(some(0), some(1)), "no guardian");
		no(tryLists(some(1), some(0)), "no standby");
		yes(tryLists(some(1), some(1)), "one each");
		yes(tryLists(some(32), some(32)), "32 each");
		no(tryLists(some(33), some(32)), "33 guardians");
		no(tryLists(some(32), some(33)), "33 standbys");
		address[] memory list = some(4);
		list[3] = address(0);
		no(tryLists(list, some(1)), "zero guardian");
		no(tryLists(some(1), list), "zero standby");
		list[3] = list[0];
		no(tryLists(list, some(1)), "guardian twice");
		no(tryLists(some(1), list), "standby twice");
	}

	function test_rollup_is_not_zero() public {
		same(
			createHatch(address(0), terms0(), thresholds0(), addresses(guardianKeys), standbys0()),
			address(0),
			"made"
		);
		refused(abi.encodeWithSelector(ZeroAddress.selector));
	}

	/// A hatch that waits for the rollup at the next nonce.
	function nextHatch() internal returns (address) {
		address next = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
		return createHatch(next, terms0(), thresholds0(), addresses(guardianKeys), standbys0());
	}

	function test_rollup_refuses_a_hatch_of_another() public {
		same(createRollup(address(hatch), badBatch, sequencer, addresses(validatorKeys), 3), address(0), "made");
		refused(abi.encodeWithSelector(WrongHatch.selector));
	}

	function tryRollup(address judge, address seq, address[] memory list, uint8 t) internal returns (bool ok) {
		ok = createRollup(nextHatch(), judge, seq, list, t) != address(0);
		if (!ok) refused(abi.encodeWithSelector(BadConfig.selector));
	}

	function test_rollup_configuration() public {
		yes(tryRollup(badBatch, sequencer, some(4), 3), "3 of 4");
		no(tryRollup(citizen(1), sequencer, some(4), 3), "judge without code");
		no(tryRollup(badBatch, address(0), some(4), 3), "no sequencer");
		no(tryRollup(badBatch, sequencer, some(4), 2), "2t = n");
		no(tryRollup(badBatch, sequencer, some(5), 2), "2t < n");
		yes(tryRollup(badBatch, sequencer, some(5), 3), "3 of 5");
		no(tryRollup(badBatch, sequencer, some(4), 5), "t > n");
		yes(tryRollup(badBatch, sequencer, some(4), 4), "t = n");
		no(tryRollup(badBatch, sequencer, some(1), 0), "t = 0");
		no(tryRollup(badBatch, sequencer, some(0), 0), "nobody");
		yes(tryRollup(badBatch, sequencer, some(32), 17), "32");
		no(tryRollup(badBatch, sequencer, some(33), 17), "33");
		address[] memory list = some(3);
		list[2] = list[0];
		no(tryRollup(badBatch, sequencer, list, 2), "twice");
		list[2] = address(0);
		no(tryRollup(badBatch, sequencer, list, 2), "zero");
	}

	function tryBounty(uint96 least) internal returns (bool ok) {
		bytes memory args = abi.encode(nextHatch(), badBatch, sequencer, addresses(validatorKeys), uint8(3), least);
		ok = create(bytes.concat(bytecode("SovereignRollup"), args)) != address(0);
		if (!ok) refused(abi.encodeWithSelector(BadConfig.selector));
	}

	function test_bounty() public {
		no(tryBounty(0), "0");
		yes(tryBounty(1), "1");
		yes(tryBounty(0.1 ether), "a tenth of a coin");
		no(tryBounty(0.1 ether + 1), "more");
		no(tryBounty(type(uint96).max), "all there is");
	}

	function test_what_a_deployment_says_of_itself() public view {
		same(hatch.rollup(), address(rollup), "rollup");
		same(rollup.hatch(), address(hatch), "hatch");
		same(rollup.sequencer(), sequencer, "sequencer");
		same(rollup.state(), 0, "state");
		same(hatch.epoch(), 0, "epoch");
		same(keccak256(abi.encode(hatch.terms())), keccak256(abi.encode(terms0())), "terms");
		(address[] memory voters, Thresholds memory n) = hatch.guardians();
		same(keccak256(abi.encode(voters)), keccak256(abi.encode(addresses(guardianKeys))), "guardians");
		same(keccak256(abi.encode(n)), keccak256(abi.encode(thresholds0())), "thresholds");
		same(keccak256(abi.encode(hatch.standbys())), keccak256(abi.encode(standbys0())), "standbys");
		(address[] memory list, uint8 t) = rollup.validators();
		same(keccak256(abi.encode(list)), keccak256(abi.encode(addresses(validatorKeys))), "validators");
		same(t, 3, "t");
		(bytes32 amendment, uint64 from) = hatch.pending();
		same(amendment, 0, "no amendment");
		same(from, 0, "no amendment");
	}
}
