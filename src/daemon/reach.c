/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "placement.h"
#include "reach.h"

/* One target port, as the best of the own ports sees it. */
struct view {
	const struct daemon *d;
	const struct reg_vhba *v;
	const struct config_vsan *vsan; /* NULL: this host does not know it */
	wwn_t target;
	unsigned ports; /* own ports that are Online in the VSAN */
	bool logged_in; /* one of them has it as a target */
	char state[48]; /* else: why not */
	unsigned paths, seen; /* of this target */
	unsigned idle; /* shown, and not to be used now */
	const struct reg_lun *other; /* the first whose number is another LUN's here */
	char other_is[FC_DESIGNATOR];
};

/* ---- what the own ports see ---- */

static const struct fc_host *next_port(const struct view *w, const struct fc_host *h)
{
	char seen[40];

	for (h = h ? TAILQ_NEXT(h, link) : TAILQ_FIRST(&w->d->inv.hosts); h; h = TAILQ_NEXT(h, link))
		if (h->parent < 0 && !strcmp(h->state, "Online") && w->vsan &&
		    placement_in_vsan(w->d, h, w->vsan, seen, sizeof(seen)))
			return h;
	return NULL;
}

/* The target as that port has it; NULL: it is of no use to it, and what is seen of it is noted. */
static const struct fc_rport *online_target(struct view *w, const struct fc_host *port)
{
	struct fc_rport *r = fc_rport_find(port, w->target);
	char state[32];

	if (!r || fc_rport_read_state(port, r, state, sizeof(state)))
		return NULL;
	if (strcmp(state, "Online"))
		return snprintf(w->state, sizeof(w->state), "it is %s", state), NULL;
	if (!fc_rport_read_is_target(port, r))
		return snprintf(w->state, sizeof(w->state), "it has not logged in as an FCP target"), NULL;
	w->logged_in = true;
	return r;
}

enum found { NOTHING, OTHER, IDLE, SEEN };

static enum found find_on(const struct fc_host *port, const struct fc_rport *r, const struct reg_lun *want,
			  char other[FC_DESIGNATOR])
{
	enum found found = NOTHING;
	struct fc_lun *l;

	TAILQ_FOREACH (l, &r->luns, link) {
		if (want->designator[0] && !strcmp(l->designator, want->designator)) {
			fc_lun_refresh_state(port, l);
			return l->usable ? SEEN : IDLE;
		}
		if (l->lun == want->lun && l->designator[0]) {
			strcpy(other, l->designator);
			found = OTHER;
		}
	}
	return found;
}

/* By whichever of the own ports sees most of it. */
static enum found find(struct view *w, const struct reg_lun *want, char other[FC_DESIGNATOR])
{
	const struct fc_host *port = NULL;
	enum found best = NOTHING;

	while ((port = next_port(w, port))) {
		const struct fc_rport *r = online_target(w, port);
		enum found now = r ? find_on(port, r, want, other) : NOTHING;

		best = now > best ? now : best;
	}
	return best;
}

static void look_at_port(struct view *w)
{
	const struct fc_host *port = NULL;

	while ((port = next_port(w, port))) {
		w->ports++;
		online_target(w, port);
	}
}

static void look_at_luns(struct view *w, struct reach *r)
{
	char other[FC_DESIGNATOR];

	for (unsigned i = 0; i < w->v->luns_n; i++) {
		const struct reg_lun *want = &w->v->luns[i];
		enum found found;

		if (want->target != w->target)
			continue;
		found = find(w, want, other);
		w->paths++;
		w->seen += found == SEEN;
		w->idle += found == IDLE;
		r->differ += found == OTHER;
		if (found == OTHER && !w->other) {
			w->other = want;
			strcpy(w->other_is, other);
		}
	}
	r->seen += w->seen;
}

/* ---- why the rest is not proved ---- */

static void add_reason(struct reach *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add_reason(struct reach *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (r->reasons_n < REACH_REASONS)
		vsnprintf(r->reason[r->reasons_n], REACH_TEXT, fmt, ap);
	r->reasons_n++;
	va_end(ap);
}

static void explain(const struct view *w, struct reach *r)
{
	char wwn[WWN_TEXT];
	const char *target = wwn_format(w->target, wwn);

	if (!w->logged_in) {
		add_reason(r, "target %s: %s", target,
			   w->state[0] ? w->state
			   : w->ports  ? "this host's own ports don't see it, as without a zone with them"
				       : "this host has no port Online in its VSAN");
		return;
	}
	if (w->other)
		add_reason(r, "target %s: its LUN %" PRIu64 " is %s for this host's own ports, expected %s",
			   target, w->other->lun, w->other_is, w->other->designator);
	if (w->idle)
		add_reason(r, "target %s: %u of %u LUNs are not usable by this host's own ports", target,
			   w->idle, w->paths);
	if (w->seen + w->idle < w->paths)
		add_reason(r, "target %s: %u of %u LUNs are not shown to this host's own ports", target,
			   w->paths - w->seen - w->idle, w->paths);
}

/* ---- the whole ---- */

struct targets {
	wwn_t *wwpn;
	unsigned n;
};

static void add_target(struct targets *all, wwn_t target)
{
	for (unsigned i = 0; i < all->n; i++)
		if (all->wwpn[i] == target)
			return;
	all->wwpn[all->n++] = target;
}

/* Room for all that is added below. */
static unsigned count_targets(const struct daemon *d, const struct reg_vhba *v)
{
	const char *pos = v->zones;
	char zone[REG_NAME_MAX];
	unsigned n = v->luns_n;

	while (pos && registry_next_zone(&pos, zone)) {
		const struct config_zone *z = config_zone(d->cfg, zone);

		n += z ? z->count : 0;
	}
	return n;
}

/* Those that LUNs are expected of, and the rest of its zones'. */
static void list_targets(const struct daemon *d, const struct reg_vhba *v, struct targets *all)
{
	const char *pos = v->zones;
	char zone[REG_NAME_MAX];

	for (unsigned i = 0; i < v->luns_n; i++)
		add_target(all, v->luns[i].target);
	while (pos && registry_next_zone(&pos, zone)) {
		const struct config_zone *z = config_zone(d->cfg, zone);

		for (unsigned i = 0; z && i < z->count; i++)
			add_target(all, z->targets[i]);
	}
}

void reach_look(const struct daemon *d, const struct reg_vhba *v, struct reach *r)
{
	AUTO_FREE wwn_t *wwpn = calloc(count_targets(d, v) + 1, sizeof(*wwpn));
	struct targets all = {.wwpn = wwpn};

	*r = (struct reach){.known = v->known, .paths = v->luns_n};
	if (!wwpn) {
		add_reason(r, "out of memory");
		return;
	}
	list_targets(d, v, &all);
	for (unsigned i = 0; i < all.n; i++) {
		struct view w = {.d = d, .v = v, .vsan = config_vsan(d->cfg, v->vsan), .target = wwpn[i]};

		look_at_port(&w);
		look_at_luns(&w, r);
		explain(&w, r);
	}
}

/* ---- what is said ---- */

static const char *verdict(const struct reach *r)
{
	if (!r->known)
		return "unknown";
	if (r->seen == r->paths)
		return "seen";
	return r->seen ? "partly" : "unproved";
}

const char *reach_text(const struct reach *r, unsigned vhba, bool beside, char *buf, size_t size)
{
	const char *then = beside ? "; its alternate name proves it here before the guest is paused" : "";

	if (!r->known)
		snprintf(buf, size, "vhba %u: its LUNs are not known: it was never attached", vhba);
	else if (!r->paths)
		snprintf(buf, size, "vhba %u: it has no LUN", vhba);
	else if (r->seen == r->paths)
		snprintf(buf, size, "vhba %u: all %u LUN paths are seen by this host's own ports", vhba,
			 r->paths);
	else if (r->seen)
		snprintf(buf, size,
			 "vhba %u: %u of %u LUN paths are seen by this host's own ports, the rest is "
			 "unproved: masking may hide them from its own names%s",
			 vhba, r->seen, r->paths, then);
	else
		snprintf(buf, size,
			 "vhba %u: none of %u LUN paths is seen by this host's own ports: unproved%s", vhba,
			 r->paths, then);
	return buf;
}

/* Each vhba logs in here by its other name, while the source still does I/O. */
static bool moves_beside(const struct reg_vm *vm)
{
	for (unsigned i = 0; i < vm->vhbas_n; i++)
		if (!vm->vhbas[i].alternate)
			return false;
	return vm->io.kind == REG_IO_NONE;
}

static struct json_object *show_reasons(const struct reach *r)
{
	struct json_object *list = json_object_new_array();
	char more[40];

	for (unsigned i = 0; i < r->reasons_n && i < REACH_REASONS; i++)
		json_object_array_add(list, json_object_new_string(r->reason[i]));
	if (r->reasons_n > REACH_REASONS) {
		snprintf(more, sizeof(more), "and %u more", r->reasons_n - REACH_REASONS);
		json_object_array_add(list, json_object_new_string(more));
	}
	return list;
}

static struct json_object *show_one(const struct daemon *d, const struct reg_vhba *v, bool beside)
{
	struct json_object *o = json_object_new_object();
	char text[REACH_TEXT];
	struct reach r;

	reach_look(d, v, &r);
	json_object_object_add(o, "vhba", json_object_new_int((int)v->index));
	json_object_object_add(o, "reachable", json_object_new_string(verdict(&r)));
	json_object_object_add(o, "paths", json_object_new_int((int)r.paths));
	json_object_object_add(o, "seen", json_object_new_int((int)r.seen));
	json_object_object_add(o, "differ", json_object_new_int((int)r.differ));
	json_object_object_add(o, "alternate", json_object_new_boolean(beside));
	json_object_object_add(o, "text",
			       json_object_new_string(reach_text(&r, v->index, beside, text, sizeof(text))));
	json_object_object_add(o, "reasons", show_reasons(&r));
	return o;
}

struct json_object *reach_show(const struct daemon *d, const struct reg_vm *vm)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < vm->vhbas_n; i++)
		json_object_array_add(list, show_one(d, &vm->vhbas[i], moves_beside(vm)));
	return list;
}

void reach_note(struct daemon *d, const struct reg_vm *vm)
{
	char text[REACH_TEXT];
	struct reach r;

	for (unsigned i = 0; i < vm->vhbas_n; i++) {
		reach_look(d, &vm->vhbas[i], &r);
		if (r.paths != r.seen)
			daemon_event(
				d, "move", vm->name, "%s",
				reach_text(&r, vm->vhbas[i].index, moves_beside(vm), text, sizeof(text)));
	}
}
