#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# selftests/lab/checkpoint.sh KERNEL: freeze, checkpoint, kill, restart, in the
# kernel alone (a test module instead of netlink), on one node.
#
#   - programs that hold every kind of state go on as if nothing had happened;
#   - real programs' output is that of an undisturbed run;
#   - what cannot be saved is refused by name, and goes on;
#   - wrong states, a pid in use, damaged and truncated images are refused.
# shellcheck disable=SC2016 # scripts in single quotes are expanded in the node
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$repo" || exit 1

T=/tmp/t/tests.sh
build() {
	build_test_module proc || return 1
	for p in counter avxtimer files keeper sleeper torn odd; do
		gcc -O2 -Wall -Wextra -o "$work/$p" "selftests/lab/progs/$p.c" || return 1
	done
	gcc -O2 -Wall -Wextra -Iinclude -Imodules/ghost -Iselftests/core/ghost -o "$work/forge" \
		selftests/lab/progs/forge.c selftests/core/ghost/sample.c modules/ghost/core/*.c
}
node() { lab exec -n 1 -- "$@"; }
load() {
	node sh -c 'mkdir -p /tmp/t && mount | grep -q debugfs || mount -t debugfs d /sys/kernel/debug
		cd /tmp/t && for m in krg_hook krg_rpc krg_rpc_tcp "krg_cluster session_id=1 node_id=7" krg_ghost krg_proc krg_proc_test; do
			set -- $m && insmod "$1.ko" ${2+"$2" "$3"} || exit 1
		done'
}
plan 47
ok "the test module builds" build || exit 1
lab_up -n 1 --cpus 2 --no-modules --mem 768
node mkdir -p /tmp/t
lab push 1 "$repo/build/modules/$KERNEL/"krg_{hook,rpc,rpc_tcp,cluster,ghost,proc}.ko "$work/"*.ko \
	selftests/lab/jobs/moments.sh "$work/"{counter,avxtimer,files,keeper,sleeper,torn,odd,forge,tests.sh} /tmp/t || exit 1
ok "the modules load" load || exit 1

ok "wrong states are errors" node $T states
ok "a pid in use is named" node $T clash
ok "registers, timer, handler, pending signal" node $T cycle avx 3 5 1000 'exec /tmp/t/avxtimer $N res'
ok "limits, CPU time and its timers, umask, name" node bash -c 'ulimit -t 100000; exec /tmp/t/tests.sh cycle keeper 3 30 100 "exec /tmp/t/keeper \$N res"'
ok "sleep, poll and futex restart, none ends early" node $T cycle sleeper 3 2000 3 'exec /tmp/t/sleeper $N res'
ok "files: offsets, flags, the deleted one" node $T cycle files 3 200 20 'exec /tmp/t/files $N .'
ok "a process goes on while it is saved, at one moment" node $T snapshot 4 /tmp/t/torn 96 res plain
ok "memory that a fork leaves out is saved too" node $T snapshot 2 /tmp/t/torn 4 res advice

ok "it keeps its priorities and its CPUs" node $T keeps

# A job's size is found there: some seconds on any machine.
goes_on() { # NAME TIMES SIZE LINE
	ok "$1 goes on: its output is that of an undisturbed run" node $T same "$@"
}
goes_on counter 3 100 'exec /tmp/t/counter $N res'
goes_on gawk 2 100 'exec gawk "BEGIN{for(i=0;i<$N;i++)for(j=0;j<1000;j++)s+=(i*j)%7;print s >\"res\"}"'
goes_on python 2 100 'exec python3 -c "
import hashlib
h = b\"\"
with open(\"res\", \"a\") as f:
    for i in range($N * 100):
        h = hashlib.sha256(h + str(i).encode()).digest()
        if i % 1000 == 0: f.write(h.hex() + chr(10))"'
goes_on xz 2 10 'yes /usr/bin/python3.11 | head -n $((N / 60 + 1)) | xargs cat | head -c $((N * 100000)) >in; exec xz -4 -T1 -c in >res'

ok "a fifo is refused" node $T refuse fifo bash -c 'mkfifo f; exec 3<>f; : >ready; exec sleep 100'
ok "a pipe with content is refused" node $T refuse pipe python3 -c 'import os, time; r, w = os.pipe(); os.write(w, b"x"); open("ready", "w"); time.sleep(100)'
ok "a child is refused" node $T refuse child sh -c '(: >ready; exec sleep 100); :'
if grep -q '^CONFIG_SECURITY_LANDLOCK=y' "$KRG_CACHE/kernels/$KERNEL/kdir/.config"; then
	ok "landlock is refused" node $T refuse landlock /tmp/t/odd landlock
else
	skip "landlock is refused" "this kernel is built without Landlock"
fi
for word in keyring numa pkey membarrier cpu; do
	ok "$word is refused" node $T refuse $word /tmp/t/odd $word
done
for odd in "numa numa-area" "seccomp seccomp" "io_uring io_uring" "timer timer" "semaphore undo" \
	"sched deadline" "namespace uts" "chroot root" "cpu ldt" "shm shared" "mapping mapping" \
	"path path" "async async" "lock whole-lock" "lock range-lock" "userfaultfd faults" \
	"[eventfd] eventfd" "[eventpoll] epoll" "[timerfd] timerfd"; do
	ok "${odd% *} is refused: ${odd#* }" node $T refuse "${odd% *}" /tmp/t/odd "${odd#* }"
done
ok "damaged and truncated images are refused" node $T damaged
ok "forged ones do no harm" node $T forged 60
ok "the modules unload" node sh -c 'rmmod krg_proc_test krg_proc krg_ghost krg_cluster krg_rpc_tcp krg_rpc krg_hook'
node dmesg | sed -n 's/.*krg_proc_test: /# /p' | tail -n 12
ok "no kernel report" kernel_log_clean 1

