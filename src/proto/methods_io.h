/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shapes of the methods on VMs' vhba-ios. Inside src/proto/methods*.c only. */
#ifndef VHBA_METHODS_IO_H
#define VHBA_METHODS_IO_H

#include "method.h"

extern const struct proto_field proto_io_list_r[], proto_io_latency_r[], proto_io_open_p[],
	proto_io_await_p[], proto_io_await_r[];

#endif
