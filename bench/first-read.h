/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first I/O after a resume, the same for the floor and for vhbad. */
#ifndef VHBA_FIRST_READ_H
#define VHBA_FIRST_READ_H

/*
 * Read a block of each disk ("sda") past the page cache, one after the other; returns how many failed, each
 * said on stderr.  Blocks.
 */
int first_reads(char **disks, int n);

#endif
