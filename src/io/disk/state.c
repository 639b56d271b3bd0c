/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "be.h"
#include "cleanup.h"
#include "state.h"

#define MAGIC "VHBADISK"
#define FIXED 88
#define CRC_AT 24
#define REG_SIZE 16
#define NEXUS_SIZE 12

static uint32_t checksum(const uint8_t *buf, size_t len)
{
	static const uint8_t zero[4];
	uLong crc = crc32(0, buf, CRC_AT);

	crc = crc32(crc, zero, sizeof(zero));
	return (uint32_t)crc32(crc, buf + CRC_AT + 4, (uInt)(len - CRC_AT - 4));
}

void state_encode(uint8_t *b, const struct disk_state *s, uint64_t seq)
{
	const struct pr *p = &s->pr;
	size_t len = FIXED + p->n * REG_SIZE + s->nexus_n * NEXUS_SIZE;
	uint8_t *at = b + FIXED;

	memset(b, 0, STATE_SLOT_SIZE);
	memcpy(b, MAGIC, 8);
	put_be32(STATE_VERSION, b + 8);
	put_be32((uint32_t)len, b + 12);
	put_be64(seq, b + 16);
	memcpy(b + 32, s->naa, sizeof(s->naa));
	put_be32(s->naa_len, b + 48);
	put_be32(s->mode, b + 52);
	put_be32(p->generation, b + 56);
	b[60] = p->aptpl;
	b[61] = p->type;
	put_be64(p->holder, b + 64);
	put_be32(p->n, b + 72);
	put_be32(s->nexus_n, b + 76);
	put_be64(s->blocks, b + 80);
	for (unsigned i = 0; i < p->n; i++, at += REG_SIZE) {
		put_be64(p->reg[i].nexus, at);
		put_be64(p->reg[i].key, at + 8);
	}
	for (unsigned i = 0; i < s->nexus_n; i++, at += NEXUS_SIZE) {
		put_be64(s->nexus[i].id, at);
		put_be32(s->nexus[i].attentions, at + 8);
	}
	put_be32(checksum(b, len), b + CRC_AT);
}

static bool decode_body(const uint8_t *b, size_t len, struct disk_state *s)
{
	struct pr *p = &s->pr;
	const uint8_t *at = b + FIXED;

	memcpy(s->naa, b + 32, sizeof(s->naa));
	s->naa_len = get_be32(b + 48);
	s->mode = get_be32(b + 52);
	p->generation = get_be32(b + 56);
	p->aptpl = b[60];
	p->type = b[61];
	p->holder = get_be64(b + 64);
	p->n = get_be32(b + 72);
	s->nexus_n = get_be32(b + 76);
	s->blocks = get_be64(b + 80);
	if (s->naa_len > sizeof(s->naa) || p->n > PR_MAX || s->nexus_n > DISK_NEXUS_MAX ||
	    len != FIXED + p->n * REG_SIZE + s->nexus_n * NEXUS_SIZE)
		return false;
	for (unsigned i = 0; i < p->n; i++, at += REG_SIZE) {
		p->reg[i].nexus = get_be64(at);
		p->reg[i].key = get_be64(at + 8);
	}
	for (unsigned i = 0; i < s->nexus_n; i++, at += NEXUS_SIZE) {
		s->nexus[i].id = get_be64(at);
		s->nexus[i].attentions = get_be32(at + 8);
	}
	return pr_sound(p);
}

static bool all_zero(const uint8_t *b)
{
	return !b[0] && !memcmp(b, b + 1, STATE_SLOT_SIZE - 1);
}

enum state_found state_decode(const uint8_t *b, struct disk_state *s, uint64_t *seq)
{
	uint32_t len = get_be32(b + 12);

	if (all_zero(b))
		return STATE_EMPTY;
	if (memcmp(b, MAGIC, 8) || len < FIXED || len > STATE_SLOT_SIZE ||
	    get_be32(b + CRC_AT) != checksum(b, len))
		return STATE_TORN;
	if (get_be32(b + 8) > STATE_VERSION)
		return STATE_NEWER;
	*seq = get_be64(b + 16);
	memset(s, 0, sizeof(*s));
	return *seq && decode_body(b, len, s) ? STATE_READ : STATE_TORN;
}

/* What is past the end reads as zeros. */
static int read_slot(int fd, unsigned slot, uint8_t *buf)
{
	size_t done = 0;
	ssize_t n;

	memset(buf, 0, STATE_SLOT_SIZE);
	while (done < STATE_SLOT_SIZE) {
		n = pread(fd, buf + done, STATE_SLOT_SIZE - done, (off_t)(slot * STATE_SLOT_SIZE + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	return 0;
}

static int refuse(const enum state_found *found, struct verror *e)
{
	int rc;

	if (found[0] == STATE_NEWER || found[1] == STATE_NEWER) {
		rc = verror_set(e, VHBA_E_VERSION, "the disk's state file is of a newer version");
		verror_expected(e, "version %d or older", STATE_VERSION);
		verror_fix(e, "use the vhba-io that wrote it, or a newer one");
		return rc;
	}
	rc = verror_set(e, VHBA_E_IO, "the disk's state file is damaged");
	verror_expected(e, "at least one whole record of two");
	verror_seen(e, "two that are torn or foreign");
	verror_fix(e, "make sure that no other host holds a reservation, then truncate the file");
	return rc;
}

int state_load(struct state_file *f, struct disk_state *s, struct verror *e)
{
	uint8_t buf[STATE_SLOT_SIZE];
	enum state_found found[2];
	struct disk_state one;
	uint64_t seq;
	int rc;

	f->seq = 0;
	f->slot = 1;
	f->loaded = false;
	for (unsigned i = 0; i < 2; i++) {
		rc = read_slot(f->fd, i, buf);
		if (rc) {
			verror_set(e, VHBA_E_IO, "can't read the disk's state file: %s", strerror(-rc));
			return rc;
		}
		found[i] = state_decode(buf, &one, &seq);
		if (found[i] == STATE_READ && seq > f->seq) {
			*s = one;
			f->seq = seq;
			f->slot = i;
		}
	}
	if (found[0] == STATE_NEWER || found[1] == STATE_NEWER)
		return refuse(found, e);
	/* The file's very first record may have been torn: it was of an empty state. */
	if (!f->seq && found[0] != STATE_EMPTY && found[1] != STATE_EMPTY)
		return refuse(found, e);
	f->loaded = true;
	return f->seq > 0;
}

static int write_slot(int fd, unsigned slot, const uint8_t *buf)
{
	size_t done = 0;
	ssize_t n;

	while (done < STATE_SLOT_SIZE) {
		n = pwrite(fd, buf + done, STATE_SLOT_SIZE - done, (off_t)(slot * STATE_SLOT_SIZE + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return fdatasync(fd) ? -errno : 0;
}

static int store_next(struct state_file *f, const struct disk_state *s)
{
	uint8_t buf[STATE_SLOT_SIZE];
	unsigned slot = !f->slot;
	int rc;

	state_encode(buf, s, f->seq + 1);
	rc = write_slot(f->fd, slot, buf);
	if (rc)
		return rc;
	f->seq++;
	f->slot = slot;
	return 0;
}

int state_store(struct state_file *f, const struct disk_state *s)
{
	bool fresh = !f->seq;
	int rc;

	if (f->fd < 0)
		return 0;
	if (!f->loaded)
		return -ENODATA;
	rc = store_next(f, s);
	return rc || !fresh ? rc : store_next(f, s);
}
