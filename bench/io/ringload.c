/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ringload SOCKET scsi|blk [KEY=VALUE]...: a guest's load without a guest.
 *
 * The front end of tests/io sets the rings up; its own commands are made once, and only their place on the
 * disk changes. So it costs less than any back end does, and every back end gets the same. When a ring has
 * nothing used, a call is asked for, as a guest's driver does, and it sleeps; or looks on before, for "spin"
 * microseconds, as KVM may for a halted processor, where nobody else wants that one.
 *
 *	rw=read|write, seq=0|1, bs=BYTES, qd=N, queues=N, lun=N, size=BYTES, seconds=S, spin=MICROSECONDS (0)
 *	huge=1	the guest's memory is of huge pages
 *	pid=N	the back end's: its processor time is counted
 *	hung=1	the storage doesn't answer: qd commands to each queue, and a stop
 *
 * Prints iops=N, cpu=N (the back end's seconds per million), stop-us=N (from the first ring disabled to the
 * last one's base, with nothing under way; with hung=1 only this, and with all of them under way).
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "be.h"
#include "cleanup.h"
#include "front.h"
#include "monotime.h"

#define MEMORY (256u << 20)
#define RING 256
#define WARM_UP_US (200 * USEC_PER_MSEC)
#define LOOK_EVERY 64 /* turns between two looks at the clock */
#define SLOT_RESPONSE 256
#define SCSI_RINGS 2 /* before the request rings */

struct options {
	const char *socket;
	bool blk, write, seq, hung, huge;
	uint32_t bs;
	unsigned qd, queues, lun, spin_us, pid;
	uint64_t size, seconds_us;
};

/* A request ring, and what is the same of it for as long as it runs. */
struct lane {
	struct front_ring *ring;
	uint16_t *avail, *used;
	uint8_t *slots;
	uint64_t next; /* sequential: the next block of bs bytes */
};

struct load {
	struct options o;
	struct front front;
	struct lane lane[FRONT_RINGS];
	uint64_t random, ended;
	clockid_t clock; /* of the back end's processor time */
};

static void die(const char *what)
{
	fprintf(stderr, "ringload: %s\n", what);
	exit(1);
}

/* ---- one command ---- */

static uint8_t *slot(const struct lane *l, unsigned head)
{
	return l->slots + (size_t)head * (FRONT_SLOT_SIZE + FRONT_INDIRECT_SIZE);
}

static uint64_t place(struct load *d, struct lane *l)
{
	uint64_t n = d->o.size / d->o.bs;

	if (d->o.seq)
		return l->next++ % n * d->o.bs;
	d->random ^= d->random << 13;
	d->random ^= d->random >> 7;
	d->random ^= d->random << 17;
	return d->random % n * d->o.bs;
}

/* Everything but its place. */
static void make(struct load *d, struct lane *l, unsigned head, uint64_t data)
{
	struct vring_desc *desc = front_at(&d->front, l->ring->desc), *t;
	uint64_t at = l->ring->slots + (uint64_t)(slot(l, head) - l->slots);
	struct virtio_scsi_cmd_req scsi = {.lun = {1, 0, 0x40, (uint8_t)d->o.lun}, .tag = head};
	struct virtio_blk_outhdr blk = {.type = htole32(d->o.write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN)};
	struct vring_desc header = {at, d->o.blk ? sizeof(blk) : sizeof(scsi), 0, 0};
	struct vring_desc response = {at + SLOT_RESPONSE, d->o.blk ? 1 : sizeof(struct virtio_scsi_cmd_resp),
				      VRING_DESC_F_WRITE, 0};
	struct vring_desc bytes = {data, d->o.bs, d->o.write ? 0 : VRING_DESC_F_WRITE, 0};

	/* virtio-blk's status comes last; virtio-scsi's before what is read */
	bool data_first = d->o.blk || d->o.write;

	scsi.cdb[0] = d->o.write ? 0x2a : 0x28;
	put_be16((uint16_t)(d->o.bs / 512), scsi.cdb + 7);
	if (d->o.blk)
		memcpy(slot(l, head), &blk, sizeof(blk));
	else
		memcpy(slot(l, head), &scsi, sizeof(scsi));
	t = (struct vring_desc *)(slot(l, head) + FRONT_SLOT_SIZE);
	t[0] = header;
	t[1] = data_first ? bytes : response;
	t[2] = data_first ? response : bytes;
	for (unsigned i = 0; i < 2; i++) {
		t[i].flags |= VRING_DESC_F_NEXT;
		t[i].next = (uint16_t)(i + 1);
	}
	desc[head] = (struct vring_desc){at + FRONT_SLOT_SIZE, 3 * sizeof(*t), VRING_DESC_F_INDIRECT, 0};
}

static void begin(struct load *d, struct lane *l, unsigned head)
{
	uint64_t sector = place(d, l) / 512, le = htole64(sector);
	uint8_t *s = slot(l, head);

	if (d->o.blk)
		memcpy(s + offsetof(struct virtio_blk_outhdr, sector), &le, sizeof(le));
	else
		put_be32((uint32_t)sector, s + offsetof(struct virtio_scsi_cmd_req, cdb) + 2);
	s[SLOT_RESPONSE + (d->o.blk ? 0 : offsetof(struct virtio_scsi_cmd_resp, response))] = 0xff;
	l->avail[2 + l->ring->avail_idx++ % RING] = (uint16_t)head;
}

static void check(const struct load *d, const struct lane *l, unsigned head)
{
	const struct virtio_scsi_cmd_resp *r;
	const uint8_t *at;

	if (head >= d->o.qd)
		die("something ended that was never begun");
	at = slot(l, head) + SLOT_RESPONSE;
	r = (const struct virtio_scsi_cmd_resp *)at;
	if (d->o.blk ? *at : r->response || r->status || r->resid)
		die("a command has failed");
}

/* ---- one ring ---- */

/* The guest shows what it added, and kicks when it was asked to. */
static void show(struct lane *l, uint16_t before)
{
	const uint64_t one = 1;
	uint16_t event;

	__atomic_store_n(&l->avail[1], l->ring->avail_idx, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	event = __atomic_load_n(&l->used[2 + 4 * RING], __ATOMIC_RELAXED);
	if (vring_need_event(event, l->ring->avail_idx, before) &&
	    write(l->ring->kick, &one, sizeof(one)) != sizeof(one))
		die("a kick");
}

/* What is used; with again set all of it is begun anew. Returns how many. */
static unsigned reap(struct load *d, struct lane *l, bool again)
{
	struct front_ring *r = l->ring;
	uint16_t idx = __atomic_load_n(&l->used[1], __ATOMIC_ACQUIRE), before = r->avail_idx;
	unsigned n = 0;

	for (; r->seen != idx; r->seen++, n++) {
		struct vring_used_elem e;

		memcpy(&e, (uint8_t *)l->used + 4 + sizeof(e) * (r->seen % RING), sizeof(e));
		check(d, l, le32toh(e.id));
		if (again)
			begin(d, l, le32toh(e.id));
	}
	if (!n)
		return 0;
	__atomic_store_n(&l->avail[2 + RING], r->seen, __ATOMIC_RELAXED); /* a call for the next one */
	show(l, before);
	return n;
}

static void sleep_for_calls(struct load *d)
{
	struct pollfd p[FRONT_RINGS];
	uint64_t count;

	for (unsigned i = 0; i < d->o.queues; i++)
		p[i] = (struct pollfd){d->lane[i].ring->call, POLLIN, 0};
	if (poll(p, d->o.queues, FRONT_PATIENCE_MS) < 1)
		die("no call came");
	for (unsigned i = 0; i < d->o.queues; i++)
		if ((p[i].revents & POLLIN) && read(p[i].fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
			die("a call");
}

/* Until this time; then until all have ended. Returns how many have, before that time. */
static uint64_t run(struct load *d, struct monotime until)
{
	struct monotime now, idle = {0}; /* since when nothing has ended; 0: something just has */
	uint64_t left = (uint64_t)d->o.queues * d->o.qd, n = 0;
	bool again = true;

	for (unsigned turn = 1; left; turn++) {
		unsigned got = 0;

		for (unsigned i = 0; i < d->o.queues; i++)
			got += reap(d, &d->lane[i], again);
		if (again)
			n += got;
		else
			left -= got;
		if (got)
			idle.us = 0;
		if (got && turn % LOOK_EVERY)
			continue;
		now = mono_now();
		if (again && mono_reached(until, now))
			again = false;
		if (got)
			continue;
		if (!idle.us)
			idle = now;
		if (mono_since(now, idle) >= d->o.spin_us) {
			sleep_for_calls(d);
			idle.us = 0;
		}
	}
	return n;
}

static void fill(struct load *d)
{
	for (unsigned i = 0; i < d->o.queues; i++) {
		struct lane *l = &d->lane[i];
		uint16_t before = l->ring->avail_idx;

		__atomic_store_n(&l->avail[2 + RING], l->ring->seen, __ATOMIC_RELAXED);
		for (unsigned head = 0; head < d->o.qd; head++)
			begin(d, l, head);
		show(l, before);
	}
}

/* ---- all of it ---- */

static int connect_to(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(a.sun_path))
		die("a socket");
	strcpy(a.sun_path, path);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
		die("nobody listens there");
	return fd;
}

static void set_up(struct load *d)
{
	uint64_t features = UINT64_C(1) << VIRTIO_F_VERSION_1 | 1u << VIRTIO_RING_F_EVENT_IDX |
			    1u << VIRTIO_RING_F_INDIRECT_DESC;
	unsigned first = d->o.blk ? 0 : SCSI_RINGS;
	struct front *f = &d->front;

	if (d->o.blk)
		features |= 1u << VIRTIO_BLK_F_FLUSH | 1u << VIRTIO_BLK_F_MQ;
	front_huge_pages = d->o.huge;
	/* front_init adds two rings, which virtio-blk has as request rings; with one queue one is too many */
	front_init(f, connect_to(d->o.socket), MEMORY, d->o.blk ? 2 : d->o.queues, RING, features);
	if (d->o.blk)
		f->rings = d->o.queues;
	f->indirect = true;
	front_negotiate(f);
	if ((~f->features >> VIRTIO_RING_F_EVENT_IDX & 1) ||
	    (~f->features >> VIRTIO_RING_F_INDIRECT_DESC & 1))
		die("the back end lacks EVENT_IDX or INDIRECT_DESC");
	front_start(f, NULL);
	if (!d->o.blk)
		front_settle(f, (uint16_t)d->o.lun);
	for (unsigned i = 0; i < d->o.queues; i++) {
		struct lane *l = &d->lane[i];

		l->ring = &f->ring[first + i];
		l->avail = front_at(f, l->ring->avail);
		l->used = front_at(f, l->ring->used);
		l->slots = front_at(f, l->ring->slots);
		l->next = d->o.size / d->o.bs / d->o.queues * i;
		for (unsigned head = 0; head < d->o.qd; head++)
			make(d, l, head, front_alloc(f, d->o.bs, 4096, i & 1));
	}
}

static uint64_t stop(struct load *d)
{
	struct monotime from = mono_now();

	front_stop(&d->front, NULL);
	return mono_since(mono_now(), from);
}

static uint64_t processor_us(const struct load *d)
{
	struct timespec t;

	if (!d->o.pid || clock_gettime(d->clock, &t))
		return 0;
	return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

static void measure(struct load *d)
{
	struct monotime from;
	uint64_t cpu, n, us;

	fill(d);
	run(d, mono_add(mono_now(), WARM_UP_US));
	fill(d);
	cpu = processor_us(d);
	from = mono_now();
	n = run(d, mono_add(from, d->o.seconds_us));
	us = mono_since(mono_now(), from);
	cpu = processor_us(d) - cpu;
	if (!n || !us)
		die("nothing has ended");
	n += (uint64_t)d->o.queues * d->o.qd; /* those that the end waited for */
	printf("iops=%.0f cpu=%.3f ", (double)n * 1e6 / (double)us, (double)cpu / (double)n);
}

/* All that was added is taken, when the back end asks for a kick at the next one. */
static void await_taken(struct load *d)
{
	struct monotime end = mono_add(mono_now(), FRONT_PATIENCE_MS * USEC_PER_MSEC);
	const struct timespec pause = {.tv_nsec = 1000000};

	for (unsigned i = 0; i < d->o.queues; i++)
		while (__atomic_load_n(&d->lane[i].used[2 + 4 * RING], __ATOMIC_ACQUIRE) !=
		       d->lane[i].ring->avail_idx) {
			if (mono_reached(end, mono_now()))
				die("not all commands are taken");
			nanosleep(&pause, NULL);
		}
}

/* ---- options ---- */

enum kind { BYTES, SECONDS, FLAG, DIRECTION };

static const struct {
	const char *key;
	enum kind kind;
	size_t at, size;
	double min, max;
} keys[] = {
#define OPTION(key, kind, field, min, max)                                                                   \
	{                                                                                                    \
		key, kind, offsetof(struct options, field), sizeof(((struct options *)0)->field), min, max   \
	}
	OPTION("rw", DIRECTION, write, 0, 0),	OPTION("seq", FLAG, seq, 0, 1),
	OPTION("hung", FLAG, hung, 0, 1),	OPTION("huge", FLAG, huge, 0, 1),
	OPTION("bs", BYTES, bs, 512, 1 << 20),	OPTION("qd", BYTES, qd, 1, RING),
	OPTION("queues", BYTES, queues, 1, 4),	OPTION("lun", BYTES, lun, 0, 255),
	OPTION("size", BYTES, size, 512, 1e12), OPTION("seconds", SECONDS, seconds_us, 0.001, 3600),
	OPTION("spin", BYTES, spin_us, 0, 1e6), OPTION("pid", BYTES, pid, 1, 4194304),
};

static int set(struct options *o, const char *word)
{
	const char *value = strchr(word, '=');
	char *end;

	for (size_t i = 0; value && i < ARRAY_SIZE(keys); i++) {
		double v = strtod(value + 1, &end);
		void *to = (char *)o + keys[i].at;
		uint64_t n = (uint64_t)(keys[i].kind == SECONDS ? v * 1e6 : v);
		bool yes = keys[i].kind == FLAG ? v != 0 : !strcmp(value + 1, "write");

		if (strncmp(word, keys[i].key, (size_t)(value - word)) || keys[i].key[value - word])
			continue;
		if (keys[i].kind == DIRECTION
			    ? !yes && strcmp(value + 1, "read")
			    : *end || end == value + 1 || v < keys[i].min || v > keys[i].max)
			return -EINVAL;
		if (keys[i].size == sizeof(bool))
			*(bool *)to = yes;
		else if (keys[i].size == sizeof(uint32_t))
			*(uint32_t *)to = (uint32_t)n;
		else
			*(uint64_t *)to = n;
		return 0;
	}
	return -EINVAL;
}

int main(int argc, char **argv)
{
	static struct load d = {.o = {.bs = 4096, .qd = 32, .queues = 1, .seconds_us = USEC_PER_SEC},
				.random = UINT64_C(0x9e3779b97f4a7c15)};
	bool good = argc >= 3 && (!strcmp(argv[2], "scsi") || !strcmp(argv[2], "blk"));

	for (int i = 3; good && i < argc; i++)
		good = !set(&d.o, argv[i]);
	if (!good || d.o.bs % 512 || d.o.size < (uint64_t)d.o.bs * d.o.queues ||
	    (d.o.pid && clock_getcpuclockid((pid_t)d.o.pid, &d.clock))) {
		fprintf(stderr, "usage: ringload SOCKET scsi|blk size=BYTES [KEY=VALUE]...\n");
		return 2;
	}
	d.o.socket = argv[1];
	d.o.blk = argv[2][0] == 'b';
	set_up(&d);
	if (d.o.hung) {
		fill(&d);
		await_taken(&d);
	} else {
		measure(&d);
	}
	printf("stop-us=%llu\n", (unsigned long long)stop(&d));
	front_end(&d.front);
	return 0;
}
