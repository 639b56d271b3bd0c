# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Process 1 of the lab's VM, after lab/init: starts udev, loads the FC stack, runs the scenario, reports its status, ends the VM.
# /run/lab/env has the run's variables, /run/lab/argv the scenario and its arguments, /run/lab/out is the host's folder.
set -u
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=/root
OUT=/run/lab/out
set -a
. /run/lab/env
set +a
export PATH HOME OUT

guest_devices() {
	modprobe -a fcoe 8021q macvlan veth sd_mod sg &
	/lib/systemd/systemd-udevd --daemon
	wait
	udevadm trigger --action=add --subsystem-match=block --subsystem-match=net --subsystem-match=virtio-ports
	udevadm settle --timeout=30
}

# The status lies on the host's disk before the VM ends. The reset skips the devices' shutdown, which a hung array
# would hold for minutes.
guest_end() {
	echo "$1" >"$OUT/rc"
	echo b >/proc/sysrq-trigger
	sleep 60
}

guest_run() {
	local argv
	mapfile -d '' -t argv </run/lab/argv
	cd "$LAB_CWD" 2>/dev/null || cd /
	if [ "$LAB_TTY" = 1 ]; then
		stty rows "$LAB_ROWS" columns "$LAB_COLUMNS" </dev/hvc0
		setsid --ctty --wait "${argv[@]}" <>/dev/hvc0 >&0 2>&1
		local rc=$?
		[ "$LAB_KEEP" = 0 ] || setsid --ctty --wait bash -i <>/dev/hvc0 >&0 2>&1
		return "$rc"
	fi
	"${argv[@]}" </dev/null >/dev/virtio-ports/lab.out 2>&1
}

echo lab >/proc/sys/kernel/hostname
guest_devices
dmesg >"$OUT/boot.log"
echo 7 >/proc/sys/kernel/printk
: >"$OUT/ready"
guest_run
guest_end $?
