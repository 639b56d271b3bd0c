/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fake-vhbad SOCKET SCRIPT LOG: see fake-server.h. Ends with its parent. */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "conn.h"
#include "fake-server.h"

int main(int argc, char **argv)
{
	struct json_object *script;
	struct verror e;
	FILE *log;
	int fd;

	if (argc != 4)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	script = json_object_from_file(argv[2]);
	log = fopen(argv[3], "w");
	if (!script || !log) {
		fprintf(stderr, "fake-vhbad: %s: %s\n", argv[2], json_util_get_last_err());
		return 1;
	}
	fd = proto_listen(argv[1], &e);
	if (fd < 0) {
		fprintf(stderr, "fake-vhbad: %s: %s\n", e.what, e.seen);
		return 1;
	}
	fake_serve(fd, script, log);
}
