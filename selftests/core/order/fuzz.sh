#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# fuzz.sh DIR SECONDS: run DIR/fuzz. A crash's input stays in DIR; TRACE=1 DIR/fuzz INPUT tells it in words.
out=$1
mkdir -p "$out/corpus"
echo 1..1
if "$out/fuzz" -max_total_time="$2" -timeout=5 -rss_limit_mb=1024 -max_len=800 -artifact_prefix="$out/" "$out/corpus" >"$out/fuzz.log" 2>&1; then
	echo "ok 1 - fuzzed for $2 s, $(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$out/fuzz.log") inputs"
else
	echo "not ok 1 - fuzzing found something"
	tail -n 30 "$out/fuzz.log" | sed 's/^/# /'
	exit 1
fi
