/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fc.h"
#include "target_private.h"

struct target *target_new(const struct target_config *c)
{
	struct target *t = calloc(1, sizeof(*t));

	if (t)
		t->name = strdup(c->name);
	if (!t || !t->name) {
		free(t);
		return NULL;
	}
	t->wwpn = c->wwpn;
	t->wwnn = c->wwnn;
	t->vsan = c->vsan;
	t->access = -1;
	TAILQ_INIT(&t->initiators);
	TAILQ_INIT(&t->exchanges);
	TAILQ_INIT(&t->outbox);
	TAILQ_INIT(&t->events);
	return t;
}

void target_free(struct target *t)
{
	struct target_event *e;
	struct initiator *i;
	struct frame *f;

	if (!t)
		return;
	exchanges_drop(t, NULL, -1);
	for (uint16_t lun = 0; lun < TARGET_LUNS; lun++)
		target_remove_lun(t, lun);
	while ((i = TAILQ_FIRST(&t->initiators))) {
		TAILQ_REMOVE(&t->initiators, i, link);
		free(i);
	}
	while ((f = target_output(t)))
		frame_free(f);
	while ((e = target_next_event(t)))
		free(e);
	free(t->masks);
	free(t->name);
	free(t);
}

uint64_t target_wwpn(const struct target *t)
{
	return t->wwpn;
}

uint64_t target_wwnn(const struct target *t)
{
	return t->wwnn;
}

const char *target_name(const struct target *t)
{
	return t->name;
}

void target_tell(struct target *t, const char *fmt, ...)
{
	struct target_event *e = calloc(1, sizeof(*e));
	va_list ap;

	if (!e)
		return;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	TAILQ_INSERT_TAIL(&t->events, e, link);
}

void target_send(struct target *t, struct frame *f)
{
	if (f)
		TAILQ_INSERT_TAIL(&t->outbox, f, link);
}

struct frame *target_reply(const struct frame *req, uint8_t r_ctl, size_t payload_len)
{
	struct frame *f = frame_new(req->vsan, payload_len);

	if (!f)
		return NULL;
	f->data[FC_R_CTL] = r_ctl;
	memcpy(f->data + FC_D_ID, req->data + FC_S_ID, 3);
	memcpy(f->data + FC_S_ID, req->data + FC_D_ID, 3);
	f->data[FC_TYPE] = req->data[FC_TYPE];
	put_be24(f->data + FC_F_CTL, FCTL_RESPONSE);
	memcpy(f->data + FC_OX_ID, req->data + FC_OX_ID, 4);
	return f;
}

struct frame *target_output(struct target *t)
{
	struct frame *f = TAILQ_FIRST(&t->outbox);

	if (f)
		TAILQ_REMOVE(&t->outbox, f, link);
	return f;
}

struct target_event *target_next_event(struct target *t)
{
	struct target_event *e = TAILQ_FIRST(&t->events);

	if (e)
		TAILQ_REMOVE(&t->events, e, link);
	return e;
}

/* ---- the port's own state ---- */

void target_set_port_id(struct target *t, uint32_t n_port_id)
{
	struct initiator *i;

	if (n_port_id == t->id)
		return;
	TAILQ_FOREACH (i, &t->initiators, link)
		if (i->id)
			initiator_leave(t, i, n_port_id ? "new N_Port_ID" : "target's link down");
	t->id = n_port_id;
}

void target_nport_gone(struct target *t, uint32_t n_port_id, const char *why, uint64_t now_us)
{
	struct initiator *i = initiator_by_id(t, n_port_id);

	(void)now_us;
	if (i)
		initiator_leave(t, i, why);
}

/* ---- LUNs and masks ---- */

static void luns_changed(struct target *t)
{
	struct initiator *i;

	TAILQ_FOREACH (i, &t->initiators, link)
		ua_add_all(i, UA_LUNS_CHANGED);
}

int target_add_lun(struct target *t, uint16_t lun, struct lun_store *store)
{
	if (lun >= TARGET_LUNS)
		return -ERANGE;
	if (t->luns[lun])
		return -EEXIST;
	if (!lun_port_attach(store, t->wwpn))
		return -ENOSPC;
	t->luns[lun] = lun_store_ref(store);
	if (t->access >= 0)
		lun_port_set_access(store, t->wwpn, (enum lun_access)t->access, false);
	luns_changed(t);
	return 0;
}

int target_remove_lun(struct target *t, uint16_t lun)
{
	if (lun >= TARGET_LUNS || !t->luns[lun])
		return -ENOENT;
	exchanges_drop(t, NULL, lun);
	lun_port_detach(t->luns[lun], t->wwpn);
	lun_store_unref(t->luns[lun]);
	t->luns[lun] = NULL;
	luns_changed(t);
	return 0;
}

static const struct {
	const char *name;
	enum lun_access access;
} accesses[] = {
	{"optimized", LUN_OPTIMIZED},	  {"non-optimized", LUN_NON_OPTIMIZED}, {"standby", LUN_STANDBY},
	{"unavailable", LUN_UNAVAILABLE}, {"transitioning", LUN_TRANSITIONING},
};

int target_set_access(struct target *t, const char *name)
{
	size_t i = 0;

	while (i < sizeof(accesses) / sizeof(accesses[0]) && strcmp(accesses[i].name, name))
		i++;
	if (i == sizeof(accesses) / sizeof(accesses[0]))
		return -EINVAL;
	t->access = (int)accesses[i].access;
	for (uint16_t lun = 0; lun < TARGET_LUNS; lun++)
		if (t->luns[lun])
			lun_port_set_access(t->luns[lun], t->wwpn, accesses[i].access, true);
	return 0;
}

int target_mask_add(struct target *t, uint64_t initiator_wwpn, uint16_t lun)
{
	struct mask *more;

	if (lun >= TARGET_LUNS || !initiator_wwpn)
		return -EINVAL;
	more = reallocarray(t->masks, t->mask_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	t->masks = more;
	more[t->mask_count++] = (struct mask){.wwpn = initiator_wwpn, .lun = lun};
	luns_changed(t);
	return 0;
}

void target_mask_clear(struct target *t)
{
	free(t->masks);
	t->masks = NULL;
	t->mask_count = 0;
	luns_changed(t);
}

bool target_shows(const struct target *t, uint64_t initiator_wwpn, uint16_t lun)
{
	if (lun >= TARGET_LUNS || !t->luns[lun])
		return false;
	for (size_t i = 0; i < t->mask_count; i++)
		if (t->masks[i].lun == lun && t->masks[i].wwpn == initiator_wwpn)
			return true;
	return !t->mask_count;
}

/* ---- frames in, time ---- */

void target_input(struct target *t, const struct frame *f, uint64_t now_us)
{
	uint8_t r_ctl = f->data[FC_R_CTL], type = f->data[FC_TYPE];

	if (!t->id || get_be24(f->data + FC_D_ID) != t->id || t->faults.hang_all)
		return;
	target_read_notices(t); /* what other ports did comes before what arrives now */
	if (r_ctl == RCTL_ELS_REQ && type == FC_TYPE_ELS)
		target_els(t, f);
	else if (r_ctl == RCTL_FCP_CMND && type == FC_TYPE_FCP)
		target_command(t, f, now_us);
	else if (r_ctl == RCTL_SOL_DATA && type == FC_TYPE_FCP)
		target_data(t, f, now_us);
	else if (r_ctl == RCTL_BA_ABTS)
		target_abts(t, f);
	target_read_notices(t);
	target_ask_data(t);
}

/*
 * What happened to a LUN through another port is heard at once, so that it ends what is open here; and what a
 * removed LUN leaves of a window is another exchange's.
 */
uint64_t target_deadline(const struct target *t)
{
	uint64_t first = UINT64_MAX;
	const struct exchange *e;

	if (target_notices_wait(t) || (t->window_moved && !t->faults.hang))
		return 0;
	if (!t->faults.slow_us)
		return first;
	TAILQ_FOREACH (e, &t->exchanges, link)
		if (e->state == EX_SLOW && e->due_us < first)
			first = e->due_us;
	return first;
}

static struct exchange *due(struct target *t, uint64_t now_us)
{
	struct exchange *e;

	TAILQ_FOREACH (e, &t->exchanges, link)
		if (e->state == EX_SLOW && e->due_us <= now_us)
			return e;
	return NULL;
}

void target_run(struct target *t, uint64_t now_us)
{
	struct exchange *e;

	target_read_notices(t);
	while ((e = due(t, now_us))) {
		exchange_execute(t, e);
		target_read_notices(t); /* may end others: nothing of the list is kept */
	}
	target_ask_data(t);
}
