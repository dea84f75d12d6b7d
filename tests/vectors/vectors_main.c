/* Reads commands, runs them, writes what came out. */
#include "tests/vectors/vectors.h"

#include <stdio.h>
#include <stdlib.h>

static const struct vectors_command *const tables[] = {
	vectors_foundation, vectors_abi,    vectors_trie,
#ifdef VECTORS_HAVE_SIGNING
	vectors_signing,    vectors_ledger, vectors_logs,
#endif
};

static const struct vectors_command *find(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		for (const struct vectors_command *c = tables[i]; c->name; c++)
			if (slice_eq(slice_str(c->name), name))
				return c;
	return NULL;
}

static size_t split(char *line, size_t len, struct slice *words)
{
	size_t n = 0;
	const char *end = line + len;
	for (const char *at = line; at < end && n < VECTORS_ARGS_MAX;) {
		const char *space = memchr(at, ' ', (size_t)(end - at));
		const char *stop = space ? space : end;
		words[n++] = slice_of(at, (size_t)(stop - at));
		if (words[n - 1].len == 1 && *at == '-')
			words[n - 1].len = 0;
		at = stop + 1;
	}
	return n;
}

int main(void)
{
	static struct slice words[VECTORS_ARGS_MAX];
	char *line = NULL;
	size_t room = 0;
	ssize_t got;
	struct buf out;
	buf_init(&out, VECTORS_OUT_MAX);
	while ((got = getline(&line, &room, stdin)) > 0) {
		size_t len = (size_t)got - (line[got - 1] == '\n');
		size_t n = split(line, len, words);
		const struct vectors_command *c = n ? find(words[0]) : NULL;
		buf_clear(&out);
		if (!c || n - 1 < c->min_args)
			puts("unknown command");
		else if (!c->run(words + 1, n - 1, &out) || out.failed)
			puts("refused");
		else
			puts(buf_cstr(&out));
	}
	free(line);
	buf_done(&out);
	return 0;
}
