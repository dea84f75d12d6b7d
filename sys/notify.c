/* sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names.  Without
 * it every call does nothing. */
#include "sys/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void send_text(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (!path || (path[0] != '/' && path[0] != '@'))
		return;
	size_t len = strlen(path);
	if (len >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = 0; /* the abstract namespace */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* Lost when systemd does not listen: there is nobody to tell. */
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL,
		     (const struct sockaddr *)&to,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

void notify_ready(void)
{
	send_text("READY=1");
}

void notify_stopping(void)
{
	send_text("STOPPING=1");
}

void notify_status(const char *text)
{
	char line[512];

	snprintf(line, sizeof(line), "STATUS=%s", text);
	for (char *p = line; *p; p++)
		if (*p == '\n')
			*p = ' '; /* a newline would start another variable */
	send_text(line);
}

void notify_watchdog(uint64_t now_mono_ms)
{
	static uint64_t last_ms;
	const char *usec = getenv("WATCHDOG_USEC");

	if (!usec)
		return;
	errno = 0;
	unsigned long long interval = strtoull(usec, NULL, 10);
	if (errno || !interval)
		return;
	if (last_ms && now_mono_ms - last_ms < interval / 2000)
		return;
	last_ms = now_mono_ms;
	send_text("WATCHDOG=1");
}
