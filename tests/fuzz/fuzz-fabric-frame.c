/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fabric fed with what a hostile cable and a hostile console could say: a list of records, each a kind, a
 * length (16 bits, big-endian) and bytes. Kinds: 0 an Ethernet frame as it is, 1 a FIP payload, 2 an FC frame
 * whose encapsulation is made good, from a logged-in N_Port, 3 a command line, 4 time passes, 5 the carrier
 * changes.
 */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "ether.h"
#include "fabric.h"
#include "fc.h"
#include "fip.h"
#include "frame_text.h"

struct fuzz {
	struct fabric *f;
	uint64_t now;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void command(struct fuzz *z, const char *line)
{
	struct json_object *reply;

	fabric_command(z->f, line, &reply, z->now);
	json_object_put(reply);
}

static void fuzz_command(struct fuzz *z, const uint8_t *data, size_t len)
{
	char *line = strndup((const char *)data, len);

	/* Files of the machine are not the fuzzer's, and its memory is bounded. */
	if (line && !strstr(line, "lun"))
		command(z, line);
	free(line);
}

static void fuzz_ether(struct fuzz *z, const uint8_t *data, size_t len)
{
	char text[200];

	frame_text(data, len, text, sizeof(text));
	fabric_input(z->f, 0, data, len, z->now);
}

static const uint8_t fcf[MAC_LEN] = {0x02, 0xfc, 0, 10, 0, 0}, enode[MAC_LEN] = {2, 0, 0, 0, 0, 1};

static void fuzz_fip(struct fuzz *z, const uint8_t *data, size_t len)
{
	uint8_t eth[ETHER_FRAME_MAX];
	size_t at = ether_header(eth, fcf, enode, 10, ETHERTYPE_FIP);

	if (len > sizeof(eth) - at)
		len = sizeof(eth) - at;
	memcpy(eth + at, data, len);
	fuzz_ether(z, eth, at + len);
}

static void fuzz_fc(struct fuzz *z, const uint8_t *data, size_t len)
{
	struct frame *fr = len < FC_HEADER_LEN ? NULL : frame_new(10, len - FC_HEADER_LEN);
	uint8_t eth[ETHER_FRAME_MAX], src[MAC_LEN];

	if (!fr)
		return;
	memcpy(fr->data, data, len);
	put_be24(fr->data + FC_S_ID, 0x010100); /* the first login */
	fpma(src, 0x010100);
	fuzz_ether(z, eth, fcoe_encap(eth, fcf, src, 10, fr));
	frame_free(fr);
}

static void fuzz_time(struct fuzz *z, const uint8_t *data, size_t len)
{
	z->now += len < 4 ? 1000 : get_be32(data) % 100000000;
	fabric_run(z->f, z->now);
}

static void fuzz_carrier(struct fuzz *z, const uint8_t *data, size_t len)
{
	fabric_carrier(z->f, 0, len && data[0] & 1, len > 2 ? get_be16(data + 1) : 2500, z->now);
}

static void flogi(struct fuzz *z)
{
	uint8_t fip[10 + 4 + FC_HEADER_LEN + LOGIN_LEN + 8] = {0x10, 0, 0, 2, 0, 1, 0, 38, 0x80};
	uint8_t *desc = fip + 10, *fc = desc + 4, *els = fc + FC_HEADER_LEN;

	desc[0] = FIP_DESC_FLOGI;
	desc[1] = (4 + FC_HEADER_LEN + LOGIN_LEN) / 4;
	fc[FC_R_CTL] = RCTL_ELS_REQ;
	put_be24(fc + FC_D_ID, FCID_LOGIN);
	fc[FC_TYPE] = FC_TYPE_ELS;
	els[0] = ELS_FLOGI;
	put_be16(els + LOGIN_BB_DATA, 2048);
	put_be64(els + LOGIN_WWPN, 0x5000000000000001);
	put_be64(els + LOGIN_WWNN, 0x2000000000000001);
	els[LOGIN_LEN] = FIP_DESC_MAC;
	els[LOGIN_LEN + 1] = 2;
	fuzz_fip(z, fip, sizeof(fip));
}

static void run_lines(struct fuzz *z, const char *const *line)
{
	for (; *line; line++)
		command(z, *line);
}

static void prepare(struct fuzz *z)
{
	static const char *const ports[] = {"vsan 10 default permit", "port p0 if none0 vsans 10",
					    "port p1 if none1 vsans 10", NULL};
	static const char *const targets[] = {"target t0 wwpn 5000000000000010 wwnn 5000000000000011 vsan 10",
					      "target t1 wwpn 5000000000000012 wwnn 5000000000000013 vsan 10",
					      "lun L0 memory 64K",
					      "map t0 0 L0",
					      "map t1 0 L0",
					      NULL};

	z->now = 1000000;
	z->f = fabric_new();
	run_lines(z, ports);
	fabric_carrier(z->f, 0, true, 2500, z->now);
	flogi(z);
	run_lines(z, targets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(struct fuzz *, const uint8_t *, size_t) = {
		fuzz_ether, fuzz_fip, fuzz_fc, fuzz_command, fuzz_time, fuzz_carrier};
	struct ether_out *o;
	struct fuzz z;

	prepare(&z);
	for (unsigned n = 0; size >= 3 && n < 64; n++) {
		size_t len = get_be16(data + 1);

		if (len > size - 3)
			len = size - 3;
		kinds[data[0] % 6](&z, data + 3, len);
		data += 3 + len;
		size -= 3 + len;
		while ((o = fabric_output(z.f)))
			free(o);
	}
	fabric_free(z.f);
	return 0;
}
