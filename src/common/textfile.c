/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "textfile.h"

int textfile_read(const char *path, size_t max, char **text)
{
	AUTO_FILE FILE *opened = strcmp(path, "-") ? fopen(path, "re") : NULL;
	FILE *f = strcmp(path, "-") ? opened : stdin;
	AUTO_FREE char *buf = malloc(max + 1);
	size_t n;

	*text = NULL;
	if (!f || !buf)
		return -errno;
	n = fread(buf, 1, max + 1, f);
	if (ferror(f))
		return -EIO;
	if (n > max)
		return -EFBIG;
	buf[n] = '\0';
	*text = steal_ptr(buf);
	return 0;
}

int textfile_write(const char *path, const char *text)
{
	AUTO_FREE char *tmp = NULL;
	FILE *f;
	int fd, err = 0;

	if (asprintf(&tmp, "%s.XXXXXX", path) < 0) {
		tmp = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(tmp, O_CLOEXEC);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f)
		return -errno;
	if (fputs(text, f) < 0 || fputc('\n', f) < 0 || fflush(f) || fsync(fd))
		err = -errno;
	if (fclose(f) && !err)
		err = -errno;
	if (!err && rename(tmp, path))
		err = -errno;
	if (err)
		unlink(tmp);
	return err;
}
