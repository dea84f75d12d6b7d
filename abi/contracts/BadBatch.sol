// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ENTRY, KIND_BALANCE, RECORD, STEP} from "./Constants.sol";
import {BadStep, Batch, Before} from "./Types.sol";
import {IBadBatch, NotProven, StepIsGood} from "./IBadBatch.sol";
import {Tree} from "./Tree.sol";

/// Judges whether one step of a batch leads from its root before to its root after.
/// Stateless: it knows nothing of what was committed, the rollup compares that.
contract BadBatch is IBadBatch {
	/// One level of the multiproof: positions ascending, with the node of the old
	/// and of the new tree at each.
	struct Level {
		uint256[] place;
		bytes32[] old;
		bytes32[] fresh;
		uint256 size;
		uint256 used;
	}

	function judge(BadStep calldata p) external pure returns (Batch memory, Before memory) {
		uint256 n = p.chunk.length / ENTRY;
		require(n != 0 && n <= STEP && p.chunk.length == n * ENTRY, NotProven());
		require(p.oldRecords.length == n * RECORD, NotProven());
		uint256 depth = Tree.depth(p.batch.leafCount);
		bytes32 start = _rootBefore(p, depth);
		(Level memory level, bool reowned) = _leaves(p, n);
		for (uint256 i = 0; i < depth; i++) _up(level, p.siblings);
		require(level.used == p.siblings.length, NotProven());
		require(level.old[0] == start, NotProven());
		require(reowned || level.fresh[0] != p.rootAfter, StepIsGood());
		return (p.batch, p.before);
	}

	/// Opens diffHash and the steps; returns the proven root before, at the depth of the step.
	function _rootBefore(BadStep calldata p, uint256 depth) private pure returns (bytes32) {
		require(p.step < p.steps.length, NotProven());
		require(keccak256(abi.encodePacked(p.steps)) == p.batch.diffHash, NotProven());
		require(p.steps[p.step] == Tree.pair(keccak256(p.chunk), p.rootAfter), NotProven());
		if (p.step == 0) {
			return Tree.lift(p.batch.prevRoot, Tree.depth(p.before.leafCount), depth);
		}
		require(p.steps[p.step - 1] == Tree.pair(p.chunkHashBefore, p.rootBefore), NotProven());
		return p.rootBefore;
	}

	/// The leaves that the step touches, and whether it takes one from its owner.
	function _leaves(BadStep calldata p, uint256 n)
		private
		pure
		returns (Level memory level, bool reowned)
	{
		level = Level(new uint256[](n), new bytes32[](n), new bytes32[](n), n, 0);
		for (uint256 i = 0; i < n; i++) {
			bytes calldata entry = p.chunk[i * ENTRY:(i + 1) * ENTRY];
			bytes calldata fresh = entry[5:];
			level.place[i] = uint40(bytes5(entry[0:5]));
			level.old[i] = Tree.leafAt(p.oldRecords, i);
			level.fresh[i] = Tree.leafAt(fresh, 0);
			if (level.old[i] != 0 && _reowns(p.oldRecords, i, fresh)) reowned = true;
		}
	}

	/// Kind and owner stay for ever, and so does a balance's asset.
	function _reowns(bytes calldata olds, uint256 i, bytes calldata fresh) private pure returns (bool) {
		(uint256 kind, address owner, uint256 payload) = Tree.fields(olds, i);
		(uint256 newKind, address newOwner, uint256 newPayload) = Tree.fields(fresh, 0);
		if (kind != newKind || owner != newOwner) return true;
		return kind == KIND_BALANCE && payload >> 96 != newPayload >> 96;
	}

	/// Replaces a level by the one above it.
	function _up(Level memory level, bytes32[] calldata siblings) private pure {
		uint256 to = 0;
		for (uint256 i = 0; i < level.size; to++) {
			uint256 place = level.place[i];
			bytes32 old = level.old[i];
			bytes32 fresh = level.fresh[i];
			i++;
			if (i < level.size && level.place[i] == place ^ 1) {
				level.old[to] = Tree.pair(old, level.old[i]);
				level.fresh[to] = Tree.pair(fresh, level.fresh[i]);
				i++;
			} else {
				require(level.used < siblings.length, NotProven());
				bytes32 other = siblings[level.used++];
				bool right = place & 1 == 1;
				level.old[to] = right ? Tree.pair(other, old) : Tree.pair(old, other);
				level.fresh[to] = right ? Tree.pair(other, fresh) : Tree.pair(fresh, other);
			}
			level.place[to] = place >> 1;
		}
		level.size = to;
	}
}
