#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# libiscsi's conformance suite against the disk on a file, with blocks of 512 and of 4096 bytes, and against the
# same behind vhba-io's rings: one test point a test of theirs that applies. Skipped where iscsi-test-cu (Debian: libiscsi-bin) is not installed.
set -euo pipefail
tests=$(cd "${top_builddir:?}" && pwd)/tests
command -v iscsi-test-cu >/dev/null || { echo "1..0 # SKIP iscsi-test-cu is not installed (libiscsi-bin)"; exit 0; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

# What fails for a reason of the suite's own (libiscsi 1.19), with the reason; mended since, so it may pass too.
cat >known <<'END'
CompareAndWrite.Simple tries 256 blocks, which the CDB's one byte can't say: the disk sees 0
CompareAndWrite.Miscompare tries 256 blocks, which the CDB's one byte can't say: the disk sees 0
MultipathIO.CompareAndWrite expects zeros in a block past those that it writes
END

# points FIRST-NUMBER TITLE: TAP out of the suite's log.
points() {
	awk -v n="$1" -v title="$2" '
		function point(good) {
			name = suite "." test
			if (good && skipped != "") {
				print "# " title " " name " does not apply: " skipped
				inapplicable++
				test = ""
				return
			}
			n++
			if (good)
				print "ok " n " - " title " " name
			else if (name in reason)
				print "ok " n " - " title " " name " (fails: " reason[name] ")"
			else {
				print "not ok " n " - " title " " name
				printf "%s", said
			}
			test = ""
		}
		FILENAME == "known" { name = $1; $1 = ""; reason[name] = substr($0, 2); next }
		/^Suite: / { suite = $2 }
		/^  Test: / { test = $2; skipped = ""; said = "" }
		/\[SKIPPED\]/ { skipped = $0; sub(/.*\[SKIPPED\] */, "", skipped) }
		/\[FAILED\]|[0-9]+\. .*:[0-9]+/ { said = said "# " $0 "\n" }
		test != "" && (/^passed/ || / \.\.\.passed/) { point(1) }
		test != "" && (/^FAILED/ || / \.\.\.FAILED/) { point(0) }
		END { print "last " n " " inapplicable + 0 }' known log
}

# round TITLE PROGRAM ARGUMENT...: one run of the suite; n is the last point's number.
n=0
round() {
	local title=$1 pid port url was=$n ran other
	shift
	coproc target { exec "$@" 2>said; }
	# shellcheck disable=SC2154 # coproc sets it
	pid=$target_PID
	read -r port <&"${target[0]}"
	url=iscsi://127.0.0.1:$port/iqn.2026-01.test:disk/0
	timeout 300 iscsi-test-cu --dataloss --verbose --test=SCSI "$url" "$url" >log 2>&1 || true
	eval "exec ${target[1]}>&-"
	n=$((n + 1))
	if wait "$pid"; then
		echo "ok $n - $title: it ends in order"
	else
		echo "not ok $n - $title: it ends in order"
		tail -20 said | sed 's/^/# /'
	fi
	points "$n" "$title" >tap
	grep -v '^last ' tap || true
	read -r n other < <(sed -n 's/^last //p' tap)
	ran=$((n - was - 1)) other=$((ran + other)) n=$((n + 1))
	if [ "$other" -ge 200 ] && [ "$ran" -ge 100 ]; then
		echo "ok $n - $title: $ran of $other tests applied"
	else
		echo "not ok $n - $title: only $ran of $other tests applied"
		tail -20 log | sed 's/^/# /'
	fi
}

for size in 512 4096; do
	rm -f disk state
	truncate -s 256M disk
	round "blocks of $size" "$tests/iscsi-disk" disk state "$size"
done

# One VM is one nexus: who needs two finds himself holding what he means another to hold.
{
	for t in AccessEA AccessWE AccessEARO AccessWERO AccessEAAR AccessWEAR \
		OwnershipEA OwnershipWE OwnershipEARO OwnershipWERO OwnershipEAAR OwnershipWEAR; do
		echo "ProutReserve.$t needs a second initiator, and a VM is one nexus"
	done
	echo "ProutPreempt.RemoveRegistration needs a second initiator, and a VM is one nexus"
	echo "MultipathIO.Reset waits for a unit attention on each path, and a VM is one nexus"
} >>known
mkdir rings
truncate -s 256M rings/lun0
round "through the rings" "$tests/io/iscsi-rings" rings
echo "1..$n"
