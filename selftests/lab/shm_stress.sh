#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2016 # scripts in single quotes are expanded in the node
#
# selftests/lab/shm_stress.sh KERNEL: under work on three nodes, with delay and loss on
# the links and a power cut at the end, memory stays one, the others go on, nothing hangs.
# For some seconds; KRG_LONG=1: ten minutes.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/lab/memory.sh
. "$(dirname "$0")/memory.sh"
cd "$repo" || exit 1
stress=15
[ -z "${KRG_LONG-}" ] || stress=600
memory_build
plan 16
on_dir=/dev/shm on_limit=$((stress + 300))
memory_up

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
