/* jansson's verdict on a text, as a second opinion.  It is opened, not linked:
 * functions of abi/json have the names of some of its own. */
#ifndef EGRESS_TESTS_JANSSON_H
#define EGRESS_TESTS_JANSSON_H

#include <dlfcn.h>

#include "abi/buf.h"
#include "tests/unit/unit.h"

#define JANSSON_REJECT_DUPLICATES 1

struct jansson_error { /* json_error_t */
	int line, column, position;
	char source[80], text[160];
};

typedef void *jansson_load(const char *text, size_t len, size_t flags,
			   struct jansson_error *error);
typedef void jansson_delete(void *value);

struct jansson {
	jansson_load *load;
	jansson_delete *free;
};

static inline struct jansson jansson_open(void)
{
	struct jansson j = {0};
	void *library = dlopen("libjansson.so.4", RTLD_NOW | RTLD_LOCAL);
	assert_non_null(library);
	*(void **)&j.load = dlsym(library, "json_loadb");
	*(void **)&j.free = dlsym(library, "json_delete");
	assert_true(j.load && j.free);
	return j;
}

/* Brackets outside strings. */
static inline bool jansson_is_too_deep(struct slice text, unsigned most)
{
	bool in_string = false;
	unsigned depth = 0;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.p[i];
		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '['))
			depth++;
		else if (!in_string && (c == '}' || c == ']'))
			depth -= depth > 0;
		if (depth > most)
			return true;
	}
	return false;
}

static inline bool jansson_takes(const struct jansson *j, struct slice text,
				 unsigned most_deep, struct err_text *why)
{
	struct jansson_error error = {.text = "nested too deep"};
	void *tree = NULL;
	if (!jansson_is_too_deep(text, most_deep))
		tree = j->load(text.len ? (const char *)text.p : "", text.len,
			       JANSSON_REJECT_DUPLICATES, &error);
	if (tree)
		j->free(tree);
	else
		err_text_set(why, "%s", error.text);
	return tree;
}

#endif
