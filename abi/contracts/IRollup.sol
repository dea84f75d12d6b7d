// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// What the hatch needs of a rollup, whatever its family.
interface IRollup {
	function hatch() external view returns (address);
	/// count never falls; lastAt = last commit, resume or end of settling; 0 before.
	function progress() external view returns (uint64 count, uint64 lastAt);
	/// Due time of the oldest unserved request if < now, else 0.
	function overdue() external view returns (uint64 since);
	function stateRoot() external view returns (bytes32);
	function sequencer() external view returns (address);
	/// 0 RUNNING 1 OPEN 2 SETTLING
	function state() external view returns (uint8);

	// the five below: hatch only
	function promote(address sequencer) external;
	function open(bytes calldata args) external;
	/// Reverts unless the proof shows a bad batch; leaves state OPEN.
	function rewind(bytes calldata proof) external;
	function resume(address sequencer) external;
	function configure(bytes calldata config) external;
}
