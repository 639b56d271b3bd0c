# SPDX-License-Identifier: LGPL-2.1-or-later
pkglibexec_PROGRAMS += src/udev/vhba-npiv-id
src_udev_vhba_npiv_id_SOURCES = src/udev/npiv_id.c
src_udev_vhba_npiv_id_CPPFLAGS = $(INC_COMMON)
src_udev_vhba_npiv_id_LDADD = src/common/libcommon.la

TESTS += tests/npiv-id.sh
dist_check_SCRIPTS += tests/npiv-id.sh
