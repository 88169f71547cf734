# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What every scenario of selftests/lab starts with:
#
#   # shellcheck source=selftests/lab/lib.sh
#   . "$(dirname "$0")/lib.sh"      takes $1, the kernel: 6.1, 6.12 or debug
#   plan 4
#   lab_up -n 2                     bails out if the lab does not come up
#   is "one line a node" "$(lab exec 1 krgadm nodes | wc -l)" 2
#   ok "migrates" lab exec 1 migrate 123 2
#   not_ok "refuses node 9" lab exec 1 migrate 123 9
#   ok "no kernel report" kernel_log_clean 1
#
# The lab goes down when the script ends, however it ends; its exit status is
# that of the tests.
set -u
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export KRG_CACHE=${KRG_CACHE:-$repo/build/cache}
export LAB=${LAB:-test}
# shellcheck disable=SC2034 # for the scenarios
KERNEL=${1-}
case $KERNEL in
6.1 | 6.12 | debug) ;;
*) echo "usage: $0 6.1|6.12|debug" >&2; exit 2 ;;
esac

tap_planned=0
tap_run=0
tap_failed=0
lab_is_up=0
tmp=$(mktemp -d) # for the scenario, gone at its end

lab() { "$repo/scripts/lab" "$@"; }

# ---- TAP

plan() {
	tap_planned=$1
	echo "1..$1"
}

diag() { # TEXT: as comment lines
	local text=$*
	echo "# ${text//$'\n'/$'\n'# }"
}

pass() { # NAME
	tap_run=$((tap_run + 1))
	echo "ok $tap_run - $1"
}

fail() { # NAME [WHY]
	tap_run=$((tap_run + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_run - $1"
	[ -z "${2-}" ] || diag "$2"
	return 1
}

skip() { # NAME REASON [COUNT=1]
	local i
	for ((i = 0; i < ${3:-1}; i++)); do
		tap_run=$((tap_run + 1))
		echo "ok $tap_run - $1 # SKIP $2"
	done
}

ok() { # NAME CMD…: succeeds
	local name=$1 out status
	shift
	out=$("$@" 2>&1)
	status=$?
	if [ $status -eq 0 ]; then
		pass "$name"
	else
		fail "$name" "$* ended with status $status"$'\n'"$(tail -n 30 <<<"$out")"
	fi
}

not_ok() { # NAME CMD…: fails, and by itself rather than by the lab's failure
	local name=$1 out status
	shift
	out=$("$@" 2>&1)
	status=$?
	case $status in
	0 | 125) fail "$name" "$* ended with status $status"$'\n'"$(tail -n 30 <<<"$out")" ;;
	*) pass "$name" ;;
	esac
}

is() { # NAME GOT WANT
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "got:  $2"$'\n'"want: $3"
	fi
}

like() { # NAME GOT EXTENDED-REGEX
	if grep -qE -- "$3" <<<"$2"; then
		pass "$1"
	else
		fail "$1" "got: $2"$'\n'"want something like: $3"
	fi
}

bail() {
	echo "Bail out! $*"
	tap_failed=$((tap_failed + 1))
	exit 1
}

# ---- the lab

lab_up() { # OPTIONS of lab up
	local out
	lab_is_up=1
	out=$(lab up --kernel "$KERNEL" "$@" 2>&1) || {
		diag "$out"
		lab_is_up=0
		bail "the lab does not come up"
	}
}

lab_down() {
	lab_is_up=0
	lab down
}

finish() {
	local status=$?
	trap - EXIT
	[ $lab_is_up -eq 0 ] || lab_down
	rm -rf "$tmp"
	if [ $status -eq 0 ] && [ $tap_run -ne "$tap_planned" ]; then
		diag "planned $tap_planned tests, ran $tap_run"
		tap_failed=$((tap_failed + 1))
	fi
	[ $tap_failed -eq 0 ] || exit 1
	exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# Run CMD until it succeeds; for what needs time by its nature (a detection
# time, a timer), never to hide a race. The time is a limit, not a delay.
eventually() { # SECONDS CMD…
	local limit=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $limit ] || return 1
		sleep 0.2
	done
}

work=$tmp/module
# Builds krg's modules and, in the copy $work, the test module of selftests/lab/modules/NAME.
build_test_module() { # NAME
	local src=$repo/build/modules/$KERNEL/src
	cp -r "$repo/selftests/lab/modules/$1" "$work" &&
		make -s -C "$repo" modules KERNEL="$KERNEL" &&
		make -s -C "$KRG_CACHE/kernels/$KERNEL/kdir" M="$work" SRC="$src" W=1 \
			KBUILD_EXTRA_SYMBOLS="$src/modules/Module.symvers" modules
}

# ---- work on nodes

# Where scripts run on nodes, and for how long at most; scenarios set them.
on_dir=/root
on_limit=1200
on() { # NODE SCRIPT
	lab exec -n "$1" -- timeout "$on_limit" sh -c "cd $on_dir && $2" 2>&1
}
# On nodes 1 to N at once; ME in the script becomes 0 to N-1.
together() { # N SCRIPT
	local i pids=() status=0
	for ((i = 1; i <= $1; i++)); do
		on "$i" "${2//ME/$((i - 1))}" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || status=1
	done
	return $status
}
# Is /dev/shm the cluster's.
mounted() { lab exec -n "$1" -- grep -q '/dev/shm krgshm' /proc/mounts; }
not_mounted() { lab exec -n "$1" -- sh -c '! grep -q "/dev/shm krgshm" /proc/mounts'; }

# ---- what the kernel says

kernel_reports='BUG[: ]|WARNING[: ]|Oops|possible circular locking|possible recursive locking|inconsistent lock state|INFO: possible'
kernel_reports+='|suspicious RCU|blocked for more than|KASAN|kmemleak: [0-9]+ new|refcount_t|general protection|Call Trace'
kernel_reports+='|sleeping function called|scheduling while atomic|list_(add|del) corruption|rcu.*self-detected stall|soft lockup'

# Nothing wrong in the node's kernel log since it booted. A scenario that
# provokes a report names it: KERNEL_LOG_ALLOW='regex'.
kernel_log_clean() { # NODE
	local found
	# The debug kernel can tell leaks, of objects some seconds old.
	if [ "$KERNEL" = debug ] && lab exec -n "$1" test -e /sys/kernel/debug/kmemleak; then
		found=$(lab exec -n "$1" -- sh -c '
			cd /sys/kernel/debug && sleep 6 && echo scan >kmemleak && echo scan >kmemleak && cat kmemleak' 2>&1) ||
			found+=$'\n'"cannot be scanned for leaks"
		if [ -n "$found" ]; then
			echo "kmemleak on node $1:"
			head -n 28 <<<"$found"
			return 1
		fi
	fi
	# The console has what a dead node said; dmesg what is too dull for the console.
	found=$({
		lab log "$1"
		lab exec -n "$1" dmesg 2>/dev/null
	} | grep -E -A 25 -- "$kernel_reports")
	[ -z "${KERNEL_LOG_ALLOW-}" ] || found=$(grep -E -- "$kernel_reports" <<<"$found" | grep -vE -- "$KERNEL_LOG_ALLOW")
	[ -z "$found" ] && return 0
	echo "kernel report on node $1:"
	head -n 28 <<<"$found"
	return 1
}

# Every module of krg goes, last loaded first, and leaves nothing behind.
modules_unload_clean() { # NODE
	local left
	# shellcheck disable=SC2016 # the node's shell expands it
	# Shared memory keeps krg_ipc, krg_mm in use until the node has left and cleaned up behind it.
	lab exec -n "$1" -- sh -c '
		umount -a -t krgshm
		for m in $(lsmod | sed -n "s/^\(krg_[a-z0-9_]*\) .*/\1/p"); do
			i=0
			while [ "$(cat "/sys/module/$m/refcnt")" != 0 ] && [ $i -lt 100 ]; do
				i=$((i + 1))
				sleep 0.1
			done
			rmmod "$m" || exit 1
		done' || return 1
	left=$(lab exec -n "$1" lsmod | grep '^krg_')
	if [ -n "$left" ]; then
		echo "left on node $1: $left"
		return 1
	fi
	kernel_log_clean "$1"
}
