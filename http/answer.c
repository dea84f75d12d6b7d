/* formats.md ERROR: the one shape of every 4xx and 5xx. */
#include "http/server.h"

#define ERROR_MAX 4096

void http_error(struct http_answer *answer, unsigned status, const char *code,
		const char *field, const char *message, const char *hint)
{
	buf_done(&answer->body);
	*answer = (struct http_answer){.status = status};
	buf_init(&answer->body, ERROR_MAX);
	struct json_writer w = json_writer(&answer->body);
	json_begin(&w, NULL);
	json_begin(&w, "error");
	json_put_string(&w, "code", code);
	json_put_string(&w, "field", field);
	json_put_string(&w, "message", message);
	json_put_string(&w, "hint", hint);
	json_end(&w);
	json_end(&w);
	buf_add_byte(&answer->body, '\n');
}

void http_error_reader(struct http_answer *answer, const struct json_reader *r,
		       const char *hint)
{
	http_error(answer, 400, *r->field ? "bad_field" : "bad_json", r->field,
		   r->what, hint);
}
