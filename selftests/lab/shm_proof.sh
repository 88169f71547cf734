#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2016 # scripts in single quotes are expanded in the node
#
# selftests/lab/shm_proof.sh KERNEL: is memory of several nodes one memory. Proves that
#   - litmus tests SB, MP, LB, IRIW, CoRR, 2+2W on two and three nodes, variables in one
#     page and in two, end only as they may on a sequentially consistent memory (SB has
#     its mfence: x86 itself lets a load pass a store);
#   - random accesses of three nodes to hot pages are linearisable, word by word and so
#     page by page, and sequentially consistent together;
#   - programs of several nodes, a ring buffer, a stencil, a product of matrices, get the
#     results of one process alone;
#   - POSIX shared memory is as its manual pages say, errors included.
# A slice of it all; KRG_LONG=1: 100000 runs of litmus tests, 256 MiB.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/lab/memory.sh
. "$(dirname "$0")/memory.sh"
cd "$repo" || exit 1
runs2=1408 runs3=2112 ops=2000 mib=4 side=96 plate=128 steps=20
if [ -n "${KRG_LONG-}" ]; then
	runs2=40000 runs3=60000 ops=100000 mib=256 side=300 plate=512 steps=200
fi
memory_build
mapfile -t posix < <("$out/posix" list)
plan $((${#posix[@]} + 26))
on_dir=/dev/shm
memory_up

litmus() { # NODES RUNS
	ok "litmus tests on $1 nodes" together "$1" "/root/litmus run litmus ME $1 $2 $1 /shared/litmus.ME"
	judged "nothing forbidden in $2 runs on $1 nodes" "$out/litmus" judge "$1" "$2" "$1" "$logs"/litmus.*
	on 1 'rm litmus'
	rm -f "$logs"/litmus.*
}
litmus 2 $runs2
litmus 3 $runs3

ok "random accesses on 2 nodes" memcheck 2 $ops 1
judged "were linearisable" "$out/memcheck" judge "$logs"/history.*
ok "random accesses on 3 nodes" memcheck 3 $ops 2
judged "were linearisable" "$out/memcheck" judge "$logs"/history.*

on 1 "/root/work send ring $mib" >"$tmp/sent" &
on 2 "/root/work receive ring $mib" >"$tmp/received"
like "$mib MiB through a ring buffer" "$(cat "$tmp/received")" '^[0-9a-f]{16}$'
wait $!
is "arrive as they were sent" "$(cat "$tmp/received")" "$(cat "$tmp/sent")"
is "stencil on 3 nodes: as on one" "$(together 3 "/root/work stencil plate ME 3 $plate $steps")" same
is "product on 3 nodes: as on one" "$(together 3 "/root/work product matrix ME 3 $side")" same
on 1 'rm ring plate matrix'

for t in "${posix[@]}"; do
	is "POSIX: $t" "$(on 3 "/root/posix test $t")" ok
done
ok "an object made on node 1" on 1 '/root/posix make /both 640 10000'
is "is the same on node 2" "$(on 2 '/root/posix look /both')" '640 0 10000 ours'
like "has an owner there" "$(lab exec -n 2 -- setpriv --reuid 65534 --regid 65534 --clear-groups /root/posix look /both 2>&1)" 'Permission denied'
like "exists once" "$(on 3 '/root/posix make /both 640 10000')" 'File exists'
ok "is unlinked on node 3" on 3 '/root/posix unlink /both'
is "and gone on node 1" "$(on 1 '/root/posix look /both')" 'No such file or directory'
ok "all goes" on 1 'rm -rf ./*'
ok "cluster stop" lab exec -n 1 -- krgadm cluster stop
ok "modules unload on node 1" modules_unload_clean 1
ok "modules unload on node 2" modules_unload_clean 2
ok "modules unload on node 3" modules_unload_clean 3
