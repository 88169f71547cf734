#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# selftests/lab/cluster_netns.sh KERNEL: 16 nodes (5 on the debug kernel) in one kernel, by network
# namespaces, form a cluster. Proves that
#   - without the session's key nothing starts, and the message says so;
#   - a start returns when every node is online on every node;
#   - another session on the same network is neither seen nor sees;
#   - a second machine with a node id that is taken is refused, both addresses named;
#   - a node that is cut off is failed on all others within KRG_DETECT_MS, knows
#     that it has no quorum, and can be added when it is back;
#   - nodes leave in order, the cluster stops, modules unload, the log is clean.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
plan 24
nodes=16
# KASAN and lockdep make sixteen nodes stall for longer than a lease on two cores.
[ "$KERNEL" != debug ] || nodes=5
out=$repo/build/selftests/netns/$KERNEL
"$repo/selftests/netns/build" "$KERNEL" "$out" || bail "the test module does not build"
lab_up -n 1 --cpus 2 --mem 1024 --no-modules
lab exec 1 mkdir -p /tmp/netns
lab push 1 "$out"/*.ko "$out"/nodes.sh /tmp/netns || bail "cannot copy into the node"
net() { lab exec -n 1 -- bash /tmp/netns/nodes.sh "$@"; }
key="a key that only these nodes hold"

ok "modules load" net load
ok "$nodes namespaces become nodes" net up $nodes
not_ok "no key: start is refused" net ctl n1 start
like "and says why" "$(net ctl n1 start)" 'no session key'
ok "nodes get the key" net every $nodes key "$key"
ok "all see all present" net every $nodes wait present $nodes 30000
net space other 200
net configure other 6 1
net ctl other key "$key"
net space stranger 201
net configure stranger 5 40
net ctl stranger key "not the key that the others hold"
ok "start" net ctl n5 start
is "all see all online" "$(net every $nodes status; net ctl n$nodes status)" "up online=$nodes present=0 failed=0"
sleep 3
is "another session sees only itself" "$(net ctl other nodes)" "1:present"
is "one of the session with another key too" "$(net ctl stranger nodes)" "40:present"
is "and none sees it" "$(net ctl n1 nodes | grep -c 40)" 0
not_ok "nor can it be added" net ctl n1 add 40
net space twin 203
net configure twin 5 3
net ctl twin key "$key"
sleep 4
not_ok "a second node 3 cannot start" net ctl twin start
like "both addresses are named" "$(net ctl twin start)" '10\.9\.0\.203.*10\.9\.0\.3'
is "and the first goes on" "$(net ctl n1 status)" "up online=$nodes present=0 failed=0"
net gone twin
net link n$nodes down
took=$(net ctl n1 wait failed 1 20000)
ok "a node that is cut off is failed within 5 s (took $took ms)" test "${took:-99999}" -le 5000
ok "on all others" net every $((nodes - 1)) wait failed 1 1500
like "and knows it has no quorum" "$(sleep 2; net ctl n$nodes status)" 'no-quorum'
net link n$nodes up
ok "back, it is present" net ctl n1 wait failed 0 20000
ok "and is added again" net ctl n3 add $nodes
ok "two leave in order, the coordinator too" net ctl n4 del 1 2
ok "the cluster stops" net ctl n4 stop
ok "all are present, modules unload" lab exec -n 1 -- bash -c \
	"cd /tmp/netns && bash nodes.sh every $nodes wait present $nodes 5000 && bash nodes.sh unload"
ok "the kernel log is clean" kernel_log_clean 1
