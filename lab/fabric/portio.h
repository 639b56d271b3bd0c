/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The switch ports' I/O: AF_PACKET sockets on interfaces, and UNIX stream sockets with QEMU's "-netdev
 * stream" framing (4 bytes length, big-endian, then the Ethernet frame). Carrier follows the interface, or
 * the connection. An interface that is not there (yet) is a port without carrier.
 */
#ifndef FABRIC_PORTIO_H
#define FABRIC_PORTIO_H

#include "fabric.h"
#include "trace.h"

struct portio;

struct portio *portio_new(struct fabric *f, struct trace *t, int epfd); /* NULL with errno */
void portio_free(struct portio *io);

/* Open what the fabric has and this has not; call after each command. 0, or -errno with text in err. */
int portio_sync(struct portio *io, uint64_t now_us, char *err, size_t err_size);

void portio_links(struct portio *io, uint64_t now_us); /* POLL_LINKS */
void portio_readable(struct portio *io, unsigned port, uint64_t now_us); /* POLL_PORT */
void portio_accept(struct portio *io, unsigned port, uint64_t now_us); /* POLL_LISTEN */

/* Send all that the fabric has to send. */
void portio_flush(struct portio *io, uint64_t now_us);

#endif
