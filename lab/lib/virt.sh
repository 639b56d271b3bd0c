# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# libvirtd and vhba-virt beside the host alpha. Needs tap.sh, san.sh, hosts.sh and db1.sh.
#
#   libvirtd_up, libvirtd_kill   its storage driver answers
#   virt_up, virt_kill           vhba-virt is connected to vhbad
#   pools, volumes POOL          as virsh has them

LIBVIRT_URI=storage:///system

virsh_do() { timeout 60 virsh --quiet --connect "$LIBVIRT_URI" "$@"; }

# Only its storage driver matters; the lab has no polkit that could be asked.
libvirtd_up() {
	mkdir -p /run/libvirt /run/lab/libvirt
	cat >/run/lab/libvirt/libvirtd.conf <<-END
		auth_unix_ro = "none"
		auth_unix_rw = "none"
		unix_sock_group = "libvirt"
		unix_sock_rw_perms = "0770"
	END
	libvirtd --config /run/lab/libvirt/libvirtd.conf >>"$OUT/libvirtd.log" 2>&1 </dev/null &
	LIBVIRTD=$!
	until_true 60 virsh_do pool-list --all
}
libvirtd_end() {
	kill "-$1" "$LIBVIRTD"
	wait "$LIBVIRTD" || true
}
libvirtd_kill() { libvirtd_end KILL; }
libvirtd_down() { libvirtd_end TERM; }

# As its unit starts it; not awaited.
virt_exec() {
	setpriv --reuid vhba --regid vhba --groups vhba,libvirt "$(program vhba-virt)" --socket /run/alpha/vhbad.sock \
		--log-level info >>"$OUT/virt.log" 2>&1 </dev/null &
	VIRT=$!
}
virt_start() {
	virt_exec
	until_true 20 virt_served
}
virt_up() {
	mkdir -p /dev/vhba
	chown vhba:vhba /dev/vhba
	virt_start
}
virt_served() { ctl --json pool list | jq -e .served >/dev/null; }
virt_kill() {
	kill -KILL "$VIRT"
	wait "$VIRT" || true
}
virt_down() {
	kill "$VIRT"
	ok "vhba-virt ends well" wait "$VIRT"
}
virt_save() { cp -r /etc/libvirt/storage "$OUT/libvirt-storage" 2>/dev/null || true; }

pools() { virsh_do pool-list --all --name | grep . | sort | xargs; }
pools_left() { [ "$(pools)" = "$1" ]; }
no_pools() { pools_left ''; }
# "inactive inactive"
pool_states() { virsh_do pool-list --all | awk '{ print $2 }' | xargs; }
# The paths of its volumes.
volumes() { virsh_do vol-list "$1" | awk 'NF { print $2 }' | sort; }
# pools_are STATE: all own ones, as vhba-virt has reported.
pools_are() { [ "$(ctl --json pool list | jq -r '[.pools[] | select(.own) | .state] | unique | join(" ")')" = "$1" ]; }
volumes_are() { [ "$(volumes "$1" | wc -l)" -eq "$2" ]; }
# capacity POOL LUN: bytes, of the volume on that LUN.
capacity() {
	virsh_do vol-info --bytes --pool "$1" "$(virsh_do vol-list "$1" | awk -v lun="-lun-$2\$" '$2 ~ lun { print $1 }')" |
		awk '/^Capacity/ { print $2 }'
}
capacity_is() { [ "$(capacity "$1" "$2")" = "$3" ]; }
