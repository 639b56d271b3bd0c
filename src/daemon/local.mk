# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += src/daemon/libvhbad.la
src_daemon_libvhbad_la_SOURCES = \
	src/daemon/adopt.c \
	src/daemon/attach_name.c src/daemon/await.c \
	src/daemon/attach.c src/daemon/attach.h src/daemon/attach_look.c src/daemon/attach_ops.c src/daemon/attach_undo.c src/daemon/attach_run.h \
	src/daemon/config.c src/daemon/config.h src/daemon/config_check.c src/daemon/config_keys.c \
	src/daemon/config_parse.h \
	src/daemon/control.c src/daemon/control.h \
	src/daemon/daemon.c src/daemon/daemon.h \
	src/daemon/domains.c src/daemon/domains.h \
	src/daemon/driver.h \
	src/daemon/eventlog.c src/daemon/eventlog.h \
	src/daemon/fcoe.c \
	src/daemon/follow.c src/daemon/follow.h \
	src/daemon/history.c src/daemon/history.h \
	src/daemon/io.c src/daemon/io_conn.c src/daemon/io_conn.h src/daemon/io_file.c src/daemon/io_gate.c src/daemon/io_intake.c src/daemon/io_keep.c src/daemon/io_latency.c src/daemon/io_luns.c src/daemon/io_luns_give.c src/daemon/io_news.c \
	src/daemon/io_machine.c src/daemon/io_machine.h src/daemon/io_show.c src/daemon/io_spawn.c \
	src/daemon/ios.c src/daemon/ios.h src/daemon/ios_private.h \
	src/daemon/live.c src/daemon/live.h src/daemon/live_f_port.c src/daemon/live_rule.c \
	src/daemon/login.c src/daemon/login.h \
	src/daemon/logouts.c src/daemon/logouts.h \
	src/daemon/methods.c src/daemon/methods.h src/daemon/methods_lun.c src/daemon/methods_op.c src/daemon/methods_ticket.c \
	src/daemon/handover.c src/daemon/handover.h src/daemon/op.c src/daemon/op.h src/daemon/op_attach.c src/daemon/op_io.c src/daemon/op_pools.c src/daemon/op_quiesce.c \
	src/daemon/name_ask.c src/daemon/name_ask.h \
	src/daemon/placement.c src/daemon/placement.h \
	src/daemon/plan.c src/daemon/plan.h src/daemon/plan_show.c \
	src/daemon/pools.c src/daemon/pools.h src/daemon/pools_private.h src/daemon/pools_show.c src/daemon/pools_sync.c \
	src/daemon/preflight.c \
	src/daemon/privq.c src/daemon/privq.h \
	src/daemon/quiesce_cache.c src/daemon/quiesce_look.c src/daemon/quiesce_maps.c src/daemon/quiesce_ops.c \
	src/daemon/quiesce_timers.c src/daemon/quiesce_verb.c src/daemon/quiesce_verb.h src/daemon/quiesce_vport.c \
	src/daemon/reach.c src/daemon/reach.h \
	src/daemon/registry.c src/daemon/registry.h \
	src/daemon/registry_change.c src/daemon/registry_change.h \
	src/daemon/registry_db.c src/daemon/registry_db.h \
	src/daemon/registry_lun.c \
	src/daemon/registry_model.c src/daemon/registry_model.h \
	src/daemon/registry_row.c src/daemon/registry_row.h \
	src/daemon/registry_sql.c src/daemon/registry_sql.h \
	src/daemon/reservations.c src/daemon/reservations.h \
	src/daemon/result.c src/daemon/result.h \
	src/daemon/san.c src/daemon/san.h \
	src/daemon/show.c src/daemon/show_san.c \
	src/daemon/ticket.c src/daemon/ticket.h \
	src/daemon/sizes.c src/daemon/sizes.h \
	src/daemon/timers.c src/daemon/timers.h \
	src/daemon/vhba_profile.c src/daemon/vhba_profile.h \
	src/daemon/vm.c src/daemon/vm.h \
	src/daemon/vport_name.c src/daemon/vport_name.h \
	src/daemon/watch.c \
	src/daemon/whereis.c src/daemon/whereis.h \
	src/daemon/work.c src/daemon/work.h
src_daemon_libvhbad_la_CPPFLAGS = $(INC_DAEMON) $(INIPARSER_CFLAGS) \
	-DVHBA_PRIV_PATH='"$(pkglibexecdir)/vhba-priv"' -DVHBA_IO_PATH='"$(sbindir)/vhba-io"'
src_daemon_libvhbad_la_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS) $(SQLITE_CFLAGS)
src_daemon_libvhbad_la_LIBADD = quiesce/libquiesce.la fc/libvhbafc.la src/priv/libprivclient.la \
	src/proto/libproto.la src/common/libcommon.la \
	$(SYSTEMD_LIBS) $(JSONC_LIBS) $(SQLITE_LIBS) $(INIPARSER_LIBS)

sbin_PROGRAMS += src/daemon/vhbad
src_daemon_vhbad_SOURCES = src/daemon/main.c
src_daemon_vhbad_CPPFLAGS = $(INC_DAEMON) -DVHBA_CONFIG_PATH='"$(sysconfdir)/vhba/vhbad.conf"'
src_daemon_vhbad_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
src_daemon_vhbad_LDADD = src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-logouts
TESTS += tests/ut-logouts
tests_ut_logouts_SOURCES = tests/ut-logouts.c
tests_ut_logouts_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_logouts_CFLAGS = $(AM_CFLAGS)
tests_ut_logouts_LDADD = tests/libut.la src/daemon/libvhbad.la
check_PROGRAMS += tests/ut-login
TESTS += tests/ut-login
tests_ut_login_SOURCES = tests/ut-login.c
tests_ut_login_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_login_CFLAGS = $(AM_CFLAGS)
tests_ut_login_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-live
TESTS += tests/ut-live
tests_ut_live_SOURCES = tests/ut-live.c
tests_ut_live_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_live_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
tests_ut_live_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-attach
TESTS += tests/ut-attach
tests_ut_attach_SOURCES = tests/ut-attach.c
tests_ut_attach_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_attach_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-registry tests/ut-registry-crash
TESTS += tests/ut-registry tests/ut-registry-crash
tests_ut_registry_SOURCES = tests/ut-registry.c tests/ut-registry-bench.h
tests_ut_registry_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_registry_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(SQLITE_CFLAGS)
tests_ut_registry_LDADD = tests/libut.la src/daemon/libvhbad.la
tests_ut_registry_crash_SOURCES = tests/ut-registry-crash.c tests/ut-registry-bench.h
tests_ut_registry_crash_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_registry_crash_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_ut_registry_crash_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-registry-rules
TESTS += tests/ut-registry-rules
tests_ut_registry_rules_SOURCES = tests/ut-registry-rules.c tests/ut-registry-bench.h
tests_ut_registry_rules_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_registry_rules_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_ut_registry_rules_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-registry-disk
TESTS += tests/ut-registry-disk
tests_ut_registry_disk_SOURCES = tests/ut-registry-disk.c tests/ut-registry-bench.h
tests_ut_registry_disk_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_registry_disk_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_ut_registry_disk_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-profile
TESTS += tests/ut-profile
tests_ut_profile_SOURCES = tests/ut-profile.c tests/ut-privq.h tests/ut-tree.c tests/ut-tree.h
tests_ut_profile_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_profile_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
tests_ut_profile_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-plan
TESTS += tests/ut-plan
tests_ut_plan_SOURCES = tests/ut-plan.c tests/ut-privq.h tests/ut-tree.c tests/ut-tree.h
tests_ut_plan_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_plan_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
tests_ut_plan_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-history
TESTS += tests/ut-history
tests_ut_history_SOURCES = tests/ut-history.c
tests_ut_history_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_history_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
tests_ut_history_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-timers
TESTS += tests/ut-timers
tests_ut_timers_SOURCES = tests/ut-timers.c tests/ut-privq.h tests/ut-tree.c tests/ut-tree.h
tests_ut_timers_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_timers_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
tests_ut_timers_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-op-attach
TESTS += tests/ut-op-attach
tests_ut_op_attach_SOURCES = tests/ut-op-attach.c tests/ut-privq.h tests/ut-tree.c tests/ut-tree.h
tests_ut_op_attach_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_op_attach_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
tests_ut_op_attach_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-sizes
TESTS += tests/ut-sizes
tests_ut_sizes_SOURCES = tests/ut-sizes.c tests/ut-privq.h tests/ut-tree.c tests/ut-tree.h
tests_ut_sizes_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_sizes_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
tests_ut_sizes_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-reservations
TESTS += tests/ut-reservations
tests_ut_reservations_SOURCES = tests/ut-reservations.c
tests_ut_reservations_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_reservations_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
tests_ut_reservations_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-config
TESTS += tests/ut-config
tests_ut_config_SOURCES = tests/ut-config.c
tests_ut_config_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_config_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
tests_ut_config_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-work
TESTS += tests/ut-work
tests_ut_work_SOURCES = tests/ut-work.c
tests_ut_work_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_work_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS)
tests_ut_work_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-control
TESTS += tests/ut-control
tests_ut_control_SOURCES = tests/ut-control.c
tests_ut_control_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_control_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
tests_ut_control_LDADD = tests/libut.la src/daemon/libvhbad.la

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-config tests/fuzz/fuzz-ticket
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz-config.c
tests_fuzz_fuzz_config_CPPFLAGS = $(INC_DAEMON)
tests_fuzz_fuzz_config_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_config_LDADD = src/daemon/libvhbad.la
tests_fuzz_fuzz_ticket_SOURCES = tests/fuzz/fuzz-ticket.c
tests_fuzz_fuzz_ticket_CPPFLAGS = $(INC_DAEMON)
tests_fuzz_fuzz_ticket_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
tests_fuzz_fuzz_ticket_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_ticket_LDADD = src/daemon/libvhbad.la
endif
EXTRA_DIST += tests/fuzz/seeds/config/two-sans tests/fuzz/seeds/ticket/db1

check_PROGRAMS += tests/ut-pools
TESTS += tests/ut-pools
tests_ut_pools_SOURCES = tests/ut-pools.c tests/ut-privq.h tests/ut-tree.c tests/ut-tree.h
tests_ut_pools_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_pools_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
tests_ut_pools_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-registry-io
TESTS += tests/ut-registry-io
tests_ut_registry_io_SOURCES = tests/ut-registry-io.c tests/ut-registry-bench.h
tests_ut_registry_io_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_registry_io_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(SQLITE_CFLAGS)
tests_ut_registry_io_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-io-machine tests/ut-ios tests/ut-ios-luns tests/ut-ios-moves tests/io-stand-in
TESTS += tests/ut-io-machine tests/ut-ios tests/ut-ios-luns tests/ut-ios-moves
tests_ut_io_machine_SOURCES = tests/ut-io-machine.c
tests_ut_io_machine_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_io_machine_LDADD = tests/libut.la src/daemon/libvhbad.la
tests_io_stand_in_SOURCES = tests/io-stand-in.c
tests_io_stand_in_CPPFLAGS = $(INC_COMMON)
tests_io_stand_in_LDADD = src/common/libcommon.la
ios_rig = tests/ut-ios-rig.c tests/ut-ios-rig.h tests/ut-privq.h tests/ut-tree.c tests/ut-tree.h
tests_ut_ios_SOURCES = tests/ut-ios.c $(ios_rig)
tests_ut_ios_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_ios_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
tests_ut_ios_LDADD = tests/libut.la src/daemon/libvhbad.la
tests_ut_ios_luns_SOURCES = tests/ut-ios-luns.c $(ios_rig)
tests_ut_ios_luns_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_ios_luns_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
tests_ut_ios_luns_LDADD = tests/libut.la src/daemon/libvhbad.la
tests_ut_ios_moves_SOURCES = tests/ut-ios-moves.c $(ios_rig)
tests_ut_ios_moves_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_ios_moves_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
tests_ut_ios_moves_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-reach
TESTS += tests/ut-reach
tests_ut_reach_SOURCES = tests/ut-reach.c tests/ut-tree.c tests/ut-tree.h
tests_ut_reach_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_reach_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
tests_ut_reach_LDADD = tests/libut.la src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-whereis
TESTS += tests/ut-whereis
tests_ut_whereis_SOURCES = tests/ut-whereis.c tests/ut-tree.c tests/ut-tree.h tests/ut-privq.h
tests_ut_whereis_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_whereis_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
tests_ut_whereis_LDADD = tests/libut.la src/daemon/libvhbad.la
