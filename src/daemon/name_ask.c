/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "name_ask.h"
#include "privq.h"
#include "profile.h"

#define ASK_US (2 * USEC_PER_SEC)

struct asked {
	name_told *told;
	void *user;
};

static void on_answer(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct asked *a = user;
	char why[160] = "";

	if (r->err)
		snprintf(why, sizeof(why), "the name server could not be asked: %s", strerror(-r->err));
	else if (r->value == CT_NO_PROOF)
		snprintf(why, sizeof(why), "the name server's answer proves nothing (reason %04x)",
			 r->number);
	a->told(a->user, r->err ? CT_NO_PROOF : (enum ct_answer)r->value, r->port_id, why);
}

void name_ask(struct daemon *d, wwn_t parent, wwn_t wwpn, name_told *told, void *user)
{
	struct fc_host *host = fc_parent_find(&d->inv, parent);
	struct priv_request q = {.verb = PRIV_CT_GID_PN, .wwpn = wwpn};
	struct asked *a;
	char why[80];

	if (host)
		fc_host_refresh_state(host);
	/* In Linux 6.1 a question to a dead fabric looks answered, and can take the kernel down later. */
	if (!host || !fc_may_ask_fabric(fc_profile_find(host->driver), true, host->state)) {
		snprintf(why, sizeof(why), "the parent is %s: the name server can't be asked",
			 host ? host->state : "gone");
		told(user, CT_NO_PROOF, 0, why);
		return;
	}
	a = calloc(1, sizeof(*a));
	if (!a) {
		told(user, CT_NO_PROOF, 0, "out of memory");
		return;
	}
	*a = (struct asked){told, user};
	q.host = host->number;
	privq_call(d->privq, &q, ASK_US, on_answer, a);
}
