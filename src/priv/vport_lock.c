/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>

#include "vport_lock.h"

static struct flock byte_of(uint64_t wwpn, short type)
{
	return (struct flock){
		.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)(wwpn & INT64_MAX), .l_len = 1};
}

static void interrupt(int sig)
{
	(void)sig;
}

/* Again and again: a signal that comes before fcntl sleeps would be lost. */
static void set_alarm(uint32_t first_ms, uint32_t again_ms)
{
	struct itimerval t = {
		.it_value = {.tv_sec = first_ms / 1000, .tv_usec = first_ms % 1000 * 1000},
		.it_interval = {.tv_usec = again_ms * 1000},
	};

	setitimer(ITIMER_REAL, &t, NULL);
}

int vport_lock(int fd, uint64_t wwpn, uint32_t timeout_ms)
{
	struct sigaction act = {.sa_handler = interrupt}; /* without SA_RESTART */
	struct flock l = byte_of(wwpn, F_WRLCK);
	int r;

	if (!fcntl(fd, F_SETLK, &l))
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return -errno;
	sigaction(SIGALRM, &act, NULL);
	set_alarm(timeout_ms ? timeout_ms : 1, 10);
	r = fcntl(fd, F_SETLKW, &l) ? -errno : 0;
	set_alarm(0, 0);
	return r == -EINTR ? -ETIMEDOUT : r;
}

void vport_unlock(int fd, uint64_t wwpn)
{
	struct flock l = byte_of(wwpn, F_UNLCK);

	fcntl(fd, F_SETLK, &l);
}
