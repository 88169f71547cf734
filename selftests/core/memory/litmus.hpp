/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Litmus tests: a few threads, each with two or three accesses to x and y, and which
 * values they may end with. What may is computed: every interleaving of the threads
 * (sequential consistency). x86 itself lets a load pass an older store of its own
 * thread (TSO), so SB has a fence between the two; the other five need none.
 *
 * A round is many instances of one test in arrays, walked by all threads in one random
 * order; in every other round they begin at places far from each other, so that each is
 * the first somewhere. Rounds follow from a seed: the nodes that run them and who judges the logs
 * compute the same plan and need not tell each other anything.
 */
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace litmus
{

constexpr unsigned instances = 64; /* of a round */
constexpr unsigned page_words = 512;
constexpr unsigned pages_a_variable = 8;
constexpr unsigned max_nodes = 8;

enum class Do : uint8_t { write, read, fence };

/* One access: @arg is the value written (1, 2) or the register read into. */
struct Op {
	Do what;
	uint8_t var;
	uint8_t arg;
};

struct Test {
	const char *name;
	unsigned vars;
	unsigned registers;
	std::vector<std::vector<Op>> threads;
};

/* Registers, then the last values of the variables: 0 is what was there before. */
using Outcome = std::vector<unsigned>;

const std::vector<Test> &tests();
std::set<Outcome> allowed(const Test &test);
std::string text(const Outcome &outcome, unsigned registers);

/* What was seen of one test in one of the two layouts. */
struct Round {
	unsigned number;
	unsigned variant; /* of variants() */
	uint64_t seed;
	std::vector<unsigned> node_of; /* each thread of the test */
	/* Value k of this round, as it is in memory: greater than all before. */
	[[nodiscard]] uint64_t stamp(unsigned k) const { return uint64_t{number + 1} * 4 + k; }
	bool together; /* all threads begin with the same instance */
	/* The order in which a thread walks the instances. */
	[[nodiscard]] std::vector<unsigned> order(unsigned thread) const;
};

/* A test, with its variables in one page or in pages of their own, in memory of its own. */
struct Variant {
	const Test *test;
	bool one_page;
	size_t first_page;
	[[nodiscard]] std::string name() const;
	[[nodiscard]] size_t pages() const { return pages_a_variable * (one_page ? 1 : test->vars); }
	/* Where a variable of an instance is, in words of the file. Words are even. */
	[[nodiscard]] size_t word(unsigned instance, unsigned var) const;
};

/* Pages of barriers come first: one a node. */
const std::vector<Variant> &variants();
size_t file_words();
std::vector<Round> plan(unsigned nodes, unsigned runs, uint64_t seed);

/*
 * What one node saw, in the order of the plan; a round is: its number, then for each
 * thread that ran here, for each instance, its registers; then for each instance the
 * variables, read here when all were done.
 */
using Log = std::vector<uint64_t>;

struct Tally {
	unsigned runs = 0;
	unsigned forbidden = 0;
	std::map<Outcome, unsigned> seen;
};

struct Verdict {
	std::vector<Tally> tallies;	     /* a variant each */
	std::vector<std::string> complaints; /* the first ones */
	unsigned wrong = 0;		     /* forbidden outcomes, values from nowhere, nodes that disagree */
};

Verdict judge(const std::vector<Round> &rounds, const std::vector<Log> &logs);

/*
 * A cluster in one process that can be broken on purpose. Each node has a copy of the
 * memory. @stale: a write reaches the other copies late and in no order, and an access
 * may use any copy; @reorder: a thread may do two accesses of an instance in reverse.
 */
struct Faults {
	bool stale = false;
	bool reorder = false;
};
std::vector<Log> simulate(const std::vector<Round> &rounds, unsigned nodes, Faults faults, uint64_t seed);

} // namespace litmus
