# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The lab's kernel. Sourced by lab/kernel and lab/run; the only door is kernel_get.

kernel_meta=linux-image-amd64

kernel_say() { echo "lab: $*" >&2; }

# kernel_apt STATE-DIR apt-command...: apt with lists of its own, for a host whose lists are missing or stale.
kernel_apt() {
	local state=$1 tool=$2
	shift 2
	"$tool" -q -o Dir::State::Lists="$state/lists" -o Dir::Cache="$state/cache" -o APT::Sandbox::User=root "$@"
}

# The real package behind the meta package, as "NAME VERSION"; nothing when apt knows none.
kernel_package() {
	"$@" show --no-all-versions "$kernel_meta" 2>/dev/null |
		sed -n 's/^Depends: \(linux-image-[^ ]*-amd64\) (= \([^)]*\)).*/\1 \2/p' | head -n 1
}

# kernel_download FOLDER: leaves one .deb there. apt checks it against the archive's signature.
kernel_download() {
	local dir=$1 name version
	read -r name version <<<"$(kernel_package apt-cache)" || true
	if [ -n "$name" ]; then
		kernel_say "downloading $name $version (about 70 MB, once)"
		(cd "$dir" && apt-get -q -o APT::Sandbox::User=root download "$name=$version" >&2) && return
	fi
	kernel_say "apt's lists are missing or stale: reading the archive's into $dir/apt"
	mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
	kernel_apt "$dir/apt" apt-get update >&2
	read -r name version <<<"$(kernel_package kernel_apt "$dir/apt" apt-cache)" || true
	if [ -z "$name" ]; then
		kernel_say "apt knows no $kernel_meta: expected Debian's archive in /etc/apt/sources.list"
		return 1
	fi
	kernel_say "downloading $name $version (about 70 MB, once)"
	(cd "$dir" && kernel_apt "$dir/apt" apt-get download "$name=$version" >&2)
}

# kernel_unpack BZIMAGE VMLINUX: the payload's place and size stand in the boot header
# (Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length; the last 4 bytes are its size).
kernel_unpack() {
	local image=$1 sects offset length size
	sects=$(od -An -tu1 -j 497 -N 1 "$image")
	offset=$(od -An -tu4 -j 584 -N 4 "$image")
	length=$(od -An -tu4 -j 588 -N 4 "$image")
	offset=$(((sects + 1) * 512 + offset))
	size=$(od -An -tu4 -j $((offset + length - 4)) -N 4 "$image")
	tail -c +$((offset + 1)) "$image" | head -c $((length - 4)) | xz -dc >"$2"
	[ "$(stat -c %s "$2")" -eq "$size" ]
}

# kernel_prepare FOLDER: from the .deb in it to what kernel_get promises.
kernel_prepare() {
	local dir=$1 version
	kernel_say "unpacking the kernel"
	dpkg-deb -x "$dir"/linux-image-*.deb "$dir"
	version=$(basename "$dir"/lib/modules/*)
	kernel_unpack "$dir/boot/vmlinuz-$version" "$dir/vmlinux"
	depmod -b "$dir" "$version"
	rm -rf "${dir:?}"/{apt,boot,usr} "$dir"/linux-image-*.deb
	(cd "$dir" && sha256sum vmlinux "lib/modules/$version/modules.dep.bin" >sha256)
	echo "$version" >"$dir/version"
}

# kernel_get SOURCE-TREE [update]: prints the folder; downloads only what is missing or damaged.
kernel_get() {
	local cache=${VHBA_LAB_CACHE:-$1/lab/cache} new
	mkdir -p "$cache"
	cache=$(cd "$cache" && pwd)
	(
		flock 9
		if [ -z "${2-}" ] && (cd "$cache/kernel" && sha256sum --status -c sha256) 2>/dev/null; then
			exit 0
		fi
		new=$(mktemp -d "$cache/kernel.XXXXXX")
		# shellcheck disable=SC2064
		trap "rm -rf '$new'" EXIT
		set -e
		kernel_download "$new"
		kernel_prepare "$new"
		chmod 755 "$new"
		rm -rf "$cache/kernel"
		mv "$new" "$cache/kernel"
	) 9>"$cache/lock" || return 1
	echo "$cache/kernel"
}
