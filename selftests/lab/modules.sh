#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every module of scripts/modules.list that exists loads in that order, can be
# unloaded in the opposite one, and a second time, with nothing left: no
# module, no kernel report, and on the debug kernel no memory.
# shellcheck source=selftests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
plan 4
lab_up -n 1 --no-cluster
wanted=$(grep -vE '^(#|$)' "$repo/scripts/modules.list" | while read -r name; do
	[ ! -e "$repo/build/modules/$KERNEL/$name.ko" ] || echo "$name"
done)
loaded() { lab exec -n 1 lsmod | sed -n 's/^\(krg_[a-z0-9_]*\) .*/\1/p'; }

is "all modules are loaded" "$(loaded | sort)" "$(sort <<<"$wanted")"
ok "they unload and leave nothing" modules_unload_clean 1
# shellcheck disable=SC2086,SC2016 # a list of words; the node's shell expands it
ok "and load again" lab exec -n 1 -- sh -c 'for m; do modprobe "$m" || exit 1; done' sh $wanted
ok "and unload again" modules_unload_clean 1
