#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs on a node, for selftests/lab/checkpoint_real.sh, in /shared/jobs with all
# that is there: job.sh VERB …
#   alone NAME MOVES  run NAME undisturbed in ../NAME/alone, of a size that takes some
#                     seconds a move; print that size, and the ms of CPU it took
#   start NAME N      start it as an application in ../NAME/moved; print its pid
#   leave PID MS      when PID has used MS of CPU since it came here, checkpoint and kill
#                     it; print what it had used, and the version. Status 3: it had ended
#   moments COUNT MS  when to
#   end PID           wait for its end
set -u
cd "$(dirname "$0")" || exit 1
here=$PWD
# shellcheck source=selftests/lab/jobs/moments.sh
. ./moments.sh

die() { echo "$*" >&2; exit 1; }
line_of() { # NAME: prepares and execs a job of size $N, which writes `out`
	case $1 in
	loop) echo "exec gawk -v N=\$N -v OUT=out -f $here/loop.awk" ;;
	words) echo "head -n \${N}00 $here/words >in; exec gawk -v OUT=out -f $here/words.awk in" ;;
	python) echo "exec python3 $here/hashes.py \${N}00 out" ;;
	xz) echo "exec xz -0 -T1 -c $here/64MiB >out" ;;
	cc1) echo "head -n \$N $here/functions.c >in.c; exec $(gcc -print-prog-name=cc1) -quiet -O2 in.c -o out" ;;
	avx) echo "exec $here/avx \${N}000000 out" ;;
	esac
}
fresh() { # DIR
	rm -rf "$1"
	mkdir -p "$1"
	cd "$1" || die "no directory $1"
}

verb=$1
shift
case $verb in
alone)
	fresh "../$1/alone"
	N=10
	if [ "$1" = xz ]; then
		measure "$(line_of xz)" || die "it fails"
	else
		measure_long "$(line_of "$1")" "$2" || die "it fails"
	fi
	echo "$N $cpu"
	;;
start)
	fresh "../$1/moved"
	export N=$2
	krgcr-run -b -q -o ../session -- sh -c "$(line_of "$1")" </dev/null >../said 2>&1 || die "krgcr-run: $(cat ../said)"
	await_exec "$(cat ../session)"
	cat ../session
	;;
leave)
	await_cpu "$1" "$2" || exit 3
	said=$(checkpoint -k "$1" 2>&1) || {
		grep -qE "no process $1|process $1 has ended" <<<"$said" && exit 3
		die "checkpoint: $said"
	}
	while [ -d "/proc/$1" ]; do
		sleep 0.05
	done
	echo "$cpu $(sed -n 's/^Version: //p' <<<"$said")"
	;;
moments) moments "$@" ;;
end)
	while [ -d "/proc/$1" ]; do
		sleep 0.1
	done
	;;
esac
