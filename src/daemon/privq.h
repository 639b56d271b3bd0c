/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests to vhba-priv under way.  Every request is answered exactly once through its callback, at its
 * timeout at the latest: by the helper, or by this end when the helper keeps silent or is gone.  A late end
 * of an abandoned verb (PRIV_LATE) goes to the handler for late ones.  Loop thread only.
 */
#ifndef VHBA_PRIVQ_H
#define VHBA_PRIVQ_H

#include <systemd/sd-event.h>

#include "monotime.h"
#include "priv.h"
#include "verror.h"

struct privq;

/* What came along with the reply is closed after the call: whoever needs it has a dup. */
typedef void privq_done(void *user, const struct priv_reply *reply);

/* fd is taken over.  gone is called once when the helper has ended. */
struct privq *privq_new(sd_event *loop, int fd, privq_done *late, void (*gone)(void *user), void *user,
			struct verror *e);

/* Pending requests are answered with -EPIPE. */
void privq_free(struct privq *q);

/* Send it; timeout_us is rounded up to milliseconds, 1 s at most 24 h. done is never called from within. */
void privq_call(struct privq *q, struct priv_request *req, uint64_t timeout_us, privq_done *done, void *user);

#endif
