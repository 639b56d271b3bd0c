/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Multipath maps on a vhba's disks: told to fail what has no path, and told that there are paths again. */
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "quiesce_verb.h"

/* Nobody waits for it: multipathd may be busy with the very paths. */
#define MAPS_US (10 * USEC_PER_SEC)

static void on_maps(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct verb_call *vc = user;
	struct vm *vm = vm_find(&vc->d->vms, vc->uuid);
	struct driver *dr = verb_driver(vc);
	bool fail = r->verb == PRIV_MAPS_FAIL;
	const char *does = fail ? "fail what has no path" : "are as configured again";

	if (!vm || (!r->err && !r->count && !r->value))
		return;
	if (r->err || r->value)
		log_warning("%s: multipath maps do not all %s: %s: %.200s", vm->name, does,
			    r->err ? strerror(-r->err) : "refused", r->text);
	if (r->count)
		daemon_event(vc->d, "multipath", vm->name, "%u maps %s: %.200s", r->count, does, r->text);
	/* It came through after the resume that had given them their policy back. */
	if (fail && dr &&
	    quiesce_state_phase(quiesce_state(vm->quiesce, (unsigned)vc->call.vhba)) == QP_RESUME)
		driver_tell_maps(dr, (unsigned)vc->call.vhba, PRIV_MAPS_RESTORE);
}

void driver_tell_maps(struct driver *dr, unsigned vhba, enum priv_verb verb)
{
	const struct quiesce_call c = {.vhba = (int)vhba};
	const struct vm_vhba *v = &dr->vm->vhba[vhba];
	struct priv_request q = {.verb = verb, .host = v->host, .wwpn = v->wwpn};
	struct verb_call *vc = v->host >= 0 ? verb_new(dr, &c, 0, 0) : NULL;

	if (vc)
		privq_call(dr->d->privq, &q, MAPS_US, on_maps, vc);
}
