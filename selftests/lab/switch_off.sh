#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# selftests/lab/switch_off.sh KERNEL: krgadm cluster reboot and poweroff on three nodes.
# Proves that
#   - who may not, can't, and nothing happens;
#   - every machine restarts by its own shutdown (init ends the processes) and comes back
#     into no cluster; one whose node had left before stays on;
#   - poweroff switches every machine off, the one where it was asked for too;
#   - the kernel logs are clean.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
plan 23
lab_up -n 3 --mem 512

boot_id() { lab exec -n "$1" -- cat /proc/sys/kernel/random/boot_id 2>/dev/null; }
state() { lab status | awk -v n="$1" '$1 == n { print $2 }'; }
off() { [ "$(state "$1")" = off ]; }
rebooted() { local id; id=$(boot_id "$1") && [ -n "$id" ] && [ "$id" != "${was[$1]}" ]; }
all_present() { [ "$(lab exec -n 1 -- krgadm nodes | tr '\n' ' ')" = "1:present 2:present 3:present " ]; }
shut_down() { lab log "$1" | grep -q "$2" && lab log "$1" | grep -q "$3"; } # NODE THEN INIT

like "without rights" "$(lab exec -n 1 -- su nobody -s /bin/sh -c 'krgadm cluster poweroff' 2>&1)" CAP_SYS_ADMIN
like "without CAP_SYS_BOOT" "$(lab exec -n 2 -- setpriv --bounding-set -sys_boot krgadm cluster reboot 2>&1)" CAP_SYS_BOOT
like "with arguments" "$(lab exec -n 1 -- krgadm cluster poweroff now 2>&1)" now
is "nothing has happened" "$(lab exec -n 1 -- krgadm cluster status)" 'status: up on 3 nodes'

for n in 1 2 3; do
	was[n]=$(boot_id $n)
done
ok "node 1 leaves" lab exec -n 2 -- krgadm nodes del -n 1
ok "reboot" lab exec -n 2 -- krgadm cluster reboot
for n in 2 3; do
	ok "node $n restarts" eventually 60 rebooted $n
	ok "after its shutdown" shut_down $n 'this machine restarts' 'Sent SIGTERM to all processes'
done
is "node 1 stays on" "$(boot_id 1)" "${was[1]}"
for n in 2 3; do
	lab wait $n || bail "node $n does not come back"
done
ok "they are present again" eventually 20 all_present
ok "a new cluster" lab exec -n 1 -- krgadm cluster start
ok "poweroff" lab exec -n 1 -- krgadm cluster poweroff
for n in 1 2 3; do
	ok "node $n is off" eventually 60 off $n
	ok "after its shutdown" shut_down $n 'this machine powers off' 'Sent SIGTERM to all processes'
done
for n in 1 2 3; do
	ok "the kernel log of node $n is clean" kernel_log_clean $n
done
