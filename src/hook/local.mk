# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += %D%/libhook.la
%C%_libhook_la_SOURCES = %D%/hook.c %D%/guard.c %D%/guard.h %D%/hook.h %D%/libvirt.c %D%/verbs.c
%C%_libhook_la_CPPFLAGS = $(INC_HOOK)
%C%_libhook_la_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(LIBXML_CFLAGS)
%C%_libhook_la_LIBADD = src/domain/libdomain.la src/lib/libvhba.la src/common/libcommon.la $(JSONC_LIBS)

bin_PROGRAMS += %D%/vhba-hook
%C%_vhba_hook_SOURCES = %D%/main.c
%C%_vhba_hook_CPPFLAGS = $(INC_HOOK) -DVHBA_VERSION='"$(VERSION)"'
%C%_vhba_hook_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
%C%_vhba_hook_LDFLAGS = $(AM_LDFLAGS) $(PROG_LDFLAGS)
%C%_vhba_hook_LDADD = %D%/libhook.la $(JSONC_LIBS)
dist_bashcompletion_DATA += %D%/completion/vhba-hook

TESTS += tests/hook.sh
dist_check_SCRIPTS += tests/hook.sh
EXTRA_DIST += tests/data/hook
