/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registry is killed at each of its writes, and at each of its statements: a child goes through the life
 * of a VM and dies by SIGKILL at its N-th call that changes a file, or when its N-th statement begins, N = 1,
 * 2, ... until it lives.  Afterwards the registry opens, holds what was told to be on the disk or one step
 * more, knows every name that was told, and gives it to nobody else.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "ut-registry-bench.h"
#include "ut.h"

#define STEPS 7
#define CALLS_MAX 2000

static int left; /* calls or statements until the end; the writer is one thread */

/* Half of what was to be written gets there: what a kill in the midst of a write can leave. */
static ssize_t dying_pwrite(int fd, const void *buf, size_t n, off_t at)
{
	if (--left)
		return pwrite(fd, buf, n, at);
	if (pwrite(fd, buf, n / 2, at) < 0)
		_exit(3);
	raise(SIGKILL);
	return -1;
}

static int dying_fsync(int fd)
{
	if (!--left)
		raise(SIGKILL);
	return fsync(fd);
}

static int dying_truncate(int fd, off_t size)
{
	if (!--left)
		raise(SIGKILL);
	return ftruncate(fd, size);
}

static int dying_statement(unsigned what, void *ctx, void *statement, void *text)
{
	(void)what;
	(void)ctx;
	(void)statement;
	(void)text;
	if (!--left)
		raise(SIGKILL);
	return 0;
}

static int on_connection(sqlite3 *sql, const char **why, const struct sqlite3_api_routines *api)
{
	(void)why;
	(void)api;
	return sqlite3_trace_v2(sql, SQLITE_TRACE_STMT, dying_statement, NULL);
}

static void die_at_statement(int n)
{
	left = n;
	sqlite3_auto_extension((void (*)(void))on_connection);
}

static void die_at_call(int n)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	left = n;
	vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)dying_pwrite);
	vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)dying_pwrite);
	vfs->xSetSystemCall(vfs, "fsync", (sqlite3_syscall_ptr)dying_fsync);
	vfs->xSetSystemCall(vfs, "ftruncate", (sqlite3_syscall_ptr)dying_truncate);
}

static int step(struct registry *r, int n, struct told *t, struct verror *e)
{
	const struct reg_lun luns[] = {{.designator = "naa.6001", .target = 9},
				       {.designator = "naa.6002", .target = 9}};
	const struct reg_vm *vm = registry_find(r, "db1");

	switch (n) {
	case 1:
		return registry_vm_add(r, "db1", UUID_A, "alpha", false, tell, t, e);
	case 2:
		return registry_vhba_add(r, vm, 0, 10, "z", 0x50a1, 0x50b1, tell, t, e);
	case 3:
		return registry_set_expected(r, vm, 0, luns, 2, tell, t, e);
	case 4:
		return registry_vhba_add(r, vm, 1, 20, "z", 0x50a2, 0x50b2, tell, t, e);
	case 5:
		return registry_set_owner(r, vm, "beta", 1, tell, t, e);
	case 6:
		return registry_vhba_remove(r, vm, 1, tell, t, e);
	default:
		return registry_vm_remove(r, vm, tell, t, e);
	}
}

/* The state after a number of steps, told apart by what the model holds. */
static int state_of(const struct registry *r)
{
	const struct reg_vm *vm = registry_find(r, "db1");
	const struct reg_vhba *v;

	if (!vm)
		return registry_name_known(r, 0x50a1, &vm) ? 7 : 0;
	v = registry_vhba(vm, 0);
	if (!v)
		return 1;
	if (!v->known)
		return 2;
	if (v->luns_n != 2)
		return -1; /* half of a set */
	if (registry_vhba(vm, 1))
		return !strcmp(vm->owner, "beta") ? 5 : 4;
	return !strcmp(vm->owner, "beta") ? 6 : 3;
}

static void life(const char *dir, void (*die_at)(int n), int n, int tell_fd)
{
	struct registry *r;
	struct verror e;

	die_at(n);
	r = registry_open(dir, 60 * USEC_PER_SEC, &e);
	for (int i = 1; r && i <= STEPS; i++) {
		struct told t = {0};

		if (step(r, i, &t, &e) || !settle(r, &t))
			_exit(1);
		if (write(tell_fd, &(char){(char)i}, 1) != 1)
			_exit(1);
	}
	if (!r)
		_exit(2);
	registry_close(r);
	_exit(0);
}

/* Returns the child's status; *told: the last step that it was told to be on the disk. */
static int one_life(const char *dir, void (*die_at)(int n), int n, int *told)
{
	int fds[2], status;
	char byte;
	pid_t pid;

	*told = 0;
	if (pipe2(fds, O_CLOEXEC))
		return -1;
	fflush(stdout);
	pid = ut_fork();
	if (!pid)
		life(dir, die_at, n, fds[1]);
	close(fds[1]);
	while (read(fds[0], &byte, 1) == 1)
		*told = byte;
	close(fds[0]);
	waitpid(pid, &status, 0);
	return status;
}

/* What another host's ticket claims of the names that were told. */
static bool is_refused(struct registry *r, wwn_t name)
{
	struct reg_vhba v = {.vsan = 10, .wwpn = name, .wwnn = 0x50ff, .zones = (char *)"z"};
	struct reg_vm thief = {.name = "db2", .uuid = UUID_B, .vhbas_n = 1, .vhbas = &v};
	const struct reg_vm *owner;
	struct told t = {0};
	struct verror e = {0};

	return registry_name_known(r, name, &owner) && registry_import(r, &thief, tell, &t, &e) < 0 &&
	       e.kind == VHBA_E_EXISTS;
}

static bool afterwards(const char *dir, int told)
{
	struct verror e = {0};
	struct registry *r = registry_open(dir, 60 * USEC_PER_SEC, &e);
	bool good;
	int state;

	if (!r) {
		printf("# after step %d: %s\n", told, e.what);
		return false;
	}
	state = state_of(r);
	good = state == told || state == told + 1;
	if (told >= 2)
		good &= is_refused(r, 0x50a1) && is_refused(r, 0x50b1);
	if (told >= 4)
		good &= is_refused(r, 0x50a2);
	if (!good)
		printf("# told %d, found %d\n", told, state);
	registry_close(r);
	return good;
}

static int kill_at_each(void (*die_at)(int n))
{
	int told, status, n, bad = 0;
	char top[96], dir[128];

	ut_tmpdir(top, sizeof(top));
	for (n = 1; n < CALLS_MAX; n++) {
		snprintf(dir, sizeof(dir), "%s/%d", top, n);
		CU_ASSERT_EQUAL_FATAL(mkdir(dir, 0700), 0);
		status = one_life(dir, die_at, n, &told);
		bad += !afterwards(dir, told);
		if (WIFEXITED(status))
			break;
		bad += WTERMSIG(status) != SIGKILL;
	}
	UT_EQ(bad, 0);
	CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	UT_EQ(told, STEPS);
	return n - 1;
}

static void test_calls(void)
{
	int n = kill_at_each(die_at_call);

	printf("# killed at each of %d calls\n", n);
	CU_ASSERT_TRUE(n > 3 * STEPS); /* the calls were met */
}

static void test_statements(void)
{
	int n = kill_at_each(die_at_statement);

	printf("# killed at each of %d statements\n", n);
	CU_ASSERT_TRUE(n > 3 * STEPS);
}

/* ---- the step from the first schema ---- */

static void make_first(const char *dir)
{
	static const char first[] =
		"CREATE TABLE vm(uuid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,"
		" generation INTEGER NOT NULL) WITHOUT ROWID;"
		"CREATE TABLE vhba(uuid TEXT, idx INTEGER, vsan INTEGER, zones TEXT, wwpn TEXT, wwnn TEXT,"
		" known INTEGER, PRIMARY KEY(uuid, idx)) WITHOUT ROWID;"
		"CREATE TABLE lun(uuid TEXT, idx INTEGER, designator TEXT, lun INTEGER, target TEXT,"
		" size INTEGER);"
		"CREATE TABLE name(wwn TEXT PRIMARY KEY) WITHOUT ROWID;"
		"INSERT INTO vm VALUES('" UUID_A "', 'db1', 'h', 3);"
		"INSERT INTO vhba VALUES('" UUID_A
		"', 0, 10, 'z', '00000000000050a1', '00000000000050b1', 0);"
		"INSERT INTO name VALUES('00000000000050a1'), ('00000000000050b1');"
		"PRAGMA user_version = 1;";
	char path[160];
	sqlite3 *sql;

	snprintf(path, sizeof(path), "%s/registry.db", dir);
	CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &sql), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(sql, first, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(sql);
}

static int migrate(const char *dir, void (*die_at)(int n), int n)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = ut_fork();
	if (!pid) {
		struct verror e;

		die_at(n);
		_exit(registry_open(dir, 60 * USEC_PER_SEC, &e) ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void test_migration(void)
{
	void (*const ways[])(int n) = {die_at_call, die_at_statement};
	int status, n, met = 0;
	char top[96], dir[128];

	ut_tmpdir(top, sizeof(top));
	for (size_t i = 0; i < 2; i++) {
		for (n = 1, status = SIGKILL; !WIFEXITED(status) && n < CALLS_MAX; n++, met++) {
			struct verror e = {0};
			struct registry *r;

			snprintf(dir, sizeof(dir), "%s/%zu.%d", top, i, n);
			CU_ASSERT_EQUAL_FATAL(mkdir(dir, 0700), 0);
			make_first(dir);
			status = migrate(dir, ways[i], n);
			r = registry_open(dir, 60 * USEC_PER_SEC, &e);
			if (!r)
				printf("# killed at %d: %s; %s\n", n, e.what, e.seen);
			CU_ASSERT_PTR_NOT_NULL_FATAL(r);
			UT_EQ(state_of(r), 2);
			CU_ASSERT_TRUE(is_refused(r, 0x50a1));
			registry_close(r);
		}
		CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	printf("# migrations killed at %d places\n", met - 2);
	CU_ASSERT_TRUE(met > 10);
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {{"killed at each write", test_calls},
				      {"killed at each statement", test_statements},
				      {"killed while it migrates", test_migration},
				      CU_TEST_INFO_NULL};
	static const struct ut_suite suites[] = {{"registry-crash", tests, NULL, NULL}, {0}};

	return ut_main(argc, argv, suites);
}
