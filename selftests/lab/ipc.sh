#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2016 # scripts in single quotes are expanded in the node
#
# selftests/lab/ipc.sh KERNEL: three nodes have the same System V shared memory. Proves that
#   - programs find what they know of it, error paths included;
#   - a key has one id on all nodes, whoever asks, ipcs shows the same on all;
#   - what one node writes the other reads; three that add to one word lose nothing;
#   - owner and permissions hold on all nodes, and change on all;
#   - attached processes are counted on all: after fork, exec, exit, kill, death of a node;
#   - IPC_RMID takes the key at once, the segment when the last is detached, wherever;
#   - what is older than the cluster, or in another IPC namespace, stays the node's own;
#   - who leaves has none of it, who joins all; segments outlive the node that made them;
#   - after cluster stop the modules unload and the kernel logs are clean.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$repo" || exit 1
gcc -O2 -Wall -Wextra -o "$tmp/ipc" selftests/lab/progs/ipc.c || bail "the program does not build"
gcc -m32 -static -nostdlib -ffreestanding -fno-stack-protector -O2 -o "$tmp/ipc32" \
	selftests/lab/progs/ipc32.c || bail "the 32-bit program does not build"
mapfile -t tests < <("$tmp/ipc" list)
plan $((${#tests[@]} + 100))
lab_up -n 3 --mem 512

on_dir=/tmp on_limit=100
push() { lab push "$1" "$tmp"/ipc* selftests/lab/progs/ipc_python.py /tmp; }
list() { on "$1" 'ipcs -m | grep ^0x'; }
left_is() { [ "$(list 1 | wc -l) $(list 2 | wc -l) $(list 3 | wc -l)" = "$1 $1 $1" ]; }
none() { [ -z "$(list 1)$(list 2)$(list 3)" ]; }
free() { on 1 'stat -fc %f /dev/shm'; }
free_is() { [ "$(free)" = "$1" ]; }
nattch() { on "$1" "ipcs -m | awk '\$2 == $id { print \$6 }'"; }
nattch_is() { [ "$(nattch 1) $(nattch 2) $(nattch 3)" = "$1 $1 $1" ]; }
gone() { [ -z "$(nattch 1)$(nattch 2)$(nattch 3)" ]; }
counted() { # NAME COUNT
	ok "$1" eventually 10 nattch_is "$2"
	diag "$(nattch 1) $(nattch 2) $(nattch 3)"
}
# A program on node 2 that is attached, and does what it is told.
holds() {
	on 2 ": >tell; { tail -f tell | ./ipc hold $id >out; echo ended \$? >>out; } </dev/null >/dev/null 2>&1 &"
	eventually 10 out_is held
}
tell() { on 2 "echo $1 >>tell"; }
out_is() { [ "$(on 2 'cat out')" = "$1" ]; }

for n in 1 2 3; do
	push $n || bail "cannot copy into node $n"
done
everything=$(free)
for t in "${tests[@]}"; do
	is "as the kernel: $t" "$(on 2 "./ipc test $t")" ok
done
ok "nothing is left of it" eventually 10 none
ok "nor of its memory" eventually 10 free_is "$everything"

id=$(on 1 './ipc get 0x1234 83886080 c640')
like "node 1 makes a segment" "$id" '^[0-9]+$'
is "node 2 finds it" "$(on 2 './ipc get 0x1234 1000 0')" "$id"
is "node 3 finds it, ready to make it" "$(on 3 './ipc get 0x1234 83886080 c640')" "$id"
is "node 3 may not make it again" "$(on 3 './ipc get 0x1234 1000 ce640')" EEXIST
is "nor is it larger there" "$(on 2 './ipc get 0x1234 83886081 0')" EINVAL
is "ipcs on node 2 is that on node 1" "$(list 2)" "$(list 1)"
is "and on node 3" "$(list 3)" "$(list 1)"
like "one segment" "$(list 3)" "^0x00001234 $id +root +640 +83886080 +0"
is "made by the same process" "$(on 3 "./ipc stat $id" | cut -d' ' -f4)" "$(on 1 "./ipc stat $id" | cut -d' ' -f4)"
is "node 1 fills some of it" "$(on 1 "./ipc put $id 700 1")" ok
is "node 2 reads it" "$(on 2 "./ipc check $id 700 1")" ok
is "node 3 changes it" "$(on 3 "./ipc put $id 300 2")" ok
is "node 1 sees the change" "$(on 1 "./ipc check $id 300 2")" ok
is "node 2 too" "$(on 2 "./ipc check $id 300 2")" ok
is "far behind it is blank" "$(on 2 "./ipc touch $id 20000")" 0
ok "only what was touched takes memory" [ $((everything - $(free))) -lt 1000 ]
on 1 "./ipc rmid $id" >/dev/null
ok "removed, it is gone everywhere" eventually 10 none
ok "its memory too" eventually 10 free_is "$everything"
is "its id means nothing" "$(on 2 "./ipc at $id")" EINVAL
is "its key neither" "$(on 3 './ipc get 0x1234 0 0')" ENOENT

turns=$(on 2 './ipc get 78 4096 c600')
on 1 "./ipc pass $turns 0 200; echo \$? >passed" >/dev/null &
ok "two nodes take turns by futex" on 3 "./ipc pass $turns 1 200"
wait $!
is "neither waits in vain" "$(on 1 'cat passed')" 0
on 2 "ipcrm -m $turns"
id=$(on 3 './ipc get 77 4096 c666')
ok "three nodes add to one word" together 3 "./ipc add $id 20000"
is "nothing is lost" "$(on 1 "./ipc sum $id")" 60000
is "nor seen otherwise elsewhere" "$(on 2 "./ipc sum $id")" 60000
ok "all make the same keys at once" together 3 'for k in $(seq 3000 3019); do ./ipc get $k 100 c600; done >made'
is "and get the same ids" "$(on 2 'cat made')" "$(on 1 'cat made')"
is "each" "$(on 3 'sort -u made | grep -c "^[0-9]*$"; cmp made made')" 20
is "of exclusive makers one wins" "$(together 3 'for k in $(seq 4000 4009); do ./ipc get $k 100 ce600; done' | grep -c '^[0-9]')" 10
is "the others are told why" "$(together 3 'for k in $(seq 4000 4009); do ./ipc get $k 100 ce600; done' | sort | uniq -c | tr -s ' ')" ' 30 EEXIST'
ok "ipcrm by key, from elsewhere" on 2 'for k in $(seq 3000 3019) $(seq 4000 4009); do ipcrm -M $k || exit 1; done'
is "one is left" "$(list 1 | wc -l) $(list 2 | wc -l) $(list 3 | wc -l)" '1 1 1'

id=$(on 1 './ipc get 88 8192 c600')
as_nobody() { on "$1" "su nobody -s /bin/sh -c '$2'"; }
is "others may not attach, on node 2" "$(as_nobody 2 "./ipc at $id")" EACCES
is "nor look" "$(as_nobody 3 "./ipc stat $id")" EACCES
is "nor remove" "$(as_nobody 2 "./ipc rmid $id")" EPERM
is "nor find" "$(as_nobody 3 './ipc get 88 0 600')" EACCES
is "node 3 changes the mode" "$(on 3 "./ipc set $id 604")" ok
is "seen on node 1" "$(on 1 "./ipc stat $id" | cut -d' ' -f1)" 604
like "others may look now, on node 2" "$(as_nobody 2 "./ipc stat $id")" '^604'
is "not change" "$(as_nobody 2 "./ipc set $id 666")" EPERM
on 1 "./ipc rmid $id" >/dev/null
made=$(as_nobody 2 'ipcmk -M 5000 -p 600' | grep -o '[0-9]*$')
like "ipcmk as somebody, ipcs -i elsewhere" "$(on 3 "ipcs -m -i $made")" 'bytes=5000'
is "whose it is" "$(on 1 "ipcs -m | awk '\$2 == $made { print \$3, \$4 }'")" 'nobody 600'
ok "ipcrm by id" on 1 "ipcrm -m $made"

id=$(on 1 './ipc get 99 40960 c600')
on 1 "./ipc put $id 10 3" >/dev/null
counted "nobody is attached" 0
ok "node 2 attaches" holds
counted "one" 1
tell fork
counted "it forks: two" 2
tell exec
counted "it runs another program: two, for that attaches" 2
on 2 'pkill -9 -o -x ipc'
counted "it is killed: its child is left" 1
on 2 'pkill -9 -x ipc'
counted "and killed too" 0
ok "node 2 attaches again" holds
counted "one again" 1
is "last process is the same everywhere" "$(on 1 "./ipc stat $id" | cut -d' ' -f5)" "$(on 2 'pgrep -x ipc')"
is "node 1 removes it" "$(on 1 "./ipc rmid $id")" ok
is "its key is gone at once" "$(on 3 './ipc get 99 0 0') $(on 2 './ipc get 99 0 0')" 'ENOENT ENOENT'
like "the segment stays" "$(list 3)" "^0x00000000 $id .* 1 +dest"
is "others may still attach to it" "$(on 3 "./ipc check $id 10 3")" ok
tell look
ok "its memory stays" eventually 10 out_is "$(printf 'held\n63')"
tell detach
ok "the last detaches: gone everywhere" eventually 10 gone
tell end
ok "the same key makes a new one" [ "$(on 2 './ipc get 99 10 c600')" != "$id" ]
on 2 'ipcrm -M 99'

ok "a limit of node 1" on 1 'sysctl -qw kernel.shmmni=2 && ./ipc get 500 10 c600'
is "is for what it makes" "$(on 1 './ipc get 501 10 c600'; on 2 './ipc get 502 10 c600 >/dev/null && echo made')" "$(printf 'ENOSPC\nmade')"
on 1 'sysctl -qw kernel.shmmni=4096; ipcrm -M 500; ipcrm -M 502'
is "another IPC namespace has its own" "$(on 2 'unshare -i sh -c "./ipc get 77 0 0; ./ipc get 600 10 c600 >/dev/null; ipcs -m | grep -c ^0x"')" "$(printf 'ENOENT\n1')"
is "that nobody else sees" "$(on 2 './ipc get 600 0 0') $(on 1 './ipc get 600 0 0')" 'ENOENT ENOENT'
id=$(on 1 './ipc get 77 0 0')
ok "a process is attached" holds
like "it can't be checkpointed" "$(on 2 'checkpoint $(pgrep -x ipc)')" 'shm: area'
like "its module can't be unloaded" "$(on 2 'rmmod krg_ipc')" 'in use'
like "krgadm says who uses it" "$(on 2 'krgadm unload')" 'in use: /SYSV0000004d.*\(ipc, process [0-9]+\)'
tell end
counted "it ends" 0

id=$(on 1 './ipc get 32 8192 c600')
ok "a 32-bit program on node 2" on 2 './ipc32'
ok "and on node 3" on 3 './ipc32'
is "share memory with each other" "$(on 1 "./ipc sum $id; ./ipc stat $id" | cut -d' ' -f1-3)" "$(printf '8589934594\n640 0 8192')"
on 1 "ipcrm -m $id"
id=$(on 1 './ipc get 77 0 0')
one=$(on 1 'python3 ipc_python.py write 0xbeef')
is "Python on another node" "$(on 3 'python3 ipc_python.py read 0xbeef')" "$one"
on 2 'ipcrm -M 0xbeef'
ok "stress on three nodes at once" together 3 'stress-ng --shm-sysv 1 --shm-sysv-bytes 1m --shm-sysv-segs 4 -t 10 -q'
# Who exits without shmdt() is not waited for: others hear of it soon after.
ok "leaves nothing" eventually 10 left_is 1
diag "$(list 1) / $(list 2) / $(list 3)"

ok "node 3 leaves" lab exec -n 1 -- krgadm nodes del -n 3
is "has no segments" "$(list 3)" ""
old=$(on 3 './ipc get 701 50 c600')
is "makes one of its own" "$(on 3 './ipc get 700 50 c600' >/dev/null; on 1 './ipc get 700 0 0')" ENOENT
new=$(on 2 './ipc get 701 4096 c600')
on 2 "./ipc put $new 1 5" >/dev/null
ok "it joins" lab exec -n 1 -- krgadm nodes add -t 3
is "and has what the others have" "$(on 3 "./ipc sum $id; ./ipc check $new 1 5")" "$(printf '60000\nok')"
is "its own keep their keys" "$(on 3 './ipc get 701 0 0')" "$old"
is "but there only" "$(on 1 './ipc get 701 0 0')" "$new"
on 3 "ipcrm -m $old"
is "until they are gone" "$(on 3 './ipc get 701 0 0')" "$new"

id=$(on 3 './ipc get 800 819200 c600')
on 3 "./ipc put $id 200 6" >/dev/null
is "node 1 reads some of what node 3 has" "$(on 1 "./ipc touch $id 50")" 126
on 3 "{ sleep 1000 | ./ipc hold $id; } >/dev/null 2>&1 </dev/null &"
ok "node 2 is attached to it" holds
counted "node 3 too" 2
lab kill 3
only_here() { [ "$(nattch 1) $(nattch 2)" = '1 1' ]; }
ok "node 3 dies: it is not attached any more" eventually 30 only_here
is "what it had made stays" "$(on 1 './ipc get 800 0 0')" "$id"
is "what others had read too" "$(on 2 "./ipc touch $id 50")" 126
is "what it alone had is lost" "$(on 1 "./ipc touch $id 199")" SIGBUS
tell end
ok "nobody is attached there" eventually 10 eval '[ "$(nattch 1) $(nattch 2)" = "0 0" ]'
ok "work goes on" on 2 "ipcrm -m $id && ./ipc put \$(./ipc get 800 40960 c600) 10 7"
ok "node 2 attaches" eval 'id=$(on 1 "./ipc get 800 0 0"); holds'
ok "cluster stop" lab exec -n 1 -- krgadm cluster stop
is "nothing is there any more" "$(list 1)" ""
on 2 'pkill -x ipc'
for n in 1 2; do
	ok "modules unload on node $n" modules_unload_clean $n
done
ok "the dead node's log was clean" kernel_log_clean 3
