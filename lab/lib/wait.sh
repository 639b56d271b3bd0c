# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Waiting, for what the kernel tells by no event.

# A pipe on which nothing ever comes: reading it with a limit is a pause without a process.
exec {wait_pipe}<> <(:)

# until_true SECONDS COMMAND...: polls with back-off (5 ms, doubled up to 200 ms) until the command succeeds.
until_true() {
	local end pause=5
	end=$((${EPOCHREALTIME/./} + $1 * 1000000))
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
