#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The files of the service: systemd takes them, and vhbad takes the example of its configuration.
set -euo pipefail
src=${top_srcdir:?} build=${top_builddir:?}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0
ok() { # text, command...
	local what=$1
	n=$((n + 1))
	shift
	if "$@" >"$tmp/said" 2>&1; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
		sed 's/^/# /' "$tmp/said"
	fi
}
skip() {
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

ok "vhbad takes the example of its configuration" "$build/src/daemon/vhbad" \
	--config "$src/src/data/vhbad.conf.example" --check-config

# Its programs need not be installed here: the unit is checked with what surely is.
sed 's|/[^ ]*/vhbad|/bin/true|; s/ --check-config//' "$build/src/data/vhbad.service" >"$tmp/vhbad.service"
if command -v systemd-analyze >/dev/null; then
	ok "systemd takes the unit" systemd-analyze verify --man=no "$tmp/vhbad.service"
	# 0 is safe, 10 is not: what remains is root's capabilities over the network and raw I/O.
	ok "it is well confined" systemd-analyze security --offline=yes --threshold=50 "$tmp/vhbad.service"
else
	skip "systemd takes the unit" "no systemd-analyze"
	skip "it is well confined" "no systemd-analyze"
fi
if command -v systemd-sysusers >/dev/null; then
	ok "systemd takes the user" systemd-sysusers --dry-run "$src/src/data/sysusers.conf"
else
	skip "systemd takes the user" "no systemd-sysusers"
fi
echo "1..$n"
