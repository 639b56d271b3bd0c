# SPDX-License-Identifier: LGPL-2.1-or-later
# The runner, shared by all CUnit programs (ut-*). Each folder adds its own programs beside its sources' list:
# see src/common here for the pattern.
check_LTLIBRARIES += %D%/libut.la
%C%_libut_la_SOURCES = %D%/ut.c %D%/ut.h
%C%_libut_la_CPPFLAGS = $(INC_TESTS)
%C%_libut_la_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
%C%_libut_la_LIBADD = $(CUNIT_LIBS)

check_PROGRAMS += tests/ut-common
TESTS += tests/ut-common
%C%_ut_common_SOURCES = %D%/ut-common.c
%C%_ut_common_CPPFLAGS = $(INC_COMMON) $(INC_TESTS)
%C%_ut_common_LDADD = tests/libut.la src/common/libcommon.la
