/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vhbad.conf: what it means, what is refused and how that is said, that its print reads again; placement by
 * it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "config.h"
#include "monotime.h"
#include "placement.h"
#include "ut.h"

#define GOOD                                                                                                 \
	"[vsan 10]\nname = san-a\nvlan = 10\n[vsan 20]\nfabric-name = 20:00:00:11:22:33:44:55\n"             \
	"[zone db-a]\nvsan = 10\ntargets = 50:06:01:60:00:00:0a:01, 5006016000000a02\n"

static char path[128];
static struct verror e;

static int begin(void)
{
	char dir[96];

	ut_tmpdir(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/vhbad.conf", dir);
	memset(&e, 0, sizeof(e));
	return 0;
}

static struct config *load(const char *text)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
	return config_load(path, &e);
}

static void test_good(void)
{
	struct config *c = load("[daemon]\nread-group = staff\n[fcoe eth0]\nvlans = 10, 20\n[fcoe eth1]\n"
				"[timers]\nfast-io-fail = 5s\n[quiesce]\ndrain = 250ms\n" GOOD);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	UT_STREQ(c->read_group, "staff");
	CU_ASSERT(c->keep_timers);
	UT_STREQ(c->socket, "/run/vhba/vhbad.sock");
	UT_EQ(c->fcoe_n, 2);
	UT_EQ(c->fcoe[0].count, 2);
	UT_EQ(c->fcoe[0].vlans[1], 20);
	CU_ASSERT_TRUE(c->fcoe[1].discover);
	UT_EQ(c->fast_io_fail, 5);
	UT_EQ(c->drain, 250 * USEC_PER_MSEC);
	UT_EQ(c->vsans_n, 2);
	UT_EQ(config_vsan(c, 20)->fabric_name, 0x2000001122334455);
	UT_EQ(config_zone(c, "db-a")->count, 2);
	UT_EQ(config_zone(c, "db-a")->targets[1], 0x5006016000000a02);
	UT_EQ(config_zone(c, "DB-A")->count, 2);
	CU_ASSERT_PTR_NULL(config_zone(c, "db-b"));
	CU_ASSERT_TRUE(c->parents_all);
	config_free(c);
}

static void test_printed(void)
{
	struct config *c = load("[fcoe eth0]\n[parents]\nuse = 5006016000000b01, eth9\n" GOOD), *again;
	char *one = NULL, *two = NULL;
	size_t n;
	FILE *f;

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	UT_EQ(c->fast_io_fail, CONFIG_AUTO);
	f = open_memstream(&one, &n);
	config_print(c, f);
	fclose(f);
	config_free(c);
	CU_ASSERT_PTR_NOT_NULL(strstr(one, "fast-io-fail = auto\n"));
	again = load(one);
	if (!again)
		printf("# %s: %s\n", e.what, e.expected);
	CU_ASSERT_PTR_NOT_NULL_FATAL(again);
	f = open_memstream(&two, &n);
	config_print(again, f);
	fclose(f);
	UT_STREQ(two, one);
	config_free(again);
	free(one);
	free(two);
}

static void test_parents(void)
{
	static const struct {
		const char *use;
		bool all;
		unsigned n;
	} cases[] = {{"all", true, 0}, {"fcoe", false, 0}, {"eth9.10f, 5006016000000b01", false, 2}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[200], *printed = NULL;
		struct config *c;
		size_t n;
		FILE *f;

		snprintf(text, sizeof(text), "[parents]\nuse = %s\n[fcoe eth0]\n", cases[i].use);
		c = load(text);
		CU_ASSERT_PTR_NOT_NULL_FATAL(c);
		UT_EQ(c->parents_all, cases[i].all);
		UT_EQ(c->parents_n, cases[i].n);
		f = open_memstream(&printed, &n);
		config_print(c, f);
		fclose(f);
		snprintf(text, sizeof(text), "[parents]\nuse = %s\n", cases[i].use);
		CU_ASSERT_PTR_NOT_NULL(strstr(printed, text));
		free(printed);
		config_free(c);
	}
}

/* Every key refuses what is none of its values; the complaint names section and key. */
static void test_every_key(void)
{
	for (size_t i = 0; i < config_keys_n; i++) {
		const struct config_key *k = &config_keys[i];
		char text[400];
		struct config *c;

		snprintf(text, sizeof(text), "[%s%s]\n%s%s = &%%$\n", k->section,
			 k->section[strlen(k->section) - 1] == ' ' ? "7" : "",
			 strcmp(k->key, "targets") ? "" : "vsan = 10\n", k->key);
		c = load(text);
		if (c || !strstr(e.what, k->key))
			printf("# [%s] %s: \"%s\"\n", k->section, k->key, e.what);
		CU_ASSERT_PTR_NULL(c);
		UT_EQ(e.kind, VHBA_E_USAGE);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.what, k->key));
		CU_ASSERT_TRUE(e.expected[0] != '\0');
		config_free(c);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *text, *word;
	} bad[] = {
		{"[daemon]\nsokket = /x\n" GOOD, "sokket"},
		{"[access]\nread-group = x\n" GOOD, "access"},
		{GOOD "[vsan 30]\nname = x\n", "vsan 30"},
		{GOOD "[vsan 0]\nvlan = 3\n", "vsan 0"},
		{GOOD "[vsan 4094]\nvlan = 3\n", "vsan 4094"},
		{GOOD "[vsan 30]\nvlan = 10\n", "vsan 30"},
		{GOOD "[zone x]\nvsan = 99\ntargets = 5006016000000a01\n", "zone x"},
		{GOOD "[zone x]\nvsan = 10\n", "targets"},
		{GOOD "[zone x]\nvsan = 10\ntargets = 0000000000000000\n", "targets"},
		{GOOD "[zone x]\nvsan = 10\ntargets = 5006016000000a01,5006016000000a01\n", "targets"},
		{GOOD "[timers]\nfast-io-fail = 60s\n", "fast-io-fail"},
		{GOOD "[timers]\nkeep = perhaps\n", "keep"},
		{GOOD "[quiesce]\nhold = 61s\n", "hold"},
		{GOOD "[quiesce]\ndrain = 5\n", "drain"},
		{GOOD "[quiesce]\ndrain = 1s\ndrain = 2s\n", "twice"},
		{GOOD "[names]\noui = 02:-b:3c\n", "oui"}, /* found by the fuzzer */
		{GOOD "[vsan 10]\nvlan = 11\n", "twice"},
		{GOOD "[fcoe averylonginterface]\n", "fcoe"},
		{"nonsense = 1\n" GOOD, "nonsense"}, /* iniparser drops what stands before a section */
		{"socket = /x\n" GOOD, "before the first section"},
		{GOOD "[zone a:b]\nvsan = 10\ntargets = 5006016000000a01\n", "zone a:b"}, /* and this */
		{GOOD "[fcoe ensP1]\n", "fcoe ensp1"},
		{GOOD "[vsan 30]\nfabric-name = 20:00:00:11:22:33:44:55\n", "vsan 30"},
		{GOOD "[vsan 30]\nvlan = 10\nfabric-name = 20:00:00:11:22:33:44:56\n", "vsan 30"},
		{GOOD "[vsan 30]\nvlan = 11\nname = san-a\n", "vsan 30"},
		{GOOD "[quiesce]\nmargin = 5s\n", "margin"},
		{GOOD "[daemon]\nuser =\n", "user"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct config *c = load(bad[i].text);

		if (c || !strstr(e.what, bad[i].word))
			printf("# %s: \"%s\"\n", bad[i].word, e.what);
		CU_ASSERT_TRUE(!c && strstr(e.what, bad[i].word));
		config_free(c);
	}
	CU_ASSERT_PTR_NULL(config_load("/nonexistent", &e));
	UT_EQ(e.kind, VHBA_E_NOT_FOUND);
	CU_ASSERT_PTR_NULL(config_load("/", &e)); /* it opens, and looks empty to iniparser */
	UT_EQ(e.kind, VHBA_E_IO);
}

/* ---- placement ---- */

static struct daemon d;
static struct verror pe;
static char reg_dir[96];

static struct fc_host *host(int number, uint16_t vlan, const char *state, unsigned inuse, unsigned max)
{
	struct fc_host *h = calloc(1, sizeof(*h));

	h->number = number;
	h->parent = -1;
	h->wwpn = 0x2000000000000000u + (unsigned)number;
	h->vlan = vlan;
	strcpy(h->state, state);
	h->npiv_inuse = inuse;
	h->npiv_max = max;
	TAILQ_INIT(&h->vports);
	TAILQ_INIT(&h->rports);
	TAILQ_INIT(&h->gone);
	for (unsigned i = 0; i < inuse; i++) {
		struct fc_vport *v = calloc(1, sizeof(*v));

		v->host = -1;
		v->wwpn = 0x2100000000000000u + (unsigned)number * 0x1000u + i;
		TAILQ_INSERT_TAIL(&h->vports, v, link);
	}
	TAILQ_INSERT_TAIL(&d.inv.hosts, h, link);
	return h;
}

static void written(void *arg, const struct verror *error)
{
	*(bool *)arg = !error;
}

static void wait_for(bool *done)
{
	for (int i = 0; !*done && i < 60000; i++) {
		registry_dispatch(d.reg, mono_now());
		usleep(1000);
	}
	CU_ASSERT_TRUE(*done);
	*done = false;
}

/* A VM with two vhbas in VSAN 10. */
static struct vm *place_begin(void)
{
	bool done = false;
	struct vm *vm;

	ut_memdir(reg_dir, sizeof(reg_dir));
	memset(&d, 0, sizeof(d));
	TAILQ_INIT(&d.inv.hosts);
	TAILQ_INIT(&d.vms);
	d.cfg = load(GOOD);
	d.reg = registry_open(reg_dir, 60 * USEC_PER_SEC, &pe);
	registry_vm_add(d.reg, "v", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "h", false, written, &done, &pe);
	wait_for(&done);
	for (int i = 0; i < 2; i++) {
		registry_vhba_add(d.reg, registry_find(d.reg, "v"), i, 10, "db-a", 0x50a0u + (unsigned)i,
				  0x50b0u + (unsigned)i, written, &done, &pe);
		wait_for(&done);
	}
	vm = vm_of_registry(&d, registry_find(d.reg, "v"));
	CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
	vm_set_state(vm, VM_ATTACHING);
	return vm;
}

static void place_end(void)
{
	struct vm *vm;

	while ((vm = TAILQ_FIRST(&d.vms)))
		vm_free(&d.vms, vm);
	fc_inventory_clear(&d.inv);
	registry_close(d.reg);
	config_free(d.cfg);
}

static void test_spread(void)
{
	struct vm *vm = place_begin();

	host(1, 10, "Online", 5, 255);
	host(2, 10, "Online", 9, 255);
	host(3, 20, "Online", 0, 255);
	UT_EQ(placement_choose(&d, vm, &pe), 0);
	UT_EQ(vm->vhba[0].parent_host, 1); /* the fewest vports */
	UT_EQ(vm->vhba[1].parent_host, 2); /* not twice on one */
	place_end();
}

static void test_one_parent(void)
{
	struct vm *vm = place_begin();

	host(1, 10, "Online", 5, 255);
	UT_EQ(placement_choose(&d, vm, &pe), 0);
	UT_EQ(vm->vhba[0].parent_host, 1);
	UT_EQ(vm->vhba[1].parent_host, 1); /* when no other would do */
	place_end();
}

static void test_nowhere(void)
{
	struct vm *vm = place_begin();

	host(1, 10, "Linkdown", 0, 255);
	host(2, 10, "Online", 8, 8);
	host(3, 20, "Online", 0, 255);
	CU_ASSERT_TRUE(placement_choose(&d, vm, &pe) < 0);
	UT_EQ(pe.kind, VHBA_E_CONSTRAINT);
	CU_ASSERT_PTR_NOT_NULL(strstr(pe.seen, "host1: Linkdown"));
	CU_ASSERT_PTR_NOT_NULL(strstr(pe.seen, "host2: 8 of 8"));
	CU_ASSERT_PTR_NOT_NULL(strstr(pe.seen, "host3: VLAN 20"));
	place_end();
}

/* What is being placed takes room as well, also for other VMs. */
static void test_room(void)
{
	struct vm *vm = place_begin(), *other;
	struct fc_host *two;

	host(1, 10, "Online", 7, 8);
	CU_ASSERT_TRUE(placement_choose(&d, vm, &pe) < 0);
	UT_EQ(pe.kind, VHBA_E_CONSTRAINT);
	CU_ASSERT_PTR_NOT_NULL(strstr(pe.what, "vhba 1"));
	CU_ASSERT_PTR_NOT_NULL(strstr(pe.seen, "host1: 8 of 8"));
	two = host(2, 10, "Online", 6, 7);
	UT_EQ(placement_choose(&d, vm, &pe), 0); /* what an earlier try had chosen does not count */
	CU_ASSERT_TRUE(vm->vhba[0].parent_host != vm->vhba[1].parent_host);

	other = vm_new(&d.vms, "6ba7b810-9dad-11d1-80b4-00c04fd430c9", "w");
	vm_set_state(other, VM_ATTACHING);
	other->count = 1;
	other->vhba[0].host = -1;
	other->vhba[0].wwpn = TAILQ_FIRST(&two->vports)->wwpn;
	other->vhba[0].parent_wwpn = 0x2000000000000002u;
	UT_EQ(placement_choose(&d, vm, &pe), 0); /* its vport is there, and is not counted twice */
	other->vhba[0].wwpn = 0x50c0;
	other->vhba[0].parent_wwpn = 0x2000000000000001u;
	CU_ASSERT_TRUE(placement_choose(&d, vm, &pe) < 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(pe.seen, "host1: 8 of 8"));
	place_end();
}

static void test_spread_among_vms(void)
{
	struct vm *vm = place_begin(), *other = vm_new(&d.vms, "6ba7b810-9dad-11d1-80b4-00c04fd430c9", "w");

	host(1, 10, "Online", 5, 255);
	host(2, 10, "Online", 6, 255);
	host(3, 10, "Online", 7, 255);
	vm_set_state(other, VM_ATTACHING);
	other->count = 3;
	for (int i = 0; i < 3; i++) {
		other->vhba[i].host = -1;
		other->vhba[i].wwpn = 0x50c0u + (unsigned)i;
		other->vhba[i].parent_wwpn = 0x2000000000000001u;
	}
	UT_EQ(placement_choose(&d, vm, &pe), 0); /* 8, 6 and 7 */
	UT_EQ(vm->vhba[0].parent_host, 2);
	UT_EQ(vm->vhba[1].parent_host, 3);
	place_end();
}

/* One whose vport is there already keeps its parent, and the other goes elsewhere. */
static void test_beside_adopted(void)
{
	struct vm *vm = place_begin();
	struct fc_host *one = host(1, 10, "Online", 1, 255);

	host(2, 10, "Online", 9, 255);
	TAILQ_FIRST(&one->vports)->wwpn = vm->vhba[1].wwpn;
	TAILQ_FIRST(&one->vports)->host = 7;
	UT_EQ(placement_choose(&d, vm, &pe), 0);
	UT_EQ(vm->vhba[1].parent_host, 1);
	UT_EQ(vm->vhba[0].parent_host, 2);
	place_end();
}

static CU_TestInfo config_tests[] = {
	{"a good one", test_good},	   {"printed and read again", test_printed},
	{"which parents", test_parents},   {"nonsense at every key", test_every_key},
	{"what is refused", test_refused}, CU_TEST_INFO_NULL,
};

static CU_TestInfo placement_tests[] = {
	{"spread over parents", test_spread},
	{"one parent for both", test_one_parent},
	{"nowhere, and why", test_nowhere},
	{"room, with what is being placed", test_room},
	{"spread, with what is being placed", test_spread_among_vms},
	{"beside a vport that is there", test_beside_adopted},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {
		{"config", config_tests, begin, NULL},
		{"placement", placement_tests, begin, NULL},
		{0},
	};

	return ut_main(argc, argv, suites);
}
