/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The disk's rooms: how a command goes through them, and what they share.
 *
 *	disk_begin -> opcodes (the table) -> nexus (unit attention, reservation) -> the command's handler
 *
 * Lock order: state_lock (held while the state file is written), gate, nexus_lock (short).  What the hot path
 * looks at is atomic: blocks, mode, and each nexus's flags, which hold what the reservations forbid it.
 */
#ifndef VHBA_DISK_PRIVATE_H
#define VHBA_DISK_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "disk.h"
#include "extent.h"
#include "gate.h"
#include "pr.h"
#include "scsi_sense.h"
#include "state.h"

/* Mode parameters that can be changed, as kept in disk->mode and in the state file. */
enum {
	MODE_WCE = 1u << 0, /* caching page: write cache enabled */
	MODE_D_SENSE = 1u << 1, /* control page: sense data in descriptor format */
	MODE_SWP = 1u << 2, /* control page: software write protect */
	MODE_ALL = MODE_WCE | MODE_D_SENSE | MODE_SWP,
};

/* Bits of nexus->flags: below, 1 << enum disk_attention. */
#define NEXUS_NO_READ (1u << 16)
#define NEXUS_NO_WRITE (1u << 17)
#define NEXUS_ATTENTIONS ((1u << DISK_UA_N) - 1)

struct nexus {
	_Atomic uint64_t id; /* 0: free; never changes once set */
	_Atomic uint32_t flags;
};

/* What the VPD pages and READ CAPACITY say of the device that its file does not. */
struct disk_identity {
	uint8_t naa[16];
	unsigned naa_len;
	uint64_t target_port;
	char serial[33], vendor[9], product[17], revision[5]; /* the last three padded with spaces */
};

struct disk {
	int fd;
	unsigned block_shift, physical_exponent;
	bool read_only, rotational, unmap;
	struct disk_identity id;
	uint32_t mode_default;
	_Atomic bool started; /* else it is not ready */
	bool resized; /* by the time of its last start */
	_Atomic uint64_t blocks;
	_Atomic uint32_t mode;
	struct gate gate;

	pthread_mutex_t nexus_lock; /* who is known, and what is forbidden to strangers */
	struct nexus nexus[DISK_NEXUS_MAX];
	uint32_t stranger; /* flags of a nexus that comes for the first time */

	pthread_mutex_t state_lock;
	struct state_file file;
	struct pr pr;
};

struct disk_command;

/* One command under way, on the stack. */
struct cmd {
	struct disk *d;
	struct nexus *nexus;
	struct scsi_task *t;
	struct disk_io *io; /* NULL in disk_run */
	const struct disk_command *op;
};

enum op_access {
	ACCESS_ANY, /* whatever is reserved */
	ACCESS_READ, /* conflicts with an exclusive access of others */
	ACCESS_WRITE, /* conflicts with any reservation of others */
};

enum {
	OP_PASS_UA = 1u << 0, /* is executed though a unit attention waits, which stays */
	OP_CHANGES = 1u << 1, /* refused on a write-protected disk */
	OP_THIN = 1u << 2, /* only where holes can be punched */
};

#define NO_ACTION (-1)

struct disk_command {
	uint8_t opcode;
	int8_t action; /* service action, or NO_ACTION */
	uint8_t cdb_len;
	uint8_t access; /* enum op_access */
	uint8_t flags; /* OP_... */
	enum disk_next (*begin)(struct cmd *); /* NULL: always DISK_BLOCKING */
	void (*run)(struct cmd *); /* NULL: begin never says DISK_BLOCKING */
	uint8_t usage[16]; /* the CDB's bits that are looked at (SPC-4, 6.35.3) */
};

/* opcodes.c */
extern const struct disk_command disk_ops[];
extern const unsigned disk_ops_n;
/* NULL: not supported; *opcode_known says whether only the service action is unknown. */
const struct disk_command *disk_op_find(const struct disk *, const uint8_t *cdb, bool *opcode_known);
bool disk_op_supported(const struct disk *, const struct disk_command *);

/* cmd.c: how a command ends. All return DISK_DONE. */
enum disk_next cmd_good(struct cmd *);
enum disk_next cmd_check(struct cmd *, enum scsi_key, enum scsi_asc);
enum disk_next cmd_bad_cdb(struct cmd *, unsigned byte, int bit);
enum disk_next cmd_bad_parameter(struct cmd *, unsigned byte, int bit);
enum disk_next cmd_out_of_range(struct cmd *, uint64_t lba);
enum disk_next cmd_answer(struct cmd *, const void *data, size_t len, size_t allocation);
/* What an errno of the file is to the initiator. lba: where, UINT64_MAX: not known. */
enum disk_next cmd_errno(struct cmd *, int error, bool write, uint64_t lba);
/* Take "len" bytes of Data-Out; false: there are not as many, the task is an overrun. */
bool cmd_take(struct cmd *, void *buf, size_t len);
/* Is there room for "len" bytes in the direction? false: likewise. */
bool cmd_room(struct cmd *, bool out, uint64_t len);

/* extent.c */
/* On the disk, all of it? false: the task has ended with LBA OUT OF RANGE. */
bool extent_check(struct cmd *, struct extent);
/* No more than TRANSFER_MAX_BYTES? false: the task has ended. */
bool extent_limit(struct cmd *, struct extent);
/* Pass the gate, in disk_run; false: a reservation forbids it by now, the task has ended. */
bool extent_enter(struct cmd *, struct extent, uint32_t *token);

static inline uint32_t disk_mode(const struct disk *d, uint32_t bit)
{
	return atomic_load_explicit(&d->mode, memory_order_relaxed) & bit;
}

static inline bool disk_protected(const struct disk *d)
{
	return d->read_only || disk_mode(d, MODE_SWP);
}

/* nexus.c */
/* NULL: there are DISK_NEXUS_MAX others. */
struct nexus *nexus_get(struct disk *, uint64_t id);
struct nexus *nexus_find(struct disk *, uint64_t id);
/* Take the unit attention that goes first; DISK_UA_N: none waits. */
enum disk_attention nexus_take(struct nexus *);
void nexus_raise(struct disk *, uint64_t id, uint64_t except, enum disk_attention);
/* Write down what disk->pr forbids to whom. Under state_lock. */
void nexus_forbid(struct disk *);
bool nexus_conflicts(const struct nexus *, enum op_access);

/* remember.c: the state that outlives this process. Under state_lock. */
/* Make pr and mode the disk's, once stored. 0 or -errno, then nothing has changed. */
int remember(struct disk *, const struct pr *, uint32_t mode);

/* file.c: the disk's file, in whole; 0 or -errno. Buffers from file_buffer. */
#define FILE_CHUNK (256u << 10)
void *file_buffer(size_t size); /* aligned for O_DIRECT, to be freed; NULL: no memory */
int file_read(struct disk *, uint64_t offset, void *buf, size_t len);
int file_write(struct disk *, uint64_t offset, const void *buf, size_t len, bool stable);
int file_flush(struct disk *);
int file_size(int fd, uint64_t *bytes);

/* The handlers, by subject. */
enum disk_next begin_inquiry(struct cmd *); /* inquiry.c */
enum disk_next inquiry_vpd(struct cmd *); /* vpd.c */
enum disk_next begin_ready(struct cmd *); /* basic.c */
enum disk_next begin_report_luns(struct cmd *);
enum disk_next begin_request_sense(struct cmd *);
enum disk_next begin_start_stop(struct cmd *);
enum disk_next begin_capacity10(struct cmd *); /* capacity.c */
enum disk_next begin_capacity16(struct cmd *);
void run_lba_status(struct cmd *);
enum disk_next begin_mode_sense(struct cmd *); /* mode.c */
void run_mode_select(struct cmd *);
enum disk_next begin_read(struct cmd *); /* rw.c */
enum disk_next begin_write(struct cmd *);
enum disk_next begin_sync(struct cmd *);
void run_read(struct cmd *);
void run_write(struct cmd *);
enum disk_next rw_flush(struct cmd *); /* the whole file */
enum disk_next begin_prefetch(struct cmd *);
void run_verify(struct cmd *); /* verify.c */
void run_write_verify(struct cmd *);
void run_compare_write(struct cmd *); /* caw.c */
void run_unmap(struct cmd *); /* thin.c */
void run_write_same(struct cmd *);
void run_pr_in(struct cmd *); /* pr_in.c */
void run_pr_out(struct cmd *); /* pr_out.c */
enum disk_next begin_report_opcodes(struct cmd *); /* report_ops.c */
enum disk_next begin_report_tmf(struct cmd *);

/* Limits that block limits says and the commands hold to. */
#define CAW_MAX_BLOCKS 128u
#define TRANSFER_MAX_BYTES                                                                                   \
	(32u << 20) /* also of WRITE SAME and VERIFY: so that each ends in a bounded time */
#define UNMAP_MAX_BYTES (512u << 20) /* of one command */
#define UNMAP_MAX_DESCRIPTORS 256u

#endif
