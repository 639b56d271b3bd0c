/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lanes of coloured bars over a time axis: one lane for the VM's own phases, one a vhba.  Colours tell the
 * phase; a red outline with hatching tells what is not proved or has failed.
 */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "show.h"
#include "timeline.h"

#define WIDTH 1100
#define LEFT 230 /* the lanes' names */
#define RIGHT 40
#define PLOT (WIDTH - LEFT - RIGHT)
#define HEAD 84 /* title, summary, axis */
#define LANE 58
#define BAR 26
#define FOOT 42
#define LEGEND 46
#define TICKS_MAX 10
#define CHAR_W 6.6 /* of the small font, on average */

static const struct {
	const char *phase, *colour;
} colours[] = {
	{"stop", "#64748b"},	   {"drain", "#3b82f6"},  {"logout", "#f59e0b"},  {"verify", "#8b5cf6"},
	{"hold", "#10b981"},	   {"resume", "#06b6d4"}, {"release", "#ec4899"}, {"creating", "#d97706"},
	{"logging-in", "#0ea5e9"}, {"timers", "#78716c"}, {"asking", "#a855f7"},  {"luns", "#22c55e"},
	{"undoing", "#e11d48"},
};
#define COLOUR_OTHER "#94a3b8"
#define PHASES (sizeof(colours) / sizeof(colours[0]))

static const char style[] =
	"<style>text{font-family:system-ui,'Helvetica Neue',Arial,sans-serif;fill:#0f172a}"
	".t{font-size:19px;font-weight:600}.s{font-size:13px;fill:#475569}.n{font-size:13px;font-weight:600}"
	".w{font-size:11px;fill:#64748b;font-family:ui-monospace,Menlo,Consolas,monospace}"
	".a{font-size:11px;fill:#64748b}.b{font-size:11px;fill:#fff;font-weight:600}"
	".e{font-size:11px;fill:#334155}.r{font-size:11px;fill:#b91c1c}</style>\n"
	"<defs><pattern id=\"h\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" "
	"patternTransform=\"rotate(45)\"><rect width=\"3\" height=\"7\" fill=\"#fff\" fill-opacity=\".4\"/>"
	"</pattern></defs>\n";

/* The time axis of one record: us from its start, and pixels. */
struct axis {
	uint64_t zero;
	double span;
	double deadline; /* 0: none */
	double answer;
};

static void put_escaped(FILE *out, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			/* XML 1.0 knows no other control characters. */
			fputc((unsigned char)*s < 0x20 || *s == 0x7f ? ' ' : *s, out);
		}
	}
}

static void put_text(FILE *out, double x, double y, const char *class, const char *anchor, const char *s)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\"%s%s%s>", x, y, class,
		anchor ? " text-anchor=\"" : "", anchor ?: "", anchor ? "\"" : "");
	put_escaped(out, s);
	fputs("</text>\n", out);
}

static void put_line(FILE *out, double x, double y1, double y2, const char *look)
{
	fprintf(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x, y1, x, y2, look);
}

static size_t phase_index(const char *phase)
{
	size_t i = 0;

	while (i < PHASES && strcmp(phase, colours[i].phase))
		i++;
	return i;
}

static double since(const struct axis *a, uint64_t us)
{
	return us > a->zero ? (double)(us - a->zero) : 0;
}

static double x_of(const struct axis *a, double us)
{
	return LEFT + (us > a->span ? 1 : us / a->span) * PLOT;
}

static void span_phases(struct axis *a, struct json_object *phases, double *last)
{
	for (size_t i = 0; i < json_list_len(phases); i++) {
		double end = since(a, json_uint(json_object_array_get_idx(phases, i), "end_us"));

		*last = end > *last ? end : *last;
	}
}

/*
 * The axis goes to what happened last, but to no more than twice the answer (a hold may last for minutes),
 * and to the deadline unless that would squeeze everything else.
 */
static void axis_init(struct axis *a, struct json_object *record)
{
	struct json_object *vhbas = json_list(record, "vhbas");
	double last = 0;

	a->zero = json_uint(record, "start_us");
	a->deadline = (double)json_uint(record, "deadline_us");
	a->answer = (double)json_uint(record, "elapsed_us");
	span_phases(a, json_list(record, "phases"), &last);
	for (size_t i = 0; i < json_list_len(vhbas); i++)
		span_phases(a, json_list(json_object_array_get_idx(vhbas, i), "phases"), &last);
	if (a->answer > 0 && last > 2 * a->answer)
		last = 2 * a->answer;
	if (last < a->answer)
		last = a->answer;
	if (a->deadline > last && a->deadline < 4 * last)
		last = a->deadline;
	a->span = last > 0 ? last * 1.04 : 1;
}

static double tick_step(double span)
{
	double step = pow(10, floor(log10(span / TICKS_MAX)));

	if (span / step > 5 * TICKS_MAX)
		return step * 10;
	if (span / step > 2 * TICKS_MAX)
		return step * 5;
	return span / step > TICKS_MAX ? step * 2 : step;
}

static void put_axis(FILE *out, const struct axis *a, double top, double bottom)
{
	double step = tick_step(a->span);
	char text[32];

	for (int i = 0; i * step <= a->span; i++) {
		double x = x_of(a, i * step);

		put_line(out, x, top, bottom, i ? "stroke=\"#e2e8f0\"" : "stroke=\"#94a3b8\"");
		human_time((uint64_t)(i * step + 0.5), text, sizeof(text));
		put_text(out, x, top - 6, "a", "middle", i ? text : "0");
	}
}

static void put_marks(FILE *out, const struct axis *a, double top, double bottom)
{
	char text[64] = "deadline ", value[32];

	human_time((uint64_t)a->deadline, value, sizeof(value));
	strcat(text, value);
	if (a->deadline > a->span) {
		strcat(text, " →");
		put_text(out, WIDTH - RIGHT, bottom + 28, "r", "end", text);
	} else if (a->deadline > 0) {
		double x = x_of(a, a->deadline);

		put_line(out, x, top, bottom + 4,
			 "stroke=\"#dc2626\" stroke-width=\"2\" stroke-dasharray=\"6 4\"");
		put_text(out, x, bottom + 28, "r", x > WIDTH - 100 ? "end" : "middle", text);
	}
	if (a->answer > 0 && a->answer <= a->span) {
		double x = x_of(a, a->answer);
		bool left = x > WIDTH - 100;

		put_line(out, x, top, bottom + 4, "stroke=\"#0f172a\" stroke-width=\"1.5\"");
		human_time((uint64_t)a->answer, value, sizeof(value));
		snprintf(text, sizeof(text), "answer %s", value);
		put_text(out, x, bottom + 16, "e", left ? "end" : "middle", text);
	}
}

static void put_bar(FILE *out, const struct axis *a, struct json_object *p, double y, double height)
{
	const char *phase = json_text(p, "phase"), *outcome = json_text(p, "outcome");
	bool bad = !strcmp(outcome, "failed") || !strcmp(outcome, "unconfirmed");
	size_t colour = phase_index(phase);
	double start = since(a, json_uint(p, "start_us"));
	double end = json_has(p, "end_us") ? since(a, json_uint(p, "end_us")) : a->span;
	double x, w;
	char lasts[32];

	if (start > a->span)
		return;
	x = x_of(a, start);
	w = x_of(a, end < start ? start : end) - x;
	if (w < 2)
		w = 2;
	fprintf(out, "<g><title>");
	put_escaped(out, phase);
	fprintf(out, ": %s, ",
		json_has(p, "end_us")
			? human_time((uint64_t)(end > start ? end - start : 0), lasts, sizeof(lasts))
			: "goes on");
	put_escaped(out, outcome);
	fputs(json_has(p, "text") ? ": " : "", out);
	put_escaped(out, json_text(p, "text"));
	fprintf(out,
		"</title>\n<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"3\" "
		"fill=\"%s\"/>\n",
		x, y, w, height, colour < PHASES ? colours[colour].colour : COLOUR_OTHER);
	if (bad)
		fprintf(out,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"3\" "
			"fill=\"url(#h)\" "
			"stroke=\"#dc2626\" stroke-width=\"2\"/>\n",
			x, y, w, height);
	if (height > CHAR_W * 2 && w > (double)strlen(phase) * CHAR_W + 8)
		put_text(out, x + w / 2, y + height / 2 + 4, "b", "middle", phase);
	fputs("</g>\n", out);
}

/* Below the bars: what is proved, or what is not. */
static void put_evidence(FILE *out, struct json_object *owner, double y)
{
	struct json_object *list = json_list(owner, "evidence");
	char text[256] = "";
	size_t n = 0;

	if (json_text(owner, "outcome")[0])
		n = (size_t)snprintf(text, sizeof(text), "%s", json_text(owner, "outcome"));
	for (size_t i = 0; i < json_list_len(list) && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? ", " : ": ",
				      json_object_get_string(json_object_array_get_idx(list, i)));
	put_text(out, LEFT + 4, y, "e", NULL, text);
}

/* The VM's answer spans all: the mark shows it. */
static bool is_bar(struct json_object *phase)
{
	return strcmp(json_text(phase, "phase"), "answer") != 0;
}

/* How many bars, and whether one begins before another has ended: as the VM's do, whose vhbas go at their own
 * pace. */
static size_t bars(struct json_object *phases, bool *overlap)
{
	uint64_t end = 0;
	size_t n = 0;

	*overlap = false;
	for (size_t i = 0; i < json_list_len(phases); i++) {
		struct json_object *p = json_object_array_get_idx(phases, i);

		if (!is_bar(p))
			continue;
		*overlap |= json_uint(p, "start_us") < end;
		end = json_has(p, "end_us") ? json_uint(p, "end_us") : UINT64_MAX;
		n++;
	}
	return n;
}

static void put_lane(FILE *out, const struct axis *a, struct json_object *owner, const char *name,
		     const char *below, double y)
{
	struct json_object *phases = json_list(owner, "phases");
	bool overlap;
	size_t n = bars(phases, &overlap), rank = 0;
	double height = overlap ? (double)BAR / (double)n : BAR;

	put_text(out, 20, y + 22, "n", NULL, name);
	put_text(out, 20, y + 40, "w", NULL, below);
	for (size_t i = 0; i < json_list_len(phases); i++) {
		struct json_object *p = json_object_array_get_idx(phases, i);

		/* What overlaps is drawn one below the other, so that nothing is hidden. */
		if (is_bar(p))
			put_bar(out, a, p, y + 5 + (overlap ? (double)rank++ * height : 0), height);
	}
	put_evidence(out, owner, y + LANE - 13);
}

static size_t lanes(struct json_object *record)
{
	return json_list_len(json_list(record, "vhbas")) +
	       (json_list_len(json_list(record, "phases")) ? 1 : 0);
}

static double record_height(struct json_object *record)
{
	return HEAD + (double)lanes(record) * LANE + FOOT;
}

static void put_record(FILE *out, struct json_object *record, double y)
{
	struct json_object *vhbas = json_list(record, "vhbas"), *unproved = json_list(record, "unproved");
	double top = y + HEAD, bottom = top + (double)lanes(record) * LANE;
	char text[512], t1[32], t2[32];
	struct axis a;

	axis_init(&a, record);
	snprintf(text, sizeof(text), "%s %s: %s", json_text(record, "operation"), json_text(record, "vm"),
		 json_text(record, "outcome"));
	put_text(out, 20, y + 30, "t", NULL, text);
	snprintf(text, sizeof(text), "answered after %s of %s%s%s%s",
		 human_time((uint64_t)a.answer, t1, sizeof(t1)),
		 human_time((uint64_t)a.deadline, t2, sizeof(t2)), json_has(record, "time") ? ", " : "",
		 json_text(record, "time"), json_list_len(unproved) ? "; not proved: " : "");
	for (size_t i = 0, n = strlen(text); i < json_list_len(unproved) && n < 150; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.80s", i ? ", " : "",
				      json_object_get_string(json_object_array_get_idx(unproved, i)));
	put_text(out, 20, y + 51, "s", NULL, text);
	for (y = top; y < bottom; y += LANE)
		fprintf(out,
			"<rect x=\"10\" y=\"%.1f\" width=\"%d\" height=\"%d\" rx=\"4\" fill=\"#f1f5f9\"/>\n",
			y, WIDTH - 20, LANE - 6);
	put_axis(out, &a, top, bottom);
	y = top;
	if (json_list_len(json_list(record, "phases"))) {
		put_lane(out, &a, record, "VM", json_text(record, "vm"), y);
		y += LANE;
	}
	for (size_t i = 0; i < json_list_len(vhbas); i++, y += LANE) {
		struct json_object *v = json_object_array_get_idx(vhbas, i);

		snprintf(text, sizeof(text), "vhba %" PRIu64 "%s%s", json_uint(v, "index"),
			 json_text(v, "host")[0] ? " on " : "", json_text(v, "host"));
		put_lane(out, &a, v, text, json_text(v, "wwpn"), y);
	}
	put_marks(out, &a, top, bottom);
}

static void mark_phases(struct json_object *phases, bool *used)
{
	for (size_t i = 0; i < json_list_len(phases); i++)
		used[phase_index(json_text(json_object_array_get_idx(phases, i), "phase"))] = true;
}

static void put_legend(FILE *out, struct json_object *const *records, size_t n, double y)
{
	bool used[PHASES + 1] = {false};
	double x = 20;

	for (size_t i = 0; i < n; i++) {
		struct json_object *vhbas = json_list(records[i], "vhbas");

		mark_phases(json_list(records[i], "phases"), used);
		for (size_t j = 0; j < json_list_len(vhbas); j++)
			mark_phases(json_list(json_object_array_get_idx(vhbas, j), "phases"), used);
	}
	for (size_t i = 0; i < PHASES; i++) {
		if (!used[i])
			continue;
		fprintf(out,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"14\" rx=\"3\" fill=\"%s\"/>\n", x,
			y, colours[i].colour);
		put_text(out, x + 20, y + 11, "e", NULL, colours[i].phase);
		x += 36 + (double)strlen(colours[i].phase) * CHAR_W;
	}
	fprintf(out,
		"<g><rect x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"14\" rx=\"3\" fill=\"%s\"/>"
		"<rect x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"14\" rx=\"3\" fill=\"url(#h)\" "
		"stroke=\"#dc2626\" stroke-width=\"2\"/></g>\n",
		x, y, COLOUR_OTHER, x, y);
	put_text(out, x + 20, y + 11, "e", NULL, "not proved, or failed");
}

void timeline_svg(FILE *out, struct json_object *const *records, size_t n)
{
	double height = LEGEND, y = 0;

	for (size_t i = 0; i < n; i++)
		height += record_height(records[i]);
	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" viewBox=\"0 0 %d "
		"%.0f\">\n"
		"%s<rect width=\"%d\" height=\"%.0f\" fill=\"#fff\"/>\n",
		WIDTH, height, WIDTH, height, style, WIDTH, height);
	for (size_t i = 0; i < n; i++) {
		put_record(out, records[i], y);
		y += record_height(records[i]);
	}
	put_legend(out, records, n, y + 14);
	fputs("</svg>\n", out);
}
