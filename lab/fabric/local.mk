# SPDX-License-Identifier: LGPL-2.1-or-later
# Two libraries, so that the switch and the target are tested and fuzzed by themselves.
include lab/fabric/target.mk
include lab/fabric/switch.mk
