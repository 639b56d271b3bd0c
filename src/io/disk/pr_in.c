/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PERSISTENT RESERVE IN (SPC-4, 6.15). */
#include <string.h>

#include "be.h"
#include "cleanup.h"
#include "disk_private.h"
#include "transport_id.h"

#define FULL_STATUS_SIZE (24 + TRANSPORT_ID_SIZE)
#define ANSWER_MAX (8 + PR_MAX * FULL_STATUS_SIZE)

/* Each appends to a header of generation and length, and returns how much. */
static size_t read_keys(const struct disk *d, uint8_t *b)
{
	for (unsigned i = 0; i < d->pr.n; i++)
		put_be64(d->pr.reg[i].key, b + 8 * i);
	return 8 * d->pr.n;
}

static size_t read_reservation(const struct disk *d, uint8_t *b)
{
	const struct pr_registration *holder = pr_find(&d->pr, d->pr.holder);

	if (!d->pr.type)
		return 0;
	put_be64(holder ? holder->key : 0, b); /* all registrants: 0 */
	b[13] = d->pr.type;
	return 16;
}

static size_t read_full_status(const struct disk *d, uint8_t *b)
{
	const struct pr_registration *r;
	uint8_t *at = b;

	for (unsigned i = 0; i < d->pr.n; i++, at += FULL_STATUS_SIZE) {
		r = &d->pr.reg[i];
		put_be64(r->key, at);
		if (pr_holds(&d->pr, r->nexus)) {
			at[12] = 0x01; /* R_HOLDER */
			at[13] = d->pr.type;
		}
		put_be16(RELATIVE_PORT, at + 18);
		put_be32(TRANSPORT_ID_SIZE, at + 20);
		transport_id_put(at + 24, r->nexus);
	}
	return (size_t)(at - b);
}

static size_t report_capabilities(const struct disk *d, uint8_t *b)
{
	bool kept = d->file.fd >= 0;

	put_be16(8, b);
	b[2] = 0x0c | (kept ? 0x01 : 0); /* SIP_C, ATP_C, PTPL_C */
	b[3] = 0x80 | (kept && d->pr.aptpl ? 0x01 : 0); /* TMV, PTPL_A */
	b[4] = 0xea; /* WR_EX_AR, EX_AC_RO, WR_EX_RO, EX_AC, WR_EX */
	b[5] = 0x01; /* EX_AC_AR */
	return 8;
}

static const struct {
	size_t (*fill)(const struct disk *, uint8_t *);
	bool header;
} actions[] = {
	{read_keys, true},
	{read_reservation, true},
	{report_capabilities, false},
	{read_full_status, true},
};

void run_pr_in(struct cmd *c)
{
	unsigned action = c->t->cdb[1] & 0x1f;
	uint8_t b[ANSWER_MAX] = {0};
	size_t header, n;

	if (action >= ARRAY_SIZE(actions)) {
		cmd_bad_cdb(c, 1, 4);
		return;
	}
	header = actions[action].header ? 8 : 0;
	pthread_mutex_lock(&c->d->state_lock);
	n = actions[action].fill(c->d, b + header);
	if (header) {
		put_be32(c->d->pr.generation, b);
		put_be32((uint32_t)n, b + 4);
	}
	pthread_mutex_unlock(&c->d->state_lock);
	cmd_answer(c, b, header + n, get_be16(c->t->cdb + 7));
}
