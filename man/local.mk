# SPDX-License-Identifier: LGPL-2.1-or-later
dist_man_MANS += %D%/vhba-quiesce.7
dist_man_MANS += \
	%D%/libvhba.3 \
	%D%/vhba-proto.7 \
	%D%/vhba-hook.1 \
	%D%/vhbactl.1 \
	%D%/vhba-io.8 \
	%D%/vhba-virt.8 \
	%D%/vhbad.8 \
	%D%/vhbad.conf.5
