/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of the disk's state that outlives this process, and how it is taken up again. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "disk_private.h"

static void gather(struct disk *d, const struct pr *pr, uint32_t mode, struct disk_state *s)
{
	uint64_t id;

	memset(s, 0, sizeof(*s));
	memcpy(s->naa, d->id.naa, sizeof(s->naa));
	s->naa_len = d->id.naa_len;
	s->mode = mode;
	s->blocks = atomic_load(&d->blocks);
	s->pr = *pr;
	for (unsigned i = 0; i < DISK_NEXUS_MAX; i++) {
		id = atomic_load(&d->nexus[i].id);
		if (id)
			s->nexus[s->nexus_n++] = (struct state_nexus){
				.id = id,
				.attentions = atomic_load(&d->nexus[i].flags) & NEXUS_ATTENTIONS,
			};
	}
}

int remember(struct disk *d, const struct pr *pr, uint32_t mode)
{
	struct disk_state s;
	int rc;

	gather(d, pr, mode, &s);
	rc = state_store(&d->file, &s);
	if (rc)
		return rc;
	d->pr = *pr;
	atomic_store(&d->mode, mode);
	nexus_forbid(d);
	return 0;
}

int disk_save(struct disk *d)
{
	struct disk_state s;
	int rc;

	pthread_mutex_lock(&d->state_lock);
	gather(d, &d->pr, atomic_load(&d->mode), &s);
	rc = state_store(&d->file, &s);
	pthread_mutex_unlock(&d->state_lock);
	return rc;
}

static int foreign(const struct disk_state *s, struct verror *e)
{
	int rc = verror_set(e, VHBA_E_CONSTRAINT, "the state file is another disk's");

	verror_expected(e, "the designator of this disk");
	verror_seen(e, "naa.%02x%02x%02x%02x%02x%02x%02x%02x...", s->naa[0], s->naa[1], s->naa[2], s->naa[3],
		    s->naa[4], s->naa[5], s->naa[6], s->naa[7]);
	verror_fix(e, "give each disk a state file of its own");
	return rc;
}

/* What the guest that boots finds: only what APTPL keeps (SPC-4, 5.13.5), and PRGENERATION from 0. */
static void power_on(const struct disk *d, struct disk_state *s)
{
	if (!s->pr.aptpl)
		memset(&s->pr, 0, sizeof(s->pr));
	s->pr.generation = 0;
	s->mode = d->mode_default;
	s->nexus_n = 0;
}

/* Nobody else is in the disk: who is known is laid out anew. */
static void install(struct disk *d, const struct disk_state *s, enum disk_start how)
{
	struct nexus *n;

	for (unsigned i = 0; i < DISK_NEXUS_MAX; i++) {
		atomic_store(&d->nexus[i].id, 0);
		atomic_store(&d->nexus[i].flags, 0);
	}
	d->stranger = how == DISK_POWER_ON ? 1u << DISK_UA_POWER_ON : 0;
	for (unsigned i = 0; i < s->nexus_n; i++) {
		n = nexus_get(d, s->nexus[i].id);
		if (n)
			atomic_store(&n->flags, s->nexus[i].attentions & NEXUS_ATTENTIONS);
	}
	for (unsigned i = 0; i < s->pr.n; i++)
		nexus_get(d, s->pr.reg[i].nexus);
	d->pr = s->pr;
	atomic_store(&d->mode, s->mode & MODE_ALL);
	nexus_forbid(d);
}

static int start(struct disk *d, enum disk_start how, struct verror *e)
{
	struct state_file file = d->file; /* the disk's own is not touched unless all is well */
	struct disk_state s;
	bool resized;
	uint64_t bytes;
	int rc;

	rc = file_size(d->fd, &bytes);
	if (rc) {
		verror_set(e, VHBA_E_IO, "can't read the disk's size: %s", strerror(-rc));
		return rc;
	}
	gather(d, &d->pr, atomic_load(&d->mode), &s);
	if (file.fd >= 0) {
		rc = state_load(&file, &s, e);
		if (rc < 0)
			return rc;
		if (memcmp(s.naa, d->id.naa, sizeof(s.naa)) || s.naa_len != d->id.naa_len)
			return foreign(&s, e);
	}
	if (how == DISK_POWER_ON)
		power_on(d, &s);
	resized = how == DISK_RESUMED && s.blocks != bytes >> d->block_shift;
	s.blocks = bytes >> d->block_shift;
	if (how == DISK_POWER_ON || (file.fd >= 0 && !file.seq)) {
		rc = state_store(&file, &s);
		if (rc) {
			verror_set(e, VHBA_E_IO, "can't write the disk's state file: %s", strerror(-rc));
			return rc;
		}
	}
	d->file = file;
	atomic_store(&d->blocks, s.blocks);
	install(d, &s, how);
	if (resized)
		nexus_raise(d, 0, 0, DISK_UA_CAPACITY_CHANGED);
	d->resized = resized;
	return 0;
}

bool disk_was_resized(const struct disk *d)
{
	return d->resized;
}

int disk_start(struct disk *d, enum disk_start how, struct verror *e)
{
	int rc;

	pthread_mutex_lock(&d->state_lock);
	/* Pages cached here may be older than what another host wrote. */
	if (how == DISK_RESUMED)
		posix_fadvise(d->fd, 0, 0, POSIX_FADV_DONTNEED);
	rc = start(d, how, e);
	atomic_store(&d->started, !rc);
	pthread_mutex_unlock(&d->state_lock);
	return rc;
}
