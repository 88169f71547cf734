#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# fuzz.sh DIR SECONDS NAME: run DIR/NAME. A crash's input stays in DIR; TRACE=1 DIR/NAME INPUT tells it in words.
out=$1
name=$3
mkdir -p "$out/corpus.$name"
echo 1..1
if "$out/$name" -max_total_time="$2" -timeout=5 -rss_limit_mb=1024 -max_len=800 -artifact_prefix="$out/" "$out/corpus.$name" >"$out/$name.log" 2>&1; then
	echo "ok 1 - $name: fuzzed for $2 s, $(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$out/$name.log") inputs"
else
	echo "not ok 1 - $name: fuzzing found something"
	tail -n 30 "$out/$name.log" | sed 's/^/# /'
	exit 1
fi
