# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += %D%/libctl.la
%C%_libctl_la_SOURCES = \
	%D%/commands.c %D%/ctl.h \
	%D%/domain.c \
	%D%/local.c \
	%D%/parse.c \
	%D%/plan.c \
	%D%/run.c \
	%D%/show.c %D%/show.h %D%/show_io.c \
	%D%/table.c %D%/table.h \
	%D%/timeline.c %D%/timeline.h \
	%D%/timeline-svg.c
%C%_libctl_la_CPPFLAGS = $(INC_CTL) -DVHBA_VERSION='"$(VERSION)"'
%C%_libctl_la_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(SMARTCOLS_CFLAGS)
%C%_libctl_la_LIBADD = src/lib/libvhba.la src/common/libcommon.la $(JSONC_LIBS) $(SMARTCOLS_LIBS) -lm

bin_PROGRAMS += %D%/vhbactl
%C%_vhbactl_SOURCES = %D%/main.c
%C%_vhbactl_CPPFLAGS = $(INC_CTL)
%C%_vhbactl_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
%C%_vhbactl_LDFLAGS = $(AM_LDFLAGS) $(PROG_LDFLAGS)
%C%_vhbactl_LDADD = %D%/libctl.la $(JSONC_LIBS)

TESTS += tests/ctl.sh
dist_check_SCRIPTS += tests/ctl.sh
EXTRA_DIST += tests/data/ctl

dist_bashcompletion_DATA += %D%/completion/vhbactl
check_PROGRAMS += tests/docs-dump
tests_docs_dump_SOURCES = tests/docs-dump.c
tests_docs_dump_CPPFLAGS = $(INC_CTL) $(INC_DAEMON)
tests_docs_dump_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
tests_docs_dump_LDADD = src/ctl/libctl.la src/daemon/libvhbad.la src/proto/libproto.la $(JSONC_LIBS)
TESTS += tests/docs.sh
dist_check_SCRIPTS += tests/docs.sh

check_PROGRAMS += tests/ut-ctl
TESTS += tests/ut-ctl
tests_ut_ctl_SOURCES = tests/ut-ctl.c
tests_ut_ctl_CPPFLAGS = $(INC_CTL) $(INC_TESTS)
tests_ut_ctl_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
tests_ut_ctl_LDADD = tests/libut.la src/ctl/libctl.la src/proto/libproto.la $(JSONC_LIBS)
