/* The terms file of `egress deploy`: see terms.h. */
#include "cli/terms.h"

#include <inttypes.h>

#include "abi/contracts_tables.h"
#include "abi/hex.h"
#include "abi/words.h"

#define DAY		  86400u
#define KEYS_MAX	  HATCH_KEYS_MAX
#define HARD_WARN_S	  DAY
#define HEAD_WORDS_HATCH  (1 + 7 + 4 + 2)
#define HEAD_WORDS_ROLLUP (3 + 1 + 2)

#define AT(member) offsetof(struct terms_file, member)
#define DURATION(name, hint_)                                                  \
	{                                                                      \
#name, CONFIG_DURATION, AT(ms.name),                           \
			.required = true,                                      \
			.hint = hint_ ": write 8s, 10m, 2h or 1d"              \
	}
#define COUNT(name)                                                            \
	{                                                                      \
#name, CONFIG_U64, AT(thresholds.name),                        \
			.required = true, .max = 255,                          \
			.hint = "give how many guardians must agree"           \
	}
#define ADDRESSES(name, hint_)                                                 \
	{                                                                      \
#name, CONFIG_LIST, AT(name),                                  \
			.required = true, .hint = hint_,                       \
			.element_type = CONFIG_ADDRESS,                        \
			.element_size = sizeof(struct address),                \
			.max_items = KEYS_MAX                                  \
	}

#define GROUP_AT(name, fields_, hint_)                                         \
	{                                                                      \
#name, CONFIG_GROUP, 0, .required = true, .hint = hint_,       \
					.fields = fields_                      \
	}

static const struct config_field window_fields[] = {
	DURATION(sla_window, "silence after which the chain is LATE"),
	DURATION(failover_window, "time a promoted standby has to commit"),
	DURATION(inclusion_window, "age at which a request is overdue"),
	DURATION(hard_deadline, "silence after which anyone opens the hatch"),
	DURATION(notice, "delay on every amendment"),
	DURATION(finality, "time in which a batch can be proven bad"),
	DURATION(round, "ballots live for three rounds"),
	{0},
};

static const struct config_field threshold_fields[] = {
	COUNT(promote), COUNT(open), COUNT(resume), COUNT(amend), {0},
};

const struct config_field terms_fields[] = {
	GROUP_AT(terms, window_fields, "give the windows: sla_window, …"),
	GROUP_AT(thresholds, threshold_fields,
		 "give promote, open, resume and amend"),
	ADDRESSES(guardians, "list the guardians' addresses"),
	ADDRESSES(standbys, "list the standby sequencers' addresses"),
	ADDRESSES(validators, "list the validators' addresses"),
	{"sequencer", CONFIG_ADDRESS, AT(sequencer), .required = true,
	 .hint = "give the first sequencer's address"},
	{"validators_needed", CONFIG_U64, AT(validators_needed),
	 .required = true, .max = 255,
	 .hint = "give how many validators sign a batch"},
	{"min_bounty", CONFIG_AMOUNT, AT(min_bounty),
	 .hint = "what a forced withdrawal's executor earns at least: write 5 "
		 "gwei, or 0.001 ether"},
	{"bond", CONFIG_AMOUNT, AT(bond),
	 .hint = "what the operator stakes, for an evacuation: write 20 ether"},
	{0},
};

struct hatch_terms terms_of(const struct terms_file *t)
{
	return (struct hatch_terms){
		.sla_window = (uint32_t)(t->ms.sla_window / 1000),
		.failover_window = (uint32_t)(t->ms.failover_window / 1000),
		.inclusion_window = (uint32_t)(t->ms.inclusion_window / 1000),
		.hard_deadline = (uint32_t)(t->ms.hard_deadline / 1000),
		.notice = (uint32_t)(t->ms.notice / 1000),
		.finality = (uint32_t)(t->ms.finality / 1000),
		.round = (uint32_t)(t->ms.round / 1000),
	};
}

#define REFUSE(path, ...)                                                      \
	do {                                                                   \
		config_complain(c, path, error, __VA_ARGS__);                  \
		return ERR_INVALID;                                            \
	} while (0)

static enum err check_whole_seconds(const struct config *c,
				    const struct terms_file *t,
				    struct err_text *error)
{
	const struct {
		const char *path;
		uint64_t ms;
	} all[] = {
		{"terms.sla_window", t->ms.sla_window},
		{"terms.failover_window", t->ms.failover_window},
		{"terms.inclusion_window", t->ms.inclusion_window},
		{"terms.hard_deadline", t->ms.hard_deadline},
		{"terms.notice", t->ms.notice},
		{"terms.finality", t->ms.finality},
		{"terms.round", t->ms.round},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i].ms % 1000)
			REFUSE(all[i].path,
			       "%" PRIu64 " ms: L1 counts in "
			       "whole seconds: give whole seconds",
			       all[i].ms);
		if (all[i].ms / 1000 > UINT32_MAX)
			REFUSE(all[i].path, "over 136 years: give less");
	}
	return OK;
}

/* protocol.md "Terms": what the constructor refuses. */
static enum err check_windows(const struct config *c,
			      const struct hatch_terms *w,
			      struct err_text *error)
{
	uint64_t both = (uint64_t)w->sla_window + w->failover_window;
	uint64_t all =
		(uint64_t)w->hard_deadline + w->inclusion_window + w->finality;

	if (!w->sla_window)
		REFUSE("terms.sla_window", "0: give a time");
	if (!w->failover_window)
		REFUSE("terms.failover_window", "0: give a time");
	if (!w->inclusion_window || w->inclusion_window > 30 * DAY)
		REFUSE("terms.inclusion_window", "%u s: must be 1 s to 30 days",
		       w->inclusion_window);
	if (w->hard_deadline <= both)
		REFUSE("terms.hard_deadline",
		       "%u s: must be longer than sla_window + "
		       "failover_window = %" PRIu64 " s, or the hatch opens "
		       "before a standby had its time",
		       w->hard_deadline, both);
	if (w->hard_deadline > 90 * DAY)
		REFUSE("terms.hard_deadline",
		       "%u s: over 90 days: citizens would wait too long",
		       w->hard_deadline);
	if (!w->finality || w->finality >= w->hard_deadline)
		REFUSE("terms.finality",
		       "%u s: must be above 0 and below hard_deadline = %u s",
		       w->finality, w->hard_deadline);
	if (w->notice < all)
		REFUSE("terms.notice",
		       "%u s: must be at least hard_deadline + "
		       "inclusion_window + finality = %" PRIu64 " s, so that "
		       "everybody can leave before a change",
		       w->notice, all);
	if (!w->round || 3 * (uint64_t)w->round > w->failover_window)
		REFUSE("terms.round",
		       "%u s: must be above 0, and three rounds must fit "
		       "failover_window = %u s",
		       w->round, w->failover_window);
	return OK;
}

static const struct address *addresses(const struct config_list *list)
{
	return list->items;
}

static enum err check_list(const struct config *c, const char *name,
			   const struct config_list *list,
			   struct err_text *error)
{
	const struct address *a = addresses(list);

	if (!list->n || list->n > KEYS_MAX)
		REFUSE(name, "%zu addresses: give 1 to %d", list->n, KEYS_MAX);
	for (size_t i = 0; i < list->n; i++) {
		if (address_is_zero(a[i]))
			REFUSE(name, "number %zu is the zero address", i + 1);
		for (size_t k = 0; k < i; k++)
			if (address_eq(a[i], a[k]))
				REFUSE(name, "%s stands there twice",
				       address_text(a[i]).s);
	}
	return OK;
}

static enum err check_thresholds(const struct config *c,
				 const struct terms_file *t,
				 struct err_text *error)
{
	const struct {
		const char *name;
		uint64_t value, least;
		const char *why;
	} rules[] = {
		{"thresholds.promote", t->thresholds.promote, 1, ""},
		{"thresholds.open", t->thresholds.open, t->thresholds.promote,
		 "promote"},
		{"thresholds.resume", t->thresholds.resume, t->thresholds.open,
		 "open"},
		{"thresholds.amend", t->thresholds.amend, t->thresholds.open,
		 "open"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (!rules[i].value)
			REFUSE(rules[i].name, "0: must be at least 1");
		if (rules[i].value < rules[i].least)
			REFUSE(rules[i].name,
			       "%" PRIu64 ": must be at least %s = %" PRIu64,
			       rules[i].value, rules[i].why, rules[i].least);
		if (rules[i].value > t->guardians.n)
			REFUSE(rules[i].name,
			       "%" PRIu64 ": there are only %zu guardians",
			       rules[i].value, t->guardians.n);
	}
	if (2 * t->validators_needed <= t->validators.n ||
	    t->validators_needed > t->validators.n)
		REFUSE("validators_needed",
		       "%" PRIu64 " of %zu: must be more than half, and no "
		       "more than there are",
		       t->validators_needed, t->validators.n);
	if (u256_is_zero(t->min_bounty))
		REFUSE("min_bounty",
		       "0 or missing: where the base fee is 0 a forced request "
		       "would cost nothing: give at least 1 wei, say 100000 "
		       "gwei");
	if (u256_cmp(t->min_bounty, u256_from(EGRESS_MAX_BOUNTY)) > 0)
		REFUSE("min_bounty",
		       "%s wei: must be at most %" PRIu64 " wei, or the price "
		       "would keep citizens from forcing a withdrawal",
		       u256_text(t->min_bounty).s, EGRESS_MAX_BOUNTY);
	return OK;
}

static void warn_of_guardian(const struct terms_file *t, struct address a,
			     const char *who, struct buf *to)
{
	for (size_t i = 0; i < t->guardians.n; i++)
		if (address_eq(addresses(&t->guardians)[i], a))
			buf_printf(to,
				   "%s %s is a guardian, too: it would judge "
				   "itself; give each its own key\n",
				   who, address_text(a).s);
}

/* Legal, and yet a nation should know. */
static void warn(const struct terms_file *t, const struct hatch_terms *w,
		 struct buf *to)
{
	if (w->hard_deadline < HARD_WARN_S)
		buf_printf(to,
			   "hard_deadline %u s is under 24 h: choose several "
			   "times the longest halt of the L1 itself\n",
			   w->hard_deadline);
	if (t->thresholds.promote == 1)
		buf_printf(to, "promote needs one guardian: one stolen key "
			       "replaces a late sequencer\n");
	if (t->thresholds.resume == t->guardians.n)
		buf_printf(to, "resume needs every guardian: one lost key and "
			       "the chain never resumes (exits still work)\n");
	warn_of_guardian(t, t->sequencer, "the sequencer", to);
	for (size_t i = 0; i < t->standbys.n; i++)
		warn_of_guardian(t, addresses(&t->standbys)[i], "standby", to);
	if (u256_is_zero(t->bond))
		buf_printf(to, "bond 0: nobody pays the relayers for an "
			       "evacuation, and no resume without one\n");
}

enum err terms_check(const struct config *c, const struct terms_file *t,
		     struct buf *warnings, struct err_text *error)
{
	struct hatch_terms w = terms_of(t);
	enum err err = check_whole_seconds(c, t, error);

	if (!err)
		err = check_windows(c, &w, error);
	if (!err)
		err = check_list(c, "guardians", &t->guardians, error);
	if (!err)
		err = check_list(c, "standbys", &t->standbys, error);
	if (!err)
		err = check_list(c, "validators", &t->validators, error);
	if (!err)
		err = check_thresholds(c, t, error);
	if (err)
		return err;
	if (address_is_zero(t->sequencer))
		REFUSE("sequencer", "the zero address: give the sequencer's");
	for (size_t i = 0; i < t->standbys.n; i++)
		if (address_eq(addresses(&t->standbys)[i], t->sequencer))
			REFUSE("standbys", "%s is the sequencer itself",
			       address_text(t->sequencer).s);
	warn(t, &w, warnings);
	return OK;
}

static void put_list(const struct config_list *list, struct buf *to)
{
	abi_put_u64(to, list->n);
	for (size_t i = 0; i < list->n; i++)
		abi_put_address(to, addresses(list)[i]);
}

/* (address rollup, Terms, Thresholds, address[] guardians, address[]) */
void terms_hatch_arguments(const struct terms_file *t, struct address rollup,
			   struct buf *to)
{
	struct hatch_terms w = terms_of(t);
	const uint64_t words[] = {
		w.sla_window,
		w.failover_window,
		w.inclusion_window,
		w.hard_deadline,
		w.notice,
		w.finality,
		w.round,
		t->thresholds.promote,
		t->thresholds.open,
		t->thresholds.resume,
		t->thresholds.amend,
		ABI_WORD * HEAD_WORDS_HATCH,
		ABI_WORD * (HEAD_WORDS_HATCH + 1 + t->guardians.n)};

	abi_put_address(to, rollup);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		abi_put_u64(to, words[i]);
	put_list(&t->guardians, to);
	put_list(&t->standbys, to);
}

/* (address hatch, address badBatch, address sequencer, address[] validators,
 *  uint8 t, uint96 minBounty) */
void terms_rollup_arguments(const struct terms_file *t, struct address hatch,
			    struct address bad_batch, struct buf *to)
{
	abi_put_address(to, hatch);
	abi_put_address(to, bad_batch);
	abi_put_address(to, t->sequencer);
	abi_put_u64(to, ABI_WORD * HEAD_WORDS_ROLLUP);
	abi_put_u64(to, t->validators_needed);
	abi_put_u256(to, t->min_bounty);
	put_list(&t->validators, to);
}
