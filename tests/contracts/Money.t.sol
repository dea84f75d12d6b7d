// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Base.sol";
import {Payee, Token} from "./Tokens.sol";

/// A relayer's delegated code: many calls in one transaction.
contract Taker {
	receive() external payable {}

	function takeOut(ISovereignRollup r, uint256 n, uint256 mask, bytes calldata records, bytes32[] calldata path)
		external
	{
		for (uint256 i = 0; i < n; i++) r.exitBucket(0, mask << 8 * i, records, path);
	}
}

/// What is owed, the bond, and calls that come back.
contract MoneyTest is Base {
	Token token;
	Payee payee;

	function setUp() public override {
		super.setUp();
		vm.fee(0);
		token = new Token();
		token.mint(address(this), 1e24);
		payee = new Payee();
	}

	/// Leaf 0 belongs to a payee that refuses: 20 coins and 30 tokens are owed.
	function owing(address owner) internal {
		put(0, balance(owner, address(0), 20));
		put(1, balance(owner, address(token), 30));
		put(2, coin(2, 50));
		rollup.deposit{value: 70}(address(0), 70, treasury);
		rollup.deposit(address(token), 30, treasury);
		commit();
		openBySilence();
		vm.warp(block.timestamp + 1);
		token.set(Token.Mode.Reverts);
		payee.set(Payee.Mode.Refuses);
		rollup.exitBucket(0, type(uint256).max, book.bucket(0), bucketProof(0));
		token.set(Token.Mode.Good);
	}

	function test_claims_by_the_owner() public {
		owing(address(payee));
		vm.expectRevert(NothingOwed.selector);
		rollup.claim(address(0), treasury);
		vm.prank(address(payee));
		vm.expectRevert(BadRecipient.selector);
		rollup.claim(address(0), address(0));
		vm.prank(address(payee));
		vm.expectRevert(BadRecipient.selector);
		rollup.claim(address(0), address(rollup));
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.Claimed(address(payee), address(0), treasury, 20);
		vm.prank(address(payee));
		rollup.claim(address(0), treasury);
		same(treasury.balance, 20, "paid");
		vm.prank(address(payee));
		vm.expectRevert(NothingOwed.selector);
		rollup.claim(address(0), treasury);
		vm.prank(address(payee));
		rollup.claim(address(token), treasury);
		same(token.balanceOf(treasury), 30, "paid");
	}

	function test_claims_for_the_owner_reach_the_owner_alone() public {
		owing(address(payee));
		vm.expectRevert(TransferFailed.selector);
		rollup.claimFor(address(payee), address(0));
		same(rollup.owed(address(payee), address(0)), 20, "still owed");
		token.set(Token.Mode.False);
		vm.expectRevert(TransferFailed.selector);
		rollup.claimFor(address(payee), address(token));
		token.set(Token.Mode.Good);
		payee.set(Payee.Mode.Takes);
		rollup.claimFor(address(payee), address(0));
		rollup.claimFor(address(payee), address(token));
		same(address(payee).balance, 20, "coin");
		same(token.balanceOf(address(payee)), 30, "token");
	}

	function claimDigest(address asset, address to, uint256 salt, uint64 e) internal view returns (bytes32) {
		bytes32 kind = keccak256("ClaimTo(address asset,address recipient,uint256 salt,uint64 expiry)");
		return typed("SovereignRollup", address(rollup), keccak256(abi.encode(kind, asset, to, salt, e)));
	}

	function test_claims_by_signature() public {
		address owner = citizen(7);
		vm.etch(owner, address(payee).code);
		owing2(owner);
		uint64 e = uint64(block.timestamp);
		bytes memory s = sig(0x10007, claimDigest(address(0), treasury, 1, e));
		vm.expectRevert(NotOwner.selector);
		rollup.claimTo(citizen(8), address(0), treasury, 1, e, s);
		vm.expectRevert(NotOwner.selector);
		rollup.claimTo(owner, address(0), citizen(8), 1, e, s);
		vm.expectRevert(NotOwner.selector);
		rollup.claimTo(owner, address(token), treasury, 1, e, s);
		vm.expectRevert(NotOwner.selector);
		rollup.claimTo(owner, address(0), treasury, 2, e, s);
		vm.expectRevert(NotOwner.selector);
		rollup.claimTo(owner, address(0), treasury, 1, e + 1, s);
		vm.warp(e + 1);
		vm.expectRevert(SignatureExpired.selector);
		rollup.claimTo(owner, address(0), treasury, 1, e, s);
		vm.warp(e);
		rollup.claimTo(owner, address(0), treasury, 1, e, s);
		same(treasury.balance, 20, "paid");
		vm.expectRevert(SignatureUsed.selector);
		rollup.claimTo(owner, address(0), treasury, 1, e, s);
	}

	/// As owing, for an owner whose code refuses.
	function owing2(address owner) internal {
		vm.store(owner, 0, bytes32(uint256(1)));
		owing(owner);
		same(rollup.owed(owner, address(0)), 20, "owed");
	}

	/// A payout's gas is bounded, a claim's is not: no token is out of reach for ever.
	function test_claim_of_a_heavy_token() public {
		owing(address(payee));
		token.set(Token.Mode.Heavy);
		vm.prank(address(payee));
		rollup.claim(address(token), treasury);
		same(token.balanceOf(treasury), 30, "paid");
	}

	/// Somebody else's signature under the same words uses nothing up: two are owed, both
	/// sign the same order, and both are paid.
	function test_orders_are_not_used_up_by_strangers() public {
		address[2] memory both = [citizen(7), citizen(8)];
		for (uint256 i = 0; i < 2; i++) {
			vm.etch(both[i], address(payee).code);
			vm.store(both[i], 0, bytes32(uint256(Payee.Mode.Refuses)));
			put(i, balance(both[i], address(0), 20 + i));
		}
		rollup.deposit{value: 41}(address(0), 41, treasury);
		commit();
		openBySilence();
		vm.warp(block.timestamp + 1);
		rollup.exitBucket(0, 3, book.bucket(0), bucketProof(0));
		uint64 e = uint64(block.timestamp);
		bytes32 hash = claimDigest(address(0), treasury, 1, e);
		rollup.claimTo(both[1], address(0), treasury, 1, e, sig(0x10008, hash));
		same(treasury.balance, 21, "the stranger");
		rollup.claimTo(both[0], address(0), treasury, 1, e, sig(0x10007, hash));
		same(treasury.balance, 41, "and the owner");
	}

	// ---- the bond

	function test_bond_is_funded() public {
		vm.expectRevert(ZeroAmount.selector);
		rollup.fundBond{value: 0}();
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.BondChanged(5);
		rollup.fundBond{value: 5}();
		rollup.fundBond{value: 6}();
		same(uint256(vm.load(address(rollup), bytes32(uint256(14)))), 11, "bond");
		same(rollup.vault(address(0)), 0, "outside the vault");
		(bool ok,) = address(rollup).call{value: 1}("");
		no(ok, "plain transfers are refused");
	}

	function bond() internal view returns (uint256) {
		return uint256(vm.load(address(rollup), bytes32(uint256(14))));
	}

	function opened(uint256 n, uint256 stake) internal {
		populate(n);
		if (stake != 0) rollup.fundBond{value: stake}();
		openBySilence();
		vm.warp(block.timestamp + 1);
	}

	/// Refund of an exit of leaves 0..3 in a bucket, by this contract.
	function refund(uint256 mask) internal returns (uint256 got) {
		(bytes memory records, bytes32[] memory path) = (book.bucket(0), bucketProof(0));
		uint256 before = address(this).balance;
		vm.recordLogs();
		rollup.exitBucket(0, mask, records, path);
		got = address(this).balance - before;
		Log memory log = only(vm.getRecordedLogs(), ISovereignRollup.Exited.selector);
		(,, uint256 said) = abi.decode(log.data, (uint256, uint256, uint256));
		same(said, got, "the event says what came");
	}

	function test_refund_is_capped_per_leaf() public {
		opened(200, 1 ether);
		vm.fee(10 gwei);
		vm.txGasPrice(12 gwei);
		same(refund(1), 40_000 * 12 gwei, "one leaf: 40,000 gas, with the tip");
		same(bond(), 1 ether - 40_000 * 12 gwei, "bond");
	}

	function test_refund_tip_is_capped() public {
		opened(200, 1 ether);
		vm.fee(10 gwei);
		vm.txGasPrice(100 gwei);
		same(refund(3), 80_000 * 13 gwei, "3 gwei of tip");
	}

	function test_refund_without_a_tip() public {
		opened(200, 1 ether);
		vm.fee(10 gwei);
		vm.txGasPrice(10 gwei);
		same(refund(3), 80_000 * 10 gwei, "base fee");
	}

	/// eth_call with gas price 0 must not revert.
	function test_refund_below_the_base_fee() public {
		opened(200, 1 ether);
		vm.fee(10 gwei);
		vm.txGasPrice(0);
		same(refund(3), 80_000 * 10 gwei, "base fee");
	}

	function test_refund_is_the_gas_used_when_that_is_less() public {
		opened(200, 10 ether);
		vm.fee(1 gwei);
		vm.txGasPrice(1 gwei);
		uint256 got = refund(type(uint256).max);
		yes(got < 200 * 40_000 * 1 gwei, "below the cap");
		yes(got > 200 * 9_000 * 1 gwei, "about what it took");
	}

	/// Data that no argument needs is not refunded, nor the base cost of a call from within.
	function test_refund_of_what_was_needed() public {
		opened(200, 10 ether);
		vm.fee(1 gwei);
		vm.txGasPrice(1 gwei);
		bytes memory data = abi.encodeCall(rollup.exitBucket, (0, type(uint256).max, book.bucket(0), bucketProof(0)));
		uint256 snapshot = vm.snapshotState();
		address by = citizen(251);
		uint256 plain = refundOf(data, by, by);
		vm.revertToState(snapshot);
		uint256 padded = refundOf(bytes.concat(data, new bytes(100_000)), by, by);
		yes(padded < plain + 2000 gwei, "padding is not paid for");
		uint256 own = (21_000 + 8 * 200 * 53) * 1 gwei;
		vm.revertToState(snapshot);
		uint256 within = refundOf(data, by, citizen(250));
		yes(within + own > plain - 10_000 gwei && within + own < plain + 10_000 gwei, "base cost once");
		vm.revertToState(snapshot);
		// EIP-7702: the sender's own code could call many times in its one transaction
		vm.etch(by, abi.encodePacked(hex"ef0100", address(new Taker())));
		within = refundOf(data, by, by);
		yes(within + own > plain - 10_000 gwei && within + own < plain + 10_000 gwei, "nor for delegated code");
	}

	function refundOf(bytes memory data, address by, address origin) internal returns (uint256) {
		uint256 before = by.balance;
		vm.prank(by, origin);
		(bool ok,) = address(rollup).call(data);
		yes(ok, "call");
		return by.balance - before;
	}

	/// One transaction with many calls gets no more than it costs.
	function test_refund_of_a_delegated_account_is_below_its_cost() public {
		opened(200, 100 ether);
		vm.fee(1 gwei);
		vm.txGasPrice(1 gwei);
		for (uint256 i = 0; i < 200; i++) vm.deal(citizen(i), 1);
		address by = citizen(251);
		vm.etch(by, abi.encodePacked(hex"ef0100", address(new Taker())));
		bytes memory data =
			abi.encodeCall(Taker.takeOut, (rollup, 25, 0xff, book.bucket(0), bucketProof(0)));
		vm.cool(address(rollup));
		vm.prank(by, by);
		uint256 used = gasleft();
		(bool ok,) = by.call(data);
		used = 21_000 + used - gasleft();
		yes(ok, "call");
		same(rollup.exited(0), (1 << 200) - 1, "all of them");
		for (uint256 i = 0; i < data.length; i++) used += data[i] == 0 ? 4 : 16;
		yes(by.balance <= used * 1 gwei, "no profit");
	}

	function test_refund_counts_newly_paid_leaves() public {
		opened(200, 1 ether);
		vm.fee(1 gwei);
		vm.txGasPrice(1 gwei);
		refund(7);
		same(refund(15), 40_000 gwei, "one more leaf");
	}

	function test_refund_stops_with_the_bond() public {
		opened(3, 5);
		vm.fee(1 gwei);
		vm.txGasPrice(1 gwei);
		same(refund(1), 5, "what is left");
		same(bond(), 0, "empty");
		same(refund(3), 0, "no bond, no revert");
	}

	function test_refund_of_single_exits() public {
		opened(3, 1 ether);
		vm.fee(1 gwei);
		vm.txGasPrice(1 gwei);
		(bytes memory record, bytes32[] memory path) = (book.record(1), proof(1));
		vm.prank(citizen(251), citizen(251));
		rollup.exit(1, record, path);
		same(citizen(251).balance, 40_000 gwei, "exit");
		(record, path) = (book.record(2), proof(2));
		vm.prank(citizen(2), citizen(2));
		rollup.exitTo(2, record, path, treasury, "");
		same(citizen(2).balance, 40_000 gwei, "exitTo");
		same(treasury.balance, 1002, "paid");
	}

	function test_a_caller_that_refuses_the_refund_gets_none() public {
		opened(3, 1 ether);
		vm.fee(1 gwei);
		vm.txGasPrice(1 gwei);
		payee.set(Payee.Mode.Refuses);
		(bytes memory record, bytes32[] memory path) = (book.record(1), proof(1));
		vm.prank(address(payee));
		rollup.exit(1, record, path);
		same(bond(), 1 ether, "bond stays");
		same(citizen(1).balance, 1001, "the citizen is paid");
	}

	/// Bond, bounties and what is owed never pay for leaves, nor the other way round.
	function test_pots_are_separate() public {
		put(0, coin(0, 500));
		rollup.deposit{value: 499}(address(0), 499, treasury);
		rollup.fundBond{value: 1000}();
		commit();
		openBySilence();
		vm.warp(block.timestamp + 1);
		(bytes memory record, bytes32[] memory path) = (book.record(0), proof(0));
		vm.expectRevert(VaultShort.selector);
		rollup.exit(0, record, path);
		same(address(rollup).balance, 1499, "held");
	}

	// ---- calls that come back

	/// A claimant, who gets all the gas, calls this in the middle of being paid.
	function locks(bytes memory data) internal {
		uint256 snapshot = vm.snapshotState();
		Caller caller = new Caller(data);
		vm.prank(address(payee));
		rollup.claim(address(0), address(caller));
		same(caller.got(), Reentered.selector, "Reentered");
		same(address(caller).balance, 20, "paid outside");
		vm.revertToState(snapshot);
	}

	/// The lock says no, whatever the function would have said.
	function test_every_function_is_locked() public {
		owing(address(payee));
		bytes32[] memory none = new bytes32[](0);
		locks(abi.encodeCall(rollup.exit, (0, "", none)));
		locks(abi.encodeCall(rollup.exitTo, (0, "", none, treasury, "")));
		locks(abi.encodeCall(rollup.exitBucket, (0, 0, "", none)));
		locks(abi.encodeCall(rollup.exitUniform, (0, 0, address(0), none, none)));
		locks(abi.encodeCall(rollup.settle, (0, "", none)));
		locks(abi.encodeCall(rollup.settleBucket, (0, "", none)));
		locks(abi.encodeCall(rollup.claim, (address(0), treasury)));
		locks(abi.encodeCall(rollup.claimFor, (treasury, address(0))));
		locks(abi.encodeCall(rollup.claimTo, (treasury, address(0), treasury, 0, 0, "")));
		locks(abi.encodeCall(rollup.fundBond, ()));
		locks(abi.encodeCall(rollup.deposit, (address(0), 1, treasury)));
		locks(abi.encodeCall(rollup.requestTransaction, ("x")));
		locks(abi.encodeCall(rollup.requestWithdrawal, (0, 1, treasury)));
		locks(abi.encodeCall(rollup.requestWithdrawalFor, (0, 1, treasury, 0, 0, "")));
		locks(abi.encodeCall(rollup.executeWithdrawal, (0, "", none)));
		locks(abi.encodeCall(rollup.pay, (0)));
		locks(abi.encodeCall(rollup.refundBounty, (0)));
		locks(abi.encodeCall(rollup.refundDeposit, (0, treasury, address(0), 1, treasury)));
		Batch memory b;
		locks(abi.encodeCall(rollup.commit, (b, none, "", "")));
	}

	/// Nor what the hatch alone may call, if it were the hatch that came back.
	function test_every_command_is_locked() public {
		owing(address(payee));
		vm.etch(address(hatch), address(new Forwarder(address(rollup))).code);
		commandLocks(abi.encodeCall(rollup.promote, (standbyA)));
		commandLocks(abi.encodeCall(rollup.open, ("")));
		commandLocks(abi.encodeCall(rollup.rewind, ("")));
		commandLocks(abi.encodeCall(rollup.resume, (standbyA)));
		commandLocks(abi.encodeCall(rollup.configure, (abi.encode(addresses(validatorKeys), uint8(3), uint96(1)))));
	}

	function commandLocks(bytes memory data) internal {
		uint256 snapshot = vm.snapshotState();
		Relay relay = new Relay(address(hatch), data);
		vm.prank(address(payee));
		rollup.claim(address(0), address(relay));
		same(relay.got(), Reentered.selector, "Reentered");
		vm.revertToState(snapshot);
	}

	/// Not through the hatch either.
	function test_the_hatch_cannot_be_moved_in_the_middle() public {
		owing(address(payee));
		rollup.fundBond{value: 1}();
		vm.warp(hatch.deadlines().resumeFrom + 1);
		Relay relay = new Relay(address(hatch), abi.encodeCall(hatch.resume, (standbyA, later(), resumeBundle(standbyA, later(), 4))));
		vm.prank(address(payee));
		rollup.claim(address(0), address(relay));
		same(relay.got(), Reentered.selector, "Reentered");
		same(rollup.state(), 1, "still open");
	}
}

/// Calls back when it is paid and keeps the selector of the refusal.
contract Caller {
	bytes private data;
	bytes4 public got;

	constructor(bytes memory data_) {
		data = data_;
	}

	receive() external payable {
		(bool ok, bytes memory answer) = msg.sender.call(data);
		if (!ok) got = bytes4(answer);
	}
}

/// As Caller, but calls another contract.
contract Relay {
	address private target;
	bytes private data;
	bytes4 public got;

	constructor(address target_, bytes memory data_) {
		target = target_;
		data = data_;
	}

	receive() external payable {
		(bool ok, bytes memory answer) = target.call(data);
		if (!ok) got = bytes4(answer);
	}
}

/// Stands where the hatch stood: whoever calls it commands the rollup.
contract Forwarder {
	address private immutable target;

	constructor(address target_) {
		target = target_;
	}

	fallback() external {
		(bool ok, bytes memory answer) = target.call(msg.data);
		assembly {
			switch ok
			case 0 { revert(add(answer, 0x20), mload(answer)) }
			default { return(add(answer, 0x20), mload(answer)) }
		}
	}
}
