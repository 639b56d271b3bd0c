/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading the journal's folder back.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "journal-int.h"
#include "log.h"

static int head_from(const struct journal_record *r, struct journal_head *head)
{
	const char *op = journal_get(r, "op"), *vm = journal_get(r, "vm"), *boot = journal_get(r, "boot");

	if (r->seq || strcmp(r->step, JOURNAL_STEP_BEGIN) || !op || !vm || !boot || !journal_vm_ok(vm) ||
	    strlen(boot) >= sizeof(head->boot_id) || journal_kind_parse(op, &head->kind) ||
	    journal_get_u64(r, "id", &head->id))
		return -EBADMSG;
	strcpy(head->vm, vm);
	strcpy(head->boot_id, boot);
	head->began_us = r->at_us;
	return 0;
}

static int op_add(struct journal_op *op, const struct journal_record *r)
{
	/* Room for 16 more at each power of it keeps a long hold's file linear to read. */
	if (op->n % 16 == 0) {
		void *more = reallocarray(op->rec, op->n + 16, sizeof(*op->rec));

		if (!more)
			return -ENOMEM;
		op->rec = more;
	}
	op->rec[op->n++] = *r;
	if (!strcmp(r->step, JOURNAL_STEP_END))
		op->done = true;
	return 0;
}

static int parse_line(struct journal_op *op, const char *line, size_t len)
{
	struct journal_record r;
	int rc = journal_decode(&r, line, len);

	if (!rc && r.seq != op->n)
		rc = -EBADMSG;
	if (!rc && !op->n)
		rc = head_from(&r, &op->head);
	return rc ? rc : op_add(op, &r);
}

int journal_parse(const char *bytes, size_t len, struct journal_op *op)
{
	const char *p = bytes, *end = bytes + len;
	int rc = 0;

	memset(op, 0, sizeof(*op));
	while (p < end) {
		const char *nl = memchr(p, '\n', end - p);

		if (!nl) {
			op->torn = true;
			break;
		}
		rc = parse_line(op, p, nl - p);
		if (rc == -EPROTONOSUPPORT || rc == -ENOMEM)
			break;
		if (rc) {
			/* The last line may be torn in its middle; one before it can't be. */
			op->torn = nl + 1 == end;
			op->damaged = !op->torn;
			rc = 0;
			break;
		}
		p = nl + 1;
		op->good_bytes = p - bytes;
	}
	if (!rc && !op->n)
		rc = -EBADMSG;
	if (rc)
		journal_op_free(op);
	return rc;
}

void journal_op_free(struct journal_op *op)
{
	free(op->rec);
	op->rec = NULL;
	op->n = 0;
}

void journal_list_free(struct journal_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		journal_op_free(&list->op[i]);
	free(list->op);
	memset(list, 0, sizeof(*list));
}

/* The whole file in *bytes (malloced). Its length or -errno. */
static ssize_t slurp(int dirfd, const char *name, char **bytes)
{
	AUTO_FD int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	AUTO_FREE char *buf = NULL;
	struct stat st;
	size_t len = 0;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > JOURNAL_FILE_MAX)
		return -EFBIG;
	buf = malloc(st.st_size + 1);
	if (!buf)
		return -ENOMEM;
	while (len < (size_t)st.st_size) {
		ssize_t n = read(fd, buf + len, st.st_size - len);

		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += n;
	}
	*bytes = steal_ptr(buf);
	return len;
}

static bool ends_in(const char *name, const char *tail)
{
	size_t a = strlen(name), b = strlen(tail);

	return a > b && !strcmp(name + a - b, tail);
}

/* An .op whose head was torn began nothing (the head is written before anything is done): take it away. */
static void drop_unborn(int dirfd, const char *name, struct journal_list *list)
{
	AUTO_FREE char *bytes = NULL;
	ssize_t len = slurp(dirfd, name, &bytes);

	if (len >= 0 && !memchr(bytes, '\n', len)) {
		log_notice("journal %s: begun but its first line was never finished: removed", name);
		unlinkat(dirfd, name, 0);
		return;
	}
	log_warning("journal %s: not readable as a journal: left alone", name);
	list->refused++;
}

/* 0: *op is filled; 1: skipped (said why); -errno. */
static int load_file(int dirfd, const char *name, const char *boot, struct journal_op *op,
		     struct journal_list *list)
{
	AUTO_FREE char *bytes = NULL;
	ssize_t len = slurp(dirfd, name, &bytes);
	int rc = len < 0 ? (int)len : journal_parse(bytes, len, op);

	if (rc == -ENOMEM)
		return rc;
	if (rc == -EBADMSG && ends_in(name, ".op")) {
		drop_unborn(dirfd, name, list);
		return 1;
	}
	if (rc) {
		log_warning("journal %s: %s: left alone", name,
			    rc == -EPROTONOSUPPORT ? "written by a newer version" : strerror(-rc));
		list->refused++;
		return 1;
	}
	if (strcmp(op->head.boot_id, boot)) {
		log_notice("journal %s: of another boot, whose vports are gone: removed", name);
		unlinkat(dirfd, name, 0);
		list->other_boot++;
		journal_op_free(op);
		return 1;
	}
	if (op->done && ends_in(name, ".op")) {
		char to[128];

		/* Ended, but killed before the rename. */
		journal_file_name(to, sizeof(to), &op->head, true);
		renameat(dirfd, name, dirfd, to);
		journal_op_free(op);
		return 1;
	}
	op->done = op->done || ends_in(name, ".done");
	if (op->damaged)
		log_warning("journal %s: damaged after %zu records: what stands before is used", name, op->n);
	return 0;
}

static int by_age(const void *a, const void *b)
{
	const struct journal_op *x = a, *y = b;

	if (x->head.began_us != y->head.began_us)
		return x->head.began_us < y->head.began_us ? -1 : 1;
	return x->head.id < y->head.id ? -1 : x->head.id > y->head.id;
}

static int list_add(struct journal_list *list, struct journal_op *op)
{
	struct journal_op *more = reallocarray(list->op, list->n + 1, sizeof(*list->op));

	if (!more) {
		journal_op_free(op);
		return -ENOMEM;
	}
	list->op = more;
	list->op[list->n++] = *op;
	return 0;
}

static bool name_wanted(const char *name, unsigned int which, const char *vm)
{
	bool wanted = (which & JOURNAL_UNFINISHED && ends_in(name, ".op")) ||
		      (which & JOURNAL_DONE && ends_in(name, ".done"));

	if (wanted && vm)
		wanted = !strncmp(name, vm, strlen(vm)) && name[strlen(vm)] == '.';
	return wanted;
}

static int load_dir(DIR *d, unsigned int which, const char *vm, const char *boot, struct journal_list *list)
{
	struct dirent *ent;

	while ((ent = readdir(d))) {
		struct journal_op op;
		int rc;

		if (!name_wanted(ent->d_name, which, vm))
			continue;
		rc = load_file(dirfd(d), ent->d_name, boot, &op, list);
		if (!rc)
			rc = list_add(list, &op);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int journal_load(const char *dir, unsigned int which, const char *vm, struct journal_list *list,
		 struct verror *e)
{
	AUTO_DIR DIR *d = opendir(dir);
	char boot[40];
	int rc;

	memset(list, 0, sizeof(*list));
	if (!d) {
		rc = -errno;
		verror_set(e, VHBA_E_IO, "the journal's folder %s can't be read", dir);
		verror_seen(e, "%s", strerror(-rc));
		return rc;
	}
	rc = journal_boot_id(boot, sizeof(boot));
	if (!rc)
		rc = load_dir(d, which, vm, boot, list);
	if (rc) {
		journal_list_free(list);
		verror_set(e, VHBA_E_IO, "the journal in %s can't be loaded", dir);
		verror_seen(e, "%s", strerror(-rc));
		return rc;
	}
	if (list->n)
		qsort(list->op, list->n, sizeof(*list->op), by_age);
	return 0;
}
