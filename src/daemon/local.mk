# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += src/daemon/libvhbad.la
src_daemon_libvhbad_la_SOURCES = \
	src/daemon/adopt.c \
	src/daemon/attach.c src/daemon/attach.h \
	src/daemon/config.c src/daemon/config.h src/daemon/config_check.c src/daemon/config_keys.c \
	src/daemon/config_parse.h \
	src/daemon/control.c src/daemon/control.h \
	src/daemon/daemon.c src/daemon/daemon.h \
	src/daemon/driver.h \
	src/daemon/eventlog.c src/daemon/eventlog.h \
	src/daemon/fcoe.c \
	src/daemon/follow.c src/daemon/follow.h \
	src/daemon/history.c src/daemon/history.h \
	src/daemon/methods.c src/daemon/methods.h \
	src/daemon/op.c src/daemon/op.h src/daemon/op_attach.c src/daemon/op_quiesce.c \
	src/daemon/placement.c src/daemon/placement.h \
	src/daemon/privq.c src/daemon/privq.h \
	src/daemon/registry.c src/daemon/registry.h src/daemon/registry_db.c src/daemon/registry_db.h \
	src/daemon/result.c src/daemon/result.h \
	src/daemon/san.c src/daemon/san.h \
	src/daemon/show.c \
	src/daemon/ticket.c src/daemon/ticket.h \
	src/daemon/vm.c src/daemon/vm.h \
	src/daemon/watch.c
src_daemon_libvhbad_la_CPPFLAGS = $(INC_DAEMON) $(INIPARSER_CFLAGS) \
	-DVHBA_PRIV_PATH='"$(pkglibexecdir)/vhba-priv"'
src_daemon_libvhbad_la_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS) $(SQLITE_CFLAGS)
src_daemon_libvhbad_la_LIBADD = quiesce/libquiesce.la fc/libvhbafc.la src/priv/libprivclient.la \
	src/proto/libproto.la src/common/libcommon.la \
	$(SYSTEMD_LIBS) $(JSONC_LIBS) $(SQLITE_LIBS) $(INIPARSER_LIBS)

sbin_PROGRAMS += src/daemon/vhbad
src_daemon_vhbad_SOURCES = src/daemon/main.c
src_daemon_vhbad_CPPFLAGS = $(INC_DAEMON) -DVHBA_CONFIG_PATH='"$(sysconfdir)/vhba/vhbad.conf"'
src_daemon_vhbad_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(JSONC_CFLAGS)
src_daemon_vhbad_LDADD = src/daemon/libvhbad.la

check_PROGRAMS += tests/ut-attach
TESTS += tests/ut-attach
tests_ut_attach_SOURCES = tests/ut-attach.c
tests_ut_attach_CPPFLAGS = $(INC_DAEMON) $(INC_TESTS)
tests_ut_attach_LDADD = tests/libut.la src/daemon/libvhbad.la
