// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRollup} from "./IRollup.sol";
import {Batch, Before, InboxItem, Withdrawal} from "./Types.sol";

error NotHatch();
error WrongHatch();
error Reentered();
error WrongState();
// commit
error NotSequencer();
error NotTopLevel();
error WrongNumber();
error WrongPrevRoot();
error WrongLength();
error WrongRoots();
error WrongLeafCount();
error BadRecord();
error WrongDiffHash();
error WrongInbox();
error WrongInboxAcc();
error WithdrawalOverdue();
error InboxOverdue();
error NotValidator();
error TooFewSignatures();
error WrongDepth();
error BadConfig();
// a bad batch
error UnknownBatch();
error BatchFinal();
// queues
error WrongValue();
error ZeroAmount();
error BadRecipient();
error BountyTooSmall(uint256 needed);
error BadToken();
error TooManyBytes();
error SignatureExpired();
error SignatureUsed();
/// Only the head of the queue, while it is not empty.
error NotHead();
/// Before it is overdue the sequencer alone executes it.
error NotOverdue();
/// Before it is overdue it is executed in full or not at all.
error NotInFull();
error WrongFate(uint8 fate);
error NotFinal();
error NoSuchId();
error WrongItem();
// exits
error ExitsNotOpen();
error BadProof();
error NotBalance();
error AlreadyExited();
error NotExited();
error NothingToExit();
error NotOwner();
/// The vault holds less of this asset: try again when it does not.
error VaultShort();
error NotEnoughGas();
error NothingOwed();
error TransferFailed();
error NoBond();

interface ISovereignRollup is IRollup {
	/// diff: in the transaction's input
	event Committed(
		uint64 indexed number, address indexed sequencer, Batch batch, Before before, bytes32[] roots
	);
	event WithdrawalRequested(
		uint64 indexed id,
		address indexed owner,
		uint40 indexed index,
		uint96 amount,
		address recipient,
		uint96 bounty,
		uint40 due
	);
	/// debited 0 = void
	event WithdrawalExecuted(
		uint64 indexed id, uint40 indexed index, uint96 debited, address executor, bytes32 newRoot
	);
	event WithdrawalPaid(uint64 indexed id, address indexed to, address asset, uint96 amount, bool credited);
	event InboxQueued(
		uint64 indexed id,
		address indexed from,
		uint8 kind,
		address asset,
		uint96 amount,
		address owner,
		bytes data,
		bytes32 acc,
		uint64 due
	);
	event DepositRefunded(uint64 indexed id, address indexed to, address asset, uint96 amount);
	event Rewound(
		uint64 indexed badBatch, bytes32 root, uint64 leafCount, uint64 inboxThrough, uint64 cancelledFrom
	);
	/// leaves newly paid; of these, those that went to owed; wei of the bond
	event Exited(uint256 indexed bucket, uint256 mask, uint256 creditedMask, uint256 refund);
	event Settled(uint256 indexed bucket, uint256 mask, bytes32 newRoot, uint64 dirty);
	event Owed(address indexed owner, address indexed asset, uint256 amount);
	event Claimed(address indexed owner, address indexed asset, address to, uint256 amount);
	event Configured(address[] validators, uint8 t, uint96 minBounty);
	event BondChanged(uint256 bond);

	function commit(Batch calldata b, bytes32[] calldata roots, bytes calldata diff, bytes calldata signatures)
		external;
	function deposit(address asset, uint96 amount, address owner) external payable returns (uint64 id);
	function requestTransaction(bytes calldata data) external returns (uint64 id);
	function requestWithdrawal(uint40 index, uint96 amount, address recipient)
		external
		payable
		returns (uint64 id);
	function requestWithdrawalFor(
		uint40 index,
		uint96 amount,
		address recipient,
		uint256 salt,
		uint64 expiry,
		bytes calldata signature
	) external payable returns (uint64 id);
	/// id must be the head
	function executeWithdrawal(uint64 id, bytes calldata record, bytes32[] calldata proof) external;
	function pay(uint64 id) external;
	/// unserved when the hatch opened: to the payer
	function refundBounty(uint64 id) external;
	/// to the owner
	function refundDeposit(uint64 id, address from, address asset, uint96 amount, address owner) external;
	function exit(uint40 index, bytes calldata record, bytes32[] calldata proof) external;
	/// empty signature if the owner calls
	function exitTo(
		uint40 index,
		bytes calldata record,
		bytes32[] calldata proof,
		address recipient,
		bytes calldata signature
	) external;
	/// 53 B each; what is missing at the end is empty
	function exitBucket(uint256 bucket, uint256 mask, bytes calldata records, bytes32[] calldata proof) external;
	/// all kind 1 of one asset; a zero word is an empty leaf
	function exitUniform(
		uint256 bucket,
		uint256 mask,
		address asset,
		bytes32[] calldata ownerAmount,
		bytes32[] calldata proof
	) external;
	function settle(uint40 index, bytes calldata record, bytes32[] calldata proof) external;
	function settleBucket(uint256 bucket, bytes calldata records, bytes32[] calldata proof) external;
	/// the owner
	function claim(address asset, address recipient) external;
	/// anyone; pays the owner's own address
	function claimFor(address owner, address asset) external;
	function claimTo(
		address owner,
		address asset,
		address recipient,
		uint256 salt,
		uint64 expiry,
		bytes calldata signature
	) external;
	function fundBond() external payable;

	function verifyCredential(uint40 index, bytes calldata record, bytes32[] calldata proof)
		external
		view
		returns (bool);
	/// max(minBounty, 150_000 * block.basefee)
	function bounty() external view returns (uint256);
	function depth() external view returns (uint256);
	function queues()
		external
		view
		returns (uint64 withdrawHead, uint64 withdrawTail, uint64 inboxThrough, uint64 inboxTail);
	/// 0 queued 1 executed 2 paid 3 void 4 cancelled 5 unserved
	function withdrawal(uint64 id) external view returns (Withdrawal memory, uint8 fate);
	/// 0 queued 1 covered 2 refundable 3 refunded
	function inboxItem(uint64 id) external view returns (InboxItem memory, uint8 fate);
	/// keccak256(abi.encode(Batch, Before)); 0 once dropped
	function batchHash(uint64 number) external view returns (bytes32);
	function exited(uint256 bucket) external view returns (uint256);
	function vault(address asset) external view returns (uint256);
	function owed(address owner, address asset) external view returns (uint256);
	function validators() external view returns (address[] memory, uint8 t);
}
