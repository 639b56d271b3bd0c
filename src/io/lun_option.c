/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "lock.h"
#include "log.h"
#include "lun_option.h"
#include "pass.h"

struct parsed {
	struct disk_config disk;
	const struct lun_source *from;
	const char *file, *state_file;
	bool direct;
	const char *sd_path[PATHS_MAX];
	unsigned sd_paths;
	int sd[PATHS_MAX], sg[PATHS_MAX]; /* or by fds, in pairs */
	int more[PATH_MORE][PATHS_MAX]; /* of the sg node in the same place; -1: none */
	unsigned sds, sgs, mores;
	bool absent, one_path;
	const char *of_disk; /* a word that only a disk of our own has */
};

static int bad(struct verror *e, const char *key, const char *expected)
{
	int err = verror_set(e, VHBA_E_USAGE, "the LUN's %s is wrong", key);

	verror_expected(e, "%s", expected);
	return err;
}

static int number(const char *text, unsigned long max, unsigned long *v)
{
	char *end;

	errno = 0;
	*v = strtoul(text, &end, 10);
	return *text < '0' || *text > '9' || *end || errno || *v > max ? -EINVAL : 0;
}

/* An fd of this process by its number, or the next one that came along. */
static int take_fd(struct parsed *p, unsigned index, const char *value, int *fd)
{
	unsigned long v;

	if (!p->from->files) {
		if (value || index >= p->from->n)
			return -EINVAL;
		*fd = steal_fd(&p->from->fds[index]);
		return *fd < 0 ? -EINVAL : 0;
	}
	if (!value || number(value, INT32_MAX, &v) || fcntl((int)v, F_SETFD, FD_CLOEXEC))
		return -EINVAL;
	*fd = (int)v;
	return 0;
}

/*
 * One that came from a parent may be shared with it, and locked for both (lock.h). Those of the control
 * socket can't be opened anew: who passes them opens them for this.
 */
static void own_description(const struct parsed *p, int *fd)
{
	int own = p->from->files ? lock_reopen(*fd) : *fd;

	if (own < 0) {
		log_notice("file descriptor %d can't be opened anew (%s): if others have it too, its lock is "
			   "theirs",
			   *fd, strerror(errno));
		return;
	}
	if (own != *fd)
		close(*fd);
	*fd = own;
}

static unsigned taken(const struct parsed *p)
{
	return p->sds + p->sgs + p->mores;
}

/* "fd:M" on the command line, nothing on the control socket, where they come along in this order. */
static int set_sd(struct parsed *p, const char *v, struct verror *e)
{
	if (v && strncmp(v, "fd:", 3)) {
		if (!p->from->files || p->sd_paths == PATHS_MAX)
			return bad(e, "sd", p->from->files ? "at most 8 paths" : "no path here");
		p->sd_path[p->sd_paths++] = v;
		return 0;
	}
	if (p->sds == PATHS_MAX || take_fd(p, taken(p), v ? v + 3 : NULL, &p->sd[p->sds]))
		return bad(e, "sd", "a path, or an open file descriptor, at most 8");
	own_description(p, &p->sd[p->sds++]);
	return 0;
}

static int set_sg(struct parsed *p, const char *v, struct verror *e)
{
	if (v && strncmp(v, "fd:", 3))
		return bad(e, "sg", "fd:M");
	if (p->sgs == PATHS_MAX || take_fd(p, taken(p), v ? v + 3 : NULL, &p->sg[p->sgs]))
		return bad(e, "sg", "an open file descriptor, at most 8");
	for (unsigned i = 0; i < PATH_MORE; i++)
		p->more[i][p->sgs] = -1;
	p->sgs++;
	return 0;
}

/* What belongs to the sg before. */
static int set_more(struct parsed *p, enum path_more which, const char *key, const char *v, struct verror *e)
{
	int *fd = p->sgs ? &p->more[which][p->sgs - 1] : NULL;

	if ((v && strncmp(v, "fd:", 3)) || !fd || *fd >= 0 || take_fd(p, taken(p), v ? v + 3 : NULL, fd))
		return bad(e, key, "an open file descriptor, behind the sg that it belongs to");
	p->mores++;
	return 0;
}

static int set_bsg(struct parsed *p, const char *v, struct verror *e)
{
	int err = set_more(p, PATH_BSG, "bsg", v, e);

	if (!err)
		own_description(p, &p->more[PATH_BSG][p->sgs - 1]);
	return err;
}

static int set_dev_state(struct parsed *p, const char *v, struct verror *e)
{
	return set_more(p, PATH_STATE, "dev_state", v, e);
}

static int set_access_state(struct parsed *p, const char *v, struct verror *e)
{
	return set_more(p, PATH_ACCESS, "access_state", v, e);
}

static int set_absent(struct parsed *p, const char *v, struct verror *e)
{
	p->absent = true;
	return v || p->from->files ? bad(e, "absent", "no value, and not on the command line") : 0;
}

static int set_paths(struct parsed *p, const char *v, struct verror *e)
{
	p->one_path = true;
	return v && !strcmp(v, "guest") ? 0 : bad(e, "paths", "paths=guest");
}

static int set_fd(struct parsed *p, const char *v, struct verror *e)
{
	if (take_fd(p, 0, v, &p->disk.fd))
		return bad(e, "fd", "an open file descriptor");
	own_description(p, &p->disk.fd);
	return 0;
}

static int set_file(struct parsed *p, const char *v, struct verror *e)
{
	p->file = v;
	return v && p->from->files ? 0 : bad(e, "file", "a path, on the command line");
}

static int set_state(struct parsed *p, const char *v, struct verror *e)
{
	if (v && strncmp(v, "fd:", 3)) {
		p->state_file = v;
		return p->from->files ? 0 : bad(e, "state", "no path here");
	}
	return take_fd(p, 1, v ? v + 3 : NULL, &p->disk.state_fd) ? bad(e, "state", "an open file descriptor")
								  : 0;
}

static int nibble(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

static int set_naa(struct parsed *p, const char *v, struct verror *e)
{
	size_t len = v ? strlen(v) : 0;

	if (len != 16 && len != 32)
		return bad(e, "naa", "16 or 32 hexadecimal digits");
	for (size_t i = 0; i < len; i++) {
		int d = nibble(v[i]);

		if (d < 0)
			return bad(e, "naa", "16 or 32 hexadecimal digits");
		p->disk.naa[i / 2] = (uint8_t)(p->disk.naa[i / 2] << 4 | d);
	}
	p->disk.naa_len = (unsigned)(len / 2);
	return 0;
}

static int set_block(struct parsed *p, const char *v, struct verror *e)
{
	unsigned long n;

	if (!v || number(v, 4096, &n) || n < 512 || (n & (n - 1)))
		return bad(e, "block size", "a power of two, 512 to 4096");
	p->disk.block_size = (uint32_t)n;
	return 0;
}

static int set_direct(struct parsed *p, const char *v, struct verror *e)
{
	p->direct = true;
	return v || !p->from->files ? bad(e, "direct", "no value, with file=") : 0;
}

static int set_read_only(struct parsed *p, const char *v, struct verror *e)
{
	p->disk.read_only = true;
	return v ? bad(e, "ro", "no value") : 0;
}

static const struct {
	const char *key;
	int (*set)(struct parsed *, const char *value, struct verror *);
	bool any; /* also of a SCSI device */
} keys[] = {
	{"fd", set_fd},
	{"file", set_file},
	{"state", set_state},
	{"naa", set_naa},
	{"block", set_block},
	{"direct", set_direct},
	{"sd", set_sd, true},
	{"sg", set_sg, true},
	{"bsg", set_bsg, true},
	{"ro", set_read_only, true},
	{"dev_state", set_dev_state, true},
	{"access_state", set_access_state, true},
	{"absent", set_absent, true},
	{"paths", set_paths, true},
};

static const struct {
	const char *key;
	size_t at; /* in struct disk_config */
} texts[] = {
	{"serial", offsetof(struct disk_config, serial)},
	{"vendor", offsetof(struct disk_config, vendor)},
	{"product", offsetof(struct disk_config, product)},
	{"revision", offsetof(struct disk_config, revision)},
};

static const struct {
	const char *key;
	size_t at;
	bool on; /* what the word says */
} flags[] = {
	{"rotational", offsetof(struct disk_config, rotational), true},
	{"nocache", offsetof(struct disk_config, write_cache), false},
	{"nounmap", offsetof(struct disk_config, unmap), false},
};

static int set(struct parsed *p, char *word, struct verror *e)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(word, keys[i].key))
			continue;
		if (!keys[i].any)
			p->of_disk = keys[i].key;
		return keys[i].set(p, value, e);
	}
	p->of_disk = word;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (strcmp(word, texts[i].key))
			continue;
		*(const char **)((char *)&p->disk + texts[i].at) = value;
		return value ? 0 : bad(e, texts[i].key, "a text");
	}
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (strcmp(word, flags[i].key))
			continue;
		*(bool *)((char *)&p->disk + flags[i].at) = flags[i].on;
		return value ? bad(e, flags[i].key, "no value") : 0;
	}
	verror_set(e, VHBA_E_USAGE, "'%s' is nothing that a LUN has", word);
	verror_fix(e, "see vhba-io(8), LOGICAL UNITS");
	return -EINVAL;
}

/* A LUN without a designator gets one that is the same wherever its file is: from the name, or from its
 * number. */
static void make_designator(struct parsed *p, unsigned long lun)
{
	const char *from = p->disk.serial ? p->disk.serial : "";
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	if (p->disk.naa_len)
		return;
	for (; *from; from++)
		h = (h ^ (uint8_t)*from) * UINT64_C(0x100000001b3);
	h = (h ^ lun) * UINT64_C(0x100000001b3);
	p->disk.naa[0] = 0x30 | (h >> 56 & 0xf); /* NAA 3: locally assigned */
	for (unsigned i = 1; i < 8; i++)
		p->disk.naa[i] = (uint8_t)(h >> (56 - 8 * i));
	p->disk.naa_len = 8;
}

static int open_files(struct parsed *p, struct verror *e)
{
	int err;

	if (p->file)
		p->disk.fd = open(p->file, (p->disk.read_only ? O_RDONLY : O_RDWR) |
						   (p->direct ? O_DIRECT : 0) | O_CLOEXEC);
	if (p->file && p->disk.fd < 0) {
		err = verror_set(e, VHBA_E_IO, "can't open %s: %s", p->file, strerror(errno));
		return err;
	}
	if (p->state_file)
		p->disk.state_fd = open(p->state_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (p->state_file && p->disk.state_fd < 0)
		return verror_set(e, VHBA_E_IO, "can't open %s: %s", p->state_file, strerror(errno));
	if (p->disk.fd < 0)
		return bad(e, "file", "fd=M, file=PATH or sd=PATH");
	return 0;
}

/* An array's LUN says itself what it is. */
static struct unit *open_device(struct parsed *p, struct verror *e)
{
	struct paths paths = {0};
	struct unit *u = NULL;
	int err = 0;

	if (p->of_disk) {
		verror_set(e, VHBA_E_USAGE, "'%s' is nothing that a SCSI device can be told to be",
			   p->of_disk);
		verror_fix(e, "see vhba-io(8), LOGICAL UNITS");
		return NULL;
	}
	if (p->sds != p->sgs || (p->sd_paths && p->sds) || (p->absent && p->sds)) {
		bad(e, "sd", "paths, or the file descriptors of both nodes, or that it is absent");
		return NULL;
	}
	if (p->one_path && p->sds + p->sd_paths > 1) {
		bad(e, "sd", "one path, where the guest has each by itself");
		return NULL;
	}
	for (; paths.n < p->sds; paths.n++) {
		int more[PATH_MORE];

		for (unsigned i = 0; i < PATH_MORE; i++)
			more[i] = steal_fd(&p->more[i][paths.n]);
		path_of_fds(&paths.path[paths.n], steal_fd(&p->sd[paths.n]), steal_fd(&p->sg[paths.n]), more);
	}
	while (!err && paths.n < p->sd_paths) {
		err = path_open(&paths.path[paths.n], p->sd_path[paths.n], p->disk.read_only, e);
		paths.n++;
	}
	if (!err)
		u = pass_open(&paths, e);
	if (u)
		u->one_path = p->one_path;
	for (unsigned i = 0; i < paths.n && !u; i++)
		path_close(&paths.path[i]);
	return u;
}

static struct unit *open_disk(struct parsed *p, unsigned long lun, struct verror *e)
{
	struct disk *disk;
	struct unit *u;

	if (open_files(p, e))
		return NULL;
	make_designator(p, lun);
	disk = disk_open(&p->disk, e);
	if (!disk)
		return NULL;
	u = unit_of_disk(disk, &p->disk);
	p->disk.fd = p->disk.state_fd = -1;
	if (!u) {
		disk_close(disk);
		verror_set(e, VHBA_E_INTERNAL, "no memory for LUN %lu", lun);
	}
	return u;
}

struct lun *lun_parse(char *text, const struct lun_source *from, struct verror *e)
{
	struct parsed p = {.from = from,
			   .disk = {.fd = -1,
				    .state_fd = -1,
				    .block_size = 512,
				    .write_cache = true,
				    .vendor = "VHBA",
				    .product = "DISK",
				    .revision = "1",
				    .unmap = true}};
	char *save = NULL, *word = strtok_r(text, ",", &save);
	struct unit *unit = NULL;
	struct lun *l = NULL;
	unsigned long lun = 0;
	int err = 0;

	if (!word || number(word, LUN_NUMBERS - 1, &lun))
		err = bad(e, "number", "0 to 255");
	while (!err && (word = strtok_r(NULL, ",", &save)))
		err = set(&p, word, e);
	if (!err && (p.sd_paths || p.sds || p.sgs || p.absent))
		unit = open_device(&p, e);
	else if (!err)
		unit = open_disk(&p, lun, e);
	if (!unit) {
		cleanup_fd(&p.disk.fd);
		cleanup_fd(&p.disk.state_fd);
		for (unsigned i = 0; i < p.sds; i++)
			cleanup_fd(&p.sd[i]);
		for (unsigned i = 0; i < p.sgs; i++)
			cleanup_fd(&p.sg[i]);
		for (unsigned i = 0; i < PATH_MORE * p.sgs; i++)
			cleanup_fd(&p.more[i % PATH_MORE][i / PATH_MORE]);
		return NULL;
	}
	l = lun_new((uint16_t)lun, unit);
	if (!l) {
		unit->ops->close(unit);
		verror_set(e, VHBA_E_INTERNAL, "no memory for LUN %lu", lun);
	}
	return l;
}
