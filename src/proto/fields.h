/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the tables of methods are written. Inside src/proto/methods*.c only. */
#ifndef VHBA_FIELDS_H
#define VHBA_FIELDS_H

#include "method.h"

#define DAY_US (UINT64_C(24) * 3600 * 1000 * 1000)
#define REQUIRED true
#define OPTIONAL false
#define END                                                                                                  \
	{                                                                                                    \
		NULL, PROTO_BOOL, false, 0, 0, NULL, NULL                                                    \
	}

#define F_BOOL(n, req, doc)                                                                                  \
	{                                                                                                    \
		n, PROTO_BOOL, req, 0, 0, NULL, doc                                                          \
	}
#define F_UINT(...) F_UINT_(__VA_ARGS__) /* expands the ranges below */
#define F_UINT_(n, req, min, max, doc)                                                                       \
	{                                                                                                    \
		n, PROTO_UINT, req, min, max, NULL, doc                                                      \
	}
#define F_TEXT(n, req, max, doc)                                                                             \
	{                                                                                                    \
		n, PROTO_TEXT, req, 0, max, NULL, doc                                                        \
	}
#define F_NAME(n, req, doc)                                                                                  \
	{                                                                                                    \
		n, PROTO_NAME, req, 1, 63, NULL, doc                                                         \
	}
#define F_VM(req, doc)                                                                                       \
	{                                                                                                    \
		"vm", PROTO_VM, req, 1, 63, NULL, doc                                                        \
	}
#define F_UUID(n, req, doc)                                                                                  \
	{                                                                                                    \
		n, PROTO_UUID, req, 36, 36, NULL, doc                                                        \
	}
#define F_WWN(n, req, doc)                                                                                   \
	{                                                                                                    \
		n, PROTO_WWN, req, 16, 23, NULL, doc                                                         \
	}
#define F_NAMES(n, req, min, max, doc)                                                                       \
	{                                                                                                    \
		n, PROTO_NAMES, req, min, max, NULL, doc                                                     \
	}
#define F_TEXTS(n, req, max, doc)                                                                            \
	{                                                                                                    \
		n, PROTO_TEXTS, req, 0, max, NULL, doc                                                       \
	}
#define F_OBJECT(n, req, f, doc)                                                                             \
	{                                                                                                    \
		n, PROTO_OBJECT, req, 0, 0, f, doc                                                           \
	}
#define F_LIST(n, req, f, doc)                                                                               \
	{                                                                                                    \
		n, PROTO_LIST, req, 0, 0, f, doc                                                             \
	}

#define ANY_UINT 0, INT64_MAX
#define INDEX 0, 15
#define VSAN 1, 4094
#define GUEST_LUN 0, 255
#define P_VM F_VM(REQUIRED, "the VM's name or UUID")
#define P_DEADLINE                                                                                           \
	F_UINT("deadline_us", OPTIONAL, 1000, DAY_US, "answer within so long; absent: the configured default")

#endif
