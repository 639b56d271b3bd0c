/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frames to an array's two ports, which show the same LUNs: [length, 12 bits; bit 15: the second port; bit
 * 14: slow] [flags][R_CTL, TYPE, parameter, payload...] again and again.
 */
#include <stdlib.h>
#include <string.h>

#include "fc.h"
#include "lun.h"
#include "target.h"

#define PORTS 2
#define SECOND_PORT 0x8000
#define SLOW 0x4000

static struct port {
	struct target *t;
	uint16_t rx[4]; /* the RX_ID that the last XFER_RDY gave, by OX_ID: no data is taken without */
} ports[PORTS];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void drain(struct port *p)
{
	struct target_event *e;
	struct frame *f;

	while ((f = target_output(p->t))) {
		if (f->data[FC_R_CTL] == RCTL_FCP_XFER_RDY)
			p->rx[get_be16(f->data + FC_OX_ID) & 3] = get_be16(f->data + FC_RX_ID);
		frame_free(f);
	}
	while ((e = target_next_event(p->t)))
		free(e);
}

static void fault(struct target *t, uint8_t flags, uint64_t now)
{
	static const char *const kinds[] = {"hang", "hold-writes", "busy", "heal"};
	char err[160], *argv[] = {(char *)kinds[flags >> 6]};

	if (flags & 1)
		target_fault(t, 1, argv, now, err, sizeof(err));
	if (flags & 2)
		target_nport_gone(t, 0x010100, "fuzz", now);
}

static void input(struct port *to, const uint8_t *p, size_t len, uint8_t flags, uint64_t now)
{
	struct frame *f = len < 6 ? NULL : frame_new(10, len - 6);
	uint8_t ox = flags >> 2 & 3;

	if (!f)
		return;
	f->data[FC_R_CTL] = p[0];
	put_be24(f->data + FC_D_ID, 0x010200);
	put_be24(f->data + FC_S_ID, 0x010100);
	f->data[FC_TYPE] = p[1];
	f->data[FC_F_CTL + 2] = flags >> 4 & 3;
	put_be16(f->data + FC_OX_ID, ox);
	put_be16(f->data + FC_RX_ID, p[0] == RCTL_SOL_DATA ? to->rx[ox] : XID_UNKNOWN);
	memcpy(f->data + FC_PARAM, p + 2, 4);
	memcpy(frame_payload(f), p + 6, len - 6);
	target_input(to->t, f, now);
	frame_free(f);
}

static void prepare(struct lun_store *s)
{
	memset(ports, 0, sizeof(ports));
	for (unsigned int i = 0; i < PORTS; i++) {
		ports[i].t = target_new(
			&(struct target_config){.name = "f", .wwpn = 1 + i, .wwnn = 3, .vsan = 10});
		target_set_port_id(ports[i].t, 0x010200);
		target_add_lun(ports[i].t, 0, s);
		target_add_lun(ports[i].t, 1, s);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lun_store *s = lun_store_new_memory("L", 64, 512, NULL);
	char *slow[] = {(char *)"slow", (char *)"2"}, err[160];
	uint64_t now = 0;

	prepare(s);
	while (size >= 3) {
		uint16_t head = get_be16(data);
		struct port *p = &ports[head & SECOND_PORT ? 1 : 0];
		size_t len = (head & 0xfff) % (6 + FC_PAYLOAD_MAX);

		now += 1000;
		if (head & SLOW)
			target_fault(p->t, 2, slow, now, err, sizeof(err));
		fault(p->t, data[2], now);
		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		input(p, data, len, data[-1], now);
		for (unsigned int i = 0; i < PORTS; i++) {
			if (target_deadline(ports[i].t) <= now)
				target_run(ports[i].t, now);
			drain(&ports[i]);
		}
		data += len;
		size -= len;
	}
	for (unsigned int i = 0; i < PORTS; i++) {
		free(target_status_json(ports[i].t));
		target_free(ports[i].t);
	}
	lun_store_unref(s);
	return 0;
}
