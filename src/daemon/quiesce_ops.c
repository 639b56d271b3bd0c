/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the quiesce machine tells, and the table of its ops. */
#include <string.h>

#include "history.h"
#include "live.h"
#include "log.h"
#include "pools.h"
#include "quiesce_verb.h"
#include "result.h"
#include "vport_name.h"

static int write_journal(void *user, const struct journal_record *r)
{
	struct driver *dr = user;
	int err = dr->vm->journal ? journal_append(dr->vm->journal, r) : 0;

	if (err)
		log_warning("%s: the journal could not be written: %s", dr->vm->name, strerror(-err));
	return err;
}

static const struct {
	enum vm_state good, bad;
} after_request[QR_REQUESTS] = {
	[QR_QUIESCE] = {VM_HELD, VM_FAILED},
	[QR_RESUME] = {VM_ATTACHED, VM_FAILED},
	[QR_RELEASE] = {VM_DETACHED, VM_FAILED},
};

/* Of the operation that was answered last. */
static struct json_object *record(const struct driver *dr, const struct quiesce_result *r)
{
	struct json_object *o = result_quiesce(dr->vm, r, op_kind_name(dr->answered.kind), dr->answered.start,
					       dr->answered.deadline);
	struct json_object *list, *phases;

	if (!dr->answered.pools || !json_object_object_get_ex(o, "phases", &phases))
		return o;
	list = json_object_new_array();
	json_object_array_add(list, json_object_get(dr->answered.pools));
	for (size_t i = 0; i < json_object_array_length(phases); i++)
		json_object_array_add(list, json_object_get(json_object_array_get_idx(phases, i)));
	json_object_object_add(o, "phases", list);
	return o;
}

/* What comes after the answer, so that it is added once: the outcome, and what the fabric has told. */
static uint64_t later_digest(const struct driver *dr)
{
	const struct quiesce *q = dr->vm->quiesce;
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ quiesce_outcome_now(q); /* FNV-1a */

	for (unsigned i = 0; i < quiesce_vhbas(q); i++)
		for (const char *p = quiesce_seen(q, i)->fabric;; p++) {
			h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
			if (!*p)
				break;
		}
	return h;
}

static bool same(struct json_object *a, struct json_object *b, const char *key)
{
	return json_object_equal(proto_get(a, key), proto_get(b, key));
}

/* Of two records of one operation: what came after the answer. */
static bool tell_the_same(struct json_object *a, struct json_object *b)
{
	struct json_object *va = proto_get(a, "vhbas"), *vb = proto_get(b, "vhbas");
	size_t n = va ? json_object_array_length(va) : 0;

	if (!same(a, b, "later") || !same(a, b, "outcome") || n != (vb ? json_object_array_length(vb) : 0))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct json_object *sa = proto_get(json_object_array_get_idx(va, i), "seen");
		struct json_object *sb = proto_get(json_object_array_get_idx(vb, i), "seen");

		if (!same(sa, sb, "name_server") || !same(sa, sb, "name_server_text"))
			return false;
	}
	return true;
}

/* The journal knows nothing of the pools. */
static struct json_object *pools_of(struct json_object *kept)
{
	struct json_object *phases = proto_get(kept, "phases");
	struct json_object *first = phases ? json_object_array_get_idx(phases, 0) : NULL;
	const char *name = proto_get_text(first, "phase");

	return name && !strcmp(name, "pool") ? json_object_get(first) : NULL;
}

/*
 * Of a request that an earlier vhbad had taken nobody waits for the answer, and the log must have its record
 * all the same; once, where that one had written it before it ended. What it had in the journal already, the
 * record may lack.
 */
void driver_note_earlier(struct driver *dr)
{
	static const enum op_kind kinds[QR_REQUESTS] = {
		[QR_QUIESCE] = OP_QUIESCE, [QR_RESUME] = OP_RESUME, [QR_RELEASE] = OP_RELEASE};
	const struct quiesce_result *r = quiesce_result(dr->vm->quiesce);
	struct json_object *o, *kept;

	if (r->request == QR_NONE)
		return;
	dr->answered.kind = kinds[r->request];
	dr->answered.start = r->asked;
	dr->answered.deadline = r->deadline;
	dr->answered.id = history_find(dr->d, dr->vm->uuid, op_kind_name(dr->answered.kind), r->asked.us,
				       &kept);
	dr->answered.later = later_digest(dr);
	json_object_put(dr->answered.pools);
	dr->answered.pools = kept ? pools_of(kept) : NULL;
	if (!kept)
		dr->answered.id = ++dr->d->last_op_id;
	o = record(dr, r);
	if (!kept || !tell_the_same(kept, o))
		history_add(dr->d, dr->vm->uuid, dr->answered.id, o);
	json_object_put(o);
	json_object_put(kept);
}

static void answer(void *user, const struct quiesce_result *r)
{
	struct driver *dr = user;
	struct op *op = dr->vm->op;
	enum vm_state s = r->outcome == QO_FAILED ? after_request[r->request].bad
						  : after_request[r->request].good;

	if (r->rolled_back)
		s = VM_ATTACHED;
	live_answered(dr->d, dr->vm->uuid, r->request == QR_QUIESCE && r->outcome == QO_FAILED);
	if (s != VM_DETACHED)
		vm_set_state(dr->vm, s);
	pools_look(dr->d, dr->vm->uuid);
	if (r->request == QR_RESUME && r->outcome == QO_CONFIRMED)
		vport_names(dr->d);
	if (op) {
		dr->answered.id = op->id;
		dr->answered.kind = op->kind;
		dr->answered.start = op->start;
		dr->answered.deadline = op->deadline;
		dr->answered.later = later_digest(dr);
		json_object_put(dr->answered.pools);
		dr->answered.pools = op_pools_phase(op);
		op_answer(op, record(dr, r), NULL);
	} else {
		/* What an earlier vhbad had begun: there is no end of an operation to look after. */
		driver_note_earlier(dr);
		live_look(dr->d, dr->vm->uuid);
	}
}

void driver_add_later(struct driver *dr)
{
	struct quiesce *q = dr->vm->quiesce;
	struct json_object *o;
	uint64_t later;

	if (!dr->answered.id || !quiesce_answered(q))
		return;
	later = later_digest(dr);
	if (later == dr->answered.later)
		return;
	dr->answered.later = later;
	o = record(dr, quiesce_result(q));
	history_add(dr->d, dr->vm->uuid, dr->answered.id, o);
	json_object_put(o);
}

static void on_changed(void *user, int vhba)
{
	struct driver *dr = user;
	struct quiesce *q = dr->vm->quiesce;
	struct op *op = dr->vm->op;

	if (!q || vhba < 0 || !op)
		return;
	op_progress(op, quiesce_state_name(quiesce_state(q, (unsigned)vhba)), (int)dr->vm->vhba[vhba].index,
		    NULL);
}

const struct quiesce_ops quiesce_driver_ops = {
	.stop_intake = quiesce_op_stop_intake,
	.open_intake = quiesce_op_open_intake,
	.count_inflight = quiesce_op_count,
	.sync_cache = quiesce_op_sync_cache,
	.set_fast_fail = quiesce_op_set_fast_fail,
	.disable = quiesce_op_disable,
	.delete_vport = quiesce_op_delete,
	.enable = quiesce_op_enable,
	.create_vport = quiesce_op_create,
	.verify_fabric = quiesce_op_verify_fabric,
	.read_ports = quiesce_op_read_ports,
	.check_ready = quiesce_op_check_ready,
	.restore_timers = quiesce_op_restore_timers,
	.journal = write_journal,
	.answer = answer,
	.changed = on_changed,
};
