/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "result.h"

#define ADD(o, key, value) json_object_object_add(o, key, value)

void result_add_wwn(struct json_object *o, const char *key, uint64_t wwn)
{
	char text[24];
	int n = 0;

	for (int shift = 56; shift >= 0; shift -= 8)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%02x", n ? ":" : "",
			      (unsigned)(wwn >> shift & 0xff));
	ADD(o, key, json_object_new_string(text));
}

struct json_object *result_vhba(const struct vm_vhba *v)
{
	struct json_object *o = json_object_new_object();
	char host[16];

	ADD(o, "index", json_object_new_int((int)v->index));
	result_add_wwn(o, "wwpn", v->wwpn);
	if (v->parent_wwpn)
		result_add_wwn(o, "parent", v->parent_wwpn);
	if (v->host >= 0) {
		snprintf(host, sizeof(host), "host%d", v->host);
		ADD(o, "host", json_object_new_string(host));
	}
	return o;
}

static struct json_object *evidence(unsigned mask)
{
	struct json_object *a = json_object_new_array();

	for (unsigned bit = 1; bit <= QV_ALL; bit <<= 1)
		if (mask & bit)
			json_object_array_add(
				a, json_object_new_string(quiesce_evidence_name((enum quiesce_evidence)bit)));
	return a;
}

static struct json_object *phase(const struct quiesce_record *r)
{
	struct json_object *o = json_object_new_object();

	ADD(o, "phase", json_object_new_string(quiesce_phase_name(r->phase)));
	ADD(o, "start_us", json_object_new_uint64(r->start_us));
	if (r->end_us)
		ADD(o, "end_us", json_object_new_uint64(r->end_us));
	ADD(o, "outcome", json_object_new_string(quiesce_outcome_name(r->outcome)));
	if (r->inflight_before >= 0)
		ADD(o, "inflight_before", json_object_new_int64(r->inflight_before));
	if (r->inflight_after >= 0)
		ADD(o, "inflight_after", json_object_new_int64(r->inflight_after));
	ADD(o, "evidence", evidence(r->evidence));
	if (r->text[0])
		ADD(o, "text", json_object_new_string(r->text));
	return o;
}

/* "WWPN STATE,WWPN STATE", as san_targets wrote it. */
static struct json_object *targets(const char *text)
{
	struct json_object *a = json_object_new_array();

	while (*text) {
		size_t n = strcspn(text, ",");
		char *state;
		uint64_t wwpn = strtoull(text, &state, 16);

		if (*state == ' ' && state + 1 <= text + n) {
			struct json_object *o = json_object_new_object();

			result_add_wwn(o, "wwpn", wwpn);
			ADD(o, "state", json_object_new_string_len(state + 1, (int)(text + n - state - 1)));
			json_object_array_add(a, o);
		}
		text += n + (text[n] == ',');
	}
	return a;
}

/* What the verdict rests on, each with its time. */
static struct json_object *seen(const struct quiesce_seen *s)
{
	struct json_object *o = json_object_new_object();
	size_t n = strcspn(s->fabric, ":");

	if (s->inflight_us && s->inflight >= 0) {
		ADD(o, "inflight", json_object_new_int64(s->inflight));
		ADD(o, "inflight_us", json_object_new_uint64(s->inflight_us));
	}
	if (s->ports_us) {
		ADD(o, "targets", targets(s->ports));
		ADD(o, "targets_us", json_object_new_uint64(s->ports_us));
	}
	if (s->fabric_us) {
		ADD(o, "name_server", json_object_new_string_len(s->fabric, (int)n));
		if (!strncmp(s->fabric + n, ": ", 2))
			ADD(o, "name_server_text", json_object_new_string(s->fabric + n + 2));
		ADD(o, "name_server_us", json_object_new_uint64(s->fabric_us));
	} else if (s->ports_us) {
		/* They are asked together. */
		ADD(o, "name_server", json_object_new_string("no answer"));
	}
	return o;
}

/* since: what had ended before belongs to an earlier operation's record. */
static struct json_object *phases(const struct quiesce *q, int vhba, struct monotime since)
{
	struct json_object *a = json_object_new_array();
	const struct quiesce_record *r;
	size_t n;

	r = quiesce_records(q, &n);
	for (size_t i = 0; i < n; i++)
		if (r[i].vhba == vhba && r[i].start_us && (!r[i].end_us || r[i].end_us > since.us))
			json_object_array_add(a, phase(&r[i]));
	return a;
}

/* What is proved counts, not that a phase on the way ended by its budget. */
static enum quiesce_outcome vhba_outcome(const struct quiesce *q, unsigned vhba, enum quiesce_request request)
{
	enum quiesce_state state = quiesce_state(q, vhba);

	if (state == QS_FAILED)
		return QO_FAILED;
	if (request == QR_RESUME)
		return state == QS_ATTACHED ? QO_CONFIRMED : QO_UNCONFIRMED;
	return quiesce_evidence(q, vhba) == QV_ALL ? QO_CONFIRMED : QO_UNCONFIRMED;
}

static struct json_object *unproved(const struct quiesce *q)
{
	struct json_object *a = json_object_new_array();
	char text[192];

	for (unsigned i = 0; i < quiesce_vhbas(q); i++) {
		unsigned lacks = QV_ALL & ~quiesce_evidence(q, i);

		for (unsigned bit = 1; bit <= QV_ALL; bit <<= 1) {
			if (!(lacks & bit))
				continue;
			snprintf(text, sizeof(text), "vhba %u: %s", quiesce_vhba(q, i)->index,
				 quiesce_evidence_name((enum quiesce_evidence)bit));
			json_object_array_add(a, json_object_new_string(text));
		}
	}
	return a;
}

struct json_object *result_head(const char *operation, const char *vm, const char *outcome,
				struct monotime start, uint64_t deadline_us, uint64_t elapsed_us)
{
	struct json_object *o = json_object_new_object();

	ADD(o, "operation", json_object_new_string(operation));
	ADD(o, "vm", json_object_new_string(vm));
	ADD(o, "outcome", json_object_new_string(outcome));
	ADD(o, "start_us", json_object_new_uint64(start.us));
	ADD(o, "deadline_us", json_object_new_uint64(deadline_us));
	ADD(o, "elapsed_us", json_object_new_uint64(elapsed_us));
	return o;
}

struct json_object *result_quiesce(const struct vm *vm, const struct quiesce_result *r, const char *operation,
				   struct monotime start, struct monotime deadline)
{
	struct json_object *vhbas = json_object_new_array();
	const struct quiesce *q = vm->quiesce;
	struct json_object *o = result_head(operation, vm->name, quiesce_outcome_name(r->outcome), start,
					    mono_since(deadline, start), mono_since(r->answered, start));

	if (quiesce_answered(q) && quiesce_outcome_now(q) != r->outcome) {
		ADD(o, "later", json_object_new_string(quiesce_outcome_name(quiesce_outcome_now(q))));
		ADD(o, "later_us", json_object_new_uint64(mono_since(mono_now(), start)));
	}
	if (r->rolled_back)
		ADD(o, "rolled_back", json_object_new_boolean(true));
	if (r->may_have_failed)
		ADD(o, "may_have_failed", json_object_new_boolean(true));
	if (r->text[0])
		ADD(o, "text", json_object_new_string(r->text));
	ADD(o, "unproved", r->request == QR_QUIESCE ? unproved(q) : json_object_new_array());
	ADD(o, "phases", phases(q, QUIESCE_VM, start));
	for (unsigned i = 0; i < quiesce_vhbas(q) && i < vm->count; i++) {
		struct json_object *v = result_vhba(&vm->vhba[i]);

		ADD(v, "state", json_object_new_string(quiesce_state_name(quiesce_state(q, i))));
		ADD(v, "outcome",
		    json_object_new_string(quiesce_outcome_name(vhba_outcome(q, i, r->request))));
		ADD(v, "evidence", evidence(quiesce_evidence(q, i)));
		if (r->request != QR_RESUME)
			ADD(v, "seen", seen(quiesce_seen(q, i)));
		ADD(v, "phases", phases(q, (int)i, start));
		json_object_array_add(vhbas, v);
	}
	ADD(o, "vhbas", vhbas);
	return o;
}

/* The states of an attachment that a person sees as phases, in the order in which they come. */
static const enum attach_state shown[] = {ATTACH_NAME,	 ATTACH_CREATING, ATTACH_LOGGING_IN,
					  ATTACH_TIMERS, ATTACH_ASKING,	  ATTACH_LUNS,
					  ATTACH_READY,	 ATTACH_UNDOING,  ATTACH_UNDONE};

struct json_object *result_attach_phases(const struct attach *a, unsigned vhba, struct monotime now)
{
	const struct attach_vhba *v = &a->vhba[vhba];
	struct json_object *list = json_object_new_array(), *last = NULL;

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		uint64_t at = v->entered[shown[i]].us;

		if (!at)
			continue;
		if (last)
			ADD(last, "end_us", json_object_new_uint64(at));
		if (shown[i] == ATTACH_READY || shown[i] == ATTACH_UNDONE)
			return list;
		last = json_object_new_object();
		ADD(last, "phase", json_object_new_string(attach_state_name(shown[i])));
		ADD(last, "start_us", json_object_new_uint64(at));
		ADD(last, "outcome", json_object_new_string(a->undoing ? "failed" : "done"));
		json_object_array_add(list, last);
	}
	if (last)
		ADD(last, "end_us", json_object_new_uint64(now.us));
	return list;
}
