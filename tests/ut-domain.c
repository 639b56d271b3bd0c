/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A VM's identity as a domain's metadata: written, held to the schema, read; and what is none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/relaxng.h>
#include <libxml/tree.h>

#include "cleanup.h"
#include "identity.h"
#include "ut.h"

#define LUN                                                                                                  \
	"{\"designator\":\"naa.6001&<\",\"lun\":1,\"target\":\"50:06:01:60:00:00:0a:01\",\"size\":"          \
	"1073741824}"
#define TICKET(version, more)                                                                                \
	"{\"format\":\"org.vhba.ticket\",\"version\":" version                                               \
	",\"vm\":\"db1\",\"uuid\":\"6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01\",\"generation\":4,"                \
	"\"exported_by\":\"alpha\",\"vhbas\":[{\"index\":0,\"wwpn\":\"50:2a:b3:00:00:00:00:10\","            \
	"\"wwnn\":\"50:2a:b3:00:00:00:00:11\",\"vsan\":10,\"zones\":[\"db-a\",\"db-b\"],\"expected\":[" LUN  \
	"],\"reservations\":\"naa.6001 key 0x1\"},{\"index\":2,\"wwpn\":\"50:2a:b3:00:00:00:00:20\","        \
	"\"wwnn\":\"50:2a:b3:00:00:00:00:21\",\"vsan\":20,\"zones\":[]}]" more "}"

static struct verror e;

static const char *data(const char *name, char *path, size_t size)
{
	const char *top = getenv("top_srcdir");

	snprintf(path, size, "%s/%s", top ? top : ".", name);
	return path;
}

static int parse(const char *xml, struct identity *id)
{
	return identity_read(xml, strlen(xml), id, &e);
}

static void set_ns(xmlNode *n, xmlNs *ns)
{
	for (; n; n = n->next) {
		xmlSetNs(n, ns);
		set_ns(n->children, ns);
	}
}

/* As libvirt keeps it: in the namespace. 0: the schema takes it. */
static int validate(const char *xml)
{
	char path[512];
	xmlRelaxNGParserCtxt *parser =
		xmlRelaxNGNewParserCtxt(data("src/domain/vhba-domain.rng", path, sizeof(path)));
	xmlRelaxNG *schema = xmlRelaxNGParse(parser);
	xmlRelaxNGValidCtxt *ctxt = xmlRelaxNGNewValidCtxt(schema);
	xmlDoc *doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, 0);
	xmlNode *root = xmlDocGetRootElement(doc);
	int r;

	if (root && !root->ns)
		set_ns(root, xmlNewNs(root, (const xmlChar *)IDENTITY_NS, (const xmlChar *)IDENTITY_KEY));
	r = schema && doc ? xmlRelaxNGValidateDoc(ctxt, doc) : -1;
	xmlFreeDoc(doc);
	xmlRelaxNGFreeValidCtxt(ctxt);
	xmlRelaxNGFree(schema);
	xmlRelaxNGFreeParserCtxt(parser);
	return r;
}

static void round_trip(const char *text)
{
	struct json_object *ticket = json_tokener_parse(text);
	AUTO_FREE char *xml = identity_write(ticket, &e);
	struct identity id;

	CU_ASSERT_PTR_NOT_NULL_FATAL(ticket);
	CU_ASSERT_PTR_NOT_NULL_FATAL(xml);
	UT_EQ(validate(xml), 0);
	UT_EQ(parse(xml, &id), 0);
	CU_ASSERT_TRUE(json_object_equal(id.ticket, ticket));
	UT_STREQ(id.name, "");
	identity_clear(&id);
	json_object_put(ticket);
}

static void test_round_trip(void)
{
	round_trip(TICKET("2", ""));
	round_trip(TICKET("3", ",\"pool\":true"));
	/* What another version's tickets have travels as it is. */
	round_trip(TICKET("9", ",\"io\":{\"kind\":\"scsi\",\"workers\":2},\"more\":[1,\"<&\",null]"));
}

/* Whether a move may be live: every vhba has two names. */
static void test_alternates(void)
{
	static const char both[] =
		"{\"format\":\"org.vhba.ticket\",\"version\":5,\"vm\":\"db1\","
		"\"uuid\":\"6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01\",\"generation\":4,"
		"\"exported_by\":\"alpha\",\"vhbas\":[{\"index\":0,\"wwpn\":\"50:2a:b3:00:00:00:00:10\","
		"\"wwnn\":\"50:2a:b3:00:00:00:00:11\",\"alternate\":\"50:2a:b3:00:00:00:00:12\","
		"\"vsan\":10,\"zones\":[]}]}";
	struct json_object *one = json_tokener_parse(TICKET("2", "")), *two = json_tokener_parse(both),
			   *none = json_tokener_parse("{\"vhbas\":[]}");

	round_trip(both);
	CU_ASSERT_FALSE(identity_moves_beside(one));
	CU_ASSERT_TRUE(identity_moves_beside(two));
	json_object_object_add(two, "io", json_tokener_parse("{\"kind\":\"none\"}"));
	CU_ASSERT_TRUE(identity_moves_beside(two));
	json_object_object_add(two, "io", json_tokener_parse("{\"kind\":\"scsi\"}")); /* a ticket's */
	CU_ASSERT_FALSE(identity_moves_beside(two));
	json_object_object_add(two, "io", json_object_new_string("blk")); /* vm.Show's */
	CU_ASSERT_FALSE(identity_moves_beside(two));
	CU_ASSERT_FALSE(identity_moves_beside(none));
	json_object_put(one);
	json_object_put(two);
	json_object_put(none);
}

static char *read_whole(const char *name)
{
	char path[512], *text = calloc(1, 65536);
	AUTO_FILE FILE *f = fopen(data(name, path, sizeof(path)), "r");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_TRUE(fread(text, 1, 65535, f) > 0);
	return text;
}

static void test_domain(void)
{
	AUTO_FREE char *xml = read_whole("tests/data/domain/bound.xml");
	struct json_object *ticket = json_tokener_parse(TICKET("2", ""));
	struct identity id;

	UT_EQ(parse(xml, &id), 0);
	UT_STREQ(id.name, "db1");
	UT_STREQ(id.uuid, "6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01");
	CU_ASSERT_TRUE(json_object_equal(id.ticket, ticket));
	identity_clear(&id);
	json_object_put(ticket);
	/* Others' metadata is none of ours, whatever its elements are called. */
	UT_EQ(parse("<domain><name>x</name><uuid>u</uuid><metadata><o:identity xmlns:o='urn:o' version='9'/>"
		    "</metadata></domain>",
		    &id),
	      0);
	CU_ASSERT_PTR_NULL(id.ticket);
	UT_STREQ(id.name, "x");
}

static void test_newer(void)
{
	AUTO_FREE char *xml = read_whole("tests/data/domain/newer.xml");
	struct identity id;

	CU_ASSERT_TRUE(parse(xml, &id) < 0);
	UT_EQ(e.kind, VHBA_E_VERSION);
	UT_STREQ(e.seen, "7");
	UT_STREQ(id.name, "db1");
	CU_ASSERT_PTR_NULL(id.ticket);
}

static void test_malformed(void)
{
	static const char *const texts[] = {
		"",
		"<domain>",
		"<pool/>",
		"<identity/>",
		"<identity version='0'/>",
		"<identity version='-1'/>",
		"<identity version='1x'/>",
		"<identity version='1'/>",
		"<!DOCTYPE identity [<!ENTITY a 'b'>]><identity version='1'/>",
		"<identity version='1' ticket='1' name='a' uuid='b' generation='99999999999999999999'/>",
		"<identity version='1' ticket='1' name='a' uuid='b' generation='1' pool='maybe'/>",
		"<identity version='1' ticket='1' name='a' uuid='b' generation='1'><hba/></identity>",
		"<identity version='1' ticket='1' name='a' uuid='b' generation='1'><property/></identity>",
		"<identity version='1' ticket='1' name='a' uuid='b' generation='1'>"
		"<property name='uuid'>\"c\"</property></identity>",
		"<identity version='1' ticket='1' name='a' uuid='b' generation='1'>"
		"<property name='x'>{</property></identity>",
		"<identity version='1' ticket='1' name='a' uuid='b' generation='1'><hba index='0' wwpn='1' "
		"wwnn='2' "
		"vsan='3'><luns><lun number='1'/></luns></hba></identity>",
	};
	struct identity id;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		memset(&e, 0, sizeof(e));
		if (parse(texts[i], &id) >= 0)
			printf("# taken: %s\n", texts[i]);
		UT_EQ(e.kind, VHBA_E_USAGE);
		CU_ASSERT_PTR_NULL(id.ticket);
		identity_clear(&id);
	}
}

static void test_too_long(void)
{
	AUTO_FREE char *text = calloc(1, IDENTITY_XML_MAX + 2);
	struct identity id;

	memset(text, ' ', IDENTITY_XML_MAX + 1);
	memcpy(text, "<domain/>", 9);
	CU_ASSERT_TRUE(parse(text, &id) < 0);
	UT_STREQ(e.seen, "more than 1 MiB");
}

static void test_schema_refuses(void)
{
	CU_ASSERT_TRUE(validate("<identity version='2' ticket='1' name='a' generation='1' "
				"uuid='6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01'/>") > 0);
	CU_ASSERT_TRUE(validate("<identity version='1' ticket='1' name='a' generation='1' "
				"uuid='6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01'><hba/></identity>") > 0);
}

/* The schema's complaints are expected here. */
static void quiet(void *user, const char *fmt, ...)
{
	(void)user;
	(void)fmt;
}

int main(int argc, char **argv)
{
	CU_TestInfo tests[] = {
		{"a ticket becomes an element and a ticket again", test_round_trip},
		{"alternate names", test_alternates},
		{"it is found in a domain", test_domain},
		{"a newer version is named", test_newer},
		{"what is malformed is refused", test_malformed},
		{"what is too long is refused", test_too_long},
		{"the schema refuses what is none", test_schema_refuses},
		CU_TEST_INFO_NULL,
	};
	const struct ut_suite suites[] = {{"identity", tests}, {NULL}};

	xmlSetGenericErrorFunc(NULL, quiet);
	return ut_main(argc, argv, suites);
}
