# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Parts of lab/run: the VM's exports, initramfs and QEMU command line.

# The modules that the initramfs needs, in any order: their dependencies come from modules.dep.
vm_modules=(virtio_pci 9pnet_virtio 9p overlay virtio_console)

# vm_exports PATH...: prints "TAG MOUNT-POINT" for each host mount that the paths lie on, the root first. A mount nested
# in another's export cannot be a lower directory of an overlay, so each has an export of its own.
vm_exports() {
	local path n=0
	echo "root /"
	for path in "$@"; do
		[ ! -e "$path" ] || stat -c %m -- "$path"
	done | sort -u | while read -r path; do
		[ "$path" != / ] || continue
		n=$((n + 1))
		echo "m$n $path"
	done
}

# vm_initramfs KERNEL-FOLDER JOB-FOLDER INIT IMAGE
vm_initramfs() {
	local kernel=$1 job=$2 init=$3 image=$4 root=$2.root n=0 file
	mkdir -p "$root/bin" "$root/modules" "$root/job"
	cp "$(command -v busybox)" "$root/bin/busybox"
	install -m 755 "$init" "$root/init"
	cp "$job"/* "$root/job/"
	for file in $(modprobe -d "$kernel" -S "$(cat "$kernel/version")" --show-depends -a "${vm_modules[@]}" |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | vm_order); do
		n=$((n + 1))
		vm_module "$file" >"$root/modules/$(printf %02d "$n")-$(basename "${file%.xz}")"
	done
	(cd "$root" && find . | cpio -o -H newc -R 0:0 --quiet) >"$image"
}

# vm_module FILE: the module as busybox takes it; Debian has packed them since 13.
vm_module() { if [ "${1%.xz}" = "$1" ]; then cat "$1"; else xz -dc "$1"; fi; }

# modules.dep puts virtio before virtio_ring, which it needs.
vm_order() { awk '/\/virtio_ring\.ko/ { print; next } { rest = rest $0 "\n" } END { printf "%s", rest }'; }

# vm_command SCRATCH KERNEL-FOLDER: sets the array vm_argv. Reads the options of lab/run: smp, mem, tty, out, cable, verbose.
# shellcheck disable=SC2154
vm_command() {
	local scratch=$1 kernel=$2 tag path append
	# Without address randomisation QEMU finds its translations again: a program starts in half the time.
	# A processor that the kernel itself keeps for 20 s does not come back: the run is over.
	append="console=ttyS0 panic=-1 oops=panic softlockup_panic=1 mitigations=off no_timer_check tsc=reliable nokaslr norandmaps net.ifnames=0 8250.nr_uarts=1"
	[ "$verbose" = 1 ] || append+=" quiet"
	vm_argv=(qemu-system-x86_64 -name vhba-lab -no-user-config -nodefaults -display none -no-reboot
		-machine q35 -accel "tcg,thread=multi" -cpu max -smp "$smp" -m "$mem"
		-kernel "$kernel/vmlinux" -initrd "$scratch/initramfs" -append "$append"
		-chardev "file,id=console,path=$out/console.log" -serial chardev:console
		-device virtio-serial-pci
		-fsdev "local,id=out,path=$out,security_model=none" -device "virtio-9p-pci,fsdev=out,mount_tag=out")
	while read -r tag path; do
		vm_argv+=(-fsdev "local,id=$tag,path=$path,security_model=none,readonly=on,multidevs=remap"
			-device "virtio-9p-pci,fsdev=$tag,mount_tag=$tag")
	done <"$scratch/job/exports"
	[ -z "$cable" ] || vm_argv+=(-netdev "stream,id=cable,server=off,addr.type=unix,addr.path=$cable"
		-device "virtio-net-pci,netdev=cable,mac=02:00:00:0a:00:09,host_mtu=2500,romfile=")
	if [ "$tty" = 1 ]; then
		vm_argv+=(-chardev "stdio,id=user,signal=off" -device "virtconsole,chardev=user")
	else
		vm_argv+=(-add-fd "fd=3,set=1" -chardev "file,id=user,path=/dev/fdset/1,append=on"
			-device "virtserialport,chardev=user,name=lab.out")
	fi
}
