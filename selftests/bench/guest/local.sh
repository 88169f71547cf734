#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Inside a node with the modules loaded and a key: local.sh ROUNDS WORK, in turns
# /root/localwork WORK with all modules gone and with a cluster up; prints "sample" lines.
set -eu
rounds=$1
work=$2
mapfile -t modules < <(grep -vE '^(#|$)' /root/modules.list)

unload() {
	local i
	for ((i = ${#modules[@]} - 1; i >= 0; i--)); do
		rmmod "${modules[i]}"
	done
	if lsmod | grep '^krg_' >&2; then
		echo "local.sh: modules are still loaded" >&2
		exit 1
	fi
}

load() {
	local m
	for m in "${modules[@]}"; do
		modprobe "$m"
	done
	krgadm key load >&2
	krgadm cluster start -c 1 --wait 60 >&2
	krgadm cluster status | grep -qx 'status: up on 1 nodes'
}

measure() { # TERM
	/root/localwork "$work" | gawk -v term="$1" '{ print "sample", "28" $1, term, $2, "instructions" }'
}

unload
/root/localwork "$work" >/dev/null # caches of the file system, slabs
for ((i = 0; i < rounds; i++)); do
	measure absent
	load
	measure up
	krgadm cluster stop >&2
	unload
done
