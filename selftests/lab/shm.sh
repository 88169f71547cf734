#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2016 # scripts in single quotes are expanded in the node
#
# selftests/lab/shm.sh KERNEL: two nodes share /dev/shm. Proves that
#   - it is there when the cluster is up, and gone from a node that left;
#   - programs find in it what they know of tmpfs, memory mapped or by system calls;
#   - what one node writes, maps, names, truncates, deletes, the other sees at once;
#   - two nodes that write to one page lose nothing, nor do appends to one file;
#   - a deleted file stays with who uses it on whatever node, its space comes back;
#   - a node that leaves takes nothing with it, one that joins finds everything, one
#     that dies takes only what it alone had: SIGBUS, not zeroes, not a hang;
#   - after cluster stop the modules unload and the kernel logs are clean.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$repo" || exit 1
gcc -O2 -Wall -Wextra -pthread -o "$tmp/shm" selftests/lab/progs/shm.c || bail "the program does not build"
mapfile -t tests < <("$tmp/shm" list)
plan $((${#tests[@]} + 58))
lab_up -n 2 --mem 512

on_dir=/dev/shm on_limit=100
both() { # SCRIPT1 SCRIPT2: on nodes 1 and 2 at once
	local first status=0
	on 1 "$1" &
	first=$!
	on 2 "$2" || status=1
	wait $first || status=1
	return $status
}
push() { lab push "$1" "$tmp/shm" selftests/lab/progs/shm_python.py /tmp; }
all_free() { on 1 '[ "$(stat -fc %f .)" = "$(stat -fc %b .)" ]'; }

for n in 1 2; do
	push $n || bail "cannot copy into node $n"
done
ok "mounted on node 1" eventually 20 mounted 1
ok "mounted on node 2" eventually 20 mounted 2
for t in "${tests[@]}"; do
	is "as tmpfs: $t" "$(on 2 "/tmp/shm test $t")" ok
done
ok "nothing is left of it" eventually 10 all_free

ok "node 1 fills memory" on 1 '/tmp/shm put x 500 1'
ok "node 2 maps the same" on 2 '/tmp/shm check x 500 1'
ok "and reads the same" on 2 '/tmp/shm read x 500 1'
ok "node 2 changes it" on 2 '/tmp/shm put x 300 2; for p in 7 250; do /tmp/shm write x $p 9; done'
is "node 1 sees the change" "$(on 1 'md5sum <x; stat -c %s x')" "$(on 2 'md5sum <x; stat -c %s x')"
cached() { on "$1" "awk '/^Cached/ { print \$2 }' /proc/meminfo"; }
below() { [ "$(cached "$1")" -lt "$2" ]; }
before=$(cached 1)
ok "node 1 fills 48 MiB" on 1 '/tmp/shm put big 12288 1'
ok "it has them" eval '[ $(cached 1) -gt $((before + 40000)) ]'
ok "node 2 writes to all of them" on 2 '/tmp/shm put big 12288 2'
ok "node 1 keeps nothing of them" eventually 10 below 1 $((before + 8000))
on 1 'rm big'
on 1 'truncate -s 4096 counter'
ok "both write to one page" both '/tmp/shm add counter 1 20000' '/tmp/shm add counter 2 20000'
is "nothing is lost" "$(on 1 '/tmp/shm sum counter')" "40000 40000 40000"
is "on the other neither" "$(on 2 '/tmp/shm sum counter')" "40000 40000 40000"
ok "futex calls on a page that comes and goes" both '/tmp/shm futex counter 0 20000' '/tmp/shm add counter 3 500000'
ok "both append to one file" both '/tmp/shm append log A 100' '/tmp/shm append log B 100'
is "all lines are whole" "$(on 1 'sort -u log | grep -cE "^[AB] [0-9]+$"')" 200
ok "both make the same files at once" together 2 'for i in $(seq 50); do echo $i >race.$i || exit 1; done'
is "each is there once" "$(on 1 'ls race.* | wc -l; cat race.* | sort -n | tail -n 1')" "$(printf '50\n50')"
is "one of two exclusive creators wins" "$(together 2 'for i in $(seq 20); do (set -C; : >ex.$i) 2>/dev/null && echo won; done; :' | grep -c won)" 20

on 1 'echo secret >s; chmod 600 s; mkdir -p d/e; ln -s d/e l; echo deep >d/e/f'
is "names, links, modes are the same" "$(on 2 'cat l/f; stat -c %a s; ls d')" "$(printf 'deep\n600\ne')"
not_ok "rights hold on the other node" lab exec -n 2 -- su nobody -s /bin/sh -c 'cat /dev/shm/s'
on 2 'mv d/e/f g; rm -r d l; echo more >>g'
is "renamed and appended" "$(on 1 'cat g; ls -d d l 2>/dev/null')" "$(printf 'deep\nmore')"
ok "Python's shared memory" lab exec -n 1 -- python3 /tmp/shm_python.py make psm_test 100000
is "is the other node's too" "$(lab exec -n 2 -- python3 /tmp/shm_python.py look psm_test)" "$(lab exec -n 1 -- python3 /tmp/shm_python.py look psm_test)"

# A program on node 2 that has a file mapped and looks at its first byte when told to.
holds() { # FILE
	on 2 ": >/tmp/tell; { tail -f /tmp/tell | /tmp/shm hold $1 >/tmp/out; echo ended \$? >>/tmp/out; } </dev/null >/dev/null 2>&1 &"
	eventually 10 out_is held
}
look() { on 2 'echo >>/tmp/tell'; }
out() { on 2 'cat /tmp/out'; }
out_is() { [ "$(out)" = "$1" ]; }
ends() { on 2 'pkill -x shm; echo >>/tmp/tell'; }
free() { on 1 'stat -fc %f .'; }
free_is() { [ "$(free)" = "$1" ]; }

on 1 '/tmp/shm put t 20 3'
ok "node 2 maps a file" holds t
look
ok "and sees its bytes" eventually 10 out_is "$(printf 'held\n63')"
on 1 'truncate -s 0 t'
look
ok "node 1 truncates it: SIGBUS" eventually 10 out_is "$(printf 'held\n63\nended 135')"
before=$(free)
on 1 '/tmp/shm put u 100 3'
ok "node 2 maps another" holds u
is "it takes space" "$(free)" $((before - 100))
on 1 'rm u'
look
ok "node 1 deletes it: node 2 still has it" eventually 10 out_is "$(printf 'held\n63')"
is "and it its space" "$(free)" $((before - 100))
ends
ok "until nobody uses it" eventually 10 free_is "$before"
ok "a limit is for all" on 2 'mount -o remount,size=8m . && [ "$(stat -fc %b .)" = 2048 ]'
like "node 1 runs out of space" "$(on 1 'dd if=/dev/zero of=full bs=256k count=40; stat -fc "%f left" .; rm full' | tr '\n' ' ')" \
	'No space left on device.* 0 left'

ok "node 2 fills memory" on 2 '/tmp/shm put v 200 4'
ok "node 2 leaves" lab exec -n 1 -- krgadm nodes del -n 2
ok "and has it mounted no more" eventually 20 not_mounted 2
ok "what it had is on node 1" on 1 '/tmp/shm check v 200 4'
on 1 'echo new >n; rm log'
ok "it joins again" lab exec -n 1 -- krgadm nodes add -t 2
ok "has it mounted" eventually 20 mounted 2
is "and finds everything" "$(on 2 '/tmp/shm check v 200 4 && cat n && ls')" "$(on 1 'cat n; ls')"

on 1 '/tmp/shm put y 50 5'
on 2 '/tmp/shm put w 50 6; /tmp/shm put z 50 7'
ok "node 1 has a copy of one" on 1 '/tmp/shm check z 50 7'
ok "node 2 uses a deleted file" holds y
on 1 'cp y y2; rm y'
before=$(free)
lab kill 2
is "node 2 dies: what it alone had is lost" "$(on 1 '/tmp/shm touch w 10')" SIGBUS
ok "what node 1 had a copy of is not" on 1 '/tmp/shm check z 50 7'
ok "nor its own" on 1 '/tmp/shm check y2 50 5'
ok "the file it used is gone" eventually 20 free_is $((before + 50))
ok "work goes on" on 1 'rm w && /tmp/shm put w 100 8 && /tmp/shm check w 100 8'
like "in use it can't be unloaded" "$(lab exec -n 1 -- rmmod krg_mm 2>&1)" 'in use'
lab exec -n 1 -- sh -c 'cd /tmp && exec sleep 300 </dev/shm/n >/dev/null 2>&1 & echo $! >/tmp/user'
like "nor by krgadm, which says who uses it" "$(lab exec -n 1 -- sh -c 'krgadm unload 2>&1; echo $?')" \
	'unload: shared memory is in use: /dev/shm/n \(sleep, process [0-9]+\)'
ok "cluster stop" lab exec -n 1 -- krgadm cluster stop
ok "it is not mounted any more" eventually 20 not_mounted 1
like "it is still in use" "$(lab exec -n 1 -- sh -c 'krgadm unload 2>&1; echo $?')" 'in use: .*/n \(sleep, process'
ok "then no more" lab exec -n 1 -- sh -c 'kill "$(cat /tmp/user)" && while [ -e /proc/$(cat /tmp/user) ]; do :; done; krgadm unload && ! ls -d /sys/module/krg_*'
ok "modules unload" modules_unload_clean 1
ok "the dead node's log was clean" kernel_log_clean 2
