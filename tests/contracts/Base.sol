// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Log, Test} from "./Test.sol";
import {Ledger} from "./Ledger.sol";
import "contracts/Constants.sol";
import "contracts/Types.sol";
import "contracts/IEscapeHatch.sol";
import "contracts/ISovereignRollup.sol";
import "contracts/IBadBatch.sol";
import {BadSignature, NotAscending} from "contracts/Signatures.sol";

/// A deployment of the committed bytecode, keys of everybody, and a ledger that follows.
abstract contract Base is Test {
	uint32 constant SLA = 100;
	uint32 constant FAILOVER = 80;
	uint32 constant INCLUSION = 60;
	uint32 constant HARD = 300;
	uint32 constant NOTICE = 1000;
	uint32 constant FINALITY = 90;
	uint32 constant ROUND = 20;
	uint96 constant MIN_BOUNTY = 1000;

	IEscapeHatch hatch;
	ISovereignRollup rollup;
	address badBatch;
	Ledger book;

	uint256[] guardianKeys; // ascending by address
	uint256[] validatorKeys; // ascending by address
	uint256 sequencerKey = 0x5e0;
	address sequencer;
	address standbyA;
	address standbyB;
	address treasury;

	/// A batch on its way.
	struct Plan {
		Batch b;
		bytes32[] roots;
		bytes diff;
		bytes signatures;
	}

	bytes pendingDiff;

	function setUp() public virtual {
		vm.warp(1_000_000);
		guardianKeys = sortedKeys(0x6000, 5);
		validatorKeys = sortedKeys(0x7000, 4);
		sequencer = vm.addr(sequencerKey);
		standbyA = vm.addr(0x5ea);
		standbyB = vm.addr(0x5eb);
		treasury = vm.addr(0x7ea);
		vm.deal(address(this), 1e30);
		vm.deal(sequencer, 1e24);
		book = new Ledger();
		deploy(terms0(), thresholds0());
	}

	receive() external payable {}

	// ---- deployment

	function artefact(string memory name) internal view returns (string memory) {
		string memory dir = vm.envOr("EGRESS_CONTRACTS_OUT", string("abi/contracts/out"));
		return vm.readFile(string.concat(dir, "/", name, ".json"));
	}

	function bytecode(string memory name) internal view returns (bytes memory) {
		return vm.parseJsonBytes(artefact(name), ".bytecode");
	}

	/// 0 if the constructor reverts; the reason is then in `reason`.
	bytes reason;

	function create(bytes memory code) internal returns (address made) {
		assembly {
			made := create(0, add(code, 0x20), mload(code))
		}
		if (made == address(0)) {
			bytes memory why;
			assembly {
				why := mload(0x40)
				mstore(why, returndatasize())
				returndatacopy(add(why, 0x20), 0, returndatasize())
				mstore(0x40, add(add(why, 0x20), returndatasize()))
			}
			reason = why;
		}
	}

	function terms0() internal pure virtual returns (Terms memory) {
		return Terms(SLA, FAILOVER, INCLUSION, HARD, NOTICE, FINALITY, ROUND);
	}

	function thresholds0() internal pure returns (Thresholds memory) {
		return Thresholds(3, 4, 4, 5);
	}

	function createHatch(
		address rollup_,
		Terms memory w,
		Thresholds memory n,
		address[] memory voters,
		address[] memory list
	) internal returns (address) {
		return create(bytes.concat(bytecode("EscapeHatch"), abi.encode(rollup_, w, n, voters, list)));
	}

	function createRollup(address hatch_, address judge, address seq, address[] memory list, uint8 t)
		internal
		returns (address)
	{
		bytes memory args = abi.encode(hatch_, judge, seq, list, t, MIN_BOUNTY);
		return create(bytes.concat(bytecode("SovereignRollup"), args));
	}

	function deploy(Terms memory w, Thresholds memory n) internal {
		badBatch = create(bytecode("BadBatch"));
		address next = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
		hatch = IEscapeHatch(createHatch(next, w, n, addresses(guardianKeys), standbys0()));
		rollup = ISovereignRollup(
			createRollup(address(hatch), badBatch, sequencer, addresses(validatorKeys), 3)
		);
		same(address(rollup), next, "rollup stands where the hatch expects it");
	}

	function standbys0() internal view returns (address[] memory list) {
		list = new address[](2);
		(list[0], list[1]) = (standbyA, standbyB);
	}

	// ---- keys

	function sortedKeys(uint256 from, uint256 n) internal pure returns (uint256[] memory keys) {
		keys = new uint256[](n);
		for (uint256 i = 0; i < n; i++) {
			uint256 key = from + i;
			uint256 to = i;
			for (; to > 0 && vm.addr(keys[to - 1]) > vm.addr(key); to--) keys[to] = keys[to - 1];
			keys[to] = key;
		}
	}

	function addresses(uint256[] memory keys) internal pure returns (address[] memory out) {
		out = new address[](keys.length);
		for (uint256 i = 0; i < keys.length; i++) out[i] = vm.addr(keys[i]);
	}

	function sig(uint256 key, bytes32 hash) internal pure returns (bytes memory) {
		(uint8 v, bytes32 r, bytes32 s) = vm.sign(key, hash);
		return abi.encodePacked(r, s, v);
	}

	/// Signatures of keys[from .. from + n).
	function sigs(uint256[] memory keys, uint256 from, uint256 n, bytes32 hash)
		internal
		pure
		returns (bytes memory out)
	{
		for (uint256 i = from; i < from + n; i++) out = bytes.concat(out, sig(keys[i], hash));
	}

	function typed(string memory name, address contract_, bytes32 structHash) internal view returns (bytes32) {
		bytes32 domain = keccak256(
			abi.encode(
				keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
				keccak256(bytes(name)),
				keccak256("1"),
				block.chainid,
				contract_
			)
		);
		return keccak256(abi.encodePacked(hex"1901", domain, structHash));
	}

	// ---- ballots

	/// The expiry honest watchers choose: E, the first multiple of round at or after now + round.
	function soon() internal view returns (uint64) {
		return uint64((block.timestamp + 2 * uint256(ROUND) - 1) / ROUND * ROUND);
	}

	function later() internal view returns (uint64) {
		return uint64(block.timestamp + 1 days);
	}

	function voteDigest(uint8 action, uint64 progress, bytes32 subject, uint64 expiry)
		internal
		view
		returns (bytes32)
	{
		bytes32 kind =
			keccak256("Vote(uint8 action,uint64 epoch,uint64 progress,bytes32 subject,uint64 expiry)");
		return typed(
			"EscapeHatch",
			address(hatch),
			keccak256(abi.encode(kind, action, hatch.epoch(), progress, subject, expiry))
		);
	}

	function asSubject(address one) internal pure returns (bytes32) {
		return bytes32(uint256(uint160(one)));
	}

	function count() internal view returns (uint64 n) {
		(n,) = rollup.progress();
	}

	function lastAt() internal view returns (uint64 when) {
		(, when) = rollup.progress();
	}

	function promoteBundle(address one, uint64 expiry, uint256 n) internal view returns (bytes memory) {
		return sigs(guardianKeys, 0, n, voteDigest(PROMOTE, count(), asSubject(one), expiry));
	}

	function openBundle(uint64 expiry, uint256 n) internal view returns (bytes memory) {
		return sigs(guardianKeys, 0, n, voteDigest(OPEN, count(), keccak256(""), expiry));
	}

	function resumeBundle(address one, uint64 expiry, uint256 n) internal view returns (bytes memory) {
		return sigs(guardianKeys, 0, n, voteDigest(RESUME, 0, asSubject(one), expiry));
	}

	function promote(address one) internal {
		hatch.promote(one, soon(), promoteBundle(one, soon(), 3));
	}

	function openByVote() internal {
		hatch.open("", soon(), openBundle(soon(), 4));
	}

	function resume(address one) internal {
		hatch.resume(one, later(), resumeBundle(one, later(), 4));
	}

	function goLate() internal {
		vm.warp(lastAt() + SLA + 1);
	}

	function openBySilence() internal {
		vm.warp(lastAt() + HARD + 1);
		hatch.openAfterDeadline();
	}

	// ---- records

	function citizen(uint256 i) internal pure returns (address) {
		return vm.addr(0x10000 + i);
	}

	function balance(address owner, address asset, uint256 amount) internal pure returns (bytes memory) {
		return abi.encodePacked(uint8(1), owner, asset, uint96(amount));
	}

	function coin(uint256 i, uint256 amount) internal pure returns (bytes memory) {
		return balance(citizen(i), address(0), amount);
	}

	function credential(address owner, bytes32 payload) internal pure returns (bytes memory) {
		return abi.encodePacked(uint8(2), owner, payload);
	}

	// ---- batches

	function put(uint256 index, bytes memory record) internal {
		pendingDiff = bytes.concat(pendingDiff, abi.encodePacked(uint40(index), record));
	}

	function slice(bytes memory data, uint256 from, uint256 n) internal pure returns (bytes memory out) {
		out = new bytes(n);
		assembly {
			mcopy(add(out, 0x20), add(add(data, 0x20), from), n)
		}
	}

	function indexAt(bytes memory diff, uint256 i) internal pure returns (uint256) {
		return uint40(bytes5(slice(diff, i * 58, 5)));
	}

	/// Applies diff to the book, step by step; returns the root after each.
	function applyDiff(bytes memory diff) internal returns (bytes32[] memory roots) {
		uint256 n = diff.length / 58;
		uint256 leaves = book.length();
		for (uint256 i = 0; i < n; i++) {
			if (indexAt(diff, i) >= leaves) leaves = indexAt(diff, i) + 1;
		}
		uint256 d = book.depthOf(leaves);
		roots = new bytes32[]((n + 63) / 64);
		for (uint256 i = 0; i < n; i++) {
			book.set(indexAt(diff, i), slice(diff, i * 58 + 5, 53));
			if (i % 64 == 63 || i + 1 == n) roots[i / 64] = book.rootAt(d);
		}
	}

	function stepHashes(bytes memory diff, bytes32[] memory roots) internal pure returns (bytes32[] memory steps) {
		steps = new bytes32[](roots.length);
		for (uint256 i = 0; i < roots.length; i++) {
			uint256 from = i * 64 * 58;
			uint256 n = diff.length - from < 64 * 58 ? diff.length - from : 64 * 58;
			steps[i] = keccak256(abi.encode(keccak256(slice(diff, from, n)), roots[i]));
		}
	}

	/// The batch of all pending entries, covering the whole inbox; signed by three.
	function plan() internal returns (Plan memory p) {
		p.diff = pendingDiff;
		pendingDiff = "";
		p.b.prevRoot = rollup.stateRoot();
		p.roots = applyDiff(p.diff);
		p.b.number = count() + 1;
		p.b.root = p.roots.length == 0 ? p.b.prevRoot : p.roots[p.roots.length - 1];
		p.b.leafCount = uint64(book.length());
		p.b.diffHash = keccak256(abi.encodePacked(stepHashes(p.diff, p.roots)));
		(,,, p.b.inboxThrough) = rollup.queues();
		p.b.inboxAcc = accAt(p.b.inboxThrough);
		p.signatures = signBatch(p.b, 3, rollup.sequencer());
	}

	function accAt(uint64 through) internal view returns (bytes32) {
		if (through == 0) return 0;
		(InboxItem memory item,) = rollup.inboxItem(through - 1);
		return item.acc;
	}

	function batchDigest(Batch memory b, address by) internal view returns (bytes32) {
		bytes32 kind = keccak256(
			"Batch(uint64 number,bytes32 prevRoot,bytes32 root,uint64 leafCount,uint64 inboxThrough,bytes32 inboxAcc,bytes32 diffHash,address sequencer)"
		);
		return typed("SovereignRollup", address(rollup), keccak256(abi.encode(kind, b, by)));
	}

	function signBatch(Batch memory b, uint256 n, address by) internal view returns (bytes memory) {
		return sigs(validatorKeys, 0, n, batchDigest(b, by));
	}

	function land(Plan memory p) internal {
		address by = rollup.sequencer();
		vm.prank(by, by);
		rollup.commit(p.b, p.roots, p.diff, p.signatures);
	}

	function land(Plan memory p, bytes4 why) internal {
		address by = rollup.sequencer();
		vm.expectRevert(why);
		vm.prank(by, by);
		rollup.commit(p.b, p.roots, p.diff, p.signatures);
	}

	function commit() internal returns (Plan memory p) {
		p = plan();
		land(p);
	}

	/// Deposits the sum and opens n leaves of native coin, amount 1000 + i each.
	function populate(uint256 n) internal {
		uint256 sum = 0;
		for (uint256 i = 0; i < n; i++) {
			put(i, coin(i, 1000 + i));
			sum += 1000 + i;
		}
		rollup.deposit{value: sum}(address(0), uint96(sum), treasury);
		commit();
	}

	function proof(uint256 index) internal view returns (bytes32[] memory) {
		return book.proof(index, 0);
	}

	function bucketProof(uint256 b) internal view returns (bytes32[] memory) {
		return book.proof(b, 8);
	}

	function bit(uint256 i) internal pure returns (uint256) {
		return 1 << (i & 255);
	}

	// ---- logs

	/// The one log of this event since vm.recordLogs().
	function only(Log[] memory logs, bytes32 topic) internal pure returns (Log memory found) {
		uint256 n = 0;
		for (uint256 i = 0; i < logs.length; i++) {
			if (logs[i].topics.length == 0 || logs[i].topics[0] != topic) continue;
			found = logs[i];
			n++;
		}
		yes(n == 1, "exactly one such event");
	}
}
