# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += %D%/libvhbadisk.la
%C%_libvhbadisk_la_SOURCES = \
	src/io/repeat.c src/io/repeat.h src/io/scsi_task.h \
	%D%/basic.c \
	%D%/be.h \
	%D%/capacity.c \
	%D%/caw.c \
	%D%/cmd.c \
	%D%/disk.c %D%/disk.h %D%/disk_private.h \
	%D%/extent.c %D%/extent.h \
	%D%/file.c \
	%D%/gate.c %D%/gate.h \
	%D%/inquiry.c \
	%D%/luns.c %D%/luns.h \
	%D%/mode.c \
	%D%/nexus.c \
	%D%/opcodes.c \
	%D%/pr.c %D%/pr.h \
	%D%/pr_in.c \
	%D%/pr_out.c \
	%D%/remember.c \
	%D%/report_ops.c \
	%D%/rw.c \
	%D%/scsi_data.c %D%/scsi_data.h \
	%D%/scsi_sense.c %D%/scsi_sense.h \
	%D%/state.c %D%/state.h \
	%D%/thin.c \
	%D%/transport_id.h \
	%D%/verify.c \
	%D%/vpd.c
%C%_libvhbadisk_la_CPPFLAGS = $(INC_IODISK)
%C%_libvhbadisk_la_LIBADD = src/common/libcommon.la $(ZLIB_LIBS) -lpthread

# What the disk's test programs share: a transport that waits.
check_LTLIBRARIES += tests/libdiskrig.la
tests_libdiskrig_la_SOURCES = tests/ut-disk-rig.c tests/ut-disk-rig.h
tests_libdiskrig_la_CPPFLAGS = $(INC_IODISK) $(INC_TESTS)
tests_libdiskrig_la_LIBADD = src/io/disk/libvhbadisk.la src/common/libcommon.la $(SGUTILS_LIBS)

check_PROGRAMS += tests/ut-disk-rw
TESTS += tests/ut-disk-rw
tests_ut_disk_rw_SOURCES = tests/ut-disk-rw.c
tests_ut_disk_rw_CPPFLAGS = $(INC_IODISK) $(INC_TESTS)
tests_ut_disk_rw_LDADD = tests/libdiskrig.la tests/libut.la

check_PROGRAMS += tests/ut-disk-pr
TESTS += tests/ut-disk-pr
tests_ut_disk_pr_SOURCES = tests/ut-disk-pr.c
tests_ut_disk_pr_CPPFLAGS = $(INC_IODISK) $(INC_TESTS)
tests_ut_disk_pr_LDADD = tests/libdiskrig.la tests/libut.la $(ZLIB_LIBS)

check_PROGRAMS += tests/ut-disk-basic
TESTS += tests/ut-disk-basic
tests_ut_disk_basic_SOURCES = tests/ut-disk-basic.c
tests_ut_disk_basic_CPPFLAGS = $(INC_IODISK) $(INC_TESTS)
tests_ut_disk_basic_LDADD = tests/libdiskrig.la tests/libut.la $(SGUTILS_LIBS)

check_PROGRAMS += tests/ut-disk-race
TESTS += tests/ut-disk-race
tests_ut_disk_race_SOURCES = tests/ut-disk-race.c
tests_ut_disk_race_CPPFLAGS = $(INC_IODISK) $(INC_TESTS)
tests_ut_disk_race_LDADD = tests/libdiskrig.la tests/libut.la -lpthread

check_PROGRAMS += tests/ut-repeat
TESTS += tests/ut-repeat
tests_ut_repeat_SOURCES = tests/ut-repeat.c
tests_ut_repeat_CPPFLAGS = $(INC_IODISK) $(INC_TESTS)
tests_ut_repeat_LDADD = tests/libdiskrig.la tests/libut.la

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-cdb tests/fuzz/fuzz-diskstate
tests_fuzz_fuzz_cdb_SOURCES = tests/fuzz/fuzz-cdb.c
tests_fuzz_fuzz_cdb_CPPFLAGS = $(INC_IODISK)
tests_fuzz_fuzz_cdb_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_cdb_LDADD = src/io/disk/libvhbadisk.la
tests_fuzz_fuzz_diskstate_SOURCES = tests/fuzz/fuzz-diskstate.c
tests_fuzz_fuzz_diskstate_CPPFLAGS = $(INC_IODISK)
tests_fuzz_fuzz_diskstate_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_diskstate_LDADD = src/io/disk/libvhbadisk.la
endif
EXTRA_DIST += \
	tests/fuzz/seeds/cdb/caw \
	tests/fuzz/seeds/cdb/inquiry \
	tests/fuzz/seeds/cdb/mode \
	tests/fuzz/seeds/cdb/opcodes \
	tests/fuzz/seeds/cdb/pr \
	tests/fuzz/seeds/cdb/pr-ports \
	tests/fuzz/seeds/cdb/read-write \
	tests/fuzz/seeds/cdb/thin \
	tests/fuzz/seeds/diskstate/two

check_PROGRAMS += tests/iscsi-disk
tests_iscsi_disk_SOURCES = tests/iscsi-disk.c tests/iscsi.c tests/iscsi.h
tests_iscsi_disk_CPPFLAGS = $(INC_IODISK) $(INC_TESTS)
tests_iscsi_disk_LDADD = tests/libdiskrig.la -lpthread
dist_check_SCRIPTS += tests/disk-conformance.sh
TESTS += tests/disk-conformance.sh

check_PROGRAMS += tests/io/iscsi-rings
tests_io_iscsi_rings_SOURCES = tests/io/iscsi-rings.c tests/iscsi.c tests/iscsi.h
tests_io_iscsi_rings_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
tests_io_iscsi_rings_LDADD = tests/io/libfront.la -lpthread
