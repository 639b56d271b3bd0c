/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "core.h"

void fabric_emit(struct fabric *f, struct frame *fr)
{
	if (fr)
		TAILQ_INSERT_TAIL(&f->pending, fr, link);
}

void fabric_send_eth(struct fabric *f, struct fport *p, const uint8_t *eth, size_t len)
{
	struct ether_out *o = malloc(sizeof(*o) + len);

	if (!o)
		return; /* class 3: a frame may be lost */
	o->due_us = f->now;
	o->port = p->index;
	o->len = len;
	memcpy(o->data, eth, len);
	p->frames_out++;
	TAILQ_INSERT_TAIL(&f->outbox, o, link);
}
