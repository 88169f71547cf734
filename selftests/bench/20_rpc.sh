#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# rpc against user-level TCP on the same pair of nodes, interleaved: 64 B round
# trips against pingpong (R1), bulk transfer against one iperf3 stream (BW).
set -eu
cd "$(dirname "$0")/../.."
repo=$PWD
kernel=$1
build=$repo/build/bench/modules-$kernel
src=$repo/build/modules/$kernel/src

log=$repo/build/bench/modules.log
trap '[ $? -eq 0 ] || tail -n 20 "$log" >&2' EXIT
make -s modules KERNEL="$kernel" >"$log" 2>&1
mkdir -p "$build"
cp selftests/bench/modules/* "$build/"
make -s -C "$KRG_CACHE/kernels/$kernel/kdir" M="$build" SRC="$src" \
	KBUILD_EXTRA_SYMBOLS="$src/modules/Module.symvers" modules >>"$log" 2>&1
trap - EXIT

scripts/lab up -n 2 --kernel "$kernel" >&2
for node in 1 2; do
	scripts/lab push $node build/bench/pingpong "$build/krg_rpc_bench.ko" /root/ >&2
	scripts/lab exec $node -- sh -c 'insmod /root/krg_rpc_bench.ko; mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug' >&2
done
scripts/lab exec 2 -- sh -c '/root/pingpong serve 5000 >/dev/null 2>&1 & iperf3 -s -D >/dev/null 2>&1'
scripts/lab push 1 selftests/bench/guest/rpc.sh /root/ >&2
scripts/lab exec 1 -- sh /root/rpc.sh 2 192.168.0.2 9
