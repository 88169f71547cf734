# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # work, repo, LAB are lib.sh's
#
# Sourced by the scenarios that prove memory of three nodes to be one: the lab, the
# programs of progs/memory on it, the checker of random accesses.

memory_build() {
	out=$repo/build/selftests/memory
	mkdir -p "$out"
	flock "$out" make -s -C selftests/lab/progs/memory OUT="$out" || bail "the programs do not build"
}

memory_up() {
	local n
	lab_up -n 3 --mem 512
	logs=$repo/build/lab/$LAB/shared
	for n in 1 2 3; do
		lab push $n "$out"/{litmus,memcheck,work,posix} /root || bail "cannot copy into node $n"
		ok "shared memory on node $n" eventually 20 mounted $n
	done
}

judged() { # NAME COMMAND…: what it prints, as a comment too
	local name=$1 said status
	shift
	said=$("$@" 2>&1)
	status=$?
	diag "$said"
	if [ $status -eq 0 ]; then pass "$name"; else fail "$name"; fi
}

# NODES OPS SEED: leaves logs
memcheck() {
	rm -f "$logs"/history.*
	together "$1" "/root/memcheck run random.$3 ME $1 $2 $3 /shared/history.ME" && on 1 "rm random.$3"
}
