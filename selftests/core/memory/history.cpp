// SPDX-License-Identifier: GPL-2.0-only
#include "history_graph.hpp"

#include <fstream>

namespace history
{

namespace
{

constexpr uint64_t magic = 0x6b7267686973746full;
constexpr uint64_t sane_time = 1ull << 62;

Result wrong(const std::string &what, const Event &event)
{
	return {Fault::values, what + ": " + say(event)};
}

/* All writes by value; each word's operations. */
Result index(const std::vector<Process> &processes, History &h)
{
	for (size_t p = 0; p < processes.size(); p++)
		for (const Op &op : processes[p].ops)
			h.events.push_back({op, p, op.begin - processes[p].ahead_max, op.end - processes[p].ahead_min});
	for (size_t i = 0; i < h.events.size(); i++) {
		const Event &e = h.events[i];

		h.words[e.op.word].events.push_back(i);
		if (e.op.begin > e.op.end)
			return wrong("it ended before it began", e);
		if (e.writes() && (e.op.stored == 0 || !h.writer.try_emplace(e.op.stored, i).second))
			return wrong("a value written twice", e);
	}
	return {};
}

/* The writer of what an event saw: none if that is the first 0. */
Result seen(const History &h, const Event &e, size_t &out)
{
	out = none;
	if (e.op.loaded == 0)
		return {};
	const auto found = h.writer.find(e.op.loaded);
	if (found == h.writer.end() || h.events[found->second].op.word != e.op.word)
		return wrong("a value from nowhere", e);
	out = found->second;
	return {};
}

/* Follows the exchanges from @first (none: from being 0). */
void follow(History &h, Word &word, size_t first, const std::map<size_t, size_t> &next)
{
	Chain chain;
	size_t rank = 0;

	chain.first = first;
	for (size_t at = first;;) {
		if (at != none) {
			h.events[at].chain = word.chains.size();
			h.events[at].rank = rank;
		}
		const auto after = next.find(at);
		if (after == next.end())
			break;
		at = after->second;
		rank += 2;
	}
	chain.last_rank = rank;
	word.chains.push_back(chain);
}

void enter(Event &e, size_t i, Word &word)
{
	Chain &c = word.chains[e.chain];

	c.events.push_back(i);
	c.min_end = std::min(c.min_end, e.end);
	c.max_begin = std::max(c.max_begin, e.begin);
}

Result make_chains(History &h, Word &word)
{
	std::map<size_t, size_t> next; /* the exchange that saw a write */
	size_t from = none;

	for (const size_t i : word.events) {
		if (!h.events[i].loads())
			continue;
		Result r = seen(h, h.events[i], from);
		if (r.fault != Fault::none)
			return r;
		if (h.events[i].writes() && !next.try_emplace(from, i).second)
			return {Fault::coherence, "an update is lost: two exchanges saw the same, " + say(h.events[i])};
	}
	follow(h, word, none, next);
	for (const size_t i : word.events)
		if (h.events[i].op.kind == Kind::store)
			follow(h, word, i, next);
	for (const size_t i : word.events) {
		Event &e = h.events[i];

		if (!e.writes()) {
			seen(h, e, from);
			e.chain = from == none ? 0 : h.events[from].chain;
			e.rank = from == none ? 1 : h.events[from].rank + 1;
		}
		if (e.chain == none)
			return {Fault::coherence, "exchanges saw each other: " + say(e)};
		enter(e, i, word);
	}
	return {};
}

} // namespace

const char *name(Fault fault)
{
	switch (fault) {
	case Fault::values:
		return "values";
	case Fault::coherence:
		return "not coherent";
	case Fault::linearisability:
		return "not linearisable";
	case Fault::sequence:
		return "not sequentially consistent";
	default:
		return "good";
	}
}

std::string say(const Event &e)
{
	std::string out = "process " + std::to_string(e.process) + ", word " + std::to_string(e.op.word) + ":";

	if (e.loads())
		out += " saw " + std::to_string(e.op.loaded);
	if (e.writes())
		out += " wrote " + std::to_string(e.op.stored);
	return out + " [" + std::to_string(e.begin) + ", " + std::to_string(e.end) + "]";
}

std::vector<size_t> find_cycle(const Graph &graph)
{
	std::vector<size_t> before(graph.size()), ready, last(graph.size(), none), out;
	size_t left = graph.size();

	for (const auto &edges : graph)
		for (const size_t to : edges)
			before[to]++;
	for (size_t i = 0; i < graph.size(); i++)
		if (!before[i])
			ready.push_back(i);
	while (!ready.empty()) {
		const size_t i = ready.back();
		ready.pop_back();
		left--;
		for (const size_t to : graph[i])
			if (!--before[to])
				ready.push_back(to);
	}
	if (!left)
		return {};
	/* Each that is left has one before it that is left. */
	for (size_t i = 0; i < graph.size(); i++)
		for (const size_t to : graph[i])
			if (before[i] && before[to])
				last[to] = i;
	size_t at = 0;
	while (last[at] == none)
		at++;
	for (size_t i = 0; i < graph.size(); i++)
		at = last[at];
	const size_t stop = at;
	do {
		out.insert(out.begin(), at);
		at = last[at];
	} while (at != stop);
	return out;
}

Result gather(const std::vector<Process> &processes, History &h)
{
	Result r = index(processes, h);

	for (auto &[number, word] : h.words)
		if (r.fault == Fault::none)
			r = make_chains(h, word);
	return r;
}

Result check(const std::vector<Process> &processes)
{
	History h;
	Result r = gather(processes, h);

	for (const bool timed : {false, true})
		for (const auto &[number, word] : h.words)
			if (r.fault == Fault::none)
				r = check_word(h, word, timed);
	return r.fault == Fault::none ? check_sequence(h) : r;
}

bool save(const std::string &path, const Process &process)
{
	std::ofstream file(path, std::ios::binary);
	const auto put = [&](uint64_t v) { file.write(reinterpret_cast<const char *>(&v), sizeof(v)); };

	put(magic);
	put(process.ops.size());
	put(static_cast<uint64_t>(process.ahead_min));
	put(static_cast<uint64_t>(process.ahead_max));
	for (const Op &op : process.ops)
		for (const uint64_t v : {static_cast<uint64_t>(op.kind), op.word, op.loaded, op.stored,
					 static_cast<uint64_t>(op.begin), static_cast<uint64_t>(op.end)})
			put(v);
	file.close();
	return !file.fail();
}

bool load(const std::string &path, Process &process)
{
	std::ifstream file(path, std::ios::binary);
	bool good = true;
	const auto get = [&] {
		uint64_t v = 0;

		good = good && file.read(reinterpret_cast<char *>(&v), sizeof(v));
		return v;
	};
	const auto get_time = [&] {
		const uint64_t v = get();

		good = good && v + sane_time < 2 * sane_time;
		return static_cast<int64_t>(v);
	};
	good = get() == magic;
	uint64_t left = get();
	process = {};
	process.ahead_min = get_time();
	process.ahead_max = get_time();
	good = good && process.ahead_min <= process.ahead_max;
	for (; good && left; left--) {
		const uint64_t kind = get(), word = get(), loaded = get(), stored = get();
		const int64_t begin = get_time(), end = get_time();

		good = good && kind <= static_cast<uint64_t>(Kind::exchange);
		process.ops.push_back({static_cast<Kind>(kind), word, loaded, stored, begin, end});
	}
	return good && file.peek() == std::ifstream::traits_type::eof();
}

} // namespace history
