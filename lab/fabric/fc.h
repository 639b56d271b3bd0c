/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers of the Fibre Channel standards that the switch's layers share: FC-FS-3 (headers), FC-LS-2 (ELS),
 * FC-GS-6 (common transport and name server).
 */
#ifndef FABRIC_FC_H
#define FABRIC_FC_H

/* Well-known addresses. */
#define FCID_FABRIC_CONTROLLER 0xfffffdu
#define FCID_DIRECTORY 0xfffffcu
#define FCID_LOGIN 0xfffffeu
#define FCID_WELL_KNOWN 0xfffff0u /* this and above */

/* R_CTL. */
#define RCTL_SOL_DATA 0x01
#define RCTL_CT_REQ 0x02
#define RCTL_CT_REP 0x03
#define RCTL_FCP_XFER_RDY 0x05
#define RCTL_FCP_CMND 0x06
#define RCTL_FCP_RSP 0x07
#define RCTL_ELS_REQ 0x22
#define RCTL_ELS_REP 0x23
#define RCTL_BLS 0x80 /* and above, up to 0x8f */
#define RCTL_BA_ABTS 0x81
#define RCTL_BA_ACC 0x84
#define RCTL_BA_RJT 0x85

#define FC_TYPE_BLS 0x00
#define FC_TYPE_ELS 0x01
#define FC_TYPE_FCP 0x08
#define FC_TYPE_CT 0x20

/* F_CTL. */
#define FCTL_EX_CTX 0x800000u
#define FCTL_FIRST_SEQ 0x200000u
#define FCTL_LAST_SEQ 0x100000u
#define FCTL_END_SEQ 0x080000u
#define FCTL_SEQ_INIT 0x010000u
#define FCTL_FILL 0x000003u
#define FCTL_REQUEST (FCTL_FIRST_SEQ | FCTL_END_SEQ | FCTL_SEQ_INIT)
#define FCTL_RESPONSE (FCTL_EX_CTX | FCTL_LAST_SEQ | FCTL_END_SEQ)

#define XID_UNKNOWN 0xffff

/* ELS commands. */
#define ELS_LS_RJT 0x01
#define ELS_LS_ACC 0x02
#define ELS_PLOGI 0x03
#define ELS_FLOGI 0x04
#define ELS_LOGO 0x05
#define ELS_RTV 0x0e
#define ELS_RLS 0x0f
#define ELS_ECHO 0x10
#define ELS_RRQ 0x12
#define ELS_REC 0x13
#define ELS_PRLI 0x20
#define ELS_PRLO 0x21
#define ELS_PDISC 0x50
#define ELS_FDISC 0x51
#define ELS_ADISC 0x52
#define ELS_RSCN 0x61
#define ELS_SCR 0x62

/* LS_RJT reason codes and explanations, FC-LS-2 table 22. */
#define LS_RJT_LOGICAL 0x03
#define LS_RJT_PROTOCOL 0x07
#define LS_RJT_UNABLE 0x09
#define LS_RJT_UNSUPPORTED 0x0b
#define LS_EXPL_NONE 0x00
#define LS_EXPL_INVALID_PORT_NAME 0x0d
#define LS_EXPL_INVALID_S_ID 0x15
#define LS_EXPL_LOGIN_REQUIRED 0x1e
#define LS_EXPL_RESOURCES 0x29
#define LS_EXPL_LENGTH 0x2d

/* A login's payload (FLOGI, FDISC, PLOGI): offsets from the ELS command. */
#define LOGIN_LEN 116
#define LOGIN_FEATURES 8
#define LOGIN_BB_DATA 10
#define LOGIN_R_A_TOV 12
#define LOGIN_E_D_TOV 16
#define LOGIN_WWPN 20
#define LOGIN_WWNN 28
#define LOGIN_CLASS3 68

/* Common transport. */
#define CT_HEADER_LEN 16
#define CT_DIRECTORY 0xfc
#define CT_NAME_SERVER 0x02
#define CT_ACCEPT 0x8002
#define CT_REJECT 0x8001
#define CT_RJT_IU_SIZE 0x04
#define CT_RJT_UNABLE 0x09
#define CT_RJT_UNSUPPORTED 0x0b
#define CT_EXPL_NONE 0x00
#define CT_EXPL_PORT_ID 0x01
#define CT_EXPL_PORT_NAME 0x02
#define CT_EXPL_NODE_NAME 0x03
#define CT_EXPL_FC4_TYPES 0x07
#define CT_EXPL_PORT_TYPE 0x0a
#define CT_EXPL_DENIED 0xf0

#define ETHERTYPE_FCOE_FRAME 0x8906
#define ETHERTYPE_FIP 0x8914

#endif
