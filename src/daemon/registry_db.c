/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cleanup.h"
#include "registry_sql.h"

TAILQ_HEAD(tx_list, regdb_tx);

struct regdb {
	sqlite3 *sql; /* the thread's, once it runs */
	pthread_t thread;
	int fd;
	/* below: under the lock */
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	struct tx_list queue, ended;
	bool busy, stop;
};

static void *work(void *arg)
{
	struct regdb *db = arg;

	pthread_mutex_lock(&db->lock);
	for (;;) {
		struct regdb_tx *tx = TAILQ_FIRST(&db->queue);
		uint64_t one = 1;

		if (!tx) {
			db->busy = false;
			pthread_cond_broadcast(&db->idle);
			if (db->stop)
				break;
			pthread_cond_wait(&db->work, &db->lock);
			continue;
		}
		TAILQ_REMOVE(&db->queue, tx, link);
		pthread_mutex_unlock(&db->lock);
		regsql_apply(db->sql, tx);
		pthread_mutex_lock(&db->lock);
		TAILQ_INSERT_TAIL(&db->ended, tx, link);
		if (write(db->fd, &one, sizeof(one)) < 0)
			continue; /* the counter is full: the loop is woken anyway */
	}
	pthread_mutex_unlock(&db->lock);
	return NULL;
}

static int start_thread(struct regdb *db)
{
	pthread_condattr_t attr;
	pthread_attr_t small;
	sigset_t all;
	int r;

	pthread_mutex_init(&db->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&db->work, NULL);
	pthread_cond_init(&db->idle, &attr);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 256 * 1024);
	sigfillset(&all); /* signals are the loop's */
	pthread_attr_setsigmask_np(&small, &all);
	r = pthread_create(&db->thread, &small, work, db);
	pthread_attr_destroy(&small);
	pthread_condattr_destroy(&attr);
	return -r;
}

struct regdb *regdb_open(const char *path, regdb_on_vm *each, regdb_on_name *name, void *arg,
			 struct verror *e)
{
	struct regdb *db = calloc(1, sizeof(*db));

	if (!db) {
		verror_set(e, VHBA_E_INTERNAL, "out of memory");
		return NULL;
	}
	TAILQ_INIT(&db->queue);
	TAILQ_INIT(&db->ended);
	db->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (db->fd < 0)
		verror_set(e, VHBA_E_INTERNAL, "no descriptor for the registry: %s", strerror(errno));
	else
		db->sql = regsql_open(path, e);
	if (db->sql && !regsql_load(db->sql, each, name, arg, e)) {
		int r = start_thread(db);

		if (!r)
			return db;
		verror_set(e, VHBA_E_INTERNAL, "no thread for the registry: %s", strerror(-r));
	}
	regdb_free(db);
	return NULL;
}

bool regdb_stop(struct regdb *db, struct monotime by)
{
	struct timespec ts = {(time_t)(by.us / USEC_PER_SEC), (long)(by.us % USEC_PER_SEC * 1000)};
	bool idle;

	pthread_mutex_lock(&db->lock);
	db->stop = true;
	pthread_cond_signal(&db->work);
	while ((db->busy || !TAILQ_EMPTY(&db->queue)) && !pthread_cond_timedwait(&db->idle, &db->lock, &ts))
		;
	idle = !db->busy;
	pthread_mutex_unlock(&db->lock);
	if (idle)
		pthread_join(db->thread, NULL);
	return idle;
}

void regdb_free(struct regdb *db)
{
	sqlite3_close(db->sql);
	if (db->fd >= 0)
		close(db->fd);
	free(db);
}

int regdb_fd(const struct regdb *db)
{
	return db->fd;
}

void regdb_submit(struct regdb *db, struct regdb_tx *tx)
{
	pthread_mutex_lock(&db->lock);
	TAILQ_INSERT_TAIL(&db->queue, tx, link);
	db->busy = true;
	pthread_cond_signal(&db->work);
	pthread_mutex_unlock(&db->lock);
}

struct regdb_tx *regdb_next(struct regdb *db)
{
	struct regdb_tx *tx;
	uint64_t n;

	pthread_mutex_lock(&db->lock);
	tx = TAILQ_FIRST(&db->ended);
	if (tx)
		TAILQ_REMOVE(&db->ended, tx, link);
	else if (read(db->fd, &n, sizeof(n)) < 0)
		n = 0; /* nothing had been counted */
	pthread_mutex_unlock(&db->lock);
	return tx;
}
