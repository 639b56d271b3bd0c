/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "cleanup.h"
#include "log.h"
#include "pool.h"

#define QUEUE_MAX 4096
#define KEEP_US USEC_PER_SEC
#define HOSTS 16 /* parents whose last vport is remembered */

enum worker_state { IDLE, BUSY, STUCK };

struct worker {
	TAILQ_ENTRY(worker) link;
	enum worker_state state;
	pid_t pid;
	int fd;
	struct priv_request request;
	struct monotime by, since; /* BUSY: until when; IDLE: since when */
	bool killed; /* its answer may be there already, but it is of no more use */
};

struct queued {
	TAILQ_ENTRY(queued) link;
	struct priv_request request;
	struct monotime by; /* counted from when it came, so that its time in the queue is part of it */
};

struct answer {
	TAILQ_ENTRY(answer) link;
	struct priv_reply reply;
};

struct pool {
	TAILQ_HEAD(workers, worker) workers;
	TAILQ_HEAD(, queued) queue;
	TAILQ_HEAD(, answer) answers;
	int lock; /* see priv_spawn */
	unsigned count[3]; /* by worker_state */
	unsigned queued;
	unsigned creates; /* of those that are queued */
	struct {
		int host;
		unsigned next;
	} made[HOSTS]; /* the number that its next vport has at least */
};

/* ---- its children ---- */

static void close_others(const struct pool *p)
{
	struct worker *w;

	close(PRIV_FD);
	TAILQ_FOREACH (w, &p->workers, link)
		close(w->fd);
}

static bool same_vport(const struct priv_request *a, const struct priv_request *b)
{
	return a->wwpn == b->wwpn && child_changes_vport(a) && child_changes_vport(b);
}

/* The only place that changes a worker's state. */
static void set_state(struct pool *p, struct worker *w, enum worker_state s)
{
	p->count[w->state]--;
	w->state = s;
	p->count[s]++;
}

/* The one that was at work last gets the next work, so that what is too many stays without any. */
static void set_idle(struct pool *p, struct worker *w, struct monotime now)
{
	set_state(p, w, IDLE);
	w->since = now;
	TAILQ_REMOVE(&p->workers, w, link);
	TAILQ_INSERT_HEAD(&p->workers, w, link);
}

static struct worker *worker_new(struct pool *p)
{
	struct worker *w = calloc(1, sizeof(*w));
	pid_t parent = getpid();
	int sv[2];

	if (!w || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv)) {
		free(w);
		return NULL;
	}
	w->pid = fork();
	if (w->pid < 0) {
		close(sv[0]);
		close(sv[1]);
		free(w);
		return NULL;
	}
	if (!w->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		close_others(p);
		close(sv[0]);
		child_work(p->lock, sv[1]);
	}
	close(sv[1]);
	w->fd = sv[0];
	w->state = IDLE;
	w->since = mono_now();
	p->count[IDLE]++;
	TAILQ_INSERT_TAIL(&p->workers, w, link);
	return w;
}

static void worker_free(struct pool *p, struct worker *w)
{
	TAILQ_REMOVE(&p->workers, w, link);
	p->count[w->state]--;
	close(w->fd);
	kill(w->pid, SIGKILL);
	free(w);
}

struct pool *pool_new(int lock)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->lock = lock;
	TAILQ_INIT(&p->workers);
	TAILQ_INIT(&p->queue);
	TAILQ_INIT(&p->answers);
	for (int i = 0; i < POOL_IDLE; i++)
		worker_new(p);
	return p;
}

void pool_free(struct pool *p)
{
	struct worker *w;
	struct queued *q;
	struct answer *a;

	while ((w = TAILQ_FIRST(&p->workers)))
		worker_free(p, w);
	while ((q = TAILQ_FIRST(&p->queue))) {
		TAILQ_REMOVE(&p->queue, q, link);
		free(q);
	}
	while ((a = TAILQ_FIRST(&p->answers))) {
		TAILQ_REMOVE(&p->answers, a, link);
		priv_reply_close(&a->reply);
		free(a);
	}
	free(p);
}

static void push_answer(struct pool *p, const struct priv_reply *r)
{
	struct answer *a = calloc(1, sizeof(*a));
	struct priv_reply lost = *r;

	if (!a) {
		log_err("out of memory: the answer to request %u is lost", r->id);
		priv_reply_close(&lost);
		return;
	}
	a->reply = *r;
	TAILQ_INSERT_TAIL(&p->answers, a, link);
}

static void refuse(struct pool *p, const struct priv_request *q, int err, uint32_t flags, const char *text)
{
	struct priv_reply r = {
		.version = PRIV_VERSION, .id = q->id, .verb = q->verb, .err = err, .flags = flags};

	snprintf(r.text, sizeof(r.text), "%s", text);
	push_answer(p, &r);
}

static struct worker *idle_worker(struct pool *p)
{
	struct worker *w;

	TAILQ_FOREACH (w, &p->workers, link)
		if (w->state == IDLE)
			return w;
	return worker_new(p);
}

/* Who asked did so before others were made: a child that looks for its own would read the names of all those.
 */
static void expect_number(const struct pool *p, struct priv_request *q)
{
	unsigned at = (unsigned)q->host % HOSTS;

	if (q->verb == PRIV_VPORT_CREATE && p->made[at].host == q->host && p->made[at].next > q->number)
		q->number = p->made[at].next;
}

static void note_number(struct pool *p, const struct priv_request *q, const struct priv_reply *r)
{
	unsigned at = (unsigned)q->host % HOSTS;

	if (q->verb == PRIV_VPORT_CREATE && !r->err) {
		p->made[at].host = q->host;
		p->made[at].next = r->number + 1;
	}
}

/* A child can have died while it stood ready: nothing has been done then, and another one does it. */
static bool begin(struct pool *p, const struct queued *q, struct monotime now)
{
	struct priv_request request = q->request;
	struct worker *w;

	/* What is left of its time: some verbs end themselves within it. */
	request.timeout_ms = (uint32_t)((mono_left(q->by, now) + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
	expect_number(p, &request);
	for (int tries = 0; tries <= POOL_IDLE && (w = idle_worker(p)); tries++) {
		if (send(w->fd, &request, sizeof(request), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(request)) {
			w->request = q->request;
			w->by = q->by;
			set_state(p, w, BUSY);
			return true;
		}
		worker_free(p, w);
	}
	return false;
}

static void dequeue(struct pool *p, struct queued *q)
{
	TAILQ_REMOVE(&p->queue, q, link);
	p->queued--;
	p->creates -= q->request.verb == PRIV_VPORT_CREATE;
	free(q);
}

/* Somebody is still at work on the same vport. */
static bool vport_busy(const struct pool *p, const struct priv_request *q)
{
	const struct worker *w;

	if (child_changes_vport(q))
		TAILQ_FOREACH (w, &p->workers, link)
			if (w->state != IDLE && same_vport(&w->request, q))
				return true;
	return false;
}

/* As many as are of use are at work on its kind: a vport_create on that host, what is done at once, or a
 * name, which is for people and waits until everybody has a port. */
static bool enough(const struct pool *p, const struct priv_request *q)
{
	static const unsigned most[PRIV_VERBS_] = {
		[PRIV_VPORT_CREATE] = POOL_CREATES,
		[PRIV_VPORT_NAME] = POOL_NAMES,
		[PRIV_RPORT_TIMERS] = POOL_QUICK,
		[PRIV_RPORT_RESTORE] = POOL_QUICK,
	};
	bool create = q->verb == PRIV_VPORT_CREATE;
	const struct worker *w;
	unsigned n = 0;

	if (!most[q->verb])
		return false;
	if (q->verb == PRIV_VPORT_NAME && p->creates)
		return true;
	TAILQ_FOREACH (w, &p->workers, link)
		n += w->state == BUSY && w->request.verb == q->verb &&
		     (!create || w->request.host == q->host);
	return n >= most[q->verb];
}

/*
 * Who orders anew for a vport has given the earlier order up: it must not be carried out afterwards, nor at
 * the same time (libfc of Linux 6.1 uses a vport after it is freed when it is disabled and deleted at once).
 * A child in the kernel feels the signal only when it comes back: that is waited for.
 */
static void supersede(struct pool *p, const struct priv_request *by)
{
	struct queued *q, *next;
	struct worker *w;

	for (q = TAILQ_FIRST(&p->queue); q; q = next) {
		next = TAILQ_NEXT(q, link);
		if (!same_vport(&q->request, by))
			continue;
		refuse(p, &q->request, -ECANCELED, 0,
		       "a later order for its vport has come: it was not begun");
		dequeue(p, q);
	}
	TAILQ_FOREACH (w, &p->workers, link) {
		if (w->state == IDLE || !same_vport(&w->request, by))
			continue;
		w->killed = true;
		kill(w->pid, SIGKILL);
	}
}

/* One that waited until its deadline is never begun: whoever asked has given it up. */
static void expire(struct pool *p, struct monotime now)
{
	struct queued *q, *next;

	for (q = TAILQ_FIRST(&p->queue); q; q = next) {
		next = TAILQ_NEXT(q, link);
		if (!mono_reached(q->by, now))
			continue;
		refuse(p, &q->request, -ETIMEDOUT, 0,
		       vport_busy(p, &q->request)
			       ? "an earlier order for its vport has not ended: it was not begun"
			       : "no child was free in time: it was not begun");
		dequeue(p, q);
	}
}

static void feed(struct pool *p, struct monotime now)
{
	struct queued *q, *next;

	expire(p, now);
	for (q = TAILQ_FIRST(&p->queue); q && p->count[BUSY] < POOL_MAX; q = next) {
		next = TAILQ_NEXT(q, link);
		if (vport_busy(p, &q->request) || enough(p, &q->request))
			continue;
		if (p->count[STUCK] >= POOL_STUCK)
			refuse(p, &q->request, -EAGAIN, 0, "too many verbs are stuck in the kernel");
		else if (!begin(p, q, now))
			return; /* no child can be made now; the next turn tries again, until the deadline */
		dequeue(p, q);
	}
}

int pool_submit(struct pool *p, const struct priv_request *q)
{
	struct monotime now = mono_now();
	struct queued *item;

	if (p->count[STUCK] >= POOL_STUCK)
		return -EAGAIN;
	if (p->queued >= QUEUE_MAX)
		return -ENOBUFS;
	item = calloc(1, sizeof(*item));
	if (!item)
		return -ENOMEM;
	supersede(p, q);
	item->request = *q;
	item->by = mono_add(now, q->timeout_ms * USEC_PER_MSEC);
	TAILQ_INSERT_TAIL(&p->queue, item, link);
	p->queued++;
	p->creates += q->verb == PRIV_VPORT_CREATE;
	feed(p, now);
	return 0;
}

size_t pool_fds(const struct pool *p, struct pollfd *fds, size_t max)
{
	struct worker *w;
	size_t n = 0;

	TAILQ_FOREACH (w, &p->workers, link)
		if (w->state != IDLE && n < max)
			fds[n++] = (struct pollfd){w->fd, POLLIN, 0};
	return n;
}

/* True when the worker is still there. */
static bool collect(struct pool *p, struct worker *w, struct monotime now)
{
	struct priv_reply r;
	ssize_t n = priv_reply_recv(w->fd, &r, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return true;
	if (n == sizeof(r)) {
		note_number(p, &w->request, &r);
		if (w->state == STUCK)
			r.flags |= PRIV_LATE;
		push_answer(p, &r);
		/* One that was late gets no more work: its place was taken when it was abandoned. */
		if (w->state == BUSY && !w->killed && p->count[IDLE] < POOL_KEEP) {
			set_idle(p, w, now);
			return true;
		}
	} else {
		refuse(p, &w->request, -EIO, w->state == STUCK ? PRIV_LATE : 0,
		       "the child that did it died: whether it was done is not known");
	}
	worker_free(p, w);
	return false;
}

static void abandon(struct pool *p, struct worker *w)
{
	log_warning("%s (request %u) did not end within %u ms: its child %d is abandoned",
		    priv_verb_name(w->request.verb), w->request.id, w->request.timeout_ms, w->pid);
	refuse(p, &w->request, -ETIMEDOUT, 0, "it did not end in time; it may yet, in the kernel");
	set_state(p, w, STUCK);
}

/* As many stand ready as at first, also after some were abandoned or have died; one does in any case. */
static void refill(struct pool *p)
{
	unsigned room = p->count[STUCK] < POOL_STUCK ? POOL_MAX - p->count[BUSY] : 0;

	while (room-- && (!p->count[IDLE] || p->count[IDLE] + p->count[BUSY] < POOL_IDLE))
		if (!worker_new(p))
			return;
}

/* When work comes in numbers, a fork for each would cost as much as the work: they end when it is over. */
static void retire(struct pool *p, struct monotime now)
{
	struct worker *w, *prev;

	for (w = TAILQ_LAST(&p->workers, workers); w && p->count[IDLE] > POOL_IDLE; w = prev) {
		prev = TAILQ_PREV(w, workers, link);
		if (w->state == IDLE && mono_reached(mono_add(w->since, KEEP_US), now))
			worker_free(p, w);
	}
}

void pool_run(struct pool *p, struct monotime now)
{
	struct worker *w, *next;

	for (w = TAILQ_FIRST(&p->workers); w; w = next) {
		next = TAILQ_NEXT(w, link);
		if (w->state == IDLE || !collect(p, w, now) || w->state != BUSY)
			continue;
		if (mono_reached(w->by, now))
			abandon(p, w);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	feed(p, now);
	retire(p, now);
	refill(p);
}

int pool_next_reply(struct pool *p, struct priv_reply *r)
{
	struct answer *a = TAILQ_FIRST(&p->answers);

	if (!a)
		return 0;
	*r = a->reply;
	TAILQ_REMOVE(&p->answers, a, link);
	free(a);
	return 1;
}

struct monotime pool_due(const struct pool *p)
{
	struct monotime due = MONOTIME_NEVER;
	struct worker *w;
	struct queued *q;

	TAILQ_FOREACH (w, &p->workers, link)
		if (w->state == BUSY)
			due = mono_min(due, w->by);
		else if (w->state == IDLE && p->count[IDLE] > POOL_IDLE)
			due = mono_min(due, mono_add(w->since, KEEP_US));
	TAILQ_FOREACH (q, &p->queue, link)
		due = mono_min(due, q->by);
	return due;
}
