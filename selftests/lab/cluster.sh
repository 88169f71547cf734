#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# selftests/lab/cluster.sh KERNEL: three machines. Proves that
#   - parameters that are wrong are refused at load, by name and with the reason;
#   - /sys/kerrighed shows what a node is;
#   - a node that loses power is failed on the others within KRG_DETECT_MS, and
#     after it has booted it is present and can be added;
#   - the cluster starts by itself with nb_nodes_min;
#   - who sees the network learns from beacons that there is a session, and can't disturb it;
#   - unloading leaves in order: nobody sees a failure.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
plan 27
out=$repo/build/selftests/netns/$KERNEL
"$repo/selftests/netns/build" "$KERNEL" "$out" || bail "the test module does not build"
lab_up -n 3 --mem 512 --no-modules

prepare() { # NODE
	lab exec -n "$1" -- mkdir -p /tmp/krg && lab push "$1" "$out"/krg_{hook,rpc,rpc_tcp,cluster,cluster_test}.ko /tmp/krg &&
		lab exec -n "$1" -- sh -c 'cd /tmp/krg && insmod krg_hook.ko && insmod krg_rpc.ko && insmod krg_rpc_tcp.ko'
}
load() { # NODE PARAMETERS
	lab exec -n "$1" -- sh -c "cd /tmp/krg && insmod krg_cluster.ko $2 && insmod krg_cluster_test.ko" && ctl "$1" key "the key of this test"
}
ctl() { # NODE WORD…
	local node=$1
	shift
	lab exec -n "$node" -- bash -c "exec 3<>/dev/krg_cluster_test; printf '%s' '$*' >&3 2>/dev/null; s=\$?; cat <&3; exit \$s" 2>&1
}
refused() { # PARAMETERS: what the kernel log says
	lab exec -n 1 -- sh -c "cd /tmp/krg; insmod krg_cluster.ko $1 2>/dev/null && exit 1; dmesg | sed -n 's/.*krg_cluster: //p' | tail -n 1"
}

for n in 1 2 3; do
	prepare $n || bail "modules do not load on node $n"
done
is "session 0" "$(refused 'session_id=0 node_id=1')" "not loaded: session_id=0: must be 1..255"
is "session 256" "$(refused 'session_id=256 node_id=1')" "not loaded: session_id=256: must be 1..255"
is "node 256" "$(refused 'session_id=1 node_id=256')" "not loaded: node_id=256: must be 0..255"
is "node beyond max_nodes" "$(refused 'session_id=1 node_id=8 max_nodes=8')" "not loaded: node_id=8: must be below max_nodes (64 unless given)"
is "max_nodes no power of two" "$(refused 'session_id=1 node_id=1 max_nodes=48')" "not loaded: max_nodes=48: must be a power of two, 2..256"
is "no such interface" "$(refused 'session_id=1 node_id=1 net_dev=eth7')" "not loaded: net_dev=eth7: no such interface"
lab exec -n 1 -- sh -c 'ip link show dummy0 || ip link add dummy0 type dummy' >/dev/null 2>&1
is "no address" "$(refused 'session_id=1 node_id=1 net_dev=dummy0')" "not loaded: net_dev=dummy0: the interface has no IPv4 address"
is "rdma" "$(refused 'session_id=1 node_id=1 transport=rdma')" "not loaded: transport=rdma: not supported yet, use tcp"

ok "node 1 loads" load 1 "session_id=9 node_id=1 net_dev=eth0 nb_nodes_min=3"
ok "node 2 loads with autonodeid" load 2 "session_id=9 autonodeid=1 nb_nodes_min=3"
is "/sys/kerrighed" "$(lab exec -n 2 -- sh -c 'cd /sys/kerrighed && cat session_id node_id max_nodes abi' | tr '\n' ' ')" "9 2 64 1 "
sleep 3
is "two of three do not start by themselves" "$(ctl 1 nodes)" "1:present 2:present"
ok "node 3 loads" load 3 "session_id=9 node_id=3 nb_nodes_min=3"
ok "and the cluster starts by itself" ctl 2 wait online 3 20000
lab kill 3
took=$(ctl 1 wait failed 1 20000)
ok "a node without power is failed within 5 s (took ${took:-too long} ms)" test "${took:-99999}" -le 5000
ok "on the other too" ctl 2 wait failed 1 1500
lab boot 3 || bail "node 3 does not boot"
prepare 3
ok "it boots and loads" load 3 "session_id=9 node_id=3"
ok "it is present" ctl 1 wait present 1 15000
ok "and is added from another node" ctl 2 add 3
lab push 2 "$repo/selftests/lab/progs/beacon.py" /tmp || bail "cannot copy into the node"
is "beacons tell a stranger nothing" "$(lab exec -n 2 -- python3 /tmp/beacon.py listen 192.168.0.1)" hidden
ok "nonsense, pieces and copies of beacons" lab exec -n 2 -- python3 /tmp/beacon.py attack 10
is "disturb nobody" "$(ctl 1 status)" "up online=3 present=0 failed=0"
ok "node 2 unloads" lab exec -n 2 -- sh -c 'rmmod krg_cluster_test && rmmod krg_cluster'
# It is heard no more, so it is absent soon; node 3 was the only one lost.
like "it left in order" "$(ctl 1 status) $(lab exec -n 1 -- dmesg | grep -c 'is lost')" "up online=2 present=[01] failed=0 1"
for n in 1 2 3; do
	ok "the kernel log of node $n is clean" kernel_log_clean $n
done
