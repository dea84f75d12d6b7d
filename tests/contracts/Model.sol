// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./BadSteps.sol";
import {Token} from "./Tokens.sol";

/// A plain model of who is owed what: twelve citizens in two buckets and two assets, what they
/// forced, and the bad batches that somebody will prove in time.
abstract contract Model is BadSteps {
	uint256 constant N = 12; // leaves 0..5 and 256..261; 3, 4 and 5 hold tokens
	uint32 constant FINAL = 200; // longer than the SLA: a vote may open before a bad batch is proven
	bytes32 constant WRONG = keccak256("a root that no data give");
	/// A promise that fails is written here: reverts alone would hide it.
	string public broken;

	struct Request {
		uint8 leaf;
		uint8 owner; // who asked; the leaf's own citizen, or a thief
		uint8 fate;
		uint96 amount; // asked; once executed, debited
		uint96 bounty; // 0 once paid or refunded
		uint64 stamp; // asked; once executed, executed
	}

	struct Deposit {
		uint8 leaf;
		uint8 fate;
		uint96 amount;
	}

	/// A batch that can be proven bad, and all as it stood before it.
	struct Bad {
		bytes proof;
		uint256 landed;
		uint256 head;
		uint256 covered;
		uint256[N] amounts;
		uint256[N] owners;
	}

	Token public token;
	uint256[N] public amounts;
	uint256[N] public owners; // citizen k owns leaf k, unless a batch re-owned it
	bool[N] public gone; // leaves whose bit is set
	Request[] requests;
	uint256 head; // of the requests
	Deposit[] deposits;
	uint256 covered; // deposits below this are not waiting
	Bad[] bads;
	bool lost; // the root is WRONG

	mapping(address asset => uint256) public deposited; // ever, and not refunded
	mapping(address asset => uint256) public paidOut; // to citizens, by exits and withdrawals

	function terms0() internal pure override returns (Terms memory) {
		return Terms(SLA, FAILOVER, INCLUSION, HARD, NOTICE, FINAL, ROUND);
	}

	function check(bool holds, string memory what) internal {
		if (!holds && bytes(broken).length == 0) broken = what;
	}

	// ---- the leaves

	function indexOf(uint256 k) public pure returns (uint40) {
		return uint40(k < 6 ? k : 250 + k);
	}

	function assetOf(uint256 k) public view returns (address) {
		return k / 3 == 1 ? address(token) : address(0);
	}

	/// Another leaf of the same asset, and bucket.
	function next(uint256 k) internal pure returns (uint256) {
		return k / 3 * 3 + (k + 1) % 3;
	}

	function record(uint256 k) internal view returns (bytes memory) {
		return balance(citizen(owners[k]), assetOf(k), amounts[k]);
	}

	function write(uint256 k) internal {
		book.set(indexOf(k), record(k));
	}

	/// Two buckets: what lies between them is spent.
	function settleIn() internal {
		token = new Token();
		token.mint(address(this), 1e30);
		bytes memory diff = "";
		for (uint256 k = 0; k < N; k++) {
			(amounts[k], owners[k]) = (1000 + k, k);
			deposited[assetOf(k)] += amounts[k];
			diff = bytes.concat(diff, abi.encodePacked(uint40(indexOf(k)), record(k)));
			if (k != 5) continue;
			for (uint256 i = 6; i < 256; i++) diff = bytes.concat(diff, abi.encodePacked(uint40(i), coin(300, 0)));
		}
		rollup.deposit{value: deposited[address(0)]}(address(0), uint96(deposited[address(0)]), treasury);
		rollup.deposit(address(token), uint96(deposited[address(token)]), treasury);
		// the model's numbers are the queue's: these two are its first
		deposits.push(Deposit(0, ITEM_COVERED, 0));
		deposits.push(Deposit(0, ITEM_COVERED, 0));
		covered = 2;
		pendingDiff = diff;
		commit();
	}

	/// What an account has, and what it is owed.
	function worth(address who, address asset) internal view returns (uint256) {
		return (asset == address(0) ? who.balance : token.balanceOf(who)) + rollup.owed(who, asset);
	}

	// ---- batches and openings

	/// Some transfers, and the deposits since the last batch.
	function move(uint256 seed) internal {
		for (uint256 i = 0; i < 3; i++) {
			uint256 r = uint256(keccak256(abi.encode(seed, i)));
			(uint256 from, uint256 to) = (r % N, (r >> 20) % N);
			if (assetOf(from) != assetOf(to)) to = next(from);
			uint256 moved = amounts[from] * (r >> 100 & 0xff) / 255;
			amounts[from] -= moved;
			amounts[to] += moved;
		}
		for (; covered < deposits.length; covered++) {
			Deposit storage d = deposits[covered];
			amounts[d.leaf] += d.amount;
			d.fate = ITEM_COVERED;
		}
	}

	/// The entries of a batch: what differs from the book, and leaf `always`.
	function putChanged(uint256 always) internal {
		for (uint256 k = 0; k < N; k++) {
			bytes memory now_ = record(k);
			if (k == always || keccak256(now_) != keccak256(book.record(indexOf(k)))) put(indexOf(k), now_);
		}
	}

	/// Both queues are emptied.
	function emptied() internal {
		for (; head < requests.length; head++) requests[head].fate = FATE_UNSERVED;
		for (; covered < deposits.length; covered++) deposits[covered].fate = ITEM_REFUNDABLE;
	}

	/// All that bad batch j and those after it did is undone.
	function undone(uint256 j) internal {
		Bad storage b = bads[j];
		for (uint256 id = b.head; id < requests.length; id++) {
			if (requests[id].fate == FATE_EXECUTED) requests[id].fate = FATE_CANCELLED;
		}
		for (uint256 id = b.covered; id < deposits.length; id++) {
			if (deposits[id].fate == ITEM_COVERED) deposits[id].fate = ITEM_REFUNDABLE;
		}
		for (uint256 k = 0; k < N; k++) {
			(amounts[k], owners[k]) = (b.amounts[k], b.owners[k]);
			write(k);
		}
		lost = false;
		while (bads.length > j) bads.pop();
	}

	// ---- what the invariants compare

	/// What the vault must hold: leaves, deposits that no batch covers, withdrawals not paid yet.
	function claims(address asset) external view returns (uint256 sum) {
		for (uint256 k = 0; k < N; k++) {
			if (!gone[k] && assetOf(k) == asset) sum += amounts[k];
		}
		for (uint256 id = 0; id < deposits.length; id++) {
			Deposit memory d = deposits[id];
			if (d.fate != ITEM_QUEUED && d.fate != ITEM_REFUNDABLE) continue;
			if (assetOf(d.leaf) == asset) sum += d.amount;
		}
		for (uint256 id = 0; id < requests.length; id++) {
			Request memory r = requests[id];
			if (r.fate == FATE_EXECUTED && assetOf(r.leaf) == asset) sum += r.amount;
		}
	}

	function bounties() external view returns (uint256 sum) {
		for (uint256 id = 0; id < requests.length; id++) sum += requests[id].bounty;
	}

	/// IOUs: all in tokens, for every citizen is a plain account.
	function owed() external view returns (uint256 sum) {
		for (uint256 i = 3; i < 6; i++) {
			for (uint256 k = 0; k < 3; k++) sum += rollup.owed(citizen(100 * k + i), address(token));
		}
	}

	function bits(uint256 bucket) external view returns (uint256 word) {
		for (uint256 k = 6 * bucket; k < 6 * bucket + 6; k++) {
			if (gone[k]) word |= bit(indexOf(k));
		}
	}

	function root() external view returns (bytes32) {
		return lost ? WRONG : book.root();
	}

	/// Every fate, as the model and the contract tell it.
	function fates() external view returns (bool) {
		for (uint64 id = 0; id < requests.length; id++) {
			(Withdrawal memory w, uint8 fate) = rollup.withdrawal(id);
			Request memory r = requests[id];
			if (fate != r.fate) return false;
			if (w.amount != (fate == FATE_PAID ? 0 : r.amount)) return false;
		}
		for (uint64 id = 0; id < deposits.length; id++) {
			(, uint8 fate) = rollup.inboxItem(id);
			if (fate != deposits[id].fate) return false;
		}
		(uint64 a, uint64 b, uint64 c, uint64 d) = rollup.queues();
		return a == head && b == requests.length && c == covered && d == deposits.length;
	}
}
