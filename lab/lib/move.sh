# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# A guest on vhba-io that moves between two QEMUs on this machine. Who sources it sets scratch, kernel, build, and the
# arrays io_options (vhba-io's) and qemu_device (QEMU's -device, whose character device is io); after tap.sh.
#   side N [OPTION...]              a vhba-io of its own, and a QEMU on it; move FROM TO DISK..., leave N
#   qemu N SOCKET [OPTION...]       a QEMU alone, whose vhba-io listens there
# shellcheck disable=SC2154

# by side, 0 and 1
io=('' '') vm=('' '')
# What is started in place of vhba-io, with its options; what it prints is in $scratch/held0 and held1.
io_program=("$build/src/io/vhba-io")

# Nothing runs any more.
move_end_vm() {
	local pid
	for pid in "${vm[@]}" "${io[@]}"; do
		[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	done
	wait
	vm=('' '') io=('' '')
}

move_end() {
	[ -z "$stall" ] || kill "$stall" 2>/dev/null || true
	move_end_vm
	[ -z "${KEEP-}" ] || cp -r "$scratch" "$KEEP"
	rm -rf "$scratch"
}

# stall_begin, stall_end: then $scratch/stalled says for how many milliseconds at most this machine let nobody run.
stall=''
stall_begin() {
	"$build/lab/tools/stall" >"$scratch/stalled" &
	stall=$!
}
stall_end() {
	kill "$stall"
	wait "$stall" || true
	stall=''
}

# The guest's memory has a part that no block of the dirty bitmap's is whole of: emulated, QEMU 7.2 loses pages else.
memory=$((256 * 1024 + 8))
# How QEMU emulates, and the seconds after which it is killed.
qemu_machine=(-machine q35 -accel "tcg,thread=multi" -cpu max -smp 2)
qemu_limit=300
qemu_append=''

# deafen SIDE: what stands between its QEMU and its vhba-io, and takes the log of written pages away; in $front.
deafen() {
	front=$scratch/deaf$1
	rm -f "$front"
	"$build/lab/tools/deaflog" "$front" "$scratch/io$1" 2>>"$scratch/deaflog" &
	until_ok 30 "the log of side $1 is taken away" test -S "$front"
}

# can_receive [OPTION...]: a QEMU that was started with these takes orders before it listens for a guest.
can_receive() { [[ "$*" != *-incoming* ]] || until_ok 30 "which waits for the guest" test -S "$scratch/channel"; }

# qemu N SOCKET [OPTION...]: the QEMU of side N, and its guest; its vhba-io listens at SOCKET.
qemu() {
	local n=$1 front=$2
	shift 2
	rm -f "$scratch/qmp$n" "$scratch/channel"
	timeout --foreground -k 5 "$qemu_limit" setpriv --pdeathsig KILL qemu-system-x86_64 -no-user-config -nodefaults -display none -no-reboot \
		"${qemu_machine[@]}" -m "${memory}k" \
		-object "memory-backend-memfd,id=mem,size=${memory}k,share=on" -numa node,memdev=mem \
		-kernel "$kernel/vmlinux" -initrd "$scratch/initramfs" \
		-append "console=ttyS0 panic=-1 quiet mitigations=off no_timer_check tsc=reliable nokaslr $qemu_append" \
		-chardev "file,id=console,path=$scratch/console,append=on" -serial chardev:console \
		-chardev "socket,id=io,path=$front" -device "$qemu_device" \
		-qmp "unix:$scratch/qmp$n,server=on,wait=off" "$@" >>"$scratch/qemu$n" 2>&1 &
	vm[n]=$!
	until_ok 30 "QEMU of side $n is there" test -S "$scratch/qmp$n"
	can_receive "$@"
}

# side N [OPTION...]: its vhba-io, and its QEMU. With deaf=1 that has no log.
side() {
	local n=$1 front=$scratch/io$1
	shift
	rm -f "$scratch/io$n"
	"${io_program[@]}" --socket "$scratch/io$n" --workers 2 "${io_options[@]}" >>"$scratch/held$n" 2>>"$scratch/vhba-io$n" &
	io[n]=$!
	until_ok 30 "vhba-io of side $n listens" test -S "$scratch/io$n"
	[ "${deaf-}" != 1 ] || deafen "$n"
	qemu "$n" "$front" "$@"
}

# qmp SIDE COMMAND [ARGUMENTS-AS-JSON]: prints what it returns
qmp() {
	python3 - "$scratch/qmp$1" "$2" "${3-}" <<'PY'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile("rw")
def ask(c):
    f.write(json.dumps(c) + "\n")
    f.flush()
    while True:
        r = json.loads(f.readline())
        if "return" in r:
            return r["return"]
        if "error" in r:
            sys.exit(r["error"]["desc"])
f.readline()
ask({"execute": "qmp_capabilities"})
c = {"execute": sys.argv[2]}
if sys.argv[3]:
    c["arguments"] = json.loads(sys.argv[3])
print(json.dumps(ask(c)))
PY
}

moved() { qmp "$1" query-migrate | jq -e '.status == "completed"' && qmp "$2" query-status | jq -e .running; }
migration_is() { qmp "$1" query-migrate | jq -e --arg state "$2" '.status == $state'; }

# What the guest says on its console.
rounds() { tr -d '\r' <"$scratch/console" | grep -c "^guest: round $1"; }
beyond() { [ "$(rounds "$1")" -gt "$2" ]; }
errors() { tr -d '\r' <"$scratch/console" | grep '^guest: error' | head -n 5; }

# qemu_quit SIDE: its QEMU ends
qemu_quit() {
	qmp "$1" quit >/dev/null 2>&1 || true # it may have ended by itself
	wait "${vm[$1]}" || true
	vm[$1]=''
}
# leave SIDE: its QEMU and its vhba-io end
leave() {
	local side=$1
	qemu_quit "$side"
	kill "${io[side]}"
	wait "${io[side]}" || true
	io[side]=''
}

# move FROM TO DISK...: each of the guest's disks goes on there
move() {
	local from=$1 to=$2 disk
	local -A before=()
	shift 2
	side "$to" -incoming "unix:$scratch/channel"
	ok "side $from sends the guest" qmp "$from" migrate "{\"uri\": \"unix:$scratch/channel\"}"
	until_ok 240 "it runs on side $to" moved "$from" "$to"
	for disk in "$@"; do before[$disk]=$(rounds "$disk"); done
	leave "$from"
	for disk in "$@"; do until_ok 120 "and goes on with $disk" beyond "$disk" $((before[$disk] + 2)); done
	is "$(errors)" "" "without an error"
}

# move_guest DISK...: a guest that writes and verifies on each of these disks, and says so on its console
move_guest() {
	mkdir -p "$scratch/job"
	echo "$*" >"$scratch/job/disks"
	cat >"$scratch/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev
for m in /modules/*; do insmod "$m"; done
say() { echo "guest: $*"; }
# work DISK: each round's data are new, and are read back from the disk
work() {
	n=0
	while [ ! -b /dev/$1 ]; do sleep 0.1; done
	while :; do
		dd if=/dev/urandom of=/data.$1 bs=64k count=8 2>/dev/null
		dd if=/data.$1 of=/dev/$1 bs=32k seek=$((n % 8 * 16)) oflag=direct 2>/dev/null || say "error: write $1 $n"
		dd if=/dev/$1 of=/read.$1 bs=16k skip=$((n % 8 * 32)) count=32 iflag=direct 2>/dev/null || say "error: read $1 $n"
		cmp /data.$1 /read.$1 || say "error: $1 $n differs"
		n=$((n + 1))
		say "round $1 $n"
	done
}
for disk in $(cat /job/disks); do work "$disk" & done
cat /dev/kmsg | while read -r line; do
	case $line in *'I/O error'* | *'hung'* | *abort* | *reset* | *'not a head'*) say "error: $line" ;; esac
done
INIT
	# shellcheck disable=SC2034
	vm_modules=(virtio_pci virtio_blk virtio_scsi sd_mod)
	vm_initramfs "$kernel" "$scratch/job" "$scratch/init" "$scratch/initramfs"
}
