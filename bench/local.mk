# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_PROGRAMS += bench/floor bench/client bench/stop
bench_floor_SOURCES = bench/floor.c
bench_floor_CPPFLAGS = $(INC_COMMON)
bench_floor_LDADD = src/common/libcommon.la
bench_client_SOURCES = bench/client.c bench/first-read.c bench/first-read.h bench/load-pause.c bench/load-pause.h
bench_client_CPPFLAGS = $(INC_COMMON)
bench_client_LDADD = src/common/libcommon.la src/lib/libvhba.la
bench_stop_SOURCES = bench/stop.c bench/first-read.c bench/first-read.h bench/load-pause.c bench/load-pause.h
bench_stop_CPPFLAGS = $(INC_COMMON)
bench_stop_LDADD = src/common/libcommon.la -lpthread
EXTRA_DIST += bench/README.md bench/measure bench/measure-pool.sh bench/measure-quiesce.sh bench/run bench/blackout
