# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Waiting, for what the kernel tells by no event.

# A pipe on which nothing ever comes: reading it with a limit is a pause without a process.
exec {wait_pipe}<> <(:)

# What is awaited is given the time it needs on an idle machine; a busy one needs a multiple. Only what fails lasts longer.
WAIT_PATIENCE=${VHBA_LAB_PATIENCE:-3}

# until_true SECONDS COMMAND...: polls with back-off (5 ms, doubled up to 200 ms) until the command succeeds, for
# WAIT_PATIENCE times the seconds.
until_true() {
	local end pause=5
	end=$((${EPOCHREALTIME/./} + $1 * WAIT_PATIENCE * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
		read -r -t "0.$(printf %03d "$pause")" -u "$wait_pipe" || true
		pause=$((pause * 2 > 200 ? 200 : pause * 2))
	done
}

# attribute_is FILE VALUE: of sysfs, without a process of its own (a program takes 15 ms to start under emulation).
attribute_is() {
	local value
	{ read -r value <"$1"; } 2>/dev/null && [ "$value" = "$2" ]
}

absent() { [ ! -e "$1" ]; }

# kernel_calm: the kernel has printed no warning and no trace. One is known, and its own: under load libfc of Linux 6.1 drops a
# reference of a remote port twice (fc_rport_work, or an answer's function called by fc_invoke_resp), and leaks it when it is
# taken again (fc_rport_lookup); it is told, and does not count.
kernel_calm() {
	dmesg | awk '
		/cut here/ { block = ""; on = 1 }
		on { block = block $0 "\n" }
		/end trace/ {
			if (block ~ /refcount_t: (underflow|saturated)/ && block ~ /fc_(rport_work|invoke_resp|rport_lookup)[+].*[[]libfc[]]/) known++
			else bad = bad block
			block = ""; on = 0
			next
		}
		!on && /WARNING: |Call Trace|BUG: |blocked for more than/ { bad = bad $0 "\n" }
		END {
			if (block != "") bad = bad block
			if (known) printf "%d known warnings of a remote port\n", known
			if (bad != "") { printf "%s", bad; exit 1 }
		}'
}
