#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mutate.sh OUT: breaks one rule of the order after the other; the explorer has to notice.
set -u
cd "$(dirname "$0")" || exit 1
out=$1
core=../../../modules/cluster/core
mkdir -p "$out/mutant"
count=0
bad=0
mutant() { # FILE SED NAME
	local flags=(-std=gnu11 -O2 -I"$out/mutant" -I../../.. -I../../../include -I"$core" -DKRG_ORDER_CHUNKS=1500)
	count=$((count + 1))
	sed "$2" "$core/$1.c" >"$out/mutant/$1.c"
	if cmp -s "$core/$1.c" "$out/mutant/$1.c"; then
		echo "not ok $count - $3: nothing to mutate"
		bad=1
		return
	fi
	if ! gcc "${flags[@]}" -c -o "$out/mutant/$1.o" "$out/mutant/$1.c"; then
		echo "not ok $count - $3: does not build"
		bad=1
		return
	fi
	local objects=("$out/mutant/$1.o")
	for f in order order_view order_wire wire; do
		[ $f = "$1" ] || objects+=("$out/fast/$f.o")
	done
	g++ -o "$out/mutant/explore" "$out"/fast/{explore,world}.o "${objects[@]}"
	# One that crashes was noticed too; the shell need not say so.
	if { "$out/mutant/explore" quick >"$out/mutant/log" || { [ $? -le 128 ] || echo "not ok 0 - crashes" >>"$out/mutant/log"; false; }; } 2>/dev/null; then
		echo "not ok $count - nobody noticed: $3"
		bad=1
	else
		echo "ok $count - $3: $(sed -n '/^not ok/{s/^not ok [0-9]* - //;p;q}' "$out/mutant/log")"
	fi
}
mutant order 's/act->own = applied/act->own = false \&\& applied/' 'does not know its own operations'
mutant order 's/o->own_sent = o->own_applied;/;/' 'sends nothing again in a new view'
mutant order 's/if (epoch > o->epoch)/if (0)/' 'takes messages of a view to come'
mutant order 's/if (epoch < o->epoch || from/if (from/' 'takes messages of the last view'
mutant order 's/o->follower\[n\].acked < low/o->follower[n].acked > low/' 'says stable what some have'
mutant order 's/n == lowest ? second : low/o->last/' 'says stable what it has itself'
mutant order 's/o->newborn = false;/;/' 'is newborn for ever'
mutant order_view 's/o->report\[n\].newborn/o->report[n].fresh/' 'forgets who was restored and not told of'
mutant order_view 's/o->report\[n\].last > o->report\[best\].last/0/' 'lets any member lead'
mutant order_view 's/behind |= .*/;/' 'gives a snapshot before all have caught up'
mutant order_view 's/f->own = o->last + 1;/;/' 'does not say when the view is stable'
mutant order_view 's/o->sequencer = KRG_NO_NODE;/;/' 'obeys the last sequencer'
mutant order_view 's/o->fresh = true;/;/' 'keeps its number when it leaves'
mutant order_view 's/krg_mask_add(&v->dead, n);/;/' 'does not tell who is dead'
mutant order_view 's/o->shared = \*ev->shared;/;/' 'restores without the serials'
echo "1..$count"
exit $bad
