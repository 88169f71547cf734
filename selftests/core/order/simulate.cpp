// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random histories: deaths, leaves, joins, cut-off nodes, lost quorum at any moment;
 * and a death, a leave, a join after each message of a history.
 *
 *	simulate SEED [RUNS]		a failure prints how to get it again
 *	simulate one SEED NODES
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include "../tap.hpp"
#include "world.hpp"

using namespace world;

namespace
{

struct Totals {
	u64 messages = 0, done = 0, dropped = 0, restored = 0, views = 0;
} totals;

class History
{
public:
	History(u64 seed, unsigned nodes) : w(nodes, seed % 2), random(seed) {}

	void run(unsigned steps)
	{
		w.decide(some_nodes(), true);
		for (unsigned i = 0; i < steps; i++)
			step();
		end();
	}

	/* The same history each time, but for what happens to node @n after message @at. */
	bool run_until(unsigned at, unsigned n, unsigned what)
	{
		bool reached = false;

		w.decide(all(w.size() - 1), true);
		for (unsigned i = 0; i < 60 * w.size(); i++) {
			if (!reached && w.messages >= at) {
				reached = true;
				happens(n, what);
			}
			calm_step();
		}
		end();
		return reached;
	}

private:
	World w;
	std::mt19937_64 random;
	u64 views = 0;

	unsigned below(unsigned n) { return random() % n; }
	unsigned any() { return below(w.size()); }

	krg_mask some_nodes()
	{
		krg_mask m{};

		for (unsigned n = 0; n < w.size(); n++)
			if (below(4))
				krg_mask_add(&m, n);
		krg_mask_add(&m, any());
		return m;
	}

	void deliver_some()
	{
		unsigned from = any(), to = any();

		for (unsigned i = 0; i < w.size() * w.size(); i++) {
			from = (from + (++to == w.size())) % w.size();
			to %= w.size();
			if (!w.may_deliver(from, to))
				continue;
			for (unsigned k = below(4) + 1; k && w.may_deliver(from, to); k--)
				w.deliver(from, to);
			return;
		}
	}

	void calm_step()
	{
		unsigned n = any();

		if (w.nodes[n].pending && !below(3))
			w.install(n);
		else if (w.may_submit(n) && !below(6))
			w.submit(n);
		else if (w.nodes[n].alive && w.nodes[n].dirty && below(2))
			w.pump(n);
		else
			deliver_some();
	}

	unsigned members() const { return krg_mask_count(&w.view.members); }

	void decide(const krg_mask &m, bool quorate = true)
	{
		views++;
		w.decide(m, quorate);
	}

	void kill(unsigned n)
	{
		w.die(n);
		for (unsigned p = 0; p < w.size(); p++)
			if (!below(3))
				w.lose(n, p, below(3));
	}

	void happens(unsigned n, unsigned what)
	{
		krg_mask m = w.view.members;
		bool in = krg_mask_has(&m, n);

		switch (what) {
		case 0: /* dies; dies and comes back at once */
		case 1:
			if (!in || members() < 2)
				return;
			kill(n);
			krg_mask_del(&m, n);
			if (what) {
				w.boot(n);
				krg_mask_add(&m, n);
			}
			break;
		case 2: /* leaves in order: is told at once */
		case 3: /* is cut off, and finds out some time */
			if (!in || members() < 2)
				return;
			krg_mask_del(&m, n);
			decide(m);
			if (what == 2)
				w.leave(n);
			return;
		case 4: /* joins; who was cut off has found out */
			if (in)
				return;
			if (!w.nodes[n].alive)
				w.boot(n);
			else if (w.nodes[n].o.phase != KRG_ORDER_OUT)
				w.leave(n);
			krg_mask_add(&m, n);
			break;
		case 5:
			decide(m, false);
			return;
		}
		decide(m);
	}

	void step()
	{
		if (below(40))
			calm_step();
		else
			happens(any(), below(6));
	}

	void end()
	{
		for (unsigned n = 0; n < w.size(); n++)
			if (w.nodes[n].alive && !w.current(n) && w.nodes[n].o.phase != KRG_ORDER_OUT)
				w.leave(n);
		if (!w.view.quorate)
			decide(w.view.members);
		w.settle();
		w.check_quiet();
		for (unsigned n = 0; n < w.size(); n++)
			if (w.may_submit(n))
				w.submit(n);
		w.settle();
		w.check_quiet();
		totals.messages += w.messages;
		totals.done += w.done;
		totals.dropped += w.dropped;
		totals.restored += w.restored;
		totals.views += views;
	}
};

bool attempt(u64 seed, unsigned nodes)
{
	try {
		History(seed, nodes).run(nodes * 40 + seed % 400);
	} catch (const Broken &b) {
		std::printf("# %s; again: simulate one %llu %u\n", b.what.c_str(), (unsigned long long)seed, nodes);
		return false;
	}
	return true;
}

bool random_histories(u64 seed, unsigned nodes, unsigned runs)
{
	totals = {};
	for (unsigned i = 0; i < runs; i++)
		if (!attempt(seed + i, nodes))
			return false;
	std::printf("# %llu messages, %llu operations done, %llu dropped, %llu snapshots, %llu views\n",
		    (unsigned long long)totals.messages, (unsigned long long)totals.done,
		    (unsigned long long)totals.dropped, (unsigned long long)totals.restored,
		    (unsigned long long)totals.views);
	return totals.done && totals.restored && totals.views;
}

/* Node by node, message by message. */
bool at_every_message(u64 seed, unsigned nodes, unsigned what, unsigned &moments)
{
	for (unsigned n = 0; n < nodes; n++)
		for (unsigned at = 0;; at++) {
			try {
				if (!History(seed, nodes).run_until(at, n, what))
					break;
				moments++;
			} catch (const Broken &b) {
				std::printf("# %s; seed %llu, event %u at node %u after message %u\n", b.what.c_str(),
					    (unsigned long long)seed, what, n, at);
				return false;
			}
		}
	return true;
}

} // namespace

int main(int argc, char **argv)
{
	static const unsigned sizes[] = {2, 3, 4, 5, 8, 16, 64};
	static const char *const whats[] = {"a death", "a death and a birth", "a leave", "a cut", "a join"};

	if (argc == 4 && !strcmp(argv[1], "one"))
		return !attempt(std::strtoull(argv[2], nullptr, 0), std::atoi(argv[3]));
	u64 seed = argc > 1 ? std::strtoull(argv[1], nullptr, 0) : 1;
	unsigned runs = argc > 2 ? std::atoi(argv[2]) : 6400;
	for (unsigned nodes : sizes)
		tap::ok(random_histories(seed * 1000000, nodes, runs / nodes / nodes + 4),
			std::to_string(nodes) + " nodes, random histories");
	for (unsigned what = 0; what < 5; what++) {
		unsigned moments = 0;
		bool good = at_every_message(seed, 4, what, moments);
		tap::ok(good && moments,
			std::string(whats[what]) + " after each of " + std::to_string(moments) + " messages");
	}
	return tap::end();
}
