#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2016 # scripts in single quotes are expanded in the node
#
# selftests/lab/procfs.sh KERNEL: two nodes see each other's processes.
#
#   - a node's list is what its own ps says, asked there or from the other node;
#   - /proc/nodes has a directory for each online node, whose files are that node's;
#   - a lost node's directory goes, and asking it ends with an error;
#   - the modules unload, the kernel log stays clean.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$repo" || exit 1

load() { # NODE
	lab exec -n "$1" -- sh -c "cd /tmp && modprobe -a libcrc32c 2>/dev/null; for m in hook rpc rpc_tcp; do insmod krg_\$m.ko || exit 1; done &&
		insmod krg_cluster.ko session_id=7 node_id=$1 net_dev=eth0 nb_nodes_min=2 && insmod krg_procfs.ko &&
		insmod krg_procfs_test.ko key=1 && rmmod krg_procfs_test"
}
ask() { # ON ABOUT [PARAMETERS]: the lines the test module writes
	lab exec -n "$1" -- sh -c "dmesg -C; insmod /tmp/krg_procfs_test.ko ask=$2 ${3-} && rmmod krg_procfs_test &&
		dmesg | sed -n 's/.*krg_procfs_test: //p'"
}
users() { # pids and names of user processes that stay
	sed -nE 's/^ps [0-9]+ ([0-9]+) [0-9]+ [0-9]+ (sleep|init|systemd-udevd) .*/\1 \2/p' <<<"$1" | sort
}
both_online() { lab exec -n 1 -- test -e /proc/nodes/node2/nodeid && lab exec -n 2 -- test -e /proc/nodes/node1/nodeid; }

plan 16
ok "the test module builds" build_test_module procfs || exit 1
lab_up -n 2 --no-modules --mem 512
for n in 1 2; do
	lab push $n "$repo/build/modules/$KERNEL"/krg_{hook,rpc,rpc_tcp,cluster,procfs}.ko "$work/krg_procfs_test.ko" /tmp || exit 1
	load $n || bail "modules do not load on node $n"
done
ok "directories appear as nodes come online" eventually 60 both_online
is "nrnodes" "$(lab exec -n 1 cat /proc/nodes/nrnodes)" "$(printf 'ONLINE:2\nPRESENT:2\nPOSSIBLE:64')"
is "self leads to one's own" "$(lab exec -n 2 cat /proc/nodes/self/nodeid)" 2
is "session" "$(lab exec -n 1 cat /proc/nodes/node2/session)" 7
lab exec -n 2 -- sh -c 'sleep 98765 >/dev/null 2>&1 & sleep 98766 >/dev/null 2>&1 &'
here=$(ask 2 2 flags=2)
there=$(ask 1 2 flags=2)
real=$(lab exec -n 2 -- sh -c 'pgrep -x sleep' | sort)
is "another node's processes are the same seen from here" "$(users "$there")" "$(users "$here")"
is "and the same as ps says there" "$(users "$there" | sed -n 's/ sleep$//p')" "$real"
like "with their command lines" "$there" 'sleep sleep.098765'
is "meminfo is the other node's" "$(lab exec -n 1 -- sed -n 's/MemTotal: *//p' /proc/nodes/node2/meminfo)" \
	"$(lab exec -n 2 -- sed -n 's/MemTotal: *//p' /proc/meminfo)"
is "of the cluster it is the sum" "$(lab exec -n 1 -- sed -n 's/MemTotal: *//p' /proc/nodes/cluster/meminfo)" \
	"$(lab exec -n 1 -- awk '/^MemTotal/ { s += $2 } END { print s " kB" }' /proc/nodes/node1/meminfo /proc/nodes/node2/meminfo)"
all() { lab exec -n 2 cat "/proc/nodes/cluster/$1"; }
nr=$(sed -n 's/^CONFIG_NR_CPUS=//p' "$KRG_CACHE/kernels/$KERNEL/kdir/.config")
want="$nr $((2 * nr)) "
stat=$(all stat)
is "its CPUs are node * NR_CPUS + cpu" "$(sed -n 's/^cpu\([0-9][0-9]*\) .*/\1/p' <<<"$stat" | tr '\n' ' ')$(all cpuinfo |
	sed -n 's/^processor.*: //p' | tr '\n' ' ')" "$want$want"
like "the rest of stat is there" "$(tr '\n' '|' <<<"$stat")" \
	'^cpu  [0-9 ]*\|cpu.*\|intr [0-9 ]*\|ctxt [0-9]+\|btime [0-9]+\|processes [0-9]+\|.*\|softirq( [0-9]+){11}\|'
like "loadavg and uptime too" "$(all loadavg) $(all uptime)" '^([0-9]+\.[0-9]{2} ){3}[0-9]+/[0-9]+ [0-9]+ [0-9]+\.[0-9]{2} [0-9]+\.[0-9]{2}$'
diag "$(grep '^stat' <<<"$there")"
diag "one list by rpc: $(ask 1 2 quiet=50 | grep time); local: $(ask 1 1 quiet=50 | grep time)"
lab kill 2
ok "a lost node's directory goes" eventually 30 lab exec -n 1 -- test ! -e /proc/nodes/node2
not_ok "asking it is an error" ask 1 2
ok "modules unload" modules_unload_clean 1
