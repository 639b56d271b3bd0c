# SPDX-License-Identifier: LGPL-2.1-or-later
# The only folder that links libvirt.
noinst_LTLIBRARIES += %D%/libvirtside.la
%C%_libvirtside_la_SOURCES = \
	%D%/devxml.c %D%/devxml.h \
	%D%/domain.c %D%/domain.h \
	%D%/domxml.c \
	%D%/follow.c \
	%D%/job.c %D%/job.h \
	%D%/leave.c \
	%D%/link.c \
	%D%/links.c %D%/links.h \
	%D%/lv.c %D%/lv.h \
	%D%/lvconn.c \
	%D%/mend.c %D%/mend.h %D%/mend_loop.c \
	%D%/move.c %D%/move.h %D%/move_job.c \
	%D%/notes.c %D%/notes.h \
	%D%/pool.c %D%/pool.h \
	%D%/poolxml.c %D%/poolxml.h \
	%D%/task.c %D%/task.h \
	%D%/virt.c %D%/virt.h
%C%_libvirtside_la_CPPFLAGS = $(INC_VIRT)
%C%_libvirtside_la_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(SYSTEMD_CFLAGS) $(LIBVIRT_CFLAGS) $(LIBXML_CFLAGS)
%C%_libvirtside_la_LIBADD = src/domain/libdomain.la src/lib/libvhba.la src/proto/libproto.la src/common/libcommon.la \
	$(JSONC_LIBS) $(SYSTEMD_LIBS) $(LIBVIRT_LIBS) $(LIBXML_LIBS)

sbin_PROGRAMS += %D%/vhba-virt
%C%_vhba_virt_SOURCES = %D%/main.c
%C%_vhba_virt_CPPFLAGS = $(INC_VIRT) -DVHBA_VERSION='"$(VERSION)"'
%C%_vhba_virt_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(SYSTEMD_CFLAGS) $(LIBVIRT_CFLAGS)
%C%_vhba_virt_LDFLAGS = $(AM_LDFLAGS) $(PROG_LDFLAGS)
%C%_vhba_virt_LDADD = %D%/libvirtside.la

EXTRA_DIST += tests/tsan.supp
check_PROGRAMS += tests/ut-move tests/ut-virt tests/ut-virt-loop
TESTS += tests/ut-move tests/ut-virt tests/ut-virt-loop
tests_ut_move_SOURCES = tests/ut-move.c
tests_ut_move_CPPFLAGS = $(INC_VIRT) $(INC_TESTS)
tests_ut_move_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(SYSTEMD_CFLAGS) $(LIBVIRT_CFLAGS)
tests_ut_move_LDADD = tests/libut.la src/virt/libvirtside.la
tests_ut_virt_SOURCES = tests/ut-virt.c
tests_ut_virt_CPPFLAGS = $(INC_VIRT) $(INC_TESTS)
tests_ut_virt_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(SYSTEMD_CFLAGS) $(LIBVIRT_CFLAGS)
tests_ut_virt_LDADD = tests/libut.la src/virt/libvirtside.la
tests_ut_virt_loop_SOURCES = tests/ut-virt-loop.c
tests_ut_virt_loop_CPPFLAGS = $(INC_VIRT) $(INC_TESTS)
tests_ut_virt_loop_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(SYSTEMD_CFLAGS) $(LIBVIRT_CFLAGS)
tests_ut_virt_loop_LDADD = tests/libut.la src/virt/libvirtside.la
