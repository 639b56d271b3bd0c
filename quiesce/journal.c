/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing the journal: begin, append, end.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cleanup.h"
#include "journal-int.h"
#include "log.h"
#include "monotime.h"

struct journal {
	struct journal_head head;
	char *dir;
	int fd;
	uint64_t seq; /* of the next record */
	off_t size;
};

bool journal_vm_ok(const char *vm)
{
	size_t len = strspn(vm, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return len > 0 && len < JOURNAL_VM_MAX && !vm[len];
}

void journal_file_name(char *buf, size_t size, const struct journal_head *head, bool done)
{
	snprintf(buf, size, "%s.%020" PRIu64 ".%s", head->vm, head->id, done ? "done" : "op");
}

static int read_boot_id(char *buf, size_t size)
{
	AUTO_FD int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n <= 0)
		return n ? -errno : -EIO;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

/* It stays what it is as long as a process lives. */
int journal_boot_id(char *buf, size_t size)
{
	static char id[64];
	int r = id[0] ? 0 : read_boot_id(id, sizeof(id));

	if (r)
		return r;
	snprintf(buf, size, "%s", id);
	return 0;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	if (j->fd >= 0)
		close(j->fd);
	free(j->dir);
	free(j);
}

const struct journal_head *journal_head(const struct journal *j)
{
	return &j->head;
}

static struct journal *journal_open(const char *dir, const struct journal_head *head, int flags)
{
	struct journal *j = calloc(1, sizeof(*j));
	char name[128], path[4096];

	if (!j)
		return NULL;
	j->fd = -1;
	j->head = *head;
	j->dir = strdup(dir);
	journal_file_name(name, sizeof(name), head, false);
	if (j->dir && snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path))
		j->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0600);
	else
		errno = j->dir ? ENAMETOOLONG : ENOMEM;
	if (j->fd < 0) {
		int saved = errno;

		journal_close(j);
		errno = saved;
		return NULL;
	}
	return j;
}

int journal_append(struct journal *j, const struct journal_record *r)
{
	struct journal_record copy = *r;
	char line[JOURNAL_LINE_MAX];
	ssize_t n;
	int len;

	copy.seq = j->seq;
	len = journal_encode(&copy, line, sizeof(line));
	if (len < 0)
		return len;
	if (j->size + len > JOURNAL_FILE_MAX)
		return -EFBIG;
	n = write(j->fd, line, len);
	if (n != len) {
		int rc = n < 0 ? -errno : -ENOSPC;

		/* A torn line in the middle would make all that follows unreadable. */
		if (n > 0 && ftruncate(j->fd, j->size))
			rc = -EIO;
		return rc;
	}
	j->size += len;
	j->seq++;
	return 0;
}

static void head_record(struct journal_record *r, const struct journal_head *head,
			const struct journal_record *more)
{
	journal_record_init(r, JOURNAL_STEP_BEGIN, head->began_us);
	journal_put(r, "op", "%s", journal_kind_name(head->kind));
	journal_put(r, "vm", "%s", head->vm);
	journal_put_u64(r, "id", head->id);
	journal_put(r, "boot", "%s", head->boot_id);
	for (unsigned int i = 0; more && i < more->n; i++)
		journal_put(r, more->kv[i].key, "%s", more->text + more->kv[i].off);
	if (more && more->error)
		r->error = more->error;
}

static void say_failed(struct verror *e, const char *dir, const struct journal_head *head, int rc)
{
	verror_set(e, VHBA_E_IO, "no journal for %s of VM %s in %s", journal_kind_name(head->kind), head->vm,
		   dir);
	verror_seen(e, "%s", strerror(-rc));
	verror_fix(e, "make room in the folder and see that the daemon's user may write there");
}

struct journal *journal_begin(const char *dir, const struct journal_head *head,
			      const struct journal_record *more, struct verror *e)
{
	struct journal_head h = *head;
	struct journal_record r;
	struct journal *j = NULL;
	int rc = 0;

	if ((unsigned int)h.kind >= JOURNAL_KINDS || !journal_vm_ok(h.vm))
		rc = -EINVAL;
	if (!rc && !h.boot_id[0])
		rc = journal_boot_id(h.boot_id, sizeof(h.boot_id));
	if (!h.began_us)
		h.began_us = mono_now().us;
	if (!rc) {
		j = journal_open(dir, &h, O_CREAT | O_EXCL);
		rc = j ? 0 : -errno;
	}
	if (!rc) {
		head_record(&r, &h, more);
		rc = journal_append(j, &r);
		if (rc) {
			char path[4096], name[128];

			journal_file_name(name, sizeof(name), &h, false);
			if (snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path))
				unlink(path);
		}
	}
	if (rc) {
		say_failed(e, dir, head, rc);
		journal_close(j);
		errno = -rc;
		return NULL;
	}
	return j;
}

struct journal *journal_reopen(const char *dir, const struct journal_op *op, struct verror *e)
{
	struct journal *j = journal_open(dir, &op->head, 0);
	int rc;

	if (j && !ftruncate(j->fd, op->good_bytes)) {
		j->seq = op->n;
		j->size = op->good_bytes;
		return j;
	}
	rc = -errno;
	say_failed(e, dir, &op->head, rc);
	journal_close(j);
	errno = -rc;
	return NULL;
}

/* Is name a .done of this VM? Then its id. */
static bool done_of(const char *name, const char *vm, uint64_t *id)
{
	size_t len = strlen(vm);
	char *end;

	if (strncmp(name, vm, len) || name[len] != '.')
		return false;
	errno = 0;
	*id = strtoull(name + len + 1, &end, 10);
	return !errno && !strcmp(end, ".done");
}

/* Take away the oldest until `keep` are left. Ids grow, so they tell the age. */
static int prune(DIR *d, const char *vm, unsigned int keep)
{
	for (;;) {
		char oldest[256] = "";
		uint64_t id, low = UINT64_MAX;
		unsigned int n = 0;
		struct dirent *ent;

		rewinddir(d);
		while ((ent = readdir(d))) {
			if (!done_of(ent->d_name, vm, &id))
				continue;
			n++;
			if (id <= low) {
				low = id;
				strcpy(oldest, ent->d_name);
			}
		}
		if (n <= keep)
			return 0;
		if (unlinkat(dirfd(d), oldest, 0))
			return -errno;
	}
}

int journal_end(struct journal *j, const char *outcome, const char *text, uint64_t now_us, unsigned int keep)
{
	AUTO_DIR DIR *d = opendir(j->dir);
	char from[128], to[128];
	struct journal_record r;
	int rc, rc2 = 0;

	journal_record_init(&r, JOURNAL_STEP_END, now_us);
	journal_put(&r, "outcome", "%s", outcome);
	journal_put(&r, "text", "%.1000s", text ? text : "");
	rc = journal_append(j, &r);
	journal_file_name(from, sizeof(from), &j->head, false);
	journal_file_name(to, sizeof(to), &j->head, true);
	/* Even when the last line could not be written (no room) the operation is over: rename says so. */
	if (!d || renameat(dirfd(d), from, dirfd(d), to))
		rc2 = -errno;
	else
		rc2 = prune(d, j->head.vm, keep);
	journal_close(j);
	return rc ? rc : rc2;
}

bool journal_dir_in_memory(const char *dir, struct verror *e)
{
	struct statfs fs;

	if (!statfs(dir, &fs) && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC))
		return true;
	verror_set(e, VHBA_E_CONSTRAINT, "the journal's folder %s does not lie in memory", dir);
	verror_expected(e, "a tmpfs, such as a folder under /run");
	verror_fix(
		e,
		"set the run-time directory to one under /run: a disk that hangs would stop every quiesce");
	return false;
}
