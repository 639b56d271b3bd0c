#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vhbactl against a server with a script (tests/fake-vhbad): what it sends, what it shows, its exit codes.
set -euo pipefail
src=${top_srcdir:?} build=${top_builddir:?}
tmp=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$tmp"' EXIT
export LC_ALL=C.UTF-8
sock=$tmp/s n=0
ok() { # condition's status, text
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}
ctl() { timeout 20 "$build/src/ctl/vhbactl" --socket "$sock" "$@"; }
# exits CODE TEXT ARG...: the exit code; output stays in $tmp/out and $tmp/err
exits() {
	local want=$1 text=$2 got=0
	shift 2
	ctl "$@" >"$tmp/out" 2>"$tmp/err" || got=$?
	[ "$got" = "$want" ] || { echo "# exit code $got, not $want"; sed 's/^/# /' "$tmp/out" "$tmp/err"; }
	ok "$([ "$got" = "$want" ]; echo $?)" "$text: exit $want"
}
has() { # file, fixed text
	local r=0
	grep -qF -- "$2" "$tmp/$1" || { r=1; sed 's/^/# /' "$tmp/$1"; }
	ok $r "$1 has: $2"
}
sent() { # line of the server's log
	local last
	last=$(tail -n 1 "$tmp/log")
	[ "$last" = "$1" ] || echo "# sent: $last"
	ok "$([ "$last" = "$1" ]; echo $?)" "sends $1"
}

exits 1 "no daemon" status
has err "vhbactl: cannot connect to vhbad: expected a socket at $sock, seen No such file or directory; is vhbad"
exits 1 "no daemon, as JSON" status --json
has out '{"error":"org.vhba.InputOutput","parameters":{"what":"cannot connect to vhbad"'

"$build/tests/fake-vhbad" "$sock" "$src/tests/data/ctl/script.json" "$tmp/log" &
server=$!
for _ in $(seq 200); do [ -S "$sock" ] && break; sleep 0.02; done

exits 2 "no command"
exits 2 "unknown command" vm lst
has err "unknown command: expected a command, seen vm lst; see vhbactl help"
exits 2 "unknown option" vm list --nonsense
exits 2 "missing argument" vm show
exits 2 "missing option" quiesce db1
has err "quiesce VM --deadline D [--drain D] [--paused]"
exits 2 "too many arguments" vm show db1 db2
exits 2 "a deadline without a unit" quiesce db1 --deadline 5
has err "vhbactl: --deadline: expected a duration"
exits 2 "a number that is none" vhba remove db1 x
exits 2 "refused by the method table" vm show 'a b'

exits 0 "vm add" vm add db1 --uuid 0f0e0d0c-0b0a-4908-8706-050403020100
sent 'vm.Add {"uuid":"0f0e0d0c-0b0a-4908-8706-050403020100","name":"db1"}'
exits 0 "vm add with pools" vm add db1 --uuid 0f0e0d0c-0b0a-4908-8706-050403020100 --pool
sent 'vm.Add {"uuid":"0f0e0d0c-0b0a-4908-8706-050403020100","pool":true,"name":"db1"}'
exits 0 "vm set" vm set db1 --pool no
sent 'vm.Set {"pool":false,"vm":"db1"}'
exits 0 "vm set of the I/O back end" vm set db1 --io scsi --io-workers 2 --limit-iops 5000 --limit-mbps 100 --paths guest
sent 'vm.Set {"io":"scsi","io_workers":2,"limit_iops":5000,"limit_mbps":100,"paths":"guest","vm":"db1"}'
exits 0 "lun add" lun add db1 --file /srv/db1.img --serial s1 --number 1 --ro --direct
sent 'lun.Add {"file":"\/srv\/db1.img","serial":"s1","number":1,"read_only":true,"direct":true,"vm":"db1"}'
has out "LUN 1  /srv/db1.img  serial 0f0e0d0c0b0a-1"
exits 0 "lun remove" lun remove db1 1
sent 'lun.Remove {"vm":"db1","number":1}'
exits 0 "io start" io start db1
has out "/run/vhba/io/db1/scsi.sock"
exits 0 "io upgrade" io upgrade db1
exits 0 "io check" io check db1
sent 'io.Check {"vm":"db1"}'
exits 0 "io latency" io latency db1
sent 'io.Latency {"vm":"db1"}'
has out "db1 scsi   3       64       12"
exits 0 "io end" io end db1
sent 'io.End {"vm":"db1"}'
exits 0 "io open by a person's word" io open db1 --reason operator
sent 'io.Open {"reason":"operator","vm":"db1"}'
exits 0 "io open of one that was shut out" io open db1 --reason preempted
sent 'io.Open {"reason":"preempted","vm":"db1"}'
echo '{"format":1}' >"$tmp/proof"
exits 0 "io open by a ticket" io open db1 --ticket "$tmp/proof"
sent 'io.Open {"vm":"db1","ticket":{"format":1}}'
exits 2 "neither yes nor no" vm set db1 --pool maybe
has err "--pool: expected yes or no, seen maybe"
exits 0 "pool sync" pool sync db1 --deadline 40s
sent 'pool.Sync {"deadline_us":40000000,"vm":"db1"}'
exits 0 "vhba add" vhba add db1 --vsan 10 --zone a,b --zone c --wwpn 2000020000000001 --wwnn 2001020000000001
sent 'vhba.Add {"vsan":10,"zones":["a","b","c"],"wwpn":"2000020000000001","wwnn":"2001020000000001","vm":"db1"}'
exits 0 "vhba remove" vhba remove db1 1
sent 'vhba.Remove {"vm":"db1","index":1}'
exits 0 "attach" attach db1 --deadline 10s --accept-luns
sent 'attach {"deadline_us":10000000,"accept_luns":true,"vm":"db1"}'
exits 3 "unconfirmed quiesce" quiesce db1 --deadline 1s --drain 500ms --paused
sent 'quiesce {"deadline_us":1000000,"drain_us":500000,"paused":true,"vm":"db1"}'
has out "quiesce db1: unconfirmed in 995 ms, deadline 1 s"
has out "not proved: vhba 1: fabric logged out"
exits 4 "deadline passed" resume db1
has err "resume: the deadline passed: expected all LUNs back, seen 2 of 4; look at the zone"
exits 5 "constraint not met" release db1 --moved
sent 'release {"moved":true,"vm":"db1"}'
exits 1 "busy" detach db1 --json
has out '{"error":"org.vhba.Busy","parameters":{"what":"db1: another operation is under way","expected":"none","seen":"quiesce","fix":"wait for it"}}'

exits 5 "plan that can't be met" plan db1 --deadline 5s --drain 1s
sent 'plan {"deadline_us":5000000,"drain_us":1000000,"vm":"db1"}'
has out "db1: a quiesce within 5s: NOT met; the smallest deadline that is: none (as long as the fabric answers: 1065ms)"
exits 5 "the same as JSON" plan db1 --deadline 5s --json
has out '"step":"disable-abort"'
exits 2 "a plan without a deadline" plan db1

exits 0 "export to a file" export db1 -o "$tmp/ticket"
ok "$(grep -qx '{"format":1,"vm":{"name":"db1"}}' "$tmp/ticket"; echo $?)" "the ticket is in the file"
exits 0 "import" import "$tmp/ticket" --force
sent 'import {"force":true,"ticket":{"format":1,"vm":{"name":"db1"}}}'
ctl export db1 --json | ctl import - >/dev/null
ok "$?" "import takes what export --json printed"
sent 'import {"ticket":{"format":1,"vm":{"name":"db1"}}}'
exits 5 "preflight that fails" preflight "$tmp/ticket"
sent 'preflight {"ticket":{"format":1,"vm":{"name":"db1"}}}'
has out "add it to vhbad.conf"
has out "vhba 0: 50:2a:b3:00:00:00:00:01 is logged in as 010203; that this is the source is unproved: nothing here says where the source has it"
has out "vhba 0: 1 of 4 LUN paths are seen by this host's own ports, the rest is unproved: masking may hide them from its own names"
has out "  target 50:06:01:60:00:00:0a:01: 3 of 4 LUNs are not shown to this host's own ports"
has out "vhba 1: all 4 LUN paths are seen by this host's own ports"
has out "db1 can NOT come to this host"
exits 5 "the same as JSON" preflight "$tmp/ticket" --json
exits 2 "import of what is no ticket" import "$src/tests/ctl.sh"
exits 1 "import of what is not there" import "$tmp/nothing"
exits 0 "events" events --since 5
sent 'events {"since":5}'
exits 0 "events as they come" events -f
sent 'events more {}'
has out "6  11.000345  parent     host3 is Online"

# Each command's text, and the same twice as one line of JSON.
for cmd in "vm list" "vm show db1" "vhba list" "parent list" "parent show host3" "lun list" "io list" "io status db1" "pool list" "status" "log db1" \
	"config show" "timeline db1 --last 2"; do
	name=${cmd%% --*} name=${name// /-}
	# shellcheck disable=SC2086
	ctl $cmd | sed 's/[[:space:]]*$//' >"$tmp/$name.txt"
	[ -z "${GOLDEN:-}" ] || cp "$tmp/$name.txt" "$src/tests/data/ctl/"
	r=0
	diff "$src/tests/data/ctl/$name.txt" "$tmp/$name.txt" >"$tmp/diff" || { r=1; sed 's/^/# /' "$tmp/diff"; }
	ok $r "text of $cmd"
done
ctl plan db1 --deadline 5s | sed 's/[[:space:]]*$//' >"$tmp/plan.txt" || true # it ends with 5
[ -z "${GOLDEN:-}" ] || cp "$tmp/plan.txt" "$src/tests/data/ctl/"
r=0
diff "$src/tests/data/ctl/plan.txt" "$tmp/plan.txt" >"$tmp/diff" || { r=1; sed 's/^/# /' "$tmp/diff"; }
ok $r "text of plan"
ctl --json vm list >"$tmp/a"
ctl vm list --json >"$tmp/b"
ok "$([ "$(wc -l <"$tmp/a")" = 1 ] && cmp -s "$tmp/a" "$tmp/b"; echo $?)" "JSON is one line, the same before and after"

exits 0 "SVG" timeline db1 --svg "$tmp/t.svg" --last 2
r=0
grep -q 'name server &lt;silent&gt; &amp; no answer' "$tmp/t.svg" || r=1
ok $r "SVG escapes what it quotes"
if command -v xmllint >/dev/null; then
	r=0
	xmllint --noout "$tmp/t.svg" || r=1
	ok $r "SVG is well-formed"
fi
[ -z "${GOLDEN:-}" ] || cp "$tmp/t.svg" "$src/tests/data/ctl/"
cmp -s "$src/tests/data/ctl/t.svg" "$tmp/t.svg" && r=0 || r=1
ok $r "SVG as drawn before"
ctl log db1 --json >"$tmp/log.json"
exits 0 "timeline of a file" timeline "$tmp/log.json"
exits 1 "timeline of nothing" timeline /dev/null
echo '{"vhbas":[1,{"phases":[null,{"start_us":-5,"end_us":"x"},7]},[]],"records":5,"start_us":[]}' >"$tmp/hostile"
exits 0 "timeline of a hostile file" timeline "$tmp/hostile" --svg "$tmp/h.svg"
# A migration: what is asked for, the bar on a terminal, and the blackout by phase at its end.
move() { exits "$1" "$2" migrate db1 qemu+ssh://beta/system --deadline 20s "${@:3}"; }
move 0 "a migration"
sent 'migrate {"deadline_us":20000000,"domain":"db1","uri":"qemu+ssh:\/\/beta\/system"}'
cp "$tmp/out" "$tmp/migrate.txt"
ok "$([ ! -s "$tmp/err" ]; echo $?)" "where no terminal is, no bar is drawn"
# on_terminal ARG...: what a person sees; its lines in $tmp/seen, as they were drawn.
on_terminal() {
	script -qec "timeout 20 '$build/src/ctl/vhbactl' --socket '$sock' $*" /dev/null </dev/null | sed 's/\x1b\[K//g' | tr '\r' '\n' >"$tmp/seen"
}
on_terminal migrate db1 qemu+ssh://beta/system
has seen '[........................]      quiesce'
has seen '[######..................]  25% memory: 61.2 MiB sent, 196.8 of 256.0 MiB remain'
has seen '[########################] 100% finish'
on_terminal migrate db1 qemu+ssh://beta/system --no-progress
ok "$(grep -q '#' "$tmp/seen" && echo 1 || echo 0)" "nor with --no-progress"
kill "$server"
wait "$server" 2>/dev/null || true
rm -f "$sock"
"$build/tests/fake-vhbad" "$sock" "$src/tests/data/ctl/dry.json" "$tmp/log" &
server=$!
for _ in $(seq 200); do [ -S "$sock" ] && break; sleep 0.02; done
move 5 "a dry run that finds something" --dry-run
sent 'migrate {"deadline_us":20000000,"dry_run":true,"domain":"db1","uri":"qemu+ssh:\/\/beta\/system"}'
cp "$tmp/out" "$tmp/migrate-dry.txt"
move 5 "the same as JSON" --dry-run --json
has out '"unproved":["destination: its identity check'
for name in migrate migrate-dry; do
	sed -i 's/[[:space:]]*$//' "$tmp/$name.txt"
	[ -z "${GOLDEN:-}" ] || cp "$tmp/$name.txt" "$src/tests/data/ctl/"
	r=0
	diff "$src/tests/data/ctl/$name.txt" "$tmp/$name.txt" >"$tmp/diff" || { r=1; sed 's/^/# /' "$tmp/diff"; }
	ok $r "text of $name"
done
echo "1..$n"
