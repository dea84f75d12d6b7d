/* Finds the other programs: see program.h. */
#include "cli/program.h"

#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SELF_MAX 2048

struct program_path program_find(const char *name)
{
	const char *folder, *short_name = strchr(name, '-') + 1; /* "signer" */
	struct program_path found;
	char self[SELF_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	folder = dirname(self);
	snprintf(found.s, sizeof(found.s), "%s/%s", folder, name);
	if (n > 0 && !access(found.s, X_OK))
		return found;
	snprintf(found.s, sizeof(found.s), "%s/../%s/%s", folder, short_name,
		 name);
	if (n > 0 && !access(found.s, X_OK))
		return found;
	snprintf(found.s, sizeof(found.s), "%s", name);
	return found;
}
