# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += %D%/libproto.la
%C%_libproto_la_SOURCES = \
	%D%/conn.h \
	%D%/method.h \
	%D%/methods.c \
	%D%/proto.h
%C%_libproto_la_CPPFLAGS = $(INC_PROTO)
%C%_libproto_la_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
%C%_libproto_la_LIBADD = src/common/libcommon.la $(JSONC_LIBS)
