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

check_PROGRAMS += tests/ut-quiesce-random tests/ut-quiesce-table tests/ut-quiesce-journal
TESTS += tests/ut-quiesce-random tests/ut-quiesce-table tests/ut-quiesce-journal
tests_ut_quiesce_random_SOURCES = tests/ut-quiesce-random.c
tests_ut_quiesce_random_CPPFLAGS = $(INC_QUIESCE) $(INC_TESTS)
tests_ut_quiesce_random_LDADD = tests/libut.la tests/libquiesce-world.la %D%/libquiesce.la src/common/libcommon.la
tests_ut_quiesce_table_SOURCES = tests/ut-quiesce-table.c
tests_ut_quiesce_table_CPPFLAGS = $(INC_QUIESCE) $(INC_TESTS)
tests_ut_quiesce_table_LDADD = tests/libut.la %D%/libquiesce.la src/common/libcommon.la
tests_ut_quiesce_journal_SOURCES = tests/ut-quiesce-journal.c
tests_ut_quiesce_journal_CPPFLAGS = $(INC_QUIESCE) $(INC_TESTS)
tests_ut_quiesce_journal_LDADD = tests/libut.la %D%/libquiesce.la src/common/libcommon.la
