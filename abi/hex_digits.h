/* Hex digits to bytes, the quick way: 16 bytes at a step where the machine has
 * vectors, one by table where not; both give the same verdict. */
#ifndef EGRESS_ABI_HEX_DIGITS_H
#define EGRESS_ABI_HEX_DIGITS_H

#include "abi/err.h"
#include "abi/types.h"

/* 0: not a digit; otherwise its value and one more. */
extern const uint8_t hex_digits_value[256];

/* 2 × len digits, either case, no prefix.  false: one is no digit, and what ret
 * holds then is of no meaning. */
MUST_CHECK bool hex_digits_decode(const uint8_t *digits, uint8_t *ret,
				  size_t len);
/* The same without vectors. */
MUST_CHECK bool hex_digits_decode_scalar(const uint8_t *digits, uint8_t *ret,
					 size_t len);

#endif
