/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The registry's rules: what may be registered, to whom a name belongs, whose the file is, older files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "cleanup.h"
#include "ut-registry-bench.h"
#include "ut.h"

#define UPPER_A "6BA7B810-9DAD-11D1-80B4-00C04FD430C8"

static char dir[96], file[128];
static struct registry *r;
static struct verror e;
static struct told t;

static int begin(void)
{
	ut_memdir(dir, sizeof(dir));
	snprintf(file, sizeof(file), "%s/registry.db", dir);
	r = registry_open(dir, 60 * USEC_PER_SEC, &e);
	return r ? 0 : 1;
}

static int end(void)
{
	registry_close(r);
	r = NULL;
	return 0;
}

static bool reopen(void)
{
	registry_close(r);
	memset(&e, 0, sizeof(e));
	r = registry_open(dir, 60 * USEC_PER_SEC, &e);
	if (!r)
		printf("# %s; %s\n", e.what, e.seen);
	return r;
}

#define DONE(change)                                                                                         \
	({                                                                                                   \
		memset(&t, 0, sizeof(t));                                                                    \
		memset(&e, 0, sizeof(e));                                                                    \
		(change) == 0 && settle(r, &t);                                                              \
	})

/* Refused with that kind of error, and nothing is queued. */
#define REFUSED(as, change)                                                                                  \
	({                                                                                                   \
		memset(&t, 0, sizeof(t));                                                                    \
		memset(&e, 0, sizeof(e));                                                                    \
		int ret_ = (change);                                                                         \
		if (ret_ >= 0 || e.kind != (as))                                                             \
			printf("# %d: %d, \"%s\"\n", __LINE__, ret_, e.what);                                \
		ret_ < 0 && e.kind == (as) && e.what[0];                                                     \
	})

static const struct reg_vm *vm(const char *name)
{
	return registry_find(r, name);
}

static void sql(const char *text)
{
	char *why = NULL;
	sqlite3 *db;

	CU_ASSERT_EQUAL(sqlite3_open(file, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		printf("# %s\n", why);
	CU_ASSERT_PTR_NULL(why);
	sqlite3_free(why);
	sqlite3_close(db);
}

static struct reg_vhba vhba(unsigned index, wwn_t wwpn, wwn_t wwnn)
{
	return (struct reg_vhba){
		.index = index, .vsan = 10, .wwpn = wwpn, .wwnn = wwnn, .zones = (char *)"z"};
}

static struct reg_vm imported(const char *name, const char *uuid, struct reg_vhba *v, unsigned n)
{
	struct reg_vm m = {.vhbas = v, .vhbas_n = n};

	strcpy(m.name, name);
	strcpy(m.uuid, uuid);
	return m;
}

static void test_names_of_vms(void)
{
	char longest[REG_NAME_MAX] = "", longer[REG_NAME_MAX + 1] = "";
	const char *bad[] = {"", "-a", "a b", "a\n", "\xc3\xa4", UUID_B, longer};

	memset(longest, 'x', sizeof(longest) - 1);
	memset(longer, 'x', sizeof(longer) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CU_ASSERT_TRUE(
			REFUSED(VHBA_E_USAGE, registry_vm_add(r, bad[i], UUID_A, "h", false, tell, &t, &e)));
	CU_ASSERT_TRUE(REFUSED(VHBA_E_USAGE, registry_vm_add(r, "a", "", "h", false, tell, &t, &e)));
	CU_ASSERT_TRUE(REFUSED(VHBA_E_USAGE, registry_vm_add(r, "a", UUID_A "0", "h", false, tell, &t, &e)));
	CU_ASSERT_TRUE(REFUSED(VHBA_E_USAGE, registry_vm_add(r, "a", "00000000-0000-0000-0000-000000000000",
							     "h", false, tell, &t, &e)));
	UT_EQ(registry_count(r), 0);
	CU_ASSERT_TRUE(DONE(registry_vm_add(r, longest, UUID_A, "h", false, tell, &t, &e)));
	CU_ASSERT_TRUE(reopen());
	CU_ASSERT_PTR_NOT_NULL(vm(longest));
}

static void test_vhbas(void)
{
	static const struct {
		int index;
		uint16_t vsan;
		const char *zones;
		wwn_t wwpn, wwnn;
	} bad[] = {
		{16, 10, "z", 0x51, 0x52}, {1, 0, "z", 0x51, 0x52},   {1, 4094, "z", 0x51, 0x52},
		{1, 10, "z", 0, 0x52},	   {1, 10, "z", 0x51, 0},     {1, 10, "a b", 0x51, 0x52},
		{1, 10, ",", 0x51, 0x52},  {1, 10, "a,", 0x51, 0x52}, {1, 10, "a,,b", 0x51, 0x52},
		{1, 10, "-a", 0x51, 0x52},
	};

	char longer[REG_NAME_MAX + 1] = "";

	memset(longer, 'z', sizeof(longer) - 1);
	CU_ASSERT_TRUE(DONE(registry_vm_add(r, "a", UUID_A, "h", false, tell, &t, &e)));
	CU_ASSERT_TRUE(REFUSED(VHBA_E_USAGE,
			       registry_vhba_add(r, vm("a"), 1, 10, longer, 0x51, 0x52, tell, &t, &e)));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CU_ASSERT_TRUE(REFUSED(VHBA_E_USAGE,
				       registry_vhba_add(r, vm("a"), bad[i].index, bad[i].vsan, bad[i].zones,
							 bad[i].wwpn, bad[i].wwnn, tell, &t, &e)));
	CU_ASSERT_FALSE(registry_name_known(r, 0x51, &(const struct reg_vm *){NULL}));
	CU_ASSERT_TRUE(DONE(registry_vhba_add(r, vm("a"), 1, 10, "z", 0x101, 0x201, tell, &t, &e)));
	CU_ASSERT_TRUE(DONE(registry_vhba_add(r, vm("a"), -1, 10, "z", 0x100, 0x200, tell, &t, &e)));
	for (unsigned i = 2; i < REG_VHBAS_MAX; i++)
		CU_ASSERT_TRUE(
			DONE(registry_vhba_add(r, vm("a"), -1, 10, "", 0x100 + i, 0x200 + i, tell, &t, &e)));
	CU_ASSERT_TRUE(
		REFUSED(VHBA_E_USAGE, registry_vhba_add(r, vm("a"), -1, 10, "z", 0x51, 0x52, tell, &t, &e)));
	CU_ASSERT_TRUE(DONE(registry_vhba_remove(r, vm("a"), 7, tell, &t, &e)));
	CU_ASSERT_TRUE(reopen());
	UT_EQ(vm("a")->vhbas_n, REG_VHBAS_MAX - 1);
	for (unsigned i = 0; i + 1 < REG_VHBAS_MAX; i++)
		UT_EQ(vm("a")->vhbas[i].wwpn, 0x100 + i + (i >= 7));
	CU_ASSERT_PTR_NULL(registry_vhba(vm("a"), 7));
}

static void test_expected(void)
{
	struct reg_lun *luns = calloc(REG_LUNS_MAX + 1, sizeof(*luns));

	for (unsigned i = 0; i < REG_LUNS_MAX; i++) {
		snprintf(luns[i].designator, sizeof(luns[i].designator), "naa.%u", i);
		luns[i].lun = UINT64_MAX - i;
		luns[i].target = UINT64_MAX;
	}
	CU_ASSERT_TRUE(DONE(registry_vm_add(r, "a", UUID_A, "h", false, tell, &t, &e)));
	CU_ASSERT_TRUE(DONE(registry_vhba_add(r, vm("a"), 0, 10, "z", 0x51, 0x52, tell, &t, &e)));
	CU_ASSERT_FALSE(registry_vhba(vm("a"), 0)->known);
	CU_ASSERT_TRUE(DONE(registry_set_expected(r, vm("a"), 0, NULL, 0, tell, &t, &e)));
	CU_ASSERT_TRUE(registry_vhba(vm("a"), 0)->known);
	CU_ASSERT_TRUE(REFUSED(VHBA_E_USAGE,
			       registry_set_expected(r, vm("a"), 0, luns, REG_LUNS_MAX + 1, tell, &t, &e)));
	CU_ASSERT_TRUE(
		REFUSED(VHBA_E_NOT_FOUND, registry_set_expected(r, vm("a"), 1, luns, 1, tell, &t, &e)));
	CU_ASSERT_TRUE(DONE(registry_set_expected(r, vm("a"), 0, luns, REG_LUNS_MAX, tell, &t, &e)));
	CU_ASSERT_TRUE(reopen());
	UT_EQ(registry_vhba(vm("a"), 0)->luns_n, REG_LUNS_MAX);
	CU_ASSERT_EQUAL(memcmp(registry_vhba(vm("a"), 0)->luns, luns, REG_LUNS_MAX * sizeof(*luns)), 0);
	free(luns);
}

/* A UUID is the same in any case of its letters, here and on the disk. */
static void test_uuid_case(void)
{
	struct reg_vhba v = vhba(0, 0x51, 0x52);
	struct reg_vm in = imported("b", UPPER_A, &v, 1);

	CU_ASSERT_TRUE(DONE(registry_vm_add(r, "a", UUID_A, "h", false, tell, &t, &e)));
	CU_ASSERT_PTR_EQUAL(vm(UPPER_A), vm("a"));
	CU_ASSERT_TRUE(DONE(registry_import(r, &in, tell, &t, &e)));
	UT_EQ(registry_count(r), 1);
	CU_ASSERT_TRUE(reopen());
	UT_EQ(registry_count(r), 1);
	CU_ASSERT_PTR_NULL(vm("a"));
	UT_STREQ(vm("b")->uuid, UUID_A);
	CU_ASSERT_TRUE(REFUSED(VHBA_E_EXISTS, registry_vm_add(r, "c", UPPER_A, "h", false, tell, &t, &e)));
	CU_ASSERT_TRUE(DONE(registry_vm_remove(r, vm("b"), tell, &t, &e)));
	CU_ASSERT_TRUE(DONE(registry_vm_add(r, "c", UPPER_A, "h", false, tell, &t, &e)));
	UT_STREQ(vm("c")->uuid, UUID_A);
}

/* A removed VM's names come back with it, and with nobody else. */
static void test_removed_names(void)
{
	struct reg_vhba v = vhba(0, 0x51, 0x52), w = vhba(0, 0x52, 0x53);
	struct reg_vm other = imported("b", UUID_B, &v, 1), node = imported("b", UUID_B, &w, 1);
	struct reg_vm same = imported("a", UUID_A, &v, 1);

	CU_ASSERT_TRUE(DONE(registry_import(r, &same, tell, &t, &e)));
	CU_ASSERT_TRUE(REFUSED(VHBA_E_EXISTS, registry_import(r, &other, tell, &t, &e)));
	CU_ASSERT_TRUE(DONE(registry_vm_remove(r, vm("a"), tell, &t, &e)));
	CU_ASSERT_TRUE(REFUSED(VHBA_E_EXISTS, registry_import(r, &other, tell, &t, &e)));
	CU_ASSERT_TRUE(reopen());
	CU_ASSERT_TRUE(REFUSED(VHBA_E_EXISTS, registry_import(r, &other, tell, &t, &e)));
	CU_ASSERT_TRUE(REFUSED(VHBA_E_EXISTS, registry_import(r, &node, tell, &t, &e)));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.seen, UUID_A));
	CU_ASSERT_TRUE(DONE(registry_import(r, &same, tell, &t, &e)));
	CU_ASSERT_TRUE(DONE(registry_vhba_remove(r, vm("a"), 0, tell, &t, &e)));
	CU_ASSERT_TRUE(REFUSED(VHBA_E_EXISTS, registry_import(r, &other, tell, &t, &e)));
	CU_ASSERT_TRUE(DONE(registry_import(r, &same, tell, &t, &e)));
}

static void test_bad_imports(void)
{
	struct reg_vhba same_wwpn[] = {vhba(0, 0x51, 0x61), vhba(1, 0x51, 0x62)};
	struct reg_vhba same_wwnn[] = {vhba(0, 0x51, 0x61), vhba(1, 0x52, 0x61)};
	struct reg_vhba crossed[] = {vhba(0, 0x51, 0x61), vhba(1, 0x61, 0x62)};
	struct reg_vhba same_index[] = {vhba(1, 0x51, 0x61), vhba(1, 0x52, 0x62)};
	struct reg_vhba descending[] = {vhba(1, 0x51, 0x61), vhba(0, 0x52, 0x62)};
	struct reg_vhba nil[] = {vhba(0, 0, 0x61), vhba(1, 0x52, 0x62)};
	struct reg_vhba *bad[] = {same_wwpn, same_wwnn, crossed, same_index, descending, nil};
	struct reg_vhba many[REG_VHBAS_MAX + 1];
	struct reg_vm in;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		in = imported("a", UUID_A, bad[i], 2);
		CU_ASSERT_TRUE(REFUSED(VHBA_E_USAGE, registry_import(r, &in, tell, &t, &e)));
	}
	for (unsigned i = 0; i <= REG_VHBAS_MAX; i++)
		many[i] = vhba(i, 0x51 + i, 0x151 + i);
	in = imported("a", UUID_A, many, REG_VHBAS_MAX + 1);
	CU_ASSERT_TRUE(REFUSED(VHBA_E_USAGE, registry_import(r, &in, tell, &t, &e)));
	in = imported(UUID_B, UUID_A, many, 1);
	CU_ASSERT_TRUE(REFUSED(VHBA_E_USAGE, registry_import(r, &in, tell, &t, &e)));
	in = imported("a", UUID_A, many, REG_VHBAS_MAX);
	CU_ASSERT_TRUE(DONE(registry_import(r, &in, tell, &t, &e)));
	in = imported("a", UUID_B, many, 0);
	CU_ASSERT_TRUE(REFUSED(VHBA_E_EXISTS, registry_import(r, &in, tell, &t, &e)));
	in = imported("b", UUID_A, many, 0); /* renamed, and its vhbas gone */
	CU_ASSERT_TRUE(DONE(registry_import(r, &in, tell, &t, &e)));
	CU_ASSERT_TRUE(reopen());
	UT_EQ(registry_count(r), 1);
	UT_EQ(vm("b")->vhbas_n, 0);
}

/* What a change under way may give back is nobody else's until the disk has answered. */
static void test_reserved(void)
{
	struct told first = {0}, second = {0};
	struct reg_vhba v = vhba(0, 0x51, 0x52);
	struct reg_vm in = imported("a", UUID_B, &v, 1);

	CU_ASSERT_TRUE(DONE(registry_vm_add(r, "a", UUID_A, "h", false, tell, &t, &e)));
	UT_EQ(registry_vm_remove(r, vm("a"), tell, &first, &e), 0);
	CU_ASSERT_PTR_NULL(vm("a"));
	CU_ASSERT_TRUE(REFUSED(VHBA_E_BUSY, registry_vm_add(r, "b", UUID_A, "h", false, tell, &second, &e)));
	CU_ASSERT_TRUE(REFUSED(VHBA_E_BUSY, registry_vm_add(r, "a", UUID_B, "h", false, tell, &second, &e)));
	CU_ASSERT_TRUE(REFUSED(VHBA_E_BUSY, registry_import(r, &in, tell, &second, &e)));
	CU_ASSERT_TRUE(settle(r, &first));
	CU_ASSERT_TRUE(DONE(registry_import(r, &in, tell, &t, &e)));
	UT_EQ(second.calls, 0);
}

static void test_order(void)
{
	const char *names[] = {"m", "c", "z", "a", "M"}, *sorted[] = {"M", "a", "c", "m", "z"};
	const struct reg_vm *one;
	char uuid[40];
	size_t i = 0;

	for (; i < ARRAY_SIZE(names); i++) {
		snprintf(uuid, sizeof(uuid), "6ba7b810-9dad-11d1-80b4-00c04fd43%03zx", i);
		CU_ASSERT_TRUE(DONE(registry_vm_add(r, names[i], uuid, "h", false, tell, &t, &e)));
	}
	for (int again = 0; again < 2; again++) {
		i = 0;
		TAILQ_FOREACH (one, registry_vms(r), link)
			UT_STREQ(one->name, sorted[i++]);
		UT_EQ(i, 5);
		CU_ASSERT_TRUE(reopen());
	}
}

/* ---- the file ---- */

/* Two daemons on one file would give a name twice. */
static void test_alone(void)
{
	struct registry *second = registry_open(dir, 60 * USEC_PER_SEC, &e);

	CU_ASSERT_PTR_NULL(second);
	UT_EQ(e.kind, VHBA_E_BUSY);
	CU_ASSERT_TRUE(DONE(registry_vm_add(r, "a", UUID_A, "h", false, tell, &t, &e)));
	registry_close(second);
	CU_ASSERT_TRUE(reopen());
}

static void test_mode(void)
{
	struct stat st;

	UT_EQ(stat(file, &st), 0);
	UT_EQ(st.st_mode & 07, 0);
	end();
	CU_ASSERT_EQUAL(unlink(file), 0);
	CU_ASSERT_EQUAL(symlink("/dev/null", file), 0);
	r = registry_open(dir, 60 * USEC_PER_SEC, &e);
	CU_ASSERT_PTR_NULL(r);
	UT_EQ(e.kind, VHBA_E_IO);
	CU_ASSERT_TRUE(e.fix[0] != '\0');
}

/* Refused with that kind, and not a byte of it changes. */
static void refused_and_kept(enum vhba_error_kind kind, const void *bytes, size_t n)
{
	char *now = calloc(1, n + 1);
	int fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);

	CU_ASSERT_EQUAL(write(fd, bytes, n), (ssize_t)n);
	r = registry_open(dir, 60 * USEC_PER_SEC, &e);
	CU_ASSERT_PTR_NULL(r);
	UT_EQ(e.kind, kind);
	CU_ASSERT_TRUE(e.what[0] && e.fix[0]);
	UT_EQ(pread(fd, now, n + 1, 0), n);
	CU_ASSERT_EQUAL(memcmp(now, bytes, n), 0);
	close(fd);
	free(now);
}

static void test_no_database(void)
{
	char text[5000];

	memset(text, 'x', sizeof(text));
	end();
	refused_and_kept(VHBA_E_IO, text, sizeof(text));
}

static void test_cut(void)
{
	char *bytes = malloc(1 << 20);
	ssize_t n;
	int fd;

	CU_ASSERT_TRUE(DONE(registry_vm_add(r, "a", UUID_A, "h", false, tell, &t, &e)));
	end();
	fd = open(file, O_RDONLY);
	n = read(fd, bytes, 1 << 20);
	close(fd);
	CU_ASSERT_TRUE_FATAL(n > 8192);
	refused_and_kept(VHBA_E_IO, bytes, (size_t)n - 4096);
	free(bytes);
}

static void test_foreign(void)
{
	end();
	unlink(file);
	sql("PRAGMA user_version = 2; CREATE TABLE something(x)");
	CU_ASSERT_FALSE(reopen());
	UT_EQ(e.kind, VHBA_E_IO);
	unlink(file);
	sql("PRAGMA user_version = -1");
	CU_ASSERT_FALSE(reopen());
	UT_EQ(e.kind, VHBA_E_VERSION);
}

/* What a vhbad with schema 1 wrote. */
static void test_first_schema(void)
{
	static const char first[] =
		"CREATE TABLE vm(uuid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,"
		" generation INTEGER NOT NULL) WITHOUT ROWID;"
		"CREATE TABLE vhba(uuid TEXT NOT NULL REFERENCES vm(uuid) ON DELETE CASCADE, idx INTEGER NOT "
		"NULL,"
		" vsan INTEGER NOT NULL, zones TEXT NOT NULL, wwpn TEXT NOT NULL, wwnn TEXT NOT NULL,"
		" known INTEGER NOT NULL, PRIMARY KEY(uuid, idx)) WITHOUT ROWID;"
		"CREATE TABLE lun(uuid TEXT NOT NULL, idx INTEGER NOT NULL, designator TEXT NOT NULL,"
		" lun INTEGER NOT NULL, target TEXT NOT NULL, size INTEGER NOT NULL,"
		" FOREIGN KEY(uuid, idx) REFERENCES vhba(uuid, idx) ON DELETE CASCADE);"
		"CREATE INDEX lun_vhba ON lun(uuid, idx);"
		"CREATE TABLE name(wwn TEXT PRIMARY KEY) WITHOUT ROWID;"
		"INSERT INTO vm VALUES('" UUID_A "', 'a', 'h', 3);"
		"INSERT INTO vhba VALUES('" UUID_A
		"', 0, 10, 'z', '0000000000000051', '0000000000000052', 1);"
		"INSERT INTO lun VALUES('" UUID_A "', 0, 'naa.1', 0, '0000000000000009', 512);"
		"INSERT INTO name VALUES('0000000000000051'), ('0000000000000052'), ('0000000000000077');"
		"PRAGMA user_version = 1;";
	const struct reg_vm *owner;
	struct reg_vhba v = vhba(0, 0x77, 0x78), w = vhba(0, 0x51, 0x79);
	struct reg_vm removed = imported("b", UUID_B, &v, 1), stolen = imported("b", UUID_B, &w, 1);

	end();
	unlink(file);
	sql(first);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_TRUE_FATAL(reopen());
		UT_EQ(vm("a")->generation, 3);
		CU_ASSERT_FALSE(vm("a")->pool);
		UT_EQ(registry_vhba(vm("a"), 0)->luns_n, 1);
		CU_ASSERT_TRUE(registry_name_known(r, 0x52, &owner));
		CU_ASSERT_PTR_EQUAL(owner, vm("a"));
		CU_ASSERT_TRUE(registry_name_known(r, 0x77, &owner));
		CU_ASSERT_PTR_NULL(owner);
	}
	CU_ASSERT_TRUE(DONE(registry_set(r, vm("a"), true, &(struct reg_io){0}, tell, &t, &e)));
	CU_ASSERT_TRUE_FATAL(reopen());
	CU_ASSERT_TRUE(vm("a")->pool);
	CU_ASSERT_TRUE(REFUSED(VHBA_E_EXISTS, registry_import(r, &stolen, tell, &t, &e)));
	CU_ASSERT_TRUE(REFUSED(VHBA_E_EXISTS, registry_import(r, &removed, tell, &t, &e)));
	CU_ASSERT_TRUE(DONE(registry_vm_remove(r, vm("a"), tell, &t, &e)));
	CU_ASSERT_TRUE(REFUSED(VHBA_E_EXISTS, registry_import(r, &stolen, tell, &t, &e)));
}

static CU_TestInfo rules[] = {
	{"names and UUIDs of VMs", test_names_of_vms},
	{"vhbas", test_vhbas},
	{"expected sets", test_expected},
	{"a UUID in any case", test_uuid_case},
	{"removed names", test_removed_names},
	{"imports that are refused", test_bad_imports},
	{"reserved while under way", test_reserved},
	{"in the order of names", test_order},
	CU_TEST_INFO_NULL,
};

static CU_TestInfo files[] = {
	{"one daemon at a time", test_alone},
	{"mode, and no symbolic link", test_mode},
	{"no database", test_no_database},
	{"cut short", test_cut},
	{"somebody else's", test_foreign},
	{"the first schema", test_first_schema},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {
		{"rules", rules, begin, end},
		{"file", files, begin, end},
		{0},
	};

	return ut_main(argc, argv, suites);
}
