# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# NPIV ports by the bare kernel, for scenarios that look at the lab itself or at the kernel's floor. WWPNs are 16
# hexadecimal digits. Needs san.sh.

# fc_host_of WWPN: the fc_host with that port name ("host5").
fc_host_of() {
	local f value
	for f in /sys/class/fc_host/host*/port_name; do
		{ read -r value <"$f"; } 2>/dev/null || continue
		if [ "$value" = "0x$1" ]; then
			f=${f%/port_name}
			echo "${f##*/}"
			return
		fi
	done
	return 1
}

# vport_of WWPN: its folder in /sys/class/fc_vports.
vport_of() {
	local f value
	for f in /sys/class/fc_vports/vport-*/port_name; do
		{ read -r value <"$f"; } 2>/dev/null || continue
		if [ "$value" = "0x$1" ]; then
			echo "${f%/port_name}"
			return
		fi
	done
	return 1
}

no_vport_of() { ! vport_of "$1"; }

# vport_create PARENT WWPN: PARENT is an fc_host. The node name is the port name's with another first byte.
vport_create() { echo "$2:20${2:2}" >"/sys/class/fc_host/$1/vport_create"; }

vport_delete() { echo 1 >"$(vport_of "$1")/vport_delete"; }

# vport_at FOLDER STATE ("Active", "Linkdown", ...). fcoe starts a login and sets Initializing after that: where the login was
# faster, the attribute stays so for good, and only the port's own state tells.
vport_at() {
	attribute_is "$1/vport_state" "$2" && return
	[ "$2" = Active ] && attribute_is "$1/vport_state" Initializing &&
		attribute_is "$(echo "$1"/device/host*/fc_host/host*)/port_state" Online
}

# vport_is WWPN STATE
vport_is() { vport_at "$(vport_of "$1")" "$2"; }

# rports_of WWPN: the remote ports with the role of a target that this port sees, one folder a line.
rports_of() {
	local host r roles
	host=$(fc_host_of "$1") || return 0
	for r in "/sys/class/fc_remote_ports/rport-${host#host}:"*; do
		{ read -r roles <"$r/roles"; } 2>/dev/null || continue
		[[ $roles != *Target* ]] || echo "$r"
	done
}

# rports_are WWPN STATE: it sees a target, and every one is in that state.
rports_are() {
	local r any=1
	for r in $(rports_of "$1"); do
		attribute_is "$r/port_state" "$2" || return 1
		any=0
	done
	return "$any"
}

# disk_of WWPN LUN: its block device's name ("sda").
disk_of() {
	local host f
	host=$(fc_host_of "$1") || return 1
	for f in "/sys/class/scsi_device/${host#host}:"*":$2/device/block/sd"*; do
		[ -e "$f" ] || return 1
		echo "${f##*/}"
		return
	done
}

# disks_of WWPN: all, in the order of their LUNs.
disks_of() {
	local host f
	host=$(fc_host_of "$1") || return 0
	for f in "/sys/class/scsi_device/${host#host}:"*/device/block/sd*; do
		[ ! -e "$f" ] || echo "${f##*/}"
	done
}

# has_disks WWPN N: N LUNs are usable: disks that run and have their node.
has_disks() {
	local disk n=0
	for disk in $(disks_of "$1"); do
		attribute_is "/sys/block/$disk/device/state" running && [ -b "/dev/$disk" ] || return 1
		n=$((n + 1))
	done
	[ "$n" -eq "$2" ]
}

# parents_up NIC...: the bare kernel's parents, all at once (a login takes 4 s); sets parent[NIC] to the fc_host.
declare -A parent=()
parents_up() {
	local nic jobs=()
	for nic in "$@"; do
		host_kernel_fcoe "$nic" "${SAN_VSAN[${nic#*-}]}" >"$SAN_RUN/parent.$nic" &
		jobs+=($!)
	done
	wait "${jobs[@]}" || true
	for nic in "$@"; do
		parent[$nic]=$(<"$SAN_RUN/parent.$nic")
		[ -n "${parent[$nic]}" ] || {
			echo "parents_up: $nic: expected an fc_host, seen none" >&2
			return 1
		}
	done
}

parents_down() {
	local nic
	for nic in "${!parent[@]}"; do
		host_kernel_fcoe_down "$nic" "${SAN_VSAN[${nic#*-}]}" || return 1
	done
	parent=()
}

# A unit attention, or a status that comes once, goes to whoever sends the next command. Where a test is to see it, udev must
# not probe the disk meanwhile; udevadm control --start-exec-queue afterwards.
udev_quiet() { udevadm settle --timeout=60 && udevadm control --stop-exec-queue; }

# udev's rules for disks behind vports as they are installed, with the program of the build tree.
udev_rules() {
	mkdir -p /run/udev/rules.d
	sed "s|@pkglibexecdir@/vhba-npiv-id|${top_builddir:?}/src/udev/vhba-npiv-id|" "${top_srcdir:?}/src/data/rules.d/61-vhba.rules.in" \
		>/run/udev/rules.d/61-vhba.rules
	udevadm control --reload
}
