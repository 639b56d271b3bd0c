# SPDX-License-Identifier: LGPL-2.1-or-later
# The virtual machine: scripts that run from the source tree.
EXTRA_DIST += %D%/scenarios/multipath %D%/scenarios/reservations %D%/scenarios/udev
EXTRA_DIST += %D%/scenarios/fcoe-policy %D%/tests/vm-shell %D%/tests/vm-stream
EXTRA_DIST += %D%/README.md %D%/check %D%/init %D%/kernel %D%/run %D%/shell \
	%D%/lib/guest.sh %D%/lib/hosts.sh %D%/lib/kernel.sh %D%/lib/playground %D%/lib/playground.rc %D%/lib/san.sh %D%/lib/tap.sh \
	%D%/lib/vm.sh %D%/lib/vport.sh %D%/lib/wait.sh \
	%D%/lib/db1.sh %D%/lib/defect.sh %D%/lib/matrix.sh \
	%D%/scenarios/adopt %D%/scenarios/attach %D%/scenarios/boot %D%/scenarios/demo %D%/scenarios/faults \
	%D%/scenarios/fcoe-login %D%/scenarios/fcoe-lun %D%/scenarios/hold %D%/scenarios/hold-long %D%/scenarios/hook %D%/scenarios/io-bsg %D%/scenarios/io-fc %D%/scenarios/plan %D%/scenarios/matrix-array %D%/scenarios/matrix-fabric \
	%D%/scenarios/matrix-host %D%/scenarios/matrix-process %D%/scenarios/matrix-restart %D%/scenarios/parents %D%/scenarios/conformance %D%/scenarios/placement %D%/scenarios/scsi %D%/scenarios/service \
	%D%/tests/vm-ends \
	%D%/tests/vm-io-kill %D%/tests/vm-io-late \
	%D%/tests/vm-io %D%/tests/vm-io-blk %D%/tests/vm-io-hang %D%/tests/vm-io-migrate
EXTRA_DIST += %D%/lib/fake.sh %D%/lib/move.sh %D%/scenarios/fake-lpfc %D%/scenarios/fake-bnx2fc %D%/scenarios/fake-qedf %D%/scenarios/fake-qla2xxx
EXTRA_DIST += %D%/lib/virt.sh %D%/scenarios/pool %D%/lib/libvirts.sh %D%/tests/vm-libvirt %D%/tests/vm-libvirt-io %D%/tests/vm-libvirt-migrate %D%/tests/vm-libvirt-kill
EXTRA_DIST += %D%/scenarios/alternate %D%/scenarios/virsh
EXTRA_DIST += %D%/lib/io.sh %D%/scenarios/io %D%/scenarios/io-alua %D%/lib/iomove.sh %D%/scenarios/io-move %D%/scenarios/io-move-faults %D%/scenarios/io-move-kill %D%/scenarios/io-guest %D%/scenarios/io-restart %D%/tests/vm-io-host

dist_check_SCRIPTS += %D%/tests/tap.sh
TESTS += %D%/tests/tap.sh
