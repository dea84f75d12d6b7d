// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// A second, plain implementation of the ledger's tree: what the contracts are compared with.
/// It keeps every node that is not an empty subtree, and rehashes the path of each change.
contract Ledger {
	bytes[] private records;
	mapping(uint256 level => mapping(uint256 place => bytes32)) private kept;
	bytes32[41] private zeros;
	uint256 private top = 8; // the level up to which nodes are kept

	constructor() {
		for (uint256 i = 1; i <= 40; i++) zeros[i] = keccak256(abi.encode(zeros[i - 1], zeros[i - 1]));
	}

	function length() external view returns (uint256) {
		return records.length;
	}

	function set(uint256 index, bytes calldata fresh) external {
		require(fresh.length == 53, "record");
		if (index == records.length) records.push();
		while (index >= 2 ** top) top++;
		records[index] = fresh;
		_leaf(index, keccak256(fresh));
	}

	function truncate(uint256 n) external {
		while (records.length > n) {
			records.pop();
			_leaf(records.length, 0);
		}
	}

	function record(uint256 index) public view returns (bytes memory) {
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

	function rootAt(uint256 d) public view returns (bytes32 hash) {
		hash = _node(d < top ? d : top, 0);
		for (uint256 i = top; i < d; i++) hash = keccak256(abi.encode(hash, zeros[i]));
	}

	/// Siblings from level `from` (0 = leaf, 8 = bucket) upward.
	function proof(uint256 position, uint256 from) external view returns (bytes32[] memory path) {
		uint256 d = depth();
		path = new bytes32[](d - from);
		for (uint256 i = from; i < d; i++) {
			path[i - from] = _node(i, position ^ 1);
			position >>= 1;
		}
	}

	/// All nodes of each level, to build multiproofs from.
	function nodes(uint256 d) external view returns (bytes32[][] memory levels) {
		levels = new bytes32[][](d + 1);
		uint256 n = records.length;
		for (uint256 i = 0; i <= d; i++) {
			levels[i] = new bytes32[](n);
			for (uint256 k = 0; k < n; k++) levels[i][k] = i > top ? rootAt(i) : _node(i, k);
			n = (n + 1) / 2;
		}
	}

	function bucket(uint256 b) external view returns (bytes memory out) {
		uint256 n = records.length - b * 256;
		if (n > 256) n = 256;
		out = new bytes(n * 53);
		for (uint256 i = 0; i < n; i++) {
			bytes memory one = records[b * 256 + i];
			assembly {
				mcopy(add(add(out, 0x20), mul(i, 53)), add(one, 0x20), 53)
			}
		}
	}

	function _node(uint256 level, uint256 place) private view returns (bytes32 hash) {
		hash = kept[level][place];
		if (hash == 0) hash = zeros[level];
	}

	function _leaf(uint256 place, bytes32 hash) private {
		kept[0][place] = hash;
		for (uint256 i = 0; i < top; i++) {
			place >>= 1;
			kept[i + 1][place] = keccak256(abi.encode(_node(i, 2 * place), _node(i, 2 * place + 1)));
		}
	}
}
