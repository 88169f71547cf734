// SPDX-License-Identifier: GPL-2.0-only
#include "world.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace kddm
{

uint64_t World::used[512];
unsigned World::most_actions, World::most_rules;

const char *kind_name(Kind kind)
{
	static const char *const names[] = {"-",     "read", "write",  "prefetch", "find",
					    "flush", "sync", "remove", "sync for", "remove for"};
	return names[static_cast<int>(kind)];
}

std::string text(const krg_kddm_msg &m)
{
	std::string s = krg_kddm_event_name(m.type);
	if (m.node != KRG_KDDM_NOBODY)
		s += " for n" + std::to_string(m.node);
	if (m.type == KRG_KDDM_DATA || m.type == KRG_KDDM_OWN)
		s += std::string(" ") + krg_kddm_content_name(m.content);
	if (m.type == KRG_KDDM_OWN || m.type == KRG_KDDM_FWD_GRAB)
		s += " acks " + std::to_string(m.acks);
	if (m.type == KRG_KDDM_FWD_GRAB && m.flags & KRG_KDDM_KEEP)
		s += " keep";
	if (m.type == KRG_KDDM_ASK || m.type == KRG_KDDM_ANSWER)
		s += m.op == KRG_KDDM_SYNC ? " sync" : " remove";
	if (m.type == KRG_KDDM_REPORT)
		s += " flags " + std::to_string(m.flags);
	if (m.status)
		s += " status " + std::to_string(m.status);
	return s;
}

World::World(const Rules &r)
    : rules(r), node(r.nodes), channel(r.nodes * r.nodes), latest(r.objects), written(r.objects)
{
	unsigned start = r.start ? r.start : r.nodes;
	View first;

	first.epoch = 1;
	for (unsigned n = 0; n < start; n++)
		krg_kddm_map_add(&first.members, n);
	first.guards = first.members;
	views.push_back(first);
	for (unsigned n = 0; n < r.nodes; n++) {
		Node &me = node[n];

		me.users.resize(r.slots);
		krg_kddm_view_init(&me.view, n);
		if (n >= start)
			continue;
		me.alive = true;
		me.learned = 1;
		me.view.epoch = 1;
		me.view.members = first.members;
		me.view.guards = me.view.next = me.view.was = me.view.survivors = first.guards;
		me.view.past.settled = me.view.past.epoch[0] = me.view.past.views = 1;
		me.view.past.guards[0] = first.guards;
		me.view.marked = me.view.ended = me.view.gone = me.view.done = first.members;
	}
	refill();
}

World::~World() = default;

void World::fail(const std::string &why)
{
	if (broken.empty())
		broken = why;
	note("BROKEN: " + why);
}

void World::note(const std::string &line)
{
	if (log)
		log->push_back(line);
}

/* Two spare bitmaps are always there. */
void World::refill()
{
	unsigned have = 0;

	for (krg_kddm_map *m = spare_; m && have < 2; m = m->next)
		have++;
	for (; have < 2; have++) {
		krg_kddm_map &m = maps_.emplace_back();
		m.next = spare_;
		spare_ = &m;
	}
}

bool World::member(unsigned n) const
{
	return node[n].alive && node[n].learned && krg_kddm_map_has(&node[n].view.members, n);
}

bool World::may_start(unsigned n) const
{
	return member(n) && krg_kddm_map_has(&views.back().guards, n);
}

bool World::may_die(unsigned n) const
{
	if (!node[n].alive || !krg_kddm_map_has(&views.back().members, n))
		return false;
	for (unsigned i = 0; i < rules.nodes; i++) {
		if (i != n && node[i].alive && node[i].view.past.settled && krg_kddm_map_has(&views.back().guards, i))
			return true;
	}
	return false;
}

static bool of_old_life(const View &v, unsigned from, const Packet &p)
{
	return krg_kddm_map_has(&v.again, from) && p.epoch < v.epoch;
}

bool World::may_be_late(unsigned n) const
{
	for (unsigned from = 0; from < rules.nodes; from++) {
		const auto &ch = channel[from * rules.nodes + n];
		if (!ch.empty() && of_old_life(views[node[n].learned], from, ch.front()))
			return true;
	}
	return false;
}

bool World::may_go(unsigned n) const
{
	const Node &me = node[n];

	if (static_cast<int>(n) != leaving || me.learned < views.size() || me.view.phase != KRG_KDDM_RUN ||
	    !me.copies.empty())
		return false;
	/* What it sent has arrived: it asks everybody, the channels keep order. */
	for (unsigned to = 0; to < rules.nodes; to++)
		if (!channel[n * rules.nodes + to].empty())
			return false;
	return std::ranges::all_of(me.users, [](const User &u) { return u.stage == Stage::Idle; });
}

krg_kddm_place World::place(const krg_kddm_map &guards, unsigned object)
{
	uint64_t key = guards.w[0];

	if (rules.home >= 0)
		return krg_kddm_place_home(rules.home, &guards);
	for (unsigned i = 1; i < 4; i++)
		key = key * 0x9e3779b97f4a7c15ull + guards.w[i];
	auto [it, fresh] = places_.try_emplace({key, object});
	if (fresh)
		it->second = krg_kddm_place_hashed(rules.set, object, &guards);
	return it->second;
}

krg_kddm_env World::env(unsigned n, unsigned object)
{
	Node &me = node[n];
	krg_kddm_env e{};

	e.self = n;
	e.phase = me.view.phase;
	e.members = &me.view.members;
	e.survivors = &me.view.survivors;
	e.died = krg_kddm_view_died(&me.view);
	e.place = place(me.view.guards, object);
	e.presumed = rules.home < 0 ? krg_kddm_presumed_lost(me.gaps.data(), me.gaps.size(), rules.set, object)
				    : krg_kddm_home_lost(me.gaps.data(), me.gaps.size(), rules.home);
	e.clean = krg_kddm_view_clean(&me.view);
	e.leaving = !krg_kddm_map_has(&me.view.guards, n);
	e.spare = &spare_;
	return e;
}

Copy &World::copy(unsigned n, unsigned object)
{
	auto [it, fresh] = node[n].copies.try_emplace(object);
	if (fresh) {
		krg_kddm_env e = env(n, object);
		krg_kddm_init(&it->second.o, &e);
	}
	return it->second;
}

const Copy *World::find(unsigned n, unsigned object) const
{
	auto it = node[n].copies.find(object);
	return it == node[n].copies.end() ? nullptr : &it->second;
}

void World::forget_idle(unsigned n, unsigned object)
{
	auto it = node[n].copies.find(object);
	krg_kddm_env e = env(n, object);

	if (it == node[n].copies.end() || !krg_kddm_idle(&it->second.o, &e))
		return;
	if (it->second.mapped)
		return fail("an idle object is mapped");
	node[n].copies.erase(it);
}

void World::post(unsigned from, unsigned to, const Packet &p)
{
	messages++;
	if (!p.view)
		sent[p.msg.type]++;
	if (to >= rules.nodes)
		return fail("a message to a node that can't be");
	if (!p.view && log)
		note("        n" + std::to_string(from) + " -> n" + std::to_string(to) + "  " + text(p.msg));
	if (!node[to].alive)
		return;
	auto &ch = channel[from * rules.nodes + to];
	if (ch.empty())
		busy.push_back(from * rules.nodes + to);
	ch.push_back(p);
}

void World::wake(unsigned n, unsigned object, uint8_t whom, int status)
{
	Copy &c = copy(n, object);

	if (!status) {
		c.woken |= whom;
		return;
	}
	for (User &u : node[n].users) {
		if (u.stage != Stage::Waiting || u.object != object)
			continue;
		bool access = u.kind == Kind::Read || u.kind == Kind::Write;
		bool mine = (access && whom & KRG_KDDM_WAKE_ACCESS) ||
			    (u.kind == Kind::Flush && whom & KRG_KDDM_WAKE_FLUSH) ||
			    (u.kind == Kind::Sync && whom & KRG_KDDM_WAKE_SYNC) ||
			    (u.kind == Kind::Remove && whom & KRG_KDDM_WAKE_REMOVE);
		bool job = u.kind == Kind::JobSync || u.kind == Kind::JobRemove;

		if (job && whom & KRG_KDDM_WAKE_ACCESS)
			c.woken |= KRG_KDDM_WAKE_ACCESS;
		if (!mine)
			continue;
		if ((u.kind == Kind::Sync || u.kind == Kind::Remove) && !u.asked && status == 1) {
			c.woken |= whom;
			continue;
		}
		errors += status < 0;
		u = User{};
	}
}

void World::act(unsigned n, unsigned object, const krg_kddm_action &a)
{
	Copy &c = copy(n, object);

	switch (a.type) {
	case KRG_KDDM_SEND: {
		Packet p;
		p.msg = a.msg;
		p.epoch = node[n].view.epoch;
		p.object = object;
		p.version = a.msg.content == KRG_KDDM_RAW ? c.version : 0;
		if (a.to != KRG_KDDM_NOBODY)
			post(n, a.to, p);
		unsigned cursor = 0, to;
		while ((to = krg_kddm_nodes_next(&a.set, &cursor)) != KRG_KDDM_NOBODY)
			post(n, to, p);
		break;
	}
	case KRG_KDDM_PROTECT:
		c.mapped = std::min<uint8_t>(c.mapped, 1);
		break;
	case KRG_KDDM_UNMAP:
		c.mapped = 0;
		break;
	case KRG_KDDM_FREE:
		c.version = 0;
		break;
	case KRG_KDDM_FILL:
		c.filling = true;
		break;
	case KRG_KDDM_WAKE:
		wake(n, object, a.msg.op, a.msg.status);
		break;
	case KRG_KDDM_DO: {
		User u;
		u.kind = a.msg.op == KRG_KDDM_SYNC ? Kind::JobSync : Kind::JobRemove;
		u.stage = Stage::Waiting;
		u.object = object;
		u.node = a.msg.node;
		node[n].users.push_back(u);
		c.woken |= KRG_KDDM_WAKE_ACCESS;
		break;
	}
	default:
		fail("an action nobody knows");
	}
}

int World::run(unsigned n, unsigned object, const krg_kddm_msg &msg, uint32_t version)
{
	Copy &c = copy(n, object);
	krg_kddm_env e = env(n, object);
	uint8_t before = c.o.content;
	krg_kddm_out out;

	refill();
	int result = krg_kddm_event(&c.o, &e, &msg, &out);
	for (unsigned i = 0; i < out.rules; i++)
		used[out.rule[i]]++;
	most_actions = std::max<unsigned>(most_actions, out.actions);
	most_rules = std::max<unsigned>(most_rules, out.rules);
	if (log && out.rules) {
		std::string line = "    n" + std::to_string(n) + " ";
		if (rules.objects > 1)
			line += "object " + std::to_string(object) + " ";
		line += text(msg) + ": rule";
		for (unsigned i = 0; i < out.rules; i++)
			line += " " + std::to_string(out.rule[i]);
		note(line + ", state " + krg_kddm_state_name(c.o.state) + " " + krg_kddm_content_name(c.o.content));
	}
	if (result == -EPROTO || result == -ENOMEM)
		fail("n" + std::to_string(n) + ": " + text(msg) + " from n" + std::to_string(msg.from) + " in state " +
		     krg_kddm_state_name(c.o.state) + ": protocol error, rule " +
		     std::to_string(out.rules ? out.rule[out.rules - 1] : 0));
	if (before == KRG_KDDM_NONE && c.o.content != KRG_KDDM_NONE)
		c.version = c.o.content == KRG_KDDM_RAW ? version : 0;
	for (unsigned i = 0; i < out.rules; i++)
		if (out.rule[i] == 373)
			check_lost(n, object);
	for (unsigned i = 0; i < out.actions; i++) {
		act(n, object, out.action[i]);
		krg_kddm_nodes_clear(&out.action[i].set, &spare_);
	}
	return result;
}

/* Lost is said of an object only if no copy of it survived. */
void World::check_lost(unsigned n, unsigned object)
{
	lost++;
	if (!deaths)
		fail("lost, though nobody died");
	for (unsigned i = 0; i < rules.nodes; i++) {
		const Copy *c = find(i, object);

		if (i == n || !node[i].alive || !c || !krg_kddm_map_has(&node[n].view.members, i))
			continue;
		if (c->o.content >= KRG_KDDM_BLANK && c->o.content <= KRG_KDDM_BYTES && c->version == latest[object])
			fail("lost, but n" + std::to_string(i) + " has a copy");
	}
	if (!written[object])
		over_reported++;
}

static krg_kddm_msg op(uint8_t type, unsigned node = KRG_KDDM_NOBODY, int status = 0)
{
	krg_kddm_msg m{};
	m.type = type;
	m.node = node;
	m.from = KRG_KDDM_NOBODY;
	m.status = status;
	return m;
}

void World::attempt_job(unsigned n, User &u)
{
	unsigned object = u.object;
	Copy &c = copy(n, object);

	if (u.kind == Kind::JobSync) {
		if (c.o.content != KRG_KDDM_VOID) {
			int r = run(n, object, op(KRG_KDDM_OP_GET), 0);
			if (r == KRG_KDDM_WAIT)
				return;
			krg_kddm_msg reply = op(KRG_KDDM_OP_REPLY, u.node, r);
			if (r == KRG_KDDM_DONE) {
				c.mapped = std::max<uint8_t>(c.mapped, 1);
				if (c.version != latest[object])
					fail("synced an old version");
				run(n, object, op(KRG_KDDM_OP_PUT_READ), 0);
			}
			reply.op = KRG_KDDM_SYNC;
			run(n, object, reply, 0);
		} else {
			krg_kddm_msg reply = op(KRG_KDDM_OP_REPLY, u.node, 0);
			reply.op = KRG_KDDM_SYNC;
			run(n, object, reply, 0);
		}
		u = User{};
		return;
	}
	int r = -EAGAIN;

	if (c.o.content == KRG_KDDM_VOID || c.o.content == KRG_KDDM_LOST)
		r = run(n, object, op(KRG_KDDM_OP_ERASE, u.node), 0);
	if (r == -EAGAIN) {
		r = run(n, object, op(KRG_KDDM_OP_GRAB), 0);
		if (r == KRG_KDDM_WAIT)
			return;
		if (r == KRG_KDDM_DONE) {
			c.mapped = 2;
			r = run(n, object, op(KRG_KDDM_OP_ERASE, u.node), 0);
			if (r == -EAGAIN || r == KRG_KDDM_WAIT) {
				run(n, object, op(KRG_KDDM_OP_PUT_WRITE), 0);
				return;
			}
		}
	}
	if (r == KRG_KDDM_WAIT)
		return;
	if (r == KRG_KDDM_DONE) {
		latest[object] = 0;
		written[object] = false;
	} else {
		krg_kddm_msg reply = op(KRG_KDDM_OP_REPLY, u.node, r);
		reply.op = KRG_KDDM_REMOVE;
		run(n, object, reply, 0);
	}
	u = User{};
}

/* A user tries, at first or again. */
void World::attempt(unsigned n, User &u)
{
	unsigned object = u.object;
	int r = 0;

	switch (u.kind) {
	case Kind::Read:
		r = run(n, object, op(KRG_KDDM_OP_GET), 0);
		break;
	case Kind::Write:
		r = run(n, object, op(KRG_KDDM_OP_GRAB), 0);
		break;
	case Kind::Prefetch:
		r = run(n, object, op(KRG_KDDM_OP_PREFETCH), 0);
		break;
	case Kind::Find:
		r = run(n, object, op(KRG_KDDM_OP_FIND), 0);
		break;
	case Kind::Flush:
		r = run(n, object, op(KRG_KDDM_OP_FLUSH, u.node), 0);
		break;
	case Kind::Sync:
	case Kind::Remove:
		r = run(n, object, op(u.kind == Kind::Sync ? KRG_KDDM_OP_SYNC : KRG_KDDM_OP_REMOVE), 0);
		if (r == KRG_KDDM_WAIT)
			u.asked = true;
		break;
	default:
		return attempt_job(n, u);
	}
	Copy &c = copy(n, object);
	if (r == KRG_KDDM_WAIT || r == KRG_KDDM_LATER) {
		/* Its own answer may have come at once. */
		if (u.kind != Kind::None)
			u.stage = Stage::Waiting;
		return;
	}
	errors += r < 0;
	if (r == KRG_KDDM_DONE && (u.kind == Kind::Read || u.kind == Kind::Write || u.kind == Kind::Find)) {
		if (c.version != latest[object])
			fail("n" + std::to_string(n) + " uses version " + std::to_string(c.version) + " of " +
			     std::to_string(latest[object]));
		c.mapped = std::max<uint8_t>(c.mapped, u.kind == Kind::Write ? 2 : 1);
		if (u.kind == Kind::Write)
			c.version = ++latest[object];
		u.stage = Stage::Holding;
		return;
	}
	u = User{};
}

/* All that follows at once: the linker, users that were woken, the end of a grant. */
void World::calm(unsigned n, unsigned object)
{
	static const uint8_t of_kind[] = {0, 1, 1, 0, 0, 2, 4, 8, 1, 1};

	for (unsigned guard = 0;; guard++) {
		Copy &c = copy(n, object);

		if (guard > 64)
			return fail("no end of waking and trying again");
		if (!good())
			return;
		if (c.filling && rules.fill_now) {
			step({Do::Filled, static_cast<uint16_t>(n), static_cast<uint16_t>(object)});
			return;
		}
		if (c.woken) {
			uint8_t woken = c.woken;
			c.woken = 0;
			for (unsigned i = 0; i < node[n].users.size(); i++) {
				User u = node[n].users[i];
				if (u.stage != Stage::Waiting || u.object != object ||
				    !(of_kind[static_cast<int>(u.kind)] & woken))
					continue;
				attempt(n, node[n].users[i]);
			}
			continue;
		}
		if (c.o.flags & KRG_KDDM_GRANTED && rules.release_now) {
			run(n, object, op(KRG_KDDM_OP_RELEASE), 0);
			continue;
		}
		break;
	}
	/* Jobs that are done leave no slot behind. */
	auto &users = node[n].users;
	while (users.size() > rules.slots && users.back().stage == Stage::Idle)
		users.pop_back();
	forget_idle(n, object);
}

int World::event(unsigned n, unsigned object, krg_kddm_msg msg, uint32_t version)
{
	int r = run(n, object, msg, version);

	calm(n, object);
	return r;
}

void World::install(unsigned object)
{
	Copy &c = copy(rules.home, object);
	krg_kddm_env e = env(rules.home, object);

	c.o.state = KRG_KDDM_W;
	c.o.content = KRG_KDDM_BYTES;
	c.o.flags = KRG_KDDM_EXISTS;
	c.o.owner = e.self;
	c.version = latest[object] = 1;
	written[object] = true;
}

bool World::deliverable(unsigned from, unsigned to) const
{
	const auto &ch = channel[from * rules.nodes + to];

	return !ch.empty() && node[to].alive &&
	       krg_kddm_view_accept(&node[to].view, from, ch.front().epoch, ch.front().view) != KRG_KDDM_HOLD;
}

/* As bytes: what a node that keeps to the protocol says is never refused, and arrives as it was. */
void World::carry(Packet &p)
{
	krg_kddm_packet head{};
	u8 b[KRG_KDDM_WIRE_PAST];
	bool end = p.view == KRG_KDDM_VIEW_END;

	head.kind = p.view ? KRG_KDDM_PACKET_VIEW : KRG_KDDM_PACKET_OBJECTS;
	head.count = !p.view || end;
	head.epoch = p.epoch;
	head.arg = p.view;
	krg_kddm_packet_encode(&head, b);
	if (!end && p.view && krg_kddm_packet_decode(b, KRG_KDDM_WIRE_HEAD, false, &head))
		fail("its head is refused");
	if (end) {
		krg_kddm_past_encode(&p.past, b);
		if (krg_kddm_past_decode(b, &p.past))
			fail("its past is refused");
	}
	for (krg_kddm_gap &g : p.gaps) {
		krg_kddm_dated_gap gap{p.epoch, g};
		krg_kddm_gap_encode(&gap, b);
		if (krg_kddm_gap_decode(b, &gap))
			fail("its gap is refused");
		g = gap.gap;
	}
	if (p.view)
		return;
	krg_kddm_record r{};
	r.msg = p.msg;
	krg_kddm_record_encode(&r, b);
	if (krg_kddm_record_decode(b, &head, &r))
		fail(text(p.msg) + " is refused as a record");
	p.msg = r.msg;
}

void World::deliver(unsigned from, unsigned to)
{
	auto &ch = channel[from * rules.nodes + to];
	Packet p = ch.front();

	ch.erase(ch.begin());
	if (krg_kddm_view_accept(&node[to].view, from, p.epoch, p.view) == KRG_KDDM_NEVER) {
		note("    dropped");
		return;
	}
	carry(p);
	learn_gaps(to, p.gaps);
	if (p.view)
		return view_event(to, p.view, from, p.epoch, &p.past);
	p.msg.from = from;
	event(to, p.object, p.msg, p.version);
}

void World::view_send(unsigned n, uint8_t type)
{
	Packet p;

	p.view = type;
	p.epoch = node[n].view.epoch;
	if (type == KRG_KDDM_VIEW_END) {
		p.past = node[n].view.past;
		p.gaps = node[n].gaps;
	}
	for (unsigned to = 0; to < rules.nodes; to++)
		if (to != n && krg_kddm_map_has(&node[n].view.members, to))
			post(n, to, p);
}

void World::view_objects(unsigned n, uint8_t type)
{
	std::vector<unsigned> objects;

	for (auto &[object, c] : node[n].copies)
		objects.push_back(object);
	for (unsigned object : objects) {
		krg_kddm_msg m = op(type);
		run(n, object, m, 0);
		if (type == KRG_KDDM_VIEW) {
			calm(n, object);
			if (good() && find(n, object))
				run(n, object, op(KRG_KDDM_TELL), 0);
		} else {
			calm(n, object);
		}
	}
}

void World::view_event(unsigned n, uint8_t type, unsigned from, uint32_t epoch, const krg_kddm_view_past *past)
{
	krg_kddm_view_step ev{};

	ev.type = type;
	ev.from = from;
	ev.epoch = epoch;
	ev.past = past;
	view_todo(n, krg_kddm_view_event(&node[n].view, &ev));
}

void World::drop_jobs(unsigned n)
{
	node[n].users.resize(rules.slots);
}

void World::learn_gaps(unsigned n, const std::vector<krg_kddm_gap> &gaps)
{
	for (const krg_kddm_gap &g : gaps)
		if (std::ranges::none_of(node[n].gaps,
					 [&](const krg_kddm_gap &k) { return !std::memcmp(&k, &g, sizeof(g)); }))
			node[n].gaps.push_back(g);
}

void World::view_todo(unsigned n, unsigned todo)
{
	if (todo & KRG_KDDM_VIEW_SEND_MARK)
		view_send(n, KRG_KDDM_VIEW_MARK);
	if (todo & KRG_KDDM_VIEW_TELL) {
		drop_jobs(n);
		view_objects(n, KRG_KDDM_VIEW);
		view_event(n, KRG_KDDM_VIEW_TOLD, n, 0);
	}
	if (todo & KRG_KDDM_VIEW_SEND_END)
		view_send(n, KRG_KDDM_VIEW_END);
	if (todo & KRG_KDDM_VIEW_GAPS)
		learn_gaps(n, {node[n].view.gap, node[n].view.gap + node[n].view.gaps});
	if (todo & KRG_KDDM_VIEW_BUILD) {
		view_objects(n, KRG_KDDM_BUILD);
		view_event(n, KRG_KDDM_VIEW_BUILT, n, 0);
	}
	if (todo & KRG_KDDM_VIEW_SEND_GO)
		view_send(n, KRG_KDDM_VIEW_GO);
	if (todo & KRG_KDDM_VIEW_SEND_SURE)
		view_send(n, KRG_KDDM_VIEW_SURE);
	if (todo & KRG_KDDM_VIEW_BEGIN) {
		view_objects(n, KRG_KDDM_GO);
		view_send(n, KRG_KDDM_VIEW_DONE);
		/* Users of objects this node forgot meanwhile. */
		for (unsigned i = 0; i < node[n].users.size(); i++) {
			unsigned object = node[n].users[i].object;
			if (node[n].users[i].stage != Stage::Waiting)
				continue;
			attempt(n, node[n].users[i]);
			calm(n, object);
		}
	}
	if (todo & KRG_KDDM_VIEW_CLEAN)
		for (unsigned i = rules.slots; i < node[n].users.size(); i++) {
			unsigned object = node[n].users[i].object;
			if (node[n].users[i].stage != Stage::Waiting)
				continue;
			attempt(n, node[n].users[i]);
			calm(n, object);
		}
}

/* @late: what who died and came again sent before is still to come, else it is lost. */
void World::view_change(unsigned n, bool late)
{
	Node &me = node[n];
	const View &v = views[me.learned++];
	krg_kddm_view_step ev{};

	ev.type = KRG_KDDM_VIEW_CHANGE;
	ev.epoch = v.epoch;
	ev.members = &v.members;
	ev.guards = &v.guards;
	ev.left = &v.left;
	ev.again = rules.tell_again ? &v.again : nullptr;
	if (!krg_kddm_map_has(&v.members, n)) {
		me.view.members = v.members;
		drop_jobs(n);
		view_objects(n, KRG_KDDM_VIEW);
		for (User &u : me.users)
			u = User{};
		me.copies.clear();
		me.alive = false;
		for (unsigned i = 0; i < rules.nodes; i++)
			channel[i * rules.nodes + n].clear();
		return;
	}
	unsigned todo = krg_kddm_view_event(&me.view, &ev);
	/* Jobs for others end with the view. */
	for (unsigned i = rules.slots; i < me.users.size(); i++)
		me.users[i] = User{};
	drop_jobs(n);
	for (unsigned from = 0; from < rules.nodes; from++) {
		auto &ch = channel[from * rules.nodes + n];
		if (!krg_kddm_map_has(&v.members, from))
			std::erase_if(ch, [&](const Packet &p) { return p.epoch < v.epoch; });
		else if (!late)
			std::erase_if(ch, [&](const Packet &p) { return of_old_life(v, from, p); });
	}
	view_todo(n, todo);
}

View &World::change(const krg_kddm_map &members, const krg_kddm_map &guards)
{
	View v;

	v.epoch = views.back().epoch + 1;
	v.members = members;
	v.guards = guards;
	views.push_back(v);
	return views.back();
}

/* What it sent before is on its way all the same. */
void World::die(unsigned n)
{
	deaths++;
	node[n].alive = false;
	node[n].copies.clear();
	node[n].users.assign(rules.slots, User{});
	for (unsigned i = 0; i < rules.nodes; i++)
		channel[i * rules.nodes + n].clear();
	if (leaving == static_cast<int>(n))
		leaving = -1;
}

/* The view to come is its first. */
void World::come(unsigned n)
{
	node[n] = Node{};
	node[n].users.resize(rules.slots);
	krg_kddm_view_init(&node[n].view, n);
	node[n].alive = true;
	node[n].learned = views.size();
}

void World::step(const Choice &ch)
{
	unsigned n = ch.a, object = ch.b;
	krg_kddm_map members = views.back().members, guards = views.back().guards;

	if (log && ch.what != Do::Filled)
		note(describe(ch));
	switch (ch.what) {
	case Do::Deliver:
		deliver(ch.a, ch.b);
		break;
	case Do::Start:
		for (unsigned i = 0; i < rules.slots; i++) {
			User &u = node[n].users[i];
			if (u.stage != Stage::Idle)
				continue;
			u.kind = static_cast<Kind>(ch.c & 15);
			u.object = object;
			u.node = KRG_KDDM_NOBODY;
			/* Where the manager's copy goes: the next node. */
			if (u.kind == Kind::Flush)
				for (unsigned k = 1; k < rules.nodes; k++)
					if (krg_kddm_map_has(&node[n].view.members, (n + k) % rules.nodes)) {
						u.node = (n + k) % rules.nodes;
						break;
					}
			attempt(n, u);
			break;
		}
		calm(n, object);
		break;
	case Do::Put: {
		User &u = node[n].users[ch.b];
		object = u.object;
		run(n, object, op(u.kind == Kind::Write ? KRG_KDDM_OP_PUT_WRITE : KRG_KDDM_OP_PUT_READ), 0);
		u = User{};
		copy(n, object).woken |= KRG_KDDM_WAKE_ACCESS;
		calm(n, object);
		break;
	}
	case Do::GiveUp:
		node[n].users[ch.b] = User{};
		break;
	case Do::Store: {
		Copy &c = copy(n, object);
		if (c.version != latest[object])
			fail("stores over an old version");
		c.version = ++latest[object];
		break;
	}
	case Do::Release:
		run(n, object, op(KRG_KDDM_OP_RELEASE), 0);
		calm(n, object);
		break;
	case Do::Filled: {
		Copy &c = copy(n, object);
		c.filling = false;
		if (c.o.flags & KRG_KDDM_FILLING) {
			if (c.o.content == KRG_KDDM_BLANK && latest[object])
				fail("n" + std::to_string(n) + " fills with zeroes what was version " +
				     std::to_string(latest[object]));
			written[object] = true;
			run(n, object, op(KRG_KDDM_OP_FILLED), 0);
		}
		calm(n, object);
		break;
	}
	case Do::FillFails: {
		Copy &c = copy(n, object);
		c.filling = false;
		if (c.o.flags & KRG_KDDM_FILLING)
			run(n, object, op(KRG_KDDM_OP_FILLED, KRG_KDDM_NOBODY, -ENOMEM), 0);
		calm(n, object);
		break;
	}
	case Do::Learn:
		view_change(n, ch.c);
		break;
	case Do::Kill:
		die(n);
		krg_kddm_map_del(&members, n);
		krg_kddm_map_del(&guards, n);
		change(members, guards);
		break;
	case Do::Leave:
		leaving = n;
		krg_kddm_map_del(&guards, n);
		change(members, guards);
		break;
	case Do::Left:
		leaving = -1;
		krg_kddm_map_del(&members, n);
		krg_kddm_map_add(&change(members, guards).left, n);
		break;
	case Do::Join:
		come(n);
		krg_kddm_map_add(&members, n);
		krg_kddm_map_add(&guards, n);
		change(members, guards);
		break;
	case Do::Again:
		die(n);
		come(n);
		krg_kddm_map_add(&guards, n);
		krg_kddm_map_add(&change(members, guards).again, n);
		break;
	}
}

/*
 * One writer or many readers, and all see the last version: of those that are
 * mapped, and of those that could be without asking anybody.
 */
void World::check_object(unsigned object)
{
	int writer = -1, reader = -1;

	for (unsigned n = 0; n < rules.nodes; n++) {
		const Copy *c = find(n, object);

		if (!node[n].alive || !c)
			continue;
		if (c->mapped && c->o.content != KRG_KDDM_BYTES)
			return fail("n" + std::to_string(n) + " maps what it has not");
		if (c->mapped && c->version != latest[object])
			return fail("n" + std::to_string(n) + " can read version " + std::to_string(c->version) +
				    " of " + std::to_string(latest[object]));
		if (c->mapped == 2 || c->o.state == KRG_KDDM_W) {
			if (writer >= 0 && c->o.content >= KRG_KDDM_BLANK && c->o.content <= KRG_KDDM_BYTES)
				return fail("two writers, n" + std::to_string(writer) + " and n" + std::to_string(n));
			if (c->o.content >= KRG_KDDM_BLANK && c->o.content <= KRG_KDDM_BYTES)
				writer = n;
		} else if (c->mapped || c->o.state == KRG_KDDM_S || c->o.state == KRG_KDDM_O) {
			reader = n;
		}
	}
	if (writer >= 0 && reader >= 0)
		fail("n" + std::to_string(reader) + " reads while n" + std::to_string(writer) + " may write");
}

bool World::quiet() const
{
	for (unsigned n = 0; n < rules.nodes; n++) {
		if (!node[n].alive)
			continue;
		if (node[n].learned < views.size() || node[n].view.phase != KRG_KDDM_RUN)
			return false;
		for (unsigned from = 0; from < rules.nodes; from++)
			if (!channel[from * rules.nodes + n].empty())
				return false;
	}
	return true;
}

static bool put_off(const krg_kddm_object &o)
{
	return o.waiting.count || o.last || o.first;
}

/* Does somebody wait for a user to let go. */
bool World::under_way(unsigned object) const
{
	for (unsigned n = 0; n < rules.nodes; n++) {
		const Copy *c = find(n, object);
		if (node[n].alive && c && (c->o.state > KRG_KDDM_W || put_off(c->o)))
			return true;
	}
	return false;
}

/* Nothing is on its way: the directory says what is. */
void World::check_quiet(bool ended)
{
	for (unsigned object = 0; object < rules.objects && good(); object++) {
		const Copy *dir = nullptr;
		krg_kddm_env e{};
		unsigned sharers = 0;

		for (unsigned n = 0; n < rules.nodes; n++)
			if (member(n)) {
				e = env(n, object);
				break;
			}
		if (!ended && under_way(object))
			continue;
		if (e.place.manager < rules.nodes)
			dir = find(e.place.manager, object);
		for (unsigned n = 0; n < rules.nodes && good(); n++) {
			const Copy *c = find(n, object);
			std::string who = "quiet: n" + std::to_string(n) + " ";

			if (!node[n].alive)
				continue;
			if (ended && c &&
			    (c->o.readers || c->o.writers || c->o.flags & (KRG_KDDM_FILLING | KRG_KDDM_GRANTED)))
				return fail(who + "still holds it");
			if (c && put_off(c->o) && ended)
				return fail(who + "has put something off for ever");
			if (c && c->o.state > KRG_KDDM_W && ended)
				return fail(who + "waits for ever in " + krg_kddm_state_name(c->o.state));
			bool has = c && c->o.content >= KRG_KDDM_BLANK && c->o.content <= KRG_KDDM_BYTES;
			bool exists = dir && dir->o.flags & KRG_KDDM_EXISTS;
			bool owner = exists && dir->o.owner == n;
			bool sharer = exists && krg_kddm_nodes_has(&dir->o.copies, n);
			bool witness = c && c->o.flags & KRG_KDDM_WITNESS;

			if (ended && c && !has && n != e.place.manager && c->o.flags != KRG_KDDM_WITNESS)
				return fail(who + "keeps something of what it hasn't");

			if (has && !owner && !sharer)
				return fail(who + "has a copy the directory doesn't know");
			if (owner && !has && !(c && c->o.content == KRG_KDDM_LOST))
				return fail(who + "owns it and has nothing");
			if (owner && c->o.state != KRG_KDDM_O && c->o.state != KRG_KDDM_W)
				return fail(who + "owns it in state " + krg_kddm_state_name(c->o.state));
			if (sharer && (!has || c->o.state != KRG_KDDM_S))
				return fail(who + "should be a sharer");
			/* What is presumed lost is known to all without a record. */
			if (!e.presumed && witness != (exists && e.place.witness == n))
				return fail(who + (witness ? "witnesses for nothing" : "should be witness"));
			sharers += sharer;
		}
		if (dir && dir->o.copies.count != sharers)
			return fail("quiet: the directory knows copies of the dead");
	}
	if (!ended)
		return;
	for (unsigned n = 0; n < rules.nodes; n++)
		for (const User &u : node[n].users)
			if (node[n].alive && u.stage != Stage::Idle)
				return fail("n" + std::to_string(n) + " waits for ever: " + kind_name(u.kind));
}

std::string World::describe(const Choice &ch) const
{
	std::string n = "n" + std::to_string(ch.a);
	std::string o = rules.objects > 1 ? " object " + std::to_string(ch.b) : "";

	switch (ch.what) {
	case Do::Deliver: {
		const auto &c = channel[ch.a * rules.nodes + ch.b];
		static const char *const views[] = {"", "MARK", "END", "GO", "SURE", "DONE"};
		std::string what = c.empty() ? "?" : c.front().view ? views[c.front().view] : text(c.front().msg);
		return n + " => n" + std::to_string(ch.b) + "  " + what;
	}
	case Do::Start:
		return n + " begins: " + kind_name(static_cast<Kind>(ch.c & 15)) + o;
	case Do::Put:
		return n + " puts (user " + std::to_string(ch.b) + ")";
	case Do::GiveUp:
		return n + " gives up (user " + std::to_string(ch.b) + ")";
	case Do::Store:
		return n + " stores through its mapping" + o;
	case Do::Release:
		return n + " lets it go" + o;
	case Do::Filled:
		return n + " has filled it" + o;
	case Do::FillFails:
		return n + " has no memory" + o;
	case Do::Learn:
		return n + " learns of the next view" + (ch.c ? ", and hears what the dead said later" : "");
	case Do::Kill:
		return n + " dies";
	case Do::Leave:
		return n + " wants to leave";
	case Do::Left:
		return n + " leaves";
	case Do::Join:
		return n + " joins";
	case Do::Again:
		return n + " dies and comes again";
	}
	return "?";
}

std::string World::picture() const
{
	std::string s;

	for (unsigned object = 0; object < rules.objects; object++) {
		s += "   |";
		for (unsigned n = 0; n < rules.nodes; n++) {
			const Copy *c = find(n, object);
			if (!node[n].alive)
				s += " dead |";
			else if (!c)
				s += " - |";
			else
				s += std::string(" ") + krg_kddm_state_name(c->o.state) + " v" +
				     std::to_string(c->version) +
				     (c->o.flags & KRG_KDDM_EXISTS ? " owner n" + std::to_string(c->o.owner) : "") +
				     " |";
		}
	}
	return s;
}

} // namespace kddm
