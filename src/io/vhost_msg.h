/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vhost-user on the wire: numbers and shapes, in the byte order of the host that both ends run on.
 *
 * Source: QEMU, docs/interop/vhost-user.rst.
 */
#ifndef VHBA_IO_VHOST_MSG_H
#define VHBA_IO_VHOST_MSG_H

#include <stdint.h>

enum vu_request {
	VU_GET_FEATURES = 1,
	VU_SET_FEATURES = 2,
	VU_SET_OWNER = 3,
	VU_RESET_OWNER = 4,
	VU_SET_MEM_TABLE = 5,
	VU_SET_LOG_BASE = 6,
	VU_SET_LOG_FD = 7,
	VU_SET_VRING_NUM = 8,
	VU_SET_VRING_ADDR = 9,
	VU_SET_VRING_BASE = 10,
	VU_GET_VRING_BASE = 11,
	VU_SET_VRING_KICK = 12,
	VU_SET_VRING_CALL = 13,
	VU_SET_VRING_ERR = 14,
	VU_GET_PROTOCOL_FEATURES = 15,
	VU_SET_PROTOCOL_FEATURES = 16,
	VU_GET_QUEUE_NUM = 17,
	VU_SET_VRING_ENABLE = 18,
	VU_SET_BACKEND_REQ_FD = 21,
	VU_GET_CONFIG = 24,
	VU_SET_CONFIG = 25,
	VU_GET_INFLIGHT_FD = 31,
	VU_SET_INFLIGHT_FD = 32,
	VU_RESET_DEVICE = 34,
	VU_GET_MAX_MEM_SLOTS = 36,
	VU_ADD_MEM_REG = 37,
	VU_REM_MEM_REG = 38,
	VU_REQUESTS_,
};

/* The other way, on the back end's own channel. */
#define VU_BACKEND_CONFIG_CHANGE 2u

#define VU_VERSION 0x1u
#define VU_VERSION_MASK 0x3u
#define VU_REPLY 0x4u
#define VU_NEED_REPLY 0x8u

#define VU_F_PROTOCOL_FEATURES 30 /* a feature bit, as VHOST_F_LOG_ALL */

#define VU_PROTOCOL_MQ 0
#define VU_PROTOCOL_LOG_SHMFD 1
#define VU_PROTOCOL_REPLY_ACK 3
#define VU_PROTOCOL_BACKEND_REQ 5
#define VU_PROTOCOL_CONFIG 9
#define VU_PROTOCOL_INFLIGHT_SHMFD 12
#define VU_PROTOCOL_RESET_DEVICE 13
#define VU_PROTOCOL_CONFIGURE_MEM_SLOTS 15

struct vu_header {
	uint32_t request, flags, size;
};

struct vu_state {
	uint32_t index, num;
};

/* The flag of struct vu_address: the used ring is logged too. */
#define VU_RING_LOG 0x1u

struct vu_address {
	uint32_t index, flags;
	uint64_t desc, used, avail, log;
};

struct vu_region {
	uint64_t gpa, size, uva, offset;
};

#define VU_MEM_REGIONS_MAX 8

struct vu_memory {
	uint32_t n, padding;
	struct vu_region region[VU_MEM_REGIONS_MAX];
};

struct vu_one_region {
	uint64_t padding;
	struct vu_region region;
};

struct vu_log {
	uint64_t size, offset;
};

struct vu_inflight {
	uint64_t size, offset;
	uint16_t queues, queue_size;
};

#define VU_CONFIG_MAX 256

struct vu_config {
	uint32_t offset, size, flags;
	uint8_t bytes[VU_CONFIG_MAX];
};

/* What a ring's fd message carries: its index, and whether there is no fd. */
#define VU_RING_INDEX 0xffu
#define VU_NO_FD 0x100u

union vu_payload {
	uint64_t u64;
	struct vu_state state;
	struct vu_address address;
	struct vu_memory memory;
	struct vu_one_region one_region;
	struct vu_log log;
	struct vu_inflight inflight;
	struct vu_config config;
};

#define VU_FDS_MAX 8

#endif
