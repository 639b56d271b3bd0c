/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control protocol: what both ends agree on.  man 7 vhba-proto describes it for users.
 *
 * JSON objects, one a line (LF), on an AF_UNIX SOCK_STREAM socket.  The server speaks first:
 *	{"v":1,"service":"org.vhba","version":"0.1.0"}
 * then, for each request, in the order of the requests:
 *	-> {"method":"org.vhba.vm.Show","parameters":{"vm":"db1"},"more":false,"id":7}
 *	<- {"id":7,"parameters":{...}}
 *	<- {"id":7,"error":"org.vhba.NotFound","parameters":{"what":...,"expected":...,"seen":...,"fix":...}}
 * A request with "more":true may be answered by any number of lines with "continues":true before the last:
 *	<- {"id":7,"continues":true,"progress":{"phase":"drain","vhba":0,"text":"3 commands in flight"}}
 *	<- {"id":7,"continues":true,"parameters":{"events":[...]}}
 * "parameters", "more" and "id" may be left out; a request may carry "v", and one that is newer than the
 * server's is refused with org.vhba.NewerVersion.
 *
 * A line that is no JSON object within the limits is answered by an error, and the connection is closed: what
 * follows it cannot be trusted.  A request that is well-formed but wrong (method, parameter, permission) is
 * answered by an error and the connection goes on.
 */
#ifndef VHBA_PROTO_H
#define VHBA_PROTO_H

#define PROTO_VERSION 1
#define PROTO_SERVICE "org.vhba"
#define PROTO_PREFIX "org.vhba."
#define PROTO_SOCKET "/run/vhba/vhbad.sock"

#define PROTO_LINE_MAX (1024 * 1024) /* bytes of a reply line with its LF */
#define PROTO_REQUEST_MAX (256 * 1024) /* bytes of a request line with its LF */
#define PROTO_DEPTH_MAX 16 /* nested objects and arrays */
#define PROTO_QUEUE_MAX (4 * 1024 * 1024) /* bytes queued for a reader; one that lets it fill is cut off */

#endif
