/* Tries: published roots, and witnesses that prove what they prove and nothing
 * else.  Random tries against another implementation: tests/vectors. */
#include "tests/unit/values.h"

#include "abi/rlp.h"
#include "abi/trie.h"

#define NODES 4

/* Forty accounts 0x1000 …, the fourth of which has twenty slots; roots and
 * nodes are those of npm's @ethereumjs/trie. */
static const char state_root[] =
	"0x740b1b3ddc108016440fe50afb7fc9ec0b0f7ec29bcd7bdd28558a4f02f34856";
static const char storage_root[] =
	"0x6ad992a953e0d060025b3d4b596005e4092a38ed35152ed0d179e5fac0e64add";
static const char *const account_nodes[] = {
	("0xf901d1a0288d038089e5a6358cb231acfddad91e8473fddec3e0163c2b9c6dcf"
	 "d576aca1a0009242c0ea2e3f34f58715af7652091d720ead585d1b15eb86bc1b02"
	 "3ea2017aa0713a2b5b8e84c48f6cac7588245662c1939ab6979335c66be54ffc14"
	 "368e338ca057965ef0e9ba56ace9da321fe7b16557d9d19cb71dc8b3d394a28082"
	 "260d5526a0725835a892eb747e43c74722839969fb1dcaa18206b50123d02d41fd"
	 "00ae9d19a097bb66d5a54f39b08898b26c9bc0878457ac6d6fafc8eba82a9acd57"
	 "78a21b3da092df1fb78ebb46b346b7299bd17b28303b192294d0cabc9b3ad82eea"
	 "3a579273a0d79d1c51b85d40f5616896b20922c855abbf057bd342a20be98d3942"
	 "b5ed3df4a01131335941f387f8e0c25f901991ed94da67c582fc2993a4af3a75e1"
	 "e3395deca044552a30e05be2b005c2798e7ecf4afac5447eba74ec9fc52dc1a14a"
	 "acb4287280a096399c578c922deb21412d1a5ff20dd42efd1eb2189a20d65e8efc"
	 "94232ce76fa078cfd58f3ffb2b771d2acb692ca42daa8a2fbd1a9a89aceae9d4fa"
	 "fd2e0f10cc80a0114911cd4740bcd49be8428d2e9fb668d7967b4ee42d556c3eb0"
	 "d9d30e7f9643a0e497aaa09d23cb03d9fbed251ea84688e021653adce0cd2e7cb0"
	 "2dd2f769359a80"),
	("0xf8718080a0ab9c83fa3dffe355771a2ca86be5997255d4550b2e7d2180297e7b"
	 "eb5c9ec8668080808080a085ec79e88599f8c10cb088992bbcf13e0ceb6ec14c46"
	 "15ce59fff2f4f4e30c29808080808080a02316e1f6a97e0adfa4f5b0e8f3b57d1d"
	 "d65cbca60520df498c2cee8a3d6f383e80"),
	("0xf86ca02074e65ccffb133d9db4ff637e62532ef6ecef3223845d02f522c55786"
	 "782911b849f84703830f4243a06ad992a953e0d060025b3d4b596005e4092a38ed"
	 "35152ed0d179e5fac0e64adda0c5d2460186f7233c927e7db2dcc703c0e500b653"
	 "ca82273b7bfad8045d85a470")};
static const char *const absent_nodes[] = {
	("0xf901d1a0288d038089e5a6358cb231acfddad91e8473fddec3e0163c2b9c6dcf"
	 "d576aca1a0009242c0ea2e3f34f58715af7652091d720ead585d1b15eb86bc1b02"
	 "3ea2017aa0713a2b5b8e84c48f6cac7588245662c1939ab6979335c66be54ffc14"
	 "368e338ca057965ef0e9ba56ace9da321fe7b16557d9d19cb71dc8b3d394a28082"
	 "260d5526a0725835a892eb747e43c74722839969fb1dcaa18206b50123d02d41fd"
	 "00ae9d19a097bb66d5a54f39b08898b26c9bc0878457ac6d6fafc8eba82a9acd57"
	 "78a21b3da092df1fb78ebb46b346b7299bd17b28303b192294d0cabc9b3ad82eea"
	 "3a579273a0d79d1c51b85d40f5616896b20922c855abbf057bd342a20be98d3942"
	 "b5ed3df4a01131335941f387f8e0c25f901991ed94da67c582fc2993a4af3a75e1"
	 "e3395deca044552a30e05be2b005c2798e7ecf4afac5447eba74ec9fc52dc1a14a"
	 "acb4287280a096399c578c922deb21412d1a5ff20dd42efd1eb2189a20d65e8efc"
	 "94232ce76fa078cfd58f3ffb2b771d2acb692ca42daa8a2fbd1a9a89aceae9d4fa"
	 "fd2e0f10cc80a0114911cd4740bcd49be8428d2e9fb668d7967b4ee42d556c3eb0"
	 "d9d30e7f9643a0e497aaa09d23cb03d9fbed251ea84688e021653adce0cd2e7cb0"
	 "2dd2f769359a80"),
	("0xf8718080a0ab9c83fa3dffe355771a2ca86be5997255d4550b2e7d2180297e7b"
	 "eb5c9ec8668080808080a085ec79e88599f8c10cb088992bbcf13e0ceb6ec14c46"
	 "15ce59fff2f4f4e30c29808080808080a02316e1f6a97e0adfa4f5b0e8f3b57d1d"
	 "d65cbca60520df498c2cee8a3d6f383e80")};
static const char *const slot_nodes[] = {
	("0xf90171a0f9d4285987fe9ac6cfa9540ddc28eebdacb48a3c89380bb558718748"
	 "38685691a072ec658bcf5f5889e8ba6ce01dd49684413fb79a81e78d6eeb19c1ae"
	 "ed74b15980a00c899b8968089a40de93f42840be792409da2f6ffae598ea9a59f6"
	 "8b59005f8fa0c30547b98a1a93b5e267bc0afade07b445b611a0097ad69fd16c49"
	 "52f90f487d80a09db45dc6ee65ca29347fe16046503f7435ce98004393f4a9428d"
	 "0dcd3bdbf83080a06fb5ae92cb9be916f527a4bcf1f7f3c4a54bafef9cebd6ba61"
	 "acb7bd468bf22480a05531220754fee8fc6e11a203e026edc974ed0ca3ec84ef7d"
	 "c490bfe10e6ef87da044e7637b2dc076664fa6b5232046888a4a0532bbfc650cdd"
	 "bb0e3b5d9517c21da097b7cbab73475b1650cbcd3c7c7ab09aee419da91a7370a2"
	 "65b034d01b75bb25a0b6d065b31de6fe2c93687c03a4fc8b9cd5639cf4f9b7c617"
	 "300350665ad15ed080a077db3214be85e3014ee3cab78fa7e0b4ff78ba0b543584"
	 "052af2f36fbd55bfec80"),
	("0xf85180a04c132c745cbcc5cd6178f70075a7df6cff874aad93c6310c01ed2bce"
	 "f6cc1cc980a0d3f3f6819d63514229f9ac0f28bdb7d48c06294ea20b74eb4272c3"
	 "59d9281cef80808080808080808080808080"),
	("0xe5a0206b6384b5eca791c62761152d0c79bb0604c104a5fb6f4eb0703f3154bb"
	 "3db08382040b")};

struct proof {
	struct buf node[NODES];
	struct slice nodes[NODES];
	size_t n;
};

static void proof_done(struct proof *p)
{
	for (size_t i = 0; i < NODES; i++)
		buf_done(&p->node[i]);
}

static void proof_init(struct proof *p, const char *const *hex, size_t n)
{
	*p = (struct proof){.n = n};
	for (size_t i = 0; i < NODES; i++)
		buf_init(&p->node[i], 4096);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(hex_decode_buf(slice_str(hex[i]), &p->node[i]),
				 OK);
		p->nodes[i] = buf_slice(&p->node[i]);
	}
}

static struct hash32 hash_of(const char *hex)
{
	struct hash32 h;
	assert_int_equal(hash_parse(slice_str(hex), &h), OK);
	return h;
}

static struct address account(uint16_t number)
{
	struct address a = {{0}};
	put_be(a.b + 18, number, 2);
	return a;
}

static struct hash32 slot(uint8_t number)
{
	struct hash32 h = {{0}};
	h.b[31] = number;
	return h;
}

static void test_roots_are_as_published(void **state)
{
	(void)state;
	/* github.com/ethereum/tests, trieanyorder.json: dogs, puppy */
	struct trie_entry dogs[] = {
		{slice_str("doe"), slice_str("reindeer")},
		{slice_str("dog"), slice_str("puppy")},
		{slice_str("dogglesworth"), slice_str("cat")}};
	struct trie_entry puppy[] = {
		{slice_str("horse"), slice_str("stallion")},
		{slice_str("doge"), slice_str("coin")},
		{slice_str("do"), slice_str("verb")},
		{slice_str("dog"), slice_str("puppy")}};
	struct hash32 root;
	assert_int_equal(trie_root(dogs, ARRAY_LEN(dogs), &root), OK);
	assert_string_equal(hash_text(root).s,
			    "0x8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fe"
			    "a4cd6e7c3a1168d3");
	assert_int_equal(trie_root(puppy, ARRAY_LEN(puppy), &root), OK);
	assert_string_equal(hash_text(root).s,
			    "0x5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30"
			    "a4fe457715e9ac84");
	assert_int_equal(trie_root(NULL, 0, &root), OK);
	assert_true(hash_eq(root, trie_empty_root));
	assert_true(hash_eq(root, keccak256("\x80", 1)));
}

static void test_entries_without_a_place_are_refused(void **state)
{
	(void)state;
	uint8_t bytes[TRIE_KEY_MAX + 1] = {0};
	struct slice key = slice_of(bytes, TRIE_KEY_MAX);
	struct slice longer = slice_of(bytes, sizeof(bytes));
	struct hash32 root = a_hash(7);
	struct trie_entry twice[] = {{key, slice_str("a")},
				     {key, slice_str("b")}};
	struct trie_entry empty[] = {{key, slice_str("")}};
	struct trie_entry wide[] = {{longer, slice_str("a")}};
	assert_int_equal(trie_root(twice, 2, &root), ERR_INVALID);
	assert_int_equal(trie_root(empty, 1, &root), ERR_INVALID);
	assert_int_equal(trie_root(wide, 1, &root), ERR_INVALID);
	assert_true(hash_eq(root, a_hash(7)));
	assert_int_equal(trie_root(twice, 1, &root), OK);
}

static void test_list_keys_are_rlp(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b;
	buf_init(&b, 16);
	static const uint64_t numbers[] = {
		0, 1, 0x7f, 0x80, 0xff, 256, 65535, 1u << 24, UINT64_MAX};
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct trie_index key = trie_index(numbers[i]);
		buf_clear(&b);
		rlp_put_u64(&b, numbers[i]);
		assert_true(slice_eq(buf_slice(&b), slice_of(key.b, key.len)));
	}
}

static void test_list_has_limits(void **state)
{
	(void)state;
	CLEANUP(trie_list_done) struct trie_list list;
	struct hash32 root = a_hash(7);
	trie_list_init(&list, 4);
	assert_int_equal(trie_list_root(&list, &root), OK);
	assert_true(hash_eq(root, trie_empty_root));
	root = a_hash(7);
	trie_list_close(&list);
	assert_int_equal(trie_list_root(&list, &root), ERR_INVALID);
	trie_list_clear(&list);
	buf_add_str(&list.bytes, "abcde");
	trie_list_close(&list);
	assert_int_equal(trie_list_root(&list, &root), ERR_TOO_LARGE);
	assert_true(hash_eq(root, a_hash(7)));
	trie_list_clear(&list);
	buf_add_str(&list.bytes, "abcd");
	trie_list_close(&list);
	assert_int_equal(trie_list_root(&list, &root), OK);
}

static void test_account_and_slot_are_proved(void **state)
{
	(void)state;
	CLEANUP(proof_done) struct proof a, s;
	struct trie_account found;
	struct u256 value;
	proof_init(&a, account_nodes, ARRAY_LEN(account_nodes));
	proof_init(&s, slot_nodes, ARRAY_LEN(slot_nodes));
	assert_int_equal(trie_prove_account(hash_of(state_root),
					    account(0x1003), a.nodes, a.n,
					    &found),
			 OK);
	assert_true(found.exists);
	assert_true(found.nonce == 3);
	assert_true(u256_u64(found.balance) == 1000003);
	assert_true(hash_eq(found.storage_root, hash_of(storage_root)));
	assert_true(hash_eq(found.code_hash, keccak256("", 0)));
	assert_int_equal(trie_prove_slot(found.storage_root, slot(5), s.nodes,
					 s.n, &value),
			 OK);
	assert_true(u256_u64(value) == 1035);
}

static void test_absence_is_proved(void **state)
{
	(void)state;
	CLEANUP(proof_done) struct proof p;
	struct trie_account found = {.exists = true};
	struct u256 value = u256_from(7);
	proof_init(&p, absent_nodes, ARRAY_LEN(absent_nodes));
	assert_int_equal(trie_prove_account(hash_of(state_root),
					    account(0x5000), p.nodes, p.n,
					    &found),
			 OK);
	assert_false(found.exists);
	assert_true(u256_is_zero(found.balance));
	assert_true(hash_eq(found.storage_root, trie_empty_root));
	assert_int_equal(
		trie_prove_slot(found.storage_root, slot(5), NULL, 0, &value),
		OK);
	assert_true(u256_is_zero(value));
	/* the same nodes do not hide an account that is there */
	assert_int_equal(trie_prove_account(hash_of(state_root),
					    account(0x1003), p.nodes, p.n,
					    &found),
			 ERR_INVALID);
}

static void test_every_changed_bit_and_every_cut_is_refused(void **state)
{
	(void)state;
	CLEANUP(proof_done) struct proof p;
	struct hash32 root = hash_of(state_root);
	struct trie_account found = {.nonce = 99};
	struct address who = account(0x1003);
	proof_init(&p, account_nodes, ARRAY_LEN(account_nodes));
	for (size_t i = 0; i < p.n; i++) {
		struct slice whole = p.nodes[i];
		for (size_t at = 0; at < whole.len; at++) {
			p.node[i].p[at] ^= (uint8_t)(1u << at % 8);
			assert_int_equal(trie_prove_account(root, who, p.nodes,
							    p.n, &found),
					 ERR_INVALID);
			p.node[i].p[at] ^= (uint8_t)(1u << at % 8);
			p.nodes[i].len = at;
			assert_int_equal(trie_prove_account(root, who, p.nodes,
							    p.n, &found),
					 ERR_INVALID);
			p.nodes[i].len = whole.len;
		}
	}
	assert_true(found.nonce == 99); /* written only when proved */
	assert_int_equal(trie_prove_account(root, who, p.nodes, p.n, &found),
			 OK);
}

static void test_nodes_are_all_and_no_more(void **state)
{
	(void)state;
	CLEANUP(proof_done) struct proof p;
	struct hash32 root = hash_of(state_root);
	struct slice many[TRIE_PROOF_MAX + 1];
	struct trie_account found;
	struct address who = account(0x1003);
	proof_init(&p, account_nodes, ARRAY_LEN(account_nodes));
	for (size_t n = 0; n < p.n; n++)
		assert_int_equal(
			trie_prove_account(root, who, p.nodes, n, &found),
			ERR_INVALID);
	p.nodes[p.n] = p.nodes[p.n - 1];
	assert_int_equal(
		trie_prove_account(root, who, p.nodes, p.n + 1, &found),
		ERR_INVALID);
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = p.nodes[i < p.n ? i : p.n - 1];
	assert_int_equal(
		trie_prove_account(root, who, many, ARRAY_LEN(many), &found),
		ERR_INVALID);
	assert_int_equal(
		trie_prove_account(a_hash(1), who, p.nodes, p.n, &found),
		ERR_INVALID);
}

/* A leaf alone in its trie, under key, that holds value. */
static struct hash32 lone_leaf(struct hash32 key, struct slice value,
			       struct buf *node)
{
	uint8_t path[33] = {0x20};
	memcpy(path + 1, key.b, sizeof(key.b));
	buf_clear(node);
	rlp_put_bytes(node, slice_of(path, sizeof(path)));
	rlp_put_bytes(node, value);
	rlp_wrap_list(node, 0);
	return keccak256(node->p, node->len);
}

static void test_values_of_another_form_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *hex;
		enum err expected;
	} words[] = {
		{"0x01", OK},
		{"0x80", OK}, /* anvil's: a zero that was not deleted */
		{"0x8100", ERR_INVALID},
		{"0x00", ERR_INVALID},
		{"0x820001", ERR_INVALID},
		{"0xc0", ERR_INVALID},
		{"0x0101", ERR_INVALID},
		{"0x81", ERR_INVALID},
	};
	CLEANUP(buf_done) struct buf node, value;
	struct hash32 key = keccak256(slot(1).b, 32), root;
	struct trie_account found;
	struct u256 word;
	struct slice nodes[1];
	buf_init(&node, 256);
	buf_init(&value, 256);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		buf_clear(&value);
		assert_int_equal(
			hex_decode_buf(slice_str(words[i].hex), &value), OK);
		root = lone_leaf(key, buf_slice(&value), &node);
		nodes[0] = buf_slice(&node);
		assert_int_equal(
			trie_prove_slot(root, slot(1), nodes, 1, &word),
			words[i].expected);
	}
	struct address who = an_address(1);
	key = keccak256(who.b, sizeof(who.b));
	for (size_t hash_len = 31; hash_len <= 33; hash_len++) {
		uint8_t hash[33] = {1};
		buf_clear(&value);
		rlp_put_u64(&value, 5);
		rlp_put_u64(&value, 6);
		rlp_put_bytes(&value, slice_of(hash, hash_len));
		rlp_put_bytes(&value, slice_of(hash, 32));
		rlp_wrap_list(&value, 0);
		root = lone_leaf(key, buf_slice(&value), &node);
		nodes[0] = buf_slice(&node);
		assert_int_equal(
			trie_prove_account(root, who, nodes, 1, &found),
			hash_len == 32 ? OK : ERR_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roots_are_as_published),
		cmocka_unit_test(test_entries_without_a_place_are_refused),
		cmocka_unit_test(test_list_keys_are_rlp),
		cmocka_unit_test(test_list_has_limits),
		cmocka_unit_test(test_account_and_slot_are_proved),
		cmocka_unit_test(test_absence_is_proved),
		cmocka_unit_test(
			test_every_changed_bit_and_every_cut_is_refused),
		cmocka_unit_test(test_nodes_are_all_and_no_more),
		cmocka_unit_test(test_values_of_another_form_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
