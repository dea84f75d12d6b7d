// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// An ordinary token; mode makes it an awkward one.
contract Token {
	enum Mode {
		Good,
		Silent, // returns nothing
		False, // returns false and moves nothing
		Reverts,
		Fee, // delivers one less
		Burns, // eats all gas
		Bomb, // returns a megabyte
		Two, // returns 2
		Liar, // moves, and says it did not
		Heavy, // needs more gas than a payout is given
		Short // returns 31 bytes
	}

	mapping(address => uint256) public balanceOf;
	Mode public mode;

	function set(Mode mode_) external {
		mode = mode_;
	}

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
		Mode m = mode;
		require(m != Mode.Reverts, "token says no");
		while (m == Mode.Burns) {}
		if (m == Mode.False) return false;
		if (m == Mode.Heavy) {
			for (uint256 i = 0; i < 80; i++) require(balanceOf[address(uint160(i + 1))] < 1 << 200, "cold");
		}
		balanceOf[from] -= amount;
		balanceOf[to] += m == Mode.Fee ? amount - 1 : amount;
		if (m == Mode.Liar) return false;
		if (m == Mode.Silent) {
			assembly {
				return(0, 0)
			}
		}
		if (m == Mode.Bomb) {
			assembly {
				return(0, 20000)
			}
		}
		if (m == Mode.Two) {
			assembly {
				mstore(0, 2)
				return(0, 32)
			}
		}
		if (m == Mode.Short) {
			assembly {
				mstore(0, not(0))
				return(0, 31)
			}
		}
		return true;
	}
}

/// A payee that refuses, burns, or calls back.
contract Payee {
	enum Mode {
		Takes,
		Refuses,
		Burns,
		Picky, // takes it only with most of the gas it is due
		Calls
	}

	Mode public mode;
	address public target;
	bytes public data;
	bool public called;
	bool public succeeded;
	bytes public answer;

	function set(Mode mode_) external {
		mode = mode_;
	}

	/// On receipt, call target with data and remember how it went.
	function plot(address target_, bytes calldata data_) external {
		mode = Mode.Calls;
		target = target_;
		data = data_;
	}

	function forward(address to, uint256 value, bytes calldata data_) external returns (bytes memory) {
		(bool ok, bytes memory out) = to.call{value: value}(data_);
		if (!ok) {
			assembly {
				revert(add(out, 0x20), mload(out))
			}
		}
		return out;
	}

	receive() external payable {
		Mode m = mode;
		require(m != Mode.Refuses, "payee says no");
		while (m == Mode.Burns) {}
		require(m != Mode.Picky || gasleft() > 14_000, "not with so little");
		if (m == Mode.Calls) {
			(bool ok,) = target.call(data);
			require(!ok, "got in");
		}
	}
}
