#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The installed headers compile as C++ and as strict C, and the library exports what they declare and no more.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
src=${top_srcdir:?} build=${top_builddir:?}
inc=$src/include
echo 1..3
n=0
check() { # text, command...
	local text=$1
	shift
	n=$((n + 1))
	if "$@" >"$tmp/out" 2>&1; then
		echo "ok $n - $text"
	else
		sed 's/^/# /' "$tmp/out"
		echo "not ok $n - $text"
	fi
}
printf '#include <vhba/vhba.h>\nint main() { vhba_conn *c; return vhba_connect(0, &c, 0); }\n' >"$tmp/a.cc"
printf '#include <vhba/vhba.h>\nint x;\n' >"$tmp/a.c"
if command -v g++ >/dev/null; then
	check "C++" g++ -Wall -Wextra -Werror -std=c++11 -I"$inc" -fsyntax-only "$tmp/a.cc"
else
	n=$((n + 1))
	echo "ok $n - C++ # SKIP no C++ compiler"
fi
check "strict C" gcc -Wall -Wextra -Werror -std=c99 -pedantic -I"$inc" -fsyntax-only "$tmp/a.c"
symbols() {
	grep -hv ^typedef "$inc/vhba/vhba.h" "$inc/vhba/errors.h" | grep -oE "\bvhba_[a-z_]+\(" | tr -d '(' | sort -u >"$tmp/declared"
	nm -D --defined-only "$build/src/lib/.libs/libvhba.so" | awk '$2 == "T" { print $3 }' |
		sed 's/@.*//' | sort -u >"$tmp/exported"
	diff "$tmp/declared" "$tmp/exported"
}
check "exported symbols are the declared ones" symbols
