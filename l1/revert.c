#include "l1/revert.h"

#include <stdio.h>

#include "abi/contracts_tables.h"
#include "abi/words.h"

/* Solidity's own: Error(string), Panic(uint256) */
#define SEL_ERROR UINT32_C(0x08c379a0)
#define SEL_PANIC UINT32_C(0x4e487b71)

const char *l1_revert_name(struct slice data, char *to, size_t size)
{
	uint32_t selector = data.len >= 4 ? (uint32_t)get_be(data.p, 4) : 0;
	struct abi_reader r =
		abi_reader(data.len >= 4 ? slice_of(data.p + 4, data.len - 4)
					 : slice_of(NULL, 0));
	if (selector == SEL_ERROR) {
		struct slice text = abi_bytes(&r, 1024);
		if (!r.failed) {
			(void)snprintf(to, size, "%.*s", (int)text.len,
				       (const char *)text.p);
			return to;
		}
	}
	if (selector == SEL_PANIC) {
		(void)snprintf(to, size, "Panic(0x%02x)",
			       (unsigned)abi_u64(&r, 64));
		return to;
	}
	for (size_t i = 0; data.len >= 4 && i < egress_errors_count; i++) {
		if (egress_errors[i].selector != selector)
			continue;
		const char *signature = egress_errors[i].signature;
		(void)snprintf(to, size, "%.*s", (int)strcspn(signature, "("),
			       signature);
		return to;
	}
	if (data.len >= 4)
		(void)snprintf(to, size, "0x%08x", selector);
	else
		(void)snprintf(to, size, "no reason");
	return to;
}
