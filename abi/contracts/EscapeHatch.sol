// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import "./Constants.sol";
import {Amendment, Deadlines, Terms, Thresholds} from "./Types.sol";
import "./IEscapeHatch.sol";
import {IRollup} from "./IRollup.sol";
import {Signatures} from "./Signatures.sol";

/// What watchers read by storage proof: never reordered; a test pins each slot.
abstract contract EscapeHatchStorage {
	uint64 internal epoch_;
	uint64 internal promotedAt;
	uint64 internal openedAt;
	uint64 internal enactFrom; // slot 0
	Terms internal terms_; // slot 1
	Thresholds internal thresholds; // slot 2
	bytes32 internal pendingHash; // slot 3
	address[] internal guardians_; // slot 4
	address[] internal standbys_; // slot 5
	mapping(bytes32 digest => uint256 mask) internal approvals_; // slot 6
}

/// Terms, guardians, ballots and phase.  It checks facts (time, progress, state);
/// votes only express consent.  It holds no money and knows the ledger only as IRollup.
contract EscapeHatch is EscapeHatchStorage, IEscapeHatch {
	bytes32 private constant NAME = keccak256("EscapeHatch");
	bytes32 private constant VOTE_TYPEHASH =
		keccak256("Vote(uint8 action,uint64 epoch,uint64 progress,bytes32 subject,uint64 expiry)");

	address public immutable rollup;
	/// progress().count + 1 for which a standby was last promoted
	mapping(address standby => uint64) private promotedFor;

	/// A phase and the facts it was computed from.
	struct Facts {
		uint8 phase;
		uint64 count;
		uint64 lastAt;
	}

	constructor(
		address rollup_,
		Terms memory terms0,
		Thresholds memory thresholds0,
		address[] memory guardians0,
		address[] memory standbys0
	) {
		require(rollup_ != address(0), ZeroAddress());
		_checkTerms(terms0);
		_checkLists(thresholds0, guardians0, standbys0);
		rollup = rollup_;
		terms_ = terms0;
		thresholds = thresholds0;
		guardians_ = guardians0;
		standbys_ = standbys0;
	}

	// ---- actions

	function promote(address standby, uint64 expiry, bytes calldata bundle) external {
		Facts memory f = _facts();
		require(f.phase == PHASE_LATE, WrongPhase());
		address from = IRollup(rollup).sequencer();
		require(standby != from, AlreadyActive());
		require(promotedFor[standby] != f.count + 1, AlreadyPromoted());
		_quick(expiry);
		bytes32 hash = digest(PROMOTE, epoch_, f.count, bytes32(uint256(uint160(standby))), expiry);
		_consent(hash, bundle, thresholds.promote);
		_advance();
		promotedAt = uint64(block.timestamp);
		promotedFor[standby] = f.count + 1;
		_takePlace(standby, from);
		IRollup(rollup).promote(standby);
		emit Promoted(epoch_, from, standby, f.count);
	}

	function open(bytes calldata args, uint64 expiry, bytes calldata bundle) external {
		Facts memory f = _facts();
		require(f.phase == PHASE_LATE || f.phase == PHASE_PROMOTED, WrongPhase());
		_quick(expiry);
		_consent(digest(OPEN, epoch_, f.count, keccak256(args), expiry), bundle, thresholds.open);
		_open(CAUSE_VOTE, args, f.count);
	}

	function openAfterDeadline() external {
		Facts memory f = _facts();
		require(f.phase != PHASE_OPEN, WrongPhase());
		uint8 cause = _cause(f.lastAt);
		require(cause != 0, TooEarly());
		_open(cause, "", f.count);
	}

	function openOnBadBatch(bytes calldata proof) external {
		Facts memory f = _facts();
		require(f.phase != PHASE_SETTLING, WrongPhase());
		_advance();
		if (f.phase != PHASE_OPEN) openedAt = uint64(block.timestamp);
		IRollup(rollup).rewind(proof);
		emit Opened(epoch_, CAUSE_BAD_BATCH, IRollup(rollup).stateRoot(), f.count);
	}

	function resume(address sequencer, uint64 expiry, bytes calldata bundle) external {
		Facts memory f = _facts();
		require(f.phase == PHASE_OPEN, WrongPhase());
		require(sequencer != address(0), ZeroAddress());
		require(block.timestamp > _resumeFrom(f.lastAt), TooEarly());
		_slow(expiry);
		bytes32 hash = digest(RESUME, epoch_, 0, bytes32(uint256(uint160(sequencer))), expiry);
		_consent(hash, bundle, thresholds.resume);
		_advance();
		IRollup(rollup).resume(sequencer);
		emit Resumed(epoch_, sequencer, IRollup(rollup).stateRoot());
	}

	function amend(Amendment calldata a, uint64 expiry, bytes calldata bundle, bytes calldata joining) external {
		_calm();
		_checkTerms(a.terms);
		require(a.terms.finality == terms_.finality, BadTerms(5));
		_checkChange(terms_, a.terms);
		_checkLists(a.thresholds, a.guardians, a.standbys);
		_slow(expiry);
		bytes memory args = abi.encode(a);
		bytes32 subject = keccak256(args);
		bytes32 hash = digest(AMEND, epoch_, 0, subject, expiry);
		_consent(hash, bundle, thresholds.amend);
		_joined(hash, a.guardians, joining);
		_advance();
		pendingHash = subject;
		enactFrom = uint64(block.timestamp) + terms_.notice;
		emit Amended(epoch_, subject, enactFrom, args);
	}

	function enact(Amendment calldata a) external {
		_calm();
		bytes32 subject = keccak256(abi.encode(a));
		require(subject == pendingHash, WrongAmendment());
		require(block.timestamp >= enactFrom, TooEarly());
		require(block.timestamp <= uint256(enactFrom) + terms_.notice, TooLate());
		_advance();
		terms_ = a.terms;
		thresholds = a.thresholds;
		guardians_ = a.guardians;
		standbys_ = a.standbys;
		if (a.sequencer != address(0)) {
			(uint64 count,) = IRollup(rollup).progress();
			emit Promoted(epoch_, IRollup(rollup).sequencer(), a.sequencer, count);
			IRollup(rollup).promote(a.sequencer);
		}
		IRollup(rollup).configure(a.rollupConfig);
		Facts memory f = _facts();
		require(f.phase == PHASE_OPEN || _cause(f.lastAt) == 0, TooAbrupt());
		emit Enacted(epoch_, subject);
	}

	function handOver(address standby) external {
		address from = IRollup(rollup).sequencer();
		require(msg.sender == from, NotActive());
		require(IRollup(rollup).state() == STATE_RUNNING, WrongPhase());
		require(standby != from, AlreadyActive());
		_takePlace(standby, from);
		IRollup(rollup).promote(standby);
		(uint64 count,) = IRollup(rollup).progress();
		emit Promoted(epoch_, from, standby, count);
	}

	function approve(uint8 action, uint64 epoch__, uint64 progress, bytes32 subject, uint64 expiry) external {
		// positions may change with the epoch, so nobody approves for a later one
		require(epoch__ == epoch_, WrongEpoch());
		require(action >= PROMOTE && action <= AMEND, WrongAction());
		address[] memory list = guardians_;
		uint256 place = Signatures.find(list, msg.sender);
		require(place < list.length, NotGuardian());
		bytes32 hash = digest(action, epoch__, progress, subject, expiry);
		approvals_[hash] |= 1 << place;
		emit Approved(msg.sender, hash, action, epoch__, progress, subject, expiry);
	}

	// ---- views

	function phase() external view returns (uint8) {
		return _facts().phase;
	}

	function deadlines() external view returns (Deadlines memory d) {
		Facts memory f = _facts();
		Terms memory w = terms_;
		d.enactFrom = enactFrom;
		if (f.phase == PHASE_OPEN) {
			d.exitsFrom = f.lastAt + w.finality;
			d.resumeFrom = uint64(_resumeFrom(f.lastAt));
			return d;
		}
		if (f.lastAt != 0) d.openableAt = f.lastAt + w.hardDeadline;
		uint64 since = IRollup(rollup).overdue();
		if (since != 0 && (f.lastAt == 0 || since < f.lastAt)) d.openableAt = since + w.hardDeadline;
		if (f.phase == PHASE_SETTLING || f.lastAt == 0) return d;
		d.lateAt = f.lastAt + w.slaWindow;
		if (promotedAt > f.lastAt) d.failoverUntil = promotedAt + w.failoverWindow;
	}

	function terms() external view returns (Terms memory) {
		return terms_;
	}

	function guardians() external view returns (address[] memory, Thresholds memory) {
		return (guardians_, thresholds);
	}

	function standbys() external view returns (address[] memory) {
		return standbys_;
	}

	function epoch() external view returns (uint64) {
		return epoch_;
	}

	function pending() external view returns (bytes32, uint64) {
		return (pendingHash, enactFrom);
	}

	function approvals(bytes32 hash) external view returns (uint256) {
		return approvals_[hash];
	}

	function digest(uint8 action, uint64 epoch__, uint64 progress, bytes32 subject, uint64 expiry)
		public
		view
		returns (bytes32)
	{
		return Signatures.digest(
			NAME, keccak256(abi.encode(VOTE_TYPEHASH, action, epoch__, progress, subject, expiry))
		);
	}

	// ---- facts

	/// The phase is computed here and set nowhere.
	function _facts() private view returns (Facts memory f) {
		uint8 state = IRollup(rollup).state();
		(f.count, f.lastAt) = IRollup(rollup).progress();
		if (state == STATE_OPEN) f.phase = PHASE_OPEN;
		else if (state == STATE_SETTLING) f.phase = PHASE_SETTLING;
		else if (f.lastAt == 0 || block.timestamp <= f.lastAt + terms_.slaWindow) f.phase = PHASE_LIVE;
		else if (promotedAt > f.lastAt && block.timestamp <= promotedAt + terms_.failoverWindow) f.phase = PHASE_PROMOTED;
		else f.phase = PHASE_LATE;
	}

	/// Why anyone may open the hatch now, or 0.
	function _cause(uint64 lastAt) private view returns (uint8) {
		uint256 deadline = terms_.hardDeadline;
		if (lastAt != 0 && block.timestamp > lastAt + deadline) return CAUSE_SILENCE;
		uint64 since = IRollup(rollup).overdue();
		return since != 0 && block.timestamp > since + deadline ? CAUSE_OVERDUE : 0;
	}

	/// Exits must have been open this long before anyone is handed to a new operator.
	function _resumeFrom(uint64 lastAt) private view returns (uint256) {
		uint256 exits = uint256(lastAt) + terms_.finality;
		return (openedAt > exits ? openedAt : exits) + terms_.inclusionWindow;
	}

	/// Amendments: in LIVE, or when every citizen can leave anyway.
	function _calm() private view {
		uint8 now_ = _facts().phase;
		require(now_ == PHASE_LIVE || now_ == PHASE_OPEN, WrongPhase());
	}

	// ---- ballots

	/// PROMOTE, OPEN: expiry - 3 round < now <= expiry, expiry a multiple of round.
	function _quick(uint64 expiry) private view {
		uint256 round = terms_.round;
		require(expiry % round == 0, BallotOffRound());
		require(block.timestamp <= expiry, BallotExpired());
		require(expiry < block.timestamp + BALLOT_ROUNDS * round, BallotTooEarly());
	}

	/// RESUME, AMEND: now <= expiry <= now + 30 days.
	function _slow(uint64 expiry) private view {
		require(block.timestamp <= expiry, BallotExpired());
		require(expiry <= block.timestamp + SLOW_BALLOT, BallotTooEarly());
	}

	/// Enough distinct current guardians, by signature or approval, for this digest.
	function _consent(bytes32 hash, bytes calldata bundle, uint256 needed) private view {
		address[] memory list = guardians_;
		address[] memory signers = Signatures.recoverAll(hash, bundle, MAX_KEYS);
		uint256 mask = approvals_[hash];
		for (uint256 i = 0; i < signers.length; i++) {
			uint256 place = Signatures.find(list, signers[i]);
			require(place < list.length, NotGuardian());
			mask |= 1 << place;
		}
		uint256 given = 0;
		for (; mask != 0; mask &= mask - 1) given++;
		require(given >= needed, TooFewVotes(given, needed));
	}

	/// Every guardian that the new list adds signs; nobody else does.
	function _joined(bytes32 hash, address[] calldata list, bytes calldata joining) private view {
		address[] memory current = guardians_;
		address[] memory signers = Signatures.recoverAll(hash, joining, MAX_KEYS);
		uint256 added = 0;
		for (uint256 i = 0; i < list.length; i++) {
			if (Signatures.find(current, list[i]) < current.length) continue;
			require(Signatures.find(signers, list[i]) < signers.length, WrongJoining());
			added++;
		}
		require(added == signers.length, WrongJoining());
	}

	// ---- changes

	/// Every executed action: old ballots are void, and so is a pending amendment.
	function _advance() private {
		epoch_++;
		pendingHash = 0;
		enactFrom = 0;
	}

	function _open(uint8 cause, bytes memory args, uint64 count) private {
		_advance();
		openedAt = uint64(block.timestamp);
		IRollup(rollup).open(args);
		emit Opened(epoch_, cause, IRollup(rollup).stateRoot(), count);
	}

	/// from takes the place of to in the list; if it stands there already, to only leaves it.
	function _takePlace(address to, address from) private {
		address[] memory list = standbys_;
		uint256 place = Signatures.find(list, to);
		require(place < list.length, NotStandby());
		if (Signatures.find(list, from) == list.length) {
			standbys_[place] = from;
			return;
		}
		for (; place + 1 < list.length; place++) standbys_[place] = list[place + 1];
		standbys_.pop();
	}

	// ---- configuration

	function _checkTerms(Terms memory w) private pure {
		uint256 deadline = w.hardDeadline;
		require(w.slaWindow != 0, BadTerms(0));
		require(w.failoverWindow != 0, BadTerms(1));
		require(w.inclusionWindow != 0 && w.inclusionWindow <= MAX_INCLUSION, BadTerms(2));
		require(deadline > uint256(w.slaWindow) + w.failoverWindow, BadTerms(3));
		require(deadline <= MAX_DEADLINE, BadTerms(3));
		require(w.notice >= deadline + w.inclusionWindow + w.finality, BadTerms(4));
		require(w.finality != 0 && w.finality < deadline, BadTerms(5));
		require(w.round != 0 && BALLOT_ROUNDS * w.round <= w.failoverWindow, BadTerms(6));
	}

	/// What a LIVE chain may have under the old windows (a request in time for the last commit,
	/// and silence since) must not open the hatch under the new ones.
	function _checkChange(Terms memory old, Terms calldata w) private pure {
		uint256 deadline = w.hardDeadline;
		require(deadline >= old.slaWindow, TooAbrupt());
		uint256 oldest = uint256(old.inclusionWindow) + old.slaWindow;
		require(deadline + w.inclusionWindow >= oldest, TooAbrupt());
	}

	function _checkLists(Thresholds memory n, address[] memory voters, address[] memory sequencers) private pure {
		require(Signatures.isList(voters, MAX_KEYS), BadList());
		require(Signatures.isList(sequencers, MAX_KEYS), BadList());
		require(n.promote != 0 && n.open >= n.promote, BadThresholds());
		require(n.resume >= n.open && n.resume <= voters.length, BadThresholds());
		require(n.amend >= n.open && n.amend <= voters.length, BadThresholds());
	}
}
