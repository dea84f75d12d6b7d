// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./BadSteps.sol";

/// Everything anybody can do, in any order, beside a plain model of who is owed what.
/// A promise that fails is written to `broken`: reverts alone would hide it.
contract Handler is BadSteps {
	uint256 constant N = 12; // citizens, one leaf each; citizen 0 gets what is deposited
	string public broken;

	uint256 public deposited; // ever, and not refunded
	uint256 public uncovered; // deposits no batch has credited
	uint256 public unpaid; // executed, not yet paid
	uint256 public bounties; // of queued and unserved requests
	uint256 public paidOut; // to citizens, by exits and withdrawals
	uint256 public lastCount;
	uint256 public opened;
	uint256 public settledTimes;
	uint256 public rewound;
	uint256 public exits;
	mapping(uint256 => bool) public gone; // leaves whose bit is set
	mapping(uint64 => bool) refundedBounty;

	struct Queued {
		uint64 id;
		uint96 amount;
	}

	Queued[] deposits; // since the last batch, in this life
	uint64[] refundable;
	mapping(uint64 => uint96) depositAmount;

	function setUp() public override {
		super.setUp();
		vm.fee(1 gwei);
		vm.txGasPrice(2 gwei);
		for (uint256 i = 0; i < N; i++) put(i, coin(i, 1000 + i));
		rollup.deposit{value: 12066}(address(0), 12066, treasury);
		deposited = 12066;
		rollup.fundBond{value: 1 ether}();
		commit();
		lastCount = 1;
	}

	function check(bool holds, string memory what) internal {
		if (!holds && bytes(broken).length == 0) broken = what;
	}

	function amountOf(uint256 i) public view returns (uint256) {
		bytes memory record = book.record(i);
		return uint96(bytes12(slice(record, 41, 12)));
	}

	function rootOfBook() external view returns (bytes32) {
		return book.root();
	}

	function addressesOf() external view returns (ISovereignRollup, IEscapeHatch) {
		return (rollup, hatch);
	}

	// ---- time and service

	function warp(uint16 dt) external {
		vm.warp(block.timestamp + dt % 150 + 1);
	}

	/// An honest batch: some transfers, and the deposits to citizen 0.
	function serve(uint256 seed) public {
		uint256[N] memory amounts;
		for (uint256 i = 0; i < N; i++) amounts[i] = amountOf(i);
		for (uint256 k = 0; k < 3; k++) {
			uint256 r = uint256(keccak256(abi.encode(seed, k)));
			uint256 moved = amounts[r % N] * (r >> 100 & 0xff) / 255;
			amounts[r % N] -= moved;
			amounts[(r >> 20) % N] += moved;
		}
		for (uint256 i = 0; i < deposits.length; i++) amounts[0] += deposits[i].amount;
		for (uint256 i = 0; i < N; i++) {
			if (amounts[i] != amountOf(i)) put(i, coin(i, amounts[i]));
		}
		commit();
		delete deposits;
		uncovered = 0;
		lastCount++;
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

	// ---- what citizens force

	function deposit(uint16 amount) external {
		uint64 id = rollup.deposit{value: amount}(address(0), amount, citizen(0));
		deposits.push(Queued(id, amount));
		depositAmount[id] = amount;
		deposited += amount;
		uncovered += amount;
	}

	function request(uint256 i, uint96 amount) external {
		i %= N;
		uint256 bounty = rollup.bounty();
		vm.deal(citizen(50), bounty);
		amount = amount % 1500 + 1;
		bytes memory s = sig(0x10000 + i, withdrawDigest(uint40(i), amount, citizen(100 + i)));
		vm.prank(citizen(50));
		rollup.requestWithdrawalFor{value: bounty}(
			uint40(i), amount, citizen(100 + i), bounties, uint64(block.timestamp), s
		);
		bounties += bounty;
	}

	function withdrawDigest(uint40 index, uint96 amount, address to) internal view returns (bytes32) {
		bytes32 kind =
			keccak256("Withdraw(uint40 index,uint96 amount,address recipient,uint256 salt,uint64 expiry)");
		bytes32 content = keccak256(abi.encode(kind, index, amount, to, bounties, uint64(block.timestamp)));
		return typed("SovereignRollup", address(rollup), content);
	}

	function execute(bool bySequencer) external {
		(uint64 head,,,) = rollup.queues();
		(Withdrawal memory w,) = rollup.withdrawal(head);
		uint256 had = amountOf(w.index);
		bytes memory record = book.record(w.index);
		bytes32[] memory path = proof(w.index);
		bool late = block.timestamp > w.stamp + INCLUSION;
		vm.prank(bySequencer ? rollup.sequencer() : citizen(60));
		rollup.executeWithdrawal(head, record, path);
		(Withdrawal memory after_,) = rollup.withdrawal(head);
		check(late || bySequencer, "executed too early by a stranger");
		check(late || after_.amount == w.amount, "executed in part, too early");
		check(after_.amount == (had < w.amount ? had : w.amount), "debit");
		book.set(w.index, coin(w.index, had - after_.amount));
		unpaid += after_.amount;
		bounties -= w.bounty;
	}

	function pay(uint64 id) external {
		(, uint64 tail,,) = rollup.queues();
		id %= tail;
		(Withdrawal memory w, uint8 fate) = rollup.withdrawal(id);
		uint256 before = w.recipient.balance;
		rollup.pay(id);
		check(fate == 1, "paid what was not executed");
		check(block.timestamp > w.stamp + FINALITY, "paid before finality");
		check(w.recipient.balance == before + w.amount, "payment");
		unpaid -= w.amount;
		paidOut += w.amount;
	}

	function refundBounty(uint64 id) external {
		(, uint64 tail,,) = rollup.queues();
		id %= tail;
		(Withdrawal memory w, uint8 fate) = rollup.withdrawal(id);
		rollup.refundBounty(id);
		check(fate == 5, "refunded a bounty of a request that was served");
		bounties -= w.bounty;
	}

	function refundDeposit(uint8 which) external {
		uint64 id = refundable[which % refundable.length];
		uint96 amount = depositAmount[id];
		rollup.refundDeposit(id, address(this), address(0), amount, citizen(0));
		check(amount != 0, "refunded twice");
		depositAmount[id] = 0;
		deposited -= amount;
		uncovered -= amount;
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
		check(phase == 1, "I5: promoted while not late");
		check(hatch.epoch() == epoch + 1, "epoch");
		check(rollup.sequencer() == to, "promoted another");
	}

	function voteOpen(uint8 mask) external {
		uint8 phase = hatch.phase();
		(bytes memory bundle, uint256 n) = signedBy(mask, voteDigest(OPEN, count(), keccak256(""), soon()));
		hatch.open("", soon(), bundle);
		check(n >= 4, "I4: opened by too few");
		check(phase == 1 || phase == 2, "I5: opened while live");
		wasOpened();
	}

	function openAfterDeadline() external {
		uint8 state = rollup.state();
		uint64 since = rollup.overdue();
		hatch.openAfterDeadline();
		check(
			block.timestamp > lastAt() + HARD || (since != 0 && block.timestamp > since + HARD),
			"opened before its time"
		);
		if (state == 0) wasOpened();
		else opened++;
	}

	function wasOpened() internal {
		opened++;
		for (uint256 i = 0; i < deposits.length; i++) refundable.push(deposits[i].id);
		delete deposits;
	}

	function resume(uint8 mask, bool second) external {
		address to = second ? standbyB : sequencer;
		uint64 from = hatch.deadlines().resumeFrom;
		(bytes memory bundle, uint256 n) = signedBy(mask | 3, voteDigest(RESUME, 0, asSubject(to), later()));
		hatch.resume(to, later(), bundle);
		check(n >= 4, "I4: resumed by too few");
		check(from != 0 && block.timestamp > from, "resumed too early");
	}

	/// A batch whose root its data does not give, or which takes citizen 3's leaf; then the proof.
	function badBatch_(bool steal, uint8 wait) external {
		bytes memory old = book.record(3);
		bytes memory old5 = book.record(5);
		bytes32 root = rollup.stateRoot();
		put(3, steal ? coin(4, amountOf(3)) : coin(3, amountOf(3) + 1));
		put(5, coin(5, 0));
		uint256 dropped = deposits.length;
		Landed memory x = landWith(0, steal ? bytes32(0) : keccak256("wrong"), 0);
		lastCount++;
		bytes memory proof_ = abi.encode(proofOf(x, 0));
		vm.warp(block.timestamp + wait % 60);
		hatch.openOnBadBatch(proof_);
		book.set(3, old);
		book.set(5, old5);
		check(rollup.stateRoot() == root, "rewound to another root");
		check(deposits.length == dropped, "deposits");
		wasOpened();
		rewound++;
	}

	// ---- the way out

	function left(uint256 i, uint256 before, uint256 amount) internal {
		check(!gone[i], "I2: a leaf twice");
		check(amount != 0, "paid an empty leaf");
		check(citizen(i).balance == before + amount, "I3: paid another sum");
		gone[i] = true;
		paidOut += amount;
		exits++;
	}

	function exit(uint256 i, bool to) external {
		i %= N;
		uint256 amount = amountOf(i);
		uint256 before = citizen(i).balance;
		uint256 from = hatch.deadlines().exitsFrom;
		(bytes memory record, bytes32[] memory path) = (book.record(i), proof(i));
		if (to) {
			vm.prank(citizen(i));
			rollup.exitTo(uint40(i), record, path, citizen(200), "");
			before = citizen(i).balance - amount;
		} else {
			rollup.exit(uint40(i), record, path);
		}
		check(from != 0 && block.timestamp > from, "left too early");
		if (to) {
			// the refund of the bond went to the citizen, who called
			check(!gone[i], "I2: a leaf twice");
			gone[i] = true;
			paidOut += amount;
			exits++;
		} else {
			left(i, before, amount);
		}
	}

	function exitBucket(uint256 mask) external {
		uint256 old = rollup.exited(0);
		uint256[N] memory before;
		for (uint256 i = 0; i < N; i++) before[i] = citizen(i).balance;
		rollup.exitBucket(0, mask, book.bucket(0), bucketProof(0));
		uint256 fresh = rollup.exited(0) & ~old;
		check(fresh & ~mask == 0, "left without being asked");
		for (uint256 i = 0; i < N; i++) {
			if (fresh >> i & 1 == 1) left(i, before[i], amountOf(i));
		}
	}

	function settle(uint256 i, bool whole) external {
		i %= N;
		uint256 old = rollup.exited(0);
		if (whole) rollup.settleBucket(0, book.bucket(0), bucketProof(0));
		else rollup.settle(uint40(i), book.record(i), proof(i));
		uint256 done = old & ~rollup.exited(0);
		for (uint256 k = 0; k < N; k++) {
			if (done >> k & 1 == 0) continue;
			check(gone[k], "settled a leaf that had not left");
			gone[k] = false;
			book.set(k, coin(k, 0));
		}
		if (rollup.state() == 0) settledTimes++;
	}
}
