/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "bsg.h"

/* The second half of the entry, as linux/bsg.h has it since 7.1; what is not named is 0. */
struct request {
	uint64_t cdb;
	uint32_t cdb_len, protocol, subprotocol, sense_max;
	uint64_t sense;
	uint64_t out;
	uint32_t out_len, out_iovecs;
	uint64_t in;
	uint32_t in_len, in_iovecs;
	uint32_t timeout_ms;
	uint8_t reserved[12];
};

#define AT offsetof(struct io_uring_sqe, cmd)

_Static_assert(sizeof(struct request) == 80 && AT + sizeof(struct request) == 128, "the kernel's own layout");

static uint64_t address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

void bsg_prepare(struct io_uring_sqe *s, int fd, const struct sg_command *c, uint8_t *sense)
{
	struct request r = {.cdb = address(c->cdb),
			    .cdb_len = c->cdb_len,
			    .sense = address(sense),
			    .sense_max = SCSI_SENSE_MAX,
			    .timeout_ms = sg_timeout_ms(c->cdb[0])};

	if (c->out) {
		r.out = address(c->data);
		r.out_len = c->len;
	} else {
		r.in = address(c->data);
		r.in_len = c->len;
	}
	memset(s, 0, AT);
	s->opcode = IORING_OP_URING_CMD;
	s->fd = fd;
	memcpy((uint8_t *)s + AT, &r, sizeof(r));
}

/*
 * more: status, driver status, host status, bytes of sense, from the lowest byte on, and above them 32 bits
 * of what was not moved.
 */
enum sg_end bsg_end(struct sg_command *c, int32_t result, uint64_t more, const uint8_t *sense)
{
	uint32_t left = (uint32_t)(more >> 32);
	unsigned n = more >> 24 & 0xff;

	c->error = 0;
	c->host_status = 0;
	if (result < 0) {
		c->error = -result;
		return result == -EOPNOTSUPP ? SG_REFUSED : sg_end_of_errno(c->error);
	}
	c->status = more & 0xff;
	c->host_status = more >> 16 & 0xff;
	c->sense_len = n < sizeof(c->sense) ? n : sizeof(c->sense);
	memcpy(c->sense, sense, c->sense_len);
	c->moved = c->len - (left < c->len ? left : c->len);
	return sg_end_of_status(c);
}
