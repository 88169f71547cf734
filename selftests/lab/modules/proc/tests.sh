#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs on a node, for selftests/lab/checkpoint.sh: tests.sh VERB …
#   same NAME TIMES N LINE        the shell line LINE, which prepares and execs a job of size $N, runs
#                                 undisturbed, then is moved (below) at TIMES random moments: it writes
#                                 the same `res`. N is a size to start measuring with
#   cycle NAME TIMES N MS LINE    LINE, which takes N * MS ms, is moved as often and writes a `res`
#                                 that ends in "ok"
#   snapshot TIMES CMD…           CMD goes on before its memory is written; then it is killed and
#                                 what was saved is restarted; it ends when a file `stop` is there,
#                                 and writes "ok" to `res`
#   refuse WORD CMD…              CMD makes the file `ready`; then its checkpoint is refused with a
#                                 reason that starts with WORD, writes nothing, and CMD goes on
#   states                        errors of freezing what is frozen, and so on
#   clash                         a pid in use is named, nothing else happens
#   damaged                       a changed byte in any file is refused
#   forged ROUNDS [SEED]          files whose checksums are right, but not what they say: refused,
#                                 or restarted as whatever they say
set -u
P=/sys/kernel/debug/krg_proc_test
here=$(dirname "$0")
# shellcheck source=selftests/lab/jobs/moments.sh
. "$here/moments.sh"
node=$(cat /sys/kerrighed/node_id)

tell() { printf '%s' "$*" 2>/dev/null >"$P"; }
reason() { dmesg | sed -n 's/.*krg_proc_test: [a-z]* -*[0-9]*: -*[0-9]* in [0-9]* us: //p' | tail -n 1; }
die() { echo "$*: $(reason)"; exit 1; }
fresh() { # DIR: empty, and where we are
	rm -rf "$1"
	mkdir -p "$1"
	cd "$1" || die "mkdir"
}
start() { # CMD…: in a session of its own; sets pid
	local fields
	setsid "$@" </dev/null >out 2>err &
	pid=$!
	# Until it is CMD, no more this shell's copy nor setsid.
	while read -ra fields <"/proc/$pid/stat"; do
		[ "${fields[5]}" != "$pid" ] || [[ $(readlink "/proc/$pid/exe") = */setsid ]] || break
		sleep 0.02
	done 2>/dev/null
}

ended() { [[ $(reason) =~ ^("no process $pid"|"process $pid has ended")$ ]]; }

gone() { # it has ended, and been waited for if it was the shell's
	while cpu_of "$pid"; do
		sleep 0.05
	done
	wait "$pid" 2>/dev/null
	return 0
}

# Frozen before, dead after; status 3 if it had ended by itself.
checkpoint() { # DIR
	rm -rf "$1"
	mkdir -p "$1"
	tell freeze "$pid" || { ended && return 3; die "freeze"; }
	tell checkpoint "$pid" "$1" || { tell unfreeze "$pid" 9; die "checkpoint"; }
	tell unfreeze "$pid" 9 || die "unfreeze"
	gone
}

snapshot() { # into ./image
	rm -rf image && mkdir image
	tell freeze "$pid" || die "freeze"
	tell snapshot "$pid" "$PWD/image" || die "snapshot"
}

# Waits for the moment AT, LAST the one before: ms of CPU it has used in all its
# lives, or of time it ran. Fails when it ends before.
await() { # cpu|time AT LAST
	case $1 in
	cpu) await_cpu "$pid" "$(($2 - used))" || return 1; used=$((used + cpu)) ;;
	time) sleep "$(printf '%d.%03d' $((($2 - $3) / 1000)) $((($2 - $3) % 1000)))" ;;
	esac
}

# Starts LINE in the empty directory NAME; at each moment freezes, checkpoints,
# kills and restarts it; waits for its end. Status 3 if it ended before the last.
moved() { # NAME cpu|time LINE MOMENT…
	local name=$1 clock=$2 line=$3 at last=0 used=0
	shift 3
	fresh "/tmp/$name"
	start sh -c "$line"
	await_exec "$pid"
	for at; do
		await "$clock" "$at" "$last" && checkpoint "/tmp/$name.image" || return 3
		last=$at
		tell restart 0 "/tmp/$name.image" || die "restart"
	done
	# Restarted it is this shell's child, but none the shell knows of.
	while [ -d "/proc/$pid" ]; do
		sleep 0.1
	done
}

# Runs JUDGE after LINE was moved TIMES times in TOTAL ms. A machine may have become
# faster since TOTAL was measured, or be so slow that a job by the clock ends while it
# is being moved: the job that ended early must have ended well, and is tried again
# with moments in the half of its time, or with twice the time.
trial() { # NAME cpu|time LINE TIMES TOTAL JUDGE
	local tries total=$5 at status
	for tries in 1 2 3 4 5 6; do
		mapfile -t at < <(moments "$4" "$total")
		echo "moments: ${at[*]} of $total ms"
		moved "$1" "$2" "$3" "${at[@]}"
		status=$?
		$6 || die "after these moments the output is wrong"
		[ $status -eq 3 ] || exit 0
		case $2 in
		cpu) total=$((total / 2)) ;;
		time) N=$((N * 2)) ;;
		esac
	done
	die "it ended early $tries times"
}

same_output() { cmp "/tmp/$name/res" "/tmp/$name.ref/res"; }
ends_ok() { [ "$(tail -n 1 "/tmp/$name/res")" = ok ] || { tail "/tmp/$name/res"; return 1; }; }

verb=$1
shift
case $verb in
same)
	name=$1 N=$3
	fresh "/tmp/$name.ref"
	measure_long "$4" || die "it fails undisturbed"
	echo "size $N takes $cpu ms"
	trial "$name" cpu "$4" "$2" "$cpu" same_output
	;;
cycle)
	name=$1
	export N=$3
	trial "$name" time "$5" "$2" $((N * $4)) ends_ok
	;;
snapshot)
	times=$1
	shift
	fresh /tmp/snapshot
	start "$@"
	for ((i = 0; i < times; i++)); do
		sleep "0.$((RANDOM % 10))"
		snapshot
		tell unfreeze "$pid" 0 && die "it did not go on"
		kill -9 "$pid"
		gone
		tell restart 0 /tmp/snapshot/image || die "restart"
	done
	# The last one is not killed: it shall find no trace.
	snapshot
	: >stop
	while [ -d "/proc/$pid" ]; do
		sleep 0.1
	done
	[ "$(cat res)" = ok ] || { cat res; exit 1; }
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
keeps)
	mkdir -p /tmp/keeps && cd /tmp/keeps || exit 1
	say() { chrt -p "$1" && ionice -p "$1" && nice_of "$1" && taskset -p "$1" && cat "/proc/$1/timerslack_ns"; }
	nice_of() { awk '{ print $19 }' "/proc/$1/stat"; }
	for how in "taskset 2" "ionice -c 2 -n 6" "ionice -c 3" "nice -n 5" "chrt -b 0" "env --"; do
		# shellcheck disable=SC2086 # a command and its options
		start $how sleep 1000
		until [ "$(cat "/proc/$pid/comm")" = sleep ]; do
			sleep 0.05
		done
		before=$(say "$pid")
		checkpoint /tmp/keeps/image
		tell restart 0 /tmp/keeps/image || die "restart of $how"
		after=$(say "$pid")
		kill -9 "$pid"
		gone
		[ "$before" = "$after" ] || die "$how: $before; then: $after"
	done
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
	until [ -s out2 ]; do
		sleep 0.05
	done
	checkpoint /tmp/damaged/image
	for f in global.bin "task_$pid.bin" "shared_obj_$node.bin"; do
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
forged)
	fresh /tmp/forged
	RANDOM=${2:-$RANDOM}
	made=0 refused=0
	for job in "keeper 10000 res" "files 100000 ." "avxtimer 100000 res"; do
		name=${job%% *}
		mkdir "$name"
		# shellcheck disable=SC2086 # a program and its operands
		(cd "$name" && start "$here/"$job && sleep 2 && checkpoint "/tmp/forged/image.$name") || die "$name"
	done
	for ((i = 0; i < $1; i++)); do
		images=(image.*)
		image=${images[RANDOM % ${#images[@]}]}
		rm -rf bad && cp -r "$image" bad
		files=(bad/*)
		seed=$RANDOM
		said=$("$here/forge" "${files[RANDOM % ${#files[@]}]}" "$seed") || continue
		if tell restart 0 /tmp/forged/bad; then
			made=$((made + 1))
			pkill -9 -P $$
			wait
		else
			refused=$((refused + 1))
			[ -n "$(reason)" ] || die "refused without a reason: $said"
		fi
	done
	echo "$made made, $refused refused"
	[ "$made" -gt 0 ] && [ "$refused" -gt 0 ] || exit 1
	;;
esac
