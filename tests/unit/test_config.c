#include "tests/unit/values.h"

#include "sys/config.h"
#include "sys/config_value.h"
#include "sys/settings.h"
#include "tests/unit/scratch.h"

static const char *const colours[] = {"red", "green", NULL};

struct inner {
	uint64_t a;
	char *name;
};

struct values {
	char *text, *path, *url;
	bool flag, flag_set;
	uint64_t number, duration, size, rate, percent;
	struct u256 amount;
	struct address address;
	struct hash32 hash;
	int colour;
	struct config_listen listen;
	struct inner group;
	struct config_list groups, numbers;
};

static const struct config_field inner_fields[] = {
	{"a", CONFIG_U64, offsetof(struct inner, a), .required = true,
	 .hint = "give a number"},
	{"name", CONFIG_STRING, offsetof(struct inner, name)},
	{NULL},
};

static const struct config_field fields[] = {
	{"text", CONFIG_STRING, offsetof(struct values, text)},
	{"path", CONFIG_PATH, offsetof(struct values, path)},
	{"url", CONFIG_URL, offsetof(struct values, url)},
	{"flag", CONFIG_BOOL, offsetof(struct values, flag),
	 .set_offset = offsetof(struct values, flag_set)},
	{"number", CONFIG_U64, offsetof(struct values, number), .min = 2,
	 .max = 9},
	{"duration", CONFIG_DURATION, offsetof(struct values, duration)},
	{"size", CONFIG_SIZE, offsetof(struct values, size)},
	{"rate", CONFIG_RATE, offsetof(struct values, rate)},
	{"percent", CONFIG_PERCENT, offsetof(struct values, percent)},
	{"amount", CONFIG_AMOUNT, offsetof(struct values, amount)},
	{"address", CONFIG_ADDRESS, offsetof(struct values, address)},
	{"hash", CONFIG_HASH, offsetof(struct values, hash)},
	{"colour", CONFIG_ENUM, offsetof(struct values, colour),
	 .names = colours},
	{"listen", CONFIG_LISTEN, offsetof(struct values, listen)},
	{"group", CONFIG_GROUP, offsetof(struct values, group),
	 .fields = inner_fields},
	{"groups", CONFIG_LIST, offsetof(struct values, groups),
	 .fields = inner_fields, .element_size = sizeof(struct inner),
	 .max_items = 3},
	{"numbers", CONFIG_LIST, offsetof(struct values, numbers),
	 .element_type = CONFIG_U64, .max = 100},
	{NULL},
};

static char why[300]; /* of the last refusal, without the file's folder */

static enum err read_text(const char *text, struct values *v, struct config **c)
{
	struct scratch s = scratch_new();
	struct err_text error = {""};

	memset(v, 0, sizeof(*v));
	scratch_write(scratch_path(&s, "f.yaml"), text, strlen(text));
	enum err err =
		config_read(scratch_path(&s, "f.yaml"), fields, v, c, &error);
	const char *name = strstr(error.text, "f.yaml");
	snprintf(why, sizeof(why), "%s", name ? name : error.text);
	scratch_remove(s.dir);
	return err;
}

static void refuses(const char *text, const char *line)
{
	struct values v;
	struct config *c;

	assert_int_equal(read_text(text, &v, &c), ERR_INVALID);
	assert_string_equal(why, line);
}

static void test_every_type_is_read(void **state)
{
	struct values v;
	struct config *c;

	(void)state;
	assert_int_equal(
		read_text("text: hello world\n"
			  "path: a/b\n"
			  "url: https://l1.example/key?x=1\n"
			  "flag: true\n"
			  "number: 7\n"
			  "duration: 12m\n"
			  "size: 16 GiB\n"
			  "rate: 25/s\n"
			  "percent: 12.5%\n"
			  "amount: 1.5 ether\n"
			  "address: "
			  "'0x52908400098527886E0F7030069857D2E4169EE7'\n"
			  "hash: 0x0000000000000000000000000000000000000000000"
			  "000000000000000000001\n"
			  "colour: green\n"
			  "listen: '[::1]:8080'\n"
			  "group: {a: 5}\n"
			  "groups: [{a: 1, name: one}, {a: 2}]\n"
			  "numbers: [1, 100]\n",
			  &v, &c),
		OK);
	assert_string_equal(v.text, "hello world");
	assert_int_equal(v.path[0], '/');
	assert_string_equal(v.path + strlen(v.path) - 4, "/a/b");
	assert_string_equal(v.url, "https://l1.example/key?x=1");
	assert_true(v.flag && v.flag_set);
	assert_int_equal(v.number, 7);
	assert_int_equal(v.duration, 720000);
	assert_true(v.size == 16ULL << 30);
	assert_int_equal(v.rate, 25);
	assert_int_equal(v.percent, 1250);
	assert_string_equal(u256_text(v.amount).s, "1500000000000000000");
	assert_int_equal(v.address.b[0], 0x52);
	assert_int_equal(v.hash.b[31], 1);
	assert_int_equal(v.colour, 1);
	assert_string_equal(v.listen.host, "::1");
	assert_int_equal(v.listen.port, 8080);
	assert_int_equal(v.group.a, 5);
	assert_int_equal(v.groups.n, 2);
	assert_string_equal(((struct inner *)v.groups.items)[0].name, "one");
	assert_int_equal(((struct inner *)v.groups.items)[1].a, 2);
	assert_int_equal(((uint64_t *)v.numbers.items)[1], 100);
	config_free(c);
}

static void test_defaults_stay_where_nothing_is_given(void **state)
{
	struct scratch s = scratch_new();
	struct values v = {.number = 3, .colour = 1};
	struct config *c;
	struct err_text error;

	(void)state;
	scratch_write(scratch_path(&s, "f.yaml"), "text: x\n", 8);
	assert_int_equal(
		config_read(scratch_path(&s, "f.yaml"), fields, &v, &c, &error),
		OK);
	assert_int_equal(v.number, 3);
	assert_int_equal(v.colour, 1);
	assert_false(v.flag_set);
	config_free(c);
	scratch_remove(s.dir);
}

static void test_complaints_name_place_field_and_remedy(void **state)
{
	(void)state;
	refuses("text: a\nflag: maybe\n",
		"f.yaml:2:7: flag: \"maybe\" is not true or false: write true "
		"or false");
	refuses("number: 10\n",
		"f.yaml:1:9: number: \"10\" is outside 2 … 9: write decimal "
		"digits");
	refuses("groups:\n  - {a: 1}\n  - {name: x}\n",
		"f.yaml:3:5: groups[1].a: missing: give a number");
	refuses("group: {a: 1, b: 2}\n",
		"f.yaml:1:15: group.b: unknown field: remove it or correct "
		"its name");
	refuses("text: a\nnumber: 3\ntext: b\n",
		"f.yaml:3:1: text: given twice: keep one of them");
	refuses("colour: blue\n",
		"f.yaml:1:9: colour: \"blue\" is none of red, green: write one "
		"of them");
	refuses("groups: [{a: 1}, {a: 1}, {a: 1}, {a: 1}]\n",
		"f.yaml:1:9: groups: 4 items: at most 3 are taken");
	refuses("numbers: [1, 101]\n",
		"f.yaml:1:14: numbers[1]: \"101\" is outside 0 … 100: write "
		"decimal digits");
	refuses("text: [a]\n",
		"f.yaml:1:7: text: \"[…]\" is not a text: write a text");
	refuses("text:\n", "f.yaml:1:6: text: empty: write a text");
	refuses("group: 5\n", "f.yaml:1:8: group: not a group of fields: write "
			      "{name: value, …}");
	refuses("groups: {}\n",
		"f.yaml:1:9: groups: not a list: write [value, …]");
	refuses("- a\n", "f.yaml:1:1: not a group of fields: write {name: "
			 "value, …}");
	refuses("", "f.yaml:1:1: empty: write the configuration");
	refuses("text: a\n---\ntext: b\n",
		"f.yaml:2:1: a second document: keep one");
}

static void test_what_is_not_yaml_is_refused_where_it_breaks(void **state)
{
	struct values v;
	struct config *c;

	(void)state;
	assert_int_equal(read_text("text: a\n  b: c\n", &v, &c), ERR_INVALID);
	assert_non_null(strstr(why, "f.yaml:2:"));
	assert_non_null(strstr(why, "not YAML"));
	assert_int_equal(read_text("text: [a\n", &v, &c), ERR_INVALID);
	assert_int_equal(read_text("text: \x01\n", &v, &c), ERR_INVALID);
	assert_int_equal(read_text("text: \"a\\0b\"\n", &v, &c), ERR_INVALID);
}

static void test_values_nearly_right_are_refused(void **state)
{
	static const char *const wrong[] = {
		"flag: yes",
		"flag: True",
		"number: -3",
		"number: 03",
		"number: 3.0",
		"number: 0x3",
		"number: 99999999999999999999999",
		"duration: 12",
		"duration: m",
		"duration: 1.5h",
		"duration: 12 m",
		"duration: 12minutes",
		"duration: 99999999999999999999d",
		"size: 16",
		"size: 16 GB",
		"size: 16 gib",
		"rate: 25",
		"rate: 2.5/s",
		"percent: 12.555%",
		"percent: 12",
		"amount: 5",
		"amount: 1.5 wei",
		"amount: .5 gwei",
		"amount: 1. gwei",
		"amount: 1.0000000001 gwei",
		"amount: 1e18 wei",
		"address: 0x52908400098527886E0F7030069857D2E4169Ee7",
		"address: 0x5290",
		"hash: 0x00",
		"listen: localhost:80",
		"listen: 127.0.0.1",
		"listen: 127.0.0.1:65536",
		"listen: 1.2.3:80",
		"listen: ::1:80",
		"url: ftp://x",
		"url: http://",
		"url: 'http://a b'",
		"url: \"http://a\\nb\"",
		"url: https://:80",
		"url: http://127.0.0.1:12219ready",
		"url: http://a:",
		"url: http://a:0",
		"url: http://a:65536",
		"url: http://a:99999999999999999999",
		"url: http://a:+80",
		"url: 'http://a:8 0'",
		"url: http://a:80:80/",
		"url: http://u:p@a:x/",
		"url: http://u:p@:80/",
		"url: http://[::1/",
		"url: http://[::1]80/",
		"url: http://[::1]:x",
		"url: http://[::1]:",
		"url: http://::1:80",
	};
	struct values v;
	struct config *c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		enum err err = read_text(wrong[i], &v, &c);
		if (err != ERR_INVALID)
			fail_msg("taken: %s", wrong[i]);
		if (!strstr(why, "f.yaml:1:"))
			fail_msg("%s: %s", wrong[i], why);
	}
}

static void test_file_too_large_or_absent_is_one_line(void **state)
{
	static char big[CONFIG_BYTES_MAX + 2];
	struct values v;
	struct config *c;
	struct err_text error;

	(void)state;
	memset(big, '#', sizeof(big) - 1);
	assert_int_equal(read_text(big, &v, &c), ERR_INVALID);
	assert_non_null(strstr(why, "256 KiB"));
	assert_int_equal(config_read("/nowhere/f.yaml", fields, &v, &c, &error),
			 ERR_IO);
	assert_non_null(strstr(error.text, "/nowhere/f.yaml"));
}

static void test_later_checks_find_the_place_again(void **state)
{
	struct values v;
	struct config *c;
	struct err_text error;

	(void)state;
	assert_int_equal(read_text("text: a\ngroups:\n- {a: 3}\n", &v, &c), OK);
	config_complain(c, "groups[0].a", &error, "three is too %s", "much");
	assert_non_null(
		strstr(error.text, "f.yaml:3:7: groups[0].a: three is too"));
	config_complain(c, "number", &error, "missing");
	assert_non_null(strstr(error.text, "f.yaml: number: missing"));
	config_free(c);
}

/* ---- the shared settings ------------------------------------------------ */

struct program {
	struct settings shared;
	uint64_t own;
};

static const struct config_field program_fields[] = {
	SETTINGS_FIELDS(offsetof(struct program, shared), "peers"),
	{"own", CONFIG_U64, offsetof(struct program, own)},
	{NULL},
};

#define CHAIN "chain: {id: 1, hatch: 0x1111111111111111111111111111111111111111"
#define STORE "store: {path: db}\n"

static enum err read_settings(const char *text, struct program *p,
			      struct config **c,
			      struct settings_warnings *warning)
{
	struct scratch s = scratch_new();
	struct err_text error = {""};

	*p = (struct program){.shared = settings_defaults()};
	*c = NULL;
	scratch_write(scratch_path(&s, "f.yaml"), text, strlen(text));
	enum err err = config_read(scratch_path(&s, "f.yaml"), program_fields,
				   p, c, &error);
	if (!err)
		err = settings_check(*c, &p->shared, warning, &error);
	const char *name = strstr(error.text, "f.yaml");
	snprintf(why, sizeof(why), "%s", name ? name : error.text);
	scratch_remove(s.dir);
	return err;
}

static void test_settings_have_the_documented_defaults(void **state)
{
	struct program p;
	struct config *c;
	struct settings_warnings warning;

	(void)state;
	assert_int_equal(
		read_settings(CHAIN
			      "}\n" STORE "own: 4\n"
			      "providers: {list: [{name: a, url: http://a},"
			      "{name: b, url: http://b, weight: 2}]}\n"
			      "peers: [http://c, http://d]\n",
			      &p, &c, &warning),
		OK);
	assert_int_equal(warning.n, 1);
	assert_non_null(strstr(warning.lines[0].text, "b alone weighs"));
	assert_int_equal(p.own, 4);
	assert_int_equal(p.shared.poll_ms, 2000);
	assert_int_equal(p.shared.providers.quorum, 2);
	assert_int_equal(settings_provider(&p.shared, 0)->rate, 25);
	assert_int_equal(settings_provider(&p.shared, 0)->timeout_ms, 3000);
	assert_int_equal(settings_provider(&p.shared, 1)->weight, 2);
	assert_null(settings_provider(&p.shared, 2));
	assert_string_equal(settings_peer(&p.shared, 1), "http://d");
	assert_int_equal(p.shared.store.map_size, 1 << 30);
	assert_int_equal(p.shared.http.threads, 2);
	assert_false(p.shared.http.listen_set);
	assert_int_equal(p.shared.chain.act_on, ACT_ON_AUTO);
	config_free(c);
}

static void test_settings_that_cannot_work_are_refused(void **state)
{
	struct program p;
	struct config *c;
	struct settings_warnings warning;

	(void)state;
	assert_int_equal(read_settings(CHAIN
				       "}\n" STORE
				       "providers: {quorum: 3, list: [{name: a,"
				       " url: http://a}]}\n",
				       &p, &c, &warning),
			 ERR_INVALID);
	assert_non_null(strstr(why, "f.yaml:3:21: providers.quorum: 3 can"));
	config_free(c);
	assert_int_equal(
		read_settings(CHAIN "}\n" STORE
				    "providers: {list: [{name: a, url: "
				    "http://a}, {name: a, url: http://b}]}\n",
			      &p, &c, &warning),
		ERR_INVALID);
	assert_non_null(
		strstr(why, "providers.list[1].name: \"a\" is list[0]"));
	config_free(c);
	assert_int_equal(
		read_settings(CHAIN "}\n" STORE
				    "providers: {list: [{name: a, url: "
				    "http://a}, {name: b, url: http://A/}]}\n",
			      &p, &c, &warning),
		ERR_INVALID);
	assert_non_null(strstr(why, "list[1].url: the same as list[0]"));
	config_free(c);
	assert_int_equal(read_settings(CHAIN
				       ", act_on: confirmations}\n" STORE
				       "providers: {list: [{name: a, url: "
				       "http://a}]}\n",
				       &p, &c, &warning),
			 ERR_INVALID);
	assert_non_null(strstr(why, "confirmations: N"));
	config_free(c);
	assert_int_equal(read_settings(CHAIN "}\n" STORE "providers: {list: "
					     "[]}\n",
				       &p, &c, &warning),
			 ERR_INVALID);
	config_free(c);
	assert_int_equal(read_settings("own: 1\n", &p, &c, &warning),
			 ERR_INVALID);
	assert_non_null(strstr(why, "chain: missing"));
}

static void test_a_url_with_a_bad_port_is_told_so(void **state)
{
	static const char *const good[] = {
		"http://a",
		"http://a/",
		"http://a:1",
		"https://a:65535/x:y",
		"http://127.0.0.1:12219/ready",
		"http://a?x=http://b:c",
		"http://a#x:y",
		"http://u:p@a",
		"http://u:p@a:80/",
		"http://[::1]",
		"http://[::1]:8080/x",
	};
	struct err_text what;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (config_value_url(good[i], &what))
			fail_msg("%s: %s", good[i], what.text);
	refuses("text: x\nurl: http://127.0.0.1:12219ready\n",
		"f.yaml:2:6: url: \"http://127.0.0.1:12219ready\" has a port "
		"that is not 1 … 65535: write http://… or https://…");
}

static void warned(const char *text, const char *words)
{
	struct program p;
	struct config *c;
	struct settings_warnings warning;

	assert_int_equal(read_settings(text, &p, &c, &warning), OK);
	bool found = !*words && !warning.n;
	for (size_t i = 0; i < warning.n; i++)
		found |= *words && strstr(warning.lines[i].text, words);
	if (!found)
		fail_msg("%s: %s", text,
			 warning.n ? warning.lines[0].text : "no warning");
	config_free(c);
}

static void test_listening_beyond_this_machine_is_warned_about(void **state)
{
#define LISTEN(host) CHAIN "}\n" STORE "http: {listen: '" host ":8080'}\n"
#define TWO                                                                    \
	"providers: {list: [{name: a, url: http://a}, "                        \
	"{name: b, url: http://b}]}\n"
	static const char words[] =
		"http.listen: not loopback: whoever reaches this machine "
		"reaches it, without TLS";

	(void)state;
	warned(LISTEN("0.0.0.0") TWO, words);
	warned(LISTEN("[::]") TWO, words);
	warned(LISTEN("192.168.1.7") TWO, words);
	warned(LISTEN("[2001:db8::1]") TWO, words);
	warned(LISTEN("[::ffff:10.0.0.1]") TWO, words);
	warned(LISTEN("127.0.0.1") TWO, "");
	warned(LISTEN("127.1.2.3") TWO, "");
	warned(LISTEN("[::1]") TWO, "");
	warned(LISTEN("[::ffff:127.0.0.1]") TWO, "");
	warned(LISTEN("0.0.0.0") "providers: {quorum: 1, list: [{name: a, url: "
				 "http://a}, {name: b, url: http://b}]}\n",
	       "providers.quorum");
}

static void test_a_quorum_of_half_is_warned_about(void **state)
{
	struct program p;
	struct config *c;
	struct settings_warnings warning;

	(void)state;
	assert_int_equal(read_settings(CHAIN
				       "}\n" STORE
				       "providers: {quorum: 1, list: [{name: a,"
				       " url: http://a}, {name: b, url: "
				       "http://b}]}\n",
				       &p, &c, &warning),
			 OK);
	assert_int_equal(warning.n, 1);
	assert_non_null(strstr(warning.lines[0].text,
			       "f.yaml:3:21: providers.quorum: two quorums"));
	config_free(c);
}

static void test_one_provider_alone_is_warned_about(void **state)
{
	(void)state;
	warned(CHAIN "}\n" STORE
		     "providers: {list: [{name: a, url: http://a}]}\n",
	       "providers.list: one provider alone: nobody can contradict it");
	warned(CHAIN "}\n" STORE
		     "providers: {list: [{name: a, url: http://a, weight: 3}, "
		     "{name: b, url: http://b}, {name: c, url: http://c}]}\n",
	       "a alone weighs as much");
	warned(CHAIN "}\n" STORE
		     "providers: {list: [{name: a, url: http://a, weight: 2}, "
		     "{name: b, url: http://b}, {name: c, url: http://c}]}\n",
	       "");
}

static void test_headers_that_others_may_read_are_warned_about(void **state)
{
	struct scratch s = scratch_new();
	char text[1200];
	char file[128];

	(void)state;
	snprintf(file, sizeof(file), "%s/headers", s.dir);
	scratch_write(file, "Authorization: k\n", 17);
	snprintf(text, sizeof(text),
		 CHAIN "}\n" STORE "providers: {list: [{name: a, url: "
		       "http://a, headers_file: %s}, {name: b, url: "
		       "http://b}]}\n",
		 file);
	assert_int_equal(chmod(file, 0644), 0);
	warned(text, "providers.list[0].headers_file: others may read it: "
		     "chmod o= ");
	assert_int_equal(chmod(file, 0640), 0);
	warned(text, "");
	scratch_remove(s.dir);
}

/* A password or a key in a URL is in no complaint. */
static void test_no_password_is_shown(void **state)
{
	static const char *const texts[] = {
		CHAIN "}\n" STORE "providers: {list: [{name: a, url: "
		      "'http://u:secret@a/secret'}, {name: b, url: "
		      "'http://v:secret@A/secret/'}]}\n",
		CHAIN "}\n" STORE "providers: {list: [{name: a, url: "
		      "'htp://u:secret@a'}]}\n",
		CHAIN "}\n" STORE "providers: {list: [{name: a, url: "
		      "'http://u:secret@a:99999'}]}\n",
	};
	struct settings_warnings warning;
	struct program p;
	struct config *c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(read_settings(texts[i], &p, &c, &warning),
				 ERR_INVALID);
		assert_non_null(strstr(why, "providers.list["));
		assert_null(strstr(why, "secret"));
		config_free(c);
	}
}

static void test_a_depth_of_nothing_is_refused(void **state)
{
	struct settings_warnings warning;
	struct program p;
	struct config *c;

	(void)state;
	assert_int_equal(
		read_settings(CHAIN ", act_on: confirmations, confirmations: "
				    "0}\n" STORE "providers: {list: [{name: a, "
				    "url: http://a}]}\n",
			      &p, &c, &warning),
		ERR_INVALID);
	assert_non_null(strstr(why, "chain.confirmations: \"0\" is outside 1"));
	assert_non_null(strstr(why, "how many blocks deep"));
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type_is_read),
		cmocka_unit_test(test_defaults_stay_where_nothing_is_given),
		cmocka_unit_test(test_complaints_name_place_field_and_remedy),
		cmocka_unit_test(
			test_what_is_not_yaml_is_refused_where_it_breaks),
		cmocka_unit_test(test_values_nearly_right_are_refused),
		cmocka_unit_test(test_file_too_large_or_absent_is_one_line),
		cmocka_unit_test(test_later_checks_find_the_place_again),
		cmocka_unit_test(test_settings_have_the_documented_defaults),
		cmocka_unit_test(test_settings_that_cannot_work_are_refused),
		cmocka_unit_test(test_one_provider_alone_is_warned_about),
		cmocka_unit_test(
			test_headers_that_others_may_read_are_warned_about),
		cmocka_unit_test(test_no_password_is_shown),
		cmocka_unit_test(test_a_depth_of_nothing_is_refused),
		cmocka_unit_test(test_a_quorum_of_half_is_warned_about),
		cmocka_unit_test(test_a_url_with_a_bad_port_is_told_so),
		cmocka_unit_test(
			test_listening_beyond_this_machine_is_warned_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
