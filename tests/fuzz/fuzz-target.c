/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames to an array's port: [length, 2 bytes][flags][R_CTL, TYPE, parameter, payload...] again and again. */
#include <stdlib.h>
#include <string.h>

#include "fc.h"
#include "lun.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void drain(struct target *t)
{
	struct target_event *e;
	struct frame *f;

	while ((f = target_output(t)))
		frame_free(f);
	while ((e = target_next_event(t)))
		free(e);
}

static void one(struct target *t, const uint8_t *p, size_t len, uint8_t flags, uint64_t now)
{
	static const char *const faults[] = {"hang", "hold-writes", "busy", "heal"};
	char err[160], *argv[] = {(char *)faults[flags >> 6]};
	struct frame *f;

	if (flags & 1)
		target_fault(t, 1, argv, now, err, sizeof(err));
	if (flags & 2)
		target_nport_gone(t, 0x010100, "fuzz", now);
	if (len < 6)
		return;
	f = frame_new(10, len - 6);
	if (!f)
		return;
	f->data[FC_R_CTL] = p[0];
	put_be24(f->data + FC_D_ID, 0x010200);
	put_be24(f->data + FC_S_ID, 0x010100);
	f->data[FC_TYPE] = p[1];
	f->data[FC_F_CTL + 2] = flags >> 4 & 3;
	put_be16(f->data + FC_OX_ID, flags >> 2 & 3);
	memcpy(f->data + FC_PARAM, p + 2, 4);
	memcpy(frame_payload(f), p + 6, len - 6);
	target_input(t, f, now);
	target_run(t, now);
	frame_free(f);
	drain(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct target *t = target_new(&(struct target_config){.name = "f", .wwpn = 1, .wwnn = 2, .vsan = 10});
	struct lun_store *s = lun_store_new_memory("L", 64, 512, NULL);
	uint64_t now = 0;

	target_set_port_id(t, 0x010200);
	target_add_lun(t, 0, s);
	target_add_lun(t, 1, s);
	while (size >= 3) {
		size_t len = get_be16(data) % (6 + FC_PAYLOAD_MAX);

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		one(t, data, len, data[-1], now += 1000);
		data += len;
		size -= len;
	}
	free(target_status_json(t));
	target_free(t);
	lun_store_unref(s);
	return 0;
}
