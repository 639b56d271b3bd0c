# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# A vport and a libvirt pool on it, until virsh lists four LUNs that are behind two targets: by an fc_host pool that makes its own
# vport, and by vhbad and vhba-virt, whose pool has them all when it is active. Read by bench/measure.

# shellcheck source=lab/lib/virt.sh
. "$LAB/lib/virt.sh"

second_target=50:06:01:60:00:00:0a:02

# LUNs 0 and 1 behind the first target, 2 and 3 behind a second one: for a path more to a LUN that it has, libvirt waits 10 s.
pool_san() {
	local lun
	fabricctl target array-a2 wwpn "$second_target" wwnn "$SAN_ARRAY_WWNN" vsan 10
	fabricctl zone 10 db-a add "$second_target" principal
	for lun in 1 2 3; do fabricctl lun "P$lun" memory 64M; done
	fabricctl map array-a 1 P1
	fabricctl map array-a2 2 P2
	fabricctl map array-a2 3 P3
}

pool_prepare() {
	local zone="targets = ${SAN_ARRAY[a]}"
	san_up
	pool_san
	udev_rules
	host_user
	mkdir -p /run/alpha /var/lib/alpha
	chown vhba:vhba /run/alpha /var/lib/alpha
	host_config alpha | sed "s/^$zone\$/$zone $second_target/" >/run/alpha/vhbad.conf
	host_start alpha
	until_true 40 parents_online alpha
	libvirtd_up
	virt_up
	zone_in "$one" a
	ctl vm add one --uuid 00000000-0000-4000-9000-000000000001 --pool >/dev/null
	ctl vhba add one --vsan 10 --zone db-a --wwpn "$one" --wwnn "$one_node" >/dev/null
	ctl attach one --deadline 20s >/dev/null # the first attach records the LUNs
	until_true 60 volumes_are vhba-one-0 4
	pool_end_vhba
}

# vhba's pool is taken down by vhba-virt after the vport.
pool_end_vhba() {
	ctl detach one --deadline 20s >/dev/null
	until_true 60 no_pools
	quiet "$one"
}

lists() { virsh_do vol-list "$1" 2>/dev/null | awk 'NF' | wc -l; }

pool_libvirt() {
	local start
	cat >/run/lab/pool.xml <<-END
		<pool type='scsi'><name>own</name>
		<source><adapter type='fc_host' parent='scsi_$(host_of alpha)' managed='yes' wwnn='$one_node' wwpn='$one'/></source>
		<target><path>/dev/disk/by-id</path></target></pool>
	END
	start=$(now_us)
	virsh_do pool-define /run/lab/pool.xml >/dev/null
	virsh_do pool-start own >/dev/null
	if timeout 100 bash -c "$(declare -f virsh_do lists); LIBVIRT_URI=$LIBVIRT_URI
		until [ \"\$(lists own)\" -ge 4 ]; do virsh_do pool-refresh own >/dev/null; done"; then
		record pool libvirt $(($(now_us) - start))
	else
		diag "libvirt's own pool has not all LUNs after 100 s"
	fi
	virsh_do pool-destroy own >/dev/null || true
	virsh_do pool-undefine own >/dev/null
	quiet "$one"
}

# What both wait for, since libvirt's start of a pool does: udev has done with four new disks.
pool_floor() {
	local start
	start=$(now_us)
	"$floor" create "$(host_of alpha)" "$one" "$one_node" >/dev/null
	until_true 60 has_disks "$one" 4
	udevadm settle --timeout=60
	record pool kernel $(($(now_us) - start))
	"$floor" delete "$(host_of alpha)" "$one" "$one_node" >/dev/null
	quiet "$one"
}

pool_vhba() {
	local start last
	last=$(ctl --json events | jq -s '[.[] | (.events? // [.])[] | .seq] | max // 0')
	start=$(now_us)
	# Who looks in a loop takes the processors that udev needs.
	coproc events { exec timeout 60 "$(program vhbactl)" --socket "$alpha_socket" events --since "$last" --follow; }
	ctl attach one --deadline 20s >/dev/null
	grep -q -m 1 'vhba-one-0 is running' <&"${events[0]}"
	[ "$(lists vhba-one-0)" -eq 4 ] && record pool vhba $(($(now_us) - start))
	kill "$events_PID" 2>/dev/null || true
	pool_end_vhba
}

measure_pool() {
	local i
	pool_prepare
	for ((i = 0; i < rounds; i++)); do
		pool_floor
		pool_libvirt
		pool_vhba
	done
	virt_down
	libvirtd_down
}
