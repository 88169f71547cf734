// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ladders of Documentation/kddm-protocol.md one by one, with their messages
 * counted; what no history brings about; and every event in every state.
 */
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "../tap.hpp"
#include "rows.hpp"
#include "world.hpp"

using namespace kddm;

namespace
{

/* A world driven by hand. */
struct Bench {
	World w;
	uint64_t before = 0;

	explicit Bench(const Rules &r, bool install = false) : w(r)
	{
		if (install)
			w.install(0);
	}
	void take(Do what, unsigned a, unsigned b = 0, unsigned c = 0)
	{
		w.step({what, static_cast<uint16_t>(a), static_cast<uint16_t>(b), static_cast<uint8_t>(c)});
		w.check_object(0);
	}
	/* Everything that is on its way arrives. */
	void settle()
	{
		for (bool again = true; again && w.good();) {
			again = false;
			for (unsigned n = 0; n < w.rules.nodes; n++)
				for (unsigned to = 0; to < w.rules.nodes; to++)
					while (w.deliverable(n, to) && w.good()) {
						take(Do::Deliver, n, to);
						again = true;
					}
		}
	}
	/* A user begins, and its request runs its course. */
	void begin(unsigned n, Kind k) { take(Do::Start, n, 0, static_cast<unsigned>(k)); }
	void put(unsigned n)
	{
		if (w.node[n].users[0].stage == Stage::Holding)
			take(Do::Put, n, 0);
	}
	/* Messages of the whole operation. */
	unsigned cost(unsigned n, Kind k)
	{
		before = w.messages;
		begin(n, k);
		settle();
		put(n);
		settle();
		return w.messages - before;
	}
	bool state(unsigned n, unsigned s)
	{
		const Copy *c = w.find(n, 0);
		return c ? c->o.state == s : s == KRG_KDDM_I;
	}
	void learn()
	{
		for (unsigned n = 0; n < w.rules.nodes; n++)
			while (w.node[n].alive && w.node[n].learned < w.views.size())
				take(Do::Learn, n);
		settle();
	}
	bool fine()
	{
		if (w.good())
			w.check_quiet(true);
		if (!w.good())
			std::printf("# %s\n", w.broken.c_str());
		return w.good();
	}
};

Rules at_home(unsigned nodes)
{
	Rules r;
	r.nodes = nodes;
	r.home = 0;
	return r;
}

Rules hashed(unsigned nodes)
{
	Rules r;
	r.nodes = nodes;
	return r;
}

std::string counted(const char *what, unsigned got, unsigned want)
{
	return std::string(what) + ": " + std::to_string(got) + " messages" +
	       (got == want ? "" : ", not " + std::to_string(want));
}

void costs(Bench &b, unsigned n, Kind k, const char *what, unsigned want)
{
	unsigned got = b.cost(n, k);

	tap::ok(got == want && b.fine(), counted(what, got, want));
}

void two_nodes()
{
	Bench b(at_home(2), true);

	costs(b, 1, Kind::Read, "two nodes, read miss", 2);
	costs(b, 1, Kind::Write, "two nodes, upgrade", 2);
	costs(b, 1, Kind::Write, "two nodes, again, alone", 0);
	costs(b, 0, Kind::Read, "two nodes, read miss of the manager", 2);
	costs(b, 0, Kind::Write, "two nodes, upgrade of the manager", 2);
	costs(b, 1, Kind::Write, "two nodes, write miss", 2);
	costs(b, 0, Kind::Write, "two nodes, write miss of the manager", 2);
	costs(b, 0, Kind::Read, "two nodes, read of what one may write", 0);
}

void more_nodes()
{
	Bench b(at_home(3), true);

	b.cost(1, Kind::Write);
	costs(b, 2, Kind::Read, "third-party owner, read miss", 3);
	costs(b, 1, Kind::Write, "owner with one sharer, not manager, upgrade", 4);
	costs(b, 2, Kind::Write, "third-party owner, write miss", 3);

	Bench many(at_home(9), true);
	for (unsigned n = 1; n < 9; n++)
		many.cost(n, Kind::Read);
	many.before = many.w.messages;
	many.begin(4, Kind::Write);
	many.take(Do::Deliver, 4, 0);
	unsigned at_once = many.w.messages - many.before - 1;
	tap::ok(at_once == 8, counted("8 sharers: invalidations and the grant, sent at once", at_once, 8));
	many.settle();
	tap::ok(many.w.messages - many.before == 16 && many.state(4, KRG_KDDM_W),
		counted("8 sharers, upgrade of one, ACKs to it", many.w.messages - many.before, 16));
	many.put(4);
	tap::ok(many.fine(), "8 sharers, upgrade: all is well");

	Bench one(hashed(1));
	costs(one, 0, Kind::Read, "one node, first touch", 0);
	costs(one, 0, Kind::Write, "one node, write", 0);
}

void first_touch()
{
	Bench two(hashed(2)), twice(hashed(2)), three(hashed(3));
	krg_kddm_place p = two.w.env(0, 0).place, q = three.w.env(0, 0).place;

	costs(two, p.manager, Kind::Read, "first touch by the manager, known to the witness", 2);
	costs(twice, p.witness, Kind::Read, "first touch by the witness", 2);
	tap::ok(twice.state(p.witness, KRG_KDDM_W), "first touch by a read: ownership, so that a write costs nothing");
	costs(three, 3 - q.manager - q.witness, Kind::Write, "first touch by a third node", 3);
}

void flushes()
{
	Bench b(at_home(3), true);

	b.cost(1, Kind::Read);
	costs(b, 1, Kind::Flush, "a sharer drops its copy", 2);
	tap::ok(b.state(1, KRG_KDDM_I), "it is gone");
	b.cost(1, Kind::Write);
	costs(b, 1, Kind::Flush, "the only copy goes to the manager", 3);
	tap::ok(b.state(1, KRG_KDDM_I) && b.state(0, KRG_KDDM_W), "it is there");
	costs(b, 0, Kind::Flush, "the manager's only copy goes to another node", 3);
	tap::ok(b.state(1, KRG_KDDM_W) && b.state(0, KRG_KDDM_I), "it is there");
	b.cost(2, Kind::Read);
	costs(b, 1, Kind::Flush, "an owner with sharers: the manager takes over", 5);
	tap::ok(b.state(1, KRG_KDDM_I) && b.state(0, KRG_KDDM_O) && b.state(2, KRG_KDDM_S),
		"the sharer keeps its copy");
	b.begin(2, Kind::Read);
	b.begin(2, Kind::Read);
	unsigned errors = b.w.errors;
	Bench held(at_home(2), true);
	held.w.node[1].users.resize(1);
	held.begin(1, Kind::Read);
	held.settle();
	krg_kddm_msg m{};
	m.type = KRG_KDDM_OP_FLUSH;
	m.node = KRG_KDDM_NOBODY;
	tap::ok(held.w.event(1, 0, m) == -EBUSY && errors == b.w.errors, "what is held is not flushed");
	m.type = KRG_KDDM_OP_FLUSH;
	Bench alone(at_home(1), true);
	tap::ok(alone.w.event(0, 0, m) == -ENOSPC, "no other node to flush to");
}

void no_memory()
{
	Bench b(at_home(2), true);

	b.cost(1, Kind::Write);
	b.begin(1, Kind::Flush);
	b.w.channel[1 * 2 + 0].front().msg.status = -ENOMEM;
	b.settle();
	tap::ok(b.state(1, KRG_KDDM_W) && b.w.errors == 1 && b.fine(),
		"manager without memory: the flush is denied, nothing lost");

	Rules r = at_home(2);
	r.fill_now = false;
	Bench c(r, true);
	c.begin(1, Kind::Write);
	c.settle();
	c.take(Do::FillFails, 1);
	tap::ok(c.w.errors == 1 && c.state(1, KRG_KDDM_W), "receiver without memory: its user has an error");
	unsigned got = c.w.messages;
	c.begin(0, Kind::Read);
	c.settle();
	c.take(Do::Filled, 0);
	c.put(0);
	tap::ok(c.w.good() && c.w.messages - got == 2 && c.w.find(0, 0)->version == c.w.latest[0],
		"the bytes go on to who asks next, nothing lost");
}

void holding()
{
	Bench b(at_home(3), true);

	b.begin(1, Kind::Write);
	b.settle();
	b.begin(0, Kind::Read);
	b.begin(2, Kind::Write);
	b.settle();
	tap::ok(b.state(1, KRG_KDDM_W) && b.w.node[0].users[0].stage == Stage::Waiting,
		"held: a reader and a writer wait");
	b.put(1);
	b.settle();
	b.put(0);
	b.settle();
	b.put(2);
	b.settle();
	tap::ok(b.state(2, KRG_KDDM_W) && b.fine(), "put: both have had it");

	Rules r = at_home(2);
	r.release_now = false;
	Bench c(r, true);
	c.begin(1, Kind::Write);
	c.settle();
	c.put(1);
	c.begin(0, Kind::Write);
	c.settle();
	tap::ok(c.state(1, KRG_KDDM_W), "just granted: not taken before RELEASE (minimum residency)");
	c.take(Do::Release, 1);
	c.settle();
	tap::ok(c.state(0, KRG_KDDM_W), "released: taken");

	Bench d(at_home(2), true);
	d.begin(1, Kind::Write);
	d.take(Do::GiveUp, 1, 0);
	d.settle();
	tap::ok(d.state(1, KRG_KDDM_W) && d.fine(), "an interrupted user: its request ends all the same");
}

void removal()
{
	Bench b(hashed(3));
	krg_kddm_place p = b.w.env(0, 0).place;
	unsigned third = 3 - p.manager - p.witness;

	b.cost(third, Kind::Write);
	costs(b, third, Kind::Sync, "sync: a copy for the manager", 4);
	b.cost(p.witness, Kind::Read);
	costs(b, third, Kind::Remove, "remove: the manager takes it, the witness forgets", 7);
	tap::ok(!b.w.find(p.manager, 0) && !b.w.find(p.witness, 0) && !b.w.find(third, 0), "nobody keeps anything");
	b.cost(p.witness, Kind::Read);
	tap::ok(b.w.latest[0] == 0 && b.fine(), "then first touch again");
}

void death()
{
	Bench b(hashed(3));
	krg_kddm_place p = b.w.env(0, 0).place;
	unsigned third = 3 - p.manager - p.witness;

	b.cost(third, Kind::Write);
	b.cost(p.witness, Kind::Read);
	b.take(Do::Kill, p.manager);
	b.learn();
	tap::ok(b.w.lost == 0 && b.fine(), "the manager dies: a new one has the directory");
	b.cost(third, Kind::Write);
	b.take(Do::Kill, third);
	b.learn();
	b.cost(p.witness, Kind::Read);
	tap::ok(b.w.lost == 1 && b.w.errors == 1 && b.fine(), "the only copy dies: lost, with an error");
	b.cost(p.witness, Kind::Remove);
	b.cost(p.witness, Kind::Read);
	tap::ok(b.w.errors == 1 && b.fine(), "removed, it can be used again");

	Bench c(hashed(3));
	c.cost(p.manager, Kind::Write);
	c.take(Do::Kill, p.manager);
	c.learn();
	c.cost(p.witness, Kind::Read);
	tap::ok(c.w.lost == 1 && c.w.errors == 1 && c.fine(), "manager and only copy die together: the witness knows");

	Bench h(at_home(3), true);
	h.cost(1, Kind::Write);
	h.begin(2, Kind::Read);
	h.take(Do::Kill, 0);
	h.learn();
	tap::ok(h.w.errors == 1 && !h.w.find(1, 0) && h.fine(),
		"home dies: the set is lost as a whole, users have errors");
	for (Kind k : {Kind::Read, Kind::Write, Kind::Sync, Kind::Remove, Kind::Prefetch})
		h.cost(1, k);
	tap::ok(h.w.errors == 5 && h.fine(), "and nothing can be asked of it");

	Bench two(hashed(4));
	p = two.w.env(0, 0).place;
	two.cost(p.manager, Kind::Write);
	two.take(Do::Kill, p.manager);
	two.take(Do::Kill, p.witness);
	two.learn();
	unsigned left = 0;
	while (!two.w.node[left].alive)
		left++;
	two.cost(left, Kind::Read);
	tap::ok(two.w.errors == 1 && two.fine(), "both guardians die: presumed lost, not zeroes");
}

void members()
{
	Rules r = hashed(3);
	r.start = 2;
	Bench b(r);

	b.cost(0, Kind::Write);
	b.take(Do::Join, 2);
	b.learn();
	costs(b, 2, Kind::Find, "a node joins: nothing is there", 0);
	b.cost(2, Kind::Read);
	tap::ok(b.w.good() && b.fine(), "it reads what was written before");
	b.take(Do::Leave, 0);
	b.learn();
	for (int i = 0; i < 5 && !b.w.may_go(0); i++) {
		b.begin(0, Kind::Flush);
		b.settle();
	}
	tap::ok(b.w.may_go(0), "a node that leaves gives everything away");
	b.take(Do::Left, 0);
	b.learn();
	unsigned before = b.w.errors;
	b.cost(1, Kind::Read);
	tap::ok(b.w.lost == 0 && b.w.errors == before && b.fine(), "it leaves: nothing is lost");
}

/* What was meant for a node that died reaches one that has come again by its name. */
void reborn()
{
	Bench b(at_home(3), true);

	b.begin(1, Kind::Sync);
	b.take(Do::Kill, 1);
	b.take(Do::Join, 1);
	b.take(Do::Deliver, 1, 0);
	b.learn();
	tap::ok(b.w.used[325] && b.fine(), "an answer for one who died");

	Bench c(hashed(3));
	krg_kddm_place p = c.w.env(0, 0).place;
	c.cost(p.manager, Kind::Write);
	c.take(Do::Kill, p.witness);
	c.take(Do::Join, p.witness);
	c.begin(p.manager, Kind::Remove);
	c.learn();
	tap::ok(c.w.used[327] && c.w.lost == 0 && c.fine(), "a witness that died need not forget");

	Bench h(at_home(3), true);
	h.take(Do::Kill, 0);
	h.learn();
	h.take(Do::Join, 0);
	h.learn();
	h.cost(2, Kind::Read);
	tap::ok(h.fine() && h.w.errors == 1, "home died, and came later: what it had is lost, not zeroes");
}

/* It dies and comes again, and the others learn of both at once. */
void came_again()
{
	Bench a(hashed(3));
	krg_kddm_place p = a.w.env(0, 0).place;
	unsigned third = 3 - p.manager - p.witness;

	a.cost(p.manager, Kind::Write);
	a.take(Do::Again, p.witness);
	a.learn();
	tap::ok(a.fine() && a.w.lost == 0, "the witness came again: it is told anew");
	a.cost(third, Kind::Write);
	a.take(Do::Again, p.manager);
	a.learn();
	tap::ok(a.fine() && a.w.lost == 0, "the manager came again: it has the directory");
	a.take(Do::Again, third);
	a.learn();
	a.cost(third, Kind::Read);
	tap::ok(a.fine() && a.w.lost == 1 && a.w.errors == 1, "who had the only copy came again: lost, with an error");

	Bench b(hashed(3));
	b.cost(p.manager, Kind::Write);
	b.take(Do::Again, p.manager);
	b.learn();
	b.cost(p.manager, Kind::Read);
	tap::ok(b.fine() && b.w.lost == 1 && b.w.errors == 1,
		"the manager with the only copy came again: the witness knows");

	Bench both(hashed(3));
	both.cost(p.manager, Kind::Write);
	both.take(Do::Again, p.manager);
	both.take(Do::Again, p.witness);
	both.learn();
	both.cost(third, Kind::Read);
	tap::ok(both.fine() && both.w.errors == 1, "both guardians came again: presumed lost, not zeroes");

	for (bool copy : {false, true}) {
		Bench h(at_home(3), true);
		if (copy)
			h.cost(1, Kind::Read);
		h.take(Do::Again, 0);
		h.learn();
		h.cost(2, Kind::Read);
		tap::ok(h.fine() && h.w.errors == !copy, copy ? "home came again: who has a copy keeps it"
							      : "home came again: what it had is lost, not zeroes");
	}
}

/* What the dead said before is on its way to who asked, and may come after all. */
void said_before()
{
	for (bool late : {false, true}) {
		Bench b(hashed(3));
		krg_kddm_place p = b.w.env(0, 0).place;
		unsigned third = 3 - p.manager - p.witness;

		b.cost(p.manager, Kind::Write);
		b.begin(third, Kind::Write);
		b.take(Do::Deliver, third, p.manager);
		b.take(Do::Again, p.manager);
		b.take(Do::Learn, third, 0, late);
		b.learn();
		b.put(third);
		b.settle();
		tap::ok(b.fine() && b.w.errors == !late && b.w.lost == !late,
			late ? "the only copy, sent before: kept" : "the only copy, lost on its way: lost");
	}
}

void sets()
{
	krg_kddm_map maps[2]{}, *spare = nullptr;
	krg_kddm_nodes s{};
	unsigned n, cursor = 0, seen = 0;

	for (n = 0; n < 8; n++)
		krg_kddm_nodes_add(&s, 10 * n, &spare);
	tap::ok(s.count == 8 && !s.big && !krg_kddm_nodes_add(&s, 200, &spare) && s.count == 8,
		"8 nodes fit in a set; the 9th needs a bitmap");
	maps[0].next = &maps[1];
	spare = &maps[0];
	for (n = 0; n < 256; n++)
		krg_kddm_nodes_add(&s, n, &spare);
	while (krg_kddm_nodes_next(&s, &cursor) != KRG_KDDM_NOBODY)
		seen++;
	tap::ok(s.count == 256 && s.big && seen == 256 && spare == &maps[1], "256 with one bitmap");
	for (n = 255; n > 0; n--)
		krg_kddm_nodes_del(&s, n, &spare);
	tap::ok(s.count == 1 && krg_kddm_nodes_lowest(&s) == 0, "and down again");
	krg_kddm_nodes_del(&s, 0, &spare);
	tap::ok(!s.count && !s.big && spare == &maps[0], "the bitmap goes back");
	for (n = 0; n < 8; n++)
		krg_kddm_nodes_add(&s, n, &spare);
	krg_kddm_nodes_del(&s, 7, &spare);
	krg_kddm_nodes_del(&s, 0, &spare);
	tap::ok(s.count == 6 && !krg_kddm_nodes_has(&s, 0) && krg_kddm_nodes_has(&s, 6),
		"inline: first and last removed");
	tap::ok(sizeof(krg_kddm_object) == 48, "an object is 48 bytes");
}

void many_sharers()
{
	Bench b(at_home(256), true);

	for (unsigned n = 1; n < 256; n++)
		b.cost(n, Kind::Read);
	tap::ok(b.w.find(0, 0)->o.copies.count == 255 && b.fine(), "255 sharers");
	costs(b, 7, Kind::Write, "and one writer", 2 + 2 * 254);

	krg_kddm_map *none = nullptr;
	Bench c(at_home(16), true);
	for (unsigned n = 1; n < 9; n++)
		c.cost(n, Kind::Read);
	krg_kddm_env e = c.w.env(0, 0);
	e.spare = &none;
	krg_kddm_object o = c.w.copy(0, 0).o, was = o;
	krg_kddm_msg m{};
	krg_kddm_out out;
	m.type = KRG_KDDM_GET;
	m.node = KRG_KDDM_NOBODY;
	m.from = 9;
	tap::ok(krg_kddm_event(&o, &e, &m, &out) == -ENOMEM && !std::memcmp(&o, &was, sizeof(o)),
		"no spare bitmap: nothing is done");
}

void places()
{
	krg_kddm_map all{}, fewer, none{};
	unsigned moved = 0, wrong = 0, heir = 0, of_it = 0, share[16]{};

	for (unsigned n = 0; n < 16; n++)
		krg_kddm_map_add(&all, n);
	fewer = all;
	krg_kddm_map_del(&fewer, 5);
	for (uint64_t object = 0; object < 16000; object++) {
		krg_kddm_place a = krg_kddm_place_hashed(9, object, &all), b = krg_kddm_place_hashed(9, object, &fewer);
		share[a.manager]++;
		of_it += a.manager == 5;
		moved += a.manager != b.manager;
		wrong += a.manager == a.witness || (a.manager != 5 && a.manager != b.manager);
		heir += a.manager == 5 && b.manager == a.witness;
	}
	unsigned least = *std::min_element(share, share + 16), most = *std::max_element(share, share + 16);
	tap::ok(least > 850 && most < 1150, "managers are spread evenly: " + std::to_string(least) + " to " +
						std::to_string(most) + " of 16000 objects a node");
	tap::ok(moved == of_it && !wrong && heir == of_it,
		"a node goes: its objects move to their witnesses, no other moves");
	krg_kddm_place p = krg_kddm_place_hashed(9, 1, &none);
	tap::ok(p.manager == KRG_KDDM_NOBODY && p.witness == KRG_KDDM_NOBODY, "no nodes, no guardians");
	p = krg_kddm_place_home(5, &fewer);
	tap::ok(p.manager == KRG_KDDM_NOBODY && krg_kddm_place_home(5, &all).manager == 5,
		"a set at home goes with its home");
}

void views()
{
	krg_kddm_view v;
	krg_kddm_map both{};
	krg_kddm_view_step ev{};

	krg_kddm_view_init(&v, 1);
	krg_kddm_map_add(&both, 1);
	krg_kddm_map_add(&both, 2);
	ev.type = KRG_KDDM_VIEW_CHANGE;
	ev.epoch = 7;
	ev.members = ev.guards = &both;
	tap::ok(krg_kddm_view_event(&v, &ev) == KRG_KDDM_VIEW_SEND_MARK && v.phase == KRG_KDDM_DRAIN,
		"CHANGE: MARK is sent");
	tap::ok(krg_kddm_view_event(&v, &ev) == 0, "CHANGE to the same view: nothing");
	tap::ok(krg_kddm_view_accept(&v, 2, 6, 0) == KRG_KDDM_NOW &&
		    krg_kddm_view_accept(&v, 3, 6, 0) == KRG_KDDM_NEVER &&
		    krg_kddm_view_accept(&v, 2, 7, 0) == KRG_KDDM_NEVER &&
		    krg_kddm_view_accept(&v, 2, 8, 0) == KRG_KDDM_HOLD,
		"before the MARK: members' old messages only");
	ev.type = KRG_KDDM_VIEW_END;
	ev.from = 2;
	krg_kddm_view_event(&v, &ev);
	ev.type = KRG_KDDM_VIEW_BUILT;
	tap::ok(krg_kddm_view_event(&v, &ev) == 0, "BUILT out of turn: nothing");
	ev.type = KRG_KDDM_VIEW_TOLD;
	tap::ok(krg_kddm_view_event(&v, &ev) == 0, "TOLD out of turn: nothing");
	ev.type = 99;
	tap::ok(krg_kddm_view_event(&v, &ev) == 0, "no such step: nothing");
	ev.type = KRG_KDDM_VIEW_MARK;
	tap::ok(krg_kddm_view_event(&v, &ev) == KRG_KDDM_VIEW_TELL && v.phase == KRG_KDDM_REBUILD, "all MARKs: TELL");
	ev.type = KRG_KDDM_VIEW_TOLD;
	tap::ok(krg_kddm_view_event(&v, &ev) == (KRG_KDDM_VIEW_SEND_END | KRG_KDDM_VIEW_BUILD),
		"TOLD, and all ENDs: BUILD");
	ev.type = KRG_KDDM_VIEW_BUILT;
	tap::ok(krg_kddm_view_event(&v, &ev) == KRG_KDDM_VIEW_SEND_GO && v.phase == KRG_KDDM_SERVE,
		"BUILT: GO is sent");
	ev.type = KRG_KDDM_VIEW_GO;
	tap::ok(krg_kddm_view_event(&v, &ev) == KRG_KDDM_VIEW_SEND_SURE && krg_kddm_view_event(&v, &ev) == 0,
		"all GOs: SURE is sent, once");
	ev.type = KRG_KDDM_VIEW_SURE;
	tap::ok(krg_kddm_view_event(&v, &ev) == KRG_KDDM_VIEW_BEGIN && v.phase == KRG_KDDM_RUN,
		"all SUREs: the view begins");
	tap::ok(krg_kddm_view_accept(&v, 2, 6, 0) == KRG_KDDM_NEVER &&
		    krg_kddm_view_accept(&v, 2, 7, 0) == KRG_KDDM_NOW,
		"then only its messages");
}

/* A node's view, taken to RUN by itself and the others. */
void view_runs(krg_kddm_view &v, uint32_t epoch, const krg_kddm_map &members, const krg_kddm_map *again)
{
	krg_kddm_view_step ev{};

	ev.type = KRG_KDDM_VIEW_CHANGE;
	ev.epoch = epoch;
	ev.members = ev.guards = &members;
	ev.again = again;
	krg_kddm_view_event(&v, &ev);
	for (uint8_t type : {KRG_KDDM_VIEW_MARK, KRG_KDDM_VIEW_TOLD, KRG_KDDM_VIEW_END, KRG_KDDM_VIEW_BUILT,
			     KRG_KDDM_VIEW_GO, KRG_KDDM_VIEW_SURE, KRG_KDDM_VIEW_DONE})
		for (ev.from = 0; ev.from < KRG_KDDM_NODES; ev.from++)
			if (ev.from != v.self && krg_kddm_map_has(&members, ev.from)) {
				ev.type = type;
				krg_kddm_view_event(&v, &ev);
			}
}

krg_kddm_map nodes(std::initializer_list<unsigned> ids)
{
	krg_kddm_map m{};

	for (unsigned n : ids)
		krg_kddm_map_add(&m, n);
	return m;
}

bool is(const krg_kddm_map &m, std::initializer_list<unsigned> ids)
{
	krg_kddm_map want = nodes(ids);

	return !std::memcmp(&m, &want, sizeof(m));
}

/* Members that died and came again within one change are dead: whoever they are now, they have nothing. */
void views_again()
{
	krg_kddm_map all = nodes({1, 2, 3}), two = nodes({2}), fewer = nodes({1, 3});
	krg_kddm_view v, w;
	krg_kddm_view_step ev{};

	krg_kddm_view_init(&v, 1);
	view_runs(v, 1, all, nullptr);
	tap::ok(krg_kddm_view_clean(&v) && is(v.survivors, {1, 2, 3}) && !krg_kddm_view_died(&v), "a view of three");
	w = v;
	view_runs(w, 2, all, nullptr);
	tap::ok(is(w.survivors, {1, 2, 3}) && !w.gaps, "the same members once more: all survive");

	ev.type = KRG_KDDM_VIEW_CHANGE;
	ev.epoch = 2;
	ev.members = ev.guards = &all;
	ev.again = &two;
	w = v;
	krg_kddm_view_event(&w, &ev);
	tap::ok(is(w.members, {1, 2, 3}) && is(w.survivors, {1, 3}), "one came again: a member, no survivor");
	tap::ok(is(w.past.dead, {2}) && krg_kddm_view_died(&w), "it died");

	krg_kddm_view self;
	krg_kddm_view_init(&self, 2);
	ev.again = nullptr;
	krg_kddm_view_event(&self, &ev);
	tap::ok(is(self.survivors, {1, 2, 3}), "itself it doesn't know");
	ev.type = KRG_KDDM_VIEW_MARK;
	for (ev.from = 1; ev.from <= 3; ev.from += 2)
		krg_kddm_view_event(&self, &ev);
	ev.type = KRG_KDDM_VIEW_END;
	ev.from = 1;
	ev.past = &w.past;
	krg_kddm_view_event(&self, &ev);
	tap::ok(is(self.survivors, {1, 3}) && krg_kddm_view_died(&self), "and is told, with END");

	ev = {};
	ev.type = KRG_KDDM_VIEW_CHANGE;
	ev.epoch = 3;
	ev.members = ev.guards = &all;
	krg_kddm_view_event(&w, &ev);
	tap::ok(is(w.survivors, {1, 3}) && is(w.past.dead, {2}), "the view changes once more before that: still dead");

	view_runs(v, 2, all, &two);
	tap::ok(v.gaps == 1 && is(v.gap[0].guards, {1, 2, 3}) && is(v.gap[0].alive, {1, 3}),
		"a gap: what it guarded, it guards no more");
	tap::ok(krg_kddm_view_clean(&v) && !krg_kddm_view_died(&v), "the view runs: all is known again");
	view_runs(v, 3, all, nullptr);
	tap::ok(is(v.survivors, {1, 2, 3}) && !v.gaps, "the next one it survives");
	ev.epoch = 4;
	ev.members = ev.guards = &fewer;
	ev.again = &two;
	krg_kddm_view_event(&v, &ev);
	tap::ok(is(v.survivors, {1, 3}) && is(v.past.dead, {2}), "and dies for good");
}

int run_one(unsigned state, unsigned content, const krg_kddm_msg &m, unsigned self, uint16_t *rule)
{
	krg_kddm_map members{}, maps[2]{}, *spare = &maps[0];
	krg_kddm_object o{};
	krg_kddm_env e{};
	krg_kddm_out out;

	maps[0].next = &maps[1];
	krg_kddm_map_add(&members, 0);
	krg_kddm_map_add(&members, 1);
	o.state = state;
	o.content = content;
	o.owner = KRG_KDDM_NOBODY;
	e.self = self;
	e.place = {0, 1};
	e.members = e.survivors = &members;
	e.spare = &spare;
	int r = krg_kddm_event(&o, &e, &m, &out);
	*rule = out.rule[out.rules - 1];
	for (unsigned i = 0; i < out.rules; i++)
		World::used[out.rule[i]]++;
	return r;
}

void by_hand()
{
	krg_kddm_msg m{};
	uint16_t rule = 0;

	m.node = KRG_KDDM_NOBODY;
	m.type = KRG_KDDM_OP_PUT_READ;
	tap::ok(run_one(KRG_KDDM_S, KRG_KDDM_BYTES, m, 1, &rule) == -EINVAL && rule == 31, "a put too many (read)");
	m.type = KRG_KDDM_OP_PUT_WRITE;
	tap::ok(run_one(KRG_KDDM_W, KRG_KDDM_BYTES, m, 1, &rule) == -EINVAL && rule == 33, "a put too many (write)");
	m.type = KRG_KDDM_OP_FILLED;
	tap::ok(run_one(KRG_KDDM_W, KRG_KDDM_BYTES, m, 1, &rule) == -EINVAL && rule == 37, "filled what was not to be");
	m.type = KRG_KDDM_OP_REPLY;
	m.node = 1;
	tap::ok(run_one(KRG_KDDM_I, KRG_KDDM_NONE, m, 1, &rule) == -EAGAIN && rule == 65, "a reply of no manager");
	m.node = 0;
	m.op = KRG_KDDM_SYNC;
	tap::ok(run_one(KRG_KDDM_W, KRG_KDDM_BYTES, m, 0, &rule) == 0 && rule == 159, "a reply to ourselves, too late");
	m.node = 1;
	m.type = KRG_KDDM_BUILD;
	tap::ok(run_one(KRG_KDDM_I, KRG_KDDM_NONE, m, 0, &rule) == 0 && rule == 375,
		"nothing known of an object: untouched");
	m.type = KRG_KDDM_FWD_GET;
	m.from = 1;
	tap::ok(run_one(KRG_KDDM_O, KRG_KDDM_BYTES, m, 1, &rule) == -EPROTO && rule == 2,
		"FWD_GET, but not from the manager");
	m.type = KRG_KDDM_GET;
	tap::ok(run_one(KRG_KDDM_O, KRG_KDDM_BYTES, m, 1, &rule) == -EPROTO && rule == 3,
		"GET, but not to the manager");
	m.from = 256;
	tap::ok(run_one(KRG_KDDM_O, KRG_KDDM_BYTES, m, 0, &rule) == -EPROTO && rule == 1, "from a node that can't be");
	m.from = 0;
	m.type = 200;
	tap::ok(run_one(KRG_KDDM_O, KRG_KDDM_BYTES, m, 0, &rule) == -EPROTO && rule == 4, "no such message");
}

/* A report of before is no proof when the view changes once more: who sent it died, and came again. */
void begun_anew()
{
	krg_kddm_map members{}, maps[2]{}, *spare = &maps[0];
	krg_kddm_object o;
	krg_kddm_env e{};
	krg_kddm_msg m{};
	krg_kddm_out out;

	maps[0].next = &maps[1];
	for (unsigned n = 0; n < 3; n++)
		krg_kddm_map_add(&members, n);
	e.phase = KRG_KDDM_REBUILD;
	e.died = true;
	e.place = {0, 1};
	e.members = e.survivors = &members;
	e.spare = &spare;
	krg_kddm_init(&o, &e);
	m.node = KRG_KDDM_NOBODY;
	m.from = 2;
	m.type = KRG_KDDM_REPORT;
	m.flags = KRG_KDDM_HAS | KRG_KDDM_SOLE | KRG_KDDM_KNOWN | KRG_KDDM_FRESH;
	krg_kddm_event(&o, &e, &m, &out);
	m.type = KRG_KDDM_VIEW;
	krg_kddm_event(&o, &e, &m, &out);
	m.type = KRG_KDDM_BUILD;
	krg_kddm_event(&o, &e, &m, &out);
	tap::ok(out.rule[0] == 373, "reported in a change that was begun anew, and gone: lost");
}

/* Is the object one that could be, as far as one can tell. */
bool sane(const krg_kddm_object &o)
{
	bool has = o.content >= KRG_KDDM_BLANK && o.content <= KRG_KDDM_BYTES;

	switch (o.state) {
	case KRG_KDDM_I:
	case KRG_KDDM_IS:
	case KRG_KDDM_IW:
	case KRG_KDDM_D:
		return o.content == KRG_KDDM_NONE;
	case KRG_KDDM_W:
		return o.content != KRG_KDDM_NONE;
	default:
		return o.state < KRG_KDDM_STATES && has;
	}
}

/* Every event in every state: it is dealt with, or refused, and what comes of it is sane. */
void everything(std::set<unsigned> &rules)
{
	uint64_t x = 1, tried = 0, refused = 0, insane = 0, changed = 0;
	auto rnd = [&](unsigned below) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		return static_cast<unsigned>((x >> 33) % below);
	};

	while (tried < 2'000'000) {
		krg_kddm_map members{}, maps[4]{}, *spare = &maps[0];
		krg_kddm_object o{}, was;
		krg_kddm_env e{};
		krg_kddm_msg m{};
		krg_kddm_out out;

		for (unsigned i = 0; i < 3; i++)
			maps[i].next = &maps[i + 1];
		for (unsigned n = 0; n < 4; n++)
			if (rnd(8))
				krg_kddm_map_add(&members, n);
		e.self = rnd(4);
		e.phase = rnd(KRG_KDDM_PHASES);
		e.presumed = !rnd(8);
		e.died = rnd(2);
		e.leaving = !rnd(8);
		e.clean = rnd(4);
		e.place.manager = rnd(16) ? rnd(4) : KRG_KDDM_NOBODY;
		e.place.witness = rnd(4) ? rnd(4) : KRG_KDDM_NOBODY;
		e.members = e.survivors = &members;
		e.spare = &spare;
		o.state = rnd(KRG_KDDM_STATES);
		o.content = rnd(KRG_KDDM_CONTENTS);
		bool managers = o.content == KRG_KDDM_VOID || o.content == KRG_KDDM_LOST;
		if (!sane(o) || (managers && e.place.manager != e.self))
			continue;
		if (rnd(2))
			o.flags = rnd(1 << 13);
		o.readers = rnd(4) ? 0 : rnd(3);
		o.writers = rnd(4) ? 0 : rnd(3);
		o.acks = rnd(2) ? 0 : static_cast<int>(rnd(5)) - 2;
		o.first = rnd(4) ? 0 : rnd(2) ? KRG_KDDM_INV : KRG_KDDM_FWD_GRAB;
		o.last = rnd(4) ? 0 : rnd(2) ? KRG_KDDM_INV : KRG_KDDM_FWD_GRAB;
		o.first_node = rnd(4);
		o.last_node = rnd(4);
		o.owner = rnd(4) ? rnd(4) : KRG_KDDM_NOBODY;
		for (unsigned n = 0; n < 4; n++) {
			if (!rnd(3))
				krg_kddm_nodes_add(&o.copies, n, &spare);
			if (!rnd(6))
				krg_kddm_nodes_add(&o.waiting, n, &spare);
		}
		do
			m.type = rnd(KRG_KDDM_EVENTS);
		while (m.type == KRG_KDDM_SETTLE);
		m.content = rnd(KRG_KDDM_CONTENTS + 1);
		m.op = rnd(4);
		m.flags = rnd(64);
		m.node = rnd(8) ? rnd(4) : KRG_KDDM_NOBODY;
		m.from = rnd(32) ? rnd(4) : 300;
		m.acks = rnd(4);
		m.status = rnd(3) ? 0 : rnd(2) ? -EAGAIN : -ENOMEM;
		was = o;
		int r = krg_kddm_event(&o, &e, &m, &out);
		tried++;
		for (unsigned i = 0; i < out.rules; i++)
			rules.insert(out.rule[i]);
		if (!sane(o) && insane < 5)
			std::printf("# %s in state %s %s: rule %u, then %s %s\n", text(m).c_str(),
				    krg_kddm_state_name(was.state), krg_kddm_content_name(was.content), out.rule[0],
				    krg_kddm_state_name(o.state), krg_kddm_content_name(o.content));
		insane += !sane(o) || out.actions > KRG_KDDM_ACTIONS_MAX || out.rules > KRG_KDDM_RULES_MAX;
		if (r == -EPROTO && out.rules == 1) {
			refused++;
			changed += std::memcmp(&o, &was, sizeof(o)) != 0;
		}
	}
	tap::ok(!insane,
		std::to_string(tried) + " random events in random states: none leaves an object that can't be");
	tap::ok(refused && !changed, std::to_string(refused) + " of them are refused, and change nothing");
}

void tables()
{
	const krg_kddm_table *all[] = {&krg_kddm_table_ops,   &krg_kddm_table_copy,    &krg_kddm_table_dir,
				       &krg_kddm_table_drain, &krg_kddm_table_rebuild, &krg_kddm_table_view};
	std::set<unsigned> numbers;
	unsigned count = 0, bad = 0;

	for (const krg_kddm_table *t : all)
		for (unsigned i = 0; i < t->count; i++) {
			const krg_kddm_rule &r = t->rule[i];
			count++;
			numbers.insert(r.nr);
			bad += r.nr >= 512 || !r.states || r.guard >= KRG_KDDM_GUARDS_END || !r.note;
			bad += r.result == -EPROTO && (r.act[0] || r.next != KRG_KDDM_SAME);
		}
	tap::ok(numbers.size() == count && !bad,
		std::to_string(count) + " rules, each with its own number; errors do nothing");
}

} // namespace

int main()
{
	std::set<unsigned> rules;

	two_nodes();
	more_nodes();
	first_touch();
	flushes();
	no_memory();
	holding();
	removal();
	death();
	members();
	reborn();
	came_again();
	said_before();
	sets();
	many_sharers();
	places();
	views();
	views_again();
	by_hand();
	begun_anew();
	tables();
	everything(rules);
	rows_save("unit");
	std::fill(std::begin(World::used), std::end(World::used), 0);
	for (unsigned r : rules)
		World::used[r] = 1;
	rows_save("random");
	return tap::end();
}
