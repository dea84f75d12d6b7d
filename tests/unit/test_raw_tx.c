/* Transactions of every type, as a node prints them, to the bytes that have
 * their hash.  Whole blocks against their roots: tests/vectors. */
#include "tests/unit/quoted.h"
#include "tests/unit/values.h"

#include "abi/raw_tx.h"
#include "abi/tx.h"

/* One of each type that anvil mined; hash and sender are its own. */
static const struct {
	int type;
	const char *hash, *sender, *text;
} txs[] = {
	{0,
	 "0x49c9974bb68550660a292fdf903fcce0e9d1b57e69c97004584ac55ad484fb0c",
	 "0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc",
	 "{'type':'0x0','nonce':'0x0','gasPrice':'0x12a05f200','gas':'0x61a8"
	 "0','to':'0x5fbdb2315678afecb367f032d93f642f64180aa3','value':'0x0'"
	 ",'input':'0x000000000000000000000000000000000000000000000000000000"
	 "0000000011000000000000000000000000000000000000069504657f73a6d9f5ce"
	 "db67bf7fd30a2e795e04ee45909433adf498692516b6bf1f5cfd351379ad7da6e1"
	 "77','r':'0x1c6f3dd9ace1bd958dc84a411c3213fa3feed7e19daa4b51138f6b5"
	 "982377d09','s':'0x934506d48f6aa4372a2e33f0bcba6a4c378e4748ff12645a"
	 "94a03103e1b5af1','v':'0x1b'}"},
	{1,
	 "0x51ad4814bb76632fe3ab423cd868376d0de9548e49b3ad9d190f3df64825670d",
	 "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
	 "{'type':'0x1','chainId':'0x7a69','nonce':'0x1','gasPrice':'0x12a05"
	 "f200','gas':'0x61a80','to':'0x5fbdb2315678afecb367f032d93f642f6418"
	 "0aa3','value':'0x0','accessList':[{'address':'0x3bd2cadfb78af79411"
	 "ed1ef8b7a2e2ab05c6442d','storageKeys':['0x9d048f4a428193ccac0c0000"
	 "a54624eb718a83a4e979283ee717b5d5bce9bcf5']}],'input':'0x0000000000"
	 "000000000000000000000000000000000000000000000000000019000000000000"
	 "0000000000000000000000000000000000f443e9fb6e6a327496567eae6c81d524"
	 "a5cac3470e4b','r':'0xf5164253c9e157c0cfe6456acd7d9296bf9a74231603f"
	 "bc297598ca48a7a7a2d','s':'0x78540726063fd2f73ca0d546d70fce094d3f2a"
	 "4473e2f354ecc042abdaf44e34','yParity':'0x1','v':'0x1'}"},
	{2,
	 "0x647b66dc24b3e3d5550fcf7d6740515013fa731d1956e30ed72dbea3791f00ef",
	 "0x976ea74026e726554db657fa54763abd0c3a0aa9",
	 "{'type':'0x2','chainId':'0x7a69','nonce':'0x0','gas':'0x61a80','ma"
	 "xFeePerGas':'0x165a0bc00','maxPriorityFeePerGas':'0x1','to':null,'"
	 "value':'0x1','accessList':[{'address':'0x08613794b656f0a62d3e7f2ab"
	 "2b670255cd24640','storageKeys':['0x1964cd5869dfea185d2e93d8d5793ce"
	 "7b4c7afcd973e0748ccb27378203d6849','0xc6e7e10647b78d55548b6dfeb3d9"
	 "3048beb9f9cc20efb827ad3d409a760eef09']},{'address':'0x69b2a8bc3eaa"
	 "9d45d90decb4a22070800349f67c','storageKeys':[]}],'input':'0xfe','r"
	 "':'0xf58858721e70c4c3b665f566b14129bd3e5f9e6235bab39d463cffbfe54b9"
	 "3ae','s':'0x77c1f3198cc438fe79a7f851e220d10c99b01ec003b631aedff319"
	 "bad70444cf','yParity':'0x1','v':'0x1','gasPrice':'0x2dac0d49'}"},
	{3,
	 "0x65790ed589637effcd7ff81b94f153e517533ce7fa8554c67ddc97939b1315a4",
	 "0x976ea74026e726554db657fa54763abd0c3a0aa9",
	 "{'type':'0x3','chainId':'0x7a69','nonce':'0x1','gas':'0x61a80','ma"
	 "xFeePerGas':'0x165a0bc00','maxPriorityFeePerGas':'0x2','to':'0x5fb"
	 "db2315678afecb367f032d93f642f64180aa3','value':'0x0','accessList':"
	 "[{'address':'0x5d08619a45e3fb8f74425f9156140190cedd0c11','storageK"
	 "eys':['0x1026622f6c2cfe9c28aac58f9da4c80be1a2776e4ba2a3e0f5c069b76"
	 "8f71675']}],'blobVersionedHashes':['0x010657f37554c781402a22917dee"
	 "2f75def7ab966d7b770905398eba3c444014'],'maxFeePerBlobGas':'0x3b9ac"
	 "a00','input':'0x00000000000000000000000000000000000000000000000000"
	 "0000000000000a0000000000000000000000000000000000001384d4269e935495"
	 "9a49b29a3e114af04ee6ff6976d08859f3b79fa03617451257ea1a4bcc2588bd0d"
	 "8d1ee6196fa7b5309a8e576a0d6ef63b3bc272671e3807ac950dd4','r':'0x6ad"
	 "a1534610bbccffdf021ef9988641e2e6e11229f9f89bcb39c37df5f520a50','s'"
	 ":'0x3a0e19e1fc7296f6448e310a8c172d9de849149d9737b021c554ffe066f0ff"
	 "05','yParity':'0x0','v':'0x0','gasPrice':'0x2dac0d4a'}"},
	{4,
	 "0xee775dcac277c0205e6fa6550f51294f04dc1109a382d9d4be37e0e76895f02a",
	 "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
	 "{'type':'0x4','chainId':'0x7a69','nonce':'0x1','gas':'0x61a80','ma"
	 "xFeePerGas':'0x165a0bc00','maxPriorityFeePerGas':'0x0','to':'0x0e5"
	 "bd01eb8bcf3ec440e56ab86e9424e7e44a2ab','value':'0x298','accessList"
	 "':[{'address':'0x0440fa8951ba4a64c1cda8375ee42de1ced4b451','storag"
	 "eKeys':['0xeb58b9937a86071c3eea66a1a782d1170e38d58dd344cbc167462bf"
	 "e8e1057cc']}],'authorizationList':[{'chainId':'0x7a69','address':'"
	 "0x5fbdb2315678afecb367f032d93f642f64180aa3','nonce':'0x2','yParity"
	 "':'0x0','r':'0x25f64a68559ec12f212a78d78a029872bb6fb1c3da5eb6a1385"
	 "a6a7a9fb67556','s':'0x672d51dc4b59c5904360a1c0f49353cf4c75ec0b9214"
	 "fa768a2b7174e4c0a86'},{'chainId':'0x0','address':'0x5fbdb2315678af"
	 "ecb367f032d93f642f64180aa3','nonce':'0x1','yParity':'0x0','r':'0xb"
	 "3dcabd2af21a8bc04cfacbe7c541a6fafb97d3214d162f661c3c8526d580c23','"
	 "s':'0x596caf7c255bb1158f7948bdc4b0a7ae58bc0bddb76d64382321577339ef"
	 "420b'}],'input':'0x','r':'0x956ee5939123eb26f3e7b42ffb2e42ef03861a"
	 "d7e27aea1b30b736f60bc1ebf6','s':'0x5744dfb7fd824b4e09d2b0263f15645"
	 "b37c0432859e1f1bd0e2520531a9ae6d4','yParity':'0x1','v':'0x1','gasP"
	 "rice':'0x2dac0d48'}"},
};

static enum err encode(const char *text, struct buf *raw)
{
	CLEANUP(json_freep) struct json_doc *doc = quoted(text);
	struct json_reader r = {0};
	buf_init(raw, 1 << 16);
	enum err err = raw_tx_encode(&r, json_root(doc), raw);
	assert_int_equal(err == ERR_INVALID, r.failed);
	return err;
}

static enum err with(size_t i, const char *from, const char *to)
{
	CLEANUP(buf_done) struct buf text, raw;
	enum err err = encode(changed(txs[i].text, from, to, &text), &raw);
	if (!err)
		assert_string_not_equal(hash_text(tx_hash(buf_slice(&raw))).s,
					txs[i].hash);
	return err;
}

static void test_each_type_has_its_hash_and_sender(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_LEN(txs), RAW_TX_SET_CODE + 1);
	for (size_t i = 0; i < ARRAY_LEN(txs); i++) {
		CLEANUP(buf_done) struct buf raw;
		struct raw_tx tx;
		struct address sender;
		assert_int_equal(encode(txs[i].text, &raw), OK);
		assert_string_equal(hash_text(tx_hash(buf_slice(&raw))).s,
				    txs[i].hash);
		assert_int_equal(raw_tx_decode(buf_slice(&raw), &tx), OK);
		assert_int_equal(tx.type, txs[i].type);
		assert_true(tx.gas == 400000);
		assert_int_equal(tx.create,
				 strstr(txs[i].text, "'to':null") != NULL);
		assert_int_equal(raw_tx_sender(&tx, &sender), OK);
		assert_string_equal(address_text(sender).s, txs[i].sender);
	}
}

static void test_blob_hashes_are_read_once_each(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf raw, none;
	struct raw_tx tx;
	struct hash32 hash;
	assert_int_equal(encode(txs[RAW_TX_BLOB].text, &raw), OK);
	assert_int_equal(raw_tx_decode(buf_slice(&raw), &tx), OK);
	assert_true(raw_tx_blob_hash(&tx, &hash));
	assert_non_null(strstr(txs[RAW_TX_BLOB].text, hash_text(hash).s));
	assert_false(raw_tx_blob_hash(&tx, &hash));
	assert_int_equal(encode(txs[RAW_TX_SET_CODE].text, &none), OK);
	assert_int_equal(raw_tx_decode(buf_slice(&none), &tx), OK);
	assert_false(raw_tx_blob_hash(&tx, &hash));
}

static void test_other_words_are_another_transaction(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(txs); i++) {
		assert_int_equal(with(i, "'gas':'0x6", "'gas':'0x7"), OK);
		assert_int_equal(with(i, "'input':'0x", "'input':'0x00"), OK);
		assert_int_equal(with(i, "'value':'0x", "'value':'0x1"), OK);
		assert_int_equal(with(i, "'gas':", "'gaz':"), ERR_INVALID);
		assert_int_equal(with(i, "'gas':'0x6", "'gas':'0x06"),
				 ERR_INVALID);
		assert_int_equal(with(i, "'r':'0x", "'r':'0xx"), ERR_INVALID);
	}
	assert_int_equal(with(0, "'type':'0x0'", "'type':'0x5'"),
			 ERR_NOT_FOUND);
	assert_int_equal(with(4, "'type':'0x4'", "'type':'0x7e'"),
			 ERR_NOT_FOUND);
	assert_int_equal(with(4, "'authorizationList'", "'authorizations'"),
			 ERR_INVALID);
	assert_int_equal(with(1, "'accessList'", "'access'"), ERR_INVALID);
}

static void test_nodes_older_than_yparity_and_type_are_read(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf text, raw, legacy;
	assert_int_equal(
		encode(changed(txs[1].text, "'yParity'", "'parity'", &text),
		       &raw),
		OK);
	assert_string_equal(hash_text(tx_hash(buf_slice(&raw))).s, txs[1].hash);
	buf_done(&text);
	assert_int_equal(
		encode(changed(txs[0].text, "'type':'0x0',", "", &text),
		       &legacy),
		OK);
	assert_string_equal(hash_text(tx_hash(buf_slice(&legacy))).s,
			    txs[0].hash);
}

static void test_padded_scalars_are_the_same(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf text, raw;
	/* this s has 63 digits */
	assert_int_equal(
		encode(changed(txs[0].text, "'s':'0x", "'s':'0x0", &text),
		       &raw),
		OK);
	assert_string_equal(hash_text(tx_hash(buf_slice(&raw))).s, txs[0].hash);
	assert_int_equal(with(0, "'s':'0x", "'s':'0x00"), ERR_INVALID);
}

/* No bytes crash it, and none but the whole are the transaction. */
static void test_cuts_and_flips_of_every_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(txs); i++) {
		CLEANUP(buf_done) struct buf raw;
		struct raw_tx tx;
		struct address sender;
		struct hash32 hash;
		size_t decoded = 0;
		assert_int_equal(encode(txs[i].text, &raw), OK);
		for (size_t at = 0; at < raw.len; at++) {
			uint8_t *cut = malloc(at + 1); /* its end is guarded */
			memcpy(cut, raw.p, at);
			assert_int_equal(raw_tx_decode(slice_of(cut, at), &tx),
					 ERR_INVALID);
			free(cut);
			raw.p[at] ^= (uint8_t)(1u << at % 8);
			if (!raw_tx_decode(buf_slice(&raw), &tx)) {
				decoded++;
				while (raw_tx_blob_hash(&tx, &hash))
					;
				if (at % 16 == 0 &&
				    !raw_tx_sender(&tx, &sender))
					assert_string_not_equal(
						address_text(sender).s,
						txs[i].sender);
			}
			raw.p[at] ^= (uint8_t)(1u << at % 8);
		}
		assert_true(decoded > 60); /* flips in values do decode */
		buf_add_byte(&raw, 0);
		assert_int_equal(raw_tx_decode(buf_slice(&raw), &tx),
				 ERR_INVALID);
	}
}

static void test_types_that_are_not_are_refused(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf raw;
	struct raw_tx tx;
	assert_int_equal(encode(txs[2].text, &raw), OK);
	for (unsigned type = 0; type < 256; type++) {
		raw.p[0] = (uint8_t)type;
		assert_int_equal(raw_tx_decode(buf_slice(&raw), &tx),
				 type == 2 ? OK : ERR_INVALID);
	}
	assert_int_equal(raw_tx_decode(slice_of(NULL, 0), &tx), ERR_INVALID);
}

/* Type 1 whose access list is what the caller says; type 4 likewise. */
static enum err decode_listed(uint8_t type, struct slice list)
{
	CLEANUP(buf_done) struct buf b;
	struct raw_tx tx;
	static const uint8_t to[20] = {1};
	buf_init(&b, 4096);
	buf_add_byte(&b, type);
	for (size_t i = 0; i < (type == 1 ? 4 : 5); i++)
		rlp_put_u64(&b, 1); /* chain, nonce, price or fees, gas */
	rlp_put_bytes(&b, slice_of(to, sizeof(to)));
	rlp_put_u64(&b, 0);		      /* value */
	rlp_put_bytes(&b, (struct slice){0}); /* input */
	if (type == 4)
		rlp_wrap_list(&b, b.len); /* the access list */
	buf_add_slice(&b, list);
	for (size_t i = 0; i < 3; i++)
		rlp_put_u64(&b, 1);
	rlp_wrap_list(&b, 1);
	return raw_tx_decode(buf_slice(&b), &tx);
}

static void test_lists_have_entries_of_their_form(void **state)
{
	(void)state;
	static const uint8_t zeros[33];
	/* an access list of (address, (key)), with one length changed */
	for (size_t address = 19; address <= 21; address++)
		for (size_t key = 31; key <= 33; key++)
			for (size_t spare = 0; spare < 2; spare++) {
				CLEANUP(buf_done) struct buf b;
				buf_init(&b, 256);
				rlp_put_bytes(&b, slice_of(zeros, address));
				size_t keys = b.len;
				rlp_put_bytes(&b, slice_of(zeros, key));
				rlp_wrap_list(&b, keys);
				if (spare)
					rlp_put_u64(&b, 1);
				rlp_wrap_list(&b, 0);
				rlp_wrap_list(&b, 0);
				bool good =
					address == 20 && key == 32 && !spare;
				assert_int_equal(
					decode_listed(1, buf_slice(&b)),
					good ? OK : ERR_INVALID);
			}
	/* authorizations of so many items: six are right */
	for (size_t n = 5; n <= 7; n++) {
		CLEANUP(buf_done) struct buf b;
		buf_init(&b, 256);
		for (size_t i = 0; i < n; i++)
			rlp_put_bytes(&b, slice_of(zeros, i == 1 ? 20 : 0));
		rlp_wrap_list(&b, 0);
		rlp_wrap_list(&b, 0);
		assert_int_equal(decode_listed(4, buf_slice(&b)),
				 n == 6 ? OK : ERR_INVALID);
	}
}

static void test_legacy_has_no_type_byte(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf raw, typed;
	struct raw_tx tx;
	assert_int_equal(encode(txs[0].text, &raw), OK);
	buf_init(&typed, 4096);
	buf_add_byte(&typed, 0);
	buf_add_slice(&typed, buf_slice(&raw));
	assert_int_equal(raw_tx_decode(buf_slice(&typed), &tx), ERR_INVALID);
	assert_int_equal(raw_tx_decode(buf_slice(&raw), &tx), OK);
}

static void test_a_signature_of_nobody_has_no_sender(void **state)
{
	(void)state;
	static const char *const bad[] = {"'v':'0x1d'", "'v':'0x0'",
					  "'v':'0x22'", "'v':'0x23'"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_done) struct buf text, raw;
		struct raw_tx tx;
		struct address sender;
		assert_int_equal(encode(changed(txs[0].text, "'v':'0x1b'",
						bad[i], &text),
					&raw),
				 OK);
		assert_int_equal(raw_tx_decode(buf_slice(&raw), &tx), OK);
		/* 0x23: EIP-155 for chain 0, somebody else's */
		if (!raw_tx_sender(&tx, &sender)) {
			assert_int_equal(i, 3);
			assert_string_not_equal(address_text(sender).s,
						txs[0].sender);
		}
	}
}

static void test_a_list_that_is_not_its_block_s_leaves_nothing(void **state)
{
	(void)state;
	CLEANUP(trie_list_done) struct trie_list list;
	CLEANUP(buf_done) struct buf text;
	struct err_text error;
	struct hash32 root;
	buf_init(&text, 1 << 16);
	buf_printf(&text, "[%s,%s]", txs[0].text, txs[2].text);
	struct json_doc *doc = quoted(buf_cstr(&text));
	trie_list_init(&list, RAW_TXS_MAX);
	assert_int_equal(
		raw_txs_prove(json_root(doc), a_hash(1), &list, &error),
		PROVED_FALSE);
	assert_int_equal(trie_list_len(&list), 0);
	/* the root that it has, by the encoder that is tested above */
	for (size_t i = 0; i < 3; i += 2) {
		CLEANUP(buf_done) struct buf raw;
		assert_int_equal(encode(txs[i].text, &raw), OK);
		buf_add_slice(&list.bytes, buf_slice(&raw));
		trie_list_close(&list);
	}
	assert_int_equal(trie_list_root(&list, &root), OK);
	assert_int_equal(raw_txs_prove(json_root(doc), root, &list, &error),
			 PROVED);
	assert_int_equal(trie_list_len(&list), 2);
	assert_string_equal(hash_text(tx_hash(trie_list_at(&list, 1))).s,
			    txs[2].hash);
	trie_list_done(&list);
	trie_list_init(&list, 100);
	assert_int_equal(raw_txs_prove(json_root(doc), root, &list, &error),
			 PROVED_TOO_LARGE);
	json_free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_type_has_its_hash_and_sender),
		cmocka_unit_test(test_blob_hashes_are_read_once_each),
		cmocka_unit_test(test_other_words_are_another_transaction),
		cmocka_unit_test(
			test_nodes_older_than_yparity_and_type_are_read),
		cmocka_unit_test(test_padded_scalars_are_the_same),
		cmocka_unit_test(test_cuts_and_flips_of_every_type),
		cmocka_unit_test(test_types_that_are_not_are_refused),
		cmocka_unit_test(test_lists_have_entries_of_their_form),
		cmocka_unit_test(test_legacy_has_no_type_byte),
		cmocka_unit_test(test_a_signature_of_nobody_has_no_sender),
		cmocka_unit_test(
			test_a_list_that_is_not_its_block_s_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
