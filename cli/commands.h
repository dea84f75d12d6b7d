/* One function a command: argv[0] is "egress COMMAND". Returns an exit
 * status. */
#ifndef EGRESS_CLI_COMMANDS_H
#define EGRESS_CLI_COMMANDS_H

int cmd_deploy(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_pack(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_withdraw(int argc, char **argv);
int cmd_exit(int argc, char **argv);
int cmd_track(int argc, char **argv);
int cmd_ballot(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_evidence(int argc, char **argv);

#endif
