/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vhba-priv's children when they block, die or are too many; the program itself behind the client's API. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "pool.h"
#include "sysroot.h"
#include "ut-tree.h"
#include "ut.h"
#include "verbs.h"

#define WWPN 0x502ab30000000001u
#define DISABLE "/sys/class/fc_vports/vport-2:0-3/vport_disable"
#define SCAN "/sys/class/scsi_host/host2/scan"
#define PATIENCE_MS 20000

static struct pool *pool;
static struct priv_reply r;

static int begin(void)
{
	tree_new();
	tree_parent(2, "eth0.10f", "0x20000200000a0001");
	tree_vport(2, 3, 5, "0x502ab30000000001");
	pool = pool_new(-1);
	return pool ? 0 : 1;
}

static int end(void)
{
	pool_free(pool);
	return 0;
}

static struct priv_request ping(uint32_t id, uint32_t timeout_ms)
{
	return (struct priv_request){
		.version = PRIV_VERSION, .id = id, .verb = PRIV_PING, .timeout_ms = timeout_ms};
}

/* With a FIFO in the attribute's place it waits in open(2) until somebody reads. */
static struct priv_request disable(uint32_t id, uint32_t timeout_ms)
{
	return (struct priv_request){.version = PRIV_VERSION,
				     .id = id,
				     .verb = PRIV_VPORT_DISABLE,
				     .timeout_ms = timeout_ms,
				     .host = 2,
				     .number = 3,
				     .wwpn = WWPN};
}

/* As disable, but of no vport: many are at work at once. */
static struct priv_request scan(uint32_t id, uint32_t timeout_ms)
{
	return (struct priv_request){
		.version = PRIV_VERSION, .id = id, .verb = PRIV_SCAN, .timeout_ms = timeout_ms, .host = 2};
}

static int submit(struct priv_request q)
{
	return pool_submit(pool, &q);
}

/* As vhba-priv's own loop: waits for the children or until pool_due. */
static bool next_reply(uint64_t within_ms)
{
	struct monotime stop = mono_add(mono_now(), within_ms * USEC_PER_MSEC);
	struct pollfd fds[POOL_FDS];

	while (!pool_next_reply(pool, &r)) {
		struct monotime now = mono_now(), until = mono_min(stop, pool_due(pool));
		size_t n = pool_fds(pool, fds, POOL_FDS);

		if (mono_reached(stop, now))
			return false;
		poll(fds, n, (int)(mono_left(until, now) / USEC_PER_MSEC) + 1);
		pool_run(pool, mono_now());
	}
	return true;
}

static size_t children_of(pid_t pid, pid_t *list, size_t max)
{
	char path[64];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	f = fopen(path, "r");
	while (f && n < max && fscanf(f, "%d", &list[n]) == 1)
		n++;
	if (f)
		fclose(f);
	return n;
}

/* A killed child's end is waited for, but not collected: that is the pool's work. */
static void kill_children(void)
{
	pid_t list[64];
	size_t n = children_of(getpid(), list, 64);
	siginfo_t info;

	CU_ASSERT_TRUE(n > 0);
	for (size_t i = 0; i < n; i++) {
		kill(list[i], SIGKILL);
		waitid(P_PID, (id_t)list[i], &info, WEXITED | WNOWAIT);
	}
}

/* Until closed again, whoever opens the FIFO goes on: also a child that has not come so far yet. */
static int release_fifo(void)
{
	char path[300];

	sysroot_path(path, sizeof(path), DISABLE);
	return open(path, O_RDONLY | O_NONBLOCK);
}

/* ---- the pool ---- */

static void test_dead_while_idle(void)
{
	kill_children();
	UT_EQ(submit(ping(1, PATIENCE_MS)), 0);
	CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
	UT_EQ(r.id, 1);
	UT_EQ(r.err, 0); /* nothing had been done: another child did it */
}

static void test_dead_at_work(void)
{
	tree_fifo(DISABLE);
	UT_EQ(submit(disable(1, PATIENCE_MS)), 0);
	kill_children();
	CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
	UT_EQ(r.id, 1);
	UT_EQ(r.err, -EIO);
	UT_EQ(r.flags, 0);
	UT_EQ(submit(ping(2, PATIENCE_MS)), 0);
	CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
	UT_EQ(r.err, 0);
}

/* Also of one that was abandoned and then died it must be known that it has ended. */
static void test_dead_when_late(void)
{
	tree_fifo(DISABLE);
	UT_EQ(submit(disable(1, 30)), 0);
	CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
	UT_EQ(r.err, -ETIMEDOUT);
	UT_EQ(r.flags, 0);
	kill_children();
	CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
	UT_EQ(r.id, 1);
	UT_EQ(r.err, -EIO);
	UT_EQ(r.flags, PRIV_LATE);
}

static unsigned pool_children(void)
{
	pid_t list[64];

	return (unsigned)children_of(getpid(), list, 64);
}

/* As its own loop goes on, which sees children end. */
static bool comes_to_children(unsigned want)
{
	struct monotime stop = mono_add(mono_now(), PATIENCE_MS * USEC_PER_MSEC);
	struct pollfd fds[POOL_FDS];

	while (pool_children() != want && !mono_reached(stop, mono_now())) {
		poll(fds, pool_fds(pool, fds, POOL_FDS), 10);
		pool_run(pool, mono_now());
	}
	return pool_children() == want;
}

static void test_late(void)
{
	int reader;

	tree_fifo(DISABLE);
	UT_EQ(submit(disable(1, 30)), 0);
	CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
	UT_EQ(r.err, -ETIMEDOUT);
	reader = release_fifo();
	CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
	close(reader);
	UT_EQ(r.id, 1);
	UT_EQ(r.err, 0);
	UT_EQ(r.flags, PRIV_LATE);
	CU_ASSERT_TRUE(r.elapsed_us > 0);
	/* It gets no more work, but the others are as many as before. */
	UT_EQ(submit(ping(2, PATIENCE_MS)), 0);
	CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
	CU_ASSERT_TRUE(comes_to_children(POOL_IDLE));
}

/* A create that is begun after its asker has given up makes a vport that nobody knows of. */
static void test_expired_in_the_queue(void)
{
	struct priv_request q = ping(1000, 100);

	CU_ASSERT_TRUE(comes_to_children(POOL_IDLE)); /* none that has ended is counted below */
	tree_fifo(SCAN);
	for (uint32_t i = 0; i < POOL_MAX; i++)
		UT_EQ(submit(scan(i, 600000)), 0);
	q.verb = PRIV_VPORT_CREATE, q.host = 2, q.wwpn = WWPN, q.wwnn = 0x20;
	UT_EQ(submit(q), 0);
	CU_ASSERT_TRUE(mono_left(pool_due(pool), mono_now()) <= 100 * USEC_PER_MSEC);
	CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
	UT_EQ(r.id, 1000);
	UT_EQ(r.err, -ETIMEDOUT);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.text, "not begun"));
	kill_children(); /* 64 of them: places for all that could wait */
	for (uint32_t i = 0; i < 64; i++)
		CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
	UT_EQ(submit(ping(1001, PATIENCE_MS)), 0);
	CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
	UT_EQ(r.id, 1001);
	UT_STREQ(tree_text("/sys/class/fc_host/host2/vport_create"), "");
}

/* What hangs in the kernel stays bounded, however many wait behind it. */
static void test_bounded(void)
{
	unsigned late = 0, refused = 0;
	struct pollfd fds[POOL_FDS * 2];
	size_t n;

	tree_fifo(SCAN);
	for (uint32_t i = 0; i < POOL_MAX; i++)
		UT_EQ(submit(scan(i, 200)), 0);
	for (uint32_t i = 0; i < 100; i++)
		UT_EQ(submit(scan(1000 + i, 600000)), 0);
	while (late < POOL_MAX && next_reply(PATIENCE_MS)) {
		late += r.err == -ETIMEDOUT;
		refused += r.err == -EAGAIN;
	}
	while (pool_next_reply(pool, &r))
		refused += r.err == -EAGAIN;
	/* What was begun before the limit was reached is at work. */
	CU_ASSERT_TRUE(refused > 100 - POOL_STUCK);
	n = pool_fds(pool, fds, POOL_FDS * 2);
	UT_EQ(n, POOL_MAX + 100 - refused);
	CU_ASSERT_TRUE(n < POOL_FDS);
	UT_EQ(submit(ping(1, 100)), -EAGAIN);
}

/* The kernel makes one vport at a time: who would only wait for that is not in the way of what else there is.
 */
static void test_creates(void)
{
	struct priv_request q = {.version = PRIV_VERSION,
				 .verb = PRIV_VPORT_CREATE,
				 .timeout_ms = PATIENCE_MS,
				 .host = 2,
				 .wwnn = 0x20};
	struct pollfd fds[POOL_FDS];
	char path[300];
	int fd;

	tree_remove("/sys/class/fc_host/host2/vport_create");
	tree_fifo("/sys/class/fc_host/host2/vport_create");
	for (q.id = 1; q.id <= 2 * POOL_CREATES; q.id++) {
		q.wwpn = WWPN + q.id;
		UT_EQ(submit(q), 0);
	}
	UT_EQ(pool_fds(pool, fds, POOL_FDS), POOL_CREATES);
	UT_EQ(submit(ping(100, PATIENCE_MS)), 0);
	CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
	UT_EQ(r.id, 100);
	sysroot_path(path, sizeof(path), "/sys/class/fc_host/host2/vport_create");
	fd = open(path, O_RDONLY | O_NONBLOCK);
	for (unsigned i = 0; i < 2 * POOL_CREATES; i++)
		CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
	close(fd);
	CU_ASSERT_FALSE(pool_next_reply(pool, &r));
}

static struct priv_request create(uint32_t id, uint64_t wwpn)
{
	return (struct priv_request){.version = PRIV_VERSION,
				     .id = id,
				     .verb = PRIV_VPORT_CREATE,
				     .timeout_ms = PATIENCE_MS,
				     .host = 2,
				     .wwpn = wwpn,
				     .wwnn = 0x20};
}

/* A child looks for what it has made behind what was made before: two ports of the tree carry the next name.
 */
static void test_number(void)
{
	tree_remove("/sys/class/fc_host/host2/vport_create");
	tree_put("", "/sys/class/fc_host/host2/vport_create");
	UT_EQ(submit(create(1, WWPN)), 0);
	CU_ASSERT_TRUE_FATAL(next_reply(PATIENCE_MS));
	UT_EQ(r.number, 3);
	tree_vport(2, 1, 6, "0x502ab30000000077");
	tree_vport(2, 7, 7, "0x502ab30000000077");
	UT_EQ(submit(create(2, 0x502ab30000000077)), 0);
	CU_ASSERT_TRUE_FATAL(next_reply(PATIENCE_MS));
	UT_EQ(r.err, 0);
	UT_EQ(r.number, 7);
}

#define SYMBOLIC_NAME "/sys/class/fc_vports/vport-2:0-%u/symbolic_name"

/* Few at once, and none as long as somebody waits for a port. */
static void test_names(void)
{
	const uint64_t names = WWPN + 0x100;
	struct pollfd fds[POOL_FDS];
	char path[300], wwpn[24];
	int reader;

	tree_remove("/sys/class/fc_host/host2/vport_create");
	tree_fifo("/sys/class/fc_host/host2/vport_create");
	for (uint32_t id = 1; id <= POOL_CREATES + 1; id++)
		UT_EQ(submit(create(id, WWPN + id)), 0);
	for (unsigned i = 0; i <= POOL_NAMES; i++) {
		struct priv_request q = {.version = PRIV_VERSION,
					 .id = 100 + i,
					 .verb = PRIV_VPORT_NAME,
					 .timeout_ms = PATIENCE_MS,
					 .host = 2,
					 .number = 20 + i,
					 .wwpn = names + i,
					 .name = "vhba db1 0"};

		snprintf(wwpn, sizeof(wwpn), "0x%016" PRIx64, q.wwpn);
		tree_vport(2, q.number, 20 + (int)i, wwpn);
		tree_put("Online", "/sys/class/fc_host/host%u/port_state", 20 + i);
		tree_fifo(SYMBOLIC_NAME, q.number);
		UT_EQ(submit(q), 0);
	}
	UT_EQ(pool_fds(pool, fds, POOL_FDS), POOL_CREATES); /* one is queued */
	sysroot_path(path, sizeof(path), "/sys/class/fc_host/host2/vport_create");
	reader = open(path, O_RDONLY | O_NONBLOCK);
	for (unsigned i = 0; i <= POOL_CREATES; i++)
		CU_ASSERT_TRUE(next_reply(PATIENCE_MS) && r.verb == PRIV_VPORT_CREATE);
	close(reader);
	UT_EQ(pool_fds(pool, fds, POOL_FDS), POOL_NAMES);
	for (unsigned i = 0; i <= POOL_NAMES; i++) {
		sysroot_path(path, sizeof(path), SYMBOLIC_NAME, 20 + i);
		reader = open(path, O_RDONLY | O_NONBLOCK);
		CU_ASSERT_TRUE(next_reply(PATIENCE_MS) && r.verb == PRIV_VPORT_NAME && !r.err);
		close(reader);
	}
}

/* What was forked for many is there for the next ones, and ends when nothing more comes. */
/* Verbs that end at once need no more children than work side by side. */
static void test_quick(void)
{
	struct priv_request q = {.version = PRIV_VERSION,
				 .verb = PRIV_RPORT_TIMERS,
				 .timeout_ms = PATIENCE_MS,
				 .host = 99,
				 .dev_loss = 60,
				 .fast_io_fail = -1};
	struct pollfd fds[POOL_FDS];

	for (q.id = 1; q.id <= 3 * POOL_QUICK; q.id++)
		UT_EQ(submit(q), 0);
	UT_EQ(pool_fds(pool, fds, POOL_FDS), POOL_QUICK);
	for (unsigned i = 0; i < 3 * POOL_QUICK; i++) {
		CU_ASSERT_TRUE_FATAL(next_reply(PATIENCE_MS));
		CU_ASSERT(r.err && r.err != -ETIMEDOUT); /* there is no such host */
	}
	CU_ASSERT_TRUE(comes_to_children(POOL_IDLE)); /* none that has ended is counted below */
}

static void test_kept(void)
{
	struct monotime start = mono_now();
	struct pollfd fds[POOL_FDS];
	char path[300];
	int reader;

	tree_fifo(SCAN);
	for (uint32_t i = 0; i < POOL_KEEP; i++)
		UT_EQ(submit(scan(i, PATIENCE_MS)), 0);
	UT_EQ(pool_fds(pool, fds, POOL_FDS), POOL_KEEP);
	sysroot_path(path, sizeof(path), SCAN);
	reader = open(path, O_RDONLY | O_NONBLOCK);
	for (unsigned i = 0; i < POOL_KEEP; i++)
		CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
	close(reader);
	CU_ASSERT_TRUE(pool_children() == POOL_KEEP || mono_since(mono_now(), start) >= USEC_PER_SEC);
	CU_ASSERT_TRUE(comes_to_children(POOL_IDLE));
	CU_ASSERT_EQUAL(pool_due(pool).us, MONOTIME_NEVER.us);
}

/* What two orders for one vport do at the same time is not known; what the earlier one does after the later
 * one is wrong. */
static void test_superseded(void)
{
	struct pollfd fds[POOL_FDS];
	struct priv_request q = disable(2, PATIENCE_MS);

	/* A driver whose vport is deleted without a disable of its own, which would hang too. */
	tree_put("lpfc", "/sys/class/scsi_host/host2/proc_name");
	tree_fifo(DISABLE);
	UT_EQ(submit(disable(1, PATIENCE_MS)), 0);
	q.verb = PRIV_VPORT_DELETE, q.wwnn = 0x20;
	UT_EQ(submit(q), 0);
	UT_EQ(pool_fds(pool, fds, POOL_FDS), 1); /* not beside the other */
	UT_EQ(submit(ping(3, PATIENCE_MS)), 0);
	UT_EQ(pool_fds(pool, fds, POOL_FDS), 2); /* what comes behind it does not wait */
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
		UT_EQ(r.err, r.id == 1 ? -EIO : 0);
	}
	UT_STREQ(tree_text("/sys/class/fc_host/host2/vport_delete"), "502ab30000000001:0000000000000020");
	tree_put("fcoe", "/sys/class/scsi_host/host2/proc_name");
}

/* One whose answer was on its way when it was killed does not stand ready any more. */
static void test_superseded_late(void)
{
	struct pollfd fds[POOL_FDS];

	UT_EQ(submit(disable(1, PATIENCE_MS)), 0);
	UT_EQ(pool_fds(pool, fds, POOL_FDS), 1);
	UT_EQ(poll(fds, 1, PATIENCE_MS), 1);
	UT_EQ(submit(disable(2, PATIENCE_MS)), 0);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
		UT_EQ(r.err, 0);
	}
	CU_ASSERT_TRUE(comes_to_children(POOL_IDLE));
}

/* One that never began, of which only the newest is wanted. */
static void test_superseded_in_the_queue(void)
{
	pid_t child[8];

	kill_children();
	UT_EQ(submit(ping(0, PATIENCE_MS)), 0);
	CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
	CU_ASSERT_TRUE(comes_to_children(POOL_IDLE));
	children_of(getpid(), child, 8);
	kill(child[0], SIGSTOP); /* the oldest gets the next one */
	UT_EQ(submit(disable(1, 30)), 0);
	CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
	UT_EQ(r.err, -ETIMEDOUT);
	for (uint32_t id = 2; id < 5; id++) {
		struct priv_request q = disable(id, PATIENCE_MS);

		q.verb = id % 2 ? PRIV_VPORT_DISABLE : PRIV_VPORT_ENABLE;
		UT_EQ(submit(q), 0);
	}
	kill(child[0], SIGCONT);
	for (int i = 0; i < 4; i++) {
		CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
		UT_EQ(r.err, r.id == 1 ? -EIO : r.id == 4 ? 0 : -ECANCELED);
	}
	UT_STREQ(tree_text(DISABLE), "0");
}

/* A child of an earlier helper, in the kernel: here a process that has its lock. Writes a byte when it has
 * it. */
static pid_t hold_lock(int file)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)WWPN, .l_len = 1};
	int p[2];
	pid_t pid;
	char c = 0;

	UT_EQ(pipe(p), 0);
	pid = ut_fork();
	if (!pid) {
		if (!fcntl(file, F_SETLK, &l) && write(p[1], &c, 1) == 1)
			pause();
		_exit(1);
	}
	UT_EQ(read(p[0], &c, 1), 1);
	close(p[0]);
	close(p[1]);
	return pid;
}

static void test_earlier_helper_at_work(void)
{
	int file = memfd_create("lock", MFD_CLOEXEC), status;
	pid_t earlier = hold_lock(file);

	pool_free(pool);
	pool = pool_new(file);
	UT_EQ(submit(disable(1, 200)), 0);
	CU_ASSERT_TRUE(next_reply(PATIENCE_MS));
	UT_EQ(r.err, -ETIMEDOUT);
	UT_STREQ(tree_text(DISABLE), "");
	UT_EQ(submit(disable(2, PATIENCE_MS)), 0);
	/* The first one's child may say the same once more, late. */
	while (next_reply(50))
		UT_EQ(r.id, 1);
	kill(earlier, SIGKILL);
	UT_EQ(waitpid(earlier, &status, 0), earlier);
	/* It said so, or was ended by the second one before it could. */
	while (next_reply(PATIENCE_MS) && r.id == 1)
		CU_ASSERT_TRUE(r.err == -ETIMEDOUT || (r.err == -EIO && r.flags & PRIV_LATE));
	UT_EQ(r.id, 2);
	UT_EQ(r.err, 0);
	UT_STREQ(tree_text(DISABLE), "1");
	close(file);
}

/* ---- the program ---- */

static pid_t helper;
static int fd, lock;

static int spawn(pid_t *pid)
{
	const char *top = getenv("top_builddir");
	char path[300];

	snprintf(path, sizeof(path), "%s/src/priv/vhba-priv", top ? top : ".");
	return priv_spawn(path, lock, pid);
}

static int begin_helper(void)
{
	tree_new();
	tree_parent(2, "eth0.10f", "0x20000200000a0001");
	tree_vport(2, 3, 5, "0x502ab30000000001");
	setenv("VHBA_SYSROOT", sysroot_get(), 1);
	lock = memfd_create("lock", MFD_CLOEXEC);
	fd = spawn(&helper);
	return fd < 0;
}

static int end_helper(void)
{
	int status;

	close(fd); /* it ends by that */
	close(lock);
	return waitpid(helper, &status, 0) != helper;
}

static int receive(void)
{
	struct pollfd p = {fd, POLLIN, 0};

	if (poll(&p, 1, PATIENCE_MS) != 1)
		return -ETIMEDOUT;
	return priv_recv(fd, &r);
}

static void test_client(void)
{
	struct priv_request q = ping(77, PATIENCE_MS);

	CU_ASSERT_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
	CU_ASSERT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	UT_EQ(priv_recv(fd, &r), -EAGAIN);
	q.version = 0;
	UT_EQ(priv_send(fd, &q), 0);
	UT_EQ(q.version, PRIV_VERSION);
	UT_EQ(receive(), 0);
	UT_EQ(r.id, 77);
	UT_EQ(r.err, 0);
	q = disable(78, PATIENCE_MS);
	UT_EQ(priv_send(fd, &q), 0);
	UT_EQ(receive(), 0);
	UT_EQ(r.id, 78);
	UT_EQ(r.err, 0);
	UT_STREQ(tree_text(DISABLE), "1");
}

static void test_deadline(void)
{
	struct priv_request q = disable(5, 50);
	int reader;

	tree_fifo(DISABLE);
	UT_EQ(priv_send(fd, &q), 0);
	UT_EQ(receive(), 0);
	UT_EQ(r.err, -ETIMEDOUT);
	reader = release_fifo();
	UT_EQ(receive(), 0);
	close(reader);
	UT_EQ(r.id, 5);
	UT_EQ(r.flags, PRIV_LATE);
}

/* The helper's children that have ended and that nobody has waited for. */
static unsigned zombies(void)
{
	char path[64], line[512] = "", stat[512];
	unsigned n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", helper, helper);
	f = fopen(path, "r");
	if (f && fgets(line, sizeof(line), f))
		for (char *end, *p = line; strtol(p, &end, 10) > 0; p = end) {
			FILE *one;

			snprintf(path, sizeof(path), "/proc/%ld/stat", strtol(p, NULL, 10));
			one = fopen(path, "r");
			if (one && fgets(stat, sizeof(stat), one) && strstr(stat, ") Z "))
				n++;
			if (one)
				fclose(one);
		}
	if (f)
		fclose(f);
	return n;
}

/*
 * The answer of one that was late is the last that is heard of it: no later request need come to bury it.
 * Several times: the child may also happen to have ended just before the helper looks.
 */
static void test_no_zombie(void)
{
	tree_fifo(DISABLE);
	for (uint32_t turn = 0; turn < 5; turn++) {
		struct priv_request q = disable(turn + 1, 50);
		unsigned left;
		int reader;

		UT_EQ(priv_send(fd, &q), 0);
		UT_EQ(receive(), 0);
		UT_EQ(r.err, -ETIMEDOUT);
		reader = release_fifo();
		UT_EQ(receive(), 0);
		close(reader);
		UT_EQ(r.flags, PRIV_LATE);
		left = zombies();
		for (int i = 0; i < PATIENCE_MS / 10 && left; i++) {
			poll(NULL, 0, 10);
			left = zombies(); /* one that is just ending is one for a moment */
		}
		UT_EQ(left, 0);
	}
}

static void test_malformed(void)
{
	struct {
		struct priv_request q;
		char more[8];
	} wide = {.q = ping(9, 100)};
	struct priv_request q[] = {ping(1, 100), ping(2, 0), ping(3, 100), ping(4, 100), ping(5, 100)};

	q[0].version++;
	q[2].verb = PRIV_VERBS_;
	memset(q[3].name, 'x', sizeof(q[3].name));
	memset(q[4].text, 'x', sizeof(q[4].text));
	for (uint32_t i = 0; i < 5; i++) {
		UT_EQ(send(fd, &q[i], sizeof(q[i]), 0), sizeof(q[i]));
		UT_EQ(receive(), 0);
		UT_EQ(r.id, i + 1);
		UT_EQ(r.err, -EPROTO);
	}
	UT_EQ(send(fd, &wide, sizeof(wide), 0), sizeof(wide));
	UT_EQ(receive(), 0);
	UT_EQ(r.err, -EPROTO);
	UT_EQ(send(fd, &wide, 3, 0), 3);
	UT_EQ(receive(), 0);
	UT_EQ(r.id, 0);
	UT_EQ(r.err, -EPROTO);
}

static void test_helper_killed(void)
{
	struct priv_request q = disable(1, PATIENCE_MS);

	tree_fifo(DISABLE);
	UT_EQ(priv_send(fd, &q), 0);
	kill(helper, SIGKILL);
	UT_EQ(receive(), -EPIPE);
	UT_EQ(priv_send(fd, &q), -EPIPE);
}

/* Who is stopped may have been killed for long: the next one does not begin before it is gone. */
static void test_one_at_a_time(void)
{
	struct priv_request q = ping(1, PATIENCE_MS);
	int second, first = fd, status;
	pid_t stopped = helper;

	UT_EQ(priv_send(fd, &q), 0);
	UT_EQ(receive(), 0); /* it is up */
	kill(stopped, SIGSTOP);
	second = fd = spawn(&helper);
	UT_EQ(priv_send(second, &q), 0);
	UT_EQ(poll(&(struct pollfd){second, POLLIN, 0}, 1, 100), 0);
	close(first);
	kill(stopped, SIGCONT);
	UT_EQ(waitpid(stopped, &status, 0), stopped);
	UT_EQ(receive(), 0);
	UT_EQ(r.id, 1);
}

/* What a vhbad that was killed has asked for last is not begun. */
static void test_not_begun_for_the_dead(void)
{
	struct priv_request q = ping(1, PATIENCE_MS);
	int status;

	UT_EQ(priv_send(fd, &q), 0);
	UT_EQ(receive(), 0);
	kill(helper, SIGSTOP);
	q = disable(2, PATIENCE_MS);
	UT_EQ(priv_send(fd, &q), 0);
	close(fd);
	kill(helper, SIGCONT);
	UT_EQ(waitpid(helper, &status, 0), helper);
	fd = spawn(&helper);
	q = ping(3, PATIENCE_MS);
	q.wwpn = WWPN;
	UT_EQ(priv_send(fd, &q), 0);
	UT_EQ(receive(), 0);
	UT_STREQ(tree_text(DISABLE), "");
}

static void test_not_a_reply(void)
{
	struct {
		struct priv_reply r;
		char more[8];
	} wide = {.r = {.version = PRIV_VERSION}};
	struct priv_reply bad = wide.r;
	int sv[2];

	UT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	send(sv[0], &wide, sizeof(wide), 0);
	UT_EQ(priv_recv(sv[1], &r), -EPROTO);
	send(sv[0], &wide, 7, 0);
	UT_EQ(priv_recv(sv[1], &r), -EPROTO);
	bad.version++;
	send(sv[0], &bad, sizeof(bad), 0);
	UT_EQ(priv_recv(sv[1], &r), -EPROTO);
	bad = (struct priv_reply){.version = PRIV_VERSION, .verb = PRIV_VERBS_};
	send(sv[0], &bad, sizeof(bad), 0);
	UT_EQ(priv_recv(sv[1], &r), -EPROTO);
	bad.verb = PRIV_PING;
	memset(bad.text, 'x', sizeof(bad.text));
	send(sv[0], &bad, sizeof(bad), 0);
	UT_EQ(priv_recv(sv[1], &r), 0);
	UT_EQ(strlen(r.text), PRIV_TEXT_MAX - 1);
	close(sv[0]);
	UT_EQ(priv_recv(sv[1], &r), -EPIPE);
	close(sv[1]);
	for (uint32_t v = 0; v < PRIV_VERBS_; v++)
		CU_ASSERT_TRUE(priv_verb_name(v) && priv_verb_name(v)[0] != '?');
	UT_STREQ(priv_verb_name(PRIV_VERBS_), "?");
}

static void test_no_helper(void)
{
	pid_t pid;
	int any = memfd_create("lock", MFD_CLOEXEC);
	int s = priv_spawn("/nonexistent/vhba-priv", any, &pid), status;
	struct pollfd p = {s, POLLIN, 0};

	CU_ASSERT_TRUE(s >= 0);
	UT_EQ(poll(&p, 1, PATIENCE_MS), 1);
	UT_EQ(priv_recv(s, &r), -EPIPE);
	close(s);
	UT_EQ(waitpid(pid, &status, 0), pid);
	UT_EQ(WEXITSTATUS(status), 127);
	close(any);
}

static CU_TestInfo pool_tests[] = {
	{"quick verbs", test_quick},
	{"children stay for a while", test_kept},
	{"a child died while it stood ready", test_dead_while_idle},
	{"a child died at work", test_dead_at_work},
	{"a child died after it was abandoned", test_dead_when_late},
	{"a child ended after it was abandoned", test_late},
	{"a deadline passed in the queue", test_expired_in_the_queue},
	{"stuck children are bounded", test_bounded},
	{"few make vports at once", test_creates},
	{"where a new vport is looked for", test_number},
	{"names come last", test_names},
	{"two orders for one vport", test_superseded},
	{"a later order as the earlier one ends", test_superseded_late},
	{"orders for a vport whose child is stuck", test_superseded_in_the_queue},
	{"an earlier helper's child is at work on the vport", test_earlier_helper_at_work},
	CU_TEST_INFO_NULL,
};

static CU_TestInfo helper_tests[] = {
	{"requests and replies", test_client},
	{"a verb past its deadline", test_deadline},
	{"a child that was late leaves no zombie", test_no_zombie},
	{"malformed requests", test_malformed},
	{"the helper killed", test_helper_killed},
	{"one helper at a time", test_one_at_a_time},
	{"nothing is begun for who is gone", test_not_begun_for_the_dead},
	CU_TEST_INFO_NULL,
};

static CU_TestInfo client_tests[] = {
	{"what is no reply", test_not_a_reply},
	{"no such program", test_no_helper},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {
		{"pool", pool_tests, begin, end},
		{"helper", helper_tests, begin_helper, end_helper},
		{"client", client_tests, NULL, NULL},
		{0},
	};

	signal(SIGPIPE, SIG_IGN);
	log_open("ut-priv-pool", LOG_LEVEL_ERR);
	return ut_main(argc, argv, suites);
}
