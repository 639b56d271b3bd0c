/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "driver.h"
#include "log.h"
#include "privq.h"
#include "timers.h"

/* A quiesce may wait for it. */
#define SET_US (200 * USEC_PER_MSEC)

#define AUTO_S 5 /* as multipathd has it: a link that bounces, and logins that are done anew, take less */

/* Those that its zones name; one that has no zone has one target at least. */
static unsigned ports_of(const struct config *c, const struct reg_vhba *v)
{
	char names[256], *save = NULL;
	unsigned n = 0;

	snprintf(names, sizeof(names), "%s", v->zones ? v->zones : "");
	for (char *name = strtok_r(names, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
		const struct config_zone *z = config_zone(c, name);

		n += z ? z->count : 0;
	}
	return n ? n : 1;
}

int timers_fast_io_fail(const struct config *c, const struct reg_vm *vm)
{
	unsigned n = 0;

	if (c->fast_io_fail != CONFIG_AUTO)
		return c->fast_io_fail;
	for (unsigned i = 0; vm && vm->io.kind != REG_IO_NONE && i < vm->vhbas_n; i++)
		n += ports_of(c, &vm->vhbas[i]);
	/* 0 would turn every blip of a link into an error */
	if (n < 2 || c->dev_loss < 2)
		return -1;
	return AUTO_S < c->dev_loss ? AUTO_S : c->dev_loss - 1;
}

int timers_fast_io_fail_of(const struct daemon *d, const char *uuid)
{
	return timers_fast_io_fail(d->cfg, d->reg ? registry_find(d->reg, uuid) : NULL);
}

struct setting {
	struct daemon *d;
	uint64_t wwpn; /* of the vhba */
};

static void on_set(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct setting *s = user;
	struct vm *vm = NULL;
	struct vm_vhba *v = vm_find_wwpn(&s->d->vms, s->wwpn, &vm);

	if (!v)
		return;
	v->timers_pending = false;
	if (r->err)
		log_warning("%s: vhba %u: the rport timers could not be set back: %s", vm->name, v->index,
			    strerror(-r->err));
	if (vm->driver)
		driver_timers_set(vm->driver, (unsigned)(v - vm->vhba));
}

static void set_back(struct daemon *d, struct vm_vhba *v, int fast_io_fail)
{
	struct priv_request q = {.verb = PRIV_RPORT_TIMERS,
				 .host = v->host,
				 .fast_io_fail = fast_io_fail,
				 .dev_loss = d->cfg->dev_loss};
	struct setting *s = calloc(1, sizeof(*s));

	if (!s)
		return;
	s->d = d;
	s->wwpn = v->wwpn;
	v->timers_pending = true;
	privq_call(d->privq, &q, SET_US, on_set, s);
}

static const char *seconds(int s, char buf[16])
{
	if (s < 0)
		return "off";
	snprintf(buf, 16, "%ds", s);
	return buf;
}

/* ", NAME is 5s, not off"; nothing where it is right. */
static void say(char *text, size_t size, const char *name, int is, int should)
{
	size_t len = strlen(text);
	char a[16], b[16];

	if (is != should)
		snprintf(text + len, size - len, ", %s is %s, not %s", name, seconds(is, a),
			 seconds(should, b));
}

static void tell(struct daemon *d, struct vm *vm, const struct vm_vhba *v, const struct fc_rport *r,
		 int fast_io_fail)
{
	char wwn[WWN_TEXT], what[160] = "";

	say(what, sizeof(what), "fast_io_fail_tmo", r->fast_io_fail, fast_io_fail);
	say(what, sizeof(what), "dev_loss_tmo", r->dev_loss, d->cfg->dev_loss);
	wwn_format(r->wwpn, wwn);
	log_notice("%s: vhba %u: target %s: the timers are not the configured ones (by whom can't be "
		   "known)%s: %s",
		   vm->name, v->index, wwn, what,
		   d->cfg->keep_timers ? "set back" : "left alone ([timers] keep)");
	daemon_event(d, "timers", vm->name, "vhba %u: target %s%s: %s", v->index, wwn, what,
		     d->cfg->keep_timers ? "set back" : "left alone");
}

/* FNV-1a over what differs. */
static uint64_t mix(uint64_t sum, uint64_t n)
{
	for (int i = 0; i < 8; i++, n >>= 8)
		sum = (sum ^ (n & 0xff)) * UINT64_C(0x100000001b3);
	return sum;
}

/* Does this port have other timers than it should, and would it take them? */
static bool differs(const struct config *c, const struct fc_host *host, struct fc_rport *r, int fast_io_fail)
{
	char state[32];

	return r->is_target && !fc_rport_read_timers(host, r) &&
	       (r->fast_io_fail != fast_io_fail || r->dev_loss != c->dev_loss) &&
	       !fc_rport_read_state(host, r, state, sizeof(state)) && strcmp(state, "Blocked") != 0;
}

/* What differs is told once for each change: what is as it was at the last look was told then. */
static void look(struct daemon *d, struct vm *vm, struct vm_vhba *v)
{
	struct fc_host *host = fc_host_find(&d->inv, v->host);
	const struct fc_rport *differing[16];
	uint64_t seen = 0, was = v->timers_seen;
	struct fc_rport *r;
	unsigned n = 0;
	int fast_io_fail = timers_fast_io_fail_of(d, vm->uuid);

	if (!host || v->timers_pending)
		return;
	TAILQ_FOREACH (r, &host->rports, link) {
		if (!differs(d->cfg, host, r, fast_io_fail))
			continue;
		seen = mix(mix(mix(seen + 1, r->wwpn), (uint64_t)r->fast_io_fail), (uint64_t)r->dev_loss);
		if (n < ARRAY_SIZE(differing))
			differing[n++] = r;
	}
	v->timers_seen = seen;
	for (unsigned i = 0; seen != was && i < n; i++)
		tell(d, vm, v, differing[i], fast_io_fail);
	if (n && d->cfg->keep_timers)
		set_back(d, v, fast_io_fail);
}

void timers_look_before_quiesce(struct daemon *d, struct vm *vm)
{
	for (unsigned i = 0; i < vm->count; i++)
		look(d, vm, &vm->vhba[i]);
}

static bool are_kept(const struct vm *vm)
{
	return vm->state == VM_ATTACHED && !vm->op && !vm->quiesce;
}

void timers_look_vhba(struct daemon *d, struct vm *vm, struct vm_vhba *v)
{
	if (are_kept(vm))
		look(d, vm, v);
}

void timers_look(struct daemon *d, struct vm *vm)
{
	if (are_kept(vm))
		timers_look_before_quiesce(d, vm);
}
