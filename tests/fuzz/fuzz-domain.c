/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain's XML, as libvirt gives it to its hooks; what is taken must be written such that it is taken
 * again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct identity id, again;
	struct verror e = {0};
	char *xml;

	if (identity_read((const char *)data, size, &id, &e) || !id.ticket)
		return 0;
	xml = identity_write(id.ticket, &e);
	if (!xml || identity_read(xml, strlen(xml), &again, &e) || !again.ticket)
		abort();
	identity_clear(&again);
	identity_clear(&id);
	free(xml);
	return 0;
}
