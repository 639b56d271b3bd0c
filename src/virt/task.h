/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An order for a domain (domain.Serve), done in a thread of its own, with connections of its own to libvirt
 * and to vhbad, both of which may block there.  It reports by itself; the loop only begins it, and tells it
 * when nobody waits for it any more.
 */
#ifndef VHBA_TASK_H
#define VHBA_TASK_H

#include <stdatomic.h>

#include "virt.h"

struct task {
	struct job job;
	TAILQ_ENTRY(task) link;
	struct virt *v; /* the loop's */
	uint64_t serial;
	const struct task_verb *verb;
	struct json_object *parameters, *reply;
	const char *socket, *uri; /* vhbad's, libvirt's */
	const char *notes; /* the folder of notes.h */
	char unfinished[VIR_UUID_STRING_BUFLEN]; /* a migration that it leaves to be mended; "": none */
	virConnectPtr conn; /* opened for it */
	atomic_bool cancelled; /* set by the loop, once */
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t more;
	unsigned told; /* 1 << enum follow_what, of the domain that it is about */
	struct verror e;
};

/* 0: task->reply is the reply, or NULL; a negative errno: task->e says why. */
typedef int task_fn(struct task *t);

struct task_verb {
	const char *name;
	task_fn *run;
};

/* Ask vhbad: the reply, which the caller puts, or NULL with t->e. parameters are taken over. */
struct json_object *task_ask(struct task *t, const char *method, struct json_object *parameters, uint64_t us);

/* Until one of these has been told, or the time has come: all that has been told so far. */
unsigned task_wait(struct task *t, unsigned whats, struct monotime until);

/* Tell who waits how far it is; taken over. */
void task_progress(struct task *t, struct json_object *progress);

#endif
