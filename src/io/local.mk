# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += src/io/libvhbaio.la
src_io_libvhbaio_la_SOURCES = \
	src/io/blk_facts.c src/io/blk_facts.h \
	src/io/bsg.c src/io/bsg.h \
	src/io/command.c src/io/command.h src/io/commands.c src/io/commands.h \
	src/io/control.c src/io/control.h \
	src/io/device.c src/io/device.h src/io/device_lun.c src/io/device_private.h \
	src/io/device_lock.c src/io/lock.c src/io/lock.h \
	src/io/keep.c src/io/keep.h src/io/service.h \
	src/io/vhost_keep.c src/io/vhost_keep.h \
	src/io/device_blk.c src/io/device_scsi.c src/io/device_type.h \
	src/io/dirty.c src/io/dirty.h \
	src/io/engine.c src/io/engine.h \
	src/io/event.c src/io/event.h \
	src/io/inflight.c src/io/inflight.h \
	src/io/iov.c src/io/iov.h \
	src/io/jobs.c src/io/jobs.h \
	src/io/latency.h \
	src/io/life.c \
	src/io/limit.c src/io/limit.h \
	src/io/lun.c src/io/lun.h \
	src/io/lun_each.c src/io/lun_option.c src/io/lun_option.h \
	src/io/memory.c src/io/memory.h \
	src/io/pass.c src/io/pass.h src/io/pass_open.c src/io/pass_private.h src/io/pass_run.c \
	src/io/path.c src/io/path.h src/io/path_open.c \
	src/io/pool.c src/io/pool.h \
	src/io/queue.c src/io/queue.h src/io/queue_abandon.c src/io/queue_room.c \
	src/io/rescue.c src/io/rescue.h \
	src/io/sandbox.c src/io/sandbox.h \
	src/io/server.c src/io/server.h \
	src/io/sg.c src/io/sg.h \
	src/io/task.h \
	src/io/tmf.c \
	src/io/unit.h src/io/unit_disk.c \
	src/io/vhost_conn.c src/io/vhost_conn.h \
	src/io/vhost_msg.h \
	src/io/vhost_user.c src/io/vhost_user.h \
	src/io/virtio_blk.c src/io/virtio_blk.h \
	src/io/virtio_scsi.c src/io/virtio_scsi.h \
	src/io/virtqueue.c src/io/virtqueue.h \
	src/io/worker.c src/io/worker.h
src_io_libvhbaio_la_CPPFLAGS = $(INC_IO)
src_io_libvhbaio_la_CFLAGS = $(AM_CFLAGS) $(URING_CFLAGS) $(SECCOMP_CFLAGS) -pthread
src_io_libvhbaio_la_LIBADD = src/io/disk/libvhbadisk.la src/common/libcommon.la $(URING_LIBS) $(SECCOMP_LIBS)

sbin_PROGRAMS += src/io/vhba-io
src_io_vhba_io_SOURCES = src/io/main.c
src_io_vhba_io_CPPFLAGS = $(INC_IO)
src_io_vhba_io_CFLAGS = $(AM_CFLAGS) $(URING_CFLAGS)
src_io_vhba_io_LDADD = src/io/libvhbaio.la

# What the test programs share: a front end, and vhba-io in a thread.
check_LTLIBRARIES += tests/io/libfront.la
tests_io_libfront_la_SOURCES = \
	tests/io/backend.c tests/io/backend.h \
	tests/io/blk.c tests/io/blk.h \
	tests/io/front.c tests/io/front.h tests/io/front_guest.c \
	tests/io/holder.c tests/io/holder.h \
	tests/io/load.c tests/io/load.h \
	tests/io/scene.c tests/io/scene.h \
	tests/io/world.c tests/io/world.h
tests_io_libfront_la_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
tests_io_libfront_la_CFLAGS = $(AM_CFLAGS) $(URING_CFLAGS) -pthread
tests_io_libfront_la_LIBADD = tests/libut.la src/io/libvhbaio.la
# A program with tests/io/hold.c stands between the queues and io_uring.
io_hold = -Wl,--wrap=engine_submit,--wrap=engine_cancel

check_PROGRAMS += tests/ut-io-slots
TESTS += tests/ut-io-slots
tests_ut_io_slots_SOURCES = tests/ut-io-slots.c
tests_ut_io_slots_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
tests_ut_io_slots_LDADD = tests/io/libfront.la

check_PROGRAMS += tests/ut-io-rings
TESTS += tests/ut-io-rings
tests_ut_io_rings_SOURCES = tests/ut-io-rings.c
tests_ut_io_rings_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
tests_ut_io_rings_LDADD = tests/io/libfront.la

check_PROGRAMS += tests/ut-io-blk
TESTS += tests/ut-io-blk
tests_ut_io_blk_SOURCES = tests/ut-io-blk.c
tests_ut_io_blk_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
tests_ut_io_blk_LDADD = tests/io/libfront.la

check_PROGRAMS += tests/ut-io-blk-stop
TESTS += tests/ut-io-blk-stop
tests_ut_io_blk_stop_SOURCES = tests/ut-io-blk-stop.c tests/io/hold.c tests/io/hold.h
tests_ut_io_blk_stop_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
tests_ut_io_blk_stop_LDFLAGS = $(AM_LDFLAGS) $(io_hold)
tests_ut_io_blk_stop_LDADD = tests/io/libfront.la

check_PROGRAMS += tests/ut-io-unpop
TESTS += tests/ut-io-unpop
tests_ut_io_unpop_SOURCES = tests/ut-io-unpop.c
tests_ut_io_unpop_CPPFLAGS = $(INC_IO) $(INC_TESTS)
tests_ut_io_unpop_LDADD = tests/libut.la src/io/libvhbaio.la

check_PROGRAMS += tests/ut-io-stop
TESTS += tests/ut-io-stop
tests_ut_io_stop_SOURCES = tests/ut-io-stop.c tests/io/hold.c tests/io/hold.h
tests_ut_io_stop_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
tests_ut_io_stop_LDFLAGS = $(AM_LDFLAGS) $(io_hold)
tests_ut_io_stop_LDADD = tests/io/libfront.la

check_PROGRAMS += tests/ut-io-manage
TESTS += tests/ut-io-manage
tests_ut_io_manage_SOURCES = tests/ut-io-manage.c tests/io/hold.c tests/io/hold.h
tests_ut_io_manage_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
tests_ut_io_manage_LDFLAGS = $(AM_LDFLAGS) $(io_hold)
tests_ut_io_manage_LDADD = tests/io/libfront.la

check_PROGRAMS += tests/ut-io-hostile
TESTS += tests/ut-io-hostile
tests_ut_io_hostile_SOURCES = tests/ut-io-hostile.c
tests_ut_io_hostile_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
tests_ut_io_hostile_LDADD = tests/io/libfront.la

check_PROGRAMS += tests/ut-io-pass
TESTS += tests/ut-io-pass
tests_ut_io_pass_SOURCES = tests/ut-io-pass.c tests/io/array.c tests/io/array.h tests/io/hold.c tests/io/hold.h
tests_ut_io_pass_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
tests_ut_io_pass_LDFLAGS = $(AM_LDFLAGS) $(io_hold) -Wl,--wrap=sg_execute
tests_ut_io_pass_LDADD = tests/io/libfront.la

check_PROGRAMS += tests/ut-io-bsg
TESTS += tests/ut-io-bsg
tests_ut_io_bsg_SOURCES = tests/ut-io-bsg.c tests/io/array.c tests/io/array.h tests/io/bsgnode.c tests/io/bsgnode.h
tests_ut_io_bsg_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
tests_ut_io_bsg_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=sg_execute,--wrap=commands_room,--wrap=commands_send,--wrap=commands_reap
tests_ut_io_bsg_LDADD = tests/io/libfront.la

check_PROGRAMS += tests/ut-io-path
TESTS += tests/ut-io-path
tests_ut_io_path_SOURCES = tests/ut-io-path.c
tests_ut_io_path_CPPFLAGS = $(INC_IO) $(INC_TESTS)
tests_ut_io_path_LDADD = tests/libut.la src/io/libvhbaio.la

check_PROGRAMS += tests/ut-io-limit
TESTS += tests/ut-io-limit
tests_ut_io_limit_SOURCES = tests/ut-io-limit.c
tests_ut_io_limit_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
tests_ut_io_limit_LDADD = tests/io/libfront.la

check_PROGRAMS += tests/ut-io-keep
TESTS += tests/ut-io-keep
tests_ut_io_keep_SOURCES = tests/ut-io-keep.c
tests_ut_io_keep_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
tests_ut_io_keep_LDADD = tests/io/libfront.la

check_PROGRAMS += tests/ut-io-upgrade
TESTS += tests/ut-io-upgrade
tests_ut_io_upgrade_SOURCES = tests/ut-io-upgrade.c
tests_ut_io_upgrade_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
tests_ut_io_upgrade_LDADD = tests/io/libfront.la

check_PROGRAMS += tests/ut-io-process
TESTS += tests/ut-io-process
tests_ut_io_process_SOURCES = tests/ut-io-process.c
tests_ut_io_process_CPPFLAGS = $(INC_IO) $(INC_TESTS) -I$(top_srcdir)/tests/io
tests_ut_io_process_LDADD = tests/io/libfront.la

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-keep tests/fuzz/fuzz-vhost-user tests/fuzz/fuzz-virtqueue
tests_fuzz_fuzz_keep_SOURCES = tests/fuzz/fuzz-keep.c tests/fuzz/fuzz-device.c tests/fuzz/fuzz-device.h
tests_fuzz_fuzz_keep_CPPFLAGS = $(INC_IO)
tests_fuzz_fuzz_keep_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_keep_LDADD = src/io/libvhbaio.la
tests_fuzz_fuzz_vhost_user_SOURCES = tests/fuzz/fuzz-vhost-user.c tests/fuzz/fuzz-device.c tests/fuzz/fuzz-device.h
tests_fuzz_fuzz_vhost_user_CPPFLAGS = $(INC_IO)
tests_fuzz_fuzz_vhost_user_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_vhost_user_LDADD = src/io/libvhbaio.la
tests_fuzz_fuzz_virtqueue_SOURCES = tests/fuzz/fuzz-virtqueue.c
tests_fuzz_fuzz_virtqueue_CPPFLAGS = $(INC_IO)
tests_fuzz_fuzz_virtqueue_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_virtqueue_LDADD = src/io/libvhbaio.la
endif
EXTRA_DIST += tests/fuzz/seeds/keep/blk tests/fuzz/seeds/keep/draining tests/fuzz/seeds/keep/held tests/fuzz/seeds/keep/running \
	tests/fuzz/seeds/vhost-user/blk tests/fuzz/seeds/vhost-user/inflight tests/fuzz/seeds/vhost-user/memory-goes tests/fuzz/seeds/vhost-user/move tests/fuzz/seeds/vhost-user/slots \
	tests/fuzz/seeds/vhost-user/start tests/fuzz/seeds/virtqueue/blk tests/fuzz/seeds/virtqueue/direct tests/fuzz/seeds/virtqueue/indirect \
	tests/fuzz/seeds/virtqueue/pieces

check_PROGRAMS += tests/ut-io-memory
TESTS += tests/ut-io-memory
tests_ut_io_memory_SOURCES = tests/ut-io-memory.c
tests_ut_io_memory_CPPFLAGS = $(INC_IO) $(INC_TESTS)
tests_ut_io_memory_LDADD = tests/libut.la src/io/libvhbaio.la
