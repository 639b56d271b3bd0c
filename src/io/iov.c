/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdint.h>
#include <string.h>

#include "iov.h"

size_t iov_get(const struct iovec *iov, unsigned n, void *buf, size_t len)
{
	size_t done = 0;

	for (unsigned i = 0; i < n && done < len; i++) {
		size_t part = iov[i].iov_len < len - done ? iov[i].iov_len : len - done;

		memcpy((uint8_t *)buf + done, iov[i].iov_base, part);
		done += part;
	}
	return done;
}

size_t iov_put(const struct iovec *iov, unsigned n, const void *buf, size_t len)
{
	size_t done = 0;

	for (unsigned i = 0; i < n && done < len; i++) {
		size_t part = iov[i].iov_len < len - done ? iov[i].iov_len : len - done;

		memcpy(iov[i].iov_base, (const uint8_t *)buf + done, part);
		done += part;
	}
	return done;
}

bool iov_take(struct iovec **iov, unsigned *n, size_t len, struct iovec *parts, unsigned *parts_n,
	      unsigned room)
{
	unsigned used = 0;

	while (len) {
		struct iovec *v = *iov;
		size_t part = v->iov_len < len ? v->iov_len : len;

		if (parts && used == room)
			return false;
		if (parts)
			parts[used++] = (struct iovec){v->iov_base, part};
		v->iov_base = (uint8_t *)v->iov_base + part;
		v->iov_len -= part;
		len -= part;
		if (!v->iov_len) {
			++*iov;
			--*n;
		}
	}
	if (parts_n)
		*parts_n = used;
	return true;
}
