/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "wwn_hash.h"

#define SIZE_FIRST 64

static size_t slot(const struct hash *h, uint64_t key)
{
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (h->size - 1);
}

void hash_free(struct hash *h)
{
	free(h->buckets);
	*h = (struct hash){};
}

static int grow(struct hash *h)
{
	struct hash bigger = {.size = h->size ? 2 * h->size : SIZE_FIRST, .n = h->n};

	bigger.buckets = calloc(bigger.size, sizeof(struct hash_entry *));
	if (!bigger.buckets)
		return -ENOMEM;
	for (size_t i = 0; i < h->size; i++) {
		struct hash_entry *e = h->buckets[i], *next;

		for (; e; e = next) {
			size_t s = slot(&bigger, e->key);

			next = e->next;
			e->next = bigger.buckets[s];
			bigger.buckets[s] = e;
		}
	}
	free(h->buckets);
	*h = bigger;
	return 0;
}

int hash_add(struct hash *h, struct hash_entry *e, uint64_t key)
{
	size_t s;

	if (h->n >= h->size && grow(h))
		return -ENOMEM;
	e->key = key;
	s = slot(h, key);
	e->next = h->buckets[s];
	h->buckets[s] = e;
	h->n++;
	return 0;
}

void hash_remove(struct hash *h, struct hash_entry *e)
{
	struct hash_entry **p;

	if (!h->size)
		return;
	for (p = &h->buckets[slot(h, e->key)]; *p; p = &(*p)->next) {
		if (*p == e) {
			*p = e->next;
			h->n--;
			return;
		}
	}
}

struct hash_entry *hash_find(const struct hash *h, uint64_t key)
{
	struct hash_entry *e;

	if (!h->size)
		return NULL;
	for (e = h->buckets[slot(h, key)]; e; e = e->next)
		if (e->key == key)
			return e;
	return NULL;
}
