/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shapes of the methods on libvirt's storage pools. Inside src/proto/methods*.c only. */
#ifndef VHBA_METHODS_POOL_H
#define VHBA_METHODS_POOL_H

#include "method.h"

extern const struct proto_field proto_pool_list_r[], proto_pool_serve_r[], proto_pool_report_p[],
	proto_pool_sync_p[];

#endif
