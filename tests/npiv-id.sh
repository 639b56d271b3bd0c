#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vhba-npiv-id on a made-up /sys: what is a disk behind a vport, and what only looks like one.
set -euo pipefail
program=${top_builddir:?}/src/udev/vhba-npiv-id
VHBA_SYSROOT=$(mktemp -d)
export VHBA_SYSROOT
trap 'rm -rf "$VHBA_SYSROOT"' EXIT
n=0
is() { # seen, expected, text
	n=$((n + 1))
	if [ "$1" = "$2" ]; then
		echo "ok $n - $3"
	else
		echo "not ok $n - $3"
		printf '# expected: %s\n# seen:     %s\n' "${2//$'\n'/ }" "${1//$'\n'/ }"
	fi
}
# status and output in one
run() {
	local rc=0 said
	said=$("$program" "$@" 2>/dev/null) || rc=$?
	echo "$rc${said:+ }${said//$'\n'/ }"
}
put() {
	mkdir -p "$VHBA_SYSROOT${1%/*}"
	echo "$2" >"$VHBA_SYSROOT$1"
}

put /sys/class/fc_host/host7/port_name 0x2101000000000a01
put /sys/class/fc_transport/target7:0:3/port_name 0x5006016000000a01
readonly hba=/devices/pci0000:00/0000:00:03.0/host5
readonly below=host7/rport-7:0-1/target7:0:3/7:0:3
readonly names="VHBA_INITIATOR=0x2101000000000a01 VHBA_TARGET=0x5006016000000a01"

is "$(run "$hba/vport-5:0-2/$below:1/block/sda")" "0 $names VHBA_LUN=1" "a disk behind a vport"
is "$(run "$hba/vport-5:0-2/$below:16640/block/sda")" "0 $names VHBA_LUN=16640" "a LUN with an addressing method"
is "$(run "$hba/vport-5:0-2/$below:1")" "0 $names VHBA_LUN=1" "the device itself"
is "$(run "/devices/vport-x/vport-5:0-2/$below:1/block/sda")" "0 $names VHBA_LUN=1" "a folder of a similar name above it"
is "$(run "$hba/rport-5:0-1/target5:0:3/5:0:3:1/block/sda")" 1 "a disk of the HBA itself"
is "$(run "$hba/vport-5:0-2/host7/rport-7:0-1/target7:0:4/7:0:4:1/block/sda")" 1 "a target that is gone"
is "$(run "$hba/vport-5:0-2/host8/rport-8:0-1/target8:0:3/8:0:3:1/block/sda")" 1 "a host that is gone"
is "$(run "$hba/vport-5:0-2/host7/rport-7:0-1/target7:0:3/7:0:4:1/block/sda")" 1 "a target and a LUN of another"
is "$(run "$hba/vport-5:0-2/host7/rport-9:0-1/target7:0:3/7:0:3:1/block/sda")" 1 "a remote port of another host"
is "$(run "$hba/vport-5:0-2/$below:1x/block/sda")" 1 "a LUN that is no number"
is "$(run "$hba/vport-5:0-2/host7")" 1 "a path that ends early"
is "$(run '')" 1 "no path"
is "$(run)" 2 "no argument"
put /sys/class/fc_host/host7/port_name nonsense
is "$(run "$hba/vport-5:0-2/$below:1/block/sda")" 1 "a port name that is none"
echo "1..$n"
