/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What sysfs shows of Fibre Channel (scsi_transport_fc.c, scsi_sysfs.c), as a model that is refreshed host by
 * host.
 *
 * Everything is read through sysroot.h; nothing is written, and nothing that is read here waits for the wire.
 * Objects belong to the inventory and are valid until the next refresh or scan of their host.  Loop thread
 * only.
 */
#ifndef FC_INVENTORY_H
#define FC_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "wwn.h"

#define FC_DESIGNATOR 80 /* "naa.6..." and its NUL */

struct fc_lun {
	TAILQ_ENTRY(fc_lun) link;
	unsigned channel, target; /* H:C:T:L, H is the fc_host's */
	unsigned rport; /* rport-H:C-N: N */
	uint64_t lun;
	uint64_t size; /* bytes; 0: not known */
	int type; /* SCSI peripheral device type; 0: direct access, -1: not known */
	char designator[FC_DESIGNATOR]; /* VPD page 0x83, "" when there is none (yet) */
	char sd[16], sg[16]; /* node names without /dev/; "" when there is none */
	char state[20]; /* "running", "blocked", "transport-offline" ... */
	bool usable; /* running, and a disk has its node, a size and a designator */
};

TAILQ_HEAD(fc_lun_list, fc_lun);

struct fc_rport {
	TAILQ_ENTRY(fc_rport) link;
	unsigned channel, number; /* rport-H:C-N */
	wwn_t wwpn; /* 0: the kernel has told of it and not shown its attributes yet; no more is known */
	uint32_t port_id;
	char state[16]; /* "Online", "Blocked", "Not Present" ... */
	bool is_target; /* its roles name FCP Target */
	int fast_io_fail; /* s; -1: off; this and the next as fc_rport_read_timers or a refresh has read them
			   */
	int dev_loss; /* s */
	struct fc_lun_list luns;
};

TAILQ_HEAD(fc_rport_list, fc_rport);

/* A vport as its parent sees it: vport-H:C-N, H is the parent's. */
struct fc_vport {
	TAILQ_ENTRY(fc_vport) link;
	unsigned channel, number;
	wwn_t wwpn, wwnn;
	int host; /* its own Scsi_Host; -1 while there is none */
};

TAILQ_HEAD(fc_vport_list, fc_vport);

/* A vport that has told its end, while its folder is still there. */
struct fc_gone {
	TAILQ_ENTRY(fc_gone) link;
	unsigned channel, number;
	bool there; /* at the last look */
};

TAILQ_HEAD(fc_gone_list, fc_gone);

struct fc_host {
	TAILQ_ENTRY(fc_host) link;
	int number;
	int device; /* its folder in sysfs, open; -1: not yet.  Inside fc/ only */
	int parent; /* the physical host's number; -1: this is one */
	unsigned vport_channel, vport_number; /* vport-PARENT:C-N, whose host this is */
	wwn_t wwpn, wwnn;
	uint64_t fabric_name; /* 0: not logged in */
	uint32_t port_id;
	char driver[16]; /* as fc_profile_find takes it: "fcoe", "lpfc"; "" while it is not known */
	char state[16]; /* "Online", "Linkdown" ... */
	char speed[16];
	char netdev[16]; /* of an FCoE host: the interface under it */
	uint16_t vlan; /* of that interface, 0: none; not read here (root alone may): whoever learns it sets
			  it */
	bool vlan_known;
	unsigned npiv_inuse, npiv_max;
	struct fc_vport_list vports;
	struct fc_gone_list gone;
	struct fc_rport_list rports;
};

TAILQ_HEAD(fc_host_list, fc_host);

/*
 * Does this daemon care for the physical host?  A host that is not wanted is left out with all its vports:
 * two daemons can share a kernel.
 */
typedef bool fc_host_filter(void *arg, const struct fc_host *host);

struct fc_inventory {
	struct fc_host_list hosts;
	fc_host_filter *filter; /* NULL: all */
	void *filter_arg;
};

void fc_inventory_init(struct fc_inventory *inv, fc_host_filter *filter, void *arg);
void fc_inventory_clear(struct fc_inventory *inv);

/*
 * Read everything anew. 0; -ENOENT: there is no fc_host class, and nothing; another -errno: it can't be
 * listed now, and what was known stays.
 */
int fc_inventory_scan(struct fc_inventory *inv);

/*
 * Read one Scsi_Host anew: its attributes, vports (known ones are kept, not read again), rports and LUNs.  It
 * is dropped when it is gone, and added when it is new, a parent with the hosts of its vports.  True when it
 * is there afterwards.
 */
bool fc_inventory_refresh(struct fc_inventory *inv, int number);

/* What of a host an event is about. */
enum fc_part_kind { FC_PART_HOST, FC_PART_VPORT, FC_PART_RPORT, FC_PART_LUN, FC_PARTS_ };

struct fc_part {
	enum fc_part_kind kind;
	unsigned channel, number; /* vport-H:C-N, rport-H:C-N: the vport, the rport, or the LUN's rport */
	unsigned target; /* of a LUN, H:C:T:L */
	uint64_t lun;
	bool came; /* it, or a device of it, is new: what is known wholly is not read again */
};

/*
 * Read that alone anew, all of it; a remote port that was not known comes with its LUNs.  A host that is new,
 * or had no name yet, is read as a whole.  True when the host is there afterwards.
 */
bool fc_inventory_refresh_part(struct fc_inventory *inv, int host, const struct fc_part *part);

/* The kernel says that this rport or LUN goes: it is not shown any more. */
void fc_inventory_part_gone(struct fc_inventory *inv, int host, const struct fc_part *part);

/* Who has made a vport tells: nothing is read.  host: its own, -1: not known yet. */
void fc_inventory_vport_made(struct fc_inventory *inv, int parent, const struct fc_vport *made);

/*
 * The kernel says that something goes before its folder goes, and says nothing afterwards (device_del of
 * drivers/base/core.c): who hears of an end tells it here, and sysfs is not believed any more.  Of vports for
 * ever, since their numbers are not used again while the parent lives; of hosts until the next refresh.
 */
void fc_inventory_vport_gone(struct fc_inventory *inv, int parent, unsigned channel, unsigned number);
void fc_inventory_host_gone(struct fc_inventory *inv, int number);

/* Its own attributes only: state, fabric name, N_Port_ID, vports in use.  Of one that is gone the state is
 * "".
 */
void fc_inventory_refresh_attributes(struct fc_host *h);

/* Its state alone. */
void fc_host_refresh_state(struct fc_host *host);

struct fc_host *fc_host_find(const struct fc_inventory *inv, int number);

/* The physical host of that name. */
struct fc_host *fc_parent_find(const struct fc_inventory *inv, wwn_t wwpn);

/* The vport of that name, and its parent in *parent (may be NULL). */
struct fc_vport *fc_vport_find(const struct fc_inventory *inv, wwn_t wwpn, struct fc_host **parent);

/* The number that the parent's next vport gets, if none was made that is not in the model yet. */
unsigned fc_vport_next_number(const struct fc_host *parent);

/* The remote port of that name as this host sees it; those that had no name yet are read. */
struct fc_rport *fc_rport_find(const struct fc_host *host, wwn_t wwpn);

/* Has a host or a vport of this machine this name?  Says which in *by (may be NULL). */
bool fc_name_is_local(const struct fc_inventory *inv, wwn_t wwpn, char *by, size_t size);

/* Is this name in use by a host, a vport or a remote port that is seen?  Says by what in *by (may be NULL).
 */
bool fc_name_in_use(const struct fc_inventory *inv, wwn_t wwpn, char *by, size_t size);

/* The same, but of remote ports only one that is Online now: the kernel keeps a remote port for dev_loss_tmo
 * after it has gone, and of a target for ever. */
bool fc_name_is_live(const struct fc_inventory *inv, wwn_t wwpn, char *by, size_t size);

/* Read now, not from the model.  A vport of fcoe that is logged in is Active, also where its attribute lags.
 */
int fc_vport_read_state(const struct fc_host *parent, const struct fc_vport *v, char *state, size_t size);
int fc_host_read_port_id(const struct fc_host *host, uint32_t *id); /* 0: not logged in */
int fc_rport_read_state(const struct fc_host *host, const struct fc_rport *r, char *state, size_t size);
/* Into the model: fast_io_fail and dev_loss. 0, or -ENOENT when it has gone. */
int fc_rport_read_timers(const struct fc_host *host, struct fc_rport *r);
/* Its roles come and go without an event.  Once seen as a target it stays one in the model until the next
 * refresh. */
bool fc_rport_read_is_target(const struct fc_host *host, struct fc_rport *r);
/* Into the model: what of the host's rports changes without an event (N_Port_ID, state, roles, timers). */
void fc_host_refresh_rports(struct fc_host *host);
/* Into the model: their states alone. */
void fc_host_refresh_rport_states(struct fc_host *host);
/* The state of a path changes without an event: read it, and whether the path is usable by it, into *l. */
void fc_lun_refresh_state(const struct fc_host *host, struct fc_lun *l);
/* Commands that the device has accepted and not ended, passthrough included (scsi_device device_busy). */
int fc_lun_read_busy(const struct fc_host *host, const struct fc_lun *l, uint64_t *busy);

/* Has it a volatile write cache, as sd has read its caching mode page? */
bool fc_lun_write_back(const struct fc_host *host, const struct fc_lun *l);

#endif
