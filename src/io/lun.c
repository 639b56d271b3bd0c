/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/magic.h>

#include "lun.h"

struct lun *lun_new(uint16_t number, struct unit *unit)
{
	struct lun *l = aligned_alloc(_Alignof(struct lun), sizeof(*l));
	struct statfs fs;
	struct stat st;
	int flags;

	if (!l)
		return NULL;
	memset(l, 0, sizeof(*l));
	l->number = number;
	l->unit = unit;
	flags = fcntl(unit->fd, F_GETFL);
	l->aligned = flags >= 0 && (flags & O_DIRECT);
	/*
	 * io_uring hands every command on such a file to a thread of its own, which costs more than the copy.
	 * A device's node lies in memory too, on /dev, but what it stands for doesn't.
	 */
	l->direct_call = !fstat(unit->fd, &st) && S_ISREG(st.st_mode) && !fstatfs(unit->fd, &fs) &&
			 fs.f_type == TMPFS_MAGIC;
	return l;
}

void lun_free(struct lun *l)
{
	if (!l)
		return;
	l->unit->ops->close(l->unit);
	free(l);
}

struct lun_table *lun_table_with(const struct lun_table *old, uint16_t number, struct lun *l)
{
	struct lun_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	if (old)
		*t = *old;
	t->n = t->n - !!t->lun[number] + !!l;
	t->lun[number] = l;
	return t;
}
