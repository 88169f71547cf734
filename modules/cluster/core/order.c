// SPDX-License-Identifier: GPL-2.0-only
/* The order while a view runs: requests, entries, acknowledgements, what is stable. */
#include "order.h"

static const bool may_move[KRG_ORDER_PHASES][KRG_ORDER_PHASES] = {
	[KRG_ORDER_OUT] = { [KRG_ORDER_STOPPED] = true, [KRG_ORDER_SYNC] = true },
	[KRG_ORDER_STOPPED] = { [KRG_ORDER_OUT] = true, [KRG_ORDER_SYNC] = true },
	[KRG_ORDER_SYNC] = {
		[KRG_ORDER_OUT] = true,
		[KRG_ORDER_STOPPED] = true,
		[KRG_ORDER_RUN] = true,
	},
	[KRG_ORDER_RUN] = {
		[KRG_ORDER_OUT] = true,
		[KRG_ORDER_STOPPED] = true,
		[KRG_ORDER_SYNC] = true,
	},
};

struct krg_order_action *krg_order_add(struct krg_order_out *out, u8 type)
{
	struct krg_order_action *act = &out->act[out->count++];

	memset(act, 0, sizeof(*act));
	act->type = type;
	return act;
}

void krg_order_move(struct krg_order *o, u8 to, struct krg_order_out *out)
{
	if (o->phase == to)
		return;
	o->bugs += !may_move[o->phase][to];
	krg_order_add(out, KRG_ORDER_PHASE)->from = o->phase;
	o->phase = to;
}

/**
 * krg_order_init - a node that is in no cluster
 * @o: made so
 * @self: its id
 */
void krg_order_init(struct krg_order *o, unsigned int self)
{
	memset(o, 0, sizeof(*o));
	o->self = self;
	o->sequencer = KRG_NO_NODE;
	o->fresh = true;
	o->newborn = true;
}

/**
 * krg_order_room - may EV_SUBMIT come
 * @o: node
 */
bool krg_order_room(const struct krg_order *o)
{
	return (o->phase == KRG_ORDER_SYNC || o->phase == KRG_ORDER_RUN) &&
	       o->own_next - o->own_first < KRG_ORDER_OWN;
}

/**
 * krg_order_serial - the serial an operation of ours is sent with
 * @o: node
 * @own: which; at least @o->own_applied
 */
u32 krg_order_serial(const struct krg_order *o, u64 own)
{
	return o->shared.ordered[o->self] + 1 + (u32)(own - o->own_applied);
}

/* A view begins: what we sent and is not in the order was lost with the last sequencer. */
static void begin_view(struct krg_order *o, const struct krg_order_view *view,
		       struct krg_order_out *out)
{
	o->newborn = false;
	o->shared.members = view->members;
	o->shared.machines = view->machines;
	if (view->epoch != o->epoch)
		return;
	o->own_sent = o->own_applied;
	krg_order_move(o, KRG_ORDER_RUN, out);
}

/* Return: the entry is an operation of ours that we still know. */
static bool applied(struct krg_order *o, unsigned int origin, u32 serial)
{
	bool own = origin == o->self && o->own_applied != o->own_sent &&
		   serial == krg_order_serial(o, o->own_applied);

	o->shared.ordered[origin] = serial;
	if (own)
		o->own_number[o->own_applied++ % KRG_ORDER_OWN] = o->last;
	return own;
}

/**
 * krg_order_append - the next entry
 * @o: node
 * @kind: enum krg_order_kind
 * @origin: of an operation
 * @serial: of an operation
 * @view: of a view
 * @out: what to do
 */
void krg_order_append(struct krg_order *o, u8 kind, unsigned int origin, u32 serial,
		      const struct krg_order_view *view, struct krg_order_out *out)
{
	struct krg_order_action *act;

	act = krg_order_add(out, view == &o->begin ? KRG_ORDER_BEGIN : KRG_ORDER_APPEND);
	act->last = ++o->last;
	if (kind == KRG_ORDER_VIEW) {
		begin_view(o, view, out);
		return;
	}
	act->first = o->own_applied;
	act->serial = serial;
	act->own = applied(o, origin, serial);
	if (o->sequencer == o->self && origin != o->self)
		o->follower[origin].own = o->last;
}

static void heard_of_others(struct krg_order *o, u64 number)
{
	if (number > o->others)
		o->others = number;
}

static int on_entry(struct krg_order *o, unsigned int from, const struct krg_order_msg *msg,
		    struct krg_order_out *out)
{
	bool op = msg->kind == KRG_ORDER_OP;

	if (o->fresh || o->sequencer == o->self || msg->number != o->last + 1)
		return -EPROTO;
	if (op && msg->serial != o->shared.ordered[msg->origin] + 1)
		return -EPROTO;
	if (o->sequencer != KRG_NO_NODE && o->sequencer != (int)from)
		return -EPROTO;
	o->sequencer = from;
	heard_of_others(o, msg->hint);
	krg_order_append(o, msg->kind, msg->origin, msg->serial, msg->view, out);
	return 0;
}

static bool runs_here(const struct krg_order *o)
{
	return o->phase == KRG_ORDER_RUN && o->sequencer == o->self;
}

static int on_request(struct krg_order *o, unsigned int from, const struct krg_order_msg *msg,
		      struct krg_order_out *out)
{
	if (!runs_here(o) || msg->serial != o->shared.ordered[from] + 1)
		return -EPROTO;
	krg_order_append(o, KRG_ORDER_OP, from, msg->serial, NULL, out);
	return 0;
}

static int on_ack(struct krg_order *o, unsigned int from, u64 number, struct krg_order_out *out)
{
	struct krg_order_follower *f = &o->follower[from];

	if (o->sequencer != o->self || number >= f->next)
		return -EPROTO;
	if (number > f->acked)
		f->acked = number;
	krg_order_catch_up(o, out);
	return 0;
}

static int on_got(struct krg_order *o, unsigned int from, u32 offset)
{
	struct krg_order_follower *f = &o->follower[from];

	if (!runs_here(o) || !f->fresh || offset > f->sent || offset < f->got)
		return -EPROTO;
	f->got = offset;
	return 0;
}

static int on_stable(struct krg_order *o, unsigned int from, u64 number)
{
	if (o->phase != KRG_ORDER_RUN || o->sequencer != (int)from)
		return -EPROTO;
	heard_of_others(o, number);
	return 0;
}

static int on_msg(struct krg_order *o, unsigned int from, const struct krg_order_msg *msg,
		  struct krg_order_out *out)
{
	if (krg_order_accept(o, from, msg->epoch) != KRG_ORDER_NOW)
		return -ESTALE;
	switch (msg->type) {
	case KRG_ORDER_REPORT:
		return krg_order_on_report(o, from, msg, out);
	case KRG_ORDER_LEAD:
		return krg_order_on_lead(o, from, msg, out);
	case KRG_ORDER_SNAPSHOT:
		return krg_order_on_snapshot(o, from, msg, out);
	case KRG_ORDER_GOT:
		return on_got(o, from, msg->offset);
	case KRG_ORDER_ENTRY:
		return on_entry(o, from, msg, out);
	case KRG_ORDER_ACK:
		return on_ack(o, from, msg->number, out);
	case KRG_ORDER_STABLE:
		return on_stable(o, from, msg->number);
	case KRG_ORDER_REQUEST:
		return on_request(o, from, msg, out);
	default:
		return -EPROTO;
	}
}

/* The sequencer's own are in the order at once; see krg_order_pump(). */
static int submit(struct krg_order *o)
{
	if (!krg_order_room(o))
		return -EAGAIN;
	o->own_next++;
	return 0;
}

/**
 * krg_order_event - something happens to a node
 * @o: the node
 * @ev: what
 * @out: what to do
 *
 * Return: 0; of EV_MSG also -ESTALE, -EPROTO: nothing was done, a node that keeps to
 * the protocol doesn't send this.
 */
int krg_order_event(struct krg_order *o, const struct krg_order_event *ev,
		    struct krg_order_out *out)
{
	out->count = 0;
	switch (ev->type) {
	case KRG_ORDER_EV_CHANGE:
		if (ev->epoch > o->epoch)
			krg_order_change(o, ev, out);
		return 0;
	case KRG_ORDER_EV_LEAVE:
		krg_order_leave(o, out);
		return 0;
	case KRG_ORDER_EV_MSG:
		return on_msg(o, ev->from, ev->msg, out);
	case KRG_ORDER_EV_SUBMIT:
		return submit(o);
	case KRG_ORDER_EV_TAKEN:
		return krg_order_on_taken(o, ev->total, out);
	case KRG_ORDER_EV_RESTORED:
		return krg_order_on_restored(o, ev, out);
	case KRG_ORDER_EV_BROKEN:
		krg_order_break(o, out);
		return 0;
	default:
		return -EINVAL;
	}
}

/**
 * krg_order_accept - is it time for a message
 * @o: the node
 * @from: who sent it
 * @epoch: its epoch
 */
enum krg_order_when krg_order_accept(const struct krg_order *o, unsigned int from, u32 epoch)
{
	if (epoch > o->epoch)
		return KRG_ORDER_HOLD;
	if (epoch < o->epoch || from == o->self || !krg_mask_has(&o->members, from))
		return KRG_ORDER_NEVER;
	return o->phase == KRG_ORDER_SYNC || o->phase == KRG_ORDER_RUN ? KRG_ORDER_NOW :
									  KRG_ORDER_NEVER;
}

static void send(struct krg_order_out *out, u8 msg, unsigned int node, u64 first, u64 last,
		 u64 hint)
{
	struct krg_order_action *act = krg_order_add(out, KRG_ORDER_SEND);

	act->msg = msg;
	act->node = node;
	act->first = first;
	act->last = last;
	act->hint = hint;
}

/* What of the snapshot has room. Return: it has gone out whole. */
static bool pump_snapshot(struct krg_order *o, unsigned int n, struct krg_order_out *out)
{
	struct krg_order_follower *f = &o->follower[n];
	u32 upto = o->tx_total;

	if (!f->fresh)
		return true;
	if (!upto)
		return false;
	if (upto - f->got > KRG_ORDER_CHUNKS)
		upto = f->got + KRG_ORDER_CHUNKS;
	if (upto != f->sent)
		send(out, KRG_ORDER_SNAPSHOT, n, f->sent, upto, 0);
	f->sent = upto;
	return upto == o->tx_total;
}

static void pump_follower(struct krg_order *o, unsigned int n, u64 hint,
			  struct krg_order_out *out)
{
	struct krg_order_follower *f = &o->follower[n];

	if (!pump_snapshot(o, n, out))
		return;
	if (f->next <= o->last) {
		send(out, KRG_ORDER_ENTRY, n, f->next, o->last, hint);
		f->next = o->last + 1;
		f->told = hint;
	} else if (hint > f->told && (f->own > f->told || hint - f->told >= KRG_ORDER_LAZY)) {
		send(out, KRG_ORDER_STABLE, n, 0, hint, 0);
		f->told = hint;
	}
}

/* The snapshot has arrived wherever it is needed. */
static void untake(struct krg_order *o, struct krg_order_out *out)
{
	unsigned int n;

	if (!o->tx_total)
		return;
	for (n = 0; n < KRG_NODES; n++)
		if (krg_mask_has(&o->members, n) && o->follower[n].fresh &&
		    o->follower[n].got != o->tx_total)
			return;
	for (n = 0; n < KRG_NODES; n++)
		o->follower[n].fresh = false;
	o->tx_total = 0;
	krg_order_add(out, KRG_ORDER_UNTAKE);
}

/* To each is told what all but itself have: what it has itself it knows better. */
static void pump_sequencer(struct krg_order *o, struct krg_order_out *out)
{
	u64 low = o->last, second = o->last;
	unsigned int n, lowest = o->self;

	for (n = 0; n < KRG_NODES; n++) {
		if (n == o->self || !krg_mask_has(&o->members, n))
			continue;
		if (o->follower[n].acked < low) {
			second = low;
			low = o->follower[n].acked;
			lowest = n;
		} else if (o->follower[n].acked < second) {
			second = o->follower[n].acked;
		}
	}
	heard_of_others(o, low);
	for (n = 0; n < KRG_NODES; n++)
		if (n != o->self && krg_mask_has(&o->members, n))
			pump_follower(o, n, n == lowest ? second : low, out);
	untake(o, out);
}

static void pump_member(struct krg_order *o, struct krg_order_out *out)
{
	if (o->acked != o->last)
		send(out, KRG_ORDER_ACK, o->sequencer, 0, o->last, 0);
	o->acked = o->last;
	if (o->phase != KRG_ORDER_RUN)
		return;
	if (o->own_sent != o->own_next)
		send(out, KRG_ORDER_REQUEST, o->sequencer, o->own_sent, o->own_next - 1, 0);
	o->own_sent = o->own_next;
}

static void pump_stable(struct krg_order *o, struct krg_order_out *out)
{
	u64 all = o->others < o->last ? o->others : o->last;

	if (all <= o->stable)
		return;
	o->stable = all;
	krg_order_add(out, KRG_ORDER_FORGET)->last = all;
}

static void pump_own(struct krg_order *o, struct krg_order_out *out)
{
	while (o->own_first != o->own_applied &&
	       o->own_number[o->own_first % KRG_ORDER_OWN] <= o->stable)
		krg_order_add(out, KRG_ORDER_DONE)->first = o->own_first++;
}

/* The sequencer's own operations are put in the order here. */
static void pump_requests(struct krg_order *o, struct krg_order_out *out)
{
	/* What is not in the order yet is ours to put there, whatever was sent to whom. */
	while (o->own_applied != o->own_next) {
		u32 serial = krg_order_serial(o, o->own_applied);

		o->own_sent = o->own_applied + 1;
		krg_order_append(o, KRG_ORDER_OP, o->self, serial, NULL, out);
	}
	o->own_sent = o->own_next;
}

/**
 * krg_order_pump - let the others know
 * @o: the node
 * @out: what to do
 */
void krg_order_pump(struct krg_order *o, struct krg_order_out *out)
{
	out->count = 0;
	if (o->sequencer == KRG_NO_NODE || o->fresh)
		return;
	if (runs_here(o))
		pump_requests(o, out);
	if (o->sequencer == o->self)
		pump_sequencer(o, out);
	else
		pump_member(o, out);
	if (o->phase == KRG_ORDER_RUN) {
		pump_stable(o, out);
		pump_own(o, out);
	}
}
