# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += src/priv/libprivclient.la src/priv/libpriv.la
src_priv_libprivclient_la_SOURCES = src/priv/client.c src/priv/priv.h
src_priv_libprivclient_la_CPPFLAGS = $(INC_PRIV)
src_priv_libprivclient_la_LIBADD = src/common/libcommon.la

src_priv_libpriv_la_SOURCES = \
	src/priv/fip_vlan.c \
	src/priv/pool.c src/priv/pool.h \
	src/priv/verbs.c src/priv/verbs.h src/priv/verbs_net.c
src_priv_libpriv_la_CPPFLAGS = $(INC_PRIV)
src_priv_libpriv_la_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS)
src_priv_libpriv_la_LIBADD = src/priv/libprivclient.la fc/libvhbafc.la $(NL_LIBS) $(SGUTILS_LIBS)

pkglibexec_PROGRAMS += src/priv/vhba-priv
src_priv_vhba_priv_SOURCES = src/priv/main.c
src_priv_vhba_priv_CPPFLAGS = $(INC_PRIV)
src_priv_vhba_priv_LDADD = src/priv/libpriv.la
