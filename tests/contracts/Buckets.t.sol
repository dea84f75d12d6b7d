// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./ExitBase.sol";

/// Whole buckets out: every sort of leaf, of token and of payee.
contract BucketsTest is ExitBase {
	// ---- buckets

	function test_bucket_pays_everybody_in_the_mask() public {
		populate(256);
		openNow();
		uint256 mask = type(uint256).max ^ 0x10;
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.Exited(0, mask, 0, 0);
		bucket(0, mask);
		uint256 sum = 0;
		for (uint256 i = 0; i < 256; i++) {
			same(citizen(i).balance, i == 4 ? 0 : 1000 + i, "paid");
			sum += citizen(i).balance;
		}
		same(rollup.vault(address(0)), 1004, "vault");
		same(rollup.exited(0), mask, "bits");
		tryBucket(0, mask, NothingToExit.selector);
		bucket(0, type(uint256).max);
		same(citizen(4).balance, 1004, "the last one");
		same(rollup.vault(address(0)), 0, "empty");
		tryBucket(0, type(uint256).max, NothingToExit.selector);
	}

	function test_bucket_with_all_sorts() public {
		put(0, coin(0, 10));
		put(1, credential(citizen(1), keccak256("id")));
		put(2, balance(citizen(2), address(token), 20));
		put(3, coin(3, 0));
		put(4, balance(citizen(4), address(token), 30));
		put(5, coin(5, 40));
		rollup.deposit{value: 50}(address(0), 50, treasury);
		rollup.deposit(address(token), 50, treasury);
		commit();
		openNow();
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.Exited(0, 0x35, 0, 0);
		bucket(0, type(uint256).max);
		same(citizen(0).balance, 10, "0");
		same(token.balanceOf(citizen(2)), 20, "2");
		same(token.balanceOf(citizen(4)), 30, "4");
		same(citizen(5).balance, 40, "5");
		same(rollup.vault(address(0)), 0, "coin");
		same(rollup.vault(address(token)), 0, "token");
		same(rollup.exited(0), 0x35, "bits");
	}

	/// An asset that is short leaves its leaves exitable; the others go.
	function test_bucket_with_a_short_asset() public {
		put(0, balance(citizen(0), address(token), 30));
		put(1, coin(1, 10));
		put(2, balance(citizen(2), address(token), 31));
		put(3, balance(citizen(3), address(token), 20));
		put(4, coin(4, 10));
		rollup.deposit{value: 20}(address(0), 20, treasury);
		rollup.deposit(address(token), 60, treasury);
		commit();
		openNow();
		bucket(0, type(uint256).max);
		same(rollup.exited(0), 0x1b, "all but 2");
		same(rollup.vault(address(token)), 10, "vault");
		tryBucket(0, type(uint256).max, NothingToExit.selector);
		tryExit(2, VaultShort.selector);
	}

	/// All in one asset, of which there is one too little: all but the one that does not fit.
	function test_plain_bucket_with_a_short_asset() public {
		for (uint256 i = 0; i < 6; i++) put(i, coin(i, 10 + i));
		rollup.deposit{value: 74}(address(0), 74, treasury);
		commit();
		openNow();
		uint256 snapshot = vm.snapshotState();
		bucket(0, 63);
		same(rollup.exited(0), 31, "all but the last");
		same(rollup.vault(address(0)), 14, "vault");
		same(citizen(5).balance, 0, "not paid");
		vm.revertToState(snapshot);
		rollup.exitUniform(0, 63, address(0), words(6), bucketProof(0));
		same(rollup.exited(0), 31, "all but the last");
	}

	/// All in one asset, but one has nothing: he is not marked as gone.
	function test_plain_bucket_with_a_spent_leaf() public {
		put(0, coin(0, 10));
		put(1, coin(1, 0));
		put(2, coin(2, 12));
		rollup.deposit{value: 22}(address(0), 22, treasury);
		commit();
		openNow();
		uint256 snapshot = vm.snapshotState();
		bucket(0, 7);
		same(rollup.exited(0), 5, "bits");
		vm.revertToState(snapshot);
		rollup.exitUniform(0, 7, address(0), words(3), bucketProof(0));
		same(rollup.exited(0), 5, "bits");
	}

	/// Nothing behind the last leaf is read: here the proof stands behind it.
	function test_uniform_in_a_deeper_tree() public {
		populate(300);
		openNow();
		bytes32[] memory all = new bytes32[](44);
		for (uint256 i = 0; i < 44; i++) {
			bytes memory record = book.record(256 + i);
			all[i] = bytes32(bytes.concat(slice(record, 1, 20), slice(record, 41, 12)));
		}
		rollup.exitUniform(1, type(uint256).max, address(0), all, bucketProof(1));
		same(rollup.exited(1), (1 << 44) - 1, "bits");
		same(citizen(299).balance, 1299, "the last");
	}

	/// Nor is anything paid that is not on the list: the memory behind it was used for tokens.
	function test_nothing_behind_the_list_is_paid() public {
		address low = address(uint160(0x1234567890) << 32);
		put(0, balance(low, address(token), 30));
		put(1, coin(1, 10));
		rollup.deposit{value: 10}(address(0), 10, treasury);
		rollup.deposit(address(token), 30, treasury);
		commit();
		openNow();
		uint256 snapshot = vm.snapshotState();
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.Exited(0, 3, 0, 0);
		bucket(0, 3);
		vm.revertToState(snapshot);
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.Exited(0, 1, 0, 0);
		bucket(0, 1);
	}

	/// The same words, made so that they would read as one wei to somebody.
	function test_no_coin_behind_the_list_is_paid() public {
		put(0, balance(address(1 << 32), address(token), 30));
		put(1, coin(1, 10));
		rollup.deposit{value: 10}(address(0), 10, treasury);
		rollup.deposit(address(token), 30, treasury);
		rollup.fundBond{value: 100}();
		commit();
		openNow();
		bucket(0, 3);
		same(address(rollup).balance, 100, "the bond is all there is");
	}

	/// Every leaf pays, in two assets: each out of its own pot.
	function test_two_assets_and_nobody_without() public {
		put(0, coin(0, 10));
		put(1, balance(citizen(1), address(token), 20));
		rollup.deposit{value: 100}(address(0), 100, treasury);
		rollup.deposit(address(token), 20, treasury);
		commit();
		openNow();
		bucket(0, type(uint256).max);
		same(rollup.exited(0), 3, "bits");
		same(rollup.vault(address(0)), 90, "coins");
		same(rollup.vault(address(token)), 0, "tokens");
	}

	/// What a bucket call should do, leaf by leaf: against everything mixed, short and masked.
	function testFuzz_mixed_buckets(uint256 seed, uint256 mask, uint8 n, bool again) public {
		uint256 size = 1 + n % 40;
		address[3] memory assets = [address(0), address(token), address(new Token())];
		uint256[3] memory sums;
		for (uint256 i = 0; i < size; i++) {
			uint256 r = uint256(keccak256(abi.encode(seed, i)));
			uint256 amount = r % 5 == 0 ? 0 : r >> 200;
			if (r >> 8 & 7 == 0) put(i, credential(citizen(i), bytes32(r)));
			else put(i, balance(citizen(i), assets[(r >> 16) % 3], amount));
			if (r >> 8 & 7 != 0) sums[(r >> 16) % 3] += amount;
		}
		Token(assets[2]).mint(address(this), 1 << 90);
		for (uint256 k = 0; k < 3; k++) {
			// sometimes the vault is short
			uint256 held = seed >> k & 1 == 0 ? sums[k] : sums[k] * 2 / 3;
			if (held != 0) rollup.deposit{value: k == 0 ? held : 0}(assets[k], uint96(held), treasury);
			sums[k] = held;
		}
		commit();
		openNow();
		uint256 wanted = expected(size, mask, 0, assets, sums);
		if (wanted == 0) return tryBucket(0, mask, NothingToExit.selector);
		bucket(0, mask);
		same(rollup.exited(0), wanted, "bits");
		uint256 more = expected(size, ~mask, wanted, assets, left(sums, size, wanted, assets));
		if (again && more != 0) {
			wanted |= more;
			bucket(0, ~mask);
			same(rollup.exited(0), wanted, "bits of the second call");
		}
		sums = left(sums, size, wanted, assets);
		for (uint256 k = 0; k < 3; k++) same(rollup.vault(assets[k]), sums[k], "vault");
	}

	/// In order, whoever is asked for, has not gone, and fits.
	function expected(uint256 size, uint256 mask, uint256 gone, address[3] memory assets, uint256[3] memory held)
		internal
		view
		returns (uint256 newly)
	{
		uint256[3] memory rest = [held[0], held[1], held[2]];
		for (uint256 i = 0; i < size; i++) {
			(uint256 k, uint256 amount) = holding(i, assets);
			if ((mask & ~gone) >> i & 1 == 0 || amount == 0 || amount > rest[k]) continue;
			rest[k] -= amount;
			newly |= 1 << i;
		}
	}

	function left(uint256[3] memory held, uint256 size, uint256 gone, address[3] memory assets)
		internal
		view
		returns (uint256[3] memory rest)
	{
		rest = [held[0], held[1], held[2]];
		for (uint256 i = 0; i < size; i++) {
			(uint256 k, uint256 amount) = holding(i, assets);
			if (gone >> i & 1 == 1) {
				rest[k] -= amount;
				if (k == 0) same(citizen(i).balance, amount, "paid");
				else same(Token(assets[k]).balanceOf(citizen(i)), amount, "paid");
			}
		}
	}

	/// Which asset a leaf holds, and how much; a credential holds nothing.
	function holding(uint256 i, address[3] memory assets) internal view returns (uint256 k, uint256 amount) {
		bytes memory record = book.record(i);
		if (record[0] != 0x01) return (0, 0);
		address asset = address(bytes20(slice(record, 21, 20)));
		while (assets[k] != asset) k++;
		amount = uint96(bytes12(slice(record, 41, 12)));
	}

	/// The mask strikes leaves of every place, in both forms.
	function testFuzz_masks(uint256 mask, bool uniform) public {
		populate(256);
		openNow();
		vm.assume(mask != 0);
		if (uniform) rollup.exitUniform(0, mask, address(0), words(256), bucketProof(0));
		else bucket(0, mask);
		same(rollup.exited(0), mask, "bits");
		for (uint256 i = 0; i < 256; i++) {
			same(citizen(i).balance, mask >> i & 1 == 1 ? 1000 + i : 0, "paid");
		}
	}

	/// Payees that refuse, between others, in one call.
	function testFuzz_refusals_block_nobody(uint16 refusing) public {
		payee.set(Payee.Mode.Refuses);
		uint256 sum = 0;
		for (uint256 i = 0; i < 16; i++) {
			put(i, balance(refusing >> i & 1 == 1 ? address(payee) : citizen(i), address(0), 10 + i));
			sum += 10 + i;
		}
		rollup.deposit{value: sum}(address(0), uint96(sum), treasury);
		commit();
		openNow();
		vm.recordLogs();
		bucket(0, type(uint256).max);
		Log memory log = only(vm.getRecordedLogs(), ISovereignRollup.Exited.selector);
		(uint256 paid, uint256 credited,) = abi.decode(log.data, (uint256, uint256, uint256));
		same(paid, 0xffff, "all");
		same(credited, refusing, "credited");
		uint256 due = 0;
		for (uint256 i = 0; i < 16; i++) {
			if (refusing >> i & 1 == 1) due += 10 + i;
			else same(citizen(i).balance, 10 + i, "paid");
		}
		same(rollup.owed(address(payee), address(0)), due, "owed");
		same(rollup.vault(address(0)), 0, "vault");
	}

	function test_bucket_takes_the_last_wei_of_an_asset() public {
		put(0, balance(citizen(0), address(token), 30));
		put(1, balance(citizen(1), address(token), 31));
		rollup.deposit(address(token), 61, treasury);
		commit();
		openNow();
		bucket(0, 3);
		same(rollup.vault(address(token)), 0, "vault");
	}

	function test_bucket_needs_the_proof() public {
		populate(5);
		openNow();
		bytes memory records = book.bucket(0);
		bytes32[] memory path = bucketProof(0);
		vm.expectRevert(WrongLength.selector);
		rollup.exitBucket(0, 1, bytes.concat(records, hex"00"), path);
		vm.expectRevert(WrongLength.selector);
		rollup.exitBucket(0, 1, new bytes(257 * 53), path);
		vm.expectRevert(BadProof.selector);
		rollup.exitBucket(0, 1, slice(records, 0, 4 * 53), path);
		records[20] ^= 0x01;
		vm.expectRevert(BadProof.selector);
		rollup.exitBucket(0, 1, records, path);
		records[20] ^= 0x01;
		// empty leaves may be spelled out
		rollup.exitBucket(0, 1, bytes.concat(records, new bytes(251 * 53)), path);
		vm.expectRevert(WrongDepth.selector);
		rollup.exitBucket(1, 1, records, path);
	}

	function test_refused_payouts_become_owed_and_block_nobody() public {
		Payee burns = new Payee();
		burns.set(Payee.Mode.Burns);
		payee.set(Payee.Mode.Refuses);
		put(0, coin(0, 10));
		put(1, balance(address(payee), address(0), 20));
		put(2, balance(address(burns), address(0), 30));
		put(3, coin(3, 40));
		rollup.deposit{value: 100}(address(0), 100, treasury);
		commit();
		openNow();
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.Owed(address(payee), address(0), 20);
		vm.expectEmit(true, true, true, true, address(rollup));
		emit ISovereignRollup.Exited(0, 15, 6, 0);
		bucket(0, 15);
		same(rollup.owed(address(payee), address(0)), 20, "owed");
		same(rollup.owed(address(burns), address(0)), 30, "owed");
		same(citizen(3).balance, 40, "the neighbour");
		same(rollup.vault(address(0)), 0, "out of the vault");
		tryExit(1, AlreadyExited.selector);
	}

	function tokenMode(Token.Mode mode, bool paid) internal {
		uint256 snapshot = vm.snapshotState();
		put(0, balance(citizen(0), address(token), 30));
		put(1, coin(1, 5));
		rollup.deposit(address(token), 30, treasury);
		rollup.deposit{value: 5}(address(0), 5, treasury);
		commit();
		openNow();
		token.set(mode);
		uint256 again = vm.snapshotState();
		exit(0);
		same(rollup.owed(citizen(0), address(token)), paid ? 0 : 30, "owed by a single exit");
		vm.revertToState(again);
		bucket(0, 3);
		same(rollup.owed(citizen(0), address(token)), paid ? 0 : 30, "owed");
		same(citizen(1).balance, 5, "the neighbour");
		vm.revertToState(snapshot);
	}

	function test_awkward_tokens() public {
		tokenMode(Token.Mode.Good, true);
		tokenMode(Token.Mode.Silent, true);
		tokenMode(Token.Mode.False, false);
		tokenMode(Token.Mode.Reverts, false);
		tokenMode(Token.Mode.Burns, false);
		tokenMode(Token.Mode.Two, true);
		tokenMode(Token.Mode.Heavy, false);
		tokenMode(Token.Mode.Short, false);
	}

	function test_a_token_that_is_gone_becomes_owed() public {
		put(0, balance(citizen(0), address(token), 30));
		rollup.deposit(address(token), 30, treasury);
		commit();
		openNow();
		vm.etch(address(token), "");
		uint256 snapshot = vm.snapshotState();
		bucket(0, 1);
		same(rollup.owed(citizen(0), address(token)), 30, "owed");
		vm.expectRevert(TransferFailed.selector);
		rollup.claimFor(citizen(0), address(token));
		vm.revertToState(snapshot);
		exit(0);
		same(rollup.owed(citizen(0), address(token)), 30, "owed");
	}

	/// The last thing that can be missing is the gas of a payout, and that has a name.
	function starved(bool tokens) internal {
		populateWith(tokens ? address(token) : address(0));
		(bytes memory records, bytes32[] memory path) = (book.bucket(0), bucketProof(0));
		bytes memory data = abi.encodeCall(rollup.exitBucket, (0, 3, records, path));
		bytes4 last;
		for (uint256 gas = 100_000; rollup.exited(0) == 0; gas += 1000) {
			(bool ok, bytes memory why) = address(rollup).call{gas: gas}(data);
			if (!ok) last = bytes4(why);
		}
		same(last, NotEnoughGas.selector, "why");
	}

	/// Not even into an IOU that is larger already, which costs less to write.
	function test_no_gas_makes_an_iou_larger() public {
		put(0, balance(address(payee), address(0), 30));
		put(1, balance(address(payee), address(0), 40));
		rollup.deposit{value: 70}(address(0), 70, treasury);
		commit();
		openNow();
		payee.set(Payee.Mode.Refuses);
		exit(0);
		payee.set(Payee.Mode.Picky);
		bytes memory data = abi.encodeCall(rollup.exitBucket, (0, 2, book.bucket(0), bucketProof(0)));
		for (uint256 gas = 50_000; rollup.exited(0) == 1; gas += 500) {
			(bool ok,) = address(rollup).call{gas: gas}(data);
			ok;
		}
		same(address(payee).balance, 40, "paid");
		same(rollup.owed(address(payee), address(0)), 30, "no larger");
	}

	function populateWith(address asset) internal {
		put(0, balance(citizen(0), asset, 30));
		put(1, balance(citizen(1), asset, 30));
		rollup.deposit{value: asset == address(0) ? 60 : 0}(asset, 60, treasury);
		commit();
		openNow();
	}

	function test_starved_coins_have_a_name() public {
		starved(false);
	}

	function test_starved_tokens_have_a_name() public {
		starved(true);
	}

	function testFuzz_no_gas_starves_a_token(uint256 gas) public {
		populateWith(address(token));
		(bytes memory records, bytes32[] memory path) = (book.bucket(0), bucketProof(0));
		gas = bound(gas, 100_000, 500_000);
		try rollup.exitBucket{gas: gas}(0, 3, records, path) {
			same(token.balanceOf(citizen(1)), 30, "paid");
		} catch {
			same(rollup.exited(0), 0, "none of them");
		}
		same(rollup.owed(citizen(0), address(token)), 0, "owed");
		same(rollup.owed(citizen(1), address(token)), 0, "owed");
	}

	/// Enough gas is demanded before each payout: less gas reverts, it never makes an IOU.
	function testFuzz_no_gas_starves_a_payee(uint256 gas) public {
		populate(8);
		openNow();
		(bytes memory records, bytes32[] memory path) = (book.bucket(0), bucketProof(0));
		gas = bound(gas, 50_000, 800_000);
		try rollup.exitBucket{gas: gas}(0, 255, records, path) {
			same(rollup.exited(0), 255, "all of them");
		} catch {
			same(rollup.exited(0), 0, "none of them");
		}
		for (uint256 i = 0; i < 8; i++) same(rollup.owed(citizen(i), address(0)), 0, "owed");
	}

	// ---- the short form

	function test_uniform_bucket() public {
		populate(40);
		openNow();
		rollup.exitUniform(0, type(uint256).max, address(0), words(40), bucketProof(0));
		for (uint256 i = 0; i < 40; i++) same(citizen(i).balance, 1000 + i, "paid");
		same(rollup.exited(0), (1 << 40) - 1, "bits");
	}

	function test_uniform_tokens_with_empty_leaves() public {
		for (uint256 i = 0; i < 5; i++) put(i, balance(citizen(i), address(token), 10 + i));
		rollup.deposit(address(token), 60, treasury);
		commit();
		openNow();
		bytes32[] memory w = words(9);
		bytes32[] memory path = bucketProof(0);
		vm.expectRevert(BadProof.selector);
		rollup.exitUniform(0, 31, address(0), w, path);
		bytes32[] memory fewer = words(4);
		vm.expectRevert(BadProof.selector);
		rollup.exitUniform(0, 31, address(token), fewer, path);
		vm.expectRevert(WrongLength.selector);
		rollup.exitUniform(0, 31, address(token), new bytes32[](257), path);
		rollup.exitUniform(0, 31, address(token), w, path);
		for (uint256 i = 0; i < 5; i++) same(token.balanceOf(citizen(i)), 10 + i, "paid");
		vm.expectRevert(NothingToExit.selector);
		rollup.exitUniform(0, 31, address(token), w, path);
	}

	function test_uniform_takes_the_whole_bucket() public {
		populate(256);
		openNow();
		rollup.exitUniform(0, type(uint256).max, address(0), words(256), bucketProof(0));
		same(rollup.exited(0), type(uint256).max, "bits");
		same(rollup.vault(address(0)), 0, "vault");
	}

	/// I2: whatever the order and the form, each leaf is paid once.
	function testFuzz_no_leaf_twice(uint256 seed) public {
		populate(20);
		openNow();
		bytes memory records = book.bucket(0);
		bytes32[] memory path = bucketProof(0);
		for (uint256 i = 0; i < 10; i++) {
			uint256 r = uint256(keccak256(abi.encode(seed, i)));
			bytes memory record = book.record(r % 20);
			bytes32[] memory one = proof(r % 20);
			if (r >> 240 & 1 == 0) try rollup.exit(uint40(r % 20), record, one) {} catch {}
			else try rollup.exitBucket(0, r, records, path) {} catch {}
		}
		uint256 sum = 0;
		for (uint256 i = 0; i < 20; i++) {
			bool gone = rollup.exited(0) >> i & 1 == 1;
			same(citizen(i).balance, gone ? 1000 + i : 0, "paid once");
			sum += gone ? 0 : 1000 + i;
		}
		same(rollup.vault(address(0)), sum, "vault");
	}
}
