/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The vhba-ios of this host: started for VMs that have an I/O back end, held, and begun again when one dies.
 *
 * vhbad holds what a vhba-io says that it be held (`!keep`): the front end's connection and whatever came by
 * it, by key, in order.  It doesn't understand any of it; the next process gets it back and goes on.  The
 * same is in vhba-io, so that a vhbad that comes again after its own end gets it from there (`hold`).  File
 * descriptors of LUNs are not held: a lock on them shows when a process's last command has ended.
 *
 * Each has its sockets and its record in RUNDIR/io/VM/.  Loop thread only.
 */
#ifndef VHBA_IOS_H
#define VHBA_IOS_H

#include "daemon.h"

/* Finds those that run. NULL: no memory. */
struct ios *ios_new(struct daemon *d);
/* vhbad ends: they go on by themselves. */
void ios_free(struct ios *ios);

/* The VM's back ends run, or are begun; LUNs that have come since go to them.  gate: rings wait until
 * ios_open.  0, or a negative error with *e. */
int ios_start(struct daemon *d, const struct reg_vm *rv, bool gate, struct verror *e);
/* They end: nothing of the VM's I/O is served here any more. */
void ios_end(struct daemon *d, const char *uuid);
bool ios_run(const struct daemon *d, const char *uuid);

/* The VM's vports are logged in with all their LUNs: its back ends are started, or given them, and its own
 * login has fenced whoever had its names before. */
void ios_attached(struct daemon *d, const struct vm *vm);

/* Closed gates open. reason: confirmed, fenced, preempted, operator. */
void ios_open(struct daemon *d, const char *uuid, const char *reason);

/* After ios_new and adopt_all: what is attached has its back ends, and what is known no more ends. */
void ios_adopted(struct daemon *d);

/* A file has become a LUN of the VM's guest, or is one no more: one that runs has it, or loses it. */
void ios_lun_came(struct daemon *d, const char *vm, unsigned number);
void ios_lun_went(struct daemon *d, const char *vm, unsigned number);

/* LUNs of the VM's may have another size, or that one has other parameters: its guest is told. */
void ios_check(struct daemon *d, const char *uuid);
void ios_lun_changed(struct daemon *d, const char *uuid, unsigned number);

/* The registry has changed: LUNs that have come or gone. */
void ios_look(struct daemon *d, const char *vm);

/* Something of the VM's ports has changed: paths that have come are put to use. */
void ios_news(struct daemon *d, const char *uuid);

/* Called once; why: what went wrong, NULL: nothing. */
typedef void ios_done(void *user, const char *why);

/*
 * No ring of the VM's is read any more when done is called; commands that are under way end by the back end's
 * own deadline.  A process that dies meanwhile, or is started, reads none either.  done may be called at
 * once.
 */
void ios_stop(struct daemon *d, const char *uuid, ios_done *done, void *user);
/* Rings are read again, on LUNs whose paths are given anew where the vport was made again. */
void ios_go_on(struct daemon *d, const char *uuid, ios_done *done, void *user);
/* Stopped by ios_stop; also by a vhbad before this one. */
bool ios_stopped(const struct daemon *d, const char *uuid);
/* Commands under way, or left in the kernel, as far as was told; asks anew while a stopped one has any. */
uint64_t ios_left(struct daemon *d, const char *uuid);

/* How many there are, added to the daemon's status. */
void show_ios_count(const struct daemon *d, struct json_object *o);

/* io.List, io.Status, io.Start, io.End, io.Upgrade, io.Check, io.Latency, io.Open */
void method_io_list(struct daemon *d, struct call *call, struct json_object *p);
void method_io_status(struct daemon *d, struct call *call, struct json_object *p);
void method_io_start(struct daemon *d, struct call *call, struct json_object *p);
void method_io_end(struct daemon *d, struct call *call, struct json_object *p);
void method_io_upgrade(struct daemon *d, struct call *call, struct json_object *p);
void method_io_check(struct daemon *d, struct call *call, struct json_object *p);
void method_io_latency(struct daemon *d, struct call *call, struct json_object *p);
void method_io_open(struct daemon *d, struct call *call, struct json_object *p);

#endif
