/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server that speaks the real protocol and answers from a script, so that clients are tested without vhbad.
 * The script is a JSON object: short method name -> what to do, in this order:
 *	"progress": [objects]    sent as progress lines
 *	"parts": [objects]       sent as parts
 *	"raw": "text"            sent as it is, instead of an answer
 *	"close": true            the connection is closed, instead of an answer
 *	"silent": true           no answer
 *	"error": {"kind","what","expected","seen","fix"}
 *	"parameters": {...}      held to the method table: a script that the table does not know is an error
 */
#ifndef VHBA_FAKE_SERVER_H
#define VHBA_FAKE_SERVER_H

#include <stdio.h>

#include <json-c/json.h>

/* Serve one connection after the other for ever; "method parameters" of each request goes to log (may be
 * NULL). */
void fake_serve(int listen_fd, struct json_object *script, FILE *log) __attribute__((noreturn));

#endif
