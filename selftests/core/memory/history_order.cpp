// SPDX-License-Identifier: GPL-2.0-only
/* The orders that must exist. */
#include "history_graph.hpp"

#include <algorithm>
#include <set>

namespace history
{

namespace
{

Fault fault_of(bool timed)
{
	return timed ? Fault::linearisability : Fault::coherence;
}

/* Nothing in a chain may come later than what has surely ended before it began. */
Result inside(const History &h, const Chain &chain)
{
	std::vector<size_t> order = chain.events;
	size_t latest = none, next = none; /* latest begin of lower ranks; of this rank too */
	size_t rank = 0;

	std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return h.events[a].rank < h.events[b].rank; });
	for (const size_t i : order) {
		const Event &e = h.events[i];

		if (e.rank != rank)
			latest = next;
		rank = e.rank;
		if (latest != none && e.end < h.events[latest].begin)
			return {Fault::linearisability,
				say(e) + " had ended before what it follows began: " + say(h.events[latest])};
		if (next == none || h.events[next].begin < e.begin)
			next = i;
	}
	return {};
}

/*
 * Puts the chains of a word in order, one after the other: next may be what nothing that
 * is left has to precede, by a process's order or by time. By time one must precede if
 * something in it ended before something in the other began.
 */
class Sorter
{
public:
	Sorter(const History &h, const Word &word, bool timed)
	    : h_(h), word_(word), timed_(timed), after_(word.chains.size()), before_(word.chains.size())
	{
	}

	Result run()
	{
		Result r = edges();

		if (r.fault != Fault::none)
			return r;
		for (size_t c = 0; c < before_.size(); c++) {
			ends_.insert({end(c), c});
			if (!before_[c])
				ready_.insert({begin(c), c});
		}
		while (!ends_.empty()) {
			const size_t c = pick();
			if (c == none)
				return stuck();
			take(c);
		}
		return {};
	}

private:
	[[nodiscard]] int64_t end(size_t c) const { return timed_ ? word_.chains[c].min_end : INT64_MAX; }
	[[nodiscard]] int64_t begin(size_t c) const { return timed_ ? word_.chains[c].max_begin : INT64_MIN; }

	void edge(size_t from, size_t to)
	{
		after_[from].push_back(to);
		before_[to]++;
	}

	Result edges()
	{
		Result r;

		neighbours(h_, word_, [&](size_t a, size_t b) {
			const Event &x = h_.events[a], &y = h_.events[b];

			if (x.chain != y.chain)
				edge(x.chain, y.chain);
			else if (x.rank > y.rank)
				r = {Fault::coherence, say(x) + " comes before what it follows: " + say(y)};
		});
		for (size_t c = 1; c < word_.chains.size(); c++)
			edge(0, c);
		return r;
	}

	/* The earliest end of all others that are left. */
	[[nodiscard]] int64_t others_end(size_t c) const
	{
		auto first = ends_.begin();

		if (first->second == c && ++first == ends_.end())
			return INT64_MAX;
		return first->first;
	}

	[[nodiscard]] size_t pick() const
	{
		const size_t first = ends_.begin()->second;

		if (!before_[first] && begin(first) <= others_end(first))
			return first;
		if (ready_.empty())
			return none;
		const size_t c = ready_.begin()->second;
		return begin(c) <= others_end(c) ? c : none;
	}

	void take(size_t c)
	{
		ends_.erase({end(c), c});
		ready_.erase({begin(c), c});
		for (const size_t to : after_[c])
			if (!--before_[to])
				ready_.insert({begin(to), to});
	}

	/* What is left, up to a few: a cycle is among them. */
	[[nodiscard]] Result stuck() const
	{
		std::string why = "no order of these:";
		size_t n = 0;

		for (const auto &[time, c] : ends_)
			for (const size_t i : word_.chains[c].events)
				if (n++ < 12)
					why += "\n  " + say(h_.events[i]);
		return {fault_of(timed_), why};
	}

	const History &h_;
	const Word &word_;
	bool timed_;
	Graph after_;
	std::vector<size_t> before_;
	std::set<std::pair<int64_t, size_t>> ends_;  /* all that are left */
	std::set<std::pair<int64_t, size_t>> ready_; /* by begin: no process's order is against them */
};

/* Nodes: events, then for each chain of each word its end. */
class Sequence
{
public:
	explicit Sequence(const History &h) : h_(h), graph_(h.events.size()) {}

	Result run()
	{
		for (size_t i = 1; i < h_.events.size(); i++)
			if (h_.events[i - 1].process == h_.events[i].process)
				graph_[i - 1].push_back(i);
		for (const auto &[number, word] : h_.words)
			add(word);
		const auto cycle = find_cycle(graph_);
		if (cycle.empty())
			return {};
		std::string why = "each before the next, the last before the first:";
		for (const size_t i : cycle)
			if (i < h_.events.size())
				why += "\n  " + say(h_.events[i]);
		return {Fault::sequence, why};
	}

private:
	void add(const Word &word)
	{
		const size_t ends = graph_.size();

		graph_.resize(ends + word.chains.size());
		for (size_t c = 0; c < word.chains.size(); c++)
			inside(word.chains[c], ends + c);
		neighbours(h_, word, [&](size_t a, size_t b) {
			const size_t from = h_.events[a].chain, to = h_.events[b].chain;

			if (from != to)
				graph_[ends + from].push_back(word.chains[to].first);
		});
		for (size_t c = 1; c < word.chains.size(); c++)
			graph_[ends].push_back(word.chains[c].first);
	}

	/* Each write, the loads of it, the next write; after the last ones, the end. */
	void inside(const Chain &chain, size_t end)
	{
		std::vector<size_t> writes(chain.last_rank / 2 + 1, none);

		for (const size_t i : chain.events)
			if (h_.events[i].writes())
				writes[h_.events[i].rank / 2] = i;
		for (const size_t i : chain.events) {
			const size_t n = h_.events[i].rank / 2;

			if (!h_.events[i].writes() && writes[n] != none)
				graph_[writes[n]].push_back(i);
			graph_[i].push_back(n + 1 < writes.size() ? writes[n + 1] : end);
		}
	}

	const History &h_;
	Graph graph_;
};

} // namespace

Result check_word(const History &h, const Word &word, bool timed)
{
	if (timed)
		for (const Chain &chain : word.chains) {
			Result r = inside(h, chain);
			if (r.fault != Fault::none)
				return r;
		}
	return Sorter(h, word, timed).run();
}

Result check_sequence(const History &h)
{
	return Sequence(h).run();
}

} // namespace history
