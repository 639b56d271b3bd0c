/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of libvhba share. */
#ifndef VHBA_CLIENT_H
#define VHBA_CLIENT_H

#include <json-c/json.h>

#include "verror.h"
#include <vhba/vhba.h>

/* The library's own errors are made with verror_...; this copies one out and returns r. e may be NULL. */
int client_error(struct vhba_error *e, const struct verror *from, int r);

/* Fill e from an error reply: the name, and the parameters (may be NULL). */
void client_error_read(struct vhba_error *e, const char *name, struct json_object *parameters);

/* A call has been left before its last line: what comes next would be taken for another's answer. Returns r.
 */
int client_abandon(struct vhba_conn *conn, int r);

#endif
