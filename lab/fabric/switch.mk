# SPDX-License-Identifier: LGPL-2.1-or-later
# The switch: a core without sockets and clocks (libswitch), and the daemon around it.
noinst_LTLIBRARIES += lab/fabric/libswitch.la
lab_fabric_libswitch_la_SOURCES = \
	lab/fabric/array.c lab/fabric/array.h lab/fabric/array_show.c lab/fabric/cmd_target.c \
	lab/fabric/cmd_config.c lab/fabric/cmd_fault.c lab/fabric/command.c lab/fabric/command.h \
	lab/fabric/core.h \
	lab/fabric/ether.c lab/fabric/ether.h \
	lab/fabric/fabric.c lab/fabric/fabric.h \
	lab/fabric/fc.h \
	lab/fabric/fip.c lab/fabric/fip.h \
	lab/fabric/flog.c \
	lab/fabric/forward.c \
	lab/fabric/fport.c \
	lab/fabric/frame_text.c lab/fabric/frame_text.h \
	lab/fabric/login.c \
	lab/fabric/ns.c \
	lab/fabric/outbox.c \
	lab/fabric/reply.c \
	lab/fabric/rscn.c \
	lab/fabric/rule.c lab/fabric/rule.h \
	lab/fabric/servers.c \
	lab/fabric/show.c \
	lab/fabric/vsan.c \
	lab/fabric/wwn_hash.c lab/fabric/wwn_hash.h \
	lab/fabric/zone.c
lab_fabric_libswitch_la_CPPFLAGS = $(INC_COMMON) $(INC_FABRIC)
lab_fabric_libswitch_la_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
lab_fabric_libswitch_la_LIBADD = lab/fabric/libtarget.la $(JSONC_LIBS) $(ZLIB_LIBS)

noinst_PROGRAMS += lab/fabric/fabricd lab/fabric/fabricctl
lab_fabric_fabricd_SOURCES = lab/fabric/fabricd.c \
	lab/fabric/control.c lab/fabric/control.h \
	lab/fabric/poll.h \
	lab/fabric/portio.c lab/fabric/portio.h \
	lab/fabric/trace.c lab/fabric/trace.h
lab_fabric_fabricd_CPPFLAGS = $(INC_COMMON) $(INC_FABRIC)
lab_fabric_fabricd_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
lab_fabric_fabricd_LDFLAGS = $(AM_LDFLAGS) $(PROG_LDFLAGS)
lab_fabric_fabricd_LDADD = lab/fabric/libswitch.la src/common/libcommon.la $(JSONC_LIBS)

lab_fabric_fabricctl_SOURCES = lab/fabric/fabricctl.c
lab_fabric_fabricctl_CPPFLAGS = $(INC_COMMON)
lab_fabric_fabricctl_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
lab_fabric_fabricctl_LDFLAGS = $(AM_LDFLAGS) $(PROG_LDFLAGS)
lab_fabric_fabricctl_LDADD = $(JSONC_LIBS)

# What the tests of the switch have in common: ENodes in memory.
check_LTLIBRARIES += tests/libfabricbench.la
tests_libfabricbench_la_SOURCES = tests/ut-fabric-bench.c tests/ut-fabric-bench.h
tests_libfabricbench_la_CPPFLAGS = $(INC_COMMON) $(INC_FABRIC) $(INC_TESTS)
tests_libfabricbench_la_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
tests_libfabricbench_la_LIBADD = lab/fabric/libswitch.la

check_PROGRAMS += tests/ut-fabric-login tests/ut-fabric-forward
TESTS += tests/ut-fabric-login tests/ut-fabric-forward
tests_ut_fabric_login_SOURCES = tests/ut-fabric-login.c
tests_ut_fabric_login_CPPFLAGS = $(INC_COMMON) $(INC_FABRIC) $(INC_TESTS)
tests_ut_fabric_login_LDADD = tests/libfabricbench.la tests/libut.la
tests_ut_fabric_forward_SOURCES = tests/ut-fabric-forward.c
tests_ut_fabric_forward_CPPFLAGS = $(INC_COMMON) $(INC_FABRIC) $(INC_TESTS)
tests_ut_fabric_forward_LDADD = tests/libfabricbench.la tests/libut.la

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-fabric-frame
tests_fuzz_fuzz_fabric_frame_SOURCES = tests/fuzz/fuzz-fabric-frame.c
tests_fuzz_fuzz_fabric_frame_CPPFLAGS = $(INC_FABRIC)
tests_fuzz_fuzz_fabric_frame_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
tests_fuzz_fuzz_fabric_frame_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_fabric_frame_LDADD = lab/fabric/libswitch.la $(JSONC_LIBS)
endif
EXTRA_DIST += tests/fuzz/seeds/fabric-frame/fip tests/fuzz/seeds/fabric-frame/name-server \
	tests/fuzz/seeds/fabric-frame/login tests/fuzz/seeds/fabric-frame/commands

check_PROGRAMS += tests/ut-fabric-daemon
TESTS += tests/ut-fabric-daemon
tests_ut_fabric_daemon_SOURCES = tests/ut-fabric-daemon.c
tests_ut_fabric_daemon_CPPFLAGS = $(INC_FABRIC) $(INC_TESTS)
tests_ut_fabric_daemon_LDADD = lab/fabric/libswitch.la tests/libut.la
EXTRA_tests_ut_fabric_daemon_DEPENDENCIES = lab/fabric/fabricd lab/fabric/fabricctl
EXTRA_DIST += lab/fabric/README.md

check_PROGRAMS += tests/ut-fabric-array
TESTS += tests/ut-fabric-array
tests_ut_fabric_array_SOURCES = tests/ut-fabric-array.c
tests_ut_fabric_array_CPPFLAGS = $(INC_COMMON) $(INC_FABRIC) $(INC_TESTS)
tests_ut_fabric_array_LDADD = tests/libfabricbench.la tests/libut.la
