# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_PROGRAMS += bench/floor
bench_floor_SOURCES = bench/floor.c
bench_floor_CPPFLAGS = $(INC_COMMON)
bench_floor_LDADD = src/common/libcommon.la
