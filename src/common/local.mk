# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += %D%/libcommon.la
%C%_libcommon_la_SOURCES = \
	%D%/cleanup.h \
	%D%/fdlimit.c %D%/fdlimit.h \
	%D%/fdpass.c %D%/fdpass.h \
	%D%/log.c %D%/log.h \
	%D%/log-queue.c %D%/log-queue.h \
	%D%/monotime.c %D%/monotime.h \
	%D%/sysroot.c %D%/sysroot.h \
	%D%/textfile.c %D%/textfile.h \
	%D%/verror.c %D%/verror.h
%C%_libcommon_la_CPPFLAGS = $(INC_COMMON)
vhbainclude_HEADERS += include/vhba/errors.h
