/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VHBA_FDLIMIT_H
#define VHBA_FDLIMIT_H

/* This process may have as many files open as its hard limit allows. 0 or -errno; then all is as it was. */
int fdlimit_raise(void);

#endif
