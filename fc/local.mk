# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += %D%/libvhbafc.la
%C%_libvhbafc_la_SOURCES = \
	%D%/ct.c %D%/ct.h \
	%D%/events.c %D%/events.h \
	%D%/fc_sysfs.c %D%/fc_sysfs.h %D%/fc_sysfs_lun.c \
	%D%/inventory.c %D%/inventory.h \
	%D%/netdev.c %D%/netdev.h \
	%D%/profile.c %D%/profile.h \
	%D%/vpd.c %D%/vpd.h \
	%D%/wwn.c %D%/wwn.h
%C%_libvhbafc_la_CPPFLAGS = $(INC_FC)
%C%_libvhbafc_la_CFLAGS = $(AM_CFLAGS) $(UDEV_CFLAGS) $(NL_CFLAGS)
%C%_libvhbafc_la_LIBADD = src/common/libcommon.la $(UDEV_LIBS) $(NL_LIBS)
