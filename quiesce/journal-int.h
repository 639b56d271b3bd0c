/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the journal's own files share.
 */
#ifndef VHBA_JOURNAL_INT_H
#define VHBA_JOURNAL_INT_H

#include "journal.h"

#define JOURNAL_VERSION 1
#define JOURNAL_MAGIC "vj1"
#define JOURNAL_STEP_BEGIN "begin"
#define JOURNAL_STEP_END "end"

uint32_t journal_crc(const char *p, size_t len);

/* 0 or -EINVAL. */
int journal_kind_parse(const char *word, enum journal_kind *kind);

/* [A-Za-z0-9_-]+ that fits JOURNAL_VM_MAX. */
bool journal_vm_ok(const char *vm);

/* "VM.ID.op" or "VM.ID.done" in buf. */
void journal_file_name(char *buf, size_t size, const struct journal_head *head, bool done);

#endif
