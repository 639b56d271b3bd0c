/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A model of the sysfs of FC host bus adapters whose hardware is not here: what lpfc, qla2xxx, qedf and
 * bnx2fc of Linux 6.1 show, refuse, wait for and leave undone, as read from their sources and from
 * scsi_transport_fc.c.
 *
 * It knows no clock and no file system: time comes in, uevents and late answers go out, so that it runs in a
 * unit test.  fuse.c mounts it.  One thread.
 */
#ifndef FAKEFC_H
#define FAKEFC_H

#include "monotime.h"
#include "tree.h"

/* Of a store function: the driver blocks; ops->done comes later. No errno is so large. */
#define FAKEFC_PENDING (-1000000)

struct fakefc_ops {
	/* The end of a write that was pending: what write(2) returns, or -errno. */
	void (*done)(void *arg, void *cookie, ssize_t result);
	uevent_fn *uevent; /* may be NULL */
	gone_fn *gone; /* likewise */
	void *arg;
};

/* NULL when memory is short. */
struct fakefc *fakefc_new(const struct fakefc_ops *ops, struct monotime now);
void fakefc_free(struct fakefc *f);
struct tree *fakefc_tree(struct fakefc *f);

/*
 * One line of the control language (README.md), without its newline; empty ones and comments are taken.  0 or
 * -errno with a sentence in why.
 */
int fakefc_command(struct fakefc *f, const char *line, char *why, size_t size);

/* Time has come to now: what is due happens. Before each other call, so that it happens in its time. */
void fakefc_run(struct fakefc *f, struct monotime now);
/* When something is due next; MONOTIME_NEVER: nothing. */
struct monotime fakefc_due(const struct fakefc *f);

/* An attribute as read(2) and write(2) find it; -EACCES where it has no such direction. */
ssize_t fakefc_read(struct fakefc *f, const struct node *n, char *buf, size_t size);
ssize_t fakefc_write(struct fakefc *f, const struct node *n, const char *data, size_t len, void *cookie);

/* What has happened, one line each: "SECONDS hostN: what"; "OBJECT what". */
const char *fakefc_log(const struct fakefc *f);

/* ---- device nodes: what an ioctl asks, decoded by sgio.c ---- */

struct fakefc_lun;
struct fakefc_port;

/* Whose node it is; NULL when it is no such one. */
struct fakefc_lun *fakefc_lun_of(const struct node *n);
/* /dev/bsg/fc_hostN, or (*rport) /dev/bsg/rport-H:0-N of its directory server */
struct fakefc_port *fakefc_port_of(const struct node *n, bool *rport);

/* A SCSI command: how much data there is, or -errno (-EIO: CHECK CONDITION; -ENXIO: the LUN takes none now).
 */
ssize_t fakefc_scsi(struct fakefc *f, struct fakefc_lun *l, const uint8_t *cdb, size_t cdb_len, uint8_t *data,
		    size_t size);

/*
 * Does its driver find the name server in an FC_BSG_HST_CT?  By the address, four bytes as they lie in
 * memory, or by the second word of the preamble.
 */
bool fakefc_ct_address(const struct fakefc_port *p, uint32_t address, uint32_t word1);

/*
 * A CT request from this host, by FC_BSG_HST_CT or (rport) FC_BSG_RPT_CT: the length of the answer; 0 when
 * there is none, as the kernel shows a request that timed out; -errno as the driver's status.
 */
ssize_t fakefc_ct(struct fakefc *f, struct fakefc_port *p, bool rport, const uint8_t *request, size_t len,
		  uint8_t *reply, size_t size);

#endif
