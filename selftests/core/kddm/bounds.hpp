/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The worlds that are explored whole. Those that take seconds each are left to
 * `make -C selftests/core/kddm deep`.
 */
#pragma once

#include "explorer.hpp"

namespace kddm
{

inline std::vector<Bounds> all_bounds(bool deep)
{
	const std::vector<Kind> rw{Kind::Read, Kind::Write};
	const std::vector<Kind> most{Kind::Read, Kind::Write, Kind::Flush, Kind::Sync, Kind::Remove};
	const std::vector<Kind> every{Kind::Read,  Kind::Write, Kind::Prefetch, Kind::Find,
				      Kind::Flush, Kind::Sync,	Kind::Remove};
	std::vector<Bounds> all;
	auto add = [&](const char *name, const std::vector<Kind> &kinds, unsigned ops, auto change) {
		Bounds b;
		b.name = name;
		b.kinds = kinds;
		b.ops = ops;
		change(b);
		all.push_back(b);
	};

	add("3 nodes, 1 object, 7 reads and writes", rw, 7, [](Bounds &b) { b.stores = 1; });
	add("3 nodes, 1 object, 4 operations of any kind", every, 4, [](Bounds &b) { b.stores = 1; });
	add("3 nodes, 1 object, 4 reads and writes, 2 users a node, slow linkers without memory, users that give up",
	    rw, 4, [](Bounds &b) {
		    b.rules.slots = 2;
		    b.rules.release_now = b.rules.fill_now = false;
		    b.fill_fails = b.give_ups = 1;
	    });
	add("3 nodes, 1 object, 3 operations of most kinds, 2 users a node, slow linkers without memory", most, 3,
	    [](Bounds &b) {
		    b.rules.slots = 2;
		    b.rules.release_now = b.rules.fill_now = false;
		    b.fill_fails = 1;
	    });
	add("2 nodes, 2 objects, 5 operations of most kinds", most, 5, [](Bounds &b) {
		b.rules.nodes = 2;
		b.rules.objects = 2;
	});
	add("3 nodes, 1 object at home, 5 operations of most kinds", most, 5, [](Bounds &b) {
		b.rules.home = 0;
		b.install = true;
	});
	add("3 nodes, 4 operations, a death at any moment", {Kind::Read, Kind::Write, Kind::Flush}, 4,
	    [](Bounds &b) { b.kills = 1; });
	add("3 nodes, 3 operations of most kinds, slow linkers, a death at any moment", most, 3, [](Bounds &b) {
		b.kills = 1;
		b.rules.release_now = b.rules.fill_now = false;
	});
	add("3 nodes, 1 object at home, 3 operations, a death at any moment, home's too", most, 3, [](Bounds &b) {
		b.kills = 1;
		b.rules.home = 0;
		b.install = true;
	});
	add("3 nodes, 3 reads and writes, two deaths at any moment", rw, 3, [](Bounds &b) { b.kills = 2; });
	add("3 nodes, 2 writes and removals, one leaves at any moment", {Kind::Write, Kind::Remove}, 2, [](Bounds &b) {
		b.leaves = 1;
		b.evictions = 2;
	});
	add("2 nodes, 2 operations of most kinds, a third joins at any moment", most, 2, [](Bounds &b) {
		b.rules.start = 2;
		b.joins = 1;
	});
	add("2 nodes, 2 reads and writes, a third joins, one dies, at any moment", rw, 2, [](Bounds &b) {
		b.rules.start = 2;
		b.joins = b.kills = 1;
	});
	add("3 nodes, 1 write, one leaves, one dies, at any moment", {Kind::Write}, 1, [](Bounds &b) {
		b.leaves = b.kills = 1;
		b.evictions = 2;
	});
	add("3 nodes, 2 reads and writes, one dies and comes again at any moment", rw, 2,
	    [](Bounds &b) { b.agains = 1; });
	add("3 nodes, 1 object at home, 2 operations, one dies and comes again at any moment, home too",
	    {Kind::Read, Kind::Write, Kind::Remove}, 2, [](Bounds &b) {
		    b.agains = 1;
		    b.rules.home = 0;
		    b.install = true;
	    });
	if (!deep)
		return all;
	add("3 nodes, 1 object, 10 reads and writes", rw, 10, [](Bounds &b) { b.stores = 2; });
	add("3 nodes, 1 object, 6 operations of any kind", every, 6, [](Bounds &) {});
	add("4 nodes, 1 object, 5 reads and writes", rw, 5, [](Bounds &b) { b.rules.nodes = 4; });
	add("3 nodes, 1 object, 5 reads and writes, 2 users a node, slow linkers, users that give up", rw, 5,
	    [](Bounds &b) {
		    b.rules.slots = 2;
		    b.rules.release_now = b.rules.fill_now = false;
		    b.fill_fails = b.give_ups = 1;
	    });
	add("4 nodes, 2 reads and writes, two deaths at any moment", rw, 2, [](Bounds &b) {
		b.rules.nodes = 4;
		b.kills = 2;
	});
	add("3 nodes, 2 operations, one leaves at any moment", {Kind::Read, Kind::Write, Kind::Remove}, 2,
	    [](Bounds &b) {
		    b.leaves = 1;
		    b.evictions = 4;
	    });
	add("2 nodes, 3 operations of most kinds, a third joins at any moment", most, 3, [](Bounds &b) {
		b.rules.start = 2;
		b.joins = 1;
	});
	add("2 nodes, 2 reads and writes, a third joins, two die, at any moment", rw, 2, [](Bounds &b) {
		b.rules.start = 2;
		b.joins = 1;
		b.kills = 2;
	});
	add("2 nodes, 1 write or removal, a third joins, one leaves, at any moment", {Kind::Write, Kind::Remove}, 1,
	    [](Bounds &b) {
		    b.rules.start = 2;
		    b.joins = b.leaves = 1;
		    b.evictions = 1;
	    });
	add("3 nodes, 2 operations of most kinds, one dies and comes again at any moment", most, 2,
	    [](Bounds &b) { b.agains = 1; });
	add("3 nodes, 1 write, one dies, one dies and comes again, at any moment", {Kind::Write}, 1,
	    [](Bounds &b) { b.agains = b.kills = 1; });
	add("2 nodes, 4 operations of most kinds, two die and come again at any moment", most, 4, [](Bounds &b) {
		b.rules.nodes = 2;
		b.agains = 2;
	});
	return all;
}

} // namespace kddm
