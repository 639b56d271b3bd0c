/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* checkreply METHOD <REPLY: is what vhbad really answered what the method table says it answers? */
#include <json-c/json.h>
#include <stdio.h>
#include <unistd.h>

#include "method.h"

int main(int argc, char **argv)
{
	const struct proto_method *m = argc == 2 ? proto_method_find(argv[1]) : NULL;
	struct json_object *o = m ? json_object_from_fd(STDIN_FILENO) : NULL;
	struct verror e = {.kind = VHBA_OK};
	char line[1024];

	if (!o) {
		fprintf(stderr, "usage: checkreply METHOD <REPLY\n");
		return 2;
	}
	if (proto_check_reply(m, o, &e))
		printf("%s\n", verror_line(&e, line, sizeof(line)));
	json_object_put(o);
	return e.kind ? 1 : 0;
}
