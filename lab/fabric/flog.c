/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The event log: a ring of the last 10,000. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "core.h"
#include "wwn_text.h"

#define RING 10000
#define TEXT_SIZE 208

struct event {
	uint64_t us;
	char name[16];
	uint16_t vsan; /* 0: none */
	uint32_t id;
	uint64_t wwpn;
	char text[TEXT_SIZE];
};

struct flog {
	uint64_t n; /* events ever */
	uint64_t taken; /* by flog_next_line */
	char line[TEXT_SIZE + 128];
	struct event ring[RING];
};

struct flog *flog_new(void)
{
	return calloc(1, sizeof(struct flog));
}

void flog_free(struct flog *l)
{
	free(l);
}

static void add(struct fabric *f, const char *event, const struct vsan *v, const struct login *l,
		const char *fmt, va_list ap) __attribute__((format(printf, 5, 0)));

static void add(struct fabric *f, const char *event, const struct vsan *v, const struct login *l,
		const char *fmt, va_list ap)
{
	struct event *e = &f->log->ring[f->log->n++ % RING];

	*e = (struct event){.us = f->now, .vsan = v ? v->id : 0};
	snprintf(e->name, sizeof(e->name), "%s", event);
	if (l) {
		e->id = l->id;
		e->wwpn = l->wwpn;
	}
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
}

void flog_add(struct fabric *f, const char *event, const struct vsan *v, const struct login *l,
	      const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(f, event, v, l, fmt, ap);
	va_end(ap);
}

void fabric_note(struct fabric *f, uint64_t now_us, const char *kind, const char *fmt, ...)
{
	va_list ap;

	f->now = now_us;
	va_start(ap, fmt);
	add(f, kind, NULL, NULL, fmt, ap);
	va_end(ap);
}

static int line(const struct event *e, char *buf, size_t size)
{
	char wwpn[WWN_TEXT_SIZE], vsan[16] = "", port[48] = "";

	if (e->vsan)
		snprintf(vsan, sizeof(vsan), " vsan %u", e->vsan);
	if (e->id)
		snprintf(port, sizeof(port), " %s %06x", wwn_format(e->wwpn, wwpn), e->id);
	return snprintf(buf, size, "%" PRIu64 ".%06" PRIu64 " %s%s%s: %s", e->us / SEC, e->us % SEC, e->name,
			vsan, port, e->text);
}

const char *flog_next_line(struct flog *l)
{
	if (l->taken + RING < l->n)
		l->taken = l->n - RING;
	if (l->taken == l->n)
		return NULL;
	line(&l->ring[l->taken++ % RING], l->line, sizeof(l->line));
	return l->line;
}

static uint64_t first_of(const struct flog *l, size_t max)
{
	uint64_t have = l->n < RING ? l->n : RING;

	return l->n - (max < have ? max : have);
}

struct json_object *flog_json(const struct flog *l, size_t max)
{
	struct json_object *list = json_object_new_array();
	char text[WWN_TEXT_SIZE];

	for (uint64_t i = first_of(l, max); i < l->n; i++) {
		const struct event *e = &l->ring[i % RING];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "t_us", json_object_new_uint64(e->us));
		json_object_object_add(o, "event", json_object_new_string(e->name));
		if (e->vsan)
			json_object_object_add(o, "vsan", json_object_new_int(e->vsan));
		if (e->id) {
			json_object_object_add(o, "wwpn", json_object_new_string(wwn_format(e->wwpn, text)));
			snprintf(text, sizeof(text), "%06x", e->id);
			json_object_object_add(o, "n_port_id", json_object_new_string(text));
		}
		json_object_object_add(o, "text", json_object_new_string(e->text));
		json_object_array_add(list, o);
	}
	return list;
}

char *flog_text(const struct flog *l, size_t max)
{
	char *text = NULL, one[TEXT_SIZE + 128];
	size_t size;
	FILE *m = open_memstream(&text, &size);

	if (!m)
		return NULL;
	for (uint64_t i = first_of(l, max); i < l->n; i++) {
		line(&l->ring[i % RING], one, sizeof(one));
		fprintf(m, "%s\n", one);
	}
	fclose(m);
	return text;
}
