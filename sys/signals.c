#include "sys/signals.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* As nohup leaves it; a blocked signal would reach a signalfd all the same. */
static bool is_ignored(int signal)
{
	struct sigaction now;

	return !sigaction(signal, NULL, &now) && now.sa_handler == SIG_IGN;
}

int signals_open(void)
{
	sigset_t set;
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGPIPE, &ignore, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (!is_ignored(SIGHUP))
		sigaddset(&set, SIGHUP);
	int failed = pthread_sigmask(SIG_BLOCK, &set, NULL);
	assert(!failed);
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	assert(fd >= 0);
	return fd;
}

bool signals_stop(int signalfd)
{
	struct signalfd_siginfo info;
	bool stop = false;

	while (read(signalfd, &info, sizeof(info)) == sizeof(info))
		stop = true;
	return stop;
}
