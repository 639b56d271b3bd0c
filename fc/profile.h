/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What differs between the kernel's FC drivers, as data: one entry a family, read from the sources of
 * Linux 6.1. Who logs a vport out, creates or deletes one, or asks the fabric, looks it up here instead of
 * knowing a driver. All of it is const; thread-safe.
 */
#ifndef FC_PROFILE_H
#define FC_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vhba/errors.h>

/* FC-FS-5, and what fabrics use where nobody has changed it. */
#define FC_R_A_TOV_US UINT64_C(10000000)

/* What ends the commands that are in flight when the vport is disabled. */
enum fc_abort {
	FC_ABORT_UNKNOWN,
	FC_ABORT_LOCAL, /* libfc resets the exchanges: implicit, no ABTS */
	FC_ABORT_CLEANUP, /* libfc, and the firmware cleans up each session before the call returns */
	FC_ABORT_FLUSH, /* the firmware flushes them with the LOGO */
	FC_ABORT_ABTS, /* an ABTS a command, after the fabric's LOGO, ends after the call has returned */
};

/* What shows that a disable is complete, a mask. The name server's word comes on top of it, with every
 * driver. */
enum fc_proof {
	FC_PROOF_RPORTS = 1, /* target rports leave Online */
	FC_PROOF_PORT_ID = 2, /* port_id and fabric_name become 0: FFFFFE has accepted the LOGO */
	FC_PROOF_STATE = 4, /* vport_state is Disabled: set last, and only by a disable that was done */
	FC_PROOF_BUSY = 8, /* device_busy of every LUN is 0 */
};

/* What an action of one VM does to the others, a mask. */
enum fc_shared {
	FC_SHARED_RTNL = 1, /* a create or delete holds RTNL: host networking waits, and they are serial */
	FC_SHARED_HBA = 2, /* disables of one HBA are serial */
	FC_SHARED_RESET =
		4, /* a disable or delete that fails resets the chip, hence every vport of the HBA */
};

/* What must never be done, a mask. */
enum fc_never {
	FC_NEVER_LIP = 1, /* issue_lip on a vport's host: it resets the physical port */
	FC_NEVER_DEVICE_DELETE =
		2, /* a SCSI device's delete: SYNCHRONIZE CACHE to a dead target, up to 180 s */
	FC_NEVER_EH_DEADLINE = 4, /* eh_deadline: on expiry the whole HBA is reset; lpfc's vports refuse it */
	FC_NEVER_BSG_HUNG =
		8, /* BSG to a port that may not answer: no answer looks like one, and may oops later */
	FC_NEVER_BSG_VPORT = 16, /* BSG on a vport's host: the driver serves the physical port alone */
};

/* The longest that a call blocks: the sum of its parts. */
struct fc_bound {
	uint32_t ms;
	uint32_t r_a_tov; /* times R_A_TOV */
	uint32_t ms_per_rport;
	bool unbounded; /* waits for something that has no time of its own */
};

/* An errno of vport_create or vport_delete as this driver means it. */
struct fc_errno {
	int err; /* positive; 0 ends a list */
	enum vhba_error_kind kind;
	const char *means;
	const char *fix;
};

struct fc_profile {
	const char *family; /* "libfc" */
	const char *drivers[4]; /* as fc_host's driver is told: "fcoe"; none: the unknown driver */
	bool logo_first; /* the fabric's LOGO goes out, and is waited for, before any command is aborted */
	bool drain_first; /* commands left at the disable cost far more than waiting for them */
	bool delete_again; /* EAGAIN of a delete: only another delete helps, a disable does nothing and says
			      so to none */
	bool hides_disabled; /* a parent that logs in anew gives a vport that is logged out another state than
				Disabled, and an enable then does nothing: it has to be disabled again first
			      */
	bool login_sticks; /* a login that loses the name server in the middle is neither ended nor begun anew
			    */
	bool frees_resets; /* a disable or delete during SCSI error handling takes the kernel down: it frees
			      the exchange of a LUN reset that is waited for, and is used afterwards */
	bool disable_first; /* a delete of what has commands in flight races with their completion */
	bool ct_by_rport; /* CT goes through the directory server's rport alone (FC_BSG_RPT_CT) */
	enum fc_abort abort;
	unsigned proof; /* enum fc_proof */
	unsigned shared; /* enum fc_shared */
	unsigned never; /* enum fc_never */
	struct fc_bound disable, delete;
	struct fc_bound abort_after; /* from the disable's end until the commands have ended */
	uint32_t patience_ms; /* beyond the disable's bound, before the hard stop */
	struct fc_bound usual; /* a disable when the fabric answers */
	uint32_t logouts; /* disables at once that are of use: more slow each other down; 0: any number */
	uint32_t escalate_ms; /* commands in flight for so long after an abort's disable: a delete ends them;
				 0: it does not either */
	const struct fc_errno *create; /* before fc_errno_any */
	const char *note; /* for a person: what to know before the first quiesce */
};

/* The last entry is the unknown driver: the worst of all. */
extern const struct fc_profile fc_profiles[];
extern const size_t fc_profiles_n;

/* By the driver's name as in fc_host's driver; never NULL. */
const struct fc_profile *fc_profile_find(const char *driver);

/* In microseconds; UINT64_MAX: unbounded. */
uint64_t fc_bound_us(const struct fc_bound *b, uint64_t r_a_tov_us, unsigned rports);

/* What an errno (positive) of vport_create means; NULL: no more than strerror(3) says. */
const struct fc_errno *fc_create_errno(const struct fc_profile *p, int err);

const char *fc_abort_text(enum fc_abort a);
/* Names of the bits of a mask: the lowest, "" for none; what has a text for each bit. */
const char *fc_proof_text(enum fc_proof one_bit);
const char *fc_shared_text(enum fc_shared one_bit);
const char *fc_never_text(enum fc_never one_bit);

/*
 * May this path below the sysfs root be written?  False for the attributes that no driver's vport survives or
 * returns from (FC_NEVER_LIP, _DEVICE_DELETE, _EH_DEADLINE), whatever the driver.
 */
bool fc_may_write(const char *path);

/*
 * May a question go out by BSG on this host?  Only to a fabric that is there, from a physical port:
 * port_state as fc_host shows it.  What a remote port is asked may hang: this is for the fabric's own
 * services.
 */
bool fc_may_ask_fabric(const struct fc_profile *p, bool physical, const char *port_state);

#endif
