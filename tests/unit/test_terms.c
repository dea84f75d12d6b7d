/* The terms file: everything that the constructors would refuse is refused
 * before anything is sent, at its line, with the rule's own numbers. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "abi/words.h"
#include "cli/terms.h"

#define LINES_MAX 32

static const char *const good[] = {
	"terms:",
	"  sla_window: 1h",
	"  failover_window: 2h",
	"  inclusion_window: 12h",
	"  hard_deadline: 3d",
	"  notice: 5d",
	"  finality: 12h",
	"  round: 30m",
	"thresholds: {promote: 2, open: 2, resume: 2, amend: 3}",
	"guardians: [\"0x00000000000000000000000000000000000000a1\", "
	"\"0x00000000000000000000000000000000000000a2\", "
	"\"0x00000000000000000000000000000000000000a3\"]",
	"standbys: [\"0x00000000000000000000000000000000000000b1\"]",
	"sequencer: \"0x00000000000000000000000000000000000000c1\"",
	"validators: [\"0x00000000000000000000000000000000000000d1\", "
	"\"0x00000000000000000000000000000000000000d2\", "
	"\"0x00000000000000000000000000000000000000d3\"]",
	"validators_needed: 2",
	"min_bounty: 0.001 ether",
	"bond: 10 ether",
};

struct outcome {
	enum err err;
	struct err_text error;
	char warnings[2048];
	struct terms_file terms;
	struct config *config;
};

/* The good file with the line that starts like `line` replaced by it, or with
 * the line that starts like `without` left out. */
static void write_file(const char *path, const char *line, const char *without)
{
	size_t key = strcspn(line, ":") + 1;
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		bool same = *line && !strncmp(good[i], line, key);
		if (*without && strstr(good[i], without) == good[i])
			continue;
		fprintf(f, "%s\n", same ? line : good[i]);
	}
	fclose(f);
}

static void try_terms(const char *line, const char *without,
		      struct outcome *ret)
{
	char path[] = "/tmp/egress-terms-XXXXXX";
	struct buf warnings;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	write_file(path, line, without);
	*ret = (struct outcome){0};
	buf_init(&warnings, sizeof(ret->warnings) - 1);
	ret->err = config_read(path, terms_fields, &ret->terms, &ret->config,
			       &ret->error);
	if (!ret->err)
		ret->err = terms_check(ret->config, &ret->terms, &warnings,
				       &ret->error);
	snprintf(ret->warnings, sizeof(ret->warnings), "%s",
		 buf_cstr(&warnings));
	buf_done(&warnings);
	unlink(path);
}

static void test_good_terms_pass_without_a_word(void **state)
{
	struct outcome o;

	(void)state;
	try_terms("", "", &o);
	assert_string_equal(o.error.text, "");
	assert_int_equal(o.err, OK);
	assert_string_equal(o.warnings, "");
	assert_int_equal(terms_of(&o.terms).sla_window, 3600);
	assert_int_equal(terms_of(&o.terms).round, 1800);
	config_free(o.config);
}

#define A1 "\"0x00000000000000000000000000000000000000a1\""
#define B1 "\"0x00000000000000000000000000000000000000b1\""
#define C1 "\"0x00000000000000000000000000000000000000c1\""
#define D1 "\"0x00000000000000000000000000000000000000d1\""
#define Z  "\"0x0000000000000000000000000000000000000000\""

static const struct {
	const char *line, *where, *why;
} refused[] = {
	{"  sla_window: 0s", "terms.sla_window", "0"},
	{"  failover_window: 0s", "terms.failover_window", "0"},
	{"  inclusion_window: 0s", "terms.inclusion_window", "30 days"},
	{"  inclusion_window: 31d", "terms.inclusion_window", "30 days"},
	{"  hard_deadline: 3h", "terms.hard_deadline", "10800 s"},
	{"  hard_deadline: 91d", "terms.hard_deadline", "90 days"},
	{"  finality: 0s", "terms.finality", "above 0"},
	{"  finality: 3d", "terms.finality", "259200 s"},
	{"  notice: 345599s", "terms.notice", "345600 s"},
	{"  round: 0s", "terms.round", "above 0"},
	{"  round: 41m", "terms.round", "7200 s"},
	{"  round: 1500ms", "terms.round", "whole seconds"},
	{"  notice: 500ms", ":6:", "whole seconds"},
	{"thresholds: {promote: 0, open: 2, resume: 2, amend: 3}",
	 "thresholds.promote", "at least 1"},
	{"thresholds: {promote: 3, open: 2, resume: 2, amend: 3}",
	 "thresholds.open", "promote = 3"},
	{"thresholds: {promote: 2, open: 3, resume: 2, amend: 3}",
	 "thresholds.resume", "open = 3"},
	{"thresholds: {promote: 2, open: 3, resume: 3, amend: 2}",
	 "thresholds.amend", "open = 3"},
	{"thresholds: {promote: 2, open: 2, resume: 2, amend: 4}",
	 "thresholds.amend", "only 3 guardians"},
	{"guardians: []", "guardians", "1 to 32"},
	{"guardians: [" A1 ", " A1 "]", "guardians", "twice"},
	{"guardians: [" A1 ", " Z "]", "guardians", "zero address"},
	{"standbys: []", "standbys", "1 to 32"},
	{"standbys: [" B1 ", " B1 "]", "standbys", "twice"},
	{"standbys: [" C1 "]", "standbys", "sequencer itself"},
	{"validators: []", "validators", "1 to 32"},
	{"validators: [" D1 ", " D1 "]", "validators", "twice"},
	{"validators_needed: 1", "validators_needed", "more than half"},
	{"validators_needed: 4", "validators_needed", "4 of 3"},
	{"sequencer: " Z, "sequencer", "zero address"},
	{"min_bounty: 79228162514.3 ether", "min_bounty", "price"},
	{"min_bounty: 100000000000000001 wei", "min_bounty",
	 "at most 100000000000000000 wei"},
	{"min_bounty: much", "min_bounty", "amount"},
	{"min_bounty: 0 wei", "min_bounty", "0 or missing"},
};

static void test_each_unsafe_term_is_refused_with_its_rule(void **state)
{
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		try_terms(refused[i].line, "", &o);
		if (o.err != ERR_INVALID ||
		    !strstr(o.error.text, refused[i].where) ||
		    !strstr(o.error.text, refused[i].why))
			fail_msg("\"%s\" gives %s: %s", refused[i].line,
				 err_name(o.err), o.error.text);
		config_free(o.config);
	}
}

/* One second more or less than these is refused above. */
static void test_the_bounds_themselves_pass(void **state)
{
	static const char *const bounds[] = {
		/* notice = hard_deadline + inclusion_window + finality */
		"  inclusion_window: 36h",
		"  hard_deadline: 4d",
		"  finality: 36h",
		"  notice: 96h",
		"  round: 40m",
		"min_bounty: 1 wei",
		"min_bounty: 0.1 ether",
	};
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
		try_terms(bounds[i], "", &o);
		if (o.err)
			fail_msg("\"%s\": %s", bounds[i], o.error.text);
		config_free(o.config);
	}
}

static void test_each_field_must_be_there(void **state)
{
	static const char *const fields[] = {
		"  sla_window",	     "  failover_window", "  inclusion_window",
		"  hard_deadline",   "  notice",	  "  finality",
		"  round",	     "thresholds",	  "guardians",
		"standbys",	     "validators:",	  "sequencer",
		"validators_needed",
	};
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		try_terms("", fields[i], &o);
		if (o.err != ERR_INVALID)
			fail_msg("without %s it is taken", fields[i]);
		config_free(o.config);
	}
}

static void test_what_is_legal_and_unwise_is_told(void **state)
{
	static const struct {
		const char *line, *told;
	} unwise[] = {
		{"  hard_deadline: 86399s", "under 24 h"},
		{"thresholds: {promote: 1, open: 2, resume: 2, amend: 3}",
		 "one stolen key"},
		{"thresholds: {promote: 2, open: 2, resume: 3, amend: 3}",
		 "one lost key"},
		{"bond: 0 wei", "bond 0"},
		{"sequencer: " A1, "the sequencer 0x"},
		{"standbys: [" A1 "]", "standby 0x"},
	};
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(unwise); i++) {
		try_terms(unwise[i].line, "", &o);
		if (o.err || !strstr(o.warnings, unwise[i].told))
			fail_msg("\"%s\": %s%s", unwise[i].line, o.warnings,
				 o.error.text);
		config_free(o.config);
	}
}

/* Offsets of the dynamic lists, in bytes from the arguments' start. */
static void test_constructor_arguments_have_right_offsets(void **state)
{
	struct address other = {{0x77}};
	struct outcome o;
	struct buf b;

	(void)state;
	try_terms("", "", &o);
	buf_init(&b, 4096);
	terms_hatch_arguments(&o.terms, other, &b);
	assert_false(b.failed);
	assert_int_equal(b.len, ABI_WORD * (14 + 1 + 3 + 1 + 1));
	uint64_t at = get_be(b.p + 12 * ABI_WORD + 24, 8);
	assert_int_equal(get_be(b.p + at + 24, 8), 3); /* guardians */
	at = get_be(b.p + 13 * ABI_WORD + 24, 8);
	assert_int_equal(get_be(b.p + at + 24, 8), 1); /* standbys */
	buf_clear(&b);
	terms_rollup_arguments(&o.terms, other, other, &b);
	at = get_be(b.p + 3 * ABI_WORD + 24, 8);
	assert_int_equal(get_be(b.p + at + 24, 8), 3); /* validators */
	assert_int_equal(b.len, at + ABI_WORD * 4);
	buf_done(&b);
	config_free(o.config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_terms_pass_without_a_word),
		cmocka_unit_test(
			test_each_unsafe_term_is_refused_with_its_rule),
		cmocka_unit_test(test_the_bounds_themselves_pass),
		cmocka_unit_test(test_each_field_must_be_there),
		cmocka_unit_test(test_what_is_legal_and_unwise_is_told),
		cmocka_unit_test(test_constructor_arguments_have_right_offsets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
