/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scope-bound release of resources, and the explicit hand-over of ownership.
 */
#ifndef VHBA_CLEANUP_H
#define VHBA_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void cleanup_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define AUTO_FREE CLEANUP(cleanup_free)
#define AUTO_FD CLEANUP(cleanup_fd)
#define AUTO_FILE CLEANUP(cleanup_file)
#define AUTO_DIR CLEANUP(cleanup_dir)

/* Take what *p owns; the scope's cleanup then finds nothing. */
#define steal_ptr(p)                                                                                         \
	({                                                                                                   \
		__typeof__(p) *steal_pp_ = &(p);                                                             \
		__typeof__(p) steal_v_ = *steal_pp_;                                                         \
		*steal_pp_ = NULL;                                                                           \
		steal_v_;                                                                                    \
	})

static inline int steal_fd(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
