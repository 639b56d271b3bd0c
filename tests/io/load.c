/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "load.h"
#include "scsi_task.h"
#include "ut.h"

#define BLOCKS 8
#define LOAD_BYTES (BLOCKS * 512)

/* For those who look for the cause. */
static void say(const struct load *l, unsigned i, const char *what)
{
	const struct virtio_scsi_cmd_resp *r = front_response(&l->req[i]);

	printf("# command %u, a %s: %s; response %u, status %u, sense %02x %02x %02x, %u bytes written\n", i,
	       l->writes[i] ? "write" : "read", what, r->response, r->status, r->sense[2], r->sense[12],
	       r->sense[13], l->req[i].used_len);
}

static void again(struct front *f, struct load *l, unsigned i)
{
	front_rw(&l->req[i], (uint16_t)(i % 2), l->writes[i], i * BLOCKS, BLOCKS,
		 l->writes[i] ? l->out[i] : l->in[i]);
	front_submit(f, 2 + i % (f->rings - 2), &l->req[i]);
}

void load_begin(struct front *f, struct load *l)
{
	memset(l, 0, sizeof(*l));
	for (unsigned i = 0; i < LOAD; i++) {
		l->out[i] = front_alloc(f, LOAD_BYTES, 4096, i & 1);
		l->in[i] = front_alloc(f, LOAD_BYTES, 4096, i & 1);
		memset(front_at(f, l->out[i]), (int)i + 1, LOAD_BYTES);
		l->writes[i] = true;
		again(f, l, i);
	}
}

void load_turn(struct front *f, struct load *l, unsigned ends, bool more)
{
	unsigned before = l->ended;

	while (l->ended - before < ends) {
		for (unsigned ring = 2; ring < f->rings; ring++)
			front_reap(f, ring, f->rings == 3);
		for (unsigned i = 0; i < LOAD; i++) {
			const struct virtio_scsi_cmd_resp *r = front_response(&l->req[i]);

			if (!l->req[i].done)
				continue;
			l->req[i].done = false;
			if (r->response || (r->status && r->status != SCSI_BUSY)) {
				l->failed++;
				say(l, i, "it has failed");
			} else if (r->status == SCSI_BUSY) {
				l->busy++;
			} else if (!l->writes[i] &&
				   memcmp(front_at(f, l->in[i]), front_at(f, l->out[i]), LOAD_BYTES)) {
				l->failed++;
				say(l, i, "other data");
			}
			if (!r->status)
				l->writes[i] = !l->writes[i];
			l->ended++;
			if (more || r->status)
				again(f, l, i);
			if (!more && r->status)
				l->ended--; /* it is still to come */
		}
	}
}

void load_end(struct front *f, struct load *l)
{
	load_turn(f, l, LOAD, false);
	UT_EQ(l->failed, 0);
}
