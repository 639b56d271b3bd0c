/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ios_private.h"
#include "log.h"
#include "name_ask.h"
#include "op.h"
#include "san.h"

#define PAUSE_MIN_US (500 * USEC_PER_MSEC)
#define PAUSE_MAX_US (5 * USEC_PER_SEC)
#define PATH_REST_US (30 * USEC_PER_SEC) /* events of its path until then are the last attempt's own */

/* A VM has one back end that stands for all, but for virtio-blk devices, of which each opens its own gate. */
static struct io *first_of(const struct daemon *d, const char *uuid)
{
	struct io *io;

	if (d->ios)
		TAILQ_FOREACH (io, &d->ios->list, link)
			if (!strcmp(io->uuid, uuid))
				return io;
	return NULL;
}

static void say(struct io *io, const char *what, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void say(struct io *io, const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(io->live.text, sizeof(io->live.text), fmt, ap);
	va_end(ap);
	io_event(io, what, "%s", io->live.text);
}

static void set_leaving(struct io *io, bool leaving)
{
	if (io->live.leaving == leaving)
		return;
	io->live.leaving = leaving;
	io_record_write(io);
}

/*
 * It was to be logged out, and is attached: the vhbad before was killed before it had begun, or after it had
 * failed, and begins anew if the rings are still stopped.
 */
void live_adopted(struct io *io)
{
	const struct vm *vm = vm_find(&io->d->vms, io->uuid);

	if (!vm)
		return;
	if (vm->state == VM_ATTACHED)
		set_leaving(io, false);
	io->live.due = vm->state == VM_FAILED &&
		       (!vm->quiesce || quiesce_result(vm->quiesce)->request == QR_QUIESCE);
}

/* ---- when to look ---- */

static void queue(struct io *io)
{
	work_queue(&io->d->works, &io->live.work);
}

void live_look(struct daemon *d, const char *uuid)
{
	struct io *io = first_of(d, uuid);

	if (io && !d->stopping)
		queue(io);
}

static int on_again(sd_event_source *s, uint64_t usec, void *user)
{
	(void)s;
	(void)usec;
	queue(user);
	return 0;
}

static void again_later(struct io *io)
{
	struct live *l = &io->live;

	l->pause_us = !l->pause_us		       ? PAUSE_MIN_US
		      : l->pause_us * 2 < PAUSE_MAX_US ? l->pause_us * 2
						       : PAUSE_MAX_US;
	l->again = mono_add(mono_now(), l->pause_us);
}

static void at_once(struct io *io)
{
	io->live.again.us = 0;
	io->live.pause_us = 0;
}

static void calm(struct io *io)
{
	at_once(io);
	io->live.due = false;
	io->live.tries = 0;
	io->live.text[0] = '\0';
}

/* ---- what is done ---- */

/* Its end is looked at, and so is one that could not begin. */
static void log_out(struct io *io, const struct reg_vm *rv)
{
	again_later(io); /* in case that it fails */
	io->live.due = true;
	if (!op_begin_unasked(io->d, PROTO_QUIESCE, rv, false))
		queue(io);
}

/* They tell a name's new place from this one when there is no vport here any more that could. */
static void note_port_ids(struct io *io)
{
	const struct vm *vm = vm_find(&io->d->vms, io->uuid);

	memset(io->live.port_id, 0, sizeof(io->live.port_id));
	for (unsigned i = 0; vm && i < vm->count; i++) {
		const struct vm_vhba *v = &vm->vhba[i];
		const struct fc_host *host = v->host >= 0 ? fc_host_find(&io->d->inv, v->host) : NULL;

		if (host && v->index < VM_VHBAS_MAX)
			fc_host_read_port_id(host, &io->live.port_id[v->index]);
	}
}

static void leave(struct io *io, const struct reg_vm *rv)
{
	calm(io);
	note_port_ids(io);
	set_leaving(io, true);
	io_event(io, "move", "the guest has stopped here for its migration: logging out");
	log_out(io, rv);
}

static void leave_again(struct io *io, const struct reg_vm *rv)
{
	io->live.tries++;
	say(io, "move", "its names are not proved to be logged out: trying again (%u of %u)", io->live.tries,
	    LIVE_TRIES);
	log_out(io, rv);
}

static void give_up(struct io *io, const struct reg_vm *rv)
{
	io->live.tries++;
	say(io, "move",
	    "its names are not proved to be logged out (see 'vhbactl log'); 'vhbactl quiesce %s' tries again",
	    rv->name);
	log_err("%s: %s", rv->name, io->live.text);
}

static void stay(struct io *io, const struct reg_vm *rv)
{
	(void)rv;
	set_leaving(io, false);
	calm(io);
	io_event(io, "move", "the guest goes on here");
}

/* Before the names log in again here: whether they have logged in where the guest was to go. */
struct return_check {
	struct daemon *d;
	char uuid[37], name[16];
	unsigned left;
	char elsewhere[96]; /* "": none is */
};

struct return_ask {
	struct return_check *all;
	unsigned vhba;
};

/* The vport's own login, if the fabric has not let it go yet. */
static bool is_own(const struct daemon *d, const struct vm_vhba *v, uint32_t port_id)
{
	const struct fc_host *host = v->host >= 0 ? fc_host_find(&d->inv, v->host) : NULL;
	uint32_t id = 0;

	return host && !fc_host_read_port_id(host, &id) && id == port_id;
}

static void returned(struct return_check *all)
{
	AUTO_FREE struct return_check *r = all;
	struct io *io = io_find(r->d, r->uuid, r->name);
	const struct reg_vm *rv = registry_find(r->d->reg, r->uuid);
	const struct vm *vm = vm_find(&r->d->vms, r->uuid);

	if (!io)
		return;
	io->live.asking = false;
	if (!rv || !vm || vm->op || !io->live.leaving || !io->live.rings || r->d->stopping)
		return;
	again_later(io); /* in case that it fails */
	if (r->elsewhere[0]) {
		say(io, "move", "the guest runs here again, but %s", r->elsewhere);
		queue(io);
		return;
	}
	io_event(io, "move", "the guest runs here again: logging in");
	op_begin_unasked(r->d, PROTO_RESUME, rv, false);
}

static void on_return(void *user, enum ct_answer answer, uint32_t port_id, const char *why)
{
	AUTO_FREE struct return_ask *a = user;
	struct return_check *all = a->all;
	const struct vm *vm = vm_find(&all->d->vms, all->uuid);
	char text[WWN_TEXT];

	(void)why; /* its own hold is no less than it was */
	if (vm && a->vhba < vm->count && answer == CT_PRESENT && !is_own(all->d, &vm->vhba[a->vhba], port_id))
		snprintf(all->elsewhere, sizeof(all->elsewhere), "%s is logged in elsewhere, as %06" PRIx32,
			 wwn_format(vm->vhba[a->vhba].wwpn, text), port_id);
	if (!--all->left)
		returned(all);
}

static void come_back(struct io *io, const struct reg_vm *rv)
{
	struct vm *vm = vm_find(&io->d->vms, rv->uuid);
	struct return_check *all = vm && !io->live.asking ? calloc(1, sizeof(*all)) : NULL;

	if (!all)
		return;
	all->d = io->d;
	strcpy(all->uuid, io->uuid);
	strcpy(all->name, io->name);
	all->left = 1;
	io->live.asking = true;
	for (unsigned i = 0; i < vm->count; i++) {
		struct return_ask *a = calloc(1, sizeof(*a));

		if (!a)
			continue;
		*a = (struct return_ask){all, i};
		all->left++;
		san_locate(io->d, &vm->vhba[i]);
		name_ask(io->d, vm->vhba[i].parent_wwpn, vm->vhba[i].wwpn, on_return, a);
	}
	if (!--all->left)
		returned(all);
}

static void arrive(struct io *io, const struct reg_vm *rv)
{
	again_later(io); /* in case that it fails */
	if (!io->live.text[0])
		say(io, "move",
		    "the guest runs here: its names log in when the fabric has let them go at the "
		    "source");
	op_begin_unasked(io->d, PROTO_ATTACH, rv, true);
}

static void open_now(struct io *io, const struct reg_vm *rv)
{
	io_event(io, "move", "the guest runs here, so it has stopped at the source");
	ios_open(io->d, rv->uuid, "confirmed");
}

static void (*const actions[LIVE_ACTIONS_])(struct io *io, const struct reg_vm *rv) = {
	[LIVE_LEAVE] = leave,	      [LIVE_AGAIN] = leave_again, [LIVE_GIVE_UP] = give_up,
	[LIVE_COME_BACK] = come_back, [LIVE_STAYED] = stay,	  [LIVE_ARRIVE] = arrive,
	[LIVE_OPEN] = open_now,
};

/* What failed is not tried before its time. */
static bool is_paced(enum live_action action)
{
	return action == LIVE_ARRIVE || action == LIVE_COME_BACK || action == LIVE_AGAIN;
}

/* It is logged out as far as that goes, and its machine does not look for the proof any more. */
static bool is_unproved(const struct vm *vm)
{
	return vm->state == VM_HELD && vm->quiesce && quiesce_idle(vm->quiesce) &&
	       quiesce_request(vm->quiesce) == QR_QUIESCE && quiesce_outcome_now(vm->quiesce) > QO_CONFIRMED;
}

static void look(struct work *w)
{
	struct io *io = (struct io *)((char *)w - offsetof(struct io, live.work));
	const struct reg_vm *rv = registry_find(io->d->reg, io->uuid);
	const struct vm *vm = vm_find(&io->d->vms, io->uuid);
	struct live *l = &io->live;
	enum live_action action;
	struct live_seen seen;

	if (!rv || io->d->stopping)
		return;
	seen = (struct live_seen){.vhbas = rv->vhbas_n,
				  .arrives = rv->io.arrives,
				  .known = l->known,
				  .lost = l->lost,
				  .rings = l->rings,
				  .log = io->logging,
				  .leaving = l->leaving,
				  .due = l->due || (vm && is_unproved(vm)),
				  .tries = l->tries,
				  .busy = vm && vm->op,
				  .state = vm ? vm->state : VM_DETACHED};
	action = live_rule(&seen);
	if (!actions[action])
		return;
	if (is_paced(action) && !mono_reached(l->again, mono_now())) {
		daemon_timer(io->d, &l->timer, l->again, on_again, io);
		return;
	}
	actions[action](io, rv);
}

/* ---- what is told ---- */

void live_told(struct io *io, const char *text)
{
	struct live *l = &io->live;
	bool rings = !strncmp(text, "on ", 3), logged;

	if (rings != l->rings)
		at_once(io);
	l->known = true;
	l->rings = rings;
	l->lost = strstr(text, " front=lost") != NULL;
	io->connected = strstr(text, " front=yes") != NULL;
	logged = io->logging;
	io->logging = strstr(text, " log=on") != NULL;
	if (io->logging && !logged)
		live_f_ports_ask(io);
	if (!l->rings)
		l->again.us = 0;
	queue(io);
}

void live_answered(struct daemon *d, const char *uuid, bool failed)
{
	struct io *io = first_of(d, uuid);

	if (!io || !io->live.leaving)
		return;
	io->live.due = failed;
	if (!failed)
		io->live.text[0] = '\0';
}

static bool is_by(const struct vm *vm, int host)
{
	for (unsigned i = 0; i < vm->count; i++)
		if (vm->vhba[i].host == host || vm->vhba[i].parent_host == host)
			return true;
	return host < 0;
}

void live_path(struct daemon *d, int host)
{
	struct io *io;

	if (!d->ios)
		return;
	TAILQ_FOREACH (io, &d->ios->list, link) {
		const struct vm *vm = io->live.tries > LIVE_TRIES ? vm_find(&d->vms, io->uuid) : NULL;

		if (!vm || !is_by(vm, host) ||
		    !mono_reached(mono_add(io->live.again, PATH_REST_US), mono_now()))
			continue;
		io->live.tries = 0;
		queue(io);
	}
}

wwn_t live_witness(const struct daemon *d, const char *uuid, unsigned vhba)
{
	const struct io *io = first_of(d, uuid);

	return io && vhba < VM_VHBAS_MAX ? io->live.witness[vhba] : 0;
}

bool live_is_sure(const struct daemon *d, const char *uuid)
{
	const struct io *io = first_of(d, uuid);

	return io && io->live.sure;
}

uint32_t live_port_id(const struct daemon *d, const char *uuid, unsigned vhba)
{
	const struct io *io = first_of(d, uuid);

	return io && vhba < VM_VHBAS_MAX ? io->live.port_id[vhba] : 0;
}

wwn_t live_f_port(const struct daemon *d, const char *uuid, unsigned vhba)
{
	const struct io *io = first_of(d, uuid);

	return io && vhba < VM_VHBAS_MAX ? io->live.f_port[vhba] : 0;
}

bool live_leaves(const struct daemon *d, const char *uuid)
{
	const struct io *io = first_of(d, uuid);

	return io && io->live.leaving;
}

void live_waits(struct daemon *d, const char *uuid, const char *text)
{
	struct io *io = first_of(d, uuid);

	if (io)
		snprintf(io->live.text, sizeof(io->live.text), "%s", text ? text : "");
}

bool live_open(struct daemon *d, const struct reg_vm *rv)
{
	struct io *io = first_of(d, rv->uuid);

	if (!io || !rv->io.arrives || !rv->vhbas_n)
		return false;
	io->live.sure = true;
	io->live.again.us = 0;
	io_event(io, "move",
		 "the source is done, by a person's word: what the name server can't tell is no "
		 "obstacle any more");
	queue(io);
	return true;
}

void live_init(struct io *io)
{
	io->live.work.fn = look;
}

void live_clear(struct io *io)
{
	work_cancel(&io->d->works, &io->live.work);
	sd_event_source_disable_unref(io->live.timer);
}
