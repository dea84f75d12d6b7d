// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Constants.sol";
import "./ISovereignRollup.sol";
import {IEscapeHatch} from "./IEscapeHatch.sol";
import {RollupBase} from "./RollupBase.sol";
import {RollupExits} from "./RollupExits.sol";
import {Signatures} from "./Signatures.sol";
import {Tree} from "./Tree.sol";

/// The ledger on L1: batches, two queues, the vault and the exits.  No owner, no
/// pause, no proxy; the hatch alone opens, rewinds, resumes and configures it.
contract SovereignRollup is RollupExits {
	constructor(
		address hatch_,
		address badBatch_,
		address sequencer__,
		address[] memory validators__,
		uint8 t_,
		uint96 minBounty_
	) RollupBase(hatch_, badBatch_) {
		require(sequencer__ != address(0), BadConfig());
		sequencer_ = sequencer__;
		root = Tree.zero(8);
		_configure(validators__, t_, minBounty_);
	}

	/// abi.encode(address[] validators, uint8 t, uint96 minBounty), or with
	/// (…, address bondTo, uint96 bondAmount) to take bond out while RUNNING.
	function configure(bytes calldata config) external onlyHatch locked {
		address[] memory list;
		uint8 needed;
		uint96 least;
		if (uint256(bytes32(config[0:32])) == 0x60) {
			(list, needed, least) = abi.decode(config, (address[], uint8, uint96));
			_configure(list, needed, least);
			return;
		}
		address to;
		uint96 amount;
		(list, needed, least, to, amount) = abi.decode(config, (address[], uint8, uint96, address, uint96));
		_configure(list, needed, least);
		require(state_ == STATE_RUNNING, WrongState());
		require(to != address(0) && amount <= slaBond, BadConfig());
		slaBond -= amount;
		emit BondChanged(slaBond);
		require(_transfer(address(0), to, amount, gasleft()), TransferFailed());
	}

	/// t of n, 2t > n.
	function _configure(address[] memory list, uint8 needed, uint96 least) private {
		require(Signatures.isList(list, MAX_KEYS), BadConfig());
		require(needed <= list.length && 2 * uint256(needed) > list.length, BadConfig());
		// on a chain without a base fee, requests that cost nothing would jam the queue;
		// dear ones would end forced withdrawals, and no guardian may do that
		require(least != 0 && least <= MAX_BOUNTY, BadConfig());
		validators_ = list;
		t = needed;
		minBounty = least;
		inclusionWindow = IEscapeHatch(hatch).terms().inclusionWindow;
		emit Configured(list, needed, least);
	}
}
