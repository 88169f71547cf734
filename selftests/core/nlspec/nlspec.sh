#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Proves that krg.yaml and krg_netlink.h agree, and that the comparison can
# tell when they don't (each mutation of the specification is noticed).
set -u
cd "$(dirname "$0")" || exit 1
out=$1
uapi=../../../include/uapi
spec=$uapi/krg/krg.yaml
n=0
bad=0

compiles() { # specification
	{
		echo '#include <stddef.h>'
		echo '#include <krg/krg_netlink.h>'
		# An enum of the header has as many constants as the specification.
		awk '/^enum /{name=$2; c=0; next} name && /^\tKRG_/{c++} name && /^}/{printf "enum { size_of_%s = %d };\n", name, c; name=""}' \
			$uapi/krg/krg_netlink.h
		echo '#define enum_size(e, n) _Static_assert(size_of_##e == n, #e);'
		awk -f nlspec.awk "$1"
	} >"$out/assert.c"
	gcc -std=c11 -Wall -Werror -fsyntax-only -I"$uapi" "$out/assert.c" 2>"$out/assert.log"
}

result() { # status name
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' "$out/assert.log" | head -20
		bad=1
	fi
}

mutated() { # sed expression, name
	sed "$1" "$spec" >"$out/mutated.yaml"
	cmp -s "$spec" "$out/mutated.yaml" && { : >"$out/assert.log"; result 1 "$2 (no change made)"; return; }
	! compiles "$out/mutated.yaml"
	result $? "$2"
}

echo 1..9
compiles "$spec"
result $? "krg.yaml and krg_netlink.h agree"
asserts=$(grep -c _Static_assert "$out/assert.c")
[ "$asserts" -ge 120 ]
result $? "the comparison covers the header ($asserts assertions)"
mutated '/{name: epoch,/d' "a missing attribute is noticed"
mutated '/name: stat-get/s/stat-get/stats-get/' "a renamed command is noticed"
mutated '/{name: error, type: u32}/a\      - {name: extra, type: u32}' "an attribute too many is noticed"
mutated 's/\[absent, present,/[present, absent,/' "reordered states are noticed"
mutated 's/, restart\]/]/' "a missing event is noticed"
mutated 's/{name: nice, type: s32}/{name: nice, type: s64}/' "a struct member of another size is noticed"
mutated 's/entries: \[frozen, tty, pids\]/entries: [tty, frozen, pids]/' "exchanged flags are noticed"
exit $bad
