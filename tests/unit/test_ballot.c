#include "tests/unit/values.h"

#include "abi/ballot.h"

static struct err_text why;

static const struct vote vote = {
	.chain_id = 1,
	.hatch = {{0x11}},
	.action = VOTE_PROMOTE,
	.epoch = 3,
	.progress = 120,
	.subject = {{0x22}},
	.expiry = 1800000000,
};

/* Signed by keys 1 … n. */
static struct bundle a_bundle(uint8_t n)
{
	struct bundle b = {.vote = vote};

	for (uint8_t i = 1; i <= n; i++) {
		struct signature s = sign_by(i, vote_digest(&vote));

		assert_int_equal(bundle_add(&b, &s), OK);
	}
	return b;
}

static void swap(struct bundle *b, size_t i, size_t j)
{
	struct signature s = b->signatures[i];

	b->signatures[i] = b->signatures[j];
	b->signatures[j] = s;
}

static void assert_bundle_equal(const struct bundle *a, const struct bundle *b)
{
	assert_hash_equal(vote_digest(&a->vote), vote_digest(&b->vote));
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_address_equal(a->signers[i], b->signers[i]);
		assert_memory_equal(a->signatures[i].b, b->signatures[i].b, 65);
	}
}

static bool takes(struct slice s)
{
	struct bundle got;

	return bundle_decode(s, &got, &why) == OK;
}

static bool takes_text(struct slice s)
{
	struct bundle got;

	return bundle_parse_text(s, &got, &why) == OK;
}

/* Binary of whatever stands in b, right or wrong. */
static void encode(const struct bundle *b, struct buf *to)
{
	buf_init(to, 8192);
	bundle_encode(b, to);
	assert_false(to->failed);
}

static bool survives(const struct bundle *b)
{
	struct buf bytes;
	bool ret;

	encode(b, &bytes);
	ret = takes(buf_slice(&bytes));
	buf_done(&bytes);
	return ret;
}

static void test_add_keeps_signers_ascending(void **state)
{
	struct bundle b = a_bundle(9);

	(void)state;
	assert_int_equal(b.n, 9);
	for (size_t i = 0; i < b.n; i++) {
		struct address signer;

		assert_int_equal(key_recover(vote_digest(&vote),
					     &b.signatures[i], &signer),
				 OK);
		assert_address_equal(signer, b.signers[i]);
		if (i)
			assert_true(address_cmp(b.signers[i - 1], signer) < 0);
	}
}

static void test_add_refuses_twice_bad_and_too_many(void **state)
{
	struct bundle b = a_bundle(BUNDLE_MAX);
	struct signature s = sign_by(BUNDLE_MAX + 1, vote_digest(&vote));

	(void)state;
	assert_int_equal(bundle_add(&b, &s), ERR_TOO_LARGE);
	s = sign_by(3, vote_digest(&vote));
	assert_int_equal(bundle_add(&b, &s), ERR_CONFLICT);
	s.b[64] = 0;
	assert_int_equal(bundle_add(&b, &s), ERR_INVALID);
	assert_int_equal(b.n, BUNDLE_MAX);
}

static void test_all_forms_come_back(void **state)
{
	const uint8_t sizes[] = {1, 3, BUNDLE_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes); i++) {
		struct bundle b = a_bundle(sizes[i]), got;
		struct json_writer w;
		struct json_doc *doc;
		struct buf bytes;

		encode(&b, &bytes);
		assert_int_equal(bytes.len, BALLOT_FIXED + 65u * sizes[i] + 4);
		assert_int_equal(bundle_decode(buf_slice(&bytes), &got, &why),
				 OK);
		assert_bundle_equal(&b, &got);
		buf_clear(&bytes);
		bundle_text(&b, &bytes);
		assert_int_equal(
			bundle_parse_text(buf_slice(&bytes), &got, &why), OK);
		assert_bundle_equal(&b, &got);
		buf_clear(&bytes);
		w = json_writer(&bytes);
		bundle_json(&b, &w, NULL);
		assert_int_equal(json_parse(buf_slice(&bytes), JSON_BODY_MAX,
					    JSON_DEPTH_MAX, &doc, &why),
				 OK);
		assert_int_equal(bundle_parse_json(json_root(doc), &got, &why),
				 OK);
		assert_bundle_equal(&b, &got);
		json_free(doc);
		buf_done(&bytes);
	}
}

static void test_bundle_rejects_unsorted_signers(void **state)
{
	struct bundle b = a_bundle(3);

	(void)state;
	assert_true(survives(&b));
	swap(&b, 0, 1);
	assert_false(survives(&b));
	swap(&b, 0, 1);
	swap(&b, 1, 2);
	assert_false(survives(&b));
}

static void test_bundle_rejects_duplicates(void **state)
{
	struct bundle b = a_bundle(3);

	(void)state;
	b.signatures[1] = b.signatures[0];
	assert_false(survives(&b));
}

static void test_bundle_rejects_none(void **state)
{
	struct bundle b = {.vote = vote};

	(void)state;
	assert_false(survives(&b));
}

static void test_bundle_rejects_unknown_action_and_huge_number(void **state)
{
	struct bundle b = a_bundle(1);

	(void)state;
	b.vote.action = (enum vote_action)5;
	assert_false(survives(&b));
	b.vote.action = (enum vote_action)0;
	assert_false(survives(&b));
	b = (struct bundle){.vote = vote, .n = 1};
	b.vote.epoch = UINT64_C(1) << 53;
	b.signatures[0] = sign_by(1, vote_digest(&b.vote));
	assert_false(survives(&b));
	b.vote.epoch--;
	b.signatures[0] = sign_by(1, vote_digest(&b.vote));
	assert_true(survives(&b));
}

static void test_decoders_refuse_prefixes(void **state)
{
	struct bundle b = a_bundle(2);
	struct buf bytes;

	(void)state;
	encode(&b, &bytes);
	assert_prefixes_refused(buf_slice(&bytes), takes);
	buf_clear(&bytes);
	bundle_text(&b, &bytes);
	assert_true(takes_text(buf_slice(&bytes)));
	assert_prefixes_refused(buf_slice(&bytes), takes_text);
	buf_done(&bytes);
}

static void refused(struct slice s)
{
	assert_false(takes(s));
}

/* As a forger would: the check made right again. */
static void resealed_is_canonical(struct slice s)
{
	struct buf sealed, again;
	struct bundle got;

	buf_init(&sealed, 8192);
	buf_add(&sealed, s.p, s.len - TEXT_FORM_CHECK);
	text_form_seal(&sealed, 0);
	if (bundle_decode(buf_slice(&sealed), &got, &why) == OK) {
		/* another signer, never one of ours on other words */
		assert_false(address_eq(got.signers[0], address_of(1)));
		encode(&got, &again);
		assert_slice_equal(buf_slice(&again), buf_slice(&sealed));
		buf_done(&again);
	}
	buf_done(&sealed);
}

static void test_flipped_bits_are_noticed(void **state)
{
	struct bundle b = a_bundle(1);
	struct buf bytes;

	(void)state;
	encode(&b, &bytes);
	for_each_flip(buf_slice(&bytes), refused);
	bytes.len -= TEXT_FORM_CHECK;
	buf_add_zeros(&bytes, TEXT_FORM_CHECK);
	for_each_flip(slice_of(bytes.p, bytes.len - TEXT_FORM_CHECK),
		      resealed_is_canonical);
	buf_done(&bytes);
}

static bool takes_json(const char *text)
{
	struct json_doc *doc;
	struct bundle got;
	bool ret;

	assert_int_equal(json_parse(slice_str(text), JSON_BODY_MAX,
				    JSON_DEPTH_MAX, &doc, &why),
			 OK);
	ret = bundle_parse_json(json_root(doc), &got, &why) == OK;
	json_free(doc);
	return ret;
}

/* The JSON of a bundle of one with the first `from` replaced by `to`. */
static bool takes_changed(const char *from, const char *to)
{
	struct bundle b = a_bundle(1);
	struct buf text, changed;
	struct json_writer w;
	const char *at;
	bool ret;

	buf_init(&text, 8192);
	buf_init(&changed, 8192);
	w = json_writer(&text);
	bundle_json(&b, &w, NULL);
	at = strstr(buf_cstr(&text), from);
	assert_non_null(at);
	buf_printf(&changed, "%.*s%s%s", (int)(at - buf_cstr(&text)),
		   buf_cstr(&text), to, at + strlen(from));
	ret = takes_json(buf_cstr(&changed));
	buf_done(&text);
	buf_done(&changed);
	return ret;
}

static void test_json_refuses_what_it_does_not_know(void **state)
{
	(void)state;
	assert_true(takes_changed("\"epoch\"", "\"epoch\""));
	assert_false(takes_changed("\"epoch\"", "\"era\""));
	assert_false(takes_changed("{", "{\"more\":1,"));
	assert_false(takes_changed("\"promote\"", "\"promotion\""));
	assert_false(takes_changed("\"signatures\":[", "\"signatures\":[7,"));
	assert_false(takes_changed("\"epoch\":3", "\"epoch\":\"3\""));
	assert_false(takes_json("[]"));
	assert_false(takes_json("{}"));
}

static void test_json_signers_are_recomputed(void **state)
{
	struct address_text signer = address_text(address_of(1));

	(void)state;
	assert_true(takes_changed(
		signer.s, "0x0000000000000000000000000000000000000001"));
}

static void test_fast_ballot_lives_three_rounds(void **state)
{
	const uint64_t round = 100, expiry = 1000;

	(void)state;
	assert_false(ballot_fast_alive(expiry, round, 700));
	assert_true(ballot_fast_alive(expiry, round, 701));
	assert_true(ballot_fast_alive(expiry, round, 1000));
	assert_false(ballot_fast_alive(expiry, round, 1001));
	assert_false(ballot_fast_alive(1001, round, 1000));
	assert_false(ballot_fast_alive(expiry, 0, 1000));
	/* a life that would begin before 0 */
	assert_true(ballot_fast_alive(100, round, 0));
	/* and one that nobody can overflow */
	assert_false(
		ballot_fast_alive(UINT64_MAX - UINT64_MAX % round, round, 5));
}

static void test_expiry_is_alive_now_and_next_round(void **state)
{
	const uint64_t round = 100;

	(void)state;
	assert_int_equal(ballot_expiry(1000, round), 1100);
	assert_int_equal(ballot_expiry(1001, round), 1200);
	assert_int_equal(ballot_expiry(1099, round), 1200);
	for (uint64_t now = 1000; now < 1300; now++) {
		uint64_t e = ballot_expiry(now, round);

		assert_true(ballot_fast_alive(e, round, now));
		assert_true(ballot_fast_alive(e, round, now + round));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_keeps_signers_ascending),
		cmocka_unit_test(test_add_refuses_twice_bad_and_too_many),
		cmocka_unit_test(test_all_forms_come_back),
		cmocka_unit_test(test_bundle_rejects_unsorted_signers),
		cmocka_unit_test(test_bundle_rejects_duplicates),
		cmocka_unit_test(test_bundle_rejects_none),
		cmocka_unit_test(
			test_bundle_rejects_unknown_action_and_huge_number),
		cmocka_unit_test(test_decoders_refuse_prefixes),
		cmocka_unit_test(test_flipped_bits_are_noticed),
		cmocka_unit_test(test_json_refuses_what_it_does_not_know),
		cmocka_unit_test(test_json_signers_are_recomputed),
		cmocka_unit_test(test_fast_ballot_lives_three_rounds),
		cmocka_unit_test(test_expiry_is_alive_now_and_next_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
