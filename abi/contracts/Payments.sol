// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {
	BUCKET,
	KIND_BALANCE,
	PAY_GAS_NATIVE,
	PAY_GAS_TOKEN,
	RECORD,
	RESERVE_NATIVE,
	RESERVE_TOKEN
} from "./Constants.sol";

// transfer(address,uint256), at the left end of a word
uint256 constant TRANSFER = 0xa9059cbb00000000000000000000000000000000000000000000000000000000;
// selector of NotEnoughGas()
uint256 constant NOT_ENOUGH_GAS = 0xdd629f86;

/// A bucket's payments in memory, two words a leaf: owner(20) amount(12), 0 = nothing to pay;
/// and the asset.  Loops that every citizen pays for, so they are written in assembly with
/// pointers; who calls checks lengths (n <= 256), proofs and the vault.
library Payments {
	struct List {
		bytes32[] leaves;
		uint256[] items;
		/// of all payments
		uint256 sum;
		/// every leaf pays, all in the asset of the first: nothing to look at one by one
		bool plain;
	}

	function _make(uint256 n) private pure returns (List memory list) {
		list.leaves = new bytes32[](BUCKET);
		list.items = new uint256[](2 * n);
	}

	/// From n records; payments only where mask has a bit.
	function read(bytes calldata records, uint256 n, uint256 mask) internal pure returns (List memory list) {
		list = _make(n);
		bytes32[] memory leaves = list.leaves;
		uint256[] memory items = list.items;
		uint256 sum;
		uint256 payable_;
		uint256 mixed;
		assembly ("memory-safe") {
			let leaf := add(leaves, 0x20)
			let item := add(items, 0x20)
			let from := records.offset
			for { let end := add(from, mul(n, RECORD)) } lt(from, end) { from := add(from, RECORD) } {
				let head := calldataload(from)
				let payload := calldataload(add(from, 21))
				mstore(0x00, head)
				mstore(21, payload)
				switch byte(0, head)
				case 1 {
					// KIND_BALANCE
					mstore(leaf, keccak256(0x00, RECORD))
					if and(mask, 1) {
						// owner(20) and what follows it, then amount(12) over that, then the asset
						mstore(item, mload(1))
						mstore(add(item, 20), shl(160, payload))
						let asset := shr(96, payload)
						mstore(add(item, 0x20), asset)
						// against the first leaf's; if that pays nothing, nothing is plain
						mixed := or(mixed, xor(asset, mload(add(items, 0x40))))
						let amount := shr(160, shl(160, payload))
						payable_ := add(payable_, gt(amount, 0))
						sum := add(sum, amount)
					}
				}
				default {
					// 53 zero bytes are an empty leaf
					if or(head, payload) { mstore(leaf, keccak256(0x00, RECORD)) }
				}
				mask := shr(1, mask)
				leaf := add(leaf, 0x20)
				item := add(item, 0x40)
			}
		}
		list.sum = sum;
		list.plain = mixed == 0 && payable_ == n;
	}

	/// From the short form, balances of one asset; a zero word is an empty leaf.
	function readUniform(bytes32[] calldata ownerAmount, uint256 asset, uint256 mask)
		internal
		pure
		returns (List memory list)
	{
		list = _make(ownerAmount.length);
		bytes32[] memory leaves = list.leaves;
		uint256[] memory items = list.items;
		uint256 sum;
		uint256 payable_;
		assembly ("memory-safe") {
			let leaf := add(leaves, 0x20)
			let item := add(items, 0x20)
			let from := ownerAmount.offset
			for { let end := add(from, shl(5, ownerAmount.length)) } lt(from, end) { from := add(from, 0x20) } {
				let word := calldataload(from)
				if word {
					let amount := shr(160, shl(160, word))
					mstore(0x00, or(shl(248, KIND_BALANCE), shl(88, shr(96, word))))
					mstore(21, or(shl(96, asset), amount))
					mstore(leaf, keccak256(0x00, RECORD))
					if and(mask, 1) {
						mstore(item, word)
						mstore(add(item, 0x20), asset)
						payable_ := add(payable_, gt(amount, 0))
						sum := add(sum, amount)
					}
				}
				mask := shr(1, mask)
				leaf := add(leaf, 0x20)
				item := add(item, 0x40)
			}
		}
		list.sum = sum;
		list.plain = payable_ == ownerAmount.length;
	}

	/// Pointers to the first payment and past the last.
	function range(List memory list) internal pure returns (uint256 item, uint256 end) {
		uint256[] memory items = list.items;
		assembly ("memory-safe") {
			item := add(items, 0x20)
			end := add(item, shl(5, mload(items)))
		}
	}

	function get(uint256 item) internal pure returns (address owner, uint256 amount, address asset) {
		assembly ("memory-safe") {
			let word := mload(item)
			owner := shr(96, word)
			amount := shr(160, shl(160, word))
			asset := mload(add(item, 0x20))
		}
	}

	/// As long as the payments are in one asset: takes each out of held, or strikes it from the
	/// list if that does not suffice.  Bits of the taken enter taken from the top.
	function takeOut(uint256 item, uint256 end, uint256 held, uint256 taken)
		internal
		pure
		returns (uint256, uint256, uint256)
	{
		assembly ("memory-safe") {
			let asset := mload(add(item, 0x20))
			for {} lt(item, end) { item := add(item, 0x40) } {
				let word := mload(item)
				if xor(mload(add(item, 0x20)), asset) {
					if word { break }
				}
				let amount := shr(160, shl(160, word))
				// 0 < amount <= held
				let takes := lt(sub(amount, 1), held)
				held := sub(held, mul(amount, takes))
				mstore(item, mul(word, takes))
				taken := or(shr(1, taken), shl(255, takes))
			}
		}
		return (item, held, taken);
	}

	/// Pays coins, each with the gas it is due, or reverts.  Stops at a token, or at a call that
	/// failed.
	function payCoins(uint256 item, uint256 end) internal returns (uint256, bool failed) {
		assembly ("memory-safe") {
			for {} lt(item, end) { item := add(item, 0x40) } {
				let word := mload(item)
				if word {
					if mload(add(item, 0x20)) { break }
					if lt(gas(), RESERVE_NATIVE) {
						mstore(0x00, NOT_ENOUGH_GAS)
						revert(0x1c, 0x04)
					}
					failed :=
						iszero(
							call(PAY_GAS_NATIVE, shr(96, word), shr(160, shl(160, word)), 0, 0, 0, 0)
						)
					if failed { break }
				}
			}
		}
		return (item, failed);
	}

	/// The same for tokens; stops at a coin.
	function payTokens(uint256 item, uint256 end) internal returns (uint256, bool failed) {
		assembly ("memory-safe") {
			let data := mload(0x40)
			mstore(data, TRANSFER)
			for {} lt(item, end) { item := add(item, 0x40) } {
				let word := mload(item)
				if word {
					let asset := mload(add(item, 0x20))
					if iszero(asset) { break }
					if lt(gas(), RESERVE_TOKEN) {
						mstore(0x00, NOT_ENOUGH_GAS)
						revert(0x1c, 0x04)
					}
					mstore(add(data, 4), shr(96, word))
					mstore(add(data, 36), shr(160, shl(160, word)))
					failed := iszero(call(PAY_GAS_TOKEN, asset, 0, data, 68, 0x00, 0x20))
					switch returndatasize()
					case 0 { failed := or(failed, iszero(extcodesize(asset))) }
					default { failed := or(failed, or(lt(returndatasize(), 32), iszero(mload(0x00)))) }
					if failed { break }
				}
			}
		}
		return (item, failed);
	}

	/// Bits set in a word.
	function ones(uint256 word) internal pure returns (uint256) {
		unchecked {
			uint256 two = type(uint256).max / 3;
			uint256 four = type(uint256).max / 5;
			uint256 eight = type(uint256).max / 17;
			word -= (word >> 1) & two;
			word = (word & four) + ((word >> 2) & four);
			word = (word + (word >> 4)) & eight;
			// bytes hold up to 8 each; in words of 16 bits their sum fits
			uint256 sixteen = type(uint256).max / 257;
			word = (word & sixteen) + ((word >> 8) & sixteen);
			return (word * (type(uint256).max / 65535)) >> 240;
		}
	}
}
