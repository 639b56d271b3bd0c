/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A command to multipathd, as multipathd -k and libmpathcmd (which Debian ships without its header) send it:
 * on a stream socket, a native size_t with the length and the text with its NUL, each way.
 *
 * The maps are not told past it: multipathd sets a map's queue_if_no_path anew from its own policy whenever a
 * path changes (libmultipath/structs_vec.c, set_no_path_retry), and a message of ours to device-mapper would
 * last until then.
 */
#ifndef VHBA_MULTIPATHD_H
#define VHBA_MULTIPATHD_H

#include <stddef.h>

#include "monotime.h"

/*
 * 0, and its answer in buf ("ok"), cut to size; -ENOENT or -ECONNREFUSED: it does not run; -ETIMEDOUT at
 * `by`; -EPROTO: no answer of its.
 */
int multipathd_command(const char *command, char *buf, size_t size, struct monotime by);

#endif
