/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A name is never live twice.  A VM that arrives live logs in when the fabric has let its names go at the
 * source, not before; one of which nobody has said where it was last is refused while the fabric shows them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "attach_run.h"
#include "cleanup.h"
#include "live.h"
#include "name_ask.h"

#define CHECK_US USEC_PER_SEC

static void still_there(struct op *op, unsigned i, uint32_t port_id, const char *why)
{
	const struct vm_vhba *v = &op->vm->vhba[i];
	struct verror *e = &op->attach->missing[i];
	char text[WWN_TEXT], line[sizeof(e->what) + sizeof(e->seen) + 2];

	verror_set(e, VHBA_E_CONSTRAINT,
		   op->ask.check_names ? "vhba %u: %s is live elsewhere"
				       : "vhba %u: %s is not proved to have left the source",
		   v->index, wwn_format(v->wwpn, text));
	verror_expected(e, "the name server to have let it go");
	if (port_id)
		verror_seen(e, "it is logged in as %06" PRIx32, port_id);
	else
		verror_seen(e, "%s", why);
	verror_fix(e,
		   port_id ? "quiesce it at the source, or end it there"
			   : "if it is surely not running there: 'vhbactl io open %s --reason operator'",
		   op->vm->name);
	if (op->ask.check_names)
		return;
	snprintf(line, sizeof(line), "%s: %s", e->what, e->seen);
	live_waits(op->d, op->vm->uuid, line);
}

/*
 * Where nothing speaks for its being live elsewhere, zoning that may hide it is no obstacle.  Of one that is
 * live at the source only who was shown it before can tell that it has gone.
 */
static bool may_log_in(struct op *op, unsigned i, enum ct_answer answer)
{
	if (answer == CT_PRESENT)
		return false;
	if (op->ask.check_names || live_is_sure(op->d, op->vm->uuid))
		return true;
	return answer == CT_ABSENT && live_witness(op->d, op->vm->uuid, op->vm->vhba[i].index);
}

/* The last logout's word may be on its way to the name server. */
static void refuse_later(struct op *op, unsigned i)
{
	struct attach *a = &op->attach->machine;

	if (mono_since(mono_now(), a->vhba[i].since) < CHECK_US)
		return;
	attach_fail(a, &op->attach->missing[i]);
	attach_event(a, i, ATTACH_EV_FAILED, mono_now());
}

static void on_answer(void *user, enum ct_answer answer, uint32_t port_id, const char *why)
{
	AUTO_FREE struct attach_verb *v = user;
	struct op *op = attach_op_of(v);

	if (!op || op->answered)
		return;
	op->attach->asking[v->vhba] = false;
	if (op->attach->machine.vhba[v->vhba].state != ATTACH_NAME)
		return;
	if (may_log_in(op, v->vhba, answer)) {
		op->attach->missing[v->vhba].kind = VHBA_OK;
		attach_event(&op->attach->machine, v->vhba, ATTACH_EV_GONE, mono_now());
		return;
	}
	still_there(op, v->vhba, answer == CT_PRESENT ? port_id : 0,
		    answer == CT_ABSENT ? "it is not shown, but zoning may hide it from the parents here"
					: why);
	if (op->ask.check_names)
		refuse_later(op, v->vhba);
}

void attach_ask_name(struct op *op, unsigned i)
{
	const struct vm_vhba *vhba = &op->vm->vhba[i];
	wwn_t witness = live_witness(op->d, op->vm->uuid, vhba->index);
	struct attach_verb *v;

	if (op->attach->asking[i] || !(v = calloc(1, sizeof(*v))))
		return;
	*v = (struct attach_verb){.d = op->d, .op_id = op->id, .vhba = i};
	op->attach->asking[i] = true;
	name_ask(op->d, witness ? witness : vhba->parent_wwpn, vhba->wwpn, on_answer, v);
}
