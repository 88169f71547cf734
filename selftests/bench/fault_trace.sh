#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Where the time of a remote read fault goes: trace events on both nodes while node 2 reads
# what node 1 has written; the median time between one stamp and the next, in us. Nodes'
# clocks are not compared: what is on the wire is what the asker waits less what the other
# node takes. Tracing costs time too: the sum is more than `make bench` finds.
#
# usage: selftests/bench/fault_trace.sh [KERNEL [PAGES]]
set -eu
cd "$(dirname "$0")/../.."
kernel=${1:-6.1}
pages=${2:-512}
export LAB=${LAB:-bench}
export KRG_CACHE=${KRG_CACHE:-$PWD/build/cache}
tracing=/sys/kernel/tracing
out=build/bench
mkdir -p "$out"
g++ -std=c++20 -O2 -Wall -Wextra -Werror -static-libstdc++ selftests/bench/shmbench.cpp -o "$out/shmbench" -lfmt

trap 'scripts/lab down >/dev/null 2>&1' EXIT
scripts/lab up -n 2 --kernel "$kernel" --mem 768 >&2
on() { scripts/lab exec -n "$1" -- sh -c "$2"; }
both() { on 1 "$1" && on 2 "$1"; }
for node in 1 2; do
	scripts/lab push $node "$out/shmbench" /root/ >&2
done
both "cd $tracing && echo 8192 >buffer_size_kb && echo mono >trace_clock && echo 0 >tracing_on &&
	for e in krg_kddm/krg_kddm_event net/net_dev_start_xmit irq/irq_handler_entry exceptions/page_fault_user; do
		echo 1 >events/\$e/enable || exit
	done"
on 1 "/root/shmbench fill /dev/shm/trace $pages"
both "echo 1 >$tracing/tracing_on"
on 2 "/root/shmbench read /dev/shm/trace $pages" >&2
both "echo 0 >$tracing/tracing_on"
on 1 "cat $tracing/trace" >"$out/trace.1"
on 2 "cat $tracing/trace" >"$out/trace.2"

# A line: TASK [CPU] FLAGS TIME: EVENT: WORDS. Of the asker's faults those count that send
# one request and get its answer.
awk '
function us() { return substr($4, 1, length($4) - 1) * 1e6 }
function word(name,   i, w) {
	for (i = 6; i <= NF; i++)
		if (split($i, w, "=") == 2 && w[1] == name)
			return w[2]
}
/^#/ { next }
$5 == "irq_handler_entry:" { if (/input/) came = us(); next }
FNR == NR && $5 == "net_dev_start_xmit:" { if (asked) { served[asked] = us() - at; asked = "" } next }
FNR == NR && $5 == "krg_kddm_event:" {
	if (word("from") == 2) { asked = word("object"); at = us(); arrived[asked] = at - came }
	next
}
FNR == NR { next }
$5 == "page_fault_user:" {
	if (step == 5 && object in served) {
		n++
		s[1, n] = t[1] - t[0]; s[2, n] = t[2] - t[1]
		s[4, n] = arrived[object]; s[5, n] = served[object]
		s[3, n] = t[3] - t[2] - s[4, n] - s[5, n]
		s[6, n] = t[4] - t[3]; s[7, n] = t[5] - t[4]; s[8, n] = us() - t[5]
		s[9, n] = us() - t[0]
	}
	step = 0; t[0] = us(); next
}
$5 == "net_dev_start_xmit:" { if (step == 1) { t[2] = us(); step = 2 } next }
$5 == "krg_kddm_event:" {
	if (!step) { object = word("object"); t[1] = us(); step = 1 }
	else if (word("object") != object) next
	else if (step == 2 && word("from") == 1) { t[3] = came; t[4] = us(); step = 4 }
	else if (step == 4 && word("from") == -1 && $1 ~ /^shmbench/) { t[5] = us(); step = 5 }
}
function median(k,   i, j, v, a) {
	for (i = 1; i <= n; i++) {
		v = s[k, i]
		for (j = i - 1; j > 0 && a[j] > v; j--)
			a[j + 1] = a[j]
		a[j + 1] = v
	}
	return a[int((n + 1) / 2)]
}
END {
	split("fault to protocol|protocol to wire|wire, both ways|the other: interrupt to protocol|" \
	      "the other: protocol to wire|interrupt to protocol|protocol to woken task|page table, back, next fault|in all", name, "|")
	if (!n) { print "no fault was traced from end to end"; exit 1 }
	for (i = 1; i <= 9; i++)
		printf "%8.1f us  %s\n", median(i), name[i]
	printf "medians of %d faults\n", n
}' "$out/trace.1" "$out/trace.2"
