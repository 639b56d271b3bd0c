/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <inttypes.h>
#include <iniparser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cleanup.h"
#include "config.h"
#include "config_parse.h"

void config_free(struct config *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->parents_n; i++)
		free(c->parents[i]);
	for (unsigned i = 0; i < c->zones_n; i++)
		free(c->zones[i].targets);
	free(c->zones);
	free(c->vsans);
	free(c->fcoe);
	free(c->path);
	free(c->socket);
	free(c->run_dir);
	free(c->state_dir);
	free(c->read_group);
	free(c->admin_group);
	free(c->user);
	free(c->log_level);
	free(c->host_name);
	free(c->priv);
	free(c->io_program);
	free(c->io_group);
	free(c);
}

const struct config_vsan *config_vsan(const struct config *c, uint16_t number)
{
	for (unsigned i = 0; i < c->vsans_n; i++)
		if (c->vsans[i].number == number)
			return &c->vsans[i];
	return NULL;
}

const struct config_zone *config_zone(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->zones_n; i++)
		if (!strcasecmp(c->zones[i].name, name))
			return &c->zones[i];
	return NULL;
}

const struct config_vsan *config_known_vsan(const struct config *c, uint16_t number, struct verror *e)
{
	const struct config_vsan *v = config_vsan(c, number);

	if (v)
		return v;
	verror_set(e, VHBA_E_CONSTRAINT, "VSAN %u is not known on this host", number);
	verror_expected(e, "the number of a [vsan N] section of %.100s", c->path);
	return NULL;
}

const struct config_zone *config_known_zone(const struct config *c, uint16_t vsan, const char *name,
					    struct verror *e)
{
	const struct config_zone *z = config_zone(c, name);

	if (z && z->vsan == vsan)
		return z;
	verror_set(e, VHBA_E_CONSTRAINT, "zone %s is not known in VSAN %u", name, vsan);
	verror_expected(e, "a section [zone %s] with vsan = %u in %.60s", name, vsan, c->path);
	if (z)
		verror_seen(e, "it belongs to VSAN %u", z->vsan);
	return NULL;
}

const struct config_zone *config_zone_of_target(const struct config *c, wwn_t wwpn)
{
	for (unsigned i = 0; i < c->zones_n; i++)
		for (unsigned k = 0; k < c->zones[i].count; k++)
			if (c->zones[i].targets[k] == wwpn)
				return &c->zones[i];
	return NULL;
}

static bool section_matches(const struct config_key *k, const char *section)
{
	size_t n = strlen(k->section);

	if (k->section[n - 1] != ' ')
		return !strcmp(k->section, section);
	return !strncmp(k->section, section, n) && section[n];
}

static const struct config_key *find_key(const char *section, const char *key)
{
	for (size_t i = 0; i < config_keys_n; i++)
		if (section_matches(&config_keys[i], section) && !strcmp(config_keys[i].key, key))
			return &config_keys[i];
	return NULL;
}

static bool known_section(const char *section)
{
	for (size_t i = 0; i < config_keys_n; i++)
		if (section_matches(&config_keys[i], section))
			return true;
	return false;
}

static int bad(struct verror *e, const char *path, const char *section, const char *key)
{
	return verror_set(e, VHBA_E_USAGE, "%s: [%s]%s%s", path, section, key ? " " : "", key ? key : "");
}

/* One key of one section; value NULL: absent. */
static int set_key(struct config *c, const struct config_key *k, const char *section, void *object,
		   const char *value, struct verror *e)
{
	char expected[120] = "";

	if (!value)
		value = k->absent;
	if (!value) {
		bad(e, c->path, section, k->key);
		verror_expected(e, "a value: %s", k->doc);
		verror_seen(e, "none");
		return -EINVAL;
	}
	if (!k->parse(c, object, value, expected, sizeof(expected)))
		return 0;
	bad(e, c->path, section, k->key);
	verror_expected(e, "%s", expected);
	verror_seen(e, "'%.100s'", value);
	return -EINVAL;
}

static int set_section(struct config *c, const dictionary *ini, const char *section, void *object,
		       struct verror *e)
{
	char name[160];

	for (size_t i = 0; i < config_keys_n; i++) {
		const struct config_key *k = &config_keys[i];
		int r;

		if (!section_matches(k, section))
			continue;
		snprintf(name, sizeof(name), "%s:%s", section, k->key);
		r = set_key(c, k, section, object, ini ? iniparser_getstring(ini, name, NULL) : NULL, e);
		if (r)
			return r;
	}
	return 0;
}

static int check_known(const struct config *c, const dictionary *ini, const char *section, struct verror *e)
{
	int n = iniparser_getsecnkeys(ini, section);
	AUTO_FREE const char **keys = calloc((size_t)n + 1, sizeof(*keys));
	size_t skip = strlen(section) + 1;

	if (!known_section(section)) {
		bad(e, c->path, section, NULL);
		verror_expected(e, "daemon, names, parents, attach, quiesce, timers, registry, 'fcoe IF', "
				   "'vsan N' or 'zone NAME'");
		verror_seen(e, "an unknown section");
		return -EINVAL;
	}
	if (!keys || !iniparser_getseckeys(ini, section, keys))
		return 0;
	for (int i = 0; i < n; i++) {
		if (find_key(section, keys[i] + skip))
			continue;
		bad(e, c->path, section, keys[i] + skip);
		verror_expected(e, "a key of 'man vhbad.conf'");
		verror_seen(e, "an unknown key");
		return -EINVAL;
	}
	return 0;
}

static int load_sections(struct config *c, const dictionary *ini, struct verror *e)
{
	static const char *const plain[] = {"daemon",  "names",	 "parents", "attach",
					    "quiesce", "timers", "io",	    "registry"};
	int n = iniparser_getnsec(ini), r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(plain); i++)
		r = set_section(c, ini, plain[i], c, e);
	for (int i = 0; !r && i < n; i++) {
		const char *section = iniparser_getsecname(ini, i);
		char expected[120];
		void *object;

		r = check_known(c, ini, section, e);
		if (r || !strchr(section, ' '))
			continue;
		object = config_new_object(c, section, expected, sizeof(expected));
		if (!object) {
			bad(e, c->path, section, NULL);
			verror_expected(e, "%s", expected);
			return -EINVAL;
		}
		r = set_section(c, ini, section, object, e);
	}
	return r;
}

/* iniparser says what is wrong through this; the first complaint is the one that is told. */
static char complaint[200];

static int on_complaint(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!complaint[0])
		vsnprintf(complaint, sizeof(complaint), fmt, ap);
	va_end(ap);
	complaint[strcspn(complaint, "\n")] = '\0';
	return 0;
}

struct config *config_load(const char *path, struct verror *e)
{
	struct config *c = calloc(1, sizeof(*c));
	AUTO_FILE FILE *f = NULL;
	dictionary *ini;

	if (!c || !(c->path = strdup(path))) {
		free(c);
		verror_set(e, VHBA_E_INTERNAL, "out of memory");
		return NULL;
	}
	f = fopen(path, "re");
	if (!f) {
		verror_set(e, VHBA_E_NOT_FOUND, "%s: %s", path, strerror(errno));
		verror_fix(e, "make one: 'man vhbad.conf' has an example");
	}
	if (!f || config_check_text(f, path, e)) {
		config_free(c);
		return NULL;
	}
	complaint[0] = '\0';
	iniparser_set_error_callback(on_complaint);
	ini = iniparser_load(path);
	iniparser_set_error_callback(NULL);
	if (!ini) {
		verror_set(e, VHBA_E_USAGE, "%s is no INI file", path);
		verror_seen(e, "%s", complaint[0] ? complaint : "a malformed or too long line");
		config_free(c);
		return NULL;
	}
	if (load_sections(c, ini, e) || config_cross_check(c, e)) {
		iniparser_freedict(ini);
		config_free(c);
		return NULL;
	}
	iniparser_freedict(ini);
	return c;
}
