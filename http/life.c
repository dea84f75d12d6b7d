#include "http/life.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "sys/clock.h"

#define REAP_EACH_MS 250
#define STOP_WAIT_MS 500 /* for the last answers to leave */
/* Two clocks, and the kernel counts in ticks: what came so soon after the last
 * request's end may be its own. */
#define SLACK_MS 20

struct http_deferred {
	pthread_mutex_t lock;
	unsigned refs; /* the request's, the worker's, the connection's */
	bool answered;
	void *handle; /* NULL: not suspended */
	void (*resume)(void *handle);
	struct http_answer answer;
};

/* ---- suspended calls ---------------------------------------------------- */

void deferred_unref(struct http_deferred *d)
{
	pthread_mutex_lock(&d->lock);
	bool last = !--d->refs;
	pthread_mutex_unlock(&d->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&d->lock);
	buf_done(&d->answer.body);
	free(d);
}

/* The first answer counts.  Resumed under the lock, so that whoever comes
 * second knows that libmicrohttpd has it back. */
static void deferred_answer(struct http_deferred *d, struct http_answer *answer)
{
	pthread_mutex_lock(&d->lock);
	if (!d->answered) {
		d->answered = true;
		d->answer = *answer;
		*answer = (struct http_answer){0};
		if (d->handle)
			d->resume(d->handle);
	}
	pthread_mutex_unlock(&d->lock);
	buf_done(&answer->body);
}

static void deferred_refuse(struct http_deferred *d)
{
	struct http_answer answer = {0};
	http_error(&answer, 503, "busy", "", "no answer in time",
		   "send it again: what was accepted is not done twice");
	deferred_answer(d, &answer);
}

bool deferred_is_suspended(const struct http_deferred *d)
{
	return d->handle;
}

void http_resume(struct http_deferred *d, struct http_answer *answer)
{
	deferred_answer(d, answer);
	deferred_unref(d);
}

struct http_deferred *life_defer(struct life *l, struct connection *c,
				 void *handle)
{
	struct http_deferred *d = calloc(1, sizeof(*d));
	if (!d)
		abort();
	pthread_mutex_init(&d->lock, NULL);
	d->refs = 2;
	d->resume = l->resume;
	pthread_mutex_lock(&l->lock);
	bool stopping = l->stopping;
	if (!stopping) {
		d->handle = handle;
		d->refs++;
		c->deferred = d;
		l->suspended++;
		l->suspend(handle);
	}
	pthread_mutex_unlock(&l->lock);
	if (stopping)
		deferred_refuse(d);
	return d;
}

bool life_take(struct life *l, struct connection *c, struct http_deferred *d,
	       struct http_answer *ret)
{
	pthread_mutex_lock(&d->lock);
	bool answered = d->answered, suspended = d->handle;
	struct http_answer answer = d->answer;
	if (answered)
		d->answer = (struct http_answer){0};
	pthread_mutex_unlock(&d->lock);
	if (!answered)
		return false;
	pthread_mutex_lock(&l->lock);
	struct http_deferred *held = c->deferred;
	c->deferred = NULL;
	l->suspended -= suspended;
	pthread_mutex_unlock(&l->lock);
	if (held)
		deferred_unref(held);
	*ret = answer;
	return true;
}

/* ---- connections and their deadlines ------------------------------------- */

struct connection *life_add(struct life *l, int fd)
{
	struct connection *c = calloc(1, sizeof(*c));
	if (!c)
		abort();
	c->fd = fd;
	c->idle_ms = clock_mono_ms();
	c->until_ms = c->idle_ms + l->deadline_ms;
	pthread_mutex_lock(&l->lock);
	pthread_cond_signal(
		&l->wake); /* the reaper sleeps while there is none */
	c->next = l->connections.next;
	c->prev = &l->connections;
	c->next->prev = c->prev->next = c;
	pthread_mutex_unlock(&l->lock);
	return c;
}

void life_remove(struct life *l, struct connection *c)
{
	pthread_mutex_lock(&l->lock);
	c->next->prev = c->prev;
	c->prev->next = c->next;
	pthread_mutex_unlock(&l->lock);
	if (c->deferred)
		deferred_unref(c->deferred);
	free(c);
}

static void begin(struct life *l, struct connection *c)
{
	if (c->begun)
		return;
	c->begun = true;
	c->until_ms = clock_mono_ms() + l->deadline_ms;
}

void life_begin(struct life *l, struct connection *c)
{
	pthread_mutex_lock(&l->lock);
	begin(l, c);
	pthread_mutex_unlock(&l->lock);
}

void life_end(struct life *l, struct connection *c)
{
	pthread_mutex_lock(&l->lock);
	c->begun = false;
	c->idle_ms = clock_mono_ms();
	c->until_ms = c->idle_ms + l->deadline_ms;
	pthread_mutex_unlock(&l->lock);
}

/* libmicrohttpd tells of a request only when its first line is whole: the
 * kernel knows when the last byte came. */
static bool has_bytes(const struct connection *c, uint64_t now)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &size) ||
	    size < offsetof(struct tcp_info, tcpi_last_data_recv) +
			    sizeof(info.tcpi_last_data_recv))
		return false;
	return info.tcpi_last_data_recv + SLACK_MS < now - c->idle_ms;
}

/* One that is due and suspended, referenced; the others are shut down. */
static struct http_deferred *reap_one(struct life *l, bool all)
{
	uint64_t now = clock_mono_ms();
	struct connection *end = &l->connections;
	struct connection *c;
	struct http_deferred *d = NULL;
	pthread_mutex_lock(&l->lock);
	for (c = end->next; c != end && !d; c = c->next) {
		if (!c->begun && has_bytes(c, now))
			begin(l, c);
		if (!all && now < c->until_ms)
			continue;
		if (c->deferred) {
			d = c->deferred; /* with the connection's reference */
			c->deferred = NULL;
			c->until_ms = now + l->deadline_ms;
		} else if (!all) {
			shutdown(c->fd, SHUT_RDWR);
		}
	}
	pthread_mutex_unlock(&l->lock);
	return d;
}

static void reap(struct life *l, bool all)
{
	struct http_deferred *d;
	while ((d = reap_one(l, all))) {
		deferred_refuse(d);
		deferred_unref(d);
	}
}

static bool has_none(const struct life *l)
{
	return l->connections.next == &l->connections;
}

static void *reaper(void *arg)
{
	struct life *l = arg;
	pthread_mutex_lock(&l->lock);
	while (!l->stopping) {
		if (has_none(l)) {
			pthread_cond_wait(&l->wake, &l->lock);
			continue;
		}
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += REAP_EACH_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		pthread_cond_timedwait(&l->wake, &l->lock, &until);
		pthread_mutex_unlock(&l->lock);
		reap(l, false);
		pthread_mutex_lock(&l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

void life_init(struct life *l, uint64_t deadline_ms,
	       void (*suspend)(void *handle), void (*resume)(void *handle))
{
	*l = (struct life){.deadline_ms = deadline_ms,
			   .suspend = suspend,
			   .resume = resume};
	l->connections.next = l->connections.prev = &l->connections;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->wake, NULL);
}

void life_done(struct life *l)
{
	pthread_cond_destroy(&l->wake);
	pthread_mutex_destroy(&l->lock);
}

void life_start(struct life *l)
{
	if (pthread_create(&l->reaper, NULL, reaper, l))
		abort();
}

void life_stop(struct life *l)
{
	pthread_mutex_lock(&l->lock);
	l->stopping = true;
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->reaper, NULL);
	uint64_t until = clock_mono_ms() + STOP_WAIT_MS;
	size_t left;
	do {
		reap(l, true);
		pthread_mutex_lock(&l->lock);
		left = l->suspended;
		pthread_mutex_unlock(&l->lock);
		if (left)
			nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	} while (left && clock_mono_ms() < until);
}
