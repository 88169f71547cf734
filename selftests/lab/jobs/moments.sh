# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced on a node: jobs of a length, and moments in their lives, whatever the
# machine's speed. Moments are told in the job's own CPU time, which stands still
# while it is frozen.

# Sets `cpu` to what PID has used, in ms; fails when it has ended.
cpu_of() { # PID
	local stat fields
	read -r stat <"/proc/$1/stat" || return 1
	read -ra fields <<<"${stat##*) }" # from the state on, field 3 of proc(5)
	[ "${fields[0]}" != Z ] || return 1
	cpu=$(((fields[11] + fields[12]) * 10))
} 2>/dev/null

# Until PID has used MS of CPU from now on, sets `cpu` to how much; fails when it ends
# before. What it used before, and to be restarted, does not count.
await_cpu() { # PID MS
	local before
	cpu_of "$1" || return 1
	before=$cpu
	while cpu_of "$1"; do
		cpu=$((cpu - before))
		[ "$cpu" -lt "$2" ] || return 0
		sleep 0.02
	done
	return 1
}

# Until PID is no more the shell that was to exec something, or has ended.
await_exec() { # PID
	while [[ $(readlink "/proc/$1/exe") = "$(readlink -f /bin/sh)" ]]; do
		sleep 0.02
	done
}

# Sets `cpu` to the ms the shell line LINE uses; fails as it does.
measure() { # LINE
	local used status user system TIMEFORMAT='%3U %3S'
	used=$({ time sh -c "$1" </dev/null >/dev/null 2>&1; } 2>&1)
	status=$?
	read -r user system <<<"${used//./}"
	cpu=$((10#$user + 10#$system))
	return $status
}

# Runs LINE in this directory, emptied before, with sizes N from the given one on until
# it takes long enough to be there for its MOVES (2); sets N and cpu. Fails when LINE does.
# A move starts a dozen programs, which the job does not wait for: 2 s, and on a slow
# node the time of as many starts of a tool.
measure_long() { # LINE [MOVES]
	local moves=${2:-2} long
	long=$((moves * 2000))
	if measure "checkpoint --help" && [ $((cpu * moves * 13)) -gt $long ]; then
		long=$((cpu * moves * 13))
	fi
	export N
	while :; do
		rm -f ./*
		measure "$1" || return 1
		[ "$cpu" -lt $long ] || return 0
		if [ "$cpu" -lt 500 ]; then
			N=$((N * 8))
		elif [ "$cpu" -lt $((long * 3 / 4)) ]; then
			N=$((N * long * 5 / 4 / cpu))
		else
			N=$((N * 2))
		fi
	done
}

# COUNT random moments between 10 and 55 % of TOTAL ms, in order.
moments() { # COUNT TOTAL
	local i
	for ((i = 0; i < $1; i++)); do
		echo $(($2 / 10 + (RANDOM << 15 | RANDOM) % ($2 * 45 / 100 + 1)))
	done | sort -n
}
