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
# A key that systemd does not know, or a value that it does not take, is no failure to it: it says so and goes on.
silent() {
	"$@" >"$tmp/output" 2>&1 || { cat "$tmp/output"; return 1; }
	cat "$tmp/output"
	[ ! -s "$tmp/output" ]
}
skip() {
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

ok "vhbad takes the example of its configuration" "$build/src/daemon/vhbad" \
	--config "$src/src/data/vhbad.conf.example" --check-config

# What stands between .EX and .EE, as a person would copy it.
sed -n '/^\.EX$/,/^\.EE$/{/^\./d; s/\\-/-/g; p}' "$src/man/vhbad.conf.5" >"$tmp/man.conf"
ok "the example of vhbad.conf(5) has zones" grep -q '^\[zone ' "$tmp/man.conf"
ok "vhbad takes the example of vhbad.conf(5)" "$build/src/daemon/vhbad" --config "$tmp/man.conf" --check-config

# Its programs need not be installed here: the unit is checked with what surely is.
sed 's|/[^ ]*/vhbad|/bin/true|' "$build/src/data/vhbad.service" >"$tmp/vhbad.service"
sed 's|/[^ ]*/vhba-virt$|/bin/true|' "$build/src/data/vhba-virt.service" >"$tmp/vhba-virt.service"
if command -v systemd-analyze >/dev/null; then
	ok "systemd takes the unit" silent systemd-analyze verify --man=no "$tmp/vhbad.service"
	ok "systemd takes vhba-virt's" silent systemd-analyze verify --man=no "$tmp/vhba-virt.service"
	ok "which is confined more" systemd-analyze security --offline=yes --threshold=15 "$tmp/vhba-virt.service"
	# 0 is safe, 10 is not: what remains is root's capabilities over the network and raw I/O.
	ok "it is well confined" systemd-analyze security --offline=yes --threshold=30 "$tmp/vhbad.service"
else
	skip "systemd takes the unit" "no systemd-analyze"
	skip "systemd takes vhba-virt's" "no systemd-analyze"
	skip "which is confined more" "no systemd-analyze"
	skip "it is well confined" "no systemd-analyze"
fi
# The user, the group and the folders are those of a configuration that says nothing.
: >"$tmp/empty.conf"
"$build/src/daemon/vhbad" --config "$tmp/empty.conf" --print-config >"$tmp/defaults"
default() { sed -n "s/^$1 = //p" "$tmp/defaults"; }
user=$(default user)
ok "sysusers.d makes the default user" grep -q "^u $user " "$src/src/data/sysusers.d/vhba.conf"
ok "whose group is the default read-group" [ "$(default read-group)" = "$user" ]
for dir in run-dir state-dir; do
	ok "tmpfiles.d makes the default $dir" \
		grep -q "^d $(default $dir) 0755 $user $user " "$src/src/data/tmpfiles.d/vhba.conf"
done
# As root's, systemd would give them, and all that is in them, to root at each start.
ok "vhba-virt is that user" grep -q "^User=$user$" "$build/src/data/vhba-virt.service"
ok "tmpfiles.d makes the folder of its links" grep -q "^d /dev/vhba 0755 $user $user " "$src/src/data/tmpfiles.d/vhba.conf"
ok "systemd gives the unit's folders to that user" grep -q "^User=$user$" "$build/src/data/vhbad.service"
ok "but starts vhbad as root" grep -q '^ExecStart=!/' "$build/src/data/vhbad.service"
# The user and the folders, made in a root of their own; only root may give a folder away.
owner() { # path: that the user vhba has it, with mode 755
	[ "$(stat -c %u:%g:%a "$root$1")" = "$(awk -F: '$1 == "vhba" { print $3 ":" $4 ":755" }' "$root/etc/passwd")" ]
}
root=$tmp/root
if command -v systemd-sysusers >/dev/null && command -v systemd-tmpfiles >/dev/null && [ "$(id -u)" = 0 ]; then
	mkdir -p "$root/etc" "$root/run" "$root/var/lib"
	ok "systemd makes the user" systemd-sysusers --root="$root" "$src/src/data/sysusers.d/vhba.conf"
	ok "systemd makes the folders" systemd-tmpfiles --root="$root" --create "$src/src/data/tmpfiles.d/vhba.conf"
	ok "/run/vhba is the user's" owner /run/vhba
	ok "/var/lib/vhba is the user's" owner /var/lib/vhba
else
	for what in "the user" "the folders" "/run/vhba" "/var/lib/vhba"; do
		skip "systemd makes $what" "needs root, systemd-sysusers and systemd-tmpfiles"
	done
fi

# Installed, each is where configure says, under the name that the others do not use; and goes again.
files=(systemdsystemunit/vhbad.service systemdsystemunit/vhba-virt.service sysusers/vhba.conf tmpfiles/vhba.conf modulesload/vhba.conf udevrules/61-vhba.rules)
folder() { sed -n "s/^${1%/*}dir = //p" "$build/Makefile"; }
prefix=$(sed -n 's/^prefix = //p' "$build/Makefile")
targets() { # verb: the makefile's names for what is in files
	printf "$1-%s\n" systemdsystemunitDATA dist_sysusersDATA dist_tmpfilesDATA dist_modulesloadDATA \
		udevrulesDATA
}
want=() have=()
for f in "${files[@]}"; do
	dir=$(folder "$f")
	[ -z "$dir" ] || want+=("${dir/'${prefix}'/$prefix}/${f#*/}")
done
# shellcheck disable=SC2046 # words
ok "it installs" env -u MAKEFLAGS -u MFLAGS make -s -C "$build" DESTDIR="$tmp/dest" $(targets install)
mapfile -t have < <(cd "$tmp" && mkdir -p dest && find dest -type f | sed 's/^dest//' | sort)
mapfile -t want < <(printf '%s\n' "${want[@]}" | sort)
ok "what is installed is (${have[*]}), as it should (${want[*]})" [ "${have[*]}" = "${want[*]}" ]
unit=$(printf '%s\n' "${want[@]}" | grep 'vhbad\.service$' || true)
if [ "$unit" ]; then
	ok "the installed unit starts an absolute path" grep -Eq '^ExecStart=!?/[^@]*/vhbad$' "$tmp/dest$unit"
else
	skip "the installed unit starts an absolute path" "configured without a unit"
fi
# shellcheck disable=SC2046 # words
ok "it uninstalls" env -u MAKEFLAGS -u MFLAGS make -s -C "$build" DESTDIR="$tmp/dest" $(targets uninstall)
ok "nothing of it stays" [ -z "$(find "$tmp/dest" -type f)" ]
echo "1..$n"
