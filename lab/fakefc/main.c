/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The model as a file system.  A write whose driver blocks is answered when the model says so: until then its
 * caller is in the kernel, and once this program has read the request no signal gets it out
 * (fuse_request_wait_answer).
 */
#define FUSE_USE_VERSION 314

#include <errno.h>
#include <fuse_lowlevel.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cleanup.h"
#include "fakefc.h"
#include "news.h"
#include "sgio.h"
#include "uevent.h"

#define ATTR_SIZE 4096 /* as sysfs shows it */
#define FOR_EVER 86400.0 /* s: a number is never used again, and what goes is told */
#define TEXT_MAX (2 * 1024 * 1024)
#define OPTIONS "allow_other,default_permissions,fsname=fakefc"

struct server {
	struct fakefc *f;
	struct fuse_session *se;
	struct news *news; /* NULL before it is mounted */
	char *text;
};

static const struct node *node_of(fuse_req_t req, fuse_ino_t ino)
{
	struct server *s = fuse_req_userdata(req);

	return tree_by_number(fakefc_tree(s->f), ino);
}

static void attributes(const struct node *n, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = n->number;
	st->st_nlink = 1;
	if (n->kind == NODE_FOLDER) {
		st->st_mode = S_IFDIR | 0555;
	} else if (n->kind == NODE_LINK) {
		st->st_mode = S_IFLNK | 0777;
		st->st_size = (off_t)strlen(n->target);
	} else if (n->attr->device) {
		st->st_mode = S_IFREG | 0600;
	} else {
		st->st_mode = S_IFREG | (n->attr->show ? 0444 : 0) | (n->attr->store ? 0200 : 0);
		st->st_size = ATTR_SIZE;
	}
}

static void on_init(void *user, struct fuse_conn_info *conn)
{
	(void)user;
	conn->want |= conn->capable & FUSE_CAP_CACHE_SYMLINKS;
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct node *folder = node_of(req, parent);
	const struct node *n = folder && folder->kind == NODE_FOLDER ? tree_child(folder, name) : NULL;
	struct fuse_entry_param e = {};

	if (!n) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	e.ino = n->number;
	e.attr_timeout = FOR_EVER;
	e.entry_timeout = FOR_EVER;
	attributes(n, &e.attr);
	fuse_reply_entry(req, &e);
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct node *n = node_of(req, ino);
	struct stat st;

	(void)fi;
	if (!n) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	attributes(n, &st);
	fuse_reply_attr(req, &st, FOR_EVER);
}

/* A shell's ">" truncates: taken, as sysfs takes it. */
static void on_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int to_set, struct fuse_file_info *fi)
{
	(void)st;
	if (to_set & ~FUSE_SET_ATTR_SIZE)
		fuse_reply_err(req, EPERM);
	else
		on_getattr(req, ino, fi);
}

static void on_readlink(fuse_req_t req, fuse_ino_t ino)
{
	const struct node *n = node_of(req, ino);

	if (n && n->kind == NODE_LINK)
		fuse_reply_readlink(req, n->target);
	else
		fuse_reply_err(req, n ? EINVAL : ENOENT);
}

static void on_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	const struct node *n = node_of(req, ino), *c;
	AUTO_FREE char *buf = malloc(size);
	size_t used = 0;
	off_t i = 0;

	(void)fi;
	if (!n || n->kind != NODE_FOLDER || !buf) {
		fuse_reply_err(req, n ? ENOTDIR : ENOENT);
		return;
	}
	TAILQ_FOREACH (c, &n->children, link) {
		struct stat st;
		size_t need;

		if (i++ < off)
			continue;
		attributes(c, &st);
		need = fuse_add_direntry(req, buf + used, size - used, c->name, &st, i);
		if (need > size - used)
			break;
		used += need;
	}
	fuse_reply_buf(req, buf, used);
}

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if (!node_of(req, ino)) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	fi->direct_io = 1;
	fuse_reply_open(req, fi);
}

static void on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct server *s = fuse_req_userdata(req);
	const struct node *n = node_of(req, ino);
	ssize_t len;

	(void)fi;
	len = n ? fakefc_read(s->f, n, s->text, TEXT_MAX)
		: -ENODEV; /* as sysfs says it of a device that went */
	if (len < 0)
		fuse_reply_err(req, (int)-len);
	else if (off >= len)
		fuse_reply_buf(req, NULL, 0);
	else
		fuse_reply_buf(req, s->text + off, (size_t)(len - off) < size ? (size_t)(len - off) : size);
}

static void reply_write(fuse_req_t req, ssize_t result)
{
	if (result < 0)
		fuse_reply_err(req, (int)-result);
	else
		fuse_reply_write(req, (size_t)result);
}

static void on_done(void *arg, void *cookie, ssize_t result)
{
	(void)arg;
	reply_write(cookie, result);
}

static void on_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
		     struct fuse_file_info *fi)
{
	struct server *s = fuse_req_userdata(req);
	const struct node *n = node_of(req, ino);
	ssize_t result = n ? fakefc_write(s->f, n, buf, size, req) : -ENODEV;

	(void)off;
	(void)fi;
	if (result != FAKEFC_PENDING)
		reply_write(req, result);
}

/* ---- SG_IO ---- */

static int get_memory(const struct memory *m, uint64_t from, void *to, size_t len)
{
	struct iovec local = {to, len}, remote = {(void *)(uintptr_t)from, len};
	ssize_t n = process_vm_readv(m->pid, &local, 1, &remote, 1, 0);

	return n < 0 ? -errno : (size_t)n == len ? 0 : -EFAULT;
}

static int put_memory(const struct memory *m, uint64_t to, const void *from, size_t len)
{
	struct iovec local = {(void *)(uintptr_t)from, len}, remote = {(void *)(uintptr_t)to, len};
	ssize_t n = process_vm_writev(m->pid, &local, 1, &remote, 1, 0);

	return n < 0 ? -errno : (size_t)n == len ? 0 : -EFAULT;
}

static void on_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned cmd, void *arg, struct fuse_file_info *fi,
		     unsigned flags, const void *in, size_t in_size, size_t out_size)
{
	struct server *s = fuse_req_userdata(req);
	const struct node *n = node_of(req, ino);
	const struct memory m = {get_memory, put_memory, NULL, fuse_req_ctx(req)->pid};
	int r = n ? sgio_ioctl(s->f, n, cmd, (uintptr_t)arg, &m) : -ENODEV;

	(void)fi;
	(void)flags;
	(void)in;
	(void)in_size;
	(void)out_size;
	if (r < 0)
		fuse_reply_err(req, -r);
	else
		fuse_reply_ioctl(req, r, NULL, 0);
}

static const struct fuse_lowlevel_ops operations = {
	.init = on_init,
	.lookup = on_lookup,
	.getattr = on_getattr,
	.setattr = on_setattr,
	.readlink = on_readlink,
	.readdir = on_readdir,
	.open = on_open,
	.read = on_read,
	.write = on_write,
	.ioctl = on_ioctl,
};

/* ---- the loop ---- */

static int wait_ms(struct monotime due)
{
	uint64_t left;

	if (due.us == MONOTIME_NEVER.us)
		return -1;
	left = (mono_left(due, mono_now()) + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
	return left < 1000000 ? (int)left : 1000000;
}

/* Until it is unmounted or told to end. */
static int serve(struct server *s, int signals)
{
	struct fuse_buf buf = {};
	int r = 0;

	while (!fuse_session_exited(s->se)) {
		struct pollfd fds[] = {{fuse_session_fd(s->se), POLLIN, 0}, {signals, POLLIN, 0}};

		if (poll(fds, 2, wait_ms(fakefc_due(s->f))) < 0 && errno != EINTR)
			break;
		fakefc_run(s->f, mono_now());
		if (fds[1].revents)
			break;
		if (!fds[0].revents)
			continue;
		r = fuse_session_receive_buf(s->se, &buf);
		if (r == -EINTR)
			continue;
		if (r <= 0)
			break;
		fuse_session_process_buf(s->se, &buf);
	}
	free(buf.mem);
	return r < 0 ? 1 : 0;
}

static void on_uevent(void *arg, const char *action, const char *devpath, const char *subsystem)
{
	struct server *s = arg;

	if (s->news)
		news_uevent(s->news, action, devpath, subsystem);
}

static void on_gone(void *arg, uint64_t folder, const char *name)
{
	struct server *s = arg;

	if (s->news)
		news_gone(s->news, folder, name);
}

static int read_scenario(struct fakefc *f, const char *path)
{
	AUTO_FILE FILE *file = fopen(path, "re");
	char line[512], why[200];

	if (!file) {
		fprintf(stderr, "fakefc: %s: %s\n", path, strerror(errno));
		return -1;
	}
	for (unsigned n = 1; fgets(line, sizeof(line), file); n++) {
		if (!fakefc_command(f, line, why, sizeof(why)))
			continue;
		fprintf(stderr, "fakefc: %s, line %u: %s\n", path, n, why);
		return -1;
	}
	return 0;
}

static int serve_mounted(struct server *s, int signals)
{
	int uevents = uevent_open(), r = 1;

	if (uevents < 0)
		fprintf(stderr, "fakefc: no uevents: %s\n", strerror(-uevents));
	s->news = news_new(s->se, uevents);
	if (s->news) {
		r = serve(s, signals);
		news_free(steal_ptr(s->news));
	}
	if (uevents >= 0)
		close(uevents);
	return r;
}

static int mount_and_serve(struct server *s, const char *folder)
{
	char *argv[] = {"fakefc", "-o", OPTIONS, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);
	sigset_t set;
	int signals, r = 1;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	s->se = fuse_session_new(&args, &operations, sizeof(operations), s);
	if (s->se && !fuse_session_mount(s->se, folder)) {
		r = serve_mounted(s, signals);
		fuse_session_unmount(s->se);
	}
	if (s->se)
		fuse_session_destroy(s->se);
	fuse_opt_free_args(&args);
	close(signals);
	return r;
}

static int usage(int status)
{
	fputs("usage: fakefc SCENARIO FOLDER\n"
	      "Mounts on FOLDER what sysfs and /dev would show of the FC adapters that SCENARIO names, until "
	      "it is\n"
	      "terminated. FOLDER is a sysfs root for vhbad (VHBA_SYSROOT). README.md has the language of "
	      "SCENARIO.\n",
	      status ? stderr : stdout);
	return status;
}

int main(int argc, char **argv)
{
	struct server s = {};
	const struct fakefc_ops ops = {on_done, on_uevent, on_gone, &s};
	int r = 1;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
		return usage(0);
	if (argc != 3)
		return usage(2);
	s.f = fakefc_new(&ops, mono_now());
	s.text = malloc(TEXT_MAX);
	if (s.f && s.text && !read_scenario(s.f, argv[1]))
		r = mount_and_serve(&s, argv[2]);
	if (s.f)
		fakefc_free(s.f);
	free(s.text);
	return r;
}
