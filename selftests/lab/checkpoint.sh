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
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$repo" || exit 1

src=$repo/build/modules/$KERNEL/src
work=$tmp/proc
T=/tmp/t/tests.sh
build() {
	cp -r selftests/lab/modules/proc "$work" &&
		make -s modules KERNEL="$KERNEL" &&
		make -s -C "$KRG_CACHE/kernels/$KERNEL/kdir" M="$work" SRC="$src" W=1 \
			KBUILD_EXTRA_SYMBOLS="$src/modules/Module.symvers" modules || return 1
	for p in counter avxtimer files sleeper; do
		gcc -O2 -Wall -Wextra -o "$work/$p" "selftests/lab/progs/$p.c" || return 1
	done
}
node() { lab exec -n 1 -- "$@"; }
load() {
	# shellcheck disable=SC2016 # for the node's shell
	node sh -c 'mkdir -p /tmp/t && mount | grep -q debugfs || mount -t debugfs d /sys/kernel/debug
		cd /tmp/t && for m in krg_hook krg_ghost krg_proc krg_proc_test; do insmod $m.ko || exit 1; done'
}
same() { # NAME TIMES PAUSE SHELL-COMMAND writing its output to the file `res`
	local name=$1
	ok "$name goes on" node $T cycle "$name" "$2" "$3" sh -c "exec $4"
	node sh -c "mkdir -p /tmp/$name.ref && cd /tmp/$name.ref && $4" </dev/null
	is "$name: its output is that of an undisturbed run" \
		"$(node sh -c "sha256sum </tmp/$name/res")" "$(node sh -c "sha256sum </tmp/$name.ref/res")"
}

plan 24
ok "the test module builds" build || exit 1
lab_up -n 1 --no-modules --mem 768
node mkdir -p /tmp/t
lab push 1 "$repo/build/modules/$KERNEL/"krg_{hook,ghost,proc}.ko "$work/"*.ko \
	"$work/"{counter,avxtimer,files,sleeper,tests.sh} /tmp/t || exit 1
ok "the modules load" load || exit 1

ok "wrong states are errors" node $T states
ok "a pid in use is named" node $T clash
ok "registers, timer, handler, pending signal" node $T cycle avx 3 0.7 /tmp/t/avxtimer 5 res
is "all of them" "$(node cat /tmp/avx/res)" ok
ok "sleep, poll and futex restart" node $T cycle sleeper 3 0.5 /tmp/t/sleeper 2000 res
is "none ended early" "$(node tail -n 1 /tmp/sleeper/res)" ok
ok "files" node $T cycle files 3 0.7 /tmp/t/files 200 .
is "offsets, flags, the deleted one" "$(node cat /tmp/files/result)" ok

same counter 3 0.2 "/tmp/t/counter 4000 res"
same gawk 2 1 "gawk 'BEGIN{for(i=0;i<6000;i++)for(j=0;j<1000;j++)s+=(i*j)%7;print s >\"res\"}'"
same python 2 1 "python3 -c '
import hashlib
h = b\"\"
with open(\"res\", \"a\") as f:
    for i in range(150000):
        h = hashlib.sha256(h + str(i).encode()).digest()
        if i % 1000 == 0: f.write(h.hex() + chr(10))'"
same xz 2 0.6 "xz -2 -T1 -c /usr/bin/python3.11 >res"

ok "a fifo is refused" node $T refuse fifo bash -c 'mkfifo f; exec 3<>f; : >ready; exec sleep 100'
ok "a pipe with content is refused" node $T refuse pipe python3 -c 'import os, time; r, w = os.pipe(); os.write(w, b"x"); open("ready", "w"); time.sleep(100)'
ok "a child is refused" node $T refuse child sh -c '(: >ready; exec sleep 100); :'
ok "damaged and truncated images are refused" node $T damaged
ok "the modules unload" node sh -c 'rmmod krg_proc_test krg_proc krg_ghost krg_hook'
node dmesg | sed -n 's/.*krg_proc_test: /# /p' | tail -n 12
ok "no kernel report" kernel_log_clean 1

