/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What vhbad does with a vhba-io besides starting it: the gate, the live upgrade, other files behind a LUN;
 * and what it is told. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "backend.h"
#include "be.h"
#include "cleanup.h"
#include "inflight.h"
#include "load.h"
#include "lock.h"
#include "monotime.h"
#include "scene.h"
#include "scsi_task.h"
#include "ut.h"
#include "world.h"

#define COMPARE_AND_WRITE 0x89

/* ---- the gate ---- */

static void test_gate(void)
{
	uint16_t base[FRONT_RINGS];
	struct front_req q;
	struct scene s;
	uint64_t data;

	scene_begin_with(&s, 1, (const char *[]){"--gate", "closed", NULL}, NULL);
	data = front_alloc(&s.front, 4096, 4096, false);
	front_negotiate(&s.front);
	front_get_inflight(&s.front);
	UT_STREQ(holder_ask(&s.holder, "status", NULL, 0), "ok stopped busy=0 orphans=0 luns=2");
	front_start(&s.front, NULL);
	front_rw(&q, 0, false, 8, 8, data);
	front_submit(&s.front, 2, &q);
	UT_STREQ(holder_ask(&s.holder, "status", NULL, 0), "ok stopped busy=0 orphans=0 luns=2 waits=gate");
	/* the front end is answered as ever, also when it stops and goes on */
	front_stop(&s.front, base);
	UT_EQ(base[2], 0);
	front_start(&s.front, base);
	UT_EQ(front_reap(&s.front, 2, false), 0);
	/* so by a successor */
	holder_kill(&s.holder);
	holder_wait(&s.holder, 2);
	UT_STREQ(holder_ask(&s.holder, "status", NULL, 0), "ok stopped busy=0 orphans=0 luns=2 waits=gate");
	UT_STREQ(holder_ask(&s.holder, "gate-open why", NULL, 0),
		 "error expected confirmed, fenced, preempted or operator");
	UT_EQ(front_reap(&s.front, 2, false), 0);
	UT_STREQ(holder_ask(&s.holder, "gate-open fenced", NULL, 0), "ok");
	front_wait(&s.front, 2, &q); /* a unit attention, or data: it is answered */
	UT_EQ(front_response(&q)->response, VIRTIO_SCSI_S_OK);
	UT_STREQ(holder_ask(&s.holder, "gate-open operator", NULL, 0), "ok");
	front_settle(&s.front, 0);
	scene_end(&s);
}

/* ---- what a killed process had under way ---- */

static void compare_and_write(struct front_req *q, uint64_t data)
{
	const uint8_t cdb[16] = {COMPARE_AND_WRITE, [13] = 1};

	front_command(q, 0, cdb, sizeof(cdb));
	q->data_out[q->data_out_n++] = (struct front_piece){data, 1024};
}

/* It stands in the inflight memory as taken, and is left alone as long as the gate is closed. */
static void test_behind(void)
{
	struct front_req caw, write;
	struct inflight_queue *i;
	struct scene s;
	uint64_t data;
	void *map;

	scene_begin_with(&s, 1, (const char *[]){"--gate", "closed", NULL}, NULL);
	data = front_alloc(&s.front, 8192, 4096, false);
	front_negotiate(&s.front);
	front_get_inflight(&s.front);
	map = mmap(NULL, s.front.inflight.size, PROT_READ | PROT_WRITE, MAP_SHARED, s.front.inflight_fd, 0);
	i = inflight_queue_at(map, s.front.inflight.size, 2, s.front.size);
	memset(front_at(&s.front, data + 512), 0x5a, 512);
	memset(front_at(&s.front, data + 4096), 0x77, 4096);
	compare_and_write(&caw, data);
	front_add(&s.front, 2, &caw);
	front_rw(&write, 0, true, 8, 8, data + 4096);
	front_add(&s.front, 2, &write);
	i->version = 1;
	i->desc_num = (uint16_t)s.front.size;
	inflight_begin(i, caw.head, 0);
	inflight_begin(i, write.head, 1);
	front_start(&s.front, NULL);
	front_stop(&s.front, NULL);
	UT_EQ(i->desc[caw.head].inflight, 1);
	UT_EQ(i->desc[write.head].inflight, 1);
	UT_EQ(front_reap(&s.front, 2, false), 0);
	munmap(map, s.front.inflight.size);
	scene_end(&s);
}

static struct world stopped_world(struct backend_options o)
{
	struct world w;

	ut_tmpdir(w.folder, sizeof(w.folder));
	o.folder = w.folder;
	front_init(&w.front, backend_start(&w.back, &o), WORLD_MEMORY, 1, 64, 0);
	front_negotiate(&w.front);
	return w;
}

/*
 * Executed once more after it had been, a COMPARE AND WRITE would compare with what it has written itself and
 * fail, and the guest would take it that another has the lock. So it isn't; a WRITE is.
 */
static void test_resumed(void)
{
	struct world w = stopped_world((struct backend_options){.luns = 1});
	uint64_t data = front_alloc(&w.front, 8192, 4096, false);
	AUTO_FD int file = backend_file(w.folder, 0);
	struct front_req caw, write;
	struct inflight_queue *i;
	uint8_t byte[2];
	void *map;

	front_get_inflight(&w.front);
	map = mmap(NULL, w.front.inflight.size, PROT_READ | PROT_WRITE, MAP_SHARED, w.front.inflight_fd, 0);
	i = inflight_queue_at(map, w.front.inflight.size, 2, w.front.size);
	/* this guest has run before: it gets no unit attention of a power on */
	memset(front_at(&w.front, data + 512), 0x5a, 512);
	memset(front_at(&w.front, data + 4096), 0x77, 4096);
	compare_and_write(&caw, data);
	front_add(&w.front, 2, &caw);
	front_rw(&write, 0, true, 8, 8, data + 4096);
	front_add(&w.front, 2, &write);
	i->version = 1;
	i->desc_num = (uint16_t)w.front.size;
	inflight_begin(i, caw.head, 0);
	inflight_begin(i, write.head, 1);
	front_start(&w.front, (const uint16_t[FRONT_RINGS]){0, 0, 1});
	front_wait(&w.front, 2, &caw);
	front_wait(&w.front, 2, &write);
	UT_EQ(front_response(&caw)->status, SCSI_CHECK_CONDITION);
	UT_EQ(front_response(&caw)->sense[2] & 0xf, 6);
	UT_EQ(front_response(&caw)->sense[12], 0x29);
	UT_EQ(front_response(&caw)->sense[13], 0x07);
	UT_EQ(front_response(&write)->status, SCSI_GOOD);
	UT_EQ(pread(file, &byte[0], 1, 0), 1);
	UT_EQ(pread(file, &byte[1], 1, 8 * 512), 1);
	UT_EQ(byte[0], 0);
	UT_EQ(byte[1], 0x77);
	munmap(map, w.front.inflight.size);
	world_end(&w);
}

/* ---- the live upgrade ---- */

static void test_leave(void)
{
	struct load load;
	struct scene s;

	scene_begin(&s, 3);
	scene_start(&s);
	load_begin(&s.front, &load);
	for (unsigned i = 0; i < 10; i++) {
		load_turn(&s.front, &load, 50, true);
		UT_STREQ(holder_ask(&s.holder, "leave", NULL, 0), "ok");
		holder_wait(&s.holder, i + 2);
		UT_EQ(s.holder.code, 0);
	}
	load_end(&s.front, &load);
	UT_EQ(load.busy, 0);
	/* one that is held stays so */
	UT_STREQ(holder_ask(&s.holder, "stop", NULL, 0), "ok");
	UT_STREQ(holder_ask(&s.holder, "leave", NULL, 0), "ok");
	holder_wait(&s.holder, 12);
	load_begin(&s.front, &load);
	UT_EQ(strncmp(holder_ask(&s.holder, "status", NULL, 0), "ok stopped", 10), 0);
	UT_EQ(front_reap(&s.front, 2, false), 0);
	UT_STREQ(holder_ask(&s.holder, "start", NULL, 0), "ok");
	load_end(&s.front, &load);
	scene_end(&s);
}

/* Killed while vhbad has stopped it. */
static void test_held(void)
{
	struct load load;
	struct scene s;

	scene_begin(&s, 2);
	scene_start(&s);
	load_begin(&s.front, &load);
	for (unsigned i = 0; i < 10; i++) {
		load_turn(&s.front, &load, 50, true);
		UT_STREQ(holder_ask(&s.holder, "stop", NULL, 0), "ok");
		holder_kill(&s.holder);
		holder_wait(&s.holder, i + 2);
		while (strncmp(holder_ask(&s.holder, "status", NULL, 0), "ok stopped", 10))
			usleep(200);
		for (unsigned r = 2; r < s.front.rings; r++)
			front_reap(&s.front, r, false); /* ends of before */
		usleep(1000);
		for (unsigned r = 2; r < s.front.rings; r++)
			UT_EQ(front_reap(&s.front, r, false), 0);
		UT_STREQ(holder_ask(&s.holder, "start", NULL, 0), "ok");
	}
	load_end(&s.front, &load);
	scene_end(&s);
}

/* ---- events ---- */

static char heard[65536];

static void on_event(const char *text)
{
	size_t at = strlen(heard);

	snprintf(heard + at, sizeof(heard) - at, "%s\n", text);
}

/* It comes, if it hasn't. */
static bool hears(struct scene *s, const char *what)
{
	struct monotime end = mono_add(mono_now(), FRONT_PATIENCE_MS * USEC_PER_MSEC);
	bool there = false;

	while (!there && !mono_reached(end, mono_now())) {
		pthread_mutex_lock(&s->holder.lock);
		there = strstr(heard, what);
		pthread_mutex_unlock(&s->holder.lock);
		usleep(200);
	}
	return there;
}

static void forget(struct scene *s)
{
	pthread_mutex_lock(&s->holder.lock);
	*heard = '\0';
	pthread_mutex_unlock(&s->holder.lock);
}

static void test_events(void)
{
	uint16_t base[FRONT_RINGS];
	struct scene s;

	*heard = '\0';
	scene_begin_with(&s, 1, (const char *[]){NULL}, on_event);
	CU_ASSERT(hears(&s, "front connected\n"));
	scene_start(&s);
	CU_ASSERT(hears(&s, "state running busy="));
	CU_ASSERT(hears(&s, "first "));
	front_log_start(&s.front);
	CU_ASSERT(hears(&s, "log on\n"));
	front_stop(&s.front, base);
	CU_ASSERT(hears(&s, "state stopped busy=0 orphans=0 at="));
	CU_ASSERT(hears(&s, "base "));
	forget(&s);
	front_log_stop(&s.front);
	CU_ASSERT(hears(&s, "log off\n"));
	front_start(&s.front, base);
	front_settle(&s.front, 0);
	CU_ASSERT(hears(&s, "first "));
	forget(&s);
	shutdown(s.front.sock, SHUT_RDWR);
	CU_ASSERT(hears(&s, "front gone\n"));
	pthread_mutex_lock(&s.holder.lock);
	s.holder.over = true; /* the end of a connection is the end of such a process */
	pthread_mutex_unlock(&s.holder.lock);
	scene_end(&s);
}

/* ---- locks ---- */

static void test_lock(void)
{
	char folder[64], path[128];
	AUTO_FD int one = -1, two = -1, shared = -1, own = -1, ro = -1, ro_too = -1;
	const uint64_t a = 0x2100000000000001, b = 0xffffffffffffffff;

	ut_tmpdir(folder, sizeof(folder));
	one = backend_file(folder, 0);
	two = backend_file(folder, 0);
	UT_EQ(lock_take(one, a), 0);
	UT_EQ(lock_take(one, a), 0);
	UT_EQ(lock_take(two, a), -EAGAIN);
	UT_EQ(lock_take(two, b), 0); /* another guest */
	UT_EQ(lock_take(one, b), -EAGAIN);
	shared = dup(one);
	UT_EQ(lock_take(shared, a), 0); /* one description: no proof */
	own = lock_reopen(one);
	CU_ASSERT(own >= 0);
	UT_EQ(lock_take(own, a), -EAGAIN);
	close(one);
	one = -1;
	UT_EQ(lock_take(own, a), -EAGAIN); /* somebody still has the description */
	close(shared);
	shared = -1;
	UT_EQ(lock_take(own, a), 0);
	UT_EQ(lock_release(own, a), 0);

	snprintf(path, sizeof(path), "%s/lun0", folder);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	ro_too = open(path, O_RDONLY | O_CLOEXEC);
	UT_EQ(lock_take(ro, a), 0);
	UT_EQ(lock_take(ro_too, a), -EAGAIN);
	UT_EQ(lock_take(own, a), -EAGAIN);
	UT_EQ(lock_release(ro, a), 0);
	UT_EQ(lock_take(ro_too, a), 0);
}

/* ---- other files behind a LUN ---- */

static void test_paths(void)
{
	AUTO_FD int other = -1;
	struct front_req q, event = {.in_len = sizeof(struct virtio_scsi_event)};
	struct virtio_scsi_event told;
	struct world w;
	uint64_t data;
	uint8_t byte;

	world_begin(&w);
	data = front_alloc(&w.front, 4096, 4096, false);
	memset(front_at(&w.front, data), 0x33, 4096);
	other = backend_file(w.folder, 7);
	CU_ASSERT(!ftruncate(other, BACKEND_DISK_SIZE));
	UT_STREQ(backend_ask(&w.back, "lun-paths 1,fd", other), "error Device or resource busy");
	UT_STREQ(backend_ask(&w.back, "stop", -1), "ok");
	while (strncmp(backend_ask(&w.back, "status", -1), "ok stopped", 10))
		usleep(200);
	UT_STREQ(backend_ask(&w.back, "lun-paths 5,fd", other), "error No such file or directory");
	UT_STREQ(backend_ask(&w.back, "lun-paths 1,fd,block=4096", other), "error Invalid argument");
	UT_STREQ(backend_ask(&w.back, "lun-paths 1,fd", other), "ok");
	UT_STREQ(backend_ask(&w.back, "start", -1), "ok");
	front_settle(&w.front, 1);
	front_rw(&q, 1, true, 0, 8, data);
	CU_ASSERT(front_do(&w.front, 2, &q));
	UT_EQ(pread(other, &byte, 1, 0), 1);
	UT_EQ(byte, 0x33);
	/* one of another size, of which the guest hears */
	front_submit(&w.front, 1, &event);
	UT_STREQ(backend_ask(&w.back, "stop", -1), "ok");
	while (strncmp(backend_ask(&w.back, "status", -1), "ok stopped", 10))
		usleep(200);
	CU_ASSERT(!ftruncate(other, 2 * BACKEND_DISK_SIZE));
	UT_STREQ(backend_ask(&w.back, "lun-paths 1,fd", other), "ok");
	UT_STREQ(backend_ask(&w.back, "start", -1), "ok");
	front_wait(&w.front, 1, &event);
	memcpy(&told, event.in, sizeof(told));
	UT_EQ(le32toh(told.event), VIRTIO_SCSI_T_PARAM_CHANGE);
	UT_EQ(le32toh(told.reason), 0x2a | 0x09 << 8);
	UT_EQ(told.lun[3], 1);
	world_end(&w);
}

/* ---- another holder ---- */

static int peer_at(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, path);
	UT_EQ(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* All messages until one that is no entry or event; how many entries there were. "": the other end has
 * closed. */
static unsigned listen_to(int fd, char *reply, size_t size)
{
	unsigned n = 0;
	ssize_t len;

	for (;;) {
		struct pollfd p = {fd, POLLIN, 0};

		if (poll(&p, 1, FRONT_PATIENCE_MS) != 1)
			abort();
		len = recv(fd, reply, size - 1, 0);
		reply[len > 0 ? len : 0] = '\0';
		if (*reply != '!')
			return n;
		n += !strncmp(reply, "!keep ", 6);
	}
}

/* A socket that listens: who comes last is the one, and is told everything. */
static void test_peers(void)
{
	char folder[64], path[100], text[1024];
	struct device_config c = {.type = &device_type_scsi,
				  .workers = 1,
				  .blocking = 2,
				  .deadline_us = USEC_PER_SEC,
				  .nexus = 1};
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	AUTO_FD int listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int pair[2], one, two;
	struct backend b = {0};
	struct verror e;
	struct front f;

	ut_tmpdir(folder, sizeof(folder));
	snprintf(path, sizeof(path), "%s/control", folder);
	strcpy(a.sun_path, path);
	UT_EQ(bind(listening, (struct sockaddr *)&a, sizeof(a)), 0);
	UT_EQ(listen(listening, 4), 0);
	UT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	b.device = device_new(&c, &e);
	backend_serve(&b, pair[1], fcntl(listening, F_DUPFD_CLOEXEC, 3));
	front_init(&f, pair[0], 1 << 20, 1, 16, 0);
	front_negotiate(&f);

	one = peer_at(path);
	UT_EQ(send(one, "status", 6, 0), 6);
	UT_EQ(listen_to(one, text, sizeof(text)), 4); /* version, mark, conn, front */
	UT_STREQ(text, "ok stopped busy=0 orphans=0 luns=0");
	two = peer_at(path);
	UT_EQ(listen_to(one, text, sizeof(text)), 0);
	UT_STREQ(text, "");
	UT_EQ(send(two, "hold", 4, 0), 4);
	UT_EQ(listen_to(two, text, sizeof(text)), 8);
	UT_STREQ(text, "ok 4");
	close(one);
	close(two);
	/* nobody is there: it goes on */
	UT_EQ(front_send(&f, VU_SET_OWNER, NULL, 0, NULL, 0, true), 0);
	front_end(&f);
	b.control = -1;
	backend_end(&b);
	UT_EQ(b.result, 0);
}

static CU_TestInfo tests[] = {
	{"gate", test_gate},
	{"nobody looks behind the gate", test_behind},
	{"what was under way", test_resumed},
	{"leave", test_leave},
	{"killed while held", test_held},
	{"events", test_events},
	{"locks", test_lock},
	{"other paths", test_paths},
	{"peers", test_peers},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	const struct ut_suite suites[] = {{"upgrade", tests}, {NULL}};

	return ut_main(argc, argv, suites);
}
