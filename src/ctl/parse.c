/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line, by the table. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ctl.h"
#include "monotime.h"

#define OPTIONS_MAX 24
#define LETTER_NONE 1000 /* getopt_long's value of option i is LETTER_NONE + i */

int ctl_error(struct vhba_error *e, enum vhba_error_kind kind, const char *what, const char *expected,
	      const char *seen, const char *fix)
{
	memset(e, 0, sizeof(*e));
	e->kind = kind;
	snprintf(e->what, sizeof(e->what), "%s", what);
	snprintf(e->expected, sizeof(e->expected), "%s", expected ?: "");
	snprintf(e->seen, sizeof(e->seen), "%s", seen ?: "");
	snprintf(e->fix, sizeof(e->fix), "%s", fix ?: "");
	return -EINVAL;
}

static int usage(struct vhba_error *e, const char *what, const char *expected, const char *seen)
{
	return ctl_error(e, VHBA_E_USAGE, what, expected, seen, "see vhbactl help");
}

const char *ctl_synopsis(const struct ctl_command *c, char *buf, size_t size)
{
	size_t n = (size_t)snprintf(buf, size, "%s", c->words);

	for (const struct ctl_arg *a = c->args; a->name && n < size; a++)
		n += (size_t)snprintf(buf + n, size - n, a->required ? " %s" : " [%s]", a->name);
	for (const struct ctl_arg *o = c->options; o->name && n < size; o++)
		n += (size_t)snprintf(buf + n, size - n, " %s--%s%s%s%s", o->required ? "" : "[", o->name,
				      o->value ? " " : "", o->value ?: "", o->required ? "" : "]");
	return buf;
}

static int parse_uint(const char *text, uint64_t *v)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	*v = strtoull(text, &end, 10);
	return *end || errno || *v > INT64_MAX ? -EINVAL : 0;
}

/* Texts between commas are added to the array that o has under key, or that is made. */
static void add_list(struct json_object *o, const char *key, const char *text)
{
	struct json_object *list;

	if (!json_object_object_get_ex(o, key, &list)) {
		list = json_object_new_array();
		json_object_object_add(o, key, list);
	}
	for (;;) {
		size_t len = strcspn(text, ",");

		json_object_array_add(list, json_object_new_string_len(text, (int)len));
		if (!text[len])
			return;
		text += len + 1;
	}
}

/* Keep the value of an option or argument. */
static int keep(struct ctl *ctl, const struct ctl_arg *a, const char *text, struct vhba_error *e)
{
	struct json_object *o = a->parameter ? ctl->parameters : ctl->local;
	const char *key = a->parameter ?: a->name;
	char what[64];
	uint64_t v;

	snprintf(what, sizeof(what), "%s%s", a->value || a->type == CTL_FLAG ? "--" : "", a->name);
	switch (a->type) {
	case CTL_FLAG:
		json_object_object_add(o, key, json_object_new_boolean(true));
		return 0;
	case CTL_BOOL:
		if (strcmp(text, "yes") && strcmp(text, "no"))
			return usage(e, what, "yes or no", text);
		json_object_object_add(o, key, json_object_new_boolean(!strcmp(text, "yes")));
		return 0;
	case CTL_TEXT:
		json_object_object_add(o, key, json_object_new_string(text));
		return 0;
	case CTL_LIST:
		add_list(o, key, text);
		return 0;
	case CTL_UINT:
		if (parse_uint(text, &v))
			return usage(e, what, "a number", text);
		break;
	case CTL_DURATION:
		if (duration_parse(text, &v))
			return usage(e, what, "a duration of at most 24h with its unit, as 500ms or 10s",
				     text);
		break;
	}
	json_object_object_add(o, key, json_object_new_uint64(v));
	return 0;
}

/* The command whose words argv begins with; *used of them. */
static const struct ctl_command *find_command(int argc, char **argv, int *used)
{
	for (size_t i = 0; i < ctl_command_count; i++) {
		const char *w = ctl_commands[i].words, *second = strchr(w, ' ');
		size_t len = second ? (size_t)(second - w) : strlen(w);

		if (argc < 1 || strlen(argv[0]) != len || strncmp(argv[0], w, len))
			continue;
		if (second && (argc < 2 || strcmp(argv[1], second + 1)))
			continue;
		*used = second ? 2 : 1;
		return &ctl_commands[i];
	}
	return NULL;
}

/* getopt_long's tables for one or two lists of options. */
struct options {
	const struct ctl_arg *arg[OPTIONS_MAX];
	struct option longs[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 4];
	int n;
};

static void add_options(struct options *o, const struct ctl_arg *list)
{
	for (; list->name && o->n < OPTIONS_MAX; list++, o->n++) {
		bool value = list->type != CTL_FLAG;

		o->arg[o->n] = list;
		o->longs[o->n] = (struct option){list->name, value ? required_argument : no_argument, NULL,
						 LETTER_NONE + o->n};
		if (list->letter) {
			size_t len = strlen(o->letters);

			o->letters[len] = list->letter;
			o->letters[len + 1] = value ? ':' : '\0';
			o->letters[len + 2] = '\0';
		}
	}
}

static const struct ctl_arg *option_of(const struct options *o, int c)
{
	if (c >= LETTER_NONE)
		return o->arg[c - LETTER_NONE];
	for (int i = 0; i < o->n; i++)
		if (o->arg[i]->letter == c)
			return o->arg[i];
	return NULL;
}

/* Read options from argv[optind]; stops at the first word when letters begin with '+'. */
static int read_options(struct ctl *ctl, struct options *o, int argc, char **argv, struct vhba_error *e)
{
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, o->letters, o->longs, NULL)) != -1) {
		const struct ctl_arg *a = option_of(o, c);
		int r;

		if (!a)
			return usage(e, c == ':' ? "an option lacks its value" : "unknown option", NULL,
				     argv[optind - 1]);
		r = keep(ctl, a, optarg, e);
		if (r)
			return r;
	}
	return 0;
}

static bool local_flag(const struct ctl *ctl, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(ctl->local, name, &v) && json_object_get_boolean(v);
}

static int take_args(struct ctl *ctl, int argc, char **argv, struct vhba_error *e)
{
	const struct ctl_arg *a = ctl->command->args;
	char synopsis[512];
	int r;

	ctl_synopsis(ctl->command, synopsis, sizeof(synopsis));
	for (int i = 0; i < argc; i++, a++) {
		if (!a->name)
			return usage(e, "too many arguments", synopsis, argv[i]);
		r = keep(ctl, a, argv[i], e);
		if (r)
			return r;
	}
	if (a->name && a->required)
		return usage(e, "an argument is missing", synopsis, NULL);
	for (a = ctl->command->options; a->name; a++)
		if (a->required && !json_object_object_get_ex(ctl->parameters, a->parameter, NULL))
			return usage(e, "an option is missing", synopsis, NULL);
	return 0;
}

static int pick_command(struct ctl *ctl, int argc, char **argv, int *used, struct vhba_error *e)
{
	static char *const help[] = {"help"}, *const version[] = {"version"};
	char seen[160] = "nothing";

	if (local_flag(ctl, "help"))
		ctl->command = find_command(1, (char **)help, used);
	else if (local_flag(ctl, "version"))
		ctl->command = find_command(1, (char **)version, used);
	else
		ctl->command = find_command(argc, argv, used);
	if (ctl->command)
		return 0;
	if (argc > 0)
		snprintf(seen, sizeof(seen), "%s%s%s", argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
	return usage(e, "unknown command", "a command", seen);
}

int ctl_parse(struct ctl *ctl, int argc, char **argv, struct vhba_error *e)
{
	struct options globals = {.letters = "+:"}, all = {.letters = ":"};
	struct json_object *v;
	int r, used = 0;

	memset(ctl, 0, sizeof(*ctl));
	ctl->parameters = json_object_new_object();
	ctl->local = json_object_new_object();
	add_options(&globals, ctl_globals);
	optind = 0;
	r = read_options(ctl, &globals, argc, argv, e);
	if (!r)
		r = pick_command(ctl, argc - optind, argv + optind, &used, e);
	if (!r && !local_flag(ctl, "help") && !local_flag(ctl, "version")) {
		/* getopt starts after the word before; the command's last word stands in for argv[0]. */
		argc -= optind + used - 1;
		argv += optind + used - 1;
		add_options(&all, ctl_globals);
		add_options(&all, ctl->command->options);
		optind = 0;
		r = read_options(ctl, &all, argc, argv, e);
		if (!r && local_flag(ctl, "help"))
			r = pick_command(ctl, 0, NULL, &used, e);
		else if (!r)
			r = take_args(ctl, argc - optind, argv + optind, e);
	}
	ctl->json = local_flag(ctl, "json");
	ctl->no_progress = local_flag(ctl, "no-progress");
	if (json_object_object_get_ex(ctl->local, "socket", &v))
		ctl->socket = json_object_get_string(v);
	return r;
}

void ctl_clear(struct ctl *ctl)
{
	json_object_put(ctl->parameters);
	json_object_put(ctl->local);
}
