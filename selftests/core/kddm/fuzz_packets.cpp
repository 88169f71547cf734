// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: a node among peers that send any bytes. What is accepted can be said
 * in no other way, and is given to the node as in life, see fuzz.hpp.
 */
#include "fuzz.hpp"
#include "packets.hpp"

namespace
{

using fuzz::must;
using wire::Bytes;
using wire::View;

struct Peer {
	fuzz::Node &node;
	unsigned from;

	void object(View at, const krg_kddm_packet &p)
	{
		krg_kddm_record r;

		if (wire::record(at.first(KRG_KDDM_WIRE_OBJECT), p.count, r))
			return;
		must(std::ranges::equal(wire::bytes(r), at.first(KRG_KDDM_WIRE_OBJECT)));
		r.msg.from = from;
		node.event(r.msg);
		/* Our only object may be one of many it speaks of. */
		if (r.more & 1)
			node.event(r.msg);
	}
	void gap(View at)
	{
		krg_kddm_dated_gap g;

		if (!wire::gap(at.first(KRG_KDDM_WIRE_GAP), g))
			must(std::ranges::equal(wire::bytes(g), at.first(KRG_KDDM_WIRE_GAP)));
	}
	void dead(View at)
	{
		u64 set;
		u32 born;

		if (!wire::dead(at.first(KRG_KDDM_WIRE_DEAD), set, born))
			must(std::ranges::equal(wire::bytes(set, born), at.first(KRG_KDDM_WIRE_DEAD)));
	}
	/* As the receiver does, but for holding it. */
	void view(View at, const krg_kddm_packet &p)
	{
		krg_kddm_view_step s{};
		krg_kddm_view_past past;

		s.type = p.arg;
		s.from = from;
		s.epoch = p.epoch;
		if (p.arg == KRG_KDDM_VIEW_END) {
			if (wire::past(at.first(KRG_KDDM_WIRE_PAST), past))
				return;
			must(std::ranges::equal(wire::bytes(past), at.first(KRG_KDDM_WIRE_PAST)));
			s.past = &past;
			at = at.subspan(KRG_KDDM_WIRE_PAST);
			for (u32 i = 0; i < p.gaps; i++)
				gap(at.subspan(i * KRG_KDDM_WIRE_GAP));
		}
		if (krg_kddm_view_accept(&node.v, from, p.epoch, p.arg) == KRG_KDDM_NOW)
			krg_kddm_view_event(&node.v, &s);
		must(node.v.phase < KRG_KDDM_PHASES && node.v.past.views <= KRG_KDDM_PAST_VIEWS);
	}
	void packet(View in, bool page)
	{
		krg_kddm_packet p;

		if (wire::head(in, page, p))
			return;
		must(std::ranges::equal(wire::bytes(p), in.first(KRG_KDDM_WIRE_HEAD)));
		must(!page || (p.kind == KRG_KDDM_PACKET_OBJECTS && p.count == 1));
		in = in.subspan(KRG_KDDM_WIRE_HEAD);
		if (p.kind == KRG_KDDM_PACKET_VIEW)
			return view(in, p);
		for (unsigned i = 0; i < p.count; i++) {
			if (p.kind == KRG_KDDM_PACKET_OBJECTS)
				object(in.subspan(i * KRG_KDDM_WIRE_OBJECT), p);
			else
				dead(in.subspan(i * KRG_KDDM_WIRE_DEAD));
		}
	}
};

} // namespace

/* Each step: what, who, length low and high; then for packets so many bytes. */
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len < 3)
		return 0;
	fuzz::Node f(data[0] % 3, data[1] % 3, data[2] % 3 ? (data[1] + data[2]) % 3 : KRG_KDDM_NOBODY);

	for (data += 3, len -= 3; len >= 4;) {
		uint8_t what = data[0], who = data[1];
		const uint8_t own[8]{data[2], data[3]};
		size_t bytes = std::min<size_t>(data[2] | data[3] << 8, len - 4);

		data += 4;
		len -= 4;
		if (what % 8 == 0) {
			f.op(who, own[0]);
		} else if (what % 8 == 1 && who % 8 == 0) {
			f.turn();
		} else if (what % 8 == 1) {
			f.view(who, own);
		} else {
			Peer{f, who & 128 ? f.e.place.manager : who % 24u}.packet({data, bytes}, what & 128);
			data += bytes;
			len -= bytes;
		}
		f.check();
	}
	return 0;
}
