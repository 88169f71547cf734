#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# rows.sh DIR: after explore, simulate and unit have run with ROWS=DIR. No rule
# that histories or ladders never followed (a peer's errors: or random events
# never met), and the rules in the documentation are the code's.
out=$1
doc=../../../Documentation/kddm-protocol.md
bad=0
echo 1..3
"$out/tables" -n | sort -n >"$out/all"
for kind in rule error; do
	files="$out/rows.explore $out/rows.simulate $out/rows.unit"
	[ $kind = error ] && files="$files $out/rows.random"
	# shellcheck disable=SC2086
	sort -n $files | awk '{ print $1 }' | uniq >"$out/followed"
	awk -v kind=$kind '$2 == kind { print $1 }' "$out/all" | grep -vxF -f "$out/followed" >"$out/never"
	total=$(grep -c " $kind" "$out/all")
	n=1
	[ $kind = error ] && n=2
	if [ -s "$out/never" ]; then
		bad=1
		echo "not ok $n - of $total ${kind}s these were never followed: $(tr '\n' ' ' <"$out/never")"
	else
		echo "ok $n - all $total ${kind}s were followed"
	fi
done
if sed -n '/^<!-- rules -->$/,/^<!-- end -->$/p' $doc | sed '1d;$d' | diff - "$out/tables.md" >"$out/diff"; then
	echo "ok 3 - the documentation has the rules of the code"
else
	bad=1
	echo "not ok 3 - $doc is not what $out/tables prints (make -C selftests/core/kddm doc)"
	head -n 10 "$out/diff" | sed 's/^/# /'
fi
exit $bad
