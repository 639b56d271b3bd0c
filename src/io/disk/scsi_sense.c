/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "be.h"
#include "scsi_sense.h"

/* SPC-4, 4.5.2.4.2: the three bytes of a field pointer, the same in both formats */
static void put_field_pointer(uint8_t *p, const struct scsi_detail *d)
{
	p[0] = 0x80 | (d->in_cdb ? 0x40 : 0);
	if (d->bit >= 0)
		p[0] |= 0x08 | (d->bit & 7);
	put_be16(d->byte, p + 1);
}

static unsigned build_fixed(uint8_t *b, enum scsi_key key, enum scsi_asc asc, const struct scsi_detail *d)
{
	b[0] = 0x70;
	b[2] = (uint8_t)key;
	b[7] = SENSE_FIXED_SIZE - 8;
	put_be16((uint16_t)asc, b + 12);
	if (d->has_info && d->info <= UINT32_MAX) {
		b[0] |= 0x80;
		put_be32((uint32_t)d->info, b + 3);
	}
	if (d->has_field)
		put_field_pointer(b + 15, d);
	return SENSE_FIXED_SIZE;
}

static unsigned build_descriptor(uint8_t *b, enum scsi_key key, enum scsi_asc asc,
				 const struct scsi_detail *d)
{
	unsigned n = 8;

	b[0] = 0x72;
	b[1] = (uint8_t)key;
	put_be16((uint16_t)asc, b + 2);
	if (d->has_info) {
		b[n] = 0x00; /* information descriptor */
		b[n + 1] = 0x0a;
		b[n + 2] = 0x80;
		put_be64(d->info, b + n + 4);
		n += 12;
	}
	if (d->has_field) {
		b[n] = 0x02; /* sense key specific descriptor */
		b[n + 1] = 0x06;
		put_field_pointer(b + n + 4, d);
		n += 8;
	}
	b[7] = (uint8_t)(n - 8);
	return n;
}

unsigned scsi_sense_build(uint8_t *buf, bool descriptor, enum scsi_key key, enum scsi_asc asc,
			  const struct scsi_detail *detail)
{
	static const struct scsi_detail none;

	memset(buf, 0, SCSI_SENSE_MAX);
	if (!detail)
		detail = &none;
	return descriptor ? build_descriptor(buf, key, asc, detail) : build_fixed(buf, key, asc, detail);
}

enum scsi_key scsi_sense_read(const uint8_t *sense, unsigned len, enum scsi_asc *asc)
{
	bool descriptor = len && (sense[0] & 0x7e) == 0x72;

	*asc = ASC_NONE;
	if (len < (descriptor ? 4 : 14))
		return KEY_NO_SENSE;
	*asc = (enum scsi_asc)get_be16(sense + (descriptor ? 2 : 12));
	return (enum scsi_key)(sense[descriptor ? 1 : 2] & 0x0f);
}

void scsi_check(struct scsi_task *t, bool descriptor, enum scsi_key key, enum scsi_asc asc,
		const struct scsi_detail *detail)
{
	t->status = SCSI_CHECK_CONDITION;
	t->sense_len = scsi_sense_build(t->sense, descriptor, key, asc, detail);
}

void scsi_end(struct scsi_task *t, enum scsi_status status)
{
	t->status = (uint8_t)status;
	t->sense_len = 0;
}
