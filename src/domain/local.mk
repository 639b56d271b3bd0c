# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += %D%/libdomain.la
%C%_libdomain_la_SOURCES = %D%/identity.c %D%/identity.h
%C%_libdomain_la_CPPFLAGS = $(INC_DOMAIN)
%C%_libdomain_la_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(LIBXML_CFLAGS)
%C%_libdomain_la_LIBADD = src/common/libcommon.la $(JSONC_LIBS) $(LIBXML_LIBS)

schemadir = $(pkgdatadir)/schema
dist_schema_DATA = %D%/vhba-domain.rng

check_PROGRAMS += tests/ut-domain
TESTS += tests/ut-domain
tests_ut_domain_SOURCES = tests/ut-domain.c
tests_ut_domain_CPPFLAGS = $(INC_DOMAIN) $(INC_TESTS)
tests_ut_domain_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(LIBXML_CFLAGS)
tests_ut_domain_LDADD = tests/libut.la src/domain/libdomain.la
EXTRA_DIST += tests/data/domain
