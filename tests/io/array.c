/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "array.h"
#include "backend.h"

enum sg_end __wrap_sg_execute(int fd, struct sg_command *);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what is below */
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static struct array array;
static bool holding;
static unsigned held;
static int second = -1; /* the sg node of LUN 0's second path */
static int never_held = -1; /* the sg node of LUN 1 */

const char *array_bsg, *array_access[2];
static int access_fd[2] = {-1, -1};

static int node(const char *path)
{
	return path ? open(path, O_RDWR | O_CLOEXEC) : -1;
}

void array_access_set(unsigned path, const char *text)
{
	/* longer than what any state's name leaves of another's */
	char line[64];
	int n = snprintf(line, sizeof(line), "%s\n%32s", text, "");

	if (pwrite(access_fd[path], line, (size_t)n, 0) != n)
		abort();
}

/* The unit's; one more stays here. */
static int access_of(unsigned path)
{
	if (access_fd[path] >= 0)
		close(access_fd[path]);
	access_fd[path] = array_access[path] ? memfd_create("access_state", MFD_CLOEXEC) : -1;
	if (access_fd[path] < 0)
		return -1;
	array_access_set(path, array_access[path]);
	return fcntl(access_fd[path], F_DUPFD_CLOEXEC, 3);
}

struct unit *array_unit(const char *folder, unsigned lun)
{
	struct paths paths = {.n = lun == 0 ? 2 : 1};

	for (unsigned i = 0; i < paths.n; i++) {
		path_of_fds(&paths.path[i], backend_file(folder, lun), node("/dev/null"),
			    (int[PATH_MORE]){node(array_bsg), -1, lun ? -1 : access_of(i)});
		if (paths.path[i].sg < 0 || ftruncate(paths.path[i].sd, ARRAY_FILE_SIZE))
			return NULL;
	}
	if (lun == 1)
		never_held = paths.path[0].sg;
	else if (paths.path[0].sg == never_held)
		never_held = -1; /* an earlier unit's */
	if (lun == 0)
		second = paths.path[1].sg;
	return pass_new(&paths, 512, ARRAY_SIZE_SAID);
}

void array_set(const struct array *a)
{
	pthread_mutex_lock(&lock);
	array = *a;
	array.calls = array.by_second = 0;
	pthread_mutex_unlock(&lock);
}

struct array array_get(void)
{
	struct array a;

	pthread_mutex_lock(&lock);
	a = array;
	pthread_mutex_unlock(&lock);
	return a;
}

void array_hold(bool on)
{
	pthread_mutex_lock(&lock);
	holding = on;
	pthread_cond_broadcast(&change);
	pthread_mutex_unlock(&lock);
}

void array_wait(unsigned n)
{
	pthread_mutex_lock(&lock);
	while (held < n)
		pthread_cond_wait(&change, &lock);
	pthread_mutex_unlock(&lock);
}

static void move(struct sg_command *c, uint32_t len)
{
	c->moved = len;
	if (c->out) {
		memcpy(array.data, c->data, len < ARRAY_DATA ? len : ARRAY_DATA);
		return;
	}
	for (uint32_t at = 0; at < len; at += ARRAY_DATA)
		memcpy((uint8_t *)c->data + at, array.data, len - at < ARRAY_DATA ? len - at : ARRAY_DATA);
}

enum sg_end __wrap_sg_execute(int fd, struct sg_command *c)
{
	enum sg_end end;
	bool good;

	pthread_mutex_lock(&lock);
	held++;
	pthread_cond_broadcast(&change);
	while (holding && fd != never_held)
		pthread_cond_wait(&change, &lock);
	held--;
	good = array.good || (fd == second && array.second_is_good);
	array.good -= !!array.good;
	array.by_second += fd == second;
	array.calls++;
	array.len = c->len;
	memcpy(array.cdb, c->cdb, c->cdb_len);
	array.cdb_len = c->cdb_len;
	c->error = 0;
	c->host_status = array.end == SG_LOST;
	c->status = good ? SCSI_GOOD : array.status;
	c->sense_len = good ? 0 : array.sense_len;
	memcpy(c->sense, array.sense, c->sense_len);
	move(c, good || array.moved > c->len ? c->len : array.moved);
	end = good ? SG_ANSWERED : array.end;
	pthread_mutex_unlock(&lock);
	return end;
}
