/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vhbad.conf; what is taken must print such that it is taken again. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int write_all(int fd, const void *data, size_t size)
{
	return ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	static char path[64];
	struct config *c, *again;
	struct verror e = {0};
	char *text = NULL;
	size_t n = 0;
	FILE *f;

	if (fd < 0)
		fd = memfd_create("config", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write_all(fd, data, size))
		return 0;
	c = config_load(path, &e);
	if (!c)
		return 0;
	f = open_memstream(&text, &n);
	config_print(c, f);
	fclose(f);
	config_free(c);
	if (write_all(fd, text, n))
		abort();
	again = config_load(path, &e);
	if (!again) {
		fprintf(stderr, "%s\n%s: %s; %s\n", text, e.what, e.expected, e.seen);
		abort();
	}
	config_free(again);
	free(text);
	return 0;
}
