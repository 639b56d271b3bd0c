/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <linux/vhost_types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "cleanup.h"
#include "log.h"
#include "vhost_keep.h"
#include "vhost_user.h"

#define BIT(n) (UINT64_C(1) << (n))
/* of every type of device */
#define FEATURES                                                                                             \
	(BIT(VHOST_F_LOG_ALL) | BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_INDIRECT_DESC) |                 \
	 BIT(VIRTIO_RING_F_EVENT_IDX) | BIT(VU_F_PROTOCOL_FEATURES))
#define PROTOCOL_FEATURES                                                                                    \
	(BIT(VU_PROTOCOL_MQ) | BIT(VU_PROTOCOL_LOG_SHMFD) | BIT(VU_PROTOCOL_REPLY_ACK) |                     \
	 BIT(VU_PROTOCOL_INFLIGHT_SHMFD) | BIT(VU_PROTOCOL_RESET_DEVICE) |                                   \
	 BIT(VU_PROTOCOL_CONFIGURE_MEM_SLOTS))
/* with a configuration space of this end's */
#define SPACE_FEATURES (BIT(VU_PROTOCOL_CONFIG) | BIT(VU_PROTOCOL_BACKEND_REQ))

/*
 * A handler returns 0, -errno, or what is to be told: ANSWERED when it has said what to reply, LATER when
 * that comes with vu_turn. Those whose entry says "replies" get no acknowledgement besides.
 */
enum { ANSWERED = 1, LATER = 2 };

/* It is sent when what the message has changed is kept. The fd becomes the answer's. */
static int reply(struct vhost_user *v, const void *payload, uint32_t size, int fd)
{
	struct vu_answer *a = &v->answer;

	cleanup_fd(&a->fd);
	*a = (struct vu_answer){.owed = true, .size = size, .fd = fd};
	if (size)
		memcpy(&a->payload, payload, size);
	return ANSWERED;
}

static int reply_u64(struct vhost_user *v, uint64_t value)
{
	return reply(v, &value, sizeof(value), -1);
}

static bool wants_ack(const struct vhost_user *v, const struct vu_header *h)
{
	return (h->flags & VU_NEED_REPLY) && (v->protocol_features & BIT(VU_PROTOCOL_REPLY_ACK));
}

static int ring_of(const struct vhost_user *v, uint64_t index, unsigned *ring)
{
	*ring = (unsigned)index;
	return index < device_rings(v->device) ? 0 : -EINVAL;
}

/* ---- features ---- */

static uint64_t features(const struct vhost_user *v)
{
	return FEATURES | v->device->features_offered;
}

static int get_features(struct vhost_user *v, struct vu_message *m)
{
	return reply_u64(v, features(v));
}

static int set_features(struct vhost_user *v, struct vu_message *m)
{
	if (m->payload.u64 & ~features(v))
		return -EINVAL;
	return device_set_features(v->device, m->payload.u64);
}

static uint64_t protocol_features(const struct vhost_user *v)
{
	return PROTOCOL_FEATURES | (v->device->config.type->space ? SPACE_FEATURES : 0);
}

static int get_protocol_features(struct vhost_user *v, struct vu_message *m)
{
	return reply_u64(v, protocol_features(v));
}

static int set_protocol_features(struct vhost_user *v, struct vu_message *m)
{
	if (m->payload.u64 & ~protocol_features(v))
		return -EINVAL;
	v->protocol_features = m->payload.u64;
	return 0;
}

static int get_queue_num(struct vhost_user *v, struct vu_message *m)
{
	return reply_u64(v, device_rings(v->device));
}

static int set_owner(struct vhost_user *v, struct vu_message *m)
{
	return 0;
}

/* ---- memory ---- */

static struct memory_layout layout_of(const struct vu_region *r)
{
	return (struct memory_layout){r->gpa, r->size, r->uva, r->offset};
}

static int set_mem_table(struct vhost_user *v, struct vu_message *m)
{
	const struct vu_memory *t = &m->payload.memory;
	struct memory *mem;
	int err = 0;

	if (t->n > VU_MEM_REGIONS_MAX || t->n != m->fds ||
	    m->header.size < offsetof(struct vu_memory, region) + t->n * sizeof(t->region[0]))
		return -EINVAL;
	mem = memory_new();
	if (!mem)
		return -ENOMEM;
	for (unsigned i = 0; i < t->n && !err; i++) {
		struct memory_layout l = layout_of(&t->region[i]);

		err = memory_add(mem, &l, m->fd[i]);
	}
	if (err) {
		memory_unref(mem);
		return err;
	}
	return device_set_memory(v->device, mem);
}

static int change_memory(struct vhost_user *v, struct vu_message *m, bool add)
{
	struct memory_layout l = layout_of(&m->payload.one_region.region);
	struct memory *mem;
	int err;

	if (add && m->fds != 1)
		return -EINVAL;
	mem = memory_clone(v->device->mem);
	if (!mem)
		return -ENOMEM;
	err = add ? memory_add(mem, &l, m->fd[0]) : memory_remove(mem, &l);
	if (err) {
		memory_unref(mem);
		/* the predecessor may have done it and not said so */
		return v->again && err == (add ? -EEXIST : -ENOENT) ? 0 : err;
	}
	return device_set_memory(v->device, mem);
}

static int add_mem_reg(struct vhost_user *v, struct vu_message *m)
{
	return change_memory(v, m, true);
}

static int rem_mem_reg(struct vhost_user *v, struct vu_message *m)
{
	return change_memory(v, m, false);
}

static int get_max_mem_slots(struct vhost_user *v, struct vu_message *m)
{
	return reply_u64(v, MEMORY_REGIONS_MAX);
}

static int set_log_base(struct vhost_user *v, struct vu_message *m)
{
	const uint64_t zero = 0;
	struct dirty *log;

	if (m->fds != 1)
		return -EINVAL;
	log = dirty_new(m->fd[0], m->payload.log.size, m->payload.log.offset);
	if (!log)
		return -errno;
	device_set_log(v->device, log);
	/* QEMU waits for an answer to this one, whether it said so or not */
	return reply(v, &zero, sizeof(zero), -1);
}

/* A log that is announced by eventfd; nobody listens to it, but the message is the standard's. */
static int set_log_fd(struct vhost_user *v, struct vu_message *m)
{
	return 0;
}

/* ---- rings ---- */

static int set_vring_num(struct vhost_user *v, struct vu_message *m)
{
	unsigned ring;

	return ring_of(v, m->payload.state.index, &ring)
		       ? -EINVAL
		       : device_ring_size(v->device, ring, m->payload.state.num);
}

static int set_vring_addr(struct vhost_user *v, struct vu_message *m)
{
	const struct vu_address *a = &m->payload.address;
	struct vq_setup s = {
		.desc = a->desc,
		.avail = a->avail,
		.used = a->used,
		.log_gpa = a->log,
		.log_used = a->flags & VU_RING_LOG,
	};
	unsigned ring;

	return ring_of(v, a->index, &ring) ? -EINVAL : device_ring_address(v->device, ring, &s);
}

static int set_vring_base(struct vhost_user *v, struct vu_message *m)
{
	unsigned ring;

	if (ring_of(v, m->payload.state.index, &ring) || m->payload.state.num > UINT16_MAX)
		return -EINVAL;
	return device_ring_base(v->device, ring, (uint16_t)m->payload.state.num);
}

static int get_vring_base(struct vhost_user *v, struct vu_message *m)
{
	if (ring_of(v, m->payload.state.index, &v->base_ring))
		return -EINVAL;
	device_stop(v->device);
	v->base_owed = true;
	return LATER;
}

static int ring_fd(struct vhost_user *v, struct vu_message *m,
		   void (*set)(struct device *, unsigned ring, int fd))
{
	bool none = m->payload.u64 & VU_NO_FD;
	unsigned ring;

	if (ring_of(v, m->payload.u64 & VU_RING_INDEX, &ring) || m->fds != !none)
		return -EINVAL;
	set(v->device, ring, none ? -1 : vu_message_take(m, 0));
	return 0;
}

static int set_vring_kick(struct vhost_user *v, struct vu_message *m)
{
	int err = ring_fd(v, m, device_ring_kick);

	/* without protocol features there is no message to enable a ring: it is, with its kick fd */
	if (!err && !(v->device->features & BIT(VU_F_PROTOCOL_FEATURES)))
		device_ring_enable(v->device, m->payload.u64 & VU_RING_INDEX, true);
	return err;
}

static int set_vring_call(struct vhost_user *v, struct vu_message *m)
{
	return ring_fd(v, m, device_ring_call);
}

static int set_vring_err(struct vhost_user *v, struct vu_message *m)
{
	return ring_fd(v, m, device_ring_err);
}

static int set_vring_enable(struct vhost_user *v, struct vu_message *m)
{
	unsigned ring;

	if (ring_of(v, m->payload.state.index, &ring) || m->payload.state.num > 1)
		return -EINVAL;
	device_ring_enable(v->device, ring, m->payload.state.num);
	return 0;
}

/* ---- commands under way ---- */

static int get_inflight_fd(struct vhost_user *v, struct vu_message *m)
{
	struct vu_inflight *i = &m->payload.inflight;
	AUTO_FD int fd = -1;

	if (!i->queues || i->queues > device_rings(v->device) || !i->queue_size ||
	    i->queue_size > VQ_SIZE_MAX)
		return -EINVAL;
	i->size = i->queues * inflight_queue_size(i->queue_size);
	i->offset = 0;
	fd = memfd_create("vhba-inflight", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)i->size))
		return -errno;
	return reply(v, i, sizeof(*i), steal_fd(&fd));
}

static int set_inflight_fd(struct vhost_user *v, struct vu_message *m)
{
	const struct vu_inflight *i = &m->payload.inflight;

	if (m->fds != 1)
		return -EINVAL;
	return device_set_inflight(v->device, m->fd[0], i->size, i->offset, i->queues, i->queue_size);
}

/* ---- the configuration space ---- */

static int get_config(struct vhost_user *v, struct vu_message *m)
{
	struct vu_config *c = &m->payload.config;
	const struct device_type *type = v->device->config.type;
	const void *space;
	size_t size;

	/* an answer without a payload says that there is none */
	if (!type->space || c->size > VU_CONFIG_MAX || c->offset > VU_CONFIG_MAX - c->size)
		return reply(v, NULL, 0, -1);
	size = type->space(v->device, &space);
	memset(c->bytes, 0, sizeof(c->bytes));
	if (c->offset < size)
		memcpy(c->bytes, (const uint8_t *)space + c->offset,
		       size - c->offset < c->size ? size - c->offset : c->size);
	v->device->space_changed = false;
	return reply(v, c, offsetof(struct vu_config, bytes) + c->size, -1);
}

/* Nothing in it is the driver's to change. That it tries is no reason to leave the front end. */
static int set_config(struct vhost_user *v, struct vu_message *m)
{
	const uint64_t refused = EPERM;

	log_notice("vhost-user: the driver writes to the configuration space, which is read only");
	return wants_ack(v, &m->header) ? reply_u64(v, refused) : ANSWERED;
}

static int set_backend_req_fd(struct vhost_user *v, struct vu_message *m)
{
	if (m->fds != 1)
		return -EINVAL;
	cleanup_fd(&v->backend_fd);
	v->backend_fd = vu_message_take(m, 0);
	return 0;
}

/* A front end that doesn't read is told when the space changes again. */
static void tell_config(struct vhost_user *v)
{
	const struct vu_header h = {VU_BACKEND_CONFIG_CHANGE, VU_VERSION, 0};

	if (!v->device->space_changed || v->backend_fd < 0)
		return;
	v->device->space_changed = false;
	if (send(v->backend_fd, &h, sizeof(h), MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(h))
		log_err("vhost-user: the front end can't be told of a change: %s", strerror(errno));
}

static int reset_device(struct vhost_user *v, struct vu_message *m)
{
	device_stop(v->device);
	v->reset_owed = true;
	return LATER;
}

/* ---- the table ---- */

static const struct {
	const char *name;
	int (*run)(struct vhost_user *, struct vu_message *);
	uint32_t min, max; /* bytes of the payload */
	unsigned fds; /* at most */
	bool replies; /* by itself: there is no acknowledgement besides */
} requests[VU_REQUESTS_] = {
	[VU_GET_FEATURES] = {"GET_FEATURES", get_features, 0, 0, 0, true},
	[VU_SET_FEATURES] = {"SET_FEATURES", set_features, 8, 8},
	[VU_SET_OWNER] = {"SET_OWNER", set_owner, 0, 0},
	[VU_RESET_OWNER] = {"RESET_OWNER", reset_device, 0, 0},
	[VU_SET_MEM_TABLE] = {"SET_MEM_TABLE", set_mem_table, 8, sizeof(struct vu_memory),
			      VU_MEM_REGIONS_MAX},
	[VU_SET_LOG_BASE] = {"SET_LOG_BASE", set_log_base, 16, 16, 1, true},
	[VU_SET_LOG_FD] = {"SET_LOG_FD", set_log_fd, 0, 8, 1},
	[VU_SET_VRING_NUM] = {"SET_VRING_NUM", set_vring_num, 8, 8},
	[VU_SET_VRING_ADDR] = {"SET_VRING_ADDR", set_vring_addr, 40, 40},
	[VU_SET_VRING_BASE] = {"SET_VRING_BASE", set_vring_base, 8, 8},
	[VU_GET_VRING_BASE] = {"GET_VRING_BASE", get_vring_base, 8, 8, 0, true},
	[VU_SET_VRING_KICK] = {"SET_VRING_KICK", set_vring_kick, 8, 8, 1},
	[VU_SET_VRING_CALL] = {"SET_VRING_CALL", set_vring_call, 8, 8, 1},
	[VU_SET_VRING_ERR] = {"SET_VRING_ERR", set_vring_err, 8, 8, 1},
	[VU_GET_PROTOCOL_FEATURES] = {"GET_PROTOCOL_FEATURES", get_protocol_features, 0, 0, 0, true},
	[VU_SET_PROTOCOL_FEATURES] = {"SET_PROTOCOL_FEATURES", set_protocol_features, 8, 8},
	[VU_GET_QUEUE_NUM] = {"GET_QUEUE_NUM", get_queue_num, 0, 0, 0, true},
	[VU_SET_VRING_ENABLE] = {"SET_VRING_ENABLE", set_vring_enable, 8, 8},
	[VU_SET_BACKEND_REQ_FD] = {"SET_BACKEND_REQ_FD", set_backend_req_fd, 0, 8, 1},
	[VU_GET_CONFIG] = {"GET_CONFIG", get_config, 12, sizeof(struct vu_config), 0, true},
	[VU_SET_CONFIG] = {"SET_CONFIG", set_config, 12, sizeof(struct vu_config), 0, true},
	[VU_GET_INFLIGHT_FD] = {"GET_INFLIGHT_FD", get_inflight_fd, 20, 24, 0, true},
	[VU_SET_INFLIGHT_FD] = {"SET_INFLIGHT_FD", set_inflight_fd, 20, 24, 1},
	[VU_RESET_DEVICE] = {"RESET_DEVICE", reset_device, 0, 0},
	[VU_GET_MAX_MEM_SLOTS] = {"GET_MAX_MEM_SLOTS", get_max_mem_slots, 0, 0, 0, true},
	[VU_ADD_MEM_REG] = {"ADD_MEM_REG", add_mem_reg, sizeof(struct vu_one_region),
			    sizeof(struct vu_one_region), 1},
	[VU_REM_MEM_REG] = {"REM_MEM_REG", rem_mem_reg, sizeof(struct vu_one_region),
			    sizeof(struct vu_one_region), 1},
};

/* Without the front end's wish for an acknowledgement there is no way to tell it: the connection ends. */
static int refuse(struct vhost_user *v, const char *name, int err)
{
	const struct vu_header *h = &v->conn.in.header;

	log_err("vhost-user: %s is refused: %s", name, strerror(-err));
	if (!wants_ack(v, h))
		return err;
	return reply_u64(v, (uint64_t)-err);
}

/* What came of a message: LATER, another number that is not negative, or -errno: the connection ends. */
static int dispatch(struct vhost_user *v, struct vu_message *m)
{
	uint32_t r = m->header.request;
	int err;

	if (r >= VU_REQUESTS_ || !requests[r].run) {
		log_warning("vhost-user: request %u is not known", r);
		return wants_ack(v, &m->header) ? refuse(v, "it", -EOPNOTSUPP) : 0;
	}
	log_debug("vhost-user: %s", requests[r].name);
	if (m->header.size < requests[r].min || m->header.size > requests[r].max || m->fds > requests[r].fds)
		return refuse(v, requests[r].name, -EPROTO);
	v->asked = m->header;
	err = requests[r].run(v, m);
	if (err < 0)
		return requests[r].replies ? err : refuse(v, requests[r].name, err);
	v->done = true;
	if (err == 0 && !requests[r].replies && wants_ack(v, &m->header))
		err = reply_u64(v, 0);
	return err;
}

/* The message in hand: what it has changed is kept, then it is answered, then it is consumed. */
static int settle(struct vhost_user *v)
{
	struct vu_answer *a = &v->answer;
	int err = 0;

	if (v->keep) {
		vu_keep(v, v->done ? &v->conn.in : NULL);
		keep_flush(v->keep);
	}
	if (a->owed)
		err = vu_conn_reply(&v->conn, v->conn.in.header.request, &a->payload, a->size, a->fd);
	cleanup_fd(&a->fd);
	*a = (struct vu_answer){.fd = -1};
	v->done = v->again = false;
	return err ? err : vu_conn_done(&v->conn);
}

int vu_replay(struct vhost_user *v, struct vu_message *m)
{
	int err;

	m->header.flags |= VU_NEED_REPLY; /* so that what is refused is said */
	err = dispatch(v, m);
	if (err >= 0 && !v->done)
		err = -EINVAL;
	cleanup_fd(&v->answer.fd);
	v->answer = (struct vu_answer){.fd = -1};
	v->done = false;
	return err < 0 ? err : 0;
}

void vu_open(struct vhost_user *v, struct device *d, int fd, struct keep *keep)
{
	memset(v, 0, sizeof(*v));
	v->device = d;
	v->keep = keep;
	v->backend_fd = v->answer.fd = -1;
	vu_conn_init(&v->conn, fd);
	if (keep && fd >= 0)
		vu_keep_begin(v);
}

void vu_close(struct vhost_user *v)
{
	vu_conn_close(&v->conn);
	cleanup_fd(&v->backend_fd);
	cleanup_fd(&v->answer.fd);
	v->backend_fd = v->answer.fd = -1;
}

bool vu_wants(const struct vhost_user *v)
{
	return !v->base_owed && !v->reset_owed;
}

int vu_turn(struct vhost_user *v)
{
	struct vu_state s = {v->base_ring, 0};

	tell_config(v);
	if (vu_wants(v) || v->device->state != DEVICE_STOPPED)
		return 0;
	if (v->base_owed) {
		s.num = device_ring_end(v->device, v->base_ring);
		reply(v, &s, sizeof(s), -1);
	} else if (wants_ack(v, &v->asked)) {
		reply_u64(v, 0);
	}
	v->base_owed = v->reset_owed = false;
	return settle(v);
}

int vu_run(struct vhost_user *v)
{
	int r = 0;

	while (vu_wants(v) && (r = vu_conn_read(&v->conn)) > 0) {
		r = dispatch(v, &v->conn.in);
		if (r >= 0)
			r = r == LATER ? vu_turn(v) : settle(v);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : 0;
}

int vu_succeed(struct vhost_user *v)
{
	int r = vu_conn_succeed(&v->conn);

	if (r < 0)
		return r;
	v->again = r;
	return vu_run(v);
}
