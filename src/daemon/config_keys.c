/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "config_parse.h"
#include "log.h"
#include "monotime.h"

#define OBJECTS_MAX 4096

/* ---- values ---- */

static int fail(char *expected, size_t size, const char *text)
{
	snprintf(expected, size, "%s", text);
	return -EINVAL;
}

static int set_text(char **field, const char *value)
{
	free(*field);
	*field = strdup(value);
	return *field ? 0 : -ENOMEM;
}

/* What needs no quotes in this file, in a log, in JSON or in a shell. */
static bool is_plain(const char *s)
{
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@:+/") ==
	       strlen(s);
}

static int set_path(char **field, const char *value, char *expected, size_t size)
{
	if (value[0] != '/' || strlen(value) > 90 || !is_plain(value))
		return fail(expected, size, "an absolute path of at most 90 letters, digits and ._-@:+/");
	return set_text(field, value);
}

static int set_name(char **field, const char *value, bool optional, char *expected, size_t size)
{
	if ((!value[0] && !optional) || strlen(value) >= CONFIG_NAME_MAX || !is_plain(value))
		return fail(expected, size, "a name of at most 63 letters, digits and ._-@:+/");
	return set_text(field, value);
}

static int set_duration(uint64_t *field, const char *value, uint64_t min, char *expected, size_t size)
{
	if (duration_parse(value, field) || *field < min)
		return fail(expected, size,
			    min ? "a duration above 0 with its unit, such as 500ms or 5s"
				: "a duration with its unit, such as 500ms or 5s");
	return 0;
}

static int set_number(unsigned long *n, const char *value, unsigned long min, unsigned long max)
{
	char *end;

	errno = 0;
	*n = strtoul(value, &end, 10);
	return errno || *end || !isdigit((unsigned char)value[0]) || *n < min || *n > max ? -EINVAL : 0;
}

/* fn for every item of a list that is separated by commas. */
static int each_item(const char *value, int (*fn)(void *object, const char *item), void *object)
{
	AUTO_FREE char *copy = strdup(value);
	char *save = NULL;
	int r = copy ? 0 : -ENOMEM;

	for (char *p = copy ? strtok_r(copy, ", \t", &save) : NULL; !r && p;
	     p = strtok_r(NULL, ", \t", &save))
		r = fn(object, p);
	return r;
}

#define PARSER(name)                                                                                         \
	static int parse_##name(struct config *c, void *object, const char *value, char *expected,           \
				size_t size)
#define PATH_PARSER(field)                                                                                   \
	PARSER(field)                                                                                        \
	{                                                                                                    \
		(void)object;                                                                                \
		return set_path(&c->field, value, expected, size);                                           \
	}
#define TEXT_PARSER(field, optional)                                                                         \
	PARSER(field)                                                                                        \
	{                                                                                                    \
		(void)object;                                                                                \
		return set_name(&c->field, value, optional, expected, size);                                 \
	}
#define DURATION_PARSER(field, min)                                                                          \
	PARSER(field)                                                                                        \
	{                                                                                                    \
		(void)object;                                                                                \
		return set_duration(&c->field, value, min, expected, size);                                  \
	}

PATH_PARSER(socket)
PATH_PARSER(run_dir)
PATH_PARSER(state_dir)
PATH_PARSER(priv)
TEXT_PARSER(read_group, true)
TEXT_PARSER(admin_group, true)
TEXT_PARSER(user, false)
DURATION_PARSER(attach_deadline, 1)
DURATION_PARSER(quiesce_deadline, 1)
DURATION_PARSER(resume_deadline, 1)
DURATION_PARSER(release_deadline, 1)
DURATION_PARSER(drain, 0)
DURATION_PARSER(sync_cache, 0)
DURATION_PARSER(pool_stop, 0)
DURATION_PARSER(hold, 1)
DURATION_PARSER(margin, 0)
DURATION_PARSER(fip_timeout, 1)
DURATION_PARSER(registry_deadline, 1)

PATH_PARSER(io_program)
TEXT_PARSER(io_group, true)
DURATION_PARSER(io_deadline, 1)

PARSER(io_workers)
{
	unsigned long n;

	(void)object;
	if (set_number(&n, value, 1, 16))
		return fail(expected, size, "1 to 16");
	c->io_workers = (unsigned)n;
	return 0;
}

PARSER(log_level)
{
	enum log_level level;

	(void)object;
	if (log_level_parse(value, &level))
		return fail(expected, size, "error, warning, notice, info or debug");
	return set_text(&c->log_level, value);
}

PARSER(host_name)
{
	char name[CONFIG_NAME_MAX];

	(void)object;
	if (value[0])
		return strlen(value) < CONFIG_NAME_MAX && is_plain(value)
			       ? set_text(&c->host_name, value)
			       : fail(expected, size, "at most 63 letters, digits and ._-@:+/");
	if (gethostname(name, sizeof(name)))
		return fail(expected, size, "a name, since this host has none");
	name[sizeof(name) - 1] = '\0';
	return set_text(&c->host_name, name);
}

PARSER(naa)
{
	unsigned long n;

	(void)object;
	if (set_number(&n, value, 2, 5) || n == 4)
		return fail(expected, size, "2, 3 or 5");
	c->names.naa = (unsigned)n;
	return 0;
}

PARSER(oui)
{
	unsigned a, b, d;

	(void)object;
	/* sscanf alone would take blanks and signs. */
	if (strlen(value) != 8 || strspn(value, "0123456789abcdefABCDEF:") != 8 ||
	    sscanf(value, "%2x:%2x:%2x", &a, &b, &d) != 3 || value[2] != ':' || value[5] != ':')
		return fail(expected, size, "three bytes in hexadecimal, such as 52:54:00");
	c->names.oui = a << 16 | b << 8 | d;
	return 0;
}

/* Printable, and neither blank nor '/': what the kernel takes for an interface (dev_valid_name). */
static bool is_interface(const char *s)
{
	size_t n = strlen(s);

	return n && n < 16 &&
	       strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@") == n;
}

static int add_parent(void *object, const char *item)
{
	struct config *c = object;
	wwn_t wwpn;

	if (wwn_parse(item, &wwpn, NULL) && !is_interface(item))
		return -EINVAL;
	if (c->parents_n == CONFIG_LIST_MAX)
		return -E2BIG;
	c->parents[c->parents_n] = strdup(item);
	return c->parents[c->parents_n] ? (c->parents_n++, 0) : -ENOMEM;
}

PARSER(parents)
{
	(void)object;
	c->parents_all = !strcmp(value, "all");
	if (c->parents_all || !strcmp(value, "fcoe"))
		return 0;
	if (each_item(value, add_parent, c) || !c->parents_n)
		return fail(expected, size,
			    "'all', 'fcoe', or WWPNs and interface names (at most 64), separated by commas");
	return 0;
}

PARSER(dev_loss)
{
	uint64_t us;

	(void)object;
	if (duration_parse(value, &us) || us < USEC_PER_SEC || us > 600 * USEC_PER_SEC || us % USEC_PER_SEC)
		return fail(expected, size, "whole seconds from 1s to 600s");
	c->dev_loss = (int)(us / USEC_PER_SEC);
	return 0;
}

PARSER(fast_io_fail)
{
	uint64_t us;

	(void)object;
	c->fast_io_fail = strcmp(value, "auto") ? -1 : CONFIG_AUTO;
	if (!strcmp(value, "off") || !strcmp(value, "auto"))
		return 0;
	/* 0 would turn every blip of a link into an error: it belongs to a quiesce only. */
	if (duration_parse(value, &us) || us < USEC_PER_SEC || us > 600 * USEC_PER_SEC || us % USEC_PER_SEC)
		return fail(expected, size, "'auto', 'off', or whole seconds from 1s, below dev-loss");
	c->fast_io_fail = (int)(us / USEC_PER_SEC);
	return 0;
}

PARSER(keep_timers)
{
	(void)object;
	c->keep_timers = !strcmp(value, "yes");
	return c->keep_timers || !strcmp(value, "no") ? 0 : fail(expected, size, "yes or no");
}

/* ---- objects ---- */

static int add_vlan(void *object, const char *item)
{
	struct config_fcoe *f = object;
	unsigned long n;

	if (f->count == CONFIG_LIST_MAX || set_number(&n, item, 1, 4094))
		return -EINVAL;
	f->vlans[f->count++] = (uint16_t)n;
	return 0;
}

PARSER(vlans)
{
	struct config_fcoe *f = object;

	(void)c;
	f->discover = !strcmp(value, "auto");
	if (f->discover)
		return 0;
	if (each_item(value, add_vlan, f) || !f->count)
		return fail(expected, size, "'auto', or VLAN numbers 1..4094, separated by commas");
	return 0;
}

PARSER(vsan_name)
{
	struct config_vsan *v = object;

	(void)c;
	if (strlen(value) >= sizeof(v->name) || !is_plain(value))
		return fail(expected, size, "at most 63 letters, digits and ._-@:+/");
	strcpy(v->name, value);
	return 0;
}

PARSER(vsan_vlan)
{
	struct config_vsan *v = object;
	unsigned long n = 0;

	(void)c;
	if (value[0] && set_number(&n, value, 1, 4094))
		return fail(expected, size, "a VLAN number 1..4094");
	v->vlan = (uint16_t)n;
	return 0;
}

PARSER(fabric_name)
{
	struct config_vsan *v = object;

	(void)c;
	if (value[0] && wwn_parse(value, &v->fabric_name, NULL))
		return fail(expected, size, "the fabric's World Wide Name, 16 hexadecimal digits");
	return 0;
}

PARSER(zone_vsan)
{
	struct config_zone *z = object;
	unsigned long n;

	(void)c;
	if (set_number(&n, value, 1, 4093))
		return fail(expected, size, "a VSAN number 1..4093");
	z->vsan = (uint16_t)n;
	return 0;
}

static int add_target(void *object, const char *item)
{
	struct config_zone *z = object;
	wwn_t wwn, *more;

	if (wwn_parse(item, &wwn, NULL) || z->count == CONFIG_LIST_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < z->count; i++)
		if (z->targets[i] == wwn)
			return -EEXIST;
	more = reallocarray(z->targets, z->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	z->targets = more;
	z->targets[z->count++] = wwn;
	return 0;
}

PARSER(targets)
{
	struct config_zone *z = object;

	(void)c;
	if (each_item(value, add_target, z) || !z->count)
		return fail(expected, size,
			    "the targets' WWPNs, each once, at least one, separated by commas");
	return 0;
}

const struct config_key config_keys[] = {
	{"daemon", "socket", "/run/vhba/vhbad.sock", "the control socket", parse_socket},
	{"daemon", "run-dir", "/run/vhba", "the journal and the log of operations; must be in memory",
	 parse_run_dir},
	{"daemon", "state-dir", "/var/lib/vhba", "the registry", parse_state_dir},
	{"daemon", "user", "vhba", "whom vhbad runs as, once vhba-priv is started", parse_user},
	{"daemon", "read-group", "vhba", "whose members may read", parse_read_group},
	{"daemon", "admin-group", "", "whose members may change; empty: root alone", parse_admin_group},
	{"daemon", "log-level", "info", "error, warning, notice, info or debug", parse_log_level},
	{"daemon", "host-name", "", "this host in tickets and in the registry; empty: its node name",
	 parse_host_name},
	{"daemon", "priv", VHBA_PRIV_PATH, "the root helper", parse_priv},
	{"names", "naa", "5", "name address authority of allocated names: 2, 3 or 5", parse_naa},
	{"names", "oui", "52:54:00", "the company id in them (not with NAA 3)", parse_oui},
	{"parents", "use", "all",
	 "which physical ports may carry vports, beside those of [fcoe IF]: all, fcoe (no others), or WWPNs "
	 "and "
	 "interface names",
	 parse_parents},
	{"fcoe ", "vlans", "auto", "the FCoE VLANs of this interface: auto (FIP VLAN discovery), or numbers",
	 parse_vlans},
	{"vsan ", "name", "", "for people", parse_vsan_name},
	{"vsan ", "vlan", "", "the FCoE VLAN that carries it", parse_vsan_vlan},
	{"vsan ", "fabric-name", "", "the fabric name that its ports show", parse_fabric_name},
	{"zone ", "vsan", NULL, "the VSAN that it belongs to", parse_zone_vsan},
	{"zone ", "targets", NULL, "the WWPNs of its targets", parse_targets},
	{"attach", "deadline", "30s", "when none is given", parse_attach_deadline},
	{"quiesce", "deadline", "5s", "when none is given", parse_quiesce_deadline},
	{"quiesce", "pool-stop", "500ms",
	 "libvirt's pools of the VM are waited for so long, a quarter of the deadline at most, until they "
	 "are "
	 "stopped; 0s: not at all",
	 parse_pool_stop},
	{"quiesce", "resume-deadline", "30s", "of a resume, when none is given", parse_resume_deadline},
	{"quiesce", "release-deadline", "30s", "of a release, when none is given", parse_release_deadline},
	{"quiesce", "drain", "500ms", "drain budget, at most half of what is left", parse_drain},
	{"quiesce", "sync-cache", "250ms",
	 "SYNCHRONIZE CACHE may take so long, within the drain budget; 0s: it is not sent", parse_sync_cache},
	{"quiesce", "hold", "60s", "how long a hold keeps parked commands alive; at most dev-loss",
	 parse_hold},
	{"quiesce", "margin", "5ms", "the answer leaves so long before the deadline", parse_margin},
	{"timers", "dev-loss", "60s", "dev_loss_tmo of a VM's target ports", parse_dev_loss},
	{"timers", "fast-io-fail", "auto",
	 "fast_io_fail_tmo of a VM's target ports: a time, off, or auto: 5s where a back end ([io]) has "
	 "several of them to go by, else off",
	 parse_fast_io_fail},
	{"timers", "keep", "yes",
	 "set both back when something else, such as multipathd, has changed them: yes or no",
	 parse_keep_timers},
	{"timers", "fip-discovery", "5s", "how long FIP VLAN discovery waits", parse_fip_timeout},
	{"io", "program", VHBA_IO_PATH, "the back end of VMs that have one", parse_io_program},
	{"io", "group", "kvm", "whose members, as QEMU is, may connect to it; empty: vhbad's user alone",
	 parse_io_group},
	{"io", "workers", "1", "threads of a back end, when the VM doesn't say", parse_io_workers},
	{"io", "deadline", "1s",
	 "a stopped back end has answered its guest by then, whatever the storage does", parse_io_deadline},
	{"registry", "write-deadline", "5s", "how long a change waits for the disk", parse_registry_deadline},
};
const size_t config_keys_n = ARRAY_SIZE(config_keys);

static void *grow(void **array, unsigned *count, size_t size)
{
	void *more = *count < OBJECTS_MAX ? reallocarray(*array, *count + 1, size) : NULL;
	char *object;

	if (!more)
		return NULL;
	*array = more;
	object = (char *)more + (*count)++ * size;
	memset(object, 0, size);
	return object;
}

static bool name_is_good(const char *s)
{
	size_t n = strlen(s);

	if (!n || n >= CONFIG_NAME_MAX)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("._-", *s))
			return false;
	return true;
}

void *config_new_object(struct config *c, const char *section, char *expected, size_t size)
{
	const char *name = strchr(section, ' ') + 1;
	struct config_fcoe *f;
	struct config_vsan *v;
	struct config_zone *z;
	unsigned long number;

	if (!strncmp(section, "fcoe ", 5)) {
		fail(expected, size,
		     "an interface name of at most 10 characters, so that NAME.VLANf fits the kernel's 15");
		if (strlen(name) > 10 || !name_is_good(name) ||
		    !(f = grow((void **)&c->fcoe, &c->fcoe_n, sizeof(*f))))
			return NULL;
		strcpy(f->ifname, name);
		return f;
	}
	if (!strncmp(section, "vsan ", 5)) {
		fail(expected, size, "a VSAN number 1..4093");
		if (set_number(&number, name, 1, 4093) ||
		    !(v = grow((void **)&c->vsans, &c->vsans_n, sizeof(*v))))
			return NULL;
		v->number = (uint16_t)number;
		return v;
	}
	fail(expected, size, "a zone name of 1..63 letters, digits, '.', '_' and '-'");
	if (!name_is_good(name) || !(z = grow((void **)&c->zones, &c->zones_n, sizeof(*z))))
		return NULL;
	strcpy(z->name, name);
	return z;
}
