/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/virterror.h>

#include "cleanup.h"
#include "lv.h"

#define KEEPALIVE_S 5
#define KEEPALIVE_COUNT 3

/* libvirt would write each error to stderr. */
static void quiet(void *user, virErrorPtr e)
{
	(void)user;
	(void)e;
}

static int failed(struct verror *e, const char *what)
{
	const char *why = virGetLastErrorMessage();

	verror_set(e, VHBA_E_IO, "%s", what);
	verror_seen(e, "%s", why ? why : "no reason given");
	return -EIO;
}

static void *run_events(void *arg)
{
	(void)arg;
	while (!virEventRunDefaultImpl())
		;
	return NULL;
}

int lv_init(struct verror *e)
{
	pthread_t t;

	virSetErrorFunc(NULL, quiet);
	if (virInitialize() || virEventRegisterDefaultImpl())
		return failed(e, "libvirt's library can't be used");
	if (pthread_create(&t, NULL, run_events, NULL))
		return verror_set(e, VHBA_E_INTERNAL, "no thread for libvirt's events");
	pthread_detach(t);
	return 0;
}

int lv_open(const char *uri, virConnectPtr *c, struct verror *e)
{
	*c = virConnectOpen(uri);
	if (!*c)
		return failed(e, "libvirt does not answer");
	virConnectSetKeepAlive(*c, KEEPALIVE_S, KEEPALIVE_COUNT); /* a driver in this process has none */
	return 0;
}

/* 0 with NULL: there is none. */
static int find_uuid(virConnectPtr c, const char *uuid, virStoragePoolPtr *p, struct verror *e)
{
	*p = virStoragePoolLookupByUUIDString(c, uuid);
	return *p || virGetLastErrorCode() == VIR_ERR_NO_STORAGE_POOL
		       ? 0
		       : failed(e, "a pool can't be looked up");
}

static int find(virConnectPtr c, uint64_t wwpn, virStoragePoolPtr *p, struct verror *e)
{
	char uuid[POOL_UUID];

	return find_uuid(c, poolxml_uuid(wwpn, uuid), p, e);
}

/* Each call forgets the error of the one before it. */
static int describe(virStoragePoolPtr p, struct lv_pool *out, struct verror *e)
{
	int active = virStoragePoolIsActive(p), autostart = 0;
	AUTO_FREE char *xml = active < 0 ? NULL : virStoragePoolGetXMLDesc(p, 0);

	*out = (struct lv_pool){.state = active ? LV_RUNNING : LV_STOPPED, .adapter.host = -1};
	if (!xml || virStoragePoolGetUUIDString(p, out->uuid))
		return failed(e, "a pool can't be read");
	if (!virStoragePoolGetAutostart(p, &autostart))
		out->autostart = autostart;
	snprintf(out->name, sizeof(out->name), "%s", virStoragePoolGetName(p));
	poolxml_read(xml, &out->adapter);
	return 0;
}

/* It may be stopped or undefined by somebody else between two calls. */
static int look(virStoragePoolPtr p, struct lv_pool *out, int *volumes, struct verror *e)
{
	int r = describe(p, out, e);

	if (!r && out->state == LV_RUNNING)
		*volumes = virStoragePoolNumOfVolumes(p);
	if (!r && *volumes >= 0)
		return 0;
	*volumes = 0;
	if (virGetLastErrorCode() == VIR_ERR_NO_STORAGE_POOL)
		return *out = (struct lv_pool){.state = LV_ABSENT, .adapter.host = -1}, 0;
	if (virGetLastErrorCode() == VIR_ERR_OPERATION_INVALID)
		return out->state = LV_STOPPED, 0;
	return r ? r : failed(e, "a pool's volumes can't be counted");
}

int lv_look(virConnectPtr c, uint64_t wwpn, struct lv_pool *out, int *volumes, struct verror *e)
{
	virStoragePoolPtr p;
	int r = find(c, wwpn, &p, e);

	*out = (struct lv_pool){.state = LV_ABSENT, .adapter.host = -1};
	*volumes = 0;
	if (r || !p)
		return r;
	r = look(p, out, volumes, e);
	virStoragePoolFree(p);
	return r;
}

int lv_undefine(virConnectPtr c, uint64_t wwpn, struct verror *e)
{
	virStoragePoolPtr p;
	int r = find(c, wwpn, &p, e);

	if (r || !p)
		return r;
	if (virStoragePoolUndefine(p))
		r = failed(e, "a pool can't be undefined");
	virStoragePoolFree(p);
	return r;
}

int lv_start(virConnectPtr c, uint64_t wwpn, const char *xml, struct verror *e)
{
	virStoragePoolPtr p;
	int r = lv_undefine(c, wwpn, e);

	if (r)
		return r;
	p = virStoragePoolDefineXML(c, xml, 0);
	if (!p)
		return failed(e, "a pool can't be defined");
	if (virStoragePoolCreate(p, 0))
		r = failed(e, "a pool can't be started");
	virStoragePoolFree(p);
	return r;
}

/* fn on the pool, if it is there and runs. */
static int on_running(virConnectPtr c, const char *uuid, int (*fn)(virStoragePoolPtr p), const char *what,
		      struct verror *e)
{
	virStoragePoolPtr p;
	int r = find_uuid(c, uuid, &p, e);

	if (r || !p)
		return r;
	if (virStoragePoolIsActive(p) && fn(p))
		r = failed(e, what);
	virStoragePoolFree(p);
	return r;
}

static int refresh(virStoragePoolPtr p)
{
	return virStoragePoolRefresh(p, 0);
}

int lv_refresh_other(virConnectPtr c, const char *uuid, struct verror *e)
{
	return on_running(c, uuid, refresh, "a pool can't be refreshed", e);
}

int lv_refresh(virConnectPtr c, uint64_t wwpn, struct verror *e)
{
	char uuid[POOL_UUID];

	return lv_refresh_other(c, poolxml_uuid(wwpn, uuid), e);
}

int lv_stop(virConnectPtr c, uint64_t wwpn, struct verror *e)
{
	char uuid[POOL_UUID];

	return on_running(c, poolxml_uuid(wwpn, uuid), virStoragePoolDestroy, "a pool can't be stopped", e);
}

/* One that goes meanwhile is left out. */
int lv_list(virConnectPtr c, struct lv_pool **list, unsigned *n, struct verror *e)
{
	virStoragePoolPtr *pools = NULL;
	int count = virConnectListAllStoragePools(c, &pools, VIR_CONNECT_LIST_STORAGE_POOLS_SCSI);
	struct verror ignored;

	*n = 0;
	*list = NULL;
	if (count < 0)
		return failed(e, "the pools can't be listed");
	*list = calloc((size_t)count + 1, sizeof(**list));
	for (int i = 0; i < count; i++) {
		if (*list && !describe(pools[i], &(*list)[*n], &ignored))
			++*n;
		virStoragePoolFree(pools[i]);
	}
	free(pools);
	return *list ? 0 : verror_set(e, VHBA_E_INTERNAL, "out of memory");
}
