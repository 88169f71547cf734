#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2016 # scripts in single quotes are expanded in the node
#
# selftests/lab/checkpoint_tools.sh KERNEL: krgcr-run, checkpoint and restart as
# people use them, on two nodes that share /shared, and what can go wrong.
#
#   - an application goes on on the other node; every option of restart and krgcr-run;
#   - damaged, truncated, mixed up and missing images are refused, naming the place;
#   - INT and TERM end a save or a restart at any moment;
#   - a full disk, a power cut: what was saved before is restorable, no half version is left;
#   - what cannot be saved is refused by name; users without rights have their own.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$repo" || exit 1

grew() { [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -gt "$2" ]; }
changed() { [ "$(stat -c %.Y "$1" 2>/dev/null)" != "$2" ]; }
writes() { # FILE of /shared: whether somebody writes to it; its end may be written already
	eventually 30 changed "$shared/$1" "$(stat -c %.Y "$shared/$1" 2>/dev/null)"
}
gone() { eventually 30 on "$1" "! test -e /proc/$2"; } # NODE PID

# An application that writes a line every 20 ms to FILE until FILE.end is there
# with its exit status; its memory says which line is next. Prints its pid.
start() { # NODE FILE [WORDS of python run first [MODE of open()]]
	rm -f "$shared/$2"*
	on "$1" "cd /tmp && krgcr-run -q -b -o /shared/$2.pid -- python3 -c '
import os, sys, time
${3-}
f = open(\"/shared/$2\", \"${4-w}\")
n = 0
while not os.path.exists(\"/shared/$2.end\"):
    f.write(str(n) + chr(10)); f.flush()
    n += 1
    time.sleep(0.02)
sys.exit(int(open(\"/shared/$2.end\").read()))' </dev/null >/dev/null 2>&1" >/dev/null
	eventually 30 test -s "$shared/$2"
	cat "$shared/$2.pid"
}
counts() { # FILE: each line once, in order
	awk '$1 != NR - 1 { print "line " NR ": " $0; bad = 1; exit } END { exit bad }' "$shared/$1"
}
fields() { on "$1" "ps -o $3= -p $2" | tr -d ' '; } # NODE PID FIELD

plan 69
lab_up -n 2 --mem 640
shared=$repo/build/lab/$LAB/shared
rm -rf "${shared:?}/"{job-*,chkpt/*} # of an earlier run
# Pids are each node's own: keep those of node 1 free on node 2.
on 1 'echo 20000 >/proc/sys/kernel/ns_last_pid'

# ---- going on elsewhere
app=$(start 1 job-a)
like "save and kill" "$(on 1 "checkpoint -k $app" | tr '\n' '|')" "^Identifier: $app\|Version: 1\|"
ok "it is gone" gone 1 "$app"
like "restart on the other node" "$(on 2 "restart $app 1")" "^Application $app has been successfully restarted$"
ok "it goes on" writes job-a
like "what runs is not restarted" "$(on 2 "restart $app 1; echo \$?" | tr '\n' '|')" "^restart: .*pid $app is in use by python3.*\|1\|$"
echo 0 >"$shared/job-a.end"
ok "it ends" gone 2 "$app"
ok "every line is there once" counts job-a

# ---- an older version, after the application went on and died
for mode in w a; do
	app=$(start 1 job-o pass $mode)
	on 1 "checkpoint -q $app"
	ok "open for '$mode': it writes on" writes job-o
	on 1 "kill -9 $app" && gone 1 "$app"
	is "its version restarts elsewhere" "$(on 2 "restart -q $app 1; echo \$?")" 0
	ok "it writes again" writes job-o
	echo 0 >"$shared/job-o.end"
	gone 2 "$app"
	ok "every line is there once" counts job-o
done

# ---- options of restart
app=$(start 1 job-b)
on 1 "checkpoint -q -k9 $app" && gone 1 "$app"
like "restart frozen" "$(on 2 "restart -U $app 1")" '^Application [0-9]* has been successfully restored in \*FROZEN\* state$'
not_ok "it stands still" grew "$shared/job-b" "$(sleep 1; stat -c %s "$shared/job-b")"
ok "it can be unfrozen" lab exec -n 2 -- checkpoint -u "$app"
ok "then it goes on" writes job-b
on 2 "kill -9 $app" && gone 2 "$app"
is "its session is its own" "$(on 2 "restart -q $app 1" && fields 2 "$app" sid)" "$app"
on 2 "kill -9 $app" && gone 2 "$app"
is "with --pids it is the caller's" "$(on 2 "restart -q -p $app 1; ps -o sid= -p \$\$; ps -o sid= -p $app" | sort -u | wc -l)" 1
on 2 "kill -9 $app" && gone 2 "$app"
id=$(sed -n 's,^file *|\([0-9a-f]*\)|/shared/job-b|.*,\1,p' "$shared/chkpt/$app/v1/"user_info_*.txt)
is "a file is substituted" "$(on 2 "exec 7>/shared/job-b.other; restart -q -s $id,7 $app 1; echo \$?")" 0
ok "what it writes goes there" writes job-b.other
on 2 "kill -9 $app" && gone 2 "$app"
like "a substitute for no file" "$(on 2 "restart -s 000000000000000000ff,0 $app 1; echo \$?" | tr '\n' '|')" '^restart: .*\|1\|$'
echo 0 >"$shared/job-b.end"
is "in the foreground it waits: status 0" "$(on 2 "restart -q -f $app 1; echo \$?")" 0
echo 3 >"$shared/job-b.end"
is "any other is 1" "$(on 2 "restart -q -f $app 1; echo \$?")" 1
rm "$shared/job-b.end"
like "it passes TERM on" "$(on 2 "restart -q -f $app 1 & sleep 1; kill -TERM \$!; wait \$!; echo \$?; test -e /proc/$app || echo gone" | tr '\n' ' ')" '1 gone'

# ---- options of checkpoint
app=$(start 1 job-s 'import signal
def told(number, frame): open("/shared/job-s.told", "a").write("told" + chr(10))
signal.signal(signal.SIGUSR1, told)')
ok "freeze by the application's id" lab exec -n 1 -- checkpoint -f -a "$app"
like "save what is frozen, without callbacks" "$(on 1 "checkpoint -c -b -d two\ words --from-appid $app" | tr '\n' '|')" '^.*Version: 1\|Description: two words\|'
ok "unfreeze with a signal" lab exec -n 1 -- checkpoint -uUSR1 "$app"
ok "it gets the signal" eventually 30 test -s "$shared/job-s.told"
ok "and goes on" writes job-s
like "an id of no application" "$(on 1 "checkpoint -a 4194303; echo \$?" | tr '\n' '|')" '^checkpoint: .*4194303.*\|1\|$'
on 1 "kill -9 $app" && gone 1 "$app"

# ---- interrupted, at any moment
ended() { # by the signal of timeout(1), or before it; not by force long after
	sort -u | grep -vxE '0|1|124'
}
app=$(start 1 job-i 'x = os.urandom(48 << 20)')
like "checkpoint --json" "$(on 1 "checkpoint --json $app")" "^\{\"appid\":$app,\"version\":1,\"description\":\"No description\",\"date\":\"[^\"]*\"\}$"
is "INT ends the saving" "$(on 1 "for t in 0.1 0.2 0.4 0.8 1.6; do timeout -k 60 -s INT \$t checkpoint -q $app 2>/dev/null; echo \$?; done" | ended)" ''
ok "the application goes on" writes job-i
is "nothing half saved is left" "$(cd "$shared/chkpt/$app" && find . -mindepth 1 -maxdepth 1 ! -name 'v*')" ''
on 1 "kill -9 $app" && gone 1 "$app"
is "TERM ends the restarting" "$(on 2 "for t in 0.1 0.2 0.4 0.8 1.6; do timeout -k 60 \$t restart -q -f $app 1 2>/dev/null; echo \$?; done" | ended)" ''
ok "nobody is left" gone 2 "$app"
like "restart --json" "$(on 2 "restart --json $app 1")" "^\{\"appid\":$app,\"version\":1,\"state\":\"running\"\}$"
on 2 "kill -9 $app" && gone 2 "$app"

# ---- terminals
on 1 'cd /tmp && script -qc "krgcr-run -q -b -o /shared/job-t.pid -- python3 -c \"
import time
while True: print(chr(116) + chr(105) + chr(99) + chr(107), flush=True); time.sleep(0.05)
\"; sleep 2; checkpoint -q -k9 \$(cat /shared/job-t.pid)" /tmp/typed1 </dev/null' >/dev/null
app=$(cat "$shared/job-t.pid")
gone 1 "$app"
like "a terminal that is gone" "$(on 2 "restart $app 1; echo \$?" | tr '\n' '|')" '^restart: .*terminal.*--replace-tty.*\|1\|$'
like "is replaced by the caller's" "$(on 2 "cd /tmp && script -fqc 'restart -q -t $app 1; timeout 60 sh -c \"until grep -q ^tick typed2; do sleep 0.1; done\"; kill -9 $app' /tmp/typed2 </dev/null >/dev/null; cat /tmp/typed2")" '^tick'

# ---- bad images
app=$(start 1 job-c)
on 1 "checkpoint -q $app; checkpoint -q -k9 $app" && gone 1 "$app"
bad=$shared/chkpt/$app/v9
try() { # what restart says to the bad image, then 1
	on 2 "restart $app 9; echo \$?" | tr '\n' '|'
}
said=
for file in global.bin "task_$app.bin" "$(basename "$(echo "$shared/chkpt/$app/v1/"node_*.bin)")" "$(basename "$(echo "$shared/chkpt/$app/v1/"shared_obj_*.bin)")"; do
	for at in 3 150 700; do
		rm -rf "$bad" && cp -a "$shared/chkpt/$app/v1" "$bad"
		printf '\252' | dd of="$bad/$file" bs=1 seek=$at conv=notrunc status=none
		[[ $(try) =~ ^"restart: ".*"$file: record "[0-9]+" at offset "[0-9]+:.*"|1|"$ ]] || said+="$file $at: $(try)"
	done
	rm -rf "$bad" && cp -a "$shared/chkpt/$app/v1" "$bad"
	truncate -s -5 "$bad/$file"
	[[ $(try) =~ ^"restart: ".*"$file: ".*"|1|"$ ]] || said+="$file truncated: $(try)"
	rm "$bad/$file"
	[[ $(try) =~ ^"restart: ".*"$file".*"|1|"$ ]] || said+="$file missing: $(try)"
	cp -a "$shared/chkpt/$app/v2/$file" "$bad"
	[[ $(try) =~ ^"restart: ".*"|1|"$ ]] || said+="$file of another version: $(try)"
done
is "damaged, cut, missing, foreign files are refused" "$said" ''
is "and nothing was started" "$(on 2 "test -e /proc/$app || echo none")" none
rm -rf "$bad"
like "a version there is not" "$(on 2 "restart $app 7; echo \$?" | tr '\n' '|')" '^restart: .*\|1\|$'
like "inspect finds damage" "$(cp -a "$shared/chkpt/$app/v1" "$bad" && truncate -s -9 "$bad/global.bin" && on 1 "krgadm checkpoint inspect $app 9; echo \$?" | tr '\n' '|')" 'global.bin.*\|1\|$'
rm -rf "$bad"
like "two operands or help" "$(on 1 'restart; echo $?' | tr '\n' '|')" '^Usage: restart .*\|1\|$'

# ---- a full disk
app=$(start 1 job-d)
on 1 "mkdir /tmp/small && mount -t tmpfs -o size=64m tmpfs /tmp/small && KRG_CHKPT_DIR=/tmp/small checkpoint -q $app && used=\$(du -sk /tmp/small | cut -f1) && mount -o remount,size=\$((used * 3 / 2))k /tmp/small" >/dev/null
like "a full disk is said" "$(on 1 "KRG_CHKPT_DIR=/tmp/small checkpoint $app; echo \$?" | tr '\n' '|')" '^checkpoint: .*(No space left|error 28).*\|1\|$'
like "also when it is to be killed" "$(on 1 "KRG_CHKPT_DIR=/tmp/small checkpoint -k $app; echo \$?" | tr '\n' '|')" '^checkpoint: .*(No space left|error 28).*\|1\|$'
ok "the application runs on" writes job-d
is "nothing half is left" "$(on 1 'ls -A /tmp/small; ls /tmp/small/*' | tr '\n' ' ')" "$app v1 "
on 1 "kill -9 $app" && gone 1 "$app"
is "what was there is restorable" "$(on 1 "KRG_CHKPT_DIR=/tmp/small restart -q $app 1; echo \$?")" 0
on 1 "kill -9 $app; umount -l /tmp/small" >/dev/null

# ---- what cannot be saved, who may what
app=$(start 1 job-e 'import socket; s = socket.socket()')
like "a socket is refused by name" "$(on 1 "checkpoint $app; echo \$?" | tr '\n' '|')" '^checkpoint: .*socket: fd 3.*\|1\|$'
ok "the application runs on, unharmed" writes job-e
is "no version was made" "$(on 1 "ls /var/chkpt/$app 2>/dev/null")" ''
like "it can be left out" "$(on 1 "checkpoint -i $app" | tr '\n' '|')" 'Version: 1\|'
on 1 "kill -9 $app" >/dev/null
app=$(start 1 job-f 'd = "/tmp/gone"; os.mkdir(d); os.chdir(d); os.rmdir(d)')
like "so is a directory that is gone" "$(on 1 "checkpoint $app; echo \$?" | tr '\n' '|')" '^checkpoint: .*dir: its current directory is deleted\|1\|$'
on 1 "kill -9 $app" >/dev/null
app=$(start 1 job-h 'n = os.open("/proc/self/ns/uts", 0)')
like "and what only looks like a file" "$(on 1 "checkpoint $app; echo \$?" | tr '\n' '|')" '^checkpoint: .*nsfs: fd 3.*\|1\|$'
on 1 "kill -9 $app" >/dev/null
app=$(start 1 job-g 'import threading; threading.Thread(target=lambda: time.sleep(1000), daemon=True).start()')
like "so is a thread" "$(on 1 "checkpoint $app; echo \$?" | tr '\n' '|')" '^checkpoint: .*thread: .*\|1\|$'
on 1 "kill -9 $app" >/dev/null
like "a user without rights" "$(on 2 'su nobody -s /bin/sh -c "cd /tmp && krgcr-run -q -b -o /tmp/n.pid -- sleep 1000 </dev/null >/dev/null 2>&1 && KRG_CHKPT_DIR=/tmp/nb checkpoint -q -k9 \$(cat /tmp/n.pid) && sleep 1 && KRG_CHKPT_DIR=/tmp/nb restart \$(cat /tmp/n.pid) 1 && ps -o user=,args= -p \$(cat /tmp/n.pid) && kill \$(cat /tmp/n.pid)"')" '^nobody +sleep 1000$'

# ---- krgcr-run
is "krgcr-run passes failure on" "$(on 1 'krgcr-run -q true; echo $?; krgcr-run -q sh -c "exit 7"; echo $?; krgcr-run /no/such; echo $?' | tr '\n' '|')" \
	'0|1|krgcr-run: /no/such: No such file or directory|1|'
is "krgcr-run starts nothing if it can't say what" "$(on 1 'krgcr-run -q -b -o /no/such/file -- sleep 7777 </dev/null; echo $?; pgrep -fx "sleep 7777"' | tr '\n' '|')" \
	'krgcr-run: /no/such/file: No such file or directory|1|'
is "krgcr-run -b -s waits for file 4" "$(on 1 'krgcr-run -q -b -s -- sh -c "sleep 1; : >/tmp/closing; exec 4>&-; exec sleep 30" </dev/null >/dev/null 2>&1; ls /tmp/closing')" /tmp/closing

# ---- a power cut in the middle of it
app=$(start 2 job-p 'm = bytearray(os.urandom(1 << 20)) * 48')
on 2 "checkpoint -q $app && (while checkpoint -q $app; do :; done >/tmp/loop 2>&1 &)" >/dev/null
sleep "$((1 + RANDOM % 3)).$((RANDOM % 10))"
lab kill 2
versions=$(on 1 "krgadm checkpoint list --json" | grep -o "\"appid\":$app,[^}]*\"version\":[0-9]*\|\"version\":[0-9]*[^}]*\"appid\":$app" | grep -o '"version":[0-9]*' | cut -d: -f2 | sort -n)
last=$(tail -n 1 <<<"$versions")
said=$(for v in $versions; do on 1 "krgadm checkpoint inspect $app $v >/dev/null || echo version $v"; done)
is "after a power cut every version is whole" "${last:+some}: $said" 'some: '
is "the last one restarts elsewhere" "$(on 1 "restart -q $app $last; echo \$?")" 0
ok "and goes on" writes job-p
on 1 "kill -9 $app" && gone 1 "$app"
on 1 "krgadm checkpoint rm --all $app" >/dev/null
is "rm leaves nothing, no draft either" "$(on 1 "ls -A /var/chkpt | grep -e '^\\.new' -e '^$app\$'")" ''

ok "node 1: no kernel report" kernel_log_clean 1
ok "node 1: all modules unload" modules_unload_clean 1
