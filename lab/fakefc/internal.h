/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the model's own files share.  Data goes one way: attr.c and command.c (what somebody writes) -> call.c
 * (a verb's steps, of the driver's own file) -> transport.c (what scsi_transport_fc.c makes of it) -> io.c
 * and the tree.
 */
#ifndef FAKEFC_INTERNAL_H
#define FAKEFC_INTERNAL_H

#include <stdio.h>

#include "fakefc.h"

#define MSEC USEC_PER_MSEC
#define SEC USEC_PER_SEC
#define STEP_END UINT64_MAX

/* enum fc_vport_state: qla2xxx returns FC_VPORT_FAILED, 9, where an errno is meant. */
enum vport_state {
	VP_UNKNOWN,
	VP_ACTIVE,
	VP_DISABLED,
	VP_LINKDOWN,
	VP_INITIALIZING,
	VP_NO_FABRIC_SUPPORT,
	VP_NO_FABRIC_RESOURCES,
	VP_FABRIC_LOGOUT,
	VP_FABRIC_REJ_WWN,
	VP_FAILED,
	VP_STATES
};

enum rport_state { RP_ONLINE, RP_BLOCKED, RP_NOT_PRESENT };
enum target_mode { TARGET_OK, TARGET_HUNG, TARGET_OFFLINE };
enum fdisc_mode { FDISC_OK, FDISC_SILENT, FDISC_WWN_REJECTED, FDISC_NO_RESOURCES };
enum mailbox_mode { MAILBOX_OK, MAILBOX_INTERRUPTED, MAILBOX_FAILED };

enum verb { VERB_CREATE, VERB_DELETE, VERB_DISABLE, VERB_ENABLE, VERBS };

struct call;
struct fakefc_port;
typedef uint64_t step_fn(struct fakefc *f, struct call *c); /* us until the next step, or STEP_END */
#define STEPS_MAX 6

struct driver {
	const char *name;
	const char *proc_name; /* NULL: the kernel prints "(null)" */
	unsigned vports_max;
	const struct attr *parent_attrs, *vport_host_attrs; /* fc_host */
	const struct attr *rport_attrs, *vport_attrs;
	step_fn *verbs[VERBS][STEPS_MAX];
	void (*login_failed)(struct fakefc *f, struct fakefc_port *p, enum fdisc_mode how);
	const char *(*port_state)(const struct fakefc_port *p);
	bool sees_directory_server; /* as an rport */
	bool terminates_io; /* has a terminate_rport_io */
	bool aborts_late; /* by ABTS, each taking its time */
	bool ct_by_word; /* the server by the preamble's second word, not by its address */
	bool bsg_host_ct; /* FC_BSG_HST_CT on the host; else FC_BSG_RPT_CT on the directory server */
};

extern const struct driver driver_lpfc, driver_qla2xxx, driver_qedf, driver_bnx2fc;

/* What command.c sets of an HBA; durations in us. */
struct knobs {
	uint64_t link, npiv, fabric_npiv, fabric, rediscovering; /* flags */
	uint64_t host_alloc; /* flag: a Scsi_Host can be had */
	uint64_t mailbox; /* enum mailbox_mode */
	uint64_t fdisc; /* enum fdisc_mode */
	uint64_t vpis; /* lpfc: max_vpi */
	uint64_t r_a_tov, login, discovery, logo, mailbox_time, abort, vp_ctrl, sessions, loop_resync, upload;
};

struct timer {
	TAILQ_ENTRY(timer) link;
	struct monotime at;
	void (*fn)(struct fakefc *f, void *obj);
	void *obj;
};

TAILQ_HEAD(timer_list, timer);

struct target {
	TAILQ_ENTRY(target) link;
	uint64_t wwpn, wwnn, fabric;
	uint32_t port_id;
	uint64_t luns, mode, service; /* enum target_mode; us a command */
};

TAILQ_HEAD(target_list, target);

/* Commands that were submitted together. */
struct batch {
	TAILQ_ENTRY(batch) link;
	struct fakefc_lun *lun;
	uint64_t n;
};

TAILQ_HEAD(batch_list, batch);

struct fakefc_lun {
	TAILQ_ENTRY(fakefc_lun) link;
	struct rport *rport;
	unsigned number, index; /* index: of its sd and sg */
	const char *state;
	struct batch_list batches; /* in the driver: device_busy */
	uint64_t parked; /* given back by the driver, waiting in the mid-layer */
	bool aborting;
	struct node *device, *node;
};

TAILQ_HEAD(lun_list, fakefc_lun);

struct rport {
	TAILQ_ENTRY(rport) link;
	struct fakefc_port *port;
	struct target *target; /* NULL: the fabric's directory server */
	uint64_t wwpn, wwnn;
	uint32_t port_id;
	unsigned number, target_id;
	enum rport_state state;
	bool fast_failed;
	int fast_io_fail; /* s; -1: off */
	unsigned dev_loss; /* s */
	struct lun_list luns;
	struct node *device, *target_device;
	struct node *bsg; /* of lpfc's physical port */
};

TAILQ_HEAD(rport_list, rport);

/* An N_Port and its Scsi_Host. */
struct fakefc_port {
	struct hba *hba;
	struct vport *vport; /* NULL: the physical one */
	int host;
	uint64_t wwpn, wwnn, fabric_name;
	uint32_t port_id;
	bool logged_in; /* by FLOGI or FDISC */
	bool discovering; /* between FDISC and the last PLOGI */
	unsigned dev_loss, next_rport, next_target;
	struct rport_list rports;
	struct node *device, *bsg;
};

struct vport {
	TAILQ_ENTRY(vport) link;
	struct hba *hba;
	struct fakefc_port *port; /* NULL before the driver has made it */
	unsigned number;
	uint64_t wwpn, wwnn;
	enum vport_state state, last_state;
	bool creating, deleting;
	bool unloading; /* lpfc: FC_UNLOADING, which a delete that fails leaves behind */
	char symbolic_name[65];
	struct node *device;
};

TAILQ_HEAD(vport_list, vport);

struct hba {
	TAILQ_ENTRY(hba) link;
	const struct driver *driver;
	struct fakefc_port *port;
	struct vport_list vports;
	unsigned next_vport, inuse;
	struct knobs knobs;
};

TAILQ_HEAD(hba_list, hba);

/* A verb under way, and the write(2) that waits for it. */
struct call {
	TAILQ_ENTRY(call) link;
	struct vport *vport;
	enum verb verb;
	unsigned step, polls;
	bool done; /* of a step that tells it to a later one */
	void *cookie; /* NULL: nobody waits */
	ssize_t result; /* 0 or what the driver returns */
	size_t len;
};

TAILQ_HEAD(call_list, call);

/* A name that the fabric's name server knows; it outlives a port that went without a LOGO. */
struct ns_entry {
	TAILQ_ENTRY(ns_entry) link;
	uint64_t wwpn, fabric;
	uint32_t port_id;
	const struct hba *hba; /* behind its F_Port; NULL: a target's */
};

TAILQ_HEAD(ns_list, ns_entry);

struct fakefc {
	struct fakefc_ops ops;
	struct tree tree;
	struct monotime now, began;
	struct timer_list timers;
	struct hba_list hbas;
	struct target_list targets;
	struct call_list calls;
	struct ns_list names;
	int next_host;
	unsigned next_disk;
	uint32_t next_port_id;
	uint64_t completed, cut_off; /* commands that ended well, and that were failed back */
	char *log;
	size_t log_size;
	FILE *log_file;
};

/* fakefc.c */
void say(struct fakefc *f, const struct fakefc_port *p, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void timer_set(struct fakefc *f, uint64_t us, void (*fn)(struct fakefc *f, void *obj), void *obj);
void timers_drop(struct fakefc *f, const void *obj,
		 void (*fn)(struct fakefc *f, void *obj)); /* fn NULL: all of obj */
struct hba *hba_find(const struct fakefc *f, int host);
struct fakefc_port *port_find(const struct fakefc *f, int host);

/* call.c */
uint64_t call_ends(struct call *c, ssize_t result); /* a step's STEP_END, with that result */
ssize_t call_begin(struct fakefc *f, struct vport *v, enum verb verb, const struct write *w);
void calls_hurry(struct fakefc *f, const struct hba *h); /* what they wait for has come */

/* transport.c */
const char *vport_state_name(enum vport_state s);
void vport_set_state(struct vport *v, enum vport_state s);
struct vport *vport_new(struct fakefc *f, struct hba *h, uint64_t wwpn,
			uint64_t wwnn); /* NULL: out of memory */
void vport_free(struct fakefc *f, struct vport *v);
struct hba *hba_new(struct fakefc *f, const struct driver *d, int host, uint64_t wwpn, uint64_t wwnn,
		    uint64_t fabric);
void hba_free(struct fakefc *f, struct hba *h);
int port_new(struct fakefc *f, struct vport *v); /* 0 or -ENOMEM */
void port_free(struct fakefc *f, struct fakefc_port *p);
void rport_block(struct fakefc *f, struct rport *r); /* fc_remote_port_delete */
void rports_block(struct fakefc *f, struct fakefc_port *p);
void rport_see_directory(struct fakefc *f, struct fakefc_port *p);
void rports_see(struct fakefc *f, struct fakefc_port *p); /* discovery: every target that is there */

/* fabric.c */
struct ns_entry *ns_find(const struct fakefc *f, uint64_t wwpn, uint64_t fabric);
void ns_add(struct fakefc *f, const struct hba *h, uint64_t wwpn, uint64_t fabric, uint32_t port_id);
void ns_drop(struct fakefc *f, struct ns_entry *e);
void ns_remove(struct fakefc *f, const struct fakefc_port *p);
void fabric_login(struct fakefc *f, struct fakefc_port *p); /* FDISC, then discovery */
void fabric_login_stop(struct fakefc *f, struct fakefc_port *p);
bool fabric_answers(const struct hba *h);
/* How long a LOGO to FFFFFE waits for its accept, at most 2 x R_A_TOV. */
uint64_t fabric_logo_time(const struct hba *h);

/* io.c */
uint64_t lun_busy(const struct fakefc_lun *l);
void io_submit(struct fakefc *f, struct fakefc_lun *l, uint64_t n);
void io_abort(struct fakefc *f, struct rport *r); /* as its driver aborts: now, or by ABTS */
void io_abort_port(struct fakefc *f, struct fakefc_port *p);
void io_flush(struct fakefc *f, struct rport *r); /* now, whatever the driver */
void io_unpark(struct fakefc *f, struct rport *r); /* the rport is back */
void io_fail_parked(struct fakefc *f, struct rport *r);
void io_target_changed(struct fakefc *f, struct target *t);
void luns_see(struct fakefc *f, struct rport *r); /* SCSI scan */
void luns_drop(struct fakefc *f, struct rport *r);
void luns_state(struct rport *r, const char *state);

/* attr.c */
extern const struct attr lun_attrs[], scsi_host_attrs[], disk_attrs[], top_attrs[];
extern const struct attr sg_attrs[], bsg_host_attrs[], bsg_rport_attrs[]; /* device nodes */

#endif
