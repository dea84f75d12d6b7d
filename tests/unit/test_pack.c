#include "tests/unit/values.h"

#include "abi/pack.h"
#include "abi/text_form.h"

static struct err_text why;

#define COUNT 300

/* A pack of n leaves of a tree of 300, with right proofs. */
static struct pack a_pack(size_t n)
{
	struct pack p = {
		.chain_id = 1,
		.hatch = an_address(0x11),
		.rollup = an_address(0x22),
		.batch = 120,
		.block = 19000000,
		.block_hash = a_hash(0x33),
		.leaf_count = COUNT,
		.n = n,
	};
	struct record records[COUNT];
	uint64_t at[COUNT];
	struct tree t;

	assert_int_equal(tree_init(&t, 0), OK);
	assert_int_equal(tree_resize(&t, COUNT), OK);
	for (size_t i = 0; i < COUNT; i++) {
		records[i] = record_balance(an_address((uint8_t)(i + 1)),
					    an_address(0), u256_from(i));
		tree_set(&t, i, record_leaf(&records[i]));
		at[i] = i;
	}
	tree_rehash(&t, at, COUNT);
	p.root = tree_root(&t);
	for (size_t i = 0; i < n; i++) {
		p.leaves[i].index = i * 17;
		p.leaves[i].record = records[i * 17];
		for (unsigned h = 0; h < t.depth; h++)
			p.leaves[i].siblings[h] =
				tree_node(&t, h, (i * 17 >> h) ^ 1);
	}
	tree_done(&t);
	return p;
}

static void encode(const struct pack *p, struct buf *b)
{
	buf_init(b, PACK_BYTES_MAX);
	pack_encode(p, b);
	assert_false(b->failed);
}

static bool takes(struct slice s)
{
	static struct pack got;

	return pack_decode(s, &got, &why) == OK;
}

static bool takes_any(struct slice s)
{
	static struct pack got;

	return pack_parse(s, &got, &why) == OK;
}

static bool survives(const struct pack *p)
{
	struct buf b;
	bool ret;

	encode(p, &b);
	ret = takes(buf_slice(&b));
	buf_done(&b);
	return ret;
}

static void assert_same(const struct pack *a, struct slice form)
{
	struct pack got;
	struct buf x, y;

	assert_int_equal(pack_parse(form, &got, &why), OK);
	encode(a, &x);
	encode(&got, &y);
	assert_slice_equal(buf_slice(&x), buf_slice(&y));
	assert_int_equal(pack_verify(&got, &why), OK);
	buf_done(&x);
	buf_done(&y);
}

static void test_all_forms_come_back(void **state)
{
	const size_t sizes[] = {1, 2, PACK_LEAVES_MAX};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct pack p = a_pack(sizes[i]);
		struct json_writer w;
		struct buf b;

		buf_init(&b, JSON_BODY_MAX);
		pack_encode(&p, &b);
		assert_same(&p, buf_slice(&b));
		buf_clear(&b);
		pack_text(&p, &b);
		buf_add_str(&b, "\n");
		assert_same(&p, buf_slice(&b));
		buf_clear(&b);
		buf_add_str(&b, "\n ");
		w = json_writer(&b);
		pack_json(&p, &w, NULL);
		assert_false(b.failed);
		assert_same(&p, buf_slice(&b));
		buf_done(&b);
	}
}

static void test_largest_pack_fits_every_form(void **state)
{
	struct pack p = a_pack(PACK_LEAVES_MAX), got;
	struct json_writer w;
	struct buf b;

	(void)state;
	p.leaf_count = UINT64_C(1) << MERKLE_DEPTH_MAX;
	p.chain_id = p.batch = p.block = (UINT64_C(1) << 53) - 1;
	/* leafCount is 5 bytes: 2^40 itself cannot be said */
	p.leaf_count--;
	buf_init(&b, JSON_BODY_MAX);
	pack_encode(&p, &b);
	assert_true(b.len <= PACK_BYTES_MAX);
	assert_int_equal(pack_parse(buf_slice(&b), &got, &why), OK);
	buf_clear(&b);
	pack_text(&p, &b);
	assert_true(b.len <= PACK_TEXT_MAX);
	assert_int_equal(pack_parse(buf_slice(&b), &got, &why), OK);
	buf_clear(&b);
	w = json_writer(&b);
	pack_json(&p, &w, NULL);
	assert_false(b.failed);
	assert_int_equal(pack_parse(buf_slice(&b), &got, &why), OK);
	buf_done(&b);
}

static void test_one_leaf_of_a_country_fits_a_qr_code(void **state)
{
	struct pack p = a_pack(1);
	struct buf b;

	(void)state;
	p.leaf_count = 50000000; /* d = 26 */
	buf_init(&b, PACK_TEXT_MAX);
	pack_text(&p, &b);
	/* version 27 at level L holds 1,465 bytes */
	assert_true(b.len <= 1465);
	buf_done(&b);
}

static void test_verify_refuses_any_wrong_node(void **state)
{
	struct pack p = a_pack(3);

	(void)state;
	assert_int_equal(pack_verify(&p, &why), OK);
	p.leaves[1].siblings[8].b[0] ^= 1;
	assert_int_equal(pack_verify(&p, &why), ERR_INVALID);
	p.leaves[1].siblings[8].b[0] ^= 1;
	p.leaves[2].record.b[52] ^= 1;
	assert_int_equal(pack_verify(&p, &why), ERR_INVALID);
	p.leaves[2].record.b[52] ^= 1;
	p.leaves[0].index = 1;
	assert_int_equal(pack_verify(&p, &why), ERR_INVALID);
	p.leaves[0].index = 0;
	p.root.b[0] ^= 1;
	assert_int_equal(pack_verify(&p, &why), ERR_INVALID);
}

static void test_decode_refuses_unsound_packs(void **state)
{
	struct pack p = a_pack(2);

	(void)state;
	assert_true(survives(&p));
	p.leaves[1].index = COUNT;
	assert_false(survives(&p));
	p = a_pack(2);
	p.leaves[1].record.b[0] = 3;
	assert_false(survives(&p));
	p = a_pack(2);
	p.n = 0;
	assert_false(survives(&p));
	p = a_pack(1);
	p.chain_id = UINT64_C(1) << 53;
	assert_false(survives(&p));
}

static void test_decoders_refuse_prefixes(void **state)
{
	struct pack p = a_pack(1);
	struct json_writer w;
	struct buf b;

	(void)state;
	encode(&p, &b);
	assert_true(takes(buf_slice(&b)));
	assert_prefixes_refused(buf_slice(&b), takes);
	assert_prefixes_refused(buf_slice(&b), takes_any);
	buf_clear(&b);
	pack_text(&p, &b);
	assert_prefixes_refused(buf_slice(&b), takes_any);
	buf_clear(&b);
	w = json_writer(&b);
	pack_json(&p, &w, NULL);
	assert_prefixes_refused(buf_slice(&b), takes_any);
	buf_done(&b);
}

static void refused(struct slice s)
{
	assert_false(takes(s));
}

/* As a forger would: the check made right again. */
static void resealed_is_canonical_or_wrong(struct slice s)
{
	struct buf sealed, again;
	struct pack got;

	buf_init(&sealed, PACK_BYTES_MAX);
	buf_add(&sealed, s.p, s.len);
	text_form_seal(&sealed, 0);
	if (pack_decode(buf_slice(&sealed), &got, &why) == OK) {
		encode(&got, &again);
		assert_slice_equal(buf_slice(&again), buf_slice(&sealed));
		buf_done(&again);
	}
	buf_done(&sealed);
}

static void test_flipped_bits_are_noticed(void **state)
{
	struct pack p = a_pack(1);
	struct buf b;

	(void)state;
	encode(&p, &b);
	for_each_flip(buf_slice(&b), refused);
	for_each_flip(slice_of(b.p, b.len - TEXT_FORM_CHECK),
		      resealed_is_canonical_or_wrong);
	buf_done(&b);
}

static bool takes_changed(const char *from, const char *to)
{
	struct pack p = a_pack(1);
	struct buf text, changed;
	struct json_writer w;
	const char *at;
	bool ret;

	buf_init(&text, JSON_BODY_MAX);
	buf_init(&changed, JSON_BODY_MAX);
	w = json_writer(&text);
	pack_json(&p, &w, NULL);
	at = strstr(buf_cstr(&text), from);
	assert_non_null(at);
	buf_printf(&changed, "%.*s%s%s", (int)(at - buf_cstr(&text)),
		   buf_cstr(&text), to, at + strlen(from));
	ret = takes_any(buf_slice(&changed));
	buf_done(&text);
	buf_done(&changed);
	return ret;
}

static void test_json_ignores_what_answers_may_add(void **state)
{
	(void)state;
	assert_true(takes_changed("{", "{\"kind\":2,"));
	assert_false(takes_changed("\"root\"", "\"rot\""));
	assert_false(takes_changed("\"leaf_count\":300", "\"leaf_count\":256"));
	assert_false(takes_changed("\"leaf_count\":300",
				   "\"leaf_count\":2000000000000"));
	assert_false(takes_changed("\"proof\":[", "\"proof\":[7,"));
	assert_false(takes_changed("\"index\":0", "\"index\":300"));
	assert_false(takes_changed("\"record\":\"0x01", "\"record\":\"0x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_forms_come_back),
		cmocka_unit_test(test_largest_pack_fits_every_form),
		cmocka_unit_test(test_one_leaf_of_a_country_fits_a_qr_code),
		cmocka_unit_test(test_verify_refuses_any_wrong_node),
		cmocka_unit_test(test_decode_refuses_unsound_packs),
		cmocka_unit_test(test_decoders_refuse_prefixes),
		cmocka_unit_test(test_flipped_bits_are_noticed),
		cmocka_unit_test(test_json_ignores_what_answers_may_add),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
