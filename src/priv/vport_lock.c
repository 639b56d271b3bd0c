/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>

#include "monotime.h"
#include "vport_lock.h"

/* Byte 0 is vhba-priv's own, and no vport has so low a name as the next. */
#define RTNL_BYTE 1

static int file = -1;
static struct monotime by;

static struct flock byte_at(uint64_t at, short type)
{
	return (struct flock){
		.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)(at & INT64_MAX), .l_len = 1};
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

void vport_lock_begin(int fd, uint32_t timeout_ms)
{
	file = fd;
	by = mono_add(mono_now(), (timeout_ms - timeout_ms / 16) * USEC_PER_MSEC);
}

static int lock(uint64_t at)
{
	struct sigaction act = {.sa_handler = interrupt}; /* without SA_RESTART */
	struct flock l = byte_at(at, F_WRLCK);
	uint64_t left;
	int r;

	if (file < 0 || !fcntl(file, F_SETLK, &l))
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return -errno;
	left = mono_left(by, mono_now()) / USEC_PER_MSEC;
	sigaction(SIGALRM, &act, NULL);
	set_alarm(left ? (uint32_t)left : 1, 10);
	r = fcntl(file, F_SETLKW, &l) ? -errno : 0;
	set_alarm(0, 0);
	return r == -EINTR ? -ETIMEDOUT : r;
}

static void unlock(uint64_t at)
{
	struct flock l = byte_at(at, F_UNLCK);

	if (file >= 0)
		fcntl(file, F_SETLK, &l);
}

int vport_lock(uint64_t wwpn)
{
	return lock(wwpn);
}

void vport_unlock(uint64_t wwpn)
{
	unlock(wwpn);
}

int vport_lock_rtnl(void)
{
	return lock(RTNL_BYTE);
}

void vport_unlock_rtnl(void)
{
	unlock(RTNL_BYTE);
}
