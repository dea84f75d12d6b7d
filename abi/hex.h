/* Text forms: "0x" + lower-case hex of fixed length, and base64url. */
#ifndef EGRESS_ABI_HEX_H
#define EGRESS_ABI_HEX_H

#include "abi/buf.h"

#define ADDRESS_TEXT 43 /* "0x" + 40 + NUL */
#define HASH_TEXT    67 /* "0x" + 64 + NUL */

/* text must be "0x" and exactly 2 × len digits, either case.
 * ERR_INVALID otherwise. */
MUST_CHECK enum err hex_decode(struct slice text, uint8_t *ret, size_t len);
/* Any even number of digits after "0x"; at most b->max bytes. */
MUST_CHECK enum err hex_decode_buf(struct slice text, struct buf *b);
/* to must hold 2 + 2 × len + 1 characters. */
char *hex_encode(const uint8_t *p, size_t len, char *to);

/* Lower case, NUL-terminated, returned by value so that two fit one printf:
 * printf("%s", address_text(a).s) */
struct address_text {
	char s[ADDRESS_TEXT];
};
struct hash_text {
	char s[HASH_TEXT];
};
struct address_text address_text(struct address a);
struct hash_text hash_text(struct hash32 h);

/* EIP-55: a mixed-case address must carry a right checksum; all-lower and
 * all-upper are accepted. ERR_INVALID otherwise. */
MUST_CHECK enum err address_parse(struct slice text, struct address *ret);
MUST_CHECK enum err hash_parse(struct slice text, struct hash32 *ret);

/* RFC 4648 base64url without padding; strict (no stray bits). */
void base64url_encode(struct slice bytes, struct buf *to);
MUST_CHECK enum err base64url_decode(struct slice text, struct buf *to);

#endif
