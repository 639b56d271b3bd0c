/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is done with libvirt's domains: each a task_fn, whose parameters and reply are those of the method of
 * the same name (man 7 vhba-proto).  Tasks' threads only.
 */
#ifndef VHBA_DOMAIN_H
#define VHBA_DOMAIN_H

#include "identity.h"
#include "task.h"

task_fn domain_list, domain_show, domain_bind, domain_unbind, domain_xml, domain_migrate;

/*
 * It runs here, and may have come by a live migration: its source's devices have stopped before that, with
 * all their commands ended, or QEMU would not have sent the last of it.  So gates that wait for this open,
 * and its metadata get the generation that it has here.
 */
task_fn domain_arrived;

/*
 * leave.c: its migration has begun.  Where it is from here, and it has second names, and so is logged in
 * there, it is quiesced when it is paused for the switch-over; who owns it is settled by how the migration
 * ends.
 */
task_fn domain_leave;
/* It has moved, and nothing has followed it. */
task_fn domain_gone;
/* It has stopped: a VM that is still attached for it is detached. */
task_fn domain_stopped;

/* The domain that "domain" names, or NULL with t->e. */
virDomainPtr domain_find(struct task *t);

/*
 * Its identity, as it is while it runs.  0 with id->ticket NULL: it has none; a negative errno with *e: it
 * can't be read, and may be of a newer version.
 */
int domain_identity(virDomainPtr dom, struct identity *id, struct verror *e);

/* Write the present identity of its VM (vm NULL: by the domain's UUID) into the domain. 0, or -errno with
 * t->e. */
int domain_write_identity(struct task *t, virDomainPtr dom, const char *vm);

/* libvirt's last error into t->e; returns -EIO. */
int domain_failed(struct task *t, const char *what);

#endif
