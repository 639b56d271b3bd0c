/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands that are more than one call. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ctl.h"
#include "monotime.h"
#include "show.h"
#include "textfile.h"

#define TICKET_MAX (256 * 1024)
#define CALL_US (30 * USEC_PER_SEC)

static int file_error(struct vhba_error *e, const char *doing, const char *path, int err)
{
	char what[256];

	snprintf(what, sizeof(what), "cannot %s %s", doing, path);
	return ctl_error(e, VHBA_E_IO, what, NULL, strerror(err), NULL);
}

char *ctl_read_file(const char *path, size_t max, struct vhba_error *e)
{
	char *text;
	int err = textfile_read(path, max, &text);

	if (err)
		file_error(e, "read", path, -err);
	return text;
}

int ctl_run_export(struct ctl *ctl)
{
	const char *out = json_text(ctl->local, "output"), *text;
	AUTO_FREE char *reply = NULL;
	struct json_object *o, *ticket;
	struct vhba_error e = {0};
	int r;

	r = ctl_call(ctl, "export", ctl->parameters, CALL_US, NULL, NULL, &reply, &e);
	if (r)
		return ctl_fail(ctl, &e);
	o = json_tokener_parse(reply);
	if (!json_object_object_get_ex(o, "ticket", &ticket)) {
		json_object_put(o);
		ctl_error(&e, VHBA_E_INTERNAL, "export: the reply has no ticket", NULL, NULL, NULL);
		return ctl_fail(ctl, &e);
	}
	text = json_object_to_json_string_ext(ticket,
					      JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	r = out[0] ? textfile_write(out, text) : 0;
	if (r)
		file_error(&e, "write", out, -r);
	/* With --json the reply, so that it looks like all others; a ticket by itself is JSON too. */
	if (!out[0])
		printf("%s\n", ctl->json ? reply : text);
	json_object_put(o);
	return r ? ctl_fail(ctl, &e) : VHBA_EXIT_DONE;
}

/* What "export --json" and vhba-hook print, with the ticket in it, is taken too. 0 or -EINVAL. */
static int add_ticket(struct ctl *ctl, const char *file, struct vhba_error *e)
{
	AUTO_FREE char *text = ctl_read_file(file, TICKET_MAX, e);
	struct json_object *ticket, *inner;

	if (!text)
		return -EINVAL;
	ticket = json_tokener_parse(text);
	if (!json_object_is_type(ticket, json_type_object)) {
		json_object_put(ticket);
		return ctl_error(e, VHBA_E_USAGE, "the file is no ticket", "one JSON object", NULL,
				 "make it with vhbactl export");
	}
	if (json_object_object_get_ex(ticket, "ticket", &inner)) {
		json_object_get(inner);
		json_object_put(ticket);
		ticket = inner;
	}
	json_object_object_add(ctl->parameters, "ticket", ticket);
	return 0;
}

/* Call with the ticket: the reply, or NULL and *exit. With --json it has been printed. */
static struct json_object *call_with_ticket(struct ctl *ctl, const char *file, int *exit)
{
	AUTO_FREE char *reply = NULL;
	struct vhba_error e = {0};

	*exit = VHBA_EXIT_DONE;
	if ((file[0] && add_ticket(ctl, file, &e)) ||
	    ctl_call(ctl, ctl->command->method, ctl->parameters, CALL_US, NULL, NULL, &reply, &e)) {
		*exit = ctl_fail(ctl, &e);
		return NULL;
	}
	if (ctl->json)
		printf("%s\n", reply);
	return json_tokener_parse(reply);
}

int ctl_run_io_open(struct ctl *ctl)
{
	int exit;
	struct json_object *o = call_with_ticket(ctl, json_text(ctl->local, "ticket"), &exit);

	if (o && !ctl->json)
		show_ios(o);
	json_object_put(o);
	return exit;
}

int ctl_run_io_await(struct ctl *ctl)
{
	int exit;
	struct json_object *o = call_with_ticket(ctl, json_text(ctl->local, "FILE"), &exit);
	bool awaited = o && json_uint(o, "awaited");

	if (o && !ctl->json)
		printf("%s\n", awaited ? "it is expected: it is attached when its guest begins to run here"
				       : json_text(o, "text"));
	if (o && !awaited)
		exit = VHBA_EXIT_CONSTRAINT;
	json_object_put(o);
	return exit;
}

int ctl_run_import(struct ctl *ctl)
{
	int exit;
	struct json_object *o = call_with_ticket(ctl, json_text(ctl->local, "FILE"), &exit);

	if (o && !ctl->json)
		ctl->command->show(o);
	json_object_put(o);
	return exit;
}

int ctl_run_preflight(struct ctl *ctl)
{
	int exit;
	struct json_object *o = call_with_ticket(ctl, json_text(ctl->local, "FILE"), &exit);

	if (o && !ctl->json)
		show_preflight(o);
	if (o && !json_uint(o, "ok"))
		exit = VHBA_EXIT_CONSTRAINT;
	json_object_put(o);
	return exit;
}

static void print_events(const struct ctl *ctl, const char *text)
{
	struct json_object *o;

	if (ctl->json) {
		printf("%s\n", text);
	} else {
		o = json_tokener_parse(text);
		ctl->command->show(o);
		json_object_put(o);
	}
	fflush(stdout);
}

static int event_part(void *user, const struct vhba_reply *part)
{
	if (part->kind == VHBA_REPLY_PART)
		print_events(user, part->parameters);
	return 0;
}

int ctl_run_events(struct ctl *ctl)
{
	bool follow = json_has(ctl->local, "follow");
	AUTO_FREE char *reply = NULL;
	struct vhba_error e = {0};

	if (ctl_call(ctl, "events", ctl->parameters, follow ? UINT64_MAX : CALL_US,
		     follow ? event_part : NULL, ctl, &reply, &e))
		return ctl_fail(ctl, &e);
	print_events(ctl, reply);
	return VHBA_EXIT_DONE;
}

int ctl_run_help(struct ctl *ctl)
{
	char synopsis[512];

	puts("vhbactl [OPTION...] COMMAND ...\n\nCommands:");
	for (size_t i = 0; i < ctl_command_count; i++)
		printf("  %s\n        %s\n", ctl_synopsis(&ctl_commands[i], synopsis, sizeof(synopsis)),
		       ctl_commands[i].doc);
	puts("\nOptions, before or after the command:");
	for (const struct ctl_arg *o = ctl_globals; o->name; o++) {
		if (o->letter)
			printf("  -%c, --%s", o->letter, o->name);
		else
			printf("  --%s", o->name);
		printf("%s%s\n        %s\n", o->value ? " " : "", o->value ?: "", o->doc);
	}
	puts("\nExit codes: 0 done or confirmed, 1 other failure, 2 usage, 3 unconfirmed, 4 deadline "
	     "passed,\n"
	     "5 constraint not met.  See vhbactl(1).");
	return VHBA_EXIT_DONE;
}

int ctl_run_version(struct ctl *ctl)
{
	if (ctl->json)
		puts("{\"version\":\"" VHBA_VERSION "\"}");
	else
		puts("vhbactl " VHBA_VERSION);
	return VHBA_EXIT_DONE;
}
