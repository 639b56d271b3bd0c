/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes from a client, cut in pieces by the first byte, each request answered at once. */
#include <stdint.h>
#include <stdlib.h>

#include "conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct proto_peer peer = {0, 0, 1, PROTO_ACCESS_CHANGE};
	struct proto_conn *c = proto_conn_new(&peer);
	struct proto_request req;
	size_t step, len;

	if (!c || !size)
		goto out;
	step = 1 + data[0];
	for (size_t at = 1; at < size; at += step) {
		size_t n = size - at < step ? size - at : step;

		if (proto_conn_feed(c, data + at, n))
			break;
		while (proto_conn_next(c, &req)) {
			proto_conn_progress(c, proto_progress_new("fuzz", 0, NULL));
			/* What was checked can be fetched and sent back. */
			proto_conn_reply(c, json_object_get(req.parameters));
		}
		proto_conn_out(c, &len);
		proto_conn_sent(c, len);
	}
	if (proto_conn_busy(c))
		abort();
out:
	proto_conn_free(c);
	return 0;
}
