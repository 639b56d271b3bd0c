/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan: what a quiesce would do; the exit code tells whether the deadline can be met. */
#include <inttypes.h>
#include <string.h>

#include "cleanup.h"
#include "ctl.h"
#include "monotime.h"
#include "show.h"
#include "table.h"

#define CALL_US (30 * USEC_PER_SEC)

static const struct column step_columns[] = {
	{"STEP", "step", COL_TEXT},
	{"ACTION", "action", COL_TEXT},
	{"BOUND", "bound_us", COL_TIME},
	{"CUTS OFF", NULL, COL_TEXT},
	{"WHEN", "when", COL_TEXT},
	{"COMPLETE WHEN", "proof", COL_TEXT},
	{NULL},
};
#define STEP_BOUND 2
#define STEP_ABORTS 3

/* "41020ms", exact, as a deadline is given; or that there is none. */
static const char *time_or_none(struct json_object *o, const char *key, char *buf, size_t size)
{
	if (json_has(o, key))
		return duration_format(json_uint(o, key), buf, size);
	snprintf(buf, size, "none");
	return buf;
}

static void print_verdict(struct json_object *o, const char *what)
{
	char least[32], usual[32];

	printf("%s: %s; the smallest deadline that is: %s (as long as the fabric answers: %s)\n", what,
	       json_uint(o, "met") ? "met" : "NOT met", time_or_none(o, "smallest_us", least, sizeof(least)),
	       time_or_none(o, "usual_us", usual, sizeof(usual)));
}

static void print_texts(struct json_object *list, const char *what)
{
	for (size_t i = 0; i < json_list_len(list); i++)
		printf("  %s%s\n", what, json_object_get_string(json_object_array_get_idx(list, i)));
}

static void print_vhba(struct json_object *v)
{
	struct json_object *steps = json_list(v, "steps");
	struct libscols_table *t = table_new(step_columns);
	char what[160];

	snprintf(what, sizeof(what), "\nvhba %" PRIu64 " %s on parent %s, driver %s (profile %s)",
		 json_uint(v, "index"), json_text(v, "wwpn"), json_text(v, "parent"), json_text(v, "driver"),
		 json_text(v, "profile"));
	print_verdict(v, what);
	for (size_t i = 0; t && i < json_list_len(steps); i++) {
		struct json_object *s = json_object_array_get_idx(steps, i);
		struct libscols_line *line = table_add(t, step_columns, s, NULL);

		if (!line)
			break;
		table_cell(line, STEP_ABORTS, json_uint(s, "aborts") ? "yes" : "no");
		if (!json_has(s, "bound_us"))
			table_cell(line, STEP_BOUND, "none");
	}
	if (t)
		table_print(t);
	print_texts(json_list(v, "notes"), "");
	print_texts(json_list(v, "never"), "never: ");
}

static void print_plan(struct json_object *o)
{
	struct json_object *vhbas = json_list(o, "vhbas");
	char deadline[32], what[128];

	snprintf(what, sizeof(what), "%s: a quiesce within %s", json_text(o, "vm"),
		 duration_format(json_uint(o, "deadline_us"), deadline, sizeof(deadline)));
	print_verdict(o, what);
	for (size_t i = 0; i < json_list_len(vhbas); i++)
		print_vhba(json_object_array_get_idx(vhbas, i));
}

int ctl_run_plan(struct ctl *ctl)
{
	AUTO_FREE char *reply = NULL;
	struct vhba_error e = {0};
	struct json_object *o;
	int exit;

	if (ctl_call(ctl, ctl->command->method, ctl->parameters, CALL_US, NULL, NULL, &reply, &e))
		return ctl_fail(ctl, &e);
	o = json_tokener_parse(reply);
	if (ctl->json)
		printf("%s\n", reply);
	else
		print_plan(o);
	exit = json_uint(o, "met") ? VHBA_EXIT_DONE : VHBA_EXIT_CONSTRAINT;
	json_object_put(o);
	return exit;
}
