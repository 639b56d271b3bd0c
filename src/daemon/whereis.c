/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "name_ask.h"
#include "placement.h"
#include "result.h"
#include "ticket.h"
#include "whereis.h"

/* ---- the decision ---- */

/* The first parent that was shown it, in its own VSAN or in another one; NULL: none. */
static const struct sight *shown(const struct whereis *w, bool own_vsan)
{
	for (unsigned i = 0; i < w->n; i++)
		if (w->sight[i].answer == CT_PRESENT && (w->sight[i].vsan == w->vsan) == own_vsan)
			return &w->sight[i];
	return NULL;
}

/* Another parent that was told another N_Port_ID. */
static const struct sight *shown_twice(const struct whereis *w, const struct sight *first)
{
	for (unsigned i = 0; i < w->n; i++)
		if (w->sight[i].answer == CT_PRESENT && w->sight[i].vsan == first->vsan &&
		    w->sight[i].port_id != first->port_id)
			return &w->sight[i];
	return NULL;
}

static bool refuse(const struct whereis *w, struct verror *e, const char *expected, const char *fix)
{
	char text[WWN_TEXT];

	verror_set(e, VHBA_E_CONSTRAINT, "vhba %u: %s%s is live elsewhere than on the source", w->vhba,
		   w->alternate ? "its alternate name " : "", wwn_format(w->wwpn, text));
	verror_expected(e, "%s", expected);
	verror_fix(e, "%s", fix);
	return false;
}

static bool refuse_vsan(const struct whereis *w, const struct sight *s, struct verror *e)
{
	char expected[48];

	snprintf(expected, sizeof(expected), "it in VSAN %u alone", w->vsan);
	refuse(w, e, expected, "find who has logged in by it there, and end that");
	verror_seen(e, "it is logged in in VSAN %u, as %06" PRIx32, s->vsan, s->port_id);
	return false;
}

static bool refuse_twice(const struct whereis *w, const struct sight *a, const struct sight *b,
			 struct verror *e)
{
	refuse(w, e, "one N_Port_ID", "find which of the two is not the source, and end its login");
	verror_seen(e, "%06" PRIx32 " and %06" PRIx32, a->port_id, b->port_id);
	return false;
}

bool whereis_judge(const struct whereis *w, struct verror *e)
{
	const struct sight *here = shown(w, true), *there = shown(w, false), *twice;
	bool nowhere = w->alternate || (w->told && !w->port_id);
	char expected[48];

	if (there && !nowhere)
		return refuse_vsan(w, there, e);
	twice = here ? shown_twice(w, here) : NULL;
	if (twice)
		return refuse_twice(w, here, twice, e);
	if (nowhere && (here || there)) {
		refuse(w, e, "it to be logged in nowhere",
		       w->alternate ? "end what has logged in by it; if that is the source: its identity is "
				      "to be exported, or bound to its domain, anew"
				    : "export the ticket anew where the VM is now, or end what has logged "
				      "in by it");
		verror_seen(e, "it is logged in as %06" PRIx32, (here ? here : there)->port_id);
		return false;
	}
	if (!here || !w->told || here->port_id == w->port_id)
		return true;
	snprintf(expected, sizeof(expected), "%06" PRIx32 ", as the source has it", w->port_id);
	refuse(w, e, expected, "export the ticket anew; if that differs again, end what has logged in by it");
	verror_seen(e, "it is logged in as %06" PRIx32, here->port_id);
	return false;
}

static const char *no_proof(const struct whereis *w)
{
	const char *why = "this host has no port Online in its VSAN";

	for (unsigned i = 0; i < w->n; i++) {
		if (w->sight[i].vsan != w->vsan)
			continue;
		if (w->sight[i].answer != CT_NO_PROOF)
			return NULL;
		why = w->sight[i].why;
	}
	return why;
}

enum whereis_seen whereis_seen(const struct whereis *w, uint32_t *port_id)
{
	const struct sight *here = shown(w, true);

	*port_id = here ? here->port_id : 0;
	if (here)
		return w->told ? WHEREIS_SOURCE : WHEREIS_SEEN;
	if (no_proof(w))
		return WHEREIS_UNKNOWN;
	return w->told && !w->port_id ? WHEREIS_NOWHERE : WHEREIS_HIDDEN;
}

const char *whereis_text(const struct whereis *w, char *buf, size_t size)
{
	char wwn[WWN_TEXT];
	uint32_t id;

	wwn_format(w->wwpn, wwn);
	switch (whereis_seen(w, &id)) {
	case WHEREIS_SOURCE:
		snprintf(buf, size, "vhba %u: %s is logged in as %06" PRIx32 ", as the source has it",
			 w->vhba, wwn, id);
		break;
	case WHEREIS_SEEN:
		snprintf(buf, size,
			 "vhba %u: %s is logged in as %06" PRIx32
			 "; that this is the source is unproved: nothing here says where the source has it",
			 w->vhba, wwn, id);
		break;
	case WHEREIS_HIDDEN:
		snprintf(buf, size,
			 "vhba %u: where %s is live is unproved: this host's own ports are not shown it, as "
			 "without a zone with them",
			 w->vhba, wwn);
		break;
	case WHEREIS_NOWHERE:
		snprintf(buf, size,
			 "vhba %u: %s is logged in nowhere, as far as this host's own ports are shown it",
			 w->vhba, wwn);
		break;
	case WHEREIS_UNKNOWN:
		snprintf(buf, size, "vhba %u: where %s is live is unproved: %s", w->vhba, wwn, no_proof(w));
		break;
	}
	return buf;
}

struct json_object *whereis_show(const struct whereis *w)
{
	static const char *const words[] = {
		[WHEREIS_SOURCE] = "source",   [WHEREIS_SEEN] = "somewhere",  [WHEREIS_HIDDEN] = "hidden",
		[WHEREIS_NOWHERE] = "nowhere", [WHEREIS_UNKNOWN] = "unknown",
	};
	struct json_object *o = json_object_new_object();
	char text[WHEREIS_TEXT], id_text[16];
	uint32_t id;
	enum whereis_seen seen = whereis_seen(w, &id);

	json_object_object_add(o, "vhba", json_object_new_int((int)w->vhba));
	result_add_wwn(o, "wwpn", w->wwpn);
	json_object_object_add(o, "live", json_object_new_string(words[seen]));
	if (id) {
		snprintf(id_text, sizeof(id_text), "%06" PRIx32, id);
		json_object_object_add(o, "port_id", json_object_new_string(id_text));
	}
	json_object_object_add(o, "proved",
			       json_object_new_boolean(seen == WHEREIS_SOURCE || seen == WHEREIS_NOWHERE));
	json_object_object_add(o, "text", json_object_new_string(whereis_text(w, text, sizeof(text))));
	return o;
}

/* ---- asking ---- */

struct look {
	struct daemon *d;
	whereis_done *done;
	void *user;
	struct work again;
	unsigned round, left; /* answers; one more while they are asked for */
	struct whereis_all all;
};

struct question {
	struct look *look;
	struct sight *sight;
};

static void ask_all(struct look *l);

static void ask_again(struct work *w)
{
	ask_all((struct look *)((char *)w - offsetof(struct look, again)));
}

static bool holds(const struct look *l)
{
	for (unsigned i = 0; i < l->all.n; i++)
		if (!whereis_judge(&l->all.name[i], NULL))
			return false;
	return true;
}

static void answered(struct look *l)
{
	if (--l->left)
		return;
	/* Not from within an answer: it may be that of a helper which has just gone. */
	if (!holds(l) && !l->round++ && !l->d->stopping) {
		work_queue(&l->d->works, &l->again);
		return;
	}
	l->done(l->user, &l->all);
	free(l);
}

static void on_answer(void *user, enum ct_answer answer, uint32_t port_id, const char *why)
{
	AUTO_FREE struct question *q = user;

	q->sight->answer = answer;
	q->sight->port_id = port_id;
	snprintf(q->sight->why, sizeof(q->sight->why), "%s", answer == CT_NO_PROOF ? why : "");
	answered(q->look);
}

static void ask(struct look *l, struct sight *s, wwn_t wwpn)
{
	struct question *q = calloc(1, sizeof(*q));

	if (!q) {
		s->answer = CT_NO_PROOF;
		strcpy(s->why, "out of memory");
		return;
	}
	*q = (struct question){l, s};
	l->left++;
	name_ask(l->d, s->parent, wwpn, on_answer, q);
}

static void ask_all(struct look *l)
{
	l->left = 1;
	for (unsigned i = 0; i < l->all.n; i++)
		for (unsigned k = 0; k < l->all.name[i].n; k++)
			ask(l, &l->all.name[i].sight[k], l->all.name[i].wwpn);
	answered(l);
}

static unsigned asked_in(const struct whereis *w, uint16_t vsan)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->n; i++)
		n += w->sight[i].vsan == vsan;
	return n;
}

static void add_parents(struct daemon *d, struct whereis *w, bool own_vsan)
{
	const struct fc_host *h;

	TAILQ_FOREACH (h, &d->inv.hosts, link) {
		const struct config_vsan *v;

		if (h->parent >= 0 || strcmp(h->state, "Online"))
			continue;
		v = placement_vsan(d, h);
		if (v && (v->number == w->vsan) == own_vsan && w->n < WHEREIS_SIGHTS &&
		    asked_in(w, v->number) < WHEREIS_PARENTS)
			w->sight[w->n++] = (struct sight){.parent = h->wwpn, .vsan = v->number};
	}
}

static void add_name(struct look *l, const struct reg_vhba *v, wwn_t wwpn, bool alternate)
{
	struct whereis *w = &l->all.name[l->all.n++];

	*w = (struct whereis){.vhba = v->index, .wwpn = wwpn, .vsan = v->vsan, .alternate = alternate};
	add_parents(l->d, w, true);
	add_parents(l->d, w, false);
}

void whereis_ask(struct daemon *d, const struct reg_vm *in, struct json_object *ticket, whereis_done *done,
		 void *user)
{
	struct look *l = calloc(1, sizeof(*l));
	unsigned n = in->vhbas_n < VM_VHBAS_MAX ? in->vhbas_n : VM_VHBAS_MAX;

	if (!l) {
		done(user, NULL);
		return;
	}
	l->d = d;
	l->done = done;
	l->user = user;
	l->again.fn = ask_again;
	for (unsigned i = 0; i < n; i++) {
		struct whereis *w = &l->all.name[i];

		add_name(l, &in->vhbas[i], in->vhbas[i].wwpn, false);
		w->told = ticket_port_id(ticket, w->vhba, &w->port_id);
	}
	for (unsigned i = 0; i < n; i++)
		if (in->vhbas[i].alternate)
			add_name(l, &in->vhbas[i], in->vhbas[i].alternate, true);
	ask_all(l);
}
