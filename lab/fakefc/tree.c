/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

#define LINKS_MAX 16

static struct node *node_new(struct tree *t, struct node *parent, const char *name, enum node_kind kind)
{
	struct node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->name = strdup(name);
	if (!n->name) {
		free(n);
		return NULL;
	}
	if (t->numbers == t->room) {
		size_t room = t->room ? 2 * t->room : 256;
		struct node **more = reallocarray(t->by_number, room, sizeof(*more));

		if (!more) {
			free(n->name);
			free(n);
			return NULL;
		}
		t->by_number = more;
		t->room = room;
	}
	TAILQ_INIT(&n->children);
	n->parent = parent;
	n->kind = kind;
	n->number = ++t->numbers; /* 1 is the root, as FUSE has it */
	t->by_number[n->number - 1] = n;
	if (parent)
		TAILQ_INSERT_TAIL(&parent->children, n, link);
	return n;
}

static void node_free(struct tree *t, struct node *n)
{
	t->by_number[n->number - 1] = NULL;
	if (n->parent)
		TAILQ_REMOVE(&n->parent->children, n, link);
	free(n->name);
	free(n->target);
	free(n);
}

static void free_all(struct tree *t, struct node *n)
{
	struct node *c;

	while ((c = TAILQ_FIRST(&n->children)))
		free_all(t, c);
	node_free(t, n);
}

int tree_init(struct tree *t)
{
	memset(t, 0, sizeof(*t));
	t->root = node_new(t, NULL, "", NODE_FOLDER);
	return t->root ? 0 : -ENOMEM;
}

void tree_clear(struct tree *t)
{
	if (t->root)
		free_all(t, t->root);
	free(t->by_number);
	memset(t, 0, sizeof(*t));
}

struct node *tree_child(const struct node *folder, const char *name)
{
	struct node *c;

	TAILQ_FOREACH (c, &folder->children, link)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

struct node *tree_folder(struct tree *t, struct node *parent, const char *name)
{
	struct node *n = parent ? tree_child(parent, name) : NULL;

	return n || !parent ? n : node_new(t, parent, name, NODE_FOLDER);
}

struct node *tree_folders(struct tree *t, const char *path)
{
	struct node *n = t->root;
	char *copy = strdup(path), *save = NULL;

	for (char *p = copy ? strtok_r(copy, "/", &save) : NULL; p && n; p = strtok_r(NULL, "/", &save))
		n = tree_folder(t, n, p);
	free(copy);
	return n;
}

struct node *tree_file(struct tree *t, struct node *folder, const char *name, const struct attr *attr,
		       void *obj)
{
	struct node *n = folder ? node_new(t, folder, name, NODE_ATTR) : NULL;

	if (n) {
		n->attr = attr;
		n->obj = obj;
	}
	return n;
}

void tree_attrs(struct tree *t, struct node *folder, const struct attr *attrs, void *obj)
{
	for (const struct attr *a = attrs; a && a->name; a++)
		tree_file(t, folder, a->name, a, obj);
}

struct node *tree_link(struct tree *t, struct node *parent, const char *name, const char *target)
{
	struct node *n = parent ? node_new(t, parent, name, NODE_LINK) : NULL;

	if (n)
		n->target = strdup(target);
	return n;
}

const char *tree_path(const struct node *n, char buf[NODE_PATH])
{
	size_t at = NODE_PATH - 1;

	buf[at] = '\0';
	for (; n->parent; n = n->parent) {
		size_t len = strlen(n->name);

		if (len + 1 > at)
			break;
		at -= len;
		memcpy(buf + at, n->name, len);
		buf[--at] = '/';
	}
	memmove(buf, buf + at, NODE_PATH - at);
	return buf;
}

static void tell(struct tree *t, const struct node *n, const char *action)
{
	char path[NODE_PATH];

	if (!t->uevent || !n->subsystem)
		return;
	tree_path(n, path);
	t->uevent(t->arg, action, path + strlen("/sys"), n->subsystem);
}

struct node *tree_class_device(struct tree *t, struct node *device, const char *class, const char *name,
			       const struct attr *attrs, void *obj)
{
	char path[NODE_PATH], target[NODE_PATH + 8], folder[64];
	struct node *n = tree_folder(t, tree_folder(t, device, class), name);

	if (!n)
		return NULL;
	tree_attrs(t, n, attrs, obj);
	tree_link(t, n, "device", "../..");
	n->subsystem = class;
	snprintf(folder, sizeof(folder), "/sys/class/%s", class);
	snprintf(target, sizeof(target), "../..%s", tree_path(n, path) + strlen("/sys"));
	n->alias = tree_link(t, tree_folders(t, folder), name, target);
	tell(t, n, "add");
	return n;
}

static void tell_gone(struct tree *t, const struct node *n)
{
	if (t->gone)
		t->gone(t->arg, n->parent->number, n->name);
}

static void remove_below(struct tree *t, struct node *n)
{
	struct node *c;

	while ((c = TAILQ_LAST(&n->children, node_list)))
		remove_below(t, c);
	tell(t, n, "remove");
	if (n->alias) {
		tell_gone(t, n->alias);
		node_free(t, n->alias);
	}
	node_free(t, n);
}

void tree_remove(struct tree *t, struct node *n)
{
	tell_gone(t, n);
	remove_below(t, n);
}

struct node *tree_by_number(const struct tree *t, uint64_t number)
{
	return number && number <= t->numbers ? t->by_number[number - 1] : NULL;
}

static struct node *walk(const struct tree *t, struct node *from, const char *path, unsigned *links)
{
	struct node *n = *path == '/' ? t->root : from;
	char *copy = strdup(path), *save = NULL;

	for (char *p = copy ? strtok_r(copy, "/", &save) : NULL; p && n; p = strtok_r(NULL, "/", &save)) {
		struct node *c = !strcmp(p, "..") ? n->parent : tree_child(n, p);

		if (c && c->kind == NODE_LINK)
			c = (*links)++ < LINKS_MAX && c->target ? walk(t, n, c->target, links) : NULL;
		n = c;
	}
	free(copy);
	return n;
}

struct node *tree_find(const struct tree *t, const char *path)
{
	unsigned links = 0;

	return walk(t, t->root, path, &links);
}
