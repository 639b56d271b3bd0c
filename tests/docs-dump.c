/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tables of methods and commands as the documents show them: docs-dump
 * methods|commands|globals|completion. tests/docs.sh holds the man pages and the completion to it, and
 * "tests/docs.sh --write" writes it into them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "cleanup.h"
#include "ctl.h"
#include "method.h"
#include "proto.h"

/* Text for troff: no leading dot, dashes that can be copied. */
static void put(const char *s)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", stdout);
	for (; *s; s++) {
		if (*s == '-')
			fputs("\\-", stdout);
		else if (*s == '\\')
			fputs("\\e", stdout);
		else
			putchar(*s);
	}
}

static void put_type(const struct proto_field *f)
{
	put(proto_type_name(f->type));
	if (f->type == PROTO_UINT && f->max < INT64_MAX)
		printf(", %" PRIu64 " to %" PRIu64, f->min, f->max);
	if (f->type == PROTO_NAMES)
		printf(", %" PRIu64 " to %" PRIu64, f->min, f->max);
}

static void put_fields(const struct proto_field *fields, bool deep)
{
	for (const struct proto_field *f = fields; f->name; f++) {
		printf(".TP\n.BR %s \" (", f->name);
		put_type(f);
		printf("%s)\"\n", f->required ? "" : ", optional");
		put(f->doc);
		putchar('\n');
		if (deep && f->fields) {
			puts(".RS");
			put_fields(f->fields, true);
			puts(".RE");
		}
	}
}

static void dump_methods(void)
{
	for (size_t i = 0; i < PROTO_METHODS; i++) {
		const struct proto_method *m = &proto_methods[i];

		printf(".SS %s%s\n", PROTO_PREFIX, m->name);
		put(m->doc);
		printf("\nNeeds the right to %s.%s\n", m->access == PROTO_ACCESS_CHANGE ? "change" : "read",
		       m->more ? " May be called with \\(lqmore\\(rq." : "");
		puts(m->parameters->name ? ".PP\nParameters:" : ".PP\nNo parameters.");
		put_fields(m->parameters, false);
		puts(m->reply->name ? ".PP\nReply:" : ".PP\nThe reply is empty.");
		put_fields(m->reply, true);
	}
}

static void put_option(const struct ctl_arg *o)
{
	fputs(".TP\n.BR ", stdout);
	if (o->letter)
		printf("\\-%c \", \" ", o->letter);
	fputs("\\-\\-", stdout);
	put(o->name);
	if (o->value)
		printf(" \" \\fI%s\\fR\"", o->value);
	putchar('\n');
	put(o->doc);
	fputs(o->required ? " (required)\n" : "\n", stdout);
}

static void dump_commands(void)
{
	char synopsis[512];

	for (size_t i = 0; i < ctl_command_count; i++) {
		const struct ctl_command *c = &ctl_commands[i];

		fputs(".SS \"", stdout);
		put(ctl_synopsis(c, synopsis, sizeof(synopsis)));
		fputs("\"\n", stdout);
		put(c->doc);
		putchar('\n');
		for (const struct ctl_arg *a = c->args; a->name; a++) {
			printf(".TP\n.I %s\n", a->name);
			put(a->doc);
			putchar('\n');
		}
		for (const struct ctl_arg *o = c->options; o->name; o++)
			put_option(o);
	}
}

static void dump_globals(void)
{
	for (const struct ctl_arg *o = ctl_globals; o->name; o++)
		put_option(o);
}

static void completion_options(const struct ctl_arg *o)
{
	for (; o->name; o++) {
		printf(" --%s%s", o->name, o->type == CTL_FLAG ? "" : "=");
		if (o->letter)
			printf(" -%c", o->letter);
	}
}

static void dump_completion(void)
{
	fputs("\t_vhbactl_globals='", stdout);
	completion_options(ctl_globals);
	puts("'\n\tdeclare -gA _vhbactl_commands=(");
	for (size_t i = 0; i < ctl_command_count; i++) {
		printf("\t\t['%s']='", ctl_commands[i].words);
		for (const struct ctl_arg *a = ctl_commands[i].args; a->name; a++)
			printf("%s%s", a == ctl_commands[i].args ? "" : " ", a->name);
		completion_options(ctl_commands[i].options);
		puts("'");
	}
	puts("\t)");
}

static void dump_config(void)
{
	const char *section = "";

	for (size_t i = 0; i < config_keys_n; i++) {
		const struct config_key *k = &config_keys[i];
		size_t n = strlen(k->section);

		if (strcmp(section, k->section)) {
			printf(".SS [");
			put(k->section);
			printf("%s]\n", k->section[n - 1] != ' '       ? ""
					: !strcmp(k->section, "fcoe ") ? "IF"
					: !strcmp(k->section, "vsan ") ? "N"
								       : "NAME");
			section = k->section;
		}
		printf(".TP\n.B ");
		put(k->key);
		printf("\n");
		put(k->doc);
		/* Where a program is installed is the installation's. */
		if (!strcmp(k->key, "priv") || !strcmp(k->key, "program")) {
			printf("; default: the installed one.\n");
		} else if (!k->absent) {
			printf("; it must be given.\n");
		} else if (!k->absent[0]) {
			printf("; default: none.\n");
		} else {
			printf("; default: ");
			put(k->absent);
			printf(".\n");
		}
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*dump)(void);
	} dumps[] = {
		{"methods", dump_methods},	 {"commands", dump_commands}, {"globals", dump_globals},
		{"completion", dump_completion}, {"config", dump_config},
	};

	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(dumps); i++) {
		if (strcmp(argv[1], dumps[i].name))
			continue;
		dumps[i].dump();
		return 0;
	}
	return 2;
}
