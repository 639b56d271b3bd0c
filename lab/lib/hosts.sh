# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The lab's two hosts, alpha and beta: each a vhbad with its own run-time folder, registry and parents. Needs san.sh.
#
# HOST_QUIESCE has further lines of [quiesce], HOST_TIMERS those of [timers], HOST_SYNC_CACHE its time for caches: here they get what
# time the drain has, since under emulation, beside other load, their default is short.
#   host_up HOST            starts it and waits until it answers; host_down HOST ends it, host_kill HOST without notice
#   vhbactl_alpha, vhbactl_beta

declare -A HOST_VHBAD=()

vhbactl_on() {
	local host=$1
	shift
	# The program behind libtool's wrapper does not know where the build tree's library is.
	LD_LIBRARY_PATH=${top_builddir:?}/src/lib/.libs "$(program vhbactl)" --socket "/run/$host/vhbad.sock" "$@"
}
vhbactl_alpha() { vhbactl_on alpha "$@"; }
vhbactl_beta() { vhbactl_on beta "$@"; }

# host_config_daemon HOST: who it is and where it keeps things, whatever its SAN is.
host_config_daemon() {
	cat <<-END
		[daemon]
		run-dir = /run/$1
		state-dir = /var/lib/$1
		socket = /run/$1/vhbad.sock
		user = vhba
		read-group = vhba
		admin-group = vhba
		host-name = $1
		priv = $(program vhba-priv)

		[names]
		oui = 0a:1b:2c

		[io]
		program = $(program vhba-io)
		group =
		deadline = ${HOST_IO_DEADLINE-1s}

	END
}

host_config() {
	host_config_daemon "$1"
	cat <<-END
		[quiesce]
		sync-cache = ${HOST_SYNC_CACHE-5s}
		${HOST_QUIESCE-}

		${HOST_TIMERS:+[timers]}
		${HOST_TIMERS-}

		[parents]
		use = fcoe

		[vsan 10]
		name = san-a
		vlan = 10

		[vsan 20]
		name = san-b
		vlan = 20

		[zone db-a]
		vsan = 10
		targets = ${SAN_ARRAY[a]}

		[zone db-b]
		vsan = 20
		targets = ${SAN_ARRAY[b]}

		[fcoe $1-a]
		vlans = auto

		[fcoe $1-b]
		vlans = 20
	END
}

host_user() {
	getent passwd vhba >/dev/null ||
		useradd --system --user-group --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin vhba
}

# What the service's unit leaves to root: so that what it lacks is noticed here.
host_capabilities() {
	sed -n 's/^CapabilityBoundingSet=//p' "${top_srcdir:?}/src/data/vhbad.service.in" |
		tr '[:upper:]' '[:lower:]' | sed 's/cap_/+/g; s/^/-all /; s/ /,/g'
}

# host_exec HOST: the daemon, not awaited, with what an earlier one left. Its log is $OUT/HOST.log.
host_exec() {
	local vhbad
	vhbad=$(program vhbad)
	setpriv --bounding-set "$(host_capabilities)" "$vhbad" --config "/run/$1/vhbad.conf" >>"$OUT/$1.log" 2>&1 </dev/null &
	HOST_VHBAD[$1]=$!
}

# host_start HOST: until it answers.
host_start() {
	host_exec "$1"
	until_true 20 vhbactl_on "$1" status || {
		echo "$1: vhbad does not answer; its log ends in:" >&2
		tail -n 20 "$OUT/$1.log" >&2
		return 1
	}
}

host_up() {
	host_user
	mkdir -p "/run/$1" "/var/lib/$1"
	chown vhba:vhba "/run/$1" "/var/lib/$1"
	host_config "$1" >"/run/$1/vhbad.conf"
	host_start "$1"
}

# host_end HOST SIGNAL
host_end() {
	kill "-$2" "${HOST_VHBAD[$1]}"
	wait "${HOST_VHBAD[$1]}"
}
host_down() { host_end "$1" TERM; }
host_kill() { host_end "$1" KILL || true; }

# parents_online HOST: both of its parents are.
parents_online() {
	[ "$(vhbactl_on "$1" --json parent list | jq '[.parents[] | select(.state == "Online")] | length')" -eq 2 ]
}

# identities HOST VM: "INDEX WWPN VSAN" of each vhba, the WWPN as 16 hexadecimal digits.
identities() {
	vhbactl_on "$1" --json vhba list "$2" | jq -r '.vhbas[] | "\(.index) \(.wwpn | gsub(":"; "")) \(.vsan)"'
}

# admit HOST VM: the zones of both SANs take its vhbas in, each in its own VSAN.
admit() {
	local wwpn vsan side
	while read -r _ wwpn vsan; do
		for side in "${SAN_SIDES[@]}"; do
			[ "${SAN_VSAN[$side]}" != "$vsan" ] || zone_in "$wwpn" "$side"
		done
	done < <(identities "$1" "$2")
}

# logged_in HOST VM: how many of its WWPNs the fabric has.
logged_in() {
	local wwpn vsan n=0
	while read -r _ wwpn vsan; do
		fabric_has "$wwpn" "$vsan" && n=$((n + 1))
	done < <(identities "$1" "$2")
	echo "$n"
}

# paths HOST VM: "INDEX DESIGNATOR SD" of each usable path.
paths() {
	vhbactl_on "$1" --json lun list "$2" | jq -r '.luns[] | select(.sd) | "\(.index) \(.designator) \(.sd)"' | sort
}

# inflight: commands at all SCSI devices of this kernel.
inflight() {
	local f n=0 value
	for f in /sys/class/scsi_device/*/device/device_busy; do
		{ read -r value <"$f"; } 2>/dev/null || continue
		n=$((n + value))
	done
	echo "$n"
}
some_inflight() { [ "$(inflight)" -gt 0 ]; }
none_inflight() { [ "$(inflight)" -eq 0 ]; }

# stall_begin, stall_end: how long this machine itself kept somebody waiting in between, at worst; $stalled, ms. What must
# be there by a deadline may be later by that.
stall_begin() {
	: >"${SAN_RUN:?}/stalled" # in the background it may come too late to be there when it is read
	"$(program stall)" >"$SAN_RUN/stalled" &
	stall_watcher=$!
}
stall_end() {
	kill "$stall_watcher"
	wait "$stall_watcher" || true
	stalled=$(<"$SAN_RUN/stalled")
	stalled=${stalled:-0} # it ended before it had begun
}

# elapsed_ms FILE: of an operation's result.
elapsed_ms() { jq -r '.elapsed_us / 1000 | floor' "$1"; }
