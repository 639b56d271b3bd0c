/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The journal of operations: what was under way when the daemon died.
 *
 * It lies on /run (tmpfs): a vport does not survive a reboot, so neither need its journal, and nothing here
 * ever waits for a disk.  One append-only file per operation, named VM.ID.op; when the operation is over it
 * becomes VM.ID.done, of which the last few per VM are kept for "vhbactl log VM".  A quiesce's file lives
 * until its VM is attached again or released: the resume or release that follows is appended to the same
 * file, because the machine needs its whole history to go on.  A release of an attached VM and an attach have
 * files of their own.
 *
 * A line is "vj1 CRC SEQ TIME STEP key=value ...\n": CRC is CRC-32 (IEEE 802.3) of all that follows its
 * blank, in 8 hex digits; SEQ counts from 0; TIME is CLOCK_MONOTONIC in microseconds; bytes of a value
 * outside [!-~] and the signs
 * '%' and '=' are written %XX.  The line with SEQ 0 is the head (step "begin").  A last line without its
 * newline or with a wrong checksum is torn by the crash and is dropped; a wrong line elsewhere is damage:
 * what stands before it is used and the operation is marked.  A line of a newer version ("vj2") makes the
 * file refused and left alone.
 *
 * Not thread-safe; everything here is called from the daemon's loop and takes microseconds.
 */
#ifndef VHBA_JOURNAL_H
#define VHBA_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verror.h"

#define JOURNAL_KV_MAX 40
#define JOURNAL_KEY_MAX 24 /* with its NUL; [a-z0-9_-] */
#define JOURNAL_TEXT_MAX 1536 /* all values of a record with their NULs */
#define JOURNAL_LINE_MAX 6144 /* an encoded line with its newline: the worst escaping of the above fits */
#define JOURNAL_FILE_MAX (1024 * 1024) /* a larger file is refused when loading, and append says -EFBIG */
#define JOURNAL_VM_MAX 64 /* a VM's UUID or name as file name: [A-Za-z0-9_-] */

enum journal_kind { JOURNAL_ATTACH, JOURNAL_QUIESCE, JOURNAL_RESUME, JOURNAL_RELEASE, JOURNAL_KINDS };

/* "attach", "quiesce", ... ; "?" for what is none. */
const char *journal_kind_name(enum journal_kind kind);

/*
 * One record: a step and its keys and values, all text.  Fixed size, copyable, owned by the caller.  The key
 * names are the writer's business; those of the quiesce machine are in quiesce-journal.c, an attach writes
 * whatever it needs (step name, vhba, wwpn, parent, timers ...).
 */
struct journal_record {
	uint64_t seq; /* set by journal_append */
	uint64_t at_us; /* CLOCK_MONOTONIC */
	char step[JOURNAL_KEY_MAX];
	unsigned int n;
	struct {
		char key[JOURNAL_KEY_MAX];
		uint16_t off; /* of the value in text */
	} kv[JOURNAL_KV_MAX];
	size_t used;
	char text[JOURNAL_TEXT_MAX];
	int error; /* the first journal_put that failed, as -errno; journal_append refuses such a record */
};

void journal_record_init(struct journal_record *r, const char *step, uint64_t at_us);

/* Add a pair. An error is kept in r->error, so that a series of them is checked once. */
void journal_put(struct journal_record *r, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void journal_put_u64(struct journal_record *r, const char *key, uint64_t v);
void journal_put_hex(struct journal_record *r, const char *key, uint64_t v); /* 16 digits: WWPNs */

/* The value, or NULL when the key is absent. The numbers: 0, -ENOENT or -EINVAL. */
const char *journal_get(const struct journal_record *r, const char *key);
int journal_get_u64(const struct journal_record *r, const char *key, uint64_t *v);
int journal_get_hex(const struct journal_record *r, const char *key, uint64_t *v);

/* Line with newline into buf: its length, or -errno (-E2BIG). */
int journal_encode(const struct journal_record *r, char *buf, size_t size);

/*
 * The reverse, for hostile bytes; line without its newline. 0; -EBADMSG (checksum or form); -EPROTONOSUPPORT
 * (newer version, form not looked at); -E2BIG (more than a record holds).
 */
int journal_decode(struct journal_record *r, const char *line, size_t len);

struct journal_head {
	enum journal_kind kind;
	char vm[JOURNAL_VM_MAX];
	uint64_t id; /* of the operation, the caller's; unique among the VM's files in the folder */
	char boot_id[40]; /* journal_begin fills it when empty */
	uint64_t began_us; /* likewise from CLOCK_MONOTONIC */
};

/* This boot's id (/proc/sys/kernel/random/boot_id; never under the sysfs root of a test) in buf. 0 or -errno.
 */
int journal_boot_id(char *buf, size_t size);

/* An open file of an operation under way. */
struct journal;

/*
 * Begin an operation: creates the file (never over an existing one: -EEXIST) and writes its head.  dir must
 * exist and be the daemon's alone.  more (may be NULL) holds pairs that are added to the head.  NULL on error
 * with *e set.
 */
struct journal *journal_begin(const char *dir, const struct journal_head *head,
			      const struct journal_record *more, struct verror *e);

/* Append in one write(2), no fsync. 0 or -errno; after a short write (tmpfs full) what was written is cut off
 * again. */
int journal_append(struct journal *j, const struct journal_record *r);

/*
 * The operation is over: writes step "end" with outcome and text, renames to .done, keeps the VM's newest
 * `keep` .done files (0: removes it at once) and frees j. 0 or -errno (j is freed anyway).
 */
int journal_end(struct journal *j, const char *outcome, const char *text, uint64_t now_us, unsigned int keep);

/* Close without ending (the daemon stops or re-executes): the next start finds the operation unfinished. */
void journal_close(struct journal *j);
const struct journal_head *journal_head(const struct journal *j);

/* An operation as it was found in the folder. */
struct journal_op {
	struct journal_head head;
	bool done; /* its file says that it ended */
	bool torn; /* the last line was torn by the crash */
	bool damaged; /* a line before the last was wrong: rec holds what stood before it */
	size_t n;
	struct journal_record *rec; /* without the torn one; rec[0] is the head's */
	size_t good_bytes; /* the file up to here is sound: journal_reopen cuts the rest off */
};

struct journal_list {
	size_t n;
	struct journal_op *op; /* oldest (began_us, then id) first */
	size_t refused; /* files of a newer version, or no journals at all: left alone, logged */
	size_t other_boot; /* journals of another boot: removed, logged */
};

enum journal_which { JOURNAL_UNFINISHED = 1, JOURNAL_DONE = 2 };

/*
 * Read the folder. which: a mask; vm: only this one, or NULL for all.  A file that can't be used never makes
 * the rest fail.  Unfinished operations whose head line is torn began nothing: they are removed.  0 or -errno
 * with *e set.
 */
int journal_load(const char *dir, unsigned int which, const char *vm, struct journal_list *list,
		 struct verror *e);
void journal_list_free(struct journal_list *list);

/* Parse one file's bytes (what journal_load does per file; the fuzz target's door). 0, -EPROTONOSUPPORT or
 * -EBADMSG. */
int journal_parse(const char *bytes, size_t len, struct journal_op *op);
void journal_op_free(struct journal_op *op);

/* Go on appending to an unfinished operation after a restart. NULL on error with *e set. */
struct journal *journal_reopen(const char *dir, const struct journal_op *op, struct verror *e);

/* Does the folder lie in memory (tmpfs or ramfs)? If not, *e says what to do; the daemon warns. */
bool journal_dir_in_memory(const char *dir, struct verror *e);

#endif
