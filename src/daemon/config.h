/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vhbad.conf: an INI file, read by iniparser.  Every key stands in one table (config_keys), which decides
 * what is known, how it is parsed and what it means when absent; man 5 vhbad.conf is held to it by a test.
 */
#ifndef VHBA_CONFIG_H
#define VHBA_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "verror.h"
#include "wwn.h"

#define CONFIG_NAME_MAX 64
#define CONFIG_LIST_MAX 64

struct config_fcoe {
	char ifname[16];
	bool discover; /* vlans = auto */
	unsigned count; /* else these */
	uint16_t vlans[CONFIG_LIST_MAX];
};

struct config_vsan {
	uint16_t number;
	uint16_t vlan; /* 0: not given */
	wwn_t fabric_name; /* 0: not given */
	char name[CONFIG_NAME_MAX];
};

struct config_zone {
	char name[CONFIG_NAME_MAX];
	uint16_t vsan;
	unsigned count;
	wwn_t *targets;
};

#define CONFIG_AUTO (-2)

/* Durations in microseconds. */
struct config {
	char *path;
	char *socket, *run_dir, *state_dir, *read_group, *admin_group, *user, *log_level, *host_name, *priv;
	struct wwn_scheme names;
	bool parents_all;
	unsigned parents_n;
	char *parents[CONFIG_LIST_MAX]; /* WWPNs or interface names; none and not all: those of fcoe alone */
	unsigned fcoe_n;
	struct config_fcoe *fcoe;
	unsigned vsans_n;
	struct config_vsan *vsans;
	unsigned zones_n;
	struct config_zone *zones;
	uint64_t attach_deadline, quiesce_deadline, pool_stop, drain, sync_cache, hold, margin,
		resume_deadline, release_deadline;
	uint64_t fip_timeout, registry_deadline;
	int dev_loss; /* s */
	int fast_io_fail; /* s; -1: off; CONFIG_AUTO: by the VM, see timers.h */
	char *io_program, *io_group;
	unsigned io_workers;
	uint64_t io_deadline;
	bool keep_timers; /* set them back when something else has changed them */
};

struct config_key {
	const char *section; /* "daemon", or with a blank what a name follows: "vsan " */
	const char *key;
	const char *absent; /* as text; NULL: required; "": none */
	const char *doc;
	int (*parse)(struct config *c, void *object, const char *value, char *expected, size_t size);
};

extern const struct config_key config_keys[];
extern const size_t config_keys_n;

/* NULL with *e set: says section, key, expected and seen.  The caller frees it with config_free. */
struct config *config_load(const char *path, struct verror *e);
void config_free(struct config *c);

/* Print it such that it parses again to the same. */
void config_print(const struct config *c, FILE *f);

const struct config_vsan *config_vsan(const struct config *c, uint16_t number);
/* The names of zones are compared without regard to case, since iniparser knows small letters only. */
const struct config_zone *config_zone(const struct config *c, const char *name);

/* The same, as constraints of a vhba: NULL with *e (VHBA_E_CONSTRAINT) when this host does not know them. */
const struct config_vsan *config_known_vsan(const struct config *c, uint16_t number, struct verror *e);
const struct config_zone *config_known_zone(const struct config *c, uint16_t vsan, const char *name,
					    struct verror *e);

/* The zone that has it as a target; NULL: none. */
const struct config_zone *config_zone_of_target(const struct config *c, wwn_t wwpn);

#endif
