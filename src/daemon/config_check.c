/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "config_parse.h"
#include "monotime.h"

static int bad(const struct config *c, struct verror *e, const char *section, const char *key)
{
	return verror_set(e, VHBA_E_USAGE, "%s: [%s] %s", c->path, section, key);
}

/* By number or name, or since a parent could be in both. */
static bool same_vsan(const struct config_vsan *a, const struct config_vsan *b)
{
	if (a->number == b->number || (a->name[0] && !strcmp(a->name, b->name)))
		return true;
	if (a->vlan && a->vlan == b->vlan)
		return !a->fabric_name || !b->fabric_name || a->fabric_name == b->fabric_name;
	return a->fabric_name && a->fabric_name == b->fabric_name && (!a->vlan || !b->vlan);
}

static int check_vsans(const struct config *c, struct verror *e)
{
	char section[32];

	for (unsigned i = 0; i < c->vsans_n; i++) {
		const struct config_vsan *v = &c->vsans[i];

		snprintf(section, sizeof(section), "vsan %u", v->number);
		if (!v->vlan && !v->fabric_name) {
			bad(c, e, section, "");
			verror_expected(e, "vlan or fabric-name, by which a parent is known to be in it");
			verror_seen(e, "neither");
			return -EINVAL;
		}
		for (unsigned k = 0; k < i; k++) {
			const struct config_vsan *o = &c->vsans[k];

			if (!same_vsan(v, o))
				continue;
			bad(c, e, section, "");
			verror_expected(e, "a number and a name of its own, and a VLAN or a fabric name "
					   "that tells them apart");
			verror_seen(e, "those of [vsan %u]", o->number);
			return -EINVAL;
		}
	}
	return 0;
}

static int check_zones(const struct config *c, struct verror *e)
{
	for (unsigned i = 0; i < c->zones_n; i++) {
		char section[80];

		if (config_vsan(c, c->zones[i].vsan))
			continue;
		snprintf(section, sizeof(section), "zone %s", c->zones[i].name);
		bad(c, e, section, "vsan");
		verror_expected(e, "the number of a [vsan N] section");
		verror_seen(e, "%u", c->zones[i].vsan);
		return -EINVAL;
	}
	return 0;
}

int config_cross_check(const struct config *c, struct verror *e)
{
	int r = check_vsans(c, e);
	char d[32];

	if (!r)
		r = check_zones(c, e);
	if (!r && c->fast_io_fail >= c->dev_loss) {
		r = bad(c, e, "timers", "fast-io-fail");
		verror_expected(e, "less than dev-loss, %ds", c->dev_loss);
		verror_seen(e, "%ds", c->fast_io_fail);
	}
	if (!r && c->margin >= c->quiesce_deadline) {
		r = bad(c, e, "quiesce", "margin");
		verror_expected(e, "less than the deadline, %s",
				duration_format(c->quiesce_deadline, d, sizeof(d)));
	}
	if (!r && c->hold > (uint64_t)c->dev_loss * USEC_PER_SEC) {
		r = bad(c, e, "quiesce", "hold");
		verror_expected(e, "at most dev-loss, %ds", c->dev_loss);
	}
	return r;
}

/* The name of a section header or of a key, in lower case as iniparser sees it; 0 for any other line. */
static char line_name(char *line, char *name, size_t size)
{
	char *p = line + strspn(line, " \t"), *end, kind = '=';
	size_t n;

	if (*p == '[') {
		kind = '[';
		end = strchr(++p, ']');
	} else {
		end = *p == ';' || *p == '#' ? NULL : strchr(p, '=');
	}
	if (!end)
		return 0;
	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	n = (size_t)(end - p) < size - 1 ? (size_t)(end - p) : size - 1;
	for (size_t i = 0; i < n; i++)
		name[i] = (char)tolower((unsigned char)p[i]);
	name[n] = '\0';
	return kind;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* What iniparser would drop without a word, or take for something else. */
static int check_line(char kind, const char *line, const char *section, const char *name, const char *where,
		      struct verror *e)
{
	size_t lower = strcspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	if (kind == '=' && !section[0]) {
		verror_set(e, VHBA_E_USAGE, "%s: %s stands before the first section", where, name);
		verror_expected(e, "each key below its section");
		return -EINVAL;
	}
	if (kind == '[' && strchr(name, ':')) {
		verror_set(e, VHBA_E_USAGE, "%s: [%s]", where, name);
		verror_expected(e, "a section's name without ':'");
		return -EINVAL;
	}
	if (kind == '[' && !strncmp(name, "fcoe ", 5) && lower < strcspn(line, "]")) {
		verror_set(e, VHBA_E_USAGE, "%s: [%s]", where, name);
		verror_expected(
			e,
			"an interface without capital letters: this file does not tell them from small ones");
		return -EINVAL;
	}
	return 0;
}

/* That a section or a key is not there yet; remembers it. */
static int check_twice(void **seen, char kind, const char *section, const char *name, const char *where,
		       struct verror *e)
{
	char *copy, **found;

	if (asprintf(&copy, "%s%c%s", section, kind, kind == '[' ? "" : name) < 0)
		return verror_set(e, VHBA_E_INTERNAL, "out of memory");
	found = tsearch(copy, seen, compare);
	if (found && *found == copy)
		return 0;
	free(copy);
	if (!found)
		return verror_set(e, VHBA_E_INTERNAL, "out of memory");
	verror_set(e, VHBA_E_USAGE, "%s: [%s]%s%s stands twice", where, section, kind == '[' ? "" : " ",
		   kind == '[' ? "" : name);
	verror_expected(e, "each section and each of its keys once");
	return -EINVAL;
}

int config_check_text(FILE *f, const char *path, struct verror *e)
{
	char section[256] = "", name[256], where[160];
	AUTO_FREE char *line = NULL;
	void *seen = NULL;
	unsigned number = 0;
	size_t room = 0;
	int r = 0;

	while (!r && getline(&line, &room, f) > 0) {
		char kind = line_name(line, name, sizeof(name));

		number++;
		if (!kind)
			continue;
		snprintf(where, sizeof(where), "%.120s:%u", path, number);
		r = check_line(kind, line, section, name, where, e);
		if (kind == '[')
			snprintf(section, sizeof(section), "%s", name);
		if (!r)
			r = check_twice(&seen, kind, section, name, where, e);
	}
	if (!r && ferror(f))
		r = verror_set(e, VHBA_E_IO, "%s can't be read: %s", path, strerror(errno));
	tdestroy(seen, free);
	return r;
}

void config_print(const struct config *c, FILE *f)
{
	char wwn[WWN_TEXT], d[32];

	fprintf(f, "[daemon]\nsocket = %s\nrun-dir = %s\nstate-dir = %s\nuser = %s\n", c->socket, c->run_dir,
		c->state_dir, c->user);
	fprintf(f, "read-group = %s\nadmin-group = %s\nlog-level = %s\nhost-name = %s\npriv = %s\n",
		c->read_group, c->admin_group, c->log_level, c->host_name, c->priv);
	fprintf(f, "\n[names]\nnaa = %u\noui = %02x:%02x:%02x\n", c->names.naa, c->names.oui >> 16,
		c->names.oui >> 8 & 0xff, c->names.oui & 0xff);
	fprintf(f, "\n[parents]\nuse = %s", c->parents_all ? "all" : c->parents_n ? "" : "fcoe");
	for (unsigned i = 0; i < c->parents_n; i++)
		fprintf(f, "%s%s", i ? ", " : "", c->parents[i]);
	fprintf(f, "\n\n[attach]\ndeadline = %s\n", duration_format(c->attach_deadline, d, sizeof(d)));
	fprintf(f, "\n[quiesce]\ndeadline = %s\n", duration_format(c->quiesce_deadline, d, sizeof(d)));
	fprintf(f, "pool-stop = %s\n", duration_format(c->pool_stop, d, sizeof(d)));
	fprintf(f, "resume-deadline = %s\n", duration_format(c->resume_deadline, d, sizeof(d)));
	fprintf(f, "release-deadline = %s\n", duration_format(c->release_deadline, d, sizeof(d)));
	fprintf(f, "drain = %s\n", duration_format(c->drain, d, sizeof(d)));
	fprintf(f, "sync-cache = %s\n", duration_format(c->sync_cache, d, sizeof(d)));
	fprintf(f, "hold = %s\n", duration_format(c->hold, d, sizeof(d)));
	fprintf(f, "margin = %s\n", duration_format(c->margin, d, sizeof(d)));
	fprintf(f, "\n[timers]\ndev-loss = %ds\n", c->dev_loss);
	if (c->fast_io_fail < 0)
		fprintf(f, "fast-io-fail = %s\n", c->fast_io_fail == CONFIG_AUTO ? "auto" : "off");
	else
		fprintf(f, "fast-io-fail = %ds\n", c->fast_io_fail);
	fprintf(f, "keep = %s\n", c->keep_timers ? "yes" : "no");
	fprintf(f, "fip-discovery = %s\n", duration_format(c->fip_timeout, d, sizeof(d)));
	fprintf(f, "\n[io]\nprogram = %s\ngroup = %s\nworkers = %u\ndeadline = %s\n", c->io_program,
		c->io_group, c->io_workers, duration_format(c->io_deadline, d, sizeof(d)));
	fprintf(f, "\n[registry]\nwrite-deadline = %s\n",
		duration_format(c->registry_deadline, d, sizeof(d)));
	for (unsigned i = 0; i < c->fcoe_n; i++) {
		fprintf(f, "\n[fcoe %s]\nvlans = %s", c->fcoe[i].ifname, c->fcoe[i].discover ? "auto" : "");
		for (unsigned k = 0; k < c->fcoe[i].count; k++)
			fprintf(f, "%s%u", k ? ", " : "", c->fcoe[i].vlans[k]);
		fprintf(f, "\n");
	}
	for (unsigned i = 0; i < c->vsans_n; i++) {
		const struct config_vsan *v = &c->vsans[i];

		fprintf(f, "\n[vsan %u]\nname = %s\n", v->number, v->name);
		if (v->vlan)
			fprintf(f, "vlan = %u\n", v->vlan);
		if (v->fabric_name)
			fprintf(f, "fabric-name = \"%s\"\n", wwn_format(v->fabric_name, wwn));
	}
	for (unsigned i = 0; i < c->zones_n; i++) {
		fprintf(f, "\n[zone %s]\nvsan = %u\ntargets = ", c->zones[i].name, c->zones[i].vsan);
		for (unsigned k = 0; k < c->zones[i].count; k++)
			fprintf(f, "%s%s", k ? ", " : "", wwn_format(c->zones[i].targets[k], wwn));
		fprintf(f, "\n");
	}
}
