// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Constants.sol";
import "./ISovereignRollup.sol";
import {InboxItem, Opening, Withdrawal} from "./Types.sol";
import {RollupBatches} from "./RollupBatches.sol";
import {Signatures} from "./Signatures.sol";
import {Tree} from "./Tree.sol";

interface IToken {
	function balanceOf(address) external view returns (uint256);
	function transferFrom(address, address, uint256) external returns (bool);
}

/// What citizens force: withdrawals strictly in order, and the inbox.
abstract contract RollupQueues is RollupBatches {
	bytes32 private constant WITHDRAW_TYPEHASH = keccak256(
		"Withdraw(uint40 index,uint96 amount,address recipient,uint256 salt,uint64 expiry)"
	);

	// ---- inbox

	function deposit(address asset, uint96 amount, address owner)
		external
		payable
		locked
		returns (uint64 id)
	{
		require(amount != 0, ZeroAmount());
		require(owner != address(0) && owner != address(this), BadRecipient());
		if (asset == address(0)) {
			require(msg.value == amount, WrongValue());
		} else {
			require(msg.value == 0, WrongValue());
			_collect(asset, amount);
		}
		vault_[asset] += amount;
		bytes32 acc;
		uint64 due;
		(id, acc, due) = _queue(_depositHash(msg.sender, asset, amount, owner));
		emit InboxQueued(id, msg.sender, ITEM_DEPOSIT, asset, amount, owner, "", acc, due);
	}

	function requestTransaction(bytes calldata data) external locked returns (uint64 id) {
		require(data.length != 0 && data.length <= MAX_FORCED_BYTES, TooManyBytes());
		bytes32 acc;
		uint64 due;
		(id, acc, due) = _queue(keccak256(abi.encode(ITEM_TRANSACTION, msg.sender, keccak256(data))));
		emit InboxQueued(id, msg.sender, ITEM_TRANSACTION, address(0), 0, address(0), data, acc, due);
	}

	/// Of a deposit that no batch covers, once the hatch has opened.
	function refundDeposit(uint64 id, address from, address asset, uint96 amount, address owner)
		external
		locked
	{
		(InboxItem memory item, uint8 fate) = inboxItem(id);
		require(fate == ITEM_REFUNDABLE, WrongFate(fate));
		bytes32 itemHash = _depositHash(from, asset, amount, owner);
		require(item.acc == _accumulate(id, item.queuedAt, itemHash), WrongItem());
		inbox[id].queuedAt = 0;
		_debitVault(asset, amount);
		_payOrOwe(asset, owner, amount);
		emit DepositRefunded(id, owner, asset, amount);
	}

	function _depositHash(address from, address asset, uint96 amount, address owner)
		private
		pure
		returns (bytes32)
	{
		return keccak256(abi.encode(ITEM_DEPOSIT, from, asset, amount, owner));
	}

	function _accumulate(uint64 id, uint64 stamp, bytes32 itemHash) private view returns (bytes32) {
		bytes32 last = id == 0 ? bytes32(0) : inbox[id - 1].acc;
		return keccak256(abi.encode(last, id, stamp, itemHash));
	}

	function _queue(bytes32 itemHash) private returns (uint64 id, bytes32 acc, uint64 due) {
		require(state_ == STATE_RUNNING, WrongState());
		id = inboxTail++;
		acc = _accumulate(id, uint64(block.timestamp), itemHash);
		inbox[id] = InboxItem(acc, uint64(block.timestamp), openings);
		due = uint64(block.timestamp + inclusionWindow);
	}

	/// Takes exactly amount: a token that delivers less would leave the vault short.
	function _collect(address asset, uint256 amount) private {
		require(asset.code.length != 0, BadToken());
		uint256 held = IToken(asset).balanceOf(address(this));
		(bool ok, bytes memory answer) =
			asset.call(abi.encodeCall(IToken.transferFrom, (msg.sender, address(this), amount)));
		require(ok && (answer.length == 0 || abi.decode(answer, (bool))), BadToken());
		require(IToken(asset).balanceOf(address(this)) == held + amount, BadToken());
	}

	// ---- withdrawals

	function requestWithdrawal(uint40 index, uint96 amount, address recipient)
		external
		payable
		locked
		returns (uint64)
	{
		return _request(msg.sender, index, amount, recipient);
	}

	/// The owner is whoever signed; a stranger's request is void when executed.
	function requestWithdrawalFor(
		uint40 index,
		uint96 amount,
		address recipient,
		uint256 salt,
		uint64 expiry,
		bytes calldata signature
	) external payable locked returns (uint64) {
		bytes32 hash = Signatures.digest(
			NAME, keccak256(abi.encode(WITHDRAW_TYPEHASH, index, amount, recipient, salt, expiry))
		);
		return _request(_use(hash, expiry, signature), index, amount, recipient);
	}

	function _request(address owner, uint40 index, uint96 amount, address recipient)
		private
		returns (uint64 id)
	{
		require(state_ == STATE_RUNNING, WrongState());
		require(amount != 0, ZeroAmount());
		require(recipient != address(0) && recipient != address(this), BadRecipient());
		require(msg.value >= bounty(), BountyTooSmall(bounty()));
		require(msg.value <= type(uint96).max, WrongValue());
		id = withdrawTail++;
		// 65,536 openings would take centuries: each needs a resume after it
		withdrawals[id] = Withdrawal(
			owner,
			index,
			uint40(block.timestamp),
			uint16(openings),
			recipient,
			amount,
			msg.sender,
			uint96(msg.value)
		);
		uint40 due = uint40(block.timestamp + inclusionWindow);
		emit WithdrawalRequested(id, owner, index, amount, recipient, uint96(msg.value), due);
	}

	/// The head of the queue, by the sequencer, or once overdue by anyone, alone.
	function executeWithdrawal(uint64 id, bytes calldata record, bytes32[] calldata proof)
		external
		locked
	{
		require(id == withdrawHead && id < withdrawTail, NotHead());
		Withdrawal storage w = withdrawals[id];
		bool late = block.timestamp > w.stamp + inclusionWindow;
		require(late || msg.sender == sequencer_, NotOverdue());
		uint40 index = w.index;
		(uint96 debited, address asset) = _debit(w, index, late, record, proof);
		uint256 reward = w.bounty;
		withdrawHead = id + 1;
		w.stamp = uint40(block.timestamp);
		// an executed one keeps what pay() needs: its asset stands where the payer stood
		(w.payer, w.bounty) = (asset, 0);
		_payOrOwe(address(0), msg.sender, reward);
		emit WithdrawalExecuted(id, index, debited, msg.sender, root);
	}

	/// What the leaf gives; writes it down, and the root without it.  0 = the request is void.
	function _debit(Withdrawal storage w, uint40 index, bool late, bytes calldata record, bytes32[] calldata proof)
		private
		returns (uint96 debited, address asset)
	{
		if (index >= leafCount) {
			// no leaf yet: only time can show that it does not come
			require(late, NotInFull());
			w.amount = 0;
			return (0, address(0));
		}
		uint96 balance;
		(debited, balance, asset) = _share(w, late, record);
		bytes32 fresh = _replace(index, record, proof, balance - debited);
		if (debited != w.amount) w.amount = debited;
		if (debited == 0) return (0, address(0));
		root = fresh;
	}

	/// What a record gives to a request, of how much, in which asset.
	function _share(Withdrawal storage w, bool late, bytes calldata record)
		private
		view
		returns (uint96 debited, uint96 balance, address asset)
	{
		(uint256 kind, address owner, uint256 payload) = Tree.fields(record, 0);
		balance = uint96(payload);
		asset = address(uint160(payload >> 96));
		bool foreign = kind != KIND_BALANCE || owner != w.owner;
		if (!foreign) debited = balance < w.amount ? balance : w.amount;
		require(late || foreign || debited == w.amount, NotInFull());
	}

	/// Checks a record against the root; returns the root with another amount in it.
	function _replace(uint40 index, bytes calldata record, bytes32[] calldata proof, uint96 amount)
		internal
		view
		returns (bytes32 fresh)
	{
		require(record.length == RECORD, BadRecord());
		require(proof.length == depth() && index < leafCount, WrongDepth());
		bytes32 old;
		(old, fresh) = Tree.roots(Tree.leafAt(record, 0), Tree.leafWith(record, 0, amount), index, proof);
		require(old == root, BadProof());
	}

	/// Anyone, once no batch that the withdrawal rests on can be proven bad.
	function pay(uint64 id) external locked {
		uint8 fate = _fate(id);
		require(fate == FATE_EXECUTED, WrongFate(fate));
		Withdrawal storage w = withdrawals[id];
		require(block.timestamp > w.stamp + finality, NotFinal());
		(address to, uint96 amount, address asset) = (w.recipient, w.amount, w.payer);
		(w.recipient, w.amount) = (address(0), 0);
		_debitVault(asset, amount);
		bool credited = _payOrOwe(asset, to, amount);
		emit WithdrawalPaid(id, to, asset, amount, credited);
	}

	function refundBounty(uint64 id) external locked {
		uint8 fate = _fate(id);
		require(fate == FATE_UNSERVED, WrongFate(fate));
		Withdrawal storage w = withdrawals[id];
		uint96 amount = w.bounty;
		require(amount != 0, ZeroAmount());
		w.bounty = 0;
		_payOrOwe(address(0), w.payer, amount);
	}

	// ---- views

	function bounty() public view returns (uint256) {
		uint256 cost = BOUNTY_GAS * block.basefee;
		return cost > minBounty ? cost : minBounty;
	}

	function depth() public view returns (uint256) {
		return Tree.depth(leafCount);
	}

	function withdrawal(uint64 id) external view returns (Withdrawal memory, uint8) {
		return (withdrawals[id], _fate(id));
	}

	function _fate(uint64 id) private view returns (uint8) {
		require(id < withdrawTail, NoSuchId());
		Withdrawal storage w = withdrawals[id];
		bool ended = w.opening < openings;
		if (ended && id >= openingOf[w.opening].unservedFrom) return FATE_UNSERVED;
		if (id >= withdrawHead) return FATE_QUEUED;
		if (w.recipient == address(0)) return FATE_PAID;
		if (w.amount == 0) return FATE_VOID;
		if (ended && id >= openingOf[w.opening].cancelledFrom) return FATE_CANCELLED;
		return FATE_EXECUTED;
	}

	function inboxItem(uint64 id) public view returns (InboxItem memory item, uint8 fate) {
		require(id < inboxTail, NoSuchId());
		item = inbox[id];
		if (item.opening < openings && id >= openingOf[item.opening].inboxFrom) {
			return (item, item.queuedAt == 0 ? ITEM_REFUNDED : ITEM_REFUNDABLE);
		}
		return (item, id < inboxThrough ? ITEM_COVERED : ITEM_QUEUED);
	}
}
