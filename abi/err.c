/* Names of errors, and the one line of text that goes with them. */
#include "abi/err.h"

#include <stdio.h>
#include <string.h>

const char *err_name(enum err err)
{
	switch (err) {
	case OK:
		return "ok";
	case ERR_INVALID:
		return "invalid";
	case ERR_NOT_FOUND:
		return "not found";
	case ERR_TOO_LARGE:
		return "too large";
	case ERR_CONFLICT:
		return "conflict";
	case ERR_REORG:
		return "reorganised";
	case ERR_BUSY:
		return "busy";
	case ERR_FULL:
		return "full";
	case ERR_IO:
		return "input/output";
	case ERR_UNSAFE:
		return "store not safe";
	case ERR_REFUSED:
		return "refused";
	}
	return "unknown";
}

/* A cut must not leave half a character behind: this text ends up in JSON. */
static void drop_half_character(char *text, size_t len)
{
	size_t start = len;
	while (start > 0 && len - start < 3 &&
	       ((unsigned char)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0)
		return;
	unsigned char lead = (unsigned char)text[start - 1];
	size_t wanted = lead >= 0xf0   ? 4
			: lead >= 0xe0 ? 3
			: lead >= 0xc0 ? 2
				       : 1;
	if (wanted > len - (start - 1))
		text[start - 1] = '\0';
}

void err_text_set(struct err_text *e, const char *format, ...)
{
	/* Written beside and copied, so that e->text may be an argument. */
	char text[sizeof(e->text)];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0)
		text[0] = '\0';
	else if ((size_t)n >= sizeof(text))
		drop_half_character(text, sizeof(text) - 1);
	memcpy(e->text, text, sizeof(text));
}
