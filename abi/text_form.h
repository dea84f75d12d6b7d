/* The text form of a binary thing: one line, any file, any QR.
 *
 * formats.md: 'NAME "1:" base64url without padding; the last 4 bytes before
 * encoding are the first 4 of keccak256 of the rest.' */
#ifndef EGRESS_ABI_TEXT_FORM_H
#define EGRESS_ABI_TEXT_FORM_H

#include "abi/buf.h"

#define TEXT_FORM_CHECK 4 /* bytes */

/* Appends the check over what b holds from `start` on. */
void text_form_seal(struct buf *b, size_t start);
/* The bytes without their check. ERR_INVALID: it does not match, why in
 * error. */
MUST_CHECK enum err text_form_open(struct slice sealed, struct slice *ret,
				   struct err_text *error);

/* "NAME1:" base64url(bytes ‖ check). name without the "1:". */
void text_form_encode(const char *name, struct slice bytes, struct buf *to);
/* White space around the text and in it is ignored, for mail and terminals add
 * it; the bytes without their check are appended to `to`. */
MUST_CHECK enum err text_form_decode(const char *name, struct slice text,
				     struct buf *to, struct err_text *error);

#endif
