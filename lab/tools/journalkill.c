/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * journalkill PID FOLDER N: ends that process by SIGKILL when it has written the Nth record into files of
 * FOLDER, before it does anything else.
 *
 * vhbad writes a record in one write(2), so the process is held at the end of each of its system calls
 * (ptrace(2)), and needs nothing for it. Prints "armed" when it watches, and the last record's text at the
 * end. Status 0: killed; 1: the process ended by itself, or could not be watched.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECORD_SHOWN 400

struct watch {
	pid_t pid;
	const char *folder;
	unsigned long stop_at, seen;
	bool writing; /* the call that the process is in writes into the folder */
	char record[RECORD_SHOWN];
};

static bool in_folder(const struct watch *w, int fd)
{
	char link[64], path[4096];
	size_t len = strlen(w->folder);
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)w->pid, fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return false;
	path[n] = '\0';
	return !strncmp(path, w->folder, len) && path[len] == '/';
}

static void take_record(struct watch *w, uint64_t address, uint64_t size)
{
	struct iovec to = {w->record, sizeof(w->record) - 1};
	struct iovec from = {(void *)(uintptr_t)address, size < to.iov_len ? size : to.iov_len};
	ssize_t n = process_vm_readv(w->pid, &to, 1, &from, 1, 0);

	w->record[n > 0 ? n : 0] = '\0';
	w->record[strcspn(w->record, "\n")] = '\0';
}

/* At the begin or the end of a system call; true: the Nth record is written. */
static bool at_call(struct watch *w)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, w->pid, sizeof(info), &info) <= 0)
		return false;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		w->writing = info.entry.nr == SYS_write && in_folder(w, (int)info.entry.args[0]);
		if (w->writing)
			take_record(w, info.entry.args[1], info.entry.args[2]);
		return false;
	}
	if (info.op != PTRACE_SYSCALL_INFO_EXIT || !w->writing)
		return false;
	w->writing = false;
	return info.exit.rval > 0 && ++w->seen == w->stop_at;
}

/* The signal to deliver as it goes on: none for the stops that are ptrace's own. */
static int passed_on(int status)
{
	int sig = WSTOPSIG(status);

	return sig == SIGTRAP || status >> 16 == PTRACE_EVENT_STOP ? 0 : sig;
}

static int follow(struct watch *w)
{
	int status, sig = 0;

	for (;;) {
		if (ptrace(PTRACE_SYSCALL, w->pid, NULL, (void *)(intptr_t)sig) && errno != ESRCH)
			return perror("journalkill: ptrace"), 1;
		if (waitpid(w->pid, &status, __WALL) < 0 || !WIFSTOPPED(status)) {
			printf("ended by itself after %lu records\n", w->seen);
			return 1;
		}
		sig = passed_on(status);
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		sig = 0;
		if (!at_call(w))
			continue;
		kill(w->pid, SIGKILL);
		waitpid(w->pid, &status, __WALL);
		printf("%s\n", w->record);
		return 0;
	}
}

int main(int argc, char **argv)
{
	struct watch w = {.pid = argc == 4 ? (pid_t)atoi(argv[1]) : 0};
	int status;

	if (w.pid <= 0) {
		fprintf(stderr, "usage: journalkill PID FOLDER N\n");
		return 2;
	}
	w.folder = argv[2];
	w.stop_at = strtoul(argv[3], NULL, 10);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (ptrace(PTRACE_SEIZE, w.pid, NULL, (void *)PTRACE_O_TRACESYSGOOD) ||
	    ptrace(PTRACE_INTERRUPT, w.pid, NULL, NULL) || waitpid(w.pid, &status, __WALL) < 0)
		return perror("journalkill: ptrace"), 1;
	puts("armed");
	return follow(&w);
}
