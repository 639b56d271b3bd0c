#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# bench/io/run on a small file, for a moment: that it measures vhba-io by both devices, beside fio if that is installed. Not beside
# qemu-storage-daemon: QEMU 7.2's has been seen to hang when it ends.
set -euo pipefail
src=${top_srcdir:?} build=${top_builddir:?}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0
# point DESCRIPTION COMMAND...
point() {
	n=$((n + 1))
	if "${@:2}"; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}
# row PATTERN DESCRIPTION: a line of the table
row() { point "$2" grep -qE "$1" "$tmp/io.md"; }
# memory WHO
memory() {
	local kib
	kib=$(sed -n "s/^| memory | $1 | \([0-9]*\) KiB.*/\1/p" "$tmp/io.md")
	echo "# $1: ${kib:-no} KiB"
	[ "${kib:-0}" -gt 0 ] && [ "$kib" -le 6144 ]
}

# The sandbox forbids what a sanitizer looks for leaks by.
export ASAN_OPTIONS=detect_leaks=0
VHBA_BUILD=$build VHBA_BENCH_OUT=$tmp timeout 120 "$src/bench/io/run" --rounds 1 --seconds 0.4 --size 8 \
	--who 'fio vhba poll blk' file-qd32 file-4x32 \
	>"$tmp/log" 2>&1 || sed 's/^/# /' "$tmp/log"
touch "$tmp/io.md"
for who in vhba poll blk; do
	row "^\| file-qd32 \| $who \| [1-9][0-9]* \(" "file-qd32: $who moves data"
	row "^\| file-4x32 \| $who \| [1-9][0-9]* \(" "file-4x32: $who moves data by four queues"
	row "^\| idle-stop \| $who \| [1-9][0-9]* us" "$who stops"
done
# A sanitizer has memory of its own.
if ! grep -q __asan_init "$build/src/io/vhba-io"; then
	for who in vhba blk; do point "$who: with four queues no more than 6 MiB are its own" memory "$who"; done
fi
! command -v fio >/dev/null || row "^\| file-4x32 \| fio \| [1-9][0-9]* \(" "and so does fio"
echo "1..$n"
