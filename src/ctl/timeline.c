/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations as text: the result, the log, and the timeline that all three share. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "ctl.h"
#include "monotime.h"
#include "show.h"
#include "table.h"
#include "timeline.h"

#define FILE_MAX (4 * 1024 * 1024)
#define RECORDS_MAX 64
#define CALL_US (30 * USEC_PER_SEC)

enum { COL_PHASE, COL_START, COL_LASTS, COL_OUTCOME, COL_COMMANDS, COL_EVIDENCE, COL_SEEN };

static const struct column columns[] = {
	{"PHASE", "phase", COL_TEXT, true}, {"START", NULL, COL_TIME},
	{"LASTS", NULL, COL_TIME},	    {"OUTCOME", "outcome", COL_TEXT},
	{"IN FLIGHT", NULL, COL_TEXT},	    {"EVIDENCE", "evidence", COL_LIST},
	{"SEEN", "text", COL_TEXT},	    {NULL},
};

static void commands_text(struct json_object *phase, char *buf, size_t size)
{
	char before[24] = "?", after[24] = "?";

	buf[0] = '\0';
	if (!json_has(phase, "inflight_before") && !json_has(phase, "inflight_after"))
		return;
	if (json_has(phase, "inflight_before"))
		snprintf(before, sizeof(before), "%" PRIu64, json_uint(phase, "inflight_before"));
	if (json_has(phase, "inflight_after"))
		snprintf(after, sizeof(after), "%" PRIu64, json_uint(phase, "inflight_after"));
	snprintf(buf, size, "%s -> %s", before, after);
}

/* What was seen is often the evidence in other words: once is enough. */
static const char *seen_text(struct json_object *phase)
{
	struct json_object *evidence = json_list(phase, "evidence");
	const char *text = json_text(phase, "text"), *at = text;

	for (size_t i = 0; i < json_list_len(evidence); i++) {
		const char *one = json_object_get_string(json_object_array_get_idx(evidence, i));

		if (strncmp(at, i ? ", " : "", i ? 2 : 0) || strncmp(at + (i ? 2 : 0), one, strlen(one)))
			return text;
		at += (i ? 2 : 0) + strlen(one);
	}
	return json_list_len(evidence) && !*at ? "" : text;
}

static void add_phases(struct libscols_table *t, struct json_object *phases, uint64_t zero,
		       struct libscols_line *up)
{
	char buf[64];

	for (size_t i = 0; i < json_list_len(phases); i++) {
		struct json_object *p = json_object_array_get_idx(phases, i);
		struct libscols_line *line = table_add(t, columns, p, up);
		uint64_t start = json_uint(p, "start_us"), end = json_uint(p, "end_us");

		if (!line)
			return;
		buf[0] = '+';
		human_time(start > zero ? start - zero : 0, buf + 1, sizeof(buf) - 1);
		table_cell(line, COL_START, buf);
		table_cell(line, COL_LASTS,
			   end ? human_time(end > start ? end - start : 0, buf, sizeof(buf)) : "...");
		commands_text(p, buf, sizeof(buf));
		table_cell(line, COL_COMMANDS, buf);
		table_cell(line, COL_SEEN, seen_text(p));
	}
}

void timeline_text(struct json_object *record)
{
	struct json_object *vhbas = json_list(record, "vhbas");
	uint64_t zero = json_uint(record, "start_us");
	struct libscols_table *t = table_new(columns);
	struct libscols_line *line;
	char name[96];

	if (!t)
		return;
	if (json_list_len(json_list(record, "phases"))) {
		line = scols_table_new_line(t, NULL);
		table_cell(line, COL_PHASE, "VM");
		add_phases(t, json_list(record, "phases"), zero, line);
	}
	for (size_t i = 0; i < json_list_len(vhbas); i++) {
		struct json_object *v = json_object_array_get_idx(vhbas, i);

		line = table_add(t, columns, v, NULL);
		if (!line)
			break;
		snprintf(name, sizeof(name), "vhba %" PRIu64 " %s", json_uint(v, "index"),
			 json_text(v, "wwpn"));
		table_cell(line, COL_PHASE, name);
		add_phases(t, json_list(v, "phases"), zero, line);
	}
	table_print(t);
}

static void summary(struct json_object *r)
{
	char elapsed[32], deadline[32];
	struct json_object *unproved = json_list(r, "unproved"), *warnings = json_list(r, "warnings");

	printf("%s %s: %s in %s", json_text(r, "operation"), json_text(r, "vm"), json_text(r, "outcome"),
	       human_time(json_uint(r, "elapsed_us"), elapsed, sizeof(elapsed)));
	if (json_has(r, "deadline_us"))
		printf(", deadline %s", human_time(json_uint(r, "deadline_us"), deadline, sizeof(deadline)));
	if (json_has(r, "later"))
		printf("; %s after %s", json_text(r, "later"),
		       human_time(json_uint(r, "later_us"), elapsed, sizeof(elapsed)));
	if (json_has(r, "time"))
		printf("  (%s)", json_text(r, "time"));
	putchar('\n');
	for (size_t i = 0; i < json_list_len(warnings); i++)
		printf("warning: %s\n", json_object_get_string(json_object_array_get_idx(warnings, i)));
	for (size_t i = 0; i < json_list_len(unproved); i++)
		printf("not proved: %s\n", json_object_get_string(json_object_array_get_idx(unproved, i)));
	if (json_text(r, "text")[0])
		printf("%s\n", json_text(r, "text"));
}

static void show_record_error(struct json_object *o, const char *who)
{
	struct json_object *e;
	struct vhba_error error = {0};
	char line[1024];

	if (!o || !json_object_object_get_ex(o, "error", &e) || !json_object_is_type(e, json_type_object))
		return;
	snprintf(error.what, sizeof(error.what), "%s", json_text(e, "what"));
	snprintf(error.expected, sizeof(error.expected), "%s", json_text(e, "expected"));
	snprintf(error.seen, sizeof(error.seen), "%s", json_text(e, "seen"));
	snprintf(error.fix, sizeof(error.fix), "%s", json_text(e, "fix"));
	printf("%s%s\n", who, vhba_error_line(&error, line, sizeof(line)));
}

static void seen_at(struct json_object *seen, const char *key, uint64_t zero)
{
	uint64_t at = json_uint(seen, key);
	char buf[32];

	printf(" (+%s)", human_time(at > zero ? at - zero : 0, buf, sizeof(buf)));
}

/* "vhba 0: 0 in flight (+20 ms); 50:06:...: Blocked (+31 ms); name server: absent (+35 ms)" */
static void show_seen(struct json_object *vhba, const char *who, uint64_t zero)
{
	struct json_object *seen, *targets;
	const char *sep = who;

	if (!json_object_object_get_ex(vhba, "seen", &seen) || !json_object_is_type(seen, json_type_object))
		return;
	targets = json_list(seen, "targets");
	if (json_has(seen, "inflight")) {
		printf("%s%" PRIu64 " in flight", sep, json_uint(seen, "inflight"));
		seen_at(seen, "inflight_us", zero);
		sep = "; ";
	}
	for (size_t i = 0; i < json_list_len(targets); i++) {
		struct json_object *t = json_object_array_get_idx(targets, i);

		printf("%starget %s %s", sep, json_text(t, "wwpn"), json_text(t, "state"));
		sep = ", ";
	}
	if (json_has(seen, "targets") && !json_list_len(targets))
		printf("%sno targets", sep);
	if (json_has(seen, "targets")) {
		seen_at(seen, "targets_us", zero);
		sep = "; ";
	}
	if (json_has(seen, "name_server")) {
		printf("%sname server: %s%s%s", sep, json_text(seen, "name_server"),
		       json_has(seen, "name_server_text") ? ": " : "", json_text(seen, "name_server_text"));
		if (json_has(seen, "name_server_us"))
			seen_at(seen, "name_server_us", zero);
		sep = "; ";
	}
	if (sep != who)
		putchar('\n');
}

void show_result(struct json_object *reply)
{
	struct json_object *vhbas = json_list(reply, "vhbas");
	char who[32];

	summary(reply);
	show_record_error(reply, "");
	for (size_t i = 0; i < json_list_len(vhbas); i++) {
		struct json_object *v = json_object_array_get_idx(vhbas, i);

		snprintf(who, sizeof(who), "vhba %" PRIu64 ": ", json_uint(v, "index"));
		show_record_error(v, who);
		show_seen(v, who, json_uint(reply, "start_us"));
	}
	timeline_text(reply);
}

void show_log(struct json_object *reply)
{
	struct json_object *list = json_list(reply, "records");

	if (!json_list_len(list))
		printf("no records of %s\n", json_text(reply, "vm"));
	for (size_t i = 0; i < json_list_len(list); i++) {
		if (i)
			putchar('\n');
		show_result(json_object_array_get_idx(list, i));
	}
}

/* The text of the log: from a file, or from vhbad. */
static char *fetch(struct ctl *ctl, struct vhba_error *e)
{
	const char *source = json_text(ctl->local, "SOURCE");
	char *text;

	if (strchr(source, '/') || !strcmp(source, "-"))
		return ctl_read_file(source, FILE_MAX, e);
	json_object_object_add(ctl->parameters, "vm", json_object_new_string(source));
	return ctl_call(ctl, "log", ctl->parameters, CALL_US, NULL, NULL, &text, e) ? NULL : text;
}

/* The newest `last` records of a log, or the one that o is. */
static size_t pick_records(struct json_object *o, uint64_t last, struct json_object **records)
{
	struct json_object *list = json_list(o, "records");
	size_t len = json_list_len(list), n = 0, want = last > RECORDS_MAX ? RECORDS_MAX : (size_t)last;

	if (!list) {
		records[0] = o;
		return json_has(o, "vhbas");
	}
	for (size_t i = len > want ? len - want : 0; i < len; i++)
		if (json_object_is_type(json_object_array_get_idx(list, i), json_type_object))
			records[n++] = json_object_array_get_idx(list, i);
	return n;
}

static int write_svg(const char *path, struct json_object *const *records, size_t n, struct vhba_error *e)
{
	FILE *f = fopen(path, "we");
	int bad;

	if (!f)
		return ctl_error(e, VHBA_E_IO, "cannot write the SVG", NULL, path, NULL);
	timeline_svg(f, records, n);
	bad = ferror(f);
	bad |= fclose(f);
	return bad ? ctl_error(e, VHBA_E_IO, "cannot write the SVG", NULL, path, NULL) : 0;
}

int ctl_run_timeline(struct ctl *ctl)
{
	struct json_object *records[RECORDS_MAX], *o = NULL;
	uint64_t last = json_has(ctl->local, "last") ? json_uint(ctl->local, "last") : 1;
	AUTO_FREE char *text = NULL;
	struct vhba_error e = {0};
	size_t n;
	int r = 0;

	text = fetch(ctl, &e);
	if (!text)
		return ctl_fail(ctl, &e);
	o = json_tokener_parse(text);
	n = json_object_is_type(o, json_type_object) ? pick_records(o, last, records) : 0;
	if (!n)
		r = ctl_error(&e, VHBA_E_NOT_FOUND, "timeline: no record",
			      "the JSON of log or of an operation", "none",
			      "vhbactl log VM --json shows what there is");
	else if (json_has(ctl->local, "svg"))
		r = write_svg(json_text(ctl->local, "svg"), records, n, &e);
	for (size_t i = 0; !r && !ctl->json && i < n; i++) {
		summary(records[i]);
		timeline_text(records[i]);
	}
	if (!r && ctl->json)
		for (size_t i = 0; i < n; i++)
			printf("%s\n",
			       json_object_to_json_string_ext(
				       records[i], JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return r ? ctl_fail(ctl, &e) : VHBA_EXIT_DONE;
}
