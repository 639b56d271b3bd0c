/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What another process holds for this one, so that a successor can go on where this one ended: entries of a
 * key, bytes and fds, in an order.  The holder understands none of it.  It is at the other end of the control
 * socket (SOCK_SEQPACKET), and is told of each entry when it changes; and of events, which it does
 * understand:
 *
 *	"!keep KEY\0BYTES" + fds	the entry is this now: in the place that it has, or as the last
 *	"!drop KEY"			the entry is gone
 *	"!event WORD TEXT"
 *
 * The entries are kept here as well, with fds of their own, for a holder that comes anew: only both ends
 * dying at once loses them.
 *
 * One thread uses a keep.
 */
#ifndef VHBA_IO_KEEP_H
#define VHBA_IO_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define KEEP_KEY_MAX 64 /* with its end */
#define KEEP_BYTES_MAX 16384
#define KEEP_FDS_MAX 8

struct keep_entry {
	char key[KEEP_KEY_MAX];
	uint8_t *bytes;
	size_t len;
	int fd[KEEP_FDS_MAX];
	unsigned fds;
	uint64_t tag; /* the owner's: which fds these are */
	bool unsent, dropped; /* the holder hasn't been told */
	TAILQ_ENTRY(keep_entry) link;
};

struct keep {
	int peer; /* the holder's socket; -1: none. Not the keep's own. */
	unsigned n; /* entries, without those that were dropped */
	unsigned unsent;
	TAILQ_HEAD(, keep_entry) entries;
};

void keep_init(struct keep *);
void keep_end(struct keep *);

/* There is a holder, or -1 none any more. It knows nothing yet: every entry is to be sent. */
void keep_peer(struct keep *, int fd);

/* Send all of them once more. */
void keep_again(struct keep *);

/*
 * The fds stay the caller's. An entry with the same bytes and tag is left as it is; tag 0 is never the same.
 * Returns 0, or -errno: then the entry is as it was.
 */
int keep_put(struct keep *, const char *key, const void *bytes, size_t len, const int *fds, unsigned n,
	     uint64_t tag);
void keep_drop(struct keep *, const char *key);

/* The same as keep_put for an entry that the holder has just given. */
int keep_known(struct keep *, const char *key, const void *bytes, size_t len, const int *fds, unsigned n);

/* NULL: there is none. */
const struct keep_entry *keep_find(const struct keep *, const char *key);

/* Drop those whose key begins so, but for one (NULL: none). */
void keep_drop_all(struct keep *, const char *prefix, const char *but);

/* Tell the holder what it hasn't been told, as far as it takes it. Returns whether it knows all. */
bool keep_flush(struct keep *);

/* An event is told at once or never. */
void keep_event(struct keep *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What follows "kept ": KEY\0BYTES. Returns the key, and where the bytes are; NULL: it is none. */
const char *keep_parse(const char *text, size_t size, const uint8_t **bytes, size_t *len);

#endif
