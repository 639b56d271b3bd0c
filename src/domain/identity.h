/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VM's identity as an element of its libvirt domain's <metadata>: what a ticket (man 7 vhba-proto, export)
 * carries, as XML.  vhba-domain.rng says what it looks like; its namespace stays the same, its version says
 * what is in it.  libvirt is given the element without a namespace, and puts all of it into the one that it
 * is told.
 *
 * What a ticket has and the schema does not know travels as <property name="...">JSON</property>.
 *
 * Reading is of bytes from outside: at most IDENTITY_XML_MAX of them, no document type, no entity of its own,
 * nothing fetched.  That the values make sense is checked by whoever takes the ticket (vhbad).  Thread-safe
 * after the first use (libxml2).
 */
#ifndef VHBA_IDENTITY_H
#define VHBA_IDENTITY_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "verror.h"

#define IDENTITY_NS "https://vhba.org/xmlns/domain"
#define IDENTITY_KEY "vhba"
#define IDENTITY_VERSION 1
#define IDENTITY_XML_MAX (1024 * 1024)
#define IDENTITY_UUID 37

/* What is known of a domain from its XML. */
struct identity {
	char name[256]; /* of the domain; empty: the text was the element alone */
	char uuid[IDENTITY_UUID]; /* likewise */
	struct json_object *ticket; /* NULL: the domain has none */
};

/* The element without its namespace, as virDomainSetMetadata takes it; NULL with *e. The caller frees it. */
char *identity_write(struct json_object *ticket, struct verror *e);

/*
 * From a domain's XML, or from the element alone.  0: it is one, with or without a ticket; a negative errno
 * with *e: it is none (VHBA_E_USAGE), or the identity is of a newer version (VHBA_E_VERSION), with name and
 * uuid read all the same.
 */
int identity_read(const char *xml, size_t size, struct identity *id, struct verror *e);
void identity_clear(struct identity *id);

/*
 * Of a ticket, or of vm.Show's VM: the destination is to be logged in by second names beside the source.  It
 * has vhbas, and each has a second WWPN.  And it is on the kernel's block path, where QEMU waits for every
 * command before it lets the guest go: vhba-io answers by its deadline, whatever is left in the kernel, and
 * of an array's LUN only a logout proves that it has ended.
 */
bool identity_moves_beside(struct json_object *ticket);

/* Its I/O goes through vhba-io. The ticket may be vm.Show's VM, too. */
bool identity_has_back_end(struct json_object *ticket);

#endif
