// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Constants.sol";
import "./ISovereignRollup.sol";
import {Payments} from "./Payments.sol";
import {RollupQueues} from "./RollupQueues.sol";
import {Signatures} from "./Signatures.sol";
import {Tree} from "./Tree.sol";

/// OPEN: everybody out, one bit a leaf.  SETTLING: the exits are written into the root.
abstract contract RollupExits is RollupQueues {
	bytes32 private constant EXIT_TYPEHASH = keccak256("ExitTo(uint40 index,address recipient,uint64 count)");
	bytes32 private constant CLAIM_TYPEHASH =
		keccak256("ClaimTo(address asset,address recipient,uint256 salt,uint64 expiry)");

	// ---- exits

	function exit(uint40 index, bytes calldata record, bytes32[] calldata proof) external locked {
		uint256 gasBefore = gasleft();
		(address owner, address asset, uint96 amount) = _leave(index, record, proof);
		_exitOne(index, asset, amount, owner, RECORD + 32 * proof.length, gasBefore);
	}

	function exitTo(
		uint40 index,
		bytes calldata record,
		bytes32[] calldata proof,
		address recipient,
		bytes calldata signature
	) external locked {
		uint256 gasBefore = gasleft();
		require(recipient != address(0) && recipient != address(this), BadRecipient());
		(address owner, address asset, uint96 amount) = _leave(index, record, proof);
		if (signature.length == 0) {
			require(msg.sender == owner, NotOwner());
		} else {
			bytes32 hash =
				Signatures.digest(NAME, keccak256(abi.encode(EXIT_TYPEHASH, index, recipient, count)));
			require(Signatures.recover(hash, signature) == owner, NotOwner());
		}
		_exitOne(index, asset, amount, recipient, RECORD + 32 * proof.length, gasBefore);
	}

	function exitBucket(uint256 bucket, uint256 mask, bytes calldata records, bytes32[] calldata proof)
		external
		locked
	{
		uint256 gasBefore = gasleft();
		uint256 n = records.length / RECORD;
		require(records.length == n * RECORD && n <= BUCKET, WrongLength());
		uint256 wanted = mask & ~exited_[bucket];
		_evacuate(bucket, Payments.read(records, n, wanted), proof, records.length, gasBefore);
	}

	function exitUniform(
		uint256 bucket,
		uint256 mask,
		address asset,
		bytes32[] calldata ownerAmount,
		bytes32[] calldata proof
	) external locked {
		uint256 gasBefore = gasleft();
		require(ownerAmount.length <= BUCKET, WrongLength());
		uint256 wanted = mask & ~exited_[bucket];
		Payments.List memory list = Payments.readUniform(ownerAmount, uint160(asset), wanted);
		_evacuate(bucket, list, proof, 32 * ownerAmount.length, gasBefore);
	}

	function _requireExits() private view {
		require(state_ == STATE_OPEN && block.timestamp > lastAt + finality, ExitsNotOpen());
	}

	/// Proves one leaf and marks it as gone, with its amount out of the vault.
	function _leave(uint40 index, bytes calldata record, bytes32[] calldata proof)
		private
		returns (address owner, address asset, uint96 amount)
	{
		_requireExits();
		_replace(index, record, proof, 0);
		(uint256 kind, address owner_, uint256 payload) = Tree.fields(record, 0);
		amount = uint96(payload);
		require(kind == KIND_BALANCE && amount != 0, NotBalance());
		owner = owner_;
		asset = address(uint160(payload >> 96));
		uint256 bits = exited_[index >> 8];
		uint256 bit = 1 << (index & 255);
		require(bits & bit == 0, AlreadyExited());
		_debitVault(asset, amount);
		_mark(index >> 8, bits, bit);
	}

	function _exitOne(uint40 index, address asset, uint96 amount, address to, uint256 size, uint256 gasBefore)
		private
	{
		uint256 bit = 1 << (index & 255);
		uint256 credited = _payOrOwe(asset, to, amount) ? bit : 0;
		emit Exited(index >> 8, bit, credited, _refund(gasBefore, size, 1));
	}

	function _mark(uint256 bucket, uint256 bits, uint256 gone) private {
		if (bits == 0) dirty++;
		exited_[bucket] = bits | gone;
	}

	/// Pays those on the list that can be paid; the others stay exitable.
	function _evacuate(
		uint256 bucket,
		Payments.List memory list,
		bytes32[] calldata proof,
		uint256 size,
		uint256 gasBefore
	) private {
		_requireExits();
		_checkBucket(bucket, proof);
		require(Tree.rootOf(Tree.bucketRoot(list.leaves), bucket, proof) == root, BadProof());
		uint256 newly = _takeOut(list);
		require(newly != 0, NothingToExit());
		_mark(bucket, exited_[bucket], newly);
		uint256 credited = _payAll(list);
		emit Exited(bucket, newly, credited, _refund(gasBefore, size + 32 * proof.length, Payments.ones(newly)));
	}

	/// Takes the payments out of the vault as far as it holds each asset.
	function _takeOut(Payments.List memory list) private returns (uint256 newly) {
		(uint256 item, uint256 end) = Payments.range(list);
		uint256 empty = BUCKET - (end - item) / 64;
		if (empty == BUCKET) return 0;
		(,, address first) = Payments.get(item);
		uint256 rest = vault_[first];
		if (list.plain && list.sum <= rest) {
			vault_[first] = rest - list.sum;
			return type(uint256).max >> empty;
		}
		while (item < end) {
			(,, address asset) = Payments.get(item);
			uint256 held = vault_[asset];
			uint256 left;
			(item, left, newly) = Payments.takeOut(item, end, held, newly);
			if (left != held) vault_[asset] = left;
		}
		newly >>= empty;
	}

	/// The gas of a payout is demanded before each, as in _payOrOwe.
	function _payAll(Payments.List memory list) private returns (uint256 credited) {
		(uint256 first, uint256 end) = Payments.range(list);
		uint256 item = first;
		while (true) {
			bool failed;
			(item, failed) = Payments.payCoins(item, end);
			if (!failed) (item, failed) = Payments.payTokens(item, end);
			if (item >= end) return credited;
			if (!failed) continue;
			(address owner, uint256 amount, address asset) = Payments.get(item);
			_owe(asset, owner, amount);
			credited |= 1 << (item - first) / 64;
			item += 64;
		}
	}

	function _checkBucket(uint256 bucket, bytes32[] calldata proof) private view {
		uint256 levels = depth() - 8;
		require(proof.length == levels && bucket >> levels == 0, WrongDepth());
	}

	/// The relayer's gas, out of the bond; never a revert, and never more than was used: the
	/// transaction's own cost counts once, for whoever sent it, and of its data what was needed.
	/// Delegated code (EIP-7702) could call many times in one transaction.
	function _refund(uint256 gasBefore, uint256 size, uint256 leaves) private returns (uint256 amount) {
		uint256 spent = gasBefore - gasleft();
		if (msg.sender == tx.origin && msg.sender.code.length == 0) spent += REFUND_BASE + REFUND_BYTE * size;
		if (spent > REFUND_LEAF * leaves) spent = REFUND_LEAF * leaves;
		uint256 tip = tx.gasprice > block.basefee ? tx.gasprice - block.basefee : 0;
		if (tip > REFUND_TIP) tip = REFUND_TIP;
		uint256 bond = slaBond;
		amount = spent * (block.basefee + tip);
		if (amount > bond) amount = bond;
		if (amount == 0) return 0;
		slaBond = bond - amount;
		if (!_transfer(address(0), msg.sender, amount, PAY_GAS_NATIVE)) {
			slaBond = bond;
			return 0;
		}
		emit BondChanged(bond - amount);
	}

	// ---- settling

	function settle(uint40 index, bytes calldata record, bytes32[] calldata proof) external locked {
		require(state_ == STATE_SETTLING, WrongState());
		uint256 bits = exited_[index >> 8];
		uint256 bit = 1 << (index & 255);
		require(bits & bit != 0, NotExited());
		bytes32 fresh = _replace(index, record, proof, 0);
		_settled(index >> 8, bits, bit, fresh);
	}

	function settleBucket(uint256 bucket, bytes calldata records, bytes32[] calldata proof) external locked {
		require(state_ == STATE_SETTLING, WrongState());
		uint256 bits = exited_[bucket];
		require(bits != 0, NotExited());
		uint256 n = records.length / RECORD;
		require(records.length == n * RECORD && n <= BUCKET, WrongLength());
		_checkBucket(bucket, proof);
		bytes32[] memory olds = new bytes32[](BUCKET);
		bytes32[] memory news = new bytes32[](BUCKET);
		for (uint256 i = 0; i < n; i++) {
			olds[i] = Tree.leafAt(records, i);
			news[i] = bits >> i & 1 == 0 ? olds[i] : Tree.leafWith(records, i, 0);
		}
		(bytes32 old, bytes32 fresh) =
			Tree.roots(Tree.bucketRoot(olds), Tree.bucketRoot(news), bucket, proof);
		require(old == root, BadProof());
		_settled(bucket, bits, bits, fresh);
	}

	function _settled(uint256 bucket, uint256 bits, uint256 done, bytes32 fresh) private {
		root = fresh;
		exited_[bucket] = bits & ~done;
		if (bits == done) dirty--;
		if (dirty == 0) {
			state_ = STATE_RUNNING;
			lastAt = uint64(block.timestamp);
		}
		emit Settled(bucket, done, fresh, dirty);
	}

	// ---- what could not be paid

	function claim(address asset, address recipient) external locked {
		_claim(msg.sender, asset, recipient);
	}

	function claimFor(address owner, address asset) external locked {
		_claim(owner, asset, owner);
	}

	function claimTo(
		address owner,
		address asset,
		address recipient,
		uint256 salt,
		uint64 expiry,
		bytes calldata signature
	) external locked {
		bytes32 hash = Signatures.digest(
			NAME, keccak256(abi.encode(CLAIM_TYPEHASH, asset, recipient, salt, expiry))
		);
		require(_use(hash, expiry, signature) == owner, NotOwner());
		_claim(owner, asset, recipient);
	}

	/// All or nothing, with all the gas the caller brings: who is owed keeps it on failure.
	function _claim(address owner, address asset, address to) private {
		uint256 amount = owed_[owner][asset];
		require(amount != 0, NothingOwed());
		require(to != address(0) && to != address(this), BadRecipient());
		owed_[owner][asset] = 0;
		require(_transfer(asset, to, amount, gasleft()), TransferFailed());
		emit Claimed(owner, asset, to, amount);
	}

	// ---- the bond, and IDs

	function fundBond() external payable locked {
		require(msg.value != 0, ZeroAmount());
		slaBond += msg.value;
		emit BondChanged(slaBond);
	}

	/// Works in every phase; false, never a revert.
	function verifyCredential(uint40 index, bytes calldata record, bytes32[] calldata proof)
		external
		view
		returns (bool)
	{
		if (record.length != RECORD || proof.length != depth() || index >= leafCount) return false;
		(uint256 kind,, uint256 payload) = Tree.fields(record, 0);
		if (kind != KIND_CREDENTIAL || payload == 0) return false;
		return Tree.rootOf(Tree.leafAt(record, 0), index, proof) == root;
	}
}
