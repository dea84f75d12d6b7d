/* Which handler a path belongs to.  Pure. */
#ifndef EGRESS_HTTP_ROUTE_H
#define EGRESS_HTTP_ROUTE_H

#include "http/server.h"

/* The pattern's {…} parts of a path, cut out in place. */
struct route_args {
	const char *args[4];
	size_t n;
	char text[HTTP_URL_MAX + 8];
};

/* The route of (method, path), HEAD counting as GET, or NULL; then
 * *ret_allow is the method some route has for this path, or NULL: no such
 * path. */
const struct http_route *route_find(const struct http_route *routes,
				    const char *method, const char *path,
				    struct route_args *ret_args,
				    const char **ret_allow);

#endif
