/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fabric as an N_Port meets it: FDISC, LOGO, and the name server. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* FC-GS-8: CT_IU preamble, and GID_PN */
enum { CT_HEADER = 16, CT_FS_TYPE = 0xfc, CT_NS_SUBTYPE = 2 };
enum { CT_GID_PN = 0x0121, CT_FS_RJT = 0x8001, CT_FS_ACC = 0x8002 };
enum { RJT_UNABLE = 0x09, RJT_NOT_SUPPORTED = 0x0b, NAME_NOT_REGISTERED = 0x02 };

struct ns_entry *ns_find(const struct fakefc *f, uint64_t wwpn, uint64_t fabric)
{
	struct ns_entry *e;

	TAILQ_FOREACH (e, &f->names, link)
		if (e->wwpn == wwpn && e->fabric == fabric)
			return e;
	return NULL;
}

void ns_add(struct fakefc *f, const struct hba *h, uint64_t wwpn, uint64_t fabric, uint32_t port_id)
{
	struct ns_entry *e = calloc(1, sizeof(*e));

	if (!e)
		abort();
	e->hba = h;
	e->wwpn = wwpn;
	e->fabric = fabric;
	e->port_id = port_id;
	TAILQ_INSERT_TAIL(&f->names, e, link);
}

void ns_drop(struct fakefc *f, struct ns_entry *e)
{
	TAILQ_REMOVE(&f->names, e, link);
	free(e);
}

/* The fabric has taken the port's LOGO: its own entry goes, not that of a later port of the same name. */
void ns_remove(struct fakefc *f, const struct fakefc_port *p)
{
	struct ns_entry *e = ns_find(f, p->wwpn, p->hba->port->fabric_name);

	if (!e || e->port_id != p->port_id)
		return;
	ns_drop(f, e);
	say(f, p, "the fabric has let it go");
}

bool fabric_answers(const struct hba *h)
{
	return h->knobs.fabric && h->knobs.link;
}

uint64_t fabric_logo_time(const struct hba *h)
{
	uint64_t most = 2 * h->knobs.r_a_tov;

	return fabric_answers(h) && h->knobs.logo < most ? h->knobs.logo : most;
}

/* ---- login ---- */

static void on_discovered(struct fakefc *f, void *obj)
{
	struct fakefc_port *p = obj;

	p->discovering = false;
	if (p->logged_in && p->hba->knobs.link)
		rports_see(f, p);
}

static void login_ended(struct fakefc *f, struct fakefc_port *p, enum fdisc_mode how)
{
	struct hba *h = p->hba;

	if (how == FDISC_OK) {
		p->logged_in = true;
		p->fabric_name = h->port->fabric_name;
		p->port_id = f->next_port_id++;
		ns_add(f, h, p->wwpn, p->fabric_name, p->port_id);
		say(f, p, "FDISC accepted, N_Port_ID %06x", p->port_id);
		vport_set_state(p->vport, VP_ACTIVE);
		timer_set(f, h->knobs.discovery, on_discovered, p);
		return;
	}
	say(f, p, "FDISC %s", how == FDISC_SILENT ? "not answered" : "rejected");
	p->discovering = false;
	h->driver->login_failed(f, p, how);
}

/*
 * A name that came through another F_Port was there first, and stays (LS_RJT 03/0d); through the same one the
 * new FDISC logs the old one out.
 */
static void on_fdisc_answer(struct fakefc *f, void *obj)
{
	struct fakefc_port *p = obj;
	enum fdisc_mode how = (enum fdisc_mode)p->hba->knobs.fdisc;
	struct ns_entry *e = ns_find(f, p->wwpn, p->hba->port->fabric_name);

	if (how == FDISC_OK && e && e->hba != p->hba)
		how = FDISC_WWN_REJECTED;
	if (how == FDISC_OK && e)
		ns_drop(f, e);
	login_ended(f, p, how);
}

static void on_fdisc_timeout(struct fakefc *f, void *obj)
{
	login_ended(f, obj, FDISC_SILENT);
}

void fabric_login(struct fakefc *f, struct fakefc_port *p)
{
	const struct hba *h = p->hba;

	fabric_login_stop(f, p);
	p->discovering = true;
	say(f, p, "FDISC");
	if (fabric_answers(h) && h->knobs.fdisc != FDISC_SILENT)
		timer_set(f, h->knobs.login, on_fdisc_answer, p);
	else
		timer_set(f, 2 * h->knobs.r_a_tov, on_fdisc_timeout, p);
}

void fabric_login_stop(struct fakefc *f, struct fakefc_port *p)
{
	p->discovering = false;
	timers_drop(f, p, on_fdisc_answer);
	timers_drop(f, p, on_fdisc_timeout);
	timers_drop(f, p, on_discovered);
}

/* ---- the name server ---- */

static void put_header(uint8_t *p, unsigned code, uint8_t reason, uint8_t explanation)
{
	memset(p, 0, CT_HEADER);
	p[0] = 1;
	p[4] = CT_FS_TYPE;
	p[5] = CT_NS_SUBTYPE;
	p[8] = (uint8_t)(code >> 8);
	p[9] = (uint8_t)code;
	p[13] = reason;
	p[14] = explanation;
}

static ssize_t gid_pn(struct fakefc *f, const struct fakefc_port *p, const uint8_t *request, uint8_t *reply,
		      size_t size)
{
	const struct ns_entry *e;
	uint64_t wwpn = 0;

	for (int i = 0; i < 8; i++)
		wwpn = wwpn << 8 | request[CT_HEADER + i];
	e = ns_find(f, wwpn, p->fabric_name);
	say(f, p, "GID_PN %016" PRIx64 ": %s", wwpn, e ? "present" : "absent");
	if (!e) {
		put_header(reply, CT_FS_RJT, RJT_UNABLE, NAME_NOT_REGISTERED);
		return CT_HEADER;
	}
	if (size < CT_HEADER + 4)
		return -EMSGSIZE;
	put_header(reply, CT_FS_ACC, 0, 0);
	reply[CT_HEADER] = 0;
	reply[CT_HEADER + 1] = (uint8_t)(e->port_id >> 16);
	reply[CT_HEADER + 2] = (uint8_t)(e->port_id >> 8);
	reply[CT_HEADER + 3] = (uint8_t)e->port_id;
	return CT_HEADER + 4;
}

/* qla2x00_process_ct, fc_lport_bsg_request */
bool fakefc_ct_address(const struct fakefc_port *p, uint32_t address, uint32_t word1)
{
	static const uint8_t directory_server[3] = {0xff, 0xff, 0xfc};

	if (p->hba->driver->ct_by_word)
		return word1 >> 24 == CT_FS_TYPE;
	return !memcmp((const uint8_t *)&address + 1, directory_server, sizeof(directory_server));
}

ssize_t fakefc_ct(struct fakefc *f, struct fakefc_port *p, bool rport, const uint8_t *request, size_t len,
		  uint8_t *reply, size_t size)
{
	if (rport == p->hba->driver->bsg_host_ct)
		return -EINVAL; /* lpfc_bsg_request, qla24xx_bsg_request: none of its codes */
	if (!fabric_answers(p->hba) || !p->logged_in || size < CT_HEADER)
		return 0;
	if (len < CT_HEADER + 8 || request[4] != CT_FS_TYPE || request[5] != CT_NS_SUBTYPE ||
	    (request[8] << 8 | request[9]) != CT_GID_PN) {
		put_header(reply, CT_FS_RJT, RJT_NOT_SUPPORTED, 0);
		return CT_HEADER;
	}
	return gid_pn(f, p, request, reply, size);
}
