# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Two hosts, alpha and beta, on this machine: each in namespaces of its own, with a libvirtd, a vhbad on an HBA that is not here
# (lab/fakefc), and vhba-virt. Guests are emulated, and their disks are files that both see. Root is needed. After tap.sh and
# san.sh (program); who sources it sets scratch and build.
# shellcheck disable=SC2154
#
#   sides_possible            this machine can do it
#   sides_up                  all of that; sides_end: nothing runs any more
#   on SIDE COMMAND...        there
#   virsh_on, ctl_on, hook_on SIDE ...
#   virt_kill SIDE, virt_start SIDE, libvirtd_kill SIDE, libvirtd_start SIDE
#   uri SIDE                  what the other one reaches its libvirt by
#   san_is SIDE yes|no        the fabric of that side's model has the VM's name
#   guest_image, guest_define SIDE NAME, and what the guest says: rounds, beyond, errors

sides=(alpha beta)
declare -A side_pid=() side_unshare=() side_address=([alpha]=10.99.0.1 [beta]=10.99.0.2)
declare -A side_host=([alpha]=2 [beta]=3)
declare -A side_uuid=([alpha]=0a0a0a0a-0000-4000-8000-00000000000a [beta]=0b0b0b0b-0000-4000-8000-00000000000b)
readonly side_target=5006016000000a01

# The guest's memory has a part that no block of the dirty bitmap's is whole of: emulated, QEMU 7.2 loses pages else. libvirt rounds
# what it is told up to whole MiB, so QEMU is told by its command line.
readonly guest_memory=$((256 * 1024 + 8))

on() {
	local pid=${side_pid[$1]}
	shift
	nsenter -t "$pid" -m -n -u -i -p -- "$@"
}
virsh_on() {
	local side=$1
	shift
	on "$side" timeout 300 virsh --quiet --connect qemu:///system "$@"
}
ctl_on() {
	local side=$1
	shift
	on "$side" env LD_LIBRARY_PATH="$build/src/lib/.libs" timeout 300 "$(program vhbactl)" "$@"
}
hook_on() {
	local side=$1
	shift
	on "$side" env LD_LIBRARY_PATH="$build/src/lib/.libs" timeout 300 "$(program vhba-hook)" "$@"
}
uri() { echo "qemu+tcp://$1/system"; }

# This machine lets its root make namespaces, and file systems in user space. A container may not.
sides_possible() {
	[ "$(id -u)" -eq 0 ] && [ -c /dev/fuse ] && : <>/dev/fuse &&
		unshare -m -n -u -i -p -f --mount-proc mount -t tmpfs own /mnt
}

# ---- namespaces ----

# What runs first in a side, as its process 1: its own /run, /dev, /etc and /var of what runs there.
side_init() {
	cat <<'INIT'
set -eu
side=$1 dir=$2
mount --make-rprivate /
mkdir -p "$dir/dev"
mount -t tmpfs -o mode=755 dev "$dir/dev"
for node in null zero full random urandom tty fuse; do
	: >"$dir/dev/$node"
	mount --bind "/dev/$node" "$dir/dev/$node"
done
mkdir "$dir/dev/pts" "$dir/dev/shm" "$dir/dev/disk" "$dir/dev/vhba"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$dir/dev/pts"
ln -s pts/ptmx "$dir/dev/ptmx"
ln -s /proc/self/fd "$dir/dev/fd"
mount -t tmpfs shm "$dir/dev/shm"
mount --move "$dir/dev" /dev
mount -t tmpfs -o mode=755 run /run
for place in /etc/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt /var/lib/vhba; do
	[ -d "$place" ] || mkdir -p "$place"
	mount -t tmpfs -o mode=755 own "$place"
done
cp -r "$dir/etc/." /etc/libvirt
mkdir -p /run/vhba /run/vhba-virt /run/fake
for file in hosts passwd group; do mount --bind "$dir/$file" "/etc/$file"; done
chown vhba:vhba /run/vhba /run/vhba-virt /var/lib/vhba /dev/vhba
hostname "$side"
ip link set lo up
: >"$dir/ready"
sleep infinity &
while :; do wait -n || true; done
INIT
}

side_files() {
	local side=$1 dir=$scratch/$1
	mkdir -p "$dir/etc/hooks/qemu.d" "$dir/etc/qemu"
	ln -s "$(program vhba-hook)" "$dir/etc/hooks/qemu.d/vhba"
	side_init >"$dir/init"
	printf '127.0.0.1 localhost\n%s alpha\n%s beta\n' "${side_address[alpha]}" "${side_address[beta]}" >"$dir/hosts"
	{
		grep -v '^vhba:' /etc/passwd
		echo 'vhba:x:64999:64999::/nonexistent:/usr/sbin/nologin'
	} >"$dir/passwd"
	{
		grep -v -e '^vhba:' -e '^libvirt:' /etc/group
		echo 'vhba:x:64999:'
		echo 'libvirt:x:64998:vhba'
	} >"$dir/group"
	cat >"$dir/etc/libvirtd.conf" <<-END
		listen_tls = 0
		listen_tcp = 1
		listen_addr = "${side_address[$side]}"
		auth_tcp = "none"
		auth_unix_ro = "none"
		auth_unix_rw = "none"
		unix_sock_group = "libvirt"
		unix_sock_rw_perms = "0770"
		host_uuid = "${side_uuid[$side]}"
		log_outputs = "2:stderr"
	END
	cat >"$dir/etc/qemu.conf" <<-END
		security_driver = "none"
		user = "root"
		group = "root"
		dynamic_ownership = 0
		remember_owner = 0
		namespaces = []
		cgroup_controllers = []
		stdio_handler = "file"
		migration_address = "${side_address[$side]}"
		migration_host = "${side_address[$side]}"
	END
	cat >"$dir/vhbad.conf" <<-END
		[daemon]
		host-name = $side
		user = vhba
		read-group = vhba
		admin-group = vhba
		priv = $(program vhba-priv)

		[attach]
		deadline = 10s

		[io]
		program = $(program vhba-io)
		group =

		[names]
		oui = 0a:1b:2c

		[vsan 10]
		name = san-a
		fabric-name = 10:00:00:00:00:00:00:10

		[zone db-a]
		vsan = 10
		targets = $side_target
	END
	cat >"$dir/fake.conf" <<-END
		hba lpfc host ${side_host[$side]} wwpn 10000090fa00000${side_host[$side]} wwnn 20000090fa00000${side_host[$side]} fabric 1000000000000010
		target wwpn $side_target fabric 1000000000000010 luns 2
	END
}

side_new() {
	local side=$1
	side_files "$side"
	setpriv --pdeathsig KILL unshare -m -n -u -i -p -f --mount-proc --kill-child=KILL bash "$scratch/$side/init" "$side" \
		"$scratch/$side" >"$scratch/$side/init.log" 2>&1 </dev/null &
	side_unshare[$side]=$!
	until_true 10 test -e "$scratch/$side/ready" || return
	side_pid[$side]=$(<"/proc/${side_unshare[$side]}/task/${side_unshare[$side]}/children")
	side_pid[$side]=${side_pid[$side]// /}
}

sides_cable() {
	local side
	ip link add v0 netns "${side_pid[alpha]}" type veth peer name v0 netns "${side_pid[beta]}"
	for side in "${sides[@]}"; do
		on "$side" ip addr add "${side_address[$side]}/24" dev v0
		on "$side" ip link set v0 up
	done
}

# ---- what runs there ----

# daemon SIDE NAME COMMAND...: in the background; its log is SIDE/NAME.log, its process daemon_pid[SIDE-NAME].
declare -A daemon_pid=()
daemon() {
	local side=$1 name=$2 pid=${side_pid[$1]}
	shift 2
	nsenter -t "$pid" -m -n -u -i -p -- setpriv --pdeathsig KILL "$@" >>"$scratch/$side/$name.log" 2>&1 </dev/null &
	daemon_pid[$side-$name]=$!
}
# Of what nsenter has started, with a process namespace between.
daemon_kill() {
	local pid=${daemon_pid[$1-$2]}
	{
		pkill -KILL -P "$pid" || true
		wait "$pid" || true
	} 2>/dev/null
}

libvirtd_start() {
	daemon "$1" libvirtd libvirtd --listen
	until_true 30 virsh_on "$1" list
}
libvirtd_kill() { daemon_kill "$1" libvirtd; }

vhbad_start() {
	daemon "$1" vhbad env VHBA_SYSROOT=/run/fake "$(program vhbad)" --config "$scratch/$1/vhbad.conf"
	until_true 20 ctl_on "$1" status
}
vhbad_kill() { daemon_kill "$1" vhbad; }

virt_start() {
	daemon "$1" virt env LD_LIBRARY_PATH="$build/src/lib/.libs" setpriv --reuid 64999 --regid 64999 --groups 64999,64998 \
		"$(program vhba-virt)" --log-level info
	until_true 20 virt_served "$1"
}
virt_served() { ctl_on "$1" --json pool list | jq -e .served; }
virt_kill() { daemon_kill "$1" virt; }

fake_start() {
	daemon "$1" fakefc "$(program fakefc)" "$scratch/$1/fake.conf" /run/fake
	until_true 10 on "$1" test -e /run/fake/control
}
fake_on() { on "$1" sh -c 'printf "%s\n" "$1" >/run/fake/control' sh "$2"; }
# The fabric has a name that is none of the HBA's and the target's.
san_has() { on "$1" cat /run/fake/control | grep '^name ' | grep -v -e "$side_target" | grep -qv 10000090fa00000; }
san_is() { [ "$(san_has "$1" && echo yes || echo no)" = "$2" ]; }

side_up() {
	fake_start "$1" && vhbad_start "$1" && libvirtd_start "$1" && virt_start "$1"
}

sides_up() {
	local side
	for side in "${sides[@]}"; do side_new "$side" || bail "no namespaces for $side: $(<"$scratch/$side/init.log")"; done
	sides_cable
	for side in "${sides[@]}"; do side_up "$side" || bail "$side: not all that it has runs: $(tail -n 5 "$scratch/$side"/*.log)"; done
}

sides_end() {
	local side
	for side in "${sides[@]}"; do
		[ -n "${side_pid[$side]-}" ] || continue
		on "$side" sh -c 'cp -r /var/log/libvirt/qemu "$1"' sh "$scratch/$side" 2>/dev/null || true
	done
	# Process 1 of a side takes all others with it.
	for side in "${!side_pid[@]}"; do kill -KILL "${side_pid[$side]}" 2>/dev/null || true; done
	{ wait || true; } 2>/dev/null
	side_pid=()
}

# ---- the guest ----

# Writes and verifies, on a disk that is a file.
guest_image() {
	mkdir -p "$scratch/job"
	: >"$scratch/job/none"
	cat >"$scratch/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev
for m in /modules/*; do insmod "$m"; done
say() { echo "guest: $*"; }
until [ -b /dev/vda ] || [ -b /dev/sda ]; do sleep 0.1; done
disk=/dev/vda
[ -b $disk ] || disk=/dev/sda
n=0
while :; do
	dd if=/dev/urandom of=/data bs=64k count=4 2>/dev/null
	dd if=/data of=$disk bs=32k seek=$((n % 8 * 8)) oflag=direct 2>/dev/null || say "error: write $n"
	dd if=$disk of=/read bs=16k skip=$((n % 8 * 16)) count=16 iflag=direct 2>/dev/null || say "error: read $n"
	cmp /data /read || say "error: $n differs"
	n=$((n + 1))
	say "round $n"
	sleep 0.1
done &
cat /dev/kmsg | while read -r line; do
	case $line in *'Power-on or device reset'*) ;; *'I/O error'* | *'hung'* | *abort* | *reset*) say "error: $line" ;; esac
done
INIT
	# shellcheck disable=SC2034
	vm_modules=(virtio_pci virtio_blk virtio_scsi sd_mod)
	vm_initramfs "$kernel" "$scratch/job" "$scratch/init" "$scratch/initramfs"
	truncate -s 8M "$scratch/disk"
}

guest_uuid=6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01
# guest_xml NAME: with the disk $guest_disk
guest_disk="<disk type='file' device='disk'><driver name='qemu' type='raw' cache='none'/><source file='$scratch/disk'/><target dev='vda' bus='virtio'/></disk>"
guest_xml() {
	cat <<-END
		<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
		  <name>$1</name>
		  <uuid>$guest_uuid</uuid>
		  <memory unit='KiB'>$guest_memory</memory>
		  <vcpu>1</vcpu>
		  <os>
		    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
		    <kernel>$kernel/vmlinux</kernel>
		    <initrd>$scratch/initramfs</initrd>
		    <cmdline>console=ttyS0 panic=-1 quiet mitigations=off no_timer_check tsc=reliable nokaslr</cmdline>
		  </os>
		  <cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model></cpu>
		  <devices>
		    <emulator>/usr/bin/qemu-system-x86_64</emulator>
		    ${guest_disk-}
		    <serial type='file'><source path='$scratch/console' append='on'/></serial>
		    <memballoon model='none'/>
		  </devices>
		  <qemu:commandline>
		    <qemu:arg value='-m'/><qemu:arg value='${guest_memory}k'/>
		    <qemu:arg value='-object'/><qemu:arg value='memory-backend-memfd,id=own.ram,size=${guest_memory}k,share=on'/>
		    <qemu:arg value='-machine'/><qemu:arg value='memory-backend=own.ram'/>
		  </qemu:commandline>
		</domain>
	END
}
guest_define() {
	guest_xml "$2" >"$scratch/$2.xml"
	virsh_on "$1" define "$scratch/$2.xml"
}

said_by_guest() { tr -d '\r' <"$scratch/console"; }
rounds() { said_by_guest | grep -c '^guest: round' || true; }
beyond() { [ "$(rounds)" -gt "$1" ]; }
errors() { said_by_guest | grep '^guest: error' | head -n 5 || true; }
# goes_on SECONDS DESCRIPTION
goes_on() {
	local n
	n=$(rounds)
	until_ok "$1" "$2" beyond $((n + 2))
	is "$(errors)" "" "without an error"
}

# ---- db1: a VM with an HBA on the model, and its domain ----

# db1_up: registered, bound, running on alpha; $wwpn
db1_up() {
	run_ok ctl_on alpha vm add db1 --uuid "$guest_uuid"
	run_ok ctl_on alpha vhba add db1 --vsan 10 --zone db-a
	# shellcheck disable=SC2034
	wwpn=$(ctl_on alpha --json vhba list db1 | jq -r '.vhbas[0].wwpn')
	run_ok guest_define alpha db1
	run_ok ctl_on alpha domain bind db1
	virsh_on alpha start db1 || bail "libvirt does not start the guest"
	until_ok 120 "the guest writes" beyond 2
}
vm_state() { ctl_on "$1" --json vm show db1 | jq -r .vm.state; }
# Nothing of it is under way there, or it is not known.
settled() { [[ "$(vm_state "$1" 2>/dev/null)" =~ ^(detached)?$ ]]; }
vm_is() { [ "$(vm_state "$1")" = "$2" ]; }
owner() { ctl_on "$1" --json vm show db1 | jq -r .vm.owner; }
# moved FROM TO: it has
moved() {
	is "$(domain_state "$2" db1)" running "it runs on $2"
	ok "and has gone from $1" domain_gone "$1" db1
	is "$(vm_state "$2") $(owner "$2")" "attached $2" "$2 has its identity, attached"
	is "$(vm_state "$1") $(owner "$1")" "detached " "$1 has given it away"
	is "$(ctl_on "$2" --json vhba list db1 | jq -r '.vhbas[0].wwpn')" "$wwpn" "it is the same WWPN"
	goes_on 60 "the guest goes on"
}
# stays SIDE OTHER: it does, as it was
stays() {
	until_ok 30 "it still runs on $1" domain_is "$1" db1 running
	is "$(vm_state "$1") $(owner "$1")" "attached $1" "with its HBA"
	until_ok 20 "$2 has no login of it" san_is "$2" no
	until_ok 60 "and is done with it" settled "$2"
	goes_on 60 "the guest goes on"
}

# domain_is SIDE NAME STATE: as virsh has it; absent
domain_state() { virsh_on "$1" domstate "$2" 2>/dev/null | head -n 1 || true; }
domain_is() { [ "$(domain_state "$1" "$2")" = "$3" ]; }
domain_gone() { ! virsh_on "$1" dominfo "$2"; }
