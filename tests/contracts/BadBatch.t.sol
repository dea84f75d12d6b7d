// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./BadSteps.sol";

/// openOnBadBatch: what can be proven, what cannot, and what falls with it.
contract BadBatchTest is BadSteps {
	function setUp() public override {
		super.setUp();
		vm.fee(0);
	}

	function refused(BadStep memory s, bytes4 why) internal {
		bytes memory proof_ = abi.encode(s);
		vm.expectRevert(why);
		hatch.openOnBadBatch(proof_);
	}

	/// 200 leaves, then a batch that updates 150 of them: three steps.
	function bad(uint256 place, uint256 proven) internal returns (Landed memory x) {
		populate(200);
		vm.warp(block.timestamp + 10);
		for (uint256 i = 0; i < 150; i++) put(i, coin(i, 7 * i));
		x = landWith(place, keccak256("wrong"), proven);
	}

	// ---- what can be proven

	function test_wrong_root_at_each_step() public {
		for (uint256 k = 0; k < 3; k++) {
			uint256 snapshot = vm.snapshotState();
			Landed memory x = bad(k, k);
			hatch.openOnBadBatch(abi.encode(proofOf(x, k)));
			same(rollup.state(), 1, "open");
			same(rollup.stateRoot(), x.p.b.prevRoot, "root before");
			vm.revertToState(snapshot);
		}
	}

	function test_good_steps_cannot_be_proven() public {
		for (uint256 k = 0; k < 3; k++) {
			uint256 snapshot = vm.snapshotState();
			populate(200);
			for (uint256 i = 0; i < 150; i++) put(i, coin(i, 7 * i));
			Landed memory x = landWith(0, 0, k);
			refused(proofOf(x, k), StepIsGood.selector);
			vm.revertToState(snapshot);
		}
	}

	function test_the_step_before_a_bad_one_is_good() public {
		Landed memory x = bad(1, 0);
		refused(proofOf(x, 0), StepIsGood.selector);
	}

	/// The first batch of all, from the empty tree.
	function test_bad_first_batch() public {
		for (uint256 i = 0; i < 70; i++) put(i, coin(i, i));
		Landed memory x = landWith(1, keccak256("wrong"), 1);
		hatch.openOnBadBatch(abi.encode(proofOf(x, 1)));
		same(rollup.stateRoot(), Ledger(new Ledger()).rootAt(8), "empty");
		same(rollup.depth(), 8, "depth");
	}

	/// The old root is lifted when the tree grows by several levels at once.
	function growth(uint256 place, bytes32 wrong, uint256 proven) internal returns (Landed memory x) {
		populate(250);
		put(3, coin(3, 1));
		for (uint256 i = 250; i < 600; i++) put(i, coin(i, i));
		x = landWith(place, wrong, proven);
	}

	function test_growth_good_step_zero() public {
		Landed memory x = growth(0, 0, 0);
		refused(proofOf(x, 0), StepIsGood.selector);
	}

	function test_growth_bad_step_zero() public {
		Landed memory x = growth(0, keccak256("wrong"), 0);
		hatch.openOnBadBatch(abi.encode(proofOf(x, 0)));
		same(rollup.stateRoot(), x.p.b.prevRoot, "root");
		same(rollup.depth(), 8, "depth");
	}

	function test_growth_last_step() public {
		Landed memory x = growth(5, keccak256("wrong"), 5);
		hatch.openOnBadBatch(abi.encode(proofOf(x, 5)));
		same(rollup.stateRoot(), x.p.b.prevRoot, "root");
	}

	/// A root that the data gives, but which takes a leaf from its owner.
	function reowned(bytes memory old, bytes memory fresh, bool isBad) internal {
		uint256 snapshot = vm.snapshotState();
		put(0, coin(0, 1));
		put(1, old);
		commit();
		put(1, fresh);
		Landed memory x = landWith(0, 0, 0);
		if (isBad) hatch.openOnBadBatch(abi.encode(proofOf(x, 0)));
		else refused(proofOf(x, 0), StepIsGood.selector);
		same(rollup.state(), isBad ? 1 : 0, "state");
		vm.revertToState(snapshot);
	}

	function test_reowning() public {
		address a = address(0xa55e7);
		reowned(coin(1, 5), coin(2, 5), true);
		reowned(coin(1, 5), credential(citizen(1), bytes32(uint256(5))), true);
		reowned(credential(citizen(1), bytes32(uint256(5))), coin(1, 5), true);
		reowned(coin(1, 5), balance(citizen(1), a, 5), true);
		reowned(balance(citizen(1), a, 5), coin(1, 5), true);
		reowned(credential(citizen(1), bytes32(uint256(5))), credential(citizen(2), bytes32(uint256(5))), true);
		reowned(coin(1, 5), new bytes(53), true);
		reowned(coin(1, 5), abi.encodePacked(uint8(0), citizen(1), bytes32(uint256(5))), true);
		reowned(coin(1, 5), abi.encodePacked(uint8(3), citizen(1), bytes32(uint256(5))), true);
		reowned(coin(1, 5), balance(address(0), address(0), 5), true);
		reowned(coin(1, 5), coin(1, 6), false);
		reowned(balance(citizen(1), a, 5), balance(citizen(1), a, type(uint96).max), false);
		reowned(credential(citizen(1), keccak256("a")), credential(citizen(1), keccak256("b")), false);
		reowned(credential(citizen(1), keccak256("a")), credential(citizen(1), 0), false);
	}

	function test_reowning_one_among_many() public {
		populate(200);
		for (uint256 i = 0; i < 64; i++) put(i * 2, coin(i == 40 ? 81 : i * 2, 7));
		Landed memory x = landWith(0, 0, 0);
		hatch.openOnBadBatch(abi.encode(proofOf(x, 0)));
		same(rollup.state(), 1, "open");
	}

	// ---- what a proof must open

	function test_every_field_must_open() public {
		Landed memory x = bad(1, 1);
		bytes32 flip = bytes32(uint256(1));
		BadStep memory s = proofOf(x, 1);
		s.rootBefore ^= flip;
		refused(s, NotProven.selector);
		s = proofOf(x, 1);
		s.chunkHashBefore ^= flip;
		refused(s, NotProven.selector);
		s = proofOf(x, 1);
		s.rootAfter ^= flip;
		refused(s, NotProven.selector);
		s = proofOf(x, 1);
		s.steps[2] ^= flip;
		refused(s, NotProven.selector);
		s = proofOf(x, 1);
		s.chunk[9] ^= 0x01;
		refused(s, NotProven.selector);
		s = proofOf(x, 1);
		s.oldRecords[50] ^= 0x01;
		refused(s, NotProven.selector);
		s.oldRecords[50] ^= 0x01;
		s = proofOf(x, 1);
		s.siblings[0] ^= flip;
		refused(s, NotProven.selector);
		s.siblings[0] ^= flip;
		hatch.openOnBadBatch(abi.encode(proofOf(x, 1)));
	}

	function test_lengths_are_exact() public {
		Landed memory x = bad(1, 1);
		BadStep memory s = proofOf(x, 1);
		s.step = 3;
		refused(s, NotProven.selector);
		s = proofOf(x, 1);
		s.chunk = bytes.concat(s.chunk, hex"00");
		refused(s, NotProven.selector);
		s = proofOf(x, 1);
		s.oldRecords = bytes.concat(s.oldRecords, new bytes(53));
		refused(s, NotProven.selector);
		s = proofOf(x, 1);
		s.oldRecords = slice(s.oldRecords, 0, 63 * 53);
		refused(s, NotProven.selector);
		s = proofOf(x, 1);
		bytes32[] memory more = new bytes32[](s.siblings.length + 1);
		for (uint256 i = 0; i < s.siblings.length; i++) more[i] = s.siblings[i];
		bytes32[] memory less = new bytes32[](s.siblings.length - 1);
		for (uint256 i = 0; i < less.length; i++) less[i] = s.siblings[i];
		s.siblings = more;
		refused(s, NotProven.selector);
		s.siblings = less;
		refused(s, NotProven.selector);
	}

	/// The judge alone, for shapes that no committed batch can have.
	function test_chunk_sizes() public {
		Landed memory x = bad(1, 1);
		BadStep memory s = proofOf(x, 1);
		IBadBatch judge = IBadBatch(badBatch);
		s.chunk = "";
		s.oldRecords = "";
		s.steps[1] = keccak256(abi.encode(keccak256(""), s.rootAfter));
		s.batch.diffHash = keccak256(abi.encodePacked(s.steps));
		vm.expectRevert(NotProven.selector);
		judge.judge(s);
		s.chunk = new bytes(65 * 58);
		for (uint256 i = 0; i < 65; i++) s.chunk[i * 58 + 4] = bytes1(uint8(i));
		s.oldRecords = new bytes(65 * 53);
		s.steps[1] = keccak256(abi.encode(keccak256(s.chunk), s.rootAfter));
		s.batch.diffHash = keccak256(abi.encodePacked(s.steps));
		vm.expectRevert(NotProven.selector);
		judge.judge(s);
	}

	/// 64 entries alone: a chunk one longer must not pass for good either.
	function test_sixty_five_entries_are_no_step() public {
		BadStep memory s;
		Ledger empty = new Ledger();
		s.batch.leafCount = 65;
		s.batch.prevRoot = empty.rootAt(8);
		for (uint256 i = 0; i < 65; i++) s.chunk = bytes.concat(s.chunk, abi.encodePacked(uint40(i), coin(i, i)));
		s.oldRecords = new bytes(65 * 53);
		s.siblings = multiproof(s.chunk, 8);
		s.steps = new bytes32[](1);
		s.rootAfter = keccak256("wrong");
		s.steps[0] = keccak256(abi.encode(keccak256(s.chunk), s.rootAfter));
		s.batch.diffHash = keccak256(abi.encodePacked(s.steps));
		vm.expectRevert(NotProven.selector);
		IBadBatch(badBatch).judge(s);
		s.chunk = slice(s.chunk, 0, 64 * 58);
		s.oldRecords = new bytes(64 * 53);
		s.siblings = multiproof(s.chunk, 8);
		s.steps[0] = keccak256(abi.encode(keccak256(s.chunk), s.rootAfter));
		s.batch.diffHash = keccak256(abi.encodePacked(s.steps));
		(Batch memory b,) = IBadBatch(badBatch).judge(s);
		same(b.leafCount, 65, "what it is about");
	}

	function test_batch_and_before_are_as_committed() public {
		Landed memory x = bad(0, 0);
		BadStep memory s = proofOf(x, 0);
		s.batch.number = 1;
		refused(s, UnknownBatch.selector);
		s = proofOf(x, 0);
		s.batch.number = 3;
		refused(s, UnknownBatch.selector);
		s = proofOf(x, 0);
		s.before.committedAt += 1;
		refused(s, UnknownBatch.selector);
		s = proofOf(x, 0);
		s.before.inboxThrough = 0;
		refused(s, UnknownBatch.selector);
		s = proofOf(x, 0);
		s.before.withdrawHead = 5;
		refused(s, UnknownBatch.selector);
		s = proofOf(x, 0);
		s.batch.inboxThrough = 0;
		refused(s, UnknownBatch.selector);
	}

	// ---- until when, and in which state

	function test_until_finality() public {
		Landed memory x = bad(0, 0);
		uint256 t = block.timestamp;
		bytes memory proof_ = abi.encode(proofOf(x, 0));
		uint256 snapshot = vm.snapshotState();
		vm.warp(t + FINALITY - 1);
		hatch.openOnBadBatch(proof_);
		vm.revertToState(snapshot);
		vm.warp(t + FINALITY);
		hatch.openOnBadBatch(proof_);
		vm.revertToState(snapshot);
		vm.warp(t + FINALITY + 1);
		vm.expectRevert(BatchFinal.selector);
		hatch.openOnBadBatch(proof_);
	}

	function test_emits_and_keeps_numbers() public {
		Landed memory x = bad(0, 0);
		uint64 t = lastAt();
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.Rewound(2, x.p.b.prevRoot, 200, 1, 0);
		vm.expectEmit(true, true, true, true, address(hatch));
		emit IEscapeHatch.Opened(1, 4, x.p.b.prevRoot, 2);
		hatch.openOnBadBatch(abi.encode(proofOf(x, 0)));
		same(count(), 2, "the count never falls");
		same(lastAt(), t, "no progress");
		same(hatch.epoch(), 1, "epoch");
		same(rollup.batchHash(2), 0, "dropped");
		no(rollup.batchHash(1) == 0, "kept");
		same(hatch.deadlines().resumeFrom, t + FINALITY + INCLUSION, "resumeFrom");
	}

	function test_all_later_batches_fall_and_cannot_be_proven_again() public {
		Landed memory x = bad(0, 0);
		bytes memory proof_ = abi.encode(proofOf(x, 0));
		put(0, coin(0, 1));
		Landed memory y = landWith(0, keccak256("worse"), 0);
		same(count(), 3, "three");
		hatch.openOnBadBatch(proof_);
		same(rollup.batchHash(2), 0, "dropped");
		same(rollup.batchHash(3), 0, "dropped");
		vm.expectRevert(UnknownBatch.selector);
		hatch.openOnBadBatch(proof_);
		y.before.leafCount = 200;
		refused(proofOf(y, 0), NotProven.selector);
	}

	/// An earlier bad batch may be proven after a later one, or after a vote.
	function test_an_earlier_one_may_still_be_proven_when_open() public {
		populate(200);
		for (uint256 i = 0; i < 10; i++) put(i, coin(i + 1, 7 * i));
		Landed memory x = landWith(0, 0, 0);
		bytes memory early = abi.encode(proofOf(x, 0));
		vm.warp(block.timestamp + 1);
		put(0, coin(1, 1));
		x = landWith(0, keccak256("worse"), 0);
		hatch.openOnBadBatch(abi.encode(proofOf(x, 0)));
		same(rollup.stateRoot(), x.p.b.prevRoot, "before the later");
		same(rollup.batchHash(3), 0, "dropped");
		no(rollup.batchHash(2) == 0, "kept");
		uint64 from = hatch.deadlines().resumeFrom;
		uint256 t = block.timestamp;
		same(openedAt(), t, "openedAt");
		vm.warp(t + 5);
		hatch.openOnBadBatch(early);
		same(openedAt(), t, "it was open already");
		same(rollup.batchHash(2), 0, "dropped");
		same(rollup.batchHash(3), 0, "still dropped");
		same(hatch.epoch(), 2, "epoch");
		same(hatch.deadlines().resumeFrom, from, "no clock moves");
	}

	function openedAt() internal view returns (uint256) {
		return uint64(uint256(vm.load(address(hatch), 0)) >> 128);
	}

	function test_after_a_vote_to_open() public {
		// long finality, so that a batch can still be bad when the chain is LATE
		Terms memory w = terms0();
		w.finality = 200;
		deploy(w, thresholds0());
		Landed memory x = bad(0, 0);
		bytes memory proof_ = abi.encode(proofOf(x, 0));
		goLate();
		openByVote();
		hatch.openOnBadBatch(proof_);
		same(rollup.stateRoot(), x.p.b.prevRoot, "root");
		same(hatch.deadlines().exitsFrom, lastAt() + 200, "exits wait for finality");
	}

	function test_not_while_settling() public {
		populate(2);
		rollup.fundBond{value: 1}();
		openBySilence();
		vm.warp(block.timestamp + 1);
		rollup.exit(0, book.record(0), proof(0));
		vm.warp(hatch.deadlines().resumeFrom + 1);
		resume(standbyA);
		vm.expectRevert(WrongPhase.selector);
		hatch.openOnBadBatch("");
		vm.prank(address(hatch));
		vm.expectRevert(WrongState.selector);
		rollup.rewind("");
	}

	function test_opens_when_late_and_when_promoted() public {
		Terms memory w = terms0();
		w.finality = 200;
		deploy(w, thresholds0());
		Landed memory x = bad(0, 0);
		bytes memory proof_ = abi.encode(proofOf(x, 0));
		goLate();
		promote(standbyA);
		hatch.openOnBadBatch(proof_);
		same(rollup.state(), 1, "open");
	}

	function test_deletes_a_pending_amendment() public {
		Landed memory x = bad(0, 0);
		Amendment memory a;
		a.terms = terms0();
		a.thresholds = thresholds0();
		a.guardians = addresses(guardianKeys);
		a.standbys = standbys0();
		bytes32 hash = voteDigest(AMEND, 0, keccak256(abi.encode(a)), later());
		hatch.amend(a, later(), sigs(guardianKeys, 0, 5, hash), "");
		hatch.openOnBadBatch(abi.encode(proofOf(x, 0)));
		(bytes32 pending,) = hatch.pending();
		same(pending, 0, "pending");
	}

	// ---- what falls with a batch

	function test_queues_and_withdrawals_after_a_rewind() public {
		populate(200);
		// executed before the bad batch: stays
		ask(5, 10);
		execute(5, 0);
		book.set(5, coin(5, 995));
		rollup.deposit{value: 9}(address(0), 9, treasury);
		vm.warp(block.timestamp + 1);
		// the bad batch takes citizen 8's coins for citizen 7, and covers the deposit
		put(7, coin(7, 2015));
		put(8, coin(9, 0));
		Landed memory x = landWith(0, 0, 0);
		bytes memory proof_ = abi.encode(proofOf(x, 0));
		// executed after it: cancelled.  Void after it: void
		ask(7, 2015);
		execute(7, 1);
		book.set(7, coin(7, 0));
		vm.deal(citizen(1), 1 ether);
		vm.prank(citizen(1));
		rollup.requestWithdrawal{value: 5000}(2, 50, citizen(1));
		execute(2, 2);
		ask(3, 10);
		rollup.deposit{value: 4}(address(0), 4, treasury);
		uint256 vault = rollup.vault(address(0));
		vm.warp(block.timestamp + 1);
		hatch.openOnBadBatch(proof_);
		same(rollup.vault(address(0)), vault, "vault");
		uint8[4] memory fates = [1, 4, 3, 5];
		for (uint64 id = 0; id < 4; id++) {
			(, uint8 fate) = rollup.withdrawal(id);
			same(fate, fates[id], "fate");
		}
		uint8[3] memory items = [1, 2, 2];
		for (uint64 id = 0; id < 3; id++) {
			(, uint8 fate) = rollup.inboxItem(id);
			same(fate, items[id], "item");
		}
		vm.warp(block.timestamp + FINALITY + 1);
		rollup.pay(0);
		same(citizen(105).balance, 10, "paid");
		vm.expectRevert(abi.encodeWithSelector(WrongFate.selector, 4));
		rollup.pay(1);
		rollup.refundBounty(3);
		rollup.refundDeposit(1, address(this), address(0), 9, treasury);
		rollup.refundDeposit(2, address(this), address(0), 4, treasury);
		// everybody is back where they were
		book.set(7, coin(7, 1007));
		book.set(8, coin(8, 1008));
		same(rollup.stateRoot(), book.root(), "root");
		rollup.exitBucket(0, type(uint256).max, book.bucket(0), bucketProof(0));
		same(citizen(8).balance, 1008, "citizen 8");
		same(rollup.vault(address(0)), 0, "the vault is empty to the wei");
	}

	/// An opening between: what a vote wrote down is lowered, never raised.
	function test_rewind_after_a_vote_lowers_what_is_void() public {
		Terms memory w = terms0();
		w.finality = 200;
		deploy(w, thresholds0());
		populate(200);
		rollup.deposit{value: 9}(address(0), 9, treasury);
		put(7, coin(6, 1007));
		Landed memory x = landWith(0, 0, 0);
		bytes memory proof_ = abi.encode(proofOf(x, 0));
		ask(3, 10);
		execute(3, 0);
		ask(4, 10);
		vm.warp(lastAt() + SLA + 1);
		openByVote();
		(, uint8 fate) = rollup.withdrawal(0);
		same(fate, 1, "executed");
		(, fate) = rollup.inboxItem(1);
		same(fate, 1, "covered");
		hatch.openOnBadBatch(proof_);
		(, fate) = rollup.withdrawal(0);
		same(fate, 4, "cancelled");
		(, fate) = rollup.withdrawal(1);
		same(fate, 5, "unserved");
		(, fate) = rollup.inboxItem(1);
		same(fate, 2, "refundable");
	}

	function test_life_goes_on_after_a_rewind() public {
		Landed memory x = bad(2, 2);
		hatch.openOnBadBatch(abi.encode(proofOf(x, 2)));
		book.truncate(0);
		for (uint256 i = 0; i < 200; i++) book.set(i, coin(i, 1000 + i));
		same(rollup.stateRoot(), book.root(), "root");
		rollup.fundBond{value: 1}();
		vm.warp(hatch.deadlines().resumeFrom + 1);
		resume(standbyA);
		put(0, coin(0, 1));
		Plan memory p = commit();
		same(p.b.number, 3, "the next number");
		no(rollup.batchHash(3) == 0, "kept");
		same(rollup.batchHash(2), 0, "dropped for ever");
		// a second life may be rewound as well
		vm.warp(block.timestamp + 1);
		put(1, coin(2, 1));
		x = landWith(0, 0, 0);
		hatch.openOnBadBatch(abi.encode(proofOf(x, 0)));
		same(rollup.batchHash(4), 0, "dropped");
		no(rollup.batchHash(3) == 0, "kept");
		same(rollup.batchHash(2), 0, "dropped for ever");
	}

	function ask(uint256 i, uint96 amount) internal {
		vm.deal(citizen(i), 1 ether);
		vm.prank(citizen(i));
		rollup.requestWithdrawal{value: 5000}(uint40(i), amount, citizen(100 + i));
	}

	function execute(uint256 index, uint64 id) internal {
		(bytes memory record, bytes32[] memory path) = (book.record(index), proof(index));
		vm.prank(sequencer);
		rollup.executeWithdrawal(id, record, path);
	}

	/// Any step of any batch: provable if and only if its root is wrong.
	function testFuzz_judged_as_the_book_says(uint256 seed, bool lie) public {
		uint256 leaves = 1 + seed % 300;
		populate(leaves);
		uint256 n = 0;
		for (uint256 i = 0; i < leaves; i++) {
			if (uint256(keccak256(abi.encode(seed, i))) % 3 == 0) {
				put(i, coin(i, i));
				n++;
			}
		}
		for (uint256 i = leaves; i < leaves + seed % 7 + 1; i++) {
			put(i, coin(i, i));
			n++;
		}
		uint256 step = seed % ((n + 63) / 64);
		Landed memory x = landWith(step, lie ? keccak256("wrong") : bytes32(0), step);
		if (lie) hatch.openOnBadBatch(abi.encode(proofOf(x, step)));
		else refused(proofOf(x, step), StepIsGood.selector);
		same(rollup.state(), lie ? 1 : 0, "state");
	}
}
