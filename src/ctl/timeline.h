/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The record of an operation (as log and the operations themselves reply it) over time.  What is drawn comes
 * from a file that a person gives: nothing in it is trusted.
 */
#ifndef VHBA_TIMELINE_H
#define VHBA_TIMELINE_H

#include <stdio.h>

#include <json-c/json.h>

/* One record as a table on stdout: lane, phase, start, duration, outcome, commands, evidence. */
void timeline_text(struct json_object *record);

/* The records[0..n-1] below each other as one SVG. */
void timeline_svg(FILE *out, struct json_object *const *records, size_t n);

#endif
