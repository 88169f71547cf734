#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Proves what INTERFACE promises of every tool: --help and --version succeed,
# an unknown word is named with exit 2, what cannot be done is said with exit 1
# and never pretended; and the parts that need no kernel: keys, krgcr-run, the
# checkpoint directory.
set -u
if [ $# != 2 ] || [ ! -x "$1/krgadm" ] || [ ! -d "$2" ]; then
	echo "Bail out! usage: cli.sh DIRECTORY-OF-THE-TOOLS OUT"
	exit 2
fi
tools=$(realpath "$1")
out=$(realpath "$2")
PATH=$tools:$PATH
export KRG_CHKPT_DIR=$out/chkpt
rm -rf "$out/chkpt" "$out"/*.key "$out"/{session,closed,up}
n=0
bad=0

report() { # status name
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' "$out/stdout" "$out/stderr" | head -n 12
		bad=1
	fi
}

# Run a command: its status, and patterns its stdout and stderr must match.
try() { # NAME STATUS STDOUT-REGEX STDERR-REGEX CMD…
	local name=$1 want=$2 o=$3 e=$4 got
	shift 4
	"$@" >"$out/stdout" 2>"$out/stderr" </dev/null
	got=$?
	[ "$got" = "$want" ] && grep -qE -- "$o" <(cat "$out/stdout"; echo) && grep -qE -- "$e" <(cat "$out/stderr"; echo)
	report $? "$name"
}

refused() { # NAME WORD CMD…: one line on stderr naming WORD, exit 2, nothing on stdout
	local name=$1 word=$2 got
	shift 2
	"$@" >"$out/stdout" 2>"$out/stderr" </dev/null
	got=$?
	[ "$got" = 2 ] && [ ! -s "$out/stdout" ] && [ "$(wc -l <"$out/stderr")" = 1 ] && grep -qF -- "$word" "$out/stderr"
	report $? "$name"
}

echo 1..71
for tool in krgadm checkpoint restart krgcr-run krgcapset migrate; do
	try "$tool --help" 0 '^Usage|SUBCOMMAND' '^$' "$tool" --help
	try "$tool --version" 0 "^$tool \(krg\) [0-9]" '^$' "$tool" --version
done
try "checkpoint -v" 0 '^checkpoint \(krg\)' '^$' checkpoint -v

refused "krgadm: unknown command" frobnicate krgadm frobnicate
refused "krgadm cluster: unknown word" frobnicate krgadm cluster frobnicate
refused "krgadm nodes: unknown word" frobnicate krgadm nodes frobnicate
refused "krgadm cluster status: word too many" frobnicate krgadm cluster status frobnicate
refused "krgadm ps: unknown option" --frobnicate krgadm ps --frobnicate
refused "krgadm top: no such sort key" colour krgadm top -b -n 1 -o colour
refused "checkpoint: unknown option" --frobnicate checkpoint --frobnicate 1
refused "checkpoint: unknown letter" -x checkpoint -x 1
refused "checkpoint: no process" process checkpoint
refused "checkpoint: two processes" 2 checkpoint 1 2
refused "checkpoint: not a number" one checkpoint one
refused "checkpoint: no such signal" NOSUCH checkpoint --kill=NOSUCH 1
refused "checkpoint: a detached value is the operand" KILL checkpoint -k KILL
refused "restart: unknown option" -x restart -x 1 1
refused "restart: bad substitute" 12,0 restart -s 12,0 1 1
refused "restart: substitute not open" 77 restart -s 00000000000000000001,77 1 1
refused "restart: version 0" "'0'" restart 1 0
refused "krgcr-run: no program" program krgcr-run
refused "krgcr-run: unknown option" --frobnicate krgcr-run --frobnicate true

try "restart with one operand: help, exit 1" 1 '^Usage: restart' '^$' restart 1
try "restart without operands: help, exit 1" 1 '^Usage: restart' '^$' restart
try "restart: no checkpoint" 1 '^$' '^restart: application 4711 has no checkpoint' restart 4711 1
for words in "nodes drain -n 1" "nodes undrain -n 1" "why 1" "run true"; do
	# shellcheck disable=SC2086 # a list of words
	try "krgadm $words: not supported yet" 1 '^$' 'not supported yet' krgadm $words
done
try "krgcapset: not supported yet" 1 '^$' '^krgcapset: not supported yet' krgcapset -s
try "migrate: not supported yet" 1 '^$' '^migrate: not supported yet' migrate 1 2
try "krgcr-run -n: not supported yet" 1 '^$' 'not supported yet' krgcr-run -n true

if [ -d /sys/module/krg_nl ]; then
	echo "ok $((n + 1)) - cluster status without krg # SKIP krg is loaded here"
	echo "ok $((n + 2)) - the same as JSON # SKIP krg is loaded here"
	echo "ok $((n + 3)) - ps without krg # SKIP krg is loaded here"
	n=$((n + 3))
else
	try "cluster status without krg" 1 '^status: error$' '^krgadm: cluster status: krg is not loaded' krgadm cluster status
	try "the same as JSON" 1 '^\{"status":"error","error":' 'not loaded' krgadm cluster status --json
	try "ps without krg" 1 '^$' '^krgadm: ps: krg is not loaded' krgadm ps
fi
try "nodes add without a selector" 1 '^$' 'nodes add: give one of' krgadm nodes add
try "nodes add with two selectors" 1 '^$' 'nodes add: give one of' krgadm nodes add -a -c 1
try "nodes del without a selector" 1 '^$' 'nodes del: give one of' krgadm nodes del

try "krgcr-run prints the pid" 0 '^Running application [0-9]+$' '^$' krgcr-run true
try "krgcr-run -q prints nothing" 0 '^$' '^$' krgcr-run -q true
try "krgcr-run: a program that fails" 1 '' '^$' krgcr-run -q false
try "krgcr-run: no such program" 1 '^$' '^krgcr-run: /no/such: No such file' krgcr-run /no/such
# shellcheck disable=SC2016 # for the inner shell
try "krgcr-run: a session of its own, written to a file" 0 '^same$' '^$' \
	krgcr-run -q -o "$out/session" -- sh -c 'read -r a b c d e f rest </proc/self/stat; sleep 0.3; [ "$f" = "$(cat "$0")" ] && echo same' "$out/session"
# shellcheck disable=SC2016
try "krgcr-run -b -s waits for file 4 to close" 0 '^closed$' '^$' \
	sh -c 'krgcr-run -q -b -s sh -c "sleep 0.5; echo closed >$0; exec 4>&-; sleep 5"; cat "$0"' "$out/closed"
# shellcheck disable=SC2016
try "krgcr-run relays TERM" 1 '^got it$' '' \
	sh -c 'krgcr-run -q sh -c "trap \"echo got it; exit 3\" TERM; echo up >$0; while :; do sleep 0.1; done" & until [ -s "$0" ]; do sleep 0.1; done; kill -TERM $!; wait $!' "$out/up"

key=$out/session.key
# Fingerprints need the kernel's HMAC for programs (AF_ALG); the rest does not.
try "key generate" 0 "$key" '^$' krgadm key generate --file "$key"
[ "$(stat -c %a "$key")" = 600 ] && grep -qE '^[0-9a-f]{64}$' "$key"
report $? "the key is 64 digits that only root may read"
cp -p "$key" "$out/first.key"
try "key generate refuses to replace a key" 1 '^$' 'File exists' krgadm key generate --file "$key"
cmp -s "$key" "$out/first.key"
report $? "and has not touched it"
try "key generate --force" 0 '' '^$' krgadm key generate --force --file "$key"
! cmp -s "$key" "$out/first.key"
report $? "it has made another"
chmod 644 "$key"
try "a key that others may read is refused" 1 '^$' 'mode must be 0600' krgadm key load --file "$key"
(umask 077; echo zz >"$out/bad.key")
try "what is no key is refused" 1 '^$' 'no key' krgadm key load --file "$out/bad.key"

mkdir -p "$KRG_CHKPT_DIR/123/v1" "$KRG_CHKPT_DIR/123/v12" "$KRG_CHKPT_DIR/.new-dead"
printf 'Identifier: 123\nVersion: 1\nDescription: two\nlines\nDate: Sat Nov 21 09:00:00 2026\n' >"$KRG_CHKPT_DIR/123/v1/description.txt"
try "checkpoint list" 0 '^ +123 +12 ' '^$' krgadm checkpoint list
try "checkpoint list --json" 0 '"version":1,.*"description":"two\\nlines".*"version":12,' '^$' krgadm checkpoint list --json 123
try "checkpoint rm: a version that is not there" 1 '^$' 'application 123 has no version 7' krgadm checkpoint rm 123 7
try "checkpoint rm --all" 0 '' '^$' krgadm checkpoint rm 123 --all
[ -z "$(ls -A "$KRG_CHKPT_DIR")" ]
report $? "nothing is left, nor what a dead writer had left"

set +u
# shellcheck source=/dev/null
. "$(dirname "$0")/../../../krgadm/completion/krgadm"
offered() { # WORD…: what completion offers for the last one
	local name=_krg_$1
	name=${name/_krg_krgadm/_krgadm}
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	"${name/_krg_krgcr-run/_krg_run}"
	printf '%s\n' "${COMPREPLY[@]}" | sort
}
options() { "$@" --help | grep -oE '(^ +(-[a-zA-Z](\[SIG\])?, *)?|,)--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort; }
words() { "$@" --help | sed -n '/^Subcommands/,$ s/^  \([a-z]\+\) .*/\1/p' | sort; }
complete_differs() { # WORD…: prints where completion and --help do
	local word
	for word in $(words "$@"); do complete_differs "$@" "$word"; done
	diff <(options "$@") <(offered "$@" -- | grep -v '^$') || echo "$*: options"
	[ -z "$(words "$@")" ] || diff <(words "$@") <(offered "$@" '' | grep -v ^-) || echo "$*: words"
}
for tool in krgadm checkpoint restart krgcr-run; do complete_differs $tool; done >"$out/stdout" 2>"$out/stderr"
[ ! -s "$out/stdout" ] && [ ! -s "$out/stderr" ]
report $? "completion offers what --help shows, no more and no less"
exit $bad
