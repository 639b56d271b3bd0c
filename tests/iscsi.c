/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Only what libiscsi's test suite needs of RFC 7143. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "be.h"
#include "cleanup.h"
#include "iscsi.h"

#define DATA_MAX (64u << 20)
#define BURST 262144u
#define HEADER 48
#define NO_TAG UINT32_MAX

/* initiator's operation codes, and the target's */
enum {
	NOP_OUT = 0x00,
	COMMAND = 0x01,
	TASK_MANAGEMENT = 0x02,
	LOGIN = 0x03,
	TEXT = 0x04,
	DATA_OUT = 0x05,
	LOGOUT = 0x06
};
enum {
	NOP_IN = 0x20,
	RESPONSE = 0x21,
	TASK_MANAGEMENT_RESPONSE = 0x22,
	LOGIN_RESPONSE = 0x23,
	TEXT_RESPONSE = 0x24,
	DATA_IN = 0x25,
	LOGOUT_RESPONSE = 0x26,
	R2T = 0x31,
	REJECT = 0x3f,
};

struct pdu {
	uint8_t h[HEADER];
	uint8_t *data; /* DATA_MAX */
	size_t len;
};

struct connection {
	const struct iscsi_target *target;
	int fd;
	uint64_t nexus;
	uint32_t stat_sn, exp_cmd_sn, limit; /* the initiator's MaxRecvDataSegmentLength */
	bool described; /* TargetPortalGroupTag has been said */
	struct pdu in;
	uint8_t *out, *answer; /* DATA_MAX: Data-Out and Data-In of a command */
};

static bool get(int fd, void *buf, size_t len)
{
	ssize_t n;

	for (size_t done = 0; done < len; done += (size_t)n) {
		n = read(fd, (uint8_t *)buf + done, len - done);
		if (n <= 0)
			return false;
	}
	return true;
}

static bool put(int fd, const void *buf, size_t len)
{
	ssize_t n;

	for (size_t done = 0; done < len; done += (size_t)n) {
		n = write(fd, (const uint8_t *)buf + done, len - done);
		if (n <= 0)
			return false;
	}
	return true;
}

static bool receive(struct connection *c)
{
	uint8_t skip[1024 + 4];

	if (!get(c->fd, c->in.h, HEADER) || !get(c->fd, skip, 4u * c->in.h[4]))
		return false;
	c->in.len = get_be24(c->in.h + 5);
	return c->in.len <= DATA_MAX && get(c->fd, c->in.data, c->in.len) && get(c->fd, skip, -c->in.len & 3);
}

/* h: the first 24 bytes are the caller's; counters are put in. */
static bool transmit(struct connection *c, uint8_t *h, const void *data, size_t len, bool counts)
{
	static const uint8_t pad[3];

	put_be24((uint32_t)len, h + 5);
	put_be32(c->stat_sn, h + 24);
	put_be32(c->exp_cmd_sn, h + 28);
	put_be32(c->exp_cmd_sn + 31, h + 32);
	c->stat_sn += counts;
	return put(c->fd, h, HEADER) && put(c->fd, data, len) && put(c->fd, pad, -len & 3);
}

/* A header that answers the one just received. */
static void reply(const struct connection *c, uint8_t *h, uint8_t opcode, uint8_t flags)
{
	memset(h, 0, HEADER);
	h[0] = opcode;
	h[1] = flags;
	memcpy(h + 16, c->in.h + 16, 4);
}

/* An initiator port is known by a name made of its own (FNV-1a), as a WWPN would be. */
static uint64_t nexus_of(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return hash | 1;
}

struct text {
	char b[2048];
	size_t n;
};

static void say(struct text *t, const char *line)
{
	size_t n = strlen(line) + 1;

	if (t->n + n <= sizeof(t->b)) {
		memcpy(t->b + t->n, line, n);
		t->n += n;
	}
}

/* What is agreed to of what the initiator offers. */
static void negotiate(struct connection *c, const char *offer, struct text *t)
{
	static const char *const answers[][2] = {
		{"AuthMethod=", "AuthMethod=None"},
		{"HeaderDigest=", "HeaderDigest=None"},
		{"DataDigest=", "DataDigest=None"},
		{"InitialR2T=", "InitialR2T=Yes"},
		{"ImmediateData=", "ImmediateData=Yes"},
		{"MaxBurstLength=", "MaxBurstLength=262144"},
		{"FirstBurstLength=", "FirstBurstLength=262144"},
		{"MaxRecvDataSegmentLength=", "MaxRecvDataSegmentLength=262144"},
		{"DataPDUInOrder=", "DataPDUInOrder=Yes"},
		{"DataSequenceInOrder=", "DataSequenceInOrder=Yes"},
		{"DefaultTime2Wait=", "DefaultTime2Wait=2"},
		{"DefaultTime2Retain=", "DefaultTime2Retain=0"},
		{"IFMarker=", "IFMarker=No"},
		{"OFMarker=", "OFMarker=No"},
		{"MaxConnections=", "MaxConnections=1"},
		{"MaxOutstandingR2T=", "MaxOutstandingR2T=1"},
		{"ErrorRecoveryLevel=", "ErrorRecoveryLevel=0"},
	};

	if (!strncmp(offer, "InitiatorName=", 14))
		c->nexus = nexus_of(offer + 14);
	if (!strncmp(offer, "MaxRecvDataSegmentLength=", 25))
		c->limit = (uint32_t)strtoul(offer + 25, NULL, 10);
	for (unsigned i = 0; i < ARRAY_SIZE(answers); i++)
		if (!strncmp(offer, answers[i][0], strlen(answers[i][0])))
			say(t, answers[i][1]);
}

static bool login(struct connection *c)
{
	uint8_t h[HEADER], flags = c->in.h[1];
	struct text t = {.n = 0};

	c->in.data[c->in.len] = '\0';
	for (size_t at = 0; at < c->in.len; at += strlen((char *)c->in.data + at) + 1)
		negotiate(c, (char *)c->in.data + at, &t);
	if (!c->described)
		say(&t, "TargetPortalGroupTag=1");
	c->described = true;
	c->exp_cmd_sn = get_be32(c->in.h + 24);
	reply(c, h, LOGIN_RESPONSE, flags & 0x8f);
	memcpy(h + 8, c->in.h + 8, 6); /* ISID */
	h[15] = 1; /* TSIH */
	return transmit(c, h, t.b, t.n, true);
}

/* Data-Out that did not come along, asked for burst by burst. */
static bool collect(struct connection *c, size_t have, size_t expected)
{
	uint8_t h[HEADER], command[HEADER];
	uint32_t sn = 0, want;
	bool ok = true;
	size_t at;

	memcpy(command, c->in.h, HEADER);
	for (; ok && have < expected; have += want) {
		want = expected - have < BURST ? (uint32_t)(expected - have) : BURST;
		memcpy(c->in.h, command, HEADER);
		reply(c, h, R2T, 0x80);
		memcpy(h + 8, command + 8, 8);
		put_be32(1, h + 20);
		put_be32(sn++, h + 36);
		put_be32((uint32_t)have, h + 40);
		put_be32(want, h + 44);
		ok = transmit(c, h, NULL, 0, false);
		do {
			ok = ok && receive(c) && (c->in.h[0] & 0x3f) == DATA_OUT;
			at = ok ? get_be32(c->in.h + 40) : 0;
			ok = ok && at + c->in.len <= DATA_MAX;
			if (ok)
				memcpy(c->out + at, c->in.data, c->in.len);
		} while (ok && !(c->in.h[1] & 0x80));
	}
	memcpy(c->in.h, command, HEADER);
	return ok;
}

static bool data_in(struct connection *c, const uint8_t *data, size_t len)
{
	uint8_t h[HEADER];
	uint32_t sn = 0;
	bool ok = true;
	size_t part;

	for (size_t at = 0; ok && at < len; at += part) {
		part = len - at < c->limit ? len - at : c->limit;
		reply(c, h, DATA_IN, at + part == len ? 0x80 : 0);
		memcpy(h + 8, c->in.h + 8, 8);
		put_be32(NO_TAG, h + 20);
		put_be32(sn++, h + 36);
		put_be32((uint32_t)at, h + 40);
		ok = transmit(c, h, data + at, part, false);
	}
	return ok;
}

static bool command(struct connection *c)
{
	bool reads = c->in.h[1] & 0x40, writes = c->in.h[1] & 0x20;
	uint32_t expected = get_be32(c->in.h + 20), residual;
	uint8_t h[HEADER], sense[2 + SCSI_SENSE_MAX];
	struct iovec in = {c->answer, 0}, out = {c->out, 0};
	struct scsi_task t = {.cdb_len = 32, .in = &in, .out = &out, .in_n = 1, .out_n = 1};

	if (expected > DATA_MAX)
		return false;
	memcpy(t.cdb, c->in.h + 32, 16);
	if (writes) {
		memcpy(c->out, c->in.data, c->in.len);
		if (!collect(c, c->in.len, expected))
			return false;
	}
	t.in_len = in.iov_len = reads ? expected : 0;
	t.out_len = out.iov_len = writes ? expected : 0;
	c->target->execute(c->target->arg, c->nexus, get_be64(c->in.h + 8), &t);
	if (reads && !data_in(c, c->answer, t.moved))
		return false;
	residual = expected > t.moved ? expected - (uint32_t)t.moved : 0;
	reply(c, h, RESPONSE, (uint8_t)(0x80 | (t.overrun ? 0x04 : residual ? 0x02 : 0)));
	h[3] = t.status;
	put_be32(residual, h + 44);
	put_be16((uint16_t)t.sense_len, sense);
	memcpy(sense + 2, t.sense, t.sense_len);
	return transmit(c, h, sense, t.sense_len ? 2 + t.sense_len : 0, true);
}

/* Every command has ended before the next is read: an abort finds none. */
static bool task_management(struct connection *c)
{
	unsigned function = c->in.h[1] & 0x7f;
	uint8_t h[HEADER];

	if (function >= 5 && function <= 7)
		c->target->reset(c->target->arg, c->nexus);
	reply(c, h, TASK_MANAGEMENT_RESPONSE, 0x80);
	return transmit(c, h, NULL, 0, true);
}

static bool serve(struct connection *c)
{
	uint8_t h[HEADER], opcode = c->in.h[0] & 0x3f;

	if (!(c->in.h[0] & 0x40) && opcode != LOGIN)
		c->exp_cmd_sn = get_be32(c->in.h + 24) + 1;
	switch (opcode) {
	case LOGIN:
		return login(c);
	case COMMAND:
		return command(c);
	case TASK_MANAGEMENT:
		return task_management(c);
	case NOP_OUT:
		if (get_be32(c->in.h + 16) == NO_TAG)
			return true;
		reply(c, h, NOP_IN, 0x80);
		put_be32(NO_TAG, h + 20);
		return transmit(c, h, c->in.data, c->in.len, true);
	case LOGOUT:
		reply(c, h, LOGOUT_RESPONSE, 0x80);
		transmit(c, h, NULL, 0, true);
		return false;
	}
	return false;
}

static void *talk(void *arg)
{
	struct connection *c = arg;

	while (receive(c) && serve(c))
		;
	close(c->fd);
	free(c->in.data);
	free(c->out);
	free(c->answer);
	free(c);
	return NULL;
}

static bool accept_one(const struct iscsi_target *target, int listener)
{
	struct connection *c = calloc(1, sizeof(*c));
	pthread_t thread;
	int on = 1;

	if (!c)
		return false;
	c->target = target;
	c->limit = 8192;
	c->in.data = malloc(DATA_MAX + 1);
	c->out = malloc(DATA_MAX);
	c->answer = malloc(DATA_MAX);
	c->fd = accept(listener, NULL, NULL);
	if (c->fd < 0 || !c->in.data || !c->out || !c->answer)
		return false;
	/* header and data are written apart: the second isn't to wait for the first's acknowledgement */
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (pthread_create(&thread, NULL, talk, c))
		return false;
	pthread_detach(thread);
	return true;
}

static int listen_local(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) || listen(fd, 8) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		return -1;
	printf("%u\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

int iscsi_run(const struct iscsi_target *target)
{
	struct pollfd p[2] = {{.fd = 0, .events = POLLIN}, {.events = POLLIN}};

	p[1].fd = listen_local();
	if (p[1].fd < 0) {
		perror("can't listen");
		return 1;
	}
	while (poll(p, 2, -1) > 0 && !p[0].revents)
		if (!accept_one(target, p[1].fd))
			return 1;
	return 0;
}
