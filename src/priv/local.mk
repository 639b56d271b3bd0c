# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += src/priv/libprivclient.la src/priv/libpriv.la
src_priv_libprivclient_la_SOURCES = src/priv/client.c src/priv/priv.h
src_priv_libprivclient_la_CPPFLAGS = $(INC_PRIV)
src_priv_libprivclient_la_LIBADD = src/common/libcommon.la

src_priv_libpriv_la_SOURCES = \
	src/priv/child.c src/priv/child.h \
	src/priv/fip_vlan.c \
	src/priv/multipathd.c src/priv/multipathd.h \
	src/priv/pool.c src/priv/pool.h \
	src/priv/pr.c src/priv/pr.h \
	src/priv/sgio.c src/priv/sgio.h \
	src/priv/verbs.c src/priv/verbs.h src/priv/verbs_lun.c src/priv/verbs_map.c src/priv/verbs_net.c src/priv/verbs_open.c \
	src/priv/verbs_rport.c src/priv/verbs_vport.c \
	src/priv/vport_lock.c src/priv/vport_lock.h
src_priv_libpriv_la_CPPFLAGS = $(INC_PRIV)
src_priv_libpriv_la_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS)
src_priv_libpriv_la_LIBADD = src/priv/libprivclient.la fc/libvhbafc.la $(NL_LIBS) $(SGUTILS_LIBS)

pkglibexec_PROGRAMS += src/priv/vhba-priv
src_priv_vhba_priv_SOURCES = src/priv/main.c
src_priv_vhba_priv_CPPFLAGS = $(INC_PRIV)
src_priv_vhba_priv_LDADD = src/priv/libpriv.la

check_PROGRAMS += tests/ut-fc tests/ut-fc-inventory tests/ut-priv tests/ut-priv-pool
TESTS += tests/ut-fc tests/ut-fc-inventory tests/ut-priv tests/ut-priv-pool
tests_ut_fc_inventory_SOURCES = tests/ut-fc-inventory.c tests/ut-tree.c tests/ut-tree.h
tests_ut_fc_inventory_CPPFLAGS = $(INC_FC) $(INC_TESTS)
tests_ut_fc_inventory_LDADD = fc/libvhbafc.la tests/libut.la
tests_ut_fc_SOURCES = tests/ut-fc.c tests/ut-tree.c tests/ut-tree.h
tests_ut_fc_CPPFLAGS = $(INC_FC) $(INC_TESTS)
tests_ut_fc_LDADD = fc/libvhbafc.la tests/libut.la
tests_ut_priv_SOURCES = tests/ut-priv.c tests/ut-tree.c tests/ut-tree.h
tests_ut_priv_CPPFLAGS = $(INC_PRIV) $(INC_TESTS)
tests_ut_priv_LDADD = src/priv/libpriv.la tests/libut.la
tests_ut_priv_pool_SOURCES = tests/ut-priv-pool.c tests/ut-tree.c tests/ut-tree.h
tests_ut_priv_pool_CPPFLAGS = $(INC_PRIV) $(INC_TESTS)
tests_ut_priv_pool_LDADD = src/priv/libpriv.la tests/libut.la

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-fc
tests_fuzz_fuzz_fc_SOURCES = tests/fuzz/fuzz-fc.c
tests_fuzz_fuzz_fc_CPPFLAGS = $(INC_PRIV)
tests_fuzz_fuzz_fc_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_fc_LDADD = src/priv/libpriv.la
endif
EXTRA_DIST += tests/fuzz/seeds/fc/gid-pn tests/fuzz/seeds/fc/vlans tests/fuzz/seeds/fc/vpd
