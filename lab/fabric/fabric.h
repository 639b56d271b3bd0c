/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fabric: one or more switches' worth of VSANs in one object. It knows no socket and no clock: whole
 * Ethernet frames go in with the time (CLOCK_MONOTONIC, microseconds), whole Ethernet frames come out of its
 * queue, and commands are lines of text (see command.c for their table). Single-threaded.
 *
 * What it promises to the lab beyond the standards:
 * - Zoning bounds forwarding and all answers of the name server, with one exception: a query for one port, by
 *   name or N_Port_ID, always finds an N_Port that is logged in through the same F_Port (an HBA and its NPIV
 *   ports), so that the HBA's own port can verify its NPIV ports. Lists (GPN_FT, GID_FT, GID_PT, GA_NXT)
 * don't show them.
 * - A zone with a "principal" member is a peer zone: its other members see the principals only.
 * - N_Port_IDs are given in turn, not reused until the domain's 64,000 have gone by; or on demand each WWPN
 *   keeps its own.
 */
#ifndef FABRIC_FABRIC_H
#define FABRIC_FABRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct fabric;
struct json_object;

struct fabric *fabric_new(void); /* NULL when memory is short */
void fabric_free(struct fabric *f);

/* A frame received on a switch port: VLAN tag inline, no FCS. Anything at all may be in it. */
void fabric_input(struct fabric *f, unsigned port, const uint8_t *eth, size_t len, uint64_t now_us);

/* The port's carrier changed; without it everybody behind the port is logged out. mtu: of the link, at least
 * 576. */
void fabric_carrier(struct fabric *f, unsigned port, bool up, unsigned mtu, uint64_t now_us);

/* Do what is due; fabric_deadline says when it wants to be called (UINT64_MAX: never). */
void fabric_run(struct fabric *f, uint64_t now_us);
uint64_t fabric_deadline(const struct fabric *f);

struct ether_out {
	TAILQ_ENTRY(ether_out) link;
	uint64_t due_us; /* a rule's delay; the fabric's own */
	unsigned port;
	size_t len;
	uint8_t data[];
};

/* The next frame to send (the caller free()s it), or NULL. */
struct ether_out *fabric_output(struct fabric *f);

/*
 * One command line. Returns true when it was done. *reply is set in either case (the caller puts it): an
 * object with "text" (also the error) and, of the show commands with "--json" in the line, "data".
 */
bool fabric_command(struct fabric *f, const char *line, struct json_object **reply, uint64_t now_us);

/* The switch ports, for whoever does their I/O. Ports are never removed; indices are 0..fabric_ports()-1. */
enum port_kind { PORT_INTERFACE, PORT_UNIX };
struct port_info {
	const char *name;
	enum port_kind kind;
	const char *address; /* the interface's name, or the socket's path */
};
unsigned fabric_ports(const struct fabric *f);
void fabric_port_info(const struct fabric *f, unsigned port, struct port_info *info);

/* A line for the log from outside (I/O errors). */
void fabric_note(struct fabric *f, uint64_t now_us, const char *kind, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The next log line that has not been taken yet, without newline, or NULL. Valid until the next call of the
 * fabric. */
const char *fabric_log_line(struct fabric *f);

#endif
