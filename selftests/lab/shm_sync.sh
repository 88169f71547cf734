#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2016 # scripts in single quotes are expanded in the node
#
# selftests/lab/shm_sync.sh KERNEL: programs on three nodes wait for each other in shared
# memory. Proves that
#   - futex() wakes who waits on another node, as many as asked for, the right ones, and
#     says how many; waits end by timeouts, signals and death as they should; what is wrong
#     is refused as on one node;
#   - mutexes, condition variables, barriers, rwlocks and semaphores of libc and Python
#     work between nodes;
#   - uncontended operations, and all of a file that one node uses, send no message;
#   - priority inheritance works within a node and is refused between nodes;
#   - a robust mutex is told of its owner's death, of its owner's node's too;
#   - a node that dies holds no wakeup up; modules unload and the logs are clean.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$repo" || exit 1
gcc -O2 -Wall -Wextra -pthread -o "$tmp/sync" selftests/lab/progs/sync.c || bail "the program does not build"
plan 85
lab_up -n 3 --mem 512

on_dir=/dev/shm on_limit=60
s() { # NODE ARGS…: of sync
	local node=$1
	shift
	on "$node" "/tmp/sync $*"
}
# In the background, as NAME: what it says is in /tmp/NAME of the node.
start() { # NODE NAME ARGS…
	local node=$1 name=$2
	shift 2
	on "$node" "rm -f /tmp/$name; { timeout 100 /tmp/sync $* >/tmp/$name 2>&1; } </dev/null >/dev/null 2>&1 &"
}
said() { on "$1" "cat /tmp/$2"; }                    # NODE NAME
says() { [ "$(said "$1" "$2")" = "$3" ]; }           # NODE NAME TEXT
both_said() { [ -n "$(said 1 w1)" ] && [ -n "$(said "$1" "$2")" ]; }
# Threads of sync that sleep in futex(); with priority inheritance in an rt_mutex of it.
asleep() { # NODE
	on "$1" 'for p in $(pgrep -x sync); do for t in /proc/$p/task/*; do cat $t/wchan; echo; done; done | grep -cE "futex|rt_mutex"'
}
sleeps() { [ "$(asleep "$1")" = "$2" ]; }            # NODE COUNT
# The same on all nodes at once; all must say "ok".
everywhere() { # ARGS1 ARGS2 ARGS3
	local n jobs=() status=0
	for n in 1 2 3; do
		on $n "/tmp/sync ${!n}" >"$tmp/all.$n" &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	for n in 1 2 3; do
		[ "$(cat "$tmp/all.$n")" = ok ] || status=1
		echo "node $n: $(cat "$tmp/all.$n")"
	done
	return $status
}
# Messages of all files and of wakeups, sent by node 1.
messages() {
	lab exec -n 1 -- sh -c '{ cat /sys/kernel/debug/krg_kddm/*/sets | tr " " "\n" | sed -n "s/^sent=//p"
		sed -n "s/^sent: //p" /sys/kernel/debug/krg_mm/*/futex; } | awk "{ n += \$1 } END { print n }"'
}

for n in 1 2 3; do
	lab push $n "$tmp/sync" selftests/lab/progs/sem_python.py /tmp || bail "cannot copy into node $n"
	lab exec -n $n -- sh -c 'mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug'
	eventually 20 mounted $n || bail "no shared memory on node $n"
done

# Of node 1 alone.
s 1 make alone 1 >/dev/null
s 1 set alone 3 0
before=$(messages)
is "uncontended: a mutex" "$(s 1 count alone 1 5000)" ok
is "a semaphore" "$(s 1 sem alone PUT 1000; s 1 sem alone GET 1000)" "$(printf 'ok\nok')"
is "contended by threads of one node" "$(s 1 count alone 3 2000)" ok
start 1 w1 wait alone 3 1
ok "a process waits" eventually 10 sleeps 1 1
is "another of the node wakes it" "$(s 1 wake alone 3 9 1)" 1
is "all that sent no message" "$(messages)" "$before"

s 1 make f 3 >/dev/null
# Who has opened a file may have waiters in it; from here on all have.
for n in 2 3; do
	s $n set f 0 0
done
wait_all() { # WORD BITS1 BITS2 BITS3
	start 1 w1 wait f "$1" "$2"
	start 2 w2 wait f "$1" "$3"
	start 3 w3 wait f "$1" "$4"
	for n in 1 2 3; do
		eventually 10 sleeps $n 1 || return 1
	done
}
ok "one waits on each node" wait_all 0 1 1 1
is "node 1 wakes two" "$(s 1 wake f 0 2 1)" 2
is "then the third" "$(s 1 wake f 0 10 1)" 1
is "then there is none" "$(s 1 wake f 0 10 1)" 0
for n in 1 2 3; do
	ok "node $n's was woken" eventually 10 says $n w$n woken
done
ok "they wait for bits" wait_all 0 1 2 4
is "nobody for others" "$(s 2 wake f 0 10 0x18)" 0
is "one is woken" "$(s 2 wake f 0 10 0x14)" 1
ok "who waited for it" eventually 10 says 3 w3 woken
is "the others wait on" "$(asleep 1) $(asleep 2)" "1 1"
is "all are woken" "$(s 3 wake f 0 2147483647 0xffffffff)" 2
ok "on node 1" eventually 10 says 1 w1 woken
ok "and 2" eventually 10 says 2 w2 woken
s 1 set f 0 1
is "another value is not waited for" "$(s 3 wait f 0 1)" EAGAIN
s 1 set f 0 0
start 3 w3 waitv f 1
ok "futex_waitv()" eventually 10 sleeps 3 1
is "is woken" "$(s 1 wake f 1 1 1)" 1
ok "and says by which" eventually 10 says 3 w3 "woken 1"

start 2 w2 wait f 3 1
start 3 w3 wait f 4 1
eventually 10 sleeps 2 1 && eventually 10 sleeps 3 1
is "FUTEX_WAKE_OP wakes at two words" "$(s 1 wakeop f 3 4)" "2 1"
ok "on node 2" eventually 10 says 2 w2 woken
ok "and on node 3" eventually 10 says 3 w3 woken
ok "three wait to be moved" wait_all 5 1 1 1
is "not with another value" "$(s 1 requeue f 5 6 1 9 1)" EAGAIN
is "FUTEX_CMP_REQUEUE" "$(s 1 requeue f 5 6 0 9 0)" 3
ok "node 2's looks again" eventually 10 says 2 w2 woken
ok "node 3's too" eventually 10 says 3 w3 woken
is "node 1's was moved, node 3 wakes it" "$(s 3 wake f 5 9 1) $(s 3 wake f 6 9 1)" "0 1"
ok "it was" eventually 10 says 1 w1 woken

is "timeouts" "$(s 2 timeouts f)" ok
is "errors" "$(s 2 errors f)" ok
is "signals" "$(s 2 signals f)" ok
start 2 w2 wait f 7 1
ok "a waiter is stopped" eventually 10 sleeps 2 1
on 2 'pkill -STOP -x sync; until grep -q "^State:.T" /proc/$(pgrep -x sync)/status; do :; done; pkill -CONT -x sync'
ok "goes on waiting" eventually 10 sleeps 2 1
is "and is woken" "$(s 1 wake f 7 1 1)" 1
ok "as if nothing had been" eventually 10 says 2 w2 woken
start 2 w2 wait f 7 1
eventually 10 sleeps 2 1
on 2 'pkill -KILL -x sync'
ok "a waiter is killed" eventually 10 sleeps 2 0
is "and not woken" "$(s 1 wake f 7 9 1)" 0

ok "a mutex, two threads on each node" everywhere "count f 2 150" "count f 2 150" "count f 2 150"
is "nothing is lost" "$(s 3 sum f)" 900
ok "condition variables: taking turns" everywhere "pingpong f 0 100" "pingpong f 1 100" "set f 12 0; echo ok"
start 2 w2 broadcast f 0
start 3 w3 broadcast f 0
eventually 10 sleeps 2 1 && eventually 10 sleeps 3 1
is "broadcast" "$(s 1 broadcast f 1)" ok
ok "reaches node 2" eventually 10 says 2 w2 ok
ok "and 3" eventually 10 says 3 w3 ok
ok "a barrier" everywhere "barrier f 30" "barrier f 30" "barrier f 30"
is "tells one each time" "$(s 2 serials f)" 30
ok "an rwlock" everywhere "rwlock f 1 60" "rwlock f 0 60" "rwlock f 1 60"
ok "sem_init()" everywhere "sem f PUT 100" "sem f GET 50" "sem f GET 50"
ok "sem_open()" everywhere "named /krg GET 60" "named /krg GET 60" "named /krg PUT 120"
lab exec -n 1 -- python3 /tmp/sem_python.py make py 0 >/dev/null
lab exec -n 2 -- timeout 60 python3 /tmp/sem_python.py get py 40 >"$tmp/get" &
is "Python's semaphore" "$(lab exec -n 3 -- timeout 60 python3 /tmp/sem_python.py put py 40)" ok
wait $!
is "on both nodes" "$(cat "$tmp/get")" ok

start 1 pi pihold f
ok "priority inheritance: node 1 has the lock" eventually 10 says 1 pi held
is "node 2 can't wait for it" "$(s 2 pitake f)" "Operation not supported"
start 1 w1 pitake f
ok "node 1 can" eventually 10 sleeps 1 1
on 1 'kill $(pgrep -fx "/tmp/sync pihold f")'
ok "and gets it" eventually 10 says 1 w1 ok
is "requeueing to it is refused" "$(s 2 pirequeue f | uniq -c | tr -s ' ')" " 2 Operation not supported"

start 2 h hold f
ok "node 2 locks a robust mutex" eventually 10 says 2 h held
start 1 w1 take f
start 3 w3 take f
ok "node 1 waits" eventually 10 sleeps 1 1
ok "node 3 waits" eventually 10 sleeps 3 1
on 2 'pkill -KILL -x sync'
ok "the owner is killed: both go on" eventually 20 both_said 3 w3
is "one was told" "$( (said 1 w1; said 3 w3) | sort | tr '\n' ' ')" "EOWNERDEAD ok "
is "it is in order again" "$(s 2 take f)" ok

s 1 make g 3 >/dev/null
s 2 set g 0 0
start 3 h hold f
start 3 hg hold g
ok "node 3 locks one" eventually 10 says 3 h held
ok "and another" eventually 10 says 3 hg held
start 1 w1 take f
start 2 w2 take f
start 2 w4 wait f 2 1
ok "node 1 waits for one" eventually 10 sleeps 1 1
ok "node 2 too" eventually 10 sleeps 2 2
# What only a dead node has is lost: that is of no interest here.
on 2 'cat f g >/dev/null'
lab kill 3
is "node 3 dies: a wakeup is not held up" "$(s 1 wake f 2 9 1)" 1
ok "who was woken" eventually 10 says 2 w4 woken
ok "who waited goes on" eventually 30 both_said 2 w2
is "one was told" "$( (said 1 w1; said 2 w2) | sort | tr '\n' ' ')" "EOWNERDEAD ok "
is "who comes later is told too" "$(s 2 take g)" EOWNERDEAD
is "once" "$(s 1 take g)" ok
is "mutexes work on" "$(s 1 count f 2 100)" ok

ok "cluster stop" lab exec -n 1 -- krgadm cluster stop
for n in 1 2; do
	ok "node $n: not mounted any more" eventually 20 not_mounted $n
	ok "node $n: modules unload" modules_unload_clean $n
done
ok "the dead node's log was clean" kernel_log_clean 3
