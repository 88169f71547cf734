// SPDX-License-Identifier: GPL-2.0-only
/*
 * memcheck: random loads, stores and atomic operations on a few words of a few pages by
 * processes of several nodes; what each saw and when is judged afterwards
 * (selftests/core/memory/history.hpp).
 *
 *   memcheck run FILE ME COUNT OPS SEED LOG     process ME = 0..COUNT-1, all at once
 *   memcheck judge LOG…                         all of their logs; exit status
 *
 * Clocks are the CPUs' time stamp counters. By how much one is ahead of the first
 * process's is bounded by messages through shared memory before and after: what it saw
 * of a message it saw after that was sent.
 */
#include "shared.hpp"
#include <history.hpp>

#include <algorithm>
#include <climits>
#include <map>
#include <random>

using history::Kind;
using history::Op;
using shared::page_words;

namespace
{

constexpr unsigned max_processes = 8;
constexpr unsigned hot_pages = 6;
constexpr unsigned hot_words = 8; /* of each page; odd ones know atomic operations only */
constexpr unsigned pings = 30;
/* Pages: barriers, pings, pongs, then the hot ones. */
constexpr size_t first_ping = max_processes * page_words;
constexpr size_t first_pong = 2 * first_ping;
constexpr size_t first_hot = 3 * first_ping;
constexpr size_t file_words = first_hot + hot_pages * page_words;

int64_t now()
{
	uint32_t low = 0, high = 0;

	asm volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high)::"memory");
	return static_cast<int64_t>(uint64_t{high} << 32 | low);
}

void await(const uint64_t *word, uint64_t value)
{
	const double limit = shared::seconds() + 60;

	while (shared::load(word) < value) {
		sched_yield();
		if (shared::seconds() > limit)
			shared::die("no answer from the other process");
	}
}

class Recorder
{
public:
	Recorder(const std::string &path, unsigned me, unsigned count, uint64_t seed)
	    : me_(me), count_(count), memory_(path, file_words * sizeof(uint64_t), me == 0), words_(memory_.words()),
	      barrier_(words_, me, count), random_(seed * max_processes + me)
	{
		log_.ahead_min = me ? INT64_MAX : 0;
		log_.ahead_max = me ? INT64_MIN : 0;
	}

	void run(size_t ops)
	{
		compare_clocks();
		barrier_.wait();
		while (log_.ops.size() < ops) {
			if (random_() % 16 == 0)
				shared::pause(random_() % 1000);
			log_.ops.push_back(operation());
		}
		barrier_.wait();
		compare_clocks();
		barrier_.wait();
	}
	[[nodiscard]] const history::Process &log() const { return log_; }

private:
	/* Bounds of before and after together hold in between, clocks' rates being constant. */
	void compare_clocks()
	{
		int64_t min = INT64_MIN, max = INT64_MAX;

		for (unsigned p = 1; p < count_; p++)
			for (unsigned i = 0; i < pings; i++) {
				if (me_ == 0)
					ping(p);
				else if (me_ == p)
					pong(min, max);
			}
		if (me_) {
			log_.ahead_min = std::min(log_.ahead_min, min);
			log_.ahead_max = std::max(log_.ahead_max, max);
		}
	}

	void ping(unsigned p)
	{
		uint64_t *at = words_ + first_ping + p * page_words;
		const uint64_t n = ++sent_[p];
		const int64_t sent = now();

		shared::store(at, 2 * n - 1);
		await(words_ + first_pong + p * page_words, n);
		const int64_t answered = now();
		shared::store(at + 1, static_cast<uint64_t>(sent));
		shared::store(at + 2, static_cast<uint64_t>(answered));
		shared::store(at, 2 * n);
	}

	void pong(int64_t &min, int64_t &max)
	{
		const uint64_t *at = words_ + first_ping + me_ * page_words;
		const uint64_t n = ++sent_[me_];

		await(at, 2 * n - 1);
		const int64_t seen = now();
		shared::store(words_ + first_pong + me_ * page_words, n);
		await(at, 2 * n);
		min = std::max(min, seen - static_cast<int64_t>(shared::load(at + 2)));
		max = std::min(max, seen - static_cast<int64_t>(shared::load(at + 1)));
	}

	uint64_t unique() { return uint64_t{me_ + 1} << 56 | ++values_; }

	Op operation()
	{
		const size_t word = first_hot + random_() % hot_pages * page_words + random_() % hot_words * 61;
		uint64_t *at = words_ + word;
		const bool atomic = word % 2;
		Op op{Kind::load, word, 0, 0, now(), 0};

		switch (random_() % 5) {
		case 0:
			op.stored = unique();
			op.kind = Kind::exchange;
			op.loaded = shared::exchange(at, op.stored);
			break;
		case 1: {
			/* Any two of these differ, as far as 64 random bits do. */
			const uint64_t by = random_();
			op.kind = Kind::exchange;
			op.loaded = shared::add(at, by);
			op.stored = op.loaded + by;
			break;
		}
		case 2:
			if (!atomic) {
				op.stored = unique();
				op.kind = Kind::store;
				shared::store(at, op.stored);
				shared::fence();
				break;
			}
			[[fallthrough]];
		default:
			op.loaded = shared::load(at);
		}
		op.end = now();
		return op;
	}

	unsigned me_;
	unsigned count_;
	shared::Memory memory_;
	uint64_t *words_;
	shared::Barrier barrier_;
	std::mt19937_64 random_;
	history::Process log_;
	uint64_t values_ = 0;
	uint64_t sent_[max_processes] = {};
};

int run(const std::string &path, unsigned me, unsigned count, size_t ops, uint64_t seed, const std::string &log)
{
	Recorder recorder(path, me, count, seed);

	recorder.run(ops);
	if (!history::save(log, recorder.log()))
		shared::die(log);
	return 0;
}

/* Loads that saw what another process wrote, and that not again: the page had come. */
size_t news(const std::vector<history::Process> &all)
{
	std::map<uint64_t, size_t> writer;
	size_t n = 0;

	for (size_t p = 0; p < all.size(); p++)
		for (const Op &op : all[p].ops)
			if (op.kind != Kind::load)
				writer[op.stored] = p;
	for (size_t p = 0; p < all.size(); p++) {
		std::map<uint64_t, uint64_t> last;
		for (const Op &op : all[p].ops) {
			if (op.kind != Kind::store && op.loaded && writer[op.loaded] != p)
				n += last[op.word] != op.loaded;
			last[op.word] = op.kind == Kind::load ? op.loaded : op.stored;
		}
	}
	return n;
}

int judge(int logs, char **paths)
{
	std::vector<history::Process> all(static_cast<size_t>(logs));
	size_t ops = 0;
	int64_t vague = 0;

	for (size_t i = 0; i < all.size(); i++) {
		if (!history::load(paths[i], all[i])) {
			std::printf("WRONG %s is no log\n", paths[i]);
			return 1;
		}
		ops += all[i].ops.size();
		vague = std::max(vague, all[i].ahead_max - all[i].ahead_min);
	}
	const history::Result r = history::check(all);
	const size_t seen = news(all);
	std::printf("%s: %zu operations of %d processes, %zu times news of another; clocks known to %jd ticks\n",
		    history::name(r.fault), ops, logs, seen, static_cast<intmax_t>(vague));
	if (r.fault != history::Fault::none)
		std::printf("WRONG %s\n", r.why.c_str());
	/* Who never heard of the others has tested nothing. */
	return r.fault != history::Fault::none || seen * 100 < ops;
}

} // namespace

int main(int argc, char **argv)
{
	const std::string what = argc > 1 ? argv[1] : "";
	const auto number = [&](int i) { return std::strtoul(argv[i], nullptr, 10); };

	if (what == "run" && argc == 8 && number(4) <= max_processes && number(3) < number(4))
		return run(argv[2], static_cast<unsigned>(number(3)), static_cast<unsigned>(number(4)), number(5),
			   number(6), argv[7]);
	if (what == "judge" && argc > 2)
		return judge(argc - 2, argv + 2);
	std::fprintf(stderr, "usage: memcheck run FILE ME COUNT OPS SEED LOG | judge LOG…\n");
	return 2;
}
