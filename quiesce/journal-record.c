/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records of the journal and their lines: see journal.h for the form.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "journal-int.h"

static const char *const kinds[JOURNAL_KINDS] = {
	[JOURNAL_ATTACH] = "attach",
	[JOURNAL_QUIESCE] = "quiesce",
	[JOURNAL_RESUME] = "resume",
	[JOURNAL_RELEASE] = "release",
};

const char *journal_kind_name(enum journal_kind kind)
{
	return (unsigned int)kind < JOURNAL_KINDS ? kinds[kind] : "?";
}

int journal_kind_parse(const char *word, enum journal_kind *kind)
{
	for (unsigned int i = 0; i < JOURNAL_KINDS; i++) {
		if (!strcmp(kinds[i], word)) {
			*kind = i;
			return 0;
		}
	}
	return -EINVAL;
}

/* CRC-32 of IEEE 802.3 (reflected, 0xEDB88320), bit by bit: a line is short. */
uint32_t journal_crc(const char *p, size_t len)
{
	uint32_t crc = 0xffffffff;

	while (len--) {
		crc ^= (unsigned char)*p++;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static bool key_ok(const char *key)
{
	size_t len = strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return len > 0 && len < JOURNAL_KEY_MAX && !key[len];
}

void journal_record_init(struct journal_record *r, const char *step, uint64_t at_us)
{
	memset(r, 0, sizeof(*r));
	r->at_us = at_us;
	if (key_ok(step))
		strcpy(r->step, step);
	else
		r->error = -EINVAL;
}

static void put_text(struct journal_record *r, const char *key, const char *value, size_t len)
{
	if (r->error)
		return;
	if (!key_ok(key)) {
		r->error = -EINVAL;
		return;
	}
	if (r->n >= JOURNAL_KV_MAX || len >= sizeof(r->text) - r->used) {
		r->error = -E2BIG;
		return;
	}
	strcpy(r->kv[r->n].key, key);
	r->kv[r->n].off = r->used;
	memcpy(r->text + r->used, value, len);
	r->text[r->used + len] = '\0';
	r->used += len + 1;
	r->n++;
}

void journal_put(struct journal_record *r, const char *key, const char *fmt, ...)
{
	char buf[JOURNAL_TEXT_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof(buf)) {
		if (!r->error)
			r->error = -E2BIG;
		return;
	}
	put_text(r, key, buf, n);
}

void journal_put_u64(struct journal_record *r, const char *key, uint64_t v)
{
	journal_put(r, key, "%" PRIu64, v);
}

void journal_put_hex(struct journal_record *r, const char *key, uint64_t v)
{
	journal_put(r, key, "%016" PRIx64, v);
}

const char *journal_get(const struct journal_record *r, const char *key)
{
	for (unsigned int i = 0; i < r->n; i++)
		if (!strcmp(r->kv[i].key, key))
			return r->text + r->kv[i].off;
	return NULL;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 99;
}

/* Digits only, the whole text: no sign, no blank, no overflow. */
static int number(const char *s, size_t len, unsigned int base, uint64_t *v)
{
	uint64_t sum = 0;

	if (!len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		unsigned int d = digit(s[i]);

		if (d >= base || sum > (UINT64_MAX - d) / base)
			return -EINVAL;
		sum = sum * base + d;
	}
	*v = sum;
	return 0;
}

int journal_get_u64(const struct journal_record *r, const char *key, uint64_t *v)
{
	const char *s = journal_get(r, key);

	return s ? number(s, strlen(s), 10, v) : -ENOENT;
}

int journal_get_hex(const struct journal_record *r, const char *key, uint64_t *v)
{
	const char *s = journal_get(r, key);

	return s ? number(s, strlen(s), 16, v) : -ENOENT;
}

static bool plain(char c)
{
	return c > ' ' && c <= '~' && c != '%' && c != '=';
}

static size_t escape(char *out, const char *value)
{
	static const char hex[] = "0123456789abcdef";
	char *p = out;

	for (; *value; value++) {
		if (plain(*value)) {
			*p++ = *value;
			continue;
		}
		*p++ = '%';
		*p++ = hex[(unsigned char)*value >> 4];
		*p++ = hex[*value & 15];
	}
	return p - out;
}

int journal_encode(const struct journal_record *r, char *buf, size_t size)
{
	char body[JOURNAL_LINE_MAX];
	size_t len;
	int n;

	if (r->error)
		return r->error;
	len = snprintf(body, sizeof(body), "%" PRIu64 " %" PRIu64 " %s", r->seq, r->at_us, r->step);
	for (unsigned int i = 0; i < r->n; i++) {
		/* The header's limits make all of this fit: JOURNAL_LINE_MAX. */
		len += sprintf(body + len, " %s=", r->kv[i].key);
		len += escape(body + len, r->text + r->kv[i].off);
	}
	body[len] = '\0';
	n = snprintf(buf, size, JOURNAL_MAGIC " %08" PRIx32 " %s\n", journal_crc(body, len), body);
	return n < (int)size ? n : -E2BIG;
}

/* One blank-separated word of the line at *p; empty when there is none. */
static size_t word(const char **p, const char *end, const char **w)
{
	const char *blank;
	size_t len;

	if (*p < end && **p == ' ')
		(*p)++;
	*w = *p;
	blank = memchr(*p, ' ', end - *p);
	len = (blank ? blank : end) - *p;
	*p += len;
	return len;
}

static int unescape(char *out, const char *s, size_t len)
{
	char *p = out;

	for (size_t i = 0; i < len; i++) {
		if (s[i] != '%') {
			if (!plain(s[i]))
				return -EBADMSG;
			*p++ = s[i];
			continue;
		}
		if (len - i < 3 || digit(s[i + 1]) > 15 || digit(s[i + 2]) > 15)
			return -EBADMSG;
		*p = digit(s[i + 1]) << 4 | digit(s[i + 2]);
		if (!*p++)
			return -EBADMSG;
		i += 2;
	}
	return p - out;
}

static int decode_pair(struct journal_record *r, const char *w, size_t len)
{
	char key[JOURNAL_KEY_MAX], value[JOURNAL_LINE_MAX];
	const char *eq = memchr(w, '=', len);
	int n;

	if (!eq || (size_t)(eq - w) >= sizeof(key))
		return -EBADMSG;
	memcpy(key, w, eq - w);
	key[eq - w] = '\0';
	n = unescape(value, eq + 1, w + len - eq - 1);
	if (n < 0)
		return n;
	put_text(r, key, value, n);
	return r->error == -EINVAL ? -EBADMSG : r->error;
}

/* "vj" and a larger number than ours. */
static bool newer_magic(const char *w, size_t len)
{
	uint64_t version;

	return len > 2 && len < 12 && !memcmp(w, "vj", 2) && !number(w + 2, len - 2, 10, &version) &&
	       version > JOURNAL_VERSION;
}

static int decode_front(struct journal_record *r, const char **p, const char *end)
{
	char step[JOURNAL_KEY_MAX];
	uint64_t seq, at;
	const char *w;
	size_t len;

	len = word(p, end, &w);
	if (number(w, len, 10, &seq))
		return -EBADMSG;
	len = word(p, end, &w);
	if (number(w, len, 10, &at))
		return -EBADMSG;
	len = word(p, end, &w);
	if (len >= sizeof(step))
		return -EBADMSG;
	memcpy(step, w, len);
	step[len] = '\0';
	journal_record_init(r, step, at);
	r->seq = seq;
	return r->error ? -EBADMSG : 0;
}

int journal_decode(struct journal_record *r, const char *line, size_t len)
{
	const char *p = line, *end = line + len, *w;
	uint64_t crc;
	size_t wlen;
	int rc;

	memset(r, 0, sizeof(*r));
	if (len >= JOURNAL_LINE_MAX)
		return -E2BIG;
	wlen = word(&p, end, &w);
	if (newer_magic(w, wlen))
		return -EPROTONOSUPPORT;
	if (wlen != strlen(JOURNAL_MAGIC) || memcmp(w, JOURNAL_MAGIC, wlen))
		return -EBADMSG;
	wlen = word(&p, end, &w);
	if (wlen != 8 || number(w, wlen, 16, &crc) || p >= end)
		return -EBADMSG;
	p++;
	if (crc != journal_crc(p, end - p))
		return -EBADMSG;
	rc = decode_front(r, &p, end);
	while (!rc && p < end) {
		wlen = word(&p, end, &w);
		rc = decode_pair(r, w, wlen);
	}
	return rc;
}
