/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <scsi/sg.h>
#include <scsi/sg_lib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "sgio.h"

/*
 * The kernel's own time for a command is longer than ours: at its end the error handling of the whole host
 * would begin, beside the logout that ends the command anyway.
 */
#define KERNEL_EXTRA_MS 5000
/* A unit attention for each of: power on, I_T nexus loss, reservations or LUNs changed. */
#define TRIES_MAX 4

static uint32_t ms_left(struct monotime by)
{
	uint64_t us = mono_left(by, mono_now());

	return us / USEC_PER_MSEC > INT_MAX / 2 ? INT_MAX / 2
						: (uint32_t)((us + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
}

static void begin(struct sgio *job, struct monotime by)
{
	struct sg_io_hdr h = {
		.interface_id = 'S',
		.dxfer_direction = job->data ? SG_DXFER_FROM_DEV : SG_DXFER_NONE,
		.cmd_len = job->cdb_len,
		.mx_sb_len = SGIO_SENSE,
		.dxfer_len = job->data ? job->data_len : 0,
		.dxferp = job->data,
		.cmdp = job->cdb,
		.sbp = job->sense,
		.timeout = ms_left(by) + KERNEL_EXTRA_MS,
	};
	ssize_t n;

	job->tries++;
	job->result = SGIO_NO_END;
	memset(job->sense, 0, sizeof(job->sense));
	n = write(job->fd, &h, sizeof(h));
	if (n == sizeof(h))
		return;
	job->result = SGIO_ERROR;
	job->err = n < 0 ? -errno : -EIO;
}

static bool unit_attention(const struct sgio *job)
{
	struct sg_scsi_sense_hdr s;

	return job->result == SGIO_STATUS && job->status == SAM_STAT_CHECK_CONDITION &&
	       sg_scsi_normalize_sense(job->sense, job->sense_len, &s) &&
	       s.sense_key == SPC_SK_UNIT_ATTENTION;
}

static void end(struct sgio *job)
{
	struct sg_io_hdr h = {.interface_id = 'S'};
	ssize_t n = read(job->fd, &h, sizeof(h));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* A device that has gone reads as 0 bytes. */
	if (n != sizeof(h)) {
		job->result = SGIO_ERROR;
		job->err = n < 0 ? -errno : -ENODEV;
	} else if (h.host_status || (h.status == 0 && h.driver_status)) {
		job->result = SGIO_ERROR;
		job->err = -EIO;
	} else {
		job->result = h.status ? SGIO_STATUS : SGIO_GOOD;
		job->status = h.status;
		job->sense_len = h.sb_len_wr > SGIO_SENSE ? SGIO_SENSE : h.sb_len_wr;
		job->got = h.resid > 0 && (uint32_t)h.resid <= job->data_len
				   ? job->data_len - (uint32_t)h.resid
				   : job->data_len;
	}
}

/* How many have not ended; fds is room for n. */
static size_t outstanding(const struct sgio *job, size_t n, struct pollfd *fds)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		bool out = job[i].result == SGIO_NO_END;

		fds[i] = (struct pollfd){out ? job[i].fd : -1, POLLIN, 0};
		left += out;
	}
	return left;
}

void sgio_run(struct sgio *job, size_t n, struct monotime by)
{
	AUTO_FREE struct pollfd *fds = calloc(n ? n : 1, sizeof(*fds));

	for (size_t i = 0; i < n; i++) {
		job[i].result = SGIO_NOT_BEGUN;
		job[i].tries = 0;
		if (fds && !mono_reached(by, mono_now()))
			begin(&job[i], by);
	}
	while (fds && outstanding(job, n, fds) && !mono_reached(by, mono_now())) {
		if (poll(fds, n, (int)ms_left(by)) < 0 && errno != EINTR)
			return;
		for (size_t i = 0; i < n; i++) {
			if (!fds[i].revents || fds[i].fd < 0)
				continue;
			end(&job[i]);
			if (unit_attention(&job[i]) && job[i].tries < TRIES_MAX)
				begin(&job[i], by);
		}
	}
}

const char *sgio_text(const struct sgio *job, char *buf, size_t size)
{
	struct sg_scsi_sense_hdr s = {};

	switch (job->result) {
	case SGIO_NOT_BEGUN:
		snprintf(buf, size, "no time");
		break;
	case SGIO_GOOD:
		snprintf(buf, size, "good");
		break;
	case SGIO_ERROR:
		snprintf(buf, size, "%s", strerror(-job->err));
		break;
	case SGIO_NO_END:
		snprintf(buf, size, "no answer");
		break;
	case SGIO_STATUS:
		if (job->status == SAM_STAT_RESERVATION_CONFLICT)
			snprintf(buf, size, "reservation conflict");
		else if (job->status == SAM_STAT_CHECK_CONDITION &&
			 sg_scsi_normalize_sense(job->sense, job->sense_len, &s))
			snprintf(buf, size, "sense %02x/%02x/%02x", s.sense_key, s.asc, s.ascq);
		else
			snprintf(buf, size, "status %02x", job->status);
		break;
	}
	return buf;
}
