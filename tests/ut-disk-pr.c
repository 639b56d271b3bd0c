/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Persistent reservations, as three initiators see them, and what of them outlives the process. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "be.h"
#include "cleanup.h"
#include "state.h"
#include "ut.h"
#include "ut-disk-rig.h"

#define BS 512u
#define KEY_A UINT64_C(0xaaaa000000000001)
#define KEY_B UINT64_C(0xbbbb000000000002)
#define KEY_C UINT64_C(0xcccc000000000003)

#define REGISTER 0
#define RESERVE 1
#define RELEASE 2
#define CLEAR 3
#define PREEMPT 4
#define PREEMPT_ABORT 5
#define REGISTER_IGNORE 6
#define REGISTER_MOVE 7

#define PREEMPTED_RESERVATION 0x062a03
#define RELEASED_RESERVATION 0x062a04
#define PREEMPTED_REGISTRATION 0x062a05
#define BAD_RELEASE 0x052604
#define NOT_READY 0x020403

static struct rig r;

static int out(uint64_t nexus, uint8_t action, uint8_t type, uint64_t key, uint64_t action_key, uint8_t flags)
{
	uint8_t list[24] = {0};

	put_be64(key, list);
	put_be64(action_key, list + 8);
	list[20] = flags;
	return OUT(&r, nexus, list, sizeof(list), 0x5f, action, type, 0, 0, BE4(24), 0);
}

static int join(uint64_t nexus, uint64_t key)
{
	return out(nexus, REGISTER, 0, 0, key, 0);
}

static int ready(uint64_t nexus)
{
	return DO(&r, nexus, 0, 0, 0, 0, 0, 0);
}

static int do_read(uint64_t nexus)
{
	return IN(&r, nexus, BS, 0x28, 0, BE4(0), 0, BE2(1), 0);
}

static int do_write(uint64_t nexus)
{
	static const uint8_t block[BS];

	return OUT(&r, nexus, block, BS, 0x2a, 0, BE4(0), 0, BE2(1), 0);
}

/* The keys as READ KEYS tells them; their number. */
static unsigned keys(uint32_t *generation)
{
	UT_EQ(IN(&r, RIG_C, 1024, 0x5e, 0, 0, 0, 0, 0, 0, BE2(1024), 0), 0);
	if (generation)
		*generation = get_be32(r.answer);
	return get_be32(r.answer + 4) / 8;
}

static unsigned held_type(uint64_t *key)
{
	UT_EQ(IN(&r, RIG_C, 64, 0x5e, 1, 0, 0, 0, 0, 0, BE2(64), 0), 0);
	if (!get_be32(r.answer + 4))
		return 0;
	if (key)
		*key = get_be64(r.answer + 8);
	return r.answer[21];
}

/* Each test on a disk of its own: three initiators, who have seen the power on. */
static void begin(void)
{
	rig_init(&r, 64);
	rig_open(&r, DISK_POWER_ON);
	UT_EQ(ready(RIG_C), SAID_POWER_ON);
}

static void end(void)
{
	rig_free(&r);
}

static void reopen(enum disk_start how)
{
	rig_shut(&r);
	rig_open(&r, how);
	if (how == DISK_POWER_ON)
		UT_EQ(ready(RIG_C), SAID_POWER_ON);
}

static void test_register(void)
{
	uint32_t generation;

	begin();
	UT_EQ(keys(&generation), 0);
	UT_EQ(generation, 0);
	UT_EQ(out(RIG_A, REGISTER, 0, KEY_A, KEY_A, 0), SAID_CONFLICT); /* not registered, yet with a key */
	UT_EQ(join(RIG_A, 0), 0); /* nothing, and that is no error */
	UT_EQ(keys(&generation), 0);
	UT_EQ(generation, 0);
	UT_EQ(join(RIG_A, KEY_A), 0);
	UT_EQ(join(RIG_A, KEY_B), SAID_CONFLICT);
	UT_EQ(out(RIG_A, REGISTER, 0, KEY_A, KEY_B, 0), 0);
	UT_EQ(keys(&generation), 1);
	UT_EQ(generation, 2);
	UT_EQ(get_be64(r.answer + 8), KEY_B);
	UT_EQ(out(RIG_A, REGISTER_IGNORE, 0, 12345, KEY_A, 0), 0);
	UT_EQ(join(RIG_B, KEY_A), 0); /* two may have the same key */
	UT_EQ(keys(&generation), 2);
	UT_EQ(generation, 4);
	UT_EQ(out(RIG_A, REGISTER, 0, KEY_A, 0, 0), 0);
	UT_EQ(out(RIG_B, REGISTER_IGNORE, 0, 0, 0, 0), 0);
	UT_EQ(keys(NULL), 0);
	end();
}

static void test_list_lengths(void)
{
	uint8_t list[64] = {0};

	begin();
	for (unsigned n = 0; n < 24; n++)
		UT_EQ(OUT(&r, RIG_A, list, n, 0x5f, 0, 0, 0, 0, BE4(n), 0), SAID_BAD_LENGTH);
	UT_EQ(OUT(&r, RIG_A, list, 25, 0x5f, 0, 0, 0, 0, BE4(25), 0), SAID_BAD_LENGTH);
	UT_EQ(OUT(&r, RIG_A, list, 64, 0x5f, 0, 0, 0, 0, BE4(UINT32_MAX), 0), SAID_BAD_LENGTH);
	OUT(&r, RIG_A, list, 23, 0x5f, 0, 0, 0, 0, BE4(24), 0);
	CU_ASSERT(r.t.overrun);
	UT_EQ(OUT(&r, RIG_A, list, 24, 0x5f, 8, 0, 0, 0, BE4(24), 0), SAID_BAD_CDB);
	UT_EQ(IN(&r, RIG_A, 8, 0x5e, 4, 0, 0, 0, 0, 0, BE2(8), 0), SAID_BAD_CDB);
	/* a short answer is the same one, cut off */
	UT_EQ(join(RIG_A, KEY_A), 0);
	UT_EQ(IN(&r, RIG_A, 64, 0x5e, 0, 0, 0, 0, 0, 0, BE2(12), 0), 0);
	UT_EQ(r.t.moved, 12);
	UT_EQ(get_be32(r.answer + 4), 8);
	UT_EQ(IN(&r, RIG_A, 0, 0x5e, 0, 0, 0, 0, 0, 0, BE2(0), 0), 0);
	end();
}

/* Who may read and write under each type: the holder, a registered one, one who is not. */
static void test_access(void)
{
	static const struct {
		uint8_t type;
		bool registered_reads, registered_writes, stranger_reads;
	} cases[] = {
		{PR_WRITE_EXCLUSIVE, true, false, true},   {PR_EXCLUSIVE_ACCESS, false, false, false},
		{PR_WRITE_EXCLUSIVE_RO, true, true, true}, {PR_EXCLUSIVE_ACCESS_RO, true, true, false},
		{PR_WRITE_EXCLUSIVE_AR, true, true, true}, {PR_EXCLUSIVE_ACCESS_AR, true, true, false},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		begin();
		UT_EQ(join(RIG_A, KEY_A), 0);
		UT_EQ(join(RIG_B, KEY_B), 0);
		UT_EQ(out(RIG_A, RESERVE, cases[i].type, KEY_A, 0, 0), 0);
		UT_EQ(do_read(RIG_A), 0);
		UT_EQ(do_write(RIG_A), 0);
		UT_EQ(do_read(RIG_B), cases[i].registered_reads ? 0 : SAID_CONFLICT);
		UT_EQ(do_write(RIG_B), cases[i].registered_writes ? 0 : SAID_CONFLICT);
		UT_EQ(do_read(RIG_C), cases[i].stranger_reads ? 0 : SAID_CONFLICT);
		UT_EQ(do_write(RIG_C), SAID_CONFLICT);
		/* and who comes for the first time: the power on, then the same */
		UT_EQ(ready(RIG_C + 1), SAID_POWER_ON);
		UT_EQ(do_write(RIG_C + 1), SAID_CONFLICT);
		end();
	}
}

/* What a stranger may do though all is reserved, by command (SPC-4, table 66; SBC-3, table 13). */
static void test_conflicts(void)
{
	static const struct {
		uint8_t cdb[16];
		bool write_exclusive, exclusive_access; /* a conflict there */
	} cases[] = {
		{{0x00}, false, false}, /* TEST UNIT READY */
		{{0x03, 0, 0, 0, 18}, false, false}, /* REQUEST SENSE */
		{{0x12, 0, 0, 0, 36}, false, false}, /* INQUIRY */
		{{0x1a, 0, 0x3f, 0, 64}, false, true}, /* MODE SENSE */
		{{0x15, 0x10, 0, 0, 0}, true, true}, /* MODE SELECT */
		{{0x1b, 0, 0, 0, 1}, false, false}, /* START */
		{{0x1b, 0, 0, 0, 0}, true, true}, /* STOP */
		{{0x25}, false, false}, /* READ CAPACITY */
		{{0x2f, 0, 0, 0, 0, 0, 0, 0, 1}, false, true}, /* VERIFY */
		{{0x35}, true, true}, /* SYNCHRONIZE CACHE */
		{{0x41, 0, 0, 0, 0, 0, 0, 0, 1}, true, true}, /* WRITE SAME */
		{{0x42}, true, true}, /* UNMAP */
		{{0x5e, 0, 0, 0, 0, 0, 0, 0, 64}, false, false}, /* READ KEYS */
		{{0x89}, true, true}, /* COMPARE AND WRITE */
		{{0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32}, false, false}, /* READ CAPACITY(16) */
		{{0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64}, false, true}, /* GET LBA STATUS */
		{{0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16}, false, false}, /* REPORT LUNS */
		{{0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 0, 64}, false, true}, /* REPORT SUPPORTED OPERATION CODES */
	};
	static const uint8_t block[BS];

	for (unsigned k = 0; k < 2; k++) {
		begin();
		UT_EQ(join(RIG_A, KEY_A), 0);
		UT_EQ(out(RIG_A, RESERVE, k ? PR_EXCLUSIVE_ACCESS : PR_WRITE_EXCLUSIVE, KEY_A, 0, 0), 0);
		for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
			bool conflict = k ? cases[i].exclusive_access : cases[i].write_exclusive;

			rig_do(&r, RIG_B, cases[i].cdb, 16, block, BS, 4096);
			if ((rig_said(&r) == SAID_CONFLICT) != conflict)
				printf("# opcode %02x, type %u\n", cases[i].cdb[0], k);
			UT_EQ(rig_said(&r), conflict ? SAID_CONFLICT : 0);
		}
		UT_EQ(out(RIG_B, RESERVE, PR_EXCLUSIVE_ACCESS, 0, 0, 0), SAID_CONFLICT);
		UT_EQ(out(RIG_B, CLEAR, 0, 0, 0, 0), SAID_CONFLICT);
		UT_EQ(join(RIG_B, KEY_B), 0); /* to register is always possible */
		end();
	}
}

static void test_reserve(void)
{
	uint64_t key;

	begin();
	UT_EQ(join(RIG_A, KEY_A), 0);
	UT_EQ(join(RIG_B, KEY_B), 0);
	UT_EQ(out(RIG_A, RESERVE, PR_WRITE_EXCLUSIVE, KEY_B, 0, 0), SAID_CONFLICT);
	UT_EQ(out(RIG_A, RESERVE, 2, KEY_A, 0, 0), SAID_BAD_CDB);
	UT_EQ(out(RIG_A, RESERVE, 0, KEY_A, 0, 0), SAID_BAD_CDB);
	UT_EQ(out(RIG_A, RESERVE, 9, KEY_A, 0, 0), SAID_BAD_CDB);
	UT_EQ(out(RIG_A, RESERVE, 0x10 | PR_WRITE_EXCLUSIVE, KEY_A, 0, 0), SAID_BAD_CDB); /* scope */
	UT_EQ(held_type(NULL), 0);
	UT_EQ(out(RIG_A, RESERVE, PR_WRITE_EXCLUSIVE, KEY_A, 0, 0), 0);
	UT_EQ(out(RIG_A, RESERVE, PR_WRITE_EXCLUSIVE, KEY_A, 0, 0), 0);
	UT_EQ(out(RIG_A, RESERVE, PR_EXCLUSIVE_ACCESS, KEY_A, 0, 0), SAID_CONFLICT);
	UT_EQ(out(RIG_B, RESERVE, PR_WRITE_EXCLUSIVE, KEY_B, 0, 0), SAID_CONFLICT);
	UT_EQ(held_type(&key), PR_WRITE_EXCLUSIVE);
	UT_EQ(key, KEY_A);
	UT_EQ(out(RIG_B, RELEASE, PR_WRITE_EXCLUSIVE, KEY_B, 0, 0), 0); /* not the holder: no effect */
	UT_EQ(held_type(NULL), PR_WRITE_EXCLUSIVE);
	UT_EQ(out(RIG_A, RELEASE, PR_EXCLUSIVE_ACCESS, KEY_A, 0, 0), BAD_RELEASE);
	UT_EQ(out(RIG_A, RELEASE, PR_WRITE_EXCLUSIVE, KEY_A, 0, 0), 0);
	UT_EQ(held_type(NULL), 0);
	UT_EQ(ready(RIG_B), 0); /* of this type nobody is told */
	UT_EQ(out(RIG_A, RELEASE, PR_WRITE_EXCLUSIVE, KEY_A, 0, 0), 0);
	end();
}

static void test_released(void)
{
	static const uint8_t types[] = {PR_WRITE_EXCLUSIVE_RO, PR_EXCLUSIVE_ACCESS_RO, PR_WRITE_EXCLUSIVE_AR,
					PR_EXCLUSIVE_ACCESS_AR};

	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		bool all = types[i] >= PR_WRITE_EXCLUSIVE_AR;

		begin();
		UT_EQ(join(RIG_A, KEY_A), 0);
		UT_EQ(join(RIG_B, KEY_B), 0);
		UT_EQ(out(RIG_A, RESERVE, types[i], KEY_A, 0, 0), 0);
		UT_EQ(out(RIG_A, RELEASE, types[i], KEY_A, 0, 0), 0);
		UT_EQ(ready(RIG_B), RELEASED_RESERVATION);
		UT_EQ(ready(RIG_A), 0);
		UT_EQ(ready(RIG_C), 0);
		/* the holder leaves */
		UT_EQ(out(RIG_A, RESERVE, types[i], KEY_A, 0, 0), 0);
		UT_EQ(out(RIG_A, REGISTER, 0, KEY_A, 0, 0), 0);
		UT_EQ(held_type(NULL), all ? types[i] : 0);
		UT_EQ(ready(RIG_B), all ? 0 : RELEASED_RESERVATION);
		UT_EQ(out(RIG_B, REGISTER, 0, KEY_B, 0, 0), 0);
		UT_EQ(held_type(NULL), 0);
		end();
	}
}

static void test_clear(void)
{
	uint32_t generation;

	begin();
	UT_EQ(join(RIG_A, KEY_A), 0);
	UT_EQ(join(RIG_B, KEY_B), 0);
	UT_EQ(out(RIG_A, RESERVE, PR_EXCLUSIVE_ACCESS, KEY_A, 0, 0), 0);
	UT_EQ(out(RIG_B, CLEAR, 0, KEY_A, 0, 0), SAID_CONFLICT);
	UT_EQ(out(RIG_B, CLEAR, 0, KEY_B, 0, 0), 0);
	UT_EQ(keys(&generation), 0);
	UT_EQ(generation, 3);
	UT_EQ(held_type(NULL), 0);
	UT_EQ(ready(RIG_A), PREEMPTED_RESERVATION);
	UT_EQ(ready(RIG_B), 0);
	UT_EQ(do_write(RIG_C), 0);
	end();
}

static void test_preempt_holder(void)
{
	uint64_t key;

	for (uint8_t action = PREEMPT; action <= PREEMPT_ABORT; action++) {
		begin();
		UT_EQ(join(RIG_A, KEY_A), 0);
		UT_EQ(join(RIG_B, KEY_B), 0);
		UT_EQ(join(RIG_C, KEY_C), 0);
		UT_EQ(out(RIG_A, RESERVE, PR_WRITE_EXCLUSIVE, KEY_A, 0, 0), 0);
		UT_EQ(out(RIG_B, action, PR_EXCLUSIVE_ACCESS, KEY_C, KEY_A, 0), SAID_CONFLICT);
		UT_EQ(out(RIG_B, action, 2, KEY_B, KEY_A, 0), SAID_BAD_CDB);
		UT_EQ(out(RIG_B, action, PR_EXCLUSIVE_ACCESS, KEY_B, 0, 0), SAID_BAD_PARAMETER);
		UT_EQ(out(RIG_B, action, PR_EXCLUSIVE_ACCESS, KEY_B, KEY_A, 0), 0);
		UT_EQ(ready(RIG_A), PREEMPTED_REGISTRATION);
		UT_EQ(ready(RIG_B), 0);
		UT_EQ(ready(RIG_C), RELEASED_RESERVATION); /* another type than before */
		UT_EQ(keys(NULL), 2);
		UT_EQ(held_type(&key), PR_EXCLUSIVE_ACCESS);
		UT_EQ(key, KEY_B);
		UT_EQ(do_write(RIG_A), SAID_CONFLICT);
		UT_EQ(do_write(RIG_B), 0);
		end();
	}
}

static void test_preempt_others(void)
{
	uint64_t key;

	begin();
	UT_EQ(join(RIG_A, KEY_A), 0);
	UT_EQ(join(RIG_B, KEY_B), 0);
	UT_EQ(join(RIG_C, KEY_B), 0);
	UT_EQ(out(RIG_A, PREEMPT, PR_WRITE_EXCLUSIVE, KEY_A, KEY_C, 0),
	      SAID_CONFLICT); /* nobody has that key */
	UT_EQ(out(RIG_A, RESERVE, PR_WRITE_EXCLUSIVE_RO, KEY_A, 0, 0), 0);
	/* others' registrations go, the reservation stays what it is */
	UT_EQ(out(RIG_A, PREEMPT, PR_EXCLUSIVE_ACCESS, KEY_A, KEY_B, 0), 0);
	UT_EQ(ready(RIG_B), PREEMPTED_REGISTRATION);
	UT_EQ(ready(RIG_C), PREEMPTED_REGISTRATION);
	UT_EQ(held_type(&key), PR_WRITE_EXCLUSIVE_RO);
	UT_EQ(key, KEY_A);
	UT_EQ(do_write(RIG_B), SAID_CONFLICT);
	/* one's own reservation, to another type */
	UT_EQ(out(RIG_A, PREEMPT, PR_EXCLUSIVE_ACCESS, KEY_A, KEY_A, 0), 0);
	UT_EQ(held_type(NULL), PR_EXCLUSIVE_ACCESS);
	UT_EQ(keys(NULL), 1);
	UT_EQ(ready(RIG_A), 0);
	end();
}

static void test_preempt_all_registrants(void)
{
	uint64_t key;

	begin();
	UT_EQ(join(RIG_A, KEY_A), 0);
	UT_EQ(join(RIG_B, KEY_B), 0);
	UT_EQ(join(RIG_C, KEY_C), 0);
	UT_EQ(out(RIG_A, RESERVE, PR_EXCLUSIVE_ACCESS_AR, KEY_A, 0, 0), 0);
	UT_EQ(held_type(&key), PR_EXCLUSIVE_ACCESS_AR);
	UT_EQ(key, 0);
	UT_EQ(out(RIG_B, PREEMPT, PR_WRITE_EXCLUSIVE, KEY_B, KEY_A, 0), 0); /* only the registration */
	UT_EQ(ready(RIG_A), PREEMPTED_REGISTRATION);
	UT_EQ(do_read(RIG_A), SAID_CONFLICT);
	UT_EQ(held_type(NULL), PR_EXCLUSIVE_ACCESS_AR);
	UT_EQ(out(RIG_B, PREEMPT, PR_WRITE_EXCLUSIVE, KEY_B, 0, 0), 0); /* all of it */
	UT_EQ(ready(RIG_C), PREEMPTED_REGISTRATION);
	UT_EQ(held_type(&key), PR_WRITE_EXCLUSIVE);
	UT_EQ(key, KEY_B);
	UT_EQ(keys(NULL), 1);
	end();
}

static size_t transport_id(uint8_t *b, uint64_t nexus)
{
	memset(b, 0, 24);
	put_be64(nexus, b + 8);
	return 24;
}

static void test_spec_i_pt(void)
{
	uint8_t list[28 + 48] = {0};

	begin();
	put_be64(KEY_A, list + 8);
	list[20] = 0x08;
	put_be32(48, list + 24);
	transport_id(list + 28, RIG_B);
	transport_id(list + 52, RIG_C + 9);
	UT_EQ(OUT(&r, RIG_A, list, 76, 0x5f, REGISTER, 0, 0, 0, BE4(76), 0),
	      SAID_BAD_PARAMETER); /* who is that? */
	UT_EQ(keys(NULL), 0);
	transport_id(list + 52, RIG_C);
	list[52] = 0x45; /* iSCSI */
	UT_EQ(OUT(&r, RIG_A, list, 76, 0x5f, REGISTER, 0, 0, 0, BE4(76), 0), SAID_BAD_PARAMETER);
	list[52] = 0;
	UT_EQ(OUT(&r, RIG_A, list, 76, 0x5f, REGISTER, 0, 0, 0, BE4(75), 0), SAID_BAD_LENGTH);
	UT_EQ(OUT(&r, RIG_A, list, 24, 0x5f, REGISTER, 0, 0, 0, BE4(24), 0), SAID_BAD_LENGTH);
	put_be32(47, list + 24);
	UT_EQ(OUT(&r, RIG_A, list, 76, 0x5f, REGISTER, 0, 0, 0, BE4(76), 0), SAID_BAD_LENGTH);
	put_be32(48, list + 24);
	UT_EQ(OUT(&r, RIG_A, list, 76, 0x5f, REGISTER, 0, 0, 0, BE4(76), 0), 0);
	UT_EQ(keys(NULL), 3);
	UT_EQ(OUT(&r, RIG_A, list, 24, 0x5f, RESERVE, 1, 0, 0, BE4(24), 0), SAID_BAD_PARAMETER);
	/* READ FULL STATUS: who has which */
	UT_EQ(out(RIG_A, RESERVE, PR_WRITE_EXCLUSIVE, KEY_A, 0, 0), 0);
	UT_EQ(IN(&r, RIG_B, 512, 0x5e, 3, 0, 0, 0, 0, 0, BE2(512), 0), 0);
	UT_EQ(get_be32(r.answer + 4), 3 * 48);
	for (unsigned i = 0; i < 3; i++) {
		const uint8_t *d = r.answer + 8 + 48 * i;

		UT_EQ(get_be64(d), KEY_A);
		UT_EQ(d[12], i ? 0 : 1);
		UT_EQ(d[13], i ? 0 : PR_WRITE_EXCLUSIVE);
		UT_EQ(get_be16(d + 18), 1);
		UT_EQ(get_be32(d + 20), 24);
		UT_EQ(get_be64(d + 32), RIG_A + i);
	}
	end();
}

static void test_move(void)
{
	uint8_t list[48] = {0};
	uint64_t key;

	begin();
	UT_EQ(join(RIG_A, KEY_A), 0);
	UT_EQ(join(RIG_B, KEY_B), 0);
	put_be64(KEY_A, list);
	put_be64(KEY_C, list + 8);
	list[17] = 0x02; /* UNREG */
	put_be16(1, list + 18);
	put_be32(24, list + 20);
	transport_id(list + 24, RIG_C);
	/* nothing to move yet */
	UT_EQ(OUT(&r, RIG_A, list, 48, 0x5f, REGISTER_MOVE, 0, 0, 0, BE4(48), 0), SAID_CONFLICT);
	UT_EQ(out(RIG_A, RESERVE, PR_EXCLUSIVE_ACCESS, KEY_A, 0, 0), 0);
	put_be16(2, list + 18);
	UT_EQ(OUT(&r, RIG_A, list, 48, 0x5f, REGISTER_MOVE, 0, 0, 0, BE4(48), 0), SAID_BAD_PARAMETER);
	put_be16(1, list + 18);
	UT_EQ(OUT(&r, RIG_A, list, 47, 0x5f, REGISTER_MOVE, 0, 0, 0, BE4(47), 0), SAID_BAD_LENGTH);
	transport_id(list + 24, RIG_A);
	UT_EQ(OUT(&r, RIG_A, list, 48, 0x5f, REGISTER_MOVE, 0, 0, 0, BE4(48), 0), SAID_BAD_PARAMETER);
	transport_id(list + 24, RIG_C);
	UT_EQ(OUT(&r, RIG_A, list, 48, 0x5f, REGISTER_MOVE, 0, 0, 0, BE4(48), 0), 0);
	UT_EQ(held_type(&key), PR_EXCLUSIVE_ACCESS);
	UT_EQ(key, KEY_C);
	UT_EQ(keys(NULL), 2);
	UT_EQ(do_write(RIG_C), 0);
	UT_EQ(do_write(RIG_A), SAID_CONFLICT);
	end();
}

static void test_capabilities(void)
{
	begin();
	UT_EQ(IN(&r, RIG_A, 8, 0x5e, 2, 0, 0, 0, 0, 0, BE2(8), 0), 0);
	UT_EQ(get_be16(r.answer), 8);
	UT_EQ(r.answer[2], 0x0d);
	UT_EQ(r.answer[3], 0x80);
	UT_EQ(get_be16(r.answer + 4), 0xea01);
	UT_EQ(out(RIG_A, REGISTER, 0, 0, KEY_A, 1), 0);
	UT_EQ(IN(&r, RIG_A, 8, 0x5e, 2, 0, 0, 0, 0, 0, BE2(8), 0), 0);
	UT_EQ(r.answer[3], 0x81);
	rig_shut(&r);
	/* without a place to keep it, it is not promised */
	r.config.state_fd = -1;
	rig_open(&r, DISK_POWER_ON);
	UT_EQ(IN(&r, RIG_A, 8, 0x5e, 2, 0, 0, 0, 0, 0, BE2(8), 0), 0);
	UT_EQ(r.answer[2], 0x0c);
	UT_EQ(out(RIG_A, REGISTER, 0, 0, KEY_A, 1), SAID_BAD_PARAMETER);
	UT_EQ(out(RIG_A, REGISTER, 0, 0, KEY_A, 0), 0);
	end();
}

static void test_power_loss(void)
{
	uint32_t generation;
	uint64_t key;

	begin();
	UT_EQ(out(RIG_A, REGISTER, 0, 0, KEY_A, 1), 0);
	UT_EQ(out(RIG_B, REGISTER, 0, 0, KEY_B, 1), 0);
	UT_EQ(out(RIG_A, RESERVE, PR_WRITE_EXCLUSIVE_RO, KEY_A, 0, 0), 0);
	reopen(DISK_POWER_ON);
	UT_EQ(keys(&generation), 2);
	UT_EQ(generation, 0);
	UT_EQ(held_type(&key), PR_WRITE_EXCLUSIVE_RO);
	UT_EQ(key, KEY_A);
	UT_EQ(do_write(RIG_C), SAID_CONFLICT);
	UT_EQ(do_write(RIG_B), 0);
	/* the last APTPL that was said is what counts */
	UT_EQ(out(RIG_B, REGISTER, 0, KEY_B, KEY_C, 0), 0);
	reopen(DISK_POWER_ON);
	UT_EQ(keys(NULL), 0);
	UT_EQ(held_type(NULL), 0);
	UT_EQ(do_write(RIG_C), 0);
	end();
}

/* The guest runs on: all is as it was, APTPL or not, and nobody is told of a power on; what waits still
 * waits. */
static void test_moved(void)
{
	uint32_t generation;

	begin();
	UT_EQ(join(RIG_A, KEY_A), 0);
	UT_EQ(join(RIG_B, KEY_B), 0);
	UT_EQ(out(RIG_A, RESERVE, PR_EXCLUSIVE_ACCESS_RO, KEY_A, 0, 0), 0);
	UT_EQ(out(RIG_A, PREEMPT, PR_EXCLUSIVE_ACCESS_RO, KEY_A, KEY_B, 0), 0);
	UT_EQ(disk_save(r.d), 0);
	reopen(DISK_RESUMED);
	UT_EQ(ready(RIG_A), 0);
	UT_EQ(ready(RIG_B), PREEMPTED_REGISTRATION);
	UT_EQ(do_write(RIG_B), SAID_CONFLICT);
	UT_EQ(do_read(RIG_C), SAID_CONFLICT);
	UT_EQ(keys(&generation), 1);
	UT_EQ(generation, 3);
	/* another size is seen, and told once */
	CU_ASSERT(!ftruncate(r.fd, 128 * BS));
	reopen(DISK_RESUMED);
	UT_EQ(ready(RIG_A), 0x062a09);
	UT_EQ(ready(RIG_A), 0);
	end();
}

static void flip(off_t at)
{
	uint8_t byte;

	CU_ASSERT(pread(r.state, &byte, 1, at) == 1);
	byte ^= 0x10;
	CU_ASSERT(pwrite(r.state, &byte, 1, at) == 1);
}

/* Any byte of the newest record wrong: the one before it holds. */
static void test_torn(void)
{
	uint8_t image[2 * STATE_SLOT_SIZE];
	struct disk_state s;
	uint64_t seq[2];
	unsigned newest;

	begin();
	UT_EQ(join(RIG_A, KEY_A), 0);
	UT_EQ(join(RIG_B, KEY_B), 0);
	rig_shut(&r);
	CU_ASSERT_FATAL(pread(r.state, image, sizeof(image), 0) == sizeof(image));
	for (unsigned i = 0; i < 2; i++)
		UT_EQ(state_decode(image + i * STATE_SLOT_SIZE, &s, &seq[i]), STATE_READ);
	newest = seq[1] > seq[0];
	for (unsigned at = 0; at < 88 + 2 * 16; at++) {
		CU_ASSERT(pwrite(r.state, image, sizeof(image), 0) == sizeof(image));
		flip(newest * STATE_SLOT_SIZE + at);
		rig_open(&r, DISK_RESUMED);
		UT_EQ(keys(NULL), 1);
		/* and what comes next is written over the torn one */
		UT_EQ(join(RIG_C, KEY_C), 0);
		reopen(DISK_RESUMED);
		UT_EQ(keys(NULL), 2);
		rig_shut(&r);
	}
	rig_open(&r, DISK_RESUMED);
	end();
}

/* What a state file of these bytes is taken for: the generation, -1 for a new file, -2 for damage. */
static long loaded(const uint8_t *image)
{
	struct state_file f = {.fd = r.state};
	struct disk_state s;
	int rc;

	CU_ASSERT(pwrite(r.state, image, 2 * STATE_SLOT_SIZE, 0) == 2 * STATE_SLOT_SIZE);
	rc = state_load(&f, &s, NULL);
	return rc < 0 ? -2 : rc ? (long)s.pr.generation : -1;
}

/* Whatever part of a record reached the medium when the power went, it is the state before or the one after.
 */
static void test_cut_off(void)
{
	uint8_t image[3][2 * STATE_SLOT_SIZE] = {0}, slot[STATE_SLOT_SIZE], torn[2 * STATE_SLOT_SIZE];
	struct disk_state s = {.naa_len = 16};
	unsigned at, before, after, wrong = 0;
	long is;

	begin();
	/* the file's first three records: at 0, at 1, at 0 again; generations 10, 10 (a new file gets two),
	 * 11 */
	for (unsigned i = 0; i < 3; i++) {
		s.pr.generation = i == 2 ? 11 : 10;
		s.pr.n = i == 2 ? 2 : 0;
		s.pr.reg[0] = (struct pr_registration){RIG_A, KEY_A};
		s.pr.reg[1] = (struct pr_registration){RIG_B, KEY_B};
		state_encode(slot, &s, i + 1);
		if (i)
			memcpy(image[i], image[i - 1], sizeof(image[i]));
		memcpy(image[i] + (i & 1) * STATE_SLOT_SIZE, slot, sizeof(slot));
	}
	for (unsigned i = 0; i < 3; i++) {
		at = (i & 1) * STATE_SLOT_SIZE;
		before = i == 0 ? (unsigned)-1 : 10;
		after = i == 2 ? 11 : 10;
		for (unsigned n = 0; n <= 256; n++) {
			if (i)
				memcpy(torn, image[i - 1], sizeof(torn));
			else
				memset(torn, 0, sizeof(torn));
			memcpy(torn + at, image[i] + at, n < 256 ? n : STATE_SLOT_SIZE);
			is = loaded(torn);
			wrong += (unsigned)is != before && (unsigned)is != after;
			if (n == 256)
				UT_EQ((unsigned)is, after);
		}
	}
	UT_EQ(wrong, 0);
	end();
}

static int start_again(struct verror *e)
{
	memset(e, 0, sizeof(*e));
	return disk_start(r.d, DISK_RESUMED, e);
}

static void test_refused(void)
{
	uint8_t image[2 * STATE_SLOT_SIZE], after[sizeof(image)];
	struct verror e;

	begin();
	UT_EQ(join(RIG_A, KEY_A), 0);
	CU_ASSERT_FATAL(pread(r.state, image, sizeof(image), 0) == sizeof(image));
	/* both torn: never taken for "no reservation" */
	flip(100);
	flip(STATE_SLOT_SIZE + 100);
	flip(20);
	flip(STATE_SLOT_SIZE + 20);
	CU_ASSERT(start_again(&e) < 0);
	UT_EQ(e.kind, VHBA_E_IO);
	/* nobody knows what is reserved: nobody gets at the disk, but it says what it is */
	UT_EQ(ready(RIG_A), NOT_READY);
	UT_EQ(do_write(RIG_A), NOT_READY);
	UT_EQ(do_read(RIG_C), NOT_READY);
	UT_EQ(join(RIG_B, KEY_B), NOT_READY);
	UT_EQ(IN(&r, RIG_A, 96, 0x12, 0, 0, BE2(96), 0), 0);
	CU_ASSERT(pwrite(r.state, image, sizeof(image), 0) == sizeof(image));
	UT_EQ(start_again(&e), 0);
	UT_EQ(keys(NULL), 1);
	UT_EQ(do_write(RIG_A), 0);
	/* another disk's */
	rig_shut(&r);
	r.config.naa[5]++;
	{
		struct disk_config c = r.config;

		c.fd = dup(r.fd);
		c.state_fd = dup(r.state);
		r.d = disk_open(&c, &e);
		CU_ASSERT_FATAL(r.d != NULL);
	}
	CU_ASSERT(start_again(&e) < 0);
	UT_EQ(e.kind, VHBA_E_CONSTRAINT);
	/* what was not taken up is not written over either */
	UT_EQ(disk_save(r.d), -ENODATA);
	UT_EQ(join(RIG_A, KEY_A), NOT_READY);
	CU_ASSERT(pread(r.state, after, sizeof(after), 0) == sizeof(after));
	CU_ASSERT(!memcmp(image, after, sizeof(after)));
	end();
}

static void test_records(void)
{
	struct disk_state s = {.naa_len = 16};
	uint8_t slot[STATE_SLOT_SIZE];
	uint64_t seq;

	state_encode(slot, &s, 7);
	UT_EQ(state_decode(slot, &s, &seq), STATE_READ);
	UT_EQ(seq, 7);
	state_encode(slot, &s, 0);
	UT_EQ(state_decode(slot, &s, &seq), STATE_TORN); /* no record has that number */
	memset(slot, 0, sizeof(slot));
	UT_EQ(state_decode(slot, &s, &seq), STATE_EMPTY);
	/* whole, but of a version that isn't known: not to be taken for torn, nor overwritten */
	state_encode(slot, &s, 7);
	put_be32(STATE_VERSION + 1, slot + 8);
	put_be32(0, slot + 24);
	put_be32((uint32_t)crc32(0, slot, get_be32(slot + 12)), slot + 24);
	UT_EQ(state_decode(slot, &s, &seq), STATE_NEWER);
}

/* A file that can't be written: the answer says so, and nothing has changed. */
static void test_not_stored(void)
{
	struct disk_config c;
	struct verror e;
	char path[64];

	begin();
	UT_EQ(join(RIG_A, KEY_A), 0);
	rig_shut(&r);
	c = r.config;
	c.fd = dup(r.fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", r.state);
	c.state_fd = open(path, O_RDONLY | O_CLOEXEC);
	r.d = disk_open(&c, &e);
	CU_ASSERT_FATAL(r.d != NULL && c.state_fd >= 0);
	UT_EQ(start_again(&e), 0);
	UT_EQ(keys(NULL), 1);
	UT_EQ(join(RIG_B, KEY_B), 0x044400);
	UT_EQ(out(RIG_A, CLEAR, 0, KEY_A, 0, 0), 0x044400);
	UT_EQ(keys(NULL), 1);
	CU_ASSERT(disk_save(r.d) < 0);
	end();
}

static void test_full(void)
{
	begin();
	for (unsigned i = 0; i < DISK_NEXUS_MAX - 3; i++) {
		UT_EQ(ready(RIG_C + 1 + i), SAID_POWER_ON);
		UT_EQ(join(RIG_C + 1 + i, KEY_C), 0);
	}
	UT_EQ(keys(NULL), DISK_NEXUS_MAX - 3);
	UT_EQ(ready(RIG_C + 1 + DISK_NEXUS_MAX), -SCSI_BUSY);
	UT_EQ(IN(&r, RIG_A, 8192, 0x5e, 3, 0, 0, 0, 0, 0, BE2(8192), 0), 0);
	UT_EQ(r.t.moved, 8 + 48 * (DISK_NEXUS_MAX - 3));
	reopen(DISK_RESUMED);
	UT_EQ(keys(NULL), DISK_NEXUS_MAX - 3);
	end();
}

static CU_TestInfo tests[] = {
	{"REGISTER", test_register},
	{"parameter lists", test_list_lengths},
	{"types", test_access},
	{"conflicts by command", test_conflicts},
	{"RESERVE and RELEASE", test_reserve},
	{"who is told of a release", test_released},
	{"CLEAR", test_clear},
	{"PREEMPT the holder", test_preempt_holder},
	{"PREEMPT others", test_preempt_others},
	{"PREEMPT all registrants", test_preempt_all_registrants},
	{"SPEC_I_PT and full status", test_spec_i_pt},
	{"REGISTER AND MOVE", test_move},
	{"capabilities", test_capabilities},
	{"power loss", test_power_loss},
	{"a move", test_moved},
	{"a torn record", test_torn},
	{"a record cut off at any byte", test_cut_off},
	{"state files refused", test_refused},
	{"records", test_records},
	{"not stored", test_not_stored},
	{"as many as there may be", test_full},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {{"disk-pr", tests, NULL, NULL}, {NULL}};

	return ut_main(argc, argv, suites);
}
