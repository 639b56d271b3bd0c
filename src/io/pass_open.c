/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths as a unit. */
#include <errno.h>
#include <string.h>

#include "pass.h"

/*
 * Is it another path to the LUN of the first one? Data would go to the wrong disk if not. Of nodes that were
 * passed on, who passed them has seen to that.
 */
static int same_lun(const struct path *a, const struct path *b, struct verror *e)
{
	if (a->passed && b->passed)
		return 0;
	if (a->designator_len && a->designator_len == b->designator_len &&
	    !memcmp(a->designator, b->designator, a->designator_len))
		return 0;
	verror_set(e, VHBA_E_USAGE, "%s and %s are not known to be one LUN", a->name, b->name);
	verror_expected(e, "the same designator in VPD page 83");
	verror_seen(e, a->designator_len && b->designator_len ? "different ones" : "none");
	verror_fix(e, "see lsscsi -i; each LUN has a --lun of its own");
	return -EINVAL;
}

struct unit *pass_open(const struct paths *paths, struct verror *e)
{
	uint32_t block = 0, first = 0;
	uint64_t bytes = 0;
	struct unit *u;

	for (unsigned i = 0; i < paths->n; i++) {
		if (path_check(&paths->path[i], &block, &bytes, e) ||
		    (i && same_lun(&paths->path[0], &paths->path[i], e)))
			return NULL;
		if (i && block != first) {
			verror_set(e, VHBA_E_USAGE, "%s has other blocks than %s", paths->path[i].name,
				   paths->path[0].name);
			return NULL;
		}
		first = block;
	}
	u = pass_new(paths, block, bytes);
	if (!u)
		verror_set(e, VHBA_E_INTERNAL, "no memory for %s", paths->path[0].name);
	return u;
}
