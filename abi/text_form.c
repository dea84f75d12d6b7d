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

static struct slice trimmed(struct slice s)
{
	while (s.len && is_space(s.p[0]))
		s = slice_of(s.p + 1, s.len - 1);
	while (s.len && is_space(s.p[s.len - 1]))
		s.len--;
	return s;
}

/* text without "NAME1:", or an empty slice. */
static struct slice after_name(const char *name, struct slice text)
{
	size_t len = strlen(name);

	if (text.len < len + 2 || memcmp(text.p, name, len) ||
	    memcmp(text.p + len, "1:", 2))
		return slice_of(NULL, 0);
	return slice_of(text.p + len + 2, text.len - len - 2);
}

enum err text_form_decode(const char *name, struct slice text, struct buf *to,
			  struct err_text *error)
{
	struct slice body = after_name(name, trimmed(text)), bytes;
	struct buf sealed;
	enum err err;

	if (!body.len) {
		err_text_set(error, "does not begin with \"%s1:\"", name);
		return ERR_INVALID;
	}
	/* 4 characters are 3 bytes */
	buf_init(&sealed, body.len / 4 * 3 + 3);
	err = base64url_decode(body, &sealed);
	if (err)
		err_text_set(error, "not base64url");
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
