/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "cleanup.h"
#include "identity.h"

#define TICKET_FORMAT "org.vhba.ticket" /* src/daemon/ticket.h writes and wants it */
#define X(s) ((const xmlChar *)(s))

enum type { TEXT, NUMBER, FLAG };

/* A ticket's member that is an attribute. */
struct attribute {
	const char *key, *name;
	enum type type;
	bool required;
};

static const struct attribute head[] = {
	{"version", "ticket", NUMBER, true},
	{"vm", "name", TEXT, true},
	{"uuid", "uuid", TEXT, true},
	{"generation", "generation", NUMBER, true},
	{"exported_by", "host", TEXT},
	{"pool", "pool", FLAG},
	{NULL},
};
static const struct attribute hba[] = {
	{"index", "index", NUMBER, true}, {"wwpn", "wwpn", TEXT, true},	  {"wwnn", "wwnn", TEXT, true},
	{"alternate", "alternate", TEXT}, {"vsan", "vsan", NUMBER, true}, {NULL},
};
static const struct attribute lun[] = {
	{"designator", "designator", TEXT, true},
	{"lun", "number", NUMBER, true},
	{"target", "target", TEXT, true},
	{"size", "size", NUMBER, true},
	{NULL},
};

static int refuse(struct verror *e, const char *where, const char *expected)
{
	verror_set(e, VHBA_E_USAGE, "the domain's vhba metadata is malformed at <%s>", where);
	verror_expected(e, "%s", expected);
	verror_fix(e, "write it anew with 'vhbactl domain bind'");
	return -EINVAL;
}

/* ---- writing ---- */

static void write_attributes(xmlNode *n, struct json_object *o, const struct attribute *a)
{
	struct json_object *v;

	for (; a->name; a++)
		if (json_object_object_get_ex(o, a->key, &v))
			xmlSetProp(n, X(a->name),
				   X(a->type == FLAG ? json_object_get_boolean(v) ? "yes" : "no"
						     : json_object_get_string(v)));
}

/* What neither the attributes nor the elements of this level carry. */
static void write_rest(xmlNode *n, struct json_object *o, const struct attribute *a,
		       const char *const *elements)
{
	json_object_object_foreach (o, key, v) {
		const struct attribute *k = a;
		const char *const *el = elements;
		xmlNode *p;

		while (k->name && strcmp(k->key, key))
			k++;
		while (*el && strcmp(*el, key))
			el++;
		if (k->name || *el)
			continue;
		p = xmlNewTextChild(n, NULL, X("property"),
				    X(json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN)));
		if (p)
			xmlSetProp(p, X("name"), X(key));
	}
}

static size_t length(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

bool identity_has_back_end(struct json_object *ticket)
{
	struct json_object *io = NULL, *kind;

	json_object_object_get_ex(ticket, "io", &io);
	if (json_object_is_type(io, json_type_object) && json_object_object_get_ex(io, "kind", &kind))
		io = kind;
	return io && strcmp(json_object_get_string(io), "none") != 0;
}

bool identity_moves_beside(struct json_object *ticket)
{
	struct json_object *vhbas = NULL;

	if (identity_has_back_end(ticket))
		return false;
	json_object_object_get_ex(ticket, "vhbas", &vhbas);
	for (size_t i = 0; i < length(vhbas); i++)
		if (!json_object_object_get_ex(json_object_array_get_idx(vhbas, i), "alternate", NULL))
			return false;
	return length(vhbas) > 0;
}

static void write_luns(xmlNode *n, struct json_object *list)
{
	static const char *const none[] = {NULL};
	xmlNode *luns = xmlNewChild(n, NULL, X("luns"), NULL);

	for (size_t i = 0; i < length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		xmlNode *l = xmlNewChild(luns, NULL, X("lun"), NULL);

		write_attributes(l, o, lun);
		write_rest(l, o, lun, none);
	}
}

static void write_hba(xmlNode *root, struct json_object *o)
{
	static const char *const elements[] = {"zones", "expected", "reservations", NULL};
	xmlNode *n = xmlNewChild(root, NULL, X("hba"), NULL);
	struct json_object *v;

	write_attributes(n, o, hba);
	json_object_object_get_ex(o, "zones", &v);
	for (size_t i = 0; v && i < length(v); i++)
		xmlNewTextChild(n, NULL, X("zone"),
				X(json_object_get_string(json_object_array_get_idx(v, i))));
	if (json_object_object_get_ex(o, "expected", &v))
		write_luns(n, v);
	if (json_object_object_get_ex(o, "reservations", &v))
		xmlNewTextChild(n, NULL, X("reservations"), X(json_object_get_string(v)));
	write_rest(n, o, hba, elements);
}

char *identity_write(struct json_object *ticket, struct verror *e)
{
	static const char *const elements[] = {"format", "vhbas", NULL};
	xmlDoc *doc = xmlNewDoc(X("1.0"));
	xmlNode *root = xmlNewNode(NULL, X("identity"));
	xmlBuffer *buffer = xmlBufferCreate();
	struct json_object *vhbas = NULL;
	char version[12], *text = NULL;

	xmlDocSetRootElement(doc, root);
	snprintf(version, sizeof(version), "%d", IDENTITY_VERSION);
	xmlSetProp(root, X("version"), X(version));
	write_attributes(root, ticket, head);
	json_object_object_get_ex(ticket, "vhbas", &vhbas);
	for (size_t i = 0; i < length(vhbas); i++)
		write_hba(root, json_object_array_get_idx(vhbas, i));
	write_rest(root, ticket, head, elements);
	if (buffer && xmlNodeDump(buffer, doc, root, 0, 1) > 0)
		text = strdup((const char *)xmlBufferContent(buffer));
	xmlBufferFree(buffer);
	xmlFreeDoc(doc);
	if (!text)
		verror_set(e, VHBA_E_INTERNAL, "out of memory");
	return text;
}

/* ---- reading ---- */

static bool is(const xmlNode *n, const char *name)
{
	return n->type == XML_ELEMENT_NODE && !strcmp((const char *)n->name, name);
}

static xmlNode *child(const xmlNode *n, const char *name)
{
	xmlNode *c = n->children;

	while (c && !is(c, name))
		c = c->next;
	return c;
}

static struct json_object *text_of(xmlNode *n)
{
	xmlChar *text = xmlNodeGetContent(n);
	struct json_object *o = text ? json_object_new_string((const char *)text) : NULL;

	xmlFree(text);
	return o;
}

static struct json_object *value_of(const char *text, enum type type)
{
	unsigned long long n;
	char *end;

	if (type == TEXT)
		return json_object_new_string(text);
	if (type == FLAG)
		return !strcmp(text, "yes")  ? json_object_new_boolean(true)
		       : !strcmp(text, "no") ? json_object_new_boolean(false)
					     : NULL;
	errno = 0;
	n = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && !*end && !errno && n <= INT64_MAX
		       ? json_object_new_uint64(n)
		       : NULL;
}

static int read_attributes(xmlNode *n, struct json_object *o, const struct attribute *a, struct verror *e)
{
	for (; a->name; a++) {
		xmlChar *text = xmlGetNoNsProp(n, X(a->name));
		struct json_object *v = text ? value_of((const char *)text, a->type) : NULL;
		bool wrong = text ? !v : a->required;

		xmlFree(text);
		if (wrong)
			return refuse(e, (const char *)n->name, a->name);
		if (v)
			json_object_object_add(o, a->key, v);
	}
	return 0;
}

/* Nothing that has been read otherwise is set by it. */
static int read_property(xmlNode *n, struct json_object *o, struct verror *e)
{
	xmlChar *name = xmlGetNoNsProp(n, X("name")), *text = xmlNodeGetContent(n);
	struct json_object *v = name && text ? json_tokener_parse((const char *)text) : NULL;
	bool good = v && !json_object_object_get_ex(o, (const char *)name, NULL);

	if (good)
		json_object_object_add(o, (const char *)name, v);
	else
		json_object_put(v);
	xmlFree(name);
	xmlFree(text);
	return good ? 0 : refuse(e, "property", "JSON, of a name that nothing else has");
}

static int read_properties(xmlNode *n, struct json_object *o, struct verror *e)
{
	for (n = n->children; n; n = n->next)
		if (is(n, "property") && read_property(n, o, e))
			return -EINVAL;
	return 0;
}

static int read_lun(xmlNode *n, struct json_object *list, struct verror *e)
{
	struct json_object *o = json_object_new_object();

	json_object_array_add(list, o);
	return read_attributes(n, o, lun, e) || read_properties(n, o, e) ? -EINVAL : 0;
}

static int read_luns(xmlNode *n, struct json_object *o, struct verror *e)
{
	struct json_object *list = json_object_new_array();

	json_object_object_add(o, "expected", list);
	for (n = n->children; n; n = n->next)
		if (is(n, "lun") && read_lun(n, list, e))
			return -EINVAL;
	return 0;
}

static int read_hba(xmlNode *n, struct json_object *list, struct verror *e)
{
	struct json_object *o = json_object_new_object(), *zones = json_object_new_array();
	xmlNode *c;

	json_object_array_add(list, o);
	json_object_object_add(o, "zones", zones);
	if (read_attributes(n, o, hba, e))
		return -EINVAL;
	for (c = n->children; c; c = c->next)
		if (is(c, "zone"))
			json_object_array_add(zones, text_of(c));
	c = child(n, "luns");
	if (c && read_luns(c, o, e))
		return -EINVAL;
	c = child(n, "reservations");
	if (c)
		json_object_object_add(o, "reservations", text_of(c));
	return read_properties(n, o, e);
}

static int read_version(xmlNode *n, struct verror *e)
{
	xmlChar *text = xmlGetNoNsProp(n, X("version"));
	struct json_object *v = text ? value_of((const char *)text, NUMBER) : NULL;
	uint64_t version = json_object_get_uint64(v);

	xmlFree(text);
	json_object_put(v);
	if (!version)
		return refuse(e, "identity", "its version");
	if (version <= IDENTITY_VERSION)
		return 0;
	verror_set(e, VHBA_E_VERSION, "the domain's vhba metadata was written by a newer vhba");
	verror_expected(e, "version 1 to %d", IDENTITY_VERSION);
	verror_seen(e, "%llu", (unsigned long long)version);
	verror_fix(e, "update vhba on this host; the metadata is left as it is");
	return -EPROTO;
}

static int read_identity(xmlNode *root, struct identity *id, struct verror *e)
{
	struct json_object *list = json_object_new_array();
	int r = read_version(root, e);

	id->ticket = json_object_new_object();
	json_object_object_add(id->ticket, "format", json_object_new_string(TICKET_FORMAT));
	json_object_object_add(id->ticket, "vhbas", list);
	if (!r)
		r = read_attributes(root, id->ticket, head, e);
	for (xmlNode *n = root->children; n && !r; n = n->next)
		if (is(n, "hba"))
			r = read_hba(n, list, e);
	if (!r)
		r = read_properties(root, id->ticket, e);
	if (r)
		identity_clear(id);
	return r;
}

static void copy_text(xmlNode *n, char *buf, size_t size)
{
	xmlChar *text = n ? xmlNodeGetContent(n) : NULL;

	snprintf(buf, size, "%s", text ? (const char *)text : "");
	xmlFree(text);
}

static bool is_ours(const xmlNode *n)
{
	return is(n, "identity") && n->ns && n->ns->href && !strcmp((const char *)n->ns->href, IDENTITY_NS);
}

static int read_domain(xmlNode *root, struct identity *id, struct verror *e)
{
	xmlNode *n = child(root, "metadata");

	copy_text(child(root, "name"), id->name, sizeof(id->name));
	copy_text(child(root, "uuid"), id->uuid, sizeof(id->uuid));
	for (n = n ? n->children : NULL; n; n = n->next)
		if (is_ours(n))
			return read_identity(n, id, e);
	return 0;
}

static int malformed(struct verror *e, const char *seen)
{
	verror_set(e, VHBA_E_USAGE, "this is no domain's XML");
	verror_seen(e, "%s", seen);
	return -EINVAL;
}

int identity_read(const char *xml, size_t size, struct identity *id, struct verror *e)
{
	xmlDoc *doc = NULL;
	xmlNode *root;
	int r;

	*id = (struct identity){0};
	if (size > IDENTITY_XML_MAX)
		return malformed(e, "more than 1 MiB");
	doc = xmlReadMemory(xml, (int)size, NULL, NULL,
			    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
	root = doc ? xmlDocGetRootElement(doc) : NULL;
	if (!root)
		r = malformed(e, "no XML");
	else if (doc->intSubset)
		r = malformed(e, "a document type, which libvirt never writes");
	else if (is(root, "identity"))
		r = read_identity(root, id, e);
	else if (is(root, "domain"))
		r = read_domain(root, id, e);
	else
		r = malformed(e, (const char *)root->name);
	xmlFreeDoc(doc);
	return r;
}

void identity_clear(struct identity *id)
{
	json_object_put(steal_ptr(id->ticket));
}
