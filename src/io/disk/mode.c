/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MODE SENSE and MODE SELECT (SPC-4, 6.11 to 6.14, 7.5; SBC-3, 6.4): one row a page, one bit of disk->mode a
 * field. */
#include <string.h>

#include "be.h"
#include "cleanup.h"
#include "disk_private.h"

#define PAGE_MAX 20
#define FIELDS_MAX 2
#define ALL_PAGES 0x3f
#define ALL_SUBPAGES 0xff
#define LIST_MAX 256 /* larger than all that there is to select */

static const struct mode_page {
	uint8_t code, size; /* with its two bytes of header */
	uint8_t base[PAGE_MAX]; /* what can't be changed */
	struct {
		uint8_t byte, mask;
		uint32_t mode; /* 0: no more */
	} field[FIELDS_MAX];
} mode_pages[] = {
	/* read-write error recovery: AWRE, ARRE */
	{0x01, 12, {0x01, 10, 0xc0}, {{0}}},
	/* caching */
	{0x08, 20, {0x08, 18}, {{2, 0x04, MODE_WCE}}},
	/* control: unrestricted reordering (QUEUE ALGORITHM MODIFIER 1) */
	{0x0a, 12, {0x0a, 10, 0x00, 0x10}, {{2, 0x04, MODE_D_SENSE}, {4, 0x08, MODE_SWP}}},
};

enum page_control { PC_CURRENT, PC_CHANGEABLE, PC_DEFAULT, PC_SAVED };

static void put_page(const struct mode_page *p, uint32_t mode, enum page_control pc, uint8_t *b)
{
	if (pc == PC_CHANGEABLE)
		memcpy(b, p->base, 2);
	else
		memcpy(b, p->base, p->size);
	for (unsigned i = 0; i < FIELDS_MAX && p->field[i].mode; i++)
		if (pc == PC_CHANGEABLE || (mode & p->field[i].mode))
			b[p->field[i].byte] |= p->field[i].mask;
}

static size_t put_block_descriptor(const struct disk *d, bool lba64, uint8_t *b)
{
	uint64_t blocks = disk_blocks(d);

	if (lba64) {
		put_be64(blocks, b);
		put_be32(disk_block_size(d), b + 12);
		return 16;
	}
	put_be32(blocks > UINT32_MAX ? UINT32_MAX : (uint32_t)blocks, b);
	put_be24(disk_block_size(d), b + 5);
	return 8;
}

/* Pages follow one another in the order of their codes. Returns their length; 0: there is no such page. */
static size_t put_pages(const struct disk *d, uint8_t code, enum page_control pc, uint8_t *b)
{
	uint32_t mode = pc == PC_DEFAULT ? d->mode_default : disk_mode(d, MODE_ALL);
	size_t n = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(mode_pages); i++)
		if (code == ALL_PAGES || code == mode_pages[i].code) {
			put_page(&mode_pages[i], mode, pc, b + n);
			n += mode_pages[i].size;
		}
	return n;
}

enum disk_next begin_mode_sense(struct cmd *c)
{
	const uint8_t *cdb = c->t->cdb;
	bool six = cdb[0] == 0x1a, descriptor = !(cdb[1] & 0x08), lba64 = !six && (cdb[1] & 0x10);
	enum page_control pc = cdb[2] >> 6;
	uint8_t code = cdb[2] & 0x3f, device = (disk_protected(c->d) ? 0x80 : 0) | 0x10; /* WP, DPOFUA */
	uint8_t b[LIST_MAX] = {0};
	size_t header = six ? 4 : 8, n = header, pages;

	if (pc == PC_SAVED)
		return cmd_check(c, KEY_ILLEGAL_REQUEST, ASC_SAVING_NOT_SUPPORTED);
	if (cdb[3] && cdb[3] != ALL_SUBPAGES)
		return cmd_bad_cdb(c, 3, 7);
	if (descriptor)
		n += put_block_descriptor(c->d, lba64, b + n);
	pages = put_pages(c->d, code, pc, b + n);
	if (!pages)
		return cmd_bad_cdb(c, 2, 5);
	if (six) {
		b[0] = (uint8_t)(n + pages - 1);
		b[2] = device;
		b[3] = (uint8_t)(n - header);
		return cmd_answer(c, b, n + pages, cdb[4]);
	}
	put_be16((uint16_t)(n + pages - 2), b);
	b[3] = device;
	b[4] = lba64 && descriptor ? 1 : 0;
	put_be16((uint16_t)(n - header), b + 6);
	return cmd_answer(c, b, n + pages, get_be16(cdb + 7));
}

/* A parameter list that is being read: "at" is where, for the field pointer too. */
struct list {
	const uint8_t *b;
	size_t at, len;
};

/* What the list says of a page's fields goes into *mode. false: the task has ended. */
static bool select_page(struct cmd *c, struct list *l, uint32_t *mode)
{
	const struct mode_page *p = NULL;
	const uint8_t *said = l->b + l->at;
	uint8_t now[PAGE_MAX] = {0}, can[PAGE_MAX] = {0};

	for (unsigned i = 0; i < ARRAY_SIZE(mode_pages); i++)
		if (mode_pages[i].code == (said[0] & 0x7f)) /* with SPF: there are no subpages */
			p = &mode_pages[i];
	if (!p) {
		cmd_bad_parameter(c, (unsigned)l->at, 5);
		return false;
	}
	if (l->len - l->at < 2 || l->len - l->at < 2u + said[1]) {
		cmd_check(c, KEY_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
		return false;
	}
	if (said[1] != p->size - 2) {
		cmd_bad_parameter(c, (unsigned)l->at + 1, 7);
		return false;
	}
	put_page(p, *mode, PC_CURRENT, now);
	put_page(p, *mode, PC_CHANGEABLE, can);
	for (unsigned i = 2; i < p->size; i++)
		if ((said[i] ^ now[i]) & ~can[i]) {
			cmd_bad_parameter(c, (unsigned)l->at + i, -1);
			return false;
		}
	for (unsigned i = 0; i < FIELDS_MAX && p->field[i].mode; i++)
		if (said[p->field[i].byte] & p->field[i].mask)
			*mode |= p->field[i].mode;
		else
			*mode &= ~p->field[i].mode;
	l->at += p->size;
	return true;
}

/* The header and a block descriptor that changes nothing. false: the task has ended. */
static bool select_header(struct cmd *c, struct list *l, bool six)
{
	size_t header = six ? 4 : 8, n;
	static const uint8_t zero[8];
	uint8_t now[16] = {0};
	bool lba64, same;

	if (l->len < header) {
		cmd_check(c, KEY_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
		return false;
	}
	lba64 = !six && (l->b[4] & 1);
	n = six ? l->b[3] : get_be16(l->b + 6);
	if (l->b[six ? 1 : 2]) { /* MEDIUM TYPE */
		cmd_bad_parameter(c, six ? 1 : 2, 7);
		return false;
	}
	if (n && n != put_block_descriptor(c->d, lba64, now)) {
		cmd_bad_parameter(c, six ? 3 : 6, 7);
		return false;
	}
	if (l->len - header < n) {
		cmd_check(c, KEY_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
		return false;
	}
	/* NUMBER OF LOGICAL BLOCKS, the first half, may be 0: as it is */
	same = !memcmp(l->b + header, now, n / 2) || !memcmp(l->b + header, zero, n / 2);
	if (!same || memcmp(l->b + header + n / 2, now + n / 2, n - n / 2)) {
		cmd_bad_parameter(c, (unsigned)header, -1);
		return false;
	}
	l->at = header + n;
	return true;
}

/* Data that lie in a cache which is being turned off go to the medium first. */
static void apply(struct cmd *c, uint32_t mode)
{
	struct disk *d = c->d;
	uint32_t was;
	int rc = 0;

	pthread_mutex_lock(&d->state_lock);
	was = disk_mode(d, MODE_ALL);
	if (mode != was)
		rc = remember(d, &d->pr, mode);
	pthread_mutex_unlock(&d->state_lock);
	if (!rc && (was & ~mode & MODE_WCE)) {
		gate_drain(&d->gate);
		rc = file_flush(d);
	}
	if (rc) {
		cmd_check(c, KEY_HARDWARE_ERROR, ASC_INTERNAL_FAILURE);
		return;
	}
	if (mode != was)
		nexus_raise(d, 0, atomic_load(&c->nexus->id), DISK_UA_MODE_CHANGED);
	cmd_good(c);
}

void run_mode_select(struct cmd *c)
{
	const uint8_t *cdb = c->t->cdb;
	bool six = cdb[0] == 0x15;
	size_t len = six ? cdb[4] : get_be16(cdb + 7);
	uint8_t b[LIST_MAX];
	struct list l = {.b = b, .len = len};
	uint32_t mode = disk_mode(c->d, MODE_ALL);

	if (cdb[1] & 0x01) { /* SP: nothing is saved */
		cmd_bad_cdb(c, 1, 0);
		return;
	}
	if (!len) {
		cmd_good(c);
		return;
	}
	if (!(cdb[1] & 0x10)) { /* PF 0: a vendor's own format */
		cmd_bad_cdb(c, 1, 4);
		return;
	}
	if (len > sizeof(b)) {
		cmd_check(c, KEY_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
		return;
	}
	if (!cmd_take(c, b, len) || !select_header(c, &l, six))
		return;
	while (l.at < l.len)
		if (!select_page(c, &l, &mode))
			return;
	apply(c, mode);
}
