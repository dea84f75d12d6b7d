#include "signer/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "abi/hex.h"
#include "sys/log.h"
#include "sys/notify.h"
#include "sys/signals.h"

#define ANSWER_MAX 512

struct connection {
	int fd;
	unsigned may;
};

struct server {
	struct signer *signer;
	const struct signer_config *config;
	struct connection connections[SIGNER_CONNECTIONS];
	size_t n;
	uint8_t *packet; /* ASK_MAX + 1: one more tells what is too long */
};

/* ---- listening ---------------------------------------------------------- */

static enum err failed(struct err_text *error, const char *path,
		       const char *what)
{
	err_text_set(error, "%s: %s: %s", path, what, strerror(errno));
	return ERR_IO;
}

static enum err take_lock(const char *path, int *ret, struct err_text *error)
{
	char name[PATH_MAX];

	snprintf(name, sizeof(name), "%s.lock", path);
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed(error, name, "cannot be opened");
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		err_text_set(error, "%s: another signer listens here: stop it",
			     path);
		return ERR_BUSY;
	}
	*ret = fd;
	return OK;
}

bool serve_taken(const char *path)
{
	char name[PATH_MAX];

	snprintf(name, sizeof(name), "%s.lock", path);
	int fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool taken = flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
	close(fd);
	return taken;
}

static enum err bind_socket(const char *path, int *ret, struct err_text *error)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const mode_t before = umask(0117); /* 0660 from its first moment */
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);
	enum err err = OK;

	memcpy(at.sun_path, path, strlen(path));
	if (fd < 0 || (unlink(path) && errno != ENOENT) ||
	    bind(fd, (const struct sockaddr *)&at, sizeof(at)) ||
	    listen(fd, SIGNER_CONNECTIONS))
		err = failed(error, path, "cannot listen");
	umask(before);
	if (err && fd >= 0)
		close(fd);
	if (!err)
		*ret = fd;
	return err;
}

enum err serve_listen(const char *path, int *ret_fd, int *ret_lock_fd,
		      struct err_text *error)
{
	struct stat st;
	int lock;

	if (strlen(path) > SIGNER_LISTEN_MAX) {
		err_text_set(error, "%s: too long for a socket's path", path);
		return ERR_INVALID;
	}
	if (!lstat(path, &st) && !S_ISSOCK(st.st_mode)) {
		err_text_set(error, "%s: is there and is not a socket", path);
		return ERR_INVALID;
	}
	enum err err = take_lock(path, &lock, error);
	if (err)
		return err;
	err = bind_socket(path, ret_fd, error);
	if (err) {
		close(lock);
		return err;
	}
	*ret_lock_fd = lock;
	return OK;
}

/* ---- answering ---------------------------------------------------------- */

static const char *kind_text(struct slice ask)
{
	static const char *const names[] = {"?", "ballot", "statement",
					    "transaction"};

	return ask.len > 1 && ask.p[1] < ARRAY_LEN(names) ? names[ask.p[1]]
							  : "?";
}

static void log_answer(struct slice ask, const struct ask_answer *answer)
{
	struct address key = {{0}};

	if (ask.len >= 22)
		memcpy(key.b, ask.p + 2, sizeof(key.b));
	if (answer->status == ASK_SIGNED)
		log_info("signed", "kind", kind_text(ask), "key",
			 address_text(key).s);
	else
		log_warn("refused", "kind", kind_text(ask), "key",
			 address_text(key).s, "why", answer->text);
}

/* false: hang up. */
static bool answer_one(struct signer *signer, unsigned may, int fd,
		       uint8_t *packet)
{
	struct ask_answer answer;
	struct buf bytes;
	ssize_t n = recv(fd, packet, ASK_MAX + 1, MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	struct slice ask = slice_of(packet, (size_t)n);
	if (ask.len > ASK_MAX)
		ask = slice_of(packet, 0); /* cut: an empty ask is refused */
	signer_answer(signer, may, ask, &answer);
	log_answer(ask, &answer);
	buf_init(&bytes, ANSWER_MAX);
	ask_answer_encode(&answer, &bytes);
	bool sent = !bytes.failed && send(fd, bytes.p, bytes.len,
					  MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
	buf_done(&bytes);
	return sent;
}

static unsigned may_of(const struct signer_config *c, uid_t uid)
{
	unsigned may = 0;

	for (size_t i = 0; i < c->n_clients; i++)
		if (c->clients[i].uid == uid)
			may |= c->clients[i].may;
	return may;
}

static void accept_one(struct server *s, int listen_fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) ||
	    !may_of(s->config, who.uid)) {
		log_warn("stranger turned away", "uid", log_u64(who.uid).s);
		close(fd);
		return;
	}
	if (s->n == SIGNER_CONNECTIONS) {
		log_warn("too many connections", "uid", log_u64(who.uid).s);
		close(fd);
		return;
	}
	s->connections[s->n++] =
		(struct connection){fd, may_of(s->config, who.uid)};
}

static void drop(struct server *s, size_t i)
{
	close(s->connections[i].fd);
	s->connections[i] = s->connections[--s->n];
}

static void turn(struct server *s, const struct pollfd *fds, int listen_fd)
{
	/* Backwards: a dropped one is replaced by one already served. */
	for (size_t i = s->n; i-- > 0;) {
		const struct connection *c = &s->connections[i];
		if (fds[2 + i].revents &&
		    !answer_one(s->signer, c->may, c->fd, s->packet))
			drop(s, i);
	}
	if (fds[1].revents)
		accept_one(s, listen_fd);
}

void serve_run(struct signer *signer, const struct signer_config *config,
	       int listen_fd, int signal_fd)
{
	struct server s = {.signer = signer, .config = config};
	struct pollfd fds[2 + SIGNER_CONNECTIONS];

	s.packet = malloc(ASK_MAX + 1);
	if (!s.packet)
		fatal("out of memory", "serve");
	notify_ready();
	for (;;) {
		fds[0] = (struct pollfd){signal_fd, POLLIN, 0};
		fds[1] = (struct pollfd){listen_fd, POLLIN, 0};
		for (size_t i = 0; i < s.n; i++)
			fds[2 + i] =
				(struct pollfd){s.connections[i].fd, POLLIN, 0};
		if (poll(fds, 2 + s.n, -1) < 0 && errno != EINTR)
			fatal("poll failed", "serve");
		if (signals_stop(signal_fd))
			break;
		turn(&s, fds, listen_fd);
	}
	notify_stopping();
	while (s.n)
		drop(&s, s.n - 1);
	free(s.packet);
}

void serve_one(struct signer *signer, unsigned may, int fd, int signal_fd)
{
	uint8_t *packet = malloc(ASK_MAX + 1);
	struct pollfd fds[2] = {{signal_fd, POLLIN, 0}, {fd, POLLIN, 0}};

	if (!packet)
		fatal("out of memory", "serve");
	do {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (signals_stop(signal_fd))
			break;
	} while (!fds[1].revents || answer_one(signer, may, fd, packet));
	free(packet);
}
