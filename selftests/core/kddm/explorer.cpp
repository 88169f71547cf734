// SPDX-License-Identifier: GPL-2.0-only
#include "explorer.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace kddm
{

namespace
{

using Bytes = std::vector<uint8_t>;

/* How much of what is bounded is left. */
struct Left {
	uint8_t ops, give_ups, stores, fill_fails, kills, leaves, joins, evictions, agains;
};

struct Writer {
	Bytes &b;
	void u8(unsigned v) { b.push_back(v); }
	void u16(unsigned v)
	{
		u8(v & 255);
		u8(v >> 8);
	}
	void map(const krg_kddm_map &m) { u8(m.w[0] & 255); }
	void set(const krg_kddm_nodes &s)
	{
		uint8_t bits = 0;
		unsigned cursor = 0, n;
		while ((n = krg_kddm_nodes_next(&s, &cursor)) != KRG_KDDM_NOBODY)
			bits |= 1 << n;
		u8(bits);
	}
};

struct Reader {
	const uint8_t *p;
	unsigned u8() { return *p++; }
	unsigned u16()
	{
		unsigned low = u8();
		return low | u8() << 8;
	}
	void map(krg_kddm_map &m) { m.w[0] = u8(); }
	void set(krg_kddm_nodes &s)
	{
		unsigned bits = u8();
		std::memset(&s, 0, sizeof(s));
		for (unsigned n = 0; n < 8; n++)
			if (bits >> n & 1)
				krg_kddm_nodes_add(&s, n, nullptr);
	}
};

/* Only whether a version is the last one, or none, can ever matter. */
unsigned shrink(uint32_t version, uint32_t latest)
{
	return version == latest ? (latest ? 1 : 0) : 2;
}

uint32_t grow(unsigned v)
{
	return v == 2 ? 1'000'000 : v;
}

void write_copy(Writer &w, const Copy &c, uint32_t latest)
{
	const krg_kddm_object &o = c.o;

	w.u8(o.state | o.content << 4);
	w.u16(o.flags);
	w.u8(o.readers | o.writers << 4);
	w.u8(o.acks + 128);
	w.u8(o.last);
	if (o.last) {
		w.u8(o.last_node);
		w.u8(o.last_acks);
	}
	w.u8(o.first);
	if (o.first) {
		w.u8(o.first_node);
		w.u8(o.first_acks);
	}
	w.u16(o.owner);
	w.set(o.copies);
	w.set(o.waiting);
	bool has = o.content >= KRG_KDDM_BLANK && o.content <= KRG_KDDM_BYTES;
	w.u8((has ? shrink(c.version, latest) : 0) | c.mapped << 2 | c.filling << 4);
}

void read_copy(Reader &r, Copy &c)
{
	krg_kddm_object &o = c.o;
	unsigned v = r.u8();

	std::memset(&o, 0, sizeof(o));
	o.state = v & 15;
	o.content = v >> 4;
	o.flags = r.u16();
	v = r.u8();
	o.readers = v & 15;
	o.writers = v >> 4;
	o.acks = static_cast<int>(r.u8()) - 128;
	o.last = r.u8();
	if (o.last) {
		o.last_node = r.u8();
		o.last_acks = r.u8();
	}
	o.first = r.u8();
	if (o.first) {
		o.first_node = r.u8();
		o.first_acks = r.u8();
	}
	o.owner = r.u16();
	r.set(o.copies);
	r.set(o.waiting);
	v = r.u8();
	c.version = grow(v & 3);
	c.mapped = v >> 2 & 3;
	c.filling = v >> 4;
	c.woken = 0;
}

void write_past(Writer &w, const krg_kddm_view_past &p)
{
	w.u8(p.settled);
	w.u8(p.views);
	for (unsigned i = 0; i < p.views; i++) {
		w.u8(p.epoch[i]);
		w.map(p.guards[i]);
	}
	w.map(p.dead);
}

void read_past(Reader &r, krg_kddm_view_past &p)
{
	std::memset(&p, 0, sizeof(p));
	p.settled = r.u8();
	p.views = r.u8();
	for (unsigned i = 0; i < p.views; i++) {
		p.epoch[i] = r.u8();
		r.map(p.guards[i]);
	}
	r.map(p.dead);
}

void write_gaps(Writer &w, const std::vector<krg_kddm_gap> &gaps)
{
	w.u8(gaps.size());
	for (const krg_kddm_gap &g : gaps) {
		w.map(g.guards);
		w.map(g.alive);
	}
}

void read_gaps(Reader &r, std::vector<krg_kddm_gap> &gaps)
{
	gaps.resize(r.u8());
	for (krg_kddm_gap &g : gaps) {
		g = krg_kddm_gap{};
		r.map(g.guards);
		r.map(g.alive);
	}
}

void write_node(Writer &w, const Node &n, const World &world)
{
	w.u8(n.alive | n.learned << 1);
	if (!n.alive)
		return;
	const krg_kddm_view &v = n.view;
	w.u8(v.phase | v.told << 4);
	w.u8(v.epoch);
	for (const krg_kddm_map *m :
	     {&v.members, &v.guards, &v.next, &v.marked, &v.ended, &v.gone, &v.sure, &v.done, &v.was, &v.survivors})
		w.map(*m);
	write_past(w, v.past);
	write_gaps(w, n.gaps);
	w.u8(n.users.size());
	for (const User &u : n.users) {
		w.u8(static_cast<unsigned>(u.kind) | static_cast<unsigned>(u.stage) << 4 | u.asked << 7);
		if (u.kind != Kind::None) {
			w.u8(u.object);
			w.u8(u.node & 255);
		}
	}
	w.u8(n.copies.size());
	for (const auto &[object, c] : n.copies) {
		w.u8(object);
		write_copy(w, c, world.latest[object]);
	}
}

void read_node(Reader &r, Node &n)
{
	unsigned v = r.u8();

	n.alive = v & 1;
	n.learned = v >> 1;
	n.copies.clear();
	if (!n.alive) {
		for (User &u : n.users)
			u = User{};
		return;
	}
	krg_kddm_view &view = n.view;
	v = r.u8();
	view.phase = v & 15;
	view.told = v >> 4;
	view.epoch = r.u8();
	for (krg_kddm_map *m : {&view.members, &view.guards, &view.next, &view.marked, &view.ended, &view.gone,
				&view.sure, &view.done, &view.was, &view.survivors})
		r.map(*m);
	read_past(r, view.past);
	read_gaps(r, n.gaps);
	n.users.resize(r.u8());
	for (User &u : n.users) {
		u = User{};
		v = r.u8();
		u.kind = static_cast<Kind>(v & 15);
		u.stage = static_cast<Stage>(v >> 4 & 7);
		u.asked = v >> 7;
		if (u.kind != Kind::None) {
			u.object = r.u8();
			v = r.u8();
			u.node = v == 255 ? KRG_KDDM_NOBODY : v;
		}
	}
	for (unsigned i = r.u8(); i; i--) {
		unsigned object = r.u8();
		read_copy(r, n.copies[object]);
	}
}

void write_packet(Writer &w, const Packet &p, const World &world)
{
	w.u8(p.view);
	w.u8(p.epoch);
	if (p.view == KRG_KDDM_VIEW_END) {
		write_past(w, p.past);
		write_gaps(w, p.gaps);
	}
	if (p.view)
		return;
	w.u8(p.object);
	w.u8(p.msg.type);
	w.u8(p.msg.content | p.msg.op << 4);
	w.u8(p.msg.flags);
	w.u8(p.msg.node & 255);
	w.u8(p.msg.acks);
	w.u8(-p.msg.status);
	w.u8(p.msg.content == KRG_KDDM_RAW ? shrink(p.version, world.latest[p.object]) : 0);
}

void read_packet(Reader &r, Packet &p)
{
	p = Packet{};
	p.view = r.u8();
	p.epoch = r.u8();
	if (p.view == KRG_KDDM_VIEW_END) {
		read_past(r, p.past);
		read_gaps(r, p.gaps);
	}
	if (p.view)
		return;
	p.object = r.u8();
	p.msg.type = r.u8();
	unsigned v = r.u8();
	p.msg.content = v & 15;
	p.msg.op = v >> 4;
	p.msg.flags = r.u8();
	v = r.u8();
	p.msg.node = v == 255 ? KRG_KDDM_NOBODY : v;
	p.msg.acks = r.u8();
	p.msg.status = -static_cast<int>(r.u8());
	p.version = grow(r.u8());
}

void save(const World &w, const Left &left, Bytes &out)
{
	Writer wr{out};

	for (unsigned i = 0; i < sizeof(left); i++)
		wr.u8(reinterpret_cast<const uint8_t *>(&left)[i]);
	for (unsigned i = 0; i < w.rules.objects; i++)
		wr.u8((w.latest[i] != 0) | w.written[i] << 1);
	wr.u8(w.leaving + 1);
	wr.u8(w.views.size());
	for (const View &v : w.views) {
		wr.map(v.members);
		wr.map(v.guards);
		wr.map(v.left);
		wr.map(v.again);
	}
	for (const Node &n : w.node)
		write_node(wr, n, w);
	for (const auto &ch : w.channel) {
		wr.u8(ch.size());
		for (const Packet &p : ch)
			write_packet(wr, p, w);
	}
}

void load(World &w, Left &left, const uint8_t *p)
{
	Reader r{p};

	for (unsigned i = 0; i < sizeof(left); i++)
		reinterpret_cast<uint8_t *>(&left)[i] = r.u8();
	for (unsigned i = 0; i < w.rules.objects; i++) {
		unsigned v = r.u8();
		w.latest[i] = v & 1;
		w.written[i] = v >> 1;
	}
	w.leaving = static_cast<int>(r.u8()) - 1;
	w.views.resize(r.u8());
	for (unsigned i = 0; i < w.views.size(); i++) {
		View &v = w.views[i];
		v = View{};
		v.epoch = i + 1;
		r.map(v.members);
		r.map(v.guards);
		r.map(v.left);
		r.map(v.again);
	}
	for (Node &n : w.node)
		read_node(r, n);
	for (auto &ch : w.channel) {
		ch.resize(r.u8());
		for (Packet &q : ch)
			read_packet(r, q);
	}
	w.broken.clear();
	w.busy.clear();
}

uint64_t hash(const Bytes &b)
{
	uint64_t h = 0x9e3779b97f4a7c15ull ^ b.size();
	size_t i = 0;

	for (; i + 8 <= b.size(); i += 8) {
		uint64_t v;
		std::memcpy(&v, &b[i], 8);
		h = (h ^ v) * 0xff51afd7ed558ccdull;
		h ^= h >> 32;
	}
	for (; i < b.size(); i++)
		h = (h ^ b[i]) * 0x100000001b3ull;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ull;
	return (h ^ h >> 33) | 1;
}

/* Which states were seen: their hashes, and the number each was given. */
class Seen
{
public:
	Seen() : hash_(1 << 16), number_(1 << 16) {}
	/* The state's number, and whether it is new. */
	std::pair<uint32_t, bool> add(uint64_t h, uint32_t number)
	{
		if (count_ * 2 > hash_.size())
			grow();
		size_t i = slot(h);
		if (hash_[i])
			return {number_[i], false};
		hash_[i] = h;
		number_[i] = number;
		count_++;
		return {number, true};
	}

private:
	std::vector<uint64_t> hash_;
	std::vector<uint32_t> number_;
	size_t count_ = 0;

	[[nodiscard]] size_t slot(uint64_t h) const
	{
		size_t mask = hash_.size() - 1, i = (h >> 1) & mask;
		while (hash_[i] && hash_[i] != h)
			i = (i + 1) & mask;
		return i;
	}
	void grow()
	{
		std::vector<uint64_t> hashes(hash_.size() * 2);
		std::vector<uint32_t> numbers(hash_.size() * 2);
		hashes.swap(hash_);
		numbers.swap(number_);
		for (size_t k = 0; k < hashes.size(); k++)
			if (hashes[k]) {
				size_t i = slot(hashes[k]);
				hash_[i] = hashes[k];
				number_[i] = numbers[k];
			}
	}
};

class Explorer
{
public:
	explicit Explorer(const Bounds &b) : b_(b), w_(b.rules) {}
	Found run();

private:
	const Bounds b_;
	World w_;
	Left left_{};
	std::vector<Choice> choices_;

	void begin();
	void list();
	void list_users(unsigned n);
	void list_objects(unsigned n);
	void list_members();
	void take(const Choice &c);
	void check(bool end);
	void explain(Found &f, std::vector<Choice> way);
};

void Explorer::begin()
{
	left_ = Left{
	    static_cast<uint8_t>(b_.ops),	 static_cast<uint8_t>(b_.give_ups),  static_cast<uint8_t>(b_.stores),
	    static_cast<uint8_t>(b_.fill_fails), static_cast<uint8_t>(b_.kills),     static_cast<uint8_t>(b_.leaves),
	    static_cast<uint8_t>(b_.joins),	 static_cast<uint8_t>(b_.evictions), static_cast<uint8_t>(b_.agains)};
	if (b_.install)
		for (unsigned i = 0; i < b_.rules.objects; i++)
			w_.install(i);
}

uint16_t u16(unsigned v)
{
	return static_cast<uint16_t>(v);
}

void Explorer::list_users(unsigned n)
{
	bool free = false;

	for (unsigned i = 0; i < b_.rules.slots; i++) {
		const User &u = w_.node[n].users[i];

		free |= u.stage == Stage::Idle;
		if (u.stage == Stage::Holding)
			choices_.push_back({Do::Put, u16(n), u16(i), 0});
		if (u.stage == Stage::Waiting && left_.give_ups)
			choices_.push_back({Do::GiveUp, u16(n), u16(i), 0});
	}
	if (!free || !w_.may_start(n) || !left_.ops)
		return;
	for (unsigned object = 0; object < b_.rules.objects; object++)
		for (Kind k : b_.kinds)
			choices_.push_back({Do::Start, u16(n), u16(object), static_cast<uint8_t>(k)});
}

void Explorer::list_objects(unsigned n)
{
	for (auto &[object, c] : w_.node[n].copies) {
		if (c.filling) {
			choices_.push_back({Do::Filled, u16(n), u16(object), 0});
			if (left_.fill_fails)
				choices_.push_back({Do::FillFails, u16(n), u16(object), 0});
		}
		if (c.mapped == 2 && left_.stores)
			choices_.push_back({Do::Store, u16(n), u16(object), 0});
		if (c.o.flags & KRG_KDDM_GRANTED && !b_.rules.release_now)
			choices_.push_back({Do::Release, u16(n), u16(object), 0});
		if (static_cast<int>(n) == w_.leaving && left_.evictions && w_.node[n].users[0].stage == Stage::Idle &&
		    w_.node[n].view.phase == KRG_KDDM_RUN && c.o.content >= KRG_KDDM_BLANK)
			choices_.push_back({Do::Start, u16(n), u16(object), static_cast<uint8_t>(Kind::Flush) | 16});
	}
}

void Explorer::list_members()
{
	for (unsigned n = 0; n < b_.rules.nodes; n++) {
		const Node &me = w_.node[n];
		if (me.alive && me.learned < w_.views.size())
			choices_.push_back({Do::Learn, u16(n), 0, 0});
		if (me.alive && me.learned < w_.views.size() && w_.may_be_late(n))
			choices_.push_back({Do::Learn, u16(n), 0, 1});
		if (left_.agains && w_.may_die(n))
			choices_.push_back({Do::Again, u16(n), 0, 0});
		if (left_.kills && w_.may_die(n))
			choices_.push_back({Do::Kill, u16(n), 0, 0});
		if (left_.leaves && w_.leaving < 0 && static_cast<int>(n) != b_.rules.home && w_.may_die(n))
			choices_.push_back({Do::Leave, u16(n), 0, 0});
		if (w_.may_go(n))
			choices_.push_back({Do::Left, u16(n), 0, 0});
		if (!me.alive && left_.joins && !krg_kddm_map_has(&w_.views.back().members, n))
			choices_.push_back({Do::Join, u16(n), 0, 0});
	}
}

void Explorer::list()
{
	choices_.clear();
	for (unsigned from = 0; from < b_.rules.nodes; from++)
		for (unsigned to = 0; to < b_.rules.nodes; to++)
			if (w_.deliverable(from, to))
				choices_.push_back({Do::Deliver, u16(from), u16(to), 0});
	for (unsigned n = 0; n < b_.rules.nodes; n++) {
		if (!w_.node[n].alive)
			continue;
		list_users(n);
		list_objects(n);
	}
	list_members();
}

void Explorer::take(const Choice &c)
{
	switch (c.what) {
	case Do::Start:
		(c.c & 16 ? left_.evictions : left_.ops)--;
		break;
	case Do::GiveUp:
		left_.give_ups--;
		break;
	case Do::Store:
		left_.stores--;
		break;
	case Do::FillFails:
		left_.fill_fails--;
		break;
	case Do::Kill:
		left_.kills--;
		break;
	case Do::Leave:
		left_.leaves--;
		break;
	case Do::Join:
		left_.joins--;
		break;
	case Do::Again:
		left_.agains--;
		break;
	default:
		break;
	}
	w_.step(c);
}

void Explorer::check(bool end)
{
	for (unsigned i = 0; i < b_.rules.objects && w_.good(); i++)
		w_.check_object(i);
	if (!w_.good())
		return;
	if (w_.quiet())
		w_.check_quiet(end);
	else if (end)
		w_.fail("stuck: messages are on their way and nobody takes them");
}

void Explorer::explain(Found &f, std::vector<Choice> way)
{
	Explorer again(b_);

	again.begin();
	again.w_.log = &f.ladder;
	for (const Choice &c : way) {
		again.take(c);
		f.ladder.push_back("                                        " + again.w_.picture());
	}
	again.list();
	again.check(again.choices_.empty());
}

Found Explorer::run()
{
	Found f;
	auto started = std::chrono::steady_clock::now();
	Seen seen;
	std::vector<uint32_t> parent;
	std::vector<Choice> how;
	std::vector<uint32_t> edges, first; /* from state i: edges[first[i]] .. */
	Bytes level, next, state;
	std::vector<size_t> at, next_at;
	auto way_to = [&](uint32_t s, std::optional<Choice> last) {
		std::vector<Choice> way;
		if (last)
			way.push_back(*last);
		for (; s; s = parent[s])
			way.push_back(how[s]);
		std::reverse(way.begin(), way.end());
		return way;
	};

	begin();
	save(w_, left_, level);
	at.push_back(0);
	seen.add(hash(level), 0);
	parent.push_back(0);
	how.push_back({});
	uint32_t number = 0;
	while (!at.empty() && f.good()) {
		next.clear();
		next_at.clear();
		for (size_t i = 0; i < at.size() && f.good(); i++, number++) {
			const uint8_t *here = &level[at[i]];

			load(w_, left_, here);
			list();
			std::vector<Choice> todo = choices_;
			first.push_back(edges.size());
			if (todo.empty()) {
				f.ends++;
				check(true);
				if (!w_.good()) {
					f.broken = w_.broken;
					explain(f, way_to(number, {}));
				}
			}
			for (const Choice &c : todo) {
				load(w_, left_, here);
				take(c);
				if (w_.good())
					check(false);
				if (!w_.good()) {
					f.broken = w_.broken;
					explain(f, way_to(number, c));
					break;
				}
				state.clear();
				save(w_, left_, state);
				auto [id, fresh] = seen.add(hash(state), parent.size());
				edges.push_back(id);
				if (!fresh)
					continue;
				parent.push_back(number);
				how.push_back(c);
				next_at.push_back(next.size());
				next.insert(next.end(), state.begin(), state.end());
			}
			if (parent.size() > b_.most)
				f.broken = "more states than were thought";
		}
		std::swap(level, next);
		std::swap(at, next_at);
		f.depth++;
	}
	f.over_reported = w_.over_reported;
	f.states = parent.size();
	f.edges = edges.size();
	if (f.good()) {
		/* No way leads back to where it was: with an end to every way, every request ends. */
		first.push_back(edges.size());
		std::vector<uint32_t> into(f.states), ready;
		for (uint32_t e : edges)
			into[e]++;
		size_t done = 0;
		for (ready.push_back(0); !ready.empty(); done++) {
			uint32_t s = ready.back();
			ready.pop_back();
			for (uint32_t e = first[s]; e < first[s + 1]; e++)
				if (!--into[edges[e]])
					ready.push_back(edges[e]);
		}
		if (done != f.states) {
			f.broken = "going in circles: " + std::to_string(f.states - done) + " states";
			for (uint32_t s = 0; s < f.states; s++)
				if (into[s]) {
					explain(f, way_to(s, {}));
					break;
				}
		}
	}
	f.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
	return f;
}

} // namespace

Found explore(const Bounds &bounds)
{
	return Explorer(bounds).run();
}

} // namespace kddm
