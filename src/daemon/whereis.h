/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Before a VM comes here: where the fabric has its names.  Each name server that this host's own ports can
 * ask is asked, in every configured VSAN, since a name that is live in another VSAN than its own is not the
 * source's.
 *
 * What a name server shows to a port is bounded by zoning, and nothing but the source itself knows which
 * N_Port_ID it has.  So only what contradicts is refused: a name at two N_Port_IDs, in another VSAN, at
 * another N_Port_ID than the ticket says, or live at all where the ticket says that it is not, and an
 * alternate name that is live anywhere.  The rest is said, and fails nothing.  Loop thread only.
 */
#ifndef VHBA_WHEREIS_H
#define VHBA_WHEREIS_H

#include <json-c/json.h>

#include "ct.h"
#include "daemon.h"

#define WHEREIS_PARENTS 2 /* that are asked in each VSAN: two of one fabric are mostly at two switches */
#define WHEREIS_SIGHTS 16
#define WHEREIS_TEXT 256

/* What one parent was told. */
struct sight {
	wwn_t parent;
	uint16_t vsan; /* the parent's */
	enum ct_answer answer;
	uint32_t port_id;
	char why[160]; /* no proof */
};

/* One name. */
struct whereis {
	unsigned vhba;
	wwn_t wwpn;
	uint16_t vsan; /* in which it may be live */
	bool alternate; /* it logs in here, and is to be live nowhere until then */
	bool told; /* the source has said where it is live: */
	uint32_t port_id; /* 0: nowhere */
	unsigned n;
	struct sight sight[WHEREIS_SIGHTS];
};

/* ---- the decision, pure ---- */

/* False with *e: it is certainly live elsewhere than on the source. */
bool whereis_judge(const struct whereis *w, struct verror *e);

enum whereis_seen {
	WHEREIS_SOURCE, /* where the ticket says that the source has it */
	WHEREIS_SEEN, /* somewhere, and the ticket does not say where it should be */
	WHEREIS_HIDDEN, /* nobody here is shown it, and it is or may be live */
	WHEREIS_NOWHERE, /* likewise, and the ticket says that it is live nowhere */
	WHEREIS_UNKNOWN, /* no name server could be asked */
};

/* Of one that is not refused. */
enum whereis_seen whereis_seen(const struct whereis *w, uint32_t *port_id);
/* One line for a person. */
const char *whereis_text(const struct whereis *w, char *buf, size_t size);

/* ---- in the daemon ---- */

/* Of each vhba, and after them those of their alternate names. */
struct whereis_all {
	unsigned n;
	struct whereis name[2 * VM_VHBAS_MAX];
};
typedef void whereis_done(void *user, const struct whereis_all *all);

/*
 * Asks for all names of the ticket's VM.  What speaks against one is asked for a second time: the name may
 * have logged in anew between two answers.  done is called once, perhaps before this returns; NULL: no
 * memory.
 */
void whereis_ask(struct daemon *d, const struct reg_vm *in, struct json_object *ticket, whereis_done *done,
		 void *user);

/* An entry of preflight's "names"; the caller owns it. */
struct json_object *whereis_show(const struct whereis *w);

#endif
