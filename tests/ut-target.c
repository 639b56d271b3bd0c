/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The FCP target, driven by frames in memory: logins, commands, aborts, faults, masks. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "fc.h"
#include "lun.h"
#include "target.h"
#include "ut.h"

#define ID 0x010100u /* the initiator's */
#define TARGET_ID 0x010200u
#define WWPN 0x2101000000000001u
#define BS 512
#define WRITES 1
#define READS 2

static struct target *t;
static struct lun_store *store;
static uint16_t ox, rx; /* rx: of the last XFER_RDY */
static uint16_t abts_rx = XID_UNKNOWN;

/* What came out of the target after the last frame in. */
static struct {
	unsigned int frames, xfer_rdy, responses;
	uint32_t burst, burst_at; /* of the last XFER_RDY */
	uint8_t els, r_ctl;
	uint8_t rsp[64];
	uint8_t data[64 * BS];
	uint32_t data_len;
	uint16_t ox;
} got;

static void take(void)
{
	struct frame *f;

	memset(&got, 0, sizeof(got));
	while ((f = target_output(t))) {
		size_t len = frame_payload_len(f), fill = get_be24(f->data + FC_F_CTL) & FCTL_FILL;

		got.frames++;
		got.r_ctl = f->data[FC_R_CTL];
		got.ox = get_be16(f->data + FC_OX_ID);
		UT_EQ(get_be24(f->data + FC_S_ID), TARGET_ID);
		if (got.r_ctl == RCTL_SOL_DATA) {
			UT_EQ(get_be32(f->data + FC_PARAM), got.data_len);
			memcpy(got.data + got.data_len, frame_payload(f), len - fill);
			got.data_len += (uint32_t)(len - fill);
		} else if (got.r_ctl == RCTL_FCP_XFER_RDY) {
			got.xfer_rdy++;
			rx = get_be16(f->data + FC_RX_ID);
			got.burst_at = get_be32(frame_payload(f));
			got.burst = get_be32(frame_payload(f) + 4);
		} else if (got.r_ctl == RCTL_FCP_RSP) {
			got.responses++;
			memcpy(got.rsp, frame_payload(f), len);
		} else {
			got.els = frame_payload(f)[0];
		}
		frame_free(f);
	}
}

static void send_from(uint32_t id, uint8_t r_ctl, uint8_t type, const void *payload, size_t len,
		      uint32_t offset)
{
	struct frame *f = frame_new(10, len);

	f->data[FC_R_CTL] = r_ctl;
	put_be24(f->data + FC_D_ID, TARGET_ID);
	put_be24(f->data + FC_S_ID, id);
	f->data[FC_TYPE] = type;
	put_be16(f->data + FC_OX_ID, ox);
	put_be16(f->data + FC_RX_ID, r_ctl == RCTL_SOL_DATA  ? rx
				     : r_ctl == RCTL_BA_ABTS ? abts_rx
							     : XID_UNKNOWN);
	put_be32(f->data + FC_PARAM, offset);
	memcpy(frame_payload(f), payload, len);
	target_input(t, f, 1000);
	frame_free(f);
	take();
}

static uint8_t els(const void *payload, size_t len)
{
	ox++;
	send_from(ID, RCTL_ELS_REQ, FC_TYPE_ELS, payload, len, 0);
	return got.els;
}

static uint8_t plogi(uint64_t wwpn)
{
	uint8_t p[LOGIN_LEN] = {ELS_PLOGI};

	put_be16(p + LOGIN_BB_DATA, 1024);
	put_be64(p + LOGIN_WWPN, wwpn);
	put_be64(p + LOGIN_WWNN, 5);
	put_be16(p + LOGIN_CLASS3 + 6, 1024);
	return els(p, sizeof(p));
}

static uint8_t prli(void)
{
	return els((uint8_t[]){ELS_PRLI, 16, 0, 20, 8, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x22},
		   20);
}

static uint8_t logo(void)
{
	return els((uint8_t[16]){ELS_LOGO}, 16);
}

static void command(uint8_t lun, const uint8_t cdb[16], uint8_t flags, uint32_t len)
{
	uint8_t p[32] = {0, lun};

	p[11] = flags;
	memcpy(p + 12, cdb, 16);
	put_be32(p + 28, len);
	ox++;
	send_from(ID, RCTL_FCP_CMND, FC_TYPE_FCP, p, sizeof(p), 0);
}

#define CDB(...) ((const uint8_t[16]){__VA_ARGS__})
#define STATUS got.rsp[11]

static void test_ready(void)
{
	command(0, CDB(0), 0, 0);
}

static void write_block(uint8_t lba, uint8_t value)
{
	uint8_t block[BS];

	memset(block, value, sizeof(block));
	command(0, CDB(0x2a, 0, 0, 0, 0, lba, 0, 0, 1), WRITES, BS);
	send_from(ID, RCTL_SOL_DATA, FC_TYPE_FCP, block, BS, 0);
}

static uint8_t read_block(uint8_t lba)
{
	command(0, CDB(0x28, 0, 0, 0, 0, lba, 0, 0, 1), READS, BS);
	return got.data[0];
}

static uint8_t task_management(uint8_t flags, uint8_t lun)
{
	uint8_t p[32] = {0, lun};

	p[10] = flags;
	ox++;
	send_from(ID, RCTL_FCP_CMND, FC_TYPE_FCP, p, sizeof(p), 0);
	return got.rsp[24 + 3];
}

/* Takes unit attentions until none waits. */
static unsigned int settle(void)
{
	unsigned int n = 0;

	for (test_ready(); STATUS == 2 && n < 16; n++)
		test_ready();
	return n;
}

static unsigned int open_exchanges(void)
{
	char *text = target_status_json(t);
	struct json_object *o = json_tokener_parse(text), *list;
	unsigned int n = 0;

	if (json_object_object_get_ex(o, "exchanges", &list))
		n = (unsigned int)json_object_array_length(list);
	json_object_put(o);
	free(text);
	return n;
}

static bool event_says(const char *word)
{
	struct target_event *e;
	bool found = false;

	while ((e = target_next_event(t))) {
		found |= strstr(e->text, word) != NULL;
		free(e);
	}
	return found;
}

static void fault(int argc, const char *a, const char *b, const char *c, const char *d)
{
	char *argv[] = {(char *)a, (char *)b, (char *)c, (char *)d};
	char err[160] = "";

	UT_EQ(target_fault(t, argc, argv, 1000, err, sizeof(err)), 0);
	UT_STREQ(err, "");
	take();
}

static int begin(void)
{
	t = target_new(&(struct target_config){.name = "a", .wwpn = 0x50, .wwnn = 0x51, .vsan = 10});
	store = lun_store_new_memory("L0", 256, BS, NULL);
	if (!t || !store)
		return 1;
	target_set_port_id(t, TARGET_ID);
	return target_add_lun(t, 0, store) || target_add_lun(t, 3, store);
}

static void enter(void)
{
	UT_EQ(plogi(WWPN), ELS_LS_ACC);
	UT_EQ(prli(), ELS_LS_ACC);
	settle();
	UT_EQ(STATUS, 0);
}

static int end(void)
{
	target_free(t);
	lun_store_unref(store);
	return 0;
}

static void test_login(void)
{
	test_ready();
	UT_EQ(got.els, ELS_LOGO); /* who is not logged in is told so */
	CU_ASSERT_TRUE(event_says("refused a command of"));
	UT_EQ(prli(), ELS_LS_RJT);
	UT_EQ(plogi(0), ELS_LS_RJT);
	UT_EQ(els((uint8_t[]){ELS_PLOGI, 0, 0, 0}, 4), ELS_LS_RJT);
	UT_EQ(plogi(WWPN), ELS_LS_ACC);
	test_ready();
	UT_EQ(got.els, ELS_LOGO);
	UT_EQ(prli(), ELS_LS_ACC);
	settle();
	UT_EQ(STATUS, 0);
	UT_EQ(els((uint8_t[28]){ELS_ADISC}, 28), ELS_LS_ACC);
	UT_EQ(els((uint8_t[4]){ELS_RTV}, 4), ELS_LS_RJT);
	UT_EQ(els((uint8_t[8]){ELS_PRLI, 16, 0, 20}, 8), ELS_LS_RJT);
}

static void test_read_write(void)
{
	uint8_t block[4 * BS];

	enter();
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (uint8_t)(i * 7);
	command(0, CDB(0x2a, 0, 0, 0, 0, 5, 0, 0, 4), WRITES, sizeof(block));
	UT_EQ(got.xfer_rdy, 1);
	UT_EQ(got.burst, sizeof(block));
	UT_EQ(open_exchanges(), 1);
	send_from(ID, RCTL_SOL_DATA, FC_TYPE_FCP, block + 1024, 1024, 1024); /* out of order: not taken */
	UT_EQ(got.frames, 0);
	send_from(ID, RCTL_SOL_DATA, FC_TYPE_FCP, block, 1024, 0);
	send_from(ID, RCTL_SOL_DATA, FC_TYPE_FCP, block + 1024, 1024, 1024);
	UT_EQ(got.responses, 1);
	UT_EQ(STATUS, 0);
	UT_EQ(got.rsp[10], 0);
	command(0, CDB(0x28, 0, 0, 0, 0, 5, 0, 0, 4), READS, sizeof(block));
	UT_EQ(got.frames, 3); /* of 1024 bytes at most, as the login said, and the response */
	UT_EQ(got.data_len, sizeof(block));
	CU_ASSERT_FALSE(memcmp(got.data, block, sizeof(block)));
	command(0, CDB(0x12, 0, 0, 0, 36), READS, 100); /* less data than room for it */
	UT_EQ(got.data_len, 36);
	UT_EQ(got.rsp[10], 0x08);
	UT_EQ(get_be32(got.rsp + 12), 64);
	command(9, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1), READS, BS);
	UT_EQ(STATUS, 2);
	UT_EQ(got.rsp[24 + 12], 0x25);
	UT_EQ(open_exchanges(), 0);
}

static void test_abort(void)
{
	enter();
	fault(1, "hang", NULL, NULL, NULL);
	test_ready();
	UT_EQ(got.frames, 0);
	UT_EQ(open_exchanges(), 1);
	send_from(ID, RCTL_BA_ABTS, FC_TYPE_BLS, "", 0, 0);
	UT_EQ(got.r_ctl, RCTL_BA_ACC);
	UT_EQ(open_exchanges(), 0);
	send_from(ID, RCTL_BA_ABTS, FC_TYPE_BLS, "", 0, 0);
	UT_EQ(got.r_ctl, RCTL_BA_RJT);
	test_ready();
	test_ready();
	event_says("");
	UT_EQ(logo(), ELS_LS_ACC); /* ELS are answered while it hangs */
	CU_ASSERT_TRUE(event_says("dropped 2 open exchanges"));
	UT_EQ(open_exchanges(), 0);
	fault(1, "heal", NULL, NULL, NULL);
	UT_EQ(got.frames, 0);
	plogi(WWPN);
	prli();
	test_ready();
	UT_EQ(STATUS, 2);
	UT_EQ(get_be16(got.rsp + 24 + 12), 0x2907);
	UT_EQ(settle(), 0);
}

static void test_heal(void)
{
	enter();
	fault(1, "hang", NULL, NULL, NULL);
	test_ready();
	command(0, CDB(0x2a, 0, 0, 0, 0, 1, 0, 0, 1), WRITES, BS);
	UT_EQ(open_exchanges(), 2);
	fault(1, "heal", NULL, NULL, NULL);
	UT_EQ(got.responses, 1);
	UT_EQ(got.xfer_rdy, 1);
	send_from(ID, RCTL_SOL_DATA, FC_TYPE_FCP, (uint8_t[BS]){9}, BS, 0);
	UT_EQ(got.responses, 1);
	fault(1, "hang-all", NULL, NULL, NULL);
	els((uint8_t[28]){ELS_ADISC}, 28);
	UT_EQ(got.frames, 0);
	fault(1, "heal", NULL, NULL, NULL);
}

static void test_hold_writes(void)
{
	enter();
	fault(1, "hold-writes", NULL, NULL, NULL);
	command(0, CDB(0x2a, 0, 0, 0, 0, 2, 0, 0, 1), WRITES, BS);
	send_from(ID, RCTL_SOL_DATA, FC_TYPE_FCP, (uint8_t[BS]){0x55}, BS, 0);
	UT_EQ(got.responses, 0);
	command(0, CDB(0x28, 0, 0, 0, 0, 2, 0, 0, 1), READS, BS);
	UT_EQ(got.data[0], 0);
	fault(1, "heal", NULL, NULL, NULL);
	UT_EQ(got.responses, 1);
	command(0, CDB(0x28, 0, 0, 0, 0, 2, 0, 0, 1), READS, BS);
	UT_EQ(got.data[0], 0x55);
}

static void test_status_faults(void)
{
	char err[160];

	enter();
	fault(2, "busy", "1", NULL, NULL);
	test_ready();
	UT_EQ(STATUS, 8);
	test_ready();
	UT_EQ(STATUS, 0);
	fault(4, "check", "3", "11", "0");
	test_ready();
	UT_EQ(STATUS, 2);
	UT_EQ(got.rsp[24 + 2], 3);
	fault(1, "heal", NULL, NULL, NULL);
	fault(2, "slow", "20", NULL, NULL);
	test_ready();
	UT_EQ(got.frames, 0);
	UT_EQ(target_deadline(t), 21000);
	target_run(t, 20999);
	take();
	UT_EQ(got.frames, 0);
	target_run(t, 21000);
	take();
	UT_EQ(got.responses, 1);
	UT_EQ(target_deadline(t), UINT64_MAX);
	fault(1, "heal", NULL, NULL, NULL);
	CU_ASSERT_TRUE(target_fault(t, 1, (char *[]){(char *)"nonsense"}, 0, err, sizeof(err)) < 0);
	CU_ASSERT_TRUE(target_fault(t, 2, (char *[]){(char *)"slow", (char *)"-1"}, 0, err, sizeof(err)) < 0);
	CU_ASSERT_TRUE(target_fault(t, 2, (char *[]){(char *)"hang", (char *)"5"}, 0, err, sizeof(err)) < 0);
	test_ready();
	UT_EQ(STATUS, 0); /* what was refused does nothing */
}

static void test_masks(void)
{
	enter();
	UT_EQ(target_mask_add(t, WWPN, 3), 0);
	command(0, CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64), READS, 64);
	UT_EQ(get_be32(got.data), 8);
	UT_EQ(got.data[9], 3);
	command(0, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1), READS, BS);
	UT_EQ(got.rsp[24 + 12], 0x25);
	command(3, CDB(0), 0, 0);
	UT_EQ(get_be16(got.rsp + 24 + 12), 0x3f0e);
	target_mask_clear(t);
	settle();
	test_ready();
	UT_EQ(STATUS, 0);
}

static void test_task_management(void)
{
	enter();
	fault(1, "hold-writes", NULL, NULL, NULL);
	write_block(2, 1);
	UT_EQ(open_exchanges(), 1);
	UT_EQ(task_management(0x10, 0), 0); /* LUN RESET */
	UT_EQ(got.responses, 1);
	UT_EQ(open_exchanges(), 0);
	write_block(2, 1);
	UT_EQ(task_management(0x02, 0), 0); /* ABORT TASK SET */
	UT_EQ(open_exchanges(), 0);
	write_block(2, 1);
	UT_EQ(task_management(0x04, 0), 0); /* CLEAR TASK SET */
	UT_EQ(open_exchanges(), 0);
	write_block(2, 1);
	UT_EQ(task_management(0x20, 0), 0); /* TARGET RESET */
	UT_EQ(open_exchanges(), 0);
	UT_EQ(task_management(0x40, 0), 0); /* CLEAR ACA */
	UT_EQ(task_management(0x80, 0), 4); /* no such function */
	UT_EQ(task_management(0x10, 77), 9); /* no such LUN */
	fault(1, "heal", NULL, NULL, NULL);
	UT_EQ(read_block(2), 0);
}

static void test_ends(void)
{
	enter();
	event_says("");
	fault(1, "hang", NULL, NULL, NULL);
	test_ready();
	target_nport_gone(t, ID, "LOGO to FFFFFE", 0);
	CU_ASSERT_TRUE(event_says("LOGO to FFFFFE"));
	fault(1, "heal", NULL, NULL, NULL);
	plogi(WWPN);
	prli();
	plogi(WWPN); /* again: the first login is over */
	CU_ASSERT_TRUE(event_says("PLOGI again"));
	target_set_port_id(t, 0);
	test_ready();
	UT_EQ(got.frames, 0);
}

/* The first bytes of a command's data are its offset, in each frame. */
static void send_burst(uint32_t from, uint32_t to)
{
	uint8_t data[1024];

	memset(data, 0x5c, sizeof(data));
	for (; from < to; from += sizeof(data)) {
		put_be32(data, from);
		send_from(ID, RCTL_SOL_DATA, FC_TYPE_FCP, data, sizeof(data), from);
	}
}

static void test_bursts(void)
{
	enter();
	command(0, CDB(0x2a, 0, 0, 0, 0, 0, 0, 0, 200), WRITES, 200 * BS);
	UT_EQ(got.burst_at, 0);
	UT_EQ(got.burst, 65536);
	send_from(ID, RCTL_SOL_DATA, FC_TYPE_FCP, (uint8_t[1024]){1}, 1024, 65536); /* not asked for */
	UT_EQ(got.frames, 0);
	send_burst(0, 65536);
	UT_EQ(got.frames, 1);
	UT_EQ(got.burst_at, 65536);
	UT_EQ(got.burst, 200 * BS - 65536);
	fault(1, "hang", NULL, NULL, NULL);
	send_burst(65536, 200 * BS);
	UT_EQ(got.frames, 0);
	fault(1, "heal", NULL, NULL, NULL);
	UT_EQ(got.responses, 1);
	UT_EQ(STATUS, 0);
	UT_EQ(got.rsp[10], 0);
	command(0, CDB(0x28, 0, 0, 0, 0, 128, 0, 0, 4), READS, 4 * BS);
	UT_EQ(get_be32(got.data), 65536);
	UT_EQ(get_be32(got.data + 1024), 65536 + 1024);
}

/* Four bursts from one initiator at a time; whatever ends one lets the next begin. */
static void test_window(void)
{
	uint16_t first;

	enter();
	first = (uint16_t)(ox + 1);
	for (unsigned int i = 0; i < 8; i++) {
		command(0, CDB(0x2a, 0, 0, 0, 0, 0, 0, 0, 128), WRITES, 65536);
		UT_EQ(got.xfer_rdy, i < 4);
	}
	ox = first;
	send_from(ID, RCTL_BA_ABTS, FC_TYPE_BLS, "", 0, 0);
	UT_EQ(got.xfer_rdy, 1);
	UT_EQ(got.ox, first + 4);
	ox = got.ox;
	fault(1, "hang", NULL, NULL, NULL);
	send_burst(0, 65536);
	UT_EQ(got.frames, 0);
	fault(1, "heal", NULL, NULL, NULL);
	UT_EQ(got.responses, 1);
	UT_EQ(got.xfer_rdy, 1);
	ox = (uint16_t)(first + 10);
	UT_EQ(task_management(0x02, 0), 0); /* ABORT TASK SET */
	UT_EQ(open_exchanges(), 0);
	for (unsigned int i = 0; i < 5; i++) {
		command(0, CDB(0x2a, 0, 0, 0, 0, 0, 0, 0, 128), WRITES, 65536);
		UT_EQ(got.xfer_rdy, i < 4);
	}
	command(3, CDB(0x2a, 0, 0, 0, 0, 0, 0, 0, 128), WRITES, 65536);
	UT_EQ(target_deadline(t), UINT64_MAX);
	UT_EQ(target_remove_lun(t, 0), 0);
	UT_EQ(target_deadline(t), 0);
	target_run(t, 1000);
	take();
	UT_EQ(got.xfer_rdy, 1);
	UT_EQ(target_deadline(t), UINT64_MAX);
	UT_EQ(target_add_lun(t, 0, store), 0);
	logo();
	enter();
	write_block(1, 1);
	UT_EQ(got.responses, 1);
}

/* A frame that the fabric kept back belongs to the exchange of then, not to the one that has its OX_ID now.
 */
static void test_stale_frames(void)
{
	uint16_t before, now;

	enter();
	command(0, CDB(0x2a, 0, 0, 0, 0, 7, 0, 0, 1), WRITES, BS);
	before = rx;
	ox--; /* the next command takes the OX_ID again */
	command(0, CDB(0x2a, 0, 0, 0, 0, 7, 0, 0, 1), WRITES, BS);
	now = rx;
	CU_ASSERT_NOT_EQUAL(now, before);
	rx = before;
	send_from(ID, RCTL_SOL_DATA, FC_TYPE_FCP, (uint8_t[BS]){0xbd}, BS, 0);
	UT_EQ(got.frames, 0);
	abts_rx = before;
	send_from(ID, RCTL_BA_ABTS, FC_TYPE_BLS, "", 0, 0);
	UT_EQ(got.r_ctl, RCTL_BA_RJT);
	UT_EQ(open_exchanges(), 1);
	rx = abts_rx = now;
	send_from(ID, RCTL_BA_ABTS, FC_TYPE_BLS, "", 0, 0);
	UT_EQ(got.r_ctl, RCTL_BA_ACC);
	UT_EQ(open_exchanges(), 0);
	abts_rx = XID_UNKNOWN;
}

/* Behind a longer CDB, FCP_DL stands further back. */
static void test_long_cdb(void)
{
	uint8_t p[48] = {0};

	enter();
	p[11] = 16 / 4 << 2 | READS; /* 16 bytes more, in words from bit 2 on */
	p[12] = 0x7f;
	memset(p + 28, 0xee, 16);
	put_be32(p + 44, 512);
	ox++;
	send_from(ID, RCTL_FCP_CMND, FC_TYPE_FCP, p, sizeof(p), 0);
	UT_EQ(STATUS, 2);
	UT_EQ(get_be16(got.rsp + 24 + 12), 0x2000);
	UT_EQ(get_be32(got.rsp + 12), 512);
	ox++;
	send_from(ID, RCTL_FCP_CMND, FC_TYPE_FCP, p, 44, 0); /* FCP_DL would lie past the end */
	UT_EQ(got.frames, 0);
	UT_EQ(open_exchanges(), 0);
}

static void test_prlo(void)
{
	enter();
	fault(1, "hang", NULL, NULL, NULL);
	test_ready();
	event_says("");
	UT_EQ(els((uint8_t[20]){ELS_PRLO, 16, 0, 20, 8}, 20), ELS_LS_ACC);
	CU_ASSERT_TRUE(event_says("PRLO): dropped 1 open exchange"));
	UT_EQ(open_exchanges(), 0);
	fault(1, "heal", NULL, NULL, NULL);
	UT_EQ(prli(), ELS_LS_ACC);
	test_ready();
	UT_EQ(get_be16(got.rsp + 24 + 12), 0x2907);
}

/* A second port of the array, which shows the same LUN; t from now on. Returns the first. */
static struct target *second_port(void)
{
	struct target *first = t;

	t = target_new(&(struct target_config){.name = "b", .wwpn = 0x60, .wwnn = 0x51, .vsan = 10});
	target_set_port_id(t, TARGET_ID);
	UT_EQ(target_add_lun(t, 0, store), 0);
	enter();
	return first;
}

static void reset_through(struct target *port)
{
	struct target *here = t;

	t = port;
	UT_EQ(task_management(0x10, 0), 0); /* LUN RESET */
	t = here;
}

/* What a reset through one port ends at another must not happen there when that is healed. */
static void test_reset_through_another(void)
{
	struct target *a;

	enter();
	a = second_port();
	fault(1, "hold-writes", NULL, NULL, NULL);
	write_block(9, 0x66);
	write_block(9, 0x77);
	UT_EQ(open_exchanges(), 2);
	UT_EQ(target_deadline(t), UINT64_MAX);
	reset_through(a);
	UT_EQ(target_deadline(t), 0); /* it wants to hear of it */
	event_says("");
	fault(1, "heal", NULL, NULL, NULL);
	UT_EQ(got.frames, 0);
	UT_EQ(open_exchanges(), 0);
	CU_ASSERT_TRUE(event_says("(LUN RESET)"));
	UT_EQ(target_deadline(t), UINT64_MAX);
	test_ready();
	UT_EQ(get_be16(got.rsp + 24 + 12), 0x2903);
	UT_EQ(read_block(9), 0);
	target_free(t);
	t = a;
}

static void test_slow_and_reset(void)
{
	struct target *a;

	enter();
	a = second_port();
	fault(2, "slow", "20", NULL, NULL);
	write_block(9, 0x66);
	UT_EQ(target_deadline(t), 21000);
	reset_through(a);
	target_run(t, 21000);
	take();
	UT_EQ(got.frames, 0);
	target_free(t);
	t = a;
	UT_EQ(read_block(9), 0);
}

static CU_TestInfo tests[] = {
	{"logins", test_login},
	{"READ and WRITE, residuals", test_read_write},
	{"ABTS, LOGO with open exchanges", test_abort},
	{"a hung array healed", test_heal},
	{"writes received but not executed", test_hold_writes},
	{"BUSY, CHECK CONDITION, slow", test_status_faults},
	{"LUN masks", test_masks},
	{"task management", test_task_management},
	{"the nexus ends", test_ends},
	{"bursts of data-out", test_bursts},
	{"the window of data-out", test_window},
	{"frames of an exchange that is over", test_stale_frames},
	{"a CDB longer than 16 bytes", test_long_cdb},
	{"PRLO with open exchanges", test_prlo},
	{"held here, reset through another port", test_reset_through_another},
	{"slow here, reset through another port", test_slow_and_reset},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {
		{"target", tests, begin, end},
		{0},
	};

	return ut_main(argc, argv, suites);
}
