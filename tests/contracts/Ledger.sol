// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// A second, plain implementation of the ledger's tree: what the contracts are compared with.
contract Ledger {
	bytes[] private records;
	bytes32[] private leaves;

	function length() external view returns (uint256) {
		return records.length;
	}

	function set(uint256 index, bytes calldata fresh) external {
		require(fresh.length == 53, "record");
		if (index == records.length) {
			records.push();
			leaves.push();
		}
		records[index] = fresh;
		leaves[index] = keccak256(fresh);
	}

	function truncate(uint256 n) external {
		while (records.length > n) {
			records.pop();
			leaves.pop();
		}
	}

	function record(uint256 index) external view returns (bytes memory) {
		return index < records.length ? records[index] : new bytes(53);
	}

	function depth() public view returns (uint256) {
		return depthOf(records.length);
	}

	function depthOf(uint256 n) public pure returns (uint256 d) {
		for (d = 8; 2 ** d < n;) d++;
	}

	function root() external view returns (bytes32) {
		return rootAt(depth());
	}

	function rootAt(uint256 d) public view returns (bytes32) {
		bytes32[] memory level = leaves;
		bytes32 zero = 0;
		for (uint256 i = 0; i < d; i++) {
			level = _up(level, zero);
			zero = keccak256(abi.encode(zero, zero));
		}
		return level.length == 0 ? zero : level[0];
	}

	/// Siblings from level `from` (0 = leaf, 8 = bucket) upward.
	function proof(uint256 position, uint256 from) external view returns (bytes32[] memory path) {
		uint256 d = depth();
		path = new bytes32[](d - from);
		bytes32[] memory level = leaves;
		bytes32 zero = 0;
		for (uint256 i = 0; i < d; i++) {
			if (i >= from) {
				uint256 other = position ^ 1;
				path[i - from] = other < level.length ? level[other] : zero;
				position >>= 1;
			}
			level = _up(level, zero);
			zero = keccak256(abi.encode(zero, zero));
		}
	}

	/// All nodes of a level, to build multiproofs from.
	function nodes(uint256 d) external view returns (bytes32[][] memory levels) {
		levels = new bytes32[][](d + 1);
		bytes32[] memory level = leaves;
		bytes32 zero = 0;
		for (uint256 i = 0; i <= d; i++) {
			levels[i] = level;
			level = _up(level, zero);
			zero = keccak256(abi.encode(zero, zero));
		}
	}

	function bucket(uint256 b) external view returns (bytes memory out) {
		for (uint256 i = b * 256; i < b * 256 + 256 && i < records.length; i++) {
			out = bytes.concat(out, records[i]);
		}
	}

	function _up(bytes32[] memory level, bytes32 zero) private pure returns (bytes32[] memory next) {
		next = new bytes32[]((level.length + 1) / 2);
		for (uint256 i = 0; i < level.length; i += 2) {
			bytes32 right = i + 1 < level.length ? level[i + 1] : zero;
			next[i / 2] = keccak256(abi.encode(level[i], right));
		}
	}
}
