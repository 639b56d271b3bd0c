/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>

#include "cleanup.h"
#include "sg.h"

#define DID_ABORT 0x05
#define FCP_CDB_MAX 16 /* what most HBAs take (Scsi_Host.max_cmd_len) */

/*
 * A command that hangs keeps a thread, and delays the error handling of the whole fc_host: so none may take
 * longer than it has reason to. Seconds.
 */
#define TIMEOUT_DEFAULT 30u
static const struct {
	uint8_t opcode;
	unsigned seconds;
} timeouts[] = {
	{0x00, 10}, /* TEST UNIT READY */
	{0x03, 10}, /* REQUEST SENSE */
	{0x12, 10}, /* INQUIRY */
	{0xa0, 10}, /* REPORT LUNS */
	{0x04, 120}, /* FORMAT UNIT */
	{0x1b, 60}, /* START STOP UNIT */
	{0x35, 60}, /* SYNCHRONIZE CACHE(10) */
	{0x41, 60}, /* WRITE SAME(10) */
	{0x42, 60}, /* UNMAP */
	{0x48, 120}, /* SANITIZE */
	{0x83, 120}, /* EXTENDED COPY */
	{0x91, 60}, /* SYNCHRONIZE CACHE(16) */
	{0x93, 60}, /* WRITE SAME(16) */
};

unsigned sg_timeout_ms(uint8_t opcode)
{
	for (unsigned i = 0; i < ARRAY_SIZE(timeouts); i++)
		if (timeouts[i].opcode == opcode)
			return timeouts[i].seconds * 1000;
	return TIMEOUT_DEFAULT * 1000;
}

/* What isn't here may have come after the command was sent. */
static const struct {
	int error;
	enum sg_end end;
} errors[] = {
	{EAGAIN, SG_NOT_BEGUN}, {ENOMEM, SG_NOT_BEGUN}, {EBUSY, SG_NOT_BEGUN},
	{EDOM, SG_NOT_BEGUN}, /* this descriptor has as many under way as sg allows */
	{EPERM, SG_FORBIDDEN},	{EACCES, SG_FORBIDDEN}, {EINVAL, SG_REFUSED},
	{E2BIG, SG_REFUSED},	{EMSGSIZE, SG_REFUSED}, {ENOTTY, SG_REFUSED},
};

enum sg_end sg_end_of_errno(int error)
{
	for (unsigned i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].error == error)
			return errors[i].end;
	return SG_LOST;
}

/* A status of the target's counts, whatever the host says besides. */
enum sg_end sg_end_of_status(const struct sg_command *c)
{
	if (!c->host_status || c->status)
		return SG_ANSWERED;
	return c->host_status == DID_ABORT && c->cdb_len > FCP_CDB_MAX ? SG_REFUSED : SG_LOST;
}

enum sg_end sg_execute(int fd, struct sg_command *c)
{
	sg_io_hdr_t h = {
		.interface_id = 'S',
		.dxfer_direction = !c->len  ? SG_DXFER_NONE
				   : c->out ? SG_DXFER_TO_DEV
					    : SG_DXFER_FROM_DEV,
		.cmd_len = (unsigned char)c->cdb_len,
		.cmdp = (unsigned char *)(uintptr_t)c->cdb,
		.mx_sb_len = sizeof(c->sense),
		.sbp = c->sense,
		.dxfer_len = c->len,
		.dxferp = c->data,
		.timeout = sg_timeout_ms(c->cdb[0]),
	};

	c->error = 0;
	c->host_status = 0;
	if (ioctl(fd, SG_IO, &h) < 0) {
		c->error = errno;
		return sg_end_of_errno(c->error);
	}
	c->status = h.status;
	c->host_status = h.host_status;
	c->sense_len = h.sb_len_wr < sizeof(c->sense) ? h.sb_len_wr : sizeof(c->sense);
	c->moved = h.resid > 0 ? c->len - ((unsigned)h.resid < c->len ? (unsigned)h.resid : c->len) : c->len;
	return sg_end_of_status(c);
}
