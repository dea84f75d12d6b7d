/* Time of this machine.  It only paces polling and notices that L1 stopped:
 * what is decided rests on L1's timestamps.  The simulator replaces clock.c. */
#ifndef EGRESS_SYS_CLOCK_H
#define EGRESS_SYS_CLOCK_H

#include <stdint.h>

uint64_t clock_mono_ms(void); /* never steps */
uint64_t clock_unix_ms(void);

#endif
