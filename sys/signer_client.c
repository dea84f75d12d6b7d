/* One ask in flight, the rest in line.  A late answer can never be taken for
 * another ask's: after a timeout the connection is closed, not reused. */
#include "sys/signer_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 5000
#define GIVE_UP_MS     (3 * SIGNER_TIMEOUT_MS)
#define ANSWER_MAX     512 /* bytes: status, signature or ≤ 200 of text */

struct waiting {
	struct waiting *next;
	struct buf bytes; /* the encoded ask */
	signer_done *done;
	void *ctx;
	uint64_t since_ms; /* the first turn that saw it; 0: none yet */
};

struct signer_client {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int fd;
	bool lent; /* a descriptor given: it cannot be opened again */
	bool sent; /* the first in line is in flight */
	uint64_t sent_ms, retry_ms, backoff_ms;
	struct waiting *first, **last;
	size_t n;
	char trouble[128];
};

static struct signer_client *client_new(int fd)
{
	struct signer_client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->fd = fd;
	c->last = &c->first;
	c->backoff_ms = BACKOFF_MIN_MS;
	return c;
}

struct signer_client *signer_client_new(const char *path)
{
	struct signer_client *c;

	if (strlen(path) >= sizeof(c->path))
		return NULL;
	c = client_new(-1);
	if (c)
		snprintf(c->path, sizeof(c->path), "%s", path);
	return c;
}

struct signer_client *signer_client_new_fd(int fd)
{
	struct signer_client *c = client_new(fd);

	if (!c)
		return NULL;
	c->lent = true;
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return c;
}

static void waiting_free(struct waiting *w)
{
	buf_done(&w->bytes);
	free(w);
}

static struct waiting *take_first(struct signer_client *c)
{
	struct waiting *w = c->first;

	c->first = w->next;
	if (!c->first)
		c->last = &c->first;
	c->n--;
	c->sent = false;
	return w;
}

void signer_client_free(struct signer_client *c)
{
	if (!c)
		return;
	while (c->first)
		waiting_free(take_first(c));
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

enum err signer_client_ask(struct signer_client *c, const struct ask *ask,
			   signer_done *done, void *ctx)
{
	if (c->n == SIGNER_QUEUE_MAX)
		return ERR_BUSY;
	struct waiting *w = calloc(1, sizeof(*w));
	if (!w)
		return ERR_BUSY;
	buf_init(&w->bytes, ASK_MAX);
	ask_encode(ask, &w->bytes);
	if (w->bytes.failed) {
		waiting_free(w);
		return ERR_TOO_LARGE;
	}
	w->done = done;
	w->ctx = ctx;
	*c->last = w;
	c->last = &w->next;
	c->n++;
	return OK;
}

static void hang_up(struct signer_client *c, const char *why, uint64_t now)
{
	snprintf(c->trouble, sizeof(c->trouble), "%s", why);
	close(c->fd);
	c->fd = -1;
	c->sent = false;
	c->retry_ms = now + c->backoff_ms;
	c->backoff_ms *= 2;
	if (c->backoff_ms > BACKOFF_MAX_MS)
		c->backoff_ms = BACKOFF_MAX_MS;
}

static void connect_now(struct signer_client *c, uint64_t now)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const int room = 2 * ASK_MAX;

	if (c->lent || now < c->retry_ms)
		return;
	c->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0);
	if (c->fd < 0) {
		c->retry_ms = now + c->backoff_ms;
		return;
	}
	/* The largest ask must fit one packet. */
	(void)setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	memcpy(to.sun_path, c->path, sizeof(to.sun_path));
	if (connect(c->fd, (const struct sockaddr *)&to, sizeof(to))) {
		char why[128];
		snprintf(why, sizeof(why), "%.80s: %.40s", c->path,
			 strerror(errno));
		hang_up(c, why, now);
	}
}

static void finish_first(struct signer_client *c, enum err err,
			 const struct ask_answer *answer)
{
	/* Out of the line before it is told: done may ask again. */
	struct waiting *w = take_first(c);

	w->done(w->ctx, err, answer);
	waiting_free(w);
}

static void send_first(struct signer_client *c, uint64_t now)
{
	const struct slice bytes = buf_slice(&c->first->bytes);

	if (send(c->fd, bytes.p, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
		c->sent = true;
		c->sent_ms = now;
	} else if (errno != EAGAIN && errno != EINTR) {
		hang_up(c, strerror(errno), now);
	}
}

/* true: an answer was taken, look again. */
static bool receive(struct signer_client *c, uint64_t now)
{
	uint8_t bytes[ANSWER_MAX];
	struct ask_answer answer;
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		hang_up(c, n ? strerror(errno) : "the signer hung up", now);
		return false;
	}
	if (!c->sent || n > ANSWER_MAX ||
	    ask_answer_decode(slice_of(bytes, (size_t)n), &answer)) {
		hang_up(c, "the signer answered nonsense", now);
		return false;
	}
	c->backoff_ms = BACKOFF_MIN_MS;
	c->trouble[0] = 0;
	finish_first(c, OK, &answer);
	return true;
}

static void expire(struct signer_client *c, uint64_t now)
{
	static const struct ask_answer none;

	if (c->sent && now - c->sent_ms >= SIGNER_TIMEOUT_MS)
		hang_up(c, "no answer in time", now);
	/* A closed descriptor that was given can never answer. */
	while (c->first && ((c->lent && c->fd < 0) ||
			    (!c->sent && c->first->since_ms &&
			     now - c->first->since_ms >= GIVE_UP_MS)))
		finish_first(c, ERR_IO, &none);
}

static bool say_slow(struct signer_client *c, uint64_t now)
{
	if (now - c->sent_ms < SIGNER_SLOW_MS)
		return false;
	snprintf(c->trouble, sizeof(c->trouble), "no answer for %u s",
		 SIGNER_SLOW_MS / 1000);
	return true;
}

uint64_t signer_client_turn(struct signer_client *c, uint64_t now_mono_ms)
{
	for (struct waiting *w = c->first; w; w = w->next)
		if (!w->since_ms)
			w->since_ms = now_mono_ms;
	/* Bounded: what a done callback asks for waits for the next turn. */
	for (size_t turns = c->n + 1; turns > 0; turns--) {
		if (c->fd < 0 && c->first)
			connect_now(c, now_mono_ms);
		if (c->fd >= 0 && c->first && !c->sent)
			send_first(c, now_mono_ms);
		if (c->fd < 0 || !receive(c, now_mono_ms))
			break;
	}
	expire(c, now_mono_ms);
	if (!c->first)
		return UINT64_MAX;
	if (c->sent)
		return say_slow(c, now_mono_ms) ? c->sent_ms + SIGNER_TIMEOUT_MS
						: c->sent_ms + SIGNER_SLOW_MS;
	if (c->fd >= 0)
		return now_mono_ms + 1000;   /* POLLOUT tells sooner */
	uint64_t since = c->first->since_ms; /* 0: asked in this very turn */
	uint64_t give_up = (since ? since : now_mono_ms) + GIVE_UP_MS;
	return c->retry_ms < give_up ? c->retry_ms : give_up;
}

struct pollfd signer_client_pollfd(const struct signer_client *c)
{
	short events = POLLIN;

	if (c->first && !c->sent)
		events |= POLLOUT;
	return (struct pollfd){.fd = c->fd, .events = events};
}

const char *signer_client_trouble(const struct signer_client *c)
{
	return c->trouble;
}
