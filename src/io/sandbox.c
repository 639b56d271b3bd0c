/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "cleanup.h"
#include "sandbox.h"

/* Each with what needs it. */
static const int allowed[] = {
	/* workers, their rings, and waking one another */
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(futex),
	SCMP_SYS(read),
	SCMP_SYS(write),
	/* the disks: what io_uring is not asked for */
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(preadv),
	SCMP_SYS(pwritev),
	SCMP_SYS(preadv2),
	SCMP_SYS(pwritev2),
	SCMP_SYS(fdatasync),
	SCMP_SYS(fsync),
	SCMP_SYS(fallocate),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(lseek),
	SCMP_SYS(fadvise64),
	SCMP_SYS(sync_file_range),
	SCMP_SYS(fstatfs),
	SCMP_SYS(ftruncate),
	SCMP_SYS(flock),
	/* the front end and the control socket */
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(accept4),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendto),
	SCMP_SYS(close),
	SCMP_SYS(shutdown),
	SCMP_SYS(fcntl),
	SCMP_SYS(memfd_create),
	/* memory */
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mprotect),
	SCMP_SYS(madvise),
	SCMP_SYS(mremap),
	SCMP_SYS(brk),
	/* time, threads that end, and the end */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(tgkill),
	SCMP_SYS(getrandom),
	SCMP_SYS(rseq),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* A block device's size and its discards, and a SCSI device's commands; nothing else goes by ioctl. */
static const unsigned long ioctls[] = {
	0x80081272, /* BLKGETSIZE64 */
	0x1268, /* BLKSSZGET */
	0x127b, /* BLKPBSZGET */
	0x1277, /* BLKDISCARD */
	0x127f, /* BLKZEROOUT */
	0x1261, /* BLKFLSBUF */
	0x2285, /* SG_IO */
	0x2282, /* SG_GET_VERSION_NUM */
	0x5382, /* SCSI_IOCTL_GET_IDLUN */
	0x5386, /* SCSI_IOCTL_GET_BUS_NUMBER */
};

static int fill(scmp_filter_ctx c)
{
	int err = seccomp_attr_set(c, SCMP_FLTATR_CTL_TSYNC, 1);

	for (size_t i = 0; i < ARRAY_SIZE(allowed) && !err; i++)
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; i < ARRAY_SIZE(ioctls) && !err; i++)
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				       SCMP_A1(SCMP_CMP_EQ, ioctls[i]));
	return err ? err : seccomp_load(c);
}

int sandbox_enter(struct verror *e)
{
	scmp_filter_ctx c;
	int err;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return verror_set(e, VHBA_E_IO, "can't give up new privileges: %s", strerror(errno));
	/* a call that is not allowed fails, and is seen in the log as what failed: a guest's disk goes on */
	c = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!c)
		return verror_set(e, VHBA_E_INTERNAL, "no memory for the list of system calls");
	err = fill(c);
	seccomp_release(c);
	if (err)
		return verror_set(e, VHBA_E_IO, "can't restrict the system calls: %s", strerror(-err));
	return 0;
}
