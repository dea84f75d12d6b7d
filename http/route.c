/* Patterns are literal but for "{name}" segments, which take one non-empty
 * segment each. */
#include "http/route.h"

#include <assert.h>

static size_t segment_len(const char *s)
{
	return strcspn(s, "/");
}

static bool is_arg(const char *pattern, size_t len)
{
	return len > 2 && pattern[0] == '{' && pattern[len - 1] == '}';
}

static bool match(const char *pattern, const char *path,
		  struct route_args *args)
{
	size_t used = 0;
	args->n = 0;
	for (;;) {
		if (*pattern != '/' || *path != '/')
			return !*pattern && !*path;
		size_t want = segment_len(++pattern);
		size_t have = segment_len(++path);
		if (is_arg(pattern, want)) {
			assert(args->n < ARRAY_LEN(args->args));
			if (!have || used + have + 1 > sizeof(args->text))
				return false;
			memcpy(args->text + used, path, have);
			args->text[used + have] = '\0';
			args->args[args->n++] = args->text + used;
			used += have + 1;
		} else if (want != have || memcmp(pattern, path, want)) {
			return false;
		}
		pattern += want;
		path += have;
	}
}

const struct http_route *route_find(const struct http_route *routes,
				    const char *method, const char *path,
				    struct route_args *ret_args,
				    const char **ret_allow)
{
	const char *asked = strcmp(method, "HEAD") ? method : "GET";
	*ret_allow = NULL;
	for (; routes->method; routes++) {
		if (!match(routes->pattern, path, ret_args))
			continue;
		if (!strcmp(routes->method, asked))
			return routes;
		*ret_allow = routes->method;
	}
	return NULL;
}
