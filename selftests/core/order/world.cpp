// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "world.hpp"

namespace world
{

namespace
{

constexpr u32 kChunk = 700;

void must(bool good, const char *what, unsigned n)
{
	if (!good)
		throw Broken{"node " + std::to_string(n) + ": " + what};
}

void mix(u64 &h, u64 v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15;
	h ^= h >> 29;
}

void mix(u64 &h, const void *data, size_t len)
{
	const auto *p = static_cast<const u8 *>(data);

	for (; len >= 8; p += 8, len -= 8) {
		u64 v;
		memcpy(&v, p, 8);
		mix(h, v);
	}
	u64 v = len;
	memcpy(&v, p, len);
	mix(h, v);
}

void mix(u64 &h, const Item &i)
{
	mix(h, i.op << 32 | i.life << 17 | u32{i.node} << 1 | i.dead);
}

void mix(u64 &h, const View &v)
{
	mix(h, &v.members, sizeof(v.members));
	mix(h, u64{v.epoch} << 1 | v.quorate);
	for (u32 l : v.life)
		mix(h, l);
}

/* Of the arrays only what these nodes use. */
void mix(u64 &h, const krg_order &o, unsigned nodes)
{
	mix(h, &o, offsetof(krg_order, shared));
	mix(h, &o.shared.members, sizeof(o.shared.members));
	mix(h, o.shared.ordered, nodes * sizeof(u32));
	mix(h, &o.own_first, offsetof(krg_order, report) - offsetof(krg_order, own_first));
	for (unsigned n = 0; n < nodes; n++) {
		mix(h, o.report[n].last << 2 | o.report[n].newborn << 1 | o.report[n].fresh);
		mix(h, &o.follower[n], offsetof(krg_order_follower, fresh));
		mix(h, o.follower[n].fresh);
	}
	mix(h, &o.begin, sizeof(o.begin));
	mix(h, o.tx_number << 32 | o.tx_total);
}

} // namespace

krg_mask all(unsigned nodes)
{
	krg_mask m{};

	for (unsigned n = 0; n < nodes; n++)
		krg_mask_add(&m, n);
	return m;
}

World::World(unsigned count, bool pumps) : nodes(count), channels(count * count), auto_pump(pumps)
{
	view.life.assign(count, 0);
	for (unsigned n = 0; n < count; n++) {
		krg_order_init(&nodes[n].o, n);
		nodes[n].seen.life.assign(count, 0);
	}
}

bool World::current(unsigned n) const
{
	return nodes[n].alive && view.has(n, nodes[n].life);
}

bool World::may_submit(unsigned n) const
{
	return nodes[n].alive && krg_order_room(&nodes[n].o);
}

/* As krg_rpc: between peers, and a peer is one incarnation. */
bool World::may_deliver(unsigned from, unsigned n) const
{
	const auto &c = channel(from, n);
	const Node &x = nodes[n];

	if (c.empty() || !x.alive)
		return false;
	return x.seen.has(from, c.front().life) || (x.pending && x.pending->has(from, c.front().life));
}

/* Peers that are gone, or another incarnation, and what was under way to and from the old one. */
void World::purge(unsigned n)
{
	for (unsigned p = 0; p < size(); p++) {
		std::erase_if(to(p, n), [&](const Message &m) { return !nodes[n].seen.has(p, m.life); });
		if (!krg_mask_has(&nodes[n].seen.members, p) || nodes[n].seen.life[p] != nodes[p].life)
			to(n, p).clear();
	}
}

void World::event(unsigned n, Event &ev)
{
	krg_order_out out;
	int err = krg_order_event(&nodes[n].o, &ev, &out);

	must(!err, "refuses what an honest node sent", n);
	nodes[n].dirty = true;
	perform(n, out, ev.msg);
}

void World::pump(unsigned n)
{
	krg_order_out out;

	krg_order_pump(&nodes[n].o, &out);
	perform(n, out, nullptr);
	nodes[n].dirty = false;
	must(!nodes[n].o.bugs, "an impossible thing happened", n);
}

void World::handle(unsigned n, unsigned from, const Message &m)
{
	krg_order_scratch scratch;
	krg_order_msg msg;
	Event ev{};

	must(!krg_order_decode(m.words.data(), m.bytes, &msg, &scratch), "can't read a message", n);
	switch (krg_order_accept(&nodes[n].o, from, msg.epoch)) {
	case KRG_ORDER_HOLD:
		nodes[n].held.emplace_back(from, m);
		return;
	case KRG_ORDER_NEVER:
		return;
	case KRG_ORDER_NOW:
		break;
	}
	ev.type = KRG_ORDER_EV_MSG;
	ev.from = from;
	ev.msg = &msg;
	event(n, ev);
}

void World::deliver(unsigned from, unsigned n)
{
	Message m = std::move(to(from, n).front());

	to(from, n).pop_front();
	handle(n, from, m);
	if (auto_pump)
		pump(n);
}

void World::install(unsigned n)
{
	Node &x = nodes[n];
	Event ev{};
	auto held = std::move(x.held);

	x.seen = *x.pending;
	x.pending.reset();
	purge(n);
	ev.type = KRG_ORDER_EV_CHANGE;
	ev.epoch = x.seen.epoch;
	ev.quorate = x.seen.quorate;
	ev.members = x.seen.members;
	ev.machines = ~0u;
	event(n, ev);
	x.held.clear();
	for (auto &[from, m] : held)
		handle(n, from, m);
	if (auto_pump)
		pump(n);
}

void World::submit(unsigned n)
{
	Node &x = nodes[n];
	Event ev{};

	x.own[x.o.own_next] = {x.life, n, ++x.submitted};
	ev.type = KRG_ORDER_EV_SUBMIT;
	event(n, ev);
	if (auto_pump)
		pump(n);
}

void World::die(unsigned n)
{
	nodes[n].alive = false;
	nodes[n].pending.reset();
	for (unsigned p = 0; p < size(); p++)
		to(p, n).clear();
}

void World::lose(unsigned from, unsigned n, size_t keep)
{
	if (to(from, n).size() > keep)
		to(from, n).resize(keep);
}

void World::boot(unsigned n)
{
	u32 life = nodes[n].life + 1;

	nodes[n] = {};
	nodes[n].life = life;
	nodes[n].seen.life.assign(size(), 0);
	krg_order_init(&nodes[n].o, n);
}

/* It takes another incarnation. */
void World::leave(unsigned n)
{
	Node &x = nodes[n];
	Event ev{};

	ev.type = KRG_ORDER_EV_LEAVE;
	event(n, ev);
	must(x.own.empty(), "somebody waits though it has left", n);
	die(n);
	x.alive = true;
	x.life++;
	x.submitted = 0;
	x.gave_up = false;
	x.seen.members = {};
}

void World::decide(const krg_mask &members, bool quorate)
{
	view.epoch++;
	view.quorate = quorate;
	view.members = members;
	for (unsigned n = 0; n < size(); n++)
		view.life[n] = nodes[n].life;
	for (unsigned n = 0; n < size(); n++)
		if (nodes[n].alive && krg_mask_has(&members, n))
			nodes[n].pending = view;
}

void World::post(unsigned n, unsigned p, krg_order_msg &msg)
{
	Message m{nodes[n].life, std::vector<u64>(KRG_ORDER_BYTES_MAX / 8), 0};
	int len;

	msg.epoch = nodes[n].o.epoch;
	len = krg_order_encode(&msg, m.words.data(), m.words.size() * 8);
	must(len > 0, "can't write a message", n);
	m.bytes = len;
	m.words.resize((len + 7) / 8);
	messages++;
	/* Not a peer, or dead. */
	if (nodes[p].alive && nodes[n].seen.has(p, nodes[p].life))
		to(n, p).push_back(std::move(m));
}

void World::send(unsigned n, const krg_order_action &act)
{
	Node &x = nodes[n];
	krg_order_msg msg{};

	msg.type = act.msg;
	switch (act.msg) {
	case KRG_ORDER_REPORT:
		msg.number = x.o.last;
		msg.machines = x.o.machines;
		msg.fresh = x.o.fresh;
		msg.newborn = x.o.newborn;
		break;
	case KRG_ORDER_LEAD:
		msg.members = x.o.members;
		msg.report = x.o.report;
		break;
	case KRG_ORDER_GOT:
		msg.offset = act.last;
		break;
	case KRG_ORDER_ACK:
	case KRG_ORDER_STABLE:
		msg.number = act.last;
		break;
	case KRG_ORDER_SNAPSHOT:
		for (u64 at = act.first; at < act.last; at += msg.len) {
			msg.number = x.o.tx_number;
			msg.total = x.o.tx_total;
			msg.offset = at;
			msg.len = std::min<u64>(kChunk, act.last - at);
			msg.data = reinterpret_cast<const u8 *>(x.tx.data()) + at;
			post(n, act.node, msg);
		}
		return;
	case KRG_ORDER_ENTRY:
		for (u64 i = act.first; i <= act.last; i++) {
			must(x.log.contains(i), "an entry is missing", n);
			const Entry &e = x.log.at(i);
			msg.kind = e.kind;
			msg.number = i;
			msg.hint = act.hint;
			msg.origin = e.origin;
			msg.serial = e.serial;
			msg.machine = e.kind == KRG_ORDER_OP;
			msg.data = &e.op;
			msg.len = e.kind == KRG_ORDER_OP ? sizeof(e.op) : 0;
			msg.view = &e.view;
			post(n, act.node, msg);
		}
		return;
	case KRG_ORDER_REQUEST:
		for (u64 i = act.first; i <= act.last; i++) {
			msg.serial = krg_order_serial(&x.o, i);
			msg.machine = 1;
			msg.data = &x.own.at(i);
			msg.len = sizeof(Op);
			post(n, act.node, msg);
		}
		return;
	}
	post(n, act.node, msg);
}

/* The same at the same place wherever it is known and counts. */
void World::remember(unsigned n, const Item &item)
{
	size_t at = nodes[n].history.size();

	nodes[n].history.push_back(item);
	for (unsigned p = 0; p < size() && current(n); p++)
		if (current(p) && nodes[p].history.size() > at)
			must(nodes[p].history[at] == item, "applied another thing than others", n);
}

void World::apply(unsigned n, const Entry &e)
{
	if (e.kind == KRG_ORDER_OP)
		remember(n, {0, static_cast<u16>(e.op.node), e.op.life, e.op.op});
	for (unsigned p = 0; e.kind == KRG_ORDER_VIEW && p < size(); p++)
		if (krg_mask_has(&e.view.dead, p))
			remember(n, {1, static_cast<u16>(p), 0, 0});
}

void World::append(unsigned n, const krg_order_action &act, const krg_order_msg *msg)
{
	Node &x = nodes[n];
	Entry e;

	if (act.type == KRG_ORDER_BEGIN) {
		e.kind = KRG_ORDER_VIEW;
		e.view = x.o.begin;
	} else if (!msg) {
		must(act.own, "an operation out of nothing", n);
		e = {KRG_ORDER_OP, static_cast<u16>(n), act.serial, x.own.at(act.first), {}};
	} else {
		e.kind = msg->type == KRG_ORDER_REQUEST ? u8{KRG_ORDER_OP} : msg->kind;
		if (e.kind == KRG_ORDER_VIEW)
			e.view = *msg->view;
		else
			memcpy(&e.op, msg->data, sizeof(e.op));
		e.origin = e.op.node;
		e.serial = msg->serial;
	}
	must(x.log.empty() || x.log.rbegin()->first + 1 == act.last, "a gap in the log", n);
	if (act.own && e.kind == KRG_ORDER_OP)
		must(!memcmp(&x.own.at(act.first), &e.op, sizeof(e.op)), "takes another's for its own", n);
	x.log[act.last] = e;
	apply(n, e);
}

void World::take(unsigned n)
{
	Node &x = nodes[n];
	Event ev{};

	x.tx.assign(sizeof(krg_wire_order_shared) / 8, 0);
	krg_order_shared_encode(&x.o.shared, x.tx.data());
	x.tx.resize(x.tx.size() + x.history.size() * 2);
	if (!x.history.empty())
		memcpy(reinterpret_cast<u8 *>(x.tx.data()) + sizeof(krg_wire_order_shared), x.history.data(),
		       x.history.size() * sizeof(Item));
	ev.type = KRG_ORDER_EV_TAKEN;
	ev.total = x.tx.size() * 8;
	event(n, ev);
}

void World::restore(unsigned n)
{
	static_assert(sizeof(Item) == 16);
	Node &x = nodes[n];
	Event ev{};
	krg_order_shared shared{};
	size_t items = (x.o.rx_total - sizeof(krg_wire_order_shared)) / sizeof(Item);
	std::vector<Item> history(items);

	must(!krg_order_shared_decode(x.rx.data(), x.o.rx_total, &shared), "can't read a snapshot", n);
	if (items)
		memcpy(history.data(), reinterpret_cast<u8 *>(x.rx.data()) + sizeof(krg_wire_order_shared),
		       items * sizeof(Item));
	must(x.history.empty() && x.log.empty(), "restores over what it has", n);
	for (const Item &i : history)
		remember(n, i);
	restored++;
	ev.type = KRG_ORDER_EV_RESTORED;
	ev.shared = &shared;
	ev.machines = ~0u;
	event(n, ev);
}

/* Done: all members of the view, as the submitter knows it, have it. */
void World::finished(unsigned n, u64 own)
{
	Node &x = nodes[n];
	u64 number = x.o.own_number[own % KRG_ORDER_OWN];

	for (unsigned p = 0; p < size(); p++)
		if (nodes[p].alive && x.seen.has(p, nodes[p].life) && nodes[p].o.phase != KRG_ORDER_OUT)
			must(!nodes[p].o.fresh && nodes[p].o.last >= number, "done, but not here", p);
	must(x.own.erase(own), "done twice", n);
	done++;
}

void World::dropped_own(unsigned n, u64 first, u64 last)
{
	for (u64 i = first; i <= last; i++, dropped++)
		must(nodes[n].own.erase(i), "dropped twice", n);
	nodes[n].gave_up = true;
}

void World::perform(unsigned n, const krg_order_out &out, const krg_order_msg *msg)
{
	Node &x = nodes[n];

	must(out.count <= KRG_ORDER_OUT_MAX, "too many actions", n);
	for (unsigned i = 0; i < out.count; i++) {
		const krg_order_action &act = out.act[i];
		switch (act.type) {
		case KRG_ORDER_SEND:
			send(n, act);
			break;
		case KRG_ORDER_APPEND:
		case KRG_ORDER_BEGIN:
			append(n, act, msg);
			break;
		case KRG_ORDER_DONE:
			finished(n, act.first);
			break;
		case KRG_ORDER_DROP:
			dropped_own(n, act.first, act.last);
			break;
		case KRG_ORDER_FORGET:
			x.log.erase(x.log.begin(), x.log.upper_bound(act.last));
			break;
		case KRG_ORDER_TAKE:
			take(n);
			break;
		case KRG_ORDER_UNTAKE:
			x.tx.clear();
			break;
		case KRG_ORDER_CHUNK:
			x.rx.resize((msg->total + 7) / 8);
			memcpy(reinterpret_cast<u8 *>(x.rx.data()) + msg->offset, msg->data, msg->len);
			break;
		case KRG_ORDER_UNCHUNK:
			x.rx.clear();
			break;
		case KRG_ORDER_RESTORE:
			restore(n);
			break;
		case KRG_ORDER_RESET:
			x.history.clear();
			x.log.clear();
			break;
		}
	}
}

void World::settle()
{
	bool more = true;

	while (more) {
		more = false;
		for (unsigned n = 0; n < size(); n++) {
			if (nodes[n].pending) {
				install(n);
				more = true;
			}
			if (nodes[n].dirty && nodes[n].alive) {
				pump(n);
				more = true;
			}
			for (unsigned p = 0; p < size(); p++)
				while (may_deliver(p, n)) {
					deliver(p, n);
					more = true;
				}
			more |= nodes[n].dirty && nodes[n].alive;
		}
	}
}

/* Each operation of a life once and in order, the end of each life after all of it. */
void World::check_lives(unsigned n) const
{
	std::vector<u32> life(size()), over(size());
	std::vector<u64> op(size());

	for (const Item &i : nodes[n].history) {
		if (i.dead) {
			over[i.node] = life[i.node] ? life[i.node] : over[i.node];
			life[i.node] = 0;
			continue;
		}
		must(i.life > over[i.node], "an operation after its life", i.node);
		if (!life[i.node])
			op[i.node] = 0;
		must(!life[i.node] || life[i.node] == i.life, "a life not told to be over", i.node);
		must(i.op > op[i.node], "an operation twice, or out of order", i.node);
		life[i.node] = i.life;
		op[i.node] = i.op;
	}
	for (unsigned p = 0; p < size(); p++) {
		must(!life[p] || view.has(p, life[p]), "the last life not told to be over", p);
		must(!over[p] || !view.has(p, over[p]), "told to be dead, and lives", p);
		if (life[p] && !nodes[p].gave_up)
			must(op[p] == nodes[p].submitted, "an operation is missing", p);
	}
}

void World::check_quiet() const
{
	int first = -1;

	for (unsigned n = 0; n < size(); n++) {
		const Node &x = nodes[n];
		if (!current(n))
			continue;
		if (first < 0)
			first = n;
		must(x.o.phase == (view.quorate ? KRG_ORDER_RUN : KRG_ORDER_STOPPED), "does not run", n);
		must(x.own.empty(), "somebody waits for ever", n);
		must(!view.quorate || x.history == nodes[first].history, "has another state", n);
		must(!view.quorate || x.log.size() <= KRG_ORDER_LAZY, "keeps what is stable", n);
		must(x.tx.empty() && x.rx.empty(), "keeps a snapshot", n);
	}
	if (first >= 0 && view.quorate)
		check_lives(first);
}

u64 World::hash() const
{
	u64 h = 1;

	for (const Node &x : nodes) {
		mix(h, u64{x.life} << 8 | x.alive << 1 | x.dirty);
		mix(h, x.submitted);
		mix(h, x.o, size());
		for (const auto &[number, e] : x.log)
			mix(h, number << 8 | e.kind), mix(h, &e.op, sizeof(e.op)), mix(h, e.serial);
		for (const auto &[own, op] : x.own)
			mix(h, own), mix(h, op.op);
		for (const Item &i : x.history)
			mix(h, i);
		for (const auto &[from, m] : x.held)
			mix(h, from), mix(h, m.words.data(), m.bytes);
		mix(h, x.seen);
		mix(h, x.pending ? x.pending->epoch : 0);
	}
	for (const auto &c : channels) {
		mix(h, c.size());
		for (const Message &m : c)
			mix(h, m.life), mix(h, m.words.data(), m.bytes);
	}
	mix(h, view);
	return h;
}

} // namespace world
