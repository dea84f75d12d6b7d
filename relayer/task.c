#include "relayer/task.h"

#include "abi/keccak.h"

struct hash32 task_key(const char *name, uint64_t a, uint64_t b,
		       struct hash32 c)
{
	struct keccak k;
	uint8_t numbers[16];

	put_be(numbers, a, 8);
	put_be(numbers + 8, b, 8);
	keccak_init(&k);
	keccak_add(&k, name, strlen(name));
	keccak_add(&k, numbers, sizeof(numbers));
	keccak_add(&k, c.b, sizeof(c.b));
	return keccak_end(&k);
}

const char *task_event_name(enum task_event event)
{
	switch (event) {
	case TASK_REFUSED:
		return "refused";
	case TASK_UNSIGNED:
		return "not signed";
	case TASK_SIGNED:
		return "signed";
	case TASK_SENT:
		return "sent";
	case TASK_MINED:
		return "mined";
	case TASK_BACK:
		return "back";
	case TASK_FINAL:
		return "final";
	case TASK_LOST:
		return "lost";
	case TASK_DROPPED:
		return "dropped";
	}
	return "?";
}
