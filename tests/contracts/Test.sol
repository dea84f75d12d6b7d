// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

struct Log {
	bytes32[] topics;
	bytes data;
	address emitter;
}

struct Gas {
	uint64 gasLimit;
	uint64 gasTotalUsed;
	uint64 gasMemoryUsed;
	int64 gasRefunded;
	uint64 gasRemaining;
}

/// The cheatcodes used here, as forge declares them.
interface Vm {
	function warp(uint256) external;
	function roll(uint256) external;
	function fee(uint256) external;
	function txGasPrice(uint256) external;
	function chainId(uint256) external;
	function deal(address, uint256) external;
	function etch(address, bytes calldata) external;
	function store(address, bytes32, bytes32) external;
	function load(address, bytes32) external view returns (bytes32);
	function prank(address) external;
	function prank(address, address) external;
	function sign(uint256, bytes32) external pure returns (uint8, bytes32, bytes32);
	function addr(uint256) external pure returns (address);
	function expectRevert() external;
	function expectRevert(bytes4) external;
	function expectRevert(bytes calldata) external;
	function expectEmit(bool, bool, bool, bool, address) external;
	function recordLogs() external;
	function getRecordedLogs() external returns (Log[] memory);
	function readFile(string calldata) external view returns (string memory);
	function parseJsonBytes(string calldata, string calldata) external pure returns (bytes memory);
	function parseJsonBytes32(string calldata, string calldata) external pure returns (bytes32);
	function parseJsonUint(string calldata, string calldata) external pure returns (uint256);
	function parseJsonString(string calldata, string calldata) external pure returns (string memory);
	function envOr(string calldata, string calldata) external view returns (string memory);
	function toString(uint256) external pure returns (string memory);
	function getNonce(address) external view returns (uint64);
	function computeCreateAddress(address, uint256) external pure returns (address);
	function snapshotState() external returns (uint256);
	function revertToState(uint256) external returns (bool);
	function assume(bool) external pure;
	function cool(address) external;
	function lastCallGas() external view returns (Gas memory);
}

/// Assertions that stop the test with what was found and what was wanted.
abstract contract Test {
	Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

	error Different(string what, bytes32 found, bytes32 wanted);
	error Untrue(string what);

	function same(bytes32 found, bytes32 wanted, string memory what) internal pure {
		if (found != wanted) revert Different(what, found, wanted);
	}

	function same(uint256 found, uint256 wanted, string memory what) internal pure {
		same(bytes32(found), bytes32(wanted), what);
	}

	function same(address found, address wanted, string memory what) internal pure {
		same(uint256(uint160(found)), uint256(uint160(wanted)), what);
	}

	function yes(bool holds, string memory what) internal pure {
		if (!holds) revert Untrue(what);
	}

	function no(bool holds, string memory what) internal pure {
		if (holds) revert Untrue(string.concat("not: ", what));
	}

	function bound(uint256 x, uint256 low, uint256 high) internal pure returns (uint256) {
		return low + x % (high - low + 1);
	}

	/// The console of forge, without its library.
	function print(string memory line) internal view {
		(bool ok,) = address(0x000000000000000000636F6e736F6c652e6c6f67).staticcall(
			abi.encodeWithSignature("log(string)", line)
		);
		ok;
	}
}
