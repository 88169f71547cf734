// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checker of histories, checked: against a search through all orders on small
 * histories, with long ones from a memory that is coherent (accepted) or broken in known
 * ways (rejected), with the shapes of litmus tests, with files that are damaged.
 */
#include "../tap.hpp"
#include "history.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <unistd.h>

using namespace history;
using Histories = std::vector<Process>;

namespace
{

Op load_of(uint64_t word, uint64_t value, int64_t begin = 0, int64_t end = 1000)
{
	return {Kind::load, word, value, 0, begin, end};
}
Op store_of(uint64_t word, uint64_t value, int64_t begin = 0, int64_t end = 1000)
{
	return {Kind::store, word, 0, value, begin, end};
}
Op exchange_of(uint64_t word, uint64_t seen, uint64_t value, int64_t begin = 0, int64_t end = 1000)
{
	return {Kind::exchange, word, seen, value, begin, end};
}

/* ---- the truth, by trying every order */

class Search
{
public:
	explicit Search(const Histories &all) : all_(all), at_(all.size()) {}
	bool run()
	{
		bool over = true;

		for (size_t p = 0; p < all_.size(); p++) {
			if (at_[p] == all_[p].ops.size())
				continue;
			over = false;
			const Op &op = all_[p].ops[at_[p]];
			uint64_t &now = memory_[op.word];
			const uint64_t before = now;
			if (op.kind != Kind::store && now != op.loaded)
				continue;
			if (too_early(p))
				continue;
			if (op.kind != Kind::load)
				now = op.stored;
			at_[p]++;
			if (run())
				return true;
			at_[p]--;
			memory_[op.word] = before;
		}
		return over;
	}

private:
	/* Something not done yet had ended before this began. */
	[[nodiscard]] bool too_early(size_t p) const
	{
		const int64_t begin = all_[p].ops[at_[p]].begin - all_[p].ahead_max;

		for (size_t q = 0; q < all_.size(); q++)
			for (size_t i = at_[q]; q != p && i < all_[q].ops.size(); i++)
				if (all_[q].ops[i].end - all_[q].ahead_min < begin)
					return true;
		return false;
	}

	const Histories &all_;
	std::vector<size_t> at_;
	std::map<uint64_t, uint64_t> memory_;
};

/* Anything: what a load sees is drawn from what is written anywhere. */
Histories small(std::mt19937 &random, unsigned words, bool exchanges_only, bool timed)
{
	Histories all(2 + random() % 2);
	std::vector<std::vector<uint64_t>> values(words, {0});
	uint64_t value = 0;

	for (Process &p : all) {
		int64_t clock = 0;

		p.ahead_max = timed ? random() % 10 : 0;
		for (unsigned i = 0; i < 1 + random() % 3; i++) {
			const auto kind = static_cast<Kind>(exchanges_only ? random() % 2 * 2 : random() % 3);
			const uint64_t word = random() % words;
			Op op{kind, word, 0, 0, 0, 1000};

			if (kind != Kind::load)
				values[word].push_back(op.stored = ++value);
			if (timed) {
				op.begin = clock + random() % 20;
				op.end = clock = op.begin + random() % 20;
			}
			p.ops.push_back(op);
		}
	}
	for (Process &p : all)
		for (Op &op : p.ops)
			if (op.kind != Kind::store)
				do
					op.loaded = values[op.word][random() % values[op.word].size()];
				while (op.loaded && op.loaded == op.stored);
	return all;
}

void against_search()
{
	static const struct {
		const char *name;
		unsigned words;
		bool exchanges_only, timed, exact;
	} rows[] = {
	    {"one word: coherent", 1, false, false, true},
	    {"one word: linearisable", 1, false, true, true},
	    {"exchanges of two words: sequentially consistent", 2, true, false, true},
	    {"two words: nothing right is rejected", 2, false, false, false},
	};
	for (const auto &row : rows) {
		std::mt19937 random(1);
		unsigned wrong = 0, good = 0, bad = 0, missed = 0;

		for (unsigned i = 0; i < 40000; i++) {
			const Histories h = small(random, row.words, row.exchanges_only, row.timed);
			const bool truth = Search(h).run();
			const bool said = check(h).fault == Fault::none;

			(truth ? good : bad)++;
			missed += said && !truth;
			wrong += !said && truth;
		}
		tap::ok(wrong == 0 && good > 1000 && bad > 1000 && (missed == 0 || !row.exact),
			std::string(row.name) + ": as a search says, " + std::to_string(good) + " good, " +
			    std::to_string(bad) + " bad, " + std::to_string(missed) + " of them missed");
	}
}

/* ---- long histories of a memory with known faults */

enum class Broken { no, stale, lost, torn, swapped };

class Machine
{
public:
	Machine(Broken how, unsigned seed) : how_(how), random_(seed) {}

	/* Processes with clocks that differ; an operation happens somewhere within its time. */
	Histories run(unsigned processes, unsigned ops)
	{
		Histories all(processes);
		int64_t now = 0;

		for (unsigned p = 1; p < processes; p++) {
			const int64_t ahead = static_cast<int64_t>(random_() % 100000) - 50000;
			ahead_[p] = ahead;
			all[p].ahead_min = ahead - random_() % 50;
			all[p].ahead_max = ahead + random_() % 50;
		}
		while (std::any_of(all.begin(), all.end(), [&](auto &p) { return p.ops.size() < ops; })) {
			const unsigned p = random_() % processes;
			now += 1 + random_() % 10;
			if (last_[p] >= now)
				continue;
			Op op = step();
			op.begin = std::max(now - static_cast<int64_t>(random_() % 30), last_[p] + 1);
			op.end = last_[p] = now + random_() % 30;
			op.begin += ahead_[p];
			op.end += ahead_[p];
			all[p].ops.push_back(op);
		}
		if (how_ == Broken::swapped)
			swap(all[0].ops);
		return all;
	}

	/* How often it was wrong. */
	[[nodiscard]] unsigned slips() const { return slips_; }

private:
	Op step()
	{
		Op op{static_cast<Kind>(random_() % 3), random_() % 8, 0, 0, 0, 0};
		std::vector<uint64_t> &was = memory_[op.word];
		const bool slip = random_() % 500 == 0;

		if (was.empty())
			was.push_back(0);
		if (op.kind != Kind::store)
			op.loaded = was.back();
		const uint64_t right = op.loaded;
		if (how_ == Broken::stale && slip && op.kind == Kind::load && was.size() > 20)
			op.loaded = was[was.size() - 20];
		if (how_ == Broken::torn && slip && op.kind == Kind::load)
			op.loaded ^= 1ull << 63;
		if (how_ == Broken::lost && slip && op.kind == Kind::exchange && was.size() > 1)
			op.loaded = was[was.size() - 2];
		slips_ += op.loaded != right;
		if (op.kind != Kind::load)
			was.push_back(op.stored = ++value_);
		return op;
	}

	/* Two loads of a word, of different values, change places. */
	void swap(std::vector<Op> &ops)
	{
		for (size_t i = 0; i + 1 < ops.size(); i++)
			for (size_t j = i + 1; ops[i].kind == Kind::load && j < ops.size(); j++) {
				if (ops[j].word != ops[i].word)
					continue;
				if (ops[j].kind == Kind::load && ops[i].loaded != ops[j].loaded) {
					slips_++;
					return std::swap(ops[i].loaded, ops[j].loaded);
				}
				if (ops[j].kind != Kind::load)
					break;
			}
	}

	Broken how_;
	std::mt19937 random_;
	unsigned slips_ = 0;
	uint64_t value_ = 0;
	std::map<uint64_t, std::vector<uint64_t>> memory_; /* all values a word had */
	std::map<unsigned, int64_t> ahead_, last_;
};

void machines()
{
	static const struct {
		const char *name;
		Broken how;
		std::set<Fault> faults;
	} rows[] = {
	    {"coherent", Broken::no, {}},
	    {"stale", Broken::stale, {Fault::coherence, Fault::linearisability}},
	    {"updates lost", Broken::lost, {Fault::coherence, Fault::linearisability}},
	    {"values torn", Broken::torn, {Fault::values}},
	    {"loads swapped", Broken::swapped, {Fault::coherence, Fault::linearisability}},
	};
	for (const auto &row : rows) {
		std::map<Fault, unsigned> got;
		bool good = true;

		for (unsigned seed = 0; seed < 50; seed++) {
			Machine machine(row.how, seed);
			const Fault fault = check(machine.run(3, 3000)).fault;

			got[fault]++;
			good = good && (machine.slips() ? row.faults.count(fault) : fault == Fault::none);
		}
		std::string text = "fifty long histories, memory " + std::string(row.name) + ":";
		for (const auto &[fault, times] : got)
			text += " " + std::to_string(times) + " " + name(fault);
		tap::ok(good && (row.faults.empty() || got[Fault::none] < 25), text);
	}
}

/* ---- by hand */

void shape(const char *what, const Histories &h, Fault want)
{
	const Result r = check(h);

	tap::ok(r.fault == want, std::string(what) + ": " + name(r.fault) + (r.fault == want ? "" : ": " + r.why));
}

void shapes()
{
	const uint64_t x = 1, y = 2;

	shape("nothing at all", {}, Fault::none);
	shape("SB", {{{exchange_of(x, 0, 1), load_of(y, 0)}}, {{exchange_of(y, 0, 2), load_of(x, 0)}}},
	      Fault::sequence);
	shape("SB with stores", {{{store_of(x, 1), load_of(y, 0)}}, {{store_of(y, 2), load_of(x, 0)}}},
	      Fault::sequence);
	shape("MP", {{{store_of(x, 1), store_of(y, 2)}}, {{load_of(y, 2), load_of(x, 0)}}}, Fault::sequence);
	shape("LB", {{{load_of(x, 1), store_of(y, 2)}}, {{load_of(y, 2), store_of(x, 1)}}}, Fault::sequence);
	shape("IRIW",
	      {{{store_of(x, 1)}},
	       {{store_of(y, 2)}},
	       {{load_of(x, 1), load_of(y, 0)}},
	       {{load_of(y, 2), load_of(x, 0)}}},
	      Fault::sequence);
	shape("CoRR", {{{store_of(x, 1)}}, {{load_of(x, 1), load_of(x, 0)}}}, Fault::coherence);
	shape("2+2W", {{{exchange_of(x, 2, 1), exchange_of(y, 0, 3)}}, {{exchange_of(y, 3, 4), exchange_of(x, 0, 2)}}},
	      Fault::sequence);
	shape("MP as it should be", {{{store_of(x, 1), store_of(y, 2)}}, {{load_of(y, 2), load_of(x, 1)}}},
	      Fault::none);
	shape("stale by time", {{{store_of(x, 1, 0, 10)}}, {{load_of(x, 0, 20, 30)}}}, Fault::linearisability);
	shape("not surely stale: the clocks are too vague",
	      {{{store_of(x, 1, 0, 10)}}, {{load_of(x, 0, 20, 30)}, 0, 15}}, Fault::none);
	shape("seen before it is written", {{{store_of(x, 1, 20, 30)}}, {{load_of(x, 1, 0, 10)}}},
	      Fault::linearisability);
	shape("two exchanges see the same", {{{exchange_of(x, 0, 1)}}, {{exchange_of(x, 0, 2)}}}, Fault::coherence);
	shape("two exchanges see each other", {{{exchange_of(x, 2, 1)}}, {{exchange_of(x, 1, 2)}}}, Fault::coherence);
	shape("an exchange sees itself", {{{exchange_of(x, 1, 1)}}}, Fault::coherence);
	shape("a value of another word", {{{store_of(x, 1), load_of(y, 1)}}}, Fault::values);
	shape("a value twice", {{{store_of(x, 1), store_of(y, 1)}}}, Fault::values);
	shape("0 is no value to write", {{{store_of(x, 0)}}}, Fault::values);
	shape("an end before its begin", {{{store_of(x, 1, 10, 5)}}}, Fault::values);
}

/* ---- files */

void write_file(const std::string &path, const std::string &bytes)
{
	std::ofstream(path, std::ios::binary) << bytes;
}

void files()
{
	const std::string path = "/tmp/krg-history." + std::to_string(getpid());
	const Histories all = Machine(Broken::no, 1).run(2, 100);
	Process p;

	const bool good = save(path, all[1]) && load(path, p) && p.ops.size() == all[1].ops.size() &&
			  p.ahead_min == all[1].ahead_min && check({all[0], p}).fault == Fault::none;
	tap::ok(good, "a file keeps a history");
	std::ifstream in(path, std::ios::binary);
	const std::string bytes((std::istreambuf_iterator<char>(in)), {});
	bool refused = true;
	for (size_t n = 0; n < bytes.size(); n += 7) {
		write_file(path, bytes.substr(0, n));
		refused = refused && !load(path, p);
	}
	write_file(path, bytes + "x");
	tap::ok(refused && !load(path, p), "one that is cut off or goes on is refused");
	std::mt19937 random(1);
	for (unsigned i = 0; i < 2000; i++) {
		std::string bad = bytes;
		bad[random() % bad.size()] ^= static_cast<char>(1 + random() % 255);
		write_file(path, bad);
		if (load(path, p))
			check({all[0], p});
	}
	tap::ok(!load("/nonexistent", p), "damaged ones do no harm");
	unlink(path.c_str());
}

} // namespace

int main()
{
	against_search();
	machines();
	shapes();
	files();
	return tap::end();
}
