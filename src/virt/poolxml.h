/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt's XML of storage pools (formatstorage.html): own ones are written, others are read.
 *
 * A pool is own when its UUID has the mark: 8 bytes "vhbapool", then the WWPN of its vhba.  Any thread.
 */
#ifndef VHBA_POOLXML_H
#define VHBA_POOLXML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_UUID 37

/* "76686261-706f-6f6c-WWWW-WWWWWWWWWWWW". Returns buf. */
const char *poolxml_uuid(uint64_t wwpn, char buf[POOL_UUID]);
bool poolxml_is_own(const char *uuid, uint64_t *wwpn);

/* name has letters, digits and "._+@:-", dir is a path of such. Returns its length, as snprintf. */
int poolxml_write(const char *name, uint64_t wwpn, int host, const char *dir, char *buf, size_t size);

enum poolxml_managed { MANAGED_UNSET, MANAGED_YES, MANAGED_NO };

struct poolxml_adapter {
	int host; /* of an adapter of type scsi_host; -1: none */
	uint64_t wwpn; /* of one of type fc_host; 0: none */
	enum poolxml_managed managed;
};

/* False: it is no pool with such an adapter. */
bool poolxml_read(const char *xml, struct poolxml_adapter *a);

/* What to know of a pool with an fc_host adapter on a vport that vhbad keeps. Returns buf. */
const char *poolxml_warning(enum poolxml_managed managed, bool autostart, char *buf, size_t size);

#endif
