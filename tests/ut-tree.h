/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fake sysfs under a temporary folder, made file by file; sysroot points there. */
#ifndef UT_TREE_H
#define UT_TREE_H

#include <stdbool.h>
#include <stddef.h>

/* A fresh, empty tree. */
void tree_new(void);

/* A file with a line of text, and the folders that it needs. */
void tree_put(const char *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void tree_put_bytes(const void *bytes, size_t n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void tree_link(const char *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void tree_fifo(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void tree_remove(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What a file holds now; a static buffer. "" when it is not there. */
const char *tree_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * An FCoE parent as Linux 6.1 shows it: hostN under the interface IF, with room for 255 vports; a vport on it
 * with a host of its own; a remote port with the role of a target; a disk behind it.
 */
void tree_parent(int host, const char *ifname, const char *wwpn);
void tree_vport(int parent, unsigned number, int host, const char *wwpn);
void tree_rport(int host, unsigned number, const char *wwpn, bool target);
void tree_disk(int host, unsigned target, unsigned lun, const char *sd);

#endif
