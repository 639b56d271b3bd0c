/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "op.h"
#include "privq.h"
#include "san.h"
#include "sizes.h"

#define READ_US (5 * USEC_PER_SEC)

struct reading {
	struct daemon *d;
	uint64_t wwpn; /* of the vhba */
};

static void on_read(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct reading *s = user;
	struct vm *vm = NULL;
	struct vm_vhba *v = vm_find_wwpn(&s->d->vms, s->wwpn, &vm);

	if (!v)
		return;
	v->sizes_pending = false;
	if (r->err)
		log_warning("%s: vhba %u: a capacity could not be read: %s: %s", vm->name, v->index,
			    strerror(-r->err), r->text);
	watch_refresh(s->d, v->host);
	vm_wake(s->d, vm);
}

void sizes_look(struct daemon *d, struct vm_vhba *v)
{
	struct priv_request q = {.verb = PRIV_READ_SIZES, .host = v->host};
	struct reading *s;

	if (v->sizes_pending || !san_lacks_size(d, v))
		return;
	s = calloc(1, sizeof(*s));
	if (!s)
		return;
	s->d = d;
	s->wwpn = v->wwpn;
	v->sizes_pending = true;
	privq_call(d->privq, &q, READ_US, on_read, s);
}
