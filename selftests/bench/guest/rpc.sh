#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Inside node 1: rpc.sh PEER ADDRESS ROUNDS, interleaved samples of rpc and of
# what a user-level program gets on the same wire. Turns are short, so that a
# machine whose load changes changes both.
set -eu
peer=$1
address=$2
rounds=$3
run=/sys/kernel/debug/krg_rpc_bench/run
for _ in $(seq $((rounds * 5))); do
	echo "sample rpc64 R1 $(/root/pingpong "$address" 5000 64 64 200) us"
	echo "$peer 64 200 1" >$run
	gawk '{ printf "sample rpc64 rpc %.1f us\n", $1 / 1000 }' $run
done
for _ in $(seq "$rounds"); do
	iperf3 -c "$address" -t 2 -J | gawk '/"sum_received"/ { on = 1 }
		on && /bits_per_second/ { gsub(/[^0-9.e+]/, "", $2); printf "sample rpcbulk BW %.3f MiB/s\n", $2 / 8 / 1048576; exit }'
	echo "$peer 262144 200 2" >$run
	gawk '{ printf "sample rpcbulk rpc %.3f MiB/s\n", $2 / 1048576 }' $run
done
