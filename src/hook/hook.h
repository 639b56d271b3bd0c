/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vhba-hook: what an orchestrator calls around a migration, as steps that vhbad takes.  A thin client: it
 * decides nothing that vhbad does not, and every verb may be called again after it has failed or was cut off.
 * Single-threaded, blocking.
 */
#ifndef VHBA_HOOK_H
#define VHBA_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>
#include <vhba/vhba.h>

#include "monotime.h"

/* The command line. */
struct hook_options {
	const char *socket; /* NULL: the default */
	const char *vm; /* name or UUID */
	const char *ticket; /* file, "-": standard input or output; NULL: none */
	uint64_t deadline_us, drain_us; /* VHBA_DEFAULT_US: as vhbad is configured */
	bool paused, if_known;
};

/* One invocation: what the verbs work on, and what is told at the end. */
struct hook {
	const struct hook_options *o;
	struct vhba_conn *conn;
	struct monotime start, by; /* MONOTIME_NEVER: without a deadline of its own */
	struct json_object *steps; /* array: step, outcome, elapsed_us, result */
	struct json_object *ticket; /* exported, or NULL */
	struct json_object *names; /* preflight's: of each vhba, where its name is live; or NULL */
	struct json_object *luns; /* likewise: whether its LUNs are reachable */
	struct vhba_result last; /* of the last operation */
	bool nothing; /* there was nothing to do */
};

/* 0; or a negative errno with *e: the step could not be taken. What it took stands in h. */
typedef int hook_fn(struct hook *h, struct vhba_error *e);

struct hook_verb {
	const char *name;
	hook_fn *run;
	const char *doc;
};

extern const struct hook_verb hook_verbs[]; /* ends with a NULL name */

/* Run it, print the report as one line of JSON on standard output, and an error also on standard error: the
 * exit code. */
int hook_run(const struct hook_verb *verb, const struct hook_options *o);

/* Fill *e; returns -EINVAL. */
int hook_error(struct vhba_error *e, enum vhba_error_kind kind, const char *what, const char *seen,
	       const char *fix);

/* What vhbad knows of a VM. */
struct hook_known {
	char state[16], owner[256];
	uint64_t generation;
	bool arrives; /* it is expected by a live migration */
	bool leaving; /* its guest was stopped here for one */
};

/* verbs.c; a VM that vhbad does not know is an error, VHBA_E_NOT_FOUND. */
int hook_look(struct hook *h, const char *vm, struct hook_known *k, struct vhba_error *e);
/* Whether the VM of the ticket could come here; the first check that does not hold is the error. */
int hook_preflight(struct hook *h, struct json_object *ticket, struct vhba_error *e);
/* Of an entry of its "names": it is where the source has it. */
bool hook_is_there(struct json_object *name);
/* Of an entry of its "luns": all are proved to be reachable. */
bool hook_reaches(struct json_object *vhba);
const char *hook_text(struct json_object *o, const char *key); /* "" when absent */
uint64_t hook_number(struct json_object *o, const char *key);

/*
 * libvirt.c: what libvirt calls as qemu.d/vhba DOMAIN OPERATION SUB-OPERATION EXTRA, the domain's XML on
 * standard input.  Prints nothing but what is wrong, on standard error: the exit code, 1 when libvirt is to
 * stop there.
 */
int hook_libvirt(const char *socket, int argc, char **argv);

/* verbs.c; hook_pre_migrate and so on. */
hook_fn hook_check_migrate, hook_pre_migrate, hook_post_migrate, hook_abort_migrate;

#endif
