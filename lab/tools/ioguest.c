/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ioguest PROGRAM [ARG]... | --connect SOCKET: a guest's driver and its front end for scenarios.
 *
 * Starts the program, a vhba-io, with --socket-fd and --control-fd added, or connects to one that runs
 * (there is no control then), and does what standard input says, a line at a time, with one line as its
 * answer:
 *
 * start, stop          the front end's rings; stop says after how many us it was answered
 * log on|off           the front end's log of written pages, as for a migration
 * move SOCKET          stopped, it goes on there by the next start, with what it has not been answered yet
 * lost SOCKET          the same, when the back end has closed the connection without having stopped the rings
 * fill LUN SEED        writes FILLED pieces all over the LUN, whose data are of that number: "bad=N"
 * check LUN SEED       and reads them back
 * ask LUN FILE LEN CDB a command with Data-In, which go to FILE; CDB: hexadecimal bytes without spaces
 * tell LUN FILE CDB    with Data-Out from FILE
 * do LUN CDB           without data; all three: "status=SS response=N moved=N sense=HEX"
 * verify LUN N         so many writes of all sizes and alignments, read back and compared: "bad=N"
 * submit LUN N CDB LEN N commands whose ends nobody waits for; LEN bytes of Data-In, or of Data-Out if
 *                      negative
 * ends                 of those, so far: "pending= good= busy= nexus= check= other="; nexus: 06/29/07
 * tmf LUN FUNCTION     a task management function by its number in virtio, where it is about one command
 *                      then the last one submitted; says the response
 * events               what the back end has told of LUNs since: "EVENT:REASON:LUN ..." in hexadecimal, or
 * "none" control TEXT         vhba-io's answer to that
 */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/vhost_types.h>

#include "backend.h"
#include "cleanup.h"
#include "front.h"
#include "monotime.h"
#include "scsi_task.h"

#define MEMORY (32u << 20)
#define RING 256
#define RING_REQUESTS 2 /* the first of the request rings */
#define DATA_MAX (1u << 20)
#define SUBMITTED_MAX 64
#define SUBMITTED_BYTES 65536
#define EVENTS 8
#define RING_EVENTS 1

struct guest {
	struct front front;
	struct backend back; /* only its control socket */
	uint16_t base[FRONT_RINGS];
	bool started, negotiated, running;
	bool kept; /* the region of what was in flight is that of the connection before */
	uint64_t data, other; /* DATA_MAX and a page each */
	struct front_req submitted[SUBMITTED_MAX];
	uint64_t submitted_data[SUBMITTED_MAX];
	unsigned submitted_n;
	struct front_req event[EVENTS]; /* buffers for them */
};

static int bytes_of(const char *hex, uint8_t *out, unsigned max)
{
	unsigned n = 0;

	for (; hex[0] && hex[1]; hex += 2) {
		const char two[3] = {hex[0], hex[1], '\0'};
		char *end;

		if (n == max)
			return -1;
		out[n++] = (uint8_t)strtoul(two, &end, 16);
		if (*end)
			return -1;
	}
	return *hex || !n ? -1 : (int)n;
}

static void say_response(const struct front_req *q)
{
	const struct virtio_scsi_cmd_resp *r = front_response(q);
	uint32_t asked = 0, sense = le32toh(r->sense_len);

	for (unsigned i = 0; i < q->data_in_n; i++)
		asked += q->data_in[i].len;
	for (unsigned i = 0; i < q->data_out_n; i++)
		asked += q->data_out[i].len;
	printf("status=%02x response=%u moved=%u sense=", r->status, r->response, asked - le32toh(r->resid));
	for (unsigned i = 0; i < sense && i < sizeof(r->sense); i++)
		printf("%02x", r->sense[i]);
	printf("\n");
}

static int command(struct front_req *q, const char *lun, const char *cdb)
{
	uint8_t bytes[SCSI_CDB_MAX];
	int n = bytes_of(cdb, bytes, sizeof(bytes));

	if (n > 0)
		front_command(q, (uint16_t)atoi(lun), bytes, (unsigned)n);
	return n > 0 ? 0 : -EINVAL;
}

static void execute(struct guest *g, struct front_req *q)
{
	front_submit(&g->front, RING_REQUESTS, q);
	front_wait(&g->front, RING_REQUESTS, q);
}

static void park(struct guest *g, struct front_req *q)
{
	memset(q, 0, sizeof(*q));
	q->in_len = sizeof(struct virtio_scsi_event);
	front_submit(&g->front, RING_EVENTS, q);
}

/* ---- the lines ---- */

static int start(struct guest *g, char **a)
{
	if (!g->negotiated)
		front_negotiate(&g->front);
	/* as QEMU does: what a process that is killed leaves, the next one takes up */
	if (!g->negotiated && g->kept)
		front_set_inflight(&g->front);
	else if (!g->negotiated && g->running)
		front_get_inflight(&g->front);
	g->negotiated = true;
	g->kept = false;
	for (unsigned i = 0; i < EVENTS && !g->started; i++)
		park(g, &g->event[i]);
	front_start(&g->front, g->started ? g->base : NULL);
	g->started = true;
	printf("ok\n");
	return 0;
}

static int stop(struct guest *g, char **a)
{
	const struct vu_state off = {RING_REQUESTS, 0};
	struct monotime from = mono_now();
	struct vu_state base = off;
	uint64_t us;

	/* the first ring stops the device, and its base is what the front end waits for */
	front_send(&g->front, VU_SET_VRING_ENABLE, &off, sizeof(off), NULL, 0, false);
	front_send(&g->front, VU_GET_VRING_BASE, &base, sizeof(base), NULL, 0, false);
	front_receive(&g->front, VU_GET_VRING_BASE, &base, sizeof(base), NULL);
	us = mono_since(mono_now(), from);
	front_stop(&g->front, g->base);
	g->base[RING_REQUESTS] = (uint16_t)base.num;
	printf("us=%" PRIu64 "\n", us);
	return 0;
}

static void forget_log(struct front *f)
{
	if (!f->log)
		return;
	munmap(f->log, f->log_size);
	cleanup_fd(&f->log_fd);
	f->log = NULL;
	f->log_fd = -1;
	f->features &= ~(UINT64_C(1) << VHOST_F_LOG_ALL);
}

/* After a stop: the same guest, by another back end, once it is started. */
static int move(struct guest *g, char **a)
{
	forget_log(&g->front); /* it was the source's */
	front_move(&g->front, front_dial(a[0]));
	g->negotiated = false;
	printf("ok\n");
	return 0;
}

/* As QEMU does with a character device that reconnects: the rings stand where the used entries do. */
static int lost(struct guest *g, char **a)
{
	if (!front_is_left(&g->front))
		return -EISCONN;
	forget_log(&g->front);
	for (unsigned i = 0; i < g->front.rings; i++) {
		const struct vring_used *used = front_at(&g->front, g->front.ring[i].used);

		g->base[i] = used->idx;
	}
	front_move(&g->front, front_dial(a[0]));
	g->negotiated = false;
	g->kept = g->front.inflight_fd >= 0;
	printf("ok\n");
	return 0;
}

static int dirty_log(struct guest *g, char **a)
{
	bool on = !strcmp(a[0], "on");

	if (on == !!g->front.log)
		return -EINVAL;
	if (on)
		front_log_start(&g->front);
	else
		front_log_stop(&g->front);
	printf("ok\n");
	return 0;
}

#define FILLED 32
#define FILLED_BLOCKS 8

static void pattern(uint8_t *to, unsigned seed, unsigned piece)
{
	for (unsigned i = 0; i < FILLED_BLOCKS * 512; i++)
		to[i] = (uint8_t)(seed * 31 + piece * 7 + i + i / 251);
}

/* What is cut off by a move is told to be BUSY, and is repeated as a guest's driver does. */
static bool piece_done(struct guest *g, uint16_t lun, bool write, unsigned piece)
{
	const struct virtio_scsi_cmd_resp *r;
	struct front_req q;

	do {
		front_rw(&q, lun, write, 50000 + (uint64_t)piece * 997, FILLED_BLOCKS, g->data);
		execute(g, &q);
		r = front_response(&q);
	} while (!r->response && r->status == SCSI_BUSY);
	return !r->response && !r->status;
}

static int fill_or_check(struct guest *g, char **a, bool write)
{
	uint8_t *data = front_at(&g->front, g->data), want[FILLED_BLOCKS * 512];
	unsigned bad = 0, seed = (unsigned)atoi(a[1]);

	for (unsigned i = 0; i < FILLED; i++) {
		pattern(want, seed, i);
		if (write)
			memcpy(data, want, sizeof(want));
		else
			memset(data, 0, sizeof(want));
		bad += !piece_done(g, (uint16_t)atoi(a[0]), write, i) || memcmp(data, want, sizeof(want));
	}
	printf("bad=%u\n", bad);
	return 0;
}

static int fill(struct guest *g, char **a)
{
	return fill_or_check(g, a, true);
}

static int check(struct guest *g, char **a)
{
	return fill_or_check(g, a, false);
}

static int ask(struct guest *g, char **a)
{
	uint32_t len = (uint32_t)atoi(a[2]);
	const struct virtio_scsi_cmd_resp *r;
	struct front_req q;
	AUTO_FILE FILE *f = fopen(a[1], "w");

	if (!f || len > DATA_MAX || command(&q, a[0], a[3]))
		return -EINVAL;
	q.data_in[q.data_in_n++] = (struct front_piece){g->data, len};
	execute(g, &q);
	r = front_response(&q);
	fwrite(front_at(&g->front, g->data), 1, len - le32toh(r->resid), f);
	say_response(&q);
	return 0;
}

static int tell(struct guest *g, char **a)
{
	AUTO_FILE FILE *f = fopen(a[1], "r");
	struct front_req q;
	size_t len;

	if (!f || command(&q, a[0], a[2]))
		return -EINVAL;
	len = fread(front_at(&g->front, g->data), 1, DATA_MAX, f);
	q.data_out[q.data_out_n++] = (struct front_piece){g->data, (uint32_t)len};
	execute(g, &q);
	say_response(&q);
	return 0;
}

static int no_data(struct guest *g, char **a)
{
	struct front_req q;

	if (command(&q, a[0], a[1]))
		return -EINVAL;
	execute(g, &q);
	say_response(&q);
	return 0;
}

/* In one piece or two, which no device takes as they are when "odd". */
static void put_pieces(struct front_piece *p, unsigned *n, uint64_t gpa, uint32_t len, unsigned how)
{
	uint32_t first = how & 1 ? len / 3 : len;

	gpa += how & 2 ? 7 : 0;
	p[(*n)++] = (struct front_piece){gpa, first};
	if (first < len)
		p[(*n)++] = (struct front_piece){gpa + first, len - first};
}

static bool verify_one(struct guest *g, uint16_t lun, unsigned i)
{
	static const uint32_t sizes[] = {1, 8, 3, 64, 200, 1024, 17, 2000};
	uint32_t blocks = sizes[i % ARRAY_SIZE(sizes)], len = blocks * 512;
	uint8_t *out = front_at(&g->front, g->data), *in = front_at(&g->front, g->other);
	unsigned how = i / ARRAY_SIZE(sizes) % 4, at = how & 2 ? 7 : 0;
	uint64_t lba = 4096 + (uint64_t)i * 611 % 40000;
	struct front_req q;

	for (uint32_t b = 0; b < len; b++)
		out[at + b] = (uint8_t)(b * 7 + b / 509 + i);
	memset(in, 0xee, len + at);
	front_rw(&q, lun, true, lba, blocks, g->data);
	q.data_out_n = 0;
	put_pieces(q.data_out, &q.data_out_n, g->data, len, how);
	execute(g, &q);
	if (front_response(&q)->status || front_response(&q)->response)
		return false;
	front_rw(&q, lun, false, lba, blocks, g->other);
	q.data_in_n = 0;
	put_pieces(q.data_in, &q.data_in_n, g->other, len, how ^ 1);
	execute(g, &q);
	return !front_response(&q)->status && !front_response(&q)->resid && !memcmp(out + at, in + at, len);
}

static int verify(struct guest *g, char **a)
{
	unsigned bad = 0, n = (unsigned)atoi(a[1]);

	for (unsigned i = 0; i < n; i++)
		bad += !verify_one(g, (uint16_t)atoi(a[0]), i);
	printf("bad=%u\n", bad);
	return 0;
}

static int submit(struct guest *g, char **a)
{
	int n = atoi(a[1]), len = atoi(a[3]);

	if (abs(len) > SUBMITTED_BYTES)
		return -EINVAL;
	for (; n > 0; n--) {
		struct front_req *q = &g->submitted[g->submitted_n];
		struct front_piece p = {g->submitted_data[g->submitted_n], (uint32_t)abs(len)};

		if (g->submitted_n == SUBMITTED_MAX || command(q, a[0], a[2]))
			return -EINVAL;
		g->submitted_n++;
		if (len > 0)
			q->data_in[q->data_in_n++] = p;
		else if (len < 0)
			q->data_out[q->data_out_n++] = p;
		front_submit(&g->front, RING_REQUESTS, q);
	}
	printf("ok\n");
	return 0;
}

enum { PENDING, GOOD, BUSY, NEXUS, CHECK, OTHER, ENDS_N };

static unsigned end_of(const struct front_req *q)
{
	static const uint8_t nexus_loss[] = {0x29, 0x07};
	const struct virtio_scsi_cmd_resp *r = front_response(q);

	if (!q->done)
		return PENDING;
	if (r->response)
		return OTHER;
	switch (r->status) {
	case SCSI_GOOD:
		return GOOD;
	case SCSI_BUSY:
		return BUSY;
	case SCSI_CHECK_CONDITION:
		return (r->sense[2] & 0xf) == 6 && !memcmp(r->sense + 12, nexus_loss, 2) ? NEXUS : CHECK;
	default:
		return OTHER;
	}
}

static int ends(struct guest *g, char **a)
{
	static const char *const names[ENDS_N] = {"pending", "good", "busy", "nexus", "check", "other"};
	unsigned count[ENDS_N] = {0};

	front_reap(&g->front, RING_REQUESTS, false);
	for (unsigned i = 0; i < g->submitted_n; i++)
		count[end_of(&g->submitted[i])]++;
	for (unsigned i = 0; i < ENDS_N; i++)
		printf("%s=%u%c", names[i], count[i], i + 1 < ENDS_N ? ' ' : '\n');
	if (!count[PENDING])
		g->submitted_n = 0;
	return 0;
}

static int task_management(struct guest *g, char **a)
{
	struct virtio_scsi_cmd_req last = {.tag = 0};

	if (g->submitted_n)
		memcpy(&last, g->submitted[g->submitted_n - 1].out, sizeof(last));
	printf("%u\n", front_tmf(&g->front, (uint32_t)atoi(a[1]), (uint16_t)atoi(a[0]), last.tag));
	return 0;
}

static int events(struct guest *g, char **a)
{
	bool none = true;

	front_reap(&g->front, RING_EVENTS, false);
	for (unsigned i = 0; i < EVENTS; i++) {
		struct virtio_scsi_event e;

		if (!g->event[i].done)
			continue;
		memcpy(&e, g->event[i].in, sizeof(e));
		printf("%s%x:%x:%x", none ? "" : " ", le32toh(e.event), le32toh(e.reason), e.lun[3]);
		none = false;
		park(g, &g->event[i]);
	}
	printf("%s\n", none ? "none" : "");
	return 0;
}

static int control(struct guest *g, char **a)
{
	printf("%s\n", backend_ask(&g->back, a[0], -1));
	return 0;
}

static const struct {
	const char *word;
	unsigned arguments;
	int (*run)(struct guest *, char **);
} lines[] = {
	{"start", 0, start},	     {"stop", 0, stop},	      {"ask", 4, ask},	     {"tell", 3, tell},
	{"do", 2, no_data},	     {"verify", 2, verify},   {"submit", 4, submit}, {"ends", 0, ends},
	{"tmf", 2, task_management}, {"control", 1, control}, {"move", 1, move},     {"log", 1, dirty_log},
	{"fill", 2, fill},	     {"check", 2, check},     {"lost", 1, lost},     {"events", 0, events},
};

static int run_line(struct guest *g, char *line)
{
	char *save = NULL, *word = strtok_r(line, " \n", &save), *a[4] = {NULL};

	for (size_t i = 0; word && i < ARRAY_SIZE(lines); i++) {
		if (strcmp(word, lines[i].word))
			continue;
		for (unsigned n = 0; n < lines[i].arguments; n++) {
			a[n] = strtok_r(NULL, lines[i].run == control ? "\n" : " \n", &save);
			if (!a[n])
				return -EINVAL;
		}
		return lines[i].run(g, a);
	}
	return -EINVAL;
}

/* ---- the program ---- */

/* Its sockets are given by their numbers; what the front end's end is becomes *front, the control's *control.
 */
static pid_t launch(int argc, char **argv, int *front, int *control_fd)
{
	char **args = calloc((size_t)argc + 4, sizeof(*args)), number[2][16];
	int pair[2], other[2];
	pid_t pid;

	if (!args || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, other))
		front_die("sockets");
	memcpy(args, argv + 1, (size_t)(argc - 1) * sizeof(*args));
	args[argc - 1] = "--socket-fd";
	args[argc] = number[0];
	args[argc + 1] = "--control-fd";
	args[argc + 2] = number[1];
	pid = fork();
	if (pid < 0)
		front_die("fork");
	if (!pid) {
		snprintf(number[0], sizeof(number[0]), "%d", dup(pair[1]));
		snprintf(number[1], sizeof(number[1]), "%d", dup(other[1]));
		execvp(args[0], args);
		front_die(args[0]);
	}
	free(args);
	close(pair[1]);
	close(other[1]);
	*front = pair[0];
	*control_fd = other[0];
	return pid;
}

int main(int argc, char **argv)
{
	static struct guest g;
	char line[1024];
	bool running = argc == 3 && !strcmp(argv[1], "--connect");
	int sock, status;
	pid_t pid = -1;

	if (argc < 2) {
		fprintf(stderr, "usage: ioguest PROGRAM [ARG]... | --connect SOCKET\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	g.running = running;
	if (running)
		sock = front_dial(argv[2]);
	else
		pid = launch(argc, argv, &sock, &g.back.control);
	front_init(&g.front, sock, MEMORY, 1, RING, 0);
	g.data = front_alloc(&g.front, DATA_MAX + 4096, 4096, false);
	g.other = front_alloc(&g.front, DATA_MAX + 4096, 4096, true);
	for (unsigned i = 0; i < SUBMITTED_MAX; i++)
		g.submitted_data[i] = front_alloc(&g.front, SUBMITTED_BYTES, 4096, i & 1);
	while (fgets(line, sizeof(line), stdin))
		if (run_line(&g, line))
			printf("error\n");
	front_end(&g.front);
	if (running)
		return 0;
	close(g.back.control);
	if (waitpid(pid, &status, 0) != pid)
		front_die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
