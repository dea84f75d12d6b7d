/* Walks the YAML document by the table of fields.  Owns the file, libyaml and
 * the memory of what was read; what a value means is config_value's. */
#include "sys/config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "sys/config_value.h"

#define CONFIG_OWNED_MAX 4096 /* strings and lists of one file */
#define CONFIG_PLACE_MAX 4096 /* fields given in one file */
#define CONFIG_NAME_MAX	 128  /* characters in a dotted path */

struct place {
	char path[CONFIG_NAME_MAX];
	size_t line, col; /* from 1 */
};

struct config {
	char *file;
	char *folder; /* absolute, for CONFIG_PATH */
	void *owned[CONFIG_OWNED_MAX];
	size_t n_owned;
	struct place *places;
	size_t n_places;
};

/* One reading: what is constant while the document is walked. */
struct walk {
	struct config *c;
	yaml_document_t *doc;
	struct err_text *error;
};

static enum err complain(const struct walk *w, const yaml_node_t *node,
			 const char *path, const char *what, const char *advice)
{
	err_text_set(w->error, "%s:%zu:%zu: %s%s%s: %s", w->c->file,
		     node->start_mark.line + 1, node->start_mark.column + 1,
		     path, *path ? ": " : "", what, advice);
	return ERR_INVALID;
}

static enum err complain_value(const struct walk *w, const yaml_node_t *node,
			       const char *path,
			       const struct config_field *field,
			       const char *text, const char *what)
{
	char line[160];

	if (*what)
		snprintf(line, sizeof(line), "\"%.60s\" %s", text, what);
	else
		snprintf(line, sizeof(line), "\"%.60s\" is not %s", text,
			 config_value_noun(field->type));
	return complain(w, node, path, line,
			field->hint ? field->hint
				    : config_value_advice(field->type));
}

static void *own(struct walk *w, void *p)
{
	if (!p || w->c->n_owned == CONFIG_OWNED_MAX) {
		free(p);
		return NULL;
	}
	return w->c->owned[w->c->n_owned++] = p;
}

static bool remember(struct config *c, const char *path,
		     const yaml_node_t *node)
{
	if (c->n_places == CONFIG_PLACE_MAX)
		return false;
	struct place *p = &c->places[c->n_places++];
	snprintf(p->path, sizeof(p->path), "%s", path);
	p->line = node->start_mark.line + 1;
	p->col = node->start_mark.column + 1;
	return true;
}

static enum err read_text(struct walk *w, const yaml_node_t *node,
			  const char *path, const struct config_field *field,
			  char **to)
{
	const char *text = (const char *)node->data.scalar.value;
	char *copy = NULL;
	struct err_text what;

	if (field->type == CONFIG_URL && config_value_url(text, &what)) {
		const char *at = strrchr(text, '@'); /* no password is shown */
		return complain_value(w, node, path, field, at ? at : text,
				      what.text);
	}
	if (field->type == CONFIG_PATH && text[0] != '/') {
		if (asprintf(&copy, "%s/%s", w->c->folder, text) < 0)
			copy = NULL;
	} else {
		copy = strdup(text);
	}
	*to = own(w, copy);
	if (!*to)
		return complain(w, node, path, "too many values",
				"shorten the file");
	return OK;
}

static enum err read_scalar(struct walk *w, const yaml_node_t *node,
			    const char *path, const struct config_field *field,
			    void *to)
{
	struct err_text what;

	if (node->type != YAML_SCALAR_NODE)
		return complain_value(
			w, node, path, field,
			node->type == YAML_MAPPING_NODE ? "{…}" : "[…]", "");
	const char *text = (const char *)node->data.scalar.value;
	if (!node->data.scalar.length)
		return complain(w, node, path, "empty",
				field->hint ? field->hint
					    : config_value_advice(field->type));
	if (node->data.scalar.length > CONFIG_TEXT_MAX)
		return complain(w, node, path, "longer than 512 characters",
				"shorten it");
	for (size_t i = 0; i < node->data.scalar.length; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return complain(w, node, path,
					"holds a control character",
					"remove it");
	if (field->type == CONFIG_STRING || field->type == CONFIG_PATH ||
	    field->type == CONFIG_URL)
		return read_text(w, node, path, field, to);
	enum err err = config_value_parse(field, text, to, &what);
	return err ? complain_value(w, node, path, field, text, what.text) : OK;
}

static enum err read_group(struct walk *w, const yaml_node_t *node,
			   const char *path, const struct config_field *fields,
			   void *base);

static enum err read_list(struct walk *w, const yaml_node_t *node,
			  const char *path, const struct config_field *field,
			  struct config_list *to)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return complain(w, node, path, "not a list",
				field->hint ? field->hint
					    : config_value_advice(CONFIG_LIST));
	const yaml_node_item_t *item = node->data.sequence.items.start;
	size_t n = (size_t)(node->data.sequence.items.top - item);
	char what[64];
	if (field->max_items && n > field->max_items) {
		snprintf(what, sizeof(what), "%zu items", n);
		char advice[64];
		snprintf(advice, sizeof(advice), "at most %zu are taken",
			 field->max_items);
		return complain(w, node, path, what, advice);
	}
	/* A list of scalars may leave its size to the type. */
	size_t size = field->element_size
			      ? field->element_size
			      : config_value_size(field->element_type);
	char *items = own(w, calloc(n ? n : 1, size));
	if (!items)
		return complain(w, node, path, "too many values",
				"shorten the file");
	struct config_field element = {.type = field->element_type,
				       .hint = field->hint,
				       .names = field->names,
				       .min = field->min,
				       .max = field->max};
	for (size_t i = 0; i < n; i++) {
		char name[CONFIG_NAME_MAX];
		snprintf(name, sizeof(name), "%.100s[%zu]", path, i);
		const yaml_node_t *child =
			yaml_document_get_node(w->doc, item[i]);
		if (!remember(w->c, name, child))
			return complain(w, child, name, "too many fields",
					"shorten the file");
		enum err err =
			field->fields
				? read_group(w, child, name, field->fields,
					     items + i * size)
				: read_scalar(w, child, name, &element,
					      items + i * size);
		if (err)
			return err;
	}
	to->items = items;
	to->n = n;
	return OK;
}

static enum err read_field(struct walk *w, const yaml_node_t *node,
			   const char *path, const struct config_field *field,
			   char *base)
{
	enum err err;

	if (!remember(w->c, path, node))
		return complain(w, node, path, "too many fields",
				"shorten the file");
	if (field->type == CONFIG_GROUP)
		err = read_group(w, node, path, field->fields,
				 base + field->offset);
	else if (field->type == CONFIG_LIST)
		err = read_list(w, node, path, field,
				(struct config_list *)(base + field->offset));
	else
		err = read_scalar(w, node, path, field, base + field->offset);
	if (!err && field->set_offset)
		*(bool *)(base + field->set_offset) = true;
	return err;
}

static const struct config_field *find_field(const struct config_field *fields,
					     const char *name)
{
	for (; fields->name; fields++)
		if (!strcmp(fields->name, name))
			return fields;
	return NULL;
}

static void join(char *ret, size_t size, const char *path, const char *name)
{
	snprintf(ret, size, "%.80s%s%.40s", path, *path ? "." : "", name);
}

static enum err check_missing(struct walk *w, const yaml_node_t *node,
			      const char *path,
			      const struct config_field *fields, uint64_t seen)
{
	char name[CONFIG_NAME_MAX];

	for (size_t i = 0; fields[i].name; i++) {
		if (!fields[i].required || (seen & 1ULL << i))
			continue;
		join(name, sizeof(name), path, fields[i].name);
		return complain(w, node, name, "missing",
				fields[i].hint
					? fields[i].hint
					: config_value_advice(fields[i].type));
	}
	return OK;
}

static enum err read_group(struct walk *w, const yaml_node_t *node,
			   const char *path, const struct config_field *fields,
			   void *base)
{
	char name[CONFIG_NAME_MAX];
	uint64_t seen = 0; /* by position; a table has at most 64 fields */

	if (node->type != YAML_MAPPING_NODE)
		return complain(w, node, path, "not a group of fields",
				config_value_advice(CONFIG_GROUP));
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	for (; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key =
			yaml_document_get_node(w->doc, pair->key);
		const yaml_node_t *value =
			yaml_document_get_node(w->doc, pair->value);
		if (key->type != YAML_SCALAR_NODE)
			return complain(w, key, path, "a name was expected",
					config_value_advice(CONFIG_GROUP));
		const char *text = (const char *)key->data.scalar.value;
		join(name, sizeof(name), path, text);
		const struct config_field *field = find_field(fields, text);
		if (!field)
			return complain(w, key, name, "unknown field",
					"remove it or correct its name");
		size_t at = (size_t)(field - fields);
		assert(at < 64);
		if (seen & 1ULL << at)
			return complain(w, key, name, "given twice",
					"keep one of them");
		seen |= 1ULL << at;
		enum err err = read_field(w, value, name, field, base);
		if (err)
			return err;
	}
	return check_missing(w, node, path, fields, seen);
}

/* The whole file; one byte more than allowed tells that it is too large. */
static enum err slurp(const char *path, unsigned char *to, size_t *ret_len,
		      struct err_text *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 0;

	if (fd >= 0) {
		while (len <= CONFIG_BYTES_MAX &&
		       (n = read(fd, to + len, CONFIG_BYTES_MAX + 1 - len)) > 0)
			len += (size_t)n;
	}
	int saved = errno;
	if (fd >= 0)
		close(fd);
	if (fd < 0 || n < 0) {
		err_text_set(error, "%s: cannot be read: %s", path,
			     strerror(saved));
		return ERR_IO;
	}
	if (len > CONFIG_BYTES_MAX) {
		err_text_set(error, "%s: larger than 256 KiB: shorten it",
			     path);
		return ERR_INVALID;
	}
	*ret_len = len;
	return OK;
}

static enum err parse_failed(const struct config *c, const yaml_parser_t *p,
			     struct err_text *error)
{
	err_text_set(error, "%s:%zu:%zu: not YAML: %s: correct it here",
		     c->file, p->problem_mark.line + 1,
		     p->problem_mark.column + 1,
		     p->problem ? p->problem : "unreadable");
	return ERR_INVALID;
}

static enum err walk_document(struct config *c, yaml_document_t *doc,
			      const struct config_field *fields, void *base,
			      struct err_text *error)
{
	struct walk w = {c, doc, error};
	const yaml_node_t *top = yaml_document_get_root_node(doc);

	if (!top) {
		err_text_set(error, "%s:1:1: empty: write the configuration",
			     c->file);
		return ERR_INVALID;
	}
	return read_group(&w, top, "", fields, base);
}

static enum err parse(struct config *c, const unsigned char *text, size_t len,
		      const struct config_field *fields, void *base,
		      struct err_text *error)
{
	yaml_parser_t parser;
	yaml_document_t doc, next;
	enum err err;

	if (!yaml_parser_initialize(&parser))
		return ERR_IO;
	yaml_parser_set_input_string(&parser, text, len);
	if (!yaml_parser_load(&parser, &doc)) {
		err = parse_failed(c, &parser, error);
		yaml_parser_delete(&parser);
		return err;
	}
	err = walk_document(c, &doc, fields, base, error);
	if (!err && !yaml_parser_load(&parser, &next)) {
		err = parse_failed(c, &parser, error);
	} else if (!err) {
		if (yaml_document_get_root_node(&next)) {
			err_text_set(error,
				     "%s:%zu:1: a second document: keep one",
				     c->file, next.start_mark.line + 1);
			err = ERR_INVALID;
		}
		yaml_document_delete(&next);
	}
	yaml_document_delete(&doc);
	yaml_parser_delete(&parser);
	return err;
}

static struct config *config_new(const char *path)
{
	struct config *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->file = strdup(path);
	c->places = calloc(CONFIG_PLACE_MAX, sizeof(*c->places));
	char *real = realpath(path, NULL);
	char *slash = real ? strrchr(real, '/') : NULL;
	if (slash)
		*(slash == real ? slash + 1 : slash) = 0;
	c->folder = real;
	if (c->file && c->places && c->folder)
		return c;
	config_free(c);
	return NULL;
}

enum err config_read(const char *path, const struct config_field *fields,
		     void *base, struct config **ret, struct err_text *error)
{
	unsigned char *text = malloc(CONFIG_BYTES_MAX + 1);
	struct config *c = NULL;
	size_t len = 0;
	enum err err = ERR_IO;

	if (text)
		err = slurp(path, text, &len, error);
	if (!err) {
		c = config_new(path);
		if (!c) {
			err_text_set(error, "%s: cannot be read: %s", path,
				     strerror(errno));
			err = ERR_IO;
		}
	}
	if (!err)
		err = parse(c, text, len, fields, base, error);
	free(text);
	if (err) {
		config_free(c);
		return err;
	}
	*ret = c;
	return OK;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_owned; i++)
		free(c->owned[i]);
	free(c->places);
	free(c->folder);
	free(c->file);
	free(c);
}

void config_complain(const struct config *c, const char *path,
		     struct err_text *error, const char *format, ...)
{
	char what[sizeof(error->text)];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	for (size_t i = 0; i < c->n_places; i++) {
		const struct place *p = &c->places[i];
		if (strcmp(p->path, path) != 0)
			continue;
		err_text_set(error, "%s:%zu:%zu: %s: %s", c->file, p->line,
			     p->col, path, what);
		return;
	}
	err_text_set(error, "%s: %s: %s", c->file, path, what);
}
