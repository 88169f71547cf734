// SPDX-License-Identifier: GPL-2.0-only
#include "litmus.hpp"

#include <algorithm>

namespace litmus
{

namespace
{

class Copies
{
public:
	Copies(unsigned nodes, bool stale, std::mt19937_64 &random)
	    : copies_(nodes, std::vector<uint64_t>(file_words())), stale_(stale), random_(random)
	{
	}
	uint64_t read(unsigned node, size_t word) { return copies_[any(node)][word]; }
	void write(unsigned node, size_t word, uint64_t value)
	{
		const unsigned to = any(node);

		copies_[to][word] = value;
		for (unsigned n = 0; n < copies_.size(); n++)
			if (n != to)
				late_.push_back({n, word, value});
		if (!stale_)
			settle();
	}
	/* Now and then something that is late arrives. */
	void pass()
	{
		if (late_.empty() || random_() % 8)
			return;
		std::swap(late_[random_() % late_.size()], late_.back());
		arrive(late_.back());
		late_.pop_back();
	}
	void settle()
	{
		for (const Late &late : late_)
			arrive(late);
		late_.clear();
	}

private:
	struct Late {
		unsigned node;
		size_t word;
		uint64_t value;
	};
	unsigned any(unsigned node) { return stale_ && random_() % 4 == 0 ? random_() % copies_.size() : node; }
	void arrive(const Late &late) { copies_[late.node][late.word] = late.value; }

	std::vector<std::vector<uint64_t>> copies_;
	std::vector<Late> late_;
	bool stale_;
	std::mt19937_64 &random_;
};

/* A thread of a round on its walk. */
struct Walker {
	const Round &round;
	unsigned thread;
	unsigned node;
	bool reorder;
	std::vector<unsigned> order;
	size_t step = 0;
	size_t op = 0;
	std::vector<uint64_t> got; /* instance * 4 + register */
	std::vector<Op> ops;

	Walker(const Round &r, unsigned t, bool broken)
	    : round(r), thread(t), node(r.node_of[t]), reorder(broken), order(r.order(t)), got(instances * 4)
	{
	}
	[[nodiscard]] bool over() const { return step == instances; }
	void go(Copies &memory, std::mt19937_64 &random)
	{
		const Variant &v = variants()[round.variant];

		if (op == 0) {
			ops = v.test->threads[thread];
			if (reorder && random() % 4 == 0)
				std::reverse(ops.begin(), ops.end());
		}
		const Op &now = ops[op];
		const size_t word = v.word(order[step], now.var);
		if (now.what == Do::write)
			memory.write(node, word, round.stamp(now.arg));
		else if (now.what == Do::read)
			got[order[step] * 4 + now.arg] = memory.read(node, word);
		if (++op == ops.size()) {
			op = 0;
			step++;
		}
	}
};

/* Threads keep near to each other, or they would meet at few instances. */
Walker &behind(std::vector<Walker> &walkers, std::mt19937_64 &random)
{
	Walker &a = walkers[random() % walkers.size()], &b = walkers[random() % walkers.size()];

	return a.step < b.step ? a : b;
}

void log_round(const Round &r, const std::vector<Walker> &walkers, Copies &memory, std::vector<Log> &logs)
{
	const Variant &v = variants()[r.variant];

	for (unsigned n = 0; n < logs.size(); n++) {
		logs[n].push_back(r.number);
		for (const Walker &w : walkers)
			for (unsigned i = 0; w.node == n && i < instances; i++)
				for (const Op &op : v.test->threads[w.thread])
					if (op.what == Do::read)
						logs[n].push_back(w.got[i * 4 + op.arg]);
		for (unsigned i = 0; i < instances; i++)
			for (unsigned var = 0; var < v.test->vars; var++)
				logs[n].push_back(memory.read(n, v.word(i, var)));
	}
}

} // namespace

std::vector<Log> simulate(const std::vector<Round> &rounds, unsigned nodes, Faults faults, uint64_t seed)
{
	std::vector<Log> logs(nodes);
	std::mt19937_64 random(seed);
	Copies memory(nodes, faults.stale, random);

	for (const Round &r : rounds) {
		std::vector<Walker> walkers;
		size_t left = r.node_of.size();

		for (unsigned t = 0; t < r.node_of.size(); t++)
			walkers.emplace_back(r, t, faults.reorder);
		while (left) {
			Walker &w = behind(walkers, random);
			if (w.over())
				continue;
			w.go(memory, random);
			left -= w.over();
			memory.pass();
		}
		memory.settle();
		log_round(r, walkers, memory, logs);
	}
	return logs;
}

} // namespace litmus
