/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvhba: the client of vhbad.  See libvhba(3), and vhba-proto(7) for methods and their JSON.
 *
 * The library never owns the event loop, starts no thread, installs no signal handler, writes nothing to
 * stderr and has no global state.
 *
 * Threads: one connection may be used by one thread at a time; different connections are independent.
 * Units: durations are in microseconds (..._us); times in replies are CLOCK_MONOTONIC of the host's boot.
 * Ownership: what is returned by `char **` belongs to the caller (free(3)); const char * in struct vhba_reply
 * belong to the connection and are valid until the next call on it.
 * Errors: functions that return int give 0 (or a count) on success and a negative errno otherwise; then *e
 * (which may be NULL) says what was expected, what was seen and what to do, with a kind that has an exit
 * code.
 */
#ifndef VHBA_VHBA_H
#define VHBA_VHBA_H

#include <stdint.h>

#include <vhba/errors.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VHBA_SOCKET "/run/vhba/vhbad.sock" /* where vhbad listens by default */
#define VHBA_DEFAULT_US UINT64_MAX /* a duration that the daemon's configuration decides */

struct vhba_conn;

struct vhba_error {
	enum vhba_error_kind kind; /* VHBA_OK when there is none */
	char what[256];
	char expected[160];
	char seen[160];
	char fix[200];
};

/* "what: expected X, seen Y; fix" in buf of size bytes. Returns buf. */
const char *vhba_error_line(const struct vhba_error *e, char *buf, unsigned long size);

/*
 * Connect to path (NULL: VHBA_SOCKET).  Does not block, and does not wait for the daemon's greeting: that it
 * speaks a known version is checked when its first line is processed.  *conn is NULL on failure.
 */
int vhba_connect(const char *path, struct vhba_conn **conn, struct vhba_error *e);

/* NULL is allowed. An operation that was begun goes on in the daemon. */
void vhba_close(struct vhba_conn *conn);

/* For a caller's own loop: the descriptor (owned by the connection), and what to poll(2) it for now. */
int vhba_fd(const struct vhba_conn *conn);
short vhba_events(const struct vhba_conn *conn);

/* Read and write what is possible without blocking. After an error the connection is of no more use. */
int vhba_process(struct vhba_conn *conn, struct vhba_error *e);

#define VHBA_MORE 1u /* lines before the last one are wanted: progress, events */

/*
 * Queue a request: a method with or without "org.vhba.", parameters as the text of a JSON object (NULL:
 * none), flags 0 or VHBA_MORE.  Requests are answered in their order.  Sent by vhba_process.
 */
int vhba_send(struct vhba_conn *conn, const char *method, const char *parameters, unsigned int flags,
	      struct vhba_error *e);

enum vhba_reply_kind {
	VHBA_REPLY_FINAL, /* the request's last line; parameters */
	VHBA_REPLY_PART, /* more follow; parameters */
	VHBA_REPLY_PROGRESS, /* more follow; parameters is the progress object: phase, vhba?, percent?, text?
			      */
	VHBA_REPLY_ERROR /* the request's last line; error */
};

struct vhba_reply {
	enum vhba_reply_kind kind;
	const char *parameters; /* text of a JSON object; never NULL except for an error */
	struct vhba_error error;
};

/* The next line that has arrived: 1; 0 when there is none yet; -errno. */
int vhba_receive(struct vhba_conn *conn, struct vhba_reply *reply, struct vhba_error *e);

/*
 * Blocking conveniences: no other request may be under way on the connection.  timeout_us bounds the whole
 * call (UINT64_MAX: no bound); when it passes, -ETIMEDOUT with VHBA_E_DEADLINE, and the connection can only
 * be closed.  *reply (may be NULL): the text of the reply's parameters.  An error reply is a negative return
 * with *e filled.
 */
int vhba_call(struct vhba_conn *conn, const char *method, const char *parameters, uint64_t timeout_us,
	      char **reply, struct vhba_error *e);

/* Called for each line before the last one. A return other than 0 ends the call with it; close then. */
typedef int vhba_part_fn(void *user, const struct vhba_reply *part);
int vhba_call_more(struct vhba_conn *conn, const char *method, const char *parameters, uint64_t timeout_us,
		   vhba_part_fn *part, void *user, char **reply, struct vhba_error *e);

enum vhba_outcome {
	VHBA_OUTCOME_DONE,
	VHBA_OUTCOME_CONFIRMED, /* logged out, and proved */
	VHBA_OUTCOME_UNCONFIRMED, /* what is not proved is named in unproved */
	VHBA_OUTCOME_FAILED
};

/* The answer of an operation. */
struct vhba_result {
	enum vhba_outcome outcome;
	enum vhba_exit exit; /* exit code of its kind */
	uint64_t deadline_us, elapsed_us;
	char unproved[512]; /* comma-separated, cut at its size; the whole is in json */
	char *json; /* the whole reply, see vhba-proto(7); vhba_result_clear frees it */
};
void vhba_result_clear(struct vhba_result *result);

/* "confirmed" and the like; a static string. */
const char *vhba_outcome_name(enum vhba_outcome outcome);

/* Read a reply's text into *result, which gets a copy. -EBADMSG when it is no operation's reply. */
int vhba_result_read(const char *reply, struct vhba_result *result, struct vhba_error *e);

#define VHBA_ACCEPT_LUNS 1u /* attach: record the expected LUN set anew */
#define VHBA_CHECK_NAMES 2u /* attach: refuse when the name server shows one of its names */
#define VHBA_PAUSED 1u /* quiesce: the VM's owner has paused it (kernel block path) */
#define VHBA_MOVED 1u /* release: the identity belongs elsewhere from now on */
#define VHBA_FORCE 1u /* import: also over a newer generation */
#define VHBA_ALTERNATE 2u /* import: by the vhbas' alternate WWPNs, the source may be logged in still */

/*
 * Typed operations; vm is a name or UUID.  0: answered, look at result->outcome; negative: refused or no
 * answer.  They wait for the answer a second longer than the deadline given to the daemon, and with
 * VHBA_DEFAULT_US for 10 minutes.  result may be NULL for none but is to be cleared otherwise, also after a
 * failure.
 */
int vhba_attach(struct vhba_conn *conn, const char *vm, uint64_t deadline_us, unsigned int flags,
		struct vhba_result *result, struct vhba_error *e);
int vhba_detach(struct vhba_conn *conn, const char *vm, uint64_t deadline_us, struct vhba_result *result,
		struct vhba_error *e);
int vhba_quiesce(struct vhba_conn *conn, const char *vm, uint64_t deadline_us, uint64_t drain_us,
		 unsigned int flags, struct vhba_result *result, struct vhba_error *e);
int vhba_resume(struct vhba_conn *conn, const char *vm, uint64_t deadline_us, struct vhba_result *result,
		struct vhba_error *e);
int vhba_release(struct vhba_conn *conn, const char *vm, uint64_t deadline_us, unsigned int flags,
		 struct vhba_result *result, struct vhba_error *e);

/* The ticket as the text of a JSON object. */
int vhba_export(struct vhba_conn *conn, const char *vm, char **ticket, struct vhba_error *e);
int vhba_import(struct vhba_conn *conn, const char *ticket, unsigned int flags, struct vhba_error *e);

#ifdef __cplusplus
}
#endif

#endif
