/* Where the other programs are: beside this one, in the build's own folders,
 * or in PATH. */
#ifndef EGRESS_CLI_PROGRAM_H
#define EGRESS_CLI_PROGRAM_H

struct program_path {
	char s[4096]; /* a path, or the name itself for execlp() */
};

/* name: "egress-signer" */
struct program_path program_find(const char *name);

#endif
