// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Model.sol";

/// Everything anybody can do, in any order, beside the model.
contract Handler is Model {
	uint256 public lastCount;
	uint256 public opened;
	uint256 public settledTimes;
	uint256 public rewound;
	uint256 public rewoundOpen; // of these, while OPEN
	uint256 public cancelled; // rewinds that undid a withdrawal
	uint256 public exits;

	function setUp() public override {
		super.setUp();
		vm.fee(1 gwei);
		vm.txGasPrice(2 gwei);
		settleIn();
		rollup.fundBond{value: 1 ether}();
		lastCount = 1;
	}

	function addressesOf() external view returns (ISovereignRollup, IEscapeHatch) {
		return (rollup, hatch);
	}

	// ---- time and service

	/// In long steps while OPEN, or no life would end.
	function warp(uint16 dt) external {
		pass((dt % 150 + 1) * (rollup.state() == STATE_OPEN ? 3 : 1));
	}

	/// Time goes by.  One honest watcher reaches L1 before a bad batch is final.
	function pass(uint256 dt) public {
		uint256 to = block.timestamp + dt;
		if (bads.length != 0 && to > bads[0].landed + FINAL) {
			vm.warp(bads[0].landed + FINAL);
			prove(0);
		}
		vm.warp(to);
	}

	/// An honest batch; after a root that no data give, one whose own root is right again.
	function serve(uint256 seed) public {
		move(seed);
		putChanged(N);
		if (pendingDiff.length != 0) lost = false;
		commit();
		lastCount++;
	}

	/// A batch whose root its data do not give, or which takes citizen k's leaf.
	function landBad(uint256 seed, bool steal) public {
		require(bads.length < 2 && !lost, "nobody could prove a second one");
		uint256 k = seed % N;
		require(owners[k] == k, "stolen already");
		Bad storage b = bads.push();
		(b.landed, b.head, b.covered) = (block.timestamp, head, covered);
		b.amounts = amounts;
		b.owners = owners;
		move(seed);
		if (steal) owners[k] = next(k);
		else lost = true;
		putChanged(k);
		b.proof = abi.encode(proofOf(landWith(0, steal ? bytes32(0) : WRONG, 0), 0));
		lastCount++;
	}

	function proveBad(uint256 which) external {
		prove(which % bads.length);
	}

	function prove(uint256 j) internal {
		uint8 state = rollup.state();
		hatch.openOnBadBatch(bads[j].proof);
		check(state != STATE_SETTLING, "rewound while settling");
		check(block.timestamp <= bads[j].landed + FINAL, "rewound what was final");
		emptied();
		for (uint256 id = bads[j].head; id < requests.length; id++) {
			if (requests[id].fate != FATE_EXECUTED) continue;
			cancelled++;
			break;
		}
		undone(j);
		opened++;
		rewound++;
		if (state == STATE_OPEN) rewoundOpen++;
	}

	/// I6: whoever is not active lands nothing, whatever is signed.
	function intrude(uint8 who) external {
		address[3] memory all = [sequencer, standbyA, standbyB];
		address by = all[who % 3];
		if (by == rollup.sequencer()) return;
		Plan memory p = plan();
		p.signatures = signBatch(p.b, 4, by);
		vm.prank(by, by);
		try rollup.commit(p.b, p.roots, p.diff, p.signatures) {
			check(false, "I6: a batch of one who is not active landed");
		} catch {}
	}

	function handOver(uint8 which) external {
		address to = hatch.standbys()[which % 2];
		vm.prank(rollup.sequencer());
		hatch.handOver(to);
	}

	/// A token that works, or that reverts.
	function setToken(bool good) external {
		token.set(good ? Token.Mode.Good : Token.Mode.Reverts);
	}

	// ---- what citizens force

	function deposit(uint16 amount, bool coins) external {
		uint8 k = coins ? 0 : 4;
		address asset = assetOf(k);
		rollup.deposit{value: coins ? amount : 0}(asset, amount, citizen(k));
		deposits.push(Deposit(k, ITEM_QUEUED, amount));
		deposited[asset] += amount;
	}

	/// By the leaf's citizen, or by whoever would steal it.
	function request(uint256 k, uint96 amount, bool thief) public {
		k %= N;
		amount = amount % 1500 + 1;
		uint256 owner = thief ? next(k) : k;
		uint256 bounty = rollup.bounty();
		vm.deal(citizen(50), bounty);
		address to = citizen(100 + owner);
		uint256 salt = requests.length;
		uint64 e = uint64(block.timestamp);
		bytes32 kind =
			keccak256("Withdraw(uint40 index,uint96 amount,address recipient,uint256 salt,uint64 expiry)");
		bytes32 content = keccak256(abi.encode(kind, indexOf(k), amount, to, salt, e));
		bytes memory s = sig(0x10000 + owner, typed("SovereignRollup", address(rollup), content));
		vm.prank(citizen(50));
		rollup.requestWithdrawalFor{value: bounty}(indexOf(k), amount, to, salt, e, s);
		requests.push(Request(uint8(k), uint8(owner), FATE_QUEUED, amount, uint96(bounty), e));
	}

	/// The head; somebody asks first if nobody waits.
	function execute(bool bySequencer, uint256 seed) external {
		if (head == requests.length) request(seed, uint96(seed >> 100), seed >> 200 & 3 == 3);
		Request storage r = requests[head];
		uint256 k = r.leaf;
		bool late = block.timestamp > r.stamp + INCLUSION;
		bool foreign = owners[k] != r.owner;
		uint256 debit = foreign ? 0 : amounts[k] < r.amount ? amounts[k] : r.amount;
		executeHead(k, bySequencer ? rollup.sequencer() : citizen(60), r.bounty);
		check(late || bySequencer, "executed too early by a stranger");
		check(late || foreign || debit == r.amount, "executed in part, too early");
		(r.amount, r.bounty, r.stamp) = (uint96(debit), 0, uint64(block.timestamp));
		r.fate = debit == 0 ? FATE_VOID : FATE_EXECUTED;
		amounts[k] -= debit;
		write(k);
		head++;
	}

	function executeHead(uint256 k, address by, uint256 reward) internal {
		(bytes memory leaf, bytes32[] memory path) = (record(k), proof(indexOf(k)));
		uint256 before = by.balance;
		vm.prank(by);
		rollup.executeWithdrawal(uint64(head), leaf, path);
		check(by.balance == before + reward, "bounty");
	}

	/// The next that was executed, be it undone, or any.
	function pay(uint64 id) external {
		uint64 n = uint64(requests.length);
		id %= n;
		for (uint64 i = 0; i < n; i++) {
			uint8 fate = requests[(id + i) % n].fate;
			if (fate != FATE_EXECUTED && fate != FATE_CANCELLED) continue;
			id = (id + i) % n;
			break;
		}
		Request storage r = requests[id];
		(address to, address asset) = (citizen(100 + r.owner), assetOf(r.leaf));
		uint256 before = worth(to, asset);
		rollup.pay(id);
		check(r.fate == FATE_EXECUTED, "I2: paid what was not executed, or was undone, or twice");
		check(block.timestamp > r.stamp + FINAL, "paid before finality");
		check(worth(to, asset) == before + r.amount, "I3: paid another, or another sum");
		r.fate = FATE_PAID;
		paidOut[asset] += r.amount;
	}

	function refundBounty(uint64 id) external {
		id %= uint64(requests.length);
		Request storage r = requests[id];
		uint256 before = citizen(50).balance;
		rollup.refundBounty(id);
		check(r.fate == FATE_UNSERVED, "refunded a bounty of a request that was served");
		check(r.bounty != 0, "refunded a bounty twice");
		check(citizen(50).balance == before + r.bounty, "bounty");
		r.bounty = 0;
	}

	function refundDeposit(uint64 id) external {
		id %= uint64(deposits.length);
		Deposit storage d = deposits[id];
		(address to, address asset) = (citizen(d.leaf), assetOf(d.leaf));
		uint256 before = worth(to, asset);
		rollup.refundDeposit(id, address(this), asset, d.amount, to);
		check(d.fate == ITEM_REFUNDABLE, "refunded what was covered, or twice");
		check(worth(to, asset) == before + d.amount, "I3: refunded another, or another sum");
		d.fate = ITEM_REFUNDED;
		deposited[asset] -= d.amount;
	}

	// ---- guardians

	function signedBy(uint8 mask, bytes32 hash) internal view returns (bytes memory bundle, uint256 n) {
		// half the time everybody, or nothing would ever pass
		if (mask >= 128) mask = 31;
		for (uint256 i = 0; i < 5; i++) {
			if (mask >> i & 1 == 0) continue;
			bundle = bytes.concat(bundle, sig(guardianKeys[i], hash));
			n++;
		}
	}

	function votePromote(uint8 mask, bool second) external {
		address to = hatch.standbys()[second ? 1 : 0];
		uint8 phase = hatch.phase();
		uint64 epoch = hatch.epoch();
		(bytes memory bundle, uint256 n) = signedBy(mask, voteDigest(PROMOTE, count(), asSubject(to), soon()));
		hatch.promote(to, soon(), bundle);
		check(n >= 3, "I4: promoted by too few");
		check(phase == PHASE_LATE, "I5: promoted while not late");
		check(hatch.epoch() == epoch + 1, "epoch");
		check(rollup.sequencer() == to, "promoted another");
	}

	function voteOpen(uint8 mask) external {
		uint8 phase = hatch.phase();
		(bytes memory bundle, uint256 n) = signedBy(mask, voteDigest(OPEN, count(), keccak256(""), soon()));
		hatch.open("", soon(), bundle);
		check(n >= 4, "I4: opened by too few");
		check(phase == PHASE_LATE || phase == PHASE_PROMOTED, "I5: opened while live");
		emptied();
		opened++;
	}

	function openAfterDeadline() external {
		uint64 since = rollup.overdue();
		hatch.openAfterDeadline();
		check(
			block.timestamp > lastAt() + HARD || (since != 0 && block.timestamp > since + HARD),
			"opened before its time"
		);
		emptied();
		opened++;
	}

	function resume(uint8 mask, bool second) external {
		address to = second ? standbyB : sequencer;
		uint64 from = hatch.deadlines().resumeFrom;
		(bytes memory bundle, uint256 n) = signedBy(mask | 3, voteDigest(RESUME, 0, asSubject(to), later()));
		hatch.resume(to, later(), bundle);
		check(n >= 4, "I4: resumed by too few");
		check(from != 0 && block.timestamp > from, "resumed too early");
		check(bads.length == 0, "resumed on a batch that can be proven bad");
	}

	// ---- the way out

	function left(uint256 k, address to, uint256 before) internal {
		check(!gone[k], "I2: a leaf twice");
		check(amounts[k] != 0, "paid an empty leaf");
		check(worth(to, assetOf(k)) == before + amounts[k], "I3: paid another, or another sum");
		gone[k] = true;
		paidOut[assetOf(k)] += amounts[k];
		exits++;
	}

	/// By anyone, by the owner to another address, or by anyone with the owner's signature for that.
	function exit(uint256 k, uint8 how) external {
		k %= N;
		address to = citizen(how % 3 == 0 ? k : 200 + k);
		uint256 before = worth(to, assetOf(k));
		uint256 from = hatch.deadlines().exitsFrom;
		goOut(k, how % 3, to);
		check(from != 0 && block.timestamp > from, "left too early");
		left(k, to, before);
	}

	function goOut(uint256 k, uint8 how, address to) internal {
		uint40 index = indexOf(k);
		(bytes memory leaf, bytes32[] memory path) = (book.record(index), proof(index));
		if (how == 0) {
			rollup.exit(index, leaf, path);
		} else if (how == 1) {
			vm.prank(citizen(k));
			rollup.exitTo(index, leaf, path, to, "");
		} else {
			bytes32 kind = keccak256("ExitTo(uint40 index,address recipient,uint64 count)");
			bytes32 hash = typed("SovereignRollup", address(rollup), keccak256(abi.encode(kind, index, to, count())));
			rollup.exitTo(index, leaf, path, to, sig(0x10000 + k, hash));
		}
	}

	/// The second bucket holds coins alone and has a short form.
	function exitBucket(uint256 mask, uint8 how) public {
		uint256 b = how % 2;
		uint256 old = rollup.exited(b);
		uint256[N] memory before;
		for (uint256 k = 0; k < N; k++) before[k] = worth(citizen(k), assetOf(k));
		if (how % 4 == 3) {
			bytes32[] memory words = new bytes32[](6);
			for (uint256 i = 0; i < 6; i++) {
				words[i] = bytes32(bytes.concat(bytes20(citizen(6 + i)), bytes12(uint96(amounts[6 + i]))));
			}
			rollup.exitUniform(1, mask, address(0), words, bucketProof(1));
		} else {
			rollup.exitBucket(b, mask, book.bucket(b), bucketProof(b));
		}
		uint256 fresh = rollup.exited(b) & ~old;
		check(fresh & ~mask == 0, "left without being asked");
		for (uint256 k = 0; k < N; k++) {
			if (k / 6 == b && fresh & bit(indexOf(k)) != 0) left(k, citizen(k), before[k]);
			else check(worth(citizen(k), assetOf(k)) == before[k], "I3: paid who did not leave");
		}
	}

	function settle(uint256 k, bool whole) external {
		k %= N;
		uint256 b = k / 6;
		uint256 old = rollup.exited(b);
		if (whole) rollup.settleBucket(b, book.bucket(b), bucketProof(b));
		else rollup.settle(indexOf(k), book.record(indexOf(k)), proof(indexOf(k)));
		uint256 done = old & ~rollup.exited(b);
		for (uint256 i = 6 * b; i < 6 * b + 6; i++) {
			if (done & bit(indexOf(i)) == 0) continue;
			check(gone[i], "settled a leaf that had not left");
			(gone[i], amounts[i]) = (false, 0);
			write(i);
		}
		if (rollup.state() == STATE_RUNNING) settledTimes++;
	}

	/// An IOU, to the account that holds it.
	function claim(uint8 who) external {
		address to = citizen(who % 9 / 3 * 100 + 3 + who % 3);
		uint256 due = rollup.owed(to, address(token));
		uint256 before = token.balanceOf(to);
		rollup.claimFor(to, address(token));
		check(due != 0 && token.balanceOf(to) == before + due, "claim");
		check(rollup.owed(to, address(token)) == 0, "claimed and still owed");
	}
}
