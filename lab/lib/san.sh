# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The lab's SAN, inside the VM. Two hosts, alpha and beta, each with two Ethernet interfaces, HOST-a and HOST-b; the far
# ends, HOST-a.sw and HOST-b.sw, are ports of the fabric process. SAN A is VSAN 10 on VLAN 10, SAN B is VSAN 20 on VLAN 20; an array
# port in each shows the same LUNs.
#
#   san_up, san_down                        network, fabric and arrays
#   host_kernel_fcoe IF VLAN, ..._down      a parent by the bare kernel: VLAN, macvlan, FCoE controller; prints its fc_host
#   fabricctl ...                           orders to the fabric
# shellcheck source=lab/lib/wait.sh
. "${LAB:?}/lib/wait.sh"

SAN_RUN=/run/san
SAN_HOSTS=(alpha beta)
SAN_SIDES=(a b)
declare -A SAN_VSAN=([a]=10 [b]=20)
declare -A SAN_ZONE=([a]=db-a [b]=db-b)
declare -A SAN_ARRAY=([a]=50:06:01:60:00:00:0a:01 [b]=50:06:01:60:00:00:0b:01)
SAN_ARRAY_WWNN=50:06:01:60:00:00:00:01
SAN_LUNS=4 # in each SAN; before san_up it may be changed
# FCoE carries whole FC frames: 2112 bytes of payload and the headers.
SAN_MTU=2500

# program NAME: its path in the build tree; of a libtool wrapper the program behind it, which starts faster.
program() {
	local dir
	for dir in lab/fabric lab/fakefc src/daemon src/ctl src/hook src/io src/virt src/priv lab/tools bench bench/io; do
		dir=${top_builddir:?}/$dir
		if [ -x "$dir/.libs/$1" ]; then
			echo "$dir/.libs/$1"
			return
		elif [ -x "$dir/$1" ]; then
			echo "$dir/$1"
			return
		fi
	done
	echo "$1: not built in $top_builddir" >&2
	return 1
}
export LD_LIBRARY_PATH=${top_builddir:?}/src/lib/.libs

# ---- network ----

# Fixed addresses: fcoe derives a parent's names from them, and udev leaves them alone.
san_mac() {
	case $1 in
	alpha-a) echo 02:00:00:0a:00:01 ;;
	alpha-b) echo 02:00:00:0b:00:01 ;;
	beta-a) echo 02:00:00:0a:00:02 ;;
	beta-b) echo 02:00:00:0b:00:02 ;;
	esac
}

san_network_up() {
	local host side nic orders=''
	echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
	echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	for host in "${SAN_HOSTS[@]}"; do
		for side in "${SAN_SIDES[@]}"; do
			nic=$host-$side
			orders+="link add $nic mtu $SAN_MTU address $(san_mac "$nic") type veth peer name $nic.sw mtu $SAN_MTU"$'\n'
			orders+="link set $nic.sw up promisc on"$'\n'"link set $nic up"$'\n'
		done
	done
	ip -batch - <<<"$orders"
}

san_network_down() {
	local host side
	for host in "${SAN_HOSTS[@]}"; do
		for side in "${SAN_SIDES[@]}"; do
			ip link delete "$host-$side" 2>/dev/null || true
		done
	done
}

# ---- fabric ----

# The fabric's commands; SAN_ARRAYS=0 makes a SAN without arrays.
san_config() {
	local host side vsan
	for side in "${SAN_SIDES[@]}"; do
		vsan=${SAN_VSAN[$side]}
		echo "vsan $vsan name san-$side vlan $vsan"
		for host in "${SAN_HOSTS[@]}"; do
			echo "port $host-$side if $host-$side.sw vsans $vsan"
		done
		echo "zone $vsan ${SAN_ZONE[$side]} add ${SAN_ARRAY[$side]} principal"
	done
	[ "${SAN_ARRAYS:-1}" = 0 ] || san_config_arrays
}

san_config_arrays() {
	local side lun
	for ((lun = 0; lun < SAN_LUNS; lun++)); do
		echo "lun L$lun memory 64M"
	done
	for side in "${SAN_SIDES[@]}"; do
		echo "target array-$side wwpn ${SAN_ARRAY[$side]} wwnn $SAN_ARRAY_WWNN vsan ${SAN_VSAN[$side]}"
		for ((lun = 0; lun < SAN_LUNS; lun++)); do
			echo "map array-$side $lun L$lun"
		done
	done
}

fabricctl() { "$SAN_FABRICCTL" "$@"; }

# Its log and, with SAN_TRACE=1, every frame: in memory, since each write to the host would hold the fabric up.
san_fabric_up() {
	local fabricd said='' trace=()
	fabricd=$(program fabricd)
	san_config >"$SAN_RUN/fabricd.conf"
	[ "${SAN_TRACE:-0}" = 0 ] || trace=(--trace "$SAN_RUN/trace.pcapng" --print-frames "$SAN_RUN/frames.txt")
	[ -p "$SAN_RUN/ready" ] || mkfifo "$SAN_RUN/ready"
	"$fabricd" --config "$SAN_RUN/fabricd.conf" --socket "$FABRICD_SOCKET" --log "$SAN_RUN/fabricd.log" "${trace[@]}" \
		--ready-fd 9 9>"$SAN_RUN/ready" >"$SAN_RUN/fabricd.err" 2>&1 </dev/null &
	SAN_FABRICD=$!
	read -r -t $((20 * WAIT_PATIENCE)) said <"$SAN_RUN/ready" || true
	[ "$said" = READY=1 ] || {
		echo "fabricd is not ready:" >&2
		cat "$SAN_RUN/fabricd.err" >&2
		return 1
	}
}

san_up() {
	mkdir -p "$SAN_RUN"
	SAN_FABRICCTL=$(program fabricctl)
	export FABRICD_SOCKET=$SAN_RUN/fabricd.sock
	san_network_up
	san_fabric_up
}

# What the fabric has recorded, to the host.
san_save() {
	local file
	for file in fabricd.log fabricd.err trace.pcapng frames.txt; do
		[ ! -s "$SAN_RUN/$file" ] || cp "$SAN_RUN/$file" "$OUT/"
	done
}

# Fails when the fabric process had crashed, or found an error in itself as it ended.
san_down() {
	local status=0
	kill "$SAN_FABRICD" 2>/dev/null || true
	wait "$SAN_FABRICD" || status=$?
	san_save
	[ "$status" -eq 0 ] || {
		echo "fabricd ended with status $status:" >&2
		tail -n 30 "$SAN_RUN/fabricd.err" >&2
		return 1
	}
	# An interface that vanishes under an FCoE controller with NPIV ports can hold `ip` for ever.
	if compgen -G "/sys/class/fc_host/host*" >/dev/null; then
		echo "san_down: expected no fc_host, seen:" /sys/class/fc_host/host* >&2
		return 1
	fi
	san_network_down
}

# zone_in WWPN, zone_out WWPN [SIDE]: put it in, or take it out of, the zones of both SANs, or one.
zone_in() {
	local side
	for side in ${2:-"${SAN_SIDES[@]}"}; do
		fabricctl zone "${SAN_VSAN[$side]}" "${SAN_ZONE[$side]}" add "$1"
	done
}
zone_out() {
	local side
	for side in ${2:-"${SAN_SIDES[@]}"}; do
		fabricctl zone "${SAN_VSAN[$side]}" "${SAN_ZONE[$side]}" remove "$1"
	done
}

# fabric_has WWPN VSAN: it is logged in to the fabric.
fabric_has() {
	fabricctl show logins --json | jq -e --arg w "$1" --argjson v "$2" \
		'any(.[]; (.wwpn | gsub(":"; "")) == $w and .vsan == $v)' >/dev/null
}
fabric_lacks() { ! fabric_has "$@"; }

# ---- parents by the bare kernel ----

# fc_host_over IF: the name of the fc_host of an FCoE interface ("host3"); fails when there is none.
fc_host_over() {
	local f value
	for f in /sys/class/fc_host/host*/symbolic_name; do
		# Not $(<file): bash ends the shell when the host goes just then.
		{ read -r value <"$f"; } 2>/dev/null || continue
		case $value in
		*" over $1")
			f=${f%/symbolic_name}
			echo "${f##*/}"
			return
			;;
		esac
	done
	return 1
}

no_fc_host_over() { ! fc_host_over "$1"; }

# The macvlan in passthru mode keeps the controllers of two VLANs apart: fcoe also listens on a VLAN's real device.
host_kernel_fcoe() {
	local nic=$1 vlan=$2 fcoe=$1.$2f controller
	ip -batch - <<-END
		link add link $nic name $nic.$vlan mtu $SAN_MTU type vlan id $vlan
		link add link $nic.$vlan name $fcoe mtu $SAN_MTU type macvlan mode passthru
		link set $nic.$vlan up
		link set $fcoe up
	END
	echo "$fcoe" >/sys/bus/fcoe/ctlr_create
	controller=$(echo "/sys/class/net/$fcoe"/ctlr_*)
	echo 1 >"$controller/enabled"
	host_kernel_online "$fcoe" || return 1
	fc_host_over "$fcoe"
}

host_kernel_online() {
	local host state
	host=$(fc_host_over "$1") || {
		echo "$1: expected an fc_host over it, seen none" >&2
		return 1
	}
	state=/sys/class/fc_host/$host/port_state
	until_true 30 attribute_is "$state" Online || {
		echo "$1: expected $host to come Online, seen: $(cat "$state")" >&2
		return 1
	}
}

# host_kernel_fcoe_down IF VLAN: the kernel takes the controller down in a work item, after the fc_host; a link that goes
# before it is done leaves the controller without a parent in sysfs, and crashed the kernel.
host_kernel_fcoe_down() {
	local fcoe=$1.$2f controller
	controller=$(echo "/sys/class/net/$fcoe"/ctlr_*)
	echo "$fcoe" >/sys/bus/fcoe/ctlr_destroy
	until_true 60 no_fc_host_over "$fcoe" && until_true 60 absent "/sys/bus/fcoe/devices/${controller##*/}" || {
		echo "$fcoe: expected its controller to go, seen ${controller##*/} still there" >&2
		return 1
	}
	ip link delete "$1.$2"
}
