# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Defects of the kernel itself that a run can meet: what it showed after one of them is no evidence for or against vhba.

# "NAME: a function of the kernel that is on the stack when it strikes". vhba-quiesce(7) tells what they are, and what vhba
# does to keep out of their way; a scenario that uses the bare kernel can't.
kernel_defects=(
	'it sleeps under the lock of a command (fc_seq_set_resp)'
	'it ends an exchange that is freed (fc_exch_done)'
	'it ends an exchange that is freed (fc_exch_delete)' # with fc_exch_done within its caller
	'a LUN reset uses an exchange that is freed (fc_lun_reset)'
)

# kernel_defect CONSOLE: prints the defect that a report of the kernel there shows (a BUG, an oops, a lockup, a task that is
# blocked), or of what it died; fails when there is neither.
kernel_defect() {
	local defect function
	local died
	[ -f "$1" ] || return 1
	for defect in "${kernel_defects[@]}"; do
		function=${defect##*\(}
		if tr -d '\r' <"$1" | awk -v f="${function%)}" '
			/BUG: |WARNING: |Oops|general protection fault|soft lockup|self-detected stall|blocked for more than/ { on = 1 }
			on && $0 ~ f "[.a-z0-9]*[+]0x" { found = 1; exit }
			/<\/TASK>|end trace/ { on = 0 }
			END { exit !found }'; then
			echo "$defect"
			return
		fi
	done
	# Where it died of something else: memory that one of these has written to after it was freed can be anybody's since.
	died=$(tr -d '\r' <"$1" | grep -m 1 -o 'Kernel panic - not syncing.*') || return 1
	echo "$died, in $(tr -d '\r' <"$1" | sed -n 's/.*RIP: 0010:\([^ +]*\).*/\1/p' | head -n 1)"
}
