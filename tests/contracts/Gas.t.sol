// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Base.sol";
import {Gas} from "./Test.sol";

/// A token as any other: two balances, an event.
contract Plain {
	mapping(address => uint256) public balanceOf;

	event Transfer(address indexed from, address indexed to, uint256 value);

	function mint(address to, uint256 amount) external {
		balanceOf[to] += amount;
	}

	function transfer(address to, uint256 amount) external returns (bool) {
		return _move(msg.sender, to, amount);
	}

	function transferFrom(address from, address to, uint256 amount) external returns (bool) {
		return _move(from, to, amount);
	}

	function _move(address from, address to, uint256 amount) private returns (bool) {
		balanceOf[from] -= amount;
		balanceOf[to] += amount;
		emit Transfer(from, to, amount);
		return true;
	}
}

/// What a citizen's way out costs, measured as whole transactions, against the project's bars.
/// forge-config: default.isolate = true
contract GasTest is Base {
	Plain token;

	function setUp() public override {
		super.setUp();
		vm.fee(0);
		vm.txGasPrice(0);
		token = new Plain();
	}

	/// Gas of the last call as a transaction of its own, refund taken off.
	function spent() internal view returns (uint256) {
		Gas memory g = vm.lastCallGas();
		return g.gasTotalUsed;
	}

	function report(string memory what, uint256 gas, uint256 bar) internal view {
		print(string.concat("gas: ", what, ": ", vm.toString(gas), " (bar ", vm.toString(bar), ")"));
		yes(gas <= bar, what);
	}

	/// 256 leaves of realistic amounts in a tree of depth 26, opened.
	function opened(address asset) internal {
		uint256 sum = 0;
		for (uint256 i = 0; i < 256; i++) {
			uint256 amount = 1e18 + uint256(keccak256(abi.encode(i))) % 1e18;
			book.set(i, balance(citizen(i), asset, amount));
			sum += amount;
		}
		if (asset == address(0)) {
			rollup.deposit{value: sum}(asset, uint96(sum), treasury);
		} else {
			token.mint(address(this), sum);
			rollup.deposit(asset, uint96(sum), treasury);
		}
		bytes32 root = book.rootAt(8);
		for (uint256 i = 0; i < 18; i++) root = keccak256(abi.encode(root, keccak256(abi.encode(i))));
		vm.store(address(rollup), 0, root);
		uint256 word = uint256(1 << 26) << 128 | block.timestamp << 64 | 1;
		vm.store(address(rollup), bytes32(uint256(1)), bytes32(word));
		openBySilence();
		vm.warp(block.timestamp + 1);
	}

	function path() internal pure returns (bytes32[] memory out) {
		out = new bytes32[](18);
		for (uint256 i = 0; i < 18; i++) out[i] = keccak256(abi.encode(i));
	}

	function words() internal view returns (bytes32[] memory out) {
		out = new bytes32[](256);
		for (uint256 i = 0; i < 256; i++) {
			bytes memory record = book.record(i);
			out[i] = bytes32(bytes.concat(slice(record, 1, 20), slice(record, 41, 12)));
		}
	}

	function exitAll() internal returns (uint256) {
		rollup.exitBucket(0, type(uint256).max, book.bucket(0), path());
		uint256 gas = spent();
		same(rollup.exited(0), type(uint256).max, "all of them");
		return gas;
	}

	function test_bucket_of_coins_to_existing_accounts() public {
		opened(address(0));
		for (uint256 i = 0; i < 256; i++) vm.deal(citizen(i), 1);
		uint256 gas = exitAll();
		report("exitBucket, coin, existing accounts, per citizen", gas / 256, 11_000);
		report("exitBucket, coin, existing accounts, transaction", gas, 16_000_000);
	}

	function test_bucket_of_coins_to_new_accounts() public {
		opened(address(0));
		uint256 gas = exitAll();
		report("exitBucket, coin, new accounts, per citizen", gas / 256, 36_000);
		report("exitBucket, coin, new accounts, transaction", gas, 16_000_000);
	}

	function test_bucket_of_coins_short_form() public {
		opened(address(0));
		for (uint256 i = 0; i < 256; i++) vm.deal(citizen(i), 1);
		rollup.exitUniform(0, type(uint256).max, address(0), words(), path());
		report("exitUniform, coin, existing accounts, per citizen", spent() / 256, 11_000);
	}

	function test_bucket_of_tokens_to_holders() public {
		opened(address(token));
		for (uint256 i = 0; i < 256; i++) token.mint(citizen(i), 1);
		uint256 snapshot = vm.snapshotState();
		rollup.exitUniform(0, type(uint256).max, address(token), words(), path());
		report("exitUniform, token, holders, per citizen", spent() / 256, 10_000);
		vm.revertToState(snapshot);
		report("exitBucket, token, holders, per citizen", exitAll() / 256, 10_000);
	}

	function test_forced_withdrawal_at_depth_26() public {
		vm.deal(citizen(1), 1 ether);
		vm.deal(citizen(2), 1 ether);
		vm.deal(citizen(3), 1 ether);
		rollup.deposit{value: 5 ether}(address(0), 5 ether, treasury);
		commit();
		bytes memory record = balance(citizen(1), address(0), 3 ether + 12345678901);
		bytes32 root = keccak256(record);
		bytes32[] memory all = new bytes32[](26);
		uint256 index = 0x2a5b3c7;
		for (uint256 i = 0; i < 26; i++) {
			all[i] = keccak256(abi.encode("s", i));
			root = index >> i & 1 == 0 ? keccak256(abi.encode(root, all[i])) : keccak256(abi.encode(all[i], root));
		}
		vm.store(address(rollup), 0, root);
		uint256 word = uint256(vm.load(address(rollup), bytes32(uint256(1))));
		vm.store(address(rollup), bytes32(uint256(1)), bytes32(word | uint256(1 << 26) << 128));
		vm.prank(citizen(1));
		rollup.requestWithdrawal{value: 0.01 ether}(uint40(index), 1.23 ether, citizen(2));
		vm.warp(block.timestamp + INCLUSION + 1);
		vm.prank(citizen(3));
		rollup.executeWithdrawal(0, record, all);
		uint256 gas = spent();
		report("executeWithdrawal at depth 26", gas, 130_000);
		vm.warp(block.timestamp + FINALITY + 1);
		vm.prank(citizen(3));
		rollup.pay(0);
		report("pay", spent(), 130_000);
		report("executeWithdrawal and pay", gas + spent(), 130_000);
		same(citizen(2).balance, 2.23 ether, "paid");
	}

	function test_commit_of_1000_updates() public {
		for (uint256 i = 0; i < 1000; i++) book.set(i, coin(i, 1e18 + i));
		vm.store(address(rollup), 0, book.root());
		vm.store(address(rollup), bytes32(uint256(1)), bytes32(uint256(1000) << 128));
		bytes memory diff = new bytes(0);
		for (uint256 j = 0; j < 10; j++) {
			bytes memory part = "";
			for (uint256 i = j * 100; i < j * 100 + 100; i++) {
				uint256 amount = uint256(keccak256(abi.encode(i))) % 1e21;
				part = bytes.concat(part, abi.encodePacked(uint40(i), coin(i, amount)));
			}
			diff = bytes.concat(diff, part);
		}
		pendingDiff = diff;
		rollup.requestTransaction("x");
		commit();
		uint256 first = spent();
		first;
		pendingDiff = diff;
		Plan memory p = plan();
		bytes memory data = abi.encodeCall(rollup.commit, (p.b, p.roots, p.diff, p.signatures));
		land(p);
		uint256 gas = spent();
		uint256 own = 0;
		for (uint256 i = 0; i < data.length; i++) own += data[i] == 0 ? 4 : 16;
		report("commit of 1,000 updates, of its calldata's cost, in percent", gas * 100 / own, 130);
		report("commit of 1,000 updates", gas, 16_000_000);
	}
}
