/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "pr.h"

#define HEADER 8 /* PRGENERATION, ADDITIONAL LENGTH */
#define DESCRIPTOR 24 /* of a registration, before its TransportID */
#define TRANSPORT_ID 24 /* of Fibre Channel (7.6.4.2): format and protocol, the N_Port's name at 8 */
#define R_HOLDER 0x01
#define ALL_REGISTRANTS(type) ((type) == 7 || (type) == 8)

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t be64(const uint8_t *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

/* The data that is there and that the header says there is; *whole: all of it came. */
static const uint8_t *body(const uint8_t *data, size_t len, size_t *n, bool *whole)
{
	if (len < HEADER)
		return NULL;
	*n = be32(data + 4);
	*whole = *n <= len - HEADER;
	if (!*whole)
		*n = len - HEADER;
	return data + HEADER;
}

static bool is_ours(const uint8_t *descriptor, uint32_t id_len, uint64_t wwpn)
{
	const uint8_t *id = descriptor + DESCRIPTOR;

	return id_len >= TRANSPORT_ID && !id[0] && be64(id + 8) == wwpn;
}

int pr_parse_full_status(const uint8_t *data, size_t len, uint64_t wwpn, struct pr_seen *s)
{
	const uint8_t *p;
	size_t left;
	bool whole;

	memset(s, 0, sizeof(*s));
	p = body(data, len, &left, &whole);
	if (!p)
		return -EBADMSG;
	while (left >= DESCRIPTOR) {
		uint32_t id_len = be32(p + 20);
		size_t size;

		if (id_len > left - DESCRIPTOR)
			break;
		size = DESCRIPTOR + id_len;
		if (is_ours(p, id_len, wwpn)) {
			s->key = be64(p);
			s->key_known = true;
		}
		if (p[12] & R_HOLDER) {
			s->type = p[13] & 0x0f;
			s->holder = ALL_REGISTRANTS(s->type) ? 0 : be64(p);
		}
		p += size;
		left -= size;
	}
	/* Not among those that came: it may be among those that did not. */
	s->key_known = s->key_known || (whole && !left);
	return whole && left ? -EBADMSG : 0;
}

int pr_parse_reservation(const uint8_t *data, size_t len, struct pr_seen *s)
{
	const uint8_t *p;
	size_t left;
	bool whole;

	memset(s, 0, sizeof(*s));
	p = body(data, len, &left, &whole);
	if (!p || !whole || (left && left < 16))
		return -EBADMSG;
	if (!left)
		return 0;
	s->type = p[13] & 0x0f;
	s->holder = ALL_REGISTRANTS(s->type) ? 0 : be64(p);
	return 0;
}
