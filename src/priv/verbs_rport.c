/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The timers of a host's target rports (scsi_transport_fc.c, "FC Remote Port Attribute Management"). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "sysroot.h"
#include "verbs.h"

#define LEAVE (-2)
#define BLOCK_MAX 600 /* s, SCSI_DEVICE_BLOCK_MAX_TIMEOUT: more needs fast_io_fail_tmo */
#define TIMER_TEXT 12 /* "off" or a u32 */
#define RPORT_ATTR "/sys/class/fc_remote_ports/%s/%s"

struct timers {
	const struct priv_request *q;
	struct priv_reply *r;
	char fast[TIMER_TEXT], loss[TIMER_TEXT]; /* what is to be written; "": leave */
	int err; /* the last that is neither success nor EBUSY */
};

bool verb_is_target(const char *rport)
{
	char roles[256];

	return sysroot_read(roles, sizeof(roles), RPORT_ATTR, rport, "roles") > 0 &&
	       strstr(roles, "FCP Target");
}

static bool is_seconds(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n && n <= 10 && !text[n];
}

static int write_timer(const char *rport, const char *attr, const char *text)
{
	return text[0] ? verb_write(text, RPORT_ATTR, rport, attr) : 0;
}

/*
 * fast_io_fail_tmo must be below the dev_loss_tmo that is there, and dev_loss_tmo beyond BLOCK_MAX needs a
 * fast_io_fail_tmo: a long dev_loss_tmo is reached in two steps.
 */
static int write_timers(const char *rport, const char *fast, const char *loss)
{
	int err = write_timer(rport, "dev_loss_tmo", loss);

	if (err == -EINVAL && strtoull(loss, NULL, 10) > BLOCK_MAX && is_seconds(fast)) {
		err = write_timer(rport, "dev_loss_tmo", "600");
		if (!err)
			err = write_timer(rport, "fast_io_fail_tmo", fast);
		return err ? err : write_timer(rport, "dev_loss_tmo", loss);
	}
	return err ? err : write_timer(rport, "fast_io_fail_tmo", fast);
}

static void count_result(struct timers *t, int err)
{
	if (!err)
		t->r->count++;
	else if (err == -EBUSY)
		t->r->value++;
	else if (err != -ENOENT && err != -ENODEV) /* it went meanwhile */
		t->err = err;
}

/*
 * "rport-H:C-N,C-N=FAST/LOSS;": the rports of a host that had these timers.  False when there is no room:
 * half an entry could be read as other timers.
 */
static bool note(struct timers *t, unsigned channel, unsigned number, const char *fast, const char *loss)
{
	char tail[2 * TIMER_TEXT + 4], entry[80], *text = t->r->text;
	size_t len = strlen(text), tail_len, at = len, n;

	tail_len = (size_t)snprintf(tail, sizeof(tail), "=%s/%s;", fast, loss);
	if (len > tail_len && !strcmp(text + len - tail_len, tail)) {
		at = len - tail_len;
		n = (size_t)snprintf(entry, sizeof(entry), ",%u-%u%s", channel, number, tail);
	} else {
		n = (size_t)snprintf(entry, sizeof(entry), "rport-%d:%u-%u%s", t->q->host, channel, number,
				     tail);
	}
	if (at + n >= sizeof(t->r->text))
		return false;
	memcpy(text + at, entry, n + 1);
	return true;
}

static int set_timers(const char *name, void *arg)
{
	char fast[TIMER_TEXT], loss[TIMER_TEXT];
	struct timers *t = arg;
	unsigned channel, number;
	int host;

	if (sscanf(name, "rport-%d:%u-%u", &host, &channel, &number) != 3 || host != t->q->host ||
	    !verb_is_target(name))
		return 0;
	/* What can't be read is going. */
	if (sysroot_read(fast, sizeof(fast), RPORT_ATTR, name, "fast_io_fail_tmo") < 0 ||
	    sysroot_read(loss, sizeof(loss), RPORT_ATTR, name, "dev_loss_tmo") < 0 ||
	    (strcmp(fast, "off") && !is_seconds(fast)) || !is_seconds(loss))
		return 0;
	if (!note(t, channel, number, fast, loss))
		t->err = -ENOSPC;
	else
		count_result(t, write_timers(name, t->fast, t->loss));
	return 0;
}

int verb_rport_timers(const struct priv_request *q, struct priv_reply *r)
{
	struct timers t = {q, r, "", "", 0};
	int err = verb_check_fc_host(q->host, r);

	if (err)
		return err;
	if (q->fast_io_fail < LEAVE || q->fast_io_fail > BLOCK_MAX || q->dev_loss < LEAVE ||
	    q->dev_loss == -1) {
		snprintf(r->text, sizeof(r->text), "fast_io_fail %d, dev_loss %d", q->fast_io_fail,
			 q->dev_loss);
		return -EINVAL;
	}
	if (q->fast_io_fail == -1)
		snprintf(t.fast, sizeof(t.fast), "off");
	else if (q->fast_io_fail >= 0)
		snprintf(t.fast, sizeof(t.fast), "%d", q->fast_io_fail);
	if (q->dev_loss >= 0)
		snprintf(t.loss, sizeof(t.loss), "%d", q->dev_loss);
	err = verb_each_child(q->host, "rport-", set_timers, &t);
	return err ? err : t.err;
}

/* One entry without its ';', as note() wrote it; an rport that is gone is passed over. */
static int restore_entry(char *entry, struct timers *t)
{
	char *timers = strchr(entry, '='), *fast, *loss, *save = NULL;
	unsigned channel, number;
	int host, at = 0, end;

	if (!timers || sscanf(entry, "rport-%d:%n", &host, &at) != 1 || !at || host != t->q->host)
		return -EINVAL;
	*timers = '\0';
	fast = timers + 1;
	loss = strchr(fast, '/');
	if (!loss)
		return -EINVAL;
	*loss++ = '\0';
	if ((strcmp(fast, "off") && !is_seconds(fast)) || !is_seconds(loss))
		return -EINVAL;
	for (char *p = strtok_r(entry + at, ",", &save); p; p = strtok_r(NULL, ",", &save)) {
		char name[48];

		if (sscanf(p, "%u-%u%n", &channel, &number, &end) != 2 || p[end])
			return -EINVAL;
		snprintf(name, sizeof(name), "rport-%d:%u-%u", host, channel, number);
		if (sysroot_exists("/sys/class/fc_remote_ports/%s", name))
			count_result(t, write_timers(name, fast, loss));
	}
	return 0;
}

/* What was cut short on its way is restored as far as it goes, and said: the rest of a number is another
 * number. */
int verb_rport_restore(const struct priv_request *q, struct priv_reply *r)
{
	struct timers t = {q, r, "", "", 0};
	int err = verb_check_fc_host(q->host, r);
	char text[PRIV_TEXT_MAX], *p = text, *end;

	snprintf(text, sizeof(text), "%s", q->text);
	while (!err && *p) {
		end = strchr(p, ';');
		if (!end)
			return -EINVAL;
		*end = '\0';
		err = restore_entry(p, &t);
		p = end + 1;
	}
	return err ? err : t.err;
}
