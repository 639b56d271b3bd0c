/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Callers that follow the events as they happen. */
#ifndef VHBA_FOLLOW_H
#define VHBA_FOLLOW_H

#include "daemon.h"

/* The call is kept until its caller goes; each event goes to it as a part. */
void follow_add(struct daemon *d, struct call *call);

/* Tell all of them. event stays the log's; NULL is passed over. */
void follow_tell(struct daemon *d, struct json_object *event);

void follow_free(struct daemon *d);

#endif
