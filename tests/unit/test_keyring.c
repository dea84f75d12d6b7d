#include "tests/unit/values.h"

#include <sys/wait.h>

#include "signer/keyring.h"
#include "tests/unit/scratch.h"

static enum err add(struct keyring *k, struct scratch *s, const char *text,
		    const struct address *expected, struct err_text *error)
{
	scratch_secret(scratch_path(s, "key"), text, strlen(text));
	return keyring_add_plain(k, scratch_path(s, "key"), expected, error);
}

static void key_text(uint8_t number, char *to)
{
	struct key_secret secret = a_secret(number);

	hex_encode(secret.b, 32, to);
}

static void test_plain_key_signs_as_its_address(void **state)
{
	struct scratch s = scratch_new();
	struct keyring *k = keyring_new();
	struct address who, expected = address_of(1);
	struct signature signature;
	struct err_text error;
	char text[80], spaced[90];

	(void)state;
	key_text(1, text);
	snprintf(spaced, sizeof(spaced), " \n%s\r\n", text);
	assert_int_equal(add(k, &s, spaced, &expected, &error), OK);
	assert_int_equal(keyring_count(k), 1);
	assert_true(keyring_has(k, expected));
	assert_int_equal(keyring_sign(k, expected, a_hash(4), &signature), OK);
	assert_int_equal(key_recover(a_hash(4), &signature, &who), OK);
	assert_true(address_eq(who, expected));
	assert_int_equal(keyring_sign(k, address_of(2), a_hash(4), &signature),
			 ERR_NOT_FOUND);
	keyring_free(k);
	scratch_remove(s.dir);
}

static void test_what_is_no_key_is_refused_without_being_shown(void **state)
{
	struct scratch s = scratch_new();
	struct keyring *k = keyring_new();
	struct address expected = address_of(2);
	struct err_text error;
	char text[80], longer[300];

	(void)state;
	key_text(1, text);
	assert_int_equal(add(k, &s, "", NULL, &error), ERR_INVALID);
	assert_int_equal(add(k, &s, text + 2, NULL, &error), ERR_INVALID);
	memset(longer, '0', sizeof(longer));
	memcpy(longer, "0x", 2);
	longer[66] = 0;
	assert_int_equal(add(k, &s, longer, NULL, &error), ERR_INVALID);
	longer[66] = '0';
	longer[299] = 0;
	assert_int_equal(add(k, &s, longer, NULL, &error), ERR_INVALID);
	assert_int_equal(add(k, &s, text, &expected, &error), ERR_INVALID);
	assert_non_null(strstr(error.text, address_text(address_of(1)).s));
	assert_null(strstr(error.text, text + 2));
	assert_int_equal(keyring_count(k), 0);
	assert_int_equal(add(k, &s, text, NULL, &error), OK);
	assert_int_equal(add(k, &s, text, NULL, &error), ERR_CONFLICT);
	assert_int_equal(keyring_add_plain(k, "/nowhere/key", NULL, &error),
			 ERR_IO);
	assert_non_null(strstr(error.text, "/nowhere/key"));
	keyring_free(k);
	scratch_remove(s.dir);
}

static void test_key_that_others_can_read_is_refused(void **state)
{
	static const struct {
		mode_t mode;
		const char *why;
	} cases[] = {
		{0644, "others can read it"},	{0640, "others can read it"},
		{0604, "others can read it"},	{0620, "others can change it"},
		{0602, "others can change it"},
	};
	struct scratch s = scratch_new();
	struct keyring *k = keyring_new();
	struct err_text error;
	char text[80], path[100], want[300];

	(void)state;
	key_text(1, text);
	snprintf(path, sizeof(path), "%s/key", s.dir);
	scratch_secret(path, text, strlen(text));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(chmod(path, cases[i].mode), 0);
		assert_int_equal(keyring_add_plain(k, path, NULL, &error),
				 ERR_REFUSED);
		snprintf(want, sizeof(want), "%s: %s: chmod 600 %s", path,
			 cases[i].why, path);
		assert_string_equal(error.text, want);
		assert_int_equal(keyring_count(k), 0);
	}
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(keyring_add_plain(k, path, NULL, &error), OK);
	keyring_free(k);
	scratch_remove(s.dir);
}

static void test_what_is_no_file_is_called_so(void **state)
{
	struct scratch s = scratch_new();
	struct keyring *k = keyring_new();
	struct err_text error;

	(void)state;
	assert_int_equal(keyring_add_plain(k, s.dir, NULL, &error), ERR_IO);
	assert_non_null(strstr(error.text, "is no file: name a key file"));
	/* Neither waited for nor to be made another's by a chmod. */
	assert_int_equal(mkfifo(scratch_path(&s, "pipe"), 0644), 0);
	assert_int_equal(
		keyring_add_plain(k, scratch_path(&s, "pipe"), NULL, &error),
		ERR_IO);
	assert_non_null(strstr(error.text, "is no file"));
	keyring_free(k);
	scratch_remove(s.dir);
}

static void test_keyring_holds_a_named_maximum(void **state)
{
	struct scratch s = scratch_new();
	struct keyring *k = keyring_new();
	struct err_text error;
	char text[80];

	(void)state;
	for (uint8_t i = 0; i < SIGNER_KEYS_MAX; i++) {
		key_text(i, text);
		assert_int_equal(add(k, &s, text, NULL, &error), OK);
	}
	key_text(200, text);
	assert_int_equal(add(k, &s, text, NULL, &error), ERR_TOO_LARGE);
	keyring_free(k);
	scratch_remove(s.dir);
}

static void test_keys_do_not_reach_a_child(void **state)
{
	struct scratch s = scratch_new();
	struct keyring *k = keyring_new();
	struct err_text error;
	char text[80];
	int status;

	(void)state;
	key_text(1, text);
	assert_int_equal(add(k, &s, text, NULL, &error), OK);
	pid_t child = fork();
	if (!child)
		_exit(keyring_count(k) ? 1 : 0);
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(keyring_count(k), 1);
	keyring_free(k);
	scratch_remove(s.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_key_signs_as_its_address),
		cmocka_unit_test(
			test_what_is_no_key_is_refused_without_being_shown),
		cmocka_unit_test(test_key_that_others_can_read_is_refused),
		cmocka_unit_test(test_what_is_no_file_is_called_so),
		cmocka_unit_test(test_keyring_holds_a_named_maximum),
		cmocka_unit_test(test_keys_do_not_reach_a_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
