// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BUCKET, RECORD} from "./Constants.sol";

/// Arithmetic of the ledger's perfect binary tree.  Pure; the caller compares roots.
/// record(53) = kind(1) owner(20) payload(32); an empty leaf is 32 zero bytes.
library Tree {
	/// The smallest d >= 8 with 2^d >= leafCount.
	function depth(uint256 leafCount) internal pure returns (uint256 d) {
		d = 8;
		unchecked {
			uint256 top = (leafCount > 0 ? leafCount - 1 : 0) >> 8;
			while (top != 0) {
				top >>= 1;
				d++;
			}
		}
	}

	function pair(bytes32 left, bytes32 right) internal pure returns (bytes32 node) {
		assembly ("memory-safe") {
			mstore(0x00, left)
			mstore(0x20, right)
			node := keccak256(0x00, 0x40)
		}
	}

	/// Root of an empty tree of this depth.
	function zero(uint256 levels) internal pure returns (bytes32 node) {
		for (uint256 i = 0; i < levels; i++) node = pair(node, node);
	}

	/// A root of depth from as the root of the same leaves at depth to.
	function lift(bytes32 root, uint256 from, uint256 to) internal pure returns (bytes32) {
		bytes32 empty = zero(from);
		for (; from < to; from++) {
			root = pair(root, empty);
			empty = pair(empty, empty);
		}
		return root;
	}

	/// keccak256 of calldata without keeping the memory it passes through.
	function hash(bytes calldata data) internal pure returns (bytes32 h) {
		assembly ("memory-safe") {
			let at := mload(0x40)
			calldatacopy(at, data.offset, data.length)
			h := keccak256(at, data.length)
		}
	}

	/// Leaf of a 53-byte record; 53 zero bytes are the empty leaf.
	function leafAt(bytes calldata records, uint256 i) internal pure returns (bytes32 h) {
		assembly ("memory-safe") {
			let from := add(records.offset, mul(i, RECORD))
			if or(calldataload(from), calldataload(add(from, 21))) {
				calldatacopy(0x00, from, RECORD)
				h := keccak256(0x00, RECORD)
			}
		}
	}

	/// Leaf of a balance record once its amount is another one.
	function leafWith(bytes calldata records, uint256 i, uint96 amount) internal pure returns (bytes32 h) {
		assembly ("memory-safe") {
			let from := add(records.offset, mul(i, RECORD))
			mstore(0x00, calldataload(from))
			mstore(21, or(shl(96, shr(96, calldataload(add(from, 21)))), amount))
			h := keccak256(0x00, RECORD)
		}
	}

	/// kind(1) owner(20), and the payload's word, of record i.
	function fields(bytes calldata records, uint256 i)
		internal
		pure
		returns (uint256 kind, address owner, uint256 payload)
	{
		assembly ("memory-safe") {
			let from := add(records.offset, mul(i, RECORD))
			let head := calldataload(from)
			kind := shr(248, head)
			owner := shr(96, shl(8, head))
			payload := calldataload(add(from, 21))
		}
	}

	/// Root from a node at a position, and the root with another node in its place.
	/// The caller checks proof.length and position < 2^proof.length.
	function roots(bytes32 node, bytes32 other, uint256 position, bytes32[] calldata proof)
		internal
		pure
		returns (bytes32, bytes32)
	{
		assembly ("memory-safe") {
			let at := proof.offset
			let end := add(at, shl(5, proof.length))
			for {} lt(at, end) { at := add(at, 0x20) } {
				let own := shl(5, and(position, 1))
				mstore(xor(own, 0x20), calldataload(at))
				mstore(own, node)
				node := keccak256(0x00, 0x40)
				mstore(own, other)
				other := keccak256(0x00, 0x40)
				position := shr(1, position)
			}
		}
		return (node, other);
	}

	function rootOf(bytes32 node, uint256 position, bytes32[] calldata proof) internal pure returns (bytes32) {
		assembly ("memory-safe") {
			let at := proof.offset
			let end := add(at, shl(5, proof.length))
			for {} lt(at, end) { at := add(at, 0x20) } {
				let own := shl(5, and(position, 1))
				mstore(xor(own, 0x20), calldataload(at))
				mstore(own, node)
				node := keccak256(0x00, 0x40)
				position := shr(1, position)
			}
		}
		return node;
	}

	/// Root of a bucket's 256 leaves.  Consumes the array.  Four nodes a round: citizens
	/// pay for this loop.
	function bucketRoot(bytes32[] memory leaves) internal pure returns (bytes32 node) {
		assert(leaves.length == BUCKET);
		assembly ("memory-safe") {
			let base := add(leaves, 0x20)
			for { let size := 0x2000 } gt(size, 0x80) { size := shr(1, size) } {
				let to := base
				let end := add(base, size)
				for { let from := base } lt(from, end) { from := add(from, 0x100) } {
					mstore(to, keccak256(from, 0x40))
					mstore(add(to, 0x20), keccak256(add(from, 0x40), 0x40))
					mstore(add(to, 0x40), keccak256(add(from, 0x80), 0x40))
					mstore(add(to, 0x60), keccak256(add(from, 0xc0), 0x40))
					to := add(to, 0x80)
				}
			}
			mstore(base, keccak256(base, 0x40))
			mstore(add(base, 0x20), keccak256(add(base, 0x40), 0x40))
			node := keccak256(base, 0x40)
		}
	}
}
