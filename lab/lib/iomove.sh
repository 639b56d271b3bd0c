# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# db1's guest (lab/tools/ioguest) moves live between alpha and beta, with its one WWPN in each SAN. The front end does what QEMU does;
# nobody else tells the hosts anything. Needs io.sh and what that needs.
#   move_up                   the SAN, both hosts, the guest attached on alpha; move_hosts is the same without the attach
#   expect FROM TO, cutover FROM TO, gone_from HOST; moves FROM TO SEED is all of it
#   slow_logout HOST, waits_for_name HOST
#   once_live [N]             no name was live twice; each has logged in or out at least N times (5)

# The hosts' own ports are shown the VM's names, and nothing else of each other: else nobody here could know that a name has gone.
witness_zones() {
	local host side wwpn vsan nic
	for host in "${SAN_HOSTS[@]}"; do
		for side in "${SAN_SIDES[@]}"; do
			nic=$(fabricctl show logins --json | jq -r --arg p "$host-$side" 'first(.[] | select(.port == $p)).wwpn')
			fabricctl zone "${SAN_VSAN[$side]}" witness add "$nic" principal
		done
	done
	while read -r _ wwpn vsan; do fabricctl zone "$vsan" witness add "$wwpn"; done < <(identities alpha db1)
}

state_of() { vhbactl_on "$1" --json vm show db1 | jq -r .vm.state; }
state_is() { [ "$(state_of "$1")" = "$2" ]; }

# expect FROM TO: what libvirt's hook does on TO before the memory is sent.
expect() {
	local known
	run_ok vhbactl_on "$1" export db1 --output "$OUT/export.ticket"
	# As the hook does: that the guest comes makes it the newer, whatever is left there of an attempt that was given up.
	known=$({ vhbactl_on "$2" --json vm show db1 2>/dev/null || echo '{}'; } | jq -s '.[-1].vm.generation // 0')
	jq --argjson known "$known" '.generation = ([.generation, $known + 1] | max)' "$OUT/export.ticket" >"$OUT/$2.ticket"
	run_ok vhbactl_on "$2" io await "$OUT/$2.ticket"
	said 'it is expected' "$2 expects it"
	is "$(back_end "$2" gate)" closed "its gate is closed"
	ends 1 "nobody attaches it there meanwhile" vhbactl_on "$2" attach db1 --deadline 5s
	said 'expected by a live migration' "and that is said"
}

# stops FROM: the guest does, for its migration; commands are under way.
stops() {
	guest "submit 0 4 28000000100000000800 4096"
	guest_is "log on" '^ok$' "the front end keeps a log"
	guest "submit 1 2 28000000100000000800 4096"
	guest_is stop '^us=' "the guest stops on $1"
}
# goes TO: and goes on there.
goes() {
	guest_is "move /run/$1/io/db1/scsi.sock" '^ok$' "goes to $1"
	guest_is start '^ok$' "and starts there"
}
# cutover FROM TO
cutover() {
	stops "$1"
	goes "$2"
}

# slow_logout HOST: its logouts take their time on the wire; so long its names are there.
slow_logout() {
	local side
	for side in "${SAN_SIDES[@]}"; do
		run_ok fabricctl rule add src "$1-$side" dst fffffe kind els op logo delay 4000
	done
}
waits_for_name() { back_end "$1" waits | grep -q 'is not proved to have left the source: it is logged in as '; }

# gone_from HOST: it has given the VM away, as libvirt's hook has it do when the source's QEMU has ended.
gone_from() {
	run_ok vhbactl_on "$1" release db1 --moved --deadline 20s
	until_ok 20 "nothing is left on $1" test ! -e "/run/$1/io/db1"
}

# moves FROM TO SEED
moves() {
	guest_is "fill 0 $3" '^bad=0$' "written on $1"
	expect "$1" "$2"
	cutover "$1" "$2"
	until_ok 20 "$2's own login opens the gate" back_end_is "$2" gate open
	guest_is "check 0 $3" '^bad=0$' "read on $2: what was written on $1"
	until_ok 20 "what was under way has ended" guest_says ends '^pending=0 good=[0-9] busy=[0-9] nexus=0 check=0 other=0$'
	is "$(state_of "$2")" attached "$2 has it attached"
	is "$(state_of "$1")" held "$1 has logged it out by itself"
	gone_from "$1"
	diag "$(vhbactl_on "$2" --json log db1 | jq -r '[.records[] | select(.operation == "attach")][-1] |
		"\(.elapsed_us / 1000 | floor) ms: " + ([.vhbas[0].phases[] | "\(.phase) \((.end_us - .start_us) / 1000 | floor)"] | join(", "))')"
}

# once_live: by the fabric's log each of the VM's names was logged in at one place at a time, and nobody tried to log in a second time.
once_live() {
	local names least=${1:-5}
	names=$(vhbactl_alpha --json vhba list db1 | jq -c '[.vhbas[].wwpn]')
	fabricctl show log --json >"$OUT/fabric.json"
	jq -e --argjson names "$names" --argjson least "$least" '
		. as $log | all($names[]; . as $name |
			[$log[] | select(.wwpn == $name and (.event == "login" or .event == "logout")) | .event] |
			length >= $least and all(range(length) as $i | {at: $i, event: .[$i]};
				.event == (if .at % 2 == 0 then "login" else "logout" end)))
		and all($log[]; .event != "rejected" or (.text | startswith("FDISC") | not))' "$OUT/fabric.json"
}

move_hosts() {
	io_up alpha beta
	until_true 40 parents_online beta || bail "beta's parents don't come Online"
	run_ok witness_zones
}
move_up() {
	move_hosts
	test_attach
}
