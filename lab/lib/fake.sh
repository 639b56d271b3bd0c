# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# vhbad on an FC adapter that is not here (lab/fakefc), in the lab's VM. Needs tap.sh, san.sh (programs), hosts.sh and db1.sh.
#
#   fake_up DRIVER     mounts one HBA, host2, and a target with two LUNs, and starts the daemon alpha on them
#   fake LINE          one line of the model's language
#   fake_log           what has happened there

FAKE=/run/fake
FAKE_TARGET=5006016000000a01
FAKE_PARENT=2
# ms beyond a deadline. How well it is kept is measured on the kernel's own sysfs (hold); here each look at it is three questions to
# another process, and what counts is that the answer does not wait for a driver that takes a minute.
FAKE_SLACK=10000

host_config() {
	host_config_daemon "$1"
	cat <<-END
		[vsan 10]
		name = san-a
		fabric-name = 10:00:00:00:00:00:00:10

		[zone db-a]
		vsan = 10
		targets = $FAKE_TARGET
	END
}

fake() { printf '%s\n' "$1" >"$FAKE/control"; }
fake_log() { cat "$FAKE/log"; }
# fake_logs TEXT: how often
fake_logs() { grep -c -- "$1" "$FAKE/log" || true; }
# fake_count KEY: busy, parked, completed or cut-off
fake_count() { awk -v key="$1" '$1 == key { print $2 }' "$FAKE/control"; }
fake_count_is() { [ "$(fake_count "$1")" -eq "$2" ]; }
# The fabric has a name that is none of the HBA's and the target's.
fake_logged_in() { grep -v -e " $FAKE_TARGET " -e ' 10000090fa000002 ' "$FAKE/control" | grep -q '^name '; }

# What sysfs shows of the only vport: FOLDER FILE.
fake_attr() { cat "$FAKE/sys/class/$1"/"$2"; }
fake_vport() {
	local vport
	vport=$(compgen -G "$FAKE/sys/class/fc_vports/vport-*") && echo "$vport"
}
fake_vports() { compgen -G "$FAKE/sys/class/fc_vports/vport-*" | wc -l; }
fake_vport_state() { cat "$(fake_vport)/vport_state"; }
fake_vport_is() { [ "$(fake_vport_state)" = "$1" ]; }
# The vport's own Scsi_Host: its number.
fake_host() {
	local host
	host=$(compgen -G "$(fake_vport)/device/host*") && echo "${host##*/host}"
}

fake_mount() {
	modprobe fuse
	mkdir -p "$FAKE" "$SAN_RUN"
	cat >"$OUT/fake.conf" <<-END
		hba $1 host $FAKE_PARENT wwpn 10000090fa000002 wwnn 20000090fa000002 fabric 1000000000000010
		target wwpn $FAKE_TARGET fabric 1000000000000010 luns 2
	END
	"$(program fakefc)" "$OUT/fake.conf" "$FAKE" >"$OUT/fakefc.log" 2>&1 </dev/null &
	FAKE_PID=$!
	until_true 10 test -e "$FAKE/control"
}

fake_up() {
	fake_mount "$1" || bail "the model of $1 is not mounted"
	export VHBA_SYSROOT=$FAKE
	host_up alpha || bail "the daemon does not start"
}

fake_down() {
	run_ok host_down alpha
	fake_save
	kill "$FAKE_PID"
	ok "the model ends well" wait "$FAKE_PID"
}

fake_save() {
	cp "$FAKE/log" "$OUT/fake.log" 2>/dev/null || true
	cp "$FAKE/control" "$OUT/fake.control" 2>/dev/null || true
}

# ---- what every driver is held to ----

fake_register() {
	run_ok ctl vm add db1 --uuid 6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01
	run_ok ctl vhba add db1 --vsan 10 --zone db-a
}

test_attach() {
	run_ok ctl attach db1 --deadline 60s
	is "$(paths alpha db1 | wc -l)" 2 "db1 has 2 paths"
	is "$(fake_vport_state)" Active "its vport is Active"
	ok "and in the name server" fake_logged_in
}

# create_fails KEY VALUE STATUS REGEX HEALTHY [DEADLINE]: attach with that fault of the HBA ends so, says why and leaves nothing. What no
# errno tells is waited for until the deadline.
create_fails() {
	local rc
	fake "set host $FAKE_PARENT $1 $2"
	# A machine that is too busy may answer when vhbactl has given up.
	for _ in 1 2 3; do
		rc=0
		ctl attach db1 --deadline "${6:-60s}" >"$OUT/create.txt" 2>&1 || rc=$?
		grep -q 'has not answered in time' "$OUT/create.txt" || break
		until_true 60 no_operation || true
	done
	is "$rc" "$3" "$1 $2: attach fails"
	like "$(<"$OUT/create.txt")" "$4" "and says why"
	until_ok 10 "and leaves no vport" no_vport
	fake "set host $FAKE_PARENT $1 $5"
}
no_vport() { [ "$(fake_vports)" -eq 0 ]; }

test_healthy() {
	result healthy $((15000 + FAKE_SLACK)) 0 quiesce db1 --deadline 15s --paused
	is "$(jq -r .outcome "$OUT/healthy.json")" confirmed "a healthy quiesce is confirmed"
	is "$(fake_vport_state)" Disabled "the vport is disabled"
	fails "the fabric has let it go" fake_logged_in
	is "$(db1_state)" held "the VM is held"
	resumed resume
	is "$(fake_count cut-off)" 0 "no command was cut off"
}

# resumed NAME: attached again, with its vport Active. On a machine that is too busy the rport timers may come too late to be claimed.
resumed() {
	ctl --json resume db1 --deadline 60s >"$OUT/$1.json" 2>"$OUT/$1.err" || true
	until_ok 60 "$1: it is answered" no_operation
	is "$(db1_state)" attached "$1: the VM is attached"
	is "$(fake_vport_state)" Active "$1: its vport is Active"
}

# hang N: N commands on each LUN that never end.
hang() {
	fake "set target $FAKE_TARGET mode hung"
	fake "io host $(fake_host) count $1"
	ok "$((2 * $1)) commands are in flight that do not end" fake_count_is busy $((2 * $1))
}
heal() { fake "set target $FAKE_TARGET mode ok"; }

test_release() {
	result held $((15000 + FAKE_SLACK)) 0 quiesce db1 --deadline 15s --paused
	result release $((30000 + FAKE_SLACK)) 0 release db1 --deadline 30s
	is "$(fake_vports)" 0 "released: no vport"
	fails "nor a login" fake_logged_in
	is "$(db1_state)" detached "the VM is detached"
}

# An rport that is Blocked takes no timers: the vport is deleted, which a resume repairs.
test_rport_blocked() {
	hang 2
	fake "set target $FAKE_TARGET mode offline"
	is "$(cat "$FAKE/sys/class/fc_remote_ports/rport-$(fake_host):"*/port_state | grep -c Blocked)" 1 "the target's rport is Blocked"
	result hard $((15000 + FAKE_SLACK)) 0 quiesce db1 --deadline 15s --drain 100ms --paused
	is "$(jq -r .outcome "$OUT/hard.json")" confirmed "commands behind a Blocked rport are cut off"
	is "$(fake_count busy)" 0 "none is in flight"
	is "$(fake_vports)" 0 "by the vport's end"
	heal
	resumed resume-hard
	is "$(paths alpha db1 | wc -l)" 2 "with its paths"
}

# test_plan DRIVER
test_plan() {
	ends 5 "a plan says beforehand that 3 s may be too short" ctl plan db1 --deadline 3s
	said "profile $1" "by the driver's profile"
}

# quiesce_whole NAME DEADLINE: one that takes its whole deadline. Its record comes from the log, where it is also when vhbactl has
# given up waiting for a machine that is too busy.
quiesce_whole() {
	ctl --json quiesce db1 --deadline "$2" --paused >"$OUT/$1.answer" 2>&1 || true
	until_ok 60 "$1: a quiesce within $2 is answered" no_operation
	ctl --json log db1 --last 1 | jq '.records[-1]' >"$OUT/$1.json"
	is "$(jq -r '.operation + " " + .outcome' "$OUT/$1.json")" "quiesce unconfirmed" "$1: it ends unconfirmed"
}
no_operation() { [ "$(ctl --json status | jq '.operations | length')" -eq 0 ]; }

# What is not proved is not claimed, and named.
test_silent_fabric() {
	fake "set host $FAKE_PARENT r-a-tov 250ms"
	fake "set host $FAKE_PARENT fabric-answers no"
	quiesce_whole silent 8s
	is "$(jq -r '.unproved[]' "$OUT/silent.json")" "vhba 0: fabric logged out" "a silent fabric: that alone is not proved"
	ok "and it has not let the name go" fake_logged_in
	fake "set host $FAKE_PARENT fabric-answers yes"
	fake "set host $FAKE_PARENT r-a-tov 10s"
	resumed resume-silent
}

# A child of vhba-priv waits within a write to the model, as it would in a driver.
child_in_kernel() {
	local pid
	for pid in $(pgrep -x vhba-priv); do
		grep -qs vfs_write "/proc/$pid/stack" && return
	done
	return 1
}

# Of the quiesce that is held: all the evidence has come, also after its answer.
evidence_is_whole() { grep -qs ' ev=proved .*evidence=7 ' /run/alpha/journal/*.op; }

# test_blocked KEY HEALTHY: that step of the driver's disable blocks until it is told to end, long beyond the deadline.
test_blocked() {
	fake "set host $FAKE_PARENT r-a-tov 120s"
	fake "set host $FAKE_PARENT $1 200s"
	quiesce_whole blocked 5s
	ok "$1: a child of vhba-priv still waits in the disable" child_in_kernel
	ok "the answer did not wait for it" test "$(elapsed_ms "$OUT/blocked.json")" -le $((5000 + FAKE_SLACK))
	fake "set host $FAKE_PARENT $1 $2"
	fake "hurry host $FAKE_PARENT"
	until_ok 20 "what ends late completes the record" evidence_is_whole
	result blocked-again $((15000 + FAKE_SLACK)) 0 quiesce db1 --deadline 15s --paused
	is "$(jq -r .outcome "$OUT/blocked-again.json")" confirmed "and a quiesce asked for again is confirmed"
	fake "set host $FAKE_PARENT r-a-tov 10s"
	resumed resume-blocked
	fails "no child is left there" child_in_kernel
}
