/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A front end and vhba-io as a process that a holder keeps alive; LUNs 0 and 1 are files. */
#ifndef VHBA_TESTS_SCENE_H
#define VHBA_TESTS_SCENE_H

#include "front.h"
#include "holder.h"

#define SCENE_MEMORY (16u << 20)

struct scene {
	char folder[64], lun[2][256], program[4096];
	const char *options[16];
	struct holder holder;
	struct front front;
};

/* They are connected, and nothing else is done; more: vhba-io's other options, NULL at their end. */
void scene_begin_with(struct scene *, unsigned queues, const char *const *more, void (*event)(const char *));
void scene_begin(struct scene *, unsigned queues);

/* All that a front end says until its rings run, with memory for commands under way; the LUNs are ready. */
void scene_start(struct scene *);

void scene_end(struct scene *);

#endif
