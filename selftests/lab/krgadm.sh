#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2016 # scripts in single quotes are expanded in the node
#
# selftests/lab/krgadm.sh KERNEL: the tools on two nodes.
#
#   - cluster and nodes print the promised lines, as text and JSON, and take nodes out and in;
#   - ps and top show every node's processes; top is driven on a terminal as by hand;
#   - checkpoint, restart: states and their errors, versions, descriptions; a freeze
#     ends with the tool that made it, also when that is killed; SIGINT leaves nothing;
#   - events tells all of it; nobody without rights changes anything.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$repo" || exit 1

count() { on 1 'cat /tmp/count'; }
changed() { [ "$1" != "$(count)" ]; }
runs() { # whether the counting program gets on
	local before
	before=$(count)
	eventually 20 changed "$before"
}
stands() {
	local before
	before=$(count)
	sleep 2
	[ "$before" = "$(count)" ]
}

plan 60
lab_up -n 2 --mem 512

is "cluster status" "$(on 1 'krgadm cluster status')" 'status: up on 2 nodes'
like "cluster status --json" "$(on 2 'krgadm cluster status --json')" '^\{"status":"up",.*"online":2,.*"node":2,'
is "nodes" "$(on 2 'krgadm nodes')" "$(printf '1:online\n2:online')"
is "nodes status -n" "$(on 1 'krgadm nodes status -n 2-9')" '2:online'
like "features" "$(on 1 'krgadm features')" '^intercept$'
is "key fingerprints agree" "$(on 1 'krgadm key fingerprint')" "$(on 2 'krgadm key fingerprint')"
is "no node to add" "$(on 1 'krgadm nodes add -a; echo $?')" "$(printf 'No present node to add.\n0')"
like "not enough nodes to remove" "$(on 1 'krgadm nodes del -c 2; echo $?')" 'Not enough nodes to remove\. Aborting\.'

on all 'krgadm events --follow >/tmp/events 2>&1 & echo $! >/tmp/events.pid; sleep 1'
ok "nodes del" lab exec -n 1 -- krgadm nodes del -n 2
is "it is out" "$(on 1 'krgadm nodes')" "$(printf '1:online\n2:present')"
ok "nodes add" lab exec -n 1 -- krgadm nodes add -t 2
is "it is in again" "$(on 2 'krgadm cluster status')" 'status: up on 2 nodes'
like "more nodes than there are" "$(on 1 'krgadm nodes add -t 5; echo $?' | tr '\n' '|')" 'Not enough nodes to add\. Aborting\.\|1\|$'
is "as many as there are" "$(on 1 'krgadm nodes add -t 2; echo $?')" 0
like "another key than the cluster's is refused" "$(on 1 'krgadm key generate --file /tmp/key >/dev/null; krgadm key load --file /tmp/key; echo $?' | tr '\n' '|')" 'in a cluster, with another key\|1\|$'
is "its own is not" "$(on 1 'krgadm key load >/dev/null; echo $?')" 0
like "without rights nothing changes" "$(on 1 'su nobody -s /bin/sh -c "krgadm cluster stop"; echo $?')" 'CAP_SYS_ADMIN'
like "what is not there is refused" "$(on 1 'krgadm cluster start --strict-caps; echo $?')" 'cluster start: .*not supported yet$'
is "the cluster is still up" "$(on 1 'krgadm cluster status')" 'status: up on 2 nodes'

on 2 'sleep 4321 </dev/null >/dev/null 2>&1 & echo $! >/tmp/sleep.pid'
sleeper=$(on 2 'cat /tmp/sleep.pid')
like "ps shows the other node's process" "$(on 1 'krgadm ps')" "^ *$sleeper +2 +2 +root .* sleep$"
is "ps -n 1 does not" "$(on 1 'krgadm ps -n 1' | grep -c ' sleep$')" 0
like "ps --json" "$(on 1 'krgadm ps --json')" "\"pid\":$sleeper,.*\"comm\":\"sleep\""
like "ps -T" "$(on 1 'krgadm ps -T -k')" '^ *PID +TID +NODE'
like "top -T has threads" "$(on 1 'krgadm top -b -n 1 -T')" '^ *TID +NODE'
top=$(on 1 'krgadm top -b -n 2 -d 1')
like "top has a line a node" "$top" '^node +2 cpu.*% mem'
like "top has the other node's process" "$top" "^ *$sleeper +2 +2 +root"
lab push 1 "$repo/selftests/lab/progs/top_keys.py" /tmp || bail "cannot copy into the node"
ok "top on a terminal: keys, sizes, stop, end" lab exec -n 1 -- python3 /tmp/top_keys.py 2
is "top looked twice" "$(grep -c '^krgadm top - ' <<<"$top")" 2

on 1 'krgcr-run -q -b -o /tmp/app gawk "BEGIN{for(;;){if(++n%200000==0){print n >\"/tmp/count\";close(\"/tmp/count\")}}}" </dev/null >/dev/null 2>&1'
app=$(on 1 'cat /tmp/app')
eventually 20 on 1 'test -s /tmp/count'
like "checkpoint prints what it made" "$(on 1 "checkpoint -d 'the first' $app" | tr '\n' '|')" \
	"^Identifier: $app\|Version: 1\|Description: the first\|Date: .*[0-9]{4}\|$"
ok "the application runs on" runs
like "nobody else may" "$(on 1 "su nobody -s /bin/sh -c 'checkpoint -f $app'")" '^checkpoint: freeze: '
ok "freeze" lab exec -n 1 -- checkpoint -f "$app"
ok "it stands still" stands
like "a second freeze is refused" "$(on 1 "checkpoint -f $app; echo \$?" | tr '\n' '|')" '^checkpoint: freeze: .*frozen.*\|1\|$'
like "what is frozen can be saved" "$(on 1 "checkpoint -c $app")" '^Version: 2$'
ok "unfreeze" lab exec -n 1 -- checkpoint -u "$app"
like "unfreezing what runs is refused" "$(on 1 "checkpoint -u $app; echo \$?" | tr '\n' '|')" '^checkpoint: unfreeze: .*\|1\|$'
# Killed at a moment nobody chose, ten times: the application must never stay frozen.
on 1 "for i in 1 2 3 4 5 6 7 8 9 10; do timeout -s KILL 0.0\$i checkpoint -q $app; timeout -s INT 0.0\$i checkpoint -q $app; done" >/dev/null
ok "a checkpoint that is killed leaves it running" runs
before=$(on 1 'krgadm checkpoint list' | tail -n +2 | wc -l)
like "save and kill" "$(on 1 "checkpoint -k9 $app")" "^Version: "
eventually 20 on 1 "! test -e /proc/$app"
is "one more version, all complete" "$(on 1 'krgadm checkpoint list --json' | grep -o '"version"' | wc -l)" $((before + 1))
like "restart" "$(on 1 "restart $app 1")" "^Application $app has been successfully restarted$"
ok "it runs" runs
on all 'kill -INT $(cat /tmp/events.pid); sleep 1'
is "events told it" "$(on 1 "sed -nE 's/.* (node-leaving|node-online|restart|checkpoint) .*/\\1/p' /tmp/events | sort -u | tr '\n' ' '")" \
	'checkpoint node-leaving node-online restart '
gcc -O2 -Wall -Wextra -Iinclude/uapi -o "$tmp/netlink" selftests/lab/progs/netlink.c || bail "cannot build for the node"
lab push 1 "$tmp/netlink" /tmp || bail "cannot copy into the node"
ok "messages that break a rule are refused" lab exec -n 1 -- /tmp/netlink policy
ok "random ones of anybody do nothing" lab exec -n 1 -- su nobody -s /bin/sh -c '/tmp/netlink fuzz 3000 1'
ok "those of root that are all wrong do nothing either" lab exec -n 1 -- /tmp/netlink fuzz 3000 2
is "the cluster is still up, after all" "$(on 2 'krgadm cluster status')" 'status: up on 2 nodes'
told=$(on 1 'grep appid= /tmp/events')
like "events told of every kill, too" "$told" " unfreeze node=1 .*signal=9$"
is "the other node was told the same" "$(on 2 'grep appid= /tmp/events')" "$told"
on 1 "kill -9 $app"
ok "cluster stop" lab exec -n 1 -- krgadm cluster stop
is "status: down" "$(on 2 'krgadm cluster status')" 'status: down'
ok "modules unload on node 1" modules_unload_clean 1
# No pause between the two: the start itself sees to it that the node listens.
is "a start right behind the key" "$(on 1 'for m in cluster proc procfs nl; do modprobe krg_$m || exit; done; modprobe krg_rpc_tcp
	krgadm key load >/dev/null; krgadm cluster start -c 1 >/dev/null && krgadm cluster status; krgadm cluster stop')" 'status: up on 1 nodes'
ok "modules unload on node 2" modules_unload_clean 2
# The lab's kernel command line has the parameters, which krgadm is not to see here.
is "unload leaves no module" "$(on 1 'krgadm unload; echo $?; lsmod | grep -c ^krg_')" "$(printf '0\n0')"
on 1 'echo quiet >/tmp/words; mount --bind /tmp/words /proc/cmdline'
is "boot without a nodes file leaves the parameters to modprobe" "$(on 1 'krgadm boot; echo $?; krgadm cluster status')" "$(printf '0\nstatus: down')"
on 1 'krgadm unload; printf "# ours\nsession=77\nnbmin=5\n\nnode2:10\nnode1:9\n" >/etc/kerrighed_nodes'
like "the file does not name the interface" "$(on 1 'krgadm boot; echo $?' | tr '\n' '|')" 'no default route .*--net-dev\|1\|$'
is "boot as the file says" "$(on 1 'krgadm boot --net-dev eth0; echo $?; cd /sys/kerrighed && cat session_id node_id')" "$(printf '0\n77\n9')"
on 1 'krgadm unload; echo session=many >/tmp/bad; echo gibberish >/tmp/worse'
like "a file that is wrong is refused" "$(on 1 'krgadm boot --net-dev eth0 --nodes-file /tmp/bad; krgadm boot --net-dev eth0 --nodes-file /tmp/worse; krgadm boot --nodes-file /no/such; echo $?; lsmod | grep -c ^krg_' 2>&1 | tr '\n' '|')" \
	"is no number\|.*/tmp/worse: 'gibberish' is not understood\|.*/no/such.*\|1\|0\|$"
ok "the log of node 1 is clean" kernel_log_clean 1
