// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Base.sol";

/// Slots and type hashes that watchers rely on, pinned; the layout in out/ must agree.
contract StorageTest is Base {
	function pinned(string memory contract_, uint256 i, string memory label, uint256 slot, uint256 offset)
		internal
		view
	{
		string memory json = artefact(contract_);
		string memory path = string.concat(".storageLayout.storage[", vm.toString(i), "]");
		string memory found = vm.parseJsonString(json, string.concat(path, ".label"));
		same(keccak256(bytes(found)), keccak256(bytes(label)), label);
		same(vm.parseJsonUint(json, string.concat(path, ".slot")), slot, label);
		same(vm.parseJsonUint(json, string.concat(path, ".offset")), offset, label);
	}

	function test_layout_of_the_hatch() public view {
		string memory c = "EscapeHatch";
		pinned(c, 0, "epoch_", 0, 0);
		pinned(c, 1, "promotedAt", 0, 8);
		pinned(c, 2, "openedAt", 0, 16);
		pinned(c, 3, "enactFrom", 0, 24);
		pinned(c, 4, "terms_", 1, 0);
		pinned(c, 5, "thresholds", 2, 0);
		pinned(c, 6, "pendingHash", 3, 0);
		pinned(c, 7, "guardians_", 4, 0);
		pinned(c, 8, "standbys_", 5, 0);
		pinned(c, 9, "approvals_", 6, 0);
	}

	function test_layout_of_the_rollup() public view {
		string memory c = "SovereignRollup";
		pinned(c, 0, "root", 0, 0);
		pinned(c, 1, "count", 1, 0);
		pinned(c, 2, "lastAt", 1, 8);
		pinned(c, 3, "leafCount", 1, 16);
		pinned(c, 4, "inboxThrough", 1, 24);
		pinned(c, 5, "sequencer_", 2, 0);
		pinned(c, 6, "state_", 2, 20);
		pinned(c, 7, "openings", 2, 21);
		pinned(c, 8, "withdrawHead", 3, 0);
		pinned(c, 9, "withdrawTail", 3, 8);
		pinned(c, 10, "inboxTail", 3, 16);
		pinned(c, 11, "dirty", 3, 24);
		pinned(c, 12, "withdrawals", 4, 0);
		pinned(c, 13, "inbox", 5, 0);
		pinned(c, 14, "exited_", 6, 0);
		pinned(c, 15, "vault_", 7, 0);
		pinned(c, 16, "owed_", 8, 0);
		pinned(c, 17, "batchHash_", 9, 0);
		pinned(c, 18, "openingOf", 10, 0);
		pinned(c, 19, "used", 11, 0);
		pinned(c, 20, "validators_", 12, 0);
		pinned(c, 21, "t", 13, 0);
		pinned(c, 22, "minBounty", 13, 1);
		pinned(c, 23, "inclusionWindow", 13, 13);
		pinned(c, 24, "slaBond", 14, 0);
	}

	function word(address one, uint256 slot) internal view returns (uint256) {
		return uint256(vm.load(one, bytes32(slot)));
	}

	function mapped(uint256 key, uint256 slot) internal pure returns (uint256) {
		return uint256(keccak256(abi.encode(key, slot)));
	}

	/// The words themselves, not only what the compiler says of them.
	function test_words_of_the_rollup() public {
		populate(3);
		vm.warp(block.timestamp + 1);
		vm.prank(citizen(1));
		vm.deal(citizen(1), 1 ether);
		rollup.requestWithdrawal{value: 5000}(1, 77, citizen(2));
		rollup.fundBond{value: 999}();
		address r = address(rollup);
		same(word(r, 0), uint256(rollup.stateRoot()), "root");
		same(word(r, 1), uint256(1) | uint256(lastAt()) << 64 | 3 << 128 | uint256(1) << 192, "slot 1");
		same(word(r, 2), uint160(sequencer), "slot 2");
		same(word(r, 3), uint256(1) << 64 | uint256(1) << 128, "slot 3");
		uint256 w = mapped(0, 4);
		same(
			word(r, w),
			uint256(uint160(citizen(1))) | uint256(1) << 160 | block.timestamp << 200,
			"withdrawal: owner index stamp opening"
		);
		same(word(r, w + 1), uint256(uint160(citizen(2))) | uint256(77) << 160, "recipient amount");
		same(word(r, w + 2), uint256(uint160(citizen(1))) | uint256(5000) << 160, "payer bounty");
		(InboxItem memory item,) = rollup.inboxItem(0);
		same(word(r, mapped(0, 5)), uint256(item.acc), "acc");
		same(word(r, mapped(0, 5) + 1), item.queuedAt, "queuedAt opening");
		same(word(r, mapped(0, 7)), 3003, "vault");
		same(word(r, mapped(1, 9)), uint256(rollup.batchHash(1)), "batchHash");
		same(word(r, 12), 4, "validators");
		same(word(r, 13), 3 | uint256(MIN_BOUNTY) << 8 | uint256(INCLUSION) << 104, "t minBounty inclusionWindow");
		same(word(r, 14), 999, "bond");
		openBySilence();
		same(word(r, mapped(0, 10)), uint256(1), "opening 0: inboxFrom 1, unservedFrom 0, cancelledFrom 0");
		same(word(r, 2), uint160(sequencer) | uint256(1) << 160 | uint256(1) << 168, "OPEN, openings 1");
		vm.warp(block.timestamp + 1);
		rollup.exit(2, book.record(2), proof(2));
		same(word(r, mapped(0, 6)), 4, "exited");
		same(word(r, 3) >> 192, 1, "dirty");
	}

	function test_words_of_the_hatch() public {
		populate(1);
		goLate();
		promote(standbyA);
		address h = address(hatch);
		same(word(h, 0), uint256(1) | block.timestamp << 64, "epoch promotedAt");
		uint256 words = uint256(SLA) | uint256(FAILOVER) << 32 | uint256(INCLUSION) << 64 | uint256(HARD) << 96;
		words |= uint256(NOTICE) << 128 | uint256(FINALITY) << 160 | uint256(ROUND) << 192;
		same(word(h, 1), words, "terms");
		same(word(h, 2), 3 | 4 << 8 | 4 << 16 | 5 << 24, "thresholds");
		same(word(h, 4), 5, "guardians");
		same(word(h, 5), 2, "standbys");
	}

	function test_type_hashes() public view {
		string memory h = artefact("EscapeHatch");
		string memory r = artefact("SovereignRollup");
		same(
			vm.parseJsonBytes32(h, ".typeHashes.Vote"),
			keccak256("Vote(uint8 action,uint64 epoch,uint64 progress,bytes32 subject,uint64 expiry)"),
			"Vote"
		);
		same(
			vm.parseJsonBytes32(r, ".typeHashes.Batch"),
			keccak256(
				"Batch(uint64 number,bytes32 prevRoot,bytes32 root,uint64 leafCount,uint64 inboxThrough,bytes32 inboxAcc,bytes32 diffHash,address sequencer)"
			),
			"Batch"
		);
		same(
			vm.parseJsonBytes32(r, ".typeHashes.Withdraw"),
			keccak256("Withdraw(uint40 index,uint96 amount,address recipient,uint256 salt,uint64 expiry)"),
			"Withdraw"
		);
		same(
			vm.parseJsonBytes32(r, ".typeHashes.ExitTo"),
			keccak256("ExitTo(uint40 index,address recipient,uint64 count)"),
			"ExitTo"
		);
		same(
			vm.parseJsonBytes32(r, ".typeHashes.ClaimTo"),
			keccak256("ClaimTo(address asset,address recipient,uint256 salt,uint64 expiry)"),
			"ClaimTo"
		);
	}

	function test_digest_is_the_typed_one() public view {
		same(
			hatch.digest(1, 0, 5, bytes32(uint256(9)), 77),
			voteDigest(1, 5, bytes32(uint256(9)), 77),
			"digest"
		);
	}

	function test_runtime_code_fits() public view {
		yes(address(rollup).code.length <= 24576, "rollup");
		yes(address(hatch).code.length <= 24576, "hatch");
		yes(badBatch.code.length <= 24576, "judge");
	}
}
