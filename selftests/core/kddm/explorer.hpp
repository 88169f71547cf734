/* SPDX-License-Identifier: GPL-2.0-only */
/* Every order in which the steps of a small world can come, breadth first. */
#pragma once

#include <functional>

#include "world.hpp"

namespace kddm
{

/* What may happen in a world, and how often. */
struct Bounds {
	std::string name;
	Rules rules;
	std::vector<Kind> kinds; /* operations that may begin */
	unsigned ops = 4;	 /* begun in total */
	unsigned give_ups = 0;	 /* users that stop waiting */
	unsigned stores = 0;	 /* stores through a mapping nobody holds */
	unsigned fill_fails = 0; /* linkers without memory */
	unsigned kills = 0;
	unsigned leaves = 0;
	unsigned joins = 0;
	unsigned agains = 0;	  /* deaths that the others learn of with the return */
	unsigned evictions = 6;	  /* flushes of a node that leaves */
	bool install = false;	  /* the home node has the objects at first */
	size_t most = 20'000'000; /* states; more is a failure */
};

struct Found {
	size_t states = 0;
	size_t edges = 0;
	size_t ends = 0; /* states in which nothing more can happen */
	unsigned depth = 0;
	unsigned over_reported = 0;
	double seconds = 0;
	std::string broken; /* the first broken invariant, shortest way to it */
	std::vector<std::string> ladder;
	[[nodiscard]] bool good() const { return broken.empty(); }
};

Found explore(const Bounds &bounds);

} // namespace kddm
