#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The man pages and the completion say what the tables say, all of it and nothing else: the parts between
# "table NAME" and "table end" are exactly what tests/docs-dump prints.  --write writes them.
set -euo pipefail
src=${top_srcdir:?} build=${top_builddir:?}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0
ok() { # status, text
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}
part() { awk -v s="table $2\$" '/table end$/ { on = 0 } on; $0 ~ s { on = 1 }' "$1"; }
# check FILE NAME: the part NAME of the file.
check() {
	local f=$src/$1 r=0
	"$build/tests/docs-dump" "$2" >"$tmp/want"
	if [ "${write:-}" ]; then
		awk -v s="table $2\$" -v w="$tmp/want" '
			/table end$/ { on = 0 }
			!on { print }
			$0 ~ s { on = 1; while ((getline line < w) > 0) print line }' "$f" >"$tmp/new"
		cat "$tmp/new" >"$f"
	fi
	part "$f" "$2" >"$tmp/have"
	[ -s "$tmp/have" ] || r=1
	diff "$tmp/want" "$tmp/have" >"$tmp/diff" || { r=1; sed 's/^/# /' "$tmp/diff"; }
	ok $r "$1 has the table of $2 as it is"
}
[ "${1:-}" != --write ] || write=1

check man/vhba-proto.7 methods
check man/vhbad.conf.5 config
check man/vhbactl.1 commands
check man/vhbactl.1 globals
check src/ctl/completion/vhbactl completion

# What help prints is in the man page's part by construction; that help itself prints each command is not.
r=0
"$build/src/ctl/vhbactl" help >"$tmp/help"
while read -r line; do
	grep -qF -- "  $line" "$tmp/help" || { r=1; echo "# help lacks: $line"; }
done < <(part "$src/man/vhbactl.1" commands | sed -n 's/^\.SS "\(.*\)"$/\1/p' | sed 's/\\-/-/g')
ok $r "help shows each command of the man page"

# Each function of the library is in its man page, and the reverse.
grep -v ^typedef "$src/include/vhba/vhba.h" "$src/include/vhba/errors.h" | grep -ohE '\bvhba_[a-z_]+\(' |
	tr -d '(' | sort -u >"$tmp/declared"
sed 's/ ()/()/' "$src/man/libvhba.3" | grep -oE '\bvhba_[a-z_]+\(' | tr -d '(' | sort -u >"$tmp/written"
r=0
diff "$tmp/declared" "$tmp/written" >"$tmp/diff" || { r=1; sed 's/^/# /' "$tmp/diff"; }
ok $r "libvhba.3 names each function, and no other"

# Each option of vhba-io is in its man page, and the reverse.
r=0
"$build/src/io/vhba-io" --help | grep -oE '\-\-[a-z-]+' | sort -u >"$tmp/declared"
sed -n '/^.SH OPTIONS/,/^.SH "LOGICAL/p' "$src/man/vhba-io.8" | sed 's/\\-/-/g' | grep -E '^\.B' | grep -oE '\-\-[a-z-]+' |
	sort -u >"$tmp/written"
diff "$tmp/declared" "$tmp/written" >"$tmp/diff" || { r=1; sed 's/^/# /' "$tmp/diff"; }
ok $r "vhba-io.8 has each option, and no other"

# So is each of vhba-virt.
r=0
"$build/src/virt/vhba-virt" --help | grep -oE '\-\-[a-z-]+' | sort -u >"$tmp/declared"
sed -n '/^.SH OPTIONS/,/^.SH "EXIT/p' "$src/man/vhba-virt.8" | sed 's/\\-/-/g' | grep -E '^\.B' | grep -oE '\-\-[a-z-]+' |
	sort -u >"$tmp/written"
diff "$tmp/declared" "$tmp/written" >"$tmp/diff" || { r=1; sed 's/^/# /' "$tmp/diff"; }
ok $r "vhba-virt.8 has each option, and no other"

for page in vhba-hook.1 vhbactl.1 vhba-proto.7 libvhba.3 vhba-io.8 vhba-virt.8 vhbad.8 vhbad.conf.5 vhba-quiesce.7; do
	r=0
	if command -v groff >/dev/null; then
		groff -man -Tutf8 -ww "$src/man/$page" >/dev/null 2>"$tmp/groff" || r=1
		[ ! -s "$tmp/groff" ] || { r=1; sed 's/^/# /' "$tmp/groff"; }
	fi
	ok $r "$page is clean troff"
done

# The completion, run.
r=0
LC_ALL=C bash -c '
	set -eu
	. "$1"
	try() { # expected word, words of the line...
		local want=$1; shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
		_vhbactl
		case " ${COMPREPLY[*]} " in
		*" $want "*) ;;
		*) echo "# after \"$*\": no \"$want\" in: ${COMPREPLY[*]}"; exit 1 ;;
		esac
	}
	vhbactl() { echo "{\"vms\":[{\"name\":\"db1\",\"uuid\":\"x\"},{\"name\":\"web-2\"}]}"; }
	try vm vhbactl ""
	try quiesce vhbactl --json q
	try list vhbactl vm ""
	try --uuid= vhbactl vm add x --
	try --deadline= vhbactl quiesce db1 --d
	try db1 vhbactl quiesce ""
	try web-2 vhbactl --socket /s vhba list w
	try --json vhbactl vm list --j
' _ "$src/src/ctl/completion/vhbactl" >"$tmp/comp" 2>&1 || { r=1; sed 's/^/# /' "$tmp/comp"; }
ok $r "completion completes commands, options and VM names"
echo "1..$n"
