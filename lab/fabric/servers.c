/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fabric's servers but the name server: login server (FFFFFE: FLOGI, FDISC, LOGO by FIP), and the ELS
 * that the directory server (FFFFFC), the fabric controller (FFFFFD) and the other well-known addresses
 * answer.
 */
#include <string.h>

#include "core.h"
#include "fc.h"
#include "fip.h"
#include "wwn_text.h"

/* FC-LS-2 table 144; libfc's fc_lport_flogi_resp reads these. */
#define FEATURES_F_PORT (0x1000 | 0x2000) /* N_Port/F_Port bit; NPIV assignment */
#define FEATURES_N_PORT 0x8800 /* continuously increasing relative offset; alternate BB credit */
#define PAYLOAD_MIN 256

struct refusal {
	uint8_t reason, explanation;
	const char *why;
};

static void refuse(struct fabric *f, const struct fip_request *r, const struct frame *req, uint64_t wwpn,
		   const struct refusal *why)
{
	struct frame *fr = reply_ls_rjt(req, why->reason, why->explanation);
	char name[WWN_TEXT_SIZE];

	flog_add(f, "rejected", r->vsan, NULL, "%s of %s on %s rejected %02x/%02x: %s",
		 r->els_desc == FIP_DESC_FLOGI	 ? "FLOGI"
		 : r->els_desc == FIP_DESC_FDISC ? "FDISC"
						 : "LOGO",
		 wwn_format(wwpn, name), r->port->name, why->reason, why->explanation, why->why);
	if (fr)
		fport_fip_reply(f, r, fr, NULL);
	frame_free(fr);
}

/* Whether the new login of a WWPN may take the place of the old one. */
static bool replaces(const struct fabric *f, const struct enode *e, const struct login *old)
{
	if (e && old->enode == e)
		return old->npiv; /* its own, by FDISC again */
	return f->second_wins && !old->array;
}

static void replace(struct fabric *f, const struct enode *e, struct login *old)
{
	struct enode *of = old->enode;

	if (of == e) {
		login_end(f, old, "implicit: FDISC again");
		return;
	}
	fport_clear_links(f, of, &old, 1);
	login_end(f, old, "implicit: its WWPN logged in elsewhere");
	enode_free_if_empty(of);
}

static bool port_full(const struct fport *p, const struct login *leaving)
{
	unsigned stay = p->logins - (leaving && leaving->enode && leaving->enode->port == p);

	return p->login_limit && stay >= p->login_limit;
}

/* Whether the login can be; ends what it replaces, and nothing if it cannot. e: its ENode, NULL for FLOGI. */
static bool admit(struct fabric *f, const struct fip_request *r, struct enode *e,
		  const struct login_request *q, struct refusal *no)
{
	struct login *old = vsan_login_by_wwpn(r->vsan, q->wwpn);

	if (old && !replaces(f, e, old)) {
		*no = (struct refusal){LS_RJT_LOGICAL, LS_EXPL_INVALID_PORT_NAME,
				       "its WWPN is logged in already"};
		return false;
	}
	if (port_full(r->port, old)) {
		*no = (struct refusal){LS_RJT_UNABLE, LS_EXPL_RESOURCES, "the port's login limit is reached"};
		return false;
	}
	if (old)
		replace(f, e, old);
	return true;
}

static void accept(struct fabric *f, const struct fip_request *r, const struct frame *req,
		   const struct login *l)
{
	struct frame *fr = reply_login(req, FEATURES_F_PORT, fport_max_payload(r->port), fport_wwpn(l),
				       r->vsan->fabric_wwn);
	uint8_t mac[MAC_LEN];

	if (!fr)
		return;
	put_be24(fr->data + FC_D_ID, l->id);
	put_be32(frame_payload(fr) + LOGIN_R_A_TOV, f->r_a_tov_ms);
	put_be32(frame_payload(fr) + LOGIN_E_D_TOV, f->e_d_tov_ms);
	fpma(mac, l->id);
	fport_fip_reply(f, r, fr, mac);
	frame_free(fr);
}

static bool login_parse(const struct frame *req, struct login_request *q, struct refusal *no)
{
	const uint8_t *p = req->data + FC_HEADER_LEN;

	if (frame_payload_len(req) < LOGIN_LEN) {
		*no = (struct refusal){LS_RJT_PROTOCOL, LS_EXPL_LENGTH, "its payload is too short"};
		return false;
	}
	q->wwpn = get_be64(p + LOGIN_WWPN);
	q->wwnn = get_be64(p + LOGIN_WWNN);
	q->max_payload = get_be16(p + LOGIN_BB_DATA) & 0xfff & ~3;
	if (!q->wwpn || !q->wwnn) {
		*no = (struct refusal){LS_RJT_LOGICAL, LS_EXPL_INVALID_PORT_NAME, "a nil name"};
		return false;
	}
	if (q->max_payload < PAYLOAD_MIN || q->max_payload > FC_PAYLOAD_MAX) {
		*no = (struct refusal){LS_RJT_LOGICAL, LS_EXPL_NONE, "receive data field size out of range"};
		return false;
	}
	return true;
}

static void flogi(struct fabric *f, const struct fip_request *r, const struct frame *req)
{
	struct enode *e = enode_find(r->port, r->vsan, r->mac);
	struct login_request q = {};
	struct refusal no;
	struct login *l;

	if (!login_parse(req, &q, &no)) {
		refuse(f, r, req, q.wwpn, &no);
		return;
	}
	if (e)
		enode_end(f, e, "implicit: FLOGI again", false);
	if (!admit(f, r, NULL, &q, &no)) {
		refuse(f, r, req, q.wwpn, &no);
		return;
	}
	q.enode = enode_new(f, r->port, r->vsan, r->mac);
	l = q.enode ? login_new(f, r->vsan, &q) : NULL;
	if (l) {
		accept(f, r, req, l);
		return;
	}
	if (q.enode)
		enode_free_if_empty(q.enode);
	no = (struct refusal){LS_RJT_UNABLE, LS_EXPL_RESOURCES, "no N_Port_ID is left"};
	refuse(f, r, req, q.wwpn, &no);
}

static void fdisc(struct fabric *f, const struct fip_request *r, const struct frame *req)
{
	struct enode *e = enode_find(r->port, r->vsan, r->mac);
	struct login_request q = {.npiv = true};
	struct refusal no;
	struct login *l;

	if (!login_parse(req, &q, &no)) {
		refuse(f, r, req, q.wwpn, &no);
		return;
	}
	if (!e) {
		no = (struct refusal){LS_RJT_LOGICAL, LS_EXPL_LOGIN_REQUIRED, "its ENode has not done FLOGI"};
		refuse(f, r, req, q.wwpn, &no);
		return;
	}
	if (!admit(f, r, e, &q, &no)) {
		refuse(f, r, req, q.wwpn, &no);
		return;
	}
	q.enode = e;
	l = login_new(f, r->vsan, &q);
	if (l) {
		accept(f, r, req, l);
		return;
	}
	no = (struct refusal){LS_RJT_UNABLE, LS_EXPL_RESOURCES, "no N_Port_ID is left"};
	refuse(f, r, req, q.wwpn, &no);
}

static void logo(struct fabric *f, const struct fip_request *r, const struct frame *req)
{
	struct enode *e = enode_find(r->port, r->vsan, r->mac);
	struct login *l = vsan_login_by_id(r->vsan, get_be24(req->data + FC_S_ID));
	uint8_t mac[MAC_LEN];
	struct frame *fr;

	if (!e || !l || l->enode != e) {
		struct refusal no = {LS_RJT_LOGICAL, LS_EXPL_INVALID_S_ID, "its S_ID is not logged in here"};

		refuse(f, r, req, 0, &no);
		return;
	}
	fpma(mac, l->id);
	login_end(f, l, "LOGO");
	enode_free_if_empty(e);
	fr = reply_new(req, RCTL_ELS_REP, FCID_LOGIN, 4);
	if (!fr)
		return;
	frame_payload(fr)[0] = ELS_LS_ACC;
	fport_fip_reply(f, r, fr, mac);
	frame_free(fr);
}

static const struct {
	uint8_t desc, els;
	void (*fn)(struct fabric *, const struct fip_request *, const struct frame *);
} fip_els[] = {
	{FIP_DESC_FLOGI, ELS_FLOGI, flogi},
	{FIP_DESC_FDISC, ELS_FDISC, fdisc},
	{FIP_DESC_LOGO, ELS_LOGO, logo},
};

void login_server(struct fabric *f, const struct fip_request *r, const struct frame *req)
{
	if (r->vsan->silent) {
		flog_add(f, "silent", r->vsan, NULL, "FIP login request on %s not answered", r->port->name);
		return;
	}
	if (req->data[FC_R_CTL] != RCTL_ELS_REQ || get_be24(req->data + FC_D_ID) != FCID_LOGIN)
		return;
	for (size_t i = 0; i < sizeof(fip_els) / sizeof(fip_els[0]); i++)
		if (fip_els[i].desc == r->els_desc && fip_els[i].els == req->data[FC_HEADER_LEN])
			fip_els[i].fn(f, r, req);
}

static struct frame *ls_acc(const struct frame *req, size_t len)
{
	struct frame *fr = reply_new(req, RCTL_ELS_REP, get_be24(req->data + FC_D_ID), len);

	if (fr)
		frame_payload(fr)[0] = ELS_LS_ACC;
	return fr;
}

static uint64_t server_wwpn(const struct login *from, const struct frame *req)
{
	return from->vsan->fabric_wwn ^ UINT64_C(0x3000000000000000) ^ (uint64_t)req->data[FC_D_ID + 2] << 48;
}

static struct frame *els_plogi(struct fabric *f, struct login *from, const struct frame *req)
{
	uint32_t id = get_be24(req->data + FC_D_ID);

	if (frame_payload_len(req) < LOGIN_LEN)
		return reply_ls_rjt(req, LS_RJT_PROTOCOL, LS_EXPL_LENGTH);
	if (id != FCID_DIRECTORY && id != FCID_FABRIC_CONTROLLER)
		return reply_ls_rjt(req, LS_RJT_UNSUPPORTED, LS_EXPL_NONE);
	return reply_login(req, FEATURES_N_PORT, fport_max_payload(from->enode->port), server_wwpn(from, req),
			   from->vsan->fabric_wwn);
}

static struct frame *els_logo(struct fabric *f, struct login *from, const struct frame *req)
{
	return ls_acc(req, 4);
}

static struct frame *els_prlo(struct fabric *f, struct login *from, const struct frame *req)
{
	struct frame *fr;

	if (frame_payload_len(req) < 20)
		return reply_ls_rjt(req, LS_RJT_PROTOCOL, LS_EXPL_LENGTH);
	fr = ls_acc(req, 20);
	if (!fr)
		return NULL;
	memcpy(frame_payload(fr) + 4, req->data + FC_HEADER_LEN + 4, 16);
	frame_payload(fr)[1] = 16;
	put_be16(frame_payload(fr) + 2, 20);
	frame_payload(fr)[6] = 0x01; /* request executed */
	return fr;
}

static struct frame *els_scr(struct fabric *f, struct login *from, const struct frame *req)
{
	uint8_t function;

	if (get_be24(req->data + FC_D_ID) != FCID_FABRIC_CONTROLLER)
		return reply_ls_rjt(req, LS_RJT_UNSUPPORTED, LS_EXPL_NONE);
	if (frame_payload_len(req) < 8)
		return reply_ls_rjt(req, LS_RJT_PROTOCOL, LS_EXPL_LENGTH);
	function = req->data[FC_HEADER_LEN + 7];
	if (function != 255 && (function < 1 || function > 3))
		return reply_ls_rjt(req, LS_RJT_LOGICAL, LS_EXPL_NONE);
	from->scr = function == 255 ? 0 : function;
	return ls_acc(req, 4);
}

static struct frame *els_rtv(struct fabric *f, struct login *from, const struct frame *req)
{
	struct frame *fr = ls_acc(req, 16);

	if (!fr)
		return NULL;
	put_be32(frame_payload(fr) + 4, f->r_a_tov_ms);
	put_be32(frame_payload(fr) + 8, f->e_d_tov_ms);
	return fr;
}

static struct frame *els_echo(struct fabric *f, struct login *from, const struct frame *req)
{
	struct frame *fr = ls_acc(req, frame_payload_len(req));

	if (fr)
		memcpy(frame_payload(fr) + 4, req->data + FC_HEADER_LEN + 4, frame_payload_len(req) - 4);
	return fr;
}

static struct frame *els_adisc(struct fabric *f, struct login *from, const struct frame *req)
{
	struct frame *fr = ls_acc(req, 28);
	uint8_t *p;

	if (!fr)
		return NULL;
	p = frame_payload(fr);
	put_be64(p + 8, server_wwpn(from, req));
	put_be64(p + 16, from->vsan->fabric_wwn);
	put_be24(p + 25, get_be24(req->data + FC_D_ID));
	return fr;
}

static const struct {
	uint8_t els;
	struct frame *(*fn)(struct fabric *, struct login *, const struct frame *);
} server_els[] = {
	{ELS_PLOGI, els_plogi}, {ELS_LOGO, els_logo}, {ELS_PRLO, els_prlo},   {ELS_SCR, els_scr},
	{ELS_RTV, els_rtv},	{ELS_ECHO, els_echo}, {ELS_ADISC, els_adisc},
};

static void els_input(struct fabric *f, struct login *from, const struct frame *req)
{
	if (req->data[FC_R_CTL] != RCTL_ELS_REQ || frame_payload_len(req) < 4)
		return; /* the answer to an RSCN */
	for (size_t i = 0; i < sizeof(server_els) / sizeof(server_els[0]); i++) {
		if (server_els[i].els == req->data[FC_HEADER_LEN]) {
			fabric_emit(f, server_els[i].fn(f, from, req));
			return;
		}
	}
	fabric_emit(f, reply_ls_rjt(req, LS_RJT_UNSUPPORTED, LS_EXPL_NONE));
}

void servers_input(struct fabric *f, struct login *from, const struct frame *req)
{
	if (from->array)
		return; /* a built-in target is registered by the fabric itself */
	if (from->vsan->silent) {
		flog_add(f, "silent", from->vsan, from, "request to %06x not answered",
			 get_be24(req->data + FC_D_ID));
		return;
	}
	if (req->data[FC_R_CTL] == RCTL_BA_ABTS)
		fabric_emit(f, reply_ba_acc(req));
	else if (req->data[FC_TYPE] == FC_TYPE_ELS)
		els_input(f, from, req);
	else if (req->data[FC_TYPE] == FC_TYPE_CT && get_be24(req->data + FC_D_ID) == FCID_DIRECTORY)
		ns_input(f, from, req);
}
