// SPDX-License-Identifier: GPL-2.0-only
/*
 * Start, add, del, stop: what people ask for.
 *
 * The node that was asked keeps the operation in @op until it sees its effect in
 * its own view and, by their beacons, in that of every other node. The coordinator
 * works on one request at a time, @req; the asker repeats its request at each
 * tick until it sees the effect, is told an error, or gives up.
 */
#include "lease.h"
#include "membership.h"

static bool in_cluster_state(u8 state)
{
	return state == KRG_NODE_ONLINE || state == KRG_NODE_LEAVING;
}

/* A node that says to be in a cluster we are not in. */
static int foreign_member(const struct krg_membership *m)
{
	int n;

	for (n = 0; n < m->max_nodes; n++)
		if (n != m->self && m->member[n].state == KRG_NODE_PRESENT &&
		    in_cluster_state(m->member[n].beacon_state))
			return n;
	return KRG_NO_NODE;
}

/**
 * krg_request_end - the request worked on is done with
 * @m: membership
 * @error: 0 or -errno
 * @node: what the error is about, or KRG_NO_NODE
 * @out: may get a REJECT
 */
void krg_request_end(struct krg_membership *m, int error, int node, struct krg_out *out)
{
	struct krg_want *req = &m->req;

	if (error && req->op && req->origin == m->self) {
		m->op.error = error;
		m->op.error_node = node;
	} else if (error && req->op) {
		struct krg_action *act = krg_out_add(out, KRG_ACT_SEND, req->origin);

		if (act) {
			act->msg = KRG_MSG_REJECT;
			act->error = error;
			act->epoch = (u32)node;
		}
	}
	req->op = KRG_OP_NONE;
}

static void take_in(struct krg_membership *m, struct krg_view *v, unsigned int n)
{
	struct krg_view_entry *e = &v->node[n];

	e->state = KRG_NODE_ONLINE;
	e->incarnation = n == m->self ? m->incarnation : m->member[n].incarnation;
	e->addr = n == m->self ? m->addr : m->member[n].addr;
}

static bool all_present(const struct krg_membership *m, const struct krg_view *v,
			const struct krg_mask *mask)
{
	unsigned int n;

	for (n = 0; n < KRG_NODES; n++)
		if (krg_mask_has(mask, n) && v->node[n].state != KRG_NODE_ONLINE &&
		    (n >= m->max_nodes || m->member[n].state != KRG_NODE_PRESENT))
			return false;
	return true;
}

static bool apply_start(struct krg_membership *m, struct krg_view *v, struct krg_out *out)
{
	struct krg_want *req = &m->req;
	int other = foreign_member(m);
	unsigned int n;

	if (krg_in_cluster(m)) {
		krg_request_end(m, 0, KRG_NO_NODE, out);
		return false;
	}
	if (krg_duplicated(m)) {
		krg_request_end(m, -EADDRINUSE, m->self, out);
		return false;
	}
	if (other != KRG_NO_NODE) {
		krg_request_end(m, -EEXIST, other, out);
		return false;
	}
	if (!all_present(m, v, &req->mask))
		return false;
	memset(v, 0, sizeof(*v));
	for (n = 0; n < m->max_nodes; n++)
		if (krg_mask_has(&req->mask, n))
			take_in(m, v, n);
	v->quorate = true;
	v->flags = req->flags;
	return true;
}

static bool apply_add(struct krg_membership *m, struct krg_view *v, struct krg_out *out)
{
	struct krg_want *req = &m->req;
	bool changed = false;
	unsigned int n;

	if (!v->quorate || v->flags & KRG_FLAGS_END) {
		krg_request_end(m, v->quorate ? -ESHUTDOWN : -ENOLINK, KRG_NO_NODE, out);
		return false;
	}
	if (!all_present(m, v, &req->mask))
		return false;
	for (n = 0; n < m->max_nodes; n++) {
		if (!krg_mask_has(&req->mask, n) || v->node[n].state == KRG_NODE_ONLINE)
			continue;
		take_in(m, v, n);
		changed = true;
	}
	if (!changed)
		krg_request_end(m, 0, KRG_NO_NODE, out);
	return changed;
}

static bool apply_del(struct krg_membership *m, struct krg_view *v, struct krg_out *out)
{
	struct krg_want *req = &m->req;
	u8 flags = req->op == KRG_OP_STOP ? req->flags & KRG_FLAGS_END : 0;
	bool changed = flags & ~v->flags;
	unsigned int n;

	/* The last word counts. */
	if (flags)
		v->flags = (v->flags & ~KRG_FLAGS_END) | flags;
	for (n = 0; n < m->max_nodes; n++) {
		struct krg_view_entry *e = &v->node[n];

		if (req->op == KRG_OP_DEL && !krg_mask_has(&req->mask, n))
			continue;
		if (e->state == KRG_NODE_ONLINE) {
			e->state = KRG_NODE_LEAVING;
			changed = true;
		} else if (e->state == KRG_NODE_FAILED && req->op == KRG_OP_DEL) {
			/* The administrator's word that it is dead. */
			krg_mask_add(&m->proven, n);
			memset(e, 0, sizeof(*e));
			changed = true;
		}
	}
	if (!changed)
		krg_request_end(m, 0, KRG_NO_NODE, out);
	return changed;
}

/**
 * krg_request_apply - put the request into the view to be proposed
 * @m: membership
 * @v: the view so far
 * @out: may get a REJECT
 *
 * Return: whether @v changed; else the request is done, refused, or waits.
 */
bool krg_request_apply(struct krg_membership *m, struct krg_view *v, struct krg_out *out)
{
	struct krg_want *req = &m->req;

	if (req->op && req->origin != m->self && m->now - req->since >= KRG_T_DEAD)
		req->op = KRG_OP_NONE;
	switch (req->op) {
	case KRG_OP_START:
		return apply_start(m, v, out);
	case KRG_OP_ADD:
		return krg_in_cluster(m) && apply_add(m, v, out);
	case KRG_OP_DEL:
	case KRG_OP_STOP:
		return krg_in_cluster(m) && apply_del(m, v, out);
	default:
		return false;
	}
}

/* Whom to ask: the coordinator, or from outside any member. */
static int target(const struct krg_membership *m)
{
	if (m->op.op == KRG_OP_START)
		return m->self;
	return krg_in_cluster(m) ? krg_coordinator(m) : foreign_member(m);
}

static void send_op(struct krg_membership *m, struct krg_out *out)
{
	int to = target(m);

	if (!m->op.op || m->op.error || krg_membership_op_status(m) != -EINPROGRESS)
		return;
	if (to == m->self) {
		if (!m->req.op)
			m->req = m->op;
	} else if (to != KRG_NO_NODE) {
		krg_out_send(out, KRG_MSG_REQUEST, to, 0);
	}
}

/**
 * krg_request_op - a user's operation begins
 * @m: membership
 * @ev: KRG_EV_OP
 * @out: what to do
 */
void krg_request_op(struct krg_membership *m, const struct krg_event *ev, struct krg_out *out)
{
	memset(&m->op, 0, sizeof(m->op));
	m->op.op = ev->op;
	m->op.flags = ev->flags;
	m->op.mask = ev->mask;
	m->op.origin = m->self;
	m->op.error_node = KRG_NO_NODE;
	m->op.since = m->now;
	send_op(m, out);
}

/* Enough nodes for the cluster to start by itself: the lowest one does it. */
static void autostart(struct krg_membership *m)
{
	struct krg_mask present = {};
	unsigned int n;

	if (!m->nb_nodes_min || m->was_up || m->req.op || krg_in_cluster(m) ||
	    krg_duplicated(m) || foreign_member(m) != KRG_NO_NODE)
		return;
	for (n = 0; n < m->max_nodes; n++)
		if (m->member[n].state == KRG_NODE_PRESENT)
			krg_mask_add(&present, n);
	if (krg_mask_lowest(&present) != m->self || krg_mask_count(&present) < m->nb_nodes_min)
		return;
	memset(&m->req, 0, sizeof(m->req));
	m->req.op = KRG_OP_START;
	m->req.origin = m->self;
	m->req.mask = present;
}

/**
 * krg_request_tick - repeat the request, or start by ourselves
 * @m: membership
 * @out: what to do
 */
void krg_request_tick(struct krg_membership *m, struct krg_out *out)
{
	send_op(m, out);
	autostart(m);
}

/**
 * krg_request_msg - REQUEST or REJECT
 * @m: membership
 * @from: who sent it
 * @msg: the message
 */
void krg_request_msg(struct krg_membership *m, unsigned int from, const struct krg_msg *msg)
{
	struct krg_want *req = &m->req;
	int coordinator = krg_coordinator(m);

	if (msg->type == KRG_MSG_REJECT) {
		if (m->op.op && !m->op.error) {
			m->op.error = msg->error;
			m->op.error_node = msg->node;
		}
		return;
	}
	if (!krg_in_cluster(m) || msg->op == KRG_OP_START)
		return;
	if (coordinator != m->self) {
		/* From outside the asker cannot tell who leads: it is told by asking again. */
		return;
	}
	if (req->op && req->origin != (int)from)
		return;
	memset(req, 0, sizeof(*req));
	req->op = msg->op;
	req->flags = msg->flags;
	req->mask = msg->mask;
	req->origin = from;
	req->since = m->now;
}

/* Whether every other node that is meant to be in the view has it. */
static bool others_follow(const struct krg_membership *m, const struct krg_mask *mask)
{
	unsigned int n;

	for (n = 0; n < m->max_nodes; n++) {
		const struct krg_member *p = &m->member[n];

		if (n == m->self || !krg_mask_has(mask, n))
			continue;
		if (!in_cluster_state(p->beacon_state) || p->epoch < m->epoch)
			return false;
	}
	return true;
}

static bool all_online(const struct krg_membership *m, const struct krg_mask *mask)
{
	unsigned int n;

	for (n = 0; n < m->max_nodes; n++)
		if (krg_mask_has(mask, n) && m->view.node[n].state != KRG_NODE_ONLINE)
			return false;
	return true;
}

static bool any_failed(const struct krg_membership *m, const struct krg_mask *mask)
{
	unsigned int n;

	for (n = 0; n < m->max_nodes; n++)
		if (krg_mask_has(mask, n) && m->member[n].state == KRG_NODE_FAILED)
			return true;
	return false;
}

static bool all_gone(const struct krg_membership *m, const struct krg_mask *mask)
{
	unsigned int n;

	for (n = 0; n < m->max_nodes; n++) {
		if (!krg_mask_has(mask, n) || n == m->self)
			continue;
		if (krg_in_cluster(m) ? m->view.node[n].state != KRG_NODE_ABSENT :
		    in_cluster_state(m->member[n].beacon_state) &&
		    m->member[n].state == KRG_NODE_PRESENT)
			return false;
	}
	return !krg_mask_has(mask, m->self) || !krg_in_cluster(m);
}

/**
 * krg_membership_op_status - how the user's operation stands
 * @m: membership
 *
 * Return: 0 when its effect is seen everywhere (or there is none), -EINPROGRESS,
 * or why it failed: -EADDRINUSE this node's id is used twice, -EEXIST there is a
 * cluster already, -ENOLINK no quorum, -ESHUTDOWN the machines are being switched off, -ETIMEDOUT a
 * node does not answer, -EHOSTDOWN a node was lost as soon as it was in.
 */
int krg_membership_op_status(const struct krg_membership *m)
{
	const struct krg_want *op = &m->op;
	struct krg_mask everybody;

	if (op->error)
		return op->error;
	switch (op->op) {
	case KRG_OP_START:
	case KRG_OP_ADD:
		if (!krg_in_cluster(m))
			return op->op == KRG_OP_ADD && others_follow(m, &op->mask) &&
			       !krg_mask_has(&op->mask, m->self) ? 0 : -EINPROGRESS;
		everybody = krg_view_members(&m->view);
		if (all_online(m, &op->mask) && others_follow(m, &everybody))
			return 0;
		if (op->op == KRG_OP_START && any_failed(m, &op->mask))
			return -EHOSTDOWN;
		/* Somebody else was faster, and chose others. */
		if (op->op == KRG_OP_START && !all_online(m, &op->mask) && !m->prop.active)
			return -EEXIST;
		return -EINPROGRESS;
	case KRG_OP_DEL:
		return all_gone(m, &op->mask) ? 0 : -EINPROGRESS;
	case KRG_OP_STOP:
		return !krg_in_cluster(m) && foreign_member(m) == KRG_NO_NODE ? 0 : -EINPROGRESS;
	default:
		return 0;
	}
}
