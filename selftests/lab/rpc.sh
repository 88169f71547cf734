#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# selftests/lab/rpc.sh KERNEL: rpc between three nodes in one kernel, by net
# namespaces. Proves that
#   - nothing starts without a key, and who holds another key stays out;
#   - calls, multicast, deadlines, cancel, epochs and back-pressure do what
#     krg/rpc.h says;
#   - handlers that block, however many, never delay those that may not;
#   - a removed peer, a cut connection and a node's second life end calls as said;
#   - posts survive cut connections: once, in order, pages included;
#   - strangers' garbage harms no node and disturbs no other, nor does a peer that
#     holds the key and breaks the protocol in any way we know, or at random;
#   - namespaces and modules go cleanly while everything is in use.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
plan 23
out=$repo/build/selftests/rpc/$KERNEL
"$repo/selftests/lab/modules/rpc/build" "$KERNEL" "$out" || bail "the test module does not build"
lab_up -n 1 --cpus 2 --mem 768 --no-modules
lab exec 1 mkdir -p /tmp/rpc
lab push 1 "$out"/*.ko "$out"/rpc_ctl "$out"/rpc_garbage "$out"/rpc_liar "$out"/*.sh /tmp/rpc || bail "cannot copy into the node"

# The debug kernel takes seconds for one `ip` command when the machine is busy.
limit=300
[ "$KERNEL" != debug ] || limit=600
try() { # NAME TEST ARGS…
	local name=$1
	shift
	ok "$name" lab exec -n 1 -- timeout $limit bash /tmp/rpc/tests.sh "$@"
}

try "three nodes connect" up 3
try "no key, no node" no_key
try "echo of all sizes on both lanes" echo
try "unknown node: EHOSTDOWN" unknown
try "multicast reaches all" multicast
try "multicast names the node that is not there" multicast_missing
try "300 blocked handlers delay no other" starve
try "the window holds senders back, and they all end well" window
try "deadline ends call and handler" deadline
try "a killed caller's handler ends" cancel
try "older epochs are refused, newer ones wait" epoch
try "removed peer: calls end with EHOSTDOWN" peer_del
try "a cut connection is dialled again" reconnect
try "posts arrive once and in order over cut connections" posts
try "posts go with their peer" posts_del
try "another life of a node is another peer" incarnation
try "another key stays out" wrong_key
try "garbage from strangers disturbs nobody" garbage 10
try "a peer with the key that lies is dropped, and let in again" liar lies
try "frames at random from such a peer disturb nobody" liar "fuzz 0 10 1" "fuzz 1 10 2"
ok "the kernel log is clean" kernel_log_clean 1
try "nodes, namespaces and modules go under load" teardown
ok "the kernel log is still clean" kernel_log_clean 1
