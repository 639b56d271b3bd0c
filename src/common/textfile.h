/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small text files that a person names on a command line.  They block. */
#ifndef VHBA_TEXTFILE_H
#define VHBA_TEXTFILE_H

#include <stddef.h>

/*
 * The whole of a file ("-": standard input), NUL-terminated, in *text (the caller frees it). 0; -EFBIG: it
 * has more than max bytes; -errno.
 */
int textfile_read(const char *path, size_t max, char **text);

/* The whole file or nothing, with a line feed at its end: written beside it, brought to the disk, renamed. 0
 * or -errno. */
int textfile_write(const char *path, const char *text);

#endif
