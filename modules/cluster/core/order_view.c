// SPDX-License-Identifier: GPL-2.0-only
/* The order when the view changes: who leads, and how all come to have the same. */
#include "order.h"

/* Nobody waits for our operations any more. */
static void drop_own(struct krg_order *o, s32 error, struct krg_order_out *out)
{
	struct krg_order_action *act;

	if (o->own_first == o->own_next)
		return;
	act = krg_order_add(out, KRG_ORDER_DROP);
	act->first = o->own_first;
	act->last = o->own_next - 1;
	act->error = error;
	o->own_first = o->own_next;
	o->own_applied = o->own_next;
	o->own_sent = o->own_next;
}

/* What was under way in the last view. */
static void end_view(struct krg_order *o, struct krg_order_out *out)
{
	if (o->taking || o->tx_total)
		krg_order_add(out, KRG_ORDER_UNTAKE);
	if (o->rx_got)
		krg_order_add(out, KRG_ORDER_UNCHUNK);
	o->taking = false;
	o->restoring = false;
	o->tx_total = 0;
	o->rx_total = 0;
	o->rx_got = 0;
	o->others = 0;
	o->acked = o->last;
	o->sequencer = KRG_NO_NODE;
	memset(&o->reported, 0, sizeof(o->reported));
	memset(o->follower, 0, sizeof(o->follower));
}

void krg_order_leave(struct krg_order *o, struct krg_order_out *out)
{
	if (o->phase == KRG_ORDER_OUT)
		return;
	end_view(o, out);
	drop_own(o, -ENOTCONN, out);
	krg_order_add(out, KRG_ORDER_RESET);
	krg_order_move(o, KRG_ORDER_OUT, out);
	o->fresh = true;
	o->newborn = true;
	o->last = 0;
	o->stable = 0;
	o->acked = 0;
	memset(&o->members, 0, sizeof(o->members));
	memset(&o->shared, 0, sizeof(o->shared));
}

static void report(struct krg_order *o, struct krg_order_out *out)
{
	struct krg_order_msg msg = {
		.epoch = o->epoch,
		.number = o->last,
		.machines = o->machines,
		.fresh = o->fresh,
		.newborn = o->newborn,
	};
	struct krg_order_action *act;
	int leader = krg_mask_lowest(&o->members);

	if (leader == o->self) {
		krg_order_on_report(o, o->self, &msg, out);
		return;
	}
	act = krg_order_add(out, KRG_ORDER_SEND);
	act->msg = KRG_ORDER_REPORT;
	act->node = leader;
}

void krg_order_change(struct krg_order *o, const struct krg_order_event *ev,
		      struct krg_order_out *out)
{
	o->epoch = ev->epoch;
	if (!krg_mask_has(&ev->members, o->self)) {
		krg_order_leave(o, out);
		return;
	}
	end_view(o, out);
	if (o->phase == KRG_ORDER_OUT)
		o->machines = ev->machines;
	o->machines &= ev->machines;
	o->members = ev->members;
	if (!ev->quorate) {
		drop_own(o, -ENOLINK, out);
		krg_order_move(o, KRG_ORDER_STOPPED, out);
		return;
	}
	krg_order_move(o, KRG_ORDER_SYNC, out);
	report(o, out);
}

/* Who has most; of several the lowest. Who has nothing has less than who has no entry. */
static unsigned int choose(const struct krg_order *o)
{
	unsigned int n, best = KRG_NODES;

	for (n = 0; n < KRG_NODES; n++) {
		if (!krg_mask_has(&o->members, n))
			continue;
		if (best == KRG_NODES || (o->report[best].fresh && !o->report[n].fresh) ||
		    (o->report[best].fresh == o->report[n].fresh &&
		     o->report[n].last > o->report[best].last))
			best = n;
	}
	return best;
}

/* The VIEW entry: it is the first of the view. */
static void begin(struct krg_order *o, struct krg_order_out *out)
{
	struct krg_order_view *v = &o->begin;
	unsigned int n;

	memset(v, 0, sizeof(*v));
	v->epoch = o->epoch;
	v->members = o->members;
	v->machines = ~0u;
	for (n = 0; n < KRG_NODES; n++) {
		bool member = krg_mask_has(&o->members, n);

		if (member)
			v->machines &= o->report[n].machines;
		if (krg_mask_has(&o->shared.members, n) && (!member || o->report[n].newborn))
			krg_mask_add(&v->dead, n);
	}
	krg_order_append(o, KRG_ORDER_VIEW, o->self, 0, v, out);
}

static void follow(struct krg_order *o, unsigned int n)
{
	const struct krg_order_report *r = &o->report[n];
	struct krg_order_follower *f = &o->follower[n];

	o->bugs += !r->fresh && (r->last < o->stable || r->last > o->last);
	f->fresh = r->fresh;
	f->next = (r->fresh ? o->last : r->last) + 1;
	if (f->next <= o->stable)
		f->next = o->stable + 1;
	f->acked = r->fresh ? 0 : r->last;
	/* It may wait for any operation of the views before. */
	f->own = o->last + 1;
}

/* All reports are in and we have most: we are the sequencer. */
static void lead(struct krg_order *o, struct krg_order_out *out)
{
	unsigned int n;

	o->sequencer = o->self;
	o->fresh = false;
	for (n = 0; n < KRG_NODES; n++)
		if (n != o->self && krg_mask_has(&o->members, n))
			follow(o, n);
	krg_order_catch_up(o, out);
}

/*
 * A snapshot goes out when all who have a state have this one: who is restored from it
 * can't give others what was before, if it were to lead next.
 */
void krg_order_catch_up(struct krg_order *o, struct krg_order_out *out)
{
	bool fresh = false, behind = false;
	unsigned int n;

	if (o->phase != KRG_ORDER_SYNC || o->taking)
		return;
	for (n = 0; n < KRG_NODES; n++) {
		if (n == o->self || !krg_mask_has(&o->members, n))
			continue;
		fresh |= o->follower[n].fresh;
		behind |= !o->follower[n].fresh && o->follower[n].acked != o->last;
	}
	if (!fresh) {
		begin(o, out);
	} else if (!behind) {
		o->tx_number = o->last;
		o->taking = true;
		krg_order_add(out, KRG_ORDER_TAKE);
	}
}

int krg_order_on_taken(struct krg_order *o, u32 total, struct krg_order_out *out)
{
	if (!o->taking || !total)
		return -EPROTO;
	o->taking = false;
	o->tx_total = total;
	begin(o, out);
	return 0;
}

int krg_order_on_report(struct krg_order *o, unsigned int from, const struct krg_order_msg *msg,
			struct krg_order_out *out)
{
	struct krg_order_report *r = &o->report[from];
	struct krg_order_action *act;
	unsigned int best;

	if (krg_mask_lowest(&o->members) != o->self || krg_mask_has(&o->reported, from))
		return -EPROTO;
	r->last = msg->number;
	r->machines = msg->machines;
	r->fresh = msg->fresh;
	r->newborn = msg->newborn;
	krg_mask_add(&o->reported, from);
	if (!krg_mask_within(&o->members, &o->reported))
		return 0;
	best = choose(o);
	if (best == o->self) {
		lead(o, out);
		return 0;
	}
	act = krg_order_add(out, KRG_ORDER_SEND);
	act->msg = KRG_ORDER_LEAD;
	act->node = best;
	return 0;
}

int krg_order_on_lead(struct krg_order *o, unsigned int from, const struct krg_order_msg *msg,
		      struct krg_order_out *out)
{
	if (o->phase != KRG_ORDER_SYNC || o->sequencer != KRG_NO_NODE ||
	    krg_mask_lowest(&o->members) != (int)from ||
	    !krg_mask_within(&o->members, &msg->members) ||
	    msg->report[o->self].last != o->last || msg->report[o->self].fresh != o->fresh)
		return -EPROTO;
	memcpy(o->report, msg->report, sizeof(o->report));
	if (choose(o) != o->self)
		return -EPROTO;
	lead(o, out);
	return 0;
}

int krg_order_on_snapshot(struct krg_order *o, unsigned int from,
			  const struct krg_order_msg *msg, struct krg_order_out *out)
{
	struct krg_order_action *act;

	if (o->phase != KRG_ORDER_SYNC || !o->fresh || o->restoring ||
	    o->sequencer == o->self || msg->offset != o->rx_got)
		return -EPROTO;
	if (o->rx_got && (o->sequencer != (int)from || msg->number != o->rx_number ||
			  msg->total != o->rx_total))
		return -EPROTO;
	o->sequencer = from;
	o->rx_number = msg->number;
	o->rx_total = msg->total;
	o->rx_got += msg->len;
	krg_order_add(out, KRG_ORDER_CHUNK);
	act = krg_order_add(out, KRG_ORDER_SEND);
	act->msg = KRG_ORDER_GOT;
	act->node = from;
	act->last = o->rx_got;
	o->restoring = o->rx_got == o->rx_total;
	if (o->restoring)
		krg_order_add(out, KRG_ORDER_RESTORE);
	return 0;
}

int krg_order_on_restored(struct krg_order *o, const struct krg_order_event *ev,
			  struct krg_order_out *out)
{
	if (!o->restoring)
		return -EPROTO;
	o->restoring = false;
	o->rx_total = 0;
	o->rx_got = 0;
	krg_order_add(out, KRG_ORDER_UNCHUNK);
	o->fresh = false;
	o->last = o->rx_number;
	o->stable = o->rx_number;
	o->acked = 0;
	o->machines &= ev->machines;
	o->shared = *ev->shared;
	return 0;
}

void krg_order_break(struct krg_order *o, struct krg_order_out *out)
{
	end_view(o, out);
	drop_own(o, -ENOTCONN, out);
	krg_order_move(o, KRG_ORDER_STOPPED, out);
}
