/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An intrusive hash of 64-bit keys (WWPNs, N_Port_IDs), chained, growing with its load. Keys may repeat: the
 * newest is found.
 */
#ifndef FABRIC_WWN_HASH_H
#define FABRIC_WWN_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_entry {
	struct hash_entry *next;
	uint64_t key;
};

struct hash {
	struct hash_entry **buckets;
	size_t size, n; /* size: 0 or a power of two */
};

void hash_free(struct hash *h); /* the entries are the caller's */
int hash_add(struct hash *h, struct hash_entry *e, uint64_t key); /* 0 or -ENOMEM */
void hash_remove(struct hash *h, struct hash_entry *e);
struct hash_entry *hash_find(const struct hash *h, uint64_t key);

#define hash_object(e, type, member) ((type *)((char *)(e)-offsetof(type, member)))

#endif
