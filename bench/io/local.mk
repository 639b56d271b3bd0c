# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_PROGRAMS += bench/io/ringload bench/io/sgpool bench/io/floor
bench_io_ringload_SOURCES = bench/io/ringload.c
bench_io_ringload_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
bench_io_ringload_LDADD = tests/io/libfront.la
bench_io_sgpool_SOURCES = bench/io/sgpool.c
bench_io_sgpool_CPPFLAGS = $(INC_COMMON)
bench_io_sgpool_LDADD = src/common/libcommon.la -lpthread
bench_io_floor_SOURCES = bench/io/floor.c
bench_io_floor_CPPFLAGS = $(INC_COMMON)
bench_io_floor_CFLAGS = $(AM_CFLAGS) $(URING_CFLAGS) -pthread
bench_io_floor_LDADD = src/common/libcommon.la $(URING_LIBS) -lpthread
EXTRA_DIST += bench/io/run bench/io/fc
dist_check_SCRIPTS += bench/io/smoke.sh
TESTS += bench/io/smoke.sh
