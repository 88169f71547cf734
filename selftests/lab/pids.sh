#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2016 # scripts in single quotes are expanded in the node
#
# selftests/lab/pids.sh KERNEL: one space of pids over two nodes.
#
#   - in a cluster every new task's number is of its node's range: processes, threads, nested
#     namespaces, many at once; at the end of the range it starts again; a full range is
#     EAGAIN; a number that was asked for is given;
#   - krg_proc goes and comes while tasks are made; with the cluster the ranges go, and
#     kernel.pid_max is what it was;
#   - an image's files are named after its node; a pid in use on another node is not
#     restarted; two nodes that restart one image at once do not both; a lost node is not
#     waited for.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$repo" || exit 1

build() {
	build_test_module pids &&
		gcc -O2 -Wall -Wextra -pthread selftests/lab/progs/forks.c -o "$work/forks"
}
first() { echo $(($1 << 16)); }
end() { echo $((($1 + 1) << 16)); }
forks() { # NODE COUNT JOBS [WRAPPER…]: children whose numbers should be of the node's range
	local node=$1 count=$2 jobs=$3
	shift 3
	lab exec -n "$node" -- "$@" /tmp/forks "$count" "$jobs" "$(first "$node")" "$(end "$node")"
}
ranged() { [ "$(forks "$1" 1 1)" = "made 1 outside 0 failed 0 error 0" ]; }
# The node's circle of pids is at the range's last number, and CMD, which makes the next task, is run.
at_end() { on "$1" "echo $(($(end "$1") - 1)) >/proc/sys/kernel/ns_last_pid; exec $2"; }
gone() { on "$1" "! test -e /proc/$app"; }

plan 47
ok "the test's parts build" build || exit 1
lab_up -n 2 --mem 512 --no-cluster
for n in 1 2; do
	lab push $n "$work/forks" "$work/krg_pids_test.ko" /tmp || exit 1
done
on 1 'sysctl -qw kernel.pid_max=45678'
on 2 'sysctl -qw kernel.pid_max=45678'
like "before: other numbers" "$(forks 2 20 1)" '^made 20 outside 40 '
down_us=$(on 1 '/tmp/forks time 300')

ok "cluster start" lab exec -n 1 -- krgadm cluster start
for n in 1 2; do
	# The cluster is up a moment before the modules have been told.
	ok "node $n: the range is on" eventually 10 ranged $n
	is "node $n: kernel.pid_max" "$(on $n 'cat /proc/sys/kernel/pid_max')" 4194304
	is "node $n: all of its range" "$(forks $n 300 4)" "made 1200 outside 0 failed 0 error 0"
	is "node $n: in namespaces too" "$(forks $n 100 4 unshare -pf)" "made 400 outside 0 failed 0 error 0"
	# A nested pid that is moved: at the end of the range.
	is "node $n: a namespace's first process is 1" "$(at_end $n 'unshare -pf sh -c "echo \$\$"')" 1
	like "node $n: and of the range outside it" "$(at_end $n 'unshare -pf readlink /proc/self')" "^$(first $n | sed 's/..$/[0-9][0-9]/')$"
	around=$(on $n "echo $(($(end $n) - 4)) >/proc/sys/kernel/ns_last_pid; for i in 1 2 3 4 5 6 7 8; do true & echo \$!; done")
	is "node $n: the end of the range" "$(awk -v e="$(end $n)" '$1 >= e - 3 && $1 < e' <<<"$around" | wc -l)" 3
	is "node $n: is followed by its begin" "$(awk -v f="$(first $n)" '$1 >= f && $1 < f + 1000' <<<"$around" | wc -l)" 5
done
up_us=$(on 1 '/tmp/forks time 300')
diag "fork, exec and wait: $down_us us before, $up_us us with ranges"
is "a number that was asked for" "$(on 1 '/tmp/forks tid 3000000')" "3000000 3000000"
is "is given in namespaces too" "$(on 1 'unshare -pf /tmp/forks tid 77,3000001')" "77 3000001"
is "or refused" "$(on 1 '/tmp/forks tid 1')" EEXIST

full=$(on 2 "insmod /tmp/krg_pids_test.ko first=$(first 2) end=$(end 2) leave=60 && exec /tmp/forks keep $(first 2) $(end 2)")
like "a full range is EAGAIN" "$full" '^made [1-9][0-9]? outside 0 error EAGAIN$'
diag "$full"
is "what is free of it is found" "$(forks 2 300 1)" "made 300 outside 0 failed 0 error 0"
ok "and then all" lab exec -n 2 rmmod krg_pids_test
is "as before" "$(forks 2 300 1)" "made 300 outside 0 failed 0 error 0"

on 2 '/tmp/forks 0 4 1 4194304 >/tmp/storm 2>&1 </dev/null & echo $! >/tmp/storm.pid'
ok "krg_proc goes and comes in a storm of forks" on 2 'for i in 1 2 3; do
	rmmod krg_nl && rmmod krg_procfs && rmmod krg_proc && modprobe krg_nl || exit 1
done'
on 2 'kill $(cat /tmp/storm.pid); while [ -e /proc/$(cat /tmp/storm.pid) ]; do sleep 0.1; done'
like "no fork failed" "$(on 2 'cat /tmp/storm')" '^made [0-9]+ outside 0 failed 0 error 0$'
diag "$(on 2 'cat /tmp/storm')"
is "the range is on again" "$(forks 2 50 1)" "made 50 outside 0 failed 0 error 0"

on 1 'krgcr-run -q -b -o /tmp/app sleep 12345 </dev/null >/dev/null 2>&1'
app=$(on 1 'cat /tmp/app')
# Not always 1: /var/chkpt outlives a lab, and pids come again.
said=$(on 1 "checkpoint $app")
version=$(sed -n "s/^Version: //p" <<<"$said")
like "checkpoint" "$said" "^Version: [0-9]+$"
is "files are named after the node" "$(on 1 "cd /var/chkpt/$app/v$version && echo *_1.*")" "node_1.bin shared_obj_1.bin user_info_1.txt"
like "a pid in use on another node is named" "$(on 2 "restart $app $version; echo \$?" | tr '\n' '|')" \
	"pid $app is in use by sleep on node 1\|1\|$"
ok "what uses it goes on, and nothing else was made" on 2 "! test -e /proc/$app"
like "in use here" "$(on 1 "restart $app $version")" "pid $app is in use by sleep$"
on 1 "kill -9 $app"
eventually 20 gone 1
ok "free, it is restarted elsewhere" lab exec -n 2 -- restart -q "$app" "$version"
like "and then in use there" "$(on 1 "restart $app $version")" "pid $app is in use by sleep on node 2$"

# Slow enough that both ask before either is done.
lab link 1 delay 200
once=0
for ((i = 0; i < 6; i++)); do
	on 1 "kill -9 $app" >/dev/null
	on 2 "kill -9 $app" >/dev/null
	eventually 20 gone 1 && eventually 20 gone 2
	lab exec -n 1 -- restart "$app" "$version" >"$tmp/race.1" 2>&1 &
	lab exec -n 2 -- restart "$app" "$version" >"$tmp/race.2" 2>&1 &
	wait
	runs=$(($(on 1 "test -e /proc/$app && echo 1 || echo 0") + $(on 2 "test -e /proc/$app && echo 1 || echo 0")))
	[ $runs -eq 1 ] && once=$((once + 1))
	diag "$(cat "$tmp"/race.?)"
done
is "two restarts at once: one succeeds" $once 6
lab link 1 clear

on 1 "kill -9 $app" >/dev/null
on 2 "kill -9 $app" >/dev/null
on 2 'sysctl -qw kernel.pid_max=100000'
ok "cluster stop" lab exec -n 1 -- krgadm cluster stop
ok "node 1: kernel.pid_max is what it was" eventually 20 on 1 'grep -qx 45678 /proc/sys/kernel/pid_max'
like "node 1: and there is no range" "$(forks 1 20 1)" '^made 20 outside 40 '
# What was set in the cluster is kept; that it is over shows in the numbers.
ok "node 2: there is no range" eventually 20 on 2 '[ "$(readlink /proc/self)" -lt 65536 ]'
is "node 2: kernel.pid_max is what was set" "$(on 2 'cat /proc/sys/kernel/pid_max')" 100000

ok "cluster start, again" lab exec -n 1 -- krgadm cluster start
ok "the range is on again" eventually 10 ranged 1
eventually 20 gone 1 && eventually 20 gone 2
ok "node 2: no kernel report" kernel_log_clean 2
lab kill 2
ok "a lost node is not waited for" on 1 "timeout 20 restart $app $version"
on 1 "kill -9 $app"
ok "node 1: the modules unload" modules_unload_clean 1
