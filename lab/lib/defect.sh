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
# blocked); fails when there is none.
kernel_defect() {
	local defect function
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
	return 1
}
