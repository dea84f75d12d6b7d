/* sd_notify without libsystemd: READY, STOPPING, WATCHDOG, STATUS. */
#ifndef EGRESS_SYS_NOTIFY_H
#define EGRESS_SYS_NOTIFY_H

#include <stdint.h>

void notify_ready(void);
void notify_stopping(void);
void notify_status(const char *text);
/* Pets the watchdog when WATCHDOG_USEC asks for it, at most twice an
 * interval; called by the loop and nowhere else. */
void notify_watchdog(uint64_t now_mono_ms);

#endif
