/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A vhba-io's files and its process.  RUNDIR/io/VM/NAME.sock is the front end's, .control is vhbad's, .json
 * is its record, and .pid is written by the process itself before it becomes vhba-io, so that it is right
 * also when vhbad is killed in between.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "ios_private.h"
#include "log.h"

#define FRONT_FD 3 /* vhba-io finds its listening sockets here */
#define CONTROL_FD 4
#define ARGS_MAX (24 + 2 * REG_GUEST_LUNS)
#define RECORD_VERSION 1

void io_path_of(const struct io *io, const char *suffix, char *buf, size_t size)
{
	snprintf(buf, size, "%s/io/%s/%s.%s", io->d->cfg->run_dir, io->vm, io->name, suffix);
}

/* ---- sockets ---- */

/* Without it vhbad's own user can still connect, as root can. */
static void give_to(const char *path, gid_t group)
{
	if (group == (gid_t)-1 || !chown(path, (uid_t)-1, group))
		return;
	log_warning("%s can't be given to [io] group: %s; vhbad's user must be a member of it", path,
		    strerror(errno));
}

/* Whoever connected to the one before stays so. */
static int listen_at(const char *path, int type, mode_t mode, struct verror *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	AUTO_FD int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (strlen(path) >= sizeof(a.sun_path)) {
		verror_set(e, VHBA_E_USAGE, "%s is too long for a socket", path);
		verror_fix(e, "a shorter run-dir, or a shorter name of the VM");
		return -ENAMETOOLONG;
	}
	strcpy(a.sun_path, path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || chmod(path, mode) || listen(fd, 4))
		return verror_set(e, VHBA_E_IO, "%s can't be made: %s", path, strerror(errno));
	return steal_fd(&fd);
}

static int make_folder(const char *path, mode_t mode, struct verror *e)
{
	if ((!mkdir(path, mode) || errno == EEXIST) && !chmod(path, mode))
		return 0;
	verror_set(e, VHBA_E_IO, "%s can't be made: %s", path, strerror(errno));
	verror_fix(e, "vhbad's user must own the run-dir");
	return -EIO;
}

int io_files_make(struct io *io, struct verror *e)
{
	gid_t group = io->d->ios->group;
	char path[PATH_MAX];

	if (io->front >= 0)
		return 0;
	snprintf(path, sizeof(path), "%s/io", io->d->cfg->run_dir);
	if (make_folder(path, 0755, e))
		return -EIO;
	snprintf(path, sizeof(path), "%s/io/%s", io->d->cfg->run_dir, io->vm);
	if (make_folder(path, 0750, e))
		return -EIO;
	give_to(path, group);
	io_path_of(io, "sock", path, sizeof(path));
	io->front = listen_at(path, SOCK_STREAM, 0660, e);
	if (io->front < 0)
		return io->front;
	give_to(path, group);
	return 0;
}

void io_files_remove(const struct io *io)
{
	static const char *const suffixes[] = {"sock", "control", "pid", "json"};
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		io_path_of(io, suffixes[i], path, sizeof(path));
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/io/%s", io->d->cfg->run_dir, io->vm);
	rmdir(path); /* another of the VM's may have its files there */
}

/* ---- the record ---- */

/* One for each vhba. */
static struct json_object *names_of(const wwn_t names[VM_VHBAS_MAX])
{
	struct json_object *list = json_object_new_array();
	char text[WWN_TEXT];

	for (unsigned i = 0; i < VM_VHBAS_MAX; i++)
		json_object_array_add(list, json_object_new_string(wwn_format(names[i], text)));
	return list;
}

static void read_names(wwn_t names[VM_VHBAS_MAX], struct json_object *list)
{
	for (size_t i = 0; list && i < VM_VHBAS_MAX && i < json_object_array_length(list); i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(list, i));

		if (!text || wwn_parse(text, &names[i], NULL))
			names[i] = 0;
	}
}

static struct json_object *luns_had(const struct io *io)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < REG_GUEST_LUNS; i++)
		if (io->had[i])
			json_object_array_add(list, json_object_new_uint64(i));
	return list;
}

static void read_luns(struct io *io, struct json_object *list)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		uint64_t number = json_object_get_uint64(json_object_array_get_idx(list, i));

		if (number < REG_GUEST_LUNS)
			io->had[number] = true;
	}
}

static struct json_object *port_ids(const struct io *io)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < VM_VHBAS_MAX; i++)
		json_object_array_add(list, json_object_new_int((int)io->live.port_id[i]));
	return list;
}

static void read_port_ids(struct io *io, struct json_object *list)
{
	for (size_t i = 0; list && i < VM_VHBAS_MAX && i < json_object_array_length(list); i++)
		io->live.port_id[i] = (uint32_t)json_object_get_int(json_object_array_get_idx(list, i)) &
				      0xffffff;
}

void io_record_write(const struct io *io)
{
	struct json_object *o = json_object_new_object();
	char path[PATH_MAX], next[PATH_MAX];

	json_object_object_add(o, "version", json_object_new_int(RECORD_VERSION));
	json_object_object_add(o, "uuid", json_object_new_string(io->uuid));
	json_object_object_add(o, "held", json_object_new_boolean(io->held));
	json_object_object_add(o, "gate", json_object_new_boolean(io->gate));
	json_object_object_add(o, "leaving", json_object_new_boolean(io->live.leaving));
	json_object_object_add(o, "witness", names_of(io->live.witness));
	json_object_object_add(o, "luns", luns_had(io));
	json_object_object_add(o, "port_ids", port_ids(io));
	json_object_object_add(o, "f_ports", names_of(io->live.f_port));
	io_path_of(io, "json", path, sizeof(path));
	io_path_of(io, "new", next, sizeof(next));
	if (json_object_to_file(next, o) || rename(next, path))
		log_warning("%s: %s can't be written", io->vm, path);
	json_object_put(o);
}

bool io_record_uuid(struct ios *ios, const char *vm, const char *name, char uuid[37])
{
	struct json_object *o;
	char path[PATH_MAX];
	bool good;

	snprintf(path, sizeof(path), "%s/io/%s/%s.json", ios->d->cfg->run_dir, vm, name);
	o = json_object_from_file(path);
	good = o && proto_get_uint(o, "version", 0) == RECORD_VERSION && proto_get_text(o, "uuid") &&
	       proto_is_uuid(proto_get_text(o, "uuid"));
	if (good)
		snprintf(uuid, 37, "%s", proto_get_text(o, "uuid"));
	json_object_put(o);
	return good;
}

void io_record_read(struct io *io)
{
	struct json_object *o;
	char path[PATH_MAX];

	io_path_of(io, "json", path, sizeof(path));
	o = json_object_from_file(path);
	io->held = proto_get_bool(o, "held");
	io->gate = !o || proto_get_bool(o, "gate"); /* what isn't known to be open stays closed */
	io->live.leaving = proto_get_bool(o, "leaving");
	read_names(io->live.witness, o ? proto_get(o, "witness") : NULL);
	read_luns(io, o ? proto_get(o, "luns") : NULL);
	read_port_ids(io, o ? proto_get(o, "port_ids") : NULL);
	read_names(io->live.f_port, o ? proto_get(o, "f_ports") : NULL);
	json_object_put(o);
}

static void read_folder(struct ios *ios, const char *vm,
			void (*fn)(struct ios *ios, const char *vm, const char *name))
{
	char path[PATH_MAX], name[16];
	AUTO_DIR DIR *dir = NULL;
	struct dirent *e;

	snprintf(path, sizeof(path), "%s/io/%s", ios->d->cfg->run_dir, vm);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		size_t n = strlen(e->d_name);

		if (n <= 5 || n - 5 >= sizeof(name) || strcmp(e->d_name + n - 5, ".json"))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(n - 5), e->d_name);
		fn(ios, vm, name);
	}
}

void io_records_read(struct ios *ios, void (*fn)(struct ios *ios, const char *vm, const char *name))
{
	char path[PATH_MAX];
	AUTO_DIR DIR *dir = NULL;
	struct dirent *e;

	snprintf(path, sizeof(path), "%s/io", ios->d->cfg->run_dir);
	dir = opendir(path);
	while (dir && (e = readdir(dir)))
		if (reg_name_is_good(e->d_name))
			read_folder(ios, e->d_name, fn);
}

/* ---- its command line ---- */

struct args {
	char *v[ARGS_MAX + 1];
	size_t n;
};

static void add(struct args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct args *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (a->n < ARGS_MAX && vasprintf(&a->v[a->n], fmt, ap) >= 0)
		a->n++;
	va_end(ap);
	a->v[a->n] = NULL;
}

/* What has no folder of its own to put a file beside it has none. */
bool io_file_has_state(const struct reg_guest_lun *l)
{
	return !l->read_only && strncmp(l->file, "/dev/", 5);
}

static void add_file(struct args *a, const struct reg_guest_lun *l, unsigned number)
{
	bool state = io_file_has_state(l);

	add(a, "--lun");
	add(a, "%u,file=%s,serial=%s%s%s%s%s%s", number, l->file, l->serial, l->read_only ? ",ro" : "",
	    l->direct ? ",direct" : "", state ? ",state=" : "", state ? l->file : "", state ? ".vhba" : "");
}

static void add_luns(struct args *a, const struct io *io, const struct reg_vm *rv)
{
	for (unsigned i = 0; i < rv->guest_luns_n; i++) {
		const struct reg_guest_lun *l = &rv->guest_luns[i];

		if (l->file[0] && (!io->blk || l->number == io->number))
			add_file(a, l, io->blk ? 0 : l->number);
	}
}

/* The same wherever the VM is, by whichever of its names it is logged in: reservations and locks of files go
 * by it.  Who has no vhba has a locally assigned name (NAA 3) of its UUID. */
static uint64_t nexus_of(const struct reg_vm *rv)
{
	static const char digits[] = "0123456789abcdef";
	const struct reg_vhba *v = rv->vhbas;
	uint64_t name = 0;

	if (rv->vhbas_n)
		return v->alternate && v->alternate < v->wwpn ? v->alternate : v->wwpn;
	/* What is shifted out comes in again: all 32 digits count. */
	for (const char *c = rv->uuid; *c; c++) {
		const char *digit = strchr(digits, tolower((unsigned char)*c));

		if (digit)
			name = (name << 4 | name >> 60) ^ (uint64_t)(digit - digits);
	}
	return (name & 0x0fffffffffffffff) | 0x3000000000000000;
}

/* QEMU starts the rings of a guest that arrives when it has stopped at the source; its files need no more. */
static bool opens_by_start(const struct io *io, const struct reg_vm *rv)
{
	return rv->io.arrives && !rv->vhbas_n && !io->held;
}

static void make_args(struct args *a, const struct io *io, const struct reg_vm *rv)
{
	const struct config *c = io->d->cfg;

	memset(a, 0, sizeof(*a));
	add(a, "vhba-io");
	add(a, "--socket-fd=%d", FRONT_FD);
	add(a, "--control-fd=%d", CONTROL_FD);
	add(a, "--take-over");
	if (io->gate || io->held)
		add(a, "--gate=%s", opens_by_start(io, rv) ? "start" : "closed");
	if (io->blk)
		add(a, "--device=blk");
	add(a, "--workers=%u", rv->io.workers ? rv->io.workers : c->io_workers);
	add(a, "--deadline=%" PRIu64 "us", c->io_deadline);
	add(a, "--nexus=%016" PRIx64, nexus_of(rv));
	if (rv->io.iops)
		add(a, "--limit-iops=%" PRIu64, rv->io.iops);
	if (rv->io.mbps)
		add(a, "--limit-mbps=%" PRIu64, rv->io.mbps);
	add(a, "--log-level=%s", c->log_level);
	add_luns(a, io, rv);
}

static void free_args(struct args *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i]);
}

/* ---- its start ---- */

/* In the child of a process with threads: system calls only. */
static bool write_pid(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char digits[16];
	size_t at = sizeof(digits);
	pid_t pid = getpid();

	for (; pid; pid /= 10)
		digits[--at] = (char)('0' + pid % 10);
	return fd >= 0 && write(fd, digits + at, sizeof(digits) - at) == (ssize_t)(sizeof(digits) - at) &&
	       !close(fd);
}

static void become(const char *program, char *const *argv, const char *pid_file, int front, int control)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	/* Out of the way first: one may stand where the other has to go. */
	front = fcntl(front, F_DUPFD_CLOEXEC, CONTROL_FD + 1);
	control = fcntl(control, F_DUPFD_CLOEXEC, CONTROL_FD + 1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid(); /* whatever ends vhbad doesn't end it */
	if (null >= 0 && dup2(null, 0) == 0 && dup2(front, FRONT_FD) == FRONT_FD &&
	    dup2(control, CONTROL_FD) == CONTROL_FD && write_pid(pid_file))
		execv(program, argv);
	_exit(127);
}

static int connect_to(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	AUTO_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return -errno;
	return steal_fd(&fd);
}

static int fork_it(struct io *io, const struct reg_vm *rv, int control)
{
	char pid_file[PATH_MAX];
	struct args args;

	make_args(&args, io, rv);
	io_path_of(io, "pid", pid_file, sizeof(pid_file));
	/* Not posix_spawn: that one waits until the program is read, from a disk that may hang. */
	io->pid = fork();
	if (!io->pid)
		become(io->d->cfg->io_program, args.v, pid_file, io->front, control);
	free_args(&args);
	if (io->pid < 0) {
		io->pid = 0;
		return -errno;
	}
	io->pidfd = (int)syscall(SYS_pidfd_open, io->pid, 0);
	return io->pidfd < 0 ? -errno : 0;
}

int io_spawn(struct io *io, struct verror *e)
{
	const struct reg_vm *rv = registry_find(io->d->reg, io->uuid);
	AUTO_FD int control = -1;
	char path[PATH_MAX];
	int fd, r;

	if (!rv)
		return verror_set(e, VHBA_E_NOT_FOUND, "%s is not registered any more", io->vm);
	if (io_files_make(io, e))
		return -EIO;
	io_path_of(io, "control", path, sizeof(path));
	/* Not held here: that it ends with its process shows that this one has ended. */
	control = listen_at(path, SOCK_SEQPACKET, 0600, e);
	if (control < 0)
		return control;
	fd = connect_to(path);
	if (fd < 0)
		return verror_set(e, VHBA_E_IO, "%s takes no connection: %s", path, strerror(-fd));
	io_record_write(io);
	r = fork_it(io, rv, control);
	if (!r)
		return fd;
	close(fd);
	return verror_set(e, VHBA_E_IO, "%s can't be started: %s", io->d->cfg->io_program, strerror(-r));
}

/* ---- one that runs already ---- */

/* Numbers of processes are used again. */
static bool is_vhba_io(const struct io *io, pid_t pid)
{
	const char *program = strrchr(io->d->cfg->io_program, '/') + 1;
	char path[64], comm[32] = "";
	AUTO_FILE FILE *f = NULL;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "re");
	if (!f || !fgets(comm, sizeof(comm), f))
		return false;
	comm[strcspn(comm, "\n")] = '\0';
	return !strncmp(comm, program, 15);
}

int io_find_process(struct io *io)
{
	char path[PATH_MAX], text[32] = "";
	AUTO_FILE FILE *f = NULL;
	pid_t pid;
	int fd;

	io_path_of(io, "pid", path, sizeof(path));
	f = fopen(path, "re");
	pid = f && fgets(text, sizeof(text), f) ? atoi(text) : 0;
	if (pid <= 1)
		return -ESRCH;
	io->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	io_path_of(io, "control", path, sizeof(path));
	fd = io->pidfd >= 0 && is_vhba_io(io, pid) ? connect_to(path) : -ESRCH;
	if (fd >= 0) {
		io->pid = pid;
		return fd;
	}
	if (io->pidfd >= 0)
		close(steal_fd(&io->pidfd));
	return fd;
}
