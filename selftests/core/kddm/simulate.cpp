// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random histories, up to 256 nodes: users, linkers that are slow or out of
 * memory, deaths, leaves, joins and returns at any message. The same invariants as in the
 * explorer, after every step. One history again, in words:
 *   out/simulate NODES OBJECTS SEED OPERATIONS CHANGES AFTER WHAT
 * (a failure prints these). For a time, worlds of any kind:
 *   out/simulate soak SECONDS SEED
 */
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "rows.hpp"
#include "world.hpp"

using namespace kddm;

namespace
{

struct Random {
	uint64_t x;
	uint64_t operator()(uint64_t below)
	{
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		return (x * 0x2545f4914f6cdd1dull >> 20) % below;
	}
};

struct Plan {
	unsigned nodes = 4;
	unsigned objects = 2;
	uint64_t seed = 1;
	unsigned ops = 60;
	unsigned changes = 0; /* deaths, leaves, joins */
	int after = -1;	      /* messages; exactly then comes one */
	Do change = Do::Kill; /* death, leave, join, or death and return */
	bool slow = true;     /* linkers and grants take their time */
};

struct Run {
	World w;
	Random r;
	Plan p;
	unsigned ops, changes;
	uint64_t steps = 0;

	explicit Run(const Plan &plan)
	    : w(rules(plan)), r{plan.seed * 0x9e3779b97f4a7c15ull + 1}, p(plan), ops(plan.ops), changes(plan.changes)
	{
	}

	static Rules rules(const Plan &p)
	{
		Rules k;
		k.nodes = p.nodes;
		k.objects = p.objects;
		k.slots = 2;
		k.set = p.seed;
		k.start = p.changes || p.change == Do::Join ? std::max(2u, p.nodes * 3 / 4) : p.nodes;
		k.home = p.seed % 5 == 4 ? 0 : -1;
		k.release_now = !p.slow || p.seed & 1;
		k.fill_now = !p.slow || p.seed & 2;
		return k;
	}
	void take(Do what, unsigned a, unsigned b = 0, unsigned c = 0)
	{
		w.step({what, static_cast<uint16_t>(a), static_cast<uint16_t>(b), static_cast<uint8_t>(c)});
		steps++;
	}
	bool deliver();
	bool user(unsigned n, bool ending);
	bool linker(unsigned n);
	bool begin();
	bool member(bool ending);
	bool flush_leaver();
	bool anything(bool ending);
	void check();
	void change_now();
	std::string go();
};

bool Run::deliver()
{
	while (!w.busy.empty()) {
		unsigned at = r(w.busy.size()), tries = 0;
		for (; tries < w.busy.size(); tries++, at = (at + 1) % w.busy.size()) {
			uint32_t ch = w.busy[at];
			if (w.channel[ch].empty()) {
				w.busy[at] = w.busy.back();
				w.busy.pop_back();
				break;
			}
			if (!w.deliverable(ch / p.nodes, ch % p.nodes))
				continue;
			take(Do::Deliver, ch / p.nodes, ch % p.nodes);
			return true;
		}
		if (tries == w.busy.size())
			return false;
	}
	return false;
}

bool Run::user(unsigned n, bool ending)
{
	for (unsigned i = 0; i < 2; i++) {
		const User &u = w.node[n].users[i];
		if (u.stage == Stage::Holding) {
			take(Do::Put, n, i);
			return true;
		}
		if (!ending && u.stage == Stage::Waiting && !r(50)) {
			take(Do::GiveUp, n, i);
			return true;
		}
	}
	return false;
}

bool Run::linker(unsigned n)
{
	for (auto &[object, c] : w.node[n].copies) {
		if (c.filling) {
			take(r(10) ? Do::Filled : Do::FillFails, n, object);
			return true;
		}
		if (c.o.flags & KRG_KDDM_GRANTED && !w.rules.release_now) {
			take(Do::Release, n, object);
			return true;
		}
		if (c.mapped == 2 && !r(20)) {
			take(Do::Store, n, object);
			return true;
		}
	}
	return false;
}

bool Run::begin()
{
	static const Kind kinds[] = {Kind::Read, Kind::Read,  Kind::Read,  Kind::Write, Kind::Write,  Kind::Write,
				     Kind::Find, Kind::Flush, Kind::Flush, Kind::Sync,	Kind::Remove, Kind::Prefetch};
	unsigned n = r(p.nodes);
	const auto &users = w.node[n].users;

	if (!ops || !w.may_start(n) || std::ranges::none_of(users.begin(), users.begin() + 2, [](const User &u) {
		    return u.stage == Stage::Idle;
	    }))
		return false;
	ops--;
	take(Do::Start, n, r(p.objects), static_cast<unsigned>(kinds[r(std::size(kinds))]));
	return true;
}

bool Run::flush_leaver()
{
	if (w.leaving < 0)
		return false;
	unsigned n = w.leaving;
	if (w.may_go(n)) {
		take(Do::Left, n);
		return true;
	}
	if (!w.node[n].alive || w.node[n].view.phase != KRG_KDDM_RUN)
		return false;
	for (auto &[object, c] : w.node[n].copies)
		if (c.o.content >= KRG_KDDM_BLANK && w.node[n].users[0].stage == Stage::Idle && !r(4)) {
			take(Do::Start, n, object, static_cast<unsigned>(Kind::Flush));
			return true;
		}
	return false;
}

bool Run::member(bool ending)
{
	for (unsigned i = 0, n = r(p.nodes); i < p.nodes; i++, n = (n + 1) % p.nodes)
		if (w.node[n].alive && w.node[n].learned < w.views.size()) {
			take(Do::Learn, n, 0, w.may_be_late(n) && r(2));
			return true;
		}
	unsigned n = r(p.nodes);
	if (ending || !changes)
		return false;
	bool in = krg_kddm_map_has(&w.views.back().members, n);
	if (in && w.may_die(n) && r(2)) {
		changes--;
		take(r(3) ? Do::Kill : Do::Again, n);
		return true;
	}
	if (in && w.leaving < 0 && w.may_die(n) && static_cast<int>(n) != w.rules.home) {
		changes--;
		take(Do::Leave, n);
		return true;
	}
	if (!in && !w.node[n].alive) {
		changes--;
		take(Do::Join, n);
		return true;
	}
	return false;
}

bool Run::anything(bool ending)
{
	if (ending) {
		for (unsigned n = 0; n < p.nodes; n++)
			if (w.node[n].alive && (linker(n) || user(n, true)))
				return true;
		return member(true) || deliver() || flush_leaver();
	}
	unsigned n = r(p.nodes), dice = r(100);
	if (dice < 55)
		return deliver();
	if (dice < 70)
		return begin();
	if (dice < 78)
		return flush_leaver();
	if (dice < 82)
		return member(false);
	return w.node[n].alive && (linker(n) || user(n, false));
}

void Run::check()
{
	for (unsigned object = 0; object < p.objects && w.good(); object++)
		if (p.nodes <= 16 || object == steps % p.objects)
			w.check_object(object);
}

/* The change that is to come at this very moment, to whom it can. */
void Run::change_now()
{
	p.after = -1;
	for (unsigned i = 0, n = r(p.nodes); i < p.nodes; i++, n = (n + 1) % p.nodes) {
		bool out = !w.node[n].alive && !krg_kddm_map_has(&w.views.back().members, n);
		bool may_leave = w.may_die(n) && static_cast<int>(n) != w.rules.home;

		if (((p.change == Do::Kill || p.change == Do::Again) && w.may_die(n)) ||
		    (p.change == Do::Leave && may_leave) || (p.change == Do::Join && out))
			return take(p.change, n);
	}
}

std::string Run::go()
{
	uint64_t idle = 0, evictions = 0;

	while (w.good() && (ops || changes) && idle < 2000) {
		idle = anything(false) ? 0 : idle + 1;
		check();
		if (p.after >= 0 && w.messages >= static_cast<uint64_t>(p.after))
			change_now();
	}
	while (w.good() && anything(true) && evictions < 1'000'000) {
		evictions++;
		check();
	}
	if (w.good() && evictions >= 1'000'000)
		w.fail("no end");
	if (w.good() && !w.quiet())
		w.fail("stuck: messages are on their way and nobody takes them");
	if (w.good())
		w.check_quiet(true);
	return w.broken;
}

struct Sum {
	uint64_t runs = 0, steps = 0, messages = 0, deaths = 0, lost = 0, over = 0, errors = 0;
	std::string broken;
	void add(Run &run)
	{
		runs++;
		steps += run.steps;
		messages += run.w.messages;
		deaths += run.w.deaths;
		lost += run.w.lost;
		over += run.w.over_reported;
		errors += run.w.errors;
	}
};

int count, failed;

void report(const char *what, const Sum &s, double seconds)
{
	count++;
	failed += !s.broken.empty();
	std::printf("%sok %d - %s: %lu runs, %lu steps, %lu messages, %lu deaths, %lu objects lost (%lu never filled), "
		    "%.1f s\n",
		    s.broken.empty() ? "" : "not ", count, what, s.runs, s.steps, s.messages, s.deaths, s.lost, s.over,
		    seconds);
	if (!s.broken.empty())
		std::printf("# %s\n", s.broken.c_str());
	std::fflush(stdout);
}

void one(Sum &s, const Plan &p)
{
	Run run(p);
	std::string broken = run.go();

	s.add(run);
	if (!broken.empty() && s.broken.empty())
		s.broken = broken + "; again: simulate " + std::to_string(p.nodes) + " " + std::to_string(p.objects) +
			   " " + std::to_string(p.seed) + " " + std::to_string(p.ops) + " " +
			   std::to_string(p.changes) + " " + std::to_string(p.after) + " " +
			   std::to_string(static_cast<int>(p.change));
}

double now()
{
	return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void random_runs(const char *what, Plan p, unsigned runs, uint64_t seed)
{
	Sum s;
	double t = now();

	for (unsigned i = 0; i < runs && s.broken.empty(); i++) {
		p.seed = seed + i;
		one(s, p);
	}
	report(what, s, now() - t);
}

/* A change after each message of a history. */
void change_everywhere(const char *what, Plan p, unsigned seeds, uint64_t seed)
{
	Sum s;
	double t = now();

	for (unsigned i = 0; i < seeds && s.broken.empty(); i++) {
		p.seed = seed + i;
		p.after = -1;
		Run base(p);
		s.broken = base.go();
		for (unsigned k = 0; k < base.w.messages && s.broken.empty(); k++) {
			p.after = k;
			one(s, p);
		}
	}
	report(what, s, now() - t);
}

/* Worlds of any kind until the time is up. */
int soak(double seconds, uint64_t seed)
{
	Sum s;
	double t = now();
	Random r{seed * 0x9e3779b97f4a7c15ull + 1};

	while (s.broken.empty() && now() - t < seconds) {
		Plan p;
		p.nodes = 2 + r(11);
		p.objects = 1 + r(4);
		p.seed = r(1'000'000'000);
		p.ops = 10 + r(20 * p.nodes);
		p.changes = r(13);
		one(s, p);
	}
	report("soak", s, now() - t);
	return failed != 0;
}

int again(char **argv)
{
	Plan p;
	std::vector<std::string> log;

	p.nodes = std::atoi(argv[1]);
	p.objects = std::atoi(argv[2]);
	p.seed = std::atoll(argv[3]);
	p.ops = std::atoi(argv[4]);
	p.changes = std::atoi(argv[5]);
	p.after = std::atoi(argv[6]);
	p.change = static_cast<Do>(std::atoi(argv[7]));
	Run run(p);
	run.w.log = &log;
	std::string broken = run.go();
	for (const std::string &line : log)
		std::printf("%s\n", line.c_str());
	std::printf("%s\n", broken.empty() ? "good" : broken.c_str());
	return !broken.empty();
}

} // namespace

int main(int argc, char **argv)
{
	if (argc == 8)
		return again(argv);
	if (argc == 4)
		return soak(std::atof(argv[2]), std::atoll(argv[3]));
	uint64_t seed = argc > 1 ? std::atoll(argv[1]) : 1;

	std::printf("1..9\n");
	random_runs("3 nodes, 1 object, nothing changes", {3, 1, 0, 80}, 3000, seed);
	random_runs("4 nodes, 2 objects, 3 changes of members", {4, 2, 0, 60, 3}, 3000, seed);
	random_runs("8 nodes, 4 objects, 6 changes of members", {8, 4, 0, 200, 6}, 600, seed);
	random_runs("32 nodes, 8 objects, 4 changes of members", {32, 8, 0, 1500, 4}, 20, seed);
	random_runs("256 nodes, 4 objects, 4 changes of members", {256, 4, 0, 3000, 4}, 1, seed);
	Plan p{4, 2, 0, 40};
	change_everywhere("a death after each message", p, 12, seed);
	p.change = Do::Leave;
	change_everywhere("one leaves after each message", p, 12, seed);
	p.change = Do::Join;
	change_everywhere("one joins after each message", p, 12, seed);
	p.change = Do::Again;
	change_everywhere("one dies and comes again after each message", p, 12, seed);
	rows_save("simulate");
	return failed != 0;
}
