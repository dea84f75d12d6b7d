// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Base.sol";
import {Token} from "./Tokens.sol";

/// The inbox: deposits, forced transactions, and refunds of what no batch covered.
contract InboxTest is Base {
	Token token;

	function setUp() public override {
		super.setUp();
		token = new Token();
		token.mint(address(this), 1e24);
		vm.fee(0);
	}

	function itemFate(uint64 id) internal view returns (uint8 fate) {
		(, fate) = rollup.inboxItem(id);
	}

	// ---- deposits and transactions

	function accOf(bytes32 last, uint256 id, bytes32 itemHash) internal view returns (bytes32) {
		return keccak256(abi.encode(last, id, block.timestamp, itemHash));
	}

	function test_deposit_is_queued_and_counted() public {
		bytes32 item = keccak256(abi.encode(uint8(1), address(this), address(0), uint96(5), treasury));
		bytes32 acc = accOf(0, 0, item);
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.InboxQueued(
			0, address(this), 1, address(0), 5, treasury, "", acc, uint64(block.timestamp + INCLUSION)
		);
		same(rollup.deposit{value: 5}(address(0), 5, treasury), 0, "id");
		same(rollup.vault(address(0)), 5, "vault");
		vm.warp(block.timestamp + 3);
		bytes32 next = accOf(acc, 1, keccak256(abi.encode(uint8(2), address(this), keccak256("forced"))));
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.InboxQueued(
			1, address(this), 2, address(0), 0, address(0), "forced", next, uint64(block.timestamp + INCLUSION)
		);
		same(rollup.requestTransaction("forced"), 1, "id");
		(InboxItem memory one, uint8 fate) = rollup.inboxItem(1);
		same(one.acc, next, "acc");
		same(one.queuedAt, block.timestamp, "queuedAt");
		same(fate, 0, "queued");
		commit();
		same(itemFate(0), 1, "covered");
		same(itemFate(1), 1, "covered");
		vm.expectRevert(NoSuchId.selector);
		rollup.inboxItem(2);
	}

	function test_deposit_of_a_token() public {
		rollup.deposit(address(token), 70, treasury);
		same(rollup.vault(address(token)), 70, "vault");
		same(token.balanceOf(address(rollup)), 70, "held");
		token.set(Token.Mode.Silent);
		rollup.deposit(address(token), 30, treasury);
		same(rollup.vault(address(token)), 100, "vault");
	}

	function badToken() internal {
		vm.expectRevert(BadToken.selector);
		rollup.deposit(address(token), 70, treasury);
	}

	function test_deposit_refuses_bad_tokens() public {
		token.set(Token.Mode.False);
		badToken();
		token.set(Token.Mode.Liar);
		badToken();
		token.set(Token.Mode.Reverts);
		badToken();
		token.set(Token.Mode.Fee);
		badToken();
		vm.expectRevert(BadToken.selector);
		rollup.deposit(citizen(1), 70, treasury);
	}

	function test_deposit_refuses_wrong_values() public {
		vm.expectRevert(ZeroAmount.selector);
		rollup.deposit(address(0), 0, treasury);
		vm.expectRevert(BadRecipient.selector);
		rollup.deposit{value: 5}(address(0), 5, address(0));
		vm.expectRevert(BadRecipient.selector);
		rollup.deposit{value: 5}(address(0), 5, address(rollup));
		vm.expectRevert(WrongValue.selector);
		rollup.deposit{value: 4}(address(0), 5, treasury);
		vm.expectRevert(WrongValue.selector);
		rollup.deposit{value: 6}(address(0), 5, treasury);
		vm.expectRevert(WrongValue.selector);
		rollup.deposit{value: 1}(address(token), 5, treasury);
	}

	function test_transaction_sizes() public {
		vm.expectRevert(TooManyBytes.selector);
		rollup.requestTransaction("");
		rollup.requestTransaction(new bytes(1));
		rollup.requestTransaction(new bytes(32768));
		vm.expectRevert(TooManyBytes.selector);
		rollup.requestTransaction(new bytes(32769));
	}

	function test_requests_need_a_running_ledger() public {
		populate(1);
		openBySilence();
		vm.expectRevert(WrongState.selector);
		rollup.deposit{value: 5}(address(0), 5, treasury);
		vm.expectRevert(WrongState.selector);
		rollup.requestTransaction("x");
		vm.expectRevert(WrongState.selector);
		rollup.requestWithdrawal{value: 5000}(0, 1, treasury);
	}

	// ---- refunds of deposits

	function test_uncovered_deposits_are_refunded_once_to_their_owner() public {
		populate(1);
		rollup.requestTransaction("dropped");
		rollup.deposit(address(token), 70, treasury);
		rollup.deposit{value: 9}(address(0), 9, treasury);
		openBySilence();
		same(itemFate(0), 1, "covered before");
		same(itemFate(1), 2, "void");
		same(itemFate(2), 2, "refundable");
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.DepositRefunded(2, treasury, address(token), 70);
		vm.prank(citizen(9));
		rollup.refundDeposit(2, address(this), address(token), 70, treasury);
		same(token.balanceOf(treasury), 70, "paid");
		same(rollup.vault(address(token)), 0, "vault");
		same(itemFate(2), 3, "refunded");
		vm.expectRevert(abi.encodeWithSelector(WrongFate.selector, 3));
		rollup.refundDeposit(2, address(this), address(token), 70, treasury);
		rollup.refundDeposit(3, address(this), address(0), 9, treasury);
		same(treasury.balance, 9, "coin");
		vm.expectRevert(abi.encodeWithSelector(WrongFate.selector, 1));
		rollup.refundDeposit(0, address(this), address(0), 1000, treasury);
	}

	function test_queued_deposits_are_not_refunded() public {
		rollup.deposit{value: 9}(address(0), 9, treasury);
		vm.expectRevert(abi.encodeWithSelector(WrongFate.selector, 0));
		rollup.refundDeposit(0, address(this), address(0), 9, treasury);
	}

	function test_refund_of_what_was_deposited_alone() public {
		populate(1);
		rollup.deposit{value: 9}(address(0), 9, treasury);
		openBySilence();
		vm.expectRevert(WrongItem.selector);
		rollup.refundDeposit(1, treasury, address(0), 9, treasury);
		vm.expectRevert(WrongItem.selector);
		rollup.refundDeposit(1, address(this), address(token), 9, treasury);
		vm.expectRevert(WrongItem.selector);
		rollup.refundDeposit(1, address(this), address(0), 10, treasury);
		vm.expectRevert(WrongItem.selector);
		rollup.refundDeposit(1, address(this), address(0), 9, citizen(1));
	}

	/// Later batches of the next operator never cover what an opening voided.
	function test_voided_items_stay_refundable_after_a_resume() public {
		populate(1);
		rollup.deposit{value: 9}(address(0), 9, treasury);
		rollup.fundBond{value: 1}();
		openBySilence();
		vm.warp(hatch.deadlines().resumeFrom + 1);
		resume(standbyA);
		(,, uint64 through, uint64 tail) = rollup.queues();
		same(through, tail, "emptied");
		rollup.deposit{value: 4}(address(0), 4, treasury);
		commit();
		same(itemFate(2), 1, "covered");
		rollup.refundDeposit(1, address(this), address(0), 9, treasury);
		same(treasury.balance, 9, "refunded");
	}
}
