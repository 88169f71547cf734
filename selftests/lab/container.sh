#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2016 # scripts in single quotes are expanded in the node
#
# selftests/lab/container.sh KERNEL: containers of libkrg between two nodes, by the
# programs of Documentation/examples/container, built by pkg-config against libkrg as it is
# installed. Proves that
#   - the project builds out of the tree, in C and C++, and uses versioned symbols;
#   - without a cluster it is told that there is no cluster memory;
#   - what one node makes the other finds; names, rights, deletion are those of files;
#   - the lock and atomic operations lose nothing between nodes; a lock whose owner
#     died is taken over;
#   - who watches on one node hears what is said on the other.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$repo" || exit 1
plan 27
root=$tmp/root
pkg() { # the installed libkrg.pc's folder
	dirname "$(find "$root" -name libkrg.pc)"
}
ok "libkrg installs" make -s install-tools DESTDIR="$root"
cp -r Documentation/examples/container "$tmp/project"
ok "the project builds" env PKG_CONFIG_SYSROOT_DIR="$root" PKG_CONFIG_PATH="$(pkg)" make -C "$tmp/project" \
	CFLAGS='-O2 -Wall -Wextra -Werror' CXXFLAGS='-O2 -Wall -Wextra -Werror'
like "by versioned symbols" "$(objdump -T "$tmp/project/tally")" 'LIBKRG_1\.1\)? +krg_container_create'
ok "the manual page is installed" test -s "$root/usr/share/man/man3/krg_container.3"

# The unit tests, for cluster memory itself.
ln -s "$repo/libkrg" "$tmp/krg"
unit() {
	gcc -std=gnu11 -D_GNU_SOURCE -O2 -c -o "$tmp/container.o" libkrg/container.c &&
		gcc -std=gnu11 -D_GNU_SOURCE -O2 -c -o "$tmp/use.o" libkrg/container_use.c &&
		g++ -std=c++20 -O2 -I"$tmp" -pthread -o "$tmp/unit" selftests/core/container/unit.cpp "$tmp"/{container,use}.o
}
ok "the unit tests build" unit

lab_up -n 2 --mem 512 --no-cluster
for n in 1 2; do
	lab push $n "$tmp/project/tally" "$tmp/project/board" "$tmp/unit" /root || bail "cannot copy into node $n"
done
on_limit=100

is "no cluster: no cluster memory" "$(on 1 './tally /t 1')" \
	'tally: no cluster memory here: no krgshm is mounted (krgadm cluster start)'
ok "cluster start" lab exec -n 1 -- krgadm cluster start
ok "memory on node 1" eventually 20 mounted 1
ok "memory on node 2" eventually 20 mounted 2

ok "all that holds on tmpfs holds here" on 2 ./unit
is "node 1 makes one" "$(on 1 './tally /t 3')" '3 3'
is "node 2 finds it" "$(on 2 './tally /t 4')" '7 7'
is "it is a file" "$(on 2 'stat -c "%a %s" /dev/shm/t')" '600 8192'
like "others may not" "$(on 2 'cp tally /tmp && setpriv --reuid 65534 --regid 65534 --clear-groups /tmp/tally /t 1')" \
	'Permission denied'
like "nor destroy it" "$(on 2 'setpriv --reuid 65534 --regid 65534 --clear-groups /tmp/tally /t destroy')" 'Permission denied'
on 1 'echo text >/dev/shm/text'
is "another file is none" "$(on 2 './tally /text destroy')" 'tally: text is no container'
ok "both count at once" together 2 './tally /t 3000'
is "nothing is lost" "$(on 1 './tally /t 0')" '6007 6007'
# Killed at any moment, the lock held or not: the next one goes on.
on 2 './tally /t 100000000 >/dev/null & sleep 2; kill -9 $!'
like "an owner was killed" "$(on 1 './tally /t 10')" '^[0-9]+ [0-9]+$'
ok "the count went on" on 1 'set -- $(./tally /t 0); [ $1 -gt 6017 ] && [ $(($1 - $2)) -le 1 ]'
ok "node 2 destroys it" on 2 './tally /t destroy'
is "node 1 begins anew" "$(on 1 './tally /t 1; ./tally /t destroy')" '1 1'

on 1 './board /b hear 20 >heard 2>&1 &'
ok "node 2 speaks" on 2 'for i in $(seq 20); do ./board /b say "line $i" || exit 1; done'
heard() { on 1 '[ "$(cat heard)" = "$(seq -f "line %g" 20)" ]'; }
ok "node 1 hears it" eventually 20 heard
on 1 'rm -f /dev/shm/*'
ok "cluster stop" lab exec -n 1 -- krgadm cluster stop
ok "modules unload on node 1" modules_unload_clean 1
ok "modules unload on node 2" modules_unload_clean 2
