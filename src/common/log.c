/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "log-queue.h"
#include "log.h"
#include "monotime.h"

static const char *log_ident = "vhba";
static enum log_level log_max = LOG_LEVEL_INFO;
static bool log_to_journal;

static const struct {
	const char *word;
	enum log_level level;
} words[] = {
	{"error", LOG_LEVEL_ERR}, {"warning", LOG_LEVEL_WARNING}, {"notice", LOG_LEVEL_NOTICE},
	{"info", LOG_LEVEL_INFO}, {"debug", LOG_LEVEL_DEBUG},
};

void log_open(const char *ident, enum log_level max)
{
	log_ident = ident;
	log_max = max;
	log_to_journal = getenv("JOURNAL_STREAM") != NULL;
}

void log_set_level(enum log_level max)
{
	log_max = max;
}

int log_level_parse(const char *word, enum log_level *level)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcmp(word, words[i].word)) {
			*level = words[i].level;
			return 0;
		}
	}
	return -EINVAL;
}

void log_vline(enum log_level level, const char *fmt, va_list ap)
{
	char line[2048];
	size_t n;
	int r;

	if (level > log_max)
		return;
	if (log_to_journal) {
		r = snprintf(line, sizeof(line), "<%d>", (int)level);
	} else {
		struct monotime now = mono_now();

		r = snprintf(line, sizeof(line), "%6" PRIu64 ".%06" PRIu64 " %s: ", now.us / USEC_PER_SEC,
			     now.us % USEC_PER_SEC, log_ident);
	}
	n = (size_t)r;
	r = vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	if (r < 0)
		return;
	n += (size_t)r;
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (!log_queue_add(line, n) && write(STDERR_FILENO, line, n) < 0)
		return; /* nowhere left to say so */
}

void log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(level, fmt, ap);
	va_end(ap);
}
