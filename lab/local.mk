# SPDX-License-Identifier: LGPL-2.1-or-later
# The virtual machine: scripts that run from the source tree.
EXTRA_DIST += %D%/README.md %D%/init %D%/kernel %D%/run \
	%D%/lib/guest.sh %D%/lib/kernel.sh %D%/lib/tap.sh %D%/lib/vm.sh \
	%D%/scenarios/boot
