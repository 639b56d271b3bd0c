/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of config: values, objects, cross checks. Inside src/daemon/config*.c only. */
#ifndef VHBA_CONFIG_PARSE_H
#define VHBA_CONFIG_PARSE_H

#include "config.h"

/* A new, empty object for "fcoe IF", "vsan N" or "zone NAME"; NULL with expected for a bad name, or one too
 * many. */
void *config_new_object(struct config *c, const char *section, char *expected, size_t size);

/* What no single key can tell: zones name VSANs, timers fit each other ... 0 or -EINVAL with *e. */
int config_cross_check(const struct config *c, struct verror *e);

/*
 * What iniparser takes without a word: a section or a key that stands twice (the last one wins), a key before
 * the first section, a ':' in a section's name (both are dropped). 0 or a negative error with *e.
 */
int config_check_text(FILE *f, const char *path, struct verror *e);

#endif
