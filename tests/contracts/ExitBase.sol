// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Base.sol";
import {Payee, Token} from "./Tokens.sol";

/// A ledger to leave from.
abstract contract ExitBase is Base {
	Token token;
	Payee payee;

	function setUp() public override {
		super.setUp();
		vm.fee(0);
		token = new Token();
		token.mint(address(this), 1e24);
		payee = new Payee();
	}

	function openNow() internal {
		openBySilence();
		vm.warp(block.timestamp + 1);
	}

	function exit(uint256 i) internal {
		rollup.exit(uint40(i), book.record(i), proof(i));
	}

	function tryExit(uint256 i, bytes4 why) internal {
		(bytes memory record, bytes32[] memory path) = (book.record(i), proof(i));
		vm.expectRevert(why);
		rollup.exit(uint40(i), record, path);
	}

	function bucket(uint256 b, uint256 mask) internal {
		rollup.exitBucket(b, mask, book.bucket(b), bucketProof(b));
	}

	function tryBucket(uint256 b, uint256 mask, bytes4 why) internal {
		(bytes memory records, bytes32[] memory path) = (book.bucket(b), bucketProof(b));
		vm.expectRevert(why);
		rollup.exitBucket(b, mask, records, path);
	}

	function words(uint256 n) internal view returns (bytes32[] memory out) {
		out = new bytes32[](n);
		for (uint256 i = 0; i < n; i++) {
			bytes memory record = book.record(i);
			out[i] = bytes32(bytes.concat(slice(record, 1, 20), slice(record, 41, 12)));
		}
	}
}
