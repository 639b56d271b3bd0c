# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Process 1 of the lab's VM: brings up what a system needs, runs the scenario, reports its status, ends the VM.
# /run/lab/env has the run's variables, /run/lab/argv the scenario and its arguments, /run/lab/out is the host's folder.
set -u
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=/root
OUT=/run/lab/out
set -a
. /run/lab/env
set +a
export PATH HOME OUT

guest_mounts() {
	mkdir -p /dev/pts /dev/shm /run/lock /run/user
	mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
	mount -t tmpfs -o mode=1777 shm /dev/shm
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	ln -sfn /proc/self/fd /dev/fd
	ln -sfn /proc/self/fd/0 /dev/stdin
	ln -sfn /proc/self/fd/1 /dev/stdout
	ln -sfn /proc/self/fd/2 /dev/stderr
	local modules
	modules=$(realpath -m /lib/modules)
	mkdir -p "$modules"
	mount --bind "$LAB_KERNEL/lib/modules" "$modules"
}

guest_devices() {
	/lib/systemd/systemd-udevd --daemon
	modprobe -a fcoe 8021q macvlan veth sd_mod sg
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
		setsid --ctty --wait "${argv[@]}" <>/dev/hvc0 >&0 2>&1
		local rc=$?
		[ "$LAB_KEEP" = 0 ] || setsid --ctty --wait bash -i <>/dev/hvc0 >&0 2>&1
		return "$rc"
	fi
	"${argv[@]}" </dev/null >/dev/virtio-ports/lab.out 2>&1
}

hostname lab
guest_mounts
ip link set lo up
guest_devices
dmesg >"$OUT/boot.log"
dmesg -n 7
: >"$OUT/ready"
guest_run
guest_end $?
