/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The machine's records in the journal, and the way back from them.
 *
 * Steps: "vhba" (once per vhba: who it is), "vm" (request, intake and answer), "state" (one per change of
 * state, holding all that the vhba is from then on, so that its last one suffices; the earlier ones rebuild
 * the phases' times).
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "quiesce-int.h"

/* A vhba's flags as bits of one number. The order is the format's. */
static const size_t flags[] = {
	offsetof(struct q_vhba, logout_begun), offsetof(struct q_vhba, aborted),
	offsetof(struct q_vhba, fast_fail),    offsetof(struct q_vhba, deleted),
	offsetof(struct q_vhba, created),      offsetof(struct q_vhba, timers_failed),
	offsetof(struct q_vhba, parked),       offsetof(struct q_vhba, may_have_failed),
	offsetof(struct q_vhba, synced),       offsetof(struct q_vhba, cuts_sync),
};

static uint64_t flags_get(const struct q_vhba *v)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		bits |= (uint64_t) * (const bool *)((const char *)v + flags[i]) << i;
	return bits;
}

static void flags_set(struct q_vhba *v, uint64_t bits)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		*(bool *)((char *)v + flags[i]) = bits >> i & 1;
}

static void append(struct quiesce *q, const struct journal_record *r)
{
	int rc = r->error ? r->error : q->ops.journal(q->user, r);

	if (rc && !q->journal_error)
		q->journal_error = rc;
}

void q_journal_ids(struct quiesce *q)
{
	for (unsigned int i = 0; i < q->n; i++) {
		const struct quiesce_vhba *id = &q->v[i].id;
		struct journal_record r;

		journal_record_init(&r, "vhba", q->now.us);
		journal_put_u64(&r, "v", i);
		journal_put_u64(&r, "of", q->n);
		journal_put_u64(&r, "index", id->index);
		journal_put_hex(&r, "wwpn", id->wwpn);
		journal_put_hex(&r, "wwnn", id->wwnn);
		journal_put_hex(&r, "parent", id->parent_wwpn);
		journal_put_u64(&r, "hold", id->hold_us);
		journal_put(&r, "driver", "%s", q_profile(&q->v[i])->driver);
		journal_put(&r, "timers", "%s", id->timers);
		append(q, &r);
	}
}

void q_journal_vm(struct quiesce *q, const char *what)
{
	struct journal_record r;

	journal_record_init(&r, "vm", q->now.us);
	journal_put(&r, "what", "%s", what);
	journal_put_u64(&r, "serial", q->serial);
	journal_put(&r, "request", "%s", quiesce_request_name(q->request));
	journal_put_u64(&r, "answered", q->answered);
	journal_put_u64(&r, "owner-paused", q->owner_paused);
	journal_put_u64(&r, "partial", q->partial);
	journal_put_u64(&r, "intake", q->intake);
	journal_put_u64(&r, "asked", q->asked.us);
	journal_put_u64(&r, "deadline", q->deadline.us);
	if (q->answered) {
		journal_put(&r, "outcome", "%s", quiesce_outcome_name(q->result.outcome));
		journal_put(&r, "text", "%s", q->result.text);
	}
	append(q, &r);
}

void q_journal_state(struct quiesce *q, struct q_vhba *v, enum quiesce_state from, enum quiesce_ev ev)
{
	struct journal_record r;

	journal_record_init(&r, "state", q->now.us);
	journal_put_u64(&r, "v", q_index(q, v));
	journal_put(&r, "from", "%s", quiesce_state_name(from));
	journal_put(&r, "ev", "%s", quiesce_ev_name(ev));
	journal_put(&r, "state", "%s", quiesce_state_name(v->state));
	journal_put_u64(&r, "serial", v->serial);
	journal_put_u64(&r, "evidence", v->evidence);
	/* One more than the number: 0 says that it is not known. */
	journal_put_u64(&r, "inflight", v->seen.inflight + 1);
	journal_put_u64(&r, "online", v->seen.online + 1);
	journal_put_u64(&r, "flags", flags_get(v));
	journal_put_u64(&r, "until", v->until.us);
	journal_put_u64(&r, "held", v->held_since.us);
	journal_put(&r, "failed-in", "%s", quiesce_state_name(v->failed_in));
	journal_put(&r, "timers", "%s", v->timers);
	journal_put(&r, "fabric", "%s", v->seen.fabric);
	journal_put_u64(&r, "inflight-at", v->seen.inflight_us);
	journal_put_u64(&r, "ports-at", v->seen.ports_us);
	journal_put_u64(&r, "fabric-at", v->seen.fabric_us);
	journal_put(&r, "ports", "%s", v->seen.ports);
	journal_put(&r, "sync", "%s", v->sync);
	journal_put(&r, "why", "%s", v->why);
	append(q, &r);
}

/* Reading back: the first thing that is missing or wrong stays in rc. */
struct reader {
	const struct journal_record *r;
	int rc;
};

static uint64_t get_u64(struct reader *rd, const char *key, uint64_t max)
{
	uint64_t n = 0;

	if (journal_get_u64(rd->r, key, &n) || n > max) {
		rd->rc = -EBADMSG;
		n = 0;
	}
	return n;
}

static uint64_t get_hex(struct reader *rd, const char *key)
{
	uint64_t n = 0;

	if (journal_get_hex(rd->r, key, &n))
		rd->rc = -EBADMSG;
	return n;
}

static void get_text(struct reader *rd, const char *key, char *buf, size_t size)
{
	const char *s = journal_get(rd->r, key);

	if (!s || strlen(s) >= size)
		rd->rc = -EBADMSG;
	q_text(buf, size, "%s", s ? s : "");
}

/* Keys that earlier writers of this version did not have. */
static uint64_t get_u64_if(struct reader *rd, const char *key)
{
	return journal_get(rd->r, key) ? get_u64(rd, key, UINT64_MAX) : 0;
}

static void get_text_if(struct reader *rd, const char *key, char *buf, size_t size)
{
	buf[0] = '\0';
	if (journal_get(rd->r, key))
		get_text(rd, key, buf, size);
}

static enum quiesce_state get_state(struct reader *rd, const char *key)
{
	const char *s = journal_get(rd->r, key);

	for (unsigned int i = 0; s && i < QS_STATES; i++)
		if (!strcmp(s, q_states[i].name))
			return i;
	rd->rc = -EBADMSG;
	return QS_FAILED;
}

static enum quiesce_request get_request(struct reader *rd)
{
	const char *s = journal_get(rd->r, "request");

	for (unsigned int i = QR_QUIESCE; s && i < QR_REQUESTS; i++)
		if (!strcmp(s, quiesce_request_name(i)))
			return i;
	rd->rc = -EBADMSG;
	return QR_QUIESCE;
}

int quiesce_restore_ids(const struct journal_record *rec, size_t n, struct quiesce_vhba ids[QUIESCE_VHBA_MAX])
{
	unsigned int count = 0, of = 0;
	bool asked = false;

	for (size_t i = 0; i < n; i++) {
		struct reader rd = {.r = &rec[i]};
		struct quiesce_vhba *id;

		asked = asked || !strcmp(rec[i].step, "vm");
		if (strcmp(rec[i].step, "vhba"))
			continue;
		of = get_u64(&rd, "of", QUIESCE_VHBA_MAX);
		if (count == QUIESCE_VHBA_MAX || get_u64(&rd, "v", QUIESCE_VHBA_MAX) != count)
			return -EBADMSG;
		id = &ids[count++];
		*id = (struct quiesce_vhba){.index = get_u64(&rd, "index", UINT32_MAX),
					    .wwpn = get_hex(&rd, "wwpn"),
					    .wwnn = get_hex(&rd, "wwnn"),
					    .parent_wwpn = get_hex(&rd, "parent"),
					    .hold_us = get_u64(&rd, "hold", UINT64_MAX)};
		get_text(&rd, "timers", id->timers, sizeof(id->timers));
		if (rd.rc)
			return rd.rc;
	}
	/* Who they are is written before the request is: cut off there, the list may be short. */
	if (!asked)
		return 0;
	return count && count == of ? (int)count : -EBADMSG;
}

static int replay_vhba(struct quiesce *q, struct reader *rd)
{
	uint64_t i = get_u64(rd, "v", q->n - 1);

	if (!rd->rc && get_hex(rd, "wwpn") != q->v[i].id.wwpn)
		rd->rc = -EBADMSG;
	return rd->rc;
}

static int replay_vm(struct quiesce *q, struct reader *rd)
{
	struct quiesce_record *line = q_rec(q, QUIESCE_VM, QP_ANSWER);

	q->serial = get_u64(rd, "serial", UINT64_MAX);
	q->request = get_request(rd);
	q->answered = get_u64(rd, "answered", 1);
	q->owner_paused = get_u64(rd, "owner-paused", 1);
	q->partial = get_u64(rd, "partial", 1);
	q->intake = get_u64(rd, "intake", INTAKE_UNKNOWN);
	q->asked.us = get_u64(rd, "asked", UINT64_MAX);
	q->deadline.us = get_u64(rd, "deadline", UINT64_MAX);
	if (line->start_us != q->asked.us)
		*line = (struct quiesce_record){.vhba = QUIESCE_VM,
						.phase = QP_ANSWER,
						.start_us = q->asked.us,
						.inflight_before = -1,
						.inflight_after = -1};
	if (q->answered && !line->end_us) {
		const char *outcome = journal_get(rd->r, "outcome"), *text = journal_get(rd->r, "text");

		line->end_us = rd->r->at_us;
		q_text(line->text, sizeof(line->text), "%s", text ? text : "");
		for (unsigned int o = 0; outcome && o < QO_OUTCOMES; o++)
			if (!strcmp(outcome, quiesce_outcome_name(o)))
				line->outcome = o;
		q->result = (struct quiesce_result){.request = q->request,
						    .outcome = line->outcome,
						    .caller_gone = true,
						    .asked = q->asked,
						    .answered = {rd->r->at_us},
						    .deadline = q->deadline};
		snprintf(q->result.text, sizeof(q->result.text), "%s", text ? text : "");
	}
	return rd->rc;
}

static int replay_state(struct quiesce *q, struct reader *rd)
{
	uint64_t i = get_u64(rd, "v", q->n - 1);
	struct q_vhba *v = &q->v[i];
	enum quiesce_state from = get_state(rd, "from"), to = get_state(rd, "state");

	if (rd->rc)
		return rd->rc;
	v->serial = get_u64(rd, "serial", UINT64_MAX);
	v->evidence = get_u64(rd, "evidence", QV_ALL);
	v->seen.inflight = (int64_t)get_u64(rd, "inflight", INT64_MAX) - 1;
	v->seen.online = (int64_t)get_u64(rd, "online", INT64_MAX) - 1;
	flags_set(v, get_u64(rd, "flags", (1 << ARRAY_SIZE(flags)) - 1));
	v->until.us = get_u64(rd, "until", UINT64_MAX);
	v->held_since.us = get_u64(rd, "held", UINT64_MAX);
	v->failed_in = get_state(rd, "failed-in");
	get_text(rd, "timers", v->timers, sizeof(v->timers));
	get_text(rd, "fabric", v->seen.fabric, sizeof(v->seen.fabric));
	v->seen.inflight_us = get_u64_if(rd, "inflight-at");
	v->seen.ports_us = get_u64_if(rd, "ports-at");
	v->seen.fabric_us = get_u64_if(rd, "fabric-at");
	get_text_if(rd, "sync", v->sync, sizeof(v->sync));
	get_text_if(rd, "ports", v->seen.ports, sizeof(v->seen.ports));
	get_text(rd, "why", v->why, sizeof(v->why));
	q_stamp(q, v, from, to, rd->r->at_us);
	v->state = to;
	q_record_refresh(q, v);
	return rd->rc;
}

static int replay(struct quiesce *q, const struct journal_record *rec, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct reader rd = {.r = &rec[i]};
		int rc = 0;

		if (!strcmp(rec[i].step, "vhba"))
			rc = replay_vhba(q, &rd);
		else if (!strcmp(rec[i].step, "vm"))
			rc = replay_vm(q, &rd);
		else if (!strcmp(rec[i].step, "state"))
			rc = replay_state(q, &rd);
		if (rc)
			return rc;
	}
	return 0;
}

/* Begin again what each vhba was doing; ops are idempotent. */
static void go_on(struct quiesce *q)
{
	q->caller_gone = true;
	q->answer_at = q->deadline.us > q->cfg.answer_margin_us
			       ? (struct monotime){q->deadline.us - q->cfg.answer_margin_us}
			       : q->now;
	q->deadline_seen = q->answered;
	q->background_at = mono_add(q->now, q->cfg.background_us);
	/* What an op that was under way did to the intake is not known: it is done again. */
	if (q->intake == INTAKE_CLOSING || q->intake == INTAKE_OPENING)
		q->intake = INTAKE_UNKNOWN;
	for (unsigned int i = 0; i < q->n; i++) {
		struct q_vhba *v = &q->v[i];

		q_arm_step(q, v);
		q_act(q, v, q_states[v->state].restart);
	}
	if (q->request != QR_NONE)
		q_deliver(q);
}

int quiesce_restore(struct quiesce *q, const struct journal_record *rec, size_t n, struct monotime now,
		    struct verror *e)
{
	int rc = replay(q, rec, n);

	if (rc) {
		verror_set(e, VHBA_E_IO, "the journal's records are not those of this quiesce");
		verror_expected(e, "steps vhba, vm and state of %u vhbas", q->n);
		verror_fix(e, "see what stands with \"vhbactl status\", then quiesce or release again");
		return rc;
	}
	q->now = now;
	q->running = true;
	go_on(q);
	q_run(q);
	q->running = false;
	quiesce_tick(q, now);
	return 0;
}
