/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The registry: changes, what is refused, what is there after it was closed; tickets; allocated names. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

#include "method.h"
#include "ticket.h"
#include "ut-registry-bench.h"
#include "ut.h"

static char dir[96];
static struct registry *r;
static struct verror e;
static struct told t;

static int reopen(void)
{
	registry_close(r);
	memset(&e, 0, sizeof(e));
	r = registry_open(dir, 60 * USEC_PER_SEC, &e);
	return r ? 0 : 1;
}

static int begin(void)
{
	r = NULL;
	ut_memdir(dir, sizeof(dir));
	r = registry_open(dir, 60 * USEC_PER_SEC, &e);
	return r ? 0 : 1;
}

static int end(void)
{
	registry_close(r);
	r = NULL;
	return 0;
}

#define DONE(change)                                                                                         \
	({                                                                                                   \
		memset(&t, 0, sizeof(t));                                                                    \
		memset(&e, 0, sizeof(e));                                                                    \
		(change) == 0 && settle(r, &t);                                                              \
	})

static void add_a(void)
{
	CU_ASSERT_TRUE(DONE(registry_vm_add(r, "db1", UUID_A, "alpha", false, tell, &t, &e)));
	CU_ASSERT_TRUE(DONE(registry_vhba_add(r, registry_find(r, "db1"), -1, 4093, "za,zb", 0x50a1, 0x50b1,
					      tell, &t, &e)));
}

static void test_stays(void)
{
	const struct reg_lun lun = {.designator = "naa.6001", .lun = 3, .target = 0x5006, .size = 1 << 20};
	const struct reg_vm *vm;
	const struct reg_vhba *v;
	const char *pos;
	char zone[REG_NAME_MAX];

	add_a();
	CU_ASSERT_TRUE(DONE(registry_set_expected(r, registry_find(r, UUID_A), 0, &lun, 1, tell, &t, &e)));
	CU_ASSERT_TRUE(DONE(registry_set_owner(r, registry_find(r, UUID_A), "beta", 7, tell, &t, &e)));
	UT_EQ(reopen(), 0);
	vm = registry_find(r, "db1");
	CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
	UT_STREQ(vm->uuid, UUID_A);
	UT_STREQ(vm->owner, "beta");
	UT_EQ(vm->generation, 7);
	v = registry_vhba(vm, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
	UT_EQ(v->vsan, 4093);
	UT_EQ(v->wwpn, 0x50a1);
	CU_ASSERT_TRUE(v->known);
	UT_EQ(v->luns_n, 1);
	UT_STREQ(v->luns[0].designator, "naa.6001");
	pos = v->zones;
	CU_ASSERT_TRUE(registry_next_zone(&pos, zone) && registry_next_zone(&pos, zone));
	UT_STREQ(zone, "zb");
	CU_ASSERT_FALSE(registry_next_zone(&pos, zone));
}

static void test_refused(void)
{
	const struct reg_vm *vm;

	add_a();
	vm = registry_find(r, "db1");
	CU_ASSERT_TRUE(registry_vm_add(r, "db1", UUID_B, "alpha", false, tell, &t, &e) < 0);
	UT_EQ(e.kind, VHBA_E_EXISTS);
	CU_ASSERT_TRUE(registry_vm_add(r, "db2", UUID_A, "alpha", false, tell, &t, &e) < 0);
	CU_ASSERT_TRUE(registry_vhba_add(r, vm, 0, 10, "z", 0x50a2, 0x50b2, tell, &t, &e) < 0);
	CU_ASSERT_TRUE(registry_vhba_add(r, vm, 1, 10, "z", 0x50a1, 0x50b2, tell, &t, &e) < 0);
	CU_ASSERT_TRUE(registry_vhba_add(r, vm, 1, 10, "z", 0x50a2, 0x50b1, tell, &t, &e) < 0);
	CU_ASSERT_TRUE(registry_vhba_add(r, vm, 16, 10, "z", 0x50a2, 0x50b2, tell, &t, &e) < 0);
	CU_ASSERT_TRUE(registry_vhba_remove(r, vm, 5, tell, &t, &e) < 0);
	UT_EQ(e.kind, VHBA_E_NOT_FOUND);
}

/* One change of a VM at a time: the second would begin from what may be taken back. */
static void test_busy(void)
{
	struct told first = {0};

	UT_EQ(registry_vm_add(r, "db1", UUID_A, "alpha", false, tell, &first, &e), 0);
	CU_ASSERT_TRUE(registry_set_owner(r, registry_find(r, "db1"), "x", 1, tell, &t, &e) < 0);
	UT_EQ(e.kind, VHBA_E_BUSY);
	CU_ASSERT_TRUE(settle(r, &first));
	CU_ASSERT_TRUE(DONE(registry_set_owner(r, registry_find(r, "db1"), "x", 1, tell, &t, &e)));
}

static void test_names_for_ever(void)
{
	const struct reg_vm *vm;

	add_a();
	CU_ASSERT_TRUE(DONE(registry_vhba_remove(r, registry_find(r, "db1"), 0, tell, &t, &e)));
	CU_ASSERT_TRUE(registry_name_known(r, 0x50a1, &vm));
	CU_ASSERT_PTR_NULL(vm);
	CU_ASSERT_TRUE(registry_vhba_add(r, registry_find(r, "db1"), 0, 10, "z", 0x50a1, 1, tell, &t, &e) <
		       0);
	CU_ASSERT_TRUE(DONE(registry_vm_remove(r, registry_find(r, "db1"), tell, &t, &e)));
	UT_EQ(reopen(), 0);
	UT_EQ(registry_count(r), 0);
	CU_ASSERT_TRUE(registry_name_known(r, 0x50a1, &vm));
	CU_ASSERT_TRUE(registry_name_known(r, 0x50b1, &vm));
	CU_ASSERT_FALSE(registry_name_known(r, 0x50a2, &vm));
}

static void sql(const char *text)
{
	char path[160];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/registry.db", dir);
	UT_EQ(sqlite3_open(path, &db), SQLITE_OK);
	UT_EQ(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void test_newer(void)
{
	add_a();
	end();
	sql("PRAGMA user_version = 99");
	r = registry_open(dir, 60 * USEC_PER_SEC, &e);
	CU_ASSERT_PTR_NULL(r);
	UT_EQ(e.kind, VHBA_E_VERSION);
	sql("PRAGMA user_version = 7");
	UT_EQ(reopen(), 0);
	UT_EQ(registry_count(r), 1);
}

static void test_corrupt(void)
{
	char path[160], junk[4096];
	off_t size;
	int fd;

	add_a();
	end();
	snprintf(path, sizeof(path), "%s/registry.db", dir);
	memset(junk, 0x5a, sizeof(junk));
	fd = open(path, O_RDWR);
	size = lseek(fd, 0, SEEK_END);
	for (off_t at = 100; at + 512 < size; at += 700)
		CU_ASSERT_TRUE(pwrite(fd, junk, 300, at) == 300);
	close(fd);
	r = registry_open(dir, 60 * USEC_PER_SEC, &e);
	CU_ASSERT_PTR_NULL(r);
	CU_ASSERT_TRUE(e.kind != VHBA_OK && e.what[0]);
	fd = open(path, O_RDONLY); /* it stays where it was: somebody may save what is in it */
	UT_EQ(lseek(fd, 0, SEEK_END), size);
	close(fd);
}

/* ---- tickets ---- */

static struct json_object *ticket_of_a(void)
{
	const struct reg_lun lun = {.designator = "naa.6001", .lun = 3, .target = 0x5006, .size = 1 << 20};

	add_a();
	CU_ASSERT_TRUE(DONE(registry_set_expected(r, registry_find(r, UUID_A), 0, &lun, 1, tell, &t, &e)));
	return ticket_write(registry_find(r, "db1"), "alpha", 3);
}

static void test_ticket(void)
{
	struct json_object *o = ticket_of_a();
	struct reg_vm *vm = ticket_read(o, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
	UT_STREQ(vm->name, "db1");
	UT_EQ(vm->generation, 3);
	UT_EQ(vm->vhbas_n, 1);
	UT_EQ(vm->vhbas[0].vsan, 4093);
	UT_STREQ(vm->vhbas[0].zones, "za,zb");
	UT_STREQ(vm->vhbas[0].luns[0].designator, "naa.6001");
	strcpy(vm->owner, "beta");
	strcpy(vm->uuid, UUID_B);
	strcpy(vm->name, "db2");
	CU_ASSERT_TRUE(registry_import(r, vm, tell, &t, &e) < 0); /* its names are db1's */
	CU_ASSERT_TRUE(strstr(e.what, "50:a1") || strstr(e.seen, "db1"));
	reg_vm_free(vm);
	json_object_put(o);
}

static void test_import(void)
{
	struct json_object *o = ticket_of_a();
	struct reg_vm *vm = ticket_read(o, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
	end();
	ut_memdir(dir, sizeof(dir));
	r = registry_open(dir, 60 * USEC_PER_SEC, &e);
	CU_ASSERT_TRUE(DONE(registry_import(r, vm, tell, &t, &e)));
	vm->generation = 4;
	CU_ASSERT_TRUE(DONE(registry_import(r, vm, tell, &t, &e))); /* the same VM comes again */
	UT_EQ(registry_count(r), 1);
	UT_EQ(registry_find(r, UUID_A)->generation, 4);
	reg_vm_free(vm);
	json_object_put(o);
}

/* Only who has pools has a ticket that an older vhbad refuses: it would lose them. */
static void test_ticket_pool(void)
{
	struct json_object *o = ticket_of_a();
	struct reg_vm *vm;

	UT_EQ(proto_get_uint(o, "version", 0), 1);
	CU_ASSERT_PTR_NULL(proto_get(o, "pool"));
	json_object_put(o);
	CU_ASSERT_TRUE(
		DONE(registry_set(r, registry_find(r, "db1"), true, &(struct reg_io){0}, tell, &t, &e)));
	o = ticket_write(registry_find(r, "db1"), "alpha", 3);
	UT_EQ(proto_get_uint(o, "version", 0), 3);
	vm = ticket_read(o, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
	CU_ASSERT_TRUE(vm->pool);
	reg_vm_free(vm);
	json_object_put(o);
}

static const struct reg_vhba *vhba_of_a(void)
{
	return registry_vhba(registry_find(r, "db1"), 0);
}

/* A second WWPN: kept, told in a ticket that an older vhbad refuses, and in the first one's place elsewhere.
 */
static void test_alternate(void)
{
	struct json_object *o = ticket_of_a();
	struct reg_vm *vm = ticket_read(o, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
	CU_ASSERT_FALSE(reg_vm_swap_names(vm, &e)); /* it has none */
	reg_vm_free(vm);
	json_object_put(o);
	CU_ASSERT_TRUE(registry_set_alternate(r, registry_find(r, "db1"), 0, 0x50b1, tell, &t, &e) <
		       0); /* its WWNN */
	CU_ASSERT_TRUE(DONE(registry_set_alternate(r, registry_find(r, "db1"), 0, 0x50a9, tell, &t, &e)));
	UT_EQ(reopen(), 0);
	UT_EQ(vhba_of_a()->alternate, 0x50a9);
	o = ticket_write(registry_find(r, "db1"), "alpha", 3);
	UT_EQ(proto_get_uint(o, "version", 0), 5);
	vm = ticket_read(o, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
	CU_ASSERT_TRUE(reg_vm_swap_names(vm, &e));
	UT_EQ(vm->vhbas[0].wwpn, 0x50a9);
	UT_EQ(vm->vhbas[0].alternate, 0x50a1);
	CU_ASSERT_TRUE(DONE(registry_import(r, vm, tell, &t, &e)));
	UT_EQ(reopen(), 0);
	UT_EQ(vhba_of_a()->wwpn, 0x50a9);
	vm->vhbas[0].alternate = vm->vhbas[0].wwpn;
	CU_ASSERT_TRUE(registry_import(r, vm, tell, &t, &e) < 0);
	reg_vm_free(vm);
	json_object_put(o);
	/* A name stays given also when it is nobody's alternate any more. */
	CU_ASSERT_TRUE(DONE(registry_set_alternate(r, registry_find(r, "db1"), 0, 0, tell, &t, &e)));
	CU_ASSERT_TRUE(registry_set_alternate(r, registry_find(r, "db1"), 0, 0x50a1, tell, &t, &e) < 0);
}

static void test_bad_tickets(void)
{
	static const struct {
		const char *key, *value;
	} bad[] = {
		{"format", "\"x\""}, {"version", "7"},	 {"version", "\"1\""},
		{"vm", "\"a b\""},   {"uuid", "\"no\""}, {"generation", "-1"},
		{"vhbas", "{}"},     {"vhbas", "[1]"},	 {"vhbas", "[{\"index\":0}]"},
	};
	struct json_object *o = ticket_of_a();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct json_object *copy = NULL;
		struct reg_vm *vm;

		json_object_deep_copy(o, &copy, NULL);
		json_object_object_add(copy, bad[i].key, json_tokener_parse(bad[i].value));
		memset(&e, 0, sizeof(e));
		vm = ticket_read(copy, &e);
		if (vm || !e.what[0])
			printf("# %s: %s was taken\n", bad[i].key, bad[i].value);
		CU_ASSERT_TRUE(!vm && e.what[0]);
		json_object_put(copy);
	}
	json_object_put(o);
}

/* ---- allocation ---- */

static unsigned int draws;

/* Twice the same, then something else. */
static int poor_random(void *buf, size_t len)
{
	memset(buf, draws++ < 2 ? 0x11 : 0x22, len);
	return 0;
}

static bool taken(void *arg, wwn_t w)
{
	return w == *(wwn_t *)arg;
}

static bool all_taken(void *arg, wwn_t w)
{
	(void)arg;
	return w != 0;
}

static void test_collision(void)
{
	const struct wwn_scheme s = {.naa = 5, .oui = 0x02ab3c};
	wwn_t none = 0, first, second;

	draws = 0;
	UT_EQ(wwn_alloc(&s, poor_random, taken, &none, &first, &e), 0);
	UT_EQ(first >> 36, 0x502ab3c);
	UT_EQ(wwn_alloc(&s, poor_random, taken, &first, &second, &e), 0);
	CU_ASSERT_TRUE(first != second);
	UT_EQ(draws, 3);
	UT_EQ(wwn_alloc(&s, NULL, all_taken, NULL, &second, &e), -EEXIST);
	UT_EQ(wwn_alloc(&(struct wwn_scheme){.naa = 7}, NULL, taken, &first, &second, &e), -EINVAL);
}

static CU_TestInfo registry_tests[] = {
	{"what is written stays", test_stays},
	{"what is refused", test_refused},
	{"one change at a time", test_busy},
	{"names for ever", test_names_for_ever},
	{"a newer schema", test_newer},
	{"a corrupt file", test_corrupt},
	CU_TEST_INFO_NULL,
};

static CU_TestInfo ticket_tests[] = {
	{"there and back", test_ticket},
	{"import", test_import},
	{"a ticket with pools", test_ticket_pool},
	{"an alternate name", test_alternate},
	{"bad tickets", test_bad_tickets},
	{"names under collision", test_collision},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {
		{"registry", registry_tests, begin, end},
		{"ticket", ticket_tests, begin, end},
		{0},
	};

	return ut_main(argc, argv, suites);
}
