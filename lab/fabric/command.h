/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One command under way. Handlers return false after fail(); what they print goes into the reply's text, and
 * data (of the show commands) into its data.
 */
#ifndef FABRIC_COMMAND_H
#define FABRIC_COMMAND_H

#include <stdio.h>

#include <json-c/json.h>

#include "core.h"

struct command {
	struct fabric *f;
	int argc;
	char **argv; /* argv[0] is the command's own word */
	bool json;
	FILE *text;
	struct json_object *data;
};

struct command_entry {
	const char *word;
	int least, most; /* words after the command's own; most -1: any number */
	bool (*fn)(struct command *c);
	const char *usage;
};

/* Tables, each ended by an entry without a word. */
extern const struct command_entry commands_config[], commands_target[], commands_fault[], commands_show[];

/* Prints the error and returns false. */
bool fail(struct command *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Arguments to values; each fails with its own text. */
bool arg_number(struct command *c, const char *what, const char *text, unsigned long least,
		unsigned long most, unsigned long *n);
/* 1 to size - 1 characters. */
bool arg_name(struct command *c, const char *name, size_t size);
bool arg_wwn(struct command *c, const char *text, uint64_t *wwn);
struct vsan *arg_vsan(struct command *c, const char *text);
struct fport *arg_port(struct command *c, const char *text);

/* The value after the word, from argv[from] on in pairs; NULL: not given. */
const char *arg_option(const struct command *c, int from, const char *word);
/* Fails when a word in the pairs from argv[from] on is none of the list (ended by NULL), or lacks its value.
 */
bool arg_options_known(struct command *c, int from, const char *const *words);

#endif
