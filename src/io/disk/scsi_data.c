/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "scsi_data.h"
#include "scsi_sense.h"

static size_t walk(const struct iovec *v, unsigned n, size_t skip, uint8_t *buf, size_t len, bool to_iov)
{
	size_t done = 0, part;
	uint8_t *at;

	for (unsigned i = 0; i < n && done < len; i++) {
		if (skip >= v[i].iov_len) {
			skip -= v[i].iov_len;
			continue;
		}
		at = (uint8_t *)v[i].iov_base + skip;
		part = v[i].iov_len - skip;
		skip = 0;
		if (part > len - done)
			part = len - done;
		if (to_iov)
			memcpy(at, buf + done, part);
		else
			memcpy(buf + done, at, part);
		done += part;
	}
	return done;
}

size_t scsi_data_in(const struct scsi_task *t, size_t skip, const void *buf, size_t len)
{
	return walk(t->in, t->in_n, skip, (uint8_t *)buf, len, true);
}

size_t scsi_data_out(const struct scsi_task *t, size_t skip, void *buf, size_t len)
{
	return walk(t->out, t->out_n, skip, buf, len, false);
}

void scsi_answer(struct scsi_task *t, const void *data, size_t len, size_t allocation)
{
	if (len > allocation)
		len = allocation;
	t->moved = scsi_data_in(t, 0, data, len);
	scsi_end(t, SCSI_GOOD);
}
