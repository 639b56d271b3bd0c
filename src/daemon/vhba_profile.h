/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a vhba's driver asks for: fc/profile.h applied to a vhba on its parent.  Loop thread only. */
#ifndef VHBA_VHBA_PROFILE_H
#define VHBA_VHBA_PROFILE_H

#include "daemon.h"
#include "privq.h"
#include "profile.h"
#include "quiesce.h"
#include "vm.h"

/* By the parent's driver as sysfs shows it; the unknown driver's when there is no parent. Never NULL. */
const struct fc_profile *vhba_profile(const struct daemon *d, const struct vm_vhba *v);

/* Setting fast_io_fail_tmo on all target rports takes so long at most, and a look at what is proved. */
#define PROFILE_FAST_FAIL_US (10 * USEC_PER_MSEC)
#define PROFILE_VERIFY_US (5 * USEC_PER_MSEC)

/* The machine's bounds for a vport with so many target rports. */
void vhba_profile_quiesce(const struct fc_profile *p, uint64_t r_a_tov_us, unsigned rports,
			  struct quiesce_profile *q);

/*
 * More patience when so many other VMs are logged out at the same time: the kernel works them off one after
 * the other, and a harder stop would take its place in the same queue.
 */
void vhba_profile_crowd(unsigned others, struct quiesce_profile *q);

/*
 * vport_delete by vhba-priv, as privq_call.  While it is answered by EAGAIN (the driver puts it off, or SCSI
 * error handling must end first) it is asked again until timeout_us is over: only for what nobody wants to
 * keep meanwhile.
 */
void vhba_delete(struct daemon *d, struct priv_request *q, uint64_t timeout_us, privq_done *done, void *user);

/* Fill *e from a vport_create that failed, in the words of that driver; returns its kind. */
enum vhba_error_kind vhba_create_error(const struct fc_profile *p, const struct priv_reply *r, unsigned index,
				       struct verror *e);

/*
 * A disable that was taken (0) proves nothing with some drivers (FC_PROOF_STATE): is the vport Disabled?  If
 * not, false with what is seen in text.
 */
bool vhba_is_disabled(const struct daemon *d, const struct fc_profile *p, const struct vm_vhba *v, char *text,
		      size_t size);

#endif
