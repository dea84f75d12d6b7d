// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./ExitBase.sol";

/// One leaf out, once: when, to whom, with which proof.
contract ExitsTest is ExitBase {
	// ---- when

	function test_exits_wait_for_open() public {
		populate(2);
		tryExit(0, ExitsNotOpen.selector);
		vm.warp(lastAt() + 1000);
		tryExit(0, ExitsNotOpen.selector);
		hatch.openAfterDeadline();
		exit(0);
		same(citizen(0).balance, 1000, "paid");
	}

	function atFinality() internal returns (uint256 when) {
		Terms memory w = terms0();
		w.finality = 200;
		deploy(w, thresholds0());
		populate(2);
		goLate();
		openByVote();
		return lastAt() + 200;
	}

	function test_exits_wait_for_finality() public {
		uint256 when = atFinality();
		same(hatch.deadlines().exitsFrom, when, "exitsFrom");
		vm.warp(when);
		tryExit(0, ExitsNotOpen.selector);
		tryBucket(0, 3, ExitsNotOpen.selector);
		vm.warp(when + 1);
		exit(0);
		bucket(0, 3);
	}

	function test_exits_close_with_a_resume() public {
		populate(2);
		rollup.fundBond{value: 1}();
		openNow();
		exit(0);
		vm.warp(hatch.deadlines().resumeFrom + 1);
		resume(standbyA);
		tryExit(1, ExitsNotOpen.selector);
		tryBucket(0, 3, ExitsNotOpen.selector);
	}

	// ---- one leaf

	function test_exit_pays_the_leafs_owner() public {
		populate(3);
		openNow();
		(bytes memory record, bytes32[] memory path) = (book.record(1), proof(1));
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.Exited(0, 2, 0, 0);
		vm.prank(citizen(55));
		rollup.exit(1, record, path);
		same(citizen(1).balance, 1001, "paid");
		same(rollup.exited(0), 2, "bit");
		same(rollup.vault(address(0)), 2002, "vault");
		tryExit(1, AlreadyExited.selector);
		same(citizen(1).balance, 1001, "once");
	}

	function test_exit_refuses_what_is_no_balance() public {
		put(0, credential(citizen(0), keccak256("id")));
		put(1, coin(1, 0));
		put(2, coin(2, 5));
		rollup.deposit{value: 4}(address(0), 4, treasury);
		commit();
		openNow();
		tryExit(0, NotBalance.selector);
		tryExit(1, NotBalance.selector);
		tryExit(2, VaultShort.selector);
	}

	function test_exit_needs_the_proof() public {
		populate(3);
		openNow();
		(bytes memory record, bytes32[] memory path) = (book.record(1), proof(1));
		vm.expectRevert(BadProof.selector);
		rollup.exit(2, record, path);
		vm.expectRevert(WrongDepth.selector);
		rollup.exit(1 + 256, record, path);
		vm.expectRevert(WrongDepth.selector);
		rollup.exit(3, record, path);
		vm.expectRevert(WrongDepth.selector);
		rollup.exit(1, record, new bytes32[](9));
		record = coin(1, 1002);
		vm.expectRevert(BadProof.selector);
		rollup.exit(1, record, path);
	}

	/// A full tree: one past the end has the low bits of leaf 0.
	function test_index_one_past_a_full_tree() public {
		put(0, credential(citizen(0), keccak256("id")));
		for (uint256 i = 1; i < 256; i++) put(i, coin(i, 1));
		rollup.deposit{value: 255}(address(0), 255, treasury);
		commit();
		openNow();
		same(rollup.depth(), 8, "full");
		(bytes memory record, bytes32[] memory path) = (book.record(0), proof(0));
		yes(rollup.verifyCredential(0, record, path), "the leaf");
		no(rollup.verifyCredential(256, record, path), "one past the end");
		(record, path) = (book.record(1), proof(1));
		exit(1);
		vm.expectRevert(WrongDepth.selector);
		rollup.exit(257, record, path);
		(record, path) = (coin(256, 1), proof(0));
		vm.expectRevert(WrongDepth.selector);
		rollup.exit(256, record, path);
	}

	/// An inner node cannot pose as a leaf, nor a record as a node.
	function test_shorter_and_longer_proofs_fail() public {
		for (uint256 i = 0; i < 300; i++) put(i, coin(i, 1));
		rollup.deposit{value: 300}(address(0), 300, treasury);
		commit();
		openNow();
		bytes32[] memory path = bucketProof(0);
		same(path.length, 1, "two buckets");
		bytes memory records = book.bucket(1);
		bytes32[] memory longer = new bytes32[](2);
		longer[0] = bucketProof(1)[0];
		vm.expectRevert(WrongDepth.selector);
		rollup.exitBucket(1, 1, records, longer);
		vm.expectRevert(WrongDepth.selector);
		rollup.exitBucket(1, 1, records, new bytes32[](0));
		path = bucketProof(1);
		vm.expectRevert(WrongDepth.selector);
		rollup.exitBucket(3, 1, records, path);
		rollup.exitBucket(1, 1, records, path);
	}

	// ---- exitTo

	function exitDigest(uint40 index, address to, uint64 n) internal view returns (bytes32) {
		bytes32 kind = keccak256("ExitTo(uint40 index,address recipient,uint64 count)");
		return typed("SovereignRollup", address(rollup), keccak256(abi.encode(kind, index, to, n)));
	}

	function tryExitTo(uint256 i, address to, bytes memory signature, address by, bytes4 why) internal {
		(bytes memory record, bytes32[] memory path) = (book.record(i), proof(i));
		if (why != 0) vm.expectRevert(why);
		vm.prank(by);
		rollup.exitTo(uint40(i), record, path, to, signature);
	}

	function test_exit_to_by_the_owner() public {
		populate(3);
		openNow();
		tryExitTo(1, treasury, "", citizen(2), NotOwner.selector);
		tryExitTo(1, address(0), "", citizen(1), BadRecipient.selector);
		tryExitTo(1, address(rollup), "", citizen(1), BadRecipient.selector);
		tryExitTo(1, treasury, "", citizen(1), 0);
		same(treasury.balance, 1001, "paid");
		tryExit(1, AlreadyExited.selector);
		tryExitTo(1, treasury, "", citizen(1), AlreadyExited.selector);
	}

	function test_exit_to_by_signature() public {
		populate(3);
		openNow();
		bytes memory s = sig(0x10001, exitDigest(1, treasury, 1));
		tryExitTo(1, citizen(9), s, citizen(9), NotOwner.selector);
		tryExitTo(2, treasury, s, citizen(9), NotOwner.selector);
		tryExitTo(1, treasury, sig(0x10001, exitDigest(1, treasury, 2)), citizen(9), NotOwner.selector);
		tryExitTo(1, treasury, sig(0x10002, exitDigest(1, treasury, 1)), citizen(9), NotOwner.selector);
		tryExitTo(1, treasury, slice(s, 0, 64), citizen(9), BadSignature.selector);
		tryExitTo(1, treasury, s, citizen(9), 0);
		same(treasury.balance, 1001, "paid");
	}
}
