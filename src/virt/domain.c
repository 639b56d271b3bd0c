/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libvirt/virterror.h>

#include "cleanup.h"
#include "domain.h"
#include "method.h"
#include "notes.h"

#define CALL_US (10 * USEC_PER_SEC)
#define ADD(o, key, value) json_object_object_add(o, key, value)
#define STRING(s) json_object_new_string(s)

int domain_failed(struct task *t, const char *what)
{
	const char *why = virGetLastErrorMessage(), *hook = why ? strstr(why, " vhba: ") : NULL;

	/* Our own hook's words, there or here, without libvirt's long way to them. */
	if (hook)
		why = hook + 1;
	verror_set(&t->e, virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ? VHBA_E_NOT_FOUND : VHBA_E_IO, "%s",
		   what);
	verror_seen(&t->e, "%s", why ? why : "no reason given");
	return -EIO;
}

virDomainPtr domain_find(struct task *t)
{
	const char *name = proto_get_text(t->parameters, "domain");
	virDomainPtr dom = proto_is_uuid(name) ? virDomainLookupByUUIDString(t->conn, name) : NULL;

	if (!dom)
		dom = virDomainLookupByName(t->conn, name);
	if (!dom)
		domain_failed(t, "there is no such domain");
	return dom;
}

/* What is asked of a domain goes to where it is: to the running one, and to the one that is defined. */
static unsigned impact(virDomainPtr dom)
{
	return (virDomainIsActive(dom) == 1 ? VIR_DOMAIN_AFFECT_LIVE : 0) |
	       (virDomainIsPersistent(dom) == 1 ? VIR_DOMAIN_AFFECT_CONFIG : 0);
}

int domain_identity(virDomainPtr dom, struct identity *id, struct verror *e)
{
	AUTO_FREE char *xml = virDomainGetMetadata(dom, VIR_DOMAIN_METADATA_ELEMENT, IDENTITY_NS, 0);

	*id = (struct identity){0};
	if (xml)
		return identity_read(xml, strlen(xml), id, e);
	if (virGetLastErrorCode() == VIR_ERR_NO_DOMAIN_METADATA)
		return 0;
	verror_set(e, VHBA_E_IO, "a domain's metadata can't be read");
	verror_seen(e, "%s", virGetLastErrorMessage());
	return -EIO;
}

static const char *state_of(virDomainPtr dom)
{
	static const char *const names[] = {
		[VIR_DOMAIN_NOSTATE] = "no state",     [VIR_DOMAIN_RUNNING] = "running",
		[VIR_DOMAIN_BLOCKED] = "idle",	       [VIR_DOMAIN_PAUSED] = "paused",
		[VIR_DOMAIN_SHUTDOWN] = "in shutdown", [VIR_DOMAIN_SHUTOFF] = "shut off",
		[VIR_DOMAIN_CRASHED] = "crashed",      [VIR_DOMAIN_PMSUSPENDED] = "pmsuspended",
	};
	int state = 0;

	virDomainGetState(dom, &state, NULL, 0);
	return state >= 0 && (size_t)state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

/* "": nothing. What can't be used says why, and what is not over is told. */
static void remark(const struct task *t, const char *uuid, int r, const struct verror *e, char *line,
		   size_t size)
{
	struct move_note n;

	line[0] = '\0';
	if (r)
		verror_line(e, line, size);
	else if (!notes_read(t->notes, uuid, &n))
		snprintf(line, size, "a migration%s%.400s is not over", n.uri[0] ? " to " : "", n.uri);
}

static struct json_object *describe(const struct task *t, virDomainPtr dom, struct json_object **ticket)
{
	struct json_object *o = json_object_new_object();
	char uuid[VIR_UUID_STRING_BUFLEN] = "", line[512];
	struct identity id;
	struct verror e = {0};
	int r = domain_identity(dom, &id, &e);

	virDomainGetUUIDString(dom, uuid);
	ADD(o, "name", STRING(virDomainGetName(dom)));
	ADD(o, "uuid", STRING(uuid));
	ADD(o, "state", STRING(state_of(dom)));
	ADD(o, "bound", json_object_new_boolean(id.ticket != NULL));
	if (id.ticket) {
		ADD(o, "vm", STRING(proto_get_text(id.ticket, "vm")));
		ADD(o, "generation", json_object_new_uint64(proto_get_uint(id.ticket, "generation", 0)));
	}
	remark(t, uuid, r, &e, line, sizeof(line));
	if (line[0])
		ADD(o, "text", STRING(line));
	if (ticket)
		*ticket = steal_ptr(id.ticket);
	identity_clear(&id);
	return o;
}

static int by_name(const void *a, const void *b)
{
	struct json_object *const *x = a, *const *y = b;

	return strcmp(proto_get_text(*x, "name"), proto_get_text(*y, "name"));
}

int domain_list(struct task *t)
{
	virDomainPtr *doms = NULL;
	int n = virConnectListAllDomains(t->conn, &doms, 0);
	struct json_object *list = json_object_new_array();

	for (int i = 0; i < n; i++) {
		json_object_array_add(list, describe(t, doms[i], NULL));
		virDomainFree(doms[i]);
	}
	free(doms);
	json_object_array_sort(list, by_name);
	t->reply = json_object_new_object();
	ADD(t->reply, "domains", list);
	return n < 0 ? domain_failed(t, "the domains can't be listed") : 0;
}

static struct json_object *show(const struct task *t, virDomainPtr dom)
{
	struct json_object *o = json_object_new_object(), *ticket;

	ADD(o, "domain", describe(t, dom, &ticket));
	if (ticket)
		ADD(o, "ticket", ticket);
	return o;
}

int domain_show(struct task *t)
{
	virDomainPtr dom = domain_find(t);

	if (!dom)
		return -ENOENT;
	t->reply = show(t, dom);
	virDomainFree(dom);
	return 0;
}

/* A copy of a domain has its metadata too, and is another VM: what is bound is bound to the UUID. */
static int is_its_vm(struct task *t, virDomainPtr dom, struct json_object *ticket)
{
	const char *of = proto_get_text(ticket, "uuid");
	char uuid[VIR_UUID_STRING_BUFLEN] = "";

	virDomainGetUUIDString(dom, uuid);
	if (of && !strcasecmp(of, uuid))
		return 0;
	verror_set(&t->e, VHBA_E_CONSTRAINT, "the VM %s is not the domain %s",
		   ticket ? proto_get_text(ticket, "vm") : "", virDomainGetName(dom));
	verror_expected(&t->e, "UUID %s", uuid);
	verror_seen(&t->e, "%s", of ? of : "none");
	verror_fix(&t->e, "register it by its own: vhbactl vm add NAME --uuid %s", uuid);
	return -EINVAL;
}

/* That it had stopped, and where its names were live, is true of that moment only. */
static void forget_moment(struct json_object *ticket)
{
	struct json_object *list = proto_get(ticket, "vhbas");

	json_object_object_del(ticket, "stopped");
	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		json_object_object_del(json_object_array_get_idx(list, i), "port_id");
}

/* NULL with t->e. */
static struct json_object *ticket_of(struct task *t, virDomainPtr dom, const char *vm)
{
	struct json_object *p = json_object_new_object(), *reply, *ticket;
	char uuid[VIR_UUID_STRING_BUFLEN] = "";

	virDomainGetUUIDString(dom, uuid);
	ADD(p, "vm", STRING(vm ? vm : uuid));
	reply = task_ask(t, "export", p, CALL_US);
	ticket = json_object_get(proto_get(reply, "ticket"));
	json_object_put(reply);
	if (ticket)
		forget_moment(ticket);
	if (!ticket || !is_its_vm(t, dom, ticket))
		return ticket;
	json_object_put(ticket);
	return NULL;
}

int domain_write_identity(struct task *t, virDomainPtr dom, const char *vm)
{
	struct json_object *ticket = ticket_of(t, dom, vm);
	AUTO_FREE char *xml = ticket ? identity_write(ticket, &t->e) : NULL;

	json_object_put(ticket);
	if (!xml)
		return -EINVAL;
	return virDomainSetMetadata(dom, VIR_DOMAIN_METADATA_ELEMENT, xml, IDENTITY_KEY, IDENTITY_NS,
				    impact(dom))
		       ? domain_failed(t, "the domain's metadata can't be written")
		       : 0;
}

/* What a newer vhba has written is left as it is. */
static int is_writable(struct task *t, virDomainPtr dom)
{
	struct identity id;
	int r = domain_identity(dom, &id, &t->e);

	identity_clear(&id);
	return r && t->e.kind == VHBA_E_VERSION ? r : 0;
}

int domain_bind(struct task *t)
{
	virDomainPtr dom = domain_find(t);
	int r = dom ? is_writable(t, dom) : -ENOENT;

	if (!r)
		r = domain_write_identity(t, dom, proto_get_text(t->parameters, "vm"));
	if (!r)
		t->reply = show(t, dom);
	if (dom)
		virDomainFree(dom);
	return r;
}

int domain_unbind(struct task *t)
{
	virDomainPtr dom = domain_find(t);
	int r = dom ? is_writable(t, dom) : -ENOENT;

	if (!r &&
	    virDomainSetMetadata(dom, VIR_DOMAIN_METADATA_ELEMENT, NULL, NULL, IDENTITY_NS, impact(dom)) &&
	    virGetLastErrorCode() != VIR_ERR_NO_DOMAIN_METADATA)
		r = domain_failed(t, "the domain's metadata can't be removed");
	if (dom)
		virDomainFree(dom);
	return r;
}

/* Back ends of a VM without names of its own; with names it is the login here that opens them. */
static void open_gate(struct task *t, struct json_object *vm, struct json_object *ticket)
{
	struct json_object *vhbas = proto_get(vm, "vhbas"), *p, *reply;

	if (!proto_get_bool(vm, "gated") || (vhbas && json_object_array_length(vhbas)))
		return;
	p = json_object_new_object();
	json_object_object_add(ticket, "stopped", STRING("confirmed"));
	ADD(p, "vm", STRING(proto_get_text(vm, "uuid")));
	ADD(p, "ticket", json_object_get(ticket));
	reply = task_ask(t, "io.Open", p, CALL_US);
	json_object_put(reply);
}

/* What it carries may be what its last host knew. */
static int renew(struct task *t, virDomainPtr dom, struct json_object *carried)
{
	struct json_object *ticket = ticket_of(t, dom, NULL);
	AUTO_FREE char *now = ticket ? identity_write(ticket, &t->e) : NULL;
	AUTO_FREE char *then = identity_write(carried, &t->e);

	json_object_put(ticket);
	if (!now)
		return -EINVAL;
	return then && !strcmp(now, then) ? 0 : domain_write_identity(t, dom, NULL);
}

int domain_arrived(struct task *t)
{
	virDomainPtr dom = domain_find(t);
	struct json_object *p, *shown = NULL;
	struct identity id = {0};
	int r = dom ? domain_identity(dom, &id, &t->e) : -ENOENT;

	if (!r && id.ticket) {
		p = json_object_new_object();
		ADD(p, "vm", STRING(proto_get_text(id.ticket, "uuid")));
		shown = task_ask(t, "vm.Show", p, CALL_US);
	}
	if (shown) {
		open_gate(t, proto_get(shown, "vm"), id.ticket);
		r = t->e.kind ? -EIO : renew(t, dom, id.ticket);
	}
	json_object_put(shown);
	identity_clear(&id);
	if (dom)
		virDomainFree(dom);
	return r ? r : t->e.kind ? -EIO : 0;
}
