// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Constants.sol";
import {InboxItem, Opening, Withdrawal} from "./Types.sol";
import "./ISovereignRollup.sol";
import {IEscapeHatch} from "./IEscapeHatch.sol";
import {TRANSFER} from "./Payments.sol";
import {Signatures} from "./Signatures.sol";

/// What watchers read by storage proof: never reordered; a test pins each slot.
abstract contract SovereignRollupStorage {
	bytes32 internal root; // slot 0
	uint64 internal count;
	uint64 internal lastAt;
	uint64 internal leafCount;
	uint64 internal inboxThrough; // slot 1
	address internal sequencer_;
	uint8 internal state_;
	uint64 internal openings; // slot 2
	uint64 internal withdrawHead;
	uint64 internal withdrawTail;
	uint64 internal inboxTail;
	uint64 internal dirty; // slot 3: buckets with exited bits
	mapping(uint64 id => Withdrawal) internal withdrawals; // slot 4 (3 words each)
	mapping(uint64 id => InboxItem) internal inbox; // slot 5 (2 words each)
	mapping(uint256 bucket => uint256 bits) internal exited_; // slot 6
	// ledger + uncovered deposits + executed, unpaid withdrawals
	mapping(address asset => uint256) internal vault_; // slot 7
	mapping(address owner => mapping(address asset => uint256)) internal owed_; // slot 8
	// keccak256(abi.encode(Batch, Before)); dropped ones stay, see Dropped
	mapping(uint64 number => bytes32) internal batchHash_; // slot 9
	mapping(uint64 opening => Opening) internal openingOf; // slot 10
	// keccak256(abi.encode(digest, signer))
	mapping(bytes32 order => bool) internal used; // slot 11
	address[] internal validators_; // slot 12
	uint8 internal t;
	uint96 internal minBounty;
	// of the hatch's terms; configure() refreshes it with every amendment
	uint32 internal inclusionWindow; // slot 13
	// native coin outside the vault, as bounties and owed are
	uint256 internal slaBond; // slot 14
}

/// Storage, the lock and the ways money leaves.  State is written before every call.
abstract contract RollupBase is SovereignRollupStorage, ISovereignRollup {
	bytes32 internal constant NAME = keccak256("SovereignRollup");

	address public immutable hatch;
	address internal immutable badBatch;
	/// seconds; the hatch's terms fix it at deployment
	uint256 internal immutable finality;

	/// Batch numbers from..through were dropped when this life ended.
	struct Dropped {
		uint64 from;
		uint64 through;
	}

	mapping(uint64 opening => Dropped) internal droppedIn;
	bool private transient locked_;

	constructor(address hatch_, address badBatch_) {
		require(IEscapeHatch(hatch_).rollup() == address(this), WrongHatch());
		require(badBatch_.code.length != 0, BadConfig());
		hatch = hatch_;
		badBatch = badBatch_;
		finality = IEscapeHatch(hatch_).terms().finality;
	}

	modifier locked() {
		_lock();
		_;
		locked_ = false;
	}

	modifier onlyHatch() {
		require(msg.sender == hatch, NotHatch());
		_;
	}

	function _lock() private {
		require(!locked_, Reentered());
		locked_ = true;
	}

	/// A signed order is good once, until expiry.  Returns who signed it.  Kept by digest and
	/// signer, or a stranger could use an order up by signing the same words.
	function _use(bytes32 hash, uint64 expiry, bytes calldata signature) internal returns (address signer) {
		require(block.timestamp <= expiry, SignatureExpired());
		signer = Signatures.recover(hash, signature);
		bytes32 order = keccak256(abi.encode(hash, signer));
		require(!used[order], SignatureUsed());
		used[order] = true;
	}

	// ---- money out

	/// Pays, or leaves an IOU.  Returns whether it became an IOU.  Demands the
	/// gas first, so that nobody can starve a payee into one.
	function _payOrOwe(address asset, address to, uint256 amount) internal returns (bool credited) {
		if (amount == 0) return false;
		uint256 reserve = asset == address(0) ? RESERVE_NATIVE : RESERVE_TOKEN;
		require(gasleft() >= reserve, NotEnoughGas());
		uint256 given = asset == address(0) ? PAY_GAS_NATIVE : PAY_GAS_TOKEN;
		if (_transfer(asset, to, amount, given)) return false;
		_owe(asset, to, amount);
		return true;
	}

	function _owe(address asset, address to, uint256 amount) internal {
		owed_[to][asset] += amount;
		emit Owed(to, asset, amount);
	}

	/// One call with so much gas.  Copies at most one word back.  A token that answers anything
	/// but zero has paid: an IOU beside its payment would be paid by others.
	function _transfer(address asset, address to, uint256 amount, uint256 given) internal returns (bool ok) {
		if (asset == address(0)) {
			assembly ("memory-safe") {
				ok := call(given, to, amount, 0, 0, 0, 0)
			}
			return ok;
		}
		assembly ("memory-safe") {
			let at := mload(0x40)
			mstore(at, TRANSFER)
			mstore(add(at, 4), to)
			mstore(add(at, 36), amount)
			ok := call(given, asset, 0, at, 68, 0, 0x20)
			switch returndatasize()
			case 0 { ok := and(ok, gt(extcodesize(asset), 0)) }
			default { ok := and(ok, and(gt(returndatasize(), 31), gt(mload(0), 0))) }
		}
	}

	function _debitVault(address asset, uint256 amount) internal {
		uint256 held = vault_[asset];
		require(held >= amount, VaultShort());
		vault_[asset] = held - amount;
	}

	// ---- views of the facts the hatch and watchers read

	function progress() external view returns (uint64, uint64) {
		return (count, lastAt);
	}

	function stateRoot() external view returns (bytes32) {
		return root;
	}

	function sequencer() external view returns (address) {
		return sequencer_;
	}

	function state() external view returns (uint8) {
		return state_;
	}

	function exited(uint256 bucket) external view returns (uint256) {
		return exited_[bucket];
	}

	function vault(address asset) external view returns (uint256) {
		return vault_[asset];
	}

	function owed(address owner, address asset) external view returns (uint256) {
		return owed_[owner][asset];
	}

	function validators() external view returns (address[] memory, uint8) {
		return (validators_, t);
	}

	function queues() external view returns (uint64, uint64, uint64, uint64) {
		return (withdrawHead, withdrawTail, inboxThrough, inboxTail);
	}
}
