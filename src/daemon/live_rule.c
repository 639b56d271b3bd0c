/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live.h"

/*
 * A stop without a log is a pause, a reset or the guest's own driver: nothing of a migration.  With a log it
 * may be a reset, too; then the rings start again, and it was a pause.  A front end that has gone after that
 * may have ended because its guest has moved; one that has gone with its rings running has died.
 */
static enum live_action leaves(const struct live_seen *s)
{
	bool stopped = !s->rings && s->log && !s->lost;

	return stopped ? LIVE_LEAVE : LIVE_REST;
}

/* Attached and not due: somebody has resumed it, and it is as he likes. */
static enum live_action unfinished(const struct live_seen *s)
{
	if (!s->due || s->tries > LIVE_TRIES)
		return LIVE_REST;
	return s->tries < LIVE_TRIES ? LIVE_AGAIN : LIVE_GIVE_UP;
}

static enum live_action at_source(const struct live_seen *s)
{
	switch (s->state) {
	case VM_ATTACHED:
		if (!s->leaving)
			return leaves(s);
		return s->rings ? LIVE_STAYED : unfinished(s);
	case VM_HELD:
	case VM_FAILED:
		if (!s->leaving)
			return LIVE_REST;
		return s->rings ? LIVE_COME_BACK : unfinished(s);
	default:
		return LIVE_REST;
	}
}

enum live_action live_rule(const struct live_seen *s)
{
	if (!s->known || s->busy)
		return LIVE_REST;
	if (!s->arrives)
		return s->vhbas ? at_source(s) : LIVE_REST;
	if (!s->rings)
		return LIVE_REST;
	if (!s->vhbas)
		return LIVE_OPEN;
	return s->state == VM_DETACHED ? LIVE_ARRIVE : LIVE_REST;
}

bool live_is_elsewhere(const struct live_name *n)
{
	bool other_id = n->own && n->own != n->now;
	bool other_port = n->left && n->parent == n->left && n->at && n->at != n->left;

	return other_id || other_port || (n->let_go && n->given);
}
