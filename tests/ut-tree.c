/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sysroot.h"
#include "ut-tree.h"
#include "ut.h"

static char root[96];

void tree_new(void)
{
	ut_memdir(root, sizeof(root));
	sysroot_set(root);
}

static void folders(char *path)
{
	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		mkdir(path, 0755);
		*p = '/';
	}
}

#define PATH_OF(path, fmt)                                                                                   \
	char path[PATH_MAX];                                                                                 \
	do {                                                                                                 \
		va_list ap_;                                                                                 \
		int n_ = snprintf(path, sizeof(path), "%s", root);                                           \
		va_start(ap_, fmt);                                                                          \
		vsnprintf(path + n_, sizeof(path) - (size_t)n_, fmt, ap_);                                   \
		va_end(ap_);                                                                                 \
	} while (0)

static void write_file(char *path, const void *bytes, size_t n, const char *end)
{
	FILE *f;

	folders(path);
	f = fopen(path, "w");
	if (!f)
		abort();
	fwrite(bytes, 1, n, f);
	fputs(end, f);
	fclose(f);
}

void tree_put(const char *text, const char *fmt, ...)
{
	PATH_OF(path, fmt);
	write_file(path, text, strlen(text), "\n");
}

void tree_put_bytes(const void *bytes, size_t n, const char *fmt, ...)
{
	PATH_OF(path, fmt);
	write_file(path, bytes, n, "");
}

void tree_link(const char *to, const char *fmt, ...)
{
	char full[PATH_MAX];
	PATH_OF(path, fmt);

	folders(path);
	unlink(path);
	snprintf(full, sizeof(full), "%s%s", root, to);
	if (symlink(full, path))
		abort();
}

void tree_fifo(const char *fmt, ...)
{
	PATH_OF(path, fmt);
	folders(path);
	unlink(path);
	if (mkfifo(path, 0600))
		abort();
}

void tree_remove(const char *fmt, ...)
{
	PATH_OF(path, fmt);
	unlink(path);
}

const char *tree_text(const char *fmt, ...)
{
	static char text[512];
	ssize_t n;
	int fd;
	PATH_OF(path, fmt);

	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* As the kernel's: a class has links to the folders that its devices have below what they are of. */
static void class_device(const char *device, const char *class, const char *name)
{
	char dir[600];

	snprintf(dir, sizeof(dir), "%s/%s/%s", device, class, name);
	tree_put("", "%s/uevent", dir);
	tree_link(device, "%s/device", dir);
	tree_link(dir, "/sys/class/%s/%s", class, name);
}

static void host_at(int host, const char *device, const char *wwpn)
{
	char dir[400], name[32];

	snprintf(dir, sizeof(dir), "%s/host%d", device, host);
	snprintf(name, sizeof(name), "host%d", host);
	tree_put("", "%s/uevent", dir);
	class_device(dir, "fc_host", name);
	class_device(dir, "scsi_host", name);
	tree_put(wwpn, "/sys/class/fc_host/host%d/port_name", host);
	tree_put("0x2000000000000001", "/sys/class/fc_host/host%d/node_name", host);
	tree_put("0x1000000000000064", "/sys/class/fc_host/host%d/fabric_name", host);
	tree_put("0x010203", "/sys/class/fc_host/host%d/port_id", host);
	tree_put("Online", "/sys/class/fc_host/host%d/port_state", host);
	tree_put("10 Gbit", "/sys/class/fc_host/host%d/speed", host);
	tree_put("fcoe", "/sys/class/scsi_host/host%d/proc_name", host);
}

void tree_parent(int host, const char *ifname, const char *wwpn)
{
	char device[200];

	snprintf(device, sizeof(device), "/sys/devices/virtual/net/%s/ctlr_0", ifname);
	host_at(host, device, wwpn);
	tree_put("255", "/sys/class/fc_host/host%d/max_npiv_vports", host);
	tree_put("0", "/sys/class/fc_host/host%d/npiv_vports_inuse", host);
	tree_put("", "/sys/class/fc_host/host%d/vport_create", host);
	tree_put("", "/sys/class/fc_host/host%d/vport_delete", host);
}

static void device_of(int host, char *buf, size_t size)
{
	char link[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "%s/sys/class/fc_host/host%d/device", root, host);
	n = readlink(link, buf, size - 1);
	if (n < 0)
		abort();
	buf[n] = '\0';
	memmove(buf, buf + strlen(root), strlen(buf) - strlen(root) + 1);
}

void tree_vport(int parent, unsigned number, int host, const char *wwpn)
{
	char device[300], vport[400], name[40];

	device_of(parent, device, sizeof(device));
	snprintf(name, sizeof(name), "vport-%d:0-%u", parent, number);
	snprintf(vport, sizeof(vport), "%s/%s", device, name);
	class_device(vport, "fc_vports", name);
	tree_put(wwpn, "/sys/class/fc_vports/vport-%d:0-%u/port_name", parent, number);
	tree_put("0x2000000000000002", "/sys/class/fc_vports/vport-%d:0-%u/node_name", parent, number);
	tree_put("Active", "/sys/class/fc_vports/vport-%d:0-%u/vport_state", parent, number);
	tree_put("", "/sys/class/fc_vports/vport-%d:0-%u/vport_disable", parent, number);
	if (host >= 0)
		host_at(host, vport, wwpn);
}

void tree_rport(int host, unsigned number, const char *wwpn, bool target)
{
	char device[400], rport[500], name[40];

	device_of(host, device, sizeof(device));
	snprintf(name, sizeof(name), "rport-%d:0-%u", host, number);
	snprintf(rport, sizeof(rport), "%s/%s", device, name);
	class_device(rport, "fc_remote_ports", name);
	tree_put(wwpn, "/sys/class/fc_remote_ports/rport-%d:0-%u/port_name", host, number);
	tree_put("0x010400", "/sys/class/fc_remote_ports/rport-%d:0-%u/port_id", host, number);
	tree_put("Online", "/sys/class/fc_remote_ports/rport-%d:0-%u/port_state", host, number);
	tree_put(target ? "FCP Target" : "FCP Initiator", "/sys/class/fc_remote_ports/rport-%d:0-%u/roles",
		 host, number);
	tree_put("off", "/sys/class/fc_remote_ports/rport-%d:0-%u/fast_io_fail_tmo", host, number);
	tree_put("60", "/sys/class/fc_remote_ports/rport-%d:0-%u/dev_loss_tmo", host, number);
}

void tree_disk(int host, unsigned target, unsigned lun, const char *sd)
{
	uint8_t page[24] = {0, 0x83, 0, 20, 1, 3, 0, 16, 0x60, 0x02};
	char device[400], base[500], name[40];

	page[23] = (uint8_t)lun;
	device_of(host, device, sizeof(device));
	snprintf(base, sizeof(base), "%s/rport-%d:0-%u/target%d:0:%u/%d:0:%u:%u", device, host, target, host,
		 target, host, target, lun);
	tree_put("0", "%s/type", base);
	tree_put("running", "%s/state", base);
	tree_put_bytes(page, sizeof(page), "%s/vpd_pg83", base);
	tree_put("2048", "%s/block/%s/size", base, sd);
	tree_put("", "%s/scsi_generic/sg%u/uevent", base, lun);
	snprintf(name, sizeof(name), "%d:0:%u:%u", host, target, lun);
	class_device(base, "scsi_device", name);
	tree_put("0", "%s/device_busy", base);
}
