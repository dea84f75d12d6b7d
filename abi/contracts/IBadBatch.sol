// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BadStep, Batch, Before} from "./Types.sol";

/// The proof does not open to what it claims to be about.
error NotProven();
/// Everything opens, and the step is right.
error StepIsGood();

interface IBadBatch {
	/// Returns what the proof is about if it shows a bad step; reverts otherwise.
	/// The caller checks that this batch was committed.
	function judge(BadStep calldata proof) external pure returns (Batch memory, Before memory);
}
