/* Headers: their hash from what a node prints, and from bytes.  Every fork's
 * form against real nodes: tests/vectors. */
#include "tests/unit/quoted.h"
#include "tests/unit/values.h"

#include "abi/header.h"
#include "abi/rlp.h"
#include "abi/trie.h"

/* Ethereum 24630100, after Osaka */
static const char osaka[] =
	"{'baseFeePerGas':'0x246edf3','blobGasUsed':'0x40000','difficulty':'"
	"0x0','excessBlobGas':'0xa2a720e','extraData':'0x4275696c6465724e657"
	"4202842656176657229','gasLimit':'0x3938700','gasUsed':'0x1a4ed69','"
	"hash':'0x6c4c6ea047f0ca4bcb0b0fbbcc2e50061d8dd24ba1ab8a22a6d3583a49"
	"7c3c82','logsBloom':'0xfffffef97ffdf7dfb75fbbfeffffdfffffbeefffffbb"
	"ffff6ffffdffbffffaf9df7fff7f7fff6ffbffffdfdffbffffff76fffffcbf7ffbf"
	"ffffeefffffff7df7bffffffdefffff8fdfdf7f7ceffdffff7ff77affe7ef5ff5fb"
	"fff57ff7eeadfffffffabfff7bdffbbfbffcfffdefffeffefffffffff5fffefdffd"
	"ffbffffdfdffbffe7fffffffffdffebf7e37fdfe977f7fbdfefdffddffffffffff5"
	"f97ffffdfbffdf7fffffbff9feff77afffefffeef77ffff7fff6fffeffd77ffffee"
	"fefdb7bffffff7f7ffdfbff7ffffffffefdffdffddffffffefffffffefdfbf7fdff"
	"ef7fffff3bdf7fff6cefffdfffdf7ffffeffbfbffffdafffdfbf7efdbeffff7fff'"
	",'miner':'0xdadb0d80178819f2319190d340ce9a924f783711','mixHash':'0x"
	"f824cbc0bffaa4862fffafa96c2cce90898dda8b97fc3eaa6a85ac38075991e5','"
	"number':'0x177d354','parentBeaconBlockRoot':'0xd9b957562f8477151f61"
	"eddc77bcad7451ef62eab8f4fe470402073a794e8bba','parentHash':'0x63ce1"
	"6602b2afe4089fa8e0a2c16be1a2dea1c4d30b65bd717d9398ddd5fba23','recei"
	"ptsRoot':'0x52fc280ab6b1db61781dae4cc5f81b7ddd484eae78320bdd8161d5b"
	"2fe8e7719','requestsHash':'0xe3b0c44298fc1c149afbf4c8996fb92427ae41"
	"e4649b934ca495991b7852b855','size':'0x2a8a9','stateRoot':'0x41ebb40"
	"2f36d0ce15799e98d1aca83bbb5d4b08d1b6572e73b388e4ece192916','timesta"
	"mp':'0x69b09d6b','transactionsRoot':'0x3b889eb9fa0713d2e1d9e90725d4"
	"5fd04ec4a550a7a390639c243c5f3b2c6215','withdrawalsRoot':'0x76abcbef"
	"0846a5bd065d0207581dacc3cf8df4ec2ba0a8e4d4fbbe97864b82ee','sha3Uncl"
	"es':'0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d4"
	"9347','nonce':'0x0000000000000000'}";
static const char osaka_hash[] =
	"0x6c4c6ea047f0ca4bcb0b0fbbcc2e50061d8dd24ba1ab8a22a6d3583a497c3c82";

static struct hash32 hash_of(const char *hex)
{
	struct hash32 h;
	assert_int_equal(hash_parse(slice_str(hex), &h), OK);
	return h;
}

static enum proved prove(const char *text, const char *hash, struct header *ret,
			 struct err_text *error)
{
	CLEANUP(json_freep) struct json_doc *doc = quoted(text);
	return header_prove(json_root(doc), hash_of(hash), ret, error);
}

/* prove() of the block with one text made another. */
static enum proved with(const char *from, const char *to)
{
	CLEANUP(buf_done) struct buf b;
	struct header h = {.number = 99};
	struct err_text error = {""};
	enum proved proved =
		prove(changed(osaka, from, to, &b), osaka_hash, &h, &error);
	if (proved != PROVED) {
		assert_true(h.number == 99);
		assert_true(error.text[0]);
	}
	return proved;
}

/* The genesis of Ethereum, as everybody's first block. */
static struct header genesis(struct buf *extra)
{
	static const char extra_data[] =
		"0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b"
		"82fa";
	struct header h = {.form = HEADER_FRONTIER,
			   .difficulty = u256_from(0x400000000),
			   .gas_limit = 5000,
			   .nonce = {0, 0, 0, 0, 0, 0, 0, 0x42}};
	buf_init(extra, 32);
	assert_int_equal(hex_decode_buf(slice_str(extra_data), extra), OK);
	h.extra = buf_slice(extra);
	h.uncles_hash = keccak256("\xc0", 1);
	h.state_root =
		hash_of("0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709"
			"da30580f0544");
	h.transactions_root = h.receipts_root = trie_empty_root;
	return h;
}

static void test_genesis_has_its_hash(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf extra;
	struct header h = genesis(&extra);
	assert_string_equal(hash_text(header_hash(&h)).s,
			    "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e6"
			    "9aec8c0db1cb8fa3");
}

static void test_what_a_node_prints_is_held_against_the_hash(void **state)
{
	(void)state;
	struct header h;
	struct err_text error;
	assert_int_equal(prove(osaka, osaka_hash, &h, &error), PROVED);
	assert_int_equal(h.form, HEADER_PRAGUE);
	assert_true(h.number == 24630100 && h.time == 0x69b09d6b);
	assert_true(h.gas_used == 0x1a4ed69);
	assert_true(u256_u64(h.base_fee) == 0x246edf3);
	assert_true(h.extra.len == 0);
	struct block_ref ref = header_ref(&h, hash_of(osaka_hash));
	assert_true(ref.number == h.number && ref.time == h.time);
	assert_true(hash_eq(ref.parent, h.parent));
	assert_int_equal(with("'0x1a4ed69'", "'0x1a4ed68'"), PROVED_FALSE);
	assert_int_equal(with("'0x177d354'", "'0x177d355'"), PROVED_FALSE);
	assert_int_equal(with("'hash':'0x6c", "'hash':'0x6d"), PROVED);
	assert_int_equal(with("'nonce':'0x00", "'nonce':'0x01"), PROVED_FALSE);
}

static void test_missing_and_misshapen_fields_are_named(void **state)
{
	(void)state;
	struct err_text error;
	struct header h;
	CLEANUP(buf_done) struct buf b;
	assert_int_equal(with("'miner'", "'minor'"), PROVED_SHAPE);
	assert_int_equal(with("'0x1a4ed69'", "'0x01a4ed69'"), PROVED_SHAPE);
	assert_int_equal(with("'0x1a4ed69'", "17"), PROVED_SHAPE);
	assert_int_equal(with("'0x4275", "'0x427"), PROVED_SHAPE);
	assert_int_equal(with("'blobGasUsed'", "'blobsGasUsed'"), PROVED_SHAPE);
	assert_int_equal(with("'withdrawalsRoot'", "'withdrawalRoot'"),
			 PROVED_SHAPE);
	assert_int_equal(prove(changed(osaka, "'miner'", "'minor'", &b),
			       osaka_hash, &h, &error),
			 PROVED_SHAPE);
	assert_non_null(strstr(error.text, "miner"));
	assert_int_equal(prove("[]", osaka_hash, &h, &error), PROVED_SHAPE);
	assert_int_equal(prove("{}", osaka_hash, &h, &error), PROVED_SHAPE);
}

/* Amsterdam appends blockAccessListHash (EIP-7928): to us any such field is a
 * fork that we do not know, whatever it is called. */
static void test_a_younger_fork_is_told_from_a_lie(void **state)
{
	(void)state;
	struct err_text error;
	struct header h;
	CLEANUP(buf_done) struct buf b, c;
	const char *younger =
		changed(osaka, "{", "{'blockAccessListHash':'0x1d',", &b);
	/* beside the fields that do give the hash it says nothing */
	assert_int_equal(prove(younger, osaka_hash, &h, &error), PROVED);
	younger = changed(younger, "'0x177d354'", "'0x177d355'", &c);
	assert_int_equal(prove(younger, osaka_hash, &h, &error),
			 PROVED_UNKNOWN);
	assert_non_null(strstr(error.text, "blockAccessListHash"));
	assert_int_equal(with("'0x177d354'", "'0x177d355'"), PROVED_FALSE);
}

static void test_extra_data_is_bounded(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf text, digits;
	struct err_text error;
	struct header h;
	buf_init(&digits, 1 << 16);
	buf_add_str(&digits, "'0x");
	for (size_t i = 0; i <= HEADER_EXTRA_MAX; i++)
		buf_add_str(&digits, "11");
	assert_int_equal(
		prove(changed(osaka, "'0x4275", buf_cstr(&digits), &text),
		      osaka_hash, &h, &error),
		PROVED_SHAPE);
}

/* Every form, to bytes and back. */
static void test_bytes_are_the_same_both_ways(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf extra, rlp, again;
	struct header h = genesis(&extra), back;
	h.base_fee = u256_from(7);
	h.withdrawals_root = a_hash(1);
	h.blob_gas_used = 0x20000;
	h.beacon_root = a_hash(2);
	h.requests_hash = a_hash(3);
	buf_init(&rlp, HEADER_RLP_MAX);
	buf_init(&again, HEADER_RLP_MAX);
	for (h.form = HEADER_FRONTIER; h.form <= HEADER_PRAGUE; h.form++) {
		buf_clear(&rlp);
		buf_clear(&again);
		header_encode(&h, &rlp);
		assert_int_equal(header_decode(buf_slice(&rlp), &back), OK);
		assert_int_equal(back.form, h.form);
		header_encode(&back, &again);
		assert_true(slice_eq(buf_slice(&rlp), buf_slice(&again)));
	}
	assert_true(back.blob_gas_used == 0x20000);
	assert_true(hash_eq(back.requests_hash, a_hash(3)));
}

static void test_cuts_are_refused_and_flips_change_the_hash(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf extra, rlp;
	struct header h = genesis(&extra), back;
	h.form = HEADER_PRAGUE;
	buf_init(&rlp, HEADER_RLP_MAX);
	header_encode(&h, &rlp);
	struct hash32 hash = header_hash(&h);
	for (size_t at = 0; at < rlp.len; at++) {
		uint8_t *cut = malloc(at + 1); /* its end is guarded */
		memcpy(cut, rlp.p, at);
		assert_int_equal(header_decode(slice_of(cut, at), &back),
				 ERR_INVALID);
		free(cut);
		rlp.p[at] ^= (uint8_t)(1u << at % 8);
		if (!header_decode(buf_slice(&rlp), &back)) {
			assert_false(hash_eq(header_hash(&back), hash));
			assert_true(hash_eq(header_hash(&back),
					    keccak256(rlp.p, rlp.len)));
		}
		rlp.p[at] ^= (uint8_t)(1u << at % 8);
	}
	assert_int_equal(header_decode(buf_slice(&rlp), &back), OK);
	buf_add_byte(&rlp, 0);
	assert_int_equal(header_decode(buf_slice(&rlp), &back), ERR_INVALID);
}

static void test_extra_data_of_bytes_is_bounded_too(void **state)
{
	(void)state;
	static const uint8_t most[HEADER_EXTRA_MAX];
	CLEANUP(buf_done) struct buf extra, rlp, list;
	struct header h = genesis(&extra), back;
	h.extra = slice_of(most, sizeof(most));
	buf_init(&rlp, HEADER_RLP_MAX);
	header_encode(&h, &rlp);
	assert_int_equal(header_decode(buf_slice(&rlp), &back), OK);
	assert_int_equal(back.extra.len, HEADER_EXTRA_MAX);
	/* the same fields with one byte more: f9 hhhh … b9 2000 … */
	struct rlp_reader outer = rlp_reader(buf_slice(&rlp));
	struct rlp_reader fields = rlp_list(&outer);
	buf_init(&list, 2 * HEADER_RLP_MAX);
	while (!rlp_end(&fields)) {
		struct slice item = rlp_item(&fields);
		if (item.len <= HEADER_EXTRA_MAX) {
			buf_add_slice(&list, item);
			continue;
		}
		uint8_t more[HEADER_EXTRA_MAX + 1] = {0};
		rlp_put_bytes(&list, slice_of(more, sizeof(more)));
	}
	rlp_wrap_list(&list, 0);
	assert_int_equal(header_decode(buf_slice(&list), &back), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_genesis_has_its_hash),
		cmocka_unit_test(
			test_what_a_node_prints_is_held_against_the_hash),
		cmocka_unit_test(test_missing_and_misshapen_fields_are_named),
		cmocka_unit_test(test_a_younger_fork_is_told_from_a_lie),
		cmocka_unit_test(test_extra_data_is_bounded),
		cmocka_unit_test(test_bytes_are_the_same_both_ways),
		cmocka_unit_test(
			test_cuts_are_refused_and_flips_change_the_hash),
		cmocka_unit_test(test_extra_data_of_bytes_is_bounded_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
