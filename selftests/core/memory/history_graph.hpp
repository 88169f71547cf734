/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of the checker: operations of all processes, ordered into blocks and chains. */
#pragma once

#include "history.hpp"

#include <map>

namespace history
{

constexpr size_t none = SIZE_MAX;

/* An operation among all, its time on the common clock as far as it is sure. */
struct Event {
	Op op;
	size_t process;
	int64_t begin; /* no earlier than */
	int64_t end;   /* no later than */
	size_t chain = none;
	size_t rank = 0; /* place in its chain: the n-th write 2n, loads of that 2n + 1 */
	[[nodiscard]] bool writes() const { return op.kind != Kind::load; }
	[[nodiscard]] bool loads() const { return op.kind != Kind::store; }
};

/*
 * Writes that follow each other at once, because each but the first is an exchange that saw
 * the one before, with the loads of them. The first chain of a word begins with its being 0.
 */
struct Chain {
	size_t first = none; /* write; none: the word's being 0 */
	size_t last_rank = 0;
	int64_t min_end = INT64_MAX;
	int64_t max_begin = INT64_MIN;
	std::vector<size_t> events;
};

struct Word {
	std::vector<size_t> events; /* by process, in its order */
	std::vector<Chain> chains;
};

struct History {
	std::vector<Event> events; /* by process, in its order */
	std::map<uint64_t, Word> words;
	std::map<uint64_t, size_t> writer; /* of a value */
};

/* Edges between numbers below the size. */
using Graph = std::vector<std::vector<size_t>>;
/* Empty: there is none. */
std::vector<size_t> find_cycle(const Graph &graph);

std::string say(const Event &event);
/* Of two neighbours in a process's order on one word. */
template <typename F> void neighbours(const History &h, const Word &word, F each)
{
	for (size_t i = 1; i < word.events.size(); i++)
		if (h.events[word.events[i - 1]].process == h.events[word.events[i]].process)
			each(word.events[i - 1], word.events[i]);
}

Result gather(const std::vector<Process> &processes, History &h);
Result check_word(const History &h, const Word &word, bool timed);
Result check_sequence(const History &h);

} // namespace history
