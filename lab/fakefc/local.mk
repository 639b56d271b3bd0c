# SPDX-License-Identifier: LGPL-2.1-or-later
# FC adapters that are not there: a model without FUSE for the tests, and the program that mounts it.
noinst_LTLIBRARIES += lab/fakefc/libfakefc.la
lab_fakefc_libfakefc_la_SOURCES = \
	lab/fakefc/attr.c lab/fakefc/attr.h \
	lab/fakefc/call.c \
	lab/fakefc/command.c \
	lab/fakefc/fabric.c \
	lab/fakefc/fakefc.c lab/fakefc/fakefc.h lab/fakefc/internal.h \
	lab/fakefc/io.c \
	lab/fakefc/lpfc.c lab/fakefc/qedf.c lab/fakefc/qla2xxx.c \
	lab/fakefc/scsi.c \
	lab/fakefc/sgio.c lab/fakefc/sgio.h \
	lab/fakefc/transport.c \
	lab/fakefc/tree.c lab/fakefc/tree.h
lab_fakefc_libfakefc_la_CPPFLAGS = $(INC_COMMON) $(INC_FAKEFC)
EXTRA_DIST += lab/fakefc/README.md

noinst_PROGRAMS += lab/fakefc/fakefc
lab_fakefc_fakefc_SOURCES = lab/fakefc/main.c lab/fakefc/news.c lab/fakefc/news.h \
	lab/fakefc/uevent.c lab/fakefc/uevent.h
lab_fakefc_fakefc_CPPFLAGS = $(INC_COMMON) $(INC_FAKEFC)
lab_fakefc_fakefc_CFLAGS = $(AM_CFLAGS) $(FUSE_CFLAGS)
lab_fakefc_fakefc_LDADD = lab/fakefc/libfakefc.la src/common/libcommon.la $(FUSE_LIBS) -lpthread

check_PROGRAMS += tests/ut-fakefc
TESTS += tests/ut-fakefc
tests_ut_fakefc_SOURCES = tests/ut-fakefc.c
tests_ut_fakefc_CPPFLAGS = $(INC_FC) $(INC_FAKEFC) $(INC_TESTS)
tests_ut_fakefc_LDADD = tests/libut.la lab/fakefc/libfakefc.la fc/libvhbafc.la src/common/libcommon.la
