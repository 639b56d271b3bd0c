/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes of one LUN, and what belongs to the LUN rather than to a port of the array: its identity, its
 * size, its persistent reservations.  Shared by all targets (array ports) that show it; single-threaded.
 */
#ifndef FABRIC_LUN_H
#define FABRIC_LUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pr.h"

#define LUN_NAA_LEN 16
#define LUN_PORTS_MAX 64

struct lun_store;

/*
 * Both return a store with one reference, or NULL with errno: EINVAL (block size other than 512..65536 by
 * powers of two, no blocks), EOVERFLOW, ENOMEM, or what open(2) and ftruncate(2) say.  naa_id: NAA 6, 16
 * bytes; NULL: made of the name.
 * Memory is sparse: what was never written costs nothing.  A file is made, or made longer, as needed.
 */
struct lun_store *lun_store_new_memory(const char *name, uint64_t blocks, uint32_t block_size,
				       const uint8_t naa_id[LUN_NAA_LEN]);
struct lun_store *lun_store_new_file(const char *name, const char *path, uint64_t blocks, uint32_t block_size,
				     const uint8_t naa_id[LUN_NAA_LEN]);
struct lun_store *lun_store_ref(struct lun_store *s);
void lun_store_unref(struct lun_store *s); /* NULL is fine */

const char *lun_store_name(const struct lun_store *s);
const uint8_t *lun_store_naa(const struct lun_store *s);
uint64_t lun_store_blocks(const struct lun_store *s);
uint32_t lun_store_block_size(const struct lun_store *s);
struct pr_state *lun_store_pr(struct lun_store *s);

/* The range lies within the LUN; written so that nothing overflows. */
bool lun_store_has(const struct lun_store *s, uint64_t lba, uint64_t count);

/* All take ranges for which lun_store_has is true; 0 or -errno. */
int lun_store_read(struct lun_store *s, uint64_t lba, uint32_t count, void *to);
int lun_store_write(struct lun_store *s, uint64_t lba, uint32_t count, const void *from);
int lun_store_unmap(struct lun_store *s, uint64_t lba, uint64_t count); /* reads as zeros afterwards */
int lun_store_sync(struct lun_store *s); /* what was written is on stable storage */

/*
 * What happens to a LUN through one port and concerns commands and initiators at others too.  Each port that
 * shows the LUN reads every notice once.
 */
struct lun_notice {
	struct pr_nexus to; /* a WWPN of 0: every initiator, every port */
	struct pr_nexus except; /* not to this nexus; zeros: no exception */
	uint8_t asc, ascq; /* the unit attention; asc 0: none */
	bool abort; /* end the open commands of those nexuses */
	bool if_aborted; /* the unit attention only for nexuses that lost commands by it */
	char why[24]; /* for the log: "LUN RESET" */
};

/* A port shows the LUN. Returns its relative target port identifier (1..), the same every time; 0: too many.
 */
uint16_t lun_port_attach(struct lun_store *s, uint64_t target_wwpn);
void lun_port_detach(struct lun_store *s, uint64_t target_wwpn);

/* The ports that have ever shown it: port i (0..) has the relative target port identifier i + 1. */
unsigned int lun_ports(const struct lun_store *s);
uint64_t lun_port_wwpn(const struct lun_store *s, unsigned int i);
uint16_t lun_port_id(const struct lun_store *s, uint64_t target_wwpn); /* 0: never shown there */

/*
 * Asymmetric logical unit access (SPC-4 5.15), implicit: each port is a target port group of its own, by the
 * same number. A LUN has it once the state of a port was said; ports of which nothing was said are optimized.
 */
enum lun_access {
	LUN_OPTIMIZED = 0x0,
	LUN_NON_OPTIMIZED = 0x1,
	LUN_STANDBY = 0x2,
	LUN_UNAVAILABLE = 0x3,
	LUN_TRANSITIONING = 0xf,
};

/* tell: all initiators, by a unit attention. */
void lun_port_set_access(struct lun_store *s, uint64_t target_wwpn, enum lun_access a, bool tell);
enum lun_access lun_port_access(const struct lun_store *s, unsigned int i);
bool lun_is_asymmetric(const struct lun_store *s);

void lun_notify(struct lun_store *s, const struct lun_notice *n);
bool lun_notices_wait(const struct lun_store *s, uint16_t port_id);
bool lun_notice_next(struct lun_store *s, uint16_t port_id, struct lun_notice *n);

#endif
