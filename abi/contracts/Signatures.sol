// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Not a 65-byte r, s, v signature with low s and v 27 or 28 that recovers.
error BadSignature();
/// Signers (or diff entries) are not strictly ascending.
error NotAscending();

/// Recovers signers; EIP-712 digests.  Never uses signature bytes as a name.
library Signatures {
	uint256 internal constant SIZE = 65;
	/// half of the secp256k1 group order: EIP-2 "s ... greater than secp256k1n/2 are ... invalid"
	uint256 internal constant HALF_N = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
	bytes32 internal constant DOMAIN_TYPEHASH = keccak256(
		"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
	);

	function digest(bytes32 nameHash, bytes32 structHash) internal view returns (bytes32) {
		bytes32 domain = keccak256(
			abi.encode(DOMAIN_TYPEHASH, nameHash, keccak256("1"), block.chainid, address(this))
		);
		return keccak256(abi.encodePacked("\x19\x01", domain, structHash));
	}

	/// The signer of one 65-byte signature; never 0.
	function recover(bytes32 hash, bytes calldata signature) internal pure returns (address signer) {
		require(signature.length == SIZE, BadSignature());
		bytes32 r = bytes32(signature[0:32]);
		uint256 s = uint256(bytes32(signature[32:64]));
		uint8 v = uint8(signature[64]);
		require(s <= HALF_N, BadSignature());
		require(v == 27 || v == 28, BadSignature());
		signer = ecrecover(hash, v, r, bytes32(s));
		require(signer != address(0), BadSignature());
	}

	/// The signers of a bundle, strictly ascending; at most max.
	function recoverAll(bytes32 hash, bytes calldata bundle, uint256 max)
		internal
		pure
		returns (address[] memory signers)
	{
		uint256 n = bundle.length / SIZE;
		require(bundle.length == n * SIZE && n <= max, BadSignature());
		signers = new address[](n);
		address last;
		for (uint256 i = 0; i < n; i++) {
			address signer = recover(hash, bundle[i * SIZE:(i + 1) * SIZE]);
			require(signer > last, NotAscending());
			signers[i] = signer;
			last = signer;
		}
	}

	/// The position of one in list; list.length if it is not there.
	function find(address[] memory list, address one) internal pure returns (uint256 place) {
		while (place < list.length && list[place] != one) place++;
	}

	/// 1..max entries, none zero, none twice.
	function isList(address[] memory list, uint256 max) internal pure returns (bool) {
		if (list.length == 0 || list.length > max) return false;
		for (uint256 i = 0; i < list.length; i++) {
			if (list[i] == address(0) || find(list, list[i]) != i) return false;
		}
		return true;
	}
}
