/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ports that show a LUN, and what they tell each other through it. */
#include <stdlib.h>

#include "lun_private.h"

static struct lun_port *port_find(struct lun_store *s, uint64_t wwpn)
{
	for (unsigned int i = 0; i < s->port_count; i++)
		if (s->ports[i].wwpn == wwpn)
			return &s->ports[i];
	return NULL;
}

/* Notices are kept until every port that shows the LUN has read them all. */
static void forget_read(struct lun_store *s)
{
	for (unsigned int i = 0; i < s->port_count; i++)
		if (s->ports[i].attached && s->ports[i].seen < s->notice_count)
			return;
	s->notice_count = 0;
	for (unsigned int i = 0; i < s->port_count; i++)
		s->ports[i].seen = 0;
}

uint16_t lun_port_attach(struct lun_store *s, uint64_t target_wwpn)
{
	struct lun_port *p = port_find(s, target_wwpn);

	if (!p) {
		if (s->port_count == LUN_PORTS_MAX)
			return 0;
		p = &s->ports[s->port_count++];
		p->wwpn = target_wwpn;
	}
	if (!p->attached++)
		p->seen = s->notice_count;
	return (uint16_t)(p - s->ports + 1);
}

void lun_port_detach(struct lun_store *s, uint64_t target_wwpn)
{
	struct lun_port *p = port_find(s, target_wwpn);

	if (!p || !p->attached)
		return;
	p->attached--;
	forget_read(s);
}

unsigned int lun_ports(const struct lun_store *s)
{
	return s->port_count;
}

uint64_t lun_port_wwpn(const struct lun_store *s, unsigned int i)
{
	return i < s->port_count ? s->ports[i].wwpn : 0;
}

uint16_t lun_port_id(const struct lun_store *s, uint64_t target_wwpn)
{
	for (unsigned int i = 0; i < s->port_count; i++)
		if (s->ports[i].wwpn == target_wwpn)
			return (uint16_t)(i + 1);
	return 0;
}

void lun_port_set_access(struct lun_store *s, uint64_t target_wwpn, enum lun_access a, bool tell)
{
	const struct lun_notice changed = {.asc = 0x2a, .ascq = 0x06, .why = "access state"};
	struct lun_port *p = port_find(s, target_wwpn);

	if (!p)
		return;
	s->asymmetric = true;
	p->access = a;
	if (tell)
		lun_notify(s, &changed);
}

enum lun_access lun_port_access(const struct lun_store *s, unsigned int i)
{
	return i < s->port_count ? s->ports[i].access : LUN_OPTIMIZED;
}

bool lun_is_asymmetric(const struct lun_store *s)
{
	return s->asymmetric;
}

void lun_notify(struct lun_store *s, const struct lun_notice *n)
{
	if (s->notice_count == s->notice_room) {
		size_t room = s->notice_room ? 2 * s->notice_room : 16;
		struct lun_notice *more = reallocarray(s->notices, room, sizeof(*more));

		if (!more)
			return;
		s->notices = more;
		s->notice_room = room;
	}
	s->notices[s->notice_count++] = *n;
	forget_read(s);
}

bool lun_notices_wait(const struct lun_store *s, uint16_t port_id)
{
	return port_id && port_id <= s->port_count && s->ports[port_id - 1].seen < s->notice_count;
}

bool lun_notice_next(struct lun_store *s, uint16_t port_id, struct lun_notice *n)
{
	if (!lun_notices_wait(s, port_id))
		return false;
	*n = s->notices[s->ports[port_id - 1].seen++];
	forget_read(s);
	return true;
}
