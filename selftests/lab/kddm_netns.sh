#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# selftests/lab/kddm_netns.sh KERNEL: containers on 8 nodes (5 on the debug kernel) in
# one kernel, by network namespaces. Proves that
#   - what one node writes the others read, pages and small objects, spread or at home;
#   - reads and writes at random from all nodes at once lose nothing and tear nothing;
#   - who reads and then writes what migrates has one miss of it, not two;
#   - sync, remove, flush, prefetch, destroy do what they say, alone and under load;
#   - a node that leaves in order loses nothing; one that joins takes part;
#   - a node that is cut off takes nothing with it but what only it had: that is an
#     error, everything else is whole, and nobody hangs; the lost can be made anew;
#   - a member that sends nonsense crashes nobody, and can be thrown out;
#   - a side without quorum gets errors, not old data, for what it does not have.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
plan 59
nodes=8
ms=4000
[ "$KERNEL" != debug ] || nodes=5
out=$repo/build/selftests/netns/$KERNEL
"$repo/selftests/netns/build" "$KERNEL" "$out" || bail "the test modules do not build"
lab_up -n 1 --cpus 2 --mem 1536 --no-modules
lab exec 1 mkdir -p /tmp/netns
lab push 1 "$out"/*.ko "$out"/nodes.sh /tmp/netns || bail "cannot copy into the node"
net() { lab exec -n 1 -- bash /tmp/netns/nodes.sh "$@"; }
# The phase of a node's view, once it is clean.
settled() { net view "$1" | grep -q '^phase: run' && net view "$1" | grep -q '^clean: 1'; }
all_settled() { local i; for ((i = 1; i <= ${1:-$nodes}; i++)); do settled "n$i" || return 1; done; }
clean_without() { settled n1 && settled n2 && settled n4 && ! net view n1 | grep "^members" | grep -qw "$1"; }
field() { net view "$1" | sed -n "s/^$2: //p"; }
sum() { awk -v k="$1" '{for (i = 1; i <= NF; i++) if (split($i, p, "=") == 2 && p[1] == k) s += p[2]} END {print s + 0}'; }
key="a key that only these nodes hold"

ok "modules load" net load_kddm
ok "$nodes namespaces become nodes" net up $nodes
not_ok "no cluster: an object can't be had" net kddm n1 get 1 1
net every $nodes key "$key" >/dev/null
ok "all see all" net every $nodes wait present $nodes 30000
ok "start" net ctl n1 start
ok "all nodes' views are clean" eventually 20 all_settled
is "an object never touched counts nothing" "$(net kddm n2 get 1 7)" 0
ok "one node adds" net kddm n1 add 1 7
is "another reads it" "$(net kddm n3 get 1 7)" 1
ok "and adds" net kddm n3 add 1 7
is "the first reads that" "$(net kddm n1 get 1 7)" 2
is "and finds it here then" "$(net kddm n1 find 1 7)" 2
ok "small objects too" net kddm n2 add 100 3
is "are read elsewhere" "$(net kddm n4 get 100 3)" 1
ok "and those that live at a node's home" net kddm n2 add 203 3
is "are read elsewhere too" "$(net kddm n4 get 203 3)" 1

ok "sync" net kddm n2 sync 1 7
net kddm n1 add 1 666 >/dev/null
not_ok "what the linker says of a sync arrives" net kddm n2 sync 1 666
ok "remove" net kddm n4 remove 1 7
is "then it counts nothing" "$(net kddm n1 get 1 7)" 0
net kddm n1 add 1 7 >/dev/null
ok "flush: the copy goes elsewhere" net kddm n1 flush 1 7 2
not_ok "it is not here any more" net kddm n1 find 1 7
is "and not lost" "$(net kddm n1 get 1 7)" 1

# One node after the other reads it and writes it; both keep the set, by another object.
sent() { { net kddm n1 counters 201; net kddm n2 counters 201; } | sum sent; }
turns() { local i; for ((i = 0; i < $1; i++)); do net kddm n1 readadd 201 0 && net kddm n2 readadd 201 0 || return; done; }
net kddm n2 add 201 1 >/dev/null
turns 3
before=$(sent)
ok "an object that migrates is read and written" turns 10
is "by one miss a turn, not two: its ownership is asked for at once" $(($(sent) - before)) 40
is "nothing is lost" "$(net kddm n1 get 201 0)" 26
net kddm n2 get 201 0 >/dev/null
net kddm n1 get 201 0 >/dev/null
net kddm n2 get 201 0 >/dev/null
is "once it is only read, both have it" "$(net kddm n1 find 201 0; net kddm n2 find 201 0)" "26
26"

for set in 2 102 204; do
	got=$(net kddm_all $nodes hammer $set 40 $ms 7)
	ok "set $set: all nodes read and write at random: none sees a torn or old object" test $? -eq 0
	adds=$(sum adds <<<"$got")
	is "no write is lost ($adds, $(sum reads <<<"$got") reads)" "$(net kddm n2 mine $set 40 | sum sum)" "$adds"
done
diag "$got"

net kddm_all $nodes hammer 3 60 $((ms * 3)) 9 >"$tmp/leave" &
sleep 1
ok "a node leaves under load" net ctl n2 del 2
wait $!
diag "$(cat "$tmp/leave")"
is "it has nothing any more" "$(field n2 objects)" 0
ok "the others are clean again" eventually 20 settled n1
is "nothing it or they wrote is lost" "$(net kddm n1 mine 3 60 | sum sum)" "$(sum adds <"$tmp/leave")"

net kddm_all 1 hammer 3 60 $ms 11 >"$tmp/join" &
ok "a node joins under load" net ctl n1 add 2
wait $!
ok "and reads all" net kddm n2 mine 3 60
is "nothing is lost" "$(net kddm n2 mine 3 60 | sum sum)" "$(($(sum adds <"$tmp/leave") + $(sum adds <"$tmp/join")))"

net kddm_all $nodes hammer 4 200 $((ms * 3)) 13 >"$tmp/kill" 2>&1 &
sleep 2
net link n$nodes down
wait $!
diag "$(cat "$tmp/kill")"
ok "after a loss the others go on" eventually 20 all_settled $((nodes - 1))
got=$(net kddm n1 mine 4 200)
lost=$(sum lost <<<"$got")
like "what they wrote is there, but for what is lost and said to be ($lost of 200)" "$got" 'wrong=0'
ok "on all of them" net kddm_all $((nodes - 1)) mine 4 200
ok "what is lost can be removed" net kddm n1 remove_range 4 0 199
is "and is anew" "$(net kddm n3 mine 5 1; net kddm n3 get 4 199)" "lost=0 wrong=0 sum=0
0"
not_ok "the node that is cut off gets an error for what it does not have" net kddm n$nodes get 4 1000
# What a member that lies may break is its own standing: in the end it is thrown out.
net kddm_all 4 hammer 6 50 2000 3 >/dev/null 2>&1 &
for to in 1 2 4; do
	ok "node 3 tells node $to nonsense" net kddm n3 lie $to 3000 $((to + 20))
done
seen() { [ $(($(field n1 bad) + $(field n2 bad) + $(field n4 bad))) -ge 100 ]; }
ok "they see what it is" eventually 20 seen
diag "bad: $(field n1 bad) $(field n2 bad) $(field n4 bad)"
net link n3 down
wait $!
ok "it is thrown out, the others go on" eventually 20 clean_without 3
ok "with sets it did not speak of" net kddm n1 add 8 1
is "all of them" "$(net kddm n2 get 8 1; net kddm n4 get 8 1)" "1
1"
ok "destroy" net kddm n1 destroy 2
not_ok "then it is no more, anywhere" net kddm n4 get 2 0
ok "the cluster stops, what is left of it on the node that is cut off too" \
	lab exec -n 1 -- sh -c "bash /tmp/netns/nodes.sh ctl n1 stop && bash /tmp/netns/nodes.sh ctl n3 stop && bash /tmp/netns/nodes.sh ctl n$nodes stop"
is "nobody has anything" "$(for ((i = 1; i <= nodes; i++)); do field n$i objects; done | sort -u)" 0
ok "modules unload" net unload_kddm
ok "the kernel log is clean" kernel_log_clean 1
