#include "sys/signals.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int signals_open(void)
{
	sigset_t set;
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGPIPE, &ignore, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
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
