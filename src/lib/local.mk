# SPDX-License-Identifier: LGPL-2.1-or-later
pkgconfig_DATA += src/lib/vhba.pc
vhbainclude_HEADERS += include/vhba/vhba.h
EXTRA_DIST += %D%/libvhba.map

lib_LTLIBRARIES += %D%/libvhba.la
%C%_libvhba_la_SOURCES = \
	%D%/call.c \
	%D%/client.c %D%/client.h \
	%D%/result.c
%C%_libvhba_la_CPPFLAGS = $(INC_LIB)
%C%_libvhba_la_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
# The policy for -version-info stands in the map.
%C%_libvhba_la_LDFLAGS = $(AM_LDFLAGS) -no-undefined -version-info 0:0:0 \
	-Wl,--version-script=$(top_srcdir)/%D%/libvhba.map
%C%_libvhba_la_LIBADD = src/proto/libproto.la $(JSONC_LIBS)
EXTRA_%C%_libvhba_la_DEPENDENCIES = %D%/libvhba.map

# A server with a script, for tests of clients.
check_PROGRAMS += tests/ut-lib tests/fake-vhbad
TESTS += tests/ut-lib tests/lib-headers.sh
dist_check_SCRIPTS += tests/lib-headers.sh
tests_ut_lib_SOURCES = tests/ut-lib.c tests/fake-server.c tests/fake-server.h
tests_ut_lib_CPPFLAGS = $(INC_PROTO) $(INC_TESTS)
tests_ut_lib_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
tests_ut_lib_LDADD = tests/libut.la src/lib/libvhba.la src/proto/libproto.la $(JSONC_LIBS)
tests_fake_vhbad_SOURCES = tests/fake-vhbad.c tests/fake-server.c tests/fake-server.h
tests_fake_vhbad_CPPFLAGS = $(INC_PROTO) $(INC_TESTS)
tests_fake_vhbad_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
tests_fake_vhbad_LDADD = src/proto/libproto.la $(JSONC_LIBS)
