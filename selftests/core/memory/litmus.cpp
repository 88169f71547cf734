// SPDX-License-Identifier: GPL-2.0-only
#include "litmus.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

namespace litmus
{

namespace
{

constexpr unsigned x = 0, y = 1;
constexpr Op write(unsigned var, unsigned value)
{
	return {Do::write, static_cast<uint8_t>(var), static_cast<uint8_t>(value)};
}
constexpr Op read(unsigned var, unsigned reg)
{
	return {Do::read, static_cast<uint8_t>(var), static_cast<uint8_t>(reg)};
}
constexpr Op fence{Do::fence, 0, 0};

/* One run of a test, step by step. */
struct Machine {
	std::vector<size_t> at; /* each thread */
	Outcome now;		/* registers, variables */

	explicit Machine(const Test &test) : at(test.threads.size()), now(test.registers + test.vars) {}
	void step(const Test &test, size_t thread)
	{
		const Op &op = test.threads[thread][at[thread]++];
		unsigned &var = now[test.registers + op.var];

		if (op.what == Do::write)
			var = op.arg;
		else if (op.what == Do::read)
			now[op.arg] = var;
	}
};

void interleave(const Test &test, const Machine &machine, std::set<Outcome> &out)
{
	bool over = true;

	for (size_t t = 0; t < test.threads.size(); t++) {
		if (machine.at[t] == test.threads[t].size())
			continue;
		Machine next = machine;
		next.step(test, t);
		interleave(test, next, out);
		over = false;
	}
	if (over)
		out.insert(machine.now);
}

/* Even words of a page in no order, the same for all. */
const std::array<unsigned, page_words / 2> &scattered()
{
	static const auto words = [] {
		std::array<unsigned, page_words / 2> w{};
		std::mt19937_64 random(1);
		for (unsigned i = 0; i < w.size(); i++)
			w[i] = 2 * i;
		std::shuffle(w.begin(), w.end(), random);
		return w;
	}();
	return words;
}

} // namespace

const std::vector<Test> &tests()
{
	static const std::vector<Test> all = {
	    {"SB", 2, 2, {{write(x, 1), fence, read(y, 0)}, {write(y, 1), fence, read(x, 1)}}},
	    {"MP", 2, 2, {{write(x, 1), write(y, 1)}, {read(y, 0), read(x, 1)}}},
	    {"LB", 2, 2, {{read(x, 0), write(y, 1)}, {read(y, 1), write(x, 1)}}},
	    {"IRIW", 2, 4, {{write(x, 1)}, {write(y, 1)}, {read(x, 0), read(y, 1)}, {read(y, 2), read(x, 3)}}},
	    {"CoRR", 1, 2, {{write(x, 1)}, {read(x, 0), read(x, 1)}}},
	    {"2+2W", 2, 0, {{write(x, 1), write(y, 2)}, {write(y, 1), write(x, 2)}}},
	};
	return all;
}

std::set<Outcome> allowed(const Test &test)
{
	std::set<Outcome> out;

	interleave(test, Machine(test), out);
	return out;
}

std::string text(const Outcome &outcome, unsigned registers)
{
	std::string out;

	for (size_t i = 0; i < outcome.size(); i++)
		out += (i == 0 ? "" : i == registers ? " " : ",") + std::to_string(outcome[i]);
	return out;
}

std::vector<unsigned> Round::order(unsigned thread) const
{
	const size_t first = together ? 0 : thread * instances / node_of.size();

	std::vector<unsigned> out(instances);
	std::mt19937_64 random(seed);

	std::iota(out.begin(), out.end(), 0);
	std::shuffle(out.begin(), out.end(), random);
	std::rotate(out.begin(), out.begin() + static_cast<ptrdiff_t>(first), out.end());
	return out;
}

std::string Variant::name() const
{
	return std::string(test->name) + (one_page ? ", one page" : ", two pages");
}

size_t Variant::word(unsigned instance, unsigned var) const
{
	const size_t page = first_page + instance % pages_a_variable + (one_page ? 0 : var * pages_a_variable);
	const unsigned slot = instance / pages_a_variable * test->vars + var;

	return page * page_words + scattered()[slot % scattered().size()];
}

const std::vector<Variant> &variants()
{
	static const auto all = [] {
		std::vector<Variant> v;
		size_t page = max_nodes;
		for (const Test &test : tests())
			for (const bool one_page : {true, false}) {
				if (test.vars == 1 && !one_page)
					continue;
				v.push_back({&test, one_page, page});
				page += v.back().pages();
			}
		return v;
	}();
	return all;
}

size_t file_words()
{
	return (variants().back().first_page + variants().back().pages()) * page_words;
}

std::vector<Round> plan(unsigned nodes, unsigned runs, uint64_t seed)
{
	std::vector<Round> out;
	std::mt19937_64 random(seed);

	for (unsigned n = 0; n < (runs + instances - 1) / instances; n++) {
		const auto all = static_cast<unsigned>(variants().size());
		Round round{n, n % all, random(), {}, n / all % 2 == 0};
		const size_t threads = variants()[round.variant].test->threads.size();
		const unsigned shift = static_cast<unsigned>(random());

		for (size_t t = 0; t < threads; t++)
			round.node_of.push_back((shift % nodes + t) % nodes);
		std::shuffle(round.node_of.begin(), round.node_of.end(), random);
		out.push_back(round);
	}
	return out;
}

namespace
{

/* What one round of the logs says; knows what was in memory before it. */
class Reader
{
public:
	Reader(const std::vector<Log> &logs, Verdict &verdict)
	    : logs_(logs), at_(logs.size()), before_(file_words()), verdict_(verdict)
	{
	}
	void round(const Round &r)
	{
		const Variant &v = variants()[r.variant];
		std::vector<Outcome> out(instances, Outcome(v.test->registers + v.test->vars));

		for (size_t n = 0; n < logs_.size(); n++) {
			if (next(n) != r.number)
				return complain("the log of node " + std::to_string(n) + " has not round " +
						std::to_string(r.number));
			for (size_t t = 0; t < v.test->threads.size(); t++)
				if (r.node_of[t] == n)
					registers(r, n, t, out);
			finals(r, n, out);
		}
		for (unsigned i = 0; i < instances; i++)
			count(r, i, out[i]);
		for (const auto &[word, value] : last_)
			before_[word] = value;
		last_.clear();
	}
	void end()
	{
		for (size_t n = 0; n < logs_.size(); n++)
			if (at_[n] != logs_[n].size())
				complain("the log of node " + std::to_string(n) + " does not end");
	}

private:
	uint64_t next(size_t node) { return at_[node] < logs_[node].size() ? logs_[node][at_[node]++] : ~0ull; }

	void complain(const std::string &what)
	{
		verdict_.wrong++;
		if (verdict_.complaints.size() < 20)
			verdict_.complaints.push_back(what);
	}

	unsigned value(const Round &r, unsigned instance, unsigned var, uint64_t got)
	{
		const Variant &v = variants()[r.variant];
		const size_t word = v.word(instance, var);

		if (got == before_[word])
			return 0;
		if (got == r.stamp(1) || got == r.stamp(2))
			return static_cast<unsigned>(got - r.stamp(0));
		complain(v.name() + ": round " + std::to_string(r.number) + " word " + std::to_string(word) + ": " +
			 std::to_string(got) + " is neither what was there nor what was written");
		return 9;
	}

	void registers(const Round &r, size_t node, size_t thread, std::vector<Outcome> &out)
	{
		for (unsigned i = 0; i < instances; i++)
			for (const Op &op : variants()[r.variant].test->threads[thread])
				if (op.what == Do::read)
					out[i][op.arg] = value(r, i, op.var, next(node));
	}

	void finals(const Round &r, size_t node, std::vector<Outcome> &out)
	{
		const Variant &v = variants()[r.variant];

		for (unsigned i = 0; i < instances; i++)
			for (unsigned var = 0; var < v.test->vars; var++) {
				const uint64_t got = next(node);
				const size_t word = v.word(i, var);

				out[i][v.test->registers + var] = value(r, i, var, got);
				if (last_.try_emplace(word, got).first->second != got)
					complain(v.name() + ": nodes disagree in the end about word " +
						 std::to_string(word));
			}
	}

	void count(const Round &r, unsigned instance, const Outcome &out)
	{
		const Variant &v = variants()[r.variant];
		Tally &tally = verdict_.tallies[r.variant];

		tally.runs++;
		tally.seen[out]++;
		if (allowed_[r.variant].empty())
			allowed_[r.variant] = allowed(*v.test);
		if (allowed_[r.variant].count(out))
			return;
		tally.forbidden++;
		complain(v.name() + ": round " + std::to_string(r.number) + " instance " + std::to_string(instance) +
			 ": forbidden: " + text(out, v.test->registers));
	}

	const std::vector<Log> &logs_;
	std::vector<size_t> at_;
	std::vector<uint64_t> before_;	  /* each word of the file, before this round */
	std::map<size_t, uint64_t> last_; /* and after it */
	std::map<unsigned, std::set<Outcome>> allowed_;
	Verdict &verdict_;
};

} // namespace

Verdict judge(const std::vector<Round> &rounds, const std::vector<Log> &logs)
{
	Verdict verdict;
	Reader reader(logs, verdict);

	verdict.tallies.resize(variants().size());
	for (const Round &r : rounds)
		reader.round(r);
	reader.end();
	return verdict;
}

} // namespace litmus
