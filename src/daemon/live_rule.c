/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live.h"

/*
 * A stop without a log is a pause, a reset or the guest's own driver: nothing of a migration.  With a log it
 * may be a reset, too; then the rings start again, and it was a pause.  A front end that has gone after that
 * may have ended because its guest has moved; one that has gone with its rings running has died.
 */
static enum live_action at_source(const struct live_seen *s)
{
	bool stopped = !s->rings && s->log && !s->lost;

	switch (s->state) {
	case VM_ATTACHED:
		if (s->leaving)
			return s->rings ? LIVE_STAYED : LIVE_REST; /* or resumed by somebody: as he likes */
		return stopped ? LIVE_LEAVE : LIVE_REST;
	case VM_HELD:
	case VM_FAILED:
		return s->leaving && s->rings ? LIVE_COME_BACK : LIVE_REST;
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
