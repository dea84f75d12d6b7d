// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Handler} from "./Handler.sol";
import {Test} from "./Test.sol";
import {Withdrawal} from "contracts/Types.sol";
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

	/// Service and time come more often than the rest, or nothing else would be reached.
	function targetSelectors() external view returns (FuzzSelector[] memory list) {
		list = new FuzzSelector[](1);
		bytes4[] memory all = new bytes4[](19);
		all[0] = Handler.warp.selector;
		all[1] = Handler.serve.selector;
		all[2] = Handler.intrude.selector;
		all[3] = Handler.handOver.selector;
		all[4] = Handler.deposit.selector;
		all[5] = Handler.request.selector;
		all[6] = Handler.execute.selector;
		all[7] = Handler.pay.selector;
		all[8] = Handler.refundBounty.selector;
		all[9] = Handler.refundDeposit.selector;
		all[10] = Handler.votePromote.selector;
		all[11] = Handler.voteOpen.selector;
		all[12] = Handler.openAfterDeadline.selector;
		all[13] = Handler.resume.selector;
		all[14] = Handler.badBatch_.selector;
		all[15] = Handler.exit.selector;
		all[16] = Handler.exitBucket.selector;
		all[17] = Handler.settle.selector;
		all[18] = Handler.warp.selector;
		list[0] = FuzzSelector(address(handler), all);
	}

	/// The root on L1 is the root of the model, in every state.
	function invariant_root_is_the_books() public view {
		same(rollup.stateRoot(), handler.rootOfBook(), "root");
	}

	function invariant_nothing_broke() public view {
		same(keccak256(bytes(handler.broken())), keccak256(""), handler.broken());
	}

	/// I2, I3: what is left in the vault is exactly what is still to be paid.
	function invariant_vault_is_what_is_owed_to_citizens() public view {
		uint256 sum = handler.uncovered() + unpaidOf();
		for (uint256 i = 0; i < 12; i++) {
			if (!handler.gone(i)) sum += handler.amountOf(i);
		}
		same(rollup.vault(address(0)), sum, "vault");
		same(rollup.vault(address(0)) + handler.paidOut(), handler.deposited(), "in and out");
	}

	/// Executed and neither paid nor cancelled, as the contract tells.
	function unpaidOf() internal view returns (uint256 sum) {
		(, uint64 tail,,) = rollup.queues();
		for (uint64 id = 0; id < tail; id++) {
			(Withdrawal memory w, uint8 fate) = rollup.withdrawal(id);
			if (fate == 1) sum += w.amount;
		}
	}

	/// The pots: vault, bond and bounties make up the balance to the wei.
	function invariant_pots_make_up_the_balance() public view {
		uint256 bond = uint256(vm.load(address(rollup), bytes32(uint256(14))));
		same(
			address(rollup).balance,
			rollup.vault(address(0)) + bond + handler.bounties() + owed(),
			"balance"
		);
	}

	function owed() internal view returns (uint256) {
		return rollup.owed(address(handler), address(0));
	}

	/// A set bit means a leaf that has left, and dirty counts the buckets that have one.
	function invariant_bits_are_those_who_left() public view {
		uint256 bits = 0;
		for (uint256 i = 0; i < 12; i++) {
			if (handler.gone(i)) bits |= 1 << i;
		}
		same(rollup.exited(0), bits, "bits");
		uint256 dirty = uint256(vm.load(address(rollup), bytes32(uint256(3)))) >> 192;
		same(dirty, bits == 0 ? 0 : 1, "dirty");
		if (rollup.state() == 0) same(dirty, 0, "running with bits");
	}

	/// Progress is the sequencer's commits, and never falls.
	function invariant_count_is_the_commits() public view {
		(uint64 count,) = rollup.progress();
		same(count, handler.lastCount(), "count");
	}

	/// I1: in OPEN, once exits run, each citizen who has not left can leave now.
	function invariant_everybody_can_leave() public {
		if (rollup.state() != 1) return;
		uint256 snapshot = vm.snapshotState();
		vm.warp(hatch.deadlines().exitsFrom + 1 + block.timestamp);
		try handler.exitBucket(type(uint256).max) {} catch {}
		for (uint256 i = 0; i < 12; i++) {
			yes(handler.gone(i) || handler.amountOf(i) == 0, "I1: somebody is left behind");
		}
		vm.revertToState(snapshot);
	}

	/// I1: whatever the state, silence opens the hatch.
	function invariant_silence_opens() public {
		uint256 snapshot = vm.snapshotState();
		vm.warp(block.timestamp + 301);
		if (rollup.state() != 1) hatch.openAfterDeadline();
		same(rollup.state(), 1, "open");
		vm.revertToState(snapshot);
	}

	/// That the handler reaches the far states at all (seeded, so that this cannot flake).
	function test_handler_goes_all_the_way() public {
		handler.deposit(77);
		handler.request(1, 500);
		handler.request(2, 5000);
		handler.badBatch_(true, 7);
		same(handler.rewound(), 1, "rewound");
		handler.refundDeposit(0);
		handler.refundBounty(0);
		vm.warp(block.timestamp + 400);
		handler.exit(1, false);
		handler.exit(2, true);
		handler.exitBucket(0xf0);
		handler.resume(15, false);
		handler.settle(1, false);
		handler.settle(0, true);
		same(rollup.state(), 0, "running");
		same(handler.exits(), 6, "exits");
		handler.serve(5);
		handler.request(3, 20);
		handler.execute(true);
		vm.warp(block.timestamp + 101);
		handler.votePromote(7, true);
		handler.pay(2);
		handler.voteOpen(31);
		handler.intrude(1);
		invariant_root_is_the_books();
		invariant_nothing_broke();
		invariant_vault_is_what_is_owed_to_citizens();
		invariant_pots_make_up_the_balance();
		invariant_bits_are_those_who_left();
		invariant_count_is_the_commits();
		invariant_everybody_can_leave();
	}
}
