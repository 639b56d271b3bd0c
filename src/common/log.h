/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Log lines to stderr: with the <N> prefix that systemd's journal reads when JOURNAL_STREAM is set, with the
 * monotonic time otherwise.  Thread-safe: one write(2) a line.
 */
#ifndef VHBA_LOG_H
#define VHBA_LOG_H

#include <stdarg.h>

enum log_level {
	LOG_LEVEL_ERR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* Call once, before threads exist. ident is kept, not copied. */
void log_open(const char *ident, enum log_level max);
void log_set_level(enum log_level max);

/* Returns -EINVAL for a word that is no level. */
int log_level_parse(const char *word, enum log_level *level);

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_vline(enum log_level level, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

#define log_err(...) log_line(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
