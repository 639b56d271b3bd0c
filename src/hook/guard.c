/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <vhba/vhba.h>

#include "guard.h"
#include "monotime.h"

#define TRIES_US (120 * USEC_PER_SEC)
#define PAUSE_US                                                                                             \
	(200 *                                                                                               \
	 USEC_PER_MSEC) /* vhbad has no event for the end of an operation that one caller is refused for */

/* True: there is nothing more to be done. */
static bool detached(const char *socket, const char *vm)
{
	struct vhba_result result = {0};
	struct vhba_error e = {0};
	struct vhba_conn *conn;
	int r = vhba_connect(socket, &conn, &e);

	if (!r)
		r = vhba_detach(conn, vm, VHBA_DEFAULT_US, &result, &e);
	vhba_close(conn);
	vhba_result_clear(&result);
	return !r || (e.kind != VHBA_E_BUSY && e.kind != VHBA_E_IO);
}

/* libvirt waits until nobody has the hook's standard error open any more. */
static void let_go(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	setsid();
	signal(SIGTERM, SIG_IGN);
	prctl(PR_SET_NAME, "vhba-guard");
}

static void guard(int fd, const char *socket, const char *vm)
{
	struct monotime until;
	char byte;
	ssize_t n;

	let_go();
	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	until = mono_add(mono_now(), TRIES_US);
	while (n != 1 && !mono_reached(until, mono_now()) && !detached(socket, vm))
		usleep(PAUSE_US);
	_exit(0);
}

int guard_begin(const char *socket, const char *vm)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		close(fds[1]);
		guard(fds[0], socket, vm);
	}
	close(fds[0]);
	if (pid > 0)
		return fds[1];
	close(fds[1]);
	return -1;
}

void guard_end(int fd, bool good)
{
	ssize_t n = fd >= 0 && good ? write(fd, "", 1) : 0;

	(void)n; /* a guard that has gone does nothing either */
	if (fd >= 0)
		close(fd);
}
