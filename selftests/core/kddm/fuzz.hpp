/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For fuzzing: a node that does as it should among peers that do not. Its users, its
 * linker and the views are as in life; messages are any. Nothing may be touched that
 * isn't the node's, no bitmap may get lost, and the object always is one that can be.
 */
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core.hpp"

namespace fuzz
{

constexpr unsigned kMaps = 8;

inline void must(bool good)
{
	if (!good)
		std::abort();
}

struct Node {
	krg_kddm_map maps[kMaps]{};
	krg_kddm_map *spare = nullptr;
	krg_kddm_map members{};
	krg_kddm_object o{};
	krg_kddm_env e{};
	krg_kddm_view v{};
	unsigned readers = 0, writers = 0;
	bool filling = false;

	Node(unsigned self, unsigned manager, unsigned witness)
	{
		for (krg_kddm_map &m : maps) {
			m.next = spare;
			spare = &m;
		}
		for (unsigned n = 0; n < 20; n++)
			krg_kddm_map_add(&members, n);
		e.self = self;
		e.clean = true;
		e.place = {static_cast<u16>(manager), static_cast<u16>(witness)};
		e.members = e.survivors = &members;
		e.spare = &spare;
		krg_kddm_view_init(&v, self);
		krg_kddm_init(&o, &e);
	}
	int event(const krg_kddm_msg &m)
	{
		krg_kddm_out out;
		int r = krg_kddm_event(&o, &e, &m, &out);

		if (std::getenv("TRACE"))
			std::fprintf(stderr, "%s from %u: %d, rule %u\n", krg_kddm_event_name(m.type), m.from, r,
				     out.rule[0]);
		must(r != -ENOMEM && out.actions <= KRG_KDDM_ACTIONS_MAX && out.rules <= KRG_KDDM_RULES_MAX);
		for (unsigned i = 0; i < out.actions; i++) {
			krg_kddm_action &a = out.action[i];
			must(a.type <= KRG_KDDM_DO && a.to != e.self);
			filling |= a.type == KRG_KDDM_FILL;
			krg_kddm_nodes_clear(&a.set, &spare);
		}
		return r;
	}
	void check()
	{
		unsigned free = 0;

		if (std::getenv("TRACE"))
			std::fprintf(stderr, "state %s %s readers %u/%u writers %u/%u flags %x\n",
				     krg_kddm_state_name(o.state), krg_kddm_content_name(o.content), o.readers, readers,
				     o.writers, writers, o.flags);
		must(o.state < KRG_KDDM_STATES && o.content < KRG_KDDM_CONTENTS);
		must(o.readers == readers && o.writers == writers);
		if (o.state == KRG_KDDM_W)
			must(o.content != KRG_KDDM_NONE);
		else if (o.state == KRG_KDDM_S || o.state == KRG_KDDM_O ||
			 (o.state >= KRG_KDDM_SW && o.state <= KRG_KDDM_AW))
			must(o.content >= KRG_KDDM_BLANK && o.content <= KRG_KDDM_BYTES);
		else
			must(o.content == KRG_KDDM_NONE);
		for (krg_kddm_map *m = spare; m; m = m->next)
			free++;
		must(free + o.copies.big + o.waiting.big == kMaps);
	}
	void op(uint8_t type, uint8_t arg)
	{
		krg_kddm_msg m{};

		m.type = KRG_KDDM_OP_GET + type % (KRG_KDDM_OPS_END - KRG_KDDM_OP_GET);
		m.node = arg & 1 ? arg % 20u : KRG_KDDM_NOBODY;
		m.from = KRG_KDDM_NOBODY;
		m.op = arg % 4;
		if (m.type == KRG_KDDM_OP_PUT_READ && !readers)
			return;
		if (m.type == KRG_KDDM_OP_PUT_WRITE && !writers)
			return;
		if (m.type == KRG_KDDM_OP_FILLED) {
			m.status = arg & 2 ? -ENOMEM : 0;
			filling = false;
		}
		bool get = m.type == KRG_KDDM_OP_GET || m.type == KRG_KDDM_OP_FIND;
		uint8_t before = o.writers;
		int r = event(m);
		readers += get && r == KRG_KDDM_DONE;
		writers += m.type == KRG_KDDM_OP_GRAB && r == KRG_KDDM_DONE;
		readers -= m.type == KRG_KDDM_OP_PUT_READ && r == KRG_KDDM_DONE;
		writers -= m.type == KRG_KDDM_OP_PUT_WRITE && r == KRG_KDDM_DONE;
		/* Who erases puts as well, if it held it. */
		if (m.type == KRG_KDDM_OP_ERASE && r == KRG_KDDM_DONE)
			writers -= before - o.writers;
	}
	void step(uint8_t type)
	{
		krg_kddm_msg m{};

		m.type = type;
		m.from = m.node = KRG_KDDM_NOBODY;
		event(m);
	}
	void view(uint8_t what, const uint8_t *data)
	{
		static const uint8_t types[] = {KRG_KDDM_VIEW_MARK,   KRG_KDDM_VIEW_END,  KRG_KDDM_VIEW_GO,
						KRG_KDDM_VIEW_SURE,   KRG_KDDM_VIEW_DONE, KRG_KDDM_VIEW_TOLD,
						KRG_KDDM_VIEW_CHANGE, KRG_KDDM_VIEW_BUILT};
		krg_kddm_view_step s{};
		krg_kddm_view_past past{};
		krg_kddm_map some{};

		s.type = types[what % sizeof(types)];
		s.from = data[0];
		s.epoch = data[1] % 8;
		std::memcpy(&past, data, 8);
		krg_kddm_map_add(&some, e.self);
		krg_kddm_map_add(&some, data[0]);
		s.past = &past;
		s.members = s.guards = &some;
		s.again = data[2] & 1 ? &some : nullptr;
		krg_kddm_view_event(&v, &s);
		must(v.phase < KRG_KDDM_PHASES && v.past.views <= KRG_KDDM_PAST_VIEWS);
	}
	/* The phases in the order they have in life. */
	void turn()
	{
		switch (e.phase) {
		case KRG_KDDM_RUN:
			e.phase = KRG_KDDM_DRAIN;
			break;
		case KRG_KDDM_DRAIN:
			e.phase = KRG_KDDM_REBUILD;
			step(KRG_KDDM_VIEW);
			step(KRG_KDDM_TELL);
			break;
		case KRG_KDDM_REBUILD:
			step(KRG_KDDM_BUILD);
			e.phase = KRG_KDDM_SERVE;
			break;
		default:
			e.phase = KRG_KDDM_RUN;
			step(KRG_KDDM_GO);
		}
	}
};

} // namespace fuzz
