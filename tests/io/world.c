/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "ut.h"
#include "world.h"

void world_begin_with(struct world *w, struct backend_options o, unsigned queues, unsigned size,
		      uint64_t features)
{
	if (o.folder)
		snprintf(w->folder, sizeof(w->folder), "%s", o.folder);
	else
		ut_tmpdir(w->folder, sizeof(w->folder));
	o.folder = w->folder;
	front_init(&w->front, backend_start(&w->back, &o), WORLD_MEMORY, queues, size, features);
	front_negotiate(&w->front);
	front_start(&w->front, NULL);
	for (unsigned i = 0; i < o.luns; i++)
		front_settle(&w->front, (uint16_t)i);
}

void world_begin(struct world *w)
{
	world_begin_with(w, (struct backend_options){.luns = 2}, 1, 128, 0);
}

void world_end(struct world *w)
{
	front_end(&w->front);
	backend_end(&w->back);
	UT_EQ(w->back.result, 0);
}
