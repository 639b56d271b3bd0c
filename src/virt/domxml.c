/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* domain.Xml: the VM's LUNs, as vhbad has them, as devices of its domain. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/virterror.h>

#include "cleanup.h"
#include "devxml.h"
#include "domain.h"
#include "method.h"

#define CALL_US (10 * USEC_PER_SEC)
#define LUNS_MAX 256

static struct json_object *ask(struct task *t, const char *method, const char *uuid)
{
	struct json_object *p = json_object_new_object();

	if (uuid)
		json_object_object_add(p, "vm", json_object_new_string(uuid));
	return task_ask(t, method, p, CALL_US);
}

static struct json_object *item(struct json_object *o, const char *list, size_t i)
{
	struct json_object *a = proto_get(o, list);

	return a && i < json_object_array_length(a) ? json_object_array_get_idx(a, i) : NULL;
}

/* Where vhbad keeps sockets; "" with t->e. */
static void run_dir(struct task *t, char *buf, size_t size)
{
	struct json_object *o = ask(t, "config.Show", NULL), *key;

	buf[0] = '\0';
	for (size_t i = 0; (key = item(o, "keys", i)); i++)
		if (proto_get_text(key, "key") && !strcmp(proto_get_text(key, "key"), "run-dir"))
			snprintf(buf, size, "%s", proto_get_text(key, "value"));
	json_object_put(o);
}

static bool has_number(const struct devxml *d, unsigned number)
{
	for (unsigned i = 0; i < d->n; i++)
		if (d->luns[i].number == number)
			return true;
	return false;
}

static bool has_path(const struct devxml *d, const char *path)
{
	for (unsigned i = 0; i < d->n; i++)
		if (!strcmp(d->luns[i].path, path))
			return true;
	return false;
}

/* The same on a host where the VM is logged in by its other name. */
static bool name_by_designator(const char *designator, char *buf, size_t size)
{
	return designator && !strncmp(designator, "naa.", 4) &&
	       snprintf(buf, size, "/dev/disk/by-id/wwn-0x%s", designator + 4) < (int)size;
}

/* A file is a LUN by itself; udev's name of a LUN of the array bears the initiator, and is the same after
 * each attach. */
static bool name_lun(struct json_object *lun, struct json_object *vhbas, char *buf, size_t size)
{
	uint64_t target, wwpn = 0;
	struct json_object *v;

	if (proto_get_text(lun, "file"))
		return snprintf(buf, size, "%s", proto_get_text(lun, "file")) < (int)size;
	for (size_t i = 0; (v = item(vhbas, "vhbas", i)); i++) {
		if (proto_get_uint(v, "index", 0) != proto_get_uint(lun, "index", 0))
			continue;
		if (proto_get(v, "alternate"))
			return name_by_designator(proto_get_text(lun, "designator"), buf, size);
		proto_wwn_parse(proto_get_text(v, "wwpn"), &wwpn);
	}
	if (!wwpn || !proto_get_text(lun, "target") ||
	    proto_wwn_parse(proto_get_text(lun, "target"), &target))
		return false;
	snprintf(buf, size, "/dev/disk/by-npiv/0x%016llx-0x%016llx-lun-%llu", (unsigned long long)wwpn,
		 (unsigned long long)target, (unsigned long long)proto_get_uint(lun, "lun", 0));
	return true;
}

static void take_lun(struct devxml *d, struct json_object *lun, struct json_object *vhbas, const char *dir)
{
	struct devxml_lun l = {.number = d->n};
	const char *hctl = proto_get_text(lun, "hctl");

	switch (d->via) {
	case VIA_BLK:
		l.number = (unsigned)proto_get_uint(lun, "guest_lun", LUNS_MAX);
		if (l.number >= LUNS_MAX || has_number(d, l.number))
			return;
		snprintf(l.path, sizeof(l.path), "%.100s/blk-%u.sock", dir, l.number);
		break;
	case VIA_LUN:
		if (!name_lun(lun, vhbas, l.path, sizeof(l.path)) || has_path(d, l.path))
			return;
		break;
	case VIA_HOSTDEV:
		if (!hctl || sscanf(hctl, "%u:%u:%u:%u", &l.host, &l.channel, &l.target, &l.lun) != 4)
			return;
		break;
	default:
		return;
	}
	if (d->n < LUNS_MAX)
		d->luns[d->n++] = l;
}

static int nothing(struct task *t, const struct devxml *d)
{
	verror_set(&t->e, VHBA_E_CONSTRAINT, "the VM has no LUN that can be a device by %s",
		   devxml_name(d->via));
	verror_fix(&t->e, "%s",
		   d->via == VIA_BLK ? "give it a back end: vhbactl vm set VM --io blk"
				     : "attach it, so that its LUNs are known: vhbactl attach VM");
	return -EINVAL;
}

static int fill(struct task *t, const char *uuid, const char *vm, struct devxml *d)
{
	struct json_object *luns = ask(t, "lun.List", uuid), *vhbas = ask(t, "vhba.List", uuid), *lun;
	char dir[128], top[64];

	run_dir(t, top, sizeof(top));
	snprintf(dir, sizeof(dir), "%s/io/%.60s", top, vm);
	snprintf(d->socket, sizeof(d->socket), "%.110s/scsi.sock", dir);
	for (size_t i = 0; (lun = item(luns, "luns", i)); i++)
		take_lun(d, lun, vhbas, dir);
	json_object_put(luns);
	json_object_put(vhbas);
	if (t->e.kind)
		return -EIO;
	return d->n || d->via == VIA_SCSI ? 0 : nothing(t, d);
}

/* What carries the VM's I/O is what it is registered with, unless the caller says otherwise. */
static int choose(struct task *t, struct json_object *vm, enum devxml_via *via)
{
	const char *given = proto_get_text(t->parameters, "via"), *io = proto_get_text(vm, "io");

	*via = io && !strcmp(io, "scsi") ? VIA_SCSI : io && !strcmp(io, "blk") ? VIA_BLK : VIA_LUN;
	if (given)
		*via = devxml_by_name(given);
	if (*via == VIA_COUNT_) {
		verror_set(&t->e, VHBA_E_USAGE, "there is no such way to a guest");
		verror_expected(&t->e, "vhost-user-scsi, vhost-user-blk, lun or hostdev");
		verror_seen(&t->e, "%s", given);
		return -EINVAL;
	}
	if ((*via == VIA_SCSI || *via == VIA_BLK) && (!io || strncmp(io, devxml_name(*via) + 11, 4))) {
		verror_set(&t->e, VHBA_E_CONSTRAINT, "the VM has no back end for %s", devxml_name(*via));
		verror_seen(&t->e, "io %s", io ? io : "none");
		verror_fix(&t->e, "vhbactl vm set %s --io %s", proto_get_text(vm, "name"),
			   devxml_name(*via) + 11);
		return -EINVAL;
	}
	return 0;
}

static int apply(struct task *t, virDomainPtr dom, const struct devxml *d)
{
	AUTO_FREE char *now = virDomainGetXMLDesc(dom, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE),
		       *then = now ? devxml_apply(d, now, &t->e) : NULL;
	virDomainPtr defined = then ? virDomainDefineXML(t->conn, then) : NULL;

	if (!defined)
		return t->e.kind ? -EINVAL : domain_failed(t, "libvirt does not take the devices");
	virDomainFree(defined);
	return 0;
}

static int write_xml(struct task *t, virDomainPtr dom, struct json_object *vm, const char *uuid)
{
	AUTO_FREE struct devxml_lun *luns = calloc(LUNS_MAX, sizeof(*luns));
	struct devxml d = {.luns = luns};
	bool applied = proto_get_bool(t->parameters, "apply");
	AUTO_FREE char *text = NULL;
	int r = luns ? choose(t, vm, &d.via) : verror_set(&t->e, VHBA_E_INTERNAL, "out of memory");

	if (!r)
		r = fill(t, uuid, proto_get_text(vm, "name"), &d);
	if (!r && applied)
		r = apply(t, dom, &d);
	text = r ? NULL : devxml_print(&d);
	if (!text)
		return r ? r : -ENOMEM;
	t->reply = json_object_new_object();
	json_object_object_add(t->reply, "via", json_object_new_string(devxml_name(d.via)));
	json_object_object_add(t->reply, "applied", json_object_new_boolean(applied));
	json_object_object_add(t->reply, "xml", json_object_new_string(text));
	return 0;
}

int domain_xml(struct task *t)
{
	virDomainPtr dom = domain_find(t);
	char uuid[VIR_UUID_STRING_BUFLEN] = "";
	struct json_object *shown;
	int r = -ENOENT;

	if (!dom)
		return r;
	virDomainGetUUIDString(dom, uuid);
	shown = ask(t, "vm.Show", uuid);
	if (shown)
		r = write_xml(t, dom, proto_get(shown, "vm"), uuid);
	json_object_put(shown);
	virDomainFree(dom);
	return r;
}
