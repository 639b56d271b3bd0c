/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "netdev.h"
#include "sysroot.h"

static uint16_t own_vlan(const char *ifname)
{
	char text[1024];
	const char *p;
	unsigned vid;

	if (sysroot_read(text, sizeof(text), "/proc/net/vlan/%s", ifname) < 0)
		return 0;
	p = strstr(text, "VID:");
	return p && sscanf(p, "VID: %u", &vid) == 1 && vid < 4096 ? (uint16_t)vid : 0;
}

uint16_t fc_netdev_vlan(const char *ifname)
{
	uint16_t vlan = own_vlan(ifname);
	char path[PATH_MAX];
	AUTO_DIR DIR *dir = NULL;
	struct dirent *e;

	if (vlan || !sysroot_path(path, sizeof(path), "/sys/class/net/%s", ifname))
		return vlan;
	dir = opendir(path);
	while (!vlan && dir && (e = readdir(dir)))
		if (!strncmp(e->d_name, "lower_", 6))
			vlan = own_vlan(e->d_name + 6);
	return vlan;
}
