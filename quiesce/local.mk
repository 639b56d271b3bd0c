# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += %D%/libquiesce.la
%C%_libquiesce_la_SOURCES = \
	%D%/journal.c %D%/journal.h %D%/journal-int.h %D%/journal-load.c %D%/journal-record.c \
	%D%/quiesce.c %D%/quiesce.h %D%/quiesce-int.h \
	%D%/quiesce-action.c %D%/quiesce-journal.c %D%/quiesce-names.c %D%/quiesce-state.c \
	%D%/quiesce-table.c %D%/quiesce-vm.c
%C%_libquiesce_la_CPPFLAGS = $(INC_QUIESCE)

check_LTLIBRARIES += tests/libquiesce-world.la
tests_libquiesce_world_la_SOURCES = tests/ut-quiesce-world.c tests/ut-quiesce-world.h
tests_libquiesce_world_la_CPPFLAGS = $(INC_QUIESCE) $(INC_TESTS)

check_PROGRAMS += tests/ut-quiesce
TESTS += tests/ut-quiesce
tests_ut_quiesce_SOURCES = tests/ut-quiesce.c
tests_ut_quiesce_CPPFLAGS = $(INC_QUIESCE) $(INC_TESTS)
tests_ut_quiesce_LDADD = tests/libut.la tests/libquiesce-world.la %D%/libquiesce.la src/common/libcommon.la
