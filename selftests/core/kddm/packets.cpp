// SPDX-License-Identifier: GPL-2.0-only
/*
 * The protocol's bytes: every field there and back, at the place wire.h gives it; every
 * check seen to refuse what is one off what it accepts; and no two ways to say the same.
 */
#include <cstring>
#include <functional>
#include <string>

#include "../tap.hpp"
#include "packets.hpp"

using namespace wire;

namespace
{

constexpr unsigned kViews = KRG_KDDM_PAST_VIEWS;

bool same(const krg_kddm_packet &a, const krg_kddm_packet &b)
{
	return a.kind == b.kind && a.count == b.count && a.gaps == b.gaps && a.epoch == b.epoch && a.arg == b.arg;
}

bool same(const krg_kddm_record &a, const krg_kddm_record &b)
{
	return !std::memcmp(&a.msg, &b.msg, sizeof(a.msg)) && a.born == b.born && a.set == b.set &&
	       a.index == b.index && a.more == b.more;
}

Bytes longer(Bytes b, size_t by)
{
	b.resize(b.size() + by);
	return b;
}

Bytes patched(Bytes b, size_t at, u8 value)
{
	b[at] = value;
	return b;
}

Bytes patched32(Bytes b, size_t at, u32 value)
{
	for (unsigned i = 0; i < 4; i++)
		b[at + i] = value >> 8 * i;
	return b;
}

krg_kddm_packet packet(u8 kind, u16 count, u32 arg = 0, u32 gaps = 0)
{
	krg_kddm_packet p{};

	p.kind = kind;
	p.count = count;
	p.arg = arg;
	p.gaps = gaps;
	p.epoch = 0x04030201;
	return p;
}

/* A packet that is good but for what its test changes: as long as its head says. */
struct Good {
	const char *what;
	krg_kddm_packet p;
	size_t records; /* bytes */
	bool content;	/* may more follow, or a page */
};

std::vector<Good> goods()
{
	std::vector<Good> all{
	    {"OBJECTS, one", packet(KRG_KDDM_PACKET_OBJECTS, 1), 40, true},
	    {"OBJECTS, two", packet(KRG_KDDM_PACKET_OBJECTS, 2), 80, false},
	    {"OBJECTS, most", packet(KRG_KDDM_PACKET_OBJECTS, 65535), 65535 * 40, false},
	    {"DESTROY, one", packet(KRG_KDDM_PACKET_DESTROY, 1), 16, false},
	    {"DESTROY, most", packet(KRG_KDDM_PACKET_DESTROY, 65535), 65535 * 16, false},
	    {"END", packet(KRG_KDDM_PACKET_VIEW, 1, KRG_KDDM_VIEW_END), 184, false},
	    {"END, one gap", packet(KRG_KDDM_PACKET_VIEW, 1, KRG_KDDM_VIEW_END, 1), 184 + 72, false},
	    {"END, most gaps", packet(KRG_KDDM_PACKET_VIEW, 1, KRG_KDDM_VIEW_END, 0xffff), 184 + 0xffff * 72, false},
	    {"PING", packet(KRG_KDDM_PACKET_PING, 0, 0xfedcba98), 0, false},
	    {"PONG", packet(KRG_KDDM_PACKET_PONG, 0, 1), 0, false},
	};
	static const struct {
		u8 type;
		const char *name;
	} views[] = {{KRG_KDDM_VIEW_MARK, "MARK"},
		     {KRG_KDDM_VIEW_GO, "GO"},
		     {KRG_KDDM_VIEW_SURE, "SURE"},
		     {KRG_KDDM_VIEW_DONE, "DONE"}};

	for (const auto &v : views)
		all.push_back({v.name, packet(KRG_KDDM_PACKET_VIEW, 0, v.type), 0, false});
	return all;
}

void packets()
{
	krg_kddm_packet p;

	for (const Good &g : goods()) {
		Bytes b = longer(bytes(g.p), g.records);
		bool back = !head(b, false, p) && same(p, g.p);
		bool shorter = head(longer(bytes(g.p), g.records ? g.records - 1 : 0), false, p) == -EPROTO;

		tap::ok(back && krg_kddm_packet_encode(&g.p, b.data()) == 16, std::string(g.what) + ": there and back");
		if (g.records)
			tap::ok(shorter, std::string(g.what) + ": a byte less is refused");
		if (g.content)
			tap::ok(!head(longer(b, 1), false, p) && !head(longer(b, 4096), false, p) &&
				    !head(b, true, p) && head(longer(b, 1), true, p) == -EPROTO,
				std::string(g.what) + ": bytes or a page may follow, not both");
		else
			tap::ok(head(longer(b, 1), false, p) == -EPROTO && head(b, true, p) == -EPROTO,
				std::string(g.what) + ": neither a byte more nor a page");
	}
}

/* Heads that lie; with the records they speak of, and without. */
void heads()
{
	krg_kddm_packet p;
	Bytes ping = bytes(packet(KRG_KDDM_PACKET_PING, 0)),
	      one = longer(bytes(packet(KRG_KDDM_PACKET_OBJECTS, 1)), 40);
	unsigned wrong = 0;
	auto refused = [&](const krg_kddm_packet &lie, size_t records, const char *what) {
		tap::ok(head(longer(bytes(lie), records), false, p) == -EPROTO && head(bytes(lie), false, p) == -EPROTO,
			what);
	};

	for (size_t len = 0; len < 16; len++)
		wrong += head(View(ping).first(len), false, p) != -EPROTO;
	tap::ok(!wrong && !head(ping, false, p), "no head is shorter than 16 bytes");
	for (unsigned v = 0; v < 256; v++)
		wrong += (head(patched(ping, 1, v), false, p) == 0) != (v == KRG_KDDM_WIRE_VERSION);
	tap::ok(!wrong, "no other version");
	for (unsigned kind = 0; kind < 256; kind++)
		if (!kind || kind >= KRG_KDDM_PACKET_KINDS)
			wrong += head(patched(ping, 0, kind), false, p) != -EPROTO ||
				 head(patched(one, 0, kind), false, p) != -EPROTO;
	tap::ok(!wrong, "no kind that isn't");
	refused(packet(KRG_KDDM_PACKET_OBJECTS, 0), 0, "OBJECTS of none");
	refused(packet(KRG_KDDM_PACKET_OBJECTS, 1, 1), 40, "OBJECTS with an arg");
	refused(packet(KRG_KDDM_PACKET_OBJECTS, 1, 0, 1), 40, "OBJECTS with a gap");
	refused(packet(KRG_KDDM_PACKET_OBJECTS, 65535), 65534 * 40, "OBJECTS, one less than it says");
	refused(packet(KRG_KDDM_PACKET_DESTROY, 0), 0, "DESTROY of none");
	refused(packet(KRG_KDDM_PACKET_DESTROY, 1, 1), 16, "DESTROY with an arg");
	refused(packet(KRG_KDDM_PACKET_DESTROY, 1, 0, 1), 16, "DESTROY with a gap");
	refused(packet(KRG_KDDM_PACKET_VIEW, 0, 0), 0, "VIEW, but no message");
	refused(packet(KRG_KDDM_PACKET_VIEW, 0, KRG_KDDM_VIEW_MESSAGES), 0, "a message of the view that isn't");
	refused(packet(KRG_KDDM_PACKET_VIEW, 0, KRG_KDDM_VIEW_CHANGE), 0, "a step of our own (CHANGE)");
	refused(packet(KRG_KDDM_PACKET_VIEW, 0, 256 + KRG_KDDM_VIEW_GO), 0, "GO, and a bit above");
	refused(packet(KRG_KDDM_PACKET_VIEW, 0, KRG_KDDM_VIEW_END), 0, "END of none");
	refused(packet(KRG_KDDM_PACKET_VIEW, 2, KRG_KDDM_VIEW_END), 2 * 184, "END of two");
	refused(packet(KRG_KDDM_PACKET_VIEW, 1, KRG_KDDM_VIEW_END, 2), 184 + 72, "END with a gap less than it says");
	refused(packet(KRG_KDDM_PACKET_VIEW, 1, KRG_KDDM_VIEW_END, 0x10000), 184 + 0x10000 * 72,
		"END with too many gaps");
	refused(packet(KRG_KDDM_PACKET_VIEW, 1, KRG_KDDM_VIEW_END, 0x80000000), 184,
		"END with gaps whose length needs more than 32 bits");
	refused(packet(KRG_KDDM_PACKET_VIEW, 1, KRG_KDDM_VIEW_GO), 0, "GO with a record it says");
	refused(packet(KRG_KDDM_PACKET_VIEW, 1, KRG_KDDM_VIEW_GO), 184, "GO with a record");
	refused(packet(KRG_KDDM_PACKET_VIEW, 0, KRG_KDDM_VIEW_GO, 1), 0, "GO with a gap");
	refused(packet(KRG_KDDM_PACKET_PING, 1), 184, "PING with a record");
	refused(packet(KRG_KDDM_PACKET_PING, 0, 0, 1), 0, "PING with a gap");
	refused(packet(KRG_KDDM_PACKET_PONG, 1), 184, "PONG with a record");
	refused(packet(KRG_KDDM_PACKET_PONG, 0, 0, 1), 0, "PONG with a gap");
}

krg_kddm_record data()
{
	krg_kddm_record r{};

	r.msg.type = KRG_KDDM_DATA;
	r.msg.content = KRG_KDDM_NONE;
	r.msg.node = KRG_KDDM_NOBODY;
	r.born = 7;
	r.set = 8;
	r.index = 9;
	return r;
}

/* How a record with one thing changed is taken. */
using Change = std::function<void(krg_kddm_record &)>;

bool taken(const Change &change, unsigned records = 1)
{
	krg_kddm_record r = data(), back;

	change(r);
	return !record(bytes(r), records, back) && same(r, back);
}

bool refused(const Change &change, unsigned records = 1)
{
	krg_kddm_record r = data(), back;

	change(r);
	return record(bytes(r), records, back) == -EPROTO;
}

template <typename T, typename F> bool all_taken(std::initializer_list<T> values, F set)
{
	return std::ranges::all_of(values, [&](T v) { return taken([&](krg_kddm_record &r) { set(r, v); }); });
}

template <typename T, typename F> bool all_refused(std::initializer_list<T> values, F set)
{
	return std::ranges::all_of(values, [&](T v) { return refused([&](krg_kddm_record &r) { set(r, v); }); });
}

void fields()
{
	unsigned types = 0;
	u64 most = ~u64{0};

	for (unsigned t = 0; t < 256; t++)
		types += taken([&](krg_kddm_record &r) { r.msg.type = t; }) == (t >= 1 && t < KRG_KDDM_MESSAGES);
	tap::ok(types == 256, "type: messages, no others");
	tap::ok(all_taken<u8>({0, 1, 255}, [](auto &r, u8 v) { r.msg.op = v; }), "op");
	tap::ok(all_taken<u8>({0, 1, 255}, [](auto &r, u8 v) { r.msg.flags = v; }), "flags");
	auto node = [](krg_kddm_record &r, unsigned v) { r.msg.node = v; };
	tap::ok(all_taken<unsigned>({0, 1, 255, KRG_KDDM_NOBODY}, node), "node: 0 to 255, or nobody");
	tap::ok(all_refused<unsigned>({256, 0x100, 0xff00, 0xfffe}, node), "node: no other");
	auto acks = [](krg_kddm_record &r, unsigned v) { r.msg.acks = v; };
	tap::ok(all_taken<unsigned>({0, 1, 255}, acks), "acks: 0 to 255");
	tap::ok(all_refused<unsigned>({256, 0xffff}, acks), "acks: not more");
	auto status = [](krg_kddm_record &r, int v) { r.msg.status = v; };
	tap::ok(all_taken<int>({0, -1, -4095}, status), "status: 0 to -4095");
	tap::ok(all_refused<int>({1, 32767, -4096, -32768}, status), "status: nothing else");
	tap::ok(all_taken<u32>({0, 1, 0x87654321, ~0u}, [](auto &r, u32 v) { r.born = v; }), "born");
	tap::ok(all_taken<u64>({0, 1, 0x8765432112345678, most}, [](auto &r, u64 v) { r.set = v; }), "set");
	tap::ok(all_taken<u64>({0, 1, 0x8765432112345678, most}, [](auto &r, u64 v) { r.index = v; }), "index");
	tap::ok(all_taken<u64>({0, 1, 0x8765432112345678, most}, [](auto &r, u64 v) { r.more = v; }), "more");

	krg_kddm_record back;
	Bytes b = bytes(data());
	tap::ok(record(patched(b, 10, 1), 1, back) == -EPROTO && record(patched(b, 11, 128), 1, back) == -EPROTO,
		"reserved: 0");
	std::memset(&back, 0xff, sizeof(back));
	tap::ok(!record(b, 1, back) && !back.msg.from, "from is not on the wire");
}

/* DATA and OWN have content; RAW is alone in its packet and for one object. */
void contents()
{
	unsigned wrong = 0;
	auto with = [](u8 type, u8 content, u64 more = 0) {
		return [=](krg_kddm_record &r) {
			r.msg.type = type;
			r.msg.content = content;
			r.more = more;
		};
	};

	for (unsigned type = 1; type < KRG_KDDM_MESSAGES; type++)
		for (unsigned c = 0; c < 256; c++) {
			bool carries = type == KRG_KDDM_DATA || type == KRG_KDDM_OWN;
			bool good = c == KRG_KDDM_NONE || (carries && (c == KRG_KDDM_BLANK || c == KRG_KDDM_RAW));

			wrong += good ? !taken(with(type, c)) : !refused(with(type, c));
		}
	tap::ok(!wrong, "content: DATA and OWN have none, blank or raw; others none");
	for (u8 type : {KRG_KDDM_DATA, KRG_KDDM_OWN}) {
		std::string name = krg_kddm_event_name(type);

		tap::ok(taken(with(type, KRG_KDDM_BLANK, 5)) && taken(with(type, KRG_KDDM_BLANK), 2) &&
			    taken(with(type, KRG_KDDM_NONE, 5), 65535),
			name + ": blank or none, of many objects and in large packets");
		tap::ok(refused(with(type, KRG_KDDM_RAW, 1)) && refused(with(type, KRG_KDDM_RAW, u64{1} << 63)),
			name + ": raw, of one object only");
		tap::ok(refused(with(type, KRG_KDDM_RAW), 2) && refused(with(type, KRG_KDDM_RAW), 65535),
			name + ": raw, alone in its packet only");
	}
}

krg_kddm_map map(u64 first)
{
	krg_kddm_map m{};

	for (unsigned i = 0; i < 4; i++)
		m.w[i] = first + 0x0101010101010101ull * i;
	return m;
}

krg_kddm_view_past some_past(unsigned views)
{
	krg_kddm_view_past p{};

	p.settled = 0x80000001;
	p.views = views;
	for (unsigned i = 0; i < views; i++) {
		p.epoch[i] = 0x80000002 + i;
		p.guards[i] = map(0x1000 * (i + 1));
	}
	p.dead = map(0x8000000000000000);
	return p;
}

bool same(const krg_kddm_view_past &a, const krg_kddm_view_past &b)
{
	return a.settled == b.settled && a.views == b.views && !std::memcmp(a.epoch, b.epoch, sizeof(a.epoch)) &&
	       !std::memcmp(a.guards, b.guards, sizeof(a.guards)) && !std::memcmp(&a.dead, &b.dead, sizeof(a.dead));
}

void pasts()
{
	krg_kddm_view_past back;
	unsigned wrong = 0;

	for (unsigned views = 0; views <= kViews; views++) {
		krg_kddm_view_past p = some_past(views), dirty = some_past(kViews);

		tap::ok(!past(bytes(p), back) && same(back, p), std::to_string(views) + " views, there and back");
		dirty.views = views;
		tap::ok(bytes(dirty) == bytes(p), std::to_string(views) + " views: what was before them is not told");
		Bytes b = bytes(p);
		for (unsigned i = views; i < kViews; i++) {
			for (unsigned byte = 0; byte < 4; byte++)
				wrong += past(patched(b, 8 + 4 * i + byte, 1), back) != -EPROTO;
			for (unsigned byte = 0; byte < 32; byte++)
				wrong += past(patched(b, 8 + 4 * kViews + 32 * i + byte, 128), back) != -EPROTO;
		}
	}
	tap::ok(!wrong, "unused views are 0");
	Bytes b = bytes(some_past(kViews));
	for (u32 views : {kViews + 1, 255u, 256u, 256u + 1, 0x10000u, 0x80000000u, ~0u})
		wrong += past(patched32(b, 4, views), back) != -EPROTO;
	tap::ok(!wrong, "no more views than there may be");
}

void gaps()
{
	krg_kddm_dated_gap g{}, back;

	g.epoch = 0x87654321;
	g.gap.guards = map(0x8000000000000000);
	g.gap.alive = map(0x1234);
	Bytes b = bytes(g);
	tap::ok(!gap(b, back) && back.epoch == g.epoch && !std::memcmp(&back.gap, &g.gap, sizeof(g.gap)),
		"a gap, there and back");
	tap::ok(gap(patched(b, 4, 1), back) == -EPROTO && gap(patched(b, 7, 128), back) == -EPROTO,
		"a gap: reserved is 0");
}

void deads()
{
	u64 set = 0;
	u32 born = 0;
	Bytes b = bytes(0x8765432112345678, 0x89abcdef);

	tap::ok(!dead(b, set, born) && set == 0x8765432112345678 && born == 0x89abcdef, "DESTROY, there and back");
	tap::ok(dead(patched(b, 12, 1), set, born) == -EPROTO && dead(patched(b, 15, 128), set, born) == -EPROTO,
		"DESTROY: reserved is 0");
}

/* The bytes themselves: they are a contract with other versions. */
void layout()
{
	krg_kddm_record r{};
	krg_kddm_view_past p = some_past(2);
	krg_kddm_dated_gap g{};

	tap::ok(bytes(packet(KRG_KDDM_PACKET_VIEW, 1, KRG_KDDM_VIEW_END, 0x0807)) ==
		    Bytes{2, 1, 1, 0, 1, 2, 3, 4, 2, 0, 0, 0, 7, 8, 0, 0},
		"a head's bytes");
	r.msg = {1, 2, 3, 4, 0x0605, 99, 0x0807, -2};
	r.born = 0x0d0c0b0a;
	r.set = 0x1716151413121110;
	r.index = 0x2726252423222120;
	r.more = 0x3736353433323130;
	tap::ok(bytes(r) == Bytes{1,	2,    3,    4,	  5,	6,    7,    8,	  0xfe, 0xff, 0,    0,	  10,	11,
				  12,	13,   0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x20, 0x21, 0x22, 0x23,
				  0x24, 0x25, 0x26, 0x27, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37},
		"a record's bytes");
	Bytes b = bytes(p);
	tap::ok(b.size() == 184 && b[0] == 1 && b[3] == 0x80 && b[4] == 2 && b[8] == 2 && b[12] == 3 && !b[16] &&
		    b[24 + 1] == 0x10 && b[24 + 32 + 1] == 0x20 && !b[24 + 64 + 1] && b[152 + 7] == 0x80,
		"a past's bytes");
	g.epoch = 5;
	g.gap.guards = map(6);
	g.gap.alive = map(7);
	b = bytes(g);
	tap::ok(b.size() == 72 && b[0] == 5 && b[8] == 6 && b[40] == 7, "a gap's bytes");
	tap::ok(bytes(0x0706050403020100, 0x0b0a0908) == Bytes{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 0, 0, 0},
		"a dead set's bytes");
}

/* Whatever bit is turned: refused, or the same bytes come back. */
template <typename F> bool canonical(const Bytes &b, F again)
{
	for (size_t bit = 0; bit < 8 * b.size(); bit++)
		if (!again(patched(b, bit / 8, b[bit / 8] ^ 1 << bit % 8)))
			return false;
	return again(b);
}

void bits()
{
	bool heads_good = true;

	for (const Good &g : goods())
		heads_good &= g.records > 1000 || canonical(bytes(g.p), [&](const Bytes &b) {
				      krg_kddm_packet p;
				      return head(longer(b, g.records), false, p) || bytes(p) == b;
			      });
	tap::ok(heads_good, "heads: one way to say it");
	tap::ok(canonical(bytes(data()),
			  [](const Bytes &b) {
				  krg_kddm_record r;
				  return record(b, 1, r) || bytes(r) == b;
			  }),
		"records: one way to say it");
	tap::ok(canonical(bytes(some_past(2)),
			  [](const Bytes &b) {
				  krg_kddm_view_past p;
				  return past(b, p) || bytes(p) == b;
			  }),
		"pasts: one way to say it");
	tap::ok(canonical(bytes(krg_kddm_dated_gap{}),
			  [](const Bytes &b) {
				  krg_kddm_dated_gap g;
				  return gap(b, g) || bytes(g) == b;
			  }),
		"gaps: one way to say it");
}

} // namespace

int main()
{
	layout();
	packets();
	heads();
	fields();
	contents();
	pasts();
	gaps();
	deads();
	bits();
	return tap::end();
}
