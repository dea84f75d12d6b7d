// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Amendment, Deadlines, Terms, Thresholds} from "./Types.sol";

/// Terms outside the protocol's table; which is the field's position, 0 = slaWindow.
error BadTerms(uint8 which);
/// A threshold of 0, above the number of guardians, or out of order.
error BadThresholds();
/// A list that is empty, longer than 32, repeats itself or holds 0.
error BadList();
error WrongPhase();
error WrongEpoch();
error WrongAction();
error AlreadyActive();
/// Once per standby between two commits.
error AlreadyPromoted();
error NotStandby();
error NotGuardian();
/// The active sequencer alone may do this.
error NotActive();
/// Outside the ballot's life.
error BallotExpired();
error BallotTooEarly();
/// The expiry of a PROMOTE or OPEN ballot is a multiple of round.
error BallotOffRound();
error TooFewVotes(uint256 given, uint256 needed);
/// joining is not exactly the added guardians.
error WrongJoining();
/// Not while this window still runs.
error TooEarly();
error TooLate();
error WrongAmendment();
/// The new windows would let anyone open a hatch that is LIVE under the old ones: by what a
/// LIVE chain may have waiting (amend), or by what it really has (enact).
error TooAbrupt();
error ZeroAddress();

interface IEscapeHatch {
	/// Epochs in events are those after the action.  Also by handOver (same epoch as before) and
	/// by an amendment that names a sequencer.
	event Promoted(uint64 indexed epoch, address indexed from, address indexed to, uint64 progress);
	/// cause 1 vote 2 silence 3 overdue 4 bad batch
	event Opened(uint64 indexed epoch, uint8 cause, bytes32 root, uint64 progress);
	event Resumed(uint64 indexed epoch, address indexed sequencer, bytes32 root);
	/// args = abi.encode(Amendment)
	event Amended(uint64 indexed epoch, bytes32 indexed amendment, uint64 enactFrom, bytes args);
	event Enacted(uint64 indexed epoch, bytes32 indexed amendment);
	event Approved(
		address indexed guardian,
		bytes32 indexed digest,
		uint8 action,
		uint64 epoch,
		uint64 progress,
		bytes32 subject,
		uint64 expiry
	);

	function promote(address standby, uint64 expiry, bytes calldata bundle) external;
	function open(bytes calldata args, uint64 expiry, bytes calldata bundle) external;
	function openAfterDeadline() external;
	function openOnBadBatch(bytes calldata proof) external;
	function resume(address sequencer, uint64 expiry, bytes calldata bundle) external;
	/// joining: the added guardians sign the same digest.
	function amend(Amendment calldata a, uint64 expiry, bytes calldata bundle, bytes calldata joining) external;
	function enact(Amendment calldata a) external;
	/// The active sequencer, any time but OPEN and SETTLING.
	function handOver(address standby) external;
	function approve(uint8 action, uint64 epoch, uint64 progress, bytes32 subject, uint64 expiry) external;

	function rollup() external view returns (address);
	/// 0 LIVE 1 LATE 2 PROMOTED 3 OPEN 4 SETTLING
	function phase() external view returns (uint8);
	function deadlines() external view returns (Deadlines memory);
	function terms() external view returns (Terms memory);
	function guardians() external view returns (address[] memory, Thresholds memory);
	function standbys() external view returns (address[] memory);
	function epoch() external view returns (uint64);
	function pending() external view returns (bytes32 amendment, uint64 enactFrom);
	/// bit = position in guardians()
	function approvals(bytes32 digest) external view returns (uint256 mask);
	function digest(uint8 action, uint64 epoch, uint64 progress, bytes32 subject, uint64 expiry)
		external
		view
		returns (bytes32);
}
