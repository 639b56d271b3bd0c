# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += %D%/libproto.la
%C%_libproto_la_SOURCES = \
	%D%/conn.c %D%/conn.h \
	%D%/conn-io.c \
	%D%/frame.c %D%/frame.h \
	%D%/method.c %D%/method.h \
	%D%/fields.h \
	%D%/methods.c \
	%D%/methods_domain.c %D%/methods_domain.h \
	%D%/methods_io.c %D%/methods_io.h \
	%D%/methods_pool.c %D%/methods_pool.h \
	%D%/proto.h
%C%_libproto_la_CPPFLAGS = $(INC_PROTO) -DVHBA_VERSION='"$(VERSION)"'
%C%_libproto_la_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
%C%_libproto_la_LIBADD = src/common/libcommon.la $(JSONC_LIBS)

check_PROGRAMS += tests/ut-proto
TESTS += tests/ut-proto
tests_ut_proto_SOURCES = tests/ut-proto.c
tests_ut_proto_CPPFLAGS = $(INC_PROTO) $(INC_TESTS)
tests_ut_proto_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
tests_ut_proto_LDADD = tests/libut.la src/proto/libproto.la $(JSONC_LIBS)
