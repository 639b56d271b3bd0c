/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* paths=guest: each way to a LUN is one of its own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "lun_option.h"

struct words {
	const char *number, *path[PATHS_MAX];
	unsigned paths;
	char rest[1024]; /* ",WORD,WORD" */
	bool guest;
};

static int refuse(struct verror *e, const char *what, const char *expected)
{
	verror_set(e, VHBA_E_USAGE, "%s", what);
	verror_expected(e, "%s", expected);
	verror_fix(e, "see vhba-io(8), LOGICAL UNITS");
	return -EINVAL;
}

static int sort(char *text, struct words *w, struct verror *e)
{
	char *save = NULL, *word;
	size_t at = 0;

	w->number = strtok_r(text, ",", &save);
	while ((word = strtok_r(NULL, ",", &save))) {
		if (!strcmp(word, "paths=guest")) {
			w->guest = true;
		} else if (!strncmp(word, "paths=", 6)) {
			return refuse(e, "the LUN's paths are wrong", "paths=guest");
		} else if (!strncmp(word, "sd=", 3)) {
			if (w->paths == PATHS_MAX)
				return refuse(e, "the LUN's paths are too many", "at most 8");
			w->path[w->paths++] = word;
		} else {
			if (strlen(word) + 2 > sizeof(w->rest) - at)
				return refuse(e, "a LUN's words are too many", "1024 characters at most");
			at += (size_t)sprintf(w->rest + at, ",%s", word);
		}
	}
	return 0;
}

static int number_of(const struct words *w, unsigned long *n)
{
	char *end = NULL;

	*n = w->number ? strtoul(w->number, &end, 10) : 0;
	return end && end != w->number && !*end && *n < LUN_NUMBERS ? 0 : -EINVAL;
}

unsigned lun_each(const char *text, char *each[PATHS_MAX], struct verror *e)
{
	AUTO_FREE char *copy = strdup(text);
	struct words w = {0};
	unsigned long first;
	unsigned n = 0;

	if (!copy) {
		verror_set(e, VHBA_E_INTERNAL, "no memory for a LUN's words");
		return 0;
	}
	if (sort(copy, &w, e))
		return 0;
	if (!w.guest) {
		each[0] = steal_ptr(copy);
		strcpy(each[0], text); /* as it was before it was taken apart */
		return 1;
	}
	if (number_of(&w, &first) || !w.paths) {
		refuse(e, "paths=guest is of a number and its paths", "N,sd=PATH,sd=PATH,paths=guest");
		return 0;
	}
	for (; n < w.paths; n++) {
		if (asprintf(&each[n], "%lu,%s%s,paths=guest", first + n, w.path[n], w.rest) > 0)
			continue;
		while (n)
			free(each[--n]);
		verror_set(e, VHBA_E_INTERNAL, "no memory for a LUN's words");
		break;
	}
	return n;
}
