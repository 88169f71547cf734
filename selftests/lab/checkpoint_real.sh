#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# checkpoint_real.sh KERNEL: real, unmodified programs are checkpointed at
# random moments, killed, and restarted on the other node and on the same; what
# they write must be, byte for byte, what an undisturbed run writes.
#
# Two moves a program (KRG_LONG=1: ten). Needs two nodes that share /shared.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$repo" || exit 1

moves=2
[ -z "${KRG_LONG-}" ] || moves=10
programs=(loop words python xz cc1 avx)

job() { # NODE VERB …
	local node=$1
	shift
	lab exec -n "$node" -- /shared/jobs/job.sh "$@"
}

# What the jobs read: more than any of them needs on a fast machine, of which they take their size.
make_inputs() { # DIR
	mkdir -p "$1" && cp selftests/lab/jobs/* "$1" &&
		gcc -O2 -Wall -Wextra -Werror -static "$1/avx.c" -o "$1/avx" &&
		awk 'BEGIN { srand(7); for (i = 0; i < 20000; i++) { for (j = 0; j < 8; j++) printf "w%d ", rand() * 20000; print "" } }' >"$1/some" &&
		for _ in $(seq 20); do cat "$1/some"; done >"$1/words" &&
		awk 'BEGIN { srand(3); while (n < 67108864) { s = sprintf("%d line %d of a file\n", rand() * 1e6, rand() * 1e4); n += length(s); printf "%s", s } }' |
		head -c 67108864 >"$1/64MiB" &&
		awk 'BEGIN { for (i = 0; i < 30000; i++) printf "int f%d(int *a, int n) { int s = %d; for (int i = 0; i < n; i++) { if (a[i] %% %d) s += a[i] * %d; else s ^= a[i] << %d; a[i] = s; } return s; }\n", i, i, i + 2, i + 3, i % 7 }' >"$1/functions.c"
}

# NAME of size N leaves its node at each moment (ms of its CPU time), to the other
# node, then to the same, and so on. Status 3: it ended before the last moment.
moved() { # NAME N MOMENT…
	local name=$1 pid node=1 used=0 at move=0 out status
	pid=$(job 1 start "$name" "$2") || return 1
	shift 2
	for at; do
		out=$(job $node leave "$pid" $((at - used)))
		status=$?
		[ $status -eq 0 ] || return $status
		used=$((used + ${out% *}))
		[ $((move++ % 2)) -eq 1 ] || node=$((3 - node))
		lab exec -n $node -- sh -c "cd / && restart -q $pid ${out#* }" || return 1
	done
	job $node end "$pid"
}

# A machine may have become faster since the undisturbed run: a job that ended early
# must have ended well, and is tried again with moments in the half of its time.
goes_on() { # NAME
	local name=$1 size total at status said
	read -r size total < <(job 2 alone "$name" "$moves" 2>&1)
	[ -s "$shared/$name/alone/out" ] || { fail "$name runs undisturbed" "$size $total"; return; }
	for _ in 1 2 3 4 5 6; do
		mapfile -t at < <(job 1 moments "$moves" "$total")
		said="size $size, moments ${at[*]} of $total ms"
		moved "$name" "$size" "${at[@]}" >"$tmp/said" 2>&1
		status=$?
		case $status in 0 | 3) ;; *) fail "$name is moved" "$said"$'\n'"$(cat "$tmp/said")"; return ;; esac
		cmp "$shared/$name/alone/out" "$shared/$name/moved/out" || { fail "$name: the same output" "$said"; return; }
		if [ $status -eq 0 ]; then
			pass "$name: $moves moves, same output as undisturbed"
			diag "$said; $(sha256sum <"$shared/$name/moved/out")"
			return
		fi
		total=$((total / 2))
	done
	fail "$name: it always ended early" "$said"
}

plan $((${#programs[@]} + 4))
lab_up -n 2 --mem 1024
shared=$repo/build/lab/$LAB/shared
make_inputs "$shared/jobs" || bail "cannot make the inputs"
for name in "${programs[@]}"; do
	goes_on "$name"
	rm -rf "${shared:?}/$name"
done
rm -rf "${shared:?}/"{jobs,chkpt/*}
for node in 1 2; do
	ok "node $node: no kernel report" kernel_log_clean $node
done
for node in 1 2; do
	ok "node $node: all modules unload" modules_unload_clean $node
done
