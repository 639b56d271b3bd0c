# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The lab's kernel. Sourced by lab/kernel and lab/run; the only door is kernel_get.

kernel_meta=linux-image-amd64
kernel_suite='' # of Debian's archive; empty: what apt on this machine knows of

kernel_say() { echo "lab: $*" >&2; }

# kernel_apt STATE-DIR apt-command...: apt with lists of its own, for a host whose lists are missing or stale, or of another suite.
kernel_apt() {
	local state=$1 tool=$2 lists=()
	shift 2
	[ ! -e "$state/sources" ] || lists=(-o "Dir::Etc::sourcelist=$state/sources" -o Dir::Etc::sourceparts=-)
	"$tool" -q "${lists[@]}" -o Dir::State::Lists="$state/lists" -o Dir::Cache="$state/cache" -o APT::Sandbox::User=root "$@"
}

# The real package behind the meta package, as "NAME VERSION"; nothing when apt knows none.
kernel_package() {
	"$@" show --no-all-versions "$kernel_meta" 2>/dev/null |
		sed -n 's/^Depends:.* \(linux-image-[^ ]*-amd64\) (= \([^)]*\)).*/\1 \2/p' | head -n 1
}

# kernel_parts NAME VERSION apt-cache...: the packages to download. Since 7.0 that one is empty, and needs three others.
kernel_parts() {
	local name=$1 version=$2
	shift 2
	echo "$name=$version"
	"$@" show "$name=$version" | sed -n 's/^Depends: //p' | tr , '\n' |
		sed -n 's/^ *\(linux-\(base\|binary\|modules\)-[^ ]*\) (= \([^)]*\)).*/\1=\3/p'
}

# kernel_download FOLDER: leaves the packages there. apt checks them against the archive's signature.
kernel_download() {
	local dir=$1 where="in /etc/apt/sources.list" name='' version parts apt=()
	[ -n "$kernel_suite" ] || read -r name version <<<"$(kernel_package apt-cache)" || true
	if [ -n "$name" ]; then
		kernel_say "downloading $name $version (about 70 MB, once)"
		(cd "$dir" && apt-get -q -o APT::Sandbox::User=root download "$name=$version" >&2) && return
	fi
	mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
	if [ -n "$kernel_suite" ]; then
		where="to have a suite $kernel_suite"
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $kernel_suite main" \
			>"$dir/apt/sources"
	else
		kernel_say "apt's lists are missing or stale: reading the archive's into $dir/apt"
	fi
	apt=(kernel_apt "$dir/apt")
	"${apt[@]}" apt-get update >&2
	read -r name version <<<"$(kernel_package "${apt[@]}" apt-cache)" || true
	if [ -z "$name" ]; then
		kernel_say "apt knows no $kernel_meta: expected Debian's archive $where"
		return 1
	fi
	mapfile -t parts < <(kernel_parts "$name" "$version" "${apt[@]}" apt-cache)
	kernel_say "downloading ${parts[*]} (about 70 to 120 MB, once)"
	(cd "$dir" && "${apt[@]}" apt-get download "${parts[@]}" >&2)
}

# kernel_unpack BZIMAGE VMLINUX: the payload's place and size stand in the boot header
# (Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length; the last 4 bytes are its size).
kernel_unpack() {
	local image=$1 sects offset length size filter=(xz -dc)
	sects=$(od -An -tu1 -j 497 -N 1 "$image")
	offset=$(od -An -tu4 -j 584 -N 4 "$image")
	length=$(od -An -tu4 -j 588 -N 4 "$image")
	offset=$(((sects + 1) * 512 + offset))
	size=$(od -An -tu4 -j $((offset + length - 4)) -N 4 "$image")
	[ "$(od -An -tx4 -j "$offset" -N 4 "$image" | tr -d ' ')" != fd2fb528 ] || filter=(zstd -dcq)
	tail -c +$((offset + 1)) "$image" | head -c $((length - 4)) | "${filter[@]}" >"$2"
	[ "$(stat -c %s "$2")" -eq "$size" ]
}

# kernel_prepare FOLDER: from the packages in it to what kernel_get promises. The place of their files has changed with the years.
kernel_prepare() {
	local dir=$1 package version image
	kernel_say "unpacking the kernel"
	for package in "$dir"/linux-*.deb; do
		dpkg-deb -x "$package" "$dir"
	done
	if [ -d "$dir/usr/lib/modules" ]; then
		mv "$dir/usr/lib" "$dir/lib"
	fi
	version=$(basename "$dir"/lib/modules/*)
	for image in "$dir/boot/vmlinuz-$version" "$dir/lib/modules/$version/vmlinuz"; do
		[ ! -e "$image" ] || kernel_unpack "$image" "$dir/vmlinux"
	done
	depmod -b "$dir" "$version"
	rm -rf "${dir:?}"/{apt,boot,usr} "$dir"/linux-*.deb "$dir/lib/modules/$version"/{vmlinuz,System.map}
	(cd "$dir" && sha256sum vmlinux "lib/modules/$version/modules.dep.bin" >sha256)
	echo "$version" >"$dir/version"
}

# kernel_get SOURCE-TREE [update]: prints the folder; downloads only what is missing or damaged. $VHBA_LAB_KERNEL is another folder like it.
kernel_get() {
	local cache=${VHBA_LAB_CACHE:-$1/lab/cache} name=kernel${kernel_suite:+-$kernel_suite} new
	if [ -n "${VHBA_LAB_KERNEL-}" ]; then
		realpath -e "$VHBA_LAB_KERNEL"
		return
	fi
	mkdir -p "$cache"
	cache=$(cd "$cache" && pwd)
	(
		flock 9
		if [ -z "${2-}" ] && (cd "$cache/$name" && sha256sum --status -c sha256) 2>/dev/null; then
			exit 0
		fi
		new=$(mktemp -d "$cache/$name.XXXXXX")
		# shellcheck disable=SC2064
		trap "rm -rf '$new'" EXIT
		set -e
		kernel_download "$new"
		kernel_prepare "$new"
		chmod 755 "$new"
		rm -rf "${cache:?}/$name"
		mv "$new" "$cache/$name"
	) 9>"$cache/lock" || return 1
	echo "$cache/$name"
}
