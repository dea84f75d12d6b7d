/* Text forms.  Knows names and checks, nothing of what is inside. */
#include "abi/text_form.h"

#include "abi/hex.h"
#include "abi/keccak.h"

void text_form_seal(struct buf *b, size_t start)
{
	struct hash32 hash;

	if (b->failed)
		return;
	hash = keccak256(b->p + start, b->len - start);
	buf_add(b, hash.b, TEXT_FORM_CHECK);
}

enum err text_form_open(struct slice sealed, struct slice *ret,
			struct err_text *error)
{
	struct hash32 hash;
	size_t len;

	if (sealed.len <= TEXT_FORM_CHECK) {
		err_text_set(error, "too short: %zu bytes", sealed.len);
		return ERR_INVALID;
	}
	len = sealed.len - TEXT_FORM_CHECK;
	hash = keccak256(sealed.p, len);
	if (memcmp(hash.b, sealed.p + len, TEXT_FORM_CHECK)) {
		err_text_set(error, "the check at the end does not match: "
				    "bytes were lost or changed on the way");
		return ERR_INVALID;
	}
	*ret = slice_of(sealed.p, len);
	return OK;
}

void text_form_encode(const char *name, struct slice bytes, struct buf *to)
{
	struct buf sealed;

	buf_init(&sealed, bytes.len + TEXT_FORM_CHECK);
	buf_add_slice(&sealed, bytes);
	text_form_seal(&sealed, 0);
	buf_add_str(to, name);
	buf_add_str(to, "1:");
	base64url_encode(buf_slice(&sealed), to);
	if (sealed.failed)
		to->failed = true;
	buf_done(&sealed);
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* text without white space before it and without "NAME1:", or an empty slice.
 */
static struct slice after_name(const char *name, struct slice text)
{
	size_t len = strlen(name);

	while (text.len && is_space(text.p[0]))
		text = slice_of(text.p + 1, text.len - 1);
	if (text.len < len + 2 || memcmp(text.p, name, len) ||
	    memcmp(text.p + len, "1:", 2))
		return slice_of(NULL, 0);
	return slice_of(text.p + len + 2, text.len - len - 2);
}

enum err text_form_decode(const char *name, struct slice text, struct buf *to,
			  struct err_text *error)
{
	struct slice body = after_name(name, text), bytes;
	struct buf line, sealed;
	enum err err;

	if (!body.len) {
		err_text_set(error, "does not begin with \"%s1:\"", name);
		return ERR_INVALID;
	}
	/* 4 characters are 3 bytes */
	buf_init(&sealed, body.len / 4 * 3 + 3);
	buf_init(&line, body.len);
	for (size_t i = 0; i < body.len; i++) /* a mail breaks long lines */
		if (!is_space(body.p[i]))
			buf_add_byte(&line, body.p[i]);
	err = base64url_decode(buf_slice(&line), &sealed);
	buf_done(&line);
	if (err)
		err_text_set(error, "not base64url: it was changed or cut "
				    "short on the way");
	else
		err = text_form_open(buf_slice(&sealed), &bytes, error);
	if (!err) {
		buf_add_slice(to, bytes);
		if (to->failed) {
			err_text_set(error, "longer than %zu bytes", to->max);
			err = ERR_TOO_LARGE;
		}
	}
	buf_done(&sealed);
	return err;
}
