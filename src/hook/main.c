/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "hook.h"

static const struct option options[] = {
	{"deadline", required_argument, NULL, 'd'},
	{"drain", required_argument, NULL, 'D'},
	{"paused", no_argument, NULL, 'p'},
	{"ticket", required_argument, NULL, 't'},
	{"if-known", no_argument, NULL, 'k'},
	{"socket", required_argument, NULL, 's'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void help(FILE *to)
{
	fputs("usage: vhba-hook VERB VM [--deadline D] [--drain D] [--paused] [--ticket FILE] [--if-known]\n"
	      "                 [--socket P]\n"
	      "       vhba-hook libvirt DOMAIN OPERATION SUB-OPERATION EXTRA <DOMAIN-XML\n\nVerbs:\n",
	      to);
	for (const struct hook_verb *v = hook_verbs; v->name; v++)
		fprintf(to, "  %s\n        %s\n", v->name, v->doc);
	fputs("\nOptions:\n"
	      "  --deadline D   answer within so long, as 500ms or 10s; default: as vhbad is configured\n"
	      "  --drain D      pre-migrate: let commands complete for so long at most\n"
	      "  --paused       pre-migrate: kernel block path: the VM's owner has paused it\n"
	      "  --ticket FILE  pre-migrate: write the ticket there too; check-migrate, post-migrate: this "
	      "is the\n"
	      "                 destination, and FILE (-: standard input) is the ticket, or what pre-migrate "
	      "printed\n"
	      "  --if-known     a VM that vhbad does not know is done at once\n"
	      "  -s, --socket P vhbad's socket; default: " VHBA_SOCKET "\n"
	      "\nThe report is one line of JSON on standard output.  Exit codes: 0 done, confirmed, or "
	      "nothing to do,\n"
	      "1 other failure, 2 usage, 3 unconfirmed, 4 deadline passed, 5 constraint not met.  See "
	      "vhba-hook(1).\n",
	      to);
}

static int usage(const char *what, const char *seen)
{
	fprintf(stderr, "vhba-hook: %s%s%s; see vhba-hook --help\n", what, seen ? ": " : "", seen ?: "");
	return VHBA_EXIT_USAGE;
}

static const struct hook_verb *find(const char *name)
{
	for (const struct hook_verb *v = hook_verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

/* 0, or an exit code in *exit with -1. */
static int take_option(struct hook_options *o, int c, int *exit)
{
	uint64_t *duration = c == 'd' ? &o->deadline_us : c == 'D' ? &o->drain_us : NULL;

	*exit = VHBA_EXIT_DONE;
	if (duration) {
		if (!duration_parse(optarg, duration))
			return 0;
		*exit = usage("expected a duration of at most 24h with its unit, as 500ms or 10s, seen",
			      optarg);
		return -1;
	}
	switch (c) {
	case 'p':
		o->paused = true;
		return 0;
	case 'k':
		o->if_known = true;
		return 0;
	case 't':
		o->ticket = optarg;
		return 0;
	case 's':
		o->socket = optarg;
		return 0;
	case 'h':
		help(stdout);
		return -1;
	case 'V':
		puts("vhba-hook " VHBA_VERSION);
		return -1;
	default:
		*exit = VHBA_EXIT_USAGE;
		help(stderr);
		return -1;
	}
}

int main(int argc, char **argv)
{
	struct hook_options o = {.deadline_us = VHBA_DEFAULT_US, .drain_us = VHBA_DEFAULT_US};
	const struct hook_verb *verb;
	int c, exit;

	/* As libvirt calls it, by a link of that name in its folder of hooks. */
	if (!strcmp(basename(argv[0]), "vhba"))
		return hook_libvirt(NULL, argc - 1, argv + 1);
	while ((c = getopt_long(argc, argv, "s:h", options, NULL)) != -1)
		if (take_option(&o, c, &exit))
			return exit;
	if (argc > optind && !strcmp(argv[optind], "libvirt"))
		return hook_libvirt(o.socket, argc - optind - 1, argv + optind + 1);
	if (argc - optind != 2)
		return usage("expected a verb and a VM", argc > optind ? argv[optind] : NULL);
	verb = find(argv[optind]);
	if (!verb)
		return usage("unknown verb", argv[optind]);
	o.vm = argv[optind + 1];
	return hook_run(verb, &o);
}
