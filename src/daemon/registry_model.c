/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cleanup.h"
#include "registry_model.h"

/* ---- objects ---- */

void reg_vm_free(struct reg_vm *vm)
{
	if (!vm)
		return;
	for (unsigned i = 0; i < vm->vhbas_n; i++) {
		free(vm->vhbas[i].zones);
		free(vm->vhbas[i].reservations);
		free(vm->vhbas[i].luns);
	}
	free(vm->vhbas);
	free(vm->guest_luns);
	free(vm);
}

static int copy_vhba(struct reg_vhba *to, const struct reg_vhba *from)
{
	*to = *from;
	to->luns = NULL;
	to->zones = strdup(from->zones ? from->zones : "");
	to->reservations = strdup(from->reservations ? from->reservations : "");
	if (!to->zones || !to->reservations)
		return -ENOMEM;
	if (!from->luns_n)
		return 0;
	to->luns = calloc(from->luns_n, sizeof(*to->luns));
	if (!to->luns)
		return -ENOMEM;
	memcpy(to->luns, from->luns, from->luns_n * sizeof(*to->luns));
	return 0;
}

struct reg_vm *reg_vm_copy(const struct reg_vm *vm)
{
	struct reg_vm *c = malloc(sizeof(*c));

	if (!c)
		return NULL;
	*c = *vm;
	c->vhbas_n = 0;
	c->vhbas = calloc(vm->vhbas_n ? vm->vhbas_n : 1, sizeof(*c->vhbas));
	c->guest_luns = calloc(vm->guest_luns_n ? vm->guest_luns_n : 1, sizeof(*c->guest_luns));
	if (c->guest_luns && vm->guest_luns_n)
		memcpy(c->guest_luns, vm->guest_luns, vm->guest_luns_n * sizeof(*c->guest_luns));
	while (c->vhbas && c->guest_luns && c->vhbas_n < vm->vhbas_n) {
		unsigned i = c->vhbas_n++;

		if (copy_vhba(&c->vhbas[i], &vm->vhbas[i]))
			break;
		if (c->vhbas_n == vm->vhbas_n)
			return c;
	}
	if (c->vhbas && c->guest_luns && !vm->vhbas_n)
		return c;
	reg_vm_free(c);
	return NULL;
}

bool reg_vm_has_alternates(const struct reg_vm *vm)
{
	for (unsigned i = 0; i < vm->vhbas_n; i++)
		if (vm->vhbas[i].alternate)
			return true;
	return false;
}

bool reg_vm_swap_names(struct reg_vm *vm, struct verror *e)
{
	for (unsigned i = 0; i < vm->vhbas_n; i++) {
		if (vm->vhbas[i].alternate)
			continue;
		verror_set(e, VHBA_E_STATE, "vhba %u of %s has one WWPN only", vm->vhbas[i].index, vm->name);
		verror_expected(e, "an alternate WWPN for each vhba");
		verror_fix(
			e,
			"give it one where it is detached ('vhbactl vhba set --alternate yes'), or import it "
			"without --alternate after the source's release");
		return false;
	}
	for (unsigned i = 0; i < vm->vhbas_n; i++) {
		struct reg_vhba *v = &vm->vhbas[i];
		wwn_t was = v->wwpn;

		v->wwpn = v->alternate;
		v->alternate = was;
	}
	return true;
}

bool reg_name_is_good(const char *name)
{
	size_t n = strlen(name);

	if (!n || n >= REG_NAME_MAX || !isalnum((unsigned char)name[0]))
		return false;
	return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+@:-") == n;
}

const struct reg_vhba *registry_vhba(const struct reg_vm *vm, unsigned index)
{
	for (unsigned i = 0; i < vm->vhbas_n; i++)
		if (vm->vhbas[i].index == index)
			return &vm->vhbas[i];
	return NULL;
}

bool registry_next_zone(const char **pos, char zone[REG_NAME_MAX])
{
	size_t n = strcspn(*pos, ",");

	if (!**pos)
		return false;
	snprintf(zone, REG_NAME_MAX, "%.*s", (int)n, *pos);
	*pos += n + ((*pos)[n] == ',');
	return true;
}

/* ---- trees ---- */

/* The trees of VMs hold pointers to the member that they are ordered by. */
static int compare_text(const void *a, const void *b)
{
	return strcasecmp(a, b);
}

static int compare_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* A UUID takes 16 bytes here, since there is one for every WWN that was ever given. */
struct given {
	wwn_t wwn;
	uint64_t high, low; /* both 0: not known whom to */
};

static int compare_given(const void *a, const void *b)
{
	wwn_t x = ((const struct given *)a)->wwn, y = ((const struct given *)b)->wwn;

	return x < y ? -1 : x > y;
}

static void uuid_pack(const char *uuid, struct given *g)
{
	uint64_t half[2] = {0, 0};
	int digits = 0;

	for (; *uuid && digits < 32; uuid++) {
		unsigned char c = (unsigned char)*uuid;

		if (!isxdigit(c))
			continue;
		half[digits / 16] = half[digits / 16] << 4 |
				    (uint64_t)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
		digits++;
	}
	g->high = half[0];
	g->low = half[1];
}

static void uuid_unpack(const struct given *g, char uuid[37])
{
	if (!g->high && !g->low) {
		uuid[0] = '\0';
		return;
	}
	snprintf(uuid, 37, "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
		 g->high >> 32, g->high >> 16 & 0xffff, g->high & 0xffff, g->low >> 48,
		 g->low & UINT64_C(0xffffffffffff));
}

int model_remember(struct reg_model *m, wwn_t wwn, const char *uuid)
{
	struct given *g = malloc(sizeof(*g)), **found;

	if (!g)
		return -ENOMEM;
	g->wwn = wwn;
	uuid_pack(uuid, g);
	found = tsearch(g, &m->names, compare_given);
	if (!found || *found != g)
		free(g);
	return found ? 0 : -ENOMEM;
}

bool model_remembers(const struct reg_model *m, wwn_t wwn, char uuid[37])
{
	struct given key = {.wwn = wwn}, **found = tfind(&key, (void *const *)&m->names, compare_given);

	if (!found)
		return false;
	uuid_unpack(*found, uuid);
	return true;
}

/* ---- VMs ---- */

void model_init(struct reg_model *m)
{
	memset(m, 0, sizeof(*m));
	TAILQ_INIT(&m->vms);
}

static void nothing(void *p)
{
	(void)p;
}

void model_clear(struct reg_model *m)
{
	struct reg_vm *vm;

	tdestroy(m->by_name, nothing);
	tdestroy(m->by_uuid, nothing);
	tdestroy(m->names, free);
	while ((vm = TAILQ_FIRST(&m->vms))) {
		TAILQ_REMOVE(&m->vms, vm, link);
		reg_vm_free(vm);
	}
	model_init(m);
}

struct reg_vm *model_find_name(const struct reg_model *m, const char *name)
{
	char **found = tfind(name, (void *const *)&m->by_name, compare_name);

	return found ? (struct reg_vm *)(void *)(*found - offsetof(struct reg_vm, name)) : NULL;
}

struct reg_vm *model_find_uuid(const struct reg_model *m, const char *uuid)
{
	char **found = tfind(uuid, (void *const *)&m->by_uuid, compare_text);

	return found ? (struct reg_vm *)(void *)(*found - offsetof(struct reg_vm, uuid)) : NULL;
}

static void take_out(struct reg_model *m, struct reg_vm *vm)
{
	tdelete(vm->name, &m->by_name, compare_name);
	tdelete(vm->uuid, &m->by_uuid, compare_text);
	TAILQ_REMOVE(&m->vms, vm, link);
	m->count--;
}

/* From the end, since loading brings them in order. */
static int put_in(struct reg_model *m, struct reg_vm *vm)
{
	struct reg_vm *before;

	if (!tsearch(vm->name, &m->by_name, compare_name))
		return -ENOMEM;
	if (!tsearch(vm->uuid, &m->by_uuid, compare_text)) {
		tdelete(vm->name, &m->by_name, compare_name);
		return -ENOMEM;
	}
	m->count++;
	TAILQ_FOREACH_REVERSE (before, &m->vms, reg_vm_list, link) {
		if (strcmp(before->name, vm->name) < 0) {
			TAILQ_INSERT_AFTER(&m->vms, before, vm, link);
			return 0;
		}
	}
	TAILQ_INSERT_HEAD(&m->vms, vm, link);
	return 0;
}

int model_replace(struct reg_model *m, const char *uuid, struct reg_vm *vm)
{
	struct reg_vm *old = model_find_uuid(m, uuid);

	for (unsigned i = 0; vm && i < vm->vhbas_n; i++)
		if (model_remember(m, vm->vhbas[i].wwpn, vm->uuid) ||
		    model_remember(m, vm->vhbas[i].wwnn, vm->uuid) ||
		    (vm->vhbas[i].alternate && model_remember(m, vm->vhbas[i].alternate, vm->uuid)))
			return -ENOMEM;
	if (old)
		take_out(m, old);
	if (vm && put_in(m, vm)) {
		/* What tdelete has just freed is enough for the old one to go back. */
		if (old)
			put_in(m, old);
		return -ENOMEM;
	}
	reg_vm_free(old);
	return 0;
}
