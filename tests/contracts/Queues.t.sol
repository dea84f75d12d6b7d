// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Base.sol";
import {Payee, Token} from "./Tokens.sol";

/// The withdrawals that citizens force.
contract QueuesTest is Base {
	uint8 constant QUEUED = 0;
	uint8 constant EXECUTED = 1;
	uint8 constant PAID = 2;
	uint8 constant VOID = 3;
	uint8 constant UNSERVED = 5;

	Token token;

	function setUp() public override {
		super.setUp();
		token = new Token();
		token.mint(address(this), 1e24);
		vm.fee(0);
	}

	function fateOf(uint64 id) internal view returns (uint8 fate) {
		(, fate) = rollup.withdrawal(id);
	}

	// ---- requests

	function ask(uint256 i, uint96 amount) internal returns (uint64) {
		vm.deal(citizen(i), 1 ether);
		vm.prank(citizen(i));
		return rollup.requestWithdrawal{value: 5000}(uint40(i), amount, citizen(100 + i));
	}

	function test_request_is_queued() public {
		populate(2);
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.WithdrawalRequested(
			0, citizen(1), 1, 50, citizen(101), 5000, uint40(block.timestamp + INCLUSION)
		);
		same(ask(1, 50), 0, "id");
		(Withdrawal memory w, uint8 fate) = rollup.withdrawal(0);
		same(fate, QUEUED, "fate");
		same(w.owner, citizen(1), "owner");
		same(w.payer, citizen(1), "payer");
		same(w.bounty, 5000, "bounty");
		same(rollup.vault(address(0)), 2001, "bounties stand outside the vault");
		vm.expectRevert(NoSuchId.selector);
		rollup.withdrawal(1);
	}

	function test_request_refuses() public {
		vm.expectRevert(ZeroAmount.selector);
		rollup.requestWithdrawal{value: 5000}(0, 0, treasury);
		vm.expectRevert(BadRecipient.selector);
		rollup.requestWithdrawal{value: 5000}(0, 1, address(0));
		vm.expectRevert(BadRecipient.selector);
		rollup.requestWithdrawal{value: 5000}(0, 1, address(rollup));
		vm.expectRevert(abi.encodeWithSelector(BountyTooSmall.selector, 1000));
		rollup.requestWithdrawal{value: 999}(0, 1, treasury);
		rollup.requestWithdrawal{value: 1000}(0, 1, treasury);
		vm.deal(address(this), 1 << 100);
		vm.expectRevert(WrongValue.selector);
		rollup.requestWithdrawal{value: 1 << 96}(0, 1, treasury);
		rollup.requestWithdrawal{value: (1 << 96) - 1}(0, 1, treasury);
	}

	function test_bounty_follows_the_base_fee() public {
		same(rollup.bounty(), 1000, "least");
		vm.fee(7);
		same(rollup.bounty(), 1_050_000, "150,000 gas");
	}

	// ---- requests by signature

	function withdrawDigest(uint40 index, uint96 amount, address to, uint256 salt, uint64 expiry)
		internal
		view
		returns (bytes32)
	{
		bytes32 kind =
			keccak256("Withdraw(uint40 index,uint96 amount,address recipient,uint256 salt,uint64 expiry)");
		bytes32 content = keccak256(abi.encode(kind, index, amount, to, salt, expiry));
		return typed("SovereignRollup", address(rollup), content);
	}

	function test_request_by_signature_used_once() public {
		populate(2);
		uint64 e = uint64(block.timestamp);
		bytes memory s = sig(0x10001, withdrawDigest(1, 50, treasury, 7, e));
		vm.expectRevert(SignatureExpired.selector);
		rollup.requestWithdrawalFor{value: 5000}(1, 50, treasury, 7, e - 1, s);
		rollup.requestWithdrawalFor{value: 5000}(1, 50, treasury, 7, e, s);
		(Withdrawal memory w,) = rollup.withdrawal(0);
		same(w.owner, citizen(1), "owner");
		same(w.payer, address(this), "payer");
		vm.expectRevert(SignatureUsed.selector);
		rollup.requestWithdrawalFor{value: 5000}(1, 50, treasury, 7, e, s);
		s = sig(0x10001, withdrawDigest(1, 50, treasury, 8, e));
		rollup.requestWithdrawalFor{value: 5000}(1, 50, treasury, 8, e, s);
		vm.expectRevert(BadSignature.selector);
		rollup.requestWithdrawalFor{value: 5000}(1, 50, treasury, 9, e, "");
	}

	/// A stranger who signs the same words does not use the owner's order up.
	function test_orders_are_not_used_up_by_strangers() public {
		populate(2);
		uint64 e = uint64(block.timestamp);
		bytes32 hash = withdrawDigest(1, 50, treasury, 7, e);
		rollup.requestWithdrawalFor{value: 5000}(1, 50, treasury, 7, e, sig(0xbad, hash));
		rollup.requestWithdrawalFor{value: 5000}(1, 50, treasury, 7, e, sig(0x10001, hash));
		(Withdrawal memory w,) = rollup.withdrawal(1);
		same(w.owner, citizen(1), "owner");
		bytes32 order = keccak256(abi.encode(hash, citizen(1)));
		same(vm.load(address(rollup), keccak256(abi.encode(order, uint256(11)))), bytes32(uint256(1)), "slot 11");
	}

	function test_changed_order_is_a_strangers() public {
		populate(2);
		uint64 e = uint64(block.timestamp);
		bytes memory s = sig(0x10001, withdrawDigest(1, 50, treasury, 7, e));
		rollup.requestWithdrawalFor{value: 5000}(1, 51, treasury, 7, e, s);
		(Withdrawal memory w,) = rollup.withdrawal(0);
		no(w.owner == citizen(1), "owner");
	}

	// ---- execution

	function execute(uint64 id, uint256 index) internal {
		rollup.executeWithdrawal(id, book.record(index), proof(index));
	}

	function tryExecute(uint64 id, uint256 index, bytes4 why) internal {
		(bytes memory record, bytes32[] memory path) = (book.record(index), proof(index));
		vm.expectRevert(why);
		rollup.executeWithdrawal(id, record, path);
	}

	function executeAs(address by, uint64 id, uint256 index) internal {
		(bytes memory record, bytes32[] memory path) = (book.record(index), proof(index));
		vm.prank(by);
		rollup.executeWithdrawal(id, record, path);
	}

	function late() internal {
		vm.warp(block.timestamp + INCLUSION + 1);
	}

	function test_anyone_executes_what_is_overdue() public {
		populate(3);
		ask(1, 50);
		uint256 t = block.timestamp;
		vm.warp(t + INCLUSION);
		tryExecute(0, 1, NotOverdue.selector);
		vm.warp(t + INCLUSION + 1);
		(bytes memory record, bytes32[] memory path) = (book.record(1), proof(1));
		book.set(1, coin(1, 1001 - 50));
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.WithdrawalExecuted(0, 1, 50, citizen(77), book.root());
		vm.prank(citizen(77));
		rollup.executeWithdrawal(0, record, path);
		same(rollup.stateRoot(), book.root(), "root computed on L1");
		same(citizen(77).balance, 5000, "bounty");
		(Withdrawal memory w, uint8 fate) = rollup.withdrawal(0);
		same(fate, EXECUTED, "fate");
		same(w.amount, 50, "amount");
		same(w.stamp, block.timestamp, "stamp");
		same(w.payer, address(0), "asset");
		same(w.bounty, 0, "bounty");
		same(rollup.vault(address(0)), 3003, "vault until paid");
		commit();
	}

	function test_the_sequencer_executes_before() public {
		populate(3);
		ask(1, 50);
		executeAs(sequencer, 0, 1);
		book.set(1, coin(1, 951));
		same(rollup.stateRoot(), book.root(), "root");
	}

	function test_a_standby_does_not_execute_before() public {
		populate(3);
		ask(1, 50);
		(bytes memory record, bytes32[] memory path) = (book.record(1), proof(1));
		vm.prank(standbyA);
		vm.expectRevert(NotOverdue.selector);
		rollup.executeWithdrawal(0, record, path);
	}

	function test_in_full_or_not_at_all_before() public {
		populate(3);
		ask(1, 1002);
		(bytes memory record, bytes32[] memory path) = (book.record(1), proof(1));
		vm.prank(sequencer);
		vm.expectRevert(NotInFull.selector);
		rollup.executeWithdrawal(0, record, path);
		late();
		execute(0, 1);
		(Withdrawal memory w, uint8 fate) = rollup.withdrawal(0);
		same(fate, EXECUTED, "fate");
		same(w.amount, 1001, "what is there");
		book.set(1, coin(1, 0));
		same(rollup.stateRoot(), book.root(), "root");
	}

	function test_the_whole_balance_before() public {
		populate(3);
		ask(1, 1001);
		executeAs(sequencer, 0, 1);
		same(fateOf(0), EXECUTED, "fate");
	}

	function test_strictly_in_order() public {
		populate(3);
		ask(1, 50);
		ask(2, 50);
		late();
		tryExecute(1, 2, NotHead.selector);
		execute(0, 1);
		book.set(1, coin(1, 951));
		tryExecute(0, 1, NotHead.selector);
		execute(1, 2);
		tryExecute(2, 2, NotHead.selector);
	}

	function test_foreign_leaf_is_void() public {
		populate(3);
		vm.deal(citizen(1), 1 ether);
		vm.prank(citizen(1));
		rollup.requestWithdrawal{value: 5000}(2, 50, citizen(1));
		bytes32 root = rollup.stateRoot();
		// nobody need wait to see that it is foreign
		executeAs(sequencer, 0, 2);
		same(fateOf(0), VOID, "fate");
		same(rollup.stateRoot(), root, "root stays");
		same(sequencer.balance, 1e24 + 5000, "bounty");
	}

	function test_credential_is_void() public {
		put(0, credential(citizen(0), keccak256("id")));
		commit();
		ask(0, 50);
		executeAs(sequencer, 0, 0);
		same(fateOf(0), VOID, "fate");
	}

	function test_spent_leaf_is_void_once_overdue() public {
		put(0, coin(0, 0));
		commit();
		ask(0, 50);
		(bytes memory record, bytes32[] memory path) = (book.record(0), proof(0));
		vm.prank(sequencer);
		vm.expectRevert(NotInFull.selector);
		rollup.executeWithdrawal(0, record, path);
		late();
		execute(0, 0);
		same(fateOf(0), VOID, "fate");
	}

	function test_index_beyond_the_tree_is_void_once_overdue() public {
		populate(3);
		vm.deal(citizen(1), 1 ether);
		vm.prank(citizen(1));
		rollup.requestWithdrawal{value: 5000}(3, 50, citizen(1));
		vm.prank(sequencer);
		vm.expectRevert(NotInFull.selector);
		rollup.executeWithdrawal(0, "", new bytes32[](0));
		late();
		rollup.executeWithdrawal(0, "", new bytes32[](0));
		same(fateOf(0), VOID, "fate");
		same(rollup.stateRoot(), book.root(), "root stays");
	}

	function test_proofs_are_exact() public {
		populate(3);
		ask(1, 50);
		late();
		(bytes memory record, bytes32[] memory path) = (book.record(1), proof(1));
		bytes32[] memory longer = new bytes32[](9);
		bytes32[] memory shorter = new bytes32[](7);
		for (uint256 i = 0; i < 8; i++) longer[i] = path[i];
		for (uint256 i = 0; i < 7; i++) shorter[i] = path[i];
		vm.expectRevert(WrongDepth.selector);
		rollup.executeWithdrawal(0, record, longer);
		vm.expectRevert(WrongDepth.selector);
		rollup.executeWithdrawal(0, record, shorter);
		vm.expectRevert(BadRecord.selector);
		rollup.executeWithdrawal(0, slice(record, 0, 52), path);
		vm.expectRevert(BadRecord.selector);
		rollup.executeWithdrawal(0, bytes.concat(record, hex"00"), path);
		path[3] = bytes32(uint256(path[3]) ^ 1);
		vm.expectRevert(BadProof.selector);
		rollup.executeWithdrawal(0, record, path);
		(record, path) = (book.record(2), proof(2));
		vm.expectRevert(BadProof.selector);
		rollup.executeWithdrawal(0, record, path);
		record = coin(1, 2000);
		path = proof(1);
		vm.expectRevert(BadProof.selector);
		rollup.executeWithdrawal(0, record, path);
	}

	function test_an_executor_that_refuses_money_is_owed_it() public {
		populate(2);
		ask(1, 50);
		late();
		Payee payee = new Payee();
		payee.set(Payee.Mode.Refuses);
		executeAs(address(payee), 0, 1);
		same(rollup.owed(address(payee), address(0)), 5000, "owed");
	}

	// ---- payment

	function executed(uint96 amount) internal returns (uint256 when) {
		populate(3);
		ask(1, amount);
		late();
		execute(0, 1);
		book.set(1, coin(1, 1001 - amount));
		return block.timestamp;
	}

	function test_paid_after_finality_once_by_anyone() public {
		uint256 t = executed(50);
		vm.warp(t + FINALITY - 1);
		vm.expectRevert(NotFinal.selector);
		rollup.pay(0);
		vm.warp(t + FINALITY);
		vm.expectRevert(NotFinal.selector);
		rollup.pay(0);
		vm.warp(t + FINALITY + 1);
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.WithdrawalPaid(0, citizen(101), address(0), 50, false);
		vm.prank(citizen(9));
		rollup.pay(0);
		same(citizen(101).balance, 50, "paid");
		same(rollup.vault(address(0)), 2953, "vault");
		same(fateOf(0), PAID, "fate");
		vm.expectRevert(abi.encodeWithSelector(WrongFate.selector, PAID));
		rollup.pay(0);
	}

	function test_only_what_is_executed_is_paid() public {
		populate(3);
		ask(1, 50);
		vm.warp(block.timestamp + 200);
		vm.expectRevert(abi.encodeWithSelector(WrongFate.selector, QUEUED));
		rollup.pay(0);
		vm.expectRevert(NoSuchId.selector);
		rollup.pay(1);
	}

	function test_void_is_not_paid() public {
		populate(3);
		vm.deal(citizen(1), 1 ether);
		vm.prank(citizen(1));
		rollup.requestWithdrawal{value: 5000}(2, 50, citizen(1));
		late();
		execute(0, 2);
		vm.warp(block.timestamp + FINALITY + 1);
		vm.expectRevert(abi.encodeWithSelector(WrongFate.selector, VOID));
		rollup.pay(0);
	}

	function test_paid_while_open() public {
		executed(50);
		openBySilence();
		rollup.pay(0);
		same(citizen(101).balance, 50, "paid");
	}

	function test_token_withdrawal() public {
		put(0, balance(citizen(0), address(token), 500));
		rollup.deposit(address(token), 500, treasury);
		commit();
		ask(0, 200);
		late();
		execute(0, 0);
		(Withdrawal memory w,) = rollup.withdrawal(0);
		same(w.payer, address(token), "asset");
		vm.warp(block.timestamp + FINALITY + 1);
		rollup.pay(0);
		same(token.balanceOf(citizen(100)), 200, "paid");
		same(rollup.vault(address(token)), 300, "vault");
	}

	/// More was promised than the vault holds: nobody else's asset pays for it.
	function test_short_vault_waits() public {
		put(0, coin(0, 500));
		rollup.deposit{value: 499}(address(0), 499, treasury);
		rollup.fundBond{value: 1 ether}();
		commit();
		ask(0, 500);
		late();
		execute(0, 0);
		vm.warp(block.timestamp + FINALITY + 1);
		vm.expectRevert(VaultShort.selector);
		rollup.pay(0);
		rollup.deposit{value: 1}(address(0), 1, treasury);
		rollup.pay(0);
		same(citizen(100).balance, 500, "paid");
		same(rollup.vault(address(0)), 0, "vault");
	}

	function test_refused_payment_becomes_owed() public {
		populate(3);
		Payee payee = new Payee();
		payee.set(Payee.Mode.Burns);
		vm.deal(citizen(1), 1 ether);
		vm.prank(citizen(1));
		rollup.requestWithdrawal{value: 5000}(1, 50, address(payee));
		late();
		execute(0, 1);
		vm.warp(block.timestamp + FINALITY + 1);
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.Owed(address(payee), address(0), 50);
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.WithdrawalPaid(0, address(payee), address(0), 50, true);
		rollup.pay(0);
		same(rollup.owed(address(payee), address(0)), 50, "owed");
		same(rollup.vault(address(0)), 2953, "vault");
	}

	/// A stranger with little gas cannot turn a payment into an IOU.
	function testFuzz_no_gas_makes_an_iou(uint256 gas) public {
		executed(50);
		vm.warp(block.timestamp + FINALITY + 1);
		gas = bound(gas, 30_000, 400_000);
		try rollup.pay{gas: gas}(0) {
			same(citizen(101).balance, 50, "paid");
		} catch {
			same(fateOf(0), EXECUTED, "still to be paid");
		}
		same(rollup.owed(citizen(101), address(0)), 0, "owed");
	}

	/// Not even into one that is larger already, which costs less to write.
	function test_no_gas_makes_an_iou_larger() public {
		Payee payee = new Payee();
		populate(2);
		vm.deal(citizen(1), 1 ether);
		for (uint256 i = 0; i < 2; i++) {
			vm.prank(citizen(1));
			rollup.requestWithdrawal{value: 5000}(1, 50, address(payee));
		}
		late();
		execute(0, 1);
		book.set(1, coin(1, 951));
		execute(1, 1);
		vm.warp(block.timestamp + FINALITY + 1);
		payee.set(Payee.Mode.Refuses);
		rollup.pay(0);
		same(rollup.owed(address(payee), address(0)), 50, "owed");
		payee.set(Payee.Mode.Picky);
		for (uint256 gas = 20_000; fateOf(1) == EXECUTED; gas += 500) {
			(bool ok,) = address(rollup).call{gas: gas}(abi.encodeCall(rollup.pay, (1)));
			ok;
		}
		same(address(payee).balance, 50, "paid");
		same(rollup.owed(address(payee), address(0)), 50, "no larger");
	}

	// ---- openings empty the queue

	function test_unserved_requests_return_their_bounty_to_the_payer() public {
		populate(3);
		ask(1, 50);
		ask(2, 50);
		executeAs(sequencer, 0, 1);
		book.set(1, coin(1, 951));
		uint64 e = uint64(block.timestamp + 1);
		rollup.requestWithdrawalFor{value: 7000}(0, 5, treasury, 1, e, sig(0x10000, withdrawDigest(0, 5, treasury, 1, e)));
		openBySilence();
		same(fateOf(0), EXECUTED, "0");
		same(fateOf(1), UNSERVED, "1");
		same(fateOf(2), UNSERVED, "2");
		tryExecute(1, 2, NotHead.selector);
		uint256 before = address(this).balance;
		vm.prank(citizen(3));
		rollup.refundBounty(2);
		same(address(this).balance, before + 7000, "payer");
		vm.expectRevert(ZeroAmount.selector);
		rollup.refundBounty(2);
		vm.expectRevert(abi.encodeWithSelector(WrongFate.selector, EXECUTED));
		rollup.refundBounty(0);
		// at any later time
		rollup.fundBond{value: 1}();
		vm.warp(hatch.deadlines().resumeFrom + 1);
		resume(standbyA);
		rollup.refundBounty(1);
		same(citizen(2).balance, 1 ether, "bounty came back");
		same(ask(0, 5), 3, "numbers are never reused");
		same(fateOf(3), QUEUED, "a new life");
		vm.expectRevert(abi.encodeWithSelector(WrongFate.selector, QUEUED));
		rollup.refundBounty(3);
		executeAs(standbyA, 3, 0);
		same(fateOf(3), EXECUTED, "served");
		same(fateOf(1), UNSERVED, "for ever");
	}

	function testFuzz_debits_match_the_book(uint96 amount, uint96 held) public {
		put(0, coin(0, 1));
		put(1, coin(1, held));
		put(2, coin(2, 3));
		commit();
		vm.assume(amount != 0);
		ask(1, amount);
		late();
		execute(0, 1);
		uint256 debited = amount < held ? amount : held;
		book.set(1, coin(1, held - debited));
		same(rollup.stateRoot(), book.root(), "root");
		same(fateOf(0), debited == 0 ? VOID : EXECUTED, "fate");
	}
}
