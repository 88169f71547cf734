// SPDX-License-Identifier: GPL-2.0-only
/*
 * litmus: litmus tests on memory of several nodes (selftests/core/memory/litmus.hpp).
 *
 *   litmus run FILE ME NODES RUNS SEED LOG     on node ME = 0..NODES-1, all at once
 *   litmus judge NODES RUNS SEED LOG…          a log a node; a line a test, exit status
 *
 * What threads read is logged outside of the memory they share, so judging does not
 * rely on it. A node that has no part in a round reads and writes other words of the
 * same pages meanwhile, and must find there what it wrote.
 */
#include "shared.hpp"
#include <litmus.hpp>

#include <atomic>
#include <fstream>
#include <thread>

using namespace litmus;

namespace
{

/* Now and then a thread dawdles, so that pages may go in the middle of an instance. */
class Dawdler
{
public:
	explicit Dawdler(uint64_t seed) : random_(seed) {}
	void pass()
	{
		if (random_() % 8 == 0)
			shared::pause(random_() % 2000);
	}

private:
	std::minstd_rand random_;
};

class Node
{
public:
	Node(const std::string &path, unsigned me, unsigned nodes)
	    : me_(me), memory_(path, file_words() * sizeof(uint64_t), me == 0), words_(memory_.words()),
	      barrier_(words_, me, nodes), noise_(file_words() / page_words), random_(me + 1)
	{
	}

	void round(const Round &r)
	{
		std::vector<std::thread> others;
		std::vector<std::vector<uint64_t>> got(r.node_of.size());
		std::atomic<bool> go{false};
		int mine = -1;

		for (unsigned t = 0; t < r.node_of.size(); t++) {
			if (r.node_of[t] != me_)
				continue;
			if (mine < 0)
				mine = static_cast<int>(t);
			else
				others.emplace_back([&, t] {
					while (!go)
						sched_yield();
					got[t] = walk(r, t);
				});
		}
		scatter(r);
		barrier_.wait();
		go = true;
		if (mine >= 0)
			got[static_cast<size_t>(mine)] = walk(r, static_cast<unsigned>(mine));
		for (std::thread &t : others)
			t.join();
		barrier_.arrive();
		if (mine < 0)
			disturb(variants()[r.variant]);
		barrier_.await();
		keep(r, got);
	}

	void save(const std::string &path) const
	{
		std::ofstream file(path, std::ios::binary);

		file.write(reinterpret_cast<const char *>(log_.data()),
			   static_cast<std::streamsize>(log_.size() * sizeof(uint64_t)));
		file.close();
		if (!file)
			shared::die(path);
	}

private:
	std::vector<uint64_t> walk(const Round &r, unsigned thread)
	{
		const Variant &v = variants()[r.variant];
		const std::vector<Op> &ops = v.test->threads[thread];
		std::vector<uint64_t> got(instances * ops.size());
		Dawdler dawdler(r.seed % 1000 + thread);

		for (const unsigned i : r.order(thread))
			for (size_t n = 0; n < ops.size(); n++) {
				uint64_t *at = words_ + v.word(i, ops[n].var);

				dawdler.pass();
				if (ops[n].what == Do::write)
					shared::store(at, r.stamp(ops[n].arg));
				else if (ops[n].what == Do::read)
					got[i * ops.size() + n] = shared::load(at);
				else
					shared::fence();
			}
		return got;
	}

	/* At first each thread's node has some of the pages, or who has all would be done at once. */
	void scatter(const Round &r)
	{
		const Variant &v = variants()[r.variant];

		for (size_t p = 0; p < v.pages(); p++)
			if (r.node_of[(p + r.seed) % r.node_of.size()] == me_)
				touch(v.first_page + p);
	}

	/* Odd words belong to nobody's test; in each page one is ours. */
	void touch(size_t page)
	{
		uint64_t *at = words_ + page * page_words + 1 + 2 * me_;

		if (shared::load(at) != noise_[page]) {
			std::fprintf(stderr, "page %zu: a word that only we write has changed\n", page);
			std::exit(1);
		}
		shared::store(at, ++noise_[page]);
	}

	void disturb(const Variant &v)
	{
		while (!barrier_.complete()) {
			touch(v.first_page + random_() % v.pages());
			::usleep(random_() % 10000);
		}
	}

	void keep(const Round &r, const std::vector<std::vector<uint64_t>> &got)
	{
		const Variant &v = variants()[r.variant];

		log_.push_back(r.number);
		for (size_t t = 0; t < got.size(); t++)
			for (size_t n = 0; n < got[t].size(); n++)
				if (v.test->threads[t][n % v.test->threads[t].size()].what == Do::read)
					log_.push_back(got[t][n]);
		for (unsigned i = 0; i < instances; i++)
			for (unsigned var = 0; var < v.test->vars; var++)
				log_.push_back(shared::load(words_ + v.word(i, var)));
	}

	unsigned me_;
	shared::Memory memory_;
	uint64_t *words_;
	shared::Barrier barrier_;
	std::vector<uint64_t> noise_; /* a page each: what we wrote last */
	std::minstd_rand random_;
	Log log_;
};

int run(const std::string &path, unsigned me, unsigned nodes, unsigned runs, uint64_t seed, const std::string &log)
{
	const double started = shared::seconds();
	Node node(path, me, nodes);

	for (const Round &r : plan(nodes, runs, seed))
		node.round(r);
	node.save(log);
	std::printf("%.1f s\n", shared::seconds() - started);
	return 0;
}

Log read_log(const char *path)
{
	std::ifstream file(path, std::ios::binary);
	Log log;
	uint64_t word = 0;

	while (file.read(reinterpret_cast<char *>(&word), sizeof(word)))
		log.push_back(word);
	if (log.empty())
		shared::die(path);
	return log;
}

int report(const Verdict &verdict)
{
	int bad = verdict.wrong != 0;
	size_t varied = 0;

	for (size_t i = 0; i < variants().size(); i++) {
		const Variant &v = variants()[i];
		const Tally &tally = verdict.tallies[i];

		std::printf("%s: %u runs, %u forbidden; seen:", v.name().c_str(), tally.runs, tally.forbidden);
		for (const auto &[outcome, times] : tally.seen)
			std::printf(" [%s]=%u", text(outcome, v.test->registers).c_str(), times);
		const bool met = tally.seen.size() >= 2;
		std::printf("%s\n", met ? "" : " NO VARIETY");
		varied += met;
		bad |= !met && tally.runs >= 1000;
	}
	/* Threads that never meet test nothing; in a few rounds of one test they may not. */
	if (varied * 2 <= variants().size()) {
		std::printf("WRONG only %zu of %zu tests have any variety\n", varied, variants().size());
		bad = 1;
	}
	for (const std::string &what : verdict.complaints)
		std::printf("WRONG %s\n", what.c_str());
	return bad;
}

int judge_logs(unsigned nodes, unsigned runs, uint64_t seed, char **paths)
{
	std::vector<Log> logs;

	for (unsigned n = 0; n < nodes; n++)
		logs.push_back(read_log(paths[n]));
	return report(judge(plan(nodes, runs, seed), logs));
}

} // namespace

int main(int argc, char **argv)
{
	const std::string what = argc > 1 ? argv[1] : "";
	const auto number = [&](int i) { return static_cast<unsigned>(std::strtoul(argv[i], nullptr, 10)); };

	if (what == "run" && argc == 8 && number(4) >= 2 && number(4) <= max_nodes && number(3) < number(4))
		return run(argv[2], number(3), number(4), number(5), number(6), argv[7]);
	if (what == "judge" && argc > 5 && number(2) >= 2 && argc == 5 + static_cast<int>(number(2)))
		return judge_logs(number(2), number(3), number(4), argv + 5);
	std::fprintf(stderr, "usage: litmus run FILE ME NODES RUNS SEED LOG | judge NODES RUNS SEED LOG…\n");
	return 2;
}
