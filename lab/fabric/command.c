/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command language, of fabricctl and of the configuration file: one command a line, words separated by
 * white space or between double quotes, "#" to the end of the line is a comment.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "wwn_text.h"

#define WORDS_MAX 64
#define LINE_MAX_LEN 4096

static bool cmd_help(struct command *c);

static const struct command_entry commands_help[] = {
	{"help", 0, 0, cmd_help, "help"},
	{},
};

static const struct command_entry *const tables[] = {commands_config, commands_target, commands_fault,
						     commands_show, commands_help};

bool fail(struct command *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(c->text, fmt, ap);
	va_end(ap);
	return false;
}

bool arg_number(struct command *c, const char *what, const char *text, unsigned long least,
		unsigned long most, unsigned long *n)
{
	char *end;

	errno = 0;
	*n = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || *n < least || *n > most)
		return fail(c, "%s: expected a number from %lu to %lu, seen \"%s\"", what, least, most, text);
	return true;
}

bool arg_name(struct command *c, const char *name, size_t size)
{
	if (!*name || strlen(name) >= size)
		return fail(c, "a name has 1 to %zu characters, seen \"%s\"", size - 1, name);
	return true;
}

bool arg_wwn(struct command *c, const char *text, uint64_t *wwn)
{
	if (wwn_parse(text, wwn))
		return fail(c, "expected a WWN of 16 hexadecimal digits that is not nil, seen \"%s\"", text);
	return true;
}

struct vsan *arg_vsan(struct command *c, const char *text)
{
	unsigned long n;
	struct vsan *v;

	if (!arg_number(c, "VSAN", text, 1, 4094, &n))
		return NULL;
	v = vsan_find(c->f, (uint16_t)n);
	if (!v)
		fail(c, "no VSAN %lu: make it by \"vsan %lu\"", n, n);
	return v;
}

struct fport *arg_port(struct command *c, const char *text)
{
	struct fport *p = fport_find(c->f, text);

	if (!p)
		fail(c, "no port \"%s\": see \"show ports\"", text);
	return p;
}

const char *arg_option(const struct command *c, int from, const char *word)
{
	for (int i = from; i + 1 < c->argc; i += 2)
		if (!strcmp(c->argv[i], word))
			return c->argv[i + 1];
	return NULL;
}

bool arg_options_known(struct command *c, int from, const char *const *words)
{
	for (int i = from; i < c->argc; i += 2) {
		const char *const *w = words;

		while (*w && strcmp(*w, c->argv[i]))
			w++;
		if (!*w)
			return fail(c, "%s: unknown word \"%s\"", c->argv[0], c->argv[i]);
		if (i + 1 == c->argc)
			return fail(c, "%s: \"%s\" needs a value", c->argv[0], c->argv[i]);
	}
	return true;
}

static bool cmd_help(struct command *c)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct command_entry *e = tables[i]; e->word; e++)
			fprintf(c->text, "%s\n", e->usage);
	return true;
}

/* Cut the line into words, in place. -E2BIG, -EINVAL (an open quote). */
static int split(char *line, char **words)
{
	int n = 0;

	for (;;) {
		char end = ' ';

		line += strspn(line, " \t\r\n");
		if (!*line || *line == '#')
			return n;
		if (n == WORDS_MAX)
			return -E2BIG;
		if (*line == '"') {
			end = '"';
			line++;
		}
		words[n++] = line;
		line = end == '"' ? strchr(line, '"') : line + strcspn(line, " \t\r\n");
		if (!line)
			return -EINVAL;
		if (!*line)
			return n;
		*line++ = '\0';
	}
}

static const struct command_entry *find(const char *word)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct command_entry *e = tables[i]; e->word; e++)
			if (!strcmp(e->word, word))
				return e;
	return NULL;
}

static bool run(struct command *c)
{
	const struct command_entry *e = find(c->argv[0]);

	if (!e)
		return fail(c, "unknown command \"%s\": see \"help\"", c->argv[0]);
	if (c->argc - 1 < e->least || (e->most >= 0 && c->argc - 1 > e->most))
		return fail(c, "usage: %s", e->usage);
	return e->fn(c);
}

/* "--json" may stand anywhere. */
static void take_json(struct command *c)
{
	int n = 0;

	for (int i = 0; i < c->argc; i++) {
		if (!strcmp(c->argv[i], "--json"))
			c->json = true;
		else
			c->argv[n++] = c->argv[i];
	}
	c->argc = n;
}

static bool parse_and_run(struct command *c, const char *line)
{
	char copy[LINE_MAX_LEN], *words[WORDS_MAX];

	if (strlen(line) >= sizeof(copy))
		return fail(c, "the line is longer than %d characters", LINE_MAX_LEN - 1);
	strcpy(copy, line);
	c->argv = words;
	c->argc = split(copy, words);
	if (c->argc == -EINVAL)
		return fail(c, "a quote is not closed");
	if (c->argc < 0)
		return fail(c, "more than %d words", WORDS_MAX);
	take_json(c);
	return !c->argc || run(c);
}

bool fabric_command(struct fabric *f, const char *line, struct json_object **reply, uint64_t now_us)
{
	struct command c = {.f = f};
	char *text = NULL;
	size_t size;
	bool good;

	f->now = now_us;
	*reply = json_object_new_object();
	c.text = open_memstream(&text, &size);
	if (!c.text)
		return false;
	good = parse_and_run(&c, line);
	fclose(c.text);
	json_object_object_add(*reply, "text", json_object_new_string(text));
	if (c.data)
		json_object_object_add(*reply, "data", c.data);
	free(text);
	fabric_run(f, now_us);
	return good;
}
