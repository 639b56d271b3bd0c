/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "method.h"
#include "poolxml.h"

#define MARK "76686261-706f-6f6c-"

const char *poolxml_uuid(uint64_t wwpn, char buf[POOL_UUID])
{
	snprintf(buf, POOL_UUID, MARK "%04" PRIx64 "-%012" PRIx64, wwpn >> 48,
		 wwpn & UINT64_C(0xffffffffffff));
	return buf;
}

bool poolxml_is_own(const char *uuid, uint64_t *wwpn)
{
	char digits[17];

	if (strlen(uuid) != POOL_UUID - 1 || strncasecmp(uuid, MARK, strlen(MARK)))
		return false;
	snprintf(digits, sizeof(digits), "%.4s%s", uuid + strlen(MARK), uuid + strlen(MARK) + 5);
	return !proto_wwn_parse(digits, wwpn);
}

int poolxml_write(const char *name, uint64_t wwpn, int host, const char *dir, char *buf, size_t size)
{
	char uuid[POOL_UUID];

	return snprintf(buf, size,
			"<pool type='scsi'><name>%s</name><uuid>%s</uuid>"
			"<source><adapter type='scsi_host' name='scsi_host%d'/></source>"
			"<target><path>%s</path></target></pool>",
			name, poolxml_uuid(wwpn, uuid), host, dir);
}

static xmlNode *child(xmlNode *n, const char *name)
{
	for (n = n ? n->children : NULL; n; n = n->next)
		if (n->type == XML_ELEMENT_NODE && !strcmp((const char *)n->name, name))
			return n;
	return NULL;
}

static void attribute(xmlNode *n, const char *name, char *buf, size_t size)
{
	xmlChar *text = xmlGetProp(n, (const xmlChar *)name);

	snprintf(buf, size, "%s", text ? (const char *)text : "");
	xmlFree(text);
}

static bool read_adapter(xmlNode *n, struct poolxml_adapter *a)
{
	char text[64];

	attribute(n, "type", text, sizeof(text));
	if (!strcmp(text, "scsi_host") || !text[0]) {
		attribute(n, "name", text, sizeof(text));
		return sscanf(text, "scsi_host%d", &a->host) == 1 || sscanf(text, "host%d", &a->host) == 1;
	}
	if (strcmp(text, "fc_host"))
		return false;
	attribute(n, "managed", text, sizeof(text));
	a->managed = !strcmp(text, "yes") ? MANAGED_YES : !strcmp(text, "no") ? MANAGED_NO : MANAGED_UNSET;
	attribute(n, "wwpn", text, sizeof(text));
	return !proto_wwn_parse(text, &a->wwpn);
}

bool poolxml_read(const char *xml, struct poolxml_adapter *a)
{
	xmlDoc *doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL,
				    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL, *n;
	bool good;

	*a = (struct poolxml_adapter){.host = -1};
	n = root && !strcmp((const char *)root->name, "pool") ? child(child(root, "source"), "adapter")
							      : NULL;
	good = n && read_adapter(n, a);
	xmlFreeDoc(doc);
	return good;
}

const char *poolxml_warning(enum poolxml_managed managed, bool autostart, char *buf, size_t size)
{
	static const char *const texts[] = {
		[MANAGED_UNSET] =
			"its adapter has no managed='no': if it makes the vport itself, libvirt sets "
			"managed='yes', and stopping it deletes the vport",
		[MANAGED_YES] = "managed='yes': stopping it deletes the vport under the VM; set managed='no'",
		[MANAGED_NO] =
			"managed='no': stopping it leaves the vport; a refresh while the vport is disabled "
			"blocks libvirt for 60 s",
	};

	snprintf(buf, size, "%s%s", texts[managed],
		 autostart ? "; autostart: libvirtd makes the vport if it starts before the VM is attached"
			   : "");
	return buf;
}
