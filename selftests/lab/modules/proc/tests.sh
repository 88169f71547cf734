#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs on a node, for selftests/lab/checkpoint.sh: tests.sh VERB …
#   cycle NAME TIMES PAUSE CMD…   run CMD in /tmp/NAME; TIMES times freeze, checkpoint, kill and
#                                 restart it, PAUSE seconds apart; wait for its end
#   refuse WORD CMD…              CMD makes the file `ready`; then its checkpoint is refused with a
#                                 reason that starts with WORD, writes nothing, and CMD goes on
#   states                        errors of freezing what is frozen, and so on
#   clash                         a pid in use is named, nothing else happens
#   damaged                       a changed byte in any file is refused
set -u
P=/sys/kernel/debug/krg_proc_test
here=$(dirname "$0")

tell() { printf '%s' "$*" 2>/dev/null >"$P"; }
reason() { dmesg | sed -n 's/.*krg_proc_test: [a-z]* -*[0-9]*: -*[0-9]* in [0-9]* us: //p' | tail -n 1; }
die() { echo "$*: $(reason)"; exit 1; }
start() { # CMD…: in a session of its own; sets pid
	setsid "$@" </dev/null >out 2>err &
	pid=$!
	sleep 0.3
}

checkpoint() { # DIR: frozen before, dead after
	rm -rf "$1"
	mkdir -p "$1"
	tell freeze "$pid" || die "freeze"
	tell checkpoint "$pid" "$1" || { tell unfreeze "$pid" 9; die "checkpoint"; }
	tell unfreeze "$pid" 9 || die "unfreeze"
	while kill -0 "$pid" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do
		sleep 0.05
	done
	wait "$pid" 2>/dev/null
	return 0
}

verb=$1
shift
case $verb in
cycle)
	name=$1 times=$2 pause=$3
	shift 3
	mkdir -p "/tmp/$name" && cd "/tmp/$name" || exit 1
	start "$@"
	for ((i = 0; i < times; i++)); do
		sleep "$pause"
		checkpoint "/tmp/$name.image"
		tell restart 0 "/tmp/$name.image" || die "restart"
	done
	# Restarted it is this shell's child, but none the shell knows of.
	while [ -d "/proc/$pid" ]; do
		sleep 0.1
	done
	;;
refuse)
	word=$1
	shift
	mkdir -p /tmp/refuse && cd /tmp/refuse || exit 1
	rm -rf ./* && mkdir image
	start "$@"
	while [ ! -e ready ]; do
		kill -0 "$pid" || die "it has ended"
		sleep 0.1
	done
	if tell freeze "$pid"; then
		tell checkpoint "$pid" /tmp/refuse/image && die "was not refused"
		said=$(reason)
		tell unfreeze "$pid" 0 || die "unfreeze"
	else
		said=$(reason)
	fi
	kill -0 "$pid" || die "it has ended"
	kill -9 "$pid" 2>/dev/null
	pkill -9 -s "$pid" 2>/dev/null
	[ -z "$(ls image)" ] || die "it wrote $(ls image)"
	case $said in
	"$word:"*) ;;
	*) echo "refused, but: $said"; exit 1 ;;
	esac
	;;
states)
	cd /tmp || exit 1
	start sleep 100
	tell unfreeze "$pid" 0 && die "unfroze what ran"
	tell checkpoint "$pid" /tmp && die "checkpointed what ran"
	tell freeze "$pid" || die "freeze"
	tell freeze "$pid" && die "froze it twice"
	tell freeze 4194303 && die "froze nobody"
	tell unfreeze "$pid" 0 || die "unfreeze"
	tell freeze "$pid" || die "freeze again"
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	tell unfreeze "$pid" 0 && die "unfroze the dead"
	exit 0
	;;
clash)
	mkdir -p /tmp/clash && cd /tmp/clash || exit 1
	start sleep 100
	checkpoint /tmp/clash/image1
	tell restart 0 /tmp/clash/image1 || die "restart"
	tell restart 0 /tmp/clash/image1 && die "restarted what runs"
	said=$(reason)
	kill -9 "$pid"
	[ "$said" = "pid $pid is in use by sleep" ] || die "said"
	;;
damaged)
	mkdir -p /tmp/damaged && cd /tmp/damaged || exit 1
	start "$here/counter" 100000 out2
	checkpoint /tmp/damaged/image
	for f in global.bin "task_$pid.bin" shared_obj_0.bin; do
		for at in 3 40 200; do
			rm -rf bad && cp -r image bad
			printf '\252' | dd of="bad/$f" bs=1 seek="$at" conv=notrunc status=none
			tell restart 0 /tmp/damaged/bad && die "took a damaged $f ($at)"
			case $(reason) in
			"$f: record "*) ;;
			*) die "no record and offset for $f ($at)" ;;
			esac
		done
		rm -rf bad && cp -r image bad
		truncate -s -1 "bad/$f"
		tell restart 0 /tmp/damaged/bad && die "took a truncated $f"
	done
	kill -0 "$pid" 2>/dev/null && die "something was restarted"
	tell restart 0 /tmp/damaged/image || die "restart of the good one"
	kill -9 "$pid"
	;;
esac
