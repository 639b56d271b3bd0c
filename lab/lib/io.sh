# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# A VM db1 on alpha, whose guest (lab/tools/ioguest) has its LUNs by the vhba-io that vhbad starts. Needs tap.sh, san.sh, vport.sh,
# hosts.sh and db1.sh.
#   io_up HOST...             the SAN, the hosts, and db1, registered and zoned in
#   test_attach, works, test_end; io_attach is the attach without the guest, guest_begin and guest_end are the guest's

reply=''

# guest LINE: what lab/tools/ioguest does with it; its answer in $reply.
guest() {
	printf '%s\n' "$*" >&"${GUEST[1]}"
	read -r -t $((60 * WAIT_PATIENCE)) -u "${GUEST[0]}" reply || bail "no answer to: $*"
}
# guest_is LINE EXTENDED-REGEX DESCRIPTION
guest_is() {
	guest "$1"
	like "$reply" "$2" "$3"
}
guest_says() {
	guest "$1"
	[[ $reply =~ $2 ]]
}

# back_end HOST FIELD: of its only vhba-io
back_end() { vhbactl_on "$1" --json io list | jq -r ".back_ends[] | .$2"; }
back_end_is() { [ "$(back_end "$1" "$2")" = "$3" ]; }
other() { back_end_is "$1" state up && [ "$(back_end "$1" pid)" != "$2" ]; }
inflight_is() { [ "$(inflight)" -eq "$1" ]; }

io_up() {
	local host
	# shellcheck disable=SC2034 # host_config uses it
	HOST_QUIESCE='drain = 500ms'
	san_up || bail "the SAN does not come up"
	udev_rules
	for host; do host_up "$host" || bail "the daemon of $host does not start"; done
	run_ok ctl vm add db1 --uuid 6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01
	run_ok ctl vhba add db1 --vsan 10 --zone db-a
	run_ok ctl vhba add db1 --vsan 20 --zone db-b
	admit alpha db1
}

# works WHAT [LUN...]: those of the guest's LUNs, or the first one
works() {
	local lun what=$1
	shift
	for lun in "${@:-0}"; do
		until_ok 20 "$what: LUN $lun is ready" guest_says "do $lun 000000000000" '^status=00 '
		guest_is "verify $lun 2" '^bad=0$' "$what: LUN $lun is written and read back"
	done
}

# io_attach: db1, with a vhba-io that waits for its guest
io_attach() {
	run_ok ctl vm set db1 --io scsi
	run_ok ctl attach db1 --deadline 20s
	udevadm settle --timeout=60
	until_ok 20 "its vhba-io is up" back_end_is alpha state up
	is "$(ctl --json lun list db1 | jq -c '[.luns[] | select(.designator) | {d: .designator, g: .guest_lun}] | unique | map(.g) | sort')" '[0,1,2,3]' \
		"each designator has a number of its own"
	is "$(stat -c '%a %U' /run/alpha/io/db1/scsi.sock)" "660 vhba" "its socket is the user's"
	is "$(ps -o user= -p "$(back_end alpha pid)")" vhba "and so is its process"
}

guest_begin() {
	coproc GUEST { exec "$(program ioguest)" --connect /run/alpha/io/db1/scsi.sock; }
	# shellcheck disable=SC2153 # coproc sets it
	guest_pid=$GUEST_PID
	guest_is start '^ok$' "a front end connects"
	until_ok 10 "which is seen" back_end_is alpha front true
}
guest_end() {
	local rc=0
	eval "exec ${GUEST[1]}>&-"
	wait "$guest_pid" || rc=$?
	is "$rc" 0 "the front end ends"
}

test_attach() {
	io_attach
	guest_begin
	works attached 0 1 2 3
}

# test_end HOST...
test_end() {
	local host
	guest_end
	for host; do run_ok host_down "$host"; done
	run_ok san_down
}
