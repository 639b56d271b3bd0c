/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A journal's file, and a machine rebuilt from it: whatever stands there, it is refused or it goes on to an
 * end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal-int.h"
#include "quiesce.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int began(void *user, const struct quiesce_call *call)
{
	return 0;
}

static int journalled(void *user, const struct journal_record *r)
{
	char line[JOURNAL_LINE_MAX];

	return journal_encode(r, line, sizeof(line)) > 0 ? 0 : -1;
}

static void answered(void *user, const struct quiesce_result *result)
{
}

static const struct quiesce_ops ops = {
	.stop_intake = began,
	.open_intake = began,
	.count_inflight = began,
	.set_fast_fail = began,
	.disable = began,
	.delete_vport = began,
	.enable = began,
	.create_vport = began,
	.verify_fabric = began,
	.read_ports = began,
	.check_ready = began,
	.restore_timers = began,
	.journal = journalled,
	.answer = answered,
};

static void rebuild(const struct journal_op *op)
{
	struct quiesce_vhba ids[QUIESCE_VHBA_MAX];
	struct quiesce_config cfg;
	struct monotime now = {op->rec[op->n - 1].at_us};
	struct verror e;
	struct quiesce *q;
	int n = quiesce_restore_ids(op->rec, op->n, ids);

	if (n <= 0)
		return;
	quiesce_config_init(&cfg);
	q = quiesce_new(&cfg, &ops, NULL, ids, n);
	if (!q)
		return;
	if (!quiesce_restore(q, op->rec, op->n, now, &e)) {
		for (int i = 0; i < 100 && quiesce_deadline(q).us != MONOTIME_NEVER.us; i++)
			quiesce_tick(q, quiesce_deadline(q));
	}
	quiesce_free(q);
}

/* With the checksums put right, so that what they keep away is tried as well. */
static void put_right(char *p, char *end)
{
	while (p < end) {
		char *nl = memchr(p, '\n', end - p);
		char *stop = nl ? nl : end, crc[9];

		if (stop - p > 13) {
			snprintf(crc, sizeof(crc), "%08" PRIx32, journal_crc(p + 13, stop - p - 13));
			memcpy(p + 4, crc, 8);
		}
		p = stop + 1;
	}
}

static void parse(const char *bytes, size_t size)
{
	struct journal_op op;

	if (journal_parse(bytes, size, &op))
		return;
	rebuild(&op);
	journal_op_free(&op);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);

	parse((const char *)data, size);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	put_right(copy, copy + size);
	parse(copy, size);
	free(copy);
	return 0;
}
