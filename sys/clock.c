#include "sys/clock.h"

#include <assert.h>
#include <time.h>

static uint64_t read_ms(clockid_t id)
{
	struct timespec t;
	int failed = clock_gettime(id, &t);

	assert(!failed);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t clock_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

uint64_t clock_unix_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}
