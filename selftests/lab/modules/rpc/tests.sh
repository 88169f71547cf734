#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# In a lab node, after rpc.sh has brought it there: one test by its name.
# shellcheck disable=SC2046,SC2086 # words are meant to split
# shellcheck source=selftests/lab/modules/rpc/netns.sh
. "$(dirname "$0")/netns.sh"
state=/tmp/rpc/state
# shellcheck source=/dev/null # what remember() wrote
[ ! -f $state ] || . $state
remember() { declare -p incarnation nodes | sed 's/^declare/declare -g/' >$state; }
no() { # WANTED-ERROR CMD…
	local want=$1 got
	shift
	got=$("$@") && { echo "$* succeeded"; return 1; }
	[ "$got" = "$want" ] || { echo "$*: $got, not $want"; return 1; }
}

t_up() { load && up "$1" && connected 60 && remember; }

t_no_key() {
	add_ns keyless 99
	local out
	out=$(in_ns keyless "$here/rpc_ctl" setup 99 10.9.0.99)
	ip netns del keyless
	[ "$out" = ENOKEY ] || { echo "set up without a key: $out"; return 1; }
}

t_echo() {
	local lane len
	for lane in 0 1; do
		for len in 0 1 64 4096 65536; do
			ctl 1 echo 2 $lane $len 3 && ctl 2 echo 1 $lane $len 3 || return 1
		done
	done
	ctl 1 echo 2 1 1048576 1 && ctl 1 echo 1 0 64 3 && no EMSGSIZE ctl 1 echo 2 0 65537 1
}

t_unknown() { no EHOSTDOWN ctl 1 echo 77 0 1 1; }

t_multicast() { [ "$(ctl 1 all $(seq "$nodes"))" = "$nodes 0" ]; }

t_multicast_missing() { [ "$(ctl 1 all 1 2 99)" = "2 -112" ]; }

# Every handler that may block does; those that may not still answer.
t_starve() {
	ctl 1 hold && ctl 1 crowd 2 300 && until_is 30 300 2 blocked || return 1
	ctl 1 plain 2 && ctl 2 plain 1 && ctl 1 echo 2 0 64 100 || return 1
	ctl 1 release
	until_is 30 "300 0" 1 over && until_is 10 0 2 blocked
}

# More than the window holds: the rest waits at the sender, and all end well.
t_window() {
	local n=700 c
	ctl 1 hold && ctl 1 crowd 2 $n || return 1
	sleep 1
	c=$(ctl 1 blocked)
	[ "$c" -lt $n ] || { echo "$c handlers: no window"; return 1; }
	[ "$(ctl 1 counters 2 0 | sed 's/.* stalls \([0-9]*\).*/\1/')" -gt 0 ] || return 1
	ctl 1 plain 2 && ctl 1 release && until_is 60 "$n 0" 1 over
}

t_deadline() {
	ctl 1 hold && no ETIMEDOUT ctl 1 block 2 200 && until_is 10 0 2 blocked
}

# A caller that is killed leaves, and its handler on the other node ends.
t_cancel() {
	ctl 1 hold
	ctl 1 block 2 60000 >/dev/null &
	until_is 10 1 2 blocked || return 1
	pkill -P $! -x rpc_ctl || pkill -x rpc_ctl
	until_is 10 0 2 blocked
}

t_epoch() {
	ctl 2 epoch 5 && no ESTALE ctl 1 plain 2 || return 1
	ctl 1 echo 2 0 8 1 || { echo "echo serves any epoch"; return 1; }
	ctl 1 epoch 5 && ctl 1 plain 2 && ctl 2 plain 1 || return 1
	# A request from the future waits for its epoch.
	ctl 1 epoch 6
	ctl 1 plain 2 &
	sleep 0.3
	kill -0 $! || { echo "was not parked"; return 1; }
	ctl 2 epoch 6
	wait $! || return 1
	local i
	for ((i = 1; i <= nodes; i++)); do ctl "$i" epoch 6; done
}

# Calls to a peer that is removed end, at once, on both ends.
t_peer_del() {
	ctl 1 hold && ctl 1 crowd 2 20 && until_is 20 20 2 blocked || return 1
	ctl 1 del 2 && until_is 2 "20 -112" 1 over && until_is 10 0 2 blocked || return 1
	no EHOSTDOWN ctl 1 plain 2 && introduce 1 2 || return 1
	connected 20 && ctl 1 plain 2
}

# By somebody who takes it over, with the right key, and goes. (The debug kernel has no ss -K.)
cut_1_2() {
	in_ns stranger "$here/rpc_liar" 10.9.0.2 n2 "$key" 0 1 "${incarnation[1]}" 2 "${incarnation[2]}" hello
}

# A cut connection is dialled again.
t_reconnect() {
	local before limit=$((SECONDS + 20))
	before=$(connects 1 2)
	cut_1_2 || return 1
	until [ "$(connects 1 2)" -gt "$before" ]; do
		[ $SECONDS -lt $limit ] || { echo "no new connection"; return 1; }
		sleep 0.05
	done
	connected 20 && ctl 1 plain 2 && ctl 2 plain 1
}

# Posts arrive once and in order, whatever happens to the connections; also to oneself.
t_posts() { # [RUN]
	local before after i run=${1:-2}
	ctl 1 post 1 $run 200 64 && until_is 10 "200 0" 1 posted 1 $run || return 1
	before=$(connects 1 2)
	# With a delay much is under way, and lost, when a connection is cut.
	in_ns n2 tc qdisc add dev eth0 root netem delay 30ms && in_ns n1 tc qdisc add dev eth0 root netem delay 30ms || return 1
	ctl 1 post 2 $run 6000 300 &
	ctl 2 post 1 $run 6000 300 &
	for ((i = 0; i < 8; i++)); do
		sleep 0.1
		cut_1_2 || return 1
	done
	wait
	in_ns n2 tc qdisc del dev eth0 root && in_ns n1 tc qdisc del dev eth0 root
	until_is 120 "6000 0" 2 posted 1 $run && until_is 60 "6000 0" 1 posted 2 $run || return 1
	after=$(connects 1 2)
	[ "$after" -ge $((before + 4)) ] || { echo "$before, then $after connections: not cut"; return 1; }
	connected 20
}

# What is kept for a peer goes with it; one that is added again gets what is posted then.
t_posts_del() {
	in_ns n3 ip link set eth0 down
	ctl 1 post 3 3 500 64 && ctl 1 del 3 && no EHOSTDOWN ctl 1 post 3 3 1 0 || return 1
	in_ns n3 ip link set eth0 up
	introduce 1 3 && connected 20 && ctl 1 post 3 4 500 64 && until_is 20 "500 0" 3 posted 1 4
}

# A node that comes back is another life: the old one's connections are refused.
t_incarnation() {
	ctl 3 shutdown && start_node 3 || return 1
	local i
	for ((i = 1; i <= nodes; i++)); do [ "$i" = 3 ] || introduce 3 "$i" || return 1; done
	sleep 0.5
	no ENOTCONN ctl 3 up 1 || return 1
	no EBUSY introduce 1 3 || return 1
	for ((i = 1; i <= nodes; i++)); do
		[ "$i" = 3 ] || { ctl "$i" del 3 && introduce "$i" 3; } || return 1
	done
	ctl 3 epoch 6
	connected 20 && remember && ctl 3 plain 1
}

t_wrong_key() {
	ctl 3 shutdown && ctl 3 key "another key than the others have" && ctl 3 setup 3 10.9.0.3 || return 1
	incarnation[3]=$(ctl 3 incarnation)
	ctl 1 del 3 && introduce 1 3 && introduce 3 1 || return 1
	sleep 1.5
	no ENOTCONN ctl 1 up 3 && no ENOTCONN ctl 3 up 1 || return 1
	dmesg | grep -q "does not hold the session's key" || { echo "no line in the log"; return 1; }
	ctl 3 shutdown && start_node 3 || return 1
	local i
	for ((i = 1; i <= nodes; i++)); do
		[ "$i" = 3 ] || { ctl "$i" del 3 && introduce "$i" 3 && introduce 3 "$i"; } || return 1
	done
	ctl 3 epoch 6
	connected 20 && remember
}

# Strangers do their worst while two nodes work: these do not notice.
t_garbage() { # SECONDS
	local before after
	in_ns stranger "$here/rpc_garbage" 10.9.0.2 "$1" "${2:-1}" >/tmp/rpc/garbage &
	before=$(connects 1 2)
	while kill -0 $! 2>/dev/null; do
		ctl 1 echo 2 0 64 20 >/dev/null || return 1
	done
	wait $! || return 1
	after=$(connects 1 2)
	[ "$before" = "$after" ] || { echo "connection lost: $before, then $after"; return 1; }
	[ "$(cat /tmp/rpc/garbage)" -gt 10 ] || return 1
	[ "$(dmesg | grep -c 'krg_rpc_tcp: .*refused')" -lt $((6 * $1)) ] || { echo "log flooded"; return 1; }
}

connects() { # NODE OTHER
	ctl "$1" counters "$2" 0 | sed 's/.* connects \([0-9]*\).*/\1/'
}

# Node 0 holds the key and lies to node 2. The others, and their calls that are going
# on, do not notice.
t_liar() { # WORDS…: what each rpc_liar is to do
	local before after words pids=() start=$SECONDS
	ctl 1 hold && ctl 1 crowd 3 5 && ctl 1 crowd 2 5 && until_is 20 10 1 blocked || return 1
	ctl 2 peer 0 10.9.0.250 abc || return 1
	before="$(connects 1 2) $(connects 1 3) $(dmesg | grep -c 'sent garbage')"
	for words; do
		in_ns stranger "$here/rpc_liar" 10.9.0.2 n2 "$key" 6 0 abc 2 "${incarnation[2]}" $words &
		pids+=($!)
	done
	while kill -0 "${pids[0]}" 2>/dev/null; do
		ctl 1 echo 2 0 64 20 >/dev/null && ctl 1 echo 3 1 64 20 >/dev/null || return 1
	done
	for words in "${pids[@]}"; do wait "$words" || return 1; done
	ctl 2 del 0 && until_is 10 10 2 blocked || return 1
	after="$(connects 1 2) $(connects 1 3)"
	[ "${before% *}" = "$after" ] || { echo "connections: $before, then $after"; return 1; }
	ctl 1 release && until_is 20 "10 0" 1 over && until_is 10 0 2 blocked || return 1
	after=$(($(dmesg | grep -c 'sent garbage') - ${before##* }))
	[ $after -le $((3 + 3 * (SECONDS - start) / 5)) ] || { echo "$after lines in the log"; return 1; }
}

# Namespaces and modules go while everything is in use.
t_teardown() {
	local i
	ctl 1 calm 0 && ctl 1 hold
	for ((i = 1; i <= nodes; i++)); do
		ctl "$i" load $((i % nodes + 1)) 4 && ctl "$i" load "$i" 2 || return 1
	done
	sleep 2
	ctl 1 del 2
	sleep 0.5
	ctl 2 shutdown
	sleep 0.5
	ctl 1 calm && until_is 60 0 1 loaders || return 1
	ctl 1 hold && ctl 1 crowd 3 50 && until_is 20 50 3 blocked || return 1
	rm -f $state
	ctl 3 shutdown || return 1
	until_is 10 0 1 blocked || return 1
	ctl 1 shutdown
	down
	sleep 1
	unload
}

name=$1
shift
"t_$name" "$@"
