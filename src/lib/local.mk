# SPDX-License-Identifier: LGPL-2.1-or-later
pkgconfig_DATA += src/lib/vhba.pc
