#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vhba-hook against a server with a script (tests/fake-vhbad): what it asks for in which order, its report, its exit codes.
set -euo pipefail
src=${top_srcdir:?} build=${top_builddir:?}
data=$src/tests/data/hook
tmp=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$tmp"' EXIT
export LC_ALL=C.UTF-8
sock=$tmp/s n=0
ok() { # status, text
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}
# exits CODE TEXT ARG...: output stays in $tmp/out and $tmp/err
exits() {
	local want=$1 text=$2 got=0
	shift 2
	timeout 20 "$build/src/hook/vhba-hook" --socket "$sock" "$@" >"$tmp/out" 2>"$tmp/err" || got=$?
	[ "$got" = "$want" ] || { echo "# exit code $got, not $want"; sed 's/^/# /' "$tmp/out" "$tmp/err"; }
	ok "$([ "$got" = "$want" ]; echo $?)" "$text: exit $want"
}
has() { # file, fixed text
	local r=0
	grep -qF -- "$2" "$tmp/$1" || { r=1; sed 's/^/# /' "$tmp/$1"; }
	ok $r "$1 has: $2"
}
# asked METHOD...: just these, in this order
asked() {
	local have
	have=$(cut -d' ' -f1 "$tmp/log" | paste -sd' ')
	[ "$have" = "$*" ] || echo "# asked: $have"
	ok "$([ "$have" = "$*" ]; echo $?)" "asks for: $*"
}
# serve SCRIPT: from now on that one
serve() {
	[ -z "$server" ] || { kill "$server"; wait "$server" 2>/dev/null || true; }
	rm -f "$sock"
	"$build/tests/fake-vhbad" "$sock" "$data/$1.json" "$tmp/log" &
	server=$!
	for _ in $(seq 500); do [ -S "$sock" ] && return; sleep 0.02; done
}

exits 2 "no VM" pre-migrate
exits 2 "an unknown verb" migrate db1
exits 2 "a deadline without a unit" pre-migrate db1 --deadline 5
has err "seen: 5"
exits 1 "no daemon" pre-migrate db1 --deadline 1s
has out '"outcome":"failed","exit":1,'
has err "vhba-hook: pre-migrate: cannot connect to vhbad"

serve source
exits 0 "pre-migrate" pre-migrate db1 --deadline 10s --paused --ticket "$tmp/ticket"
asked vm.Show quiesce export
has log '"paused":true'
has out '"hook":"pre-migrate","vm":"db1","outcome":"confirmed","exit":0,'
has out '"ticket":{"format":"vhba-ticket"'
ok "$(cmp -s <(tr -d ' ' <"$tmp/ticket") <(tr -d ' ' <"$data/ticket.json"); echo $?)" "the ticket is in the file too"
deadline=$(grep -o '"deadline_us":[0-9]*' "$tmp/log" | cut -d: -f2)
ok "$([ "$deadline" -gt 1000000 ] && [ "$deadline" -le 10000000 ]; echo $?)" "vhbad gets what is left of the deadline"
cp "$tmp/out" "$tmp/report"

serve source
exits 0 "post-migrate on the source" post-migrate db1
asked vm.Show release
has log 'release {"moved":true,"vm":"db1"}'
serve source
exits 0 "abort-migrate of a VM that is attached" abort-migrate db1
asked vm.Show
has out '"outcome":"none"'

serve unsure
exits 3 "pre-migrate that is not proved" pre-migrate db1 --deadline 1s
asked vm.Show quiesce export
has out '"unproved":["vhba 1: fabric logged out"]'
serve unsure
exits 0 "abort-migrate of a VM that is held" abort-migrate db1
asked vm.Show resume

serve failing
exits 1 "pre-migrate that fails" pre-migrate db1 --deadline 1s
asked vm.Show quiesce
has out '"outcome":"failed","exit":1,'
serve failing
exits 1 "an error of vhbad" post-migrate db1
has out '"error":{"error":"org.vhba.Busy","parameters":{"what":"db1: another operation is under way","expected":"","seen":"quiesce"'
has err "vhba-hook: post-migrate: db1: another operation is under way"

serve destination
exits 2 "check-migrate without a ticket" check-migrate db1
exits 0 "check-migrate" check-migrate db1 --ticket "$data/ticket.json"
asked preflight
has out '"unproved":["vhba 0: 50:2a:b3:00:00:00:00:01 is logged in as 010203; that this is the source is unproved: nothing here says where the source has it","vhba 0: 1 of 4 LUN paths are seen by this host'"'"'s own ports, the rest is unproved: masking may hide them from its own names"],"steps":'
serve again
exits 5 "check-migrate that fails" check-migrate db1 --ticket "$data/ticket.json"
has out '"checks":[{'
has err "check-migrate: VSAN 10 is not known on this host: expected a section [vsan 10], seen none; add it"
serve destination
exits 0 "post-migrate on the destination" post-migrate db1 --ticket "$data/ticket.json" --deadline 10s
asked vm.Show import attach
serve destination
exits 0 "the same with what pre-migrate printed" post-migrate 0f0e0d0c-0b0a-4908-8706-050403020100 --ticket - <"$tmp/report"
asked vm.Show import attach
serve destination
exits 2 "another VM's ticket" post-migrate db2 --ticket "$data/ticket.json"
exits 2 "no ticket" post-migrate db1 --ticket "$src/tests/hook.sh"
exits 1 "no such file" post-migrate db1 --ticket "$tmp/none"
ok "$([ ! -s "$tmp/log" ]; echo $?)" "and vhbad is asked for nothing"
exits 1 "a VM that vhbad does not know" pre-migrate db1
exits 0 "the same, where such VMs exist" pre-migrate db1 --if-known
has out '"outcome":"none"'

serve again
exits 0 "called again when the ticket was taken over" post-migrate db1 --ticket "$data/ticket.json"
asked vm.Show attach
serve taken
exits 0 "called again when all was done" post-migrate db1 --ticket "$data/ticket.json"
asked vm.Show

# As libvirt calls it: nothing on standard output, which would be taken for another XML.
hook() { # CODE TEXT XML OPERATION SUB
	exits "$1" "$2" libvirt db1 "$4" "$5" - <"$src/tests/data/domain/$3"
	ok "$([ ! -s "$tmp/out" ]; echo $?)" "and prints nothing"
}
rm -f "$tmp/log"
serve destination
hook 0 "libvirt: prepare" bound.xml prepare begin
asked vm.Show import attach
has log '"uuid":"6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01"'
has log '"check_names":true'
serve destination
hook 0 "libvirt: migrate" bound.xml migrate begin
asked vm.Show preflight
has err "vhba: vhba 0: 50:2a:b3:00:00:00:00:01 is logged in as 010203; that this is the source is unproved"
has err "vhba: vhba 1: 50:2a:b3:00:00:00:00:02 is logged in as 020304, as the source has it"
has err "vhba: vhba 0: 1 of 4 LUN paths are seen by this host's own ports, the rest is unproved: masking may hide them"
has err "vhba: vhba 1: all 4 LUN paths are seen by this host's own ports"
sed 's|</vhba:identity>|<vhba:property name="io">{"kind":"scsi"}</vhba:property>&|' "$src/tests/data/domain/bound.xml" >"$tmp/io.xml"
serve arrival
exits 0 "libvirt: migrate of a VM with a vhba-io: exit 0" libvirt db1 migrate begin - <"$tmp/io.xml"
asked vm.Show preflight io.Await
has log '"io":{"kind":"scsi"}'
serve awaited
exits 0 "libvirt: prepare of one that arrives: exit 0" libvirt db1 prepare begin - <"$tmp/io.xml"
asked vm.Show
exits 0 "libvirt: release of one that has not come: exit 0" libvirt db1 release end - <"$tmp/io.xml"
has log '"moved":true'
serve again
hook 1 "libvirt: migrate that is refused" bound.xml migrate begin
has err "vhba: VSAN 10 is not known on this host: expected a section [vsan 10], seen none; add it"
serve taken
hook 0 "libvirt: prepare, called again" bound.xml prepare begin
asked vm.Show
serve destination
hook 0 "libvirt: release of what is not known" bound.xml release end
asked vm.Show
hook 1 "libvirt: a copy of a domain" copy.xml prepare begin
has err "the domain carries the identity of another VM"
hook 1 "libvirt: metadata of a newer vhba" newer.xml prepare begin
has err "expected version 1 to 1, seen 7; update vhba on this host"
kill "$server"; wait "$server" 2>/dev/null || true; server=
rm -f "$sock"
hook 1 "libvirt: prepare without a daemon" bound.xml prepare begin
hook 0 "libvirt: reconnect always succeeds" bound.xml reconnect begin
hook 0 "libvirt: so does what is none of its operations" bound.xml started begin
hook 0 "libvirt: a domain without metadata asks for no daemon" plain.xml prepare begin
hook 1 "libvirt: no XML" none.xml prepare begin
exits 2 "libvirt: too few arguments" libvirt db1
ln -s "$(readlink -f "$build/src/hook/.libs/vhba-hook" "$build/src/hook/vhba-hook" | while read -r f; do [ -x "$f" ] && echo "$f" && break; done)" "$tmp/vhba"
r=0
LD_LIBRARY_PATH=$build/src/lib/.libs "$tmp/vhba" db1 prepare begin - <"$src/tests/data/domain/newer.xml" 2>"$tmp/err" || r=$?
ok "$((r != 1))" "by a link called vhba it is libvirt's hook"
has err "written by a newer vhba"

# The manual and the completion have each word of the help, and no option that it has not.
"$build/src/hook/vhba-hook" --help >"$tmp/help"
grep -oE -- '--[a-z-]+|^  [a-z]+-migrate' "$tmp/help" | tr -d ' ' | sort -u >"$tmp/words"
sed 's/\\-/-/g' "$src/man/vhba-hook.1" >"$tmp/page"
for file in "$tmp/page" "$src/src/hook/completion/vhba-hook"; do
	r=0
	while read -r word; do
		grep -qF -- "$word" "$file" || { r=1; echo "# lacks $word"; }
	done <"$tmp/words"
	ok $r "$(basename "$file") has each option and verb"
done
echo "1..$n"
