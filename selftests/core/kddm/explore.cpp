// SPDX-License-Identifier: GPL-2.0-only
/*
 * The explorer's worlds, one test each: no invariant broken in any state, no way
 * without an end, nothing pending at any end. explore N: only the Nth; explore
 * deep: the large ones too.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bounds.hpp"
#include "rows.hpp"

using namespace kddm;

int main(int argc, char **argv)
{
	std::vector<Bounds> all = all_bounds(argc > 1);
	size_t only = argc > 1 && std::strcmp(argv[1], "deep") ? std::atoi(argv[1]) : 0;
	int failed = 0;

	std::printf("1..%zu\n", only ? 1 : all.size() + 1);
	for (size_t i = 0; i < all.size(); i++) {
		if (only && i + 1 != only)
			continue;
		Found f = explore(all[i]);
		bool alive = !all[i].kills && !all[i].agains;

		if (f.good() && alive && f.over_reported)
			f.broken = "called lost though nobody died";
		failed += !f.good();
		std::printf("%sok %zu - %s: %zu states, %zu steps, %zu ends, depth %u, %.1f s\n",
			    f.good() ? "" : "not ", i + 1, all[i].name.c_str(), f.states, f.edges, f.ends, f.depth,
			    f.seconds);
		if (!f.good()) {
			std::printf("# %s; the shortest way there:\n", f.broken.c_str());
			for (const std::string &line : f.ladder)
				std::printf("# %s\n", line.c_str());
		}
		std::fflush(stdout);
	}
	if (only)
		return failed != 0;
	bool bounded = World::most_actions * 2 <= KRG_KDDM_ACTIONS_MAX && World::most_rules * 2 <= KRG_KDDM_RULES_MAX;
	std::printf("%sok %zu - an event follows at most %u rules (room for %u) and causes at most %u actions (%u)\n",
		    bounded ? "" : "not ", all.size() + 1, World::most_rules, KRG_KDDM_RULES_MAX, World::most_actions,
		    KRG_KDDM_ACTIONS_MAX);
	rows_save("explore");
	return failed || !bounded;
}
