/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * VMs that move while their guests run, with one WWPN for each vhba.  All of the VM's I/O goes through its
 * vhba-io, which tells when the front end stops its rings and starts them: nothing else is needed of QEMU or
 * libvirt, and no channel between the hosts but the fabric.
 *
 *	source		the rings stop while the front end keeps a log of written pages: QEMU switches over.
 *			The VM is quiesced; if the rings are started again, resumed.  A quiesce that fails,
 *			or whose proof has not come, is begun again when it has ended: the destination waits
 *			for the names.
 *	destination	io.Await has registered the VM as one that arrives: its vhba-io runs with a closed
 *			gate.  The rings start: QEMU runs the guest, so the source's device has stopped.  The
 *			name server is asked until it has let the names go, then they log in here, and the
 *			gate opens.  Of a VM without vhbas it opens at once.
 *
 * What is to be done follows from what there is (live_rule), so that nothing is lost when either daemon is
 * killed: the registry has `arrives`, the back end's record `leaving`, and the back end says the rest anew.
 * Loop thread only.
 */
#ifndef VHBA_LIVE_H
#define VHBA_LIVE_H

#include "daemon.h"

/* ---- the decision, pure ---- */

struct live_seen {
	bool vhbas; /* the VM has names that log in */
	bool arrives; /* it is expected here */
	bool known; /* its back end has said the next three */
	bool rings, log, lost; /* the front end wants its rings read; keeps a log of written pages; or has
				  gone without having stopped its rings */
	bool leaving; /* it was quiesced, or is to be, because of a switch-over */
	bool due; /* that has come to nothing: it could not begin, has failed, or is not proved */
	unsigned tries; /* how often it was begun again */
	bool busy; /* an operation is under way */
	enum vm_state state;
};

enum live_action {
	LIVE_REST,
	LIVE_LEAVE, /* quiesce it */
	LIVE_AGAIN, /* once more */
	LIVE_GIVE_UP, /* no more, but for a change of its path */
	LIVE_COME_BACK, /* the guest runs here again: resume it */
	LIVE_STAYED, /* and it is resumed */
	LIVE_ARRIVE, /* wait for the names to go, attach, open the gate */
	LIVE_OPEN, /* the gate, at once */
	LIVE_ACTIONS_
};

#define LIVE_TRIES 10 /* quiesces after the first, one after the other's end */

enum live_action live_rule(const struct live_seen *seen);

/* ---- in the daemon ---- */

struct io;

/* What the name server and the own vport say of a name that leaves. */
struct live_name {
	uint32_t own; /* what the fabric knew the vport by; 0: not known */
	uint32_t now; /* what it knows the name by now */
	bool let_go; /* the vport's host shows no N_Port_ID any more */
	bool given; /* who gives it away says that the guest runs at the destination */
	/* Names of F_Ports; 0: not known. */
	wwn_t left; /* that the vport's parent was at before the guest stopped */
	wwn_t parent; /* that the parent is at now */
	wwn_t at; /* that the N_Port_ID of the name is at now */
};

/*
 * Is it where the guest goes on?  Another N_Port_ID proves that, or another F_Port: a vport is always at that
 * of its parent, and a fabric may give a name the same N_Port_ID wherever it logs in.  The parent must not
 * have moved meanwhile itself, since what the fabric has not cleared up behind it looks the same.  Two hosts
 * are at one F_Port only behind a gateway that is itself an N_Port with NPIV: there an F_Port proves nothing.
 *
 * That the vport shows no N_Port_ID any more does not: libfc takes a target's late LS_ACC for
 * that of FFFFFE when its exchange's number is used again (fc_exch_recv_seq_resp does not look who answers
 * what went to FFFFFE), so a vport may show none before the fabric has let it go.  Where
 * neither differs there is no more than the word of who gives it away.
 */
bool live_is_elsewhere(const struct live_name *n);

/* What a back end keeps of it; a part of struct io. */
struct live {
	bool known, rings, lost;
	bool leaving;
	bool due; /* the last quiesce has failed, or could not begin */
	unsigned tries;
	bool sure; /* a person knows that the source is done: that the name server can't tell is no obstacle
		    */
	bool asking; /* before a resume: whether the name is logged in elsewhere */
	wwn_t witness[VM_VHBAS_MAX]; /* by vhba: the parent that was shown its name while it was elsewhere */
	uint32_t port_id[VM_VHBAS_MAX]; /* likewise, of a VM that leaves: its own N_Port_ID then; 0: not known
					 */
	wwn_t f_port[VM_VHBAS_MAX]; /* and the F_Port that its parent was at when the migration began */
	struct work work;
	sd_event_source *timer;
	struct monotime again; /* what failed is not tried before */
	uint64_t pause_us;
	char text[160]; /* what it waits for */
};

void live_init(struct io *io);
void live_clear(struct io *io);

/* After a start of vhbad, when it is known what there is of the VM. */
void live_adopted(struct io *io);

/* The back end's word: "on|off front=yes|no|lost log=on|off at=N". */
void live_told(struct io *io, const char *text);

/* Something has changed that the rule goes by. */
void live_look(struct daemon *d, const char *uuid);
/* A quiesce, resume or release of it was answered, whoever asked; failed: it was a quiesce, and has. */
void live_answered(struct daemon *d, const char *uuid, bool failed);
/* An event of that Scsi_Host, or of any (-1): what was given up on its vports, or below it, may succeed now.
 */
void live_path(struct daemon *d, int host);

/* Of a VM that arrives: who was shown that name; 0: nobody. */
wwn_t live_witness(const struct daemon *d, const char *uuid, unsigned vhba);
bool live_is_sure(const struct daemon *d, const char *uuid);
bool live_leaves(const struct daemon *d, const char *uuid);
/* Of a VM that leaves, also after a restart, when the vport may be gone: what the fabric knew it by; 0: not
 * known. */
uint32_t live_port_id(const struct daemon *d, const char *uuid, unsigned vhba);
/* Likewise: the F_Port that its parent was at. */
wwn_t live_f_port(const struct daemon *d, const char *uuid, unsigned vhba);
/* The front end has begun a log of written pages: a migration may follow. The fabric is asked for the above,
 * long before it matters. */
void live_f_ports_ask(struct io *io);
/* What its guest waits for, for a person; NULL: nothing any more. */
void live_waits(struct daemon *d, const char *uuid, const char *text);

/* An operator's word, or the source's ticket, on a VM that arrives and has vhbas. False: it is no such VM. */
bool live_open(struct daemon *d, const struct reg_vm *rv);

/* io.Await */
void method_io_await(struct daemon *d, struct call *call, struct json_object *p);

#endif
