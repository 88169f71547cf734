#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In a lab node: several krg nodes in its one kernel, a namespace each, on a bridge.
#
#        n1 10.9.0.1      n2 10.9.0.2   …   nN 10.9.0.N        stranger 10.9.0.250
#          | eth0           | eth0            | eth0              | eth0
#      ----+----------------+-- bridge kb ----+-------------------+----
#
# To be sourced: up N, down, ctl NODE WORD…, in NODE CMD…
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

key="a key that only these nodes hold"

in_ns() { # NAME CMD…
	local name=$1
	shift
	ip netns exec "$name" "$@"
}
ctl() { # NODE WORD…
	local node=$1
	shift
	in_ns "n$node" "$here/rpc_ctl" "$@"
}

add_ns() { # NAME LAST-BYTE
	ip netns add "$1"
	ip link add "v$1" type veth peer name eth0 netns "$1"
	ip link set "v$1" master kb up
	in_ns "$1" ip addr add "10.9.0.$2/24" dev eth0
	in_ns "$1" ip link set eth0 up
	in_ns "$1" ip link set lo up
}

load() {
	local m
	for m in krg_rpc krg_rpc_tcp krg_rpc_test; do
		insmod "$here/$m.ko" || return 1
	done
}

unload() {
	rmmod krg_rpc_test && rmmod krg_rpc_tcp && rmmod krg_rpc
}

introduce() { # NODE OTHER: NODE comes to know OTHER
	ctl "$1" peer "$2" "10.9.0.$2" "${incarnation[$2]}"
}

start_node() { # NODE
	ctl "$1" key "$key" &&
		ctl "$1" setup "$1" "10.9.0.$1" || return 1
	incarnation[$1]=$(ctl "$1" incarnation)
}

declare -A incarnation
up() { # N
	local i j
	nodes=$1
	ip link add kb type bridge
	ip link set kb up
	add_ns stranger 250
	for ((i = 1; i <= nodes; i++)); do
		add_ns "n$i" "$i"
		start_node "$i" || return 1
	done
	for ((i = 1; i <= nodes; i++)); do
		for ((j = 1; j <= nodes; j++)); do
			[ "$i" = "$j" ] || introduce "$i" "$j" || return 1
		done
	done
}

# Connecting takes round trips and, where one came too early, a second try.
connected() { # SECONDS
	local i j limit=$((SECONDS + $1))
	for ((i = 1; i <= nodes; i++)); do
		for ((j = 1; j <= nodes; j++)); do
			until ctl "$i" up "$j" >/dev/null; do
				[ "$SECONDS" -lt "$limit" ] || { echo "$i has no connection to $j"; return 1; }
				sleep 0.05
			done
		done
	done
}

until_is() { # SECONDS WANT NODE WORD…: a counter that others bring there
	local limit=$((SECONDS + $1)) want=$2
	shift 2
	until [ "$(ctl "$@")" = "$want" ]; do
		[ "$SECONDS" -lt "$limit" ] || { echo "$*: $(ctl "$@"), not $want"; return 1; }
		sleep 0.05
	done
}

down() {
	local ns
	for ns in $(ip netns list | awk '{print $1}'); do
		ip netns del "$ns"
	done
	ip link del kb
}
