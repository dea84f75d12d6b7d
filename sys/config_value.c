#include "sys/config_value.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "abi/hex.h"

/* A factor that a unit stands for. */
struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit durations[] = {
	{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
};
static const struct unit sizes[] = {
	{"B", 1},	  {"KiB", 1 << 10},    {"MiB", 1 << 20},
	{"GiB", 1 << 30}, {"TiB", 1ULL << 40},
};
static const struct unit rates[] = {{"/s", 1}};
static const struct unit percents[] = {{"%", 100}};
static const struct unit amounts[] = {
	{"wei", 1}, {"gwei", 1000000000}, {"ether", 1000000000000000000}};

static const struct {
	const char *noun, *advice;
	size_t size;
} types[] = {
	[CONFIG_STRING] = {"a text", "write a text", sizeof(char *)},
	[CONFIG_PATH] = {"a path", "write a path", sizeof(char *)},
	[CONFIG_URL] = {"a URL", "write http://… or https://…", sizeof(char *)},
	[CONFIG_BOOL] = {"true or false", "write true or false", sizeof(bool)},
	[CONFIG_U64] = {"a whole number", "write decimal digits",
			sizeof(uint64_t)},
	[CONFIG_DURATION] = {"a duration", "write 250ms, 3s, 10m, 2h or 1d",
			     sizeof(uint64_t)},
	[CONFIG_SIZE] = {"a size", "write 512 KiB, 64 MiB or 16 GiB",
			 sizeof(uint64_t)},
	[CONFIG_RATE] = {"a rate", "write 25/s", sizeof(uint64_t)},
	[CONFIG_AMOUNT] = {"an amount", "write 300 wei, 5 gwei or 1.5 ether",
			   sizeof(struct u256)},
	[CONFIG_PERCENT] = {"a percentage", "write 12.5%", sizeof(uint64_t)},
	[CONFIG_ADDRESS] = {"an address",
			    "write 0x and 40 hex digits, checksum right",
			    sizeof(struct address)},
	[CONFIG_HASH] = {"a hash", "write 0x and 64 hex digits",
			 sizeof(struct hash32)},
	[CONFIG_ENUM] = {"one of the names", "write one of them", sizeof(int)},
	[CONFIG_LISTEN] = {"an address to listen on",
			   "write 127.0.0.1:8080 or [::1]:8080",
			   sizeof(struct config_listen)},
	[CONFIG_GROUP] = {"a group of fields", "write {name: value, …}", 0},
	[CONFIG_LIST] = {"a list", "write [value, …]", 0},
};

const char *config_value_noun(enum config_type type)
{
	return types[type].noun;
}

const char *config_value_advice(enum config_type type)
{
	return types[type].advice;
}

size_t config_value_size(enum config_type type)
{
	return types[type].size;
}

#define PORT_DIGITS 5
#define PORT_MAX    65535

/* After its colon, up to the end of the authority. */
static bool port_good(struct slice digits)
{
	unsigned port = 0;

	if (!digits.len || digits.len > PORT_DIGITS)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return false;
		port = port * 10 + (unsigned)(digits.p[i] - '0');
	}
	return port >= 1 && port <= PORT_MAX;
}

/* Bytes of the host that [user[:password]@]host[:port] begins with after its
 * user; an IPv6 host has brackets. 0: none, or one left open. */
static size_t host_len(const char *host, size_t len)
{
	const char *end = memchr(host, host[0] == '[' ? ']' : ':', len);

	if (host[0] != '[')
		return end ? (size_t)(end - host) : len;
	return end && end > host + 1 ? (size_t)(end - host) + 1 : 0;
}

static enum err check_authority(const char *text, size_t len,
				struct err_text *ret_what)
{
	for (size_t at = len; at-- > 0;) {
		if (text[at] != '@')
			continue;
		text += at + 1;
		len -= at + 1;
		break;
	}
	size_t host = host_len(text, len);
	if (!host)
		return ERR_INVALID;
	if (host == len ||
	    (text[host] == ':' &&
	     port_good(slice_of(text + host + 1, len - host - 1))))
		return OK;
	err_text_set(ret_what, "has a port that is not 1 … %d", PORT_MAX);
	return ERR_INVALID;
}

enum err config_value_url(const char *text, struct err_text *ret_what)
{
	size_t skip = !strncmp(text, "https://", 8)  ? 8
		      : !strncmp(text, "http://", 7) ? 7
						     : 0;

	err_text_set(ret_what, "%s", "");
	if (!skip)
		return ERR_INVALID;
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p == 0x7f || strchr("\"<>\\^`{|}", *p))
			return ERR_INVALID;
	return check_authority(text + skip, strcspn(text + skip, "/?#"),
			       ret_what);
}

bool config_value_is_url(const char *text)
{
	struct err_text what;

	return !config_value_url(text, &what);
}

/* Digits before a point, digits after it, and what follows them. */
struct quantity {
	struct slice whole, part;
	const char *unit;
};

static bool split(const char *text, struct quantity *ret)
{
	size_t n = strspn(text, "0123456789");

	if (!n || (n > 1 && text[0] == '0'))
		return false;
	ret->whole = slice_of(text, n);
	ret->part = slice_of(text, 0);
	text += n;
	if (*text == '.') {
		n = strspn(++text, "0123456789");
		if (!n)
			return false;
		ret->part = slice_of(text, n);
		text += n;
	}
	if (*text == ' ')
		text++;
	ret->unit = text;
	return true;
}

/* whole.part × factor, exactly: a fraction of the smallest unit is refused. */
static bool scale(const struct quantity *q, uint64_t factor, struct u256 *ret)
{
	struct u256 value;

	if (u256_parse(q->whole, &value) || !u256_mul64(value, factor, &value))
		return false;
	for (size_t i = 0; i < q->part.len; i++) {
		uint64_t digit = (uint64_t)(q->part.p[i] - '0');
		if (digit && factor % 10)
			return false;
		factor /= 10;
		if (!u256_add(value, u256_from(digit * factor), &value))
			return false;
	}
	*ret = value;
	return true;
}

static bool in_units(const char *text, const struct unit *units, size_t n,
		     struct u256 *ret)
{
	struct quantity q;

	if (!split(text, &q))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(q.unit, units[i].name))
			return scale(&q, units[i].factor, ret);
	return false;
}

static enum err number(const struct config_field *field, struct u256 value,
		       uint64_t *to, struct err_text *ret_what)
{
	if (!u256_fits(value, 64)) {
		err_text_set(ret_what, "is too large");
		return ERR_INVALID;
	}
	uint64_t n = u256_u64(value);
	if (n < field->min || (field->max && n > field->max)) {
		if (field->type == CONFIG_DURATION)
			err_text_set(ret_what, "is outside %llu … %llu ms",
				     (unsigned long long)field->min,
				     (unsigned long long)field->max);
		else
			err_text_set(ret_what, "is outside %llu … %llu",
				     (unsigned long long)field->min,
				     (unsigned long long)field->max);
		return ERR_INVALID;
	}
	*to = n;
	return OK;
}

static enum err parse_number(const struct config_field *field, const char *text,
			     uint64_t *to, struct err_text *ret_what)
{
	struct u256 value;
	bool good = false;

	if (field->type == CONFIG_U64)
		good = !u256_parse(slice_str(text), &value);
	else if (field->type == CONFIG_DURATION)
		good = !strpbrk(text, ". ") &&
		       in_units(text, durations, ARRAY_LEN(durations), &value);
	else if (field->type == CONFIG_SIZE)
		good = in_units(text, sizes, ARRAY_LEN(sizes), &value);
	else if (field->type == CONFIG_RATE)
		good = !strpbrk(text, ". ") &&
		       in_units(text, rates, ARRAY_LEN(rates), &value);
	else if (field->type == CONFIG_PERCENT)
		good = in_units(text, percents, ARRAY_LEN(percents), &value);
	return good ? number(field, value, to, ret_what) : ERR_INVALID;
}

static enum err parse_enum(const struct config_field *field, const char *text,
			   int *to, struct err_text *ret_what)
{
	char names[160] = "";
	size_t len = 0;

	for (int i = 0; field->names[i]; i++) {
		if (!strcmp(text, field->names[i])) {
			*to = i;
			return OK;
		}
		if (len < sizeof(names))
			len += (size_t)snprintf(names + len,
						sizeof(names) - len, "%s%s",
						i ? ", " : "", field->names[i]);
	}
	err_text_set(ret_what, "is none of %s", names);
	return ERR_INVALID;
}

static enum err parse_listen(const char *text, struct config_listen *to)
{
	struct config_listen l = {.host = ""};
	const char *colon = strrchr(text, ':');
	struct in6_addr scratch;
	struct u256 port;

	if (!colon || u256_parse(slice_str(colon + 1), &port) ||
	    !u256_fits(port, 16))
		return ERR_INVALID;
	size_t len = (size_t)(colon - text);
	bool six = len > 2 && text[0] == '[' && colon[-1] == ']';
	if (six) {
		text++;
		len -= 2;
	}
	if (len >= sizeof(l.host))
		return ERR_INVALID;
	memcpy(l.host, text, len);
	if (inet_pton(six ? AF_INET6 : AF_INET, l.host, &scratch) != 1)
		return ERR_INVALID;
	l.port = (uint16_t)u256_u64(port);
	*to = l;
	return OK;
}

enum err config_value_parse(const struct config_field *field, const char *text,
			    void *to, struct err_text *ret_what)
{
	err_text_set(ret_what, "%s", "");
	switch (field->type) {
	case CONFIG_BOOL:
		if (strcmp(text, "true") && strcmp(text, "false"))
			return ERR_INVALID;
		*(bool *)to = !strcmp(text, "true");
		return OK;
	case CONFIG_U64:
	case CONFIG_DURATION:
	case CONFIG_SIZE:
	case CONFIG_RATE:
	case CONFIG_PERCENT:
		return parse_number(field, text, to, ret_what);
	case CONFIG_AMOUNT:
		return in_units(text, amounts, ARRAY_LEN(amounts), to)
			       ? OK
			       : ERR_INVALID;
	case CONFIG_ADDRESS:
		return address_parse(slice_str(text), to);
	case CONFIG_HASH:
		return hash_parse(slice_str(text), to);
	case CONFIG_ENUM:
		return parse_enum(field, text, to, ret_what);
	case CONFIG_LISTEN:
		return parse_listen(text, to);
	case CONFIG_STRING:
	case CONFIG_PATH:
	case CONFIG_URL:
	case CONFIG_GROUP:
	case CONFIG_LIST:
		break;
	}
	assert(!"a type without memory of its own");
	return ERR_INVALID;
}

struct config_text config_value_duration(uint64_t ms)
{
	size_t i = ARRAY_LEN(durations) - 1;
	struct config_text t;

	while (i && (!ms || ms % durations[i].factor))
		i--;
	snprintf(t.s, sizeof(t.s), "%llu%s",
		 (unsigned long long)(ms / durations[i].factor),
		 durations[i].name);
	return t;
}
