// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./ExitBase.sol";

/// SETTLING writes the exits into the root; credentials hold in every phase.
contract SettleTest is ExitBase {
	// ---- settling

	/// 300 citizens in two buckets; some of each have exited; guardians resumed.
	function settling() internal {
		uint256 sum = 0;
		for (uint256 i = 0; i < 300; i++) {
			put(i, coin(i, 1000 + i));
			sum += 1000 + i;
		}
		rollup.deposit{value: sum}(address(0), uint96(sum), treasury);
		rollup.fundBond{value: 1}();
		commit();
		openNow();
		bucket(0, 0xf0);
		exit(299);
		vm.warp(hatch.deadlines().resumeFrom + 1);
		resume(standbyA);
		same(rollup.state(), 2, "settling");
	}

	function settled(uint256 i) internal {
		book.set(i, coin(i, 0));
	}

	function test_settle_leaf_by_leaf() public {
		settling();
		(bytes memory record, bytes32[] memory path) = (book.record(3), proof(3));
		vm.expectRevert(NotExited.selector);
		rollup.settle(3, record, path);
		for (uint256 i = 4; i < 8; i++) {
			(record, path) = (book.record(i), proof(i));
			settled(i);
			vm.expectEmit(true, true, true, true, address(rollup));
			emit ISovereignRollup.Settled(0, 1 << i, book.root(), i == 7 ? 1 : 2);
			rollup.settle(uint40(i), record, path);
		}
		same(rollup.exited(0), 0, "bits");
		same(rollup.state(), 2, "one bucket left");
		(record, path) = (book.record(299), proof(299));
		vm.warp(block.timestamp + 9);
		settled(299);
		rollup.settle(299, record, path);
		same(rollup.state(), 0, "running");
		same(lastAt(), block.timestamp, "a clock of its own");
		same(rollup.stateRoot(), book.root(), "root");
		commit();
		same(count(), 2, "the first batch of the new operator");
	}

	function test_settle_needs_the_leaf_and_the_state() public {
		populate(2);
		(bytes memory record, bytes32[] memory path) = (book.record(0), proof(0));
		vm.expectRevert(WrongState.selector);
		rollup.settle(0, record, path);
		vm.expectRevert(WrongState.selector);
		rollup.settleBucket(0, record, path);
		rollup.fundBond{value: 1}();
		openNow();
		exit(0);
		vm.expectRevert(WrongState.selector);
		rollup.settle(0, record, path);
		vm.expectRevert(WrongState.selector);
		rollup.settleBucket(0, record, path);
		vm.warp(hatch.deadlines().resumeFrom + 1);
		resume(standbyA);
		bytes memory wrong = coin(0, 999);
		vm.expectRevert(BadProof.selector);
		rollup.settle(0, wrong, path);
		rollup.settle(0, record, path);
		same(rollup.state(), 0, "running");
	}

	function test_settle_bucket() public {
		settling();
		bytes memory records = book.bucket(0);
		bytes32[] memory path = bucketProof(0);
		vm.expectRevert(WrongLength.selector);
		rollup.settleBucket(0, bytes.concat(records, hex"00"), path);
		vm.expectRevert(WrongLength.selector);
		rollup.settleBucket(0, new bytes(257 * 53), path);
		vm.expectRevert(BadProof.selector);
		rollup.settleBucket(0, slice(records, 0, 255 * 53), path);
		vm.expectRevert(WrongDepth.selector);
		rollup.settleBucket(0, records, new bytes32[](2));
		vm.expectRevert(NotExited.selector);
		rollup.settleBucket(2, records, path);
		for (uint256 i = 4; i < 8; i++) settled(i);
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.Settled(0, 0xf0, book.root(), 1);
		rollup.settleBucket(0, records, path);
		vm.expectRevert(NotExited.selector);
		rollup.settleBucket(0, records, path);
		records = book.bucket(1);
		path = bucketProof(1);
		settled(299);
		vm.warp(block.timestamp + 9);
		rollup.settleBucket(1, records, path);
		same(rollup.state(), 0, "running");
		same(lastAt(), block.timestamp, "clock");
		same(rollup.stateRoot(), book.root(), "root");
	}

	/// Exited, settled, opened again: the balance is 0 and nothing is paid twice.
	function test_nothing_is_paid_twice_after_settling() public {
		settling();
		(bytes memory records, bytes32[] memory path) = (book.bucket(0), bucketProof(0));
		for (uint256 i = 4; i < 8; i++) settled(i);
		rollup.settleBucket(0, records, path);
		vm.warp(lastAt() + HARD + 1);
		hatch.openAfterDeadline();
		tryExit(4, NotBalance.selector);
		tryExit(299, AlreadyExited.selector);
		bucket(0, type(uint256).max);
		bucket(1, type(uint256).max);
		for (uint256 i = 0; i < 300; i++) same(citizen(i).balance, 1000 + i, "once");
		same(rollup.vault(address(0)), 0, "vault");
	}

	// ---- credentials

	function test_credentials_in_every_phase() public {
		put(0, credential(citizen(0), keccak256("id")));
		put(1, credential(citizen(1), 0));
		put(2, coin(2, 5));
		rollup.deposit{value: 5}(address(0), 5, treasury);
		rollup.fundBond{value: 1}();
		commit();
		checkCredentials();
		openNow();
		checkCredentials();
		exit(2);
		checkCredentials();
		vm.warp(hatch.deadlines().resumeFrom + 1);
		resume(standbyA);
		checkCredentials();
	}

	function checkCredentials() internal view {
		(bytes memory record, bytes32[] memory path) = (book.record(0), proof(0));
		yes(rollup.verifyCredential(0, record, path), "valid");
		no(rollup.verifyCredential(1, record, path), "index");
		no(rollup.verifyCredential(256, record, path), "beyond the tree");
		no(rollup.verifyCredential(type(uint40).max, record, path), "far beyond");
		no(rollup.verifyCredential(0, slice(record, 0, 52), path), "short");
		no(rollup.verifyCredential(0, bytes.concat(record, hex"00"), path), "long");
		no(rollup.verifyCredential(0, record, new bytes32[](7)), "short proof");
		no(rollup.verifyCredential(0, record, new bytes32[](9)), "long proof");
		no(rollup.verifyCredential(0, credential(citizen(0), keccak256("ie")), path), "payload");
		no(rollup.verifyCredential(0, credential(citizen(1), keccak256("id")), path), "owner");
		no(rollup.verifyCredential(1, book.record(1), proof(1)), "revoked");
		no(rollup.verifyCredential(2, book.record(2), proof(2)), "balance");
	}
}
