#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# checkpoint_real.sh KERNEL: real, unmodified programs are checkpointed at
# random moments, killed, and restarted on the same node and on the other; what
# they write must be, byte for byte, what an undisturbed run writes.
#
# Two moves a program (KRG_LONG=1: ten). Needs two nodes that share /shared.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/lab/lib.sh
. "$here/lib.sh"

moves=2
[ -z "${KRG_LONG-}" ] || moves=10
programs=(loop words python xz cc1 avx)

# setup NAME: inputs, the same for both runs, into /shared/NAME
# command NAME DIR: the command line of a run that writes into DIR
setup() {
	case $1 in
	loop) cp "$here/jobs/loop.awk" "$shared/loop/" ;;
	words)
		cp "$here/jobs/words.awk" "$shared/words/"
		awk 'BEGIN { srand(7); for (i = 0; i < 60000; i++) { for (j = 0; j < 8; j++) printf "w%d ", rand() * 20000; print "" } }' \
			>"$shared/words/input"
		;;
	python)
		cat >"$shared/python/job.py" <<'PY'
import hashlib, sys
state = b"krg"
with open(sys.argv[1], "a") as out:
    for i in range(60000):
        state = hashlib.sha256(state * 8).digest()
        if i % 1000 == 0:
            out.write("%d %s\n" % (i, state.hex()))
            out.flush()
PY
		;;
	xz)
		# 64 MiB that compress somewhat: text of random words.
		awk 'BEGIN { srand(3); while (n < 67108864) { s = sprintf("%d line %d of a file\n", rand() * 1e6, rand() * 1e4); n += length(s); printf "%s", s } }' |
			head -c 67108864 >"$shared/xz/input"
		;;
	cc1)
		awk 'BEGIN { for (i = 0; i < 700; i++) { printf "int f%d(int *a, int n) { int s = %d; for (int i = 0; i < n; i++) { if (a[i] %% %d) s += a[i] * %d; else s ^= a[i] << %d; a[i] = s; } return s; }\n", i, i, i + 2, i + 3, i % 7 } }' \
			>"$shared/cc1/big.c"
		;;
	avx)
		gcc -O2 -Wall -Wextra -static "$here/jobs/avx.c" -o "$shared/avx/avx"
		;;
	esac
}

command_of() {
	case $1 in
	loop) echo "gawk -v N=5000 -v OUT=$2/out -f /shared/loop/loop.awk" ;;
	words) echo "gawk -v OUT=$2/out -f /shared/words/words.awk /shared/words/input" ;;
	python) echo "python3 /shared/python/job.py $2/out" ;;
	xz) echo "sh -c 'exec xz -1 -T1 -c </shared/xz/input >$2/out'" ;;
	cc1) echo "$cc1 -quiet -O2 /shared/cc1/big.c -o $2/out" ;;
	avx) echo "/shared/avx/avx 300000000 $2/out" ;;
	esac
}

# Run NAME on node 1, moved $moves times between both nodes; 0 when it has ended.
disturbed() {
	local name=$1 node=1 version=1 pid i
	on 1 "cd /shared/$name && rm -f session && krgcr-run -b -q -o /shared/$name/session -- $(command_of "$name" "/shared/$name/moved") </dev/null >/dev/null 2>&1" || return 1
	pid=$(on 1 "cat /shared/$name/session") || return 1
	for ((i = 0; i < moves; i++)); do
		sleep "$((RANDOM % 2)).$((RANDOM % 10))"
		# A program that was done before its last move was moved less often: make its job longer.
		on "$node" "checkpoint -q -k $pid" || return 1
		on "$node" "while [ -d /proc/$pid ]; do sleep 0.1; done"
		# First elsewhere, then in place, then elsewhere again…
		[ $((i % 2)) -eq 1 ] || node=$((3 - node))
		on "$node" "restart -q $pid $version" || return 1
		version=$((version + 1))
	done
	on "$node" "for i in \$(seq 1800); do [ -d /proc/$pid ] || exit 0; sleep 0.1; done; exit 1"
}

on() {
	local node=$1
	shift
	lab exec -n "$node" -- sh -c "$*" </dev/null
}

plan $((${#programs[@]} + 4))

lab_up -n 2 --mem 1024
shared=$repo/build/lab/$LAB/shared
cc1=$(on 1 'gcc -print-prog-name=cc1')
for name in "${programs[@]}"; do
	mkdir -p "$shared/$name/undisturbed" "$shared/$name/moved"
	setup "$name"
	on 2 "$(command_of "$name" "/shared/$name/undisturbed") </dev/null" >"$shared/$name/log" 2>&1
	if ! [ -s "$shared/$name/undisturbed/out" ]; then
		fail "$name: the undisturbed run wrote nothing" "$(cat "$shared/$name/log")"
	elif ! disturbed "$name" >"$shared/$name/moved.log" 2>&1; then
		fail "$name: checkpoint, restart or the end failed" "$(cat "$shared/$name/moved.log")"
	else
		is "$name: $moves moves, same output as undisturbed" "$(sha256sum <"$shared/$name/moved/out")" \
			"$(sha256sum <"$shared/$name/undisturbed/out")"
	fi
done
for node in 1 2; do
	ok "node $node: no kernel report" kernel_log_clean $node
done
for node in 1 2; do
	ok "node $node: all modules unload" modules_unload_clean $node
done
