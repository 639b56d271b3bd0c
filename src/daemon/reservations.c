/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"
#include "privq.h"
#include "reservations.h"
#include "wwn.h"

#define NONE "-"
#define READ_MIN_US (20 * USEC_PER_MSEC)

/* ---- the text ---- */

struct entry {
	wwn_t target;
	uint64_t lun;
	bool key_known;
	uint64_t key;
	unsigned type;
	uint64_t holder;
};

/* One entry from *p on; false at the end, or at what is none. */
static bool next_entry(const char **p, struct entry *e)
{
	char key[20];
	int end = 0;

	if (sscanf(*p, "%16" SCNx64 "/%" SCNu64 "=%17[0-9a-f?],%1x,%16" SCNx64 ";%n", &e->target, &e->lun,
		   key, &e->type, &e->holder, &end) != 5 ||
	    !end)
		return false;
	e->key_known = strcmp(key, "?") != 0;
	e->key = e->key_known ? strtoull(key, NULL, 16) : 0;
	*p += end;
	return true;
}

bool reservations_good(const char *text)
{
	struct entry e;

	if (strlen(text) >= RESERVATIONS_MAX || strspn(text, "0123456789abcdef/=,;?-") != strlen(text))
		return false;
	if (!text[0] || !strcmp(text, NONE))
		return true;
	while (*text)
		if (!next_entry(&text, &e))
			return false;
	return true;
}

unsigned reservations_count(const char *text)
{
	struct entry e;
	unsigned n = 0;

	while (next_entry(&text, &e))
		n++;
	return n;
}

static bool find_entry(const char *text, wwn_t target, uint64_t lun, struct entry *e)
{
	while (next_entry(&text, e))
		if (e->target == target && e->lun == lun)
			return true;
	*e = (struct entry){.target = target, .lun = lun, .key_known = true};
	return false;
}

static const char *key_text(const struct entry *e, char *buf, size_t size)
{
	if (!e->key_known)
		snprintf(buf, size, "a key that the array does not tell");
	else if (e->key)
		snprintf(buf, size, "key 0x%" PRIx64, e->key);
	else
		snprintf(buf, size, "no registration");
	return buf;
}

static const char *reservation_text(const struct entry *e, char *buf, size_t size)
{
	static const char *const types[16] = {
		[1] = "write exclusive",
		[3] = "exclusive access",
		[5] = "write exclusive, registrants only",
		[6] = "exclusive access, registrants only",
		[7] = "write exclusive, all registrants",
		[8] = "exclusive access, all registrants",
	};

	if (!e->type)
		snprintf(buf, size, "no reservation");
	else if (!e->holder)
		snprintf(buf, size, "reservation %s",
			 types[e->type & 15] ? types[e->type & 15] : "of another type");
	else
		snprintf(buf, size, "reservation %s by 0x%" PRIx64,
			 types[e->type & 15] ? types[e->type & 15] : "of another type", e->holder);
	return buf;
}

static bool same(const struct entry *a, const struct entry *b)
{
	return (!a->key_known || !b->key_known || a->key == b->key) && a->type == b->type &&
	       a->holder == b->holder;
}

static unsigned compare_one(const struct entry *was, const struct entry *is,
			    void (*fn)(void *user, const char *text), void *user)
{
	char a[80], b[80], c[80], d[80], wwn[WWN_TEXT], text[512];

	if (same(was, is))
		return 0;
	snprintf(text, sizeof(text), "LUN %" PRIu64 " of %s: expected %s, %s; seen %s, %s", was->lun,
		 wwn_format(was->target, wwn), key_text(was, a, sizeof(a)),
		 reservation_text(was, b, sizeof(b)), key_text(is, c, sizeof(c)),
		 reservation_text(is, d, sizeof(d)));
	fn(user, text);
	return 1;
}

unsigned reservations_compare(const char *before, const char *now, void (*fn)(void *user, const char *text),
			      void *user)
{
	struct entry was, is;
	unsigned n = 0;

	for (const char *p = before; next_entry(&p, &was);) {
		find_entry(now, was.target, was.lun, &is);
		n += compare_one(&was, &is, fn, user);
	}
	for (const char *p = now; next_entry(&p, &is);)
		if (!find_entry(before, is.target, is.lun, &was))
			n += compare_one(&was, &is, fn, user);
	return n;
}

/* ---- reading ---- */

struct reading {
	struct daemon *d;
	struct priv_request q;
	struct monotime by;
	reservations_done *done;
	void *user;
	char text[RESERVATIONS_MAX];
};

static void ask(struct reading *r);

static void finish(struct reading *r, const char *why)
{
	r->done(r->user, why ? NULL : r->text[0] ? r->text : NONE, why);
	free(r);
}

static void on_read(void *user, const struct priv_reply *reply)
{
	struct reading *r = user;
	size_t used = strlen(r->text), n = strnlen(reply->text, sizeof(reply->text));
	char why[160];

	if (reply->err || reply->value) {
		if (reply->err)
			snprintf(why, sizeof(why), "%s", strerror(-reply->err));
		else
			snprintf(why, sizeof(why), "%d LUNs do not tell them", reply->value);
		finish(r, why);
		return;
	}
	if (used + n >= sizeof(r->text)) {
		finish(r, "there are too many");
		return;
	}
	memcpy(r->text + used, reply->text, n);
	r->text[used + n] = '\0';
	if (!reservations_good(r->text)) {
		finish(r, "they are not as expected");
		return;
	}
	r->q.target += reply->number;
	if (reply->number && r->q.target < reply->count)
		ask(r);
	else
		finish(r, NULL);
}

static void ask(struct reading *r)
{
	uint64_t left = mono_left(r->by, mono_now());

	if (left < READ_MIN_US) {
		finish(r, "no time is left");
		return;
	}
	r->q.number = (uint32_t)(left * 7 / 8 / USEC_PER_MSEC);
	privq_call(r->d->privq, &r->q, left, on_read, r);
}

void reservations_read(struct daemon *d, const struct vm_vhba *v, bool busy, struct monotime by,
		       reservations_done *done, void *user)
{
	struct reading *r = calloc(1, sizeof(*r));

	if (!r) {
		done(user, NULL, "out of memory");
		return;
	}
	r->d = d;
	r->by = by;
	r->done = done;
	r->user = user;
	r->q = (struct priv_request){
		.verb = PRIV_RESERVATIONS, .host = v->host, .wwpn = v->wwpn, .channel = busy};
	ask(r);
}

/* ---- on /run ---- */

static const char *file(const struct daemon *d, const char *uuid, unsigned index, char *path, size_t size)
{
	snprintf(path, size, "%s/reservations/%s.%u", d->cfg->run_dir, uuid, index);
	return path;
}

int reservations_open(struct daemon *d)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/reservations", d->cfg->run_dir);
	return mkdir(path, 0750) && errno != EEXIST ? -errno : 0;
}

void reservations_keep(struct daemon *d, const char *uuid, unsigned index, const char *text)
{
	char path[PATH_MAX], fresh[PATH_MAX + 4];
	size_t len = strlen(text);
	int fd;

	snprintf(fresh, sizeof(fresh), "%s.new", file(d, uuid, index, path, sizeof(path)));
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0 || write(fd, text, len) != (ssize_t)len || rename(fresh, path))
		log_warning("%s: the reservations could not be kept: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

char *reservations_kept(struct daemon *d, const char *uuid, unsigned index)
{
	char path[PATH_MAX], *text;
	AUTO_FD int fd = open(file(d, uuid, index, path, sizeof(path)), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return NULL;
	text = calloc(1, RESERVATIONS_MAX);
	n = text ? read(fd, text, RESERVATIONS_MAX - 1) : -1;
	if (n > 0 && reservations_good(text))
		return text;
	free(text);
	return NULL;
}

void reservations_forget(struct daemon *d, const char *uuid, unsigned index)
{
	char path[PATH_MAX];

	unlink(file(d, uuid, index, path, sizeof(path)));
}
