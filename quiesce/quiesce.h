/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The quiesce machine: stop, drain, log out, verify, hold, then resume or release, by a deadline.
 *
 * One struct quiesce per VM with up to 16 vhbas.  Each vhba runs the same table (state, event) -> (action,
 * next state) of quiesce-table.c in parallel with the others; the VM-level part (intake, deadline, answer) is
 * common to them. man 7 vhba-quiesce draws it.
 *
 * The machine is pure: it knows no clock, file or socket.  Time comes in as `now`; side effects go out
 * through struct quiesce_ops, each of which begins an action and returns at once; the action's end comes back
 * later as an event. The driver's loop is:
 *
 *	quiesce_event(q, vhba, event, &arg, now)  when a request, a result or a wake-up came
 *	quiesce_tick(q, now)                      when quiesce_deadline(q) has come
 *
 * An op must never call back into the machine from within itself (quiesce_event returns -EDEADLK then).
 * Not thread-safe: one loop owns a struct quiesce.
 *
 * Order that the ops must give: of two ops on one vport (disable, enable, delete, create), or of two on the
 * intake, the one begun later wins, also when the machine no longer waits for the earlier one: the driver
 * queues it behind, or abandons the earlier.
 *
 * Idempotence that the ops must give, because retry and restart after kill -9 repeat them: disabling what is
 * disabled, enabling what is enabled, deleting what is gone and creating what exists (then: enabling it) are
 * all successes.
 */
#ifndef VHBA_QUIESCE_H
#define VHBA_QUIESCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal.h"
#include "monotime.h"
#include "verror.h"

#define QUIESCE_VHBA_MAX 16
#define QUIESCE_VM (-1) /* the vhba number of what concerns the VM as a whole */
#define QUIESCE_TEXT_MAX 160
#define QUIESCE_TIMERS_MAX 512
#define QUIESCE_PORTS_MAX 256
#define QUIESCE_FABRIC_MAX 128

/* The states of one vhba. */
enum quiesce_state {
	QS_ATTACHED, /* in use; nothing under way */
	QS_STOP, /* waits until the VM's intake is closed */
	QS_ROLLBACK, /* the intake could not be closed and nothing is logged out: opening it again */
	QS_DRAIN, /* commands complete by themselves; polls their count */
	QS_SYNC, /* nothing is in flight: the LUNs' write caches are synchronised, once; then drains on */
	QS_FAST_FAIL, /* abort: fast_io_fail_tmo 0 is being set on the target rports */
	QS_RPORT_WAIT, /* an rport was Blocked already: its own fast_io_fail ends before the deadline */
	QS_DISABLE_HOLD, /* vport being disabled with nothing in flight */
	QS_DISABLE_ABORT, /* vport being disabled, fast_io_fail set: commands fail back */
	QS_RECHECK, /* after a hold's disable: did a command slip in between? */
	QS_HARD_STOP, /* vport being deleted because nothing milder ends the commands */
	QS_VERIFY, /* collects the three pieces of evidence */
	QS_HELD, /* logged out and kept; evidence that still lacks may arrive */
	QS_ENABLE, /* resume: vport being enabled */
	QS_CREATE, /* resume after a hard stop: vport being created again */
	QS_READY_WAIT, /* resume: waits for rports Online and LUNs back */
	QS_TIMERS, /* resume: rport timers being restored (EBUSY while Blocked, so only now) */
	QS_READY, /* resume: this vhba is ready; the intake opens when all are */
	QS_CLOSE, /* release from attached: closing the intake first */
	QS_DELETE, /* release: vport being deleted */
	QS_GONE_CHECK, /* release: waits until the name server has let it go */
	QS_GONE, /* released */
	QS_FAILED, /* stands where its record says; quiesce (retry), resume and release are defined */
	QS_STATES
};

/*
 * What drives the table.  The driver sends those of the first three groups; those of the last group are made
 * by the machine itself (quiesce_event refuses them with -EINVAL), and some of the driver's are split by
 * their argument.
 */
enum quiesce_ev {
	/* Requests and notices for the VM (vhba QUIESCE_VM). */
	QE_QUIESCE, /* arg: deadline, owner_paused */
	QE_RESUME, /* arg: deadline, partial */
	QE_RELEASE, /* arg: deadline */
	QE_CALLER_GONE, /* whoever asked has gone: it goes on to its end all the same */
	/* Wake-up: a uevent, a netlink event, a vhba-io notice: look again now. For a vhba or the VM. */
	QE_WAKE,
	/* Ends of actions; arg.token as given to the op. Failures: arg.text says what was seen. */
	QE_INTAKE_CLOSED, /* VM */
	QE_INTAKE_CLOSE_FAILED, /* VM */
	QE_INTAKE_OPENED, /* VM */
	QE_INTAKE_OPEN_FAILED, /* VM */
	QE_COUNT, /* arg.count: commands in flight, passthrough included */
	QE_COUNT_FAILED,
	QE_SYNCED, /* arg.text: what was synchronised, for the record */
	QE_SYNC_FAILED, /* arg.text: what was not, and why: it is noted, and changes nothing else */
	QE_FAST_FAIL_SET, /* arg.text: the old timers, given back to restore_timers as they are */
	QE_FAST_FAIL_BUSY, /* some rport is Blocked: arg.until when its own fast_io_fail ends, or
			      MONOTIME_NEVER */
	QE_FAST_FAIL_FAILED,
	QE_DISABLED,
	QE_DISABLE_FAILED,
	QE_DISABLE_AGAIN, /* it was not begun, and must not be yet; arg.text: why. It is asked for again:
			     after the back-off; or, when arg.until is given, then, or at a wake before */
	QE_DELETED,
	QE_DELETE_FAILED,
	QE_DELETE_AGAIN, /* likewise */
	QE_ENABLED,
	QE_ENABLE_FAILED,
	QE_CREATED,
	QE_CREATE_FAILED,
	QE_FABRIC_ABSENT, /* the name server, asked by the parent, does not know the WWPN */
	QE_FABRIC_PRESENT, /* it does; arg.text: its N_Port_ID */
	QE_FABRIC_NO_PROOF, /* no answer, no way to ask, or an answer that proves nothing; arg.text */
	QE_PORTS, /* arg.count: target rports still Online (0 when the vport is gone); arg.total: all;
		     arg.text: each one's state, opaque, for quiesce_seen */
	QE_PORTS_FAILED,
	QE_LUNS_READY, /* rports Online and every expected LUN usable */
	QE_LUNS_NOT_READY, /* not yet; arg.text: what lacks */
	QE_LOGIN_STUCK, /* nor will they be: the driver has given the login up; arg.text */
	QE_TIMERS_RESTORED,
	QE_TIMERS_FAILED,
	/* Made by the machine. */
	QE_RESUME_GONE, /* resume, but the vport was deleted: it must be created again */
	QE_INTAKE_CLOSE_STUCK, /* closing failed and another vhba is logged out: no roll-back possible */
	QE_COUNT_ZERO,
	QE_COUNT_ZERO_UNSYNCED, /* drained, the caches have not been synchronised, and there is time for it */
	QE_COUNT_SOME,
	QE_FAST_FAIL_BUSY_SHORT, /* Blocked, but its own fast_io_fail ends in time */
	QE_PORTS_GONE,
	QE_PORTS_ONLINE,
	QE_PROVED, /* all three pieces of evidence are there */
	QE_ALL_READY, /* every vhba is ready (or, with partial, some are at the deadline) and the intake is
			 open */
	QE_POLL, /* the back-off of a poll is over */
	QE_STEP_END, /* the state's own time is over: drain budget, step bound, rport's fast_io_fail */
	QE_STEP_END_SYNCING, /* the drain's, and all that is in flight is our own SYNCHRONIZE CACHE, which a
				disable ends */
	QE_DEADLINE, /* the answer is due */
	QE_BACKGROUND_END, /* what goes on after the answer has had its time */
	QE_EVENTS
};

/* What the machine does on a transition. */
enum quiesce_action {
	QA_NONE,
	QA_STOP_INTAKE, /* once for the VM */
	QA_OPEN_INTAKE, /* roll-back; once for the VM */
	QA_COUNT, /* ask for the commands in flight */
	QA_RECHECK, /* likewise, and meanwhile the fabric, whose answer takes longer */
	QA_AGAIN, /* poll again after the back-off */
	QA_PUT_OFF, /* likewise, and the state's own bound waits too */
	QA_SYNC, /* begin to synchronise the caches */
	QA_FAST_FAIL,
	QA_WAIT_RPORT, /* wait until the rport's own fast_io_fail has ended */
	QA_DISABLE,
	QA_DELETE,
	QA_VERIFY, /* ask the name server, the rports and the count, at once */
	QA_EVIDENCE, /* note a piece of evidence, or that it lacks */
	QA_ENABLE,
	QA_CREATE,
	QA_CHECK_READY,
	QA_RESTORE_TIMERS,
	QA_NOTE, /* note what was seen in the record, and nothing more */
	QA_REST, /* end what is timed: the state keeps */
	QA_ACTIONS
};

/* The phases of the record. */
enum quiesce_phase {
	QP_STOP,
	QP_DRAIN,
	QP_LOGOUT,
	QP_VERIFY,
	QP_HOLD,
	QP_RESUME,
	QP_RELEASE,
	QP_ANSWER, /* VM-level: from the request to its answer */
	QP_PHASES
};

/* Ordered: the worst is the largest. */
enum quiesce_outcome { QO_NONE, QO_CONFIRMED, QO_UNCONFIRMED, QO_FAILED, QO_OUTCOMES };

/* The evidence of a logout, a mask; confirmed needs all three (and a closed intake). */
enum quiesce_evidence {
	QV_IN_FLIGHT_ENDED = 1, /* after logout began, no command was in flight */
	QV_TARGETS_LOGGED_OUT = 2, /* no target rport is Online */
	QV_FABRIC_LOGGED_OUT = 4, /* the name server does not know the WWPN */
	QV_ALL = 7,
};

enum quiesce_request { QR_NONE, QR_QUIESCE, QR_RESUME, QR_RELEASE, QR_REQUESTS };

/* Printable names, never NULL ("?" for what is out of range). */
const char *quiesce_state_name(enum quiesce_state s); /* "drain" */
const char *quiesce_ev_name(enum quiesce_ev e); /* "count-zero" */
const char *quiesce_action_name(enum quiesce_action a);
const char *quiesce_phase_name(enum quiesce_phase p); /* "logout" */
const char *quiesce_outcome_name(enum quiesce_outcome o); /* "confirmed" */
const char *quiesce_request_name(enum quiesce_request r);
const char *quiesce_evidence_name(enum quiesce_evidence one_bit); /* "targets logged out" */
/* The bits of mask, comma-separated, in buf; "nothing" for 0. Returns buf. */
const char *quiesce_evidence_text(unsigned int mask, char *buf, size_t size);

/*
 * What differs between drivers: bounds of the steps, in us.  The driver of the machine fills it from its
 * table of drivers (fc/profile.h) for each vhba.
 */
struct quiesce_profile {
	const char *driver; /* "libfc" */
	uint64_t fast_fail_us; /* setting fast_io_fail_tmo, before the hard stop is taken instead */
	uint64_t disable_us; /* vport_disable, likewise */
	uint64_t rport_slack_us; /* from the end of an rport's own fast_io_fail until its commands have failed
				    back */
	uint64_t escalate_us; /* commands in flight for so long after an abort's disable: hard stop (0: never)
			       */
	uint64_t reserve_us; /* what comes after the drain takes so long at most: the drain leaves it that,
				where the deadline has room for it; UINT64_MAX: it has no bound */
	bool disable_ends; /* a disable by itself ends what is in flight, whatever the rports' timers */
	bool drain_first; /* drain for half of the time that is left, unless the request has a budget of its
			     own */
};
extern const struct quiesce_profile quiesce_profile_libfc;

/* Durations in us; quiesce_config_init gives the defaults in brackets. */
struct quiesce_config {
	uint64_t answer_margin_us; /* the answer leaves so long before the deadline [5 ms] */
	uint64_t stop_us; /* closing the intake, at most, and at most a quarter of what is left [500 ms] */
	uint64_t drain_us; /* drain budget, at most, and at most half of what is left [5 s] */
	uint64_t
		sync_us; /* synchronising caches, at most, and never beyond the drain; 0: not done [250 ms] */
	bool drain_given; /* by whoever asked: a profile's drain_first does not stretch it [false] */
	uint64_t drain_poll_min_us; /* back-off of the count and of the readiness [1 ms] */
	uint64_t drain_poll_max_us; /* [20 ms] */
	uint64_t verify_poll_min_us; /* back-off of the evidence [2 ms] */
	uint64_t verify_poll_max_us; /* and of the readiness [100 ms] */
	uint64_t background_poll_max_us; /* the same after the answer [1 s] */
	uint64_t background_us; /* from the request: what goes on after the answer ends then [120 s] */
	uint64_t hold_us; /* dev_loss_tmo: a hold for longer may have failed parked commands [60 s] */
};
void quiesce_config_init(struct quiesce_config *cfg);

/* How long commands may complete by themselves when the answer is due in left_us. */
uint64_t quiesce_drain_us(const struct quiesce_config *cfg, const struct quiesce_profile *p,
			  uint64_t left_us);

/* Who a vhba is. Copied. */
struct quiesce_vhba {
	unsigned int index; /* the registry's, for texts and the journal */
	uint64_t wwpn;
	uint64_t wwnn;
	uint64_t parent_wwpn;
	uint64_t hold_us; /* this vhba's dev_loss_tmo; 0: the config's */
	const struct quiesce_profile *profile; /* NULL: libfc */
	char timers[QUIESCE_TIMERS_MAX]; /* opaque: the timers to restore if the old ones could not be read
					    back */
};

/* What an op is told. Valid during the call only. */
struct quiesce_call {
	int vhba; /* number in this struct quiesce (0..n-1), QUIESCE_VM for intake ops */
	uint32_t token; /* never 0, nor that of another machine; its result event brings it back. A newer
			   call of the same op makes it stale */
	const struct quiesce_vhba *id; /* NULL for the VM */
	const char *timers; /* restore_timers: what set_fast_fail answered, or id->timers */
	struct monotime
		by; /* when the machine stops waiting for it at the latest: a hint for a child's bound */
};

/* Begins the action, returns 0; or -errno when it could not even begin (the machine takes it as a failure at
 * once). */
typedef int quiesce_op_fn(void *user, const struct quiesce_call *call);

struct quiesce_result {
	enum quiesce_request request;
	enum quiesce_outcome outcome; /* the worst of the vhbas */
	bool rolled_back; /* failed, and the VM is as it was before */
	bool caller_gone;
	bool may_have_failed; /* resume after hold_us: the kernel may have failed parked commands */
	struct monotime asked, answered, deadline;
	char text[768]; /* what is not proved, or where it stands, per vhba */
};

struct quiesce_ops {
	quiesce_op_fn *stop_intake; /* VM -> QE_INTAKE_CLOSED, _FAILED */
	quiesce_op_fn *open_intake; /* VM -> QE_INTAKE_OPENED, _FAILED */
	quiesce_op_fn *count_inflight; /* -> QE_COUNT, _FAILED; of a vport that is gone: 0 */
	/*
	 * SYNCHRONIZE CACHE to the LUNs that have a volatile write cache.  Only begun when no command of the
	 * vhba is in flight; one that does not end by call->by counts as a command in flight from then on.
	 */
	quiesce_op_fn *sync_cache; /* -> QE_SYNCED, _FAILED */
	quiesce_op_fn *set_fast_fail; /* -> QE_FAST_FAIL_SET, _BUSY, _FAILED */
	/* _AGAIN: what the kernel does at the moment forbids it; it is asked for again until the background
	 * ends. */
	quiesce_op_fn *disable; /* -> QE_DISABLED, _FAILED, _AGAIN */
	quiesce_op_fn *delete_vport; /* -> QE_DELETED, _FAILED, _AGAIN */
	quiesce_op_fn *enable; /* -> QE_ENABLED, _FAILED; of a login that is stuck: begin it anew */
	quiesce_op_fn *create_vport; /* -> QE_CREATED, _FAILED */
	quiesce_op_fn *verify_fabric; /* -> QE_FABRIC_ABSENT, _PRESENT, _NO_PROOF */
	quiesce_op_fn *read_ports; /* -> QE_PORTS, _FAILED */
	quiesce_op_fn *check_ready; /* -> QE_LUNS_READY, _NOT_READY, QE_LOGIN_STUCK */
	quiesce_op_fn *restore_timers; /* -> QE_TIMERS_RESTORED, _FAILED */
	/* Append r to the operation's journal, now. An error is kept in the record; it never stops the
	 * machine. */
	int (*journal)(void *user, const struct journal_record *r);
	/* The answer to an accepted request: exactly once, at the latest at its deadline less the margin. */
	void (*answer)(void *user, const struct quiesce_result *result);
	/* May be NULL. A record entry changed (also after the answer): for watchers and events. */
	void (*changed)(void *user, int vhba);
};

/* The argument of an event; zero what does not apply. NULL stands for all zero. */
struct quiesce_arg {
	uint32_t token;
	struct monotime deadline; /* requests */
	bool owner_paused; /* quiesce: no vhba-io here; the VM's owner says that it has paused it */
	bool partial; /* resume: at the deadline open the intake if at least one vhba is ready */
	uint64_t count;
	uint64_t total;
	struct monotime until;
	const char *text; /* copied */
};

/* One line of the record. Times on CLOCK_MONOTONIC in us; start_us 0: the phase has not begun. */
struct quiesce_record {
	int vhba; /* number, or QUIESCE_VM */
	enum quiesce_phase phase;
	enum quiesce_outcome outcome; /* of the phase; QO_NONE while it lasts */
	uint64_t start_us;
	uint64_t end_us; /* 0 while it lasts */
	int64_t inflight_before; /* -1: not known */
	int64_t inflight_after;
	unsigned int evidence; /* QV_ mask, at the end of the phase or as of now */
	char text[QUIESCE_TEXT_MAX]; /* the evidence, or what went wrong */
};

/*
 * What was seen last of a vhba, evidence or its lack, each with its time on CLOCK_MONOTONIC in us.  A time of
 * 0: not looked at yet since the quiesce or the logout began.
 */
struct quiesce_seen {
	uint64_t inflight_us, ports_us, fabric_us;
	int64_t inflight; /* commands (device_busy); -1: not known */
	int64_t online; /* target rports Online; -1: not known */
	char ports[QUIESCE_PORTS_MAX]; /* QE_PORTS' text: each rport's state */
	char fabric[QUIESCE_FABRIC_MAX]; /* the name server: "absent", "present: N_Port_ID", "no proof: why"
					  */
};

struct quiesce;

/*
 * All vhbas begin attached. cfg, ops and ids are copied (ops->... and profiles must stay valid); user goes to
 * each op. NULL with errno EINVAL (n is 0 or over 16, an op missing) or ENOMEM.
 */
struct quiesce *quiesce_new(const struct quiesce_config *cfg, const struct quiesce_ops *ops, void *user,
			    const struct quiesce_vhba *ids, unsigned int n);
void quiesce_free(struct quiesce *q);

/*
 * Rebuild from a journal's records (journal_op.rec) right after quiesce_new with the same vhbas, and go on:
 * what was being logged out is logged out, what was being resumed is resumed, what was being released is
 * released.  The caller of a request that was not answered is taken as gone.  0; -EBADMSG with *e when the
 * records are not those of such a machine.
 */
int quiesce_restore(struct quiesce *q, const struct journal_record *rec, size_t n, struct monotime now,
		    struct verror *e);

/*
 * The vhbas that a journal of this machine speaks of, to call quiesce_new after a restart: their number; 0:
 * it ends before its first request, so nothing was begun; -EBADMSG.
 */
int quiesce_restore_ids(const struct journal_record *rec, size_t n,
			struct quiesce_vhba ids[QUIESCE_VHBA_MAX]);

/*
 * An event.  0: taken (which may mean ignored: the table says so).  Requests: -EBUSY an earlier one has not
 * been answered; -ETIME the deadline leaves no time; -EINVAL not defined in this state (resume of a released
 * VM): then nothing was begun and no answer comes.  Results: -ESTALE token of a call that is over; -EINVAL
 * bad number or event.
 */
int quiesce_event(struct quiesce *q, int vhba, enum quiesce_ev ev, const struct quiesce_arg *arg,
		  struct monotime now);

/* Time has come to now. Call it at quiesce_deadline; earlier or later does no harm but lateness. */
void quiesce_tick(struct quiesce *q, struct monotime now);

/*
 * Two that wait for their answers' times exchange them: for a driver that spreads the answers of many, and
 * gives the first of these times to whose deadline comes first.  No answer may leave later than its own
 * deadline allows: that is the driver's to see to, who tells quiesce_deadline of both to its timers anew.
 */
void quiesce_trade_answers(struct quiesce *a, struct quiesce *b);

/*
 * The driver ends now: a request that waits is answered as it stands, and the answer says so.  Nothing more
 * is begun; whoever comes after goes on from the journal.
 */
void quiesce_leave(struct quiesce *q, struct monotime now);

/* When it wants a tick; MONOTIME_NEVER: only events matter. */
struct monotime quiesce_deadline(const struct quiesce *q);

/* What a person sees. */
unsigned int quiesce_vhbas(const struct quiesce *q);
const struct quiesce_vhba *quiesce_vhba(const struct quiesce *q, unsigned int vhba);
enum quiesce_state quiesce_state(const struct quiesce *q, unsigned int vhba);
unsigned int quiesce_evidence(const struct quiesce *q, unsigned int vhba);
const struct quiesce_seen *quiesce_seen(const struct quiesce *q, unsigned int vhba); /* NULL: no such vhba */
enum quiesce_outcome
quiesce_outcome_now(const struct quiesce *q); /* as of now, evidence after the answer included */
const struct quiesce_result *
quiesce_result(const struct quiesce *q); /* the last answer; request QR_NONE before */
enum quiesce_request quiesce_request(const struct quiesce *q); /* the last one; QR_NONE before */
struct monotime
quiesce_answer_at(const struct quiesce *q); /* at the latest; NEVER: no request waits for it */
bool quiesce_answered(const struct quiesce *q); /* no request waits for its answer */
bool quiesce_idle(const struct quiesce *q); /* nothing is under way, not even in the background */
/* Every vhba is attached, or every one is gone, and nothing is under way: end the journal, free the machine.
 */
bool quiesce_finished(const struct quiesce *q);
/* Every vport is deleted by a release that has been answered: at most the proof is still awaited, which a new
 * attach need not wait for. */
bool quiesce_released(const struct quiesce *q);
int quiesce_journal_error(const struct quiesce *q); /* the first -errno that ops->journal gave, or 0 */

/* The record, VM-level lines first: an array of *n entries owned by q, valid until the next call; skip
 * start_us 0. */
const struct quiesce_record *quiesce_records(const struct quiesce *q, size_t *n);

/* The table, for the tests, the diagram and "vhbactl plan". */
enum quiesce_how {
	QH_HOLE, /* no entry: a mistake that the tests find */
	QH_IGNORE, /* said explicitly: nothing happens */
	QH_REFUSE, /* the request is refused as a whole */
	QH_QUEUE, /* the request waits until this vhba's step is over */
	QH_STAY, /* the action, same state */
	QH_GO, /* the action, next state */
};
struct quiesce_entry {
	enum quiesce_how how;
	enum quiesce_action action;
	enum quiesce_state next;
};
const struct quiesce_entry *quiesce_entry(enum quiesce_state s, enum quiesce_ev e);
enum quiesce_phase quiesce_state_phase(enum quiesce_state s); /* QP_PHASES: none (attached, gone, failed) */

#endif
