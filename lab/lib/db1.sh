# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# A VM to try things on: db1 with a vhba in each SAN, on host alpha. Needs tap.sh, san.sh, vport.sh and hosts.sh.

ctl() { vhbactl_alpha "$@"; }

# db1_up: registered, zoned in, attached, with a path to each LUN in each SAN.
db1_up() {
	run_ok ctl vm add db1 --uuid 6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01
	run_ok ctl vhba add db1 --vsan 10 --zone db-a
	run_ok ctl vhba add db1 --vsan 20 --zone db-b
	admit alpha db1
	run_ok ctl attach db1 --deadline 20s
	is "$(paths alpha db1 | wc -l)" $((2 * SAN_LUNS)) "db1 has $((2 * SAN_LUNS)) paths"
	# udevd reads the new disks: commands in flight that no test has sent.
	udevadm settle --timeout=60
}

db1_state() { ctl --json vm show db1 | jq -r .vm.state; }
db1_is() { [ "$(db1_state)" = "$1" ]; }

# path_of INDEX: the first path of that vhba ("sda").
path_of() { paths alpha db1 | awk -v i="$1" '$1 == i { print $3; exit }'; }

vport_count() {
	local all=(/sys/class/fc_vports/vport-*)
	[ -e "${all[0]}" ] || all=()
	echo "${#all[@]}"
}

# timed NAME COMMAND...: an operation with --json, its record in $OUT/NAME.json, beside a watch of what this machine is stalled by;
# its status.
timed() {
	local name=$1 rc=0
	shift
	stall_begin
	ctl --json "$@" >"$OUT/$name.json" 2>"$OUT/$name.err" || rc=$?
	stall_end
	return "$rc"
}

# in_time NAME DEADLINE-MS: it was answered by its deadline, 50 ms of scheduling and what this machine was stalled by.
in_time() { ok "$1: answered by its deadline" test "$(elapsed_ms "$OUT/$1.json")" -le $(($2 + stalled)); }

# result NAME DEADLINE-MS STATUS COMMAND...: a timed operation ends with that status and in time.
result() {
	local name=$1 limit=$2 expected=$3 rc=0
	shift 3
	timed "$name" "$@" || rc=$?
	is "$rc" "$expected" "$name: vhbactl ends with $expected"
	[ "$rc" -eq "$expected" ] || diag "$(cat "$OUT/$name.json" "$OUT/$name.err")"
	in_time "$name" "$limit"
	diag "$(jq -r '"\(.outcome) after \(.elapsed_us / 1000 | floor) ms"' "$OUT/$name.json"), stalled for $stalled ms"
}

# lost_command NAME DEADLINE-MS COMMAND...: a timed operation, in time; does the kernel keep a command that its logout should have ended?
lost_command() {
	local name=$1 limit=$2
	shift 2
	timed "$name" "$@" || true
	in_time "$name" "$limit"
	jq -e '.outcome == "unconfirmed" and (.text | contains("its logout has not ended"))' "$OUT/$name.json" >/dev/null
}

# reader SD: reads it once, directly, in the background; its pid in $reader.
# shellcheck disable=SC2034 # the scenarios use $reader
read_in_background() {
	dd "if=/dev/$1" of=/dev/null bs=4k count=1 iflag=direct status=none 2>"$OUT/reader.err" &
	reader=$!
}
