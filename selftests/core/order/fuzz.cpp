// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: a node that does as it should among peers that do not. Its users
 * and its views are as in life, messages are any bytes. What it asks of its caller must
 * be possible: send what is kept, keep no gap, end each operation once.
 */
#include <cstdlib>
#include <cstring>
#include <vector>

#include "core.hpp"

namespace
{

void must(bool good)
{
	if (!good)
		std::abort();
}

struct Input {
	const u8 *data;
	size_t size;

	u8 byte()
	{
		if (!size)
			return 0;
		size--;
		return *data++;
	}
};

struct Fuzz {
	krg_order o{};
	krg_order_out out{};
	u64 kept = 0, last = 0; /* entries after the first up to the second */
	u64 ended = 0, submitted = 0;
	u64 taken = 0;
	std::vector<u8> rx;
	u32 epoch = 0;

	void event(Event &ev)
	{
		krg_order_event(&o, &ev, &out);
		perform(ev.msg);
	}

	void perform(const krg_order_msg *msg)
	{
		krg_order_out todo = out;

		must(todo.count <= KRG_ORDER_OUT_MAX);
		for (unsigned i = 0; i < todo.count; i++)
			perform(todo.act[i], msg);
	}

	void sent(const krg_order_action &act)
	{
		must(act.node < KRG_NODES && act.node != o.self && krg_mask_has(&o.members, act.node));
		if (act.msg == KRG_ORDER_ENTRY)
			must(act.first > kept && act.first <= act.last && act.last <= last);
		if (act.msg == KRG_ORDER_REQUEST)
			must(act.first >= ended && act.last < submitted);
		if (act.msg == KRG_ORDER_SNAPSHOT)
			must(act.first < act.last && act.last <= taken);
	}

	void restore()
	{
		std::vector<u64> aligned((rx.size() + 7) / 8);
		krg_order_shared shared{};
		Event ev{};

		memcpy(aligned.data(), rx.data(), rx.size());
		ev.type = KRG_ORDER_EV_RESTORED;
		ev.machines = 3;
		ev.shared = &shared;
		last = kept = o.rx_number;
		if (krg_order_shared_decode(aligned.data(), rx.size(), &shared)) {
			ev.type = KRG_ORDER_EV_BROKEN;
			last = kept = 0;
		}
		event(ev);
	}

	void perform(const krg_order_action &act, const krg_order_msg *msg)
	{
		Event ev{};

		switch (act.type) {
		case KRG_ORDER_SEND:
			sent(act);
			break;
		case KRG_ORDER_APPEND:
		case KRG_ORDER_BEGIN:
			must(act.last == ++last);
			must(!act.own || (act.first >= ended && act.first < submitted));
			must(act.type == KRG_ORDER_BEGIN || msg || act.own);
			break;
		case KRG_ORDER_DONE:
			must(act.first == ended++ && ended <= submitted);
			break;
		case KRG_ORDER_DROP:
			must(act.first == ended && act.last + 1 == submitted);
			ended = submitted;
			break;
		case KRG_ORDER_FORGET:
			must(act.last > kept && act.last <= last);
			kept = act.last;
			break;
		case KRG_ORDER_TAKE:
			taken = 3000;
			ev.type = KRG_ORDER_EV_TAKEN;
			ev.total = taken;
			event(ev);
			break;
		case KRG_ORDER_UNTAKE:
			taken = 0;
			break;
		case KRG_ORDER_CHUNK:
			must(msg->offset == rx.size() && rx.size() + msg->len <= msg->total);
			rx.insert(rx.end(), (const u8 *)msg->data, (const u8 *)msg->data + msg->len);
			break;
		case KRG_ORDER_UNCHUNK:
			rx.clear();
			break;
		case KRG_ORDER_RESTORE:
			restore();
			break;
		case KRG_ORDER_RESET:
			kept = last = 0;
			break;
		}
	}

	void change(Input &in)
	{
		Event ev{};

		ev.type = KRG_ORDER_EV_CHANGE;
		ev.epoch = ++epoch;
		ev.machines = 3;
		ev.quorate = in.byte() % 8;
		ev.members.w[0] = in.byte();
		event(ev);
	}

	/* Bytes as they come, or fields of which only some are odd. */
	void message(Input &in)
	{
		std::vector<u64> wire(6 + 32);
		krg_wire_order *w = reinterpret_cast<krg_wire_order *>(wire.data());
		krg_order_scratch scratch;
		krg_order_msg msg;
		Event ev{};
		u8 form = in.byte();
		u32 len = sizeof(*w);

		if (form & 1) {
			w->version = KRG_ORDER_WIRE_VERSION;
			w->type = in.byte() % KRG_ORDER_MSGS;
			w->epoch = epoch;
			w->number = o.last + in.byte() % 3;
			w->serial = 1 + in.byte() % 3;
			w->offset = o.rx_got + in.byte() % 2;
			if (w->type == KRG_ORDER_REPORT)
				w->fresh = w->newborn = in.byte() % 2, w->number *= !w->fresh;
			if (w->type == KRG_ORDER_ENTRY)
				w->kind = 1 + in.byte() % 2, w->hint = in.byte();
			if (w->type == KRG_ORDER_SNAPSHOT)
				w->total = sizeof(krg_wire_order_shared), len += 200;
			if (w->type == KRG_ORDER_ENTRY && w->kind == KRG_ORDER_VIEW)
				len += sizeof(krg_wire_order_view), wire[6] = in.byte() & 1 ? epoch : epoch - 1;
			if (w->type != KRG_ORDER_REQUEST && !(w->type == KRG_ORDER_ENTRY && w->kind == KRG_ORDER_OP))
				w->serial = 0;
			if (w->type != KRG_ORDER_SNAPSHOT && w->type != KRG_ORDER_GOT)
				w->offset = 0;
			if (w->type == KRG_ORDER_GOT || w->type == KRG_ORDER_REQUEST || w->type == KRG_ORDER_LEAD)
				w->number = 0;
			if (w->type == KRG_ORDER_LEAD)
				for (unsigned n = 0; n < 8; n++, len += 16) {
					auto *r = reinterpret_cast<krg_wire_order_report *>(&wire[6 + 2 * n]);
					r->last = n == o.self ? o.last : o.last - in.byte() % 2;
					r->node = n;
					r->fresh = r->newborn = n == o.self ? o.fresh : in.byte() % 2;
					if (r->fresh)
						r->last = 0;
				}
		} else {
			len = in.byte() % (wire.size() * 8);
			for (u32 i = 0; i < len; i++)
				reinterpret_cast<u8 *>(wire.data())[i] = in.byte();
		}
		if (krg_order_decode(wire.data(), len, &msg, &scratch))
			return;
		ev.type = KRG_ORDER_EV_MSG;
		ev.from = form >> 1 & 7;
		ev.msg = &msg;
		if (krg_order_accept(&o, ev.from, msg.epoch) == KRG_ORDER_NOW)
			event(ev);
	}

	void step(Input &in)
	{
		Event ev{};

		switch (in.byte() % 8) {
		case 0:
			change(in);
			break;
		case 1:
			if (!krg_order_room(&o))
				break;
			ev.type = KRG_ORDER_EV_SUBMIT;
			submitted++;
			event(ev);
			break;
		case 2:
			krg_order_pump(&o, &out);
			perform(nullptr);
			break;
		case 3:
			if (in.byte() % 8)
				break;
			ev.type = KRG_ORDER_EV_LEAVE;
			event(ev);
			break;
		default:
			message(in);
		}
		must(o.last == last && o.own_next == submitted && o.own_first == ended);
		must(o.phase == KRG_ORDER_OUT || o.phase == KRG_ORDER_STOPPED || o.rx_got == rx.size());
	}
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	Input in{data, size};
	Fuzz f;

	krg_order_init(&f.o, in.byte() % 8);
	while (in.size)
		f.step(in);
	return 0;
}
