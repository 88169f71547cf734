#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Inside a node of one CPU:
#   top.sh crowd N	processes until there are N, kernel threads included
#   top.sh mark		from now
#   top.sh since	-> "BUSY WALL", ns since mark: the CPU not idle, and in all
set -eu
# In the CPU's idle time interrupts do not count; it is precise, not sampled.
now() { gawk '{ printf "%d %d\n", $2 * 1e9, $1 * 1e9 }' /proc/uptime; }

case $1 in
crowd)
	count=$(find /proc -maxdepth 1 -name '[0-9]*' | wc -l)
	for ((; count < $2; count++)); do
		setsid sleep 100000 </dev/null >/dev/null 2>&1 &
	done
	;;
mark) now >/run/top.mark ;;
since)
	{
		cat /run/top.mark
		now
	} | gawk 'NR == 1 { idle = $1; wall = $2 } NR == 2 { printf "%d %d\n", $2 - wall - ($1 - idle), $2 - wall }'
	;;
esac
