#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In a lab node: many krg nodes in its one kernel, a namespace each, on a bridge.
#
#        n1 10.9.0.1      n2 10.9.0.2   …   nN 10.9.0.N
#          | eth0           | eth0            | eth0
#      ----+----------------+-- bridge kb ----+----
#
#   nodes.sh load | up N | space NAME LAST-BYTE | ctl NAME WORD… | every N WORD… |
#            configure NAME SESSION NODE | link NAME up|down | gone NAME | unload
#   nodes.sh order load | ctl NAME WORD… | every N WORD… | unload: the same with krg_order_test
#   nodes.sh load_kddm | kddm NAME WORD… | kddm_all N WORD… (side by side) | view NAME | unload_kddm
set -u
here=$(cd "$(dirname "$0")" && pwd)
test_device=krg_cluster_test
if [ "$1" = order ]; then
	test_device=krg_order_test
	shift
fi

tell() { # DEVICE NAME WORD…: the answer; fails as the command did
	local device=$1 name=$2
	shift 2
	# shellcheck disable=SC2016 # for the inner shell
	ip netns exec "$name" bash -c 'exec 3<>/dev/$0; printf "%s" "$*" >&3 2>/dev/null; s=$?; cat <&3; exit $s' "$device" "$@" 2>&1
}

ctl() { tell "$test_device" "$@"; }
kddm() { tell krg_kddm_test "$@"; }

kddm_all() { # N WORD…: on nodes 1..N at once; a line each; fails if one does
	local i count=$1 bad=0 pids=()
	shift
	for ((i = 1; i <= count; i++)); do
		{ kddm "n$i" "$@" || { echo "status $?"; exit 1; }; } >"/tmp/kddm.$i" &
		pids+=($!)
	done
	for ((i = 1; i <= count; i++)); do
		wait "${pids[i - 1]}" || bad=1
		echo "n$i: $(cat "/tmp/kddm.$i")"
	done
	return $bad
}

view() { # NAME: what debugfs says of its view
	mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
	cat "/sys/kernel/debug/krg_kddm/$(stat -Lc %i "/run/netns/$1")/view"
}

space() { # NAME LAST-BYTE
	ip netns add "$1"
	ip link add "v$1" type veth peer name eth0 netns "$1"
	ip link set "v$1" master kb up
	ip netns exec "$1" sh -c "ip addr add 10.9.0.$2/24 brd + dev eth0; ip link set eth0 up; ip link set lo up"
}

every() { # N WORD…: fails if one does, which is named
	local i answer count=$1 bad=0
	shift
	for ((i = 1; i <= count; i++)); do
		answer=$(ctl "n$i" "$@") || { echo "n$i: $answer"; bad=1; }
	done
	return $bad
}

case $test_device:$1 in
krg_order_test:load) exec insmod "$here/krg_order_test.ko" ;;
krg_order_test:unload) exec rmmod krg_order_test ;;
esac
case $1 in
load)
	for m in hook rpc rpc_tcp; do insmod "$here/krg_$m.ko" || exit 1; done
	insmod "$here/krg_cluster.ko" session_id=250 node_id=1 net_dev=lo && insmod "$here/krg_cluster_test.ko"
	;;
unload) rmmod krg_cluster_test krg_cluster krg_rpc_tcp krg_rpc krg_hook ;;
up)
	ip link add kb type bridge
	ip link set kb up
	for ((i = 1; i <= $2; i++)); do
		space "n$i" "$i" && ctl "n$i" configure 5 "$i" 64 0 eth0 || exit 1
	done
	;;
configure) ctl "$2" configure "$3" "$4" 64 0 eth0 ;;
link) ip link set "v$2" "$3" ;;
gone) ip netns del "$2" ;;
load_kddm)
	bash "$0" load && insmod "$here/krg_kddm.ko" && insmod "$here/krg_kddm_test.ko"
	;;
unload_kddm) rmmod krg_kddm_test krg_kddm && bash "$0" unload ;;
space | ctl | every | kddm | kddm_all | view) "$@" ;;
esac
