/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands about the built-in targets: they, their LUNs, masks and faults. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "command.h"
#include "lun.h"
#include "wwn_text.h"

static struct array *arg_target(struct command *c, const char *text)
{
	struct array *a = array_find(c->f, text);

	if (!a)
		fail(c, "no target \"%s\": see \"show targets\"", text);
	return a;
}

static bool target_new_command(struct command *c)
{
	static const char *const words[] = {"wwpn", "wwnn", "vsan", NULL};
	const char *wwpn = arg_option(c, 2, "wwpn"), *wwnn = arg_option(c, 2, "wwnn"),
		   *vsan = arg_option(c, 2, "vsan");
	uint64_t port_name, node_name;
	struct vsan *v;

	if (!arg_options_known(c, 2, words) || !arg_name(c, c->argv[1], 32))
		return false;
	if (!wwpn || !wwnn || !vsan)
		return fail(c, "target %s: expected wwpn, wwnn and vsan", c->argv[1]);
	if (!arg_wwn(c, wwpn, &port_name) || !arg_wwn(c, wwnn, &node_name) || !(v = arg_vsan(c, vsan)))
		return false;
	if (array_find(c->f, c->argv[1]))
		return fail(c, "target \"%s\" is there already", c->argv[1]);
	if (vsan_login_by_wwpn(v, port_name))
		return fail(c, "WWPN %s is logged in already in VSAN %u", wwpn, v->id);
	return array_new(c->f, v, c->argv[1], port_name, node_name) || fail(c, "out of memory");
}

static bool cmd_target(struct command *c)
{
	bool online = !strcmp(c->argv[2], "online");
	struct array *a;
	int r;

	if (c->argc > 3)
		return target_new_command(c);
	if (!online && strcmp(c->argv[2], "offline"))
		return fail(c, "target: expected offline or online, seen \"%s\"", c->argv[2]);
	a = arg_target(c, c->argv[1]);
	if (!a)
		return false;
	r = online ? array_online(c->f, a) : array_offline(c->f, a, "target offline by order");
	if (r == -EALREADY)
		return fail(c, "target %s is %s already", c->argv[1], c->argv[2]);
	if (r == -EEXIST)
		return fail(c, "target %s: its WWPN is logged in elsewhere", c->argv[1]);
	return !r || fail(c, "out of memory");
}

static bool arg_size(struct command *c, const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	unsigned long long n;
	const char *unit;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (*text < '0' || *text > '9' || errno || !n || (*end && (!unit || end[1])) || n > 1u << 20)
		return fail(
			c,
			"expected a size such as 64M, at most 1048576 of a unit of K, M, G or T, seen \"%s\"",
			text);
	*bytes = n << (unit ? 10 * (unit - units + 1) : 0);
	return true;
}

/* 32 hexadecimal digits: NAA 6. */
static bool arg_naa(struct command *c, const char *text, uint8_t id[LUN_NAA_LEN])
{
	char high[17] = "";

	if (strlen(text) != 32 || text[0] != '6' || strspn(text, "0123456789abcdefABCDEF") != 32)
		return fail(c, "id: expected 32 hexadecimal digits that begin with 6, seen \"%s\"", text);
	memcpy(high, text, 16);
	put_be64(id, strtoull(high, NULL, 16));
	put_be64(id + 8, strtoull(text + 16, NULL, 16));
	return true;
}

/* path NULL: in memory. */
static bool lun_new(struct command *c, const char *path, const char *size, int options)
{
	const char *name = c->argv[1], *block = arg_option(c, options, "block"),
		   *id = arg_option(c, options, "id");
	uint32_t block_size = block && !strcmp(block, "4096") ? 4096 : 512;
	struct lun_store *store;
	uint8_t naa[LUN_NAA_LEN];
	uint64_t bytes = 0;

	if (block && strcmp(block, "512") && strcmp(block, "4096"))
		return fail(c, "block: expected 512 or 4096, seen \"%s\"", block);
	if (!arg_size(c, size, &bytes) || (id && !arg_naa(c, id, naa)))
		return false;
	if (bytes < block_size)
		return fail(c, "lun %s: smaller than a block", name);
	store = path ? lun_store_new_file(name, path, bytes / block_size, block_size, id ? naa : NULL)
		     : lun_store_new_memory(name, bytes / block_size, block_size, id ? naa : NULL);
	if (!store)
		return fail(c, "lun %s: %s", name, strerror(errno));
	if (!lun_name_add(c->f, name, store))
		return true;
	lun_store_unref(store);
	return fail(c, "out of memory");
}

static bool cmd_lun(struct command *c)
{
	static const char *const words[] = {"block", "id", NULL};
	bool file = !strcmp(c->argv[2], "file");
	int options = file ? 5 : 4;

	if (!file && strcmp(c->argv[2], "memory"))
		return fail(c, "lun: expected memory or file, seen \"%s\"", c->argv[2]);
	if (c->argc < options)
		return fail(c, "usage: lun NAME file PATH SIZE");
	if (!arg_name(c, c->argv[1], 32) || !arg_options_known(c, options, words))
		return false;
	if (lun_name_find(c->f, c->argv[1]))
		return fail(c, "LUN \"%s\" is there already", c->argv[1]);
	return lun_new(c, file ? c->argv[3] : NULL, c->argv[options - 1], options);
}

static bool arg_lun(struct command *c, const char *text, unsigned long *n)
{
	return arg_number(c, "LUN", text, 0, 255, n);
}

static bool cmd_map(struct command *c)
{
	struct array *a = arg_target(c, c->argv[1]);
	struct lun_name *l;
	unsigned long n;
	int r;

	if (!a || !arg_lun(c, c->argv[2], &n))
		return false;
	l = lun_name_find(c->f, c->argv[3]);
	if (!l)
		return fail(c, "no LUN \"%s\": make it by \"lun %s memory SIZE\"", c->argv[3], c->argv[3]);
	r = target_add_lun(a->target, (uint16_t)n, l->store);
	return !r || fail(c, "map %s %lu: %s", c->argv[1], n, strerror(-r));
}

static bool cmd_unmap(struct command *c)
{
	struct array *a = arg_target(c, c->argv[1]);
	unsigned long n;
	int r;

	if (!a || !arg_lun(c, c->argv[2], &n))
		return false;
	r = target_remove_lun(a->target, (uint16_t)n);
	return !r || fail(c, "unmap %s %lu: %s", c->argv[1], n, strerror(-r));
}

static bool cmd_mask(struct command *c)
{
	struct array *a = arg_target(c, c->argv[1]);
	unsigned long n;
	uint64_t wwpn;
	int r;

	if (!a)
		return false;
	if (c->argc == 3 && !strcmp(c->argv[2], "clear")) {
		target_mask_clear(a->target);
		return true;
	}
	if (c->argc != 4)
		return fail(c, "usage: mask TARGET WWPN LUN | mask TARGET clear");
	if (!arg_wwn(c, c->argv[2], &wwpn) || !arg_lun(c, c->argv[3], &n))
		return false;
	r = target_mask_add(a->target, wwpn, (uint16_t)n);
	return !r || fail(c, "mask %s: %s", c->argv[1], strerror(-r));
}

static bool cmd_access(struct command *c)
{
	struct array *a = arg_target(c, c->argv[1]);

	if (!a)
		return false;
	if (target_set_access(a->target, c->argv[2]))
		return fail(c,
			    "access: expected optimized, non-optimized, standby, unavailable or "
			    "transitioning, seen \"%s\"",
			    c->argv[2]);
	flog_add(c->f, "target", a->vsan, a->login, "target %s: access %s", c->argv[1], c->argv[2]);
	return true;
}

static bool cmd_fault(struct command *c)
{
	struct array *a = arg_target(c, c->argv[1]);
	char err[160] = "", words[200] = "";

	if (!a)
		return false;
	for (int i = 2; i < c->argc; i++)
		snprintf(words + strlen(words), sizeof(words) - strlen(words), " %s", c->argv[i]);
	if (target_fault(a->target, c->argc - 2, c->argv + 2, c->f->now, err, sizeof(err)))
		return fail(c, "fault %s%s: %s", c->argv[1], words, err);
	flog_add(c->f, "fault", a->vsan, a->login, "target %s:%s", c->argv[1], words);
	return true;
}

const struct command_entry commands_target[] = {
	{"target", 2, 7, cmd_target, "target NAME wwpn WWPN wwnn WWNN vsan ID | target NAME offline|online"},
	{"lun", 3, 8, cmd_lun, "lun NAME memory SIZE|file PATH SIZE [block 512|4096] [id NAA]"},
	{"map", 3, 3, cmd_map, "map TARGET LUN NAME"},
	{"unmap", 2, 2, cmd_unmap, "unmap TARGET LUN"},
	{"mask", 2, 3, cmd_mask, "mask TARGET WWPN LUN | mask TARGET clear"},
	{"access", 2, 2, cmd_access,
	 "access TARGET optimized|non-optimized|standby|unavailable|transitioning"},
	{"fault", 2, -1, cmd_fault,
	 "fault TARGET hang|hang-all|slow MS|busy [N]|check KEY ASC ASCQ [N]|hold-writes|heal"},
	{},
};
