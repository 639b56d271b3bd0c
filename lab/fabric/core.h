/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fabric's state, shared by its layers. Who calls whom, one way only:
 *   command, fabric -> fport (F_Ports: FIP) -> servers (login, directory, controller) -> login -> rscn, array
 *   -> zone, rule -> flog, outbox
 * A layer that wants to send an FC frame puts it on the fabric's pending queue; fabric.c routes it when the
 * layer has returned, so that nothing re-enters. The time is fabric.now, set at each entry.
 */
#ifndef FABRIC_CORE_H
#define FABRIC_CORE_H

#include "ether.h"
#include "fabric.h"
#include "frame.h"
#include "wwn_hash.h"

#define VSANS_OF_PORT_MAX 16
#define DOMAIN_FIRST 1
#define DOMAIN_LAST 239
#define MSEC 1000u
#define SEC 1000000u

struct array;
struct enode;
struct fport;
struct vsan;
struct zone;

/* An N_Port that is logged in to the fabric, and what the name server knows about it. */
struct login {
	struct hash_entry by_wwpn, by_id;
	TAILQ_ENTRY(login) of_vsan;
	LIST_ENTRY(login) of_enode;
	struct vsan *vsan;
	struct enode *enode; /* NULL: a built-in target */
	struct array *array; /* NULL: behind a switch port */
	uint64_t wwpn, wwnn;
	uint32_t id;
	uint64_t since_us, seen_us; /* seen_us: the VN_Port's last keep-alive */
	uint16_t max_payload;
	bool npiv; /* by FDISC */
	uint8_t scr; /* registration function; 0: none */
	uint8_t fc4_types[32];
	uint8_t fc4_features[128];
	char port_symbol[256], node_symbol[256];
};

TAILQ_HEAD(login_list, login);

/* An Ethernet address behind a switch port that has logged in, in one VSAN. */
struct enode {
	LIST_ENTRY(enode) link;
	LIST_HEAD(, login) logins;
	struct fport *port;
	struct vsan *vsan;
	uint8_t mac[MAC_LEN];
	uint64_t seen_us;
};

struct fport_vsan {
	struct vsan *vsan;
	uint64_t advert_us; /* the next unsolicited advertisement */
};

struct fport {
	char name[32];
	unsigned index;
	enum port_kind kind;
	char address[108];
	bool carrier, admin_up;
	unsigned mtu;
	unsigned login_limit; /* 0: none */
	unsigned logins;
	struct fport_vsan vsans[VSANS_OF_PORT_MAX];
	unsigned n_vsans;
	struct vsan *native; /* of untagged frames; may be NULL */
	LIST_HEAD(, enode) enodes;
	uint64_t frames_in, frames_out, bad;
};

struct vsan {
	TAILQ_ENTRY(vsan) link;
	uint16_t id, vlan;
	char name[32];
	uint64_t fabric_wwn;
	uint8_t domain;
	uint16_t next_id; /* where the search for a free N_Port_ID goes on */
	uint16_t next_xid;
	bool permit; /* what is in no zone may talk */
	bool silent; /* its servers don't answer */
	struct login_list logins;
	unsigned n_logins;
	struct hash wwpns, ids; /* of logins */
	struct hash kept; /* struct kept_id, by WWPN; only while N_Port_IDs are persistent */
	TAILQ_HEAD(, zone) zones;
	struct hash zone_wwpns, zone_pairs;
	uint64_t dropped_zoning, dropped_no_port;
};

TAILQ_HEAD(vsan_list, vsan);
TAILQ_HEAD(ether_out_list, ether_out);
TAILQ_HEAD(rule_list, rule);
TAILQ_HEAD(arrays, array);
TAILQ_HEAD(lun_name_list, lun_name);
TAILQ_HEAD(delayed_list, delayed);

struct flog;

struct fabric {
	uint64_t now;
	struct vsan_list vsans;
	struct fport **ports;
	unsigned n_ports;
	struct arrays arrays;
	struct lun_name_list luns;
	struct rule_list rules;
	unsigned next_rule;
	struct delayed_list delayed; /* by time */
	struct ether_out_list outbox;
	struct frame_queue pending; /* frames from the servers and the targets, to be routed */
	struct flog *log;
	uint32_t fka_ms, vn_ka_ms, e_d_tov_ms, r_a_tov_ms;
	bool second_wins; /* of two logins of one WWPN */
	bool keeps_ids; /* N_Port_IDs are persistent: a WWPN gets the one that it had */
	unsigned lose_rscns;
	uint64_t expiry_us; /* the next look for silent ENodes and VN_Ports */
};

/* vsan.c */
struct vsan *vsan_new(struct fabric *f, uint16_t id);
void vsan_free(struct vsan *v);
struct vsan *vsan_find(struct fabric *f, uint16_t id);
struct login *vsan_login_by_id(struct vsan *v, uint32_t id);
struct login *vsan_login_by_wwpn(struct vsan *v, uint64_t wwpn);
uint32_t vsan_free_id(struct vsan *v); /* 0: none is left */
/* The one that this WWPN has had, from then on its own; 0: none is left, or memory is short. */
uint32_t vsan_kept_id(struct vsan *v, uint64_t wwpn);

/* zone.c */
struct zone_member {
	TAILQ_ENTRY(zone_member) of_zone, of_wwpn;
	struct hash_entry pair;
	struct zone *zone;
	uint64_t wwpn;
	bool principal;
};
struct zone {
	TAILQ_ENTRY(zone) link;
	TAILQ_HEAD(, zone_member) members;
	struct vsan *vsan;
	uint32_t serial;
	char name[64];
	unsigned principals;
};
int zone_add(struct vsan *v, const char *name, uint64_t wwpn, bool principal); /* -EEXIST, -ENOMEM */
int zone_remove(struct vsan *v, const char *name, uint64_t wwpn); /* -ENOENT */
struct zone *zone_find(struct vsan *v, const char *name);
void zone_delete(struct zone *z);
bool zone_shared(struct vsan *v, uint64_t a, uint64_t b);
/* The peers of a WWPN that are logged in, each perhaps more than once: calls nothing, fills list. Returns the
 * number; *list is malloc'ed. */
size_t zone_peers(struct vsan *v, uint64_t wwpn, struct login ***list);

/* login.c: what a login and its end change */
struct login_request {
	uint64_t wwpn, wwnn;
	uint16_t max_payload;
	bool npiv;
	struct enode *enode;
	struct array *array;
};
/* NULL: no N_Port_ID is left, or memory is short. */
struct login *login_new(struct fabric *f, struct vsan *v, const struct login_request *r);
/* how: "LOGO", "implicit: ..." for the log. The ENode stays. */
void login_end(struct fabric *f, struct login *l, const char *how);
struct enode *enode_find(struct fport *p, struct vsan *v, const uint8_t *mac);
struct enode *enode_new(struct fabric *f, struct fport *p, struct vsan *v, const uint8_t *mac);
/* All its logins end; with clear, a Clear Virtual Link is sent first. The ENode is freed. */
void enode_end(struct fabric *f, struct enode *e, const char *how, bool clear);
void enode_free_if_empty(struct enode *e);

/* rscn.c */
void rscn_changed(struct fabric *f, struct vsan *v, uint64_t wwpn, uint32_t id);
/* Tell "to" that the port "about" changed. */
void rscn_send(struct fabric *f, struct login *to, uint32_t about);

/* ns.c: a CT request to FFFFFC */
void ns_input(struct fabric *f, struct login *from, const struct frame *req);

/* servers.c */
/* FLOGI, FDISC, LOGO that came by FIP. */
struct fip_request {
	struct fport *port;
	struct vsan *vsan;
	uint8_t mac[MAC_LEN];
	uint8_t els_desc;
};
void login_server(struct fabric *f, const struct fip_request *r, const struct frame *req);
/* A frame to a well-known address. */
void servers_input(struct fabric *f, struct login *from, const struct frame *req);

/* reply.c */
/* A new frame that answers req, of the given payload length; NULL when memory is short. */
struct frame *reply_new(const struct frame *req, uint8_t r_ctl, uint32_t s_id, size_t payload_len);
struct frame *reply_ls_rjt(const struct frame *req, uint8_t reason, uint8_t explanation);
struct frame *reply_ba_acc(const struct frame *req);
struct frame *reply_ba_rjt(const struct frame *req, uint8_t reason, uint8_t explanation);
struct frame *reply_ct_rjt(const struct frame *req, uint8_t reason, uint8_t explanation);
/* A login's accept (FLOGI, FDISC, PLOGI): common and class 3 service parameters. */
struct frame *reply_login(const struct frame *req, uint16_t features, uint16_t max_payload, uint64_t wwpn,
			  uint64_t wwnn);

/* outbox.c */
void fabric_emit(struct fabric *f, struct frame *fr); /* takes fr, which may be NULL */
/* eth of len bytes, copied. */
void fabric_send_eth(struct fabric *f, struct fport *p, const uint8_t *eth, size_t len);

/* array.c: the built-in targets */
const char *array_name(const struct array *a);
void array_input(struct fabric *f, struct array *a, const struct frame *fr);
void arrays_nport_gone(struct fabric *f, struct vsan *v, uint32_t id, const char *why);
/* Take what the targets want to send and to say. True if there was anything. */
bool arrays_pump(struct fabric *f);
void arrays_run(struct fabric *f);
uint64_t arrays_deadline(const struct fabric *f);
void arrays_free(struct fabric *f);
/* One row each, as "show targets" and "show exchanges" print them. */
struct json_object *arrays_json(const struct fabric *f);
struct json_object *arrays_exchanges_json(const struct fabric *f);
/* Targets that no longer share a zone with a peer lose its nexus. */
void arrays_zoning_changed(struct fabric *f, struct vsan *v, uint64_t wwpn);

/* fport.c */
struct fport *fport_new(struct fabric *f, const char *name, enum port_kind kind, const char *address);
struct fport *fport_find(struct fabric *f, const char *name);
void fport_free(struct fport *p);
int fport_add_vsan(struct fabric *f, struct fport *p, struct vsan *v); /* -ENOSPC */
bool fport_up(const struct fport *p);
struct vsan *fport_vsan_of_vlan(struct fport *p, uint16_t vlan); /* NULL: none */
void fport_mac(const struct fport *p, const struct vsan *v, uint8_t mac[MAC_LEN]);
uint16_t fport_tag(const struct fport *p, const struct vsan *v);
/* The largest FC payload that the port's MTU lets through, a multiple of 4. */
uint16_t fport_max_payload(const struct fport *p);
/* The name of the F_Port that a login is at, which is what the port is in this VSAN. */
uint64_t fport_wwpn(const struct login *l);
void fport_fip_input(struct fabric *f, struct fport *p, const struct ether_view *e);
void fport_fip_reply(struct fabric *f, const struct fip_request *r, const struct frame *reply,
		     const uint8_t *granted);
void fport_clear_links(struct fabric *f, struct enode *e, struct login *const *l, size_t n);
void fport_send(struct fabric *f, struct login *to, const struct frame *fr);
void fport_down(struct fabric *f, struct fport *p, const char *how, bool clear);
void fport_run(struct fabric *f, struct fport *p); /* advertisements */
void fport_expire(struct fabric *f, struct fport *p);

/* forward.c */
void forward_input(struct fabric *f, struct fport *p, const struct ether_view *e);
/* Route a frame of a server or a target. */
void forward_frame(struct fabric *f, const struct frame *fr);
/* What a rule has kept back goes on, also when its sender (src_wwpn; 0: a server) has logged out meanwhile.
 */
void forward_delayed(struct fabric *f, const struct frame *fr, uint64_t src_wwpn);

/* flog.c: the event log */
struct flog *flog_new(void);
void flog_free(struct flog *l);
/* v and l may be NULL. */
void flog_add(struct fabric *f, const char *event, const struct vsan *v, const struct login *l,
	      const char *fmt, ...) __attribute__((format(printf, 5, 6)));
const char *flog_next_line(struct flog *l);
struct json_object *flog_json(const struct flog *l, size_t max);
char *flog_text(const struct flog *l, size_t max); /* malloc'ed */

#endif
