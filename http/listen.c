#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int http_listen(const struct http_server_config *config, uint16_t *ret_port,
		struct err_text *error)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = {0};
	socklen_t len = sizeof(at.v4);
	if (inet_pton(AF_INET, config->host, &at.v4.sin_addr) == 1) {
		at.v4.sin_family = AF_INET;
		at.v4.sin_port = htons(config->port);
	} else if (inet_pton(AF_INET6, config->host, &at.v6.sin6_addr) == 1) {
		at.v6.sin6_family = AF_INET6;
		at.v6.sin6_port = htons(config->port);
		len = sizeof(at.v6);
	} else {
		err_text_set(error,
			     "%s: not a numeric address: write "
			     "127.0.0.1:PORT",
			     config->host);
		return -1;
	}
	int fd = socket(at.any.sa_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, &at.any, len) || listen(fd, SOMAXCONN) ||
	    getsockname(fd, &at.any, &len)) {
		err_text_set(error,
			     "%s:%u: cannot listen: %s: choose another "
			     "address or stop what holds it",
			     config->host, config->port, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*ret_port = ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port
						      : at.v6.sin6_port);
	return fd;
}
