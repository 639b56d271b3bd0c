# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The measurements of a quiesce and a resume, for bench/measure: the same drain and writes by a bare program (stop.c) beside vhbad.

# Two vhbas with four LUNs each, host alpha; $two is "WWPN WWPN".
two_up() {
	SAN_LUNS=4
	one_host_up
	vhbactl_alpha vm add two --uuid 00000000-0000-4000-9000-000000000002 >/dev/null
	vhbactl_alpha vhba add two --vsan 10 --zone db-a >/dev/null
	vhbactl_alpha vhba add two --vsan 20 --zone db-b >/dev/null
	admit alpha two
	"$client" attach "$alpha_socket" two >/dev/null
	mapfile -t two < <(identities alpha two | awk '{ print $2 }')
	udevadm settle --timeout=60
}
one_host_up() {
	san_up
	host_up alpha
	until_true 40 parents_online alpha
}

all_disks() {
	local wwpn
	for wwpn in "$@"; do
		disks_of "$wwpn"
	done
}
first_disks() {
	local wwpn
	for wwpn in "$@"; do
		disks_of "$wwpn" | head -n 1
	done
}
all_online() {
	local wwpn
	for wwpn in "$@"; do
		rports_are "$wwpn" Online || return 1
	done
}
in_flight_is() { [ "$(inflight)" -ge "$1" ]; }

# ---- healthy: 8 LUNs with 32 commands each, then the resume until the first read ----

load_begin() {
	local disk jobs=()
	for disk in $(all_disks "${two[@]}"); do
		jobs+=(--name="$disk" --filename="/dev/$disk")
	done
	fio --ioengine=libaio --direct=1 --rw=randread --bs=4k --iodepth=32 --time_based --runtime=300 --thread \
		--output="$OUT/fio.txt" "${jobs[@]}" &
	load=$!
	until_true 60 in_flight_is 128
}

load_end() {
	kill -INT "$load"
	kill -CONT "$load"
	wait "$load" || true
}

# The owner pauses when the clock starts: nothing new is submitted, what is in flight goes on.
healthy_kernel() {
	record drain kernel "$(VHBA_BENCH_LOAD=$load "$stop" quiesce parallel 2000 "${two[@]}")"
	record resume kernel "$("$stop" resume "${two[@]}" -- "${disks[@]}")"
}

# What of a quiesce the kernel had: from the first vport_disable until the last one's end.
logout_us() {
	jq '[.records[-1].vhbas[].phases[] | select(.phase == "logout")] | (map(.end_us) | max) - (map(.start_us) | min)' "$1"
}

healthy_vhba() {
	record drain vhba "$(VHBA_BENCH_LOAD=$load "$client" quiesce "$alpha_socket" 5000 2000 two)"
	vhbactl_alpha --json log two --last 1 >"$OUT/drain.$1.json"
	record drain-logout vhba "$(logout_us "$OUT/drain.$1.json")"
	record resume vhba "$("$client" resume "$alpha_socket" two -- "${disks[@]}")"
}

measure_healthy() {
	local i who
	two_up
	mapfile -t disks < <(first_disks "${two[@]}")
	for ((i = 0; i < rounds; i++)); do
		for who in kernel vhba; do
			load_begin
			"healthy_$who" "$i"
			load_end
			until_true 60 all_online "${two[@]}"
			udevadm settle --timeout=60
		done
	done
	"$client" detach "$alpha_socket" two >/dev/null
}

# ---- an array hangs: until the command in flight has ended ----

disks_read() { dd "if=/dev/$1" of=/dev/null bs=4k count=1 iflag=direct status=none 2>/dev/null; }

ended_by_nothing() { :; }
ended_by_vhba() { "$client" quiesce "$alpha_socket" 200 50 one 2>/dev/null >&2; }
ended_by_disable() { "$stop" disable "$one" >/dev/null; }
ended_by_delete() { "$stop" delete-devices "$one" >/dev/null; }
ended_by_libvirt() { virsh -c nodedev:///system nodedev-destroy "scsi_$(fc_host_of "$one")" >/dev/null 2>&1; }

# ended_once MEANS WHO
ended_once() {
	local start action
	hung_begin
	start=$(now_us)
	"ended_by_$1" &
	action=$!
	wait "$reader" || true
	record ended "$2" $(($(now_us) - start))
	wait "$action" || true
	hung_end_by_force
}

# Whatever the means has left: the kernel's own way to the beginning.
hung_end_by_force() {
	fabricctl fault array-a heal
	"$client" detach "$alpha_socket" one >/dev/null 2>&1 || true
	[ -z "$(vport_of "$one" || true)" ] || "$floor" delete "$(host_of alpha)" "$one" "$one_node" >/dev/null || true
	quiet "$one"
}

measure_ended() {
	local i
	prepare
	for ((i = 0; i < rounds; i++)); do
		ended_once vhba vhba
		ended_once disable disable
		ended_once delete delete
		! libvirt_up || ended_once libvirt libvirt
		ended_once nothing kernel
	done
	say_within ended 200
}

# ---- 255 VMs at once, one of the two array ports hung ----

storm_side() { (($1 % 2)) && echo b || echo a; }

storm_register() {
	local i side
	vms=() names=()
	for ((i = 0; i < many; i++)); do
		side=$(storm_side "$i")
		vms+=("s$i") names+=("$(name_at "$i")")
		zone_in "$(name_at "$i")" "$side"
		vhbactl_alpha vm add "s$i" --uuid "$(printf '00000000-0000-4000-b000-%012x' "$i")" >/dev/null
		vhbactl_alpha vhba add "s$i" --vsan "${SAN_VSAN[$side]}" --zone "${SAN_ZONE[$side]}" --wwpn "$(name_at "$i")" \
			--wwnn "$(node_at "$i")" >/dev/null
	done
}

# storm_begin COUNT: a read in flight at each of the first COUNT vports that is at the array port that hangs. The kernel takes a disk
# away, and gives another one, where a resume came later than dev_loss_tmo.
storm_begin() {
	local disk i
	readers=()
	mapfile -t hung_disks < <(for ((i = 0; i < $1; i += 2)); do disks_of "${names[i]}"; done)
	fabricctl fault array-a hang
	for disk in "${hung_disks[@]}"; do
		disks_read "$disk" &
		readers+=($!)
	done
	until_true 120 in_flight_is "${#hung_disks[@]}"
}

storm_end() {
	local reader
	for reader in "${readers[@]}"; do
		wait "$reader" || true
	done
	fabricctl fault array-a heal
}

storm_resumed() {
	until_true 300 all_online "${names[@]}"
	udevadm settle --timeout=120
}

# storm_kernel parallel|series MEASURE COUNT
storm_kernel() {
	storm_begin "$3"
	record "$2" kernel "$("$stop" quiesce "$1" 500 "${names[@]:0:$3}")"
	storm_end
	"$stop" resume "${names[@]:0:$3}" >/dev/null
	storm_resumed
}

# No answer of "confirmed" for a name that the fabric still has.
storm_truth() {
	local i name said n=0
	for ((i = 0; i < many; i++)); do
		name=${names[i]}
		said=$(vhbactl_alpha --json log "${vms[i]}" --last 1 | jq -r '.records[-1].outcome')
		[ "$said" != confirmed ] || ! fabric_has "$name" "${SAN_VSAN[$(storm_side "$i")]}" || n=$((n + 1))
	done
	is "$n" 0 "nothing that is not true was called confirmed"
}

# watch_begin, watch_end MEASURE: the longest that a status took in between, and an answer of a process that does nothing else.
watch_begin() {
	chrt -f 10 "$client" watch "$alpha_socket" >"$OUT/watch.us" 2>"$OUT/watch.txt" &
	watcher=$!
	chrt -f 10 "$client" echo >"$OUT/echo.us" 2>"$OUT/echo.txt" &
	echoer=$!
	until_true 10 kill -0 "$watcher" "$echoer"
}
watch_end() {
	kill "$watcher" "$echoer"
	wait "$watcher" "$echoer" || true
	record "$1" kernel "$(<"$OUT/echo.us")"
	record "$1" vhba "$(<"$OUT/watch.us")"
}

storm_vhba() {
	local watcher echoer
	# What the machine itself adds to it: nothing is done, for as long.
	watch_begin
	sleep 2
	watch_end storm-status-idle
	storm_begin "$many"
	watch_begin
	record storm vhba "$("$client" quiesce "$alpha_socket" 2000 500 "${vms[@]}" 2>"$OUT/storm.$1")"
	watch_end storm-status
	sed 's/^/# /' "$OUT/storm.$1"
	storm_truth
	storm_end
	"$client" resume-all "$alpha_socket" "${vms[@]}" >/dev/null
	storm_resumed
}

measure_storm() {
	local i
	one_host_up
	storm_register
	"$client" attach "$alpha_socket" "${vms[@]}" >/dev/null
	udevadm settle --timeout=120
	for ((i = 0; i < rounds; i++)); do
		storm_kernel parallel storm "$many"
		storm_vhba "$i"
	done
	# In series 255 take longer than a command's 30 s, and Linux 6.1 dies of a disable under error handling.
	storm_kernel series storm-series "$((many < 32 ? many : 32))"
	"$client" detach "$alpha_socket" "${vms[@]}" >/dev/null
}
