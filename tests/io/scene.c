/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend.h"
#include "cleanup.h"
#include "scene.h"
#include "ut.h"

void scene_begin_with(struct scene *s, unsigned queues, const char *const *more, void (*event)(const char *))
{
	const char *top = getenv("top_builddir"), *level = getenv("IOLOG");
	const char *options[] = {"--log-level", level ? level : "warning",
				 "--workers",	"2",
				 "--nexus",	"21:00:00:00:00:00:00:01",
				 "--lun",	s->lun[0],
				 "--lun",	s->lun[1]};
	unsigned n = ARRAY_SIZE(options);
	int pair[2];

	memset(s, 0, sizeof(*s));
	ut_tmpdir(s->folder, sizeof(s->folder));
	snprintf(s->program, sizeof(s->program), "%s/src/io/vhba-io", top ? top : ".");
	for (unsigned i = 0; i < 2; i++) {
		AUTO_FD int fd = backend_file(s->folder, i);

		CU_ASSERT(!ftruncate(fd, BACKEND_DISK_SIZE));
		snprintf(s->lun[i], sizeof(s->lun[i]), "%u,file=%s/lun%u,serial=k%u,state=%s/state%u", i,
			 s->folder, i, i, s->folder, i);
	}
	memcpy(s->options, options, sizeof(options));
	while (*more)
		s->options[n++] = *more++;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		abort();
	s->holder = (struct holder){.program = s->program,
				    .options = s->options,
				    .socket = pair[1],
				    .socket_once = true,
				    .event = event};
	holder_begin(&s->holder);
	while (!holder_has(&s->holder, "conn"))
		usleep(200); /* who is killed before he has said what he has has nothing */
	front_init(&s->front, pair[0], SCENE_MEMORY, queues, 64, 0);
}

void scene_begin(struct scene *s, unsigned queues)
{
	scene_begin_with(s, queues, (const char *[]){NULL}, NULL);
}

void scene_start(struct scene *s)
{
	front_negotiate(&s->front);
	front_get_inflight(&s->front);
	front_start(&s->front, NULL);
	front_settle(&s->front, 0);
	front_settle(&s->front, 1);
}

void scene_end(struct scene *s)
{
	UT_EQ(holder_end(&s->holder), 0);
	close(s->holder.socket);
	front_end(&s->front);
}
