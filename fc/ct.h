/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Asking the fabric's name server by CT over BSG (FC-GS-8; scsi_transport_fc.c, scsi_bsg_fc.h).
 *
 * The question goes out from a physical host (lpfc: through the directory server as its remote port), only to
 * a live fabric: in Linux 6.1 a request that timed out looks successful, so the bytes that came back are
 * counted, and the reply must carry the question's own header.  Blocks for up to CT_TIMEOUT_MS: only in a
 * disposable child.  Packing and parsing are apart from the ioctl, for the tests.
 */
#ifndef FC_CT_H
#define FC_CT_H

#include <stddef.h>
#include <stdint.h>

#include "wwn.h"

#define CT_HEADER_LEN 16
#define CT_REQUEST_MAX 32
#define CT_REPLY_MAX 64
#define CT_TIMEOUT_MS 7000 /* the kernel's floor for BSG */

enum ct_answer {
	CT_ABSENT, /* the name server does not know what was asked for */
	CT_PRESENT, /* it does, and its answer is known */
	CT_NO_PROOF, /* no answer, or one that proves nothing */
};

/* Whose node the question goes through: the physical host's, or that of the directory server as its remote
 * port. */
enum ct_way { CT_BY_HOST, CT_BY_RPORT };

/* The GID_PN request (FC-GS-8 6.2.3.7): N_Port_ID by port name. Returns its length. */
size_t ct_pack_gid_pn(uint8_t buf[CT_REQUEST_MAX], wwn_t wwpn);

/*
 * The reply to it.  len is what was received.  *reason gets the reject's reason and explanation code (reason
 * << 8 | explanation) or 0.
 */
enum ct_answer ct_parse_gid_pn(const uint8_t *reply, size_t len, uint32_t *port_id, unsigned *reason);

/*
 * GFPN_ID (FC-GS-8 6.2.3.13): the name of the F_Port that an N_Port_ID is at, likewise.  A fabric that gives
 * a WWPN the same N_Port_ID wherever it logs in shows by that where it is.
 */
size_t ct_pack_gfpn_id(uint8_t buf[CT_REQUEST_MAX], uint32_t port_id);
enum ct_answer ct_parse_gfpn_id(const uint8_t *reply, size_t len, wwn_t *f_port, unsigned *reason);

/*
 * struct fc_bsg_request around it: where it goes, and its head once more, in words of the host's byte order:
 * qla2xxx takes the server out of the second one (qla2x00_process_ct).
 */
#define CT_BSG_LEN 44
void ct_pack_bsg(uint8_t buf[CT_BSG_LEN], enum ct_way way, const uint8_t *request);

/* Ask over an open /dev/bsg/fc_hostN, or /dev/bsg/rport-H:C-N. *error: 0 or -errno of the ioctl. */
enum ct_answer ct_gid_pn(int bsg_fd, enum ct_way way, wwn_t wwpn, uint32_t *port_id, unsigned *reason,
			 int *error);
enum ct_answer ct_gfpn_id(int bsg_fd, enum ct_way way, uint32_t port_id, wwn_t *f_port, unsigned *reason,
			  int *error);

#endif
