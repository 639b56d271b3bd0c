/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vhbactl: one table of commands; parsing, calling and showing all read it.  Single-threaded.
 */
#ifndef VHBA_CTL_H
#define VHBA_CTL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <json-c/json.h>

#include <vhba/vhba.h>

enum ctl_type { CTL_FLAG, CTL_BOOL, CTL_TEXT, CTL_UINT, CTL_DURATION, CTL_LIST };

/* An option, or an argument (its name in capitals). */
struct ctl_arg {
	const char *name; /* "deadline"; NULL ends a list */
	char letter; /* short form, or 0 */
	enum ctl_type type;
	bool required;
	const char *parameter; /* of the method; NULL: kept in ctl->local under name */
	const char *value; /* "D" for the synopsis; NULL for a flag or an argument */
	const char *doc;
};

struct ctl;

struct ctl_command {
	const char *words; /* "vm add" */
	const char *method; /* NULL: none */
	const struct ctl_arg *args; /* in their order; optional ones last */
	const struct ctl_arg *options;
	bool operation; /* shows progress; its exit code is that of its outcome */
	int (*run)(struct ctl *ctl); /* NULL: call the method and show its reply */
	void (*show)(struct json_object *reply); /* as text; NULL: nothing to show */
	const char *doc; /* one sentence */
};

extern const struct ctl_command ctl_commands[];
extern const size_t ctl_command_count;
extern const struct ctl_arg ctl_globals[]; /* --socket and the like */

/* One invocation. */
struct ctl {
	const struct ctl_command *command;
	const char *socket; /* NULL: the default */
	bool json, no_progress;
	struct json_object *parameters; /* of the method */
	struct json_object *local; /* what stays here */
};

/*
 * Parse the command line.  0: ctl is filled; otherwise *e says what is wrong (VHBA_E_USAGE) and -EINVAL.
 * "--help" and "--version" become the commands of that name.
 */
int ctl_parse(struct ctl *ctl, int argc, char **argv, struct vhba_error *e);
void ctl_clear(struct ctl *ctl);

/* "quiesce VM --deadline D [--drain D] [--paused]". Returns buf. */
const char *ctl_synopsis(const struct ctl_command *c, char *buf, size_t size);

/* Run it: the exit code. Errors are shown in here. */
int ctl_run(struct ctl *ctl);

/* Show an error as text on stderr, or as JSON on stdout; returns its exit code. */
int ctl_fail(const struct ctl *ctl, const struct vhba_error *e);

/* Fill *e and return -EINVAL. fix may be NULL. */
int ctl_error(struct vhba_error *e, enum vhba_error_kind kind, const char *what, const char *expected,
	      const char *seen, const char *fix);

/*
 * Call the command's method: 0 and the reply's text in *reply, or the negative errno with *e.  more: called
 * for each part, or NULL.
 */
int ctl_call(struct ctl *ctl, const char *method, struct json_object *parameters, uint64_t timeout_us,
	     vhba_part_fn *more, void *user, char **reply, struct vhba_error *e);

/* A whole file ("-": standard input) of at most max bytes, NUL-terminated; NULL with *e. Caller frees. */
char *ctl_read_file(const char *path, size_t max, struct vhba_error *e);

/* The commands that are more than one call. */
int ctl_run_plan(struct ctl *ctl);
int ctl_run_export(struct ctl *ctl);
int ctl_run_preflight(struct ctl *ctl);
int ctl_run_io_open(struct ctl *ctl);
int ctl_run_io_await(struct ctl *ctl);
int ctl_run_import(struct ctl *ctl);
int ctl_run_events(struct ctl *ctl);
int ctl_run_timeline(struct ctl *ctl);
int ctl_run_migrate(struct ctl *ctl);
int ctl_run_help(struct ctl *ctl);
int ctl_run_version(struct ctl *ctl);

#endif
