/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest that breaks the ring's rules, and a front end that breaks the protocol's. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/virtio_ring.h>

#include "cleanup.h"
#include "fdpass.h"
#include "ut.h"
#include "world.h"

#define SIZE 16
#define NEXT VRING_DESC_F_NEXT
#define WRITE VRING_DESC_F_WRITE
#define INDIRECT VRING_DESC_F_INDIRECT
#define OUTSIDE UINT64_C(0x700000000000)
#define REQUEST sizeof(struct virtio_scsi_cmd_req)
#define RESPONSE sizeof(struct virtio_scsi_cmd_resp)

/* Places in the guest's memory, as the tables below name them; what comes after is an offset. */
#define AT_BUFFER (UINT64_C(1) << 62)
#define AT_TABLE (UINT64_C(1) << 61)
#define AT_END (UINT64_C(1) << 60)

struct chain {
	const char *what;
	struct vring_desc ring[4], table[4];
	unsigned head; /* what avail says, when it isn't 0 */
	unsigned ahead; /* how far the index jumps, when it isn't 1 */
};

static const struct chain chains[] = {
	{"no bytes", .ring = {{AT_BUFFER, 0, NEXT, 1}, {AT_BUFFER, RESPONSE, WRITE}}},
	{"a loop", .ring = {{AT_BUFFER, REQUEST, NEXT, 1}, {AT_BUFFER, REQUEST, NEXT, 0}}},
	{"a loop to write", .ring = {{AT_BUFFER, REQUEST, NEXT, 1}, {AT_BUFFER, RESPONSE, WRITE | NEXT, 1}}},
	{"next outside", .ring = {{AT_BUFFER, REQUEST, NEXT, SIZE}}},
	{"next far outside", .ring = {{AT_BUFFER, REQUEST, NEXT, 65535}}},
	{"head outside", .ring = {{AT_BUFFER, REQUEST}}, .head = SIZE},
	{"head far outside", .ring = {{AT_BUFFER, REQUEST}}, .head = 65535},
	{"index ran away", .ring = {{AT_BUFFER, REQUEST}}, .ahead = SIZE + 1},
	{"index far away", .ring = {{AT_BUFFER, REQUEST}}, .ahead = 40000},
	{"no memory", .ring = {{OUTSIDE, REQUEST, NEXT, 1}, {AT_BUFFER, RESPONSE, WRITE}}},
	{"no memory to write", .ring = {{AT_BUFFER, REQUEST, NEXT, 1}, {OUTSIDE, RESPONSE, WRITE}}},
	{"memory's end", .ring = {{AT_BUFFER, REQUEST, NEXT, 1}, {AT_END, RESPONSE, WRITE}}},
	{"the last address", .ring = {{UINT64_MAX, REQUEST, NEXT, 1}, {AT_BUFFER, RESPONSE, WRITE}}},
	{"wraps around", .ring = {{UINT64_MAX - 8, 4096, NEXT, 1}, {AT_BUFFER, RESPONSE, WRITE}}},
	{"4 GiB", .ring = {{AT_BUFFER, REQUEST, NEXT, 1}, {AT_BUFFER, UINT32_MAX, WRITE}}},
	{"read after write", .ring = {{AT_BUFFER, RESPONSE, WRITE | NEXT, 1}, {AT_BUFFER, REQUEST}}},
	{"short header", .ring = {{AT_BUFFER, REQUEST - 1, NEXT, 1}, {AT_BUFFER, RESPONSE, WRITE}}},
	{"no header", .ring = {{AT_BUFFER, RESPONSE, WRITE}}},
	{"no response", .ring = {{AT_BUFFER, REQUEST}}},
	{"short response", .ring = {{AT_BUFFER, REQUEST, NEXT, 1}, {AT_BUFFER, RESPONSE - 1, WRITE}}},
	{"indirect of no size", .ring = {{AT_TABLE, 0, INDIRECT}}},
	{"indirect of an odd size", .ring = {{AT_TABLE, 31, INDIRECT}}},
	{"indirect and next", .ring = {{AT_TABLE, 32, INDIRECT | NEXT, 1}, {AT_BUFFER, RESPONSE, WRITE}}},
	{"indirect outside", .ring = {{OUTSIDE, 32, INDIRECT}}},
	{"indirect over the end", .ring = {{AT_END, 512, INDIRECT}}},
	{"indirect that wraps", .ring = {{UINT64_MAX - 15, 64, INDIRECT}}},
	{"indirect in indirect", .ring = {{AT_TABLE, 32, INDIRECT}}, .table = {{AT_TABLE, 32, INDIRECT}}},
	{"indirect, next outside", .ring = {{AT_TABLE, 32, INDIRECT}},
	 .table = {{AT_BUFFER, REQUEST, NEXT, 2}, {AT_BUFFER, RESPONSE, WRITE}}},
	{"indirect, a loop", .ring = {{AT_TABLE, 32, INDIRECT}},
	 .table = {{AT_BUFFER, REQUEST, NEXT, 1}, {AT_BUFFER, REQUEST, NEXT, 0}}},
};

struct places {
	uint64_t buffer, table;
};

static void resolve(const struct front *f, const struct places *p, struct vring_desc *d)
{
	if (d->addr & (AT_BUFFER | AT_TABLE | AT_END) && d->addr < AT_BUFFER << 1)
		d->addr = d->addr & AT_BUFFER  ? p->buffer
			  : d->addr & AT_TABLE ? p->table
					       : FRONT_HIGH_GPA + f->mem_size / 2 - 16;
}

static void offer(struct front *f, const struct places *p, const struct chain *c)
{
	struct front_ring *r = &f->ring[2];
	struct vring_desc *ring = front_at(f, r->desc), *table = front_at(f, p->table);
	uint16_t *avail = front_at(f, r->avail);

	for (unsigned i = 0; i < ARRAY_SIZE(c->ring); i++) {
		ring[i] = c->ring[i];
		table[i] = c->table[i];
		resolve(f, p, &ring[i]);
		resolve(f, p, &table[i]);
	}
	avail[2 + r->avail_idx % r->size] = (uint16_t)c->head;
	r->avail_idx = (uint16_t)(r->avail_idx + (c->ahead ? c->ahead : 1));
	__atomic_store_n(&avail[1], r->avail_idx, __ATOMIC_RELEASE);
	front_kick(f, 2);
}

/* The guest's driver begins anew with empty rings. */
static void ring_reset(struct front *f, unsigned ring)
{
	struct front_ring *r = &f->ring[ring];

	memset(front_at(f, r->avail), 0, 6 + 2 * r->size);
	memset(front_at(f, r->used), 0, 6 + 8 * r->size);
	r->avail_idx = r->seen = 0;
}

static bool one_chain(struct front *f, const struct places *p, const struct chain *c)
{
	struct front_req good;
	bool stopped;

	offer(f, p, c);
	/* the other request ring doesn't care */
	front_rw(&good, 0, false, 0, 1, p->buffer);
	if (!front_do(f, 3, &good))
		return false;
	front_stop(f, NULL);
	stopped = !front_reap(f, 2, false); /* nothing was answered */
	for (unsigned i = 0; i < f->rings; i++)
		ring_reset(f, i);
	front_start(f, NULL);
	/* and once it is set up anew, it is as good as any */
	front_settle(f, 0);
	return stopped;
}

static void test_chains(void)
{
	struct places p;
	struct world w;

	world_begin_with(&w, (struct backend_options){.luns = 1}, 2, SIZE, 0);
	p.buffer = front_alloc(&w.front, 4096, 4096, false);
	p.table = front_alloc(&w.front, 4096, 4096, false);
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		if (!one_chain(&w.front, &p, &chains[i])) {
			printf("# %s\n", chains[i].what);
			CU_FAIL("a bad chain");
		}
	world_end(&w);
}

/* A guest that gives the same head again and again hurts itself only. */
static void test_same_head(void)
{
	struct chain c = {"the same", .ring = {{AT_BUFFER, REQUEST, NEXT, 1}, {AT_BUFFER, RESPONSE, WRITE}}};
	struct places p;
	struct world w;
	struct front_req good;

	world_begin_with(&w, (struct backend_options){.luns = 1}, 2, SIZE, 0);
	p.buffer = front_alloc(&w.front, 4096, 4096, false);
	p.table = front_alloc(&w.front, 4096, 4096, false);
	for (unsigned i = 0; i < 10 * SIZE; i++)
		offer(&w.front, &p, &c);
	front_rw(&good, 0, false, 0, 1, p.buffer);
	CU_ASSERT(front_do(&w.front, 3, &good));
	front_stop(&w.front, NULL);
	world_end(&w);
}

/* The control ring too. */
static void test_control(void)
{
	struct front_req q = {.out_len = 4, .in_len = 1}, good;
	struct world w;
	uint64_t data;

	world_begin(&w);
	data = front_alloc(&w.front, 4096, 4096, false);
	q.out[0] = 77;
	front_submit(&w.front, 0, &q);
	front_rw(&good, 0, false, 0, 1, data);
	CU_ASSERT(front_do(&w.front, 2, &good));
	front_stop(&w.front, NULL);
	UT_EQ(front_reap(&w.front, 0, false), 0);
	world_end(&w);
}

/* The memory goes from under rings that run: nothing is read there any more, until they are set up anew. */
static void test_memory_goes(void)
{
	struct vu_memory none = {.n = 0};
	struct front_req q = {0};
	struct world w;

	world_begin_with(&w, (struct backend_options){.luns = 1}, 2, SIZE, 0);
	CU_ASSERT(front_send(&w.front, VU_SET_MEM_TABLE, &none, 8, NULL, 0, true));
	front_rw(&q, 0, false, 0, 1, 0);
	front_submit(&w.front, 2, &q);
	front_stop(&w.front, NULL);
	CU_ASSERT(!q.done);
	for (unsigned i = 0; i < w.front.rings; i++)
		ring_reset(&w.front, i);
	front_start(&w.front, NULL);
	front_settle(&w.front, 0);
	world_end(&w);
}

/* ---- messages ---- */

struct message {
	const char *what;
	uint32_t request, flags, size;
	uint64_t payload[10];
	unsigned fds;
	bool ends; /* it can't be refused, so the connection ends */
};

#define ASK (VU_VERSION | VU_NEED_REPLY)

static const struct message messages[] = {
	{"no version", VU_SET_OWNER, 0, 0, .ends = true},
	{"another version", VU_SET_OWNER, 2, 0, .ends = true},
	{"a reply", VU_SET_OWNER, VU_VERSION | VU_REPLY, 0, .ends = true},
	{"too long", VU_SET_FEATURES, ASK, 1 << 20, .ends = true},
	{"far too long", VU_SET_FEATURES, ASK, UINT32_MAX, .ends = true},
	{"too short", VU_SET_FEATURES, ASK, 4},
	{"too long for it", VU_SET_FEATURES, ASK, 16},
	{"unwanted features", VU_SET_FEATURES, ASK, 8, {UINT64_MAX}},
	{"unwanted features, unasked", VU_SET_FEATURES, VU_VERSION, 8, {UINT64_MAX}, .ends = true},
	{"unwanted protocol features", VU_SET_PROTOCOL_FEATURES, ASK, 8, {UINT64_MAX}},
	{"unknown", 99, ASK, 8},
	{"unknown too", 0, ASK, 0},
	{"9 regions", VU_SET_MEM_TABLE, ASK, 8, {9}},
	{"regions without fds", VU_SET_MEM_TABLE, ASK, 40, {1, 0, 4096, 0, 0}},
	{"regions that aren't there", VU_SET_MEM_TABLE, ASK, 40, {2, 0, 4096, 0, 0}, .fds = 2},
	{"a region that wraps", VU_SET_MEM_TABLE, ASK, 40, {1, UINT64_MAX - 100, 4096, 0, 0}, .fds = 1},
	{"a region that wraps there", VU_SET_MEM_TABLE, ASK, 40, {1, 0, 4096, UINT64_MAX - 100, 0}, .fds = 1},
	{"a region without size", VU_SET_MEM_TABLE, ASK, 40, {1, 0, 0, 0, 0}, .fds = 1},
	{"a region of all", VU_SET_MEM_TABLE, ASK, 40, {1, 0, UINT64_MAX, 0, 0}, .fds = 1},
	{"more than the file", VU_SET_MEM_TABLE, ASK, 40, {1, 0, 1 << 20, 0, 0}, .fds = 1},
	{"behind the file", VU_SET_MEM_TABLE, ASK, 40, {1, 0, 4096, 0, UINT64_MAX - 4096}, .fds = 1},
	{"one on another", VU_SET_MEM_TABLE, ASK, 72, {2, 0, 8192, 0, 0, 4096, 4096, 65536, 0}, .fds = 2},
	{"a slot without fd", VU_ADD_MEM_REG, ASK, 40, {0, 0, 4096, 0, 0}},
	{"a slot too long", VU_ADD_MEM_REG, ASK, 40, {0, 0, 1 << 20, 0, 0}, .fds = 1},
	{"no such slot", VU_REM_MEM_REG, ASK, 40, {0, 0, 4096, 0, 0}},
	{"a log without fd", VU_SET_LOG_BASE, ASK, 16, {4096, 0}, .ends = true},
	{"a log of no size", VU_SET_LOG_BASE, ASK, 16, {0, 0}, .fds = 1, .ends = true},
	{"a log too long", VU_SET_LOG_BASE, ASK, 16, {UINT64_MAX, 4096}, .fds = 1, .ends = true},
	{"a log behind", VU_SET_LOG_BASE, ASK, 16, {4096, 1 << 20}, .fds = 1, .ends = true},
	{"ring 18", VU_SET_VRING_NUM, ASK, 8, {18 | UINT64_C(16) << 32}},
	{"ring 4294967295", VU_SET_VRING_NUM, ASK, 8, {UINT32_MAX | UINT64_C(16) << 32}},
	{"a ring of 0", VU_SET_VRING_NUM, ASK, 8, {2}},
	{"a ring of 3", VU_SET_VRING_NUM, ASK, 8, {2 | UINT64_C(3) << 32}},
	{"a ring of 32768", VU_SET_VRING_NUM, ASK, 8, {2 | UINT64_C(32768) << 32}},
	{"base 65536", VU_SET_VRING_BASE, ASK, 8, {2 | UINT64_C(65536) << 32}},
	{"base of ring 18", VU_GET_VRING_BASE, ASK, 8, {18}, .ends = true},
	{"kick of ring 255", VU_SET_VRING_KICK, ASK, 8, {255}, .fds = 1},
	{"kick without fd", VU_SET_VRING_KICK, ASK, 8, {2}},
	{"kick with a fd too many", VU_SET_VRING_KICK, ASK, 8, {2 | VU_NO_FD}, .fds = 1},
	{"call with 2 fds", VU_SET_VRING_CALL, ASK, 8, {2}, .fds = 2},
	{"enable 2", VU_SET_VRING_ENABLE, ASK, 8, {2 | UINT64_C(2) << 32}},
	{"enable ring 18", VU_SET_VRING_ENABLE, ASK, 8, {18 | UINT64_C(1) << 32}},
	{"inflight of none", VU_GET_INFLIGHT_FD, ASK, 24, {0, 0, 0}, .ends = true},
	{"inflight of all", VU_GET_INFLIGHT_FD, ASK, 24, {0, 0, UINT32_MAX}, .ends = true},
	{"inflight too small", VU_SET_INFLIGHT_FD, ASK, 24, {64, 0, 3 | 128 << 16}, .fds = 1},
	{"inflight behind",
	 VU_SET_INFLIGHT_FD,
	 ASK,
	 24,
	 {1 << 20, UINT64_MAX - 4095, 3 | 128 << 16},
	 .fds = 1},
	{"inflight without fd", VU_SET_INFLIGHT_FD, ASK, 24, {1 << 20, 0, 3 | 128 << 16}},
	{"8 fds for nothing", VU_SET_OWNER, ASK, 0, .fds = 8},
	{"16 fds", VU_SET_OWNER, ASK, 0, .fds = 16, .ends = true},
};

static void send_raw(struct front *f, const struct message *m, int fd)
{
	struct vu_header h = {m->request, m->flags, m->size};
	struct iovec iov[2] = {{&h, sizeof(h)},
			       {(void *)(uintptr_t)m->payload, m->size < sizeof(m->payload) ? m->size : 0}};
	FDPASS_ROOM(16) control;
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	int fds[16];

	for (unsigned i = 0; i < m->fds; i++)
		fds[i] = fd;
	fdpass_put(&msg, &control, fds, m->fds);
	CU_ASSERT(sendmsg(f->sock, &msg, MSG_NOSIGNAL) > 0);
}

static bool one_message(const struct message *m, int fd)
{
	struct backend_options o = {.luns = 0};
	struct backend b;
	struct front f;
	uint64_t ack = 0;
	bool good;

	front_init(&f, backend_start(&b, &o), 1 << 20, 1, 16, 0);
	front_negotiate(&f);
	send_raw(&f, m, fd);
	if (m->ends) {
		good = front_is_left(&f);
	} else {
		front_receive(&f, m->request, &ack, sizeof(ack), NULL);
		/* it was refused, and the connection is as good as before */
		good = ack && !front_send(&f, VU_SET_OWNER, NULL, 0, NULL, 0, true);
	}
	front_end(&f);
	backend_end(&b);
	return good && !!b.result == m->ends;
}

static void test_messages(void)
{
	AUTO_FD int fd = memfd_create("small", MFD_CLOEXEC);

	CU_ASSERT(!ftruncate(fd, 65536));
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		if (!one_message(&messages[i], fd)) {
			printf("# %s\n", messages[i].what);
			CU_FAIL("a bad message");
		}
}

/* Whole messages come out however they were cut. */
static void test_cut(void)
{
	const struct vu_header h = {VU_SET_FEATURES, VU_VERSION | VU_NEED_REPLY, 8};
	struct backend_options o = {.luns = 0};
	uint8_t bytes[sizeof(h) + 8] = {0};
	struct backend b;
	struct front f;
	uint64_t ack;

	front_init(&f, backend_start(&b, &o), 1 << 20, 1, 16, 0);
	front_negotiate(&f);
	memcpy(bytes, &h, sizeof(h));
	memcpy(bytes + sizeof(h), &f.features, 8);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		CU_ASSERT(send(f.sock, bytes + i, 1, MSG_NOSIGNAL) == 1);
		/* answered between the two: the first byte has been read */
		backend_ask(&b, "status", -1);
	}
	front_receive(&f, VU_SET_FEATURES, &ack, sizeof(ack), NULL);
	UT_EQ(ack, 0);
	/* and a front end that goes in the middle of one leaves nothing behind */
	CU_ASSERT(send(f.sock, bytes, 7, MSG_NOSIGNAL) == 7);
	front_end(&f);
	backend_end(&b);
	UT_EQ(b.result, 0);
}

static CU_TestInfo tests[] = {
	{"chains", test_chains},
	{"the same head", test_same_head},
	{"control ring", test_control},
	{"memory goes", test_memory_goes},
	{"messages", test_messages},
	{"messages cut up", test_cut},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	const struct ut_suite suites[] = {{"hostile", tests}, {NULL}};

	return ut_main(argc, argv, suites);
}
