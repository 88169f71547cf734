// SPDX-License-Identifier: GPL-2.0-only
/* The entry points of the decisions; see membership.h. */
#include "membership.h"
#include "lease.h"

/**
 * krg_membership_init - a node that knows nobody
 * @m: memory for it
 * @cfg: who it is
 */
void krg_membership_init(struct krg_membership *m, const struct krg_membership_config *cfg)
{
	memset(m, 0, sizeof(*m));
	m->session = cfg->session;
	m->self = cfg->self;
	m->max_nodes = cfg->max_nodes;
	m->nb_nodes_min = cfg->nb_nodes_min;
	m->incarnation = cfg->incarnation;
	m->stamp_base = cfg->stamp_base;
	m->addr = cfg->addr;
	m->beacon_soon = true;
	m->member[m->self].state = KRG_NODE_PRESENT;
	m->member[m->self].incarnation = cfg->incarnation;
	m->member[m->self].addr = cfg->addr;
}

static void tick(struct krg_membership *m, struct krg_out *out)
{
	unsigned int n;

	for (n = 0; n < m->max_nodes; n++)
		if (m->member[n].state == KRG_NODE_PRESENT && krg_member_silent(m, n))
			krg_member_move(m, n, KRG_NODE_ABSENT, out);
	krg_request_tick(m, out);
	krg_change_tick(m, out);
}

static void message(struct krg_membership *m, unsigned int from, const struct krg_msg *msg,
		    struct krg_out *out)
{
	const struct krg_member *p = &m->member[from];

	if (from >= m->max_nodes || from == m->self || p->state == KRG_NODE_ABSENT ||
	    msg->from_incarnation != p->incarnation || msg->to_incarnation != m->incarnation)
		return;
	if (msg->type == KRG_MSG_REQUEST || msg->type == KRG_MSG_REJECT)
		krg_request_msg(m, from, msg);
	else
		krg_change_msg(m, from, msg, out);
}

static void reincarnate(struct krg_membership *m, u64 incarnation)
{
	m->incarnation = incarnation;
	m->member[m->self].incarnation = incarnation;
	m->muted = false;
	m->beacon_soon = true;
}

static void cancel(struct krg_membership *m)
{
	if (m->req.op && m->req.origin == m->self && !m->prop.active)
		m->req.op = KRG_OP_NONE;
	m->op.op = KRG_OP_NONE;
	m->op.error = 0;
}

/**
 * krg_membership_event - something happened
 * @m: membership
 * @ev: what
 * @out: filled with what to do about it, in that order
 *
 * Between KRG_ACT_RESET and KRG_EV_REINCARNATE all other events are ignored.
 */
void krg_membership_event(struct krg_membership *m, const struct krg_event *ev,
			  struct krg_out *out)
{
	out->count = 0;
	m->now = ev->now;
	if (ev->type == KRG_EV_CANCEL)
		cancel(m);
	if (ev->type == KRG_EV_REINCARNATE)
		reincarnate(m, ev->incarnation);
	if (m->muted)
		return;
	switch (ev->type) {
	case KRG_EV_TICK:
		tick(m, out);
		break;
	case KRG_EV_BEACON:
		krg_beacon_event(m, ev->beacon, out);
		break;
	case KRG_EV_MSG:
		message(m, ev->node, ev->msg, out);
		break;
	case KRG_EV_OP:
		krg_request_op(m, ev, out);
		break;
	case KRG_EV_READY:
		m->self_ready = m->view.node[m->self].state == KRG_NODE_LEAVING;
		krg_change_tick(m, out);
		break;
	}
	krg_change_advance(m, out);
	if (m->op.op && krg_membership_op_status(m) == 0)
		m->op.op = KRG_OP_NONE;		/* done is done, whatever happens next */
	if (!m->muted && krg_membership_wait(m, ev->now) == 0)
		krg_out_add(out, KRG_ACT_BEACON, m->self);
}

/**
 * krg_membership_wait - until when nothing is due
 * @m: membership
 * @now: ms
 *
 * Return: ms until the next beacon is due; 0 = now.
 */
unsigned int krg_membership_wait(const struct krg_membership *m, u64 now)
{
	unsigned int period = m->beacon_soon ? KRG_T_SOON : KRG_T_HEARTBEAT;

	return now - m->beacon_last >= period ? 0 : period - (unsigned int)(now - m->beacon_last);
}

/**
 * krg_membership_msg - the contents of a message to be sent
 * @m: membership, unchanged since the event
 * @act: KRG_ACT_SEND
 * @msg: filled; type KRG_MSG_NONE if there is nothing to say any more
 */
void krg_membership_msg(const struct krg_membership *m, const struct krg_action *act,
			struct krg_msg *msg)
{
	memset(msg, 0, sizeof(*msg));
	msg->type = act->msg;
	msg->epoch = act->epoch;
	msg->from_incarnation = m->incarnation;
	msg->to_incarnation = m->member[act->node].incarnation;
	switch (act->msg) {
	case KRG_MSG_PREPARE:
		if (!m->prop.active || m->prop.view.epoch != act->epoch)
			msg->type = KRG_MSG_NONE;
		msg->base = m->epoch;
		msg->view = &m->prop.view;
		break;
	case KRG_MSG_COMMIT:
		msg->epoch = m->view.epoch;
		msg->view = &m->view;
		break;
	case KRG_MSG_REQUEST:
		msg->op = m->op.op;
		msg->flags = m->op.flags;
		msg->mask = m->op.mask;
		if (!m->op.op)
			msg->type = KRG_MSG_NONE;
		break;
	case KRG_MSG_REJECT:
		msg->error = act->error;
		msg->node = (s16)act->epoch;
		break;
	}
}
