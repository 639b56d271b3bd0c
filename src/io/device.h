/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The device that the front end configures: rings, memory, log; and its life.
 *
 *	STOPPED -> STARTING	a ring is enabled, and nothing is left of the last life
 *	STARTING -> RUNNING	the disks are ready
 *	RUNNING -> DRAINING	the first ring is disabled: no ring is read any more
 *	DRAINING -> STOPPED	nothing is under way, or the deadline has passed
 *
 * One thread uses a device: the one that speaks with the front end.  The rings of its type that are not
 * request rings (device_type.h) are served by it, the request rings by workers.  Nothing here blocks; what
 * may is done in the pool.
 *
 * Source: the vhost-user protocol, "Ring states"; virtio 1.1, 5.6.
 */
#ifndef VHBA_IO_DEVICE_H
#define VHBA_IO_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "device_type.h"
#include "event.h"
#include "jobs.h"
#include "lun.h"
#include "memory.h"
#include "monotime.h"
#include "path.h"
#include "queue.h"
#include "verror.h"
#include "virtqueue.h"
#include "worker.h"

#define DEVICE_QUEUES 16 /* request queues */
#define DEVICE_LOCAL_MAX 2
#define DEVICE_RINGS_MAX (DEVICE_LOCAL_MAX + DEVICE_QUEUES)
/* of virtio-scsi */
#define RING_CONTROL 0
#define RING_EVENT 1
#define DEVICE_WORKERS_MAX 16

struct device_config {
	const struct device_type *type;
	unsigned workers; /* 1..DEVICE_WORKERS_MAX */
	unsigned blocking; /* threads of the pool */
	uint64_t poll_us;
	uint64_t deadline_us; /* from the first disabled ring to the last command's answer */
	uint64_t nexus; /* WWPN of the guest's port; not 0 */
	bool locks; /* the LUNs' files are locked while commands may be under way, see lock.h */
	/* What all request rings together may take; 0: as much as they like. At most LIMIT_MAX. */
	uint64_t commands_per_second, bytes_per_second;
	uint64_t burst_us;
};

enum device_state {
	DEVICE_STOPPED,
	DEVICE_STARTING,
	DEVICE_RUNNING,
	DEVICE_DRAINING,
	DEVICE_STATES_,
};

/* Why no ring is started though the front end has enabled it. */
enum device_bar {
	BAR_TAKE_OVER = 1, /* a predecessor's state is still coming */
	BAR_GATE = 2, /* the guest may still run elsewhere, see control.h */
	BAR_LEAVING = 4, /* a successor will */
	BAR_HELD = 8, /* another than the front end has stopped the device, see device_hold */
};

/* What the front end said of a ring. The fds are the ring's. */
struct ring {
	struct vq_setup vq;
	bool addressed;
	uint16_t base;
	int kick, call, err; /* -1: none */
	bool enabled;
	bool held; /* it was enabled when device_hold came */
	bool running; /* the worker, or the device itself, has it */
	bool failed; /* it could not be started as it is set up */
	bool adrift; /* base isn't known: a killed process had it, the ring itself says where it stands */
	unsigned generation; /* how often an fd of it has changed */
};

/* A task management function under way. */
struct tmf {
	struct device *device;
	bool used;
	bool answered;
	struct memory *mem; /* that holds the response */
	struct iovec response;
	uint16_t head;
	uint8_t verdict;
	bool resetting;
	struct queue_match match;
	struct job job;
	enum disk_reset reset;
	struct lun *target[LUN_NUMBERS]; /* the disks to reset */
	unsigned targets;
	struct lun *remove; /* not from the guest: this LUN goes once its commands have ended */
};

struct device {
	struct device_config config;
	enum device_state state;
	uint64_t features_offered; /* by its type, and by what its LUN can do */
	uint64_t features;
	struct memory *mem;
	bool mem_closed;
	struct dirty *log;
	struct ring ring[DEVICE_RINGS_MAX];
	struct virtqueue local[DEVICE_LOCAL_MAX];
	struct memory *local_mem[DEVICE_LOCAL_MAX]; /* that they lie in */
	struct worker *worker[DEVICE_WORKERS_MAX];
	struct queue queue[DEVICE_QUEUES];
	struct queue_shared shared;
	struct jobs jobs;
	struct lun_table *luns;
	struct tmf tmf[TASK_WAITERS];
	struct events events;
	void *inflight;
	size_t inflight_size;
	unsigned inflight_rings, inflight_desc;
	struct monotime stop_began, stop_deadline;
	bool saved; /* the disks' state, since the stop */
	bool powered; /* the disks were started once */
	bool space_changed; /* the configuration space, and the front end wasn't told */
	bool ranked; /* a LUN has paths of which some may be better, which is looked at at rank_at */
	bool rank_any; /* one was met in this round */
	unsigned rank_lun; /* from this one on */
	struct monotime rank_at;
	bool lun_job; /* disks are being started, or a LUN is on its way */
	bool check_owed; /* sizes are to be looked at after that */
	unsigned bars; /* enum device_bar */
	bool barred; /* ... and it has been said */
	bool leaving; /* the stop is device_leave's */
	bool locked; /* the LUNs' files, all */
	bool lock_wanted; /* they are to be, and are asked for again at lock_at */
	bool lock_said;
	uint64_t lock_delay; /* us; 0: they have not been asked for */
	struct monotime lock_at;
	unsigned unproved; /* commands that a process which is gone had under way, and that may still be so */
	struct monotime started; /* when the rings last began to be read */
	struct monotime enabled; /* when the front end enabled the first of them */
	bool gate_by_start; /* BAR_GATE goes with the first ring that the front end enables */
};

/* Rings: the device's own, and all. */
static inline unsigned device_local(const struct device *d)
{
	return d->config.type->local;
}

static inline unsigned device_rings(const struct device *d)
{
	return d->config.type->local + DEVICE_QUEUES;
}

/* Starts the threads. NULL with *e said. */
struct device *device_new(const struct device_config *, struct verror *e);

/* Stopped, and as far as it can be: memory that the kernel still uses is left. */
void device_free(struct device *);

/* ---- what the front end says; 0 or -errno ---- */
int device_set_features(struct device *, uint64_t features);
int device_set_memory(struct device *, struct memory *); /* takes the reference */
void device_set_log(struct device *, struct dirty *); /* takes the reference; NULL: none */
int device_set_inflight(struct device *, int fd, uint64_t size, uint64_t offset, unsigned rings,
			unsigned desc);
int device_ring_size(struct device *, unsigned ring, unsigned size);
int device_ring_address(struct device *, unsigned ring, const struct vq_setup *);
int device_ring_base(struct device *, unsigned ring, uint16_t base);
void device_ring_kick(struct device *, unsigned ring, int fd); /* the fd is the device's from now on */
void device_ring_call(struct device *, unsigned ring, int fd);
void device_ring_err(struct device *, unsigned ring, int fd);
void device_ring_enable(struct device *, unsigned ring, bool on);

/* One reason more or less not to start a ring. */
void device_bar(struct device *, enum device_bar, bool on);

/* The front end wants its rings read, whoever else may bar or hold them. */
bool device_wanted(const struct device *);

/* All is said that a killed process had been told: go on. So many commands it had left in the kernel already.
 */
void device_succeed(struct device *, unsigned left);

/* Where the ring stands; it is not used any more before it gets another kick fd. The device is stopped. */
uint16_t device_ring_end(struct device *, unsigned ring);

/* Stop the whole device. Until it is DEVICE_STOPPED, call device_turn when something happens. */
void device_stop(struct device *);

/* The same by another's order than the front end's, whose rings wait from then on; and the end of it. */
void device_hold(struct device *);
void device_go_on(struct device *);

/*
 * End the device for a successor: no ring is read any more, what is under way may end until the deadline, and
 * nothing else is answered. It is DEVICE_STOPPED then, and isn't started any more.
 */
void device_leave(struct device *);

/* Forget all that the front end said. The device is stopped. */
void device_forget(struct device *);

/* ---- the loop ---- */

#define DEVICE_FDS (1 + DEVICE_LOCAL_MAX)

struct pollfd;

/* What to poll for; returns their number. */
unsigned device_fds(const struct device *, struct pollfd *fds);

/* By when to call device_turn, whatever comes. */
struct monotime device_due(const struct device *);

/* Something came, or was due. */
void device_turn(struct device *);

const char *device_state_name(enum device_state);

/* ---- logical units ---- */

/* The LUN is the device's from now on. The guest is told, if it runs. -EEXIST; -ENXIO: it is there, but
 * absent
 */
int device_lun_add(struct device *, struct lun *);
/*
 * The LUN of that number has other paths: what stands behind it is this one's from now on, and this one goes.
 * Returns 0; -ENOENT: there is none of that number; -EINVAL: it isn't of the same kind or block size (one
 * that is absent has none yet); -EBUSY: the device isn't stopped, or something is left in the kernel.
 */
int device_lun_replace(struct device *, struct lun *);
int device_lun_remove(struct device *, unsigned number); /* -ENOENT; -EBUSY: ask again later */

/* Look whether LUNs have another size, and tell the guest; once what is under way with them is done. */
void device_lun_check(struct device *);

/* The LUN's parameters are others now, says who knows: the guest is told. -ENOENT: there is no such one. */
int device_lun_changed(struct device *, unsigned number);

/*
 * The next path whose state isn't what was said of it last: its LUN's number, which path of it, and the
 * state. False: there is none. What changes wakes the device's loop.
 */
bool device_path_news(struct device *, unsigned *lun, unsigned *path, enum path_state *);

/* Paths of all LUNs, how many of them are usable, and how many have commands sent by their bsg node. */
unsigned device_paths(const struct device *, unsigned *usable, unsigned *by_bsg);

/* Commands that are under way, and those left behind in the kernel. */
unsigned device_busy(const struct device *);
unsigned device_orphans(const struct device *);

/* As far as is known, also those of processes that are gone; and of a stopped device: is there any? */
unsigned device_left(const struct device *);
bool device_unconfirmed(const struct device *);

/* ---- for control.c ---- */
struct queue *device_queue(struct device *, unsigned i);
unsigned device_match(struct device *, const struct queue_match *, bool abort, unsigned waiter);

#endif
