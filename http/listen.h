/* A listening socket, and a line that says why there is none. */
#ifndef EGRESS_HTTP_LISTEN_H
#define EGRESS_HTTP_LISTEN_H

#include "http/server.h"

/* The descriptor, non-blocking, or −1. */
int http_listen(const struct http_server_config *config, uint16_t *ret_port,
		struct err_text *error);

#endif
