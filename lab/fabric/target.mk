# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += lab/fabric/libtarget.la
lab_fabric_libtarget_la_SOURCES = \
	lab/fabric/frame.c lab/fabric/frame.h \
	lab/fabric/lun.c lab/fabric/lun.h lab/fabric/lun_notice.c lab/fabric/lun_private.h \
	lab/fabric/pr.c lab/fabric/pr.h lab/fabric/pr_in.c \
	lab/fabric/row.c lab/fabric/row.h \
	lab/fabric/scsi.c lab/fabric/scsi.h lab/fabric/scsi_block.c lab/fabric/scsi_inquiry.c lab/fabric/scsi_access.c lab/fabric/scsi_misc.c \
	lab/fabric/scsi_private.h \
	lab/fabric/target.c lab/fabric/target.h lab/fabric/target_execute.c lab/fabric/target_exchange.c \
	lab/fabric/target_fault.c lab/fabric/target_login.c lab/fabric/target_private.h lab/fabric/target_send.c \
	lab/fabric/target_show.c lab/fabric/target_ua.c \
	lab/fabric/wwn_text.c lab/fabric/wwn_text.h
lab_fabric_libtarget_la_CPPFLAGS = $(INC_COMMON) $(INC_FABRIC)
lab_fabric_libtarget_la_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
lab_fabric_libtarget_la_LIBADD = $(JSONC_LIBS)

check_PROGRAMS += tests/ut-scsi tests/ut-target
TESTS += tests/ut-scsi tests/ut-target
tests_ut_scsi_SOURCES = tests/ut-scsi.c
tests_ut_scsi_CPPFLAGS = $(INC_COMMON) $(INC_FABRIC) $(INC_TESTS)
tests_ut_scsi_LDADD = lab/fabric/libtarget.la tests/libut.la
tests_ut_target_SOURCES = tests/ut-target.c
tests_ut_target_CPPFLAGS = $(INC_COMMON) $(INC_FABRIC) $(INC_TESTS)
tests_ut_target_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
tests_ut_target_LDADD = lab/fabric/libtarget.la tests/libut.la $(JSONC_LIBS)

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-target
tests_fuzz_fuzz_target_SOURCES = tests/fuzz/fuzz-target.c
tests_fuzz_fuzz_target_CPPFLAGS = $(INC_COMMON) $(INC_FABRIC)
tests_fuzz_fuzz_target_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_target_LDADD = lab/fabric/libtarget.la

noinst_PROGRAMS += tests/fuzz/fuzz-scsi
tests_fuzz_fuzz_scsi_SOURCES = tests/fuzz/fuzz-scsi.c
tests_fuzz_fuzz_scsi_CPPFLAGS = $(INC_COMMON) $(INC_FABRIC)
tests_fuzz_fuzz_scsi_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_scsi_LDADD = lab/fabric/libtarget.la
endif
EXTRA_DIST += tests/fuzz/seeds/scsi/block tests/fuzz/seeds/scsi/inquiry tests/fuzz/seeds/scsi/reservations \
	tests/fuzz/seeds/target/pr tests/fuzz/seeds/target/read tests/fuzz/seeds/target/reset \
	tests/fuzz/seeds/target/write
