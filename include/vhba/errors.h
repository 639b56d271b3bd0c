/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kinds of errors, their names on the wire, and the exit codes that vhbactl gives them.
 */
#ifndef VHBA_ERRORS_H
#define VHBA_ERRORS_H

#ifdef __cplusplus
extern "C" {
#endif

enum vhba_error_kind {
	VHBA_OK = 0,
	VHBA_E_USAGE, /* malformed request or parameter */
	VHBA_E_NOT_FOUND, /* no VM, vhba, parent of that name */
	VHBA_E_EXISTS, /* name, WWPN or index is taken */
	VHBA_E_STATE, /* not possible in the present state */
	VHBA_E_BUSY, /* another operation on the VM is under way */
	VHBA_E_CONSTRAINT, /* VSAN, zone, parent room, expected LUN set not met */
	VHBA_E_DEADLINE, /* the deadline passed */
	VHBA_E_UNCONFIRMED, /* done as far as seen; what is not proved is named */
	VHBA_E_PERMISSION, /* the caller may not */
	VHBA_E_IO, /* kernel, disk or helper failed */
	VHBA_E_VERSION, /* newer than this program understands */
	VHBA_E_INTERNAL,
	VHBA_E_COUNT_
};

/* Exit codes of vhbactl and vhba-hook; one per kind of outcome. */
enum vhba_exit {
	VHBA_EXIT_DONE = 0, /* done, or confirmed */
	VHBA_EXIT_OTHER = 1,
	VHBA_EXIT_USAGE = 2,
	VHBA_EXIT_UNCONFIRMED = 3,
	VHBA_EXIT_DEADLINE = 4,
	VHBA_EXIT_CONSTRAINT = 5,
};

/* "org.vhba.NotFound" and the like; a static string. Never NULL. Thread-safe. */
const char *vhba_error_name(enum vhba_error_kind kind);

/* The reverse; VHBA_E_INTERNAL for a name that is unknown. Thread-safe. */
enum vhba_error_kind vhba_error_kind(const char *name);

enum vhba_exit vhba_error_exit(enum vhba_error_kind kind);

#ifdef __cplusplus
}
#endif

#endif
