/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A ticket; what is taken must be written such that it is taken again. */
#include <stdlib.h>

#include "ticket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *o = json_tokener_parse_ex(tok, (const char *)data, (int)size), *written;
	struct reg_vm *vm, *again;
	struct verror e = {0};

	json_tokener_free(tok);
	vm = ticket_read(o, &e);
	json_object_put(o);
	if (!vm)
		return 0;
	written = ticket_write(vm, "host", vm->generation);
	again = ticket_read(written, &e);
	if (!again)
		abort();
	json_object_put(written);
	reg_vm_free(again);
	reg_vm_free(vm);
	return 0;
}
