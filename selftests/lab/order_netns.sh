#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# selftests/lab/order_netns.sh KERNEL: a replicated list on 5 nodes in one kernel, by network
# namespaces. Proves that
#   - outside a cluster, without quorum, and for what not all have, operations are refused;
#   - an operation that has returned on one node is there on all;
#   - all nodes at once, two threads each: every operation once, in its thread's order, all nodes
#     alike;
#   - the node that orders them is cut off in the middle: nothing of the others is lost or done
#     twice, and it ends with an error itself;
#   - a node that joins has the state, long ones too; one leaves in order in the middle and is back;
#   - the end of a node is told to all in its place in the order;
#   - one that can't be restored leaves, and the others go on;
#   - a node whose machine has gone is in nobody's way, and can't have it back before it leaves;
#   - a stopped cluster forgets; modules unload, the log is clean.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
plan 51
out=$repo/build/selftests/netns/$KERNEL
"$repo/selftests/netns/build" "$KERNEL" "$out" || bail "the test module does not build"
lab_up -n 1 --cpus 2 --mem 1024 --no-modules
lab exec 1 mkdir -p /tmp/netns
lab push 1 "$out"/*.ko "$out"/nodes.sh /tmp/netns || bail "cannot copy into the node"
net() { lab exec -n 1 -- bash /tmp/netns/nodes.sh "$@"; }
list() { net order "$@"; }

# storms COUNT NODE…: two threads on each node add COUNT items; waits; prints what each says
storms() {
	local count=$1
	shift
	# shellcheck disable=SC2016 # for the shell there
	lab exec -n 1 -- bash -c 'cd /tmp/netns; count=$1; shift
		for n; do for s in 1 2; do
			{ a=$(bash nodes.sh order ctl n$n storm $s $count); echo "n$n $a" >storm.$n.$s; } &
		done; done; wait
		for n; do for s in 1 2; do cat storm.$n.$s; done; done' sh "$count" "$@"
}
same() { # NAME…: their states; one line if they are alike
	local n
	for n; do list ctl "$n" barrier; done | sort -u
}
is_same() { # NAME PATTERN NODE…
	local name=$1 pattern=$2 states
	shift 2
	states=$(same "$@")
	is "$name, alike everywhere" "$(wc -l <<<"$states")" 1
	like "$name: $states" "$states" "$pattern"
}

ok "modules load" net load
ok "and the list" list load
ok "5 namespaces become nodes" net up 5
ok "and get the key" net every 5 key "a key that only these nodes hold"
like "in no cluster an operation is refused" "$(list ctl n1 append 1)" ENOTCONN
ok "start" net ctl n5 start
# shellcheck disable=SC2016 # for the shell there
ok "each node adds one, and all have it at once" lab exec -n 1 -- bash -c '
	cd /tmp/netns
	for i in 1 2 3 4 5; do
		bash nodes.sh order ctl n$((i % 5 + 1)) append $i >/dev/null || exit 1
		bash nodes.sh order every 5 wait $i 0 || exit 1
	done'
is "an unknown machine, too long, not understood" "$(list ctl n3 wrong)" "-EOPNOTSUPP -EMSGSIZE -EINVAL"
like "too late for another machine" "$(list ctl n1 register)" EBUSY
is "ten threads at once: all is done" "$(storms 100 1 2 3 4 5 | sort -u | tr '\n' ' ')" \
	"n1 100 n2 100 n3 100 n4 100 n5 100 "
is_same "1005 items" 'items=1005 .* ends=0 odd=0' n1 n2 n3 n4 n5
ok "a long state" list ctl n2 fill 3000000

storms 400 1 2 3 4 5 >"$out/storms" &
ok "in the middle of more" list ctl n2 wait 1300 30000
net link n1 down
storms=$!
not_ok "who waits can give up" lab exec -n 1 -- timeout 1 bash /tmp/netns/nodes.sh order ctl n3 append 5000
wait $storms
is "the one that orders is cut off: all others' are done" "$(grep -v n1 "$out/storms" | sort -u | tr '\n' ' ')" \
	"n2 400 n3 400 n4 400 n5 400 "
like "its own are not" "$(grep n1 "$out/storms")" ENOLINK
is_same "its end" ' bytes=3000000 ends=1 odd=0' n2 n3 n4 n5
like "each of the others' is there once, and who gave up's at most" "$(for n in 2 3 4 5; do list ctl n3 count $n; done | tr '\n' ' ')" \
	'^1001 100[12] 1001 1001 $'
like "without quorum it is refused" "$(list ctl n1 append 9999)" ENOLINK
net link n1 up
ok "it is back" net ctl n2 wait failed 0 20000
ok "it joins again" net ctl n3 add 1
is_same "it has the state" ' bytes=3000000 ends=1 odd=0' n1 n2 n3 n4 n5

storms 300 1 2 4 5 >"$out/storms" &
ok "two leave in the middle of more" net ctl n4 del 2 3
wait $!
is "what stays is done" "$(grep -v n2 "$out/storms" | sort -u | tr '\n' ' ')" "n1 300 n4 300 n5 300 "
is_same "their ends" ' ends=3 odd=0' n1 n4 n5
ok "who left forgets" list ctl n3 empty 5000
storms 300 1 4 5 >"$out/storms" &
ok "and join in the middle of more" net ctl n4 add 2 3
wait $!
is "nothing of which is lost" "$(sort -u "$out/storms" | tr '\n' ' ')" "n1 300 n4 300 n5 300 "
is_same "all are back" ' bytes=3000000 ends=3 odd=0' n1 n2 n3 n4 n5
ok "one leaves" net ctl n4 del 5
ok "and is spoilt" list ctl n5 spoil 1
storms 300 1 2 3 4 >"$out/storms" &
ok "it joins" net ctl n1 add 5
wait $!
is "the others' are done" "$(sort -u "$out/storms" | tr '\n' ' ')" "n1 300 n2 300 n3 300 n4 300 "
ok "it has left again" net ctl n1 wait present 1 10000
ok "it is mended" list ctl n5 spoil 0
ok "the cluster stops" net ctl n4 stop
ok "all are present" net every 5 wait present 5 5000
ok "and begins again with nothing" net ctl n4 start
is_same "one list" 'items=0 .* ends=0' n1 n2 n3 n4 n5
ok "the list unloads while the cluster is up" list unload
not_ok "and does not come back" list load
ok "nodes leave" net ctl n4 del 1 2
ok "it stops" net ctl n4 stop
ok "all unloads" lab exec -n 1 -- bash -c \
	"cd /tmp/netns && bash nodes.sh every 5 wait present 5 5000 && bash nodes.sh unload"
ok "the kernel log is clean" kernel_log_clean 1
