/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "be.h"
#include "cleanup.h"
#include "log.h"
#include "monotime.h"
#include "path.h"

#define RETRY_US (5 * USEC_PER_SEC)
#define TRIES_MAX 6 /* then the time between them doubles no more */
#define LOST_RANK 16
#define STANDBY_RANK 3

static bool attribute(int fd, char *text, size_t size)
{
	ssize_t n = fd < 0 ? -1 : pread(fd, text, size - 1, 0);

	if (n <= 0)
		return false;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return true;
}

/* By what the kernel calls them; what it doesn't know is as good as any. */
static const struct {
	const char *state;
	unsigned rank;
} ranks[] = {
	{"active/optimized", 0},   {"active/non-optimized", 1}, {"lba-dependent", 1}, {"transitioning", 2},
	{"standby", STANDBY_RANK}, {"unavailable", 4},		{"offline", 5},
};

/* The next command tries it. */
static void due_now(struct path *p)
{
	uint64_t lost = atomic_load(&p->lost);

	atomic_store(&p->tries, 0);
	if (lost)
		atomic_compare_exchange_strong(&p->lost, &lost, 1);
}

void paths_rank(struct paths *ps)
{
	char text[64];

	for (unsigned i = 0; i < ps->n; i++) {
		struct path *p = &ps->path[i];
		unsigned rank = 0, before;

		if (!attribute(p->access, text, sizeof(text)))
			continue;
		for (unsigned r = 0; r < ARRAY_SIZE(ranks); r++)
			if (!strcmp(text, ranks[r].state))
				rank = ranks[r].rank;
		before = atomic_exchange(&p->rank, rank);
		if (before == rank)
			continue;
		log_info("%s: %s", p->name, text);
		if (before >= STANDBY_RANK && rank < STANDBY_RANK)
			due_now(p);
	}
}

bool paths_ranked(const struct paths *ps)
{
	for (unsigned i = 0; i < ps->n; i++)
		if (ps->n > 1 && ps->path[i].access >= 0)
			return true;
	return false;
}

bool path_stands_by(const struct path *p)
{
	return atomic_load(&p->rank) >= STANDBY_RANK;
}

static uint64_t retry_at(struct path *p)
{
	unsigned tries = atomic_load(&p->tries);

	if (tries < TRIES_MAX)
		atomic_fetch_add(&p->tries, 1);
	return mono_add(mono_now(), RETRY_US << tries).us;
}

/* ---- states ---- */

enum path_state path_state(const struct path *p)
{
	if (atomic_load(&p->gone))
		return PATH_GONE;
	return atomic_load(&p->lost) ? PATH_LOST : PATH_USABLE;
}

const char *path_state_name(enum path_state s)
{
	static const char *const names[] = {
		[PATH_USABLE] = "usable", [PATH_LOST] = "lost", [PATH_GONE] = "gone"};

	return names[s];
}

unsigned paths_usable(const struct paths *ps)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ps->n; i++)
		n += path_state(&ps->path[i]) == PATH_USABLE;
	return n;
}

void paths_watch(struct paths *ps, int notice)
{
	for (unsigned i = 0; i < ps->n; i++)
		atomic_store(&ps->path[i].notice, notice);
}

const struct path *paths_news(struct paths *ps, enum path_state *state)
{
	for (unsigned i = 0; i < ps->n; i++) {
		*state = path_state(&ps->path[i]);
		if (*state == ps->path[i].told)
			continue;
		ps->path[i].told = *state;
		return &ps->path[i];
	}
	return NULL;
}

static void tell(const struct path *p)
{
	const uint64_t one = 1;
	int fd = atomic_load(&p->notice);

	/* EAGAIN: it is told already */
	if (fd && write(fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_err("an eventfd can't be written: %s", strerror(errno));
}

/* Has the kernel removed the device? Its attributes went with it. */
static bool removed(const struct path *p, const struct sg_command *why)
{
	char c;

	return (why && why->error == ENODEV) ||
	       (p->state >= 0 && pread(p->state, &c, 1, 0) < 0 && errno == ENODEV);
}

/* ---- which one ---- */

/* A path that was lost: is it worth another try? One that is Blocked would keep the command. */
static bool worth_a_try(struct path *p)
{
	uint64_t lost = atomic_load(&p->lost);
	char text[64];

	if (atomic_load(&p->gone) || mono_now().us < lost ||
	    !atomic_compare_exchange_strong(&p->lost, &lost, retry_at(p)))
		return false;
	return !attribute(p->state, text, sizeof(text)) || !strcmp(text, "running");
}

struct path *paths_choose(struct paths *ps, uint32_t tried)
{
	struct path *best = NULL;
	unsigned best_rank = 0;

	for (unsigned i = 0; i < ps->n; i++) {
		struct path *p = &ps->path[i];
		unsigned rank = atomic_load_explicit(&p->rank, memory_order_relaxed);

		if (tried >> i & 1)
			continue;
		if (atomic_load_explicit(&p->lost, memory_order_relaxed) && (ps->n == 1 || !worth_a_try(p)))
			rank += LOST_RANK;
		if (!best || rank < best_rank) {
			best = p;
			best_rank = rank;
		}
	}
	return best;
}

uint32_t path_bit(const struct paths *ps, const struct path *p)
{
	return 1u << (p - ps->path);
}

void path_lost(struct path *p, const struct sg_command *why)
{
	uint64_t not_yet = 0;

	if (!atomic_load(&p->gone) && removed(p, why) && !atomic_exchange(&p->gone, true)) {
		log_warning("%s: its device is gone", p->name);
		tell(p);
	}
	if (atomic_load(&p->lost) || !atomic_compare_exchange_strong(&p->lost, &not_yet, retry_at(p)))
		return;
	if (why && why->error)
		log_warning("%s doesn't answer: %s", p->name, strerror(why->error));
	else if (why)
		log_warning("%s doesn't answer: host status 0x%02x", p->name, why->host_status);
	else
		log_warning("%s doesn't answer", p->name);
	tell(p);
}

void path_answers(struct path *p)
{
	if (!atomic_load_explicit(&p->lost, memory_order_relaxed) || !atomic_exchange(&p->lost, 0))
		return;
	atomic_store(&p->tries, 0);
	atomic_store(&p->gone, false);
	log_notice("%s answers again", p->name);
	tell(p);
}

/* ---- by which node ---- */

bool path_by_bsg(const struct path *p)
{
	return atomic_load_explicit(&p->via, memory_order_relaxed) == PATH_BY_BSG;
}

bool path_may_bsg(const struct path *p, uint8_t opcode)
{
	return atomic_load(&p->via) != PATH_BY_SG &&
	       !(atomic_load(&p->forbidden[opcode / 32]) >> opcode % 32 & 1);
}

bool path_ask(struct path *p)
{
	int unasked = PATH_UNASKED;

	return atomic_compare_exchange_strong(&p->via, &unasked, PATH_ASKED);
}

void path_asked(struct path *p, enum path_via via)
{
	atomic_store(&p->via, via);
	if (via != PATH_UNASKED)
		log_info("%s: commands go by its %s node", p->name, via == PATH_BY_BSG ? "bsg" : "sg");
}

void path_forbids(struct path *p, uint8_t opcode)
{
	atomic_fetch_or(&p->forbidden[opcode / 32], 1u << opcode % 32);
}

unsigned paths_by_bsg(const struct paths *ps)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ps->n; i++)
		n += path_by_bsg(&ps->path[i]);
	return n;
}

void path_close(struct path *p)
{
	cleanup_fd(&p->bsg);
	cleanup_fd(&p->sd);
	cleanup_fd(&p->sg);
	cleanup_fd(&p->state);
	cleanup_fd(&p->access);
}

/* Designator types of a logical unit that are worldwide names, the best first (SPC-4, 7.8.6.1). */
static const uint8_t types[] = {3, 2, 8, 1}; /* NAA, EUI-64, SCSI name string, T10 vendor */

unsigned path_designator(const uint8_t *page, unsigned len, uint8_t *designator, unsigned max)
{
	unsigned end, n = 0, best = ARRAY_SIZE(types);

	if (len < 4 || page[1] != 0x83)
		return 0;
	end = 4u + get_be16(page + 2);
	if (end > len)
		end = len;
	for (unsigned at = 4; at + 4 <= end && at + 4 + page[at + 3] <= end; at += 4u + page[at + 3]) {
		const uint8_t *d = page + at;
		unsigned type = 0;

		while (type < ARRAY_SIZE(types) && types[type] != (d[1] & 0xf))
			type++;
		if ((d[1] & 0x30) || type >= best || d[3] + 2u > max)
			continue;
		best = type;
		n = d[3] + 2u;
		designator[0] = d[0] & 0xf;
		designator[1] = d[1] & 0xf;
		memcpy(designator + 2, d + 4, d[3]);
	}
	return n;
}
