// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every order of events in small worlds: messages, operations, a change of the view
 * at any moment. A broken invariant is told with the way there.
 *
 *	explore [quick]		quick: for mutants, the first broken invariant ends it
 */
#include <cstdio>
#include <cstring>
#include <string>
#include <unordered_set>
#include <vector>

#include "../tap.hpp"
#include "world.hpp"

using namespace world;

namespace
{

constexpr size_t kStates = 1000000;

/* What the views of a small world do, one after the other, each at any moment. */
enum class Change {
	kill,
	reborn, /* dies and is taken in again, in one view */
	join,
	del,   /* leaves in order */
	cut,   /* the others go on without it; it still believes in the old view */
	split, /* no quorum */
	heal,
};

struct Step {
	Change change;
	unsigned node;
};

struct Small {
	const char *name;
	unsigned nodes;
	unsigned start;		   /* bits: in the cluster, which is up */
	bool up;		   /* its first view is installed, and there are entries */
	std::vector<unsigned> ops; /* by node */
	std::vector<Step> steps;
	bool lazy; /* a node may let several messages come before it answers */
};

struct State {
	World w;
	std::vector<unsigned> ops;
	size_t step = 0;
};

std::vector<std::string> way;
std::unordered_set<u64> visited;
u64 ends;
bool full;

krg_mask mask(unsigned bits)
{
	krg_mask m{};

	m.w[0] = bits;
	return m;
}

void change(World &w, Step s)
{
	krg_mask m = w.view.members;

	switch (s.change) {
	case Change::kill:
		w.die(s.node);
		krg_mask_del(&m, s.node);
		break;
	case Change::reborn:
		w.die(s.node);
		w.boot(s.node);
		krg_mask_add(&m, s.node);
		break;
	case Change::join:
		krg_mask_add(&m, s.node);
		break;
	case Change::cut:
		krg_mask_del(&m, s.node);
		break;
	case Change::del:
		krg_mask_del(&m, s.node);
		break;
	case Change::split:
	case Change::heal:
		break;
	}
	w.decide(m, s.change != Change::split);
	if (s.change == Change::del)
		w.leave(s.node);
}

State begin(const Small &s)
{
	State st{World(s.nodes, !s.lazy), s.ops};

	st.w.decide(mask(s.start), true);
	if (!s.up)
		return st;
	st.w.settle();
	for (unsigned n = 0; n < s.nodes; n++)
		if (st.w.may_submit(n))
			st.w.submit(n);
	st.w.settle();
	st.w.check_quiet();
	return st;
}

void go(const Small &s, const State &st);

template <typename F> void attempt(const Small &s, const State &st, const std::string &what, F f)
{
	State next = st;

	way.push_back(what);
	f(next);
	go(s, next);
	way.pop_back();
}

std::string name(const char *what, unsigned a)
{
	return std::string(what) + " " + std::to_string(a);
}

/* Return: something may happen yet. */
bool branches(const Small &s, const State &st)
{
	bool any = false;
	unsigned nodes = s.nodes;

	for (unsigned i = 0; i < nodes * nodes; i++)
		if (unsigned from = i / nodes, to = i % nodes; st.w.may_deliver(from, to)) {
			const Message &m = st.w.channel(from, to).front();
			any = true;
			attempt(s, st,
				name("type", reinterpret_cast<const u8 *>(m.words.data())[1]) + name(" from", from) +
				    name(" to", to),
				[&](State &n) { n.w.deliver(from, to); });
		}
	for (unsigned n = 0; n < nodes; n++) {
		if (st.w.nodes[n].pending) {
			any = true;
			attempt(s, st, name("view at", n), [&](State &t) { t.w.install(n); });
		}
		if (s.lazy && st.w.nodes[n].alive && st.w.nodes[n].dirty) {
			any = true;
			attempt(s, st, name("pump", n), [&](State &t) { t.w.pump(n); });
		}
		if (st.ops[n] && st.w.may_submit(n)) {
			any = true;
			attempt(s, st, name("submit", n), [&](State &t) {
				t.ops[n]--;
				t.w.submit(n);
			});
		}
	}
	if (st.step < s.steps.size()) {
		any = true;
		attempt(s, st, name("change", st.step), [&](State &t) { change(t.w, s.steps[t.step++]); });
	}
	return any;
}

void go(const Small &s, const State &st)
{
	u64 key = st.w.hash();

	for (unsigned left : st.ops)
		key = key * 31 + left;
	key = key * 31 + st.step;
	if (visited.size() >= kStates) {
		full = true;
		return;
	}
	if (!visited.insert(key).second || branches(s, st))
		return;
	ends++;
	st.w.check_quiet();
}

const std::vector<Small> kSmall = {
    {"a start, an operation of each", 3, 7, false, {1, 1, 1}, {}, false},
    {"operations of all, answered late", 3, 7, true, {1, 1, 1}, {}, true},
    {"the sequencer dies", 3, 7, true, {0, 1, 1}, {{Change::kill, 0}}, false},
    {"another dies", 3, 7, true, {1, 1, 1}, {{Change::kill, 2}}, false},
    {"the sequencer dies, answers are late", 3, 7, true, {0, 1, 0}, {{Change::kill, 0}}, true},
    {"a higher one joins", 3, 3, true, {1, 1, 1}, {{Change::join, 2}}, false},
    {"a lower one joins", 3, 6, true, {1, 1, 0}, {{Change::join, 0}}, false},
    {"the sequencer is reborn between two views", 3, 7, true, {0, 1, 1}, {{Change::reborn, 0}}, false},
    {"another is reborn between two views", 3, 7, true, {1, 1, 1}, {{Change::reborn, 1}}, false},
    {"one joins while the sequencer dies", 3, 3, true, {0, 1, 0}, {{Change::join, 2}, {Change::kill, 0}}, false},
    {"one joins and dies", 3, 3, true, {1, 1, 0}, {{Change::join, 2}, {Change::kill, 2}}, false},
    {"the sequencer is cut off", 3, 7, true, {1, 1, 0}, {{Change::cut, 0}}, false},
    {"the sequencer leaves", 3, 7, true, {1, 1, 0}, {{Change::del, 0}}, false},
    {"one of four joins while the sequencer dies",
     4,
     7,
     true,
     {0, 1, 0, 0},
     {{Change::join, 3}, {Change::kill, 0}},
     false},
    {"two sequencers die", 4, 15, true, {0, 0, 1, 0}, {{Change::kill, 0}, {Change::kill, 1}}, false},
    {"two are reborn, one after the other", 3, 7, true, {0, 0, 1}, {{Change::reborn, 0}, {Change::reborn, 1}}, false},
    {"the sequencer leaves and joins", 3, 7, true, {1, 1, 0}, {{Change::del, 0}, {Change::join, 0}}, false},
    {"quorum lost and regained", 2, 3, true, {1, 2}, {{Change::split, 0}, {Change::heal, 0}}, false},
};

bool explore(const Small &s)
{
	visited.clear();
	way.clear();
	ends = 0;
	full = false;
	try {
		go(s, begin(s));
	} catch (const Broken &b) {
		tap::ok(false, s.name);
		std::printf("# %s, after:\n", b.what.c_str());
		for (const std::string &w : way)
			std::printf("#   %s\n", w.c_str());
		return false;
	}
	return tap::ok(ends != 0, std::string(s.name) + ": " + std::to_string(visited.size()) + " states, " +
				      std::to_string(ends) + " ends" + (full ? " (not all)" : ""));
}

} // namespace

int main(int argc, char **argv)
{
	bool quick = argc > 1 && !strcmp(argv[1], "quick");

	for (const Small &s : kSmall)
		if (!explore(s) && quick)
			return 1;
	return tap::end();
}
