/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "frame.h"

struct frame *frame_new(uint16_t vsan, size_t payload_len)
{
	struct frame *f;

	if (payload_len > FC_PAYLOAD_MAX)
		return NULL;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->vsan = vsan;
	f->len = (uint16_t)(FC_HEADER_LEN + payload_len);
	return f;
}

void frame_free(struct frame *f)
{
	free(f);
}
