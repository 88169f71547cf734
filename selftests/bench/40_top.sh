#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What `krgadm top` costs a node of four with 500 processes: the one it runs on,
# and those it asks. On nodes whose CPUs take a nanosecond for an instruction,
# so that the share of a CPU is a count of instructions, not the emulator's speed.
set -eu
cd "$(dirname "$0")/../.."
nodes=4
processes=500
rounds=5
export LAB_ACCEL=icount
# The clocks of busy nodes of this kind are slow, and a node that is late is lost:
# no cluster before the crowd is there.
scripts/lab up -n $nodes --kernel "$1" --mem 512 --no-cluster >&2
scripts/lab push all selftests/bench/guest/top.sh /root/ >&2
for ((n = 1; n <= nodes; n++)); do
	scripts/lab exec -n $n -- bash /root/top.sh crowd $((processes / nodes + 5)) >&2
done
scripts/lab exec -n 1 -- krgadm cluster start -c $nodes --wait 60 >&2
there=$(scripts/lab exec -n 1 -- krgadm top -b -n 1 | sed -n '1s/.* \([0-9]*\) processes.*/\1/p')
[ "$there" -ge $processes ] || { echo "only $there processes" >&2; exit 1; }
echo "# top: $there processes on $nodes nodes, kernel threads included"

# Busy and wall nanoseconds of each node while node 1 does CMD.
during() { # CMD…
	local n
	for ((n = 1; n <= nodes; n++)); do
		scripts/lab exec -n $n -- bash /root/top.sh mark
	done
	scripts/lab exec -n 1 -- "$@" >/dev/null
	for ((n = 1; n <= nodes; n++)); do
		scripts/lab exec -n $n -- bash /root/top.sh since
	done
}

for ((i = 0; i < rounds; i++)); do
	{ during sleep 15; during krgadm top -b -d 3 -n 6; } | awk -v nodes=$nodes '
		NR <= nodes { idle[NR] = $1 / $2 }
		NR > nodes { n = NR - nodes; more = $1 - idle[n] * $2; wall = $2
			if (n == 1) { id = "topself"; share = 1 } else { id = "topother"; share = nodes - 1 }
			busy[id] += more / share; all[id] += wall / share }
		END { for (id in busy) {	# what is nothing may come out below nothing
			printf "sample %s busy %.3f ms\n", id, (busy[id] > 1e3) ? busy[id] / 1e6 : 0.001
			printf "sample %s wall %.3f ms\n", id, all[id] / 1e6 } }'
done
