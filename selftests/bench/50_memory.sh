#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Shared memory between two nodes, as an unmodified program finds it: page faults,
# messages they take, ownership of one page, sequential reads with and without delay, wakeups.
# Against what TCP does on the same wire: 64 B (R1), 64 B for 4 KiB (R4), one iperf3 stream (BW).
set -eu
cd "$(dirname "$0")/../.."
kernel=$1
rounds=5
pages=1024

scripts/lab up -n 2 --kernel "$kernel" --mem 768 >&2
on() { scripts/lab exec -n "$1" -- sh -c "$2"; }
for node in 1 2; do
	scripts/lab push $node build/bench/pingpong build/bench/shmbench /root/ >&2
	on $node 'mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug'
done
on 1 '/root/pingpong serve 5000 >/dev/null 2>&1 & iperf3 -s -D >/dev/null 2>&1'
# What sets of files did on both nodes, by a counter's name.
counted() { # NAME
	for node in 1 2; do on $node "cat /sys/kernel/debug/krg_kddm/*/sets"; done |
		awk -v k="$1" '/linker=shm/ { for (i = 1; i <= NF; i++) if (split($i, p, "=") == 2 && p[1] == k) s += p[2] } END { print s + 0 }'
}
# Wakeups that nodes sent to others.
woken() { for node in 1 2; do on $node "cat /sys/kernel/debug/krg_mm/*/futex"; done | awk '/sent/ { s += $2 } END { print s + 0 }'; }
r4() { on 2 '/root/pingpong 192.168.0.1 5000 64 4096 200'; }
r1() { on 2 '/root/pingpong 192.168.0.1 5000 64 64 200'; }
sample() { echo "sample $*"; }
# Messages that a command takes: ID, pages, node, command.
messages() { # ID NODE CMD
	local before
	before=$(counted sent)
	on "$2" "$3" >/dev/null
	sample "$1" messages $(($(counted sent) - before)) messages
	sample "$1" misses $pages pages
}
for round in $(seq $rounds); do
	file=/dev/shm/bench$round
	on 1 "/root/shmbench fill $file $pages"
	sample 1 R4 "$(r4)" us
	before=$(counted sent)
	read -r median tail < <(on 2 "/root/shmbench read $file $pages")
	sample 2read messages $(($(counted sent) - before)) messages
	sample 2read misses $pages pages
	sample 1 fault "$median" us
	sample 8 p99.9 "$tail" us
	sample 8 p50 "$median" us
	messages 2upgrade 2 "/root/shmbench write $file $pages"
	messages 2write 1 "/root/shmbench write $file $pages"
	on 1 "rm $file"
done
on 1 "/root/shmbench fill /dev/shm/one 1"
for _ in $(seq $rounds); do
	turn=$(r4)
	sample 5 one "$(on 1 '/root/shmbench count /dev/shm/one 1 3000')" additions
	before=$(counted pages_received)
	on 2 "/root/shmbench count /dev/shm/one 2 3000" >"$PWD/build/bench/other" &
	mine=$(on 1 "/root/shmbench count /dev/shm/one 1 3000")
	wait $!
	sample 5 two $((mine + $(cat build/bench/other))) additions
	sample 4 transfers $((($(counted pages_received) - before) / 3)) 1/s
	sample 4 possible "$(awk -v us="$turn" 'BEGIN { printf "%.1f", 1e6 / us }')" 1/s
done
on 1 "/root/shmbench locks /dev/shm/locks 1"
# Node 2 has it open too.
on 2 "/root/shmbench lock /dev/shm/locks 10"
on 1 "/root/shmbench lock /dev/shm/locks 10"
for _ in $(seq $rounds); do
	sample 23 R1 "$(r1)" us
	on 2 "/root/shmbench handoff /dev/shm/locks 1 300" &
	sample 23 handoff "$(on 1 '/root/shmbench handoff /dev/shm/locks 0 300')" us
	wait $!
	on 1 "/root/shmbench lock /dev/shm/locks 10"
	before=$(($(counted sent) + $(woken)))
	on 1 "/root/shmbench lock /dev/shm/locks 10000"
	sample 23messages messages $(($(counted sent) + $(woken) - before)) messages
	sample 23messages operations 40000 operations
done
stream() { # FILE: MiB/s of a first read on node 2
	on 1 "/root/shmbench fill $1 8192"
	on 2 "/root/shmbench stream $1 8192"
	on 1 "rm $1"
}
for round in $(seq $rounds); do
	sample 6 BW "$(on 2 'iperf3 -R -c 192.168.0.1 -t 2 -J' | awk '/"sum_received"/ { on = 1 }
		on && /bits_per_second/ { gsub(/[^0-9.e+]/, "", $2); printf "%.3f", $2 / 8 / 1048576; exit }')" MiB/s
	rate=$(stream "/dev/shm/s$round")
	sample 6 stream "$rate" MiB/s
	sample 7 without "$rate" MiB/s
done
scripts/lab link 1 delay 10
for round in $(seq $rounds); do
	sample 7 delayed "$(stream "/dev/shm/d$round")" MiB/s
done
scripts/lab link 1 clear
