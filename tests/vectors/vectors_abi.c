/* Any ABI type over the words of abi/: what the table-driven codecs of other
 * languages do, done with our primitives, so that they can be compared.
 *
 * Values are tokens in order: a number in decimal (uint), 32 bytes of hex
 * (int, bytesN: the word), 20 (address), true or false, hex (bytes, string);
 * T[] begins with its count.  Arrays of dynamic types are not supported, as
 * nothing in abi/ reads one. */
#include "tests/vectors/vectors.h"

#include "abi/words.h"

#include <stdlib.h>

#define TYPES_MAX  256
#define REPEAT_MAX 64

enum kind { UINT, WORD, ADDRESS, BOOL, BYTES, TUPLE, ARRAY };

struct type {
	enum kind kind;
	unsigned bits; /* UINT */
	bool dynamic;
	size_t words; /* of the head, when static */
	size_t n;     /* children */
	struct type *child[REPEAT_MAX];
};

struct parser {
	const char *at, *end;
	struct type pool[TYPES_MAX];
	size_t used;
	bool failed;
};

static struct type *new_type(struct parser *p, enum kind kind)
{
	if (p->used == TYPES_MAX) {
		p->failed = true;
		p->used = 0;
	}
	struct type *t = &p->pool[p->used++];
	*t = (struct type){.kind = kind, .words = 1};
	return t;
}

static bool eat(struct parser *p, const char *word)
{
	size_t len = strlen(word);
	if ((size_t)(p->end - p->at) < len || memcmp(p->at, word, len))
		return false;
	p->at += len;
	return true;
}

static unsigned eat_number(struct parser *p, unsigned otherwise)
{
	unsigned value = 0;
	const char *from = p->at;
	for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++)
		value = value * 10 + (unsigned)(*p->at - '0');
	return p->at == from ? otherwise : value;
}

static void add_child(struct parser *p, struct type *t, struct type *child)
{
	if (t->n == REPEAT_MAX) {
		p->failed = true;
		return;
	}
	t->child[t->n++] = child;
	t->dynamic |= child->dynamic;
	t->words += child->words;
}

static struct type *parse_type(struct parser *p);

static struct type *parse_base(struct parser *p)
{
	if (eat(p, "uint")) {
		struct type *t = new_type(p, UINT);
		t->bits = eat_number(p, 256);
		return t;
	}
	if (eat(p, "address"))
		return new_type(p, ADDRESS);
	if (eat(p, "bool"))
		return new_type(p, BOOL);
	if (eat(p, "int")) {
		(void)eat_number(p, 256);
		return new_type(p, WORD);
	}
	if (eat(p, "string") || (eat(p, "bytes") && !eat_number(p, 0))) {
		struct type *t = new_type(p, BYTES);
		t->dynamic = true;
		return t;
	}
	if (!eat(p, "tuple(") && !eat(p, "("))
		return new_type(p, WORD);
	struct type *t = new_type(p, TUPLE);
	t->words = 0;
	do
		add_child(p, t, parse_type(p));
	while (eat(p, ","));
	p->failed |= !eat(p, ")");
	return t;
}

static struct type *parse_type(struct parser *p)
{
	struct type *t = parse_base(p);
	while (!p->failed && eat(p, "[")) {
		struct type *of = t;
		unsigned n = eat_number(p, UINT32_MAX);
		p->failed |= !eat(p, "]");
		t = new_type(p, n == UINT32_MAX ? ARRAY : TUPLE);
		if (n == UINT32_MAX) {
			p->failed |= of->dynamic;
			t->child[0] = of;
			t->dynamic = true;
			continue;
		}
		t->words = 0;
		for (unsigned i = 0; i < n && !p->failed; i++)
			add_child(p, t, of);
	}
	return t;
}

/* The tokens that are left. */
struct tokens {
	const struct slice *at;
	size_t n;
	bool failed;
};

static struct slice next(struct tokens *t)
{
	if (!t->n) {
		t->failed = true;
		return (struct slice){0};
	}
	t->n--;
	return *t->at++;
}

static struct u256 next_number(struct tokens *t)
{
	struct u256 a = u256_from(0);
	if (u256_parse(next(t), &a))
		t->failed = true;
	return a;
}

static void put_static(const struct type *type, struct tokens *t, struct buf *b)
{
	struct slice token;
	struct hash32 h;
	struct address a;
	switch (type->kind) {
	case UINT: {
		struct u256 value = next_number(t);
		if (type->bits <= 64)
			abi_put_u64(b, u256_u64(value));
		else
			abi_put_u256(b, value);
		break;
	}
	case WORD:
		t->failed |= hash_parse(next(t), &h) != OK;
		abi_put_hash(b, h);
		break;
	case ADDRESS:
		t->failed |= address_parse(next(t), &a) != OK;
		abi_put_address(b, a);
		break;
	case BOOL:
		token = next(t);
		abi_put_bool(b, slice_eq(token, slice_str("true")));
		break;
	case TUPLE:
		for (size_t i = 0; i < type->n; i++)
			put_static(type->child[i], t, b);
		break;
	case BYTES:
	case ARRAY:
		abort();
	}
}

static void put_tuple(const struct type *type, struct tokens *t, struct buf *b);

static void put_dynamic(const struct type *type, struct tokens *t,
			struct buf *b)
{
	if (type->kind == TUPLE) {
		put_tuple(type, t, b);
	} else if (type->kind == BYTES) {
		CLEANUP(buf_done) struct buf bytes;
		buf_init(&bytes, VECTORS_OUT_MAX);
		t->failed |= hex_decode_buf(next(t), &bytes) != OK;
		abi_put_bytes(b, buf_slice(&bytes));
	} else {
		uint64_t n = u256_u64(next_number(t));
		abi_put_u64(b, n);
		for (uint64_t i = 0; i < n && !t->failed; i++)
			put_static(type->child[0], t, b);
	}
}

static void put_tuple(const struct type *type, struct tokens *t, struct buf *b)
{
	CLEANUP(buf_done) struct buf tails;
	buf_init(&tails, VECTORS_OUT_MAX);
	size_t head = 0;
	for (size_t i = 0; i < type->n; i++)
		head += type->child[i]->dynamic ? 1 : type->child[i]->words;
	for (size_t i = 0; i < type->n; i++) {
		const struct type *child = type->child[i];
		if (!child->dynamic) {
			put_static(child, t, b);
			continue;
		}
		abi_put_u64(b, head * ABI_WORD + tails.len);
		put_dynamic(child, t, &tails);
	}
	buf_add_slice(b, buf_slice(&tails));
}

static void get(const struct type *type, struct abi_reader *r, struct buf *out);

static void get_parts(const struct type *type, struct abi_reader *r,
		      struct buf *out)
{
	for (size_t i = 0; i < type->n; i++)
		get(type->child[i], r, out);
}

static void get_number(const struct type *type, struct abi_reader *r,
		       struct buf *out)
{
	struct u256 value = type->bits <= 64 ? u256_from(abi_u64(r, type->bits))
					     : abi_u256(r);
	r->failed |= !u256_fits(value, type->bits);
	buf_add_str(out, u256_text(value).s);
}

static void get_array(const struct type *type, struct abi_reader *r,
		      struct buf *out)
{
	size_t n;
	const struct type *of = type->child[0];
	struct abi_reader list = abi_array(r, of->words, 1000, &n);
	buf_printf(out, "%zu", n);
	for (size_t i = 0; i < n; i++)
		get(of, &list, out);
	r->failed |= list.failed;
}

static void get(const struct type *type, struct abi_reader *r, struct buf *out)
{
	struct slice bytes;
	if (r->failed)
		return;
	if (out->len && out->p[out->len - 1] != ' ')
		buf_add_byte(out, ' ');
	switch (type->kind) {
	case UINT:
		get_number(type, r, out);
		break;
	case WORD:
		buf_add_str(out, hash_text(abi_hash(r)).s);
		break;
	case ADDRESS:
		buf_add_str(out, address_text(abi_address(r)).s);
		break;
	case BOOL:
		buf_add_str(out, abi_bool(r) ? "true" : "false");
		break;
	case BYTES:
		bytes = abi_bytes(r, VECTORS_OUT_MAX);
		buf_add_str(out, "0x");
		buf_add_hex(out, bytes.p, bytes.len);
		break;
	case ARRAY:
		get_array(type, r, out);
		break;
	case TUPLE:
		if (type->dynamic) {
			struct abi_reader tuple = abi_tuple(r);
			get_parts(type, &tuple, out);
			r->failed |= tuple.failed;
		} else {
			get_parts(type, r, out);
		}
		break;
	}
}

static const struct type *parse(struct parser *p, struct slice text)
{
	p->at = (const char *)text.p;
	p->end = p->at + text.len;
	p->used = 0;
	p->failed = false;
	const struct type *type = parse_type(p);
	return p->failed || p->at != p->end || type->kind != TUPLE ? NULL
								   : type;
}

static struct parser parser; /* too large for the stack */

static bool run_encode(const struct slice *args, size_t n, struct buf *out)
{
	const struct type *type = parse(&parser, args[0]);
	struct tokens tokens = {.at = args + 1, .n = n - 1};
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, VECTORS_OUT_MAX);
	if (!type)
		return false;
	put_tuple(type, &tokens, &b);
	buf_add_str(out, "0x");
	buf_add_hex(out, b.p, b.len);
	return !tokens.failed && !tokens.n && !b.failed;
}

static bool run_decode(const struct slice *args, size_t n, struct buf *out)
{
	(void)n;
	const struct type *type = parse(&parser, args[0]);
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, VECTORS_OUT_MAX);
	if (!type || hex_decode_buf(args[1], &b))
		return false;
	struct abi_reader r = abi_reader(buf_slice(&b));
	get_parts(type, &r, out);
	return !r.failed;
}

const struct vectors_command vectors_abi[] = {
	{"abi.encode", 1, run_encode},
	{"abi.decode", 2, run_decode},
	{NULL},
};
