/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control socket: lines of commands in, for each a line of JSON back: {"ok": bool, "text": "...", "data":
 * ...}. */
#ifndef FABRIC_CONTROL_H
#define FABRIC_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

struct control;

/* NULL with errno; EADDRINUSE: another answers there. */
struct control *control_open(const char *path, int epfd);
void control_close(struct control *c);

void control_accept(struct control *c); /* POLL_CONTROL */
void control_ready(struct control *c, uint32_t client); /* POLL_CLIENT */

/* The next whole line that came, valid until the next call, and from whom; NULL: none. */
const char *control_next(struct control *c, uint32_t *client);
void control_reply(struct control *c, uint32_t client, const char *json);

#endif
