/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "links.h"

static int compare(const void *a, const void *b)
{
	const struct pool_lun *x = a, *y = b;

	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	return x->lun < y->lun ? -1 : x->lun > y->lun;
}

static bool seen_before(const struct pool_lun *luns, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (luns[i].designator[0] && !strcmp(luns[k].designator, luns[i].designator))
			return true;
	return false;
}

unsigned links_choose(uint64_t initiator, struct pool_lun *luns, unsigned n, char (*names)[LINK_NAME])
{
	unsigned count = 0;

	if (n)
		qsort(luns, n, sizeof(*luns), compare);
	for (unsigned i = 0; i < n; i++)
		if (!seen_before(luns, i))
			snprintf(names[count++], LINK_NAME, "0x%016" PRIx64 "-0x%016" PRIx64 "-lun-%" PRIu64,
				 initiator, luns[i].target, luns[i].lun);
	return count;
}

static bool is_wanted(const char *name, char (*names)[LINK_NAME], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static void empty(int fd, char (*names)[LINK_NAME], unsigned n)
{
	AUTO_FD int again = dup(fd);
	AUTO_DIR DIR *dir = again < 0 ? NULL : fdopendir(again);
	struct dirent *e;

	if (!dir)
		return;
	again = -1; /* the stream has it */
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.' && !is_wanted(e->d_name, names, n))
			unlinkat(fd, e->d_name, 0);
}

static int failed(struct verror *e, const char *path, int err)
{
	verror_set(e, VHBA_E_IO, "%s can't be made: %s", path, strerror(err));
	verror_fix(e, "the folder above it belongs to the user vhba: systemd-tmpfiles makes it");
	return -err;
}

static int make_dir(const char *dir)
{
	char up[PATH_MAX];
	char *slash;

	snprintf(up, sizeof(up), "%s", dir);
	slash = strrchr(up, '/');
	if (slash && slash != up) {
		*slash = '\0';
		mkdir(up, 0755);
	}
	return mkdir(dir, 0755) && errno != EEXIST ? -errno : 0;
}

int links_make(const char *dir, const char *by, char (*names)[LINK_NAME], unsigned n, struct verror *e)
{
	int r = make_dir(dir);
	AUTO_FD int fd = r ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char target[PATH_MAX], seen[PATH_MAX];

	if (fd < 0)
		return failed(e, dir, r ? -r : errno);
	empty(fd, names, n);
	for (unsigned i = 0; i < n; i++) {
		ssize_t len = readlinkat(fd, names[i], seen, sizeof(seen) - 1);

		snprintf(target, sizeof(target), "%s/%s", by, names[i]);
		if (len >= 0 && (size_t)len == strlen(target) && !memcmp(seen, target, (size_t)len))
			continue;
		unlinkat(fd, names[i], 0);
		if (symlinkat(target, fd, names[i]))
			return failed(e, names[i], errno);
	}
	return 0;
}

const char *links_missing(const char *dir, char (*names)[LINK_NAME], unsigned n)
{
	char path[PATH_MAX];
	struct stat st;

	for (unsigned i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		if (stat(path, &st) || !S_ISBLK(st.st_mode))
			return names[i];
	}
	return NULL;
}

void links_remove(const char *dir)
{
	AUTO_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	empty(fd, NULL, 0);
	rmdir(dir);
}
