#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Inside node 1: rpc.sh PEER ADDRESS ROUNDS, interleaved samples of rpc and of
# what a user-level program gets on the same wire.
set -eu
peer=$1
address=$2
rounds=$3
run=/sys/kernel/debug/krg_rpc_bench/run
for _ in $(seq "$rounds"); do
	echo "sample rpc64 R1 $(/root/pingpong "$address" 5000 64 64 500) us"
	echo "$peer 64 500 1" >$run
	gawk '{ printf "sample rpc64 rpc %.1f us\n", $1 / 1000 }' $run
	iperf3 -c "$address" -t 3 -J | gawk '/"sum_received"/ { on = 1 }
		on && /bits_per_second/ { gsub(/[^0-9.e+]/, "", $2); printf "sample rpcbulk BW %.3f MiB/s\n", $2 / 8 / 1048576; exit }'
	echo "$peer 262144 256 2" >$run
	gawk '{ printf "sample rpcbulk rpc %.3f MiB/s\n", $2 / 1048576 }' $run
done
