/* sys/clock.c and sys/log.c of the simulator. */
#include <stdio.h>
#include <stdlib.h>

#include "sys/clock.h"
#include "sys/log.h"
#include "tests/sim/world.h"

uint64_t clock_mono_ms(void)
{
	return world->now_ms;
}

uint64_t sim_unix_s(uint64_t mono_ms)
{
	return SIM_GENESIS_S + 1000 + (mono_ms - SIM_START_MS) / 1000;
}

uint64_t clock_unix_ms(void)
{
	return sim_unix_s(world->now_ms) * 1000;
}

void log_init(const char *program, enum log_level max)
{
	(void)program;
	(void)max;
}

enum err log_level_parse(const char *text, enum log_level *ret)
{
	(void)text;
	*ret = LOG_LEVEL_INFO;
	return OK;
}

void log_line(enum log_level level, const char *event, ...)
{
	const char *key, *value;
	va_list args;

	if (!world->verbose)
		return;
	printf("%8llu n%d <%d> %s", (unsigned long long)world->now_ms,
	       world->on ? (int)world->on->at : -1, (int)level, event);
	va_start(args, event);
	while ((key = va_arg(args, const char *))) {
		value = va_arg(args, const char *);
		printf(" %s=%s", key, value);
	}
	va_end(args);
	printf("\n");
}

struct log_number log_u64(uint64_t value)
{
	struct log_number n;

	snprintf(n.s, sizeof(n.s), "%llu", (unsigned long long)value);
	return n;
}

/* The process is gone; main starts another one later. */
void fatal(const char *what, const char *where)
{
	sim_say("fatal: %s: %s", what, where);
	if (!world->stepping)
		abort();
	longjmp(world->dead, 1);
}
