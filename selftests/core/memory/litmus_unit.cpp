// SPDX-License-Identifier: GPL-2.0-only
/*
 * What judges the litmus tests, judged: the sets of allowed outcomes are those of the
 * books; runs on memory that is coherent pass, on memory that is not they are found out.
 */
#include "../tap.hpp"
#include "litmus.hpp"

#include <algorithm>

using namespace litmus;

namespace
{

const Test &test(const std::string &name)
{
	return *std::find_if(tests().begin(), tests().end(), [&](const Test &t) { return t.name == name; });
}

/* The one outcome that each test is known for must not be allowed. */
void books()
{
	static const struct {
		const char *name;
		size_t allowed;
		Outcome forbidden;
	} rows[] = {
	    {"SB", 3, {0, 0, 1, 1}},	      {"MP", 3, {1, 0, 1, 1}}, {"LB", 3, {1, 1, 1, 1}},
	    {"IRIW", 15, {1, 0, 1, 0, 1, 1}}, {"CoRR", 3, {1, 0, 1}},  {"2+2W", 3, {1, 1}},
	};
	for (const auto &row : rows) {
		const auto may = allowed(test(row.name));
		tap::ok(may.size() == row.allowed && !may.count(row.forbidden),
			std::string(row.name) + ": " + std::to_string(row.allowed) + " outcomes allowed, not " +
			    text(row.forbidden, test(row.name).registers));
	}
}

/* No two variables share a word, and none has a page of barriers. */
void layout()
{
	std::set<size_t> words;
	bool good = true;

	for (const Variant &v : variants())
		for (unsigned i = 0; i < instances; i++)
			for (unsigned var = 0; var < v.test->vars; var++) {
				const size_t w = v.word(i, var);
				const bool together = w / page_words == v.word(i, 0) / page_words;
				good = good && words.insert(w).second && w % 2 == 0;
				good = good && w / page_words >= max_nodes && w < file_words();
				good = good && (var == 0 || together == v.one_page);
			}
	tap::ok(good, "each variable has a word of its own, in the page it should be in");
}

unsigned forbidden(const Verdict &verdict, const std::string &name)
{
	unsigned n = 0;

	for (size_t i = 0; i < variants().size(); i++)
		if (variants()[i].test->name == name)
			n += verdict.tallies[i].forbidden;
	return n;
}

void coherent(unsigned nodes)
{
	const auto rounds = plan(nodes, 30000, nodes);
	const Verdict verdict = judge(rounds, simulate(rounds, nodes, {}, 1));
	bool all = true;

	tap::ok(verdict.wrong == 0, std::to_string(nodes) + " nodes, coherent memory: nothing forbidden");
	for (size_t i = 0; i < variants().size(); i++)
		all = all && verdict.tallies[i].seen.size() == allowed(*variants()[i].test).size();
	tap::ok(all, std::to_string(nodes) + " nodes: every allowed outcome is seen");
}

void incoherent(unsigned nodes)
{
	const auto rounds = plan(nodes, 30000, nodes);
	const Verdict stale = judge(rounds, simulate(rounds, nodes, {true, false}, 1));
	const Verdict reorder = judge(rounds, simulate(rounds, nodes, {false, true}, 1));

	for (const char *name : {"SB", "MP", "IRIW", "CoRR", "2+2W"})
		tap::ok(forbidden(stale, name) > 0,
			std::to_string(nodes) + " nodes, stale copies: " + name + " finds it out");
	for (const char *name : {"SB", "MP", "LB", "IRIW", "2+2W"})
		tap::ok(forbidden(reorder, name) > 0,
			std::to_string(nodes) + " nodes, accesses out of order: " + name + " finds it out");
}

/* Logs that are cut off or changed in one place. */
void damaged()
{
	const auto rounds = plan(2, 3000, 1);
	const auto good = simulate(rounds, 2, {}, 1);
	auto bad = good;

	bad[1].pop_back();
	tap::ok(judge(rounds, bad).wrong > 0, "a log that is cut off is no proof");
	bad = good;
	bad[0].clear();
	tap::ok(judge(rounds, bad).wrong > 0, "nor is an empty one");
	bad = good;
	bad[0].push_back(1);
	tap::ok(judge(rounds, bad).wrong > 0, "nor one with too much in it");
	bad = good;
	bad[0].back() = 12345678;
	tap::ok(judge(rounds, bad).wrong > 0, "a value that nobody wrote is found");
}

} // namespace

int main()
{
	books();
	layout();
	for (const unsigned nodes : {2, 3}) {
		coherent(nodes);
		incoherent(nodes);
	}
	damaged();
	return tap::end();
}
