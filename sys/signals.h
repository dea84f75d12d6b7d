/* Signals as a file descriptor: SIGTERM, SIGINT and SIGHUP stop (there is no
 * reload: start again; a SIGHUP that nohup ignores stays so); SIGPIPE is
 * ignored.
 * Call before any thread starts: they are blocked in all (LMDB's writer must
 * not see EINTR). */
#ifndef EGRESS_SYS_SIGNALS_H
#define EGRESS_SYS_SIGNALS_H

#include <stdbool.h>

int signals_open(void);		 /* signalfd, non-blocking */
bool signals_stop(int signalfd); /* true: somebody asked us to end */

#endif
