#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# selftests/lab/ghost.sh KERNEL: ghost streams in the kernel, on one node.
#
#   - what is written to a file or to memory is read back the same;
#   - a flipped bit anywhere in a file is refused with record and offset;
#   - a memory stream keeps its limit; a writer refuses what is out of order;
#   - a record nobody handles ends a load;
#   - all of it on tmpfs and on a network file system (9p);
#   - prints how fast memory goes to and from tmpfs, beside a plain copy.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$repo" || exit 1

mb=128
[ "$KERNEL" != debug ] || mb=16 # figures mean nothing there

plan 5
ok "the test module builds" build_test_module ghost || exit 1
lab_up -n 1 --no-modules --mem 768
lab push 1 "$repo/build/modules/$KERNEL/krg_ghost.ko" "$work/krg_ghost_test.ko" /tmp || exit 1
ok "streams do what they promise" lab exec -n 1 -- sh -c \
	"mkdir -p /tmp/g && mount -t tmpfs -o size=80% none /tmp/g && insmod /tmp/krg_ghost.ko &&
	 insmod /tmp/krg_ghost_test.ko dir=/tmp/g bulk_mb=$mb || { dmesg | tail -n 5; false; }"
diag "$(lab exec -n 1 -- sh -c "dmesg | sed -n 's/.*krg_ghost_test: //p'")"
ok "on a network file system too" lab exec -n 1 -- sh -c \
	"rmmod krg_ghost_test && mkdir /shared/g && timeout 120 insmod /tmp/krg_ghost_test.ko dir=/shared/g bulk_mb=$((mb / 8)) || { dmesg | tail -n 5; false; }"
lab exec -n 1 -- rm -rf /shared/g
ok "the modules unload" lab exec -n 1 -- sh -c "rmmod krg_ghost_test && rmmod krg_ghost"
ok "no kernel report" kernel_log_clean 1
