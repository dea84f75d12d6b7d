/* A contract's deployed code held against what the committed sources compile
 * to.  The metadata trailer is switched off (compiler.json), so the same
 * sources and settings give the same bytes everywhere.  Pure. */
#ifndef EGRESS_ABI_CODE_H
#define EGRESS_ABI_CODE_H

#include "abi/contracts_tables.h"
#include "abi/err.h"

/* What the constructor wrote into the code, by IMMUTABLE_<CONTRACT>_…. */
struct code_immutables {
	struct hash32 words[CONTRACT_IMMUTABLES_MAX];
};

/* false: another contract, another release, or compiled otherwise; *ret is
 * written only when true. */
MUST_CHECK bool code_is(const struct contract_code *contract, struct slice code,
			struct code_immutables *ret);
/* false: the word is no address. */
MUST_CHECK bool code_address(struct hash32 word, struct address *ret);

#endif
