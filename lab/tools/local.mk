# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_PROGRAMS += lab/tools/blockwriter
lab_tools_blockwriter_SOURCES = lab/tools/blockwriter.c lab/tools/blocks.c lab/tools/blocks.h
lab_tools_blockwriter_CPPFLAGS = $(INC_COMMON) -I$(top_srcdir)/lab/tools
lab_tools_blockwriter_LDADD = src/common/libcommon.la

noinst_PROGRAMS += lab/tools/pathio
lab_tools_pathio_SOURCES = lab/tools/pathio.c lab/tools/blocks.c lab/tools/blocks.h
lab_tools_pathio_CPPFLAGS = $(INC_COMMON) -I$(top_srcdir)/lab/tools
lab_tools_pathio_LDADD = src/common/libcommon.la

noinst_PROGRAMS += lab/tools/journalkill
lab_tools_journalkill_SOURCES = lab/tools/journalkill.c

noinst_PROGRAMS += lab/tools/stall
lab_tools_stall_SOURCES = lab/tools/stall.c
lab_tools_stall_CPPFLAGS = $(INC_COMMON)
lab_tools_stall_LDADD = src/common/libcommon.la

noinst_PROGRAMS += lab/tools/checkreply
lab_tools_checkreply_SOURCES = lab/tools/checkreply.c
lab_tools_checkreply_CPPFLAGS = $(INC_PROTO)
lab_tools_checkreply_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
lab_tools_checkreply_LDADD = src/proto/libproto.la $(JSONC_LIBS)

noinst_PROGRAMS += lab/tools/ioguest
lab_tools_ioguest_SOURCES = lab/tools/ioguest.c
lab_tools_ioguest_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
lab_tools_ioguest_LDADD = tests/io/libfront.la

noinst_PROGRAMS += lab/tools/iohold
lab_tools_iohold_SOURCES = lab/tools/iohold.c
lab_tools_iohold_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
lab_tools_iohold_LDADD = tests/io/libfront.la

noinst_PROGRAMS += lab/tools/dmapages
lab_tools_dmapages_SOURCES = lab/tools/dmapages.c
lab_tools_dmapages_CPPFLAGS = $(INC_COMMON)

noinst_PROGRAMS += lab/tools/deaflog
lab_tools_deaflog_SOURCES = lab/tools/deaflog.c
lab_tools_deaflog_CPPFLAGS = $(INC_IO)
lab_tools_deaflog_LDADD = src/common/libcommon.la
