/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One Fibre Channel frame as it lies in memory inside the fabric: the 24-byte header of FC-FS-3 clause 9 and
 * its payload, in wire order, without SOF, EOF and CRC (those belong to the port's encapsulation).
 */
#ifndef FABRIC_FRAME_H
#define FABRIC_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define FC_HEADER_LEN 24
#define FC_PAYLOAD_MAX 2112
#define FC_FRAME_MAX (FC_HEADER_LEN + FC_PAYLOAD_MAX)

/* Offsets in the header. */
enum {
	FC_R_CTL = 0,
	FC_D_ID = 1,
	FC_CS_CTL = 4,
	FC_S_ID = 5,
	FC_TYPE = 8,
	FC_F_CTL = 9,
	FC_SEQ_ID = 12,
	FC_DF_CTL = 13,
	FC_SEQ_CNT = 14,
	FC_OX_ID = 16,
	FC_RX_ID = 18,
	FC_PARAM = 20,
};

struct frame {
	TAILQ_ENTRY(frame) link;
	uint16_t vsan;
	uint16_t len; /* header and payload, FC_HEADER_LEN..FC_FRAME_MAX */
	uint8_t data[FC_FRAME_MAX];
};

TAILQ_HEAD(frame_queue, frame);

/* A zeroed frame of the given payload length; NULL when memory is short or the length is too large. */
struct frame *frame_new(uint16_t vsan, size_t payload_len);
void frame_free(struct frame *f);

static inline uint32_t get_be24(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint16_t get_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)get_be16(p) << 16 | get_be16(p + 2);
}

static inline uint64_t get_be64(const uint8_t *p)
{
	return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

static inline void put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put_be24(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 16);
	put_be16(p + 1, (uint16_t)v);
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
	put_be16(p, (uint16_t)(v >> 16));
	put_be16(p + 2, (uint16_t)v);
}

static inline void put_be64(uint8_t *p, uint64_t v)
{
	put_be32(p, (uint32_t)(v >> 32));
	put_be32(p + 4, (uint32_t)v);
}

static inline uint8_t *frame_payload(struct frame *f)
{
	return f->data + FC_HEADER_LEN;
}

static inline size_t frame_payload_len(const struct frame *f)
{
	return f->len - FC_HEADER_LEN;
}

#endif
