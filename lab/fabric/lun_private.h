/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of a LUN store, for lun*.c only. */
#ifndef FABRIC_LUN_PRIVATE_H
#define FABRIC_LUN_PRIVATE_H

#include "lun.h"

struct lun_port {
	uint64_t wwpn;
	unsigned int attached; /* times that it shows the LUN now */
	size_t seen; /* notices read */
	enum lun_access access;
};

struct lun_store {
	unsigned int references;
	char name[64];
	uint8_t naa[LUN_NAA_LEN];
	uint64_t blocks;
	uint32_t block_size;
	uint8_t *memory; /* NULL: a file */
	int fd; /* -1: memory */
	struct pr_state pr;
	struct lun_port ports[LUN_PORTS_MAX];
	unsigned int port_count;
	bool asymmetric;
	struct lun_notice *notices; /* those that some port has not read yet, and older ones */
	size_t notice_count, notice_room;
};

#endif
