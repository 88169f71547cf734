// SPDX-License-Identifier: GPL-2.0-only
/* The work: what came in is given to the pure code, and what that says is done. */
#define pr_fmt(fmt) "krg_cluster: " fmt

#include <linux/delay.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <krg/rpc.h>
#include <net/net_namespace.h>
#include "order.h"
#include "trace.h"

#define BATCH		64	/* messages until others are told */
#define HELD_MAX	65536	/* messages of a view to come; in life a few of each node */

static_assert(sizeof(struct krg_order_view) % sizeof(u64) == 0);

/* A namespace that is no node has none of this. Return: it is one. */
static bool work_begin(struct order *r)
{
	if (r->o)
		return true;
	if (krg_self(r->net) == KRG_NODE_NONE)
		return false;
	r->out = kvmalloc(sizeof(*r->out), GFP_KERNEL | __GFP_NOFAIL);
	r->scratch = kvmalloc(sizeof(*r->scratch), GFP_KERNEL | __GFP_NOFAIL);
	r->wire = kvmalloc(KRG_ORDER_BYTES_MAX, GFP_KERNEL | __GFP_NOFAIL);
	r->o = kvmalloc(sizeof(*r->o), GFP_KERNEL | __GFP_NOFAIL);
	krg_order_init(r->o, krg_self(r->net));
	return true;
}

/* A node that is no peer any more is out of the next view; without a service we unload. */
static void post(struct order *r, unsigned int to, struct krg_order_msg *msg)
{
	int len, err;

	msg->epoch = r->o->epoch;
	len = krg_order_encode(msg, r->wire, KRG_ORDER_BYTES_MAX);
	if (WARN_ON_ONCE(len < 0))
		return;
	do {
		err = krg_rpc_post(r->net, to, KRG_SERVICE_ORDER, r->wire, len, NULL);
		if (err == -ENOMEM)
			msleep(20);
	} while (err == -ENOMEM && !READ_ONCE(r->stopping));
	WARN_ON_ONCE(err == -EMSGSIZE);
}

static void send_entries(struct order *r, const struct krg_order_action *act)
{
	struct krg_order_msg msg = { .type = KRG_ORDER_ENTRY, .hint = act->hint };
	const struct order_entry *e;
	u64 number;

	for (number = act->first; number <= act->last; number++) {
		e = xa_load(&r->log, number);
		if (WARN_ON_ONCE(!e))
			return;
		msg.number = number;
		msg.kind = e->kind;
		msg.machine = e->machine;
		msg.origin = e->origin;
		msg.serial = e->serial;
		msg.len = e->len;
		msg.data = e->data;
		msg.view = (const void *)e->data;
		post(r, act->node, &msg);
	}
}

static void send_requests(struct order *r, const struct krg_order_action *act)
{
	struct krg_order_msg msg = { .type = KRG_ORDER_REQUEST };
	const struct order_op *op;
	u64 own;

	for (own = act->first; own <= act->last; own++) {
		op = r->own[own % KRG_ORDER_OWN];
		msg.serial = krg_order_serial(r->o, own);
		msg.machine = op->machine;
		msg.len = op->len;
		msg.data = op->data;
		post(r, act->node, &msg);
	}
}

static void send_snapshot(struct order *r, const struct krg_order_action *act)
{
	struct krg_order_msg msg = {
		.type = KRG_ORDER_SNAPSHOT,
		.number = r->o->tx_number,
		.total = r->o->tx_total,
	};
	const struct order_chunk *chunk = order_chunk_at(&r->tx, act->first);
	u64 at;

	/* A joiner said it has so much, and we did not send it so. */
	if (!chunk)
		return;
	for (at = act->first; at < act->last; at += msg.len) {
		msg.offset = at;
		msg.len = chunk->len;
		msg.data = chunk->data;
		post(r, act->node, &msg);
		chunk = list_next_entry(chunk, link);
	}
}

static void send(struct order *r, const struct krg_order_action *act)
{
	struct krg_order_msg msg = { .type = act->msg };

	switch (act->msg) {
	case KRG_ORDER_ENTRY:
		send_entries(r, act);
		return;
	case KRG_ORDER_REQUEST:
		send_requests(r, act);
		return;
	case KRG_ORDER_SNAPSHOT:
		send_snapshot(r, act);
		return;
	case KRG_ORDER_REPORT:
		msg.number = r->o->last;
		msg.machines = r->o->machines;
		msg.fresh = r->o->fresh;
		msg.newborn = r->o->newborn;
		break;
	case KRG_ORDER_LEAD:
		msg.members = r->o->members;
		msg.report = r->o->report;
		break;
	case KRG_ORDER_GOT:
		msg.offset = act->last;
		break;
	default:
		msg.number = act->last;
		break;
	}
	post(r, act->node, &msg);
}

/* The same on all nodes, whichever has unloaded the machine meanwhile. */
static int apply_op(struct order *r, const struct order_entry *e, void *result)
{
	const struct krg_order_machine *machine;

	if (!e->machine)
		return 0;
	if (e->machine >= KRG_ORDER_MACHINES || !(r->o->shared.machines >> e->machine & 1))
		return -EOPNOTSUPP;
	machine = order_machines[e->machine];
	if (!machine || !(r->o->machines >> e->machine & 1))
		return 0;
	if (e->len > machine->max_op)
		return -EMSGSIZE;
	return machine->apply(r->net, e->origin, e->data, e->len, result);
}

static void apply_view(struct order *r, const struct order_entry *e)
{
	const struct krg_order_view *view = (const void *)e->data;
	unsigned long missing = order_registered() & ~view->machines;
	unsigned long machines = order_registered() & r->o->machines;
	unsigned int n, id;

	for (n = 0; n < KRG_NODES; n++) {
		if (!krg_mask_has(&view->dead, n))
			continue;
		for_each_set_bit(id, &machines, KRG_ORDER_MACHINES)
			order_machines[id]->dead(r->net, n);
	}
	if (view->epoch != r->o->epoch)
		return;
	for_each_set_bit(id, &missing, KRG_ORDER_MACHINES)
		pr_warn("node %u: not every node has '%s': it is refused\n", r->o->self,
			order_machines[id]->name);
}

static struct order_entry *entry_alloc(u8 kind, const void *data, u32 len)
{
	struct order_entry *e = kvzalloc(struct_size(e, data, DIV_ROUND_UP(len, sizeof(u64))),
					 GFP_KERNEL | __GFP_NOFAIL);

	e->kind = kind;
	e->len = len;
	if (len)
		memcpy(e->data, data, len);
	return e;
}

static struct order_entry *entry_op(u8 machine, u16 origin, u32 serial, const void *data, u32 len)
{
	struct order_entry *e = entry_alloc(KRG_ORDER_OP, data, len);

	e->machine = machine;
	e->origin = origin;
	e->serial = serial;
	return e;
}

/* What is to be appended: our own operation, a member's, or what the sequencer sent. */
static struct order_entry *entry_of(struct order *r, const struct krg_order_action *act,
				    u16 from, const struct krg_order_msg *msg)
{
	const struct order_op *op = r->own[act->first % KRG_ORDER_OWN];

	if (act->type == KRG_ORDER_BEGIN)
		return entry_alloc(KRG_ORDER_VIEW, &r->o->begin, sizeof(r->o->begin));
	if (!msg)
		return entry_op(op->machine, r->o->self, act->serial, op->data, op->len);
	if (msg->type == KRG_ORDER_REQUEST)
		return entry_op(msg->machine, from, msg->serial, msg->data, msg->len);
	if (msg->kind == KRG_ORDER_VIEW)
		return entry_alloc(KRG_ORDER_VIEW, msg->view, sizeof(*msg->view));
	return entry_op(msg->machine, msg->origin, msg->serial, msg->data, msg->len);
}

static void append(struct order *r, const struct krg_order_action *act, u16 from,
		   const struct krg_order_msg *msg)
{
	struct order_op *op = act->own ? r->own[act->first % KRG_ORDER_OWN] : NULL;
	struct order_entry *e = entry_of(r, act, from, msg);
	int status;

	if (xa_empty(&r->log))
		r->log_first = act->last;
	xa_store(&r->log, act->last, e, GFP_KERNEL | __GFP_NOFAIL);
	if (e->kind == KRG_ORDER_VIEW) {
		apply_view(r, e);
		return;
	}
	status = apply_op(r, e, op ? op->result : NULL);
	if (op)
		op->status = status;
}

static void forget(struct order *r, u64 upto)
{
	for (; !xa_empty(&r->log) && r->log_first <= upto; r->log_first++)
		kvfree(xa_erase(&r->log, r->log_first));
}

static void own_end(struct order *r, u64 own, int status)
{
	struct order_op **op = &r->own[own % KRG_ORDER_OWN];

	if (!WARN_ON_ONCE(!*op))
		order_op_end(*op, status);
	*op = NULL;
}

static void reset(struct order *r)
{
	unsigned long machines = order_registered() & r->o->machines;
	unsigned int id;

	forget(r, U64_MAX);
	for_each_set_bit(id, &machines, KRG_ORDER_MACHINES)
		order_machines[id]->reset(r->net);
}

static void perform_one(struct order *r, const struct krg_order_action *act, u16 from,
			const struct krg_order_msg *msg)
{
	u64 own;

	switch (act->type) {
	case KRG_ORDER_PHASE:
		trace_krg_order_phase(r->o->self, r->o->epoch, act->from, r->o->phase, r->o->last);
		break;
	case KRG_ORDER_SEND:
		send(r, act);
		break;
	case KRG_ORDER_APPEND:
	case KRG_ORDER_BEGIN:
		append(r, act, from, msg);
		break;
	case KRG_ORDER_DONE:
		own_end(r, act->first, r->own[act->first % KRG_ORDER_OWN]->status);
		break;
	case KRG_ORDER_DROP:
		for (own = act->first; own <= act->last; own++)
			own_end(r, own, act->error);
		break;
	case KRG_ORDER_FORGET:
		forget(r, act->last);
		break;
	case KRG_ORDER_UNTAKE:
		order_sink_free(&r->tx);
		break;
	case KRG_ORDER_CHUNK:
		krg_order_write(&r->rx, msg->data, msg->len);
		break;
	case KRG_ORDER_UNCHUNK:
		order_sink_free(&r->rx);
		break;
	case KRG_ORDER_RESET:
		WRITE_ONCE(r->broken, false);
		reset(r);
		break;
	case KRG_ORDER_TAKE:
	case KRG_ORDER_RESTORE:
		r->todo = act->type;
		break;
	}
}

static void perform(struct order *r, u16 from, const struct krg_order_msg *msg)
{
	unsigned int i;

	for (i = 0; i < r->out->count; i++)
		perform_one(r, &r->out->act[i], from, msg);
	WARN_ONCE(r->o->bugs, "krg_cluster: the order of node %u went wrong\n", r->o->self);
	WRITE_ONCE(r->phase, r->o->phase);
}

static void restore(struct order *r, struct krg_order_event *ev)
{
	struct krg_order_shared *shared = kvmalloc(sizeof(*shared), GFP_KERNEL | __GFP_NOFAIL);
	int err = order_restore(r, shared, &ev->machines);

	ev->type = err ? KRG_ORDER_EV_BROKEN : KRG_ORDER_EV_RESTORED;
	ev->shared = shared;
	if (err) {
		pr_err("node %u has no state of the cluster (error %d): leaving it\n",
		       r->o->self, err);
		order_leave(r);
	}
	krg_order_event(r->o, ev, r->out);
	kvfree(shared);
}

/* An event, and the answers to what it asks. */
static int event(struct order *r, const struct krg_order_event *ev)
{
	int err = krg_order_event(r->o, ev, r->out);

	perform(r, ev->from, ev->msg);
	while (r->todo) {
		struct krg_order_event answer = { .type = KRG_ORDER_EV_TAKEN };

		if (r->todo == KRG_ORDER_RESTORE) {
			restore(r, &answer);
		} else {
			answer.total = order_take(r);
			krg_order_event(r->o, &answer, r->out);
		}
		r->todo = 0;
		perform(r, 0, NULL);
	}
	return err;
}

/* Return: it is kept for later. */
static bool on_msg(struct order *r, struct order_in *in)
{
	struct krg_order_event ev = { .type = KRG_ORDER_EV_MSG, .from = in->from };
	struct krg_order_msg msg;
	int err;

	ev.msg = &msg;
	err = krg_order_decode(in->data, in->len, &msg, r->scratch);
	if (!err) {
		switch (krg_order_accept(r->o, in->from, msg.epoch)) {
		case KRG_ORDER_NOW:
			err = event(r, &ev);
			break;
		case KRG_ORDER_HOLD:
			if (r->nr_held >= HELD_MAX)
				break;
			r->nr_held++;
			list_add_tail(&in->link, &r->held);
			return true;
		case KRG_ORDER_NEVER:
			break;
		}
	}
	if (err)
		pr_warn_ratelimited("node %u: node %u sent a bad message of %u bytes about the order\n",
				    r->o->self, in->from, in->len);
	return false;
}

static void mask_of(struct krg_mask *mask, const struct krg_nodemask *nodes)
{
	unsigned int n;

	memset(mask, 0, sizeof(*mask));
	krg_for_each_node(n, nodes)
		krg_mask_add(mask, n);
}

static void on_view(struct order *r, const struct krg_cluster_view *view)
{
	struct krg_order_event ev = {
		.type = KRG_ORDER_EV_CHANGE,
		.epoch = view->epoch,
		.quorate = view->quorate,
		.machines = order_registered() | 1,
	};
	struct order_in *in, *next;
	LIST_HEAD(held);

	mask_of(&ev.members, &view->members);
	event(r, &ev);
	list_splice_init(&r->held, &held);
	r->nr_held = 0;
	list_for_each_entry_safe(in, next, &held, link) {
		list_del(&in->link);
		if (!on_msg(r, in))
			kvfree(in);
	}
}

static void on_in(struct order *r, struct order_in *in)
{
	struct krg_order_event down = { .type = KRG_ORDER_EV_LEAVE };
	bool kept = false;

	switch (in->type) {
	case ORDER_IN_MSG:
		kept = on_msg(r, in);
		break;
	case ORDER_IN_VIEW:
		on_view(r, &in->view);
		break;
	case ORDER_IN_DOWN:
		event(r, &down);
		break;
	}
	if (!kept)
		kvfree(in);
}

static struct order_in *in_next(struct order *r)
{
	struct order_in *in;

	spin_lock(&r->in_lock);
	in = list_first_entry_or_null(&r->in, struct order_in, link);
	if (in)
		list_del(&in->link);
	spin_unlock(&r->in_lock);
	return in;
}

/* Outside a cluster nothing is submitted; what comes with its start waits for its view. */
static void refuse(struct order *r)
{
	struct order_op *op;
	int err = -ENOTCONN;

	if (r->phase == KRG_ORDER_STOPPED)
		err = -ENOLINK;
	else if (r->phase != KRG_ORDER_OUT || krg_cluster_is_up(r->net))
		return;
	while ((op = order_op_next(r)))
		order_op_end(op, err);
}

/* Return: there may be more. */
static bool admit(struct order *r)
{
	struct krg_order_event ev = { .type = KRG_ORDER_EV_SUBMIT };
	struct order_op *op = NULL;

	while (krg_order_room(r->o) && (op = order_op_next(r))) {
		r->own[r->o->own_next % KRG_ORDER_OWN] = op;
		event(r, &ev);
	}
	return op;
}

static void settle(struct order *r)
{
	bool more;

	do {
		more = admit(r);
		krg_order_pump(r->o, r->out);
		perform(r, 0, NULL);
	} while (more);
}

void order_work(struct work_struct *work)
{
	struct order *r = container_of(work, struct order, work);
	struct order_in *in;
	unsigned int n = 0;

	down_read(&order_machines_lock);
	mutex_lock(&r->lock);
	if (work_begin(r)) {
		while (n++ < BATCH && (in = in_next(r)))
			on_in(r, in);
		settle(r);
	}
	refuse(r);
	mutex_unlock(&r->lock);
	up_read(&order_machines_lock);
	if (n > BATCH)
		order_kick(r);
}

/* The namespace goes. No machine is called any more, and nobody has to be told. */
void order_drop_all(struct order *r)
{
	struct order_in *in, *next;
	struct order_op *op;
	unsigned int i;

	mutex_lock(&r->lock);
	while ((in = in_next(r)))
		kvfree(in);
	list_for_each_entry_safe(in, next, &r->held, link)
		kvfree(in);
	INIT_LIST_HEAD(&r->held);
	while ((op = order_op_next(r)))
		order_op_end(op, -ENOTCONN);
	for (i = 0; i < KRG_ORDER_OWN; i++)
		if (r->own[i])
			own_end(r, i, -ENOTCONN);
	forget(r, U64_MAX);
	order_sink_free(&r->tx);
	order_sink_free(&r->rx);
	mutex_unlock(&r->lock);
}
