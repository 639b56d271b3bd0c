#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# lab/lib/tap.sh and lab/check, on this machine: what must fail does, and the sums are right.
set -uo pipefail
LAB=${top_srcdir:-$(dirname "$0")/../..}/lab
LAB=$(cd "$LAB" && pwd)
export LAB
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
count=0

# expect DESCRIPTION EXPECTED SEEN
expect() {
	count=$((count + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $count - $1"
	else
		printf 'not ok %d - %s\n' "$count" "$1"
		printf '%s\n' "expected: $2" "seen:     $3" | sed 's/^/# /'
	fi
}

# scenario NAME: from its standard input.
scenario() {
	{
		printf '#!/bin/bash\nset -eu\n. "$LAB/lib/tap.sh"\n'
		cat
	} >"$scratch/lab/scenarios/$1"
	chmod +x "$scratch/lab/scenarios/$1"
}

# outcome NAME: "STATUS/tests that passed/that failed/plan"
outcome() {
	local status=0
	"$scratch/lab/scenarios/$1" >"$scratch/said" 2>&1 || status=$?
	echo "$status/$(grep -c '^ok' "$scratch/said")/$(grep -c '^not ok' "$scratch/said")/$(grep '^1\.\.' "$scratch/said")"
}

# A lab whose VM is this machine.
mkdir -p "$scratch/lab/scenarios" "$scratch/lab/lib" "$scratch/lab/tests"
cp "$LAB/check" "$scratch/lab/"
cp "$LAB/lib/defect.sh" "$scratch/lab/lib/"
echo 'kernel_get() { :; }' >"$scratch/lab/lib/kernel.sh"
printf '#!/bin/bash\nexec "$(dirname "$0")/scenarios/$3"\n' >"$scratch/lab/run"
chmod +x "$scratch/lab/run"

scenario good <<'E2'
ok "true" true
fails "false" false
is a a "is"
isnt a b "isnt"
like abc '^a.c$' "like"
skip "one" "no reason"
until_ok 1 "at once" true
E2
scenario bad <<'E2'
ok "false" false
fails "true" true
is a b "is"
isnt a a "isnt"
like abc '^x' "like"
until_ok 0 "never" false
run_ok true
E2
scenario early <<'E2'
ok "true" true
false
ok "never" true
E2
scenario bailed <<'E2'
ok "true" true
bail "no hope"
E2
scenario skipped <<'E2'
skip_all "no device"
E2
scenario empty <<'E2'
E2
# Bash ends the whole shell there, although a status is expected, and with the output turned away.
scenario torn <<'E2'
gone() { case $(</nonexistent/file) in x) return 0 ;; esac; }
ok "true" true
ok "torn" gone
E2
cat >"$scratch/lab/scenarios/liar" <<'E2'
#!/bin/bash
echo "ok 1 - one"; echo 1..2; exit 0
E2
cat >"$scratch/lab/scenarios/silent" <<'E2'
#!/bin/bash
echo "ok 1 - one"; echo 1..1; exit 3
E2
chmod +x "$scratch/lab/scenarios"/*

expect "all is well" "0/7/0/1..7" "$(outcome good)"
expect "each helper can fail" "1/1/6/1..7" "$(outcome bad)"
expect "an early end is a failure" "1/1/1/1..2" "$(outcome early)"
expect "it says the command and its line" "# the last command: line 5: false" "$(grep 'last command' "$scratch/said")"
expect "an end within a tested command too" "1/1/1/1..2" "$(outcome torn)"
expect "it says the function" "#   in gone, torn" "$(grep ' in gone' "$scratch/said")"
expect "and what bash said" 1 "$(grep -c 'line 4: /nonexistent/file: No such file' "$scratch/said")"
expect "a bail-out fails" "1/1/0/" "$(outcome bailed)"
expect "all can be skipped" "0/0/0/1..0 # SKIP no device" "$(outcome skipped)"

check() { JOBS=3 "$scratch/lab/check" "$@" 2>&1 | tail -n 1; }
expect "check: good" "lab: 6 passed, 0 failed, 1 skipped" "$(check good)"
expect "check: bad" "lab: 1 passed, 6 failed, 0 skipped" "$(check bad)"
expect "check: an early end" "lab: 1 passed, 1 failed, 0 skipped" "$(check early)"
expect "check: a bail-out" "lab: 1 passed, 1 failed, 0 skipped" "$(check bailed)"
expect "check: skipped" "lab: 0 passed, 0 failed, 1 skipped" "$(check skipped)"
expect "check: no test" "lab: 0 passed, 1 failed, 0 skipped" "$(check empty)"
expect "check: fewer than planned" "lab: 1 passed, 1 failed, 0 skipped" "$(check liar)"
expect "check: a status that no test explains" "lab: 1 passed, 1 failed, 0 skipped" "$(check silent)"
expect "check: all of them" "lab: 12 passed, 12 failed, 2 skipped" "$(check)"
mkdir -p "$scratch/out/bad" "$scratch/out/good"
seq 100 >"$scratch/out/bad/console.log"
seq 100 >"$scratch/out/good/console.log"
expect "check: the logs' ends, of what failed only" "# ---- bad: the end of console.log,# | 71,# | 100" \
	"$(VHBA_LAB_OUT=$scratch/out "$scratch/lab/check" good bad 2>&1 | grep -A 30 -e '^# ----' |
		sed -n '1p; 2p; $p' | paste -sd,)"
JOBS=2 "$scratch/lab/check" good bad >/dev/null 2>&1
expect "check: its status" 1 $?
JOBS=2 "$scratch/lab/check" good >/dev/null 2>&1
expect "check: its status when all is well" 0 $?
expect "check: the numbers run on" "1..14" "$(JOBS=1 "$scratch/lab/check" good bad 2>&1 | grep -c -E '^(not )?ok' | sed 's/^/1../')"

# A run in which the kernel itself failed tells nothing: the scenario is run anew, but not for ever, and not for less.
# struck TIMES: the first runs of "unlucky" meet a defect of the kernel.
struck() {
	rm -rf "$scratch/out"
	mkdir -p "$scratch/out/unlucky"
	echo "$1" >"$scratch/struck"
}
cat >"$scratch/lab/scenarios/unlucky" <<E2
#!/bin/bash
left=\$(cat "$scratch/struck")
echo 1..1
[ "\$left" -gt 0 ] || { echo "ok 1 - one"; exit 0; }
echo \$((left - 1)) >"$scratch/struck"
cat "$scratch/report" >"$scratch/out/unlucky/console.log"
echo "not ok 1 - one"
exit 1
E2
chmod +x "$scratch/lab/scenarios/unlucky"
unlucky() { VHBA_LAB_OUT=$scratch/out "$scratch/lab/check" unlucky 2>&1; }
printf '%s\r\n' '[ 9.1] watchdog: BUG: soft lockup - CPU#0 stuck for 45s! [vhba-priv:202]' '[ 9.2]  <TASK>' \
	'[ 9.3]  fc_exch_done.isra.0+0x106/0x160 [libfc]' '[ 9.4]  </TASK>' >"$scratch/report"
struck 1
expect "check: a defect of the kernel: run anew" "lab: 1 passed, 0 failed, 1 skipped" "$(unlucky | tail -n 1)"
struck 1
expect "check: which is told" 1 "$(unlucky | grep -c '^ok .*# SKIP run anew: the kernel failed: .*fc_exch_done')"
struck 3
expect "check: again and again: a failure" "lab: 0 passed, 1 failed, 2 skipped" "$(unlucky | tail -n 1)"
sed 's/fc_exch_done/fc_rport_login/' -i "$scratch/report"
struck 1
expect "check: another report: a failure" "lab: 0 passed, 1 failed, 0 skipped" "$(unlucky | tail -n 1)"
printf '%s\r\n' '[ 9.5] Kernel panic - not syncing: softlockup: hung tasks' '[ 9.6] RIP: 0010:some_lock+0x30/0x2a0' >>"$scratch/report"
struck 1
expect "check: of which it died: run anew" 1 "$(unlucky | grep -c '# SKIP run anew: the kernel failed: Kernel panic .*hung tasks, in some_lock')"
struck 3
expect "check: dead again and again: a failure" "lab: 0 passed, 1 failed, 2 skipped" "$(unlucky | tail -n 1)"
printf '%s\n' '[ 9.1] libfc: fc_exch_done+0x10 is mentioned' >"$scratch/report"
struck 1
expect "check: no report: a failure" "lab: 0 passed, 1 failed, 0 skipped" "$(unlucky | tail -n 1)"
echo "1..$count"
