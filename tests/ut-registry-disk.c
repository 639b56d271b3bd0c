/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registry on a disk that fails or does not answer: what the caller is told, what the model shows, and
 * what is there after a restart agree.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "cleanup.h"
#include "ut-registry-bench.h"
#include "ut.h"

static char dir[96];
static struct registry *r;
static struct verror e;

/* ---- the disk ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int fail_from, fail_to; /* calls that fail, counted from 1; 0: none */
static int calls, why;
static bool hangs;

/* Does this call fail? Waits while the disk hangs. */
static bool fails(void)
{
	bool now;

	pthread_mutex_lock(&lock);
	calls++;
	now = fail_from && calls >= fail_from && calls <= fail_to;
	while (hangs)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	errno = now ? why : 0;
	return now;
}

static ssize_t disk_pwrite(int fd, const void *buf, size_t n, off_t at)
{
	return fails() ? -1 : pwrite(fd, buf, n, at);
}

static int disk_fsync(int fd)
{
	return fails() ? -1 : fsync(fd);
}

static void disk_fails(int from, int to, int error)
{
	pthread_mutex_lock(&lock);
	calls = 0;
	fail_from = from;
	fail_to = to;
	why = error;
	pthread_mutex_unlock(&lock);
}

static void disk_hangs(bool on)
{
	pthread_mutex_lock(&lock);
	hangs = on;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static int begin(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)disk_pwrite);
	vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)disk_pwrite);
	vfs->xSetSystemCall(vfs, "fsync", (sqlite3_syscall_ptr)disk_fsync);
	disk_fails(0, 0, 0);
	ut_tmpdir(dir, sizeof(dir));
	r = registry_open(dir, 5 * USEC_PER_SEC, &e);
	return r ? 0 : 1;
}

static int end(void)
{
	disk_hangs(false);
	disk_fails(0, 0, 0);
	registry_close(r);
	r = NULL;
	return 0;
}

static const struct reg_vm *vm(void)
{
	return registry_find(r, "a");
}

static void wait_told(struct told *t)
{
	settle(r, t);
	UT_EQ(t->calls, 1);
}

static void add(void)
{
	struct told t = {0};

	UT_EQ(registry_vm_add(r, "a", UUID_A, "h", false, tell, &t, &e), 0);
	CU_ASSERT_TRUE(settle(r, &t));
}

/* ---- it fails ---- */

static void test_taken_back(void)
{
	struct told t = {0};

	add();
	disk_fails(1, 1000, EIO);
	UT_EQ(registry_set_owner(r, vm(), "x", 9, tell, &t, &e), 0);
	UT_STREQ(vm()->owner, "x");
	wait_told(&t);
	CU_ASSERT_FALSE(t.good);
	UT_EQ(t.error.kind, VHBA_E_IO);
	CU_ASSERT_TRUE(t.error.what[0] && t.error.seen[0] && t.error.fix[0]);
	UT_STREQ(vm()->owner, "h");
	UT_EQ(vm()->generation, 0);
	CU_ASSERT_FALSE(vm()->pending);

	t = (struct told){0};
	UT_EQ(registry_vm_remove(r, vm(), tell, &t, &e), 0);
	CU_ASSERT_PTR_NULL(vm());
	wait_told(&t);
	CU_ASSERT_FALSE(t.good);
	CU_ASSERT_PTR_NOT_NULL_FATAL(vm());

	t = (struct told){0};
	UT_EQ(registry_vm_add(r, "b", UUID_B, "h", false, tell, &t, &e), 0);
	wait_told(&t);
	CU_ASSERT_FALSE(t.good);
	CU_ASSERT_PTR_NULL(registry_find(r, "b"));
	UT_EQ(registry_count(r), 1);

	disk_fails(0, 0, 0); /* and it goes on when the disk does */
	t = (struct told){0};
	UT_EQ(registry_set_owner(r, vm(), "y", 10, tell, &t, &e), 0);
	CU_ASSERT_TRUE(settle(r, &t));
	end();
	r = registry_open(dir, USEC_PER_SEC, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	UT_STREQ(vm()->owner, "y");
}

/* A name of a change that failed may have been seen by somebody: it is not given to another VM. */
static void test_names_stay(void)
{
	struct told t = {0};
	const struct reg_vm *owner;

	add();
	disk_fails(1, 1000, ENOSPC);
	UT_EQ(registry_vhba_add(r, vm(), 0, 10, "z", 0x51, 0x52, tell, &t, &e), 0);
	wait_told(&t);
	CU_ASSERT_FALSE(t.good);
	UT_EQ(vm()->vhbas_n, 0);
	CU_ASSERT_TRUE(registry_name_known(r, 0x51, &owner));
	CU_ASSERT_PTR_NULL(owner);
}

/* Each single call fails once: what was told is what the model shows and what a restart finds. */
static void test_each_call(void)
{
	unsigned bad = 0, failed = 0;
	int n = 1;

	add();
	for (;; n++) {
		struct told t = {0};
		uint64_t want = (uint64_t)n, before = vm()->generation;
		int met;

		disk_fails(n, n, EIO);
		UT_EQ(registry_set_owner(r, vm(), "h", want, tell, &t, &e), 0);
		wait_told(&t);
		bad += vm()->generation != (t.good ? want : before);
		failed += !t.good;
		pthread_mutex_lock(&lock);
		met = calls;
		pthread_mutex_unlock(&lock);
		end();
		r = registry_open(dir, 5 * USEC_PER_SEC, &e);
		CU_ASSERT_PTR_NOT_NULL_FATAL(r);
		/* What was written before the failure may be found whole. */
		bad += vm()->generation != want && (t.good || vm()->generation != before);
		if (met < n || n > 100)
			break;
	}
	printf("# %u of %d changes failed\n", failed, n);
	UT_EQ(bad, 0);
	CU_ASSERT_TRUE(failed && n > 2);
}

/* ---- it does not answer ---- */

static void test_late(void)
{
	struct told t = {0}, other = {0};
	struct monotime start, due;

	add();
	/* Only what hangs has the short bound: a busy machine may take longer for what does not. */
	registry_close(r);
	r = registry_open(dir, 50 * USEC_PER_MSEC, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	disk_hangs(true);
	start = mono_now();
	UT_EQ(registry_set_owner(r, vm(), "x", 1, tell, &t, &e), 0);
	due = registry_due(r);
	CU_ASSERT_TRUE(due.us >= start.us + 50 * USEC_PER_MSEC && due.us < start.us + USEC_PER_SEC);
	registry_dispatch(r, start);
	UT_EQ(t.calls, 0);
	registry_dispatch(r, due);
	UT_EQ(t.calls, 1);
	UT_EQ(t.error.kind, VHBA_E_DEADLINE);
	CU_ASSERT_TRUE(t.error.seen[0] && t.error.fix[0]);
	UT_EQ(registry_due(r).us, MONOTIME_NEVER.us);
	CU_ASSERT_TRUE(vm()->pending && vm()->uncertain);
	CU_ASSERT_TRUE(registry_set_owner(r, vm(), "y", 2, tell, &other, &e) < 0);
	UT_EQ(e.kind, VHBA_E_BUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.fix, "disk"));
	disk_hangs(false);
	while (vm()->pending && mono_since(mono_now(), start) < 5 * USEC_PER_SEC) {
		poll(&(struct pollfd){.fd = registry_fd(r), .events = POLLIN}, 1, 100);
		registry_dispatch(r, mono_now());
	}
	CU_ASSERT_FALSE(vm()->pending || vm()->uncertain);
	UT_EQ(t.calls, 1); /* once */
	UT_STREQ(vm()->owner, "x");
	UT_EQ(other.calls, 0);
}

/* ---- the end ---- */

static struct registry *closing;

static void tell_and_try(void *arg, const struct verror *error)
{
	struct verror no = {0};

	tell(arg, error);
	CU_ASSERT_TRUE(registry_vm_add(closing, "late", UUID_B, "h", false, tell, NULL, &no) < 0);
	UT_EQ(no.kind, VHBA_E_STATE);
}

/* What is queued gets to the disk and is told. */
static void test_close(void)
{
	struct told t = {0};

	add();
	UT_EQ(registry_set_owner(r, vm(), "x", 1, tell_and_try, &t, &e), 0);
	closing = r;
	end();
	UT_EQ(t.calls, 1);
	CU_ASSERT_TRUE(t.good);
	r = registry_open(dir, USEC_PER_SEC, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	UT_STREQ(vm()->owner, "x");
	CU_ASSERT_PTR_NULL(registry_find(r, "late"));
}

static CU_TestInfo failing[] = {
	{"changes are taken back", test_taken_back},
	{"names are not", test_names_stay},
	{"each call fails once", test_each_call},
	{"closed with a change queued", test_close},
	CU_TEST_INFO_NULL,
};

static CU_TestInfo hanging[] = {{"told in time", test_late}, CU_TEST_INFO_NULL};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {
		{"failing", failing, begin, end},
		{"hanging", hanging, begin, end},
		{0},
	};

	return ut_main(argc, argv, suites);
}
