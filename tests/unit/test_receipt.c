/* Receipts: from what a node prints to proved bytes to logs; blooms.  Whole
 * blocks against their roots: tests/vectors. */
#include "tests/unit/quoted.h"
#include "tests/unit/values.h"

#include "abi/receipt.h"

#define A  "0x1111111111111111111111111111111111111111"
#define T1 "0x2222222222222222222222222222222222222222222222222222222222222222"
#define T2 "0x3333333333333333333333333333333333333333333333333333333333333333"

static const char typed[] =
	"{'type':'0x2','status':'0x1','cumulativeGasUsed':'0x5208','logs':["
	"{'address':'" A "','topics':['" T1 "','" T2 "'],'data':'0xabcd'},"
	"{'address':'0x4444444444444444444444444444444444444444','topics':[],"
	"'data':'0x'}]}";
/* before EIP-658: the state's root in place of the status */
static const char old[] = "{'root':'" T1 "','cumulativeGasUsed':'0x5208',"
			  "'logs':[]}";

static enum err encode(const char *text, struct buf *bytes)
{
	CLEANUP(json_freep) struct json_doc *doc = quoted(text);
	struct json_reader r = {0};
	buf_init(bytes, 1 << 16);
	enum err err = receipt_encode(&r, json_root(doc), bytes);
	assert_int_equal(err == ERR_INVALID, r.failed);
	return err;
}

static enum err with(const char *from, const char *to)
{
	CLEANUP(buf_done) struct buf text, bytes;
	return encode(changed(typed, from, to, &text), &bytes);
}

static void test_logs_come_from_the_bytes(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf bytes;
	struct receipt receipt;
	struct receipt_log log;
	assert_int_equal(encode(typed, &bytes), OK);
	assert_int_equal(receipt_decode(buf_slice(&bytes), &receipt), OK);
	assert_int_equal(receipt.type, 2);
	assert_true(receipt.succeeded);
	assert_true(receipt.gas_used == 21000);
	assert_true(receipt_log_next(&receipt, &log));
	assert_true(address_eq(log.address, an_address(0x11)));
	assert_int_equal(log.n_topics, 2);
	assert_true(hash_eq(log.topics[0], a_hash(0x22)));
	assert_true(hash_eq(log.topics[1], a_hash(0x33)));
	assert_true(slice_eq(log.data, slice_of("\xab\xcd", 2)));
	assert_true(receipt_log_next(&receipt, &log));
	assert_true(address_eq(log.address, an_address(0x44)));
	assert_int_equal(log.n_topics, 0);
	assert_int_equal(log.data.len, 0);
	assert_false(receipt_log_next(&receipt, &log));
}

static void test_a_bloom_that_is_not_printed_is_computed(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf bytes;
	struct receipt receipt;
	uint8_t expected[BLOOM_BYTES] = {0};
	static const uint8_t bytes_of[] = {0x11, 0x22, 0x33, 0x44};
	for (size_t i = 0; i < ARRAY_LEN(bytes_of); i++) {
		struct hash32 h = a_hash(bytes_of[i]);
		bloom_add(expected, slice_of(h.b, i == 1 || i == 2 ? 32 : 20));
	}
	assert_int_equal(encode(typed, &bytes), OK);
	assert_int_equal(receipt_decode(buf_slice(&bytes), &receipt), OK);
	assert_memory_equal(receipt.bloom, expected, BLOOM_BYTES);
	assert_true(bloom_may_hold(receipt.bloom, an_address(0x11)));
	assert_true(bloom_may_hold_topic(receipt.bloom, a_hash(0x33)));
	assert_false(bloom_may_hold(receipt.bloom, an_address(0x55)));
	assert_false(bloom_may_hold_topic(receipt.bloom, a_hash(0x66)));
}

static void test_before_byzantium_success_is_not_known(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf bytes;
	struct receipt receipt;
	struct receipt_log log;
	assert_int_equal(encode(old, &bytes), OK);
	assert_true(bytes.p[0] >= 0xc0); /* no type */
	assert_int_equal(receipt_decode(buf_slice(&bytes), &receipt), OK);
	assert_int_equal(receipt.type, 0);
	assert_false(receipt.succeeded);
	assert_false(receipt_log_next(&receipt, &log));
}

static void test_misshapen_receipts_are_refused(void **state)
{
	(void)state;
	assert_int_equal(with("'0x2'", "'0x5'"), ERR_NOT_FOUND);
	assert_int_equal(with("'status':'0x1'", "'status':'0x2'"), ERR_INVALID);
	assert_int_equal(with("'status'", "'state'"), ERR_INVALID);
	assert_int_equal(with("'cumulativeGasUsed'", "'gasUsed'"), ERR_INVALID);
	assert_int_equal(with("'logs'", "'log'"), ERR_INVALID);
	assert_int_equal(with("'0xabcd'", "'0xabc'"), ERR_INVALID);
	assert_int_equal(with("'topics':[]", "'topics':null"), ERR_INVALID);
	assert_int_equal(with("'topics':[]", "'topics':['0x11']"), ERR_INVALID);
	assert_int_equal(with("'topics':[]", "'topics':['" T1 "','" T1 "','" T1
					     "','" T1 "','" T1 "']"),
			 ERR_INVALID);
	assert_int_equal(with("'topics':[]",
			      "'topics':['" T1 "','" T1 "','" T1 "','" T1 "']"),
			 OK);
	assert_int_equal(with("'logs'", "'logsBloom':'0x00','logs'"),
			 ERR_INVALID);
}

static void test_cuts_are_refused_and_flips_do_no_harm(void **state)
{
	(void)state;
	static const char *const texts[] = {typed, old};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		CLEANUP(buf_done) struct buf bytes;
		struct receipt receipt;
		struct receipt_log log;
		size_t decoded = 0;
		assert_int_equal(encode(texts[i], &bytes), OK);
		for (size_t at = 0; at < bytes.len; at++) {
			uint8_t *cut = malloc(at + 1); /* its end is guarded */
			memcpy(cut, bytes.p, at);
			assert_int_equal(
				receipt_decode(slice_of(cut, at), &receipt),
				ERR_INVALID);
			free(cut);
			for (unsigned bit = 0; bit < 8; bit++) {
				bytes.p[at] ^= (uint8_t)(1u << bit);
				if (!receipt_decode(buf_slice(&bytes),
						    &receipt)) {
					decoded++;
					while (receipt_log_next(&receipt, &log))
						assert_true(log.n_topics <= 4);
				}
				bytes.p[at] ^= (uint8_t)(1u << bit);
			}
		}
		assert_true(decoded >= 8 * BLOOM_BYTES);
		buf_add_byte(&bytes, 0x80);
		assert_int_equal(receipt_decode(buf_slice(&bytes), &receipt),
				 ERR_INVALID);
	}
}

/* A receipt of one log, of parts that are as long as the caller says. */
struct parts {
	size_t root, status, bloom, address, topic, topics;
};

static enum err decode_parts(struct parts p)
{
	static const uint8_t zeros[BLOOM_BYTES + 1];
	CLEANUP(buf_done) struct buf b;
	struct receipt receipt;
	buf_init(&b, 4096);
	if (p.root)
		rlp_put_bytes(&b, slice_of(zeros, p.root));
	else
		rlp_put_u64(&b, p.status);
	rlp_put_u64(&b, 21000);
	rlp_put_bytes(&b, slice_of(zeros, p.bloom));
	size_t logs = b.len;
	rlp_put_bytes(&b, slice_of(zeros, p.address));
	size_t topics = b.len;
	for (size_t i = 0; i < p.topics; i++)
		rlp_put_bytes(&b, slice_of(zeros, p.topic));
	rlp_wrap_list(&b, topics);
	rlp_put_bytes(&b, slice_of(zeros, 3)); /* data */
	rlp_wrap_list(&b, logs);
	rlp_wrap_list(&b, logs);
	rlp_wrap_list(&b, 0);
	return receipt_decode(buf_slice(&b), &receipt);
}

static void test_bytes_of_another_form_are_refused(void **state)
{
	(void)state;
	static const struct parts good = {.status = 1,
					  .bloom = BLOOM_BYTES,
					  .address = 20,
					  .topic = 32,
					  .topics = RECEIPT_TOPICS_MAX};
	struct parts p = good;
	assert_int_equal(decode_parts(p), OK);
	p.status = 0;
	assert_int_equal(decode_parts(p), OK);
	for (p.status = 2; p.status < 400; p.status += 99)
		assert_int_equal(decode_parts(p), ERR_INVALID);
	for (p.root = 2; p.root < 40; p.root++)
		assert_int_equal(decode_parts(p),
				 p.root == 32 ? OK : ERR_INVALID);
	for (int by = -1; by <= 1; by += 2) {
		p = good;
		p.bloom += (size_t)by;
		assert_int_equal(decode_parts(p), ERR_INVALID);
		p = good;
		p.address += (size_t)by;
		assert_int_equal(decode_parts(p), ERR_INVALID);
		p = good;
		p.topic += (size_t)by;
		assert_int_equal(decode_parts(p), ERR_INVALID);
	}
	p = good;
	p.topics++;
	assert_int_equal(decode_parts(p), ERR_INVALID);
	p.topics = 0;
	assert_int_equal(decode_parts(p), OK);
}

static void test_a_log_left_out_is_another_root(void **state)
{
	(void)state;
	CLEANUP(trie_list_done) struct trie_list list;
	CLEANUP(buf_done) struct buf bytes, text, list_text;
	struct err_text error;
	struct hash32 root;
	struct receipt receipt;
	struct receipt_log log;
	trie_list_init(&list, RECEIPTS_MAX);
	assert_int_equal(encode(typed, &bytes), OK);
	buf_add_slice(&list.bytes, buf_slice(&bytes));
	trie_list_close(&list);
	assert_int_equal(trie_list_root(&list, &root), OK);
	buf_init(&list_text, 1 << 16);
	buf_printf(&list_text, "[%s]", typed);
	struct json_doc *whole = quoted(buf_cstr(&list_text));
	struct json_doc *less = quoted(changed(
		buf_cstr(&list_text),
		",{'address':'0x4444444444444444444444444444444444444444',"
		"'topics':[],'data':'0x'}",
		"", &text));
	assert_int_equal(receipts_prove(json_root(less), root, &list, &error),
			 PROVED_FALSE);
	assert_int_equal(trie_list_len(&list), 0);
	assert_int_equal(receipts_prove(json_root(whole), root, &list, &error),
			 PROVED);
	assert_int_equal(receipt_decode(trie_list_at(&list, 0), &receipt), OK);
	assert_true(receipt_log_next(&receipt, &log));
	json_free(whole);
	json_free(less);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logs_come_from_the_bytes),
		cmocka_unit_test(test_a_bloom_that_is_not_printed_is_computed),
		cmocka_unit_test(test_before_byzantium_success_is_not_known),
		cmocka_unit_test(test_misshapen_receipts_are_refused),
		cmocka_unit_test(test_cuts_are_refused_and_flips_do_no_harm),
		cmocka_unit_test(test_bytes_of_another_form_are_refused),
		cmocka_unit_test(test_a_log_left_out_is_another_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
