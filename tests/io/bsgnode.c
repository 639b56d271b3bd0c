/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bsg.h"
#include "bsgnode.h"
#include "command.h"
#include "commands.h"
#include "lun.h"

bool __wrap_commands_room(const struct commands *, uint32_t bytes);
void __wrap_commands_send(struct commands *, struct command *);
void __wrap_commands_reap(struct commands *);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what is below */
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static struct bsgnode node;
static bool holding;
static struct command *waiting[COMMANDS_MAX];
static unsigned n;
static int wake = -1;

void bsgnode_set(const struct bsgnode *b)
{
	pthread_mutex_lock(&lock);
	node = *b;
	node.asks = node.calls = node.by_second = 0;
	pthread_mutex_unlock(&lock);
}

struct bsgnode bsgnode_get(void)
{
	struct bsgnode b;

	pthread_mutex_lock(&lock);
	b = node;
	pthread_mutex_unlock(&lock);
	return b;
}

static void signal_worker(void)
{
	const uint64_t one = 1;

	if (wake >= 0 && write(wake, &one, sizeof(one)) != sizeof(one))
		abort();
}

void bsgnode_hold(bool on)
{
	pthread_mutex_lock(&lock);
	holding = on;
	if (!on)
		signal_worker();
	pthread_mutex_unlock(&lock);
}

void bsgnode_wait(unsigned count)
{
	pthread_mutex_lock(&lock);
	while (n < count)
		pthread_cond_wait(&change, &lock);
	pthread_mutex_unlock(&lock);
}

bool __wrap_commands_room(const struct commands *cs, uint32_t bytes)
{
	unsigned taken;

	(void)cs;
	pthread_mutex_lock(&lock);
	taken = n;
	pthread_mutex_unlock(&lock);
	return taken < COMMANDS_MAX && bytes <= COMMANDS_BYTES;
}

void __wrap_commands_send(struct commands *cs, struct command *c)
{
	pthread_mutex_lock(&lock);
	wake = cs->wake;
	waiting[n++] = c;
	pthread_cond_broadcast(&change);
	if (!holding)
		signal_worker();
	pthread_mutex_unlock(&lock);
}

static enum sg_end answer_ask(struct command *c)
{
	static const uint8_t disk[36] = {[2] = 6, 2, 31};

	node.asks++;
	if (!node.ask && !node.wrong)
		memcpy(c->sg.data, disk, sizeof(disk));
	return bsg_end(&c->sg, node.ask, 0, node.sense);
}

static enum sg_end answer(struct command *c)
{
	bool second = path_bit(c->task->lun->unit->paths, c->path) == 2;

	if (c->asks)
		return answer_ask(c);
	node.calls++;
	node.by_second += second;
	if (node.privileged && c->sg.cdb[0] == node.privileged)
		return bsg_end(&c->sg, -EPERM, 0, node.sense);
	if (c->sg.out)
		memcpy(node.out, c->sg.data, c->sg.len < sizeof(node.out) ? c->sg.len : sizeof(node.out));
	else
		memset(c->sg.data, node.fill, c->sg.len);
	if (second && node.second_is_good)
		return bsg_end(&c->sg, 0, 0, node.sense);
	return bsg_end(&c->sg, node.result, node.rest, node.sense);
}

void __wrap_commands_reap(struct commands *cs)
{
	(void)cs;
	for (;;) {
		struct command *c = NULL;
		enum sg_end end = SG_LOST;

		pthread_mutex_lock(&lock);
		if (n && !holding) {
			c = waiting[0];
			memmove(waiting, waiting + 1, --n * sizeof(c));
			end = answer(c);
		}
		pthread_mutex_unlock(&lock);
		if (!c)
			return;
		command_ended(c, end);
	}
}
