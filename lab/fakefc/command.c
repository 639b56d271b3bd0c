/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control language, and the two files at the top of the mount: control and log. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "internal.h"

#define WORDS_MAX 16
#define LUNS_MAX 256

enum kind { FLAG, TIME, NUMBER, WORD };

struct key {
	const char *name;
	enum kind kind;
	size_t at;
	const char *const *words; /* of a WORD: in the order of its enum, NULL-terminated */
};

static const char *const fdisc_words[] = {"ok", "silent", "wwn-rejected", "no-resources", NULL};
static const char *const mailbox_words[] = {"ok", "interrupted", "failed", NULL};
static const char *const mode_words[] = {"ok", "hung", "offline", NULL};

#define KNOB(f) offsetof(struct knobs, f)

static const struct key host_keys[] = {
	{"link", FLAG, KNOB(link)},
	{"npiv", FLAG, KNOB(npiv)},
	{"fabric-npiv", FLAG, KNOB(fabric_npiv)},
	{"fabric-answers", FLAG, KNOB(fabric)},
	{"rediscovering", FLAG, KNOB(rediscovering)},
	{"host-alloc", FLAG, KNOB(host_alloc)},
	{"mailbox", WORD, KNOB(mailbox), mailbox_words},
	{"fdisc", WORD, KNOB(fdisc), fdisc_words},
	{"vpis", NUMBER, KNOB(vpis)},
	{"r-a-tov", TIME, KNOB(r_a_tov)},
	{"login-time", TIME, KNOB(login)},
	{"discovery-time", TIME, KNOB(discovery)},
	{"logo-time", TIME, KNOB(logo)},
	{"mailbox-time", TIME, KNOB(mailbox_time)},
	{"abort-time", TIME, KNOB(abort)},
	{"vp-ctrl-time", TIME, KNOB(vp_ctrl)},
	{"sessions-time", TIME, KNOB(sessions)},
	{"loop-resync-time", TIME, KNOB(loop_resync)},
	{"upload-time", TIME, KNOB(upload)},
	{NULL},
};

static const struct key target_keys[] = {
	{"mode", WORD, offsetof(struct target, mode), mode_words},
	{"service-time", TIME, offsetof(struct target, service)},
	{NULL},
};

struct words {
	char *word[WORDS_MAX];
	unsigned n;
	char *why;
	size_t size;
};

static int complain(const struct words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int complain(const struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->why, w->size, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* The value after this word; NULL, with the complaint, when it is not there. */
static const char *value(const struct words *w, unsigned from, const char *name)
{
	for (unsigned i = from; i + 1 < w->n; i += 2)
		if (!strcmp(w->word[i], name))
			return w->word[i + 1];
	complain(w, "%s: expected \"%s VALUE\"", w->word[0], name);
	return NULL;
}

static int number(const struct words *w, unsigned from, const char *name, int base, uint64_t *v)
{
	const char *text = value(w, from, name);
	char *end;

	if (!text)
		return -EINVAL;
	errno = 0;
	*v = strtoull(text, &end, base);
	return *end || errno || end == text ? complain(w, "%s: expected a number, seen \"%s\"", name, text)
					    : 0;
}

/* ---- what is made ---- */

static int cmd_hba(struct fakefc *f, const struct words *w)
{
	static const struct driver *const drivers[] = {&driver_lpfc, &driver_qla2xxx, &driver_qedf,
						       &driver_bnx2fc};
	uint64_t host, wwpn, wwnn, fabric;

	if (number(w, 2, "host", 10, &host) || number(w, 2, "wwpn", 16, &wwpn) ||
	    number(w, 2, "wwnn", 16, &wwnn) || number(w, 2, "fabric", 16, &fabric))
		return -EINVAL;
	if (host > 10000 || port_find(f, (int)host))
		return complain(w, "host%" PRIu64 " is there, or too large", host);
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (!strcmp(drivers[i]->name, w->word[1]))
			return hba_new(f, drivers[i], (int)host, wwpn, wwnn, fabric) ? 0 : -ENOMEM;
	return complain(w, "expected lpfc, qla2xxx, qedf or bnx2fc, seen \"%s\"", w->word[1]);
}

static int cmd_target(struct fakefc *f, const struct words *w)
{
	uint64_t wwpn, fabric, luns;
	struct target *t;

	if (number(w, 1, "wwpn", 16, &wwpn) || number(w, 1, "fabric", 16, &fabric) ||
	    number(w, 1, "luns", 10, &luns))
		return -EINVAL;
	if (luns > LUNS_MAX)
		return complain(w, "luns: at most %d", LUNS_MAX);
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->wwpn = wwpn;
	t->wwnn = wwpn;
	t->fabric = fabric;
	t->luns = luns;
	t->service = 1 * MSEC;
	t->port_id = f->next_port_id;
	f->next_port_id += 0x100;
	TAILQ_INSERT_TAIL(&f->targets, t, link);
	ns_add(f, NULL, wwpn, fabric, t->port_id);
	io_target_changed(f, t);
	return 0;
}

/* ---- what is changed ---- */

static int parse_word(const struct words *w, const struct key *k, const char *text, uint64_t *v)
{
	for (*v = 0; k->words[*v]; ++*v)
		if (!strcmp(k->words[*v], text))
			return 0;
	return complain(w, "%s: \"%s\" is none of its words", k->name, text);
}

static int parse_flag(const struct words *w, const struct key *k, const char *text, uint64_t *v)
{
	static const char *const words[] = {"no", "yes", NULL};
	const struct key flag = {k->name, WORD, 0, words};

	return parse_word(w, &flag, text, v);
}

static int parse_time(const struct words *w, const struct key *k, const char *text, uint64_t *v)
{
	return duration_parse(text, v) ? complain(w, "%s: expected as \"20ms\", seen \"%s\"", k->name, text)
				       : 0;
}

static int parse_number(const struct words *w, const struct key *k, const char *text, uint64_t *v)
{
	char *end;

	*v = strtoull(text, &end, 10);
	return *end || end == text ? complain(w, "%s: expected a number, seen \"%s\"", k->name, text) : 0;
}

static int set_key(const struct words *w, const struct key *keys, void *obj)
{
	static int (*const parse[])(const struct words *, const struct key *, const char *, uint64_t *) = {
		[FLAG] = parse_flag, [TIME] = parse_time, [NUMBER] = parse_number, [WORD] = parse_word};
	const struct key *k = keys;
	uint64_t v;
	int err;

	while (k->name && strcmp(k->name, w->word[3]))
		k++;
	if (!k->name)
		return complain(w, "set %s: \"%s\" is no key of it", w->word[1], w->word[3]);
	err = parse[k->kind](w, k, w->word[4], &v);
	if (!err)
		memcpy((char *)obj + k->at, &v, sizeof(v));
	return err;
}

static void vport_link(struct fakefc *f, struct vport *v)
{
	struct rport *r;

	if (!v->port || v->state == VP_DISABLED)
		return;
	if (v->hba->knobs.link) {
		vport_set_state(v, VP_INITIALIZING);
		fabric_login(f, v->port);
		return;
	}
	fabric_login_stop(f, v->port);
	v->port->logged_in = false;
	vport_set_state(v, VP_LINKDOWN);
	rports_block(f, v->port);
	TAILQ_FOREACH (r, &v->port->rports, link)
		io_flush(f, r);
}

/* What had logged in is forgotten by the fabric, as the switch sees the light go. */
static void link_changed(struct fakefc *f, struct hba *h)
{
	struct vport *v;

	TAILQ_FOREACH (v, &h->vports, link) {
		if (v->port && !h->knobs.link)
			ns_remove(f, v->port);
		vport_link(f, v);
	}
}

static int cmd_set(struct fakefc *f, const struct words *w)
{
	struct target *t;
	struct hba *h;
	uint64_t id, link;
	int err;

	if (w->n != 5 || number(w, 1, w->word[1], !strcmp(w->word[1], "host") ? 10 : 16, &id))
		return complain(w, "expected: set host N KEY VALUE, or set target WWPN KEY VALUE");
	if (!strcmp(w->word[1], "host")) {
		h = hba_find(f, (int)id);
		if (!h)
			return complain(w, "there is no HBA host%s", w->word[2]);
		link = h->knobs.link;
		err = set_key(w, host_keys, &h->knobs);
		if (!err && link != h->knobs.link)
			link_changed(f, h);
		return err;
	}
	TAILQ_FOREACH (t, &f->targets, link)
		if (t->wwpn == id)
			break;
	if (!t)
		return complain(w, "there is no target %s", w->word[2]);
	err = set_key(w, target_keys, t);
	if (!err)
		io_target_changed(f, t);
	return err;
}

static int cmd_hurry(struct fakefc *f, const struct words *w)
{
	struct hba *h;
	uint64_t host;

	if (number(w, 1, "host", 10, &host))
		return -EINVAL;
	h = hba_find(f, (int)host);
	if (!h)
		return complain(w, "there is no HBA host%" PRIu64, host);
	calls_hurry(f, h);
	return 0;
}

static int cmd_io(struct fakefc *f, const struct words *w)
{
	const struct fakefc_port *p;
	uint64_t host, count;
	struct fakefc_lun *l;
	struct rport *r;

	if (number(w, 1, "host", 10, &host) || number(w, 1, "count", 10, &count))
		return -EINVAL;
	p = port_find(f, (int)host);
	if (!p)
		return complain(w, "there is no host%" PRIu64, host);
	TAILQ_FOREACH (r, &p->rports, link)
		TAILQ_FOREACH (l, &r->luns, link)
			io_submit(f, l, count);
	return 0;
}

static const struct {
	const char *name;
	unsigned words; /* at least */
	int (*run)(struct fakefc *f, const struct words *w);
} commands[] = {
	{"hba", 10, cmd_hba}, {"target", 7, cmd_target}, {"set", 5, cmd_set},
	{"io", 5, cmd_io},    {"hurry", 3, cmd_hurry},
};

int fakefc_command(struct fakefc *f, const char *line, char *why, size_t size)
{
	struct words w = {.why = why, .size = size};
	AUTO_FREE char *copy = strdup(line);
	char *save = NULL;

	if (!copy)
		return -ENOMEM;
	why[0] = '\0';
	copy[strcspn(copy, "#\n")] = '\0';
	for (char *p = strtok_r(copy, " \t", &save); p && w.n < WORDS_MAX; p = strtok_r(NULL, " \t", &save))
		w.word[w.n++] = p;
	if (!w.n)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, w.word[0]))
			continue;
		if (w.n < commands[i].words)
			return complain(&w, "%s: at least %u words are expected", w.word[0],
					commands[i].words);
		return commands[i].run(f, &w);
	}
	return complain(&w, "expected hba, target, set, io or hurry, seen \"%s\"", w.word[0]);
}

/* ---- the files ---- */

static ssize_t store_control(struct fakefc *f, void *obj, const struct write *w)
{
	AUTO_FREE char *copy = strdup(w->text);
	char why[200], *save = NULL;
	int err = copy ? 0 : -ENOMEM;

	(void)obj;
	for (char *p = copy ? strtok_r(copy, "\n", &save) : NULL; p && !err;
	     p = strtok_r(NULL, "\n", &save)) {
		err = fakefc_command(f, p, why, sizeof(why));
		say(f, NULL, "control: %s%s%s", p, err ? ": " : "", err ? why : "");
	}
	return err ? err : (ssize_t)w->len;
}

static void count(const struct fakefc_port *p, uint64_t *busy, uint64_t *parked)
{
	const struct fakefc_lun *l;
	const struct rport *r;

	TAILQ_FOREACH (r, &p->rports, link)
		TAILQ_FOREACH (l, &r->luns, link) {
			*busy += lun_busy(l);
			*parked += l->parked;
		}
}

/* How the commands fare, and which vports' names the fabric has. */
static ssize_t show_control(struct fakefc *f, void *obj, char *buf, size_t size)
{
	uint64_t busy = 0, parked = 0;
	const struct ns_entry *e;
	const struct vport *v;
	const struct hba *h;
	size_t n;

	(void)obj;
	TAILQ_FOREACH (h, &f->hbas, link)
		TAILQ_FOREACH (v, &h->vports, link)
			if (v->port)
				count(v->port, &busy, &parked);
	n = (size_t)snprintf(buf, size,
			     "busy %" PRIu64 "\nparked %" PRIu64 "\ncompleted %" PRIu64 "\ncut-off %" PRIu64
			     "\n",
			     busy, parked, f->completed, f->cut_off);
	TAILQ_FOREACH (e, &f->names, link)
		if (n < size)
			n += (size_t)snprintf(buf + n, size - n, "name %016" PRIx64 " %06x\n", e->wwpn,
					      e->port_id);
	return (ssize_t)(n < size ? n : size);
}

static ssize_t show_log(struct fakefc *f, void *obj, char *buf, size_t size)
{
	const char *text = fakefc_log(f);
	size_t n = strlen(text);

	(void)obj;
	if (n > size)
		n = size;
	memcpy(buf, text, n);
	return (ssize_t)n;
}

const struct attr top_attrs[] = {
	{.name = "control", .show = show_control, .store = store_control},
	{.name = "log", .show = show_log},
	{NULL},
};
