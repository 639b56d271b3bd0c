/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vhba-io is killed, again and again, and another one goes on with the same connection and the same commands.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "fdpass.h"
#include "load.h"
#include "monotime.h"
#include "scene.h"
#include "ut.h"
#include "vhost_conn.h"

/* ---- the page that says how far a message is ---- */

struct wire {
	int front;
	int memfd;
	struct vu_conn conn;
};

static void wire_open(struct wire *w)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
		abort();
	w->front = pair[0];
	w->memfd = vu_conn_mark_new();
	vu_conn_init(&w->conn, pair[1]);
	UT_EQ(vu_conn_mark(&w->conn, w->memfd), 0);
}

/* Another process's view of the same. */
static void wire_again(struct wire *w)
{
	int fd = dup(w->conn.fd);

	vu_conn_close(&w->conn);
	vu_conn_init(&w->conn, fd);
	UT_EQ(vu_conn_mark(&w->conn, w->memfd), 0);
}

static void wire_close(struct wire *w)
{
	vu_conn_close(&w->conn);
	close(w->front);
	close(w->memfd);
}

static void put(struct wire *w, uint32_t request, uint64_t value)
{
	struct {
		struct vu_header h;
		uint64_t value;
	} __attribute__((packed)) m = {{request, VU_VERSION, 8}, value};

	UT_EQ(write(w->front, &m, sizeof(m)), sizeof(m));
}

static void test_mark(void)
{
	struct wire w = {.memfd = -1};
	char c[64];

	wire_open(&w);
	UT_EQ(vu_conn_succeed(&w.conn), 1); /* nothing is known yet */
	put(&w, 1, 10);
	put(&w, 2, 20);
	UT_EQ(vu_conn_read(&w.conn), 1);
	UT_EQ(w.conn.in.payload.u64, 10);

	wire_again(&w); /* killed before it was answered */
	UT_EQ(vu_conn_succeed(&w.conn), 1);
	UT_EQ(vu_conn_read(&w.conn), 1);
	UT_EQ(w.conn.in.payload.u64, 10);
	UT_EQ(vu_conn_reply(&w.conn, 1, "12345678", 8, -1), 0);

	wire_again(&w); /* killed when it was answered, and read */
	UT_EQ(read(w.front, c, sizeof(c)), 20);
	UT_EQ(vu_conn_succeed(&w.conn), 0);
	UT_EQ(vu_conn_read(&w.conn), 1);
	UT_EQ(w.conn.in.payload.u64, 20);
	UT_EQ(vu_conn_done(&w.conn), 0);

	wire_again(&w); /* killed when it was consumed; one that is just the same comes */
	put(&w, 2, 20);
	UT_EQ(vu_conn_succeed(&w.conn), 0);
	UT_EQ(vu_conn_read(&w.conn), 1);
	UT_EQ(w.conn.in.payload.u64, 20);
	UT_EQ(vu_conn_reply(&w.conn, 2, "12345678", 8, -1), 0);
	UT_EQ(vu_conn_done(&w.conn), 0);
	UT_EQ(vu_conn_read(&w.conn), 0);
	UT_EQ(read(w.front, c, sizeof(c)), 20);
	UT_EQ(read(w.front, c, sizeof(c)), -1);

	wire_again(&w);
	UT_EQ(vu_conn_succeed(&w.conn), 0);
	wire_close(&w);
}

static void put_fd(struct wire *w, uint32_t request, uint64_t value, int fd)
{
	struct vu_header h = {request, VU_VERSION, 8};
	struct iovec iov[2] = {{&h, sizeof(h)}, {&value, sizeof(value)}};
	FDPASS_ROOM(1) control;
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};

	fdpass_put(&m, &control, &fd, 1);
	UT_EQ(sendmsg(w->front, &m, 0), 20);
}

/* Peeking gives the next message's fds too: each has its own. */
static void test_whose_fds(void)
{
	struct wire w = {.memfd = -1};
	static const struct {
		uint32_t request;
		unsigned fds;
	} order[] = {{VU_SET_FEATURES, 0}, {VU_SET_VRING_KICK, 1}, {VU_SET_VRING_CALL, 1},
		     {VU_SET_FEATURES, 0}, {VU_SET_FEATURES, 0},   {VU_SET_VRING_ERR, 1},
		     {VU_SET_FEATURES, 1}};

	wire_open(&w);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if (order[i].fds)
			put_fd(&w, order[i].request, i, 0);
		else
			put(&w, order[i].request, i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		UT_EQ(vu_conn_read(&w.conn), 1);
		UT_EQ(w.conn.in.payload.u64, i);
		UT_EQ(w.conn.in.fds, order[i].fds);
		UT_EQ(vu_conn_done(&w.conn), 0);
	}
	UT_EQ(vu_conn_read(&w.conn), 0);
	wire_close(&w);
}

/* In pieces: what can't be peeked at whole is consumed. */
static void test_pieces(void)
{
	struct wire w = {.memfd = -1};
	const struct vu_header h = {3, VU_VERSION, 8};
	const uint64_t v = 7;

	wire_open(&w);
	for (size_t i = 0; i < sizeof(h); i++) {
		UT_EQ(vu_conn_read(&w.conn), 0);
		UT_EQ(write(w.front, (const char *)&h + i, 1), 1);
	}
	UT_EQ(vu_conn_read(&w.conn), 0);
	UT_EQ(write(w.front, &v, 3), 3);
	UT_EQ(vu_conn_read(&w.conn), 0);
	UT_EQ(write(w.front, (const char *)&v + 3, 5), 5);
	UT_EQ(vu_conn_read(&w.conn), 1);
	UT_EQ(w.conn.in.payload.u64, 7);
	UT_EQ(vu_conn_done(&w.conn), 0);
	put(&w, 4, 8);
	UT_EQ(vu_conn_read(&w.conn), 1);
	UT_EQ(w.conn.in.payload.u64, 8);
	UT_EQ(vu_conn_done(&w.conn), 0);
	UT_EQ(vu_conn_read(&w.conn), 0);
	wire_close(&w);
}

/* ---- a killer ---- */

struct killer {
	pthread_t thread;
	struct holder *holder;
	atomic_bool stop;
	atomic_uint kills;
	unsigned most_us;
	unsigned seed;
};

/* As soon as the next one is there, and between a moment and another afterwards. */
static void *kill_all(void *arg)
{
	struct killer *k = arg;
	unsigned starts = 1;

	while (!atomic_load(&k->stop)) {
		holder_wait(k->holder, starts++);
		usleep((unsigned)rand_r(&k->seed) % k->most_us);
		holder_kill(k->holder);
		k->kills++;
	}
	holder_wait(k->holder, starts);
	return NULL;
}

static void killer_begin(struct killer *k, struct holder *h, unsigned most_us)
{
	*k = (struct killer){.holder = h, .most_us = most_us, .seed = 1};
	if (pthread_create(&k->thread, NULL, kill_all, k))
		abort();
}

static void killer_end(struct killer *k)
{
	atomic_store(&k->stop, true);
	pthread_join(k->thread, NULL);
}

/* ---- tests ---- */

static void test_messages(void)
{
	uint16_t base[FRONT_RINGS];
	struct killer k;
	struct scene s;
	struct front_req q;
	uint64_t data;

	scene_begin(&s, 2);
	killer_begin(&k, &s.holder, 3000);
	data = front_alloc(&s.front, 4096, 4096, false);
	front_negotiate(&s.front);
	front_get_inflight(&s.front);
	front_start(&s.front, NULL);
	front_settle(&s.front, 0);
	for (unsigned round = 0; k.kills < 60; round++) {
		memset(front_at(&s.front, data), (int)round, 4096);
		front_rw(&q, 0, true, 8, 8, data);
		CU_ASSERT(front_do(&s.front, 2 + round % 2, &q));
		if (round % 4 == 1)
			front_log_start(&s.front);
		if (round % 4 == 3)
			front_log_stop(&s.front);
		front_stop(&s.front, base);
		for (unsigned i = 0; i < s.front.rings; i++)
			UT_EQ(base[i], s.front.ring[i].seen);
		front_set_inflight(&s.front);
		front_start(&s.front, base);
		memset(front_at(&s.front, data), 0xee, 4096);
		front_rw(&q, 0, false, 8, 8, data);
		CU_ASSERT(front_do(&s.front, 2, &q));
		UT_EQ(*(uint8_t *)front_at(&s.front, data), (uint8_t)round);
	}
	killer_end(&k);
	scene_end(&s);
}

static void test_load(void)
{
	struct killer k;
	struct load load;
	struct scene s;

	scene_begin(&s, 3);
	scene_start(&s);
	load_begin(&s.front, &load);
	killer_begin(&k, &s.holder, 60000);
	while (k.kills < 40)
		load_turn(&s.front, &load, 20, true);
	killer_end(&k);
	load_end(&s.front, &load);
	UT_EQ(load.busy, 0);
	scene_end(&s);
}

/* From the death of one to the first command that another one ends. */
static void test_time(void)
{
	uint64_t longest = 0;
	struct load load;
	struct scene s;

	scene_begin(&s, 2);
	scene_start(&s);
	load_begin(&s.front, &load);
	for (unsigned i = 0; i < 10; i++) {
		uint64_t killed, us;

		load_turn(&s.front, &load, 50, true);
		killed = mono_now().us;
		holder_kill(&s.holder);
		holder_wait(&s.holder, i + 2);
		load_turn(&s.front, &load, LOAD + 1, true); /* more than could be waiting in the ring */
		us = mono_now().us - killed;
		longest = us > longest ? us : longest;
	}
	printf("# from the kill to a command of the successor's: %llu us at most\n",
	       (unsigned long long)longest);
	load_end(&s.front, &load);
	scene_end(&s);
}

/* vhbad dies and comes again: it gets everything anew. */
static void test_anew(void)
{
	struct load load;
	struct scene s;

	scene_begin(&s, 2);
	scene_start(&s);
	UT_EQ(holder_has(&s.holder, "conn"), 1);
	UT_EQ(holder_has(&s.holder, "inflight"), 1);
	UT_EQ(holder_has(&s.holder, "log"), 0);
	load_begin(&s.front, &load);
	load_turn(&s.front, &load, 50, true);
	for (unsigned i = 0; i < 5; i++) {
		holder_anew(&s.holder);
		holder_kill(&s.holder);
		holder_wait(&s.holder, i + 2);
		load_turn(&s.front, &load, 50, true);
	}
	load_end(&s.front, &load);
	scene_end(&s);
}

static CU_TestInfo tests[] = {
	{"a message's mark", test_mark},  {"messages in pieces", test_pieces},
	{"whose fds", test_whose_fds},	  {"killed at messages", test_messages},
	{"killed under load", test_load}, {"time to the next command", test_time},
	{"everything anew", test_anew},	  CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	const struct ut_suite suites[] = {{"keep", tests}, {NULL}};

	return ut_main(argc, argv, suites);
}
