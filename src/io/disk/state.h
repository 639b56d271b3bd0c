/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a disk remembers beside its data, in a file of its own: reservations, mode parameters, the size that
 * the guests were told of, and which unit attentions nobody has seen yet.
 *
 * The file has two slots of 4 KiB, each with a sequence number and a checksum. Writing takes the older one,
 * so that whoever is killed, at whatever instant, leaves the old state or the new one. A new file gets both
 * slots before it is used: from then on a slot that is torn means "the other one", and two torn slots are an
 * error that a person must decide on, never an empty state (that would lift a fence).
 *
 * Slot, big-endian: 0 magic "VHBADISK", 8 version, 12 length, 16 sequence (64 bits), 24 CRC-32 of the
 * length's bytes with this field 0, 28 zero, 32 NAA designator (16 bytes), 48 its length, 52 mode, 56
 * generation, 60 APTPL, 61 type, 64 holder (64), 72 number of registrations, 76 of nexuses, 80 blocks (64),
 * 88 registrations (nexus 64, key 64), then nexuses (name 64, attentions 32). The version is checked after
 * the checksum; a newer one is refused.
 */
#ifndef VHBA_DISK_STATE_H
#define VHBA_DISK_STATE_H

#include "pr.h"

#define STATE_SLOT_SIZE 4096
#define STATE_VERSION 1

struct state_nexus {
	uint64_t id;
	uint32_t attentions; /* 1 << enum disk_attention */
};

struct disk_state {
	uint8_t naa[16];
	unsigned naa_len;
	uint32_t mode; /* MODE_... */
	uint64_t blocks;
	struct pr pr;
	unsigned nexus_n;
	struct state_nexus nexus[DISK_NEXUS_MAX];
};

/* The file, and where its next record goes. */
struct state_file {
	int fd; /* borrowed; -1: there is none */
	uint64_t seq; /* of the newest record; 0: the file is new */
	unsigned slot; /* which one it is in */
	bool loaded; /* what is in it is known: else nothing is written over it */
};

/* 1: read; 0: the file is new, *s is untouched; -errno with *e said. */
int state_load(struct state_file *, struct disk_state *s, struct verror *e);

/* 0 or -errno (-ENODATA: not loaded): then the older record still stands. Blocks until it is on the medium.
 */
int state_store(struct state_file *, const struct disk_state *);

/* One slot's bytes; buf has STATE_SLOT_SIZE. For tests and the fuzzer too. */
void state_encode(uint8_t *buf, const struct disk_state *, uint64_t seq);

enum state_found {
	STATE_READ,
	STATE_EMPTY, /* zeros */
	STATE_TORN, /* checksum, magic, length or contents */
	STATE_NEWER,
};

enum state_found state_decode(const uint8_t *buf, struct disk_state *, uint64_t *seq);

#endif
