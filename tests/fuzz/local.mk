# SPDX-License-Identifier: LGPL-2.1-or-later

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-journal
tests_fuzz_fuzz_journal_SOURCES = tests/fuzz/fuzz-journal.c
tests_fuzz_fuzz_journal_CPPFLAGS = $(INC_QUIESCE)
tests_fuzz_fuzz_journal_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_journal_LDADD = quiesce/libquiesce.la src/common/libcommon.la
endif
EXTRA_DIST += tests/fuzz/seeds/journal/quiesced
