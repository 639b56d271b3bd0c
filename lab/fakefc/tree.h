/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The folders, attributes and links of the fake sysfs, and the uevents that their coming and going makes.
 *
 * A node's number is never used again, so that a file that is still open when its device goes is known as
 * gone. Nodes belong to the tree; a folder's removal frees all that is below it.  One thread.
 */
#ifndef FAKEFC_TREE_H
#define FAKEFC_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

enum node_kind { NODE_FOLDER, NODE_ATTR, NODE_LINK };

struct node;
struct fakefc;

/* What is written; an attribute whose driver blocks keeps the cookie and answers later (fakefc.h). */
struct write {
	const char *text; /* NUL-terminated copy of what was written */
	size_t len; /* as written, with a newline if there was one */
	void *cookie;
};

/* The text and its length, or -errno. */
typedef ssize_t show_fn(struct fakefc *f, void *obj, char *buf, size_t size);
/* How much was taken, -errno, or FAKEFC_PENDING. */
typedef ssize_t store_fn(struct fakefc *f, void *obj, const struct write *w);

struct attr {
	const char *name; /* NULL ends a list */
	show_fn *show; /* NULL: can't be read */
	store_fn *store; /* NULL: can't be written */
	bool device; /* no attribute but a device node: ioctl alone, and root's */
};

TAILQ_HEAD(node_list, node);

struct node {
	TAILQ_ENTRY(node) link;
	struct node *parent;
	struct node_list children;
	struct node *alias; /* the link in /sys/class that goes with a class device */
	enum node_kind kind;
	uint64_t number;
	char *name;
	char *target; /* of a link */
	const char *subsystem; /* of a class device: its going makes a uevent */
	const struct attr *attr;
	void *obj;
};

/* devpath: as in a uevent, without /sys. */
typedef void uevent_fn(void *arg, const char *action, const char *devpath, const char *subsystem);

/* The folder of that number has no such entry any more. */
typedef void gone_fn(void *arg, uint64_t folder, const char *name);

struct tree {
	struct node *root;
	struct node **by_number;
	size_t numbers, room;
	uevent_fn *uevent; /* may be NULL */
	gone_fn *gone; /* likewise; of the outermost alone, and of its devices' links in /sys/class */
	void *arg;
};

#define NODE_PATH 512

/* 0 or -ENOMEM. */
int tree_init(struct tree *t);
void tree_clear(struct tree *t);

/* NULL when memory is short, or when parent is NULL. The name is copied. */
struct node *tree_folder(struct tree *t, struct node *parent, const char *name);
/* The folder of that path from the root, made where it lacks. */
struct node *tree_folders(struct tree *t, const char *path);
struct node *tree_file(struct tree *t, struct node *folder, const char *name, const struct attr *attr,
		       void *obj);
void tree_attrs(struct tree *t, struct node *folder, const struct attr *attrs, void *obj);
struct node *tree_link(struct tree *t, struct node *parent, const char *name, const char *target);

/* A class device below its device: DEVICE/CLASS/NAME with its attributes, linked from /sys/class/CLASS. */
struct node *tree_class_device(struct tree *t, struct node *device, const char *class, const char *name,
			       const struct attr *attrs, void *obj);

/* With all below it; uevents as the kernel makes them, children first. */
void tree_remove(struct tree *t, struct node *n);

struct node *tree_child(const struct node *folder, const char *name);
struct node *tree_by_number(const struct tree *t, uint64_t number);
/* "/sys/class/fc_host/host2/port_name", links followed; NULL when there is none. */
struct node *tree_find(const struct tree *t, const char *path);
/* From the root, in buf. Returns buf. */
const char *tree_path(const struct node *n, char buf[NODE_PATH]);

#endif
