/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registrations and reservations: their text, their comparison, and their place on /run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "reservations.h"
#include "ticket.h"
#include "ut.h"

#define A "5006016000000a01/0=11,3,11;"
#define B "5006016000000a01/1=?,0,0;"

static char told[2][512];
static unsigned tells;

static void tell(void *user, const char *text)
{
	(void)user;
	snprintf(told[tells++ % 2], sizeof(told[0]), "%s", text);
}

static unsigned compare(const char *before, const char *now)
{
	tells = 0;
	return reservations_compare(before, now, tell, NULL);
}

static void test_text(void)
{
	static const char *const bad[] = {"x",
					  "--",
					  A "-",
					  "5006016000000a01/0=11,3;",
					  "5006016000000a01/0=11,3,11",
					  A ";",
					  "5006016000000a01/0=,3,11;",
					  " " A};
	char *many = calloc(1, RESERVATIONS_MAX + 100);

	CU_ASSERT(reservations_good("") && reservations_good("-") && reservations_good(A) &&
		  reservations_good(A B));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CU_ASSERT(!reservations_good(bad[i]));
	UT_EQ(reservations_count("-"), 0);
	UT_EQ(reservations_count(A B), 2);
	while (strlen(many) < RESERVATIONS_MAX)
		strcat(many, A);
	CU_ASSERT(!reservations_good(many));
	free(many);
}

static void test_compare(void)
{
	UT_EQ(compare(A B, A B), 0);
	UT_EQ(compare("-", "-"), 0);
	UT_EQ(compare(A, "-"), 1);
	UT_STREQ(told[0], "LUN 0 of 50:06:01:60:00:00:0a:01: expected key 0x11, reservation exclusive access "
			  "by 0x11; seen no "
			  "registration, no reservation");
	UT_EQ(compare("-", A), 1);
	UT_EQ(compare(A, "5006016000000a01/0=12,3,11;"), 1);
	UT_EQ(compare(A, "5006016000000a01/0=11,1,11;"), 1);
	UT_EQ(compare(A, "5006016000000a01/0=11,3,12;"), 1);
	UT_EQ(compare(A, "5006016000000a01/1=11,3,11;"), 2); /* another LUN's */
	UT_EQ(compare(B, "5006016000000a01/1=22,0,0;"), 0); /* what an array does not tell can't differ */
}

static void test_kept(void)
{
	char dir[96];
	struct config cfg = {.run_dir = dir};
	struct daemon d = {.cfg = &cfg};
	char *text;

	ut_tmpdir(dir, sizeof(dir));
	UT_EQ(reservations_open(&d), 0);
	UT_EQ(reservations_open(&d), 0);
	CU_ASSERT(reservations_kept(&d, "uuid", 1) == NULL);
	reservations_keep(&d, "uuid", 1, A);
	reservations_keep(&d, "uuid", 1, A B);
	text = reservations_kept(&d, "uuid", 1);
	UT_STREQ(text ? text : "", A B);
	free(text);
	reservations_keep(&d, "uuid", 1, "nonsense");
	CU_ASSERT(reservations_kept(&d, "uuid", 1) == NULL);
	reservations_forget(&d, "uuid", 1);
	CU_ASSERT(reservations_kept(&d, "uuid", 1) == NULL);
}

static unsigned version_of(struct json_object *t)
{
	struct json_object *v;

	return json_object_object_get_ex(t, "version", &v) ? (unsigned)json_object_get_int(v) : 0;
}

/* A ticket that has them is of version 2, one that has none of version 1; both are read, and nothing
 * malformed. */
static void test_ticket(void)
{
	struct reg_vhba vhba = {
		.vsan = 10, .wwpn = 0x502ab30000000001, .wwnn = 0x502ab30000000002, .zones = strdup("db-a")};
	struct reg_vm vm = {
		.uuid = "6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01", .name = "db1", .vhbas_n = 1, .vhbas = &vhba};
	struct json_object *t = ticket_write(&vm, "alpha", 2), *list;
	struct verror e;
	struct reg_vm *in;

	UT_EQ(version_of(t), 1);
	in = ticket_read(t, &e);
	CU_ASSERT(in && (!in->vhbas[0].reservations || !in->vhbas[0].reservations[0]));
	reg_vm_free(in);
	json_object_put(t);
	vhba.reservations = strdup(A);
	t = ticket_write(&vm, "alpha", 2);
	UT_EQ(version_of(t), 2);
	in = ticket_read(t, &e);
	CU_ASSERT_FATAL(in != NULL);
	UT_STREQ(in->vhbas[0].reservations, A);
	reg_vm_free(in);
	json_object_object_get_ex(t, "vhbas", &list);
	json_object_object_add(json_object_array_get_idx(list, 0), "reservations",
			       json_object_new_string("5006;drop"));
	CU_ASSERT(ticket_read(t, &e) == NULL);
	json_object_object_add(json_object_array_get_idx(list, 0), "reservations", json_object_new_int(5));
	CU_ASSERT(ticket_read(t, &e) == NULL);
	json_object_put(t);
	free(vhba.reservations);
	free(vhba.zones);
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"text", test_text},	     {"what differs is told", test_compare},
		{"kept on /run", test_kept}, {"in the ticket", test_ticket},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"reservations", tests, NULL, NULL}, {NULL}};

	return ut_main(argc, argv, suites);
}
