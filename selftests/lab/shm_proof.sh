#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2016 # scripts in single quotes are expanded in the node
#
# selftests/lab/shm_proof.sh KERNEL: is memory of several nodes one memory. Proves that
#   - litmus tests SB, MP, LB, IRIW, CoRR, 2+2W on two and three nodes, variables in one
#     page and in two, end only as they may on a sequentially consistent memory (SB has
#     its mfence: x86 itself lets a load pass a store);
#   - random accesses of three nodes to hot pages are linearisable, word by word and so
#     page by page, and sequentially consistent together;
#   - programs of several nodes, a ring buffer, a stencil, a product of matrices, get the
#     results of one process alone;
#   - POSIX shared memory is as its manual pages say, errors included;
#   - under work on all nodes, with delay and loss on the links and a power cut at the
#     end, memory stays one, the others go on, nothing hangs.
# A slice of it all; KRG_LONG=1: 100000 runs of litmus tests, 256 MiB, ten minutes.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$repo" || exit 1
runs2=1408 runs3=2112 ops=2000 mib=4 side=96 plate=128 steps=20 stress=15
if [ -n "${KRG_LONG-}" ]; then
	runs2=40000 runs3=60000 ops=100000 mib=256 side=300 plate=512 steps=200 stress=600
fi
out=$repo/build/selftests/memory
mkdir -p "$out"
flock "$out" make -s -C selftests/lab/progs/memory OUT="$out" || bail "the programs do not build"
mapfile -t posix < <("$out/posix" list)
plan $((${#posix[@]} + 34))
lab_up -n 3 --mem 512
logs=$repo/build/lab/$LAB/shared

on_dir=/dev/shm on_limit=$((stress + 300))
judged() { # NAME COMMAND…: what it prints, as a comment too
	local name=$1 said status
	shift
	said=$("$@" 2>&1)
	status=$?
	diag "$said"
	if [ $status -eq 0 ]; then pass "$name"; else fail "$name"; fi
}

for n in 1 2 3; do
	lab push $n "$out"/{litmus,memcheck,work,posix} /root || bail "cannot copy into node $n"
	ok "shared memory on node $n" eventually 20 mounted $n
done

litmus() { # NODES RUNS
	ok "litmus tests on $1 nodes" together "$1" "/root/litmus run litmus ME $1 $2 $1 /shared/litmus.ME"
	judged "nothing forbidden in $2 runs on $1 nodes" "$out/litmus" judge "$1" "$2" "$1" "$logs"/litmus.*
	on 1 'rm litmus'
	rm -f "$logs"/litmus.*
}
litmus 2 $runs2
litmus 3 $runs3

# NODES OPS SEED: leaves logs
memcheck() {
	rm -f "$logs"/history.*
	together "$1" "/root/memcheck run random.$3 ME $1 $2 $3 /shared/history.ME" && on 1 "rm random.$3"
}
ok "random accesses on 2 nodes" memcheck 2 $ops 1
judged "were linearisable" "$out/memcheck" judge "$logs"/history.*
ok "random accesses on 3 nodes" memcheck 3 $ops 2
judged "were linearisable" "$out/memcheck" judge "$logs"/history.*

on 1 "/root/work send ring $mib" >"$tmp/sent" &
on 2 "/root/work receive ring $mib" >"$tmp/received"
like "$mib MiB through a ring buffer" "$(cat "$tmp/received")" '^[0-9a-f]{16}$'
wait $!
is "arrive as they were sent" "$(cat "$tmp/received")" "$(cat "$tmp/sent")"
is "stencil on 3 nodes: as on one" "$(together 3 "/root/work stencil plate ME 3 $plate $steps")" same
is "product on 3 nodes: as on one" "$(together 3 "/root/work product matrix ME 3 $side")" same
on 1 'rm ring plate matrix'

for t in "${posix[@]}"; do
	is "POSIX: $t" "$(on 3 "/root/posix test $t")" ok
done
ok "an object made on node 1" on 1 '/root/posix make /both 640 10000'
is "is the same on node 2" "$(on 2 '/root/posix look /both')" '640 0 10000 ours'
like "has an owner there" "$(lab exec -n 2 -- setpriv --reuid 65534 --regid 65534 --clear-groups /root/posix look /both 2>&1)" 'Permission denied'
like "exists once" "$(on 3 '/root/posix make /both 640 10000')" 'File exists'
ok "is unlinked on node 3" on 3 '/root/posix unlink /both'
is "and gone on node 1" "$(on 1 '/root/posix look /both')" 'No such file or directory'

# ---- stress

work() { # SECONDS: files and mapped files, by stress-ng
	echo "mkdir -p ng.ME && cd ng.ME && stress-ng -q --temp-path . --timeout $1 --hdd 1 --hdd-bytes 4m --mmap 1 \
		--mmap-file --mmap-bytes 2m --fallocate 1 --fallocate-bytes 4m --rename 1 --dentry 1 --dentries 50 >/root/ng.log 2>&1"
}
check_until() { # SECONDS: three nodes, again and again
	local end=$((SECONDS + $1)) seed=10
	while [ $SECONDS -lt $end ]; do
		seed=$((seed + 1))
		memcheck 3 500 $seed && "$out/memcheck" judge "$logs"/history.* || return 1
	done
}
lab link 2 delay 5
lab link 3 loss 1
together 3 "$(work $stress)" &
busy=$!
judged "random accesses under work, delay and loss" check_until $((stress - 2))
# Here: in a shell of its own, as ok has it, there is nobody to wait for.
wait $busy
is "the work ends" $? 0
diag "$(for n in 1 2 3; do on $n "sed 's/^/node $n: /' /root/ng.log"; done)"
# Node 3 dies in the middle of it all.
together 3 "$(work 25)" >/dev/null &
busy=$!
together 3 '/root/memcheck run last ME 3 2000000 1 /dev/null' >/dev/null &
checking=$!
sleep 8
lab kill 3
lab link 2 clear
ok "a node dies: the others share memory" memcheck 2 1000 3
judged "and it is one" "$out/memcheck" judge "$logs"/history.*
gone() { ! kill -0 "$1" 2>/dev/null; }
on 1 'pkill -x memcheck'
on 2 'pkill -x memcheck'
ok "who shared it with the dead ends" eventually 60 gone $checking
ok "as does all work" eventually 100 gone $busy
ok "files are made and removed" together 2 'rm -rf ng.ME && dd if=/dev/zero of=f.ME bs=64k count=16 && rm f.ME'
# Not for a moment, as anybody who waits for a page, but still: and who that is.
sleeping() { together 2 'ps -eo stat,pid,wchan:32,args | grep ^D; :'; }
nobody_sleeps() { [ -z "$(sleeping)" ]; }
ok "nobody is stuck" eventually 30 nobody_sleeps
diag "$(sleeping)"
ok "all goes" on 1 'rm -rf ./*'
ok "cluster stop" lab exec -n 1 -- krgadm cluster stop
ok "modules unload on node 1" modules_unload_clean 1
ok "modules unload on node 2" modules_unload_clean 2
ok "the dead node's log was clean" kernel_log_clean 3
