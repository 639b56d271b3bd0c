# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The fault matrix: db1 with I/O in flight on all its paths, a fault, a quiesce by a deadline, and whether what was answered
# is what the fabric and the kernel show. Needs tap.sh, san.sh, vport.sh, hosts.sh and db1.sh.
#
#   matrix_up, matrix_down      the SAN, the daemon, db1 attached; and their end
#   matrix_case NAME BEGIN END [OUTCOMES [DEADLINES]]
#                               one test for each deadline (ms): BEGIN brings the fault about, END heals it;
#                               OUTCOMES (default confirmed) are the answers that are right, as confirmed|unconfirmed
#                               VHBA_MATRIX, an extended regular expression, leaves out the cases that it does not match
# Each case is run with one of the deadlines 200, 1000 and 5000 in turn (the longest where matrix_named is set), or with those
# that are given, on 4 LUNs by both SANs. VHBA_MATRIX_FULL=1 in the environment: those that are given, or all three, on 8 LUNs.
#   matrix_reconfigure LINE...  the daemon with more in its configuration, from here on
#   matrix_table                the rows of all cases
#   matrix_io_start, _pause, _continue, _stop, _show
#                               the I/O by itself
# For a case: matrix_way=resume or release instead of one and the other in turn; matrix_also=FUNCTION is called with the
# deadline after the resume or the attach, with the I/O still going on; matrix_ask=FUNCTION is called with the deadline to
# ask for the quiesce, in place of matrix_quiesce; matrix_options are vhbactl's for the quiesce; matrix_named is all that is
# unproved after the longest deadline; matrix_back is the deadline of the resume or the attach, and matrix_gone how many seconds the
# vports may be there after a release. All hold for the next case only. What is wrong, a function says by matrix_wrong TEXT.

matrix_deadlines=(200 1000 5000)
[ "${VHBA_MATRIX_FULL:-0}" != 1 ] || SAN_LUNS=8
matrix_paths=$((2 * SAN_LUNS))
# shellcheck disable=SC2034 # the cases use it
matrix_lanes=$((3 * matrix_paths)) # a read, a write and an SG_IO on each path
matrix_cases=0
matrix_surely=5000 # ms: from this deadline on, what is to be confirmed is confirmed by it, however slow the machine
matrix_late=''
matrix_blocks=64 # of 4 KiB for each path
matrix_way='' matrix_also='' matrix_ask=matrix_quiesce matrix_options='' matrix_named='' matrix_back=30s matrix_gone=10
matrix_rounds=0
matrix_whole=0 # the last round has left all as it was, and its paths in the file
matrix_last='' # the last row
matrix_pathio=''
declare -A matrix_wwpn=() # by index
declare -A matrix_parent=() # their parents' WWPNs
declare -a matrix_faults=() # what is wrong in this round

matrix_wrong() { matrix_faults+=("$*"); }

matrix_up() {
	local index wwpn parent
	# What is lost on the way is noticed, and sent again, in 4 s instead of 20.
	echo 2000 >/sys/module/fcoe/parameters/r_a_tov
	san_up || bail "the SAN does not come up"
	fabricctl timer r-a-tov 2000
	host_up alpha || bail "the daemon does not start"
	db1_up
	matrix_io=$(program pathio)
	matrix_verify=$(program blockwriter)
	mkdir -p "$SAN_RUN/matrix"
	while read -r index wwpn parent; do
		matrix_wwpn[$index]=$wwpn
		matrix_parent[$index]=$parent
	done < <(ctl --json vhba list db1 | jq -r '.vhbas[] | "\(.index) \(.wwpn) \(.parent)"')
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' case deadline outcome answered had intake-closed io-ended logged-out verified proved-late >"$OUT/matrix.tsv"
}

# matrix_reconfigure LINE...: the daemon anew, with these lines at the end of its configuration, and db1 attached by it.
matrix_reconfigure() {
	matrix_recover
	matrix_whole=0
	run_ok ctl detach db1
	host_kill alpha 2>/dev/null
	host_config alpha >/run/alpha/vhbad.conf
	printf '%s\n' "$@" >>/run/alpha/vhbad.conf
	host_start alpha
	run_ok ctl attach db1 --deadline 30s
}

# ---- I/O ----

matrix_io_show() { "$matrix_io" show "$SAN_RUN/matrix/state"; }
# Every lane has done N commands more than MIN says: "NAME LANE" -> count.
matrix_io_runs() { matrix_io_show | awk -v n="$1" '$3 < n { exit 1 }'; }

matrix_io_start() {
	local index designator sd words=()
	while read -r index designator sd; do
		words+=("$index.$designator=/dev/$sd")
	done <"$SAN_RUN/matrix/paths"
	rm -f "$SAN_RUN/matrix/state"
	"$matrix_io" run "$SAN_RUN/matrix/state" "$SAN_RUN/matrix" "$matrix_blocks" "${words[@]}" 2>"$OUT/pathio.err" &
	matrix_pathio=$!
	until_true 20 matrix_io_runs 3
}
matrix_io_pause() { kill -USR1 "$matrix_pathio" 2>/dev/null || true; }
matrix_io_continue() { kill -USR2 "$matrix_pathio" 2>/dev/null || true; }
matrix_io_ended() { ! kill -0 "$matrix_pathio" 2>/dev/null; }
# Ends it; fails when a command never comes back.
matrix_io_stop() {
	kill -TERM "$matrix_pathio" 2>/dev/null || true
	until_true 20 matrix_io_ended || return 1
	wait "$matrix_pathio" || true
}
# Every write that was told to be written is there, by whatever path has the LUN now.
matrix_io_verify() {
	local index designator sd jobs=() job bad=0
	while read -r index designator sd; do
		"$matrix_verify" verify "/dev/$sd" "$SAN_RUN/matrix/$index.$designator" >"$SAN_RUN/matrix/verified.$index.$designator" &
		jobs+=($!)
	done <"$SAN_RUN/matrix/paths-now"
	for job in "${jobs[@]}"; do
		wait "$job" || bad=1
	done
	[ "$bad" -eq 0 ] || cat "$SAN_RUN"/matrix/verified.*
	return "$bad"
}

# ---- for BEGIN, and for matrix_also ----

# matrix_stuck LANES: the commands of so many lanes have been in flight for 100 ms.
matrix_stuck() {
	local now
	now=$(awk '{ print int($1 * 1000000) }' /proc/uptime)
	[ "$(matrix_io_show | awk -v by="$((now - 100000))" '$6 > 0 && $6 < by { n++ } END { print n + 0 }')" -ge "$1" ]
}
matrix_until_stuck() { until_true 10 matrix_stuck "$1" || matrix_wrong "the fault does not hold $1 commands"; }

# The kernel's user sees neither an error nor another node; unless a slow machine has made an abort or a hard stop of a short
# deadline, and then only by that vhba.
matrix_unseen() {
	local done_before index may=''
	if [ "$1" -lt "$matrix_surely" ]; then
		for index in "${!answer_aborted[@]}"; do
			may+=" $index"
		done
	fi
	done_before=$(matrix_io_show | awk '$3 > n { n = $3 } END { print n + 1 }')
	until_true 20 matrix_io_runs "$done_before" || matrix_wrong "after $1 ms: not every lane goes on"
	matrix_io_show >"$SAN_RUN/matrix/after"
	awk -v may="$may" 'BEGIN { n = split(may, m); for (i = 1; i <= n; i++) aborted[m[i]] = 1 }
		$4 > 0 && !(substr($1, 1, index($1, ".") - 1) in aborted)' "$SAN_RUN/matrix/after" >"$SAN_RUN/matrix/errors"
	[ ! -s "$SAN_RUN/matrix/errors" ] || matrix_wrong "errors: $(<"$SAN_RUN/matrix/errors")"
	[ -z "$may" ] || { diag "cut off with a deadline of $1 ms: vhba$may"; return; }
	[ "$(paths alpha db1)" = "$(<"$SAN_RUN/matrix/paths")" ] || matrix_wrong "the nodes have changed"
}

# ---- what the kernel, the daemon and the fabric have ----

# matrix_resources: what the daemon and its helper hold when nothing is under way: vhbad's files, the helper's files beside one
# for each of its children, and its children.
matrix_resources() {
	local pid=${HOST_VHBAD[alpha]} helper=() workers=()
	read -ra helper <"/proc/$pid/task/$pid/children" || true
	read -ra workers <"/proc/${helper[0]:-self}/task/${helper[0]:-$$}/children" || true
	echo "$(matrix_count "/proc/$pid/fd/") $(($(matrix_count "/proc/${helper[0]:-self}/fd/") - ${#workers[@]})) ${#workers[@]}"
}
matrix_count() {
	local all=("$1"*)
	echo "${#all[@]}"
}
# matrix_no_more_than RESOURCES: nothing has been leaked since. The helper keeps up to four children ready for work.
matrix_no_more_than() {
	local before now
	read -ra before <<<"$1"
	read -ra now < <(matrix_resources)
	[ "${before[2]}" -ge 4 ] || before[2]=4
	[ "${now[0]}" -le "${before[0]}" ] && [ "${now[1]}" -le "${before[1]}" ] && [ "${now[2]}" -le "${before[2]}" ]
}

# matrix_busy INDEX: commands at the devices of that vhba's paths.
matrix_busy() {
	local index sd busy n=0
	while read -r index _ sd; do
		[ "$index" = "$1" ] || continue
		{ read -r busy <"/sys/block/$sd/device/device_busy"; } 2>/dev/null || continue
		n=$((n + busy))
	done <"$SAN_RUN/matrix/paths"
	echo "$n"
}

# matrix_hanging INDEX: lanes whose command is out, and not merely parked until a resume; one line each.
matrix_hanging() {
	local index designator sd state states=''
	while read -r index designator sd; do
		[ "$index" = "$1" ] || continue
		{ read -r state <"/sys/block/$sd/device/state"; } 2>/dev/null || state=gone
		states+=" $index.$designator $state"
	done <"$SAN_RUN/matrix/paths"
	awk -v states="$states" '
		BEGIN { n = split(states, s); for (i = 1; i < n; i += 2) at[s[i]] = s[i + 1] }
		$1 in at && at[$1] != "blocked" && $6 > 0 { print $1, $2, "out since", $6, "at a device that is", at[$1] }' \
		"$SAN_RUN/matrix/at-answer"
}

# The WWPN of a vhba may be at another host's port as well: what counts is each login, by its N_Port_ID, at alpha's ports.
# matrix_read_fabric US: as of then, by WWPN: $fabric_out, when alpha's was logged out for the last time (US; - when it was in),
# $fabric_other, whether another port had it from before the vhba's proof was asked for until then, and $fabric_ids, all N_Port_IDs
# that alpha's has had.
declare -A fabric_out=() fabric_other=()
fabric_ids=''
matrix_read_fabric() {
	local index wwpn out other ids who=''
	for index in "${!matrix_wwpn[@]}"; do
		who+=" ${matrix_wwpn[$index]} ${answer_verify[$index]:-0}"
	done
	fabric_ids=''
	while read -r wwpn out other ids; do
		fabric_out[$wwpn]=$out fabric_other[$wwpn]=$other
		fabric_ids+=" $ids"
	done < <(awk -v who="$who" -v by="$1" '
		BEGIN { n = split(who, w); for (i = 1; i < n; i += 2) from[w[i]] = w[i + 1] }
		!($5 in from) { next }
		{ t = int($1 * 1000000 + 0.5) }
		t > by { next }
		$2 == "login" && / on alpha-/ { ours[$6]; in_now[$5]++; ids[$5] = ids[$5] " " substr($6, 1, 6); next }
		$2 == "login" && t < from[$5] { others[$6] = $5 }
		$2 == "logout" && $6 in ours { in_now[$5]--; at[$5] = t }
		$2 == "logout" { delete others[$6] }
		END {
			for (o in others) other[others[o]] = 1
			for (i = 1; i < n; i += 2)
				print w[i], in_now[w[i]] ? "-" : at[w[i]] + 0, other[w[i]] + 0, ids[w[i]]
		}' "$SAN_RUN/fabricd.log")
}

# matrix_seen INDEX: its parent shares a zone with its WWPN, so that the name server tells it of whoever carries it.
matrix_seen() {
	fabricctl show zones --json | jq -e --arg w "${matrix_wwpn[$1]}" --arg p "${matrix_parent[$1]}" \
		'group_by([.vsan, .zone])[] | select(all(.role != "principal")) |
			map(select(.wwpn == $w or .wwpn == $p)) | select(length == 2)' >/dev/null
}

# matrix_known_to_arrays: logins and commands of alpha's that the targets have, one WWPN each; after matrix_read_fabric.
matrix_known_to_arrays() {
	fabricctl show targets --json | jq -r --arg ours "$fabric_ids" \
		'($ours | split(" ")) as $ids | .[].status | (.logins[], .exchanges[]) | select(.n_port_id | IN($ids[])) | .wwpn // .initiator'
}

# ---- a round: one case with one deadline ----

# matrix_field JQ: of the answer.
matrix_field() { jq -r "$1" "$SAN_RUN/matrix/answer.json"; }

# matrix_read_answer: $answer_outcome, _start and _end (us), _elapsed, _closed and _verified (ms), _unproved, and _had (ms), when vhbactl
# had ended with it (-: not measured); by index
# $answer_verify (us, when its proof was asked for), $answer_evidence, and of those only that were aborted $answer_aborted.
declare -A answer_verify=() answer_evidence=() answer_aborted=()
matrix_read_answer() {
	local index verify evidence aborted
	answer_verify=() answer_evidence=() answer_aborted=()
	answer_had=-
	{
		IFS='|' read -r answer_outcome answer_start answer_end answer_elapsed answer_closed answer_verified answer_unproved
		while IFS='|' read -r index verify evidence aborted; do
			answer_verify[$index]=$verify answer_evidence[$index]=$evidence
			[ "$aborted" = false ] || answer_aborted[$index]=1
		done
	} < <(jq -r '.start_us as $start | ([.outcome, $start, $start + .elapsed_us, (.elapsed_us / 1000 | floor),
			([.phases[] | select(.phase == "stop" and .outcome == "confirmed") | (.end_us - .start_us) / 1000 | floor] | first // "-"),
			(if .outcome == "confirmed" then [.vhbas[].phases[] | select(.phase == "verify") | .end_us - $start] | max / 1000 | floor else "-" end),
			((.unproved // []) | join(", "))] | map(tostring) | join("|")),
		(.vhbas[] | [.index, ([.phases[] | select(.phase == "verify") | .start_us] | min // 0), (.evidence | join(", ")),
			any(.phases[]; .phase == "logout" and (.text | test("^(abort|hard stop)")))] | map(tostring) | join("|"))' \
		"$SAN_RUN/matrix/answer.json")
	[ ! -s "$SAN_RUN/matrix/had" ] || answer_had=$(($(<"$SAN_RUN/matrix/had") * 10 - answer_start / 1000))
}
# matrix_answered: there is one.
matrix_answered() { [[ $(<"$SAN_RUN/matrix/answer.json") == *'"outcome"'* ]]; }

matrix_quiesce() {
	local rc=0 had
	# shellcheck disable=SC2086 # options are words
	ctl --json quiesce db1 --deadline "$1ms" --paused $matrix_options >"$SAN_RUN/matrix/answer.json" 2>"$SAN_RUN/matrix/answer.err" || rc=$?
	# In hundredths of a second; without suspends it is CLOCK_MONOTONIC.
	read -r had _ </proc/uptime
	echo "${had/./}" >"$SAN_RUN/matrix/had"
	matrix_io_show >"$SAN_RUN/matrix/at-answer"
	matrix_answered && return
	matrix_wrong "no answer: status $rc: $(cat "$SAN_RUN/matrix/answer.err" "$SAN_RUN/matrix/answer.json")"
	return 1
}

# matrix_check_answer DEADLINE OUTCOMES
matrix_check_answer() {
	[ "$answer_elapsed" -le $(($1 + 50 + stalled)) ] || matrix_wrong "answered after $answer_elapsed ms, stalled for $stalled ms"
	[[ "|$2|" == *"|$answer_outcome|"* ]] || matrix_check_late "$1" "$2"
	if [ -n "$matrix_named" ] && [ "$1" -ge "$matrix_surely" ] && [ "$answer_unproved" != "$matrix_named" ]; then
		matrix_wrong "unproved: $answer_unproved; expected: $matrix_named"
	fi
	case $answer_outcome in
	confirmed) [ -z "$answer_unproved" ] || matrix_wrong "confirmed, and unproved: $answer_unproved" ;;
	unconfirmed) [ -n "$answer_unproved" ] || matrix_wrong "unconfirmed, and nothing is named" ;;
	esac
}

# matrix_check_late DEADLINE OUTCOMES: what a slow machine has not proved by a short deadline, it proves after it: nobody asks
# again, and the record says so.
matrix_check_late() {
	if [ "$1" -ge "$matrix_surely" ] || [ "$answer_outcome" != unconfirmed ] || [[ "|$2|" != *'|confirmed|'* ]]; then
		matrix_wrong "$answer_outcome, expected $2; unproved: $answer_unproved"
		return
	fi
	until_true 10 matrix_proved_late || matrix_wrong "$answer_outcome, and not confirmed later; unproved: $answer_unproved"
}
matrix_proved_late() {
	matrix_late=$(ctl --json log db1 --last 1 | jq -r '.records[-1] | select(.later == "confirmed") | .later_us / 1000 | floor') &&
		[ -n "$matrix_late" ]
}

# matrix_check_vhba INDEX KNOWN: what it claimed is so; KNOWN are the WWPNs that the arrays know, one a line.
matrix_check_vhba() {
	local wwpn=${matrix_wwpn[$1]} evidence=${answer_evidence[$1]} busy hanging name
	if [[ $evidence = *'fabric logged out'* ]]; then
		[ "${fabric_out[$wwpn]}" != - ] || matrix_wrong "vhba $1: said to be logged out, the fabric's log has it logged in"
		[[ $2 != *"$wwpn"* ]] || matrix_wrong "vhba $1: said to be logged out, an array has a login or a command of it"
		[ "${fabric_other[$wwpn]}" -eq 0 ] || ! matrix_seen "$1" ||
			matrix_wrong "vhba $1: said to be logged out, another port has it, for all to see"
	fi
	if [[ $evidence = *'in-flight ended'* ]]; then
		busy=$(matrix_busy "$1")
		[ "$busy" -eq 0 ] || matrix_wrong "vhba $1: in-flight said to have ended, device_busy is $busy"
		hanging=$(matrix_hanging "$1")
		[ -z "$hanging" ] || matrix_wrong "vhba $1: in-flight said to have ended: $hanging"
	fi
	for name in 'in-flight ended' 'targets logged out' 'fabric logged out'; do
		[[ $evidence = *"$name"* ]] || [[ ", $answer_unproved," = *", vhba $1: $name,"* ]] ||
			matrix_wrong "vhba $1: $name: neither proved nor named as not proved"
	done
	[ "$answer_outcome" != confirmed ] || [ "$evidence" = 'in-flight ended, targets logged out, fabric logged out' ] ||
		matrix_wrong "confirmed, but vhba $1 has: $evidence"
}

matrix_check_claims() {
	local index known
	[ "${#answer_evidence[@]}" -eq "${#matrix_wwpn[@]}" ] || matrix_wrong "the answer has ${#answer_evidence[@]} vhbas"
	known=$(matrix_known_to_arrays)
	for index in "${!answer_evidence[@]}"; do
		matrix_check_vhba "$index" "$known"
	done
}

# matrix_check_record NAME DEADLINE: where no answer was read, by the record in the log; it goes on after the answer: what it says
# holds as of its last proof.
matrix_check_record() {
	ctl --json log db1 --last 1 | jq '.records[0]' >"$SAN_RUN/matrix/answer.json"
	[ "$(matrix_field .operation)" = quiesce ] || matrix_wrong "no record of it"
	matrix_read_answer
	matrix_read_fabric "$answer_end"
	matrix_row "$1" "$2"
	jq '.elapsed_us = ([.vhbas[].phases[] | select(.phase == "verify") | .end_us // 0] + [.start_us + .elapsed_us] | max) - .start_us' \
		"$SAN_RUN/matrix/answer.json" >"$SAN_RUN/matrix/record.json"
	mv "$SAN_RUN/matrix/record.json" "$SAN_RUN/matrix/answer.json"
	matrix_read_answer
	matrix_read_fabric "$answer_end"
	matrix_check_claims
}

# matrix_sent_again US: commands that were sent to a target since then behind the port's own LOGO to it, where the logout was an abort.
# libfc takes answers to what it has cut off for theirs: a write that is not done may be told to be written (vhba-quiesce(7), libfc).
# In a hold nothing is cut off, and what slips in is to be parked.
matrix_sent_again() {
	local aborted
	aborted=$(matrix_field '[.vhbas[] | select(any(.phases[]; .phase == "logout" and (.text // "" | startswith("abort")))) | .wwpn] | join(" ")')
	awk -v from="$1" -v aborted="$aborted" '
		BEGIN { n = split(aborted, w); for (i = 1; i <= n; i++) ours[w[i]] }
		{ t = int($1 * 1000000 + 0.5) }
		t < from { next }
		/ left \(LOGO\)/ {
			for (i = 2; i <= NF; i++)
				if ($i == "left" && $(i - 2) in ours)
					left[substr($(i - 1), 2, 6)]
		}
		/: refused a command of / {
			id = substr($0, index($0, "refused a command of ") + 21, 6)
			if (id in left) count++
		}
		END { print count + 0 }' "$SAN_RUN/fabricd.log"
}

# matrix_row NAME DEADLINE: into the table; times in ms from the request.
matrix_row() {
	local wwpn out=0 ended
	for wwpn in "${matrix_wwpn[@]}"; do
		[ "${fabric_out[$wwpn]}" != - ] || { out=-; break; }
		[ "${fabric_out[$wwpn]}" -le $((answer_start + out * 1000)) ] || out=$(((fabric_out[$wwpn] - answer_start) / 1000))
	done
	ended=$(awk -v start="$answer_start" '$6 > 0 { out = 1 } $7 > last { last = $7 }
		END { print out ? "-" : (last > start ? int((last - start) / 1000) : 0) }' "$SAN_RUN/matrix/at-answer")
	printf -v matrix_last '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s' "$1" "$2" "$answer_outcome" "$answer_elapsed" "$answer_had" \
		"$answer_closed" "$ended" "$out" "$answer_verified" "${matrix_late:--}"
	echo "$matrix_last" >>"$OUT/matrix.tsv"
}

# matrix_operation WORD...: it ends well; its record is kept for the diagnosis.
matrix_operation() {
	local rc=0
	ctl --json "$@" >"$SAN_RUN/matrix/operation.json" 2>"$SAN_RUN/matrix/operation.err" || rc=$?
	[ "$rc" -eq 0 ] || matrix_wrong "$1: status $rc: $(cat "$SAN_RUN/matrix/operation.err" "$SAN_RUN/matrix/operation.json")"
}

matrix_resume() {
	matrix_io_continue
	"$1" >>"$SAN_RUN/matrix/faults"
	matrix_operation resume db1 --deadline "$matrix_back"
}

# The release does not wait for the fault to heal: what moves does so because something is broken.
matrix_release() {
	local rc=0
	ctl --json release db1 --deadline 2s >"$SAN_RUN/matrix/operation.json" 2>"$SAN_RUN/matrix/operation.err" || rc=$?
	[[ $rc = [03] ]] || matrix_wrong "release: status $rc: $(cat "$SAN_RUN/matrix/operation.err" "$SAN_RUN/matrix/operation.json")"
	matrix_io_continue
	"$1" >>"$SAN_RUN/matrix/faults"
	until_true "$matrix_gone" matrix_vports 0 || matrix_wrong "released, and there are $(vport_count) vports"
	matrix_operation attach db1 --deadline "$matrix_back"
}
matrix_vports() { [ "$(vport_count)" -eq "$1" ]; }

# No task is in the kernel where no signal reaches it; $matrix_stuck_tasks are those seen last.
matrix_none_stuck() {
	matrix_stuck_tasks=$(ps -eo stat=,pid=,comm= | awk '$1 ~ /^D/')
	[ -z "$matrix_stuck_tasks" ]
}

# matrix_check_after RESOURCES
matrix_check_after() {
	local now=() again
	paths alpha db1 >"$SAN_RUN/matrix/paths-now"
	mapfile -t now <"$SAN_RUN/matrix/paths-now"
	[ "${#now[@]}" -eq "$matrix_paths" ] || matrix_wrong "${#now[@]} paths, not $matrix_paths"
	matrix_vports 2 || matrix_wrong "$(vport_count) vports, not 2"
	again=$(matrix_sent_again "${answer_start:-0}")
	[ "$again" -eq 0 ] || matrix_wrong "$again commands were sent again behind a LOGO"
	matrix_io_stop || matrix_wrong "a command never came back: $(matrix_io_show | awk '$6 > 0')"
	matrix_io_verify >"$SAN_RUN/matrix/verify" 2>&1 || matrix_wrong "blocks that were told to be written: $(grep -v ' 0 wrong' "$SAN_RUN/matrix/verify")"
	# udevd reads disks that have come anew, and those that a writer has closed: in the next round that would be I/O which nobody
	# pauses.
	udevadm settle --timeout=60
	until_true 10 matrix_none_stuck || matrix_wrong "tasks that no signal reaches: $matrix_stuck_tasks"
	until_true 10 matrix_no_more_than "$1" || matrix_wrong "files, helper's files, children: $1 before, $(matrix_resources) now"
}

# After a round that went wrong the next one has to begin somewhere.
matrix_recover() {
	db1_is attached && return
	ctl resume db1 --deadline 30s >/dev/null 2>&1 || true
	db1_is attached && return
	ctl release db1 --deadline 10s >/dev/null 2>&1 || true
	until_true 60 ctl attach db1 --deadline 20s || bail "db1 cannot be attached any more"
}

# matrix_round NAME BEGIN END OUTCOMES DEADLINE WAY
matrix_round() {
	local held asked=0
	matrix_faults=()
	matrix_late='' matrix_last=''
	if [ "$matrix_whole" -eq 0 ]; then
		matrix_recover
		paths alpha db1 >"$SAN_RUN/matrix/paths-now"
	fi
	matrix_whole=0
	cp "$SAN_RUN/matrix/paths-now" "$SAN_RUN/matrix/paths"
	held=$(matrix_resources)
	rm -f "$SAN_RUN/matrix/had"
	matrix_io_start || matrix_wrong "the I/O does not start: $(<"$OUT/pathio.err")"
	"$2" >>"$SAN_RUN/matrix/faults"
	matrix_io_pause
	stall_begin
	"$matrix_ask" "$5" || asked=1
	stall_end
	if [ "$asked" -eq 0 ]; then
		matrix_read_answer
		matrix_read_fabric "$answer_end"
		matrix_check_answer "$5" "$4"
		matrix_check_claims
		matrix_row "$1" "$5"
	fi
	"matrix_$6" "$3"
	[ -z "$matrix_also" ] || "$matrix_also" "$5"
	matrix_check_after "$held"
	[ "${#matrix_faults[@]}" -gt 0 ] || matrix_whole=1
	matrix_report "$1, deadline $5 ms, then $6"
}

# matrix_report DESCRIPTION: the round's one test.
matrix_report() {
	local wrong
	tap_result "$((${#matrix_faults[@]} > 0))" "$1"
	echo "# $matrix_last"
	{ echo "# $1" && cat "$SAN_RUN/matrix/answer.json"; } >>"$OUT/answers"
	[ "${#matrix_faults[@]}" -gt 0 ] || return 0
	for wrong in "${matrix_faults[@]}"; do
		diag "wrong: $wrong"
	done
	cp "$SAN_RUN/matrix/answer.json" "$OUT/${1//[ ,]/-}.json"
	diag "$(jq -c '.vhbas[] | {index, state, evidence, phases: [.phases[] | {phase, start_us, end_us, inflight_before, inflight_after, text}]}' \
		"$SAN_RUN/matrix/answer.json")"
	diag "$(awk '$4 > 0 || $6 > 0' "$SAN_RUN/matrix/at-answer")"
}

matrix_case() {
	local deadline way deadlines=${5:-${matrix_deadlines[*]}}
	if [ -z "${5-}" ] && [ "${VHBA_MATRIX_FULL:-0}" != 1 ]; then
		deadlines=${matrix_deadlines[matrix_cases % ${#matrix_deadlines[@]}]}
		[ -z "$matrix_named" ] || deadlines=$matrix_surely
	fi
	matrix_cases=$((matrix_cases + 1))
	[[ $1 =~ ${VHBA_MATRIX:-} ]] || deadlines=''
	for deadline in $deadlines; do
		way=resume
		[ $((matrix_rounds % 2)) -eq 0 ] || way=release
		matrix_rounds=$((matrix_rounds + 1))
		matrix_round "$1" "$2" "$3" "${4:-confirmed}" "$deadline" "${matrix_way:-$way}"
	done
	matrix_way='' matrix_also='' matrix_ask=matrix_quiesce matrix_options='' matrix_named='' matrix_back=30s matrix_gone=10
}

matrix_down() {
	run_ok ctl detach db1
	run_ok host_down alpha
	run_ok san_down
	ok "the kernel has not warned" kernel_calm
}

matrix_table() {
	echo "# case x deadline; times in ms from the request"
	column -t -s $'\t' "$OUT/matrix.tsv" | sed 's/^/# /'
}
