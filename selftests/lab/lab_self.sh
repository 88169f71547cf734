#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Proves the lab itself: what every other scenario takes for granted. Commands
# keep their status, outputs and input, many at once and on a busy node; files
# travel whole; faults do what they say; a dying node is told from a slow one;
# and nothing is left behind, however a lab ends.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
plan 55
mkdir "$tmp/run"
export TMPDIR=$tmp/run # sockets of these labs alone
other=$LAB-other
log=$repo/build/lab/$LAB

processes() { # LAB's processes, by what only they have on their command line
	grep -lsaE -- "-name.krg-$1-node|$repo/build/lab/$1/" /proc/[0-9]*/cmdline 2>/dev/null |
		while read -r file; do
			case $(readlink "${file%/cmdline}/exe") in
			*/qemu-system-x86_64 | */vde_switch | */lab-host) echo "$file" ;;
			esac
		done
}
sockets() { find "$TMPDIR" -maxdepth 1 -name 'krg-lab.*' | wc -l; }
status_of() { "$@" >/dev/null 2>&1; echo $?; }
milliseconds() { # CMD…
	local start=${EPOCHREALTIME/./}
	"$@" >/dev/null 2>&1
	echo $(((${EPOCHREALTIME/./} - start) / 1000))
}

is "an unknown command is misuse" "$(status_of lab frobnicate)" 2
is "so is an unknown option" "$(status_of lab up --frobnicate)" 2
is "a lab that is not up is said so" "$(lab status 2>&1)" "lab: '$LAB' is not up"
like "rdma is refused for now" "$(lab up --transport rdma 2>&1)" "rdma transport not supported yet"

took=$(milliseconds lab_up -n 2 --no-modules)
# shellcheck disable=SC2034 # it is, and finish must know
lab_is_up=1
lab status >/dev/null || bail "no lab to test"
limit=60000
[ "$KERNEL" != debug ] || limit=150000
ok "two nodes are up in $took ms, at most $limit" test "$took" -le $limit
like "the kernel is the one asked for" "$(lab exec 1 uname -r)" "^6\.(1\.0-|12\.|1\..*krgdebug)"
is "up after up is an error" "$(lab up -n 1 2>&1)" "lab: '$LAB' is up already; scripts/lab down ends it"
is "and disturbs nothing" "$(lab status | awk '{print $1, $2, $3}')" $'1 ready 192.168.0.1\n2 ready 192.168.0.2'

# ---- exec
is "status 0" "$(status_of lab exec 1 true)" 0
is "status 7" "$(status_of lab exec 2 -- sh -c 'exit 7')" 7
# shellcheck disable=SC2016 # the node's shell expands it
is "killed by signal 9: 137" "$(status_of lab exec 1 -- sh -c 'kill -9 $$')" 137
is "no such command: 127" "$(status_of lab exec 1 /no/such/command)" 127
lab exec 1 -- sh -c 'echo out; echo err >&2' >"$tmp/out" 2>"$tmp/err"
is "stdout and stderr stay apart" "$(cat "$tmp/out")/$(cat "$tmp/err")" "out/err"
is "arguments arrive as they are" "$(lab exec 1 -- printf '[%s]' 'a b' '' "*")" "[a b][][*]"
head -c 3000000 /dev/urandom >"$tmp/blob"
ok "stdin, stdout: 3 MB of any bytes" cmp "$tmp/blob" <(lab exec 1 cat <"$tmp/blob")
like "-i gives a terminal" "$(lab exec -i 1 tty </dev/null)" "^/dev/pts/"
is "without it there is none" "$(lab exec -n 1 tty)" "not a tty"
is "all: every node, each line says which" "$(lab exec all hostname | sort)" $'1: node1\n2: node2'
is "all: fails if one node's command fails" "$(status_of lab exec all -- test "$(lab exec 1 hostname)" = node2)" 1

# The slowest of the pipes: output that nobody reads.
mkfifo "$tmp/fifo"
lab exec -n 1 -- sh -c 'head -c 5000000 /dev/zero; echo end' >"$tmp/fifo" &
unread=$!
exec 5<"$tmp/fifo"
lab exec -n 1 -- stress-ng --quiet --cpu 4 --vm 1 --vm-bytes 64M --timeout 20 &
load=$!
wait_for=()
for i in $(seq 20); do
	(
		lab exec -n 1 -- sh -c "for j in 1 2 3; do echo $i; sleep 0.2; done; exit $i" >"$tmp/many.$i"
		echo $? >"$tmp/status.$i"
	) &
	wait_for+=($!)
done
wait "${wait_for[@]}"
right=0
for i in $(seq 20); do
	[ "$(cat "$tmp/status.$i")" = "$i" ] && [ "$(tr '\n' ' ' <"$tmp/many.$i")" = "$i $i $i " ] && right=$((right + 1))
done
is "20 at once on a busy node beside one whose output nobody reads" "$right" 20
is "and that one's output is whole" "$(cat <&5 | tail -c 4)" "end"
exec 5<&-
wait "$unread" "$load"

for i in 1 2 3 4 5; do
	milliseconds lab exec 1 true
done | sort -n >"$tmp/times"
took=$(sed -n 3p "$tmp/times")
limit=500
[ "$KERNEL" != debug ] || limit=2500
ok "a command costs $took ms, at most $limit" test "$took" -le $limit

"$repo/scripts/lab" exec -n 1 sleep 4321 &
client=$!
eventually 10 lab exec 1 pgrep -f 'sleep 4321'
kill -KILL $client
wait $client 2>/dev/null
ok "a killed client's command ends" eventually 10 lab exec -n 1 -- sh -c '! pgrep -x sleep'
is "a signal goes to the command" "$(status_of timeout 2 "$repo/scripts/lab" exec -n 1 sleep 4321)" 124
is "a daemon in the background holds up nothing" "$(lab exec -n 1 -- sh -c 'sleep 30 & echo done')" "done"

# ---- files
mkdir -p "$tmp/tree/sub"
cp "$tmp/blob" "$tmp/tree/sub/blob"
echo script >"$tmp/tree/run"
chmod 750 "$tmp/tree/run"
ln -s run "$tmp/tree/link"
ok "push" lab push 2 "$tmp/tree" "$tmp/fifo" /root/in
ok "pull" lab pull 2 /root/in/tree "$tmp/back"
ok "files are whole" diff -r "$tmp/tree" "$tmp/back/tree"
is "modes and links too" "$(stat -c %a "$tmp/back/tree/run") $(readlink "$tmp/back/tree/link")" "750 run"
lab exec 1 -- sh -c 'echo from-1 >/shared/note'
is "/shared is one directory on the nodes and here" "$(lab exec 2 cat /shared/note) $(cat "$log/shared/note")" "from-1 from-1"
lab exec 1 -- sh -c 'echo x >/var/chkpt/by-1'
is "/var/chkpt is on it, and open to all" "$(lab exec 2 -- stat -c %a /var/chkpt /var/chkpt/by-1 | tr '\n' ' ')" "1777 644 "

# ---- the network
reaches() { lab exec -n 1 ping -c "${1-1}" -i 0.2 -W 2 -q 192.168.0.2; }
ok "nodes reach each other" eventually 10 reaches
not_ok "and nothing else" lab exec 1 ping -c 1 -W 1 10.0.2.2
lab link 2 down
not_ok "link down" reaches
lab link 2 up
ok "link up" eventually 10 reaches
lab link 2 delay 100
average=$(reaches 5 | sed -n 's|^rtt.*= [0-9.]*/\([0-9]*\).*|\1|p')
lab link 2 clear
ok "delay 100: a round trip took ${average:-?} ms" test "${average:-0}" -ge 100
lab link 2 loss 100
not_ok "loss 100" reaches 3
lab link 2 clear
ok "clear" reaches

# ---- ends of nodes
lab exec -n 2 sleep 4321 2>"$tmp/err" &
client=$!
eventually 10 lab exec 2 pgrep -f 'sleep 4321'
lab exec 2 touch /root/mark
lab kill 2
wait $client
is "a power cut ends a command with 125" "$?/$(cat "$tmp/err")" "125/lab exec: node 2: the node stopped while the command ran"
is "status tells" "$(lab status | awk '$1 == 2 {print $2}')/$(status_of lab exec 2 true)" "off/125"
lab boot 2 2>&1
ok "boot: the node is back and new" lab exec 2 test ! -e /root/mark
lab exec 2 reboot -f >/dev/null 2>&1
ok "a node that reboots comes back by itself" lab wait 2
lab exec 2 -- sh -c 'echo c >/proc/sysrq-trigger; sleep 30' 2>"$tmp/err"
is "a panic ends a command with 125" "$?/$(cat "$tmp/err")" "125/lab exec: node 2: the node panicked while the command ran"
ok "its log can be read, and is not clean" sh -c "grep -q 'sysrq triggered crash' '$log/node2/console.log'"
is "a report in the log is noticed" "$(kernel_log_clean 2 | head -n 1)" "kernel report on node 2:"
ok "node 1 has none" kernel_log_clean 1

# ---- ends of labs
LAB=$other lab up -n 1 --no-modules --kernel "$KERNEL" >"$tmp/other" 2>&1
is "a second lab beside the first" "$(LAB=$other lab exec 1 hostname)$(lab exec 1 hostname)" "node1node1"
LAB=$other lab down
lab_down
is "down leaves no process and no socket" "$(processes "$LAB")$(processes "$other")/$(sockets)" "/0"

out=$(lab up -n 1 --no-modules --kernel "$KERNEL" --append rdinit=/no/such/init 2>&1)
is "a failed up fails" $? 1
like "it shows the console's end" "$out" "end Kernel panic"
is "it leaves nothing" "$(processes "$LAB")/$(sockets)/$(lab status 2>&1)" "/0/lab: '$LAB' is not up"

set -m
"$repo/scripts/lab" up -n 1 --no-modules --kernel "$KERNEL" >/dev/null 2>&1 &
up=$!
set +m
ok "an up is under way" eventually 60 grep -q 'Linux version' "$log/node1/console.log"
kill -INT -- -$up
wait $up
is "Ctrl-C ends it with 130" $? 130
is "it leaves nothing either" "$(processes "$LAB")/$(sockets)" "/0"

"$repo/scripts/lab" up -n 1 --no-modules --kernel "$KERNEL" >/dev/null 2>&1 &
up=$!
eventually 60 grep -q 'Linux version' "$log/node1/console.log"
kill -KILL $up
wait $up 2>/dev/null
lab down
is "down cleans up after a killed up" "$(processes "$LAB")/$(sockets)" "/0"
