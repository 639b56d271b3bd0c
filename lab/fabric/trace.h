/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frame traces: a pcapng file that Wireshark reads (one interface a port, real time, microseconds), and a
 * text file with one line a frame (monotonic seconds). Either may be left out.
 */
#ifndef FABRIC_TRACE_H
#define FABRIC_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace;

/* NULL with errno and the path's text in *failed. "-" is standard output. */
struct trace *trace_open(const char *pcapng, const char *lines, const char **failed);
void trace_close(struct trace *t);

void trace_frame(struct trace *t, unsigned port, const char *port_name, bool in, const uint8_t *eth,
		 size_t len, uint64_t now_us);

/* Write out what is buffered; call before waiting. */
void trace_flush(struct trace *t);

#endif
