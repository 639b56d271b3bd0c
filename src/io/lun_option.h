/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A LUN as it is written on the command line and on the control socket: "N,KEY=VALUE,KEY,...".
 *
 *	fd=M | file=PATH	the file or block device; on the control socket: fd, the one that comes along
 *	sd=PATH[,sd=PATH...]	a SCSI disk of the host's, by its sd node, the sg node is found;
 *				or several paths to it;
 *	sd=fd:M,sg=fd:M,...	or both nodes of each; on the control socket: sd,sg,..., those that come
 *				along, which are one LUN's by the word of who sends them.
 *				Of what follows it has only ro. Behind an sg: bsg=fd:M, or bsg, its bsg node;
 *				dev_state=fd:M, access_state=fd:M, attributes of its device in sysfs
 *	absent			on the control socket: such a disk that has no path now
 *	paths=guest		with sd=PATH: each path is a LUN of its own, see lun_each;
 *				with sd,sg or absent: it is one of these, and the guest has the others
 *	state=fd:M | PATH	the disk's state file; on the control socket: state, the second one
 *	naa=HEX			the designator, 16 or 32 hexadecimal digits
 *	serial= vendor= product= revision=
 *	block=512|...|4096	bytes of a logical block
 *	ro, rotational, nocache, nounmap; direct, with file=: O_DIRECT
 */
#ifndef VHBA_IO_LUN_OPTION_H
#define VHBA_IO_LUN_OPTION_H

#include <stdbool.h>

#include "lun.h"
#include "path.h"
#include "verror.h"

/* Where fds come from. */
struct lun_source {
	bool files; /* paths may be opened, and numbers of fds are those of this process */
	int *fds; /* else: these, which become -1 once taken */
	unsigned n;
};

/* text is written to. NULL with *e said. */
struct lun *lun_parse(char *text, const struct lun_source *, struct verror *e);

/*
 * What is written on the command line as texts for lun_parse: with the word paths=guest one for each path,
 * whose numbers follow one another; else the text itself. Returns how many, each the caller's to free; 0 with
 * *e said.
 */
unsigned lun_each(const char *text, char *each[PATHS_MAX], struct verror *e);

#endif
