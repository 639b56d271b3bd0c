/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A front end for tests: a guest's memory, its rings and the messages that QEMU sends, in QEMU's order.
 *
 * The guest's memory is one memfd in two regions: gpa 0 and FRONT_HIGH_GPA, half of it each. A failure of the
 * front end itself ends the test program, with a word; what the back end does wrong is for the test to see.
 */
#ifndef VHBA_TESTS_FRONT_H
#define VHBA_TESTS_FRONT_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/virtio_ring.h>
#include <linux/virtio_scsi.h>

#include "vhost_msg.h"

#define FRONT_HIGH_GPA (UINT64_C(1) << 32)
#define FRONT_RINGS 18 /* control, event, 16 request queues at most */
#define FRONT_SIZE_MAX 256
#define FRONT_PIECES 16
#define FRONT_SLOT_SIZE 512 /* header and response of the command whose head it is */
#define FRONT_INDIRECT_SIZE ((2 * FRONT_PIECES + 2) * sizeof(struct vring_desc))
#define FRONT_PATIENCE_MS 20000 /* for what must come; a slow machine gets as long as it wants to */

struct front_piece {
	uint64_t gpa;
	uint32_t len;
};

/* A command, or for the control ring a request: what goes there, and what came back. */
struct front_req {
	uint8_t out[64]; /* its header */
	uint32_t out_len, in_len; /* of header and response */
	struct front_piece data_out[FRONT_PIECES], data_in[FRONT_PIECES];
	unsigned data_out_n, data_in_n;
	uint8_t in[128]; /* the response */
	uint32_t used_len;
	bool done;
	bool status_last; /* virtio-blk's response comes after the data */
	uint16_t head;
};

struct front_ring {
	unsigned size;
	uint64_t desc, avail, used, slots; /* gpa */
	int kick, call;
	uint16_t avail_idx, seen;
	unsigned free_n, descs_used[FRONT_SIZE_MAX];
	uint16_t free[FRONT_SIZE_MAX], next[FRONT_SIZE_MAX];
	struct front_req *req[FRONT_SIZE_MAX];
};

struct front {
	int sock, memfd, log_fd, inflight_fd;
	uint8_t *mem, *log;
	size_t mem_size, log_size;
	uint64_t used_low, used_high; /* bytes of each region that were given out */
	uint64_t features;
	bool indirect;
	unsigned rings, size;
	struct front_ring ring[FRONT_RINGS];
	struct vu_inflight inflight;
};

/* Set before front_init: the guest's memory is of huge pages, of which there must be enough. */
extern bool front_huge_pages;

/* The socket becomes the front end's. queues: request queues. features 0: all that the back end has but
 * LOG_ALL. */
void front_init(struct front *, int sock, size_t mem_size, unsigned queues, unsigned ring_size,
		uint64_t features);
void front_end(struct front *);

/* A back end's socket by its path, connected; ends the program when nobody listens there. */
int front_dial(const char *path);

/* The front end's own failure: the test program ends. */
void front_die(const char *what) __attribute__((noreturn));

/* ---- messages ---- */
/* need_reply: returns the acknowledgement. fds may be NULL. */
uint64_t front_send(struct front *, uint32_t request, const void *payload, uint32_t size, const int *fds,
		    unsigned n, bool need_reply);
/* What the next reply says; its fd goes to *fd, if not NULL. Returns its size. */
uint32_t front_receive(struct front *, uint32_t request, void *payload, uint32_t size, int *fd);
/* The other end has closed the connection. */
bool front_is_left(struct front *);

/* ---- QEMU's order ---- */
void front_negotiate(struct front *); /* features, owner */
void front_share_memory(struct front *); /* SET_MEM_TABLE */
void front_start(struct front *, const uint16_t *base); /* memory, rings, enable, call; base NULL: all 0 */
void front_stop(struct front *, uint16_t *base); /* disable all, then the bases */
void front_log_start(struct front *);
void front_log_stop(struct front *);
void front_get_inflight(struct front *);
void front_set_inflight(struct front *);
void front_set_ring_address(struct front *, unsigned ring, bool log);
/* Another back end on another socket gets the same guest. */
void front_move(struct front *, int sock);

/* ---- the guest ---- */
uint64_t front_alloc(struct front *, size_t len, size_t align, bool high);
void *front_at(struct front *, uint64_t gpa);
bool front_log_has(const struct front *, uint64_t gpa);

void front_submit(struct front *, unsigned ring, struct front_req *); /* and kick */
void front_add(struct front *, unsigned ring, struct front_req *); /* no kick */
void front_kick(struct front *, unsigned ring);
/* Take what is used. Returns how many ended; waits for at least one when wait is set. */
unsigned front_reap(struct front *, unsigned ring, bool wait);
void front_wait(struct front *, unsigned ring, struct front_req *);

/* A command's header. */
void front_command(struct front_req *, uint16_t lun, const uint8_t *cdb, unsigned cdb_len);
void front_rw(struct front_req *, uint16_t lun, bool write, uint64_t lba, uint32_t blocks, uint64_t gpa);
const struct virtio_scsi_cmd_resp *front_response(const struct front_req *);

/* Send and wait; true: response OK, status GOOD. A pending unit attention is taken first. */
bool front_do(struct front *, unsigned ring, struct front_req *);
/* TEST UNIT READY until it is GOOD: unit attentions are gone then. */
void front_settle(struct front *, uint16_t lun);

/* Task management; returns the response. */
uint8_t front_tmf(struct front *, uint32_t subtype, uint16_t lun, uint64_t tag);

#endif
