# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += lab/fabric/libtarget.la
lab_fabric_libtarget_la_SOURCES = \
	lab/fabric/frame.c lab/fabric/frame.h \
	lab/fabric/lun.c lab/fabric/lun.h lab/fabric/lun_notice.c lab/fabric/lun_private.h \
	lab/fabric/pr.c lab/fabric/pr.h lab/fabric/pr_in.c \
	lab/fabric/scsi.c lab/fabric/scsi.h lab/fabric/scsi_block.c lab/fabric/scsi_inquiry.c lab/fabric/scsi_misc.c \
	lab/fabric/scsi_private.h \
	lab/fabric/target.c lab/fabric/target.h lab/fabric/target_execute.c lab/fabric/target_exchange.c \
	lab/fabric/target_fault.c lab/fabric/target_login.c lab/fabric/target_private.h lab/fabric/target_send.c \
	lab/fabric/target_show.c lab/fabric/target_ua.c
lab_fabric_libtarget_la_CPPFLAGS = $(INC_COMMON) $(INC_FABRIC)
lab_fabric_libtarget_la_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
lab_fabric_libtarget_la_LIBADD = $(JSONC_LIBS)
