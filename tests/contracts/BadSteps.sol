// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Base.sol";
import {BadStep} from "contracts/Types.sol";

/// Lands batches, good or bad, and keeps what a proof about them needs.
abstract contract BadSteps is Base {
	/// What a watcher keeps of a landed batch.
	struct Landed {
		Plan p;
		Before before;
		bytes oldRecords; // of the step proven
		bytes32[] siblings;
	}

	/// Multiproof of the indices of a chunk in the book as it stands now.
	function multiproof(bytes memory chunk, uint256 d) internal view returns (bytes32[] memory out) {
		bytes32[][] memory levels = book.nodes(d);
		uint256 n = chunk.length / 58;
		uint256[] memory known = new uint256[](n);
		for (uint256 i = 0; i < n; i++) known[i] = indexAt(chunk, i);
		bytes32[] memory found = new bytes32[](n * d);
		uint256 used = 0;
		bytes32 zero = 0;
		for (uint256 k = 0; k < d; k++) {
			uint256 m = 0;
			for (uint256 i = 0; i < n; m++) {
				uint256 place = known[i++];
				if (i < n && known[i] == place ^ 1) i++;
				else found[used++] = (place ^ 1) < levels[k].length ? levels[k][place ^ 1] : zero;
				known[m] = place >> 1;
			}
			n = m;
			zero = keccak256(abi.encode(zero, zero));
		}
		out = new bytes32[](used);
		for (uint256 i = 0; i < used; i++) out[i] = found[i];
	}

	function chunkOf(bytes memory diff, uint256 step) internal pure returns (bytes memory) {
		uint256 from = step * 64 * 58;
		return slice(diff, from, diff.length - from < 64 * 58 ? diff.length - from : 64 * 58);
	}

	function recordsOf(bytes memory chunk) internal view returns (bytes memory out) {
		for (uint256 i = 0; i < chunk.length / 58; i++) out = bytes.concat(out, book.record(indexAt(chunk, i)));
	}

	/// Lands the pending entries with `wrong` (if not 0) as the root of step `at` and of all
	/// after; keeps what is needed to prove step `proven`.
	function landWith(uint256 place, bytes32 wrong, uint256 proven) internal returns (Landed memory x) {
		x.p.diff = pendingDiff;
		pendingDiff = "";
		uint256 steps = (x.p.diff.length / 58 + 63) / 64;
		x.p.roots = new bytes32[](steps);
		uint256 leaves = book.length();
		for (uint256 i = 0; i < x.p.diff.length / 58; i++) {
			if (indexAt(x.p.diff, i) >= leaves) leaves = indexAt(x.p.diff, i) + 1;
		}
		uint256 d = book.depthOf(leaves);
		x.before = Before(uint64(block.timestamp), uint64(book.length()), 0, 0);
		(x.before.withdrawHead,, x.before.inboxThrough,) = rollup.queues();
		for (uint256 k = 0; k < steps; k++) {
			bytes memory chunk = chunkOf(x.p.diff, k);
			if (k == proven) {
				x.oldRecords = recordsOf(chunk);
				x.siblings = multiproof(chunk, d);
			}
			for (uint256 i = 0; i < chunk.length / 58; i++) book.set(indexAt(chunk, i), slice(chunk, i * 58 + 5, 53));
			x.p.roots[k] = wrong != 0 && k >= place ? wrong : book.rootAt(d);
		}
		x.p.b.number = count() + 1;
		x.p.b.prevRoot = rollup.stateRoot();
		x.p.b.root = x.p.roots[steps - 1];
		x.p.b.leafCount = uint64(leaves);
		x.p.b.diffHash = keccak256(abi.encodePacked(stepHashes(x.p.diff, x.p.roots)));
		(,,, x.p.b.inboxThrough) = rollup.queues();
		x.p.b.inboxAcc = accAt(x.p.b.inboxThrough);
		x.p.signatures = signBatch(x.p.b, 3, rollup.sequencer());
		land(x.p);
	}

	function proofOf(Landed memory x, uint256 step) internal pure returns (BadStep memory s) {
		s.batch = x.p.b;
		s.before = x.before;
		s.step = step;
		s.steps = stepHashes(x.p.diff, x.p.roots);
		if (step > 0) {
			s.rootBefore = x.p.roots[step - 1];
			s.chunkHashBefore = keccak256(chunkOf(x.p.diff, step - 1));
		}
		s.rootAfter = x.p.roots[step];
		s.chunk = chunkOf(x.p.diff, step);
		s.oldRecords = x.oldRecords;
		s.siblings = x.siblings;
	}
}
