/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"
#include "monotime.h"
#include "verbs.h"
#include "vport_lock.h"

bool child_changes_vport(const struct priv_request *q)
{
	static const bool changes[PRIV_VERBS_] = {
		[PRIV_VPORT_CREATE] = true,  [PRIV_VPORT_DELETE] = true, [PRIV_VPORT_DISABLE] = true,
		[PRIV_VPORT_ENABLE] = true,  [PRIV_VPORT_NAME] = true,	 [PRIV_RPORT_TIMERS] = true,
		[PRIV_RPORT_RESTORE] = true,
	};

	return q->wwpn && changes[q->verb];
}

static void execute(int lock, const struct priv_request *q, struct priv_reply *r)
{
	bool locks = child_changes_vport(q);
	verb_fn *fn = verb_find(q->verb);

	vport_lock_begin(lock, q->timeout_ms);
	r->err = fn ? 0 : -EINVAL;
	if (fn && locks)
		r->err = vport_lock(q->wwpn);
	if (r->err) {
		if (r->err == -ETIMEDOUT)
			snprintf(r->text, sizeof(r->text),
				 "a child of an earlier vhba-priv is still at work on its vport: it was not "
				 "begun");
		return;
	}
	r->err = fn(q, r);
	if (locks)
		vport_unlock(q->wwpn);
}

void child_work(int lock, int fd)
{
	struct priv_request q;

	while (recv(fd, &q, sizeof(q), 0) == sizeof(q)) {
		struct priv_reply r = {.version = PRIV_VERSION, .id = q.id, .verb = q.verb};
		struct monotime start = mono_now();

		execute(lock, &q, &r);
		r.elapsed_us = mono_since(mono_now(), start);
		if (priv_reply_send(fd, &r, MSG_NOSIGNAL) != sizeof(r))
			break;
	}
	_exit(0);
}
