/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calling, progress, errors, exit codes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "ctl.h"
#include "monotime.h"
#include "show.h"

#define CALL_US (30 * USEC_PER_SEC) /* a method that is no operation */
#define OPERATION_US (600 * USEC_PER_SEC) /* an operation whose deadline is the configured one */
#define GRACE_US (1 * USEC_PER_SEC) /* the answer's way, on top of a deadline that was given */

static struct json_object *error_object(const struct vhba_error *e)
{
	const struct {
		const char *name, *text;
	} parts[] = {{"what", e->what}, {"expected", e->expected}, {"seen", e->seen}, {"fix", e->fix}};
	struct json_object *o = json_object_new_object(), *p = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		json_object_object_add(p, parts[i].name, json_object_new_string(parts[i].text));
	json_object_object_add(o, "error", json_object_new_string(vhba_error_name(e->kind)));
	json_object_object_add(o, "parameters", p);
	return o;
}

int ctl_fail(const struct ctl *ctl, const struct vhba_error *e)
{
	char line[1024];

	if (ctl->json) {
		struct json_object *o = error_object(e);

		printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
									 JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(o);
	} else {
		fprintf(stderr, "vhbactl: %s\n", vhba_error_line(e, line, sizeof(line)));
	}
	return vhba_error_exit(e->kind);
}

int ctl_call(struct ctl *ctl, const char *method, struct json_object *parameters, uint64_t timeout_us,
	     vhba_part_fn *more, void *user, char **reply, struct vhba_error *e)
{
	const char *text = json_object_to_json_string_ext(parameters, JSON_C_TO_STRING_PLAIN);
	struct vhba_conn *conn;
	int r;

	r = vhba_connect(ctl->socket, &conn, e);
	if (r)
		return r;
	r = vhba_call_more(conn, method, text, timeout_us, more, user, reply, e);
	vhba_close(conn);
	return r;
}

/* One line on the terminal that is written over. */
static int show_progress(void *user, const struct vhba_reply *part)
{
	struct ctl *ctl = user;
	struct json_object *o = json_tokener_parse(part->parameters);

	fprintf(stderr, "\r\033[K%s: ", ctl->command->words);
	if (json_has(o, "vhba"))
		fprintf(stderr, "vhba %u: ", (unsigned int)json_uint(o, "vhba"));
	fprintf(stderr, "%s", json_text(o, "phase"));
	if (json_has(o, "percent"))
		fprintf(stderr, " %u%%", (unsigned int)json_uint(o, "percent"));
	if (json_has(o, "text"))
		fprintf(stderr, ": %s", json_text(o, "text"));
	fflush(stderr);
	json_object_put(o);
	return 0;
}

static uint64_t timeout_of(const struct ctl *ctl)
{
	uint64_t given_us = json_uint(ctl->parameters, "deadline_us") + GRACE_US;

	if (!ctl->command->operation)
		return given_us > CALL_US ? given_us : CALL_US;
	return json_has(ctl->parameters, "deadline_us") ? given_us : OPERATION_US;
}

static int exit_of(const struct ctl *ctl, const char *reply, struct vhba_error *e)
{
	struct vhba_result result;
	int exit;

	if (!ctl->command->operation)
		return VHBA_EXIT_DONE;
	if (vhba_result_read(reply, &result, e))
		return ctl_fail(ctl, e);
	exit = result.exit;
	vhba_result_clear(&result);
	return exit;
}

static int run_method(struct ctl *ctl)
{
	bool progress = ctl->command->operation && !ctl->no_progress && isatty(STDERR_FILENO);
	AUTO_FREE char *reply = NULL;
	struct vhba_error e = {0};
	struct json_object *o;
	int r;

	r = ctl_call(ctl, ctl->command->method, ctl->parameters, timeout_of(ctl),
		     progress ? show_progress : NULL, ctl, &reply, &e);
	if (progress)
		fputs("\r\033[K", stderr);
	if (r)
		return ctl_fail(ctl, &e);
	if (ctl->json) {
		printf("%s\n", reply);
	} else if (ctl->command->show) {
		o = json_tokener_parse(reply);
		ctl->command->show(o);
		json_object_put(o);
	}
	return exit_of(ctl, reply, &e);
}

int ctl_run(struct ctl *ctl)
{
	return ctl->command->run ? ctl->command->run(ctl) : run_method(ctl);
}
