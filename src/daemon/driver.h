/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VHBA_DRIVER_H
#define VHBA_DRIVER_H

#include "op.h"

/* The pump between a VM's quiesce machine and the loop; see op_quiesce.c.  Freed with the machine. */
struct driver;

void driver_free(struct driver *dr);

#endif
