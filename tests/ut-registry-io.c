/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The registry's part of I/O back ends: numbers of LUNs, files, the ticket, and the step from the schema
 * before. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "method.h"
#include "ticket.h"
#include "ut-registry-bench.h"
#include "ut.h"

#define TARGET 0x5006

static char dir[96];
static struct registry *r;
static struct verror e;
static struct told t;

static void reopen(void)
{
	registry_close(r);
	r = registry_open(dir, 5 * USEC_PER_SEC, &e);
	if (!r)
		printf("# %s %s\n", e.what, e.seen);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
}

static int begin(void)
{
	r = NULL;
	ut_memdir(dir, sizeof(dir));
	return 0;
}

static int end(void)
{
	registry_close(r);
	return 0;
}

#define DONE(change)                                                                                         \
	({                                                                                                   \
		memset(&t, 0, sizeof(t));                                                                    \
		(change) == 0 && settle(r, &t);                                                              \
	})

static const struct reg_vm *db1(void)
{
	return registry_find(r, "db1");
}

/* Whichever path it is asked for by. */
static const struct reg_guest_lun *merged(const char *designator)
{
	const struct reg_guest_lun *l = reg_guest_lun_of(db1(), designator, 0, TARGET);

	CU_ASSERT_PTR_EQUAL(l, reg_guest_lun_of(db1(), designator, 1, 0x5007));
	return l;
}

static void expect(unsigned vhba, const char *const *designators, unsigned n)
{
	struct reg_lun luns[8] = {0};

	for (unsigned i = 0; i < n; i++) {
		snprintf(luns[i].designator, sizeof(luns[i].designator), "%s", designators[i]);
		luns[i].lun = i;
		luns[i].target = TARGET;
	}
	CU_ASSERT_TRUE(DONE(registry_set_expected(r, db1(), vhba, luns, n, tell, &t, &e)));
}

static void add_db1(enum reg_io_kind kind)
{
	static const char *const both[] = {"naa.6001", "naa.6002"};
	const struct reg_io io = {.kind = kind, .workers = 2, .iops = 5000, .mbps = 100};

	reopen();
	CU_ASSERT_TRUE(DONE(registry_vm_add(r, "db1", UUID_A, "alpha", false, tell, &t, &e)));
	CU_ASSERT_TRUE(DONE(registry_vhba_add(r, db1(), 0, 10, "z", 0x50a1, 0x50b1, tell, &t, &e)));
	CU_ASSERT_TRUE(DONE(registry_vhba_add(r, db1(), 1, 11, "z", 0x50a2, 0x50b2, tell, &t, &e)));
	expect(0, both, 2);
	UT_EQ(db1()->guest_luns_n, 0);
	CU_ASSERT_TRUE(DONE(registry_set(r, db1(), false, &io, tell, &t, &e)));
}

static int add_file(const char *file, unsigned number)
{
	struct reg_guest_lun l = {.number = number, .serial = "s-1", .read_only = true};

	snprintf(l.file, sizeof(l.file), "%s", file);
	memset(&t, 0, sizeof(t));
	return registry_lun_add(r, db1(), &l, tell, &t, &e);
}

/* A number is given once: it stays when others come and go, and after a restart. */
static void test_numbers(void)
{
	static const char *const other[] = {"naa.6002", "naa.6003"}, *const less[] = {"naa.6003"};

	add_db1(REG_IO_SCSI);
	UT_EQ(db1()->guest_luns_n, 2);
	UT_EQ(merged("naa.6002")->number, 1);
	UT_EQ(add_file("/srv/a", 7), 0);
	CU_ASSERT_TRUE(settle(r, &t));
	UT_EQ(add_file("/srv/b", REG_GUEST_LUNS), 0);
	CU_ASSERT_TRUE(settle(r, &t));
	UT_STREQ(reg_guest_lun(db1(), 2)->file, "/srv/b");
	expect(1, other, 2); /* another path to the second, and a third one */
	UT_EQ(db1()->guest_luns_n, 5);
	UT_EQ(merged("naa.6003")->number, 3);
	expect(0, less, 1);
	reopen();
	UT_EQ(db1()->io.kind, REG_IO_SCSI);
	UT_EQ(db1()->io.workers, 2);
	UT_EQ(db1()->io.iops, 5000);
	UT_EQ(db1()->io.mbps, 100);
	UT_EQ(db1()->guest_luns_n, 5);
	UT_EQ(merged("naa.6001")->number, 0);
	UT_EQ(merged("naa.6003")->number, 3);
	CU_ASSERT_TRUE(reg_guest_lun(db1(), 7)->read_only);
	UT_STREQ(reg_guest_lun(db1(), 7)->serial, "s-1");
}

static void test_refused(void)
{
	static const char *const bad[] = {"relative", "/a,b", "/a\nb", ""};

	add_db1(REG_IO_SCSI);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		UT_EQ(add_file(bad[i], REG_GUEST_LUNS), -EINVAL);
		UT_EQ(e.kind, VHBA_E_USAGE);
	}
	CU_ASSERT_TRUE(add_file("/srv/a", 1) < 0); /* an array's has that number */
	UT_EQ(e.kind, VHBA_E_EXISTS);
	UT_EQ(add_file("/srv/a", 255), 0);
	CU_ASSERT_TRUE(settle(r, &t));
	CU_ASSERT_TRUE(add_file("/srv/a", 9) < 0);
	UT_EQ(e.kind, VHBA_E_EXISTS);
	CU_ASSERT_TRUE(registry_lun_remove(r, db1(), 9, tell, &t, &e) < 0);
	UT_EQ(e.kind, VHBA_E_NOT_FOUND);
	CU_ASSERT_TRUE(registry_lun_remove(r, db1(), 1, tell, &t, &e) < 0);
	UT_EQ(e.kind, VHBA_E_STATE);
	CU_ASSERT_TRUE(DONE(registry_lun_remove(r, db1(), 255, tell, &t, &e)));
	expect(0, NULL, 0);
	CU_ASSERT_TRUE(DONE(registry_lun_remove(r, db1(), 1, tell, &t, &e)));
	UT_EQ(db1()->guest_luns_n, 1);
}

/* 256 are enough for everybody who doesn't keep those that are expected no more. */
static void test_full(void)
{
	static const char *const next[] = {"naa.6009"};
	char file[32];

	add_db1(REG_IO_SCSI);
	expect(0, NULL, 0);
	for (unsigned i = 2; i < REG_GUEST_LUNS; i++) {
		snprintf(file, sizeof(file), "/srv/%u", i);
		UT_EQ(add_file(file, REG_GUEST_LUNS), 0);
		CU_ASSERT_TRUE_FATAL(settle(r, &t));
	}
	expect(0, next, 1);
	UT_EQ(db1()->guest_luns_n, REG_GUEST_LUNS);
	UT_EQ(merged("naa.6009")->number, 0);
	CU_ASSERT_PTR_NULL(merged("naa.6001"));
	UT_EQ(add_file("/srv/more", REG_GUEST_LUNS), 0); /* in place of naa.6002 */
	CU_ASSERT_TRUE(settle(r, &t));
	CU_ASSERT_TRUE(add_file("/srv/most", REG_GUEST_LUNS) < 0);
}

static void test_ticket(void)
{
	struct json_object *o;
	struct reg_vm *vm;

	add_db1(REG_IO_BLK);
	UT_EQ(add_file("/srv/a", 7), 0);
	CU_ASSERT_TRUE(settle(r, &t));
	o = ticket_write(db1(), "alpha", 3);
	UT_EQ(proto_get_uint(o, "version", 0), 4);
	CU_ASSERT_FALSE(ticket_stopped(o));
	vm = ticket_read(o, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
	UT_EQ(vm->io.kind, REG_IO_BLK);
	UT_EQ(vm->io.workers, 2);
	UT_EQ(vm->io.iops, 5000);
	UT_EQ(vm->io.mbps, 100);
	UT_EQ(vm->guest_luns_n, 3);
	UT_STREQ(reg_guest_lun(vm, 7)->file, "/srv/a");
	UT_STREQ(reg_guest_lun(vm, 7)->serial, "s-1");
	CU_ASSERT_TRUE(reg_guest_lun(vm, 7)->read_only);
	UT_EQ(reg_guest_lun_of(vm, "naa.6002", 0, TARGET)->number, 1);
	CU_ASSERT_TRUE(DONE(registry_vm_remove(r, db1(), tell, &t, &e)));
	CU_ASSERT_TRUE(DONE(registry_import(r, vm, tell, &t, &e)));
	UT_EQ(db1()->guest_luns_n, 3);
	reg_vm_free(vm);
	json_object_object_add(o, "stopped", json_object_new_string("confirmed"));
	CU_ASSERT_TRUE(ticket_stopped(o));
	json_object_put(o);
}

static void set_paths(bool guest)
{
	struct reg_io io = db1()->io;

	io.paths_guest = guest;
	CU_ASSERT_TRUE(DONE(registry_set(r, db1(), false, &io, tell, &t, &e)));
}

static unsigned number(const char *designator, unsigned vhba)
{
	const struct reg_guest_lun *l = reg_guest_lun_of(db1(), designator, vhba, TARGET);

	return l ? l->number : REG_GUEST_LUNS;
}

static void check_path_numbers(void)
{
	CU_ASSERT_TRUE(db1()->io.paths_guest);
	UT_EQ(db1()->guest_luns_n, 5);
	UT_EQ(number("naa.6001", 0), 0);
	UT_EQ(number("naa.6002", 0), 1);
	UT_EQ(number("naa.6002", 1), 2);
	UT_EQ(number("naa.6003", 1), 3);
	UT_EQ(number("naa.6001", 1), REG_GUEST_LUNS);
	CU_ASSERT_PTR_NULL(reg_guest_lun_of(db1(), "naa.6001", 0, TARGET + 1));
	UT_STREQ(reg_guest_lun(db1(), 7)->file, "/srv/a");
}

/* Each path has a number of its own, which stays as the others do; a file's stays whichever it is. */
static void test_paths_guest(void)
{
	static const char *const second[] = {"naa.6002", "naa.6003"};
	struct json_object *o;
	struct reg_vm *vm;

	add_db1(REG_IO_SCSI);
	UT_EQ(add_file("/srv/a", 7), 0);
	CU_ASSERT_TRUE(settle(r, &t));
	expect(1, second, 2);
	UT_EQ(db1()->guest_luns_n, 4);
	set_paths(true);
	check_path_numbers();
	CU_ASSERT_TRUE(registry_lun_remove(r, db1(), 2, tell, &t, &e) < 0);
	UT_EQ(e.kind, VHBA_E_STATE);
	reopen();
	check_path_numbers();
	expect(0, second, 1); /* its others stay theirs */
	check_path_numbers();
	o = ticket_write(db1(), "alpha", 3);
	UT_EQ(proto_get_uint(o, "version", 0), 6);
	vm = ticket_read(o, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
	json_object_put(o);
	CU_ASSERT_TRUE(DONE(registry_vm_remove(r, db1(), tell, &t, &e)));
	CU_ASSERT_TRUE(DONE(registry_import(r, vm, tell, &t, &e)));
	check_path_numbers();
	vm->io.paths_guest = false; /* the numbers say otherwise */
	CU_ASSERT_TRUE(registry_import(r, vm, tell, &t, &e) < 0);
	reg_vm_free(vm);
	CU_ASSERT_TRUE(DONE(registry_lun_remove(r, db1(), 0, tell, &t, &e))); /* expected no more */
	set_paths(false);
	UT_EQ(db1()->guest_luns_n, 3);
	UT_EQ(merged("naa.6002")->number, 0);
	UT_EQ(merged("naa.6003")->number, 1);
	o = ticket_write(db1(), "alpha", 3);
	UT_EQ(proto_get_uint(o, "version", 0), 4); /* a vhbad before this one can read */
	json_object_put(o);
}

static void test_bad_tickets(void)
{
	static const struct {
		const char *key, *value;
	} bad[] = {
		{"version", "7"},
		{"io", "{\"kind\":\"scsi\",\"paths\":\"some\"}"},
		{"io", "{\"kind\":\"scsi\",\"paths\":1}"},
		{"luns", "[{\"number\":1,\"designator\":\"a\",\"target\":\"50:06\",\"vhba\":0}]"},
		{"luns", "[{\"number\":1,\"designator\":\"a\",\"target\":\"5006016000000001\"}]"},
		{"luns", "[{\"number\":1,\"designator\":\"a\",\"target\":\"5006016000000001\",\"vhba\":16}]"},
		{"io", "1"},
		{"io", "{\"kind\":\"nvme\"}"},
		{"io", "{\"kind\":\"scsi\",\"workers\":99}"},
		{"luns", "{}"},
		{"luns", "[1]"},
		{"luns", "[{\"number\":256,\"designator\":\"naa.6\"}]"},
		{"luns", "[{\"number\":1}]"},
		{"luns", "[{\"number\":1,\"designator\":\"\"}]"},
		{"luns", "[{\"number\":1,\"file\":\"a\",\"serial\":\"x\"}]"},
		{"luns", "[{\"number\":1,\"file\":\"/a,b\",\"serial\":\"x\"}]"},
		{"luns", "[{\"number\":1,\"file\":\"/a\"}]"},
		{"luns", "[{\"number\":1,\"file\":\"/a\",\"serial\":\"x,ro\"}]"},
		{"luns", "[{\"number\":1,\"designator\":\"a\"},{\"number\":1,\"designator\":\"b\"}]"},
	};
	struct json_object *o;

	add_db1(REG_IO_SCSI);
	o = ticket_write(db1(), "alpha", 3);
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
		reg_vm_free(vm);
		json_object_put(copy);
	}
	json_object_put(o);
}

/* As the vhbad before this one made it. */
static const char version4[] =
	"CREATE TABLE vm(uuid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,"
	" generation INTEGER NOT NULL, pool INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
	"CREATE TABLE vhba(uuid TEXT NOT NULL REFERENCES vm(uuid) ON DELETE CASCADE, idx INTEGER NOT NULL,"
	" vsan INTEGER NOT NULL, zones TEXT NOT NULL, wwpn TEXT NOT NULL, wwnn TEXT NOT NULL,"
	" known INTEGER NOT NULL, reservations TEXT NOT NULL DEFAULT '', PRIMARY KEY(uuid, idx)) WITHOUT "
	"ROWID;"
	"CREATE TABLE lun(uuid TEXT NOT NULL, idx INTEGER NOT NULL, designator TEXT NOT NULL,"
	" lun INTEGER NOT NULL, target TEXT NOT NULL, size INTEGER NOT NULL,"
	" FOREIGN KEY(uuid, idx) REFERENCES vhba(uuid, idx) ON DELETE CASCADE);"
	"CREATE INDEX lun_vhba ON lun(uuid, idx);"
	"CREATE TABLE name(wwn TEXT PRIMARY KEY, uuid TEXT NOT NULL DEFAULT '') WITHOUT ROWID;"
	"CREATE UNIQUE INDEX vhba_wwpn ON vhba(wwpn);"
	"INSERT INTO vm VALUES('" UUID_A "', 'db1', 'h', 3, 1);"
	"INSERT INTO vhba VALUES('" UUID_A "', 0, 10, 'z', '00000000000050a1', '00000000000050b1', 1, '');"
	"INSERT INTO lun VALUES('" UUID_A "', 0, 'naa.6001', 4, '0000000000005006', 1024);"
	"INSERT INTO name VALUES('00000000000050a1', '" UUID_A "'), ('00000000000050b1', '" UUID_A "');"
	"PRAGMA user_version = 4;";

static void test_migration(void)
{
	const struct reg_io io = {.kind = REG_IO_SCSI};
	char path[160];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/registry.db", dir);
	UT_EQ(sqlite3_open(path, &db), SQLITE_OK);
	UT_EQ(sqlite3_exec(db, version4, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	reopen();
	CU_ASSERT_PTR_NOT_NULL_FATAL(db1());
	CU_ASSERT_TRUE(db1()->pool);
	UT_EQ(db1()->io.kind, REG_IO_NONE);
	CU_ASSERT_FALSE(db1()->io.gate);
	UT_EQ(db1()->guest_luns_n, 0);
	UT_STREQ(registry_vhba(db1(), 0)->luns[0].designator, "naa.6001");
	CU_ASSERT_TRUE(DONE(registry_set(r, db1(), true, &io, tell, &t, &e)));
	reopen();
	UT_EQ(db1()->io.kind, REG_IO_SCSI);
	UT_EQ(merged("naa.6001")->number, 0);
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"numbers that stay", test_numbers},
		{"what is refused", test_refused},
		{"no number left", test_full},
		{"a ticket", test_ticket},
		{"each path by itself", test_paths_guest},
		{"bad tickets", test_bad_tickets},
		{"from the schema before", test_migration},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"registry of LUNs", tests, begin, end}, {0}};

	return ut_main(argc, argv, suites);
}
