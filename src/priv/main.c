/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vhba-priv: started by vhbad, with its socket and its lock as file descriptors 3 and 4; ends when the first
 * closes. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "pool.h"
#include "priv.h"
#include "sysroot.h"
#include "verbs.h"

#define FDS_MAX (1 + POOL_FDS)

static void answer(struct priv_reply *r)
{
	/* vhbad reads always; if its buffer is full for so long, it is gone or will be. */
	if (priv_reply_send(PRIV_FD, r, MSG_NOSIGNAL) != sizeof(*r))
		log_err("the answer to request %u could not be sent: %s", r->id, strerror(errno));
}

/* False at the end of the socket. */
static bool take_requests(struct pool *p)
{
	struct priv_request q;
	ssize_t n;

	/* MSG_TRUNC: the whole length of what was sent, also when it is more than there is room for */
	while ((n = recv(PRIV_FD, &q, sizeof(q), MSG_DONTWAIT | MSG_TRUNC)) != 0) {
		struct priv_reply r = {.version = PRIV_VERSION, .verb = PRIV_PING};

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (!verb_check_request(&q, (size_t)n)) {
			log_err("a malformed request of %zd bytes is refused", n);
			r.id = n >= (ssize_t)offsetof(struct priv_request, verb) ? q.id : 0;
			r.err = -EPROTO;
			answer(&r);
			continue;
		}
		r.id = q.id;
		r.verb = q.verb;
		r.err = pool_submit(p, &q);
		if (r.err) {
			snprintf(r.text, sizeof(r.text), "%s",
				 r.err == -EAGAIN ? "too many verbs are stuck in the kernel"
						  : "too many requests are waiting");
			answer(&r);
		}
	}
	return false;
}

static int wait_ms(const struct pool *p)
{
	struct monotime due = pool_due(p);
	uint64_t left;

	if (due.us == MONOTIME_NEVER.us)
		return -1;
	left = mono_left(due, mono_now());
	left = (left + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
	return left < INT_MAX ? (int)left : INT_MAX;
}

/* There is one helper at a time: the last one has a request in hand, perhaps, until it sees that nobody
 * waits. */
static bool wait_for_predecessor(void)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

	if (!fcntl(PRIV_LOCK_FD, F_SETLK, &l))
		return true;
	log_notice("another vhba-priv has not ended yet: waiting for it");
	while (fcntl(PRIV_LOCK_FD, F_SETLKW, &l)) {
		if (errno == EINTR)
			continue;
		log_err("its end can't be waited for: %s", strerror(errno));
		return false;
	}
	return true;
}

static int serve(void)
{
	struct pool *p = wait_for_predecessor() ? pool_new(PRIV_LOCK_FD) : NULL;
	struct pollfd fds[FDS_MAX];
	struct priv_reply r;

	if (!p)
		return 1;
	for (;;) {
		size_t n = 1 + pool_fds(p, fds + 1, FDS_MAX - 1);

		fds[0] = (struct pollfd){PRIV_FD, POLLIN, 0};
		if (poll(fds, n, wait_ms(p)) < 0 && errno != EINTR)
			break;
		/* What a vhbad that is gone has asked for is not begun. */
		if (fds[0].revents & (POLLHUP | POLLERR) || (fds[0].revents && !take_requests(p)))
			break;
		pool_run(p, mono_now());
		while (pool_next_reply(p, &r))
			answer(&r);
	}
	pool_free(p);
	return 0;
}

int main(int argc, char **argv)
{
	struct stat st;

	(void)argv;
	log_open("vhba-priv", LOG_LEVEL_INFO);
	if (argc != 1 || fstat(PRIV_FD, &st) || !S_ISSOCK(st.st_mode) || fstat(PRIV_LOCK_FD, &st) ||
	    !S_ISREG(st.st_mode)) {
		fprintf(stderr, "vhba-priv is vhbad's root helper: vhbad starts it, nobody else does\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* children leave no zombie, even if no request comes any more */
	umask(077);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	fcntl(PRIV_FD, F_SETFD, FD_CLOEXEC);
	fcntl(PRIV_LOCK_FD, F_SETFD, FD_CLOEXEC);
	sysroot_set(NULL);
	return serve();
}
