# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# TAP for scenarios: source it, call the helpers; the plan is printed at exit, and the exit status is 1 when a test
# failed or the scenario ended early. Helpers return 0 also for a failed test, so that `set -e` does not end the scenario.

# shellcheck source=lab/lib/wait.sh
. "${LAB:?}/lib/wait.sh"

tap_count=0
tap_failed=0
tap_done=''
# The commands run in this shell (they may set variables, and wait for its children); what they say goes here.
tap_said=$(mktemp)
# A shell may end within such a command, with its output still there.
exec {tap_out}>&1
# The last command that failed, for the report of an early end: EXIT knows the command, but not its line.
tap_line='' tap_command=''
set -E
trap 'tap_line=$LINENO tap_command=$BASH_COMMAND' ERR

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

# tap_result STATUS DESCRIPTION
tap_result() {
	local word='ok'
	tap_count=$((tap_count + 1))
	if [ "$1" -ne 0 ]; then
		tap_failed=$((tap_failed + 1))
		word='not ok'
	fi
	printf '%s %d - %s\n' "$word" "$tap_count" "${2//\#/}"
}

# ok DESCRIPTION COMMAND...: the command succeeds (its output is shown when it does not).
ok() {
	local what=$1 status=0
	shift
	"$@" >"$tap_said" 2>&1 || status=$?
	tap_result "$status" "$what"
	[ "$status" -eq 0 ] || diag "status $status of: $*"$'\n'"$(<"$tap_said")"
}

# run_ok COMMAND...: as ok, described by the command itself.
run_ok() { ok "$*" "$@"; }

# fails DESCRIPTION COMMAND...: the command fails.
fails() {
	local what=$1 status=0
	shift
	"$@" >"$tap_said" 2>&1 || status=$?
	tap_result "$((status == 0))" "$what"
	[ "$status" -ne 0 ] || diag "status 0 of: $*"$'\n'"$(<"$tap_said")"
}

# ends STATUS DESCRIPTION COMMAND...: the command ends with that status. `said REGEX DESCRIPTION` tests its output.
ends() {
	local expected=$1 what=$2 status=0
	shift 2
	"$@" >"$tap_said" 2>&1 || status=$?
	tap_result "$((status != expected))" "$what"
	[ "$status" -eq "$expected" ] || diag "status $status, not $expected, of: $*"$'\n'"$(<"$tap_said")"
}
said() { like "$(<"$tap_said")" "$1" "$2"; }

# is SEEN EXPECTED DESCRIPTION
is() {
	local status=0
	[ "$1" = "$2" ] || status=1
	tap_result "$status" "$3"
	[ "$status" -eq 0 ] || diag "expected: $2"$'\n'"seen:     $1"
}

# isnt SEEN UNWANTED DESCRIPTION
isnt() {
	local status=0
	[ "$1" != "$2" ] || status=1
	tap_result "$status" "$3"
	[ "$status" -eq 0 ] || diag "expected anything but: $2"
}

# like SEEN EXTENDED-REGEX DESCRIPTION
like() {
	local status=0
	[[ "$1" =~ $2 ]] || status=1
	tap_result "$status" "$3"
	[ "$status" -eq 0 ] || diag "expected a match of: $2"$'\n'"seen: $1"
}

# skip DESCRIPTION REASON
skip() {
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s # SKIP %s\n' "$tap_count" "${1//\#/}" "$2"
}

skip_all() {
	tap_done=1
	echo "1..0 # SKIP $*"
	exit 0
}

bail() {
	tap_done=1
	tap_failed=1
	tap_logs
	tap_scenario_end
	echo "Bail out! $*"
	exit 1
}

# until_ok SECONDS DESCRIPTION COMMAND...: a test of it, by until_true; says how long it took.
until_ok() {
	local limit=$1 what=$2 start=${EPOCHREALTIME/./} status=0
	shift 2
	until_true "$limit" "$@" || status=1
	tap_result "$status" "$what"
	if [ "$status" -eq 0 ]; then
		diag "after $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
	else
		diag "not within $((limit * WAIT_PATIENCE)) s: $*"$'\n'"$("$@" 2>&1)"
	fi
}

# How the logs of a test on this machine end, which go with its $scratch; those of a scenario stay (lab/check shows them).
tap_logs() {
	local file
	[ "$tap_failed" -ne 0 ] && [ -d "${scratch-}" ] || return 0
	for file in "$scratch"/console* "$scratch"/*.log "$scratch"/qemu* "$scratch"/vhba-io*; do
		[ -f "$file" ] && [ -s "$file" ] || continue
		diag "---- the end of ${file##*/}"
		diag "$(tail -n 20 "$file" | tr -d '\r\0' | cut -c 1-200)"
	done
}

tap_scenario_end() { [ "$(type -t scenario_end)" != function ] || scenario_end || true; }

# tap_early COMMAND: where the scenario ended: the command, and the calls that led to it, the innermost first.
tap_early() {
	local n line
	[ "$1" = "$tap_command" ] || tap_line=''
	diag "the last command: ${tap_line:+line $tap_line: }$1"
	# 0 is this function, 1 is tap_end; EXIT does not know the line of what it interrupted.
	for ((n = 2; n < ${#FUNCNAME[@]}; n++)); do
		line=${BASH_LINENO[n - 1]}
		[ "$n" -gt 2 ] || line=$tap_line
		diag "  in ${FUNCNAME[n]}, ${BASH_SOURCE[n]##*/}${line:+ line $line}"
	done
	[ ! -s "$tap_said" ] || diag "the last output of a tested command:"$'\n'"$(tail -n 20 "$tap_said")"
}

tap_end() {
	local status=$? command=$BASH_COMMAND
	trap - EXIT ERR
	exec >&"$tap_out" 2>&1
	[ -n "$tap_done" ] && exit "$status"
	if [ "$status" -ne 0 ]; then
		tap_result 1 "the scenario ended early, status $status"
		tap_early "$command"
	fi
	rm -f "$tap_said"
	tap_logs
	tap_scenario_end
	echo "1..$tap_count"
	[ "$tap_failed" -eq 0 ] || exit 1
	exit 0
}
trap tap_end EXIT
