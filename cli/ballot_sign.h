/* egress ballot sign: a guardian's vote as a line of text. */
#ifndef EGRESS_CLI_BALLOT_SIGN_H
#define EGRESS_CLI_BALLOT_SIGN_H

int ballot_sign(int argc, char **argv);

#endif
