/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "frame_text.h"
#include "trace.h"

#define LINKTYPE_ETHERNET 1
#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET 6u

struct trace {
	FILE *pcapng, *lines;
	uint32_t *interfaces; /* a port's number in the file + 1; 0: not described yet */
	unsigned n_ports;
	uint32_t n_interfaces;
};

/* A pcapng block is made in memory (host byte order, as its magic tells) and written at once. */
struct block {
	size_t len;
	uint32_t words[1024];
};

static void put(struct block *b, const void *bytes, size_t len)
{
	memcpy((uint8_t *)b->words + b->len, bytes, len);
	b->len += len;
	while (b->len % 4)
		((uint8_t *)b->words)[b->len++] = 0;
}

static void put32(struct block *b, uint32_t v)
{
	put(b, &v, 4);
}

static void put_option(struct block *b, uint16_t code, const void *bytes, uint16_t len)
{
	uint16_t head[2] = {code, len};

	put(b, head, 4);
	put(b, bytes, len);
}

static void block_begin(struct block *b, uint32_t type)
{
	b->len = 0;
	put32(b, type);
	put32(b, 0); /* the length, set at the end */
}

static void block_write(struct block *b, FILE *to)
{
	put32(b, (uint32_t)b->len + 4);
	b->words[1] = (uint32_t)b->len;
	fwrite(b->words, 1, b->len, to);
}

static void write_section(FILE *to)
{
	struct block b;

	block_begin(&b, BLOCK_SECTION);
	put32(&b, 0x1a2b3c4d);
	put32(&b, 1); /* version 1.0; the bytes are in the host's order */
	put32(&b, UINT32_MAX); /* section length unknown */
	put32(&b, UINT32_MAX);
	block_write(&b, to);
}

static FILE *open_file(const char *path)
{
	return strcmp(path, "-") ? fopen(path, "we") : stdout;
}

struct trace *trace_open(const char *pcapng, const char *lines, const char **failed)
{
	struct trace *t = calloc(1, sizeof(*t));

	*failed = "trace";
	if (!t)
		return NULL;
	if (pcapng && !(t->pcapng = open_file(pcapng)))
		*failed = pcapng;
	else if (lines && !(t->lines = open_file(lines)))
		*failed = lines;
	else
		*failed = NULL;
	if (*failed) {
		trace_close(t);
		return NULL;
	}
	if (t->pcapng)
		write_section(t->pcapng);
	trace_flush(t);
	return t;
}

void trace_close(struct trace *t)
{
	if (!t)
		return;
	if (t->pcapng)
		fclose(t->pcapng);
	if (t->lines)
		fclose(t->lines);
	free(t->interfaces);
	free(t);
}

/* The port's interface in the file; described there when it is new. UINT32_MAX: out of memory. */
static uint32_t interface_of(struct trace *t, unsigned port, const char *name)
{
	struct block b;

	if (port >= t->n_ports) {
		uint32_t *more = reallocarray(t->interfaces, port + 1, sizeof(uint32_t));

		if (!more)
			return UINT32_MAX;
		memset(more + t->n_ports, 0, (port + 1 - t->n_ports) * sizeof(uint32_t));
		t->interfaces = more;
		t->n_ports = port + 1;
	}
	if (!t->interfaces[port]) {
		t->interfaces[port] = ++t->n_interfaces;
		block_begin(&b, BLOCK_INTERFACE);
		put32(&b, LINKTYPE_ETHERNET);
		put32(&b, 0); /* no limit */
		put_option(&b, 2, name, (uint16_t)strlen(name));
		put32(&b, 0);
		block_write(&b, t->pcapng);
	}
	return t->interfaces[port] - 1;
}

static void write_packet(struct trace *t, unsigned port, const char *name, bool in, const uint8_t *eth,
			 size_t len)
{
	uint32_t interface = interface_of(t, port, name), flags = in ? 1 : 2;
	struct timespec ts;
	struct block b;
	uint64_t us;

	if (interface == UINT32_MAX || len > sizeof(b.words) - 128)
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	us = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
	block_begin(&b, BLOCK_PACKET);
	put32(&b, interface);
	put32(&b, (uint32_t)(us >> 32));
	put32(&b, (uint32_t)us);
	put32(&b, (uint32_t)len);
	put32(&b, (uint32_t)len);
	put(&b, eth, len);
	put_option(&b, 2, &flags, 4);
	put32(&b, 0);
	block_write(&b, t->pcapng);
}

void trace_frame(struct trace *t, unsigned port, const char *port_name, bool in, const uint8_t *eth,
		 size_t len, uint64_t now_us)
{
	char text[200];

	if (t->pcapng)
		write_packet(t, port, port_name, in, eth, len);
	if (t->lines)
		fprintf(t->lines, "%" PRIu64 ".%06" PRIu64 " %s %s %s\n", now_us / 1000000, now_us % 1000000,
			port_name, in ? "in" : "out", frame_text(eth, len, text, sizeof(text)));
}

void trace_flush(struct trace *t)
{
	if (t->pcapng)
		fflush(t->pcapng);
	if (t->lines)
		fflush(t->lines);
}
