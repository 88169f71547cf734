/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets as bytes, in buffers that end where they end (the sanitizer sees one byte more). */
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "core.hpp"

namespace wire
{

using Bytes = std::vector<u8>;
using View = std::span<const u8>;

/* The same bytes with nothing behind them. */
struct Exact {
	std::unique_ptr<u8[]> p;
	size_t len;

	explicit Exact(View b) : p(new u8[b.size()]), len(b.size()) { std::copy(b.begin(), b.end(), p.get()); }
};

inline int head(View b, bool page, krg_kddm_packet &p)
{
	Exact e(b);

	return krg_kddm_packet_decode(e.p.get(), e.len, page, &p);
}

inline int record(View b, unsigned records, krg_kddm_record &r)
{
	krg_kddm_packet p{};
	Exact e(b);

	p.count = records;
	return krg_kddm_record_decode(e.p.get(), &p, &r);
}

inline int past(View b, krg_kddm_view_past &p)
{
	return krg_kddm_past_decode(Exact(b).p.get(), &p);
}

inline int gap(View b, krg_kddm_dated_gap &g)
{
	return krg_kddm_gap_decode(Exact(b).p.get(), &g);
}

inline int dead(View b, u64 &set, u32 &born)
{
	return krg_kddm_dead_decode(Exact(b).p.get(), &set, &born);
}

inline Bytes bytes(const krg_kddm_packet &p)
{
	Bytes b(KRG_KDDM_WIRE_HEAD);

	krg_kddm_packet_encode(&p, b.data());
	return b;
}

inline Bytes bytes(const krg_kddm_record &r)
{
	Bytes b(KRG_KDDM_WIRE_OBJECT, 0xaa);

	krg_kddm_record_encode(&r, b.data());
	return b;
}

inline Bytes bytes(const krg_kddm_view_past &p)
{
	Bytes b(KRG_KDDM_WIRE_PAST, 0xaa);

	krg_kddm_past_encode(&p, b.data());
	return b;
}

inline Bytes bytes(const krg_kddm_dated_gap &g)
{
	Bytes b(KRG_KDDM_WIRE_GAP, 0xaa);

	krg_kddm_gap_encode(&g, b.data());
	return b;
}

inline Bytes bytes(u64 set, u32 born)
{
	Bytes b(KRG_KDDM_WIRE_DEAD, 0xaa);

	krg_kddm_dead_encode(set, born, b.data());
	return b;
}

} // namespace wire
