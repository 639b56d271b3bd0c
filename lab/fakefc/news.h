/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel is told without having asked: that a folder's entry has gone, which it keeps in its cache
 * for as long as it is not told, and uevents.
 *
 * By a thread of its own: the kernel takes the folder's lock for the former, and somebody may hold that who
 * waits for an answer of the file system.  In order: whoever hears of a device finds no older one of the same
 * name.
 */
#ifndef FAKEFC_NEWS_H
#define FAKEFC_NEWS_H

#include <stdint.h>

struct fuse_session;
struct news;

/* uevents: a socket of uevent_open, or -1: none are sent. NULL when there is no memory, or no thread. */
struct news *news_new(struct fuse_session *se, int uevents);
/* When no more comes: ends the thread, whether all is told or not. Before the session goes. */
void news_free(struct news *n);

void news_gone(struct news *n, uint64_t folder, const char *name);
void news_uevent(struct news *n, const char *action, const char *devpath, const char *subsystem);

#endif
