// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Handler} from "./Handler.sol";
import {Test} from "./Test.sol";
import {IEscapeHatch} from "contracts/IEscapeHatch.sol";
import {ISovereignRollup} from "contracts/ISovereignRollup.sol";

/// I1 to I6 after any sequence of what anybody can do.
contract InvariantsTest is Test {
	Handler handler;
	ISovereignRollup rollup;
	IEscapeHatch hatch;

	function setUp() public {
		handler = new Handler();
		vm.deal(address(handler), 1e24);
		handler.setUp();
		(rollup, hatch) = handler.addressesOf();
	}

	function targetContracts() external view returns (address[] memory list) {
		list = new address[](1);
		list[0] = address(handler);
	}

	/// One sender: forge buys its gas, and the rollup's balance must not be where that shows.
	function targetSenders() external pure returns (address[] memory list) {
		list = new address[](1);
		list[0] = address(0x5e4de4);
	}

	struct FuzzSelector {
		address addr;
		bytes4[] selectors;
	}

	/// Time, and what is forced, come more often than the rest, or nothing else would be reached.
	function targetSelectors() external view returns (FuzzSelector[] memory list) {
		bytes4[24] memory all = [
			Handler.warp.selector,
			Handler.warp.selector,
			Handler.serve.selector,
			Handler.landBad.selector,
			Handler.proveBad.selector,
			Handler.intrude.selector,
			Handler.handOver.selector,
			Handler.setToken.selector,
			Handler.deposit.selector,
			Handler.request.selector,
			Handler.request.selector,
			Handler.execute.selector,
			Handler.execute.selector,
			Handler.pay.selector,
			Handler.refundBounty.selector,
			Handler.refundDeposit.selector,
			Handler.votePromote.selector,
			Handler.voteOpen.selector,
			Handler.openAfterDeadline.selector,
			Handler.resume.selector,
			Handler.exit.selector,
			Handler.exitBucket.selector,
			Handler.settle.selector,
			Handler.claim.selector
		];
		list = new FuzzSelector[](1);
		list[0] = FuzzSelector(address(handler), new bytes4[](24));
		for (uint256 i = 0; i < 24; i++) list[0].selectors[i] = all[i];
	}

	/// One campaign looks at all of it after every call.
	function invariant_the_model_holds() public view {
		same(keccak256(bytes(handler.broken())), keccak256(""), handler.broken());
		// the root on L1 is the root of the model, in every state
		same(rollup.stateRoot(), handler.root(), "root");
		yes(handler.fates(), "I2: a fate is another than the model's");
		// progress is the sequencer's commits, and never falls
		(uint64 count,) = rollup.progress();
		same(count, handler.lastCount(), "count");
		vaultIsWhatIsOwed(address(0));
		vaultIsWhatIsOwed(address(handler.token()));
		potsMakeUpTheBalance();
		bitsAreThoseWhoLeft();
	}

	/// I2, I3: what is left in the vault is exactly what is still to be paid.
	function vaultIsWhatIsOwed(address asset) internal view {
		uint256 held = rollup.vault(asset);
		same(held, handler.claims(asset), "vault");
		same(held + handler.paidOut(asset), handler.deposited(asset), "in and out");
	}

	/// Vault, bond, bounties and IOUs make up the balances to the wei.
	function potsMakeUpTheBalance() internal view {
		uint256 bond = uint256(vm.load(address(rollup), bytes32(uint256(14))));
		same(address(rollup).balance, rollup.vault(address(0)) + bond + handler.bounties(), "balance");
		address token = address(handler.token());
		same(handler.token().balanceOf(address(rollup)), rollup.vault(token) + handler.owed(), "tokens");
	}

	/// A set bit means a leaf that has left, and dirty counts the buckets that have one.
	function bitsAreThoseWhoLeft() internal view {
		uint256 full = 0;
		for (uint256 b = 0; b < 2; b++) {
			same(rollup.exited(b), handler.bits(b), "bits");
			if (rollup.exited(b) != 0) full++;
		}
		uint256 dirty = uint256(vm.load(address(rollup), bytes32(uint256(3)))) >> 192;
		same(dirty, full, "dirty");
		if (rollup.state() == 0) same(dirty, 0, "running with bits");
	}

	/// forge-config: default.invariant.check-interval = 20
	/// forge-config: long.invariant.check-interval = 40
	/// I1: whatever the state, silence opens the hatch, and then each citizen can leave.
	function invariant_everybody_can_leave() public {
		uint256 snapshot = vm.snapshotState();
		handler.pass(301);
		if (rollup.state() != 1) handler.openAfterDeadline();
		same(rollup.state(), 1, "open");
		uint256 from = hatch.deadlines().exitsFrom;
		if (from >= block.timestamp) handler.pass(from - block.timestamp + 1);
		try handler.exitBucket(type(uint256).max, 0) {} catch {}
		try handler.exitBucket(type(uint256).max, 1) {} catch {}
		for (uint256 k = 0; k < 12; k++) {
			yes(handler.gone(k) || handler.amounts(k) == 0, "I1: somebody is left behind");
		}
		invariant_the_model_holds();
		vm.revertToState(snapshot);
	}

	/// That the handler reaches the far states at all.
	function test_handler_goes_all_the_way() public {
		handler.deposit(77, true);
		handler.deposit(78, false);
		handler.request(1, 9, false);
		handler.landBad(6, true);
		// in between: what the thief forces is executed, and what the owner forces is void
		handler.execute(true, 0);
		handler.request(6, 8, true);
		handler.request(6, 7, false);
		handler.execute(true, 0);
		handler.execute(true, 0);
		handler.request(8, 5000, false);
		handler.deposit(79, false);
		handler.landBad(4, false);
		holds();
		handler.serve(3);
		handler.proveBad(1);
		holds();
		handler.proveBad(0);
		same(handler.rewound(), 2, "rewound");
		same(handler.rewoundOpen(), 1, "while open");
		same(handler.cancelled(), 1, "and withdrawals with it");
		handler.refundDeposit(2);
		handler.setToken(false);
		handler.refundDeposit(3);
		handler.setToken(true);
		handler.claim(1);
		handler.refundBounty(3);
		handler.pass(400);
		for (uint64 id = 0; id < 4; id++) {
			try handler.pay(id) {
				yes(false, "paid what was undone");
			} catch {}
		}
		leaves();
		handler.serve(5);
		handler.request(11, 19, false);
		handler.execute(true, 0);
		handler.pass(201);
		handler.votePromote(7, true);
		handler.pay(4);
		handler.voteOpen(31);
		handler.intrude(1);
		holds();
	}

	/// Everybody, in every way, and then a new life.
	function leaves() internal {
		handler.exit(1, 0);
		handler.exit(2, 1);
		handler.exit(9, 2);
		handler.setToken(false);
		handler.exitBucket(0x18, 0);
		handler.setToken(true);
		handler.exitBucket(5, 3);
		holds();
		same(handler.exits(), 7, "exits");
		handler.resume(15, false);
		handler.settle(1, false);
		holds();
		handler.settle(0, true);
		handler.settle(6, true);
		same(handler.settledTimes(), 1, "running");
	}

	function holds() internal {
		invariant_the_model_holds();
		invariant_everybody_can_leave();
	}
}
