#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Inside a node: checkpoint.sh HOG MIB ROUNDS. Interleaves, ROUNDS times, a copy
# to tmpfs (C0), our checkpoint and restart, and CRIU's, of one process with MIB
# MiB of memory; prints "sample" lines. Everything is on tmpfs.
set -eu
hog=$1
mib=$2
rounds=$3
work=/run/bench
mkdir -p $work
mount -t tmpfs -o size=100% tmpfs $work
mount -t tmpfs -o size=100%,mode=1777 tmpfs /var/chkpt
events=
trap 'kill -9 ${events:-} ${pid:-} 2>/dev/null || true; umount -l $work /var/chkpt' EXIT
for m in nf_tables inet_diag tcp_diag udp_diag raw_diag unix_diag packet_diag netlink_diag af_packet_diag; do
	modprobe $m 2>/dev/null || true
done

timed() { # seconds of a command, to three places more than needed
	local t0=$EPOCHREALTIME
	"$@" >/dev/null 2>$work/err || { cat $work/err >&2; return 1; }
	seconds=$(gawk -v a="$t0" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.6f", b - a }')
}
rate() { gawk -v mib="$mib" -v s="$seconds" 'BEGIN { printf "%.3f", mib / s }'; }

start_hog() { # a session of its own, so that CRIU takes it too
	rm -f $work/pid
	setsid "$hog" "$mib" <$work/null >$work/pid 2>/dev/null &
	until [ -s $work/pid ]; do sleep 0.05; done
	pid=$(cat $work/pid)
}
# Whether process PID is in a group of generic netlink (16); libnl makes ports of pids.
listens() { # PID
	kill -0 "$1" && gawk -v pid="$1" '$2 == 16 && $3 % 4194304 == pid && $4 != "00000000" { found = 1 } END { exit !found }' /proc/net/netlink
}
# What the kernel says about how long the process stood still, and when it did.
frozen() {
	gawk 'match($0, /"time_ns":([0-9]+)/, m) {
		if (/"event":"freeze"/) from = m[1]
		if (/"event":"unfreeze"/ && from) { printf "sample 16 frozen %.6f s\n", (m[1] - from) / 1e9; done = 1; exit } }
		END { if (!done) { print "no freeze and unfreeze among the events" >"/dev/stderr"; exit 1 } }' $work/events
}
stop_hog() {
	kill -9 "$pid" 2>/dev/null || true
	while [ -d "/proc/$pid" ]; do sleep 0.02; done
}

: >$work/null
head -c $((mib << 20)) /dev/urandom >$work/data
for ((i = 0; i < rounds; i++)); do
	timed cp $work/data $work/copy
	copy=$(rate)
	rm $work/copy
	echo "sample 15c C0 $copy MiB/s"
	echo "sample 15r C0 $copy MiB/s"

	start_hog
	resident=$(gawk '$1 == "RssAnon:" { print $2 * 1024 }' "/proc/$pid/status")
	krgadm events --follow --json >$work/events &
	events=$!
	until listens $events; do sleep 0.05; done
	timed checkpoint -q "$pid"
	echo "sample 15c checkpoint $(rate) MiB/s"
	echo "sample 15cc checkpoint $(rate) MiB/s"
	echo "sample 16 whole $seconds s"
	until grep -qs '"event":"unfreeze"' $work/events; do kill -0 $events && sleep 0.05; done
	kill $events
	wait $events || true
	events=
	frozen
	echo "sample 17 image $(du -sb --apparent-size "/var/chkpt/$pid/v1" | cut -f1) bytes"
	echo "sample 17 resident $resident bytes"
	stop_hog
	timed restart -q "$pid" 1
	echo "sample 15r restart $(rate) MiB/s"
	echo "sample 15rc restart $(rate) MiB/s"
	stop_hog
	rm -rf "/var/chkpt/$pid"

	start_hog
	mkdir $work/criu
	timed criu dump -t "$pid" -D $work/criu --shell-job -v0
	echo "sample 15cc criu $(rate) MiB/s"
	timed criu restore -d -D $work/criu --shell-job -v0
	echo "sample 15rc criu $(rate) MiB/s"
	stop_hog
	rm -rf $work/criu
done
