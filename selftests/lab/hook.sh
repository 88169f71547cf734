#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2016 # scripts in single quotes are expanded in the node
#
# selftests/lab/hook.sh KERNEL: krg_hook on one node with two processors.
#
#   - every symbol of krg/symbols.h is there once, no second of that name;
#   - symbols that do not exist are all named, and refuse the load;
#   - krg_hook is loaded and unloaded 10 times (KRG_LONG=1: 40) while two tasks are in
#     the functions it redirects all the time;
#   - a module with redirects, one handler sleeping, is loaded and unloaded as often
#     while both processors run through them;
#   - one task's system calls are intercepted; others, its children and threads
#     are not; the kernel's own dispatch works beside it; execve and exit end it;
#   - a module that intercepts cannot be unloaded;
#   - the kernel log stays clean.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$repo" || exit 1
# All emulated processors in one thread. With a thread each, QEMU 7.2 may execute
# for ever an INT3 that the text in memory no longer has, while the kernel
# patches a function that runs on both: a stock kernel without krg locks up the
# same way when its function tracer is switched on and off some hundred times.
export LAB_ACCEL=${LAB_ACCEL:-single}
rounds=10
[ -z "${KRG_LONG-}" ] || rounds=40
guest() { # SCRIPT
	lab exec -n 1 -- sh -c "cd /tmp; $1"
}

build() {
	build_test_module hook &&
		gcc -O2 -Wall -Wextra -Werror -static -pthread -o "$work/hook_user" "$work/hook_user.c" &&
		sed -nE 's/^KRG_(FN|DATA)\([^,]*, *([a-zA-Z0-9_]+).*/\2/p' include/krg/symbols.h >"$work/symbols"
}

plan 9
ok "test module and program built" build
[ -s "$work/symbols" ] || bail "not built"
lab_up -n 1 --cpus 2 --mem 768 --no-modules
lab push 1 "build/modules/$KERNEL/krg_hook.ko" "$work/krg_hook_test.ko" "$work/hook_user" "$work/symbols" /tmp ||
	bail "cannot copy to the node"

ok "no symbol is ambiguous" guest '
	while read -r name; do
		n=$(awk -v n="$name" "\$3 == n" /proc/kallsyms | wc -l)
		[ "$n" -le 1 ] || { echo "$name: $n times"; bad=1; }
	done <symbols
	[ -s symbols ] && [ -z "${bad-}" ]'
ok "symbols that are missing are all named, the load refused" guest '
	insmod krg_hook.ko && ! insmod krg_hook_test.ko missing=1 && rmmod krg_hook &&
	dmesg | grep -q "2 of 3 symbols.*: krg_absent_one krg_absent_two$"'
ok "krg_hook comes and goes $rounds times under its redirected functions" guest "
	./hook_user dispatch 3600 >d1 2>&1 & a=\$!
	./hook_user dispatch 3600 >d2 2>&1 & b=\$!
	i=0; while [ \$i -lt $rounds ]; do
		insmod krg_hook.ko && rmmod krg_hook || { echo round \$i; kill \$a \$b; exit 1; }
		i=\$((i + 1))
	done
	kill -0 \$a && kill -0 \$b; alive=\$?
	kill \$a \$b; cat d1 d2; exit \$alive"
ok "redirects come and go $rounds times under load on two processors" guest "
	insmod krg_hook.ko || exit 1
	(while :; do ls -R /etc >/dev/null; done) & a=\$!
	(while :; do ls -R /etc >/dev/null; done) & b=\$!
	i=0; total=0; while [ \$i -lt $rounds ]; do
		insmod krg_hook_test.ko || { bad=1; break; }
		while n=\$(cat /sys/module/krg_hook_test/parameters/diverted); [ \$n -lt 200 ]; do :; done
		rmmod krg_hook_test || { bad=1; break; }
		i=\$((i + 1)); total=\$((total + n))
	done
	kill \$a \$b; echo \"round \$i, \$total calls diverted\"
	[ -z \"\${bad-}\" ]"
ok "one task is intercepted, others never notice" guest '
	insmod krg_hook_test.ko || exit 1
	./hook_user plain 5 >p 2>&1 & a=$!
	./hook_user intercepted /sys/module/krg_hook_test/parameters/intercept; status=$?
	wait $a || status=1
	cat p; exit $status'
ok "execve, exit and clear all end an interception" guest '
	[ "$(cat /sys/module/krg_hook_test/parameters/released)" = 3 ]'
ok "a module that intercepts stays until it stops" guest '
	sleep 1000 &
	until grep -q sleep /proc/$!/comm; do :; done # its execve would end it
	echo $! >/sys/module/krg_hook_test/parameters/intercept || exit 1
	rmmod krg_hook_test 2>/dev/null && { echo "unloaded"; exit 1; }
	kill $!; wait $! 2>/dev/null
	rmmod krg_hook_test && rmmod krg_hook'
ok "kernel log clean" kernel_log_clean 1
