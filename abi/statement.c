/* Statements and requests: what is signed that is neither ballot nor
 * transaction.  One table says which types exist and how wide each field is. */
#include "abi/statement.h"

#include <assert.h>

#include "abi/contracts_tables.h"
#include "abi/keccak.h"

_Static_assert(REQUEST_RAW_MAX == EGRESS_MAX_FORCED_BYTES,
	       "as compiled into the contracts");

#define INDEX_LIMIT (UINT64_C(1) << 40) /* uint40 */

/* bits: of each field in the type's order, 0 ends. */
static const struct shape {
	enum typed_domain letter;
	enum statement_type type;
	enum typed_type typed;
	uint16_t bits[STATEMENT_FIELDS_MAX + 1];
} shapes[] = {
	{DOMAIN_ROLLUP,
	 STATEMENT_WITHDRAW,
	 TYPED_WITHDRAW,
	 {40, 96, 160, 256, 64}},
	{DOMAIN_ROLLUP, STATEMENT_EXIT_TO, TYPED_EXIT_TO, {40, 160, 64}},
	{DOMAIN_ROLLUP,
	 STATEMENT_CLAIM_TO,
	 TYPED_CLAIM_TO,
	 {160, 160, 256, 64}},
	{DOMAIN_EGRESS, STATEMENT_RECEIPTS, TYPED_RECEIPTS, {256, 64}},
	{DOMAIN_EGRESS,
	 STATEMENT_HEARTBEAT,
	 TYPED_HEARTBEAT,
	 {64, 256, 8, 64, 256, 64}},
	{DOMAIN_EGRESS, STATEMENT_READY, TYPED_READY, {160, 64, 256, 64}},
	{DOMAIN_EGRESS, STATEMENT_INCIDENT, TYPED_INCIDENT, {256}},
};

static const struct shape *shape_of(const struct statement *s)
{
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
		if (shapes[i].letter == s->domain.letter &&
		    shapes[i].type == s->type)
			return &shapes[i];
	return NULL;
}

static bool fits(const struct hash32 *field, unsigned bits)
{
	for (unsigned i = 0; i < (256 - bits) / 8; i++)
		if (field->b[i])
			return false;
	return true;
}

enum err statement_digest(const struct statement *s, struct hash32 *ret)
{
	const struct shape *shape = shape_of(s);
	size_t n = 0;

	if (!shape || s->n > STATEMENT_FIELDS_MAX)
		return ERR_INVALID;
	while (shape->bits[n])
		n++;
	if (s->n != n)
		return ERR_INVALID;
	for (size_t i = 0; i < n; i++)
		if (!fits(&s->fields[i], shape->bits[i]))
			return ERR_INVALID;
	*ret = typed_digest(
		&s->domain,
		typed_struct_hash(typed_type_hash(shape->typed), s->fields, n));
	return OK;
}

static struct statement of_rollup(uint64_t chain_id, struct address rollup,
				  enum statement_type type, size_t n)
{
	return (struct statement){
		.domain = {DOMAIN_ROLLUP, chain_id, rollup},
		.type = type,
		.n = n,
	};
}

struct statement statement_withdraw(uint64_t chain_id, struct address rollup,
				    const struct withdraw *w)
{
	struct statement ret = of_rollup(chain_id, rollup, STATEMENT_WITHDRAW,
					 WITHDRAW_FIELDS);

	withdraw_fields(w, ret.fields);
	return ret;
}

struct statement statement_exit_to(uint64_t chain_id, struct address rollup,
				   const struct exit_to *e)
{
	struct statement ret =
		of_rollup(chain_id, rollup, STATEMENT_EXIT_TO, EXIT_TO_FIELDS);

	exit_to_fields(e, ret.fields);
	return ret;
}

struct statement statement_claim_to(uint64_t chain_id, struct address rollup,
				    const struct claim_to *c)
{
	struct statement ret = of_rollup(chain_id, rollup, STATEMENT_CLAIM_TO,
					 CLAIM_TO_FIELDS);

	claim_to_fields(c, ret.fields);
	return ret;
}

static void id_begin(struct keccak *k, enum request_kind kind,
		     uint64_t chain_id, struct address rollup)
{
	uint8_t head[1 + 8 + 20];

	head[0] = (uint8_t)kind;
	put_be(head + 1, chain_id, 8);
	memcpy(head + 9, rollup.b, 20);
	keccak_init(k);
	keccak_add(k, head, sizeof(head));
}

struct hash32 request_id_withdrawal(uint64_t chain_id, struct address rollup,
				    const struct withdraw *w)
{
	uint8_t body[5 + 12 + 20 + 32 + 8];
	struct keccak k;

	assert(w->index < INDEX_LIMIT);
	put_be(body, w->index, 5);
	u256_to_be(w->amount, body + 5, 12);
	memcpy(body + 17, w->recipient.b, 20);
	memcpy(body + 37, w->salt.b, 32);
	put_be(body + 69, w->expiry, 8);
	id_begin(&k, REQUEST_WITHDRAWAL, chain_id, rollup);
	keccak_add(&k, body, sizeof(body));
	return keccak_end(&k);
}

struct hash32 request_id_transaction(uint64_t chain_id, struct address rollup,
				     struct slice raw)
{
	struct keccak k;

	id_begin(&k, REQUEST_TRANSACTION, chain_id, rollup);
	keccak_add(&k, raw.p, raw.len);
	return keccak_end(&k);
}

struct hash32 request_id_exit(uint64_t chain_id, struct address rollup,
			      const struct exit_to *e)
{
	uint8_t body[5 + 20 + 8];
	struct keccak k;

	assert(e->index < INDEX_LIMIT);
	put_be(body, e->index, 5);
	memcpy(body + 5, e->recipient.b, 20);
	put_be(body + 25, e->count, 8);
	id_begin(&k, REQUEST_EXIT, chain_id, rollup);
	keccak_add(&k, body, sizeof(body));
	return keccak_end(&k);
}
