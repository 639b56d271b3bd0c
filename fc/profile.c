/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of drivers. Each figure names the function of Linux 6.1 that it is read from. */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "profile.h"

#define NEVER_ALL (FC_NEVER_LIP | FC_NEVER_DEVICE_DELETE | FC_NEVER_EH_DEADLINE | FC_NEVER_BSG_HUNG)
#define NEVER_OFFLOAD (NEVER_ALL | FC_NEVER_BSG_VPORT)

/*
 * fc_rport_enter_delete queues each rport's end on rport_event_queue, which has one worker (fc_setup_rport);
 * for each LUN it waits for an RCU grace period (scsi_target_block).  One is worked off while the others are
 * on their way there.
 */
#define LOGOUTS_LIBFC 4

/* scsi_transport_fc.c: fc_vport_setup, store_fc_host_vport_create. */
static const struct fc_errno errno_any[] = {
	{ENOSPC, VHBA_E_CONSTRAINT, "the parent carries as many vports as it can (max_npiv_vports)",
	 "use another parent in this VSAN, or detach a VM from this one"},
	{EINVAL, VHBA_E_IO, "the kernel takes no such WWPN:WWNN", "look at the kernel's log"},
	{EBUSY, VHBA_E_BUSY, "the vport is being created or deleted", "try again"},
	{ENODEV, VHBA_E_NOT_FOUND, "the parent is gone, or can't have vports", "see 'vhbactl parent list'"},
	{0},
};

#define DUPLICATE "the parent or a vport on it carries this WWPN already"
#define DUPLICATE_FIX "see 'vhbactl parent list'; a vport that is not ours is deleted by who made it"

/* fcoe_validate_vport_create; fcoe_if_create. */
static const struct fc_errno errno_fcoe[] = {
	{EINVAL, VHBA_E_EXISTS, DUPLICATE, DUPLICATE_FIX},
	{EIO, VHBA_E_IO, "fcoe could not make the vport's host", "look at the kernel's log"},
	{0},
};

/* bnx2fc_vport_create */
static const struct fc_errno errno_bnx2fc[] = {
	{EINVAL, VHBA_E_EXISTS, DUPLICATE, DUPLICATE_FIX},
	{EIO, VHBA_E_IO, "the HBA's firmware is not ready, or bnx2fc could not make the vport's host",
	 "wait until the parent is Online; look at the kernel's log"},
	{0},
};

/* qedf_vport_create: unlike the others it wants the link up. */
static const struct fc_errno errno_qedf[] = {
	{EINVAL, VHBA_E_EXISTS, DUPLICATE, DUPLICATE_FIX},
	{EIO, VHBA_E_IO, "the parent's link is down", "see 'vhbactl parent list': it must be Online"},
	{0},
};

/*
 * qla24xx_vport_create_req_sanity_check (VPCERR_*).  When the host can't be made qla24xx_vport_create returns
 * FC_VPORT_FAILED, which is 9: the write looks as if it had taken 9 bytes, and vhba-priv makes EIO of it.
 */
static const struct fc_errno errno_qla2xxx[] = {
	{ENOTUNIQ, VHBA_E_EXISTS, DUPLICATE, DUPLICATE_FIX},
	{EOPNOTSUPP, VHBA_E_CONSTRAINT, "the switch does not offer NPIV on this port",
	 "enable NPIV on the switch port"},
	{ENOSYS, VHBA_E_CONSTRAINT, "the HBA or its firmware has no NPIV, or no room for another vport",
	 "update the firmware, or use another parent"},
	{EIO, VHBA_E_IO, "qla2xxx could not make the vport's host (a write of 9 bytes)",
	 "look at the kernel's log"},
	{0},
};

/* lpfc_vport_create: VPORT_ERROR is -1, VPORT_INVAL -2, VPORT_NORESOURCES -4, and read as errnos. */
static const struct fc_errno errno_lpfc[] = {
	{ENOENT, VHBA_E_EXISTS, DUPLICATE ", or NPIV is off, or lpfc takes no such WWN",
	 "see 'vhbactl parent list', and messages 1808, 1821 and 1823 in the kernel's log"},
	{EINTR, VHBA_E_CONSTRAINT, "the HBA is out of VPIs, or of what else a vport needs",
	 "use another parent in this VSAN, or detach a VM from this one"},
	{EPERM, VHBA_E_IO, "lpfc was interrupted while it made the vport", "try again"},
	{0},
};

const struct fc_profile fc_profiles[] = {
	{
		/*
		 * fcoe_vport_disable: fc_fabric_logoff sends and does not wait for the wire; measured 20..146
		 * ms under emulation.  Commands fail back about 30 ms after its write began.
		 * fcoe_vport_destroy: under RTNL and fcoe_config_mutex, 105..170 ms.  __fc_vport_setlink
		 * leaves alone an lport in state DISABLED only, which one is not whose LOGO nobody answered.
		 * fc_lun_reset (fc_fcp.c) waits 10 s for the answer to its LUN reset and then ends the
		 * exchange that it has sent it on; fc_exch_mgr_reset has freed that one if the port was
		 * logged out meanwhile, and fc_tm_done does not take it back.
		 * fc_fcp_cleanup_each_cmd, which a delete calls, ends exchanges without its lock: that of a
		 * command which completes just then has been freed.
		 * A logout and a command's own end at the same time can deadlock: fc_exch_mgr_reset calls
		 * fc_fcp_recv, which under the command's lock waits in fc_seq_set_resp for the other one,
		 * which waits for that lock.  So what a target ends by itself is let end first.
		 */
		.family = "libfc",
		.drivers = {"fcoe"},
		.hides_disabled = true,
		.login_sticks = true,
		.frees_resets = true,
		.disable_first = true,
		.abort = FC_ABORT_LOCAL,
		.proof = FC_PROOF_RPORTS | FC_PROOF_PORT_ID | FC_PROOF_BUSY,
		.shared = FC_SHARED_RTNL,
		.never = NEVER_ALL,
		.disable = {.ms = 150},
		.delete = {.ms = 200},
		.patience_ms = 850,
		.usual = {.ms = 50},
		.logouts = LOGOUTS_LIBFC,
		.escalate_ms = 300,
		.create = errno_fcoe,
	},
	{
		/*
		 * As libfc, and each session is uploaded under hba_mutex (bnx2fc_upload_session): 3 s for its
		 * disable, 1200 x 25 ms for its commands (bnx2fc_flush_active_ios), 3 s for its destruction.
		 * bnx2fc_vport_destroy does the same again; RTNL is held by the creation alone.
		 */
		.family = "bnx2fc",
		.drivers = {"bnx2fc"},
		.hides_disabled = true,
		.login_sticks = true,
		.abort = FC_ABORT_CLEANUP,
		.proof = FC_PROOF_RPORTS | FC_PROOF_PORT_ID | FC_PROOF_BUSY,
		.shared = FC_SHARED_HBA,
		.never = NEVER_ALL,
		.disable = {.ms = 500, .ms_per_rport = 36000},
		.delete = {.ms = 1000, .ms_per_rport = 36000},
		.patience_ms = 1000,
		.usual = {.ms = 500, .ms_per_rport = 100},
		.logouts = LOGOUTS_LIBFC,
		.create = errno_bnx2fc,
		.note = "its targets are logged out one after the other, for all vports of the HBA",
	},
	{
		/* qedf_flush_active_ios: 60 x 500 ms a session, then its upload (destroy_conn). No RTNL. */
		.family = "qedf",
		.drivers = {"qedf"},
		.hides_disabled = true,
		.login_sticks = true,
		.abort = FC_ABORT_CLEANUP,
		.proof = FC_PROOF_RPORTS | FC_PROOF_PORT_ID | FC_PROOF_BUSY,
		.shared = FC_SHARED_HBA,
		.never = NEVER_ALL,
		.disable = {.ms = 500, .ms_per_rport = 32000},
		.delete = {.ms = 1000, .ms_per_rport = 32000},
		.patience_ms = 1000,
		.usual = {.ms = 500, .ms_per_rport = 100},
		.logouts = LOGOUTS_LIBFC,
		.create = errno_qedf,
		.note = "a vport can be created on a parent whose link is up only",
	},
	{
		/*
		 * disable_vport: LOGO to FFFFFE, waited for 2 x R_A_TOV (lpfc_send_npiv_logo), then
		 * lpfc_sli_host_down sends an ABTS a command; one that nobody answers is given up after 2 x
		 * R_A_TOV.  Disabled is set last, but not at all while a delete has begun (FC_UNLOADING), and
		 * 0 is returned all the same. lpfc_vport_delete: 3 x R_A_TOV + 3 s until discovery is over,
		 * or EAGAIN; then DA_ID and LOGO, each 2 x R_A_TOV, and lpfc_discovery_wait, again 3 x
		 * R_A_TOV + 3 s.  lpfc_bsg_request serves no FC_BSG_HST_CT.
		 */
		.family = "lpfc",
		.drivers = {"lpfc"},
		.logo_first = true,
		.drain_first = true,
		.delete_again = true,
		.ct_by_rport = true,
		.abort = FC_ABORT_ABTS,
		.proof = FC_PROOF_RPORTS | FC_PROOF_STATE | FC_PROOF_BUSY,
		.never = NEVER_OFFLOAD,
		.disable = {.ms = 500, .r_a_tov = 2},
		.delete = {.ms = 7000, .r_a_tov = 10},
		.abort_after = {.r_a_tov = 2},
		.patience_ms = 1000,
		.usual = {.ms = 500},
		.create = errno_lpfc,
		.note = "with a fabric that is silent its commands wait for the LOGO's end before they are "
			"aborted",
	},
	{
		/*
		 * qla24xx_disable_vp: VP_CTRL with LOGO_ALL, 2 x R_A_TOV + 2 s (qla2x00_get_async_timeout),
		 * sessions 10 s (qla2x00_wait_for_sess_deletion), about 25 s where the chip is reset.  It
		 * returns 0 whatever came of it: vport_state says Disabled, or VPort Failed.
		 * qla24xx_vport_delete waits without end while the loop resynchronises, then does the same,
		 * and 10 s for its references.
		 */
		.family = "qla2xxx",
		.drivers = {"qla2xxx"},
		.drain_first = true,
		.abort = FC_ABORT_FLUSH,
		.proof = FC_PROOF_RPORTS | FC_PROOF_STATE | FC_PROOF_BUSY,
		.shared = FC_SHARED_RESET,
		.never = NEVER_ALL,
		.disable = {.ms = 37000, .r_a_tov = 2},
		.delete = {.unbounded = true},
		.patience_ms = 1000,
		.usual = {.ms = 1000},
		.create = errno_qla2xxx,
		.note = "a logout that the firmware does not end resets the HBA with all its vports",
	},
	{
		.family = "unknown",
		.logo_first = true,
		.drain_first = true,
		.abort = FC_ABORT_UNKNOWN,
		.proof = FC_PROOF_RPORTS | FC_PROOF_BUSY,
		.shared = FC_SHARED_RTNL | FC_SHARED_HBA | FC_SHARED_RESET,
		.never = NEVER_OFFLOAD,
		.disable = {.ms = 37000, .r_a_tov = 2, .ms_per_rport = 36000},
		.delete = {.unbounded = true},
		.abort_after = {.r_a_tov = 2},
		.patience_ms = 1000,
		.usual = {.ms = 1000},
		.create = errno_any,
		.note = "nothing is known of this driver: the worst of the known ones is assumed",
	},
};
const size_t fc_profiles_n = ARRAY_SIZE(fc_profiles);

const struct fc_profile *fc_profile_find(const char *driver)
{
	for (size_t i = 0; i < fc_profiles_n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(fc_profiles[i].drivers) && fc_profiles[i].drivers[k]; k++)
			if (!strcmp(fc_profiles[i].drivers[k], driver))
				return &fc_profiles[i];
	return &fc_profiles[fc_profiles_n - 1];
}

uint64_t fc_bound_us(const struct fc_bound *b, uint64_t r_a_tov_us, unsigned rports)
{
	if (b->unbounded)
		return UINT64_MAX;
	return UINT64_C(1000) * b->ms + b->r_a_tov * r_a_tov_us + UINT64_C(1000) * b->ms_per_rport * rports;
}

static const struct fc_errno *find_errno(const struct fc_errno *list, int err)
{
	for (; list->err; list++)
		if (list->err == err)
			return list;
	return NULL;
}

const struct fc_errno *fc_create_errno(const struct fc_profile *p, int err)
{
	const struct fc_errno *e = find_errno(p->create, err);

	return e ? e : find_errno(errno_any, err);
}

/* ---- words ---- */

const char *fc_abort_text(enum fc_abort a)
{
	static const char *const texts[] = {
		[FC_ABORT_UNKNOWN] = "not known",
		[FC_ABORT_LOCAL] = "exchanges are reset locally, without ABTS",
		[FC_ABORT_CLEANUP] = "exchanges are reset locally, and the firmware cleans up each session",
		[FC_ABORT_FLUSH] = "the firmware flushes the commands with the LOGO",
		[FC_ABORT_ABTS] = "an ABTS a command, after the fabric's LOGO, ending after the call",
	};

	return (unsigned)a < ARRAY_SIZE(texts) ? texts[a] : "?";
}

static const char *bit_text(const char *const *texts, size_t n, unsigned mask)
{
	for (size_t i = 0; i < n; i++)
		if (mask & 1U << i)
			return texts[i];
	return "";
}

const char *fc_proof_text(enum fc_proof one_bit)
{
	static const char *const texts[] = {
		"no target rport is Online",
		"port_id is 0",
		"vport_state is Disabled",
		"device_busy is 0",
	};

	return bit_text(texts, ARRAY_SIZE(texts), one_bit);
}

const char *fc_shared_text(enum fc_shared one_bit)
{
	static const char *const texts[] = {
		"a delete holds RTNL: host networking waits meanwhile",
		"logouts of one HBA's vports are serial",
		"one that fails may reset the HBA with all its vports",
	};

	return bit_text(texts, ARRAY_SIZE(texts), one_bit);
}

const char *fc_never_text(enum fc_never one_bit)
{
	static const char *const texts[] = {
		"issue_lip on a vport's host",	     "delete of a SCSI device", "eh_deadline",
		"BSG to a port that may not answer", "BSG on a vport's host",
	};

	return bit_text(texts, ARRAY_SIZE(texts), one_bit);
}

/* ---- what must never be done ---- */

bool fc_may_write(const char *path)
{
	static const char *const never[] = {"issue_lip", "delete", "eh_deadline"};
	const char *last = strrchr(path, '/');

	last = last ? last + 1 : path;
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (!strcmp(last, never[i]))
			return false;
	return true;
}

bool fc_may_ask_fabric(const struct fc_profile *p, bool physical, const char *port_state)
{
	if (p->never & FC_NEVER_BSG_HUNG && strcmp(port_state, "Online"))
		return false;
	return physical || !(p->never & FC_NEVER_BSG_VPORT);
}
