# SPDX-License-Identifier: LGPL-2.1-or-later

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-journal
tests_fuzz_fuzz_journal_SOURCES = tests/fuzz/fuzz-journal.c
tests_fuzz_fuzz_journal_CPPFLAGS = $(INC_QUIESCE)
tests_fuzz_fuzz_journal_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_journal_LDADD = quiesce/libquiesce.la src/common/libcommon.la
endif
EXTRA_DIST += tests/fuzz/seeds/journal/quiesced

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-proto
tests_fuzz_fuzz_proto_SOURCES = tests/fuzz/fuzz-proto.c
tests_fuzz_fuzz_proto_CPPFLAGS = $(INC_PROTO)
tests_fuzz_fuzz_proto_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
tests_fuzz_fuzz_proto_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_proto_LDADD = src/proto/libproto.la src/common/libcommon.la $(JSONC_LIBS)
endif
EXTRA_DIST += tests/fuzz/seeds/proto/quiesce tests/fuzz/seeds/proto/vhba-add tests/fuzz/seeds/proto/import

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-domain
tests_fuzz_fuzz_domain_SOURCES = tests/fuzz/fuzz-domain.c
tests_fuzz_fuzz_domain_CPPFLAGS = $(INC_DOMAIN)
tests_fuzz_fuzz_domain_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
tests_fuzz_fuzz_domain_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_domain_LDADD = src/domain/libdomain.la
endif
EXTRA_DIST += tests/fuzz/seeds/domain/bound tests/fuzz/seeds/domain/newer
