/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of a target, for target*.c only. */
#ifndef FABRIC_TARGET_PRIVATE_H
#define FABRIC_TARGET_PRIVATE_H

#include <sys/queue.h>

#include "scsi.h"
#include "target.h"

#define TARGET_LUNS 256
#define TARGET_EXCHANGES_MAX 4096
#define TARGET_INITIATORS_MAX 4096
#define TARGET_HASH 256
#define TARGET_UA_MAX 6

/*
 * Data-out is asked for in bursts, and only so much of it at a time from one initiator: more would overrun
 * the buffers between it and here. The window is the initiator's, so that one that stalls stalls no other.
 */
#define TARGET_BURST (64u << 10)
#define TARGET_WINDOW (4 * TARGET_BURST)

/* Additional sense of the unit attentions that begin here; those of LUNs come as notices. */
enum unit_attention {
	UA_POWER_ON = 0x2900,
	UA_TARGET_RESET = 0x2903,
	UA_NEXUS_LOSS = 0x2907,
	UA_LUNS_CHANGED = 0x3f0e,
};

/* The unit attentions that wait for one initiator at one LUN, the oldest first, each at most once. */
struct ua_queue {
	uint8_t n;
	uint16_t asc[TARGET_UA_MAX]; /* ASC and ASCQ */
};

/* Whoever has ever logged in, by WWPN: its unit attentions outlive a logout. */
struct initiator {
	TAILQ_ENTRY(initiator) link;
	uint64_t wwpn, wwnn;
	uint32_t id; /* N_Port_ID; 0: logged out */
	uint16_t payload_max; /* the largest payload that it takes */
	bool process_login;
	unsigned int commands; /* executed */
	uint32_t in_flight; /* bytes of data-out asked for and not here yet */
	struct ua_queue ua[TARGET_LUNS];
};

enum exchange_state {
	EX_DATA, /* waits for data-out */
	EX_HELD, /* a fault keeps it */
	EX_SLOW, /* answered when due_us has come */
};

struct exchange {
	TAILQ_ENTRY(exchange) link; /* of all, in the order of their arrival */
	LIST_ENTRY(exchange) hash;
	struct initiator *from;
	enum exchange_state state;
	uint16_t vsan;
	uint32_t s_id;
	uint16_t ox_id, rx_id;
	uint16_t lun;
	bool known_lun; /* the address is one of the kinds that name a LUN here */
	bool received; /* held with all its data: execute at once when healed */
	uint8_t seq_id;
	uint8_t cdb[SCSI_CDB_LEN];
	bool reads, writes;
	uint32_t data_len; /* FCP_DL */
	uint32_t wanted, asked, got; /* data-out, bytes: in all, by XFER_RDY so far, here */
	uint8_t *data;
	uint64_t due_us;
};

TAILQ_HEAD(exchange_list, exchange);
LIST_HEAD(exchange_hash, exchange);
TAILQ_HEAD(initiator_list, initiator);

struct mask {
	uint64_t wwpn;
	uint16_t lun;
};

struct faults {
	bool hang, hang_all, hold_writes;
	uint64_t slow_us;
	long busy; /* times left; -1: for good */
	long check; /* likewise */
	uint8_t key, asc, ascq;
};

struct target {
	char *name;
	uint64_t wwpn, wwnn;
	uint16_t vsan;
	uint32_t id; /* N_Port_ID; 0: link down */
	struct lun_store *luns[TARGET_LUNS];
	int access; /* enum lun_access of all of them; -1: nothing is said of it */
	struct mask *masks;
	size_t mask_count;
	struct initiator_list initiators;
	unsigned int initiator_count;
	struct exchange_list exchanges;
	struct exchange_hash hash[TARGET_HASH];
	unsigned int exchange_count;
	bool window_moved; /* an exchange may be asked for data that could not be before */
	uint16_t last_rx_id;
	struct faults faults;
	struct frame_queue outbox;
	struct target_event_queue events;
	struct {
		uint64_t commands, data_in, data_out, aborts, dropped, checks, task_management;
	} count;
};

static inline const uint8_t *payload_of_frame(const struct frame *f)
{
	return f->data + FC_HEADER_LEN;
}

/* target.c */
void target_tell(struct target *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void target_send(struct target *t, struct frame *f); /* NULL is fine */
struct frame *target_reply(const struct frame *req, uint8_t r_ctl, size_t payload_len);
bool target_shows(const struct target *t, uint64_t initiator_wwpn, uint16_t lun);

/* target_login.c: who is logged in */
struct initiator *initiator_by_id(struct target *t, uint32_t n_port_id);
void target_els(struct target *t, const struct frame *f);
void initiator_leave(struct target *t, struct initiator *i, const char *why);

/* target_ua.c: unit attentions */
void ua_add(struct initiator *i, uint16_t lun, uint16_t asc);
void ua_add_all(struct initiator *i, uint16_t asc); /* on every LUN */
uint16_t ua_take(struct initiator *i, uint16_t lun); /* 0: none */
bool target_notices_wait(const struct target *t);
void target_read_notices(struct target *t);

/* target_exchange.c: the exchanges and their frames */
void target_command(struct target *t, const struct frame *f, uint64_t now_us);
void target_data(struct target *t, const struct frame *f, uint64_t now_us);
void target_abts(struct target *t, const struct frame *f);
void exchange_free(struct target *t, struct exchange *e);
/* Drops the exchanges of this initiator (NULL: all) at this LUN (-1: all); how many. */
unsigned int exchanges_drop(struct target *t, const struct initiator *i, int lun);

/* target_execute.c: what a complete command does, under the faults */
void exchange_begin(struct target *t, struct exchange *e, uint64_t now_us);
void exchange_complete(struct target *t, struct exchange *e, uint64_t now_us); /* all data is there */
void exchange_execute(struct target *t, struct exchange *e); /* execute, answer, free */
void target_task_management(struct target *t, const struct frame *f, struct initiator *i, uint8_t flags,
			    int lun);
void target_ask_data(struct target *t);

/* target_send.c: the frames of an answer */
void exchange_send_data(struct target *t, struct exchange *e, const uint8_t *data, uint32_t len);
void exchange_send_response(struct target *t, struct exchange *e, const struct scsi_command *c,
			    uint32_t moved);
void target_send_tm_response(struct target *t, const struct frame *f, uint8_t code);
void exchange_send_xfer_rdy(struct target *t, struct exchange *e);
void exchange_send_status(struct target *t, struct exchange *e, enum scsi_status status);

#endif
