/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate of a VM that came from elsewhere: closed until nothing of the source can be executed any more. */
#include <stdio.h>
#include <string.h>

#include "ios_private.h"
#include "log.h"

static void on_gate(void *user, const char *reply)
{
	struct io *io = user;

	if (reply && !io_reply_is_ok(reply))
		io_event(io, "gate", "it does not open: %.200s", reply);
}

/* One that does not run yet is started with it open. */
static void open_gate(struct io *io, const char *reason)
{
	if (!io->gate || io->held)
		return;
	io->gate = false;
	live_waits(io->d, io->uuid, NULL);
	io_event(io, "gate", "open: %s", reason);
	io_record_write(io);
	if (io->conn)
		io_conn_say(io->conn, on_gate, io, "gate-open %s", reason);
}

static void on_ungated(void *user, const struct verror *e)
{
	(void)user;
	if (e)
		log_warning("that a VM's gate is open could not be registered: %s", e->what);
}

void ios_ungate(struct daemon *d, const char *uuid)
{
	const struct reg_vm *rv = registry_find(d->reg, uuid);
	struct reg_io io = rv ? rv->io : (struct reg_io){0};
	struct verror e;

	if (!rv || !rv->io.gate)
		return;
	io.gate = io.unfenced = io.arrives = false;
	if (registry_set(d->reg, rv, rv->pool, &io, on_ungated, NULL, &e))
		on_ungated(NULL, &e);
	daemon_registry_changed(d);
}

void ios_open(struct daemon *d, const char *uuid, const char *reason)
{
	char own[37]; /* uuid may be part of what the registry replaces */
	struct io *io;

	snprintf(own, sizeof(own), "%s", uuid);
	ios_ungate(d, own);
	TAILQ_FOREACH (io, &d->ios->list, link)
		if (!strcmp(io->uuid, own))
			open_gate(io, reason);
}

/* Without its LUNs it would tell the guest that there are none. */
void io_open_fenced(struct io *io)
{
	io->fenced = false;
	ios_ungate(io->d, io->uuid);
	open_gate(io, "fenced");
}
