/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "vhost_keep.h"

#define FORMAT "1"

/* ---- entries from the state ---- */

struct builder {
	uint8_t bytes[1024];
	size_t len;
	int fd[KEEP_FDS_MAX];
	unsigned fds;
};

static void add(struct builder *b, uint32_t request, const void *payload, uint32_t size, int fd)
{
	const struct vu_header h = {request, VU_VERSION, size};

	memcpy(b->bytes + b->len, &h, sizeof(h));
	memcpy(b->bytes + b->len + sizeof(h), payload, size);
	b->len += sizeof(h) + size;
	if (fd >= 0)
		b->fd[b->fds++] = fd;
}

static void add_u64(struct builder *b, uint32_t request, uint64_t v, int fd)
{
	add(b, request, &v, sizeof(v), fd);
}

static void put(struct keep *k, const char *key, const void *bytes, size_t len, const int *fds, unsigned n,
		uint64_t tag)
{
	int err = keep_put(k, key, bytes, len, fds, n, tag);

	if (err)
		log_err("'%s' can't be kept for a successor: %s", key, strerror(-err));
}

static void put_built(struct keep *k, const char *key, const struct builder *b, uint64_t tag)
{
	put(k, key, b->bytes, b->len, b->fd, b->fds, tag);
}

static void put_text(struct keep *k, const char *key, const char *text)
{
	put(k, key, text, strlen(text), NULL, 0, 1);
}

static void put_message(struct keep *k, const char *key, const struct vu_message *m)
{
	struct builder b = {.len = 0};

	add(&b, m->header.request, &m->payload, m->header.size, -1);
	memcpy(b.fd, m->fd, m->fds * sizeof(m->fd[0]));
	b.fds = m->fds;
	put_built(k, key, &b, 0);
}

/* May be in use, or has been: only the ring itself says where it stands. */
static bool base_is_known(const struct ring *r)
{
	return !r->running && !r->enabled && !r->adrift;
}

static void put_ring(struct keep *k, unsigned i, const struct ring *r)
{
	struct builder b = {.len = 0};
	const struct vq_setup *s = &r->vq;
	const struct vu_address a = {i,		s->log_used ? VU_RING_LOG : 0, s->desc, s->used, s->avail,
				     s->log_gpa};
	const struct {
		uint32_t request;
		int fd;
	} fds[] = {{VU_SET_VRING_KICK, r->kick}, {VU_SET_VRING_CALL, r->call}, {VU_SET_VRING_ERR, r->err}};
	char key[KEEP_KEY_MAX];

	snprintf(key, sizeof(key), "ring-%u", i);
	if (!s->size && !r->addressed && !r->generation && !keep_find(k, key))
		return;
	if (s->size)
		add(&b, VU_SET_VRING_NUM, &(struct vu_state){i, s->size}, sizeof(struct vu_state), -1);
	if (base_is_known(r))
		add(&b, VU_SET_VRING_BASE, &(struct vu_state){i, r->base}, sizeof(struct vu_state), -1);
	if (r->addressed)
		add(&b, VU_SET_VRING_ADDR, &a, sizeof(a), -1);
	for (unsigned f = 0; f < ARRAY_SIZE(fds); f++)
		if (fds[f].fd >= 0)
			add_u64(&b, fds[f].request, i, fds[f].fd);
	add(&b, VU_SET_VRING_ENABLE, &(struct vu_state){i, r->enabled}, sizeof(struct vu_state), -1);
	put_built(k, key, &b, r->generation + 1);
}

static void put_held(struct keep *k, const struct device *d)
{
	uint32_t held = 0;
	char text[16];

	for (unsigned i = 0; i < device_rings(d); i++)
		held |= (uint32_t)d->ring[i].held << i;
	snprintf(text, sizeof(text), "%x", held);
	if (held)
		put_text(k, "held", text);
	else
		keep_drop(k, "held");
}

static void put_left(struct keep *k, const struct device *d)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", device_left(d));
	if (device_unconfirmed(d))
		put_text(k, "left", text);
	else
		keep_drop(k, "left");
}

/* The guest's driver looks at everything when it hears that it has missed something. */
static void put_events(struct keep *k, const struct events *e)
{
	if (e->n || e->missed)
		put_text(k, "events", "1");
	else
		keep_drop(k, "events");
}

static void put_agreed(struct keep *k, const struct vhost_user *v)
{
	struct builder b = {.len = 0};

	add_u64(&b, VU_SET_PROTOCOL_FEATURES, v->protocol_features, -1);
	add_u64(&b, VU_SET_FEATURES, v->device->features, -1);
	put_built(k, "front", &b, 1);
}

/* ---- entries from messages ---- */

static void slot_key(char *key, size_t size, const struct vu_message *m)
{
	snprintf(key, size, "slot-%" PRIx64, m->payload.one_region.region.gpa);
}

/* A region that came with the whole table goes: the table is now without it. */
static void shrink_table(struct keep *k, const struct vu_region *gone)
{
	const struct keep_entry *e = keep_find(k, "mem");
	struct vu_message m = {.header = {VU_SET_MEM_TABLE, VU_VERSION, 0}};
	const struct vu_memory *t;

	if (!e)
		return;
	t = (const struct vu_memory *)(const void *)(e->bytes + sizeof(struct vu_header));
	for (unsigned i = 0; i < t->n && i < e->fds; i++) {
		if (t->region[i].gpa == gone->gpa)
			continue;
		m.payload.memory.region[m.fds] = t->region[i];
		m.fd[m.fds++] = e->fd[i];
	}
	m.payload.memory.n = m.fds;
	m.header.size = (uint32_t)(offsetof(struct vu_memory, region) + m.fds * sizeof(struct vu_region));
	put_message(k, "mem", &m);
}

static void keep_message(struct keep *k, const struct vu_message *m)
{
	char key[KEEP_KEY_MAX];

	switch (m->header.request) {
	case VU_SET_MEM_TABLE:
		/* in this order: who is killed in between has regions too many, and the message still in hand
		 */
		put_message(k, "mem", m);
		keep_drop_all(k, "slot-", NULL);
		break;
	case VU_ADD_MEM_REG:
		slot_key(key, sizeof(key), m);
		put_message(k, key, m);
		break;
	case VU_REM_MEM_REG:
		slot_key(key, sizeof(key), m);
		if (keep_find(k, key))
			keep_drop(k, key);
		else
			shrink_table(k, &m->payload.one_region.region);
		break;
	case VU_SET_LOG_BASE:
		put_message(k, "log", m);
		break;
	case VU_SET_INFLIGHT_FD:
		put_message(k, "inflight", m);
		break;
	default:
		break;
	}
}

static void keep_backend(struct vhost_user *v, const struct vu_message *m)
{
	struct builder b = {.len = 0};

	if (m->header.request != VU_SET_BACKEND_REQ_FD)
		return;
	add_u64(&b, VU_SET_BACKEND_REQ_FD, 0, v->backend_fd);
	put_built(v->keep, "backend", &b, 0);
}

void vu_keep(struct vhost_user *v, const struct vu_message *m)
{
	const struct device *d = v->device;

	if (m) {
		put_agreed(v->keep, v);
		keep_message(v->keep, m);
		keep_backend(v, m);
	}
	for (unsigned i = 0; i < device_rings(d); i++)
		put_ring(v->keep, i, &d->ring[i]);
	put_held(v->keep, d);
	if (!(d->bars & BAR_TAKE_OVER))
		put_left(v->keep, d);
	put_events(v->keep, &d->events);
	if (d->powered || d->state == DEVICE_STARTING) /* before the first command can be answered */
		put_text(v->keep, "powered", "1");
}

void vu_keep_end(struct keep *k)
{
	keep_drop_all(k, "", "powered");
}

void vu_keep_begin(struct vhost_user *v)
{
	AUTO_FD int mark = vu_conn_mark_new();
	int err = mark < 0 ? -errno : vu_conn_mark(&v->conn, mark);

	vu_keep_end(v->keep);
	put_text(v->keep, "version", FORMAT);
	if (err)
		log_err("no memory that a successor could know this connection by: %s", strerror(-err));
	else
		put(v->keep, "mark", NULL, 0, &mark, 1, 0);
	put(v->keep, "conn", NULL, 0, &v->conn.fd, 1, 0);
	keep_flush(v->keep);
}

/* ---- and back ---- */

struct restore {
	struct vhost_user *front;
	const char *key;
	const uint8_t *bytes;
	size_t len;
	int *fds;
	unsigned n;
};

static int restore_version(struct restore *r)
{
	return r->len == strlen(FORMAT) && !memcmp(r->bytes, FORMAT, r->len) ? 0 : -EPROTONOSUPPORT;
}

static int restore_mark(struct restore *r)
{
	return r->n == 1 ? vu_conn_mark(&r->front->conn, r->fds[0]) : -EINVAL;
}

static int restore_conn(struct restore *r)
{
	if (r->n != 1 || r->front->conn.fd >= 0)
		return -EINVAL;
	r->front->conn.fd = steal_fd(&r->fds[0]);
	return 0;
}

static int number(const struct restore *r, int base, unsigned long *n)
{
	char text[16] = "", *end;

	if (!r->len || r->len >= sizeof(text))
		return -EINVAL;
	memcpy(text, r->bytes, r->len);
	*n = strtoul(text, &end, base);
	return *end || *n > UINT32_MAX ? -EINVAL : 0;
}

static int restore_left(struct restore *r)
{
	unsigned long n;

	if (number(r, 10, &n))
		return -EINVAL;
	r->front->left = (unsigned)n;
	return 0;
}

static int restore_held(struct restore *r)
{
	struct device *d = r->front->device;
	unsigned long held;

	if (number(r, 16, &held) || held >> device_rings(d))
		return -EINVAL;
	for (unsigned i = 0; i < device_rings(d); i++)
		d->ring[i].held = held >> i & 1;
	return 0;
}

static int restore_events(struct restore *r)
{
	r->front->device->events.missed = true;
	return 0;
}

static int restore_powered(struct restore *r)
{
	r->front->device->powered = true;
	return 0;
}

static int next_message(struct restore *r, struct vu_message *m, unsigned *fd)
{
	unsigned n;

	memset(m, 0, sizeof(*m));
	if (r->len < sizeof(m->header))
		return -EINVAL;
	memcpy(&m->header, r->bytes, sizeof(m->header));
	r->bytes += sizeof(m->header);
	r->len -= sizeof(m->header);
	if (m->header.size > r->len || m->header.size > sizeof(m->payload) ||
	    (m->header.flags & ~VU_NEED_REPLY) != VU_VERSION)
		return -EINVAL;
	memcpy(&m->payload, r->bytes, m->header.size);
	r->bytes += m->header.size;
	r->len -= m->header.size;
	n = vu_message_fds(m);
	if (n > r->n - *fd || n > VU_FDS_MAX)
		return -EINVAL;
	while (m->fds < n)
		m->fd[m->fds++] = steal_fd(&r->fds[(*fd)++]);
	return 0;
}

/* What an entry may hold: the front end's word on its state, nothing that asks or starts. */
static bool may_replay(uint32_t request)
{
	static const uint32_t may[] = {VU_SET_PROTOCOL_FEATURES, VU_SET_FEATURES,    VU_SET_MEM_TABLE,
				       VU_ADD_MEM_REG,		 VU_SET_LOG_BASE,    VU_SET_INFLIGHT_FD,
				       VU_SET_BACKEND_REQ_FD,	 VU_SET_VRING_NUM,   VU_SET_VRING_BASE,
				       VU_SET_VRING_ADDR,	 VU_SET_VRING_KICK,  VU_SET_VRING_CALL,
				       VU_SET_VRING_ERR,	 VU_SET_VRING_ENABLE};

	for (size_t i = 0; i < ARRAY_SIZE(may); i++)
		if (may[i] == request)
			return true;
	return false;
}

static int restore_messages(struct restore *r)
{
	bool ring = !strncmp(r->key, "ring-", 5), slot = !strncmp(r->key, "slot-", 5), based = false;
	unsigned long n = ring ? strtoul(r->key + 5, NULL, 10) : 0;
	struct device *d = r->front->device;
	struct vu_message m;
	unsigned fd = 0;
	int err = 0;

	if (ring && n >= device_rings(d))
		return -EINVAL;
	while (r->len && !err) {
		err = next_message(r, &m, &fd);
		if (!err && !may_replay(m.header.request))
			err = -EINVAL;
		if (!err)
			err = vu_replay(r->front, &m);
		for (unsigned i = 0; i < m.fds; i++)
			cleanup_fd(&m.fd[i]);
		based |= m.header.request == VU_SET_VRING_BASE;
	}
	if (slot && err == -EEXIST)
		err = 0; /* killed while the whole table was taken, and that message is still in hand */
	if (ring && !err)
		d->ring[n].adrift = !based && d->ring[n].addressed;
	return err;
}

static const struct {
	const char *key; /* the beginning of it */
	int (*run)(struct restore *);
	const char *what;
} restores[] = {
	{"version", restore_version, "it is of a newer vhba-io"},
	{"powered", restore_powered, ""},
	{"mark", restore_mark, "no page that says how far the message in hand is"},
	{"conn", restore_conn, "no connection"},
	{"held", restore_held, "no mask of rings"},
	{"left", restore_left, "no number"},
	{"events", restore_events, ""},
	{"front", restore_messages, "features that this vhba-io doesn't have"},
	{"backend", restore_messages, "no messages"},
	{"mem", restore_messages, "the memory can't be mapped"},
	{"slot-", restore_messages, "the memory can't be mapped"},
	{"log", restore_messages, "the log can't be mapped"},
	{"inflight", restore_messages, "the memory of commands under way can't be mapped"},
	{"ring-", restore_messages, "no ring's messages"},
};

int vu_restore(struct vhost_user *v, const char *key, const uint8_t *bytes, size_t len, int *fds, unsigned n,
	       const char **why)
{
	struct restore r = {v, key, bytes, len, fds, n};
	int err;

	*why = "its key is not known: it may be of a newer vhba-io";
	for (size_t i = 0; i < ARRAY_SIZE(restores); i++) {
		if (strncmp(key, restores[i].key, strlen(restores[i].key)))
			continue;
		*why = restores[i].what;
		err = keep_known(v->keep, key, bytes, len, fds, n); /* before the handlers take the fds */
		return err ? err : restores[i].run(&r);
	}
	return -EINVAL;
}
