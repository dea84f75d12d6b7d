#include "l1/too_much.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* EIP-1474 "Limit exceeded", which some use for too much alone and others for
 * a rate too; "Invalid params", which Infura says of a range that is too wide;
 * QuickNode's own. */
#define CODE_LIMIT	    (-32005)
#define CODE_INVALID_PARAMS (-32602)
#define CODE_RANGE	    (-32614)

/* Lists are cut at a thousand, ten thousand, … and no higher than this. */
#define CUT_STEP 1000
#define CUT_MAX	 100000

static bool has_any(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcasestr(text, *words))
			return true;
	return false;
}

/* Our question is wrong, or it is about blocks that they do not have: nothing
 * shorter helps. */
static bool is_other(const char *text)
{
	static const char *const words[] = {
		/* geth */
		"exceed max topics", "exceed max addresses",
		"per search position", "invalid block range",
		"beyond current head",
		/* who keeps no such history */
		"pruned", "history", "not found", "unknown block", "missing",
		NULL};
	return has_any(text, words);
}

static bool is_said(const char *text)
{
	static const char *const words[] = {
		/* Infura and geth's heirs; reth, Ankr; Arbitrum; Nethermind */
		"query returned more than", "exceeds max results",
		"exceeds limit of", "too many logs", "too many results",
		/* Alchemy, Ankr, PublicNode, BSC's geth, Base, Chainstack */
		"block range", "range is too", "range too",
		/* QuickNode, BlockPI, 1RPC; Besu; Tenderly; Coinbase; Fantom */
		"blocks range", "is limited to", "limited to a", "range limit",
		"maximum range", "limit the query to", "too many blocks",
		"blocks distance", "range threshold",
		/* Alchemy; 1RPC, NodeReal; Optimism */
		"response size", "response too large", "response is too big",
		"entity too large", "payload too large",
		/* Infura, Alchemy; Erigon and geth; Nethermind */
		"query timeout", "timeout exceeded", "query timed out",
		"deadline exceeded", "enabled timeout",
		/* BSC's public endpoints */
		"limit exceeded", NULL};
	return has_any(text, words);
}

static bool is_crowded(const char *text)
{
	static const char *const words[] = {
		"results",   "response", "many logs", "logs matched", "timeout",
		"timed out", "deadline", "entity",    "payload",      NULL};
	return has_any(text, words);
}

/* "10,000", "2K", "50000"; 0: no number there. */
static uint64_t read_number(const char **at)
{
	const char *p = *at;
	uint64_t n = 0;
	if (!isdigit((unsigned char)*p))
		return 0;
	for (; isdigit((unsigned char)*p) ||
	       (*p == ',' && isdigit((unsigned char)p[1]));
	     p++) {
		if (*p == ',')
			continue;
		if (n > UINT32_MAX)
			return 0;
		n = 10 * n + (uint64_t)(*p - '0');
	}
	if ((*p == 'k' || *p == 'K') && !isalpha((unsigned char)p[1])) {
		n *= 1000;
		p++;
	}
	*at = p;
	return n;
}

/* "[0x64, 0x1c7]": Alchemy "this block range should work", Infura and zkSync
 * "Try with this block range". */
static uint64_t read_brackets(const char *text)
{
	for (const char *p = strchr(text, '['); p; p = strchr(p + 1, '[')) {
		char *end;
		const char *at = p + 1 + strspn(p + 1, " '\"");
		if (strncmp(at, "0x", 2))
			continue;
		uint64_t from = strtoull(at, &end, 16);
		at = end + strspn(end, ", '\"");
		if (end == at || strncmp(at, "0x", 2))
			continue;
		uint64_t to = strtoull(at, &end, 16);
		if (to >= from && to - from < UINT32_MAX)
			return to - from + 1;
	}
	return 0;
}

/* "retry with the range 24383075-24383096": reth */
static uint64_t read_dash(const char *text)
{
	static const char word[] = "the range ";
	const char *p = strcasestr(text, word);
	if (!p)
		return 0;
	p += strlen(word);
	uint64_t from = read_number(&p);
	if (*p++ != '-')
		return 0;
	uint64_t to = read_number(&p);
	return from && to >= from ? to - from + 1 : 0;
}

/* The number counts something else than blocks. */
static bool is_of_other_things(const char *at)
{
	static const char *const words[] = {"log",    "result", "byte", "event",
					    "second", "s ",	"ms",	NULL};
	at += strspn(at, " ");
	for (const char *const *w = words; *w; w++)
		if (!strncasecmp(at, *w, strlen(*w)))
			return true;
	return false;
}

/* A limit in words: "is limited to a 10,000 range". */
static uint64_t read_limit(const char *text)
{
	static const char *const before[] = {
		"limited to a ",      "limited to ",	    "up to a ",
		"block range: ",      "block range = ",	    "max block range ",
		"maximum ",	      "max range: ",	    "at most ",
		"maximum is set to ", "range limit of ",    "range limit ",
		"exceeds limit of ",  "exceeds the limit ", NULL};
	if (strcasestr(text, "logs matched"))
		return 0;
	for (const char *const *w = before; *w; w++)
		for (const char *p = strcasestr(text, *w); p;
		     p = strcasestr(p, *w)) {
			const char *at = p += strlen(*w);
			uint64_t n = read_number(&at);
			/* "block range = 5120, max block range = 5000" */
			if (n && !is_of_other_things(at) &&
			    !strcasestr(at, "max block range"))
				return n;
		}
	return 0;
}

struct too_much too_much_read(int64_t code, const char *text)
{
	struct too_much much = {0};
	if (is_other(text))
		return much;
	much.yes = is_said(text) || code == CODE_LIMIT ||
		   code == CODE_INVALID_PARAMS || code == CODE_RANGE;
	if (!much.yes)
		return much;
	much.crowded = is_crowded(text);
	much.span = read_brackets(text);
	if (!much.span)
		much.span = read_dash(text);
	if (!much.span)
		much.span = read_limit(text);
	return much;
}

bool too_much_is_cut(size_t logs)
{
	return logs && logs <= CUT_MAX && logs % CUT_STEP == 0;
}
