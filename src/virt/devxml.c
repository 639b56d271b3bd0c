/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "cleanup.h"
#include "devxml.h"

#define QEMU_NS "http://libvirt.org/schemas/domain/qemu/1.0"
#define ALIAS "ua-vhba-"
#define X(s) ((const xmlChar *)(s))

static const char *const names[VIA_COUNT_] = {[VIA_SCSI] = "vhost-user-scsi",
					      [VIA_BLK] = "vhost-user-blk",
					      [VIA_LUN] = "lun",
					      [VIA_HOSTDEV] = "hostdev"};

const char *devxml_name(enum devxml_via via)
{
	return names[via];
}

enum devxml_via devxml_by_name(const char *name)
{
	enum devxml_via via = 0;

	while (via < VIA_COUNT_ && strcmp(names[via], name))
		via++;
	return via;
}

/* A child with attributes: name, value, ... NULL. */
static xmlNode *add(xmlNode *parent, const char *name, ...) __attribute__((sentinel));
static xmlNode *add(xmlNode *parent, const char *name, ...)
{
	xmlNode *n = xmlNewChild(parent, NULL, X(name), NULL);
	const char *key;
	va_list ap;

	va_start(ap, name);
	while (n && (key = va_arg(ap, const char *)))
		xmlSetProp(n, X(key), X(va_arg(ap, const char *)));
	va_end(ap);
	return n;
}

static xmlNode *child(const xmlNode *n, const char *name)
{
	xmlNode *c = n ? n->children : NULL;

	while (c && (c->type != XML_ELEMENT_NODE || strcmp((const char *)c->name, name)))
		c = c->next;
	return c;
}

static void add_alias(xmlNode *n, const char *what, unsigned number)
{
	char name[32];

	snprintf(name, sizeof(name), ALIAS "%s%u", what, number);
	add(n, "alias", "name", name, NULL);
}

/* sda, sdb, ... sdz, sdaa, as Linux counts; libvirt wants a name for each. */
static const char *target_name(const char *prefix, unsigned number, char *buf, size_t size)
{
	char letters[8];
	int at = sizeof(letters) - 1;

	letters[at] = '\0';
	for (unsigned n = number + 1; n && at; n = (n - 1) / 26)
		letters[--at] = (char)('a' + (n - 1) % 26);
	snprintf(buf, size, "%s%s", prefix, letters + at);
	return buf;
}

/* ---- the devices ---- */

static void add_blk(xmlNode *devices, const struct devxml_lun *l)
{
	xmlNode *disk = add(devices, "disk", "type", "vhostuser", "device", "disk", NULL);
	char name[16];

	add(disk, "driver", "name", "qemu", "type", "raw", NULL);
	add(disk, "source", "type", "unix", "path", l->path, NULL);
	/* The names are only labels; an administrator's own disks begin at vda. */
	add(disk, "target", "dev", target_name("vd", l->number + 26, name, sizeof(name)), "bus", "virtio",
	    NULL);
	add_alias(disk, "", l->number);
}

static void add_lun(xmlNode *devices, const struct devxml_lun *l)
{
	xmlNode *disk = add(devices, "disk", "type", "block", "device", "lun", NULL), *source;
	char name[16];

	add(disk, "driver", "name", "qemu", "type", "raw", "cache", "none", "io", "native", NULL);
	source = add(disk, "source", "dev", l->path, NULL);
	add(source, "reservations", "managed", "yes", NULL);
	add(disk, "target", "dev", target_name("sd", l->number + 26, name, sizeof(name)), "bus", "scsi",
	    NULL);
	add_alias(disk, "", l->number);
}

static void add_hostdev(xmlNode *devices, const struct devxml_lun *l)
{
	xmlNode *dev = add(devices, "hostdev", "mode", "subsystem", "type", "scsi", "managed", "no", NULL),
		*source;
	char adapter[32], bus[16], target[16], unit[16];

	snprintf(adapter, sizeof(adapter), "scsi_host%u", l->host);
	snprintf(bus, sizeof(bus), "%u", l->channel);
	snprintf(target, sizeof(target), "%u", l->target);
	snprintf(unit, sizeof(unit), "%u", l->lun);
	source = add(dev, "source", NULL);
	add(source, "adapter", "name", adapter, NULL);
	add(source, "address", "bus", bus, "target", target, "unit", unit, NULL);
	add_alias(dev, "", l->number);
}

static void add_devices(xmlNode *devices, const struct devxml *d)
{
	static void (*const each[VIA_COUNT_])(xmlNode * devices, const struct devxml_lun *l) = {
		[VIA_BLK] = add_blk, [VIA_LUN] = add_lun, [VIA_HOSTDEV] = add_hostdev};

	for (unsigned i = 0; each[d->via] && i < d->n; i++)
		each[d->via](devices, &d->luns[i]);
}

/* Disks and hostdevs of that kind share a virtio-scsi controller; one that is there serves. */
static bool wants_controller(const struct devxml *d)
{
	return d->via == VIA_LUN || d->via == VIA_HOSTDEV;
}

static bool is_attribute(xmlNode *n, const char *name, const char *value)
{
	xmlChar *text = n ? xmlGetNoNsProp(n, X(name)) : NULL;
	bool same = text && !strcmp((const char *)text, value);

	xmlFree(text);
	return same;
}

static void ensure_controller(xmlNode *devices)
{
	for (xmlNode *n = devices->children; n; n = n->next)
		if (!strcmp((const char *)n->name, "controller") && is_attribute(n, "type", "scsi") &&
		    is_attribute(n, "model", "virtio-scsi"))
			return;
	add(devices, "controller", "type", "scsi", "model", "virtio-scsi", NULL);
}

/* A back end in another process needs the guest's memory. */
static void share_memory(xmlNode *domain)
{
	xmlNode *backing = child(domain, "memoryBacking"), *access;

	if (!backing) {
		backing = xmlNewNode(NULL, X("memoryBacking"));
		xmlAddPrevSibling(child(domain, "devices"), backing);
	}
	if (!child(backing, "source") && !child(backing, "hugepages"))
		add(backing, "source", "type", "memfd", NULL);
	access = child(backing, "access");
	if (!access)
		access = add(backing, "access", NULL);
	xmlSetProp(access, X("mode"), X("shared"));
}

static bool is_i440fx(const xmlNode *domain)
{
	xmlNode *type = child(child(domain, "os"), "type");
	xmlChar *machine = type ? xmlGetNoNsProp(type, X("machine")) : NULL;
	bool old = machine &&
		   (strstr((const char *)machine, "i440fx") || !strcmp((const char *)machine, "pc"));

	xmlFree(machine);
	return old;
}

/*
 * libvirt 9.0 has no device for it.  It gives addresses to its own devices from the first slot up, and knows
 * nothing of this one: without an address QEMU would give it the first.
 */
static void add_command_line(xmlNode *domain, const char *socket)
{
	xmlNode *line = child(domain, "commandline");
	xmlNs *ns = xmlSearchNsByHref(domain->doc, domain, X(QEMU_NS));
	char chardev[192], device[128];
	const char *const args[] = {"-chardev", chardev, "-device", device};

	snprintf(chardev, sizeof(chardev), "socket,id=vhba-io,path=%s", socket);
	snprintf(device, sizeof(device), "vhost-user-scsi-pci,id=vhba-scsi,chardev=vhba-io,bus=%s,addr=0x18",
		 is_i440fx(domain) ? "pci.0" : "pcie.0");
	if (!ns)
		ns = xmlNewNs(domain, X(QEMU_NS), X("qemu"));
	if (!line)
		line = xmlNewChild(domain, ns, X("commandline"), NULL);
	for (size_t i = 0; i < ARRAY_SIZE(args); i++)
		xmlSetProp(xmlNewChild(line, line->ns, X("arg"), NULL), X("value"), X(args[i]));
}

/* ---- taking away what was there ---- */

static void drop(xmlNode *n)
{
	xmlUnlinkNode(n);
	xmlFreeNode(n);
}

static bool is_our_device(xmlNode *n)
{
	xmlNode *alias = child(n, "alias");
	xmlChar *name = alias ? xmlGetNoNsProp(alias, X("name")) : NULL;
	bool ours = name && !strncmp((const char *)name, ALIAS, strlen(ALIAS));

	xmlFree(name);
	return ours;
}

static void drop_devices(xmlNode *devices)
{
	for (xmlNode *n = devices ? devices->children : NULL, *next; n; n = next) {
		next = n->next;
		if (is_our_device(n))
			drop(n);
	}
}

static bool names_us(xmlNode *arg)
{
	xmlChar *value = xmlGetNoNsProp(arg, X("value"));
	bool ours = value && strstr((const char *)value, "id=vhba-");

	xmlFree(value);
	return ours;
}

static xmlNode *element(xmlNode *n)
{
	while (n && n->type != XML_ELEMENT_NODE)
		n = n->next;
	return n;
}

/* In pairs: an option, and what has our id. */
static void drop_arguments(xmlNode *line)
{
	xmlNode *n = line ? element(line->children) : NULL;

	while (n) {
		xmlNode *value = element(n->next),
			*next = value && names_us(value) ? element(value->next) : value;

		if (value && names_us(value)) {
			drop(value);
			drop(n);
		}
		n = next;
	}
	if (line && !element(line->children))
		drop(line);
}

/* ---- the whole ---- */

static void put(xmlNode *domain, const struct devxml *d)
{
	xmlNode *devices = child(domain, "devices");

	if (!devices)
		devices = add(domain, "devices", NULL);
	if (wants_controller(d) && d->n)
		ensure_controller(devices);
	add_devices(devices, d);
	if (d->via == VIA_SCSI || d->via == VIA_BLK)
		share_memory(domain);
	if (d->via == VIA_SCSI)
		add_command_line(domain, d->socket);
}

static char *print_node(xmlDoc *doc, xmlNode *n)
{
	xmlBuffer *buffer = xmlBufferCreate();
	char *text = NULL;

	if (buffer && xmlNodeDump(buffer, doc, n, 0, 1) > 0)
		text = strdup((const char *)xmlBufferContent(buffer));
	xmlBufferFree(buffer);
	return text;
}

/* As a domain that has nothing else. */
char *devxml_print(const struct devxml *d)
{
	xmlDoc *doc = xmlNewDoc(X("1.0"));
	xmlNode *domain = xmlNewNode(NULL, X("domain"));
	char *text;

	xmlDocSetRootElement(doc, domain);
	add(domain, "devices", NULL);
	put(domain, d);
	text = print_node(doc, domain);
	xmlFreeDoc(doc);
	return text;
}

char *devxml_apply(const struct devxml *d, const char *text, struct verror *e)
{
	xmlDoc *doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL,
				    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
					    XML_PARSE_NOBLANKS);
	xmlNode *domain = doc ? xmlDocGetRootElement(doc) : NULL;
	char *out = NULL;

	if (domain && child(domain, "devices")) {
		drop_devices(child(domain, "devices"));
		drop_arguments(child(domain, "commandline"));
		put(domain, d);
		out = print_node(doc, domain);
	}
	xmlFreeDoc(doc);
	if (!out)
		verror_set(e, VHBA_E_INTERNAL, "libvirt's XML of the domain can't be read");
	return out;
}
